"""A second process that reads blocks of the same file: how it is started, asked and ended.

The numbers of all blocks lie ready in a pipe, and each process takes the next one when it is free. What the helper
reads comes back through a socket (``parcel``). It is never needed: a block that it took and does not deliver, because
it could not start, was killed or stands still, is read here. It is a new program (``worker``) and no fork, since a
forked process that has threads may hang; it holds the same open file, and it ends as soon as the socket closes.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.readers.evtx.parcel import receive

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from analyzer.readers.evtx.block import Result
    from analyzer.readers.evtx.cut import Cut

HELPED_FROM: Final = 384 << 20  # bytes of a log; the helper needs a second to start, in which 200 MiB are read
PATIENCE: Final = 5.0  # seconds without a word from the helper when nothing else is left to do; a block takes 0.1
_MAX_JOBS: Final = 4096  # numbers of blocks that fit into a pipe on any system, 72 GiB of log
_JOB: Final = struct.Struct("<I")
_CODE: Final = (
    "import json, sys; order = json.loads(sys.argv[1]); sys.path[:] = order['path'];"
    "from analyzer.readers.evtx.worker import main; main(order)"
)


def can_help(plan: Cut) -> bool:
    """Tell whether a second process is possible and of use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    python = Path(sys.executable or "").name.startswith(("python", "pypy"))  # not a program that embeds Python
    return cores > 1 and python and os.name == "posix" and 1 < plan.blocks <= _MAX_JOBS


def take_job(jobs: int) -> int | None:
    """Return the number of the next block that nobody has, None where all are taken."""
    got = os.read(jobs, _JOB.size)
    return int(_JOB.unpack(got)[0]) if len(got) == _JOB.size else None


class Alone:
    """Stands in for the helper where there is none."""

    def __init__(self, plan: Cut) -> None:
        self._left = iter(range(plan.blocks))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def claim(self) -> int | None:
        """Return the number of the next block."""
        return next(self._left, None)

    def result(self, *_: object, **__: object) -> None:
        """Return nothing: nobody else reads."""


class Helper:
    """A running helper, or what is left of one; to be used in ``with``."""

    def __init__(self, plan: Cut) -> None:
        self._plan = plan
        self._results: dict[int, Result] = {}
        self._news = threading.Condition()
        self._over = False
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs = -1
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._jobs, write = os.pipe()
        with os.fdopen(write, "wb") as stream:
            stream.write(b"".join(_JOB.pack(number) for number in range(self._plan.blocks)))
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            descriptors = (self._plan.descriptor, self._jobs, theirs.fileno())
            order = {"path": sys.path, "cut": self._plan, "jobs": self._jobs, "socket": theirs.fileno()}
            flags = ["-I", "-B"] if sys.dont_write_bytecode else ["-I"]
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this interpreter with a constant program
                    [sys.executable, *flags, "-c", _CODE, json.dumps(order)],
                    pass_fds=descriptors,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            except (OSError, ValueError):
                self._over = True
                return
        self._thread = threading.Thread(target=self._listen, args=(self._socket,), name="evtx-helper", daemon=True)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._thread is not None:
            self._thread.join()  # the socket has ended with the process
        if self._socket is not None:
            self._socket.close()
        os.close(self._jobs)

    def _listen(self, connection: socket.socket) -> None:
        """Take in results until the helper ends."""
        try:
            while (parcel := receive(connection)) is not None:
                with self._news:
                    self._results[parcel[0]] = parcel[1]
                    self._news.notify()
        finally:
            with self._news:
                self._over = True
                self._news.notify()

    def claim(self) -> int | None:
        """Return the number of the next block that nobody has, None where all are taken."""
        return take_job(self._jobs)

    def result(self, number: int, *, wait: bool) -> Result | None:
        """Return what the helper has read of a block; None where it has not, or (``wait``) will not."""
        with self._news:
            if wait:
                self._news.wait_for(lambda: number in self._results or self._over, PATIENCE)
            return self._results.pop(number, None)
