"""The page in a real browser: no complaint, no violation of its policy, no sideways scrolling, comfort that works."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import browser
import case
import pytest

from reports.html import render_html

if TYPE_CHECKING:
    from pathlib import Path

POISON = "\u202e<script>alert(1)</script>\"'><img src=x onerror=alert(1)></style><svg/onload=alert(1)>"


def _write(tmp_path: Path, html: str) -> Path:
    page = tmp_path / "report.html"
    page.write_text(html, "utf-8")
    return page


@pytest.mark.parametrize("make", [case.rich, case.tiny, case.empty, lambda: case.poisoned(POISON)])
def test_page_loads_without_complaint(tmp_path: Path, make) -> None:
    loaded = browser.load(tmp_path, _write(tmp_path, render_html(make())))
    assert loaded.console == ()
    assert "</footer>" in loaded.dom


def test_a_violation_would_be_seen(tmp_path: Path) -> None:
    html = render_html(case.tiny()).replace("<main id", '<p style="color: red" onclick="1">x</p><main id')
    loaded = browser.load(tmp_path, _write(tmp_path, html))
    assert any("Content Security Policy" in line for line in loaded.console)


def test_script_adds_search_sorting_copying_and_one_button_for_all_folds(tmp_path: Path) -> None:
    dom = browser.load(tmp_path, _write(tmp_path, render_html(case.rich()))).dom
    assert dom.count('type="search"') == 3
    assert "Open all folds" in dom
    assert ">Copy</button>" in dom
    assert '<span role="button" tabindex="0">Records</span>' in dom


@pytest.mark.parametrize("make", [case.rich, case.tiny, case.empty, lambda: case.poisoned("x" * 700)])
def test_narrow_page_does_not_scroll_sideways(tmp_path: Path, make) -> None:
    # Headless Chromium has a least window width, so the narrow page is a frame of 390 px.
    inner = render_html(make())
    frame = "<!doctype html><body><iframe width='390' height='900'></iframe></body>"
    source = json.dumps(inner.replace("<meta http-equiv", "<meta data-off")).replace("</", "<\\/")
    outer = frame.replace(
        "</body>",
        f"<script>const f = document.querySelector('iframe'); f.contentDocument.open();"
        f"f.contentDocument.write({source}); f.contentDocument.close();</script></body>",
    )
    script = (
        "const d = document.querySelector('iframe').contentDocument.documentElement;"
        "return [d.scrollWidth, d.clientWidth];"
    )
    scroll, client = browser.probe(tmp_path, outer, script)  # type: ignore[misc]
    assert client <= 390
    assert scroll <= client


def test_sorting_orders_rows_by_number(tmp_path: Path) -> None:
    script = (
        "const table = document.getElementById('flows-table');"
        "const head = Array.from(table.querySelectorAll('th [role=button]')).find((h) => h.textContent === 'Records');"
        "head.click();"
        "return Array.from(table.tBodies, (row) => Number(row.rows[0].cells[5].dataset.v));"
    )
    values = browser.probe(tmp_path, render_html(case.rich()), script)
    assert isinstance(values, list)
    assert values == sorted(values, reverse=True)


def test_search_keeps_only_rows_that_hold_every_word(tmp_path: Path) -> None:
    script = (
        "const box = document.querySelector('#flows input');"
        "box.value = 'Dns.exe 203.0.113.9'; box.dispatchEvent(new Event('input'));"
        "const rows = Array.from(document.getElementById('flows-table').tBodies);"
        "return rows.filter((row) => !row.hidden).map((row) => row.textContent.includes('dns.exe'));"
    )
    kept = browser.probe(tmp_path, render_html(case.rich()), script)
    assert kept
    assert all(kept)  # type: ignore[call-overload]


def test_printing_makes_a_document_of_pages(tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    browser.run(tmp_path, f"--print-to-pdf={target}", _write(tmp_path, render_html(case.rich())).as_uri())
    assert target.read_bytes().startswith(b"%PDF-")
