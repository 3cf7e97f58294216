"""WCAG 2.2 AA as far as a program can tell it (axe-core), in both themes, wide and narrow, and with a filter open."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pages import Browser, Visit

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 800}


@pytest.fixture(scope="session")
def axe() -> str:
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("no axe-playwright-python in this environment: accessibility is not tried")
    return Path(found.origin).with_name("axe.min.js").read_text("utf-8")


def violations(seen: Visit, axe: str) -> list[str]:
    """Run axe; return each violation with the first places where it is."""
    seen.page.evaluate(axe)
    # Long tables are laid out when they come into sight; before that, what axe measures is a guess of the browser.
    script = "for (const rows of document.querySelectorAll('.rows')) rows.style.contentVisibility = 'visible'"
    seen.page.evaluate(script)
    found = seen.page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(r => r.violations)", TAGS
    )
    return [
        f"{item['id']}: {item['help']}: " + "; ".join(str(node["target"]) for node in item["nodes"][:4])
        for item in found
    ]


# Contrast in both themes is also held by the tests of the style sheet's colours.
@pytest.mark.parametrize(("theme", "size"), [("light", WIDE), ("dark", NARROW)], ids=["light", "dark"])
def test_no_violation_in_the_rich_case(
    browser: Browser, rich: Path, axe: str, theme: str, size: dict[str, int]
) -> None:
    address = "#flows?action=block&sort=-6" if theme == "light" else ""
    with browser.visit(rich, address, viewport=size, color_scheme=theme) as seen:
        seen.page.get_by_role("button", name="Open all folds").click()
        assert violations(seen, axe) == []


def test_no_violation_with_a_filter_open(browser: Browser, rich: Path, axe: str) -> None:
    with browser.visit(rich, "#filter-71234", color_scheme="dark") as seen:
        assert seen.page.get_by_role("dialog").is_visible()
        assert violations(seen, axe) == []


@pytest.mark.parametrize(("letter", "theme"), [("c", "dark"), ("h", "light"), ("j", "light")])
def test_no_violation_in_a_shipped_ticket(browser: Browser, ticket, axe: str, letter: str, theme: str) -> None:
    with browser.visit(ticket(letter), color_scheme=theme) as seen:
        assert violations(seen, axe) == []


def test_everything_can_be_reached_and_pressed_by_keyboard(browser: Browser, rich: Path) -> None:
    with browser.visit(rich) as seen:
        page = seen.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#answer"
        unreachable = page.evaluate(
            "() => [...document.querySelectorAll('main :is(a, button, summary, select, input, [role=button])')]"
            ".filter(e => e.checkVisibility() && e.tabIndex < 0).length"
        )
        assert unreachable == 0
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "() => { const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();"
                " return [e.outerHTML.slice(0, 80), s.outlineStyle !== 'none', b.bottom > 0 && b.top < innerHeight]; }"
            )
            assert focused[1:] == [True, True], focused
