"""Collect problems of one file without letting a badly damaged file drown the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.model import Problem

if TYPE_CHECKING:
    from analyzer.model import ProblemSeverity

PER_GROUP: Final = 20


class Problems:
    """Problems of one input; of each group the first twenty are kept one by one, the rest as a count."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cut = False  # the file ends too early: lists that are shorter than they say are no news
        self._kept: list[Problem] = []
        self._counts: dict[str, int] = {}
        self._severities: dict[str, ProblemSeverity] = {}

    def add(self, severity: ProblemSeverity, place: str | None, what: str, *, group: str | None = None) -> None:
        """Record one problem; ``group`` names what is counted together, each text alone without it."""
        key = group or what
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if severity == "lost" or key not in self._severities:
            self._severities[key] = severity
        if count <= PER_GROUP:
            self._kept.append(Problem(self.name, place, severity, what))

    def result(self) -> tuple[Problem, ...]:
        """Return all problems, with one more for each group that was cut short."""
        rest = tuple(
            Problem(self.name, None, self._severities[key], f"{count - PER_GROUP:,} more of this kind: {key}")
            for key, count in self._counts.items()
            if count > PER_GROUP
        )
        return (*self._kept, *rest)
