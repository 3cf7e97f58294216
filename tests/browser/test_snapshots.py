"""What the shipped tickets look like: two widths, two themes. ``make snapshots`` refreshes all."""

from __future__ import annotations

import importlib.util
import json
import os
from typing import TYPE_CHECKING

import pytest
from pages import version

if TYPE_CHECKING:
    from pages import Browser

REFRESH = os.environ.get("WFP_ANALYZER_SNAPSHOTS") == "refresh"
SIZES = {"wide": {"width": 1280, "height": 1500}, "narrow": {"width": 390, "height": 1700}}
if importlib.util.find_spec("PIL") is None:
    pytest.skip("no Pillow in this environment: pictures are not compared", allow_module_level=True)
import snapshots  # noqa: E402 - it needs Pillow


@pytest.fixture(scope="session")
def alike(browser: Browser, rich) -> None:
    """Hold this machine's browser and fonts against those that made the pictures."""
    with browser.visit(rich) as seen:
        here = {"chromium": version().split(".")[0], "fonts": seen.page.evaluate(snapshots.FINGERPRINT)}
    if REFRESH:
        snapshots.FOLDER.mkdir(exist_ok=True)
        snapshots.MADE_WITH.write_text(json.dumps(here, indent=1) + "\n", "utf-8")
    kept = snapshots.made_with()
    for key, value in here.items():
        if kept.get(key) != value:
            pytest.skip(f"pictures are not compared: they were made with {key} {kept.get(key)}, here it is {value}")


@pytest.mark.parametrize("letter", "abcdefghij")
def test_a_shipped_ticket_looks_as_it_did(browser: Browser, alike: None, ticket, letter: str) -> None:
    differences = []
    for size, viewport in SIZES.items():
        with browser.visit(ticket(letter), viewport=viewport) as seen:
            for theme in ("light", "dark"):
                seen.page.emulate_media(color_scheme=theme)
                picture = snapshots.small(seen.page.screenshot(animations="disabled"))
                name = f"ticket-{letter}-{size}-{theme}"
                if REFRESH:
                    snapshots.write(name, picture)
                differences.append(snapshots.difference(name, picture))
    assert [item for item in differences if item] == []


def test_a_filter_looks_as_it_did(browser: Browser, alike: None, rich) -> None:
    with browser.visit(rich, "#filter-71234", viewport=SIZES["wide"]) as seen:
        picture = snapshots.small(seen.page.screenshot(animations="disabled"))
    if REFRESH:
        snapshots.write("filter", picture)
    assert snapshots.difference("filter", picture) is None


def test_a_moved_table_would_be_seen(browser: Browser, alike: None, ticket) -> None:
    with browser.visit(ticket("a"), viewport=SIZES["wide"]) as seen:
        seen.page.evaluate("document.querySelector('.tallies').remove()")
        picture = snapshots.small(seen.page.screenshot(animations="disabled"))
    assert "looks different" in (snapshots.difference("ticket-a-wide-light", picture) or "")
