"""Comparisons of real states: against themselves, against another load of the same policy, against `show filters`."""

from __future__ import annotations

import functools
import json
import time
from typing import TYPE_CHECKING

import jsonschema
import pytest
from dumps import Dump, layer, name

from analyzer.review.compare import compare
from reports.reviewjson import review_json
from tests.places import ROOT, SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.reviewmodel import Review

STATES = (
    *("win11-22621-wfpstate.xml", "win-2023-wfpstate.xml"),
    *("win11-22621-french-filters.xml", "win11-26100-french-filters.xml"),
)
SHOW_STATE = "win11-22621-wfpstate.xml"
pytestmark = pytest.mark.usefixtures("shared")


@functools.cache
def dump(file: str) -> Dump:
    return Dump.read(SHARED / "xml" / file)


@functools.cache
def schema() -> jsonschema.Draft202012Validator:
    document = json.loads((ROOT / "reports" / "schemas" / "diff.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def compared(before: Path, after: Path) -> Review:
    """Compare two files; the document is held against the schema."""
    review, _ = compare(before, after)
    errors = list(schema().iter_errors(json.loads(review_json(review))))
    assert not errors, errors[0].message[:500]
    return review


@pytest.mark.parametrize("file", STATES)
def test_a_state_against_itself_is_empty(file: str) -> None:
    review = compared(SHARED / "xml" / file, SHARED / "xml" / file)
    assert (review.changes, review.defaults, review.exposure) == ((), (), ())
    assert review.replay is None


@pytest.mark.parametrize("file", STATES)
def test_another_load_of_the_same_policy_is_empty(file: str, tmp_path: Path) -> None:
    """Ids, keys, contexts, rule numbers and order are new, the policy is not."""
    review = compared(SHARED / "xml" / file, dump(file).shuffled(7).write(tmp_path / "after.xml"))
    assert (review.changes, review.defaults, review.exposure) == ((), (), ())
    assert not [problem for problem in review.problems if problem.severity == "lost"]


def hidden_or_inspecting(item: object) -> bool:
    return "_DISCARD" in layer(item) or item.findtext("action/type") == "FWP_ACTION_CALLOUT_INSPECTION"


@pytest.mark.parametrize("swap", [False, True])
def test_show_filters_of_the_same_machine_differs_in_what_it_leaves_out_only(tmp_path: Path, *, swap: bool) -> None:
    less = dump(SHOW_STATE).as_show_filters(
        lambda item: not hidden_or_inspecting(item) and name(item) != "Boot Time Filter"
    )
    sides = [SHARED / "xml" / SHOW_STATE, less.shuffled(3).write(tmp_path / "filters.xml")]
    kept = compared(*(reversed(sides) if swap else sides))
    told = " ".join(kept.limits)
    assert "`show filters`, which leaves out" in told
    assert "does not hold these layers" in told
    # boot-time filters that no other filter hides are in every `show filters`: here they were taken out
    assert {(change.what, change.rule) for change in kept.changes} == {
        ("removed" if not swap else "added", "Boot Time Filter")
    }
    assert {side.state_kind for side in kept.sides} == {"wfpstate", "filters"}


def test_show_filters_without_what_it_leaves_out_is_empty(tmp_path: Path) -> None:
    """Callouts that inspect, and filters under an unconditional one, are not missed."""
    hidden = {("IPFORWARD", False)}
    whole = dump(SHOW_STATE).as_show_filters(lambda item: not hidden_or_inspecting(item))
    review = compared(SHARED / "xml" / SHOW_STATE, whole.write(tmp_path / "filters.xml"))
    assert review.changes == ()
    assert review.exposure == ()
    below = [
        item
        for item in whole.filters()
        if name(item) == "Boot Time Filter"
        and item.findtext("weight/uint8") in ("0", "1")
        and item.findtext("subLayerKey") == "FWPM_SUBLAYER_MPSSVC_WF"
        and (layer(item).removeprefix("FWPM_LAYER_")[:9], False) not in hidden
    ]
    assert len(below) == 10  # the ten that the real `show filters` of this build lacks
    for item in below:
        item.getparent().remove(item)
    review = compared(SHARED / "xml" / SHOW_STATE, whole.write(tmp_path / "less.xml"))
    assert (review.changes, review.exposure) == ((), ())


def test_a_layer_that_one_dump_leaves_out_is_not_compared() -> None:
    """One of the French files was made with `dir=out`: it has no receive/accept filters at all."""
    review = compared(*(SHARED / "xml" / f"win11-{build}-french-filters.xml" for build in ("22621", "26100")))
    inbound = [c for c in review.changes if c.before is None or c.after is None]
    assert inbound
    for change in inbound:
        side = change.after or change.before
        assert not [place for place in side.layers if "RECV_ACCEPT" in place or "LISTEN" in place], change.words
    assert any("receive/accept, IPv4" in said for said in review.limits)
    assert not [item for item in review.exposure if item.direction == "inbound"]
    assert not [item for item in review.defaults if item.direction == "inbound"]


def test_two_machines_are_compared_within_bounds() -> None:
    """Nearly every filter differs: the worst that real states do."""
    start = time.process_time()
    review = compared(SHARED / "xml" / SHOW_STATE, SHARED / "xml" / "win-2023-wfpstate.xml")
    assert time.process_time() - start < 20  # 6 s on a quiet machine, reading included
    assert any("different computers" in said for said in review.limits)
    assert [change.what for change in review.changes].count("plumbing") == 1
    assert not [c for c in review.changes if c.part == "rule" and c.what in ("added", "removed")]
    assert review.exposure
    assert not [item for item in review.exposure if "could not be worked out" in item.words]
