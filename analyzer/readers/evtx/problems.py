"""Collects what could not be read, and folds equal reasons so that a reader of the list does not drown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from analyzer.model import Problem

if TYPE_CHECKING:
    from analyzer.model import ProblemSeverity
    from analyzer.readers.evtx.container import Chunk

SINGLE: Final = 8  # as many problems of one reason are listed one by one


class Sink(Protocol):
    """Takes problems in."""

    def add(self, severity: ProblemSeverity, place: str | None, what: str, *, reason: str | None = None) -> None:
        """Add one problem; ``reason`` is what makes two of them equal (``what`` itself where it is not given)."""


class Noted(NamedTuple):
    """A problem that was noted apart."""

    severity: ProblemSeverity
    place: str | None
    what: str
    reason: str | None


class Notes:
    """Problems of one piece of a file, in order, to be added to those of the file; as bounded as these.

    Between them ``items`` tell of slots of the file: how many chunks, or one without a chunk.
    """

    def __init__(self) -> None:
        self.items: list[Noted | int | Chunk] = []
        self.folded: dict[tuple[ProblemSeverity, str], tuple[int, str | None]] = {}
        self._counts: dict[tuple[ProblemSeverity, str], int] = {}

    def add(self, severity: ProblemSeverity, place: str | None, what: str, *, reason: str | None = None) -> None:
        """Add one problem, as ``Problems.add`` does."""
        key = (severity, reason or what)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count <= SINGLE:
            self.items.append(Noted(severity, place, what, reason))
        else:
            self.folded[key] = (count - SINGLE, place)


class Problems:
    """Problems of one input, in order of appearance."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._listed: list[Problem] = []
        self._counts: dict[tuple[ProblemSeverity, str], int] = {}
        self._last: dict[tuple[ProblemSeverity, str], str | None] = {}

    def add(self, severity: ProblemSeverity, place: str | None, what: str, *, reason: str | None = None) -> None:
        """Add one problem; ``reason`` is what makes two of them equal (``what`` itself where it is not given)."""
        key = (severity, reason or what)
        count = self._counts.get(key, 0) + 1
        self._counts[key] = count
        if count <= SINGLE:
            self._listed.append(Problem(self._name, place, severity, what))
        else:
            self._last[key] = place

    def fold(self, folded: dict[tuple[ProblemSeverity, str], tuple[int, str | None]]) -> None:
        """Add problems that were only counted: by reason, how many more and the place of the last."""
        for key, (count, place) in folded.items():
            self._counts[key] = self._counts.get(key, 0) + count
            self._last[key] = place

    def collect(self) -> tuple[Problem, ...]:
        """Return the problems; what was folded follows as one line per reason, with its count and last place."""
        folded = [
            Problem(self._name, place, severity, f"{self._counts[severity, reason] - SINGLE} more like this: {reason}")
            # in the order of first appearance, which is the same whichever way the log is read
            for (severity, reason), place in ((key, self._last[key]) for key in self._counts if key in self._last)
        ]
        return (*self._listed, *folded)
