"""Pages in a real browser: Debian's Chromium, driven by Playwright, with the network off and everything it says noted.

Where one of the two is not there the tests are skipped, and say so; with ``WFP_ANALYZER_BROWSER=required`` they fail.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-lcd-text",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # the network is off, not only watched
)


def lacking() -> str | None:
    """Say what is not there, None where everything is."""
    if chromium() is None:
        return "no Chromium on this machine: pages are not tried in a browser (Debian: apt-get install chromium)"
    if importlib.util.find_spec("playwright") is None:
        return "no playwright in this environment: pages are not tried in a browser (pip install playwright)"
    return None


@functools.cache
def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@functools.cache
def version() -> str:
    """Return the browser's own words about itself."""
    done = subprocess.run([chromium() or "", "--version"], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def need() -> None:
    """Skip, or fail where a browser is required."""
    reason = lacking()
    if reason is None:
        return
    if os.environ.get("WFP_ANALYZER_BROWSER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Visit:
    """A page that is open, and what it did that it should not."""

    page: Any
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def quiet(self) -> None:
        """Hold the page against its promise: it loads itself alone, and nothing complains."""
        assert self.console == []
        assert self.dialogs == []
        assert len(self.requests) == 1, self.requests

    def rows(self, table: str) -> list[str]:
        """Return the texts of the rows that are on the screen."""
        script = "rows => rows.filter(r => r.getClientRects().length).map(r => r.textContent)"
        return list(self.page.locator(f"#{table} > tbody").evaluate_all(script))


class Browser:
    """One browser for all tests of a process; each visit has a profile of its own."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    @contextmanager
    def visit(
        self,
        path: Path,
        address: str = "",
        *,
        check: bool = True,
        until: str = "load",
        **options: Any,
    ) -> Iterator[Visit]:
        """Open a file; ``address`` is what follows its name. After the visit the page must have been quiet."""
        options = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
        context = self._browser.new_context(**options)
        context.set_default_timeout(20_000)
        try:
            page = context.new_page()
            seen = Visit(page)
            page.on("console", lambda message: seen.console.append(message.text))
            page.on("pageerror", lambda error: seen.console.append(str(error)))
            page.on("request", lambda request: seen.requests.append(request.url))

            def dismiss(dialog: Any) -> None:
                seen.dialogs.append(dialog.message)
                dialog.dismiss()

            page.on("dialog", dismiss)
            page.goto("about:blank")
            page.goto(path.as_uri() + address, wait_until=until)
            yield seen
            if check:
                seen.quiet()
        finally:
            context.close()
