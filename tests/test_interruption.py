"""Ctrl-C and an end from outside, as real signals to the real command: at once, and nothing stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
CHUNKS = 400  # 25 MiB: a log of this size is read in columns, in several blocks
PATIENCE = 60  # seconds for what comes before the signal, on a busy machine
BOUND = 4.0  # seconds to end in; about 0.3 where nothing else runs

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to see what the command does")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A large log: a chunk of a shipped one, many times."""
    path = tmp_path_factory.mktemp("large") / "large.evtx"
    with (ROOT / "samples" / "ticket-a-win11" / "security.evtx").open("rb") as stream:
        head, chunk = stream.read(4096), stream.read(65536)
    path.write_bytes(head + chunk * CHUNKS)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def short_log(log: Path) -> Iterator[Path]:
    """The beginning of it, still read in columns, that is soon analyzed."""
    path = log.with_name("short.evtx")
    with log.open("rb") as stream:
        path.write_bytes(stream.read(4096 + 40 * 65536))
    yield path
    path.unlink()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, f"ended too early: {process.returncode}"
        assert time.monotonic() < until
        time.sleep(0.001)


def positions(process: subprocess.Popen[str], path: Path) -> list[int]:
    """Return where the process stands in a file, once for each time that it has it open."""
    found = []
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if link.readlink() == path:
                    information = Path(f"/proc/{process.pid}/fdinfo/{link.name}").read_text()
                    found.append(int(information.split()[1]))
    return found


def group(number: int) -> list[str]:
    """Return the processes of a group, by id and name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = path.read_text().rpartition(")")
            if int(rest.split()[2]) == number and rest.split()[0] != "Z":
                found.append(name)
    return found


def interrupt(
    arguments: list[str],
    folder: Path,
    number: signal.Signals,
    when: Callable[[subprocess.Popen[str]], None],
    bound: float = BOUND,
) -> tuple[int, str, str]:
    """Start the command, wait, send the signal to all of its processes as a terminal does; return how it ended."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "analyzer", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            when(process)
            begin = time.monotonic()
            if number == signal.SIGINT:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE)
            seconds = time.monotonic() - begin
            assert group(process.pid) == []
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert seconds < bound
    return process.returncode, out, err


def check_end(code: int, out: str, err: str, folder: Path, expected: int) -> None:
    assert code == expected
    assert out == ""
    assert err.strip() == "wfp-analyzer: interrupted; nothing half-written stays"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0, 0.05])
def test_while_the_log_is_checked(tmp_path: Path, log: Path, number: signal.Signals, delay: float) -> None:
    def when(process: subprocess.Popen[str]) -> None:
        wait_for(lambda: bool(positions(process, log)), process)
        time.sleep(delay)

    code, out, err = interrupt(["report", str(log), "-o", "x.html", "--json", "x.json"], tmp_path, number, when)
    check_end(code, out, err, tmp_path, 128 + number)


def wait_until_it_is_read(process: subprocess.Popen[str], path: Path) -> None:
    """The log is gone through to the end to be checked, and then read from its start."""
    furthest = 0

    def read() -> bool:
        nonlocal furthest
        at = positions(process, path)
        back = bool(at) and (min(at) < furthest or len(at) > 1)
        furthest = max([furthest, *at])
        return back

    wait_for(read, process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_the_log_is_read(tmp_path: Path, log: Path, number: signal.Signals) -> None:
    def when(process: subprocess.Popen[str]) -> None:
        wait_until_it_is_read(process, log)
        time.sleep(0.02)

    code, out, err = interrupt(["report", str(log), "-o", "x.html"], tmp_path, number, when)
    check_end(code, out, err, tmp_path, 128 + number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_the_log_is_analyzed(tmp_path: Path, log: Path, number: signal.Signals) -> None:
    """Once it is read, it is closed; no fixed time would do, for machines differ."""

    def when(process: subprocess.Popen[str]) -> None:
        wait_until_it_is_read(process, log)
        wait_for(lambda: not positions(process, log), process)

    code, out, err = interrupt(["report", str(log), "-o", "x.html", "--json", "x.json"], tmp_path, number, when)
    check_end(code, out, err, tmp_path, 128 + number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_the_output_is_written(tmp_path: Path, short_log: Path, number: signal.Signals) -> None:
    def when(process: subprocess.Popen[str]) -> None:
        wait_for(lambda: any(path.stat().st_size for path in tmp_path.iterdir()), process)
        assert [path.suffix for path in tmp_path.iterdir()] == [".part"]

    code, _, err = interrupt(["events", str(short_log), "-o", "x.jsonl"], tmp_path, number, when)
    assert code == 128 + number
    assert err.endswith("wfp-analyzer: interrupted; nothing half-written stays\n")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_impatient_second_interrupt_leaves_nothing_either(tmp_path: Path, short_log: Path) -> None:
    def when(process: subprocess.Popen[str]) -> None:
        wait_for(lambda: any(path.stat().st_size for path in tmp_path.iterdir()), process)
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)

    code, _, err = interrupt(["events", str(short_log), "-o", "x.jsonl"], tmp_path, signal.SIGINT, when)
    assert code == 130
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_was_there_stays_as_it_was(tmp_path: Path, short_log: Path) -> None:
    (tmp_path / "x.jsonl").write_text("old")

    def when(process: subprocess.Popen[str]) -> None:
        wait_for(lambda: any(path.suffix == ".part" for path in tmp_path.iterdir()), process)

    code, _, _ = interrupt(["events", str(short_log), "-o", "x.jsonl", "--force"], tmp_path, signal.SIGINT, when)
    assert code == 130
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.jsonl", "old")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_the_starter_ignores_does_not_end_the_run(
    tmp_path: Path, short_log: Path, number: signal.Signals
) -> None:
    """``nohup``, and a job behind ``&``."""

    def when(process: subprocess.Popen[str]) -> None:
        wait_for(lambda: bool(positions(process, short_log)), process)

    before = signal.signal(number, signal.SIG_IGN)  # a child inherits what is ignored
    try:
        code, _, _ = interrupt(["report", str(short_log), "-o", "x.html"], tmp_path, number, when, bound=PATIENCE)
    finally:
        signal.signal(number, before)
    assert code in (0, 3)
    assert (tmp_path / "x.html").stat().st_size > 0
