"""The page in a real browser: what a person does with it, with and without scripts, on screen and on paper."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest

from reports.html import render_html
from tests.reports import case

if TYPE_CHECKING:
    from pathlib import Path

    from pages import Browser


def written(tmp_path: Path, html: str) -> Path:
    page = tmp_path / "report.html"
    page.write_text(html, "utf-8")
    return page


# ------------------------------------------------------------------------------------------------------- loading


@pytest.mark.parametrize("make", [case.rich, case.tiny, case.empty])
def test_page_loads_itself_alone_and_without_complaint(browser: Browser, tmp_path: Path, make) -> None:
    with browser.visit(written(tmp_path, render_html(make()))) as seen:
        assert seen.page.locator("footer").is_visible()


@pytest.mark.parametrize("letter", "abcdefghij")
def test_every_shipped_ticket_loads_without_complaint(browser: Browser, ticket, letter: str) -> None:
    with browser.visit(ticket(letter)) as seen:
        assert seen.page.locator("h1").is_visible()


def test_a_violation_and_a_request_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    bad = '<p style="color: red" onclick="1">x</p><img src="http://example.test/x.png"><main id'
    html = render_html(case.tiny()).replace("<main id", bad)
    with browser.visit(written(tmp_path, html), check=False) as seen:
        seen.page.wait_for_timeout(100)
        assert sum("Content Security Policy" in line for line in seen.console) >= 2


# -------------------------------------------------------------------------------------------------- with scripts


def test_search_keeps_only_rows_that_hold_every_word(browser: Browser, rich: Path) -> None:
    with browser.visit(rich) as seen:
        before = seen.rows("flows-table")
        seen.page.get_by_label("Search flows").fill("Dns.exe 203.0.113.9")
        kept = seen.rows("flows-table")
        assert 0 < len(kept) < len(before)
        assert all("dns.exe" in row and "203.0.113.9" in row for row in kept)
        told = f"{len(kept)} of {len(before)} flows"
        assert seen.page.locator("#flows output").inner_text() == told
        seen.page.locator("#flows").get_by_role("button", name="Clear").click()
        assert seen.rows("flows-table") == before


def test_search_can_be_about_one_column(browser: Browser, rich: Path) -> None:
    with browser.visit(rich) as seen:
        seen.page.get_by_label("Search flows").fill("system32")
        everywhere = len(seen.rows("flows-table"))
        seen.page.locator("#flows label:has-text('in') select").first.select_option(label="Filter")
        assert everywhere > 0
        assert seen.rows("flows-table") == []


def test_rows_are_chosen_by_the_values_of_a_column(browser: Browser, rich: Path) -> None:
    with browser.visit(rich) as seen:
        choice = seen.page.locator("#flows label", has_text="Action").locator("select")
        choice.select_option(value="drop")
        rows = seen.page.locator("#flows-table > tbody:visible")
        assert rows.count() == len(case.DROPPED)
        assert set(rows.evaluate_all("rows => rows.map(r => r.dataset.action)")) == {"drop"}


@pytest.mark.parametrize(("times", "falling"), [(1, True), (2, False)])
def test_sorting_orders_rows_by_number(browser: Browser, rich: Path, times: int, falling: bool) -> None:
    with browser.visit(rich) as seen:
        head = seen.page.locator("#flows-table").get_by_role("button", name="Records")
        head.focus()
        for _ in range(times):
            seen.page.keyboard.press("Enter")
        values = seen.page.locator("#flows-table > tbody").evaluate_all(
            "rows => rows.map(r => +r.rows[0].cells[5].dataset.v)"
        )
        assert values == sorted(values, reverse=falling)
        sorted_by = seen.page.locator("#flows-table th[aria-sort]")
        assert sorted_by.get_attribute("aria-sort") == ("descending" if falling else "ascending")


def test_long_tables_come_in_pages(browser: Browser, tmp_path: Path) -> None:
    with browser.visit(written(tmp_path, render_html(case.large(120)))) as seen:
        pages = seen.page.get_by_role("navigation", name="Pages of flows")
        assert len(seen.rows("flows-table")) == 50
        assert "Page 1 of 3" in pages.inner_text()
        pages.get_by_role("button", name="Next").click()
        pages.get_by_role("button", name="Next").click()
        assert len(seen.rows("flows-table")) == 20
        assert pages.get_by_role("button", name="Next").is_disabled()
        pages.get_by_role("button", name="Show all").click()
        assert len(seen.rows("flows-table")) == 120


@pytest.mark.parametrize("place", ["flow-117", "rule-1", "filter-80110", "row-filter-80110"])
def test_a_link_finds_its_place_on_whatever_page_it_is(browser: Browser, tmp_path: Path, place: str) -> None:
    with browser.visit(written(tmp_path, render_html(case.large(120))), f"#{place}") as seen:
        target = seen.page.locator(f"[id='{place}']")
        if target.count():  # the made case has no rules
            assert target.is_visible()
            seen.page.wait_for_timeout(100)
            box = target.bounding_box()
            assert 0 <= box["y"] < 900


def test_what_a_table_is_asked_stands_in_the_address(browser: Browser, rich: Path) -> None:
    with browser.visit(rich) as seen:
        seen.page.get_by_label("Search flows").fill("svchost")
        seen.page.locator("#flows label", has_text="Action").locator("select").select_option(value="block")
        seen.page.locator("#flows-table").get_by_role("button", name="Records").click()
        rows, address = seen.rows("flows-table"), seen.page.evaluate("location.hash")
    with browser.visit(rich, address) as seen:
        assert seen.rows("flows-table") == rows
        assert seen.page.get_by_label("Search flows").input_value() == "svchost"


@pytest.mark.parametrize(
    "address",
    [
        "#flows?sort=x&page=-9&in=99&kind=nothing",
        "#flows?sort=99",
        "#%E0%A4%A",
        "#nowhere?q=1",
        "#flows?__proto__=1&page=1e9",
    ],
)
def test_an_address_of_nonsense_does_no_harm(browser: Browser, rich: Path, address: str) -> None:
    with browser.visit(rich, address) as seen:
        assert seen.rows("flows-table")


def test_a_count_leads_to_its_flows(browser: Browser, ticket) -> None:
    with browser.visit(ticket("a")) as seen:
        row = seen.page.locator(".bars tr", has_text="Stealth")
        row.get_by_role("link", name=re.compile(r"^\d+$")).click()
        shown = seen.page.locator("#flows-table > tbody:visible")
        assert shown.count() == int(row.locator("td.num").last.inner_text())
        asked = "rows => [...new Set(rows.map(r => r.dataset.action + r.dataset.kind))]"
        assert shown.evaluate_all(asked) == ["dropStealth"]
        assert seen.page.locator("#flows").bounding_box()["y"] < 900


def test_a_filter_opens_over_the_page_and_closes_where_one_was(browser: Browser, rich: Path) -> None:
    with browser.visit(rich) as seen:
        link = seen.page.locator("#flows-table a[href='#filter-71234']").first
        link.focus()
        seen.page.keyboard.press("Enter")
        sheet = seen.page.get_by_role("dialog")
        assert sheet.is_visible()
        assert "<filterId>71234</filterId>" in sheet.inner_text()
        assert seen.page.evaluate("document.activeElement.id") == "filter-71234"
        assert seen.page.locator("main").evaluate("main => main.inert")
        seen.page.keyboard.press("Escape")
        seen.page.locator("main:not([inert])").wait_for()  # no function: the page's policy lets none be evaluated
        assert not seen.page.locator("#filter-71234").is_visible()
        assert link.evaluate("link => link === document.activeElement")


def test_a_filter_that_an_address_names_closes_to_its_row(browser: Browser, rich: Path) -> None:
    with browser.visit(rich, "#filter-71234") as seen:
        seen.page.locator("#filter-71234 a.close").click()
        assert seen.page.locator("#row-filter-71234").is_visible()
        assert seen.page.evaluate("location.hash") == "#row-filter-71234"


def clipboard(seen) -> str:
    return str(seen.page.evaluate("navigator.clipboard.readText()"))


def test_rows_are_copied_as_csv_and_as_powershell(browser: Browser, rich: Path) -> None:
    with browser.visit(rich, "#flows?action=drop", permissions=["clipboard-read", "clipboard-write"]) as seen:
        seen.page.locator("#flows").get_by_role("button", name="Copy as CSV").click()
        seen.page.locator("#flows").get_by_role("button", name="Copied").wait_for()
        rows = list(csv.DictReader(io.StringIO(clipboard(seen))))
        assert len(rows) == len(case.DROPPED)
        assert {row["action"] for row in rows} == {"drop"}
        press = seen.page.locator("#flows").get_by_role("button", name="Copy as PowerShell")
        press.click()
        press.wait_for(state="detached")  # it says "Copied"
        lines = clipboard(seen).splitlines()
        assert lines[0] == "$flows = @'"
        assert lines[-1] == "'@ | ConvertFrom-Csv"
        assert all(re.match(r"\d+,", line) for line in lines[2:-1])


def test_commands_are_copied_one_per_line(browser: Browser, rich: Path) -> None:
    with browser.visit(rich, permissions=["clipboard-read", "clipboard-write"]) as seen:
        block = seen.page.locator(".finding .commands").first
        block.get_by_role("button", name="Copy").click()
        block.get_by_role("button", name="Copied").wait_for()
        assert clipboard(seen).splitlines() == block.locator(".cmd").all_inner_texts()


def test_all_folds_open_and_close_together(browser: Browser, rich: Path) -> None:
    with browser.visit(rich) as seen:
        seen.page.get_by_role("button", name="Open all folds").click()
        assert seen.page.locator("main details:not([open])").count() == 0
        seen.page.get_by_role("button", name="Close all folds").click()
        assert seen.page.locator("main details[open]").count() == 0


# ----------------------------------------------------------------------------------------- without scripts, narrow


def test_without_scripts_all_rows_are_there_and_links_lead_to_them(browser: Browser, tmp_path: Path) -> None:
    html = render_html(case.large(120))
    with browser.visit(written(tmp_path, html), java_script_enabled=False) as seen:
        assert seen.page.locator("#flows-table > tbody:visible").count() == 120
        assert seen.page.locator("button:visible, select:visible, input:visible").count() == 0
        seen.page.locator("#flows-table a[href='#filter-80007']").first.click()
        assert seen.page.locator("#filter-80007").is_visible()
        seen.page.locator("#filter-80007 a.close").click()
        assert not seen.page.locator("#filter-80007").is_visible()


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("make", [case.rich, case.tiny, case.empty, lambda: case.poisoned("x" * 700)])
def test_narrow_page_does_not_scroll_sideways(browser: Browser, tmp_path: Path, make, width: int) -> None:
    html = render_html(make())
    with browser.visit(written(tmp_path, html), viewport={"width": width, "height": 900}) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        if "filter-71234" in html:
            seen.page.evaluate("location.hash = document.querySelector('.sheet').id")
            sheet = seen.page.locator(".sheet:target")
            assert sheet.evaluate("sheet => sheet.scrollWidth <= sheet.clientWidth")


# --------------------------------------------------------------------------------------------------------- paper


def test_printed_tables_are_not_cut_at_the_edge_of_the_paper(browser: Browser, rich: Path) -> None:
    paper = {"width": 696, "height": 1000}  # A4 less its margins, in CSS pixels
    with browser.visit(rich, viewport=paper) as seen:
        seen.page.emulate_media(media="print")
        wide = seen.page.locator("table:visible, pre:visible, svg.chart:visible").evaluate_all(
            "items => items.filter(i => i.getBoundingClientRect().right > 697).map(i => i.id || i.className)"
        )
        assert wide == []
        assert not seen.page.locator(".slot:visible, .sheet:visible, .pager:visible").count()


def test_printing_takes_every_page_of_a_table(browser: Browser, tmp_path: Path) -> None:
    with browser.visit(written(tmp_path, render_html(case.large(120)))) as seen:
        seen.page.emulate_media(media="print")
        assert len(seen.rows("flows-table")) == 120
        pdf = seen.page.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    boxes = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf))
    assert {(round(float(w)), round(float(h))) for w, h in boxes} <= {(595, 842), (596, 842), (595, 841), (594, 841)}


def test_nothing_moves_for_those_who_asked_for_that(browser: Browser, rich: Path) -> None:
    with browser.visit(rich, "#filter-71234") as seen:
        assert seen.page.evaluate("document.getAnimations().length") == 0
        assert seen.page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_on_a_telephone_flows_are_cards_and_the_page_is_not_wider_than_the_screen(browser: Browser, ticket) -> None:
    with browser.visit(ticket("e"), viewport={"width": 420, "height": 900}) as seen:
        page = seen.page
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        page.locator("#flows-table").scroll_into_view_if_needed()
        assert page.locator("#flows-table").evaluate("e => e.scrollWidth <= e.parentElement.clientWidth")
        assert page.locator("#timeline .cue").is_visible(), "a picture that is wider says that it scrolls"
