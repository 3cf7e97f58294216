"""Watches a worker from outside: whoever takes too long is ended, and another one goes on."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORKER = Path(__file__).resolve().parent / "fuzz_worker.py"
WALL = 60  # seconds without an answer, also when the machine is busy with other things
ROOT = WORKER.parents[2]
START = 120  # seconds until the first answer: imports and the pieces of all logs
_TICK = 0.1


class Ended(Exception):  # noqa: N818 - an outcome of a job, no mistake
    """The worker gave no answer: it took too long, or it died."""


class Worker:
    """One worker process. It lives in a session of its own, so that what it starts can be ended with it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")  # here, since a worker ends by being killed

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
            environment = {**os.environ, **threads, "PYTHONPATH": str(ROOT)}
            self._process = subprocess.Popen(
                [sys.executable, str(WORKER), str(self._seed), self._folder.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                env=environment,
            )
            self._buffer = b""
            self._ask(self._process, {"number": 0, "only": -2}, START, START)  # nothing is changed in this one
        return self._process

    def ask(self, number: int, seconds: float, only: int | None = None, *, both: bool = True) -> dict:
        """Return the answer to one job, which may take so many seconds of processor time.

        Raises
        ------
        Ended
            It took longer, or the worker died; the next job gets a new one.
        """
        return self._ask(self._started(), {"number": number, "only": only, "both": both}, seconds, WALL)

    def _ask(self, process: subprocess.Popen[bytes], job: dict, seconds: float, wall: float) -> dict:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
            self._wait(process, seconds, wall)
        except BrokenPipeError as error:
            self.end()
            raise Ended("the process died") from error
        except Ended:
            self.end()
            raise
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict = json.loads(line)
        return answer

    def _wait(self, process: subprocess.Popen[bytes], seconds: float, wall: float) -> None:
        """Wait for a whole line."""
        assert process.stdout is not None
        begin, used = time.monotonic(), _processor_time(process.pid)
        while b"\n" not in self._buffer:
            if select.select([process.stdout], [], [], _TICK)[0]:
                piece = os.read(process.stdout.fileno(), 1 << 16)
                if not piece:
                    raise Ended(f"the process died: exit code {process.wait()}")
                self._buffer += piece
            elif _processor_time(process.pid) - used > seconds:
                raise Ended(f"no answer within {seconds:.1f} s of processor time")
            elif time.monotonic() - begin > wall:
                raise Ended(f"no answer within {wall:.0f} s")

    def end(self) -> None:
        """End the process and all that it started."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()

    def close(self) -> None:
        """End the process for good; nothing of it stays."""
        self.end()
        self._folder.cleanup()


def _processor_time(process: int) -> float:
    """Return seconds of processor time of a process, 0 where the system does not tell."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
