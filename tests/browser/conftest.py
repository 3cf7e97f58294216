"""What the tests in a browser share: the browser, the made pages and the shipped tickets as pages."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

import pytest
from pages import FLAGS, Browser, chromium, need

from analyzer.pipeline import analyze
from reports.html import render_html
from tests.reports import case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    need()
    with importlib.import_module("playwright.sync_api").sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield Browser(started)
        started.close()


@pytest.fixture(scope="session")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of the rich made case."""
    page = tmp_path_factory.mktemp("rich") / "report.html"
    page.write_text(render_html(case.rich()), "utf-8")
    return page


@pytest.fixture(scope="session")
def ticket(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Callable[[str], Path]:
    """Return the page of a shipped ticket by its letter; it is made once for all processes of a run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def page_of(letter: str) -> Path:
        (source,) = (root / "samples").glob(f"ticket-{letter}-*")
        page = folder / f"{source.name}.html"
        if not page.exists():
            part = folder / f"{source.name}.{os.getpid()}.part"
            part.write_text(render_html(analyze([source], command=("report", source.name))), "utf-8")
            part.replace(page)
        return page

    return page_of
