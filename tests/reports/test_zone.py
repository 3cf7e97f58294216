"""Times in a zone of one's own, beside UTC."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from reports.html import render_html
from reports.markdown import markdown
from reports.terminal import print_summary
from reports.zone import Zone, ZoneError, zone
from tests.made import analysis

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize("name", [BERLIN, "europe/berlin", " Europe/Berlin ", "Asia/Kathmandu", "UTC"])
def test_a_zone_is_known_by_its_name_in_any_letter_case(name: str) -> None:
    assert isinstance(zone(name), Zone)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin"),
        ("berlin", "did you mean Europe/Berlin"),
        ("New York", "did you mean America/New_York"),
        ("qqqq", "as Europe/Berlin or UTC"),
        ("../../etc/passwd", "there is no time zone"),
        ("", "there is no time zone"),
        ("/etc/localtime", "there is no time zone"),
    ],
)
def test_a_name_that_is_none_gets_a_suggestion(name: str, words: str) -> None:
    with pytest.raises(ZoneError, match=words):
        zone(name)


def test_a_time_stands_beside_utc_with_its_offset() -> None:
    berlin = zone(BERLIN)
    assert berlin.beside("2026-03-04T10:15:22.1234567Z") == "11:15:22 +01:00"
    assert berlin.beside("2026-03-04T23:15:22.0000000Z") == "2026-03-05 00:15:22 +01:00"
    assert berlin.when("2026-07-04T10:15:22.0000000Z") == "2026-07-04 12:15:22 +02:00"
    assert berlin.beside(None) is None
    assert berlin.when("no time") is None
    assert zone("Asia/Kathmandu").beside("2026-03-04T10:15:22.0000000Z") == "16:00:22 +05:45"


def test_a_range_says_its_offset_twice_where_the_clocks_change() -> None:
    berlin = zone(BERLIN)
    assert berlin.span("2026-03-04T10:00:00.0000000Z", "2026-03-04T11:00:00.0000000Z") == (
        "2026-03-04 11:00:00 to 12:00:00 +01:00"
    )
    assert berlin.span("2026-03-29T00:30:00.0000000Z", "2026-03-29T01:30:00.0000000Z") == (
        "2026-03-29 01:30:00 +01:00 to 2026-03-29 03:30:00 +02:00"
    )
    assert berlin.span("2026-03-04T10:00:00.0000000Z", None) == "2026-03-04 11:00:00 +01:00"
    assert berlin.span(None, None) is None


@pytest.mark.parametrize("year", ["0001-01-01", "9999-12-31", "1601-01-01"])
def test_a_time_at_the_end_of_the_calendar_is_no_error(year: str) -> None:
    text = f"{year}T23:59:59.0000000Z"
    for name in ("Pacific/Kiritimati", "America/Los_Angeles"):
        zone(name).beside(text)
        zone(name).span(text, text)


def test_page_terminal_and_markdown_show_both() -> None:
    berlin = zone(BERLIN)
    page = render_html(analysis(), berlin)
    assert "2026-03-04 10:15:22" in page
    assert '<span class="local">11:15:22 +01:00</span>' in page
    assert "a clock in Europe/Berlin showed" in page
    plain = render_html(analysis())
    assert "+01:00" not in plain
    assert 'class="local"' not in plain
    console = Console(record=True, width=100, file=io.StringIO())
    print_summary(analysis(), console, berlin)
    shown = console.export_text()
    assert "2026-03-04 10:15:22 UTC" in shown
    assert "Europe/Berlin: 2026-03-04 11:15:22 +01:00" in shown
    text = markdown(analysis(), berlin)
    assert "- Time: 2026-03-04 10:15:22 UTC" in text
    assert "- In Europe/Berlin: 2026-03-04 11:15:22 +01:00" in text


def test_a_result_without_any_time_shows_none() -> None:
    bare = dataclasses.replace(analysis(), coverage=dataclasses.replace(analysis().coverage, first=None, last=None))
    assert "In Europe/Berlin" not in markdown(bare, zone(BERLIN))
    assert "no time recorded" in render_html(bare, zone(BERLIN))
