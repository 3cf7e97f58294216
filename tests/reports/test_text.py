"""Neutral text, numbers and times for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain C:\\x (1)", "plain C:\\x (1)"),
        ("Ünï 防火墙 🔥", "Ünï 防火墙 🔥"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\x1b[0m\x00", "⟨U+001B⟩[0m⟨U+0000⟩"),
        ("\u2028\u2029\u200b\u200d\ufeff\u061c", "⟨U+2028⟩⟨U+2029⟩⟨U+200B⟩⟨U+200D⟩⟨U+FEFF⟩⟨U+061C⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041\U0010ffff", "⟨U+E0041⟩⟨U+10FFFF⟩"),
        ("tab\tline\n", "tab⟨U+0009⟩line⟨U+000A⟩"),
    ],
)
def test_neutral(raw: str, shown: str) -> None:
    assert text.neutral(raw) == shown


@given(st.text(st.characters(), max_size=60))
def test_neutral_text_is_stable_and_can_be_written(raw: str) -> None:
    shown = text.neutral(raw)
    shown.encode("utf-8")
    assert text.neutral(shown) == shown
    assert "".join(piece for piece, _ in text.escapes(shown)) == shown


def test_marks_cannot_pile_up() -> None:
    assert text.neutral("a" + "\u0301" * 6).count("\u0301") == text.MARKS_IN_A_ROW


def test_powershell_quotes_are_shown_in_commands() -> None:
    assert text.neutral_command("-Name \u2018x\u2019; y") == "-Name ⟨U+2018⟩x⟨U+2019⟩; y"


def test_middle_keeps_both_ends_and_tears_no_escape() -> None:
    assert text.middle("short", 20) == "short"
    cut = text.middle("C:\\" + "x" * 200 + "\\end.exe", 40)
    assert cut.startswith("C:\\xxx")
    assert cut.endswith("end.exe")
    for limit in range(6, 60):
        torn = text.middle(text.neutral("\u202e" * 30), limit)
        assert all(piece in {"⟨U+202E⟩", " … "} for piece, _ in text.escapes(torn))


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("\\device\\x\\a.exe", ("\\device\\x\\", "a.exe")),
        ("System", ("", "System")),
        ("a/b", ("a/", "b")),
        ("ends\\", ("", "ends\\")),
    ],
)
def test_split_path(path: str, parts: tuple[str, str]) -> None:
    assert text.split_path(path) == parts


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (69632, "69.6 kB"), (21041152, "21 MB"), (10**13, "10 TB")],
)
def test_size(value: int, shown: str) -> None:
    assert text.size(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.2, "under 1 s"),
        (59, "59 s"),
        (75, "1 min 15 s"),
        (2760, "46 min"),
        (7500, "2 h 5 min"),
        (86400, "1 day"),
        (180000, "2 days 2 h"),
    ],
)
def test_duration(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_times() -> None:
    one, two = "2026-03-04T10:15:22.1234567Z", "2026-03-05T00:00:00.0000000Z"
    assert text.when(one) == "2026-03-04 10:15:22"
    assert text.exact(one) == "2026-03-04 10:15:22.1234567 UTC"
    assert text.span(one, two) == "2026-03-04 10:15:22 to 2026-03-05 00:00:00 UTC (13 h 44 min)"
    assert text.span(one, one) == "2026-03-04 10:15:22 UTC"
    assert text.span(None, None) == "no time recorded"
    assert text.when("yesterday") == "yesterday"
    assert text.instant("yesterday") is None
