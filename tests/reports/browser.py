"""Chromium for the tests of pages: load a file headless, return what the page became and what it complained of."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--no-first-run",
    "--enable-logging=stderr",
    "--v=0",
)


@dataclass(frozen=True)
class Loaded:
    """The document after its scripts ran, and the lines that the page wrote to the console."""

    dom: str
    console: tuple[str, ...]


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine: the page is not loaded in a browser")
    return found


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [chromium(), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def load(tmp_path: Path, page: Path, *flags: str) -> Loaded:
    """Load a page; ``CONSOLE`` lines are what a developer would see in the console, CSP violations included."""
    done = run(tmp_path, *flags, "--virtual-time-budget=3000", "--dump-dom", page.as_uri())
    lines = tuple(line for line in done.stderr.splitlines() if ":CONSOLE" in line)
    return Loaded(done.stdout, lines)


def probe(tmp_path: Path, html: str, script: str) -> object:
    """Run a script in the page, from outside its policy, and return its value.

    The policy of the page forbids foreign scripts, so the copy that is probed has the policy removed.
    """
    open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    wrapped = f"<script>document.title = 'PROBE' + JSON.stringify((() => {{{script}}})()) + 'END';</script></body>"
    page = tmp_path / "probe.html"
    page.write_text(open_page.replace("</body>", wrapped), "utf-8")
    found = re.search(r"<title>PROBE(.*)END</title>", load(tmp_path, page, "--window-size=390,900").dom, re.DOTALL)
    assert found is not None, "the probe did not run"
    return json.loads(found.group(1).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
