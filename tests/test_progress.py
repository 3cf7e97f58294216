"""Progress on a terminal: by name, bytes and time left; not elsewhere, not for short runs, and never left over."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer.progress import Progress

ROOT = Path(__file__).resolve().parent.parent
TICKET = ROOT / "samples" / "ticket-a-win11"


def test_a_run_that_is_over_before_it_is_shown_draws_nothing() -> None:
    stream = io.StringIO()
    bar = Progress(stream, str)
    with bar.shown("analyzing"):
        bar.step("reading a.evtx", 1, 2)
    time.sleep(0.05)
    assert stream.getvalue() == ""


def test_steps_may_be_told_in_any_order_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.progress.AFTER", 0)
    stream = io.StringIO()
    bar = Progress(stream, lambda name: name.replace("\x1b", "?"))
    with bar.shown("analyzing"):
        time.sleep(0.3)
        for done, total in ((0, 0), (20, 10), (5, 10), (0, 10)):
            bar.step("reading \x1b[2J.evtx", done, total)
        bar.step("joining", 0, 0)
    assert "\x1b[2J.evtx" not in stream.getvalue()


# -- on a terminal ---------------------------------------------------------------------------------------------

PTY = pytest.mark.skipif(os.name != "posix", reason="a pseudo terminal is POSIX")


def on_terminal(*arguments: str, columns: int = 80, prelude: str = "", terminal: str = "xterm") -> tuple[int, str]:
    """Run the command with all streams on a terminal; return its exit code and all that the terminal got."""
    import fcntl  # noqa: PLC0415
    import pty  # noqa: PLC0415
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    code = f"import sys\n{prelude}\nfrom analyzer.cli import main\nsys.exit(main())"
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment |= {"PYTHONPATH": str(ROOT), "TERM": terminal}
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=inner, stdout=inner, stderr=inner, env=environment
    ) as process:
        os.close(inner)
        out = bytearray()
        with contextlib.suppress(OSError):  # Linux says so when the last writer is gone
            while piece := os.read(outer, 1 << 16):
                out += piece
        os.close(outer)
        return process.wait(timeout=60), out.decode()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def screen(text: str) -> list[str]:
    """Return the lines that stand on the terminal at the end: those that were not wiped (ESC [2K) after a step up."""
    lines = [""]
    for part in re.split(r"(\x1b\[1A|\x1b\[2K|\r|\n)", text):
        if part == "\x1b[1A":
            lines.pop()
        elif part in ("\x1b[2K", "\r"):
            lines[-1] = "" if part == "\x1b[2K" else lines[-1]
        elif part == "\n":
            lines.append("")
        elif plain(part):
            lines[-1] = plain(part)
    return lines


AT_ONCE = "import analyzer.progress as p; p.AFTER = 0"


@PTY
def test_a_run_shows_its_phases_and_leaves_nothing_of_them(tmp_path: Path) -> None:
    log = tmp_path / "large.evtx"
    with (TICKET / "security.evtx").open("rb") as stream:
        head, chunk = stream.read(4096), stream.read(65536)
    log.write_bytes(head + chunk * 160)
    code, text = on_terminal("report", str(log), "-o", str(tmp_path / "x.html"), prelude=AT_ONCE)
    assert code in (0, 3)
    assert re.search(r"reading large\.evtx .*/10\.0 MiB", plain(text))
    assert "joining events to filters" in text
    assert "drawing the page" in text
    left = "\n".join(screen(text))
    assert f"written: {tmp_path / 'x.html'}"[:40] in left
    for word in ("checking", "reading large", "joining", "drawing the page", "writing"):
        assert word not in left


@PTY
def test_a_narrow_terminal_gets_lines_that_fit(tmp_path: Path) -> None:
    _, text = on_terminal("report", str(TICKET), "-o", str(tmp_path / "x.html"), columns=40, prelude=AT_ONCE)
    drawn = [part for part in re.split(r"[\r\n]", plain(text)) if re.match(r"check|readi|analy|drawing", part)]
    assert drawn
    assert max(map(len, drawn)) <= 40


@PTY
@pytest.mark.parametrize("how", ["short", "dumb", "asked for lines"])
def test_nothing_is_shown(tmp_path: Path, how: str) -> None:
    """Not for a short run, not on a terminal that can only print, and not between lines that go to the terminal."""
    begin = time.monotonic()
    if how == "asked for lines":
        code, text = on_terminal("events", str(TICKET), prelude=AT_ONCE)
        assert "writing" not in text
    else:
        prelude = "import analyzer.progress as p; p.AFTER = 60" if how == "short" else AT_ONCE
        terminal = "dumb" if how == "dumb" else "xterm"
        code, text = on_terminal("events", str(TICKET), "-o", str(tmp_path / "x"), prelude=prelude, terminal=terminal)
        assert "\r" not in text.replace("\r\n", "\n")
        assert "checking" not in text
    assert code in (0, 3)
    assert time.monotonic() - begin < 30


def test_nothing_is_shown_where_no_one_looks(tmp_path: Path) -> None:
    code = f"import sys\n{AT_ONCE}\nfrom analyzer.cli import main\nsys.exit(main())"
    command = [sys.executable, "-c", code, "events", str(TICKET), "-o", str(tmp_path / "x")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert "checking" not in done.stdout + done.stderr
    assert "\r" not in done.stderr
