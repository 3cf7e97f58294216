"""The pages of a change review and of an explanation in a real browser: quiet, accessible, no wider than the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from test_accessible import NARROW, WIDE, axe, violations

from analyzer.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from pages import Browser

__all__ = ["axe"]  # a fixture

PAGES = ("after-bad.xml", "after-same.xml", "explain")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, root: Path) -> dict[str, Path]:
    """Return page by name."""
    folder = tmp_path_factory.mktemp("pages")
    ticket = root / "samples" / "ticket-k-review"
    state, log = str(ticket / "wfpstate.xml"), str(ticket / "security.evtx")
    for after in PAGES[:2]:
        assert main(["diff", state, str(ticket / after), "--traffic", log, "-o", str(folder / after)]) == 0
    asked = ["--application", "notesync.exe", "--direction", "outbound", "--protocol", "tcp", "--remote-port", "8443"]
    assert main(["explain", state, *asked, "-o", str(folder / "explain")]) == 0
    return {name: (folder / name).rename(folder / f"{name}.html") for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_it_is_quiet_and_accessible(browser: Browser, pages: dict[str, Path], axe: str, name: str) -> None:
    with browser.visit(pages[name], color_scheme="dark", viewport=WIDE) as seen:
        assert seen.page.locator("h1").is_visible()
        assert violations(seen, axe) == []


@pytest.mark.parametrize("name", PAGES)
def test_it_is_no_wider_than_a_narrow_screen(browser: Browser, pages: dict[str, Path], name: str) -> None:
    with browser.visit(pages[name], viewport=NARROW) as seen:
        width = seen.page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"]
