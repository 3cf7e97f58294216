"""The page of a change review: complete without scripts, safe with hostile evidence, made for the person who signs."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from test_html import FORBIDDEN, POISONS, parse, shape, words_of

from analyzer.review.compare import compare
from reports.reviewhtml import render_review
from tests.places import ROOT

if TYPE_CHECKING:
    from analyzer.reviewmodel import Review

TICKET = ROOT / "samples" / "ticket-k-review"


@functools.cache
def review(after: str = "after-bad.xml", *, traffic: bool = True) -> Review:
    logs = [TICKET / "security.evtx"] if traffic else []
    found, _ = compare(TICKET / "wfpstate.xml", TICKET / after, traffic=logs, command=("diff", "a", "b"))
    return found


@functools.cache
def page() -> str:
    return render_review(review())


def poisoned(value: object, poison: str) -> object:
    """Put a hostile text behind every text of evidence; words of fixed sets stay."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fixed = {"what", "part", "source", "severity", "kind", "expect", "role", "decision", "action", "direction"}
        return dataclasses.replace(
            value,
            **{
                item.name: poisoned(getattr(value, item.name), poison)
                for item in dataclasses.fields(value)
                if item.name not in fixed | {"tool", "sha256"} and not item.name.endswith("_time")
            },
        )
    if isinstance(value, tuple):
        return tuple(poisoned(item, poison) for item in value)
    if isinstance(value, dict):
        return {key: poisoned(item, poison) for key, item in value.items()}
    return value + poison if isinstance(value, str) else value


def test_all_parts_that_a_signer_needs_are_there() -> None:
    said = words_of(page())
    for words in (
        "Of 8 recorded flows 3 would be newly blocked",
        "Inbound from any address, to any program",
        "Example Browser",
        "remote port 80, 443 → 80",
        "Default Outbound",
        "inbound TCP 3389 from any address, any profile, any program",
        "Checks that could not be made",
        "7 records tell no network profile",
        "What to test after the change",
        "Approved with conditions",
        "Date and signature",
    ):
        assert words in said, words
    assert all(item.sha256 and item.sha256 in said for item in review().inputs)


def test_links_inside_the_page_lead_somewhere() -> None:
    root = parse(page())
    names = [element.get("id") for element in root.xpath("//*[@id]")]
    assert len(names) == len(set(names))
    for link in root.xpath("//a/@href"):
        assert link[0] == "#"
        assert link[1:] in names


def test_the_policy_names_exactly_the_inline_blocks() -> None:
    html = page()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    allowed = policy[1].replace("&#39;", "'")
    assert allowed.startswith("default-src 'none'")
    for tag in ("style", "script"):
        (block,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in allowed
    assert "style=" not in html
    assert not re.search(r"\son[a-z]+=", html)
    assert not [tag for tag, _ in shape(html) if tag in FORBIDDEN]
    assert "http://" not in html
    assert "https://" not in html


def test_equal_results_give_equal_bytes() -> None:
    assert render_review(review()) == page()


def test_a_change_without_effect_says_so() -> None:
    said = words_of(render_review(review("after-same.xml")))
    assert "None of 8 recorded flows is decided otherwise. Nothing changes" in said
    assert "None of the 6 marks applies" in said
    assert "Nothing changed, so nothing has to be tried." in said


def test_without_traffic_the_page_says_what_is_missing() -> None:
    said = words_of(render_review(review(traffic=False)))
    assert "No recorded traffic was given (--traffic)" in said
    assert "Recorded traffic" not in said


@pytest.mark.parametrize("poison", POISONS)
def test_hostile_evidence_changes_no_element(poison: str) -> None:
    html = render_review(poisoned(review(), poison))  # type: ignore[arg-type]
    html.encode("utf-8")
    tags = {tag for tag, _ in shape(html)}
    assert not tags & set(FORBIDDEN)
    assert not re.search("[\u202e\u2066\u200f\u2028\u200b\ufeff]", html)
    assert html.count("<script") == 1
