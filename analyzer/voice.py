"""How much a run says, and whether in colour: ``-v``, ``-q`` and ``--no-color``, which every command takes."""

from __future__ import annotations

import contextlib
import os
import time
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NO_COLOR: Final = "NO_COLOR"


@dataclass(frozen=True, slots=True)
class Voice:
    """``quiet``: only losses and failures are said. ``verbose``: every step, input and problem is."""

    quiet: bool = False
    verbose: bool = False


_VOICE: Final[ContextVar[Voice]] = ContextVar("voice", default=Voice())  # noqa: B039 - it is frozen


def voice() -> Voice:
    """Return how much the run in progress is to say."""
    return _VOICE.get()


@contextlib.contextmanager
def own_voice() -> Iterator[None]:
    """Let what one run sets end with it, also the environment's ``NO_COLOR``, which everything that draws obeys."""
    before = os.environ.get(NO_COLOR)
    token = _VOICE.set(Voice())
    try:
        yield
    finally:
        _VOICE.reset(token)
        if before is None:
            os.environ.pop(NO_COLOR, None)
        else:
            os.environ[NO_COLOR] = before


def _quiet(context: click.Context, _: click.Parameter, value: bool) -> None:
    _set(context, replace(voice(), quiet=voice().quiet or value))


def _verbose(context: click.Context, _: click.Parameter, value: bool) -> None:
    _set(context, replace(voice(), verbose=voice().verbose or value))


def _set(context: click.Context, wanted: Voice) -> None:
    if wanted.quiet and wanted.verbose:
        raise click.UsageError("--quiet and --verbose contradict each other", context)
    _VOICE.set(wanted)


def _no_color(_: click.Context, __: click.Parameter, value: bool) -> None:
    if value:
        os.environ[NO_COLOR] = "1"


def voice_options() -> list[click.Option]:
    """Return the options; they act by themselves and hand nothing to the command."""
    table: tuple[tuple[tuple[str, ...], Callable[[click.Context, click.Parameter, bool], None], str], ...] = (
        (("-v", "--verbose"), _verbose, "Say each step, each input and every problem."),
        (("-q", "--quiet"), _quiet, "Say only what was lost or failed."),
        (("--no-color",), _no_color, "No colours, as with NO_COLOR in the environment."),
    )
    return [
        click.Option(names, is_flag=True, expose_value=False, callback=act, help=text) for names, act, text in table
    ]


class Narrator:
    """Says each step in a line of its own, with the seconds since the start: progress for ``--verbose``.

    Parameters
    ----------
    say
        Prints one line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._start = time.monotonic()
        self._last = ""

    def step(self, what: str, _done: int, total: int) -> None:
        """Take in what goes on, and all its bytes (0: it has none to count)."""
        if what != self._last:
            self._last = what
            self._say(f"{time.monotonic() - self._start:7.2f} s  {what}{f' ({total:,} bytes)' if total else ''}")

    @contextlib.contextmanager
    def shown(self, words: str) -> Iterator[None]:
        """Say what goes on inside the ``with`` block."""
        self.step(words, 0, 0)
        yield
