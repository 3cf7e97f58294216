"""Answers of many filters on the same flows: each distinct condition and each set of alternatives once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.engine.predicates import one

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analyzer.engine.answers import Answers
    from analyzer.engine.conditions import Test
    from analyzer.engine.flows import FlowArrays

MAX_KEPT: Final = 64_000_000  # answers that are kept to be used again


@dataclass(frozen=True, slots=True)
class Program:
    """Filters as numbers.

    ``predicates`` are the distinct conditions, ``fields`` the distinct sets of alternatives (places in ``predicates``),
    ``filters`` has for each row the sets that must all hold (places in ``fields``).
    """

    predicates: tuple[Test, ...]
    fields: tuple[tuple[int, ...], ...]
    filters: Mapping[int, tuple[int, ...]]

    def of(self, row: int) -> tuple[int, ...]:
        """Return the sets of one filter; of a filter without conditions none, which always holds."""
        return self.filters.get(row, ())


def program(tests: Mapping[int, tuple[Test, ...]], rows: Iterable[int]) -> Program:
    """Give each distinct condition of these rows a number."""
    predicates: dict[object, int] = {}
    kept: list[Test] = []
    fields: dict[tuple[int, ...], int] = {}
    filters: dict[int, tuple[int, ...]] = {}
    for row in rows:
        by_field: dict[str, set[int]] = {}
        for test in tests.get(row, ()):
            place = predicates.setdefault(_key(test), len(kept))
            if place == len(kept):
                kept.append(test)
            by_field.setdefault(test.field, set()).add(place)
        sets = (tuple(sorted(places)) for places in by_field.values())
        filters[row] = tuple(fields.setdefault(places, len(fields)) for places in sets)
    return Program(tuple(kept), tuple(fields), filters)


def _key(test: Test) -> object:
    """Return what two conditions have in common if they mean the same."""
    value = test.value
    try:
        hash(value)
    except TypeError:
        value = id(value)
    return test.field, test.match, type(test.value), value


class Evaluator:
    """The answers of one program on one set of flows. The arrays that it returns are not to be changed."""

    def __init__(self, program: Program, flows: FlowArrays) -> None:
        self.program = program
        self.flows = flows
        self._predicates: dict[int, Answers] = {}
        self._fields: dict[int, Answers] = {}
        self._yes: Answers = np.ones(len(flows), dtype=np.int8)
        self._told = flows.endings.by_row()

    def predicate(self, place: int) -> Answers:
        """Answer one distinct condition, shape (n,)."""
        found = self._predicates.get(place)
        if found is None:
            self._bound()
            found = self._predicates[place] = one(self.flows, self.program.predicates[place])
        return found

    def field(self, place: int) -> Answers:
        """Answer one set of alternatives, shape (n,)."""
        places = self.program.fields[place]
        if len(places) == 1:
            return self.predicate(places[0])
        found = self._fields.get(place)
        if found is None:
            found = self.predicate(places[0])
            for other in places[1:]:
                found = np.maximum(found, self.predicate(other))
            self._fields[place] = found
        return found

    def answer(self, row: int) -> Answers:
        """Answer one filter, shape (n,)."""
        places = self.program.of(row)
        if not places:
            return self._yes
        found = self.field(places[0])
        for place in places[1:]:
            if found.max(initial=-1) < 0:
                break  # nothing can be added to a no everywhere
            found = np.minimum(found, self.field(place))
        return found

    def heard(self, row: int, answer: Answers) -> Answers:
        """Return a filter's answers with what the records tell of it (:mod:`analyzer.engine.endings`), shape (n,)."""
        told = self._told.get(row)
        return answer if told is None else self.flows.endings.heard(told, answer)

    def _bound(self) -> None:
        if (len(self._predicates) + len(self._fields)) * max(len(self.flows), 1) > MAX_KEPT:
            self._predicates.clear()
            self._fields.clear()
