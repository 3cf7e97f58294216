"""Conditions of filters, and how they join to a filter's answer.

Several conditions on one field are alternatives, conditions on different fields must all hold (REFERENCE 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import cells
from analyzer.engine.answers import CANNOT_TELL, NO, YES
from analyzer.engine.fieldvalues import ENDPOINT_FIELDS
from analyzer.engine.predicates import one

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from analyzer.engine.answers import Answers
    from analyzer.engine.flows import FlowArrays

__all__ = [
    "CANNOT_TELL",
    "ENDPOINT_FIELDS",
    "LOST",
    "NO",
    "YES",
    "Test",
    "all_fields",
    "by_field",
    "conjunction",
    "one",
    "tests_by_filter",
]

LOST: Final = "(lost)"  # stands for a condition that the file no longer holds: nobody can tell


@dataclass(frozen=True, slots=True)
class Test:
    """One condition: ``field`` and ``match`` without their prefixes, ``value`` as the reader decoded it."""

    field: str
    match: str
    value: Any
    text: str


def tests_by_filter(conditions: pd.DataFrame) -> dict[int, tuple[Test, ...]]:
    """Group a CONDITIONS frame: position of the filter -> its conditions in order."""
    grouped: dict[int, list[Test]] = {}
    columns = (conditions[name] for name in ("filter_row", "field", "match", "value", "text"))
    for row, field, match, value, text in zip(*columns, strict=True):
        shown = text if isinstance(text, str) else ""
        grouped.setdefault(int(row), []).append(
            Test(cells.text(field) or LOST, cells.text(match) or LOST, value, shown)
        )
    return {row: tuple(tests) for row, tests in grouped.items()}


def by_field(flows: FlowArrays, tests: Iterable[Test]) -> dict[str, Answers]:
    """Answer per field, each of shape (n,): alternatives on one field are joined by "or"."""
    answers: dict[str, Answers] = {}
    for test in tests:
        answer = one(flows, test)
        answers[test.field] = np.maximum(answers[test.field], answer) if test.field in answers else answer
    return answers


def conjunction(answers: Iterable[Answers], size: int) -> Answers:
    """Join the answers of different fields by "and"; of no conditions at all the answer is yes (REFERENCE 4.1)."""
    result: Answers = np.ones(size, dtype=np.int8)
    for answer in answers:
        result = np.minimum(result, answer)
    return result


def all_fields(flows: FlowArrays, tests: Sequence[Test], *, leave_out: frozenset[str] = frozenset()) -> Answers:
    """Answer a whole filter, shape (n,): every field must hold."""
    return conjunction(by_field(flows, (t for t in tests if t.field not in leave_out)).values(), len(flows))
