"""Conditions in a form that compares equal where they mean the same, whatever state they are from.

A filter's conditions on one field are alternatives (REFERENCE 4.1), so they are kept as one set per field: a port, a
range of ports and the two ranges that make it up become the same spans; descriptors are compared by their entries.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from analyzer import cells
from analyzer.engine.conditions import LOST
from analyzer.wfp import fields, sddl

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    import pandas as pd

Span: TypeAlias = "tuple[int, int]"
ADDRESSES: Final = (ipaddress.IPv4Address, ipaddress.IPv6Address)
NETWORKS: Final = (ipaddress.IPv4Network, ipaddress.IPv6Network)
_SPANNED: Final = frozenset({"EQUAL", "RANGE", "EQUAL_CASE_INSENSITIVE"})
DESCRIPTOR: Final = "SECURITY_DESCRIPTOR_TYPE"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, names without prefix; ``value`` as :mod:`analyzer.readers.wfpstate` decodes it.

    ``match`` is None where the file does not hold it, ``value`` None where it could not be decoded.
    """

    field: str
    match: str | None
    type: str
    value: Any
    text: str
    raw: str

    @property
    def lost(self) -> bool:
        """Tell a condition of which the file does not say what it asks for."""
        return self.field == LOST or self.match is None or self.value is None


@dataclass(frozen=True, slots=True)
class Spans:
    """Numbers or addresses as disjoint spans in order, ends included; ``family`` is 4 or 6 for addresses, else 0."""

    family: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What one field is asked for: spans, and the keys of all that are no spans."""

    numbers: tuple[Spans, ...]
    others: frozenset[Hashable]


def by_filter(conditions: pd.DataFrame) -> dict[int, tuple[Condition, ...]]:
    """Group a CONDITIONS frame: position of the filter -> its conditions in order."""
    out: dict[int, list[Condition]] = {}
    names = ("filter_row", "field", "match", "type", "value", "text", "raw")
    columns = [conditions[name].tolist() for name in names]
    for row, field, match, kind, value, text, raw in zip(*columns, strict=True):
        made = Condition(
            cells.text(field) or LOST,
            cells.text(match),
            cells.text(kind) or "",
            value if not isinstance(value, float) else None,
            cells.text(text) or "",
            cells.text(raw) or "",
        )
        out.setdefault(int(row), []).append(made)
    return {row: tuple(found) for row, found in out.items()}


def span_of(value: Any) -> tuple[int, Span] | None:
    """Return family (0 for plain numbers) and span of a value, or None for what is no number, address or range."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return 0, (value, value)
    if isinstance(value, ADDRESSES):
        return value.version, (int(value), int(value))
    if isinstance(value, NETWORKS):
        return value.version, (int(value.network_address), int(value.broadcast_address))
    if isinstance(value, tuple) and len(value) == 2:
        low, high = span_of(value[0]), span_of(value[1])
        if low is not None and high is not None and low[0] == high[0] and not isinstance(value[0], tuple):
            return low[0], (low[1][0], high[1][1])
    return None


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans in order, those that meet or touch made one; a span that ends before it begins is none."""
    out: list[Span] = []
    for low, high in sorted(span for span in spans if span[0] <= span[1]):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)


@lru_cache(maxsize=8192)
def descriptor_key(text: str) -> Hashable:
    """Return what a descriptor grants; entries that only allow stand in any order."""
    read = sddl.read_sddl(text)
    if not read.complete or read.dacl is None:
        return ("sddl", text)
    entries = [
        (ace.type, ace.flags, ace.rights, ace.object_guid or "", ace.inherit_guid or "", ace.sid, ace.condition or "")
        for ace in read.dacl
    ]
    ordered = (
        tuple(entries) if any(ace.type not in ("A", "XA") for ace in read.dacl) else tuple(sorted(entries, key=repr))
    )
    return ("sddl", read.owner, read.group, read.dacl_flags, ordered)


def key_of(condition: Condition) -> Hashable:
    """Return the key of a condition that is no span: equal keys mean the same set."""
    value, match = condition.value, condition.match or LOST
    if condition.lost:
        return (match, "raw", condition.raw or condition.text)
    if isinstance(value, str):
        if condition.type == DESCRIPTOR:
            return (match, descriptor_key(value))
        return (match, "text", value.lower() if condition.field in fields.PATH_FIELDS else value)
    return (match, "value", value)


@lru_cache(maxsize=65536)
def asked(conditions: tuple[Condition, ...]) -> tuple[tuple[str, Asked], ...]:
    """Return what a filter asks for: field and set, ordered by field."""
    spans: dict[str, dict[int, list[Span]]] = {}
    others: dict[str, set[Hashable]] = {}
    for condition in conditions:
        others.setdefault(condition.field, set())
        found = span_of(condition.value) if condition.match in _SPANNED else None
        if found is None:
            others[condition.field].add(key_of(condition))
        else:
            spans.setdefault(condition.field, {}).setdefault(found[0], []).append(found[1])
    return tuple(
        (
            field,
            Asked(
                tuple(Spans(family, merged(found)) for family, found in sorted(spans.get(field, {}).items())),
                frozenset(others[field]),
            ),
        )
        for field in sorted(others)
    )


def fields_of(conditions: Sequence[Condition]) -> frozenset[str]:
    """Return the fields that are asked about."""
    return frozenset(condition.field for condition in conditions)
