"""A second process reads the same as one alone, and none is left behind, whatever happens."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import evtx_compare
import pytest
from test_evtx_columns import made, mutate

from analyzer.readers.evtx import EvtxLog, columnar, helper, read_evtx
from samples.evtxwriter import SHAPES, write_log

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="columns are read on POSIX systems alone")


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(helper, "PATIENCE", 60.0)


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """A log of some chunks with several events."""
    path = tmp_path_factory.mktemp("made") / "made.evtx"
    write_log(path, made(3000, shapes=list(SHAPES.values())))
    return path


def read(path: Path, **chosen) -> EvtxLog:
    return read_evtx(path, path.name, columns=True, block_chunks=2, **chosen)


def same(one: EvtxLog, two: EvtxLog) -> None:
    """Compare also what may differ between records and columns: the order of categories."""
    evtx_compare.same_log(one, two)
    for table, frame in one.tables.items():
        for column in frame.select_dtypes("category"):
            assert list(frame[column].cat.categories) == list(two.tables[table][column].cat.categories)


@pytest.fixture
def started(monkeypatch) -> list[subprocess.Popen]:
    """All processes that a test starts."""
    found = []

    class Noted(subprocess.Popen):
        def __init__(self, *arguments, **chosen):
            super().__init__(*arguments, **chosen)
            found.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return found


@pytest.fixture
def lazy(monkeypatch):
    """Leave every block to the helper."""
    monkeypatch.setattr(helper.Helper, "claim", lambda _: None)
    monkeypatch.setattr(columnar, "read_block", lambda *_: pytest.fail("the helper did not read this"))


def test_helper_alone_reads_the_same(log, lazy, monkeypatch):
    helped = read(log, helped=True)
    monkeypatch.undo()
    same(read(log, helped=False), helped)
    evtx_compare.same_log(read_evtx(log, log.name, columns=False), helped)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_logs(tmp_path, log, seed, lazy, monkeypatch):
    path = tmp_path / "damaged.evtx"
    whole = log.read_bytes()
    damaged = mutate(whole, random.Random(seed))
    path.write_bytes(damaged + whole[len(damaged) : -5000])
    helped = read(path, helped=True)
    monkeypatch.undo()
    same(read(path, helped=False), helped)
    evtx_compare.same_log(read_evtx(path, path.name, columns=False), helped)


def test_both_read_in_turn(log, monkeypatch):
    """The helper is waited for before this process takes its share."""
    claim, turns = helper.Helper.claim, []

    def late(self):
        if not turns:
            with self._news:
                self._news.wait_for(lambda: self._results, 60)
        turns.append(claim(self))
        return turns[-1]

    monkeypatch.setattr(helper.Helper, "claim", late)
    helped = read(log, helped=True)
    assert 0 not in turns
    same(read(log, helped=False), helped)


@pytest.mark.parametrize("after", [0, 1])
def test_helper_that_is_killed(log, monkeypatch, started, after):
    """What it took and did not deliver is read here."""
    monkeypatch.setattr(helper.Helper, "claim", lambda _: None)
    ask, seen = helper.Helper.result, []

    def kill(self, number, *, wait):
        if len(seen) == after:
            self._process.kill()
        seen.append(number)
        return ask(self, number, wait=wait)

    monkeypatch.setattr(helper.Helper, "result", kill)
    helped = read(log, helped=True)
    assert [process.returncode for process in started] == [-signal.SIGKILL]
    same(read(log, helped=False), helped)


def test_helper_that_stands_still(log, monkeypatch, started):
    monkeypatch.setattr(helper, "PATIENCE", 0.05)
    claim, stopped = helper.Helper.claim, []

    def stop(self):
        if not stopped:
            claim(self)  # as if the helper had taken it
            self._process.send_signal(signal.SIGSTOP)
            stopped.append(True)
        return claim(self)

    monkeypatch.setattr(helper.Helper, "claim", stop)
    helped = read(log, helped=True)
    assert [process.returncode for process in started] == [-signal.SIGKILL]
    same(read(log, helped=False), helped)


@pytest.mark.parametrize("program", ["/nonexistent/python", "/bin/false"])
def test_helper_that_cannot_start(log, monkeypatch, program):
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(columnar, "can_help", lambda _: True)
    helped = read(log, helped=True)
    monkeypatch.undo()
    same(read(log, helped=False), helped)


def test_no_helper_where_it_is_of_no_use(log, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a helper was started"))
    read(log)  # a small log
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    read(log, helped=True)  # one core
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/program-that-embeds")
    read(log, helped=True)


def test_a_large_log_is_read_with_help(log, monkeypatch, started):
    monkeypatch.setattr(columnar, "HELPED_FROM", log.stat().st_size)
    same(read(log, helped=False), read(log))
    assert len(started) == 1


def test_no_child_is_left_after_an_error(log, started):
    def progress(*_):
        assert [process.poll() for process in started] == [None]
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        read(log, helped=True, progress=progress)
    assert [process.returncode for process in started] == [-signal.SIGKILL]


PROGRAM = """
import subprocess, sys, time
from pathlib import Path
from analyzer.readers.evtx import columnar, helper, read_evtx

class Told(subprocess.Popen):
    def __init__(self, *arguments, **chosen):
        super().__init__(*arguments, **chosen)
        print(self.pid, flush=True)

subprocess.Popen = Told
columnar.can_help = lambda _: True
path = Path(sys.argv[1])
read_evtx(path, "log", lambda *_: time.sleep(60), columns=True, block_chunks=1, helped=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("wait", [0.0, 2.0])  # while the helper starts, while it reads or waits
def test_no_child_is_left_after_a_signal(log, number, wait):
    """A program that reads is ended from outside; its helper ends as well."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, str(log)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        try:
            child = int(program.stdout.readline())
            time.sleep(wait)
            assert wait or is_running(child)
            program.send_signal(number)
            assert program.wait(20) != 0
        finally:
            program.kill()
    end = time.monotonic() + 20
    while is_running(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"  # ended, and nobody has asked yet
    except OSError:
        return not Path("/proc/self").exists()
