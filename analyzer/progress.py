"""Shows on a terminal how far a long run is: on standard error, and wiped at the end.

Nothing is drawn, and nothing imported for it, in the first second of a run: short runs stay silent.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

AFTER: Final = 1.0  # seconds of a run before anything is shown


class Progress:
    """What a run tells of itself, from its start to its end.

    Parameters
    ----------
    stream
        The terminal.
    clean
        Makes a file name fit to be shown.
    """

    def __init__(self, stream: TextIO, clean: Callable[[str], str]) -> None:
        self._stream = stream
        self._clean = clean
        self._start = time.monotonic()
        self._now: tuple[str, int, int] = ("", 0, 0)
        self._lock = threading.Lock()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def step(self, what: str, done: int, total: int) -> None:
        """Take in what goes on, the bytes that are done of it, and all its bytes (0: it has none to count)."""
        with self._lock:
            new = what != self._now[0]
            self._now = (what, done, total)
            if self._bar is not None:
                self._tell(self._bar, new=new)

    @contextlib.contextmanager
    def shown(self, words: str) -> Iterator[None]:
        """Show progress inside the ``with`` block; ``words`` say what goes on until a step is told."""
        self.step(words, 0, 0)
        over = threading.Event()
        timer = threading.Timer(max(0.0, AFTER - (time.monotonic() - self._start)), self._show, (over,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                over.set()
                if self._bar is not None:
                    self._bar.stop()
                    self._bar = self._task = None

    def _show(self, over: threading.Event) -> None:
        """Begin to draw, where the work is not over meanwhile."""
        from analyzer.progress_bar import progress_bar  # noqa: PLC0415 - rich takes a while: not for short runs

        bar = progress_bar(self._stream)
        with self._lock:
            if not over.is_set():
                self._tell(bar, new=True)
                bar.start()
                self._bar = bar

    def _tell(self, bar: Bar, *, new: bool) -> None:
        what, done, total = self._now
        if self._task is not None and not new:
            bar.update(self._task, total=total or None, completed=done)
            return
        if self._task is not None:  # the speed of what was before says nothing of this
            bar.remove_task(self._task)
        self._task = bar.add_task(self._clean(what), total=total or None, completed=done)
