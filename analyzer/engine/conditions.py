"""Filter conditions against recorded flows, with three answers: yes, no, cannot tell.

Several conditions on one field are alternatives, conditions on different fields must all hold (REFERENCE 4.1).
Answers are ``int8``: 1 yes, 0 cannot tell, -1 no; so "or" is the maximum and "and" the minimum.
A field that the events do not record (user, package, interface, tunnel, most flags) is always *cannot tell*.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import cells
from analyzer.engine.flows import UNKNOWN, Addresses, FlowArrays, split_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

YES: Final = np.int8(1)
CANNOT_TELL: Final = np.int8(0)
NO: Final = np.int8(-1)

LOOPBACK_FLAG: Final = 1
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


def _answer(holds: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(known, np.where(holds, YES, NO), CANNOT_TELL).astype(np.int8)


def _unknown(size: int) -> NDArray[np.int8]:
    return np.zeros(size, dtype=np.int8)


def _compare(values: NDArray[np.int64], test: Test) -> NDArray[np.int8]:
    """Compare numbers; a match type or value that does not fit numbers cannot tell."""
    known = values != UNKNOWN
    value = test.value
    if test.match == "RANGE" and isinstance(value, tuple) and all(isinstance(v, int) for v in value):
        return _answer((values >= value[0]) & (values <= value[1]), known)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        return _unknown(len(values))
    compare = _COMPARISONS.get(test.match)
    return _answer(compare(values, value), known) if compare else _unknown(len(values))


_COMPARISONS: Final[dict[str, Callable[[Any, int], Any]]] = {
    "EQUAL": lambda a, b: a == b,
    "NOT_EQUAL": lambda a, b: a != b,
    "GREATER": lambda a, b: a > b,
    "LESS": lambda a, b: a < b,
    "GREATER_OR_EQUAL": lambda a, b: a >= b,
    "LESS_OR_EQUAL": lambda a, b: a <= b,
    "FLAGS_ALL_SET": lambda a, b: (a & b) == b,
    "FLAGS_ANY_SET": lambda a, b: (a & b) != 0,
    "FLAGS_NONE_SET": lambda a, b: (a & b) == 0,
}


def _bounds(value: object) -> tuple[Any, Any] | None:
    """Return lowest and highest address of an address, a range or a network."""
    if isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return value, value
    if isinstance(value, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return value.network_address, value.broadcast_address
    if isinstance(value, tuple) and len(value) == 2:
        low, high = value
        if isinstance(low, (ipaddress.IPv4Address, ipaddress.IPv6Address)) and type(low) is type(high):
            return low, high
    return None


def _inside(values: Addresses, test: Test) -> NDArray[np.int8]:
    """Tell whether addresses lie in the condition's range; another address family is a plain no."""
    bounds = _bounds(test.value)
    if bounds is None or test.match not in {"EQUAL", "RANGE", "NOT_EQUAL", "PREFIX", "NOT_PREFIX"}:
        return _unknown(len(values.family))
    family, low_high, low_low = split_address(bounds[0])
    _, high_high, high_low = split_address(bounds[1])
    above = (values.high > low_high) | ((values.high == low_high) & (values.low >= low_low))
    below = (values.high < high_high) | ((values.high == high_high) & (values.low <= high_low))
    holds = (values.family == family) & above & below
    if test.match.startswith("NOT_"):
        holds = ~holds
    return _answer(holds, values.family != 0)


def _application(flows: FlowArrays, test: Test) -> NDArray[np.int8]:
    if not isinstance(test.value, str):
        return _unknown(len(flows))
    known = np.array([item is not None for item in flows.application], dtype=bool)
    equal = flows.application == test.value.lower()
    if test.match in {"EQUAL", "EQUAL_CASE_INSENSITIVE"}:
        return _answer(equal, known)
    if test.match == "NOT_EQUAL":
        return _answer(~equal, known)
    return _unknown(len(flows))


def _flags(flows: FlowArrays, test: Test) -> NDArray[np.int8]:
    """Only the loopback bit can be told from a record; the others leave the answer open."""
    if not isinstance(test.value, int) or not test.value & LOOPBACK_FLAG:
        return _unknown(len(flows))
    only = test.value == LOOPBACK_FLAG
    loopback = flows.loopback
    if test.match == "FLAGS_ALL_SET":
        return loopback if only else np.minimum(loopback, CANNOT_TELL)
    if test.match == "FLAGS_ANY_SET":
        return loopback if only else np.maximum(loopback, CANNOT_TELL)
    if test.match == "FLAGS_NONE_SET":
        inverse = (-loopback).astype(np.int8)
        return inverse if only else np.minimum(inverse, CANNOT_TELL)
    return _unknown(len(flows))


_FIELDS: Final[dict[str, Callable[[FlowArrays, Test], NDArray[np.int8]]]] = {
    "ALE_APP_ID": _application,
    "IP_PROTOCOL": lambda flows, test: _compare(flows.protocol, test),
    "IP_LOCAL_PORT": lambda flows, test: _compare(flows.local_port, test),
    "IP_REMOTE_PORT": lambda flows, test: _compare(flows.remote_port, test),
    "IP_LOCAL_ADDRESS": lambda flows, test: _inside(flows.local, test),
    "IP_REMOTE_ADDRESS": lambda flows, test: _inside(flows.remote, test),
    "ORIGINAL_PROFILE_ID": lambda flows, test: _compare(flows.original_profile, test),
    "CURRENT_PROFILE_ID": lambda flows, test: _compare(flows.current_profile, test),
    "FLAGS": _flags,
}
ENDPOINT_FIELDS: Final = frozenset({"IP_LOCAL_PORT", "IP_REMOTE_PORT", "IP_LOCAL_ADDRESS", "IP_REMOTE_ADDRESS"})


def one(flows: FlowArrays, test: Test) -> NDArray[np.int8]:
    """Answer one condition for every flow. Where the endpoint order is uncertain, both orders must agree."""
    evaluate = _FIELDS.get(test.field)
    if evaluate is None:
        return _unknown(len(flows))
    answer = evaluate(flows, test)
    if test.field in ENDPOINT_FIELDS and not flows.order_certain.all():
        other = evaluate(flows.swapped(), test)
        answer = np.where(flows.order_certain | (answer == other), answer, CANNOT_TELL).astype(np.int8)
    return answer


def by_field(flows: FlowArrays, tests: Iterable[Test]) -> dict[str, NDArray[np.int8]]:
    """Answer per field: alternatives on one field are joined by "or"."""
    answers: dict[str, NDArray[np.int8]] = {}
    for test in tests:
        answer = one(flows, test)
        answers[test.field] = np.maximum(answers[test.field], answer) if test.field in answers else answer
    return answers


def conjunction(answers: Iterable[NDArray[np.int8]], size: int) -> NDArray[np.int8]:
    """Join the answers of different fields by "and"; of no conditions at all the answer is yes (REFERENCE 4.1)."""
    result = np.ones(size, dtype=np.int8)
    for answer in answers:
        result = np.minimum(result, answer)
    return result


def all_fields(
    flows: FlowArrays, tests: Sequence[Test], *, leave_out: frozenset[str] = frozenset()
) -> NDArray[np.int8]:
    """Answer a whole filter: every field must hold."""
    return conjunction(by_field(flows, (t for t in tests if t.field not in leave_out)).values(), len(flows))
