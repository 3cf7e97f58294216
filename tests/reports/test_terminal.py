"""The terminal summary: short, plain when piped, and never raw."""

from __future__ import annotations

import dataclasses
import io
import re

import case
import pytest
from rich.console import Console

from reports.terminal import print_summary

POISON = "\x1b[31m\x9b\x07\r\n\u202e\u2066\u200b[bold red]:smile:[/]"


def printed(analysis, width: int = 80, **options) -> str:
    out = io.StringIO()
    print_summary(analysis, Console(file=out, width=width, **options))
    return out.getvalue()


def test_summary_fits_a_screen_and_holds_what_matters() -> None:
    text = printed(case.rich(), 80)
    assert len(text.splitlines()) <= 36
    assert all(len(line) <= 80 for line in text.splitlines())
    folded = " ".join(text.split())
    for part in (
        case.rich().answer.sentence,
        "Blocks 761 (214 attempts)",
        "Drops 126",
        "Permits 1,803",
        "Default outbound block",
        "High, likely: Rules for single services",
        "1 lost, 2 doubtful, 2 notes",
        "91 records of it could not be read",
    ):
        assert part in folded


@pytest.mark.parametrize("make", [case.empty, case.tiny])
def test_little_evidence(make) -> None:
    text = printed(make())
    assert make().answer.sentence in " ".join(text.split())
    assert "Everything that was handed in could be read." in text


def test_no_control_character_reaches_the_terminal() -> None:
    text = printed(case.poisoned(POISON), 100)
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", text) is None
    assert "⟨U+001B⟩[31m" in text
    assert "[bold red]:smile:[/]" in text, "evidence is not markup"


def test_colour_only_where_it_is_wanted(monkeypatch) -> None:
    assert "\x1b[" in printed(case.rich(), force_terminal=True, color_system="standard", legacy_windows=False)
    monkeypatch.setenv("NO_COLOR", "1")
    coloured = printed(case.rich(), force_terminal=True, color_system="standard", legacy_windows=False)
    assert (
        re.findall(r"\x1b\[[0-9;]*m", coloured.replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[2m", ""))
        == []
    )
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b" not in printed(case.rich())


def test_a_terminal_without_unicode_gets_ascii() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    base = case.rich()
    answer = dataclasses.replace(base.answer, sentence="svchost → “Ünïcode” \u202e")
    print_summary(dataclasses.replace(base, answer=answer), Console(file=out, width=80))
    out.flush()
    text = raw.getvalue().decode("ascii")
    assert "<U+202E>" in text
    assert "svchost -> " in text
