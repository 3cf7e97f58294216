"""Makes the pictures of the documentation: parts of the shipped ticket's report, as Chromium shows them."""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image
from playwright.sync_api import sync_playwright

from analyzer.cli import main as command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

ROOT: Final = Path(__file__).resolve().parent.parent
WIDTH: Final = 1180
HEIGHT: Final = 1000  # pixels of a part at most: the rest of a long one is left out
MARGIN: Final = 12
COLOURS: Final = 200
# File below docs/, part of the page (None: its first screen).
PICTURES: Final[tuple[tuple[str, str | None], ...]] = (
    ("report.png", None),
    ("images/answer.png", "#answer"),
    ("images/finding.png", ".finding"),
    ("images/timeline.png", "#timeline"),
    ("images/coverage.png", "#coverage"),
)
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default=next(filter(None, map(shutil.which, _BROWSERS)), None))
    parser.add_argument("--to", type=Path, default=ROOT / "docs")
    given = parser.parse_args(arguments)
    if given.chromium is None:
        print("Chromium is needed for this")
        return 1
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        report = Path(name) / "report.html"
        if command(("report", "--quiet", str(ROOT / "samples" / "ticket-a-win11"), "-o", str(report))):
            return 1
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.as_uri())
        for file, part in PICTURES:
            target = given.to / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_small(_shot(page, part)))
            print(f"written: {target} ({target.stat().st_size:,} bytes)")
        browser.close()
    return 0


def _shot(page: Page, part: str | None) -> bytes:
    if part is None:
        return page.screenshot()
    place = page.locator(part).first
    box = place.bounding_box()
    if box is None:
        raise LookupError(f"the page has no {part}")
    page.set_viewport_size({"width": WIDTH, "height": min(int(box["height"]) + 2 * MARGIN, HEIGHT)})
    place.evaluate(f"part => scrollTo(0, part.getBoundingClientRect().top + scrollY - {MARGIN})")
    return page.screenshot()


def _small(png: bytes) -> bytes:
    """Return a picture of few colours, which is all that a page of text has."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
