"""Ends a run on a signal: as an exception, so that files are cleaned up on the way out."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # what a system does not know is left out


class Terminated(BaseException):
    """Another process, or a terminal that was closed, asked us to end. No error, as KeyboardInterrupt is none."""


def end_on_signals() -> None:
    """Raise KeyboardInterrupt on SIGINT, and ``Terminated`` on the others; further ones do not disturb the end.

    A signal that whoever started us chose to ignore (``nohup``, a job behind ``&``) stays ignored.
    """
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    ending = [number for number in known if signal.getsignal(number) != signal.SIG_IGN]

    def end(number: int, _: FrameType | None) -> NoReturn:
        for other in ending:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    for number in ending:
        signal.signal(number, end)
