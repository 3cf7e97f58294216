"""Every string from the evidence is hostile: none of them runs, loads, moves or hides anything in a real browser."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest

from reports.html import render_html
from reports.limits import MOST_BYTES
from tests.reports import case

if TYPE_CHECKING:
    from pathlib import Path

    from pages import Browser

# Each does something that is seen, if it is anything but text: a dialog, a request, a line in the console, a new title.
SCRIPTS = (
    "<script>document.title='X';alert(1)</script>",
    '"><img src=x onerror="document.title=\'X\';alert(1)">',
    "'><svg/onload=alert(1)><animate onbegin=alert(1) attributeName=x>",
    "</title><script>alert(1)</script>",
    "</style><style>*{background:url(http://example.test/x)}</style>",
    "</script><script src=//example.test/x.js></script>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script><![CDATA[",
    "javascript:alert(1)//data:text/html,<script>alert(1)</script>",
    "{{ 7*7 }}{% for x in ().__class__.__bases__ %}{{ x }}{% endfor %}${7*7}#{7*7}",
    '<a href="javascript:alert(1)" autofocus onfocus=alert(1) tabindex=1>x</a>',
    "<base href=http://example.test/><link rel=stylesheet href=x><meta http-equiv=refresh content=0;url=http://example.test>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe><object data=x><embed src=x><video src=x poster=y>",
    "<form action=http://example.test id=answer><input name=body><button formaction=http://example.test>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "<template><script>alert(1)</script></template>",
    "&lt;script&gt;alert(1)&lt;/script&gt;&#60;img src=x onerror=alert(1)&#62;&NewLine;",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "' onmouseover='alert(1)' style='position:fixed;inset:0' x='",
    "'@\nStart-Process calc\n@'\u2019@ ; =cmd|'/C calc'!A0",
    "#flows?q=<img src=x onerror=alert(1)>&__proto__=1",
)
PARTS = 6  # pages that they are spread over
HIDDEN = (
    "\u202eexe.tnemyap\u202c\u2066\u2069\u200f",  # direction of the text
    "pay\u200bpal\u200d\ufeff\u2060\u00ad\u180e\u034f.exe",  # no width
    "\u0430\u0440\u0440le.exe \u212aernel32 \uff1cscript\uff1e",  # looks like other letters
    "".join(map(chr, range(0x20))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "\ud800\udfff lone \udc00 surrogates \ufffe\uffff\U000e0041\U000e007f",
    "\x00MZ\x90\x00\x03\xff\xfe" + bytes(range(128, 256)).decode("latin-1"),
    "z" + "\u0300\u0489" * 400,  # marks piled up
    "\u2028\u2029\u0085\x0b\x0c\r\n\t lines",
)
LONG = ("x" * 70_000, "\\very long" * 6_000, "<b>" * 20_000, "\U0001f469\u200d\U0001f469\u200d" * 5_000)


def written(tmp_path: Path, html: str) -> Path:
    page = tmp_path / "report.html"
    page.write_text(html, "utf-8")
    return page


def provoke(seen) -> None:
    """Do with the page what could wake something up: open all, search, sort, copy, open a filter."""
    page = seen.page
    title = page.title()
    page.get_by_role("button", name="Open all folds").click()
    page.get_by_label("Search flows").fill("<img src=x onerror=alert(1)>")
    page.get_by_label("Search flows").fill("")
    page.locator("#flows-table").get_by_role("button", name="Program").click()
    page.locator("#flows").get_by_role("button", name="Copy as PowerShell").click()
    page.evaluate("location.hash = document.querySelector('.sheet').id")
    page.locator(".sheet:target").wait_for()
    page.evaluate("history.back()")
    assert page.title() == title or "\u27e8" in title
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert (
        page.evaluate("document.querySelectorAll('img, iframe, object, embed, form, base, link, video, math').length")
        == 0
    )
    assert page.evaluate(
        "[...document.querySelectorAll('*')].every(e => [...e.attributes].every(a => !/^on|^style$/i.test(a.name)))"
    )


@pytest.mark.parametrize("part", range(PARTS))
def test_no_script_of_the_evidence_runs(browser: Browser, tmp_path: Path, part: int) -> None:
    poison = " ".join(SCRIPTS[part::PARTS])
    with browser.visit(written(tmp_path, render_html(case.poisoned(poison))), permissions=["clipboard-write"]) as seen:
        provoke(seen)


@pytest.mark.parametrize("poison", HIDDEN, ids=range(len(HIDDEN)))
def test_nothing_hidden_is_left_in_what_is_shown(browser: Browser, tmp_path: Path, poison: str) -> None:
    with browser.visit(written(tmp_path, render_html(case.poisoned(poison))), permissions=["clipboard-write"]) as seen:
        provoke(seen)
        shown = seen.page.evaluate("document.body.textContent + document.title") + seen.page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes].map(a => a.value)).join(' ')"
        )
        bad = {char for char in shown if unicodedata.category(char) in {"Cf", "Cc", "Cs", "Co", "Zl", "Zp"}}
        assert bad <= {"\n"}


@pytest.mark.parametrize("poison", LONG, ids=range(len(LONG)))
def test_endless_texts_end(browser: Browser, tmp_path: Path, poison: str) -> None:
    html = render_html(case.poisoned(poison))
    assert len(html.encode("utf-8")) <= MOST_BYTES
    with browser.visit(written(tmp_path, html)) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_the_hostile_names_of_the_tour_stay_text(browser: Browser, ticket) -> None:
    with browser.visit(ticket("c"), permissions=["clipboard-write"]) as seen:
        provoke(seen)
        assert "<script>alert(1)</script>" in seen.page.locator("#flows-table").text_content()
