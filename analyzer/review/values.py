"""Single condition values in words, and lists of them cut to a readable length."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from analyzer.review.conditions import ADDRESSES, DESCRIPTOR, NETWORKS, Condition, span_of
from analyzer.wfp import fields, flags, protocols, sddl, values

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LISTED: Final = 6
MOST_NAMES: Final = 3  # of the users and services of one descriptor
LONGEST: Final = 200
_NEGATED: Final = frozenset({"NOT_EQUAL", "NOT_PREFIX"})
_PLAIN: Final = frozenset({"EQUAL", "RANGE", "EQUAL_CASE_INSENSITIVE"})


def words(condition: Condition) -> str:
    """Return the value of a condition in words, with its match type where that is no equality."""
    if condition.lost:
        return condition.raw or condition.text or "(lost)"
    shown = value_words(condition)
    if condition.match in _PLAIN:
        return shown
    if condition.match in _NEGATED:
        return f"not {shown}"
    if (condition.match or "").startswith("FLAGS_") and isinstance(condition.value, int):
        return (
            f"{_FLAG_WORDS.get(condition.match or '', condition.match)} {flag_words(condition.field, condition.value)}"
        )
    return f"{values.MATCH_WORDS.get(condition.match or '', condition.match)} {shown}"


_FLAG_WORDS: Final[dict[str, str]] = {
    "FLAGS_ALL_SET": "all of",
    "FLAGS_ANY_SET": "any of",
    "FLAGS_NONE_SET": "none of",
}


def value_words(condition: Condition) -> str:
    """Return a value without its match type."""
    value = condition.value
    if condition.type == DESCRIPTOR and isinstance(value, str):
        return cut(sddl.sd_words(value))
    if isinstance(value, (*ADDRESSES, *NETWORKS)):
        return str(value)
    span = span_of(value)
    if span is not None:
        return span_words(condition.field, span[0], *span[1])
    return cut(condition.text or str(value))


def span_words(field: str, family: int, low: int, high: int) -> str:
    """Return a span of numbers or addresses in words: ``443``, ``1-1023``, ``10.0.0.0/8``, ``TCP``."""
    if family:
        return address_words(family, low, high)
    if low == high:
        return number_words(field, low)
    return f"{low}-{high}"


def number_words(field: str, value: int) -> str:
    """Return a number in the words of its field."""
    if field == "IP_PROTOCOL":
        return protocols.protocol_name(value) or str(value)
    if field == "FLAGS":
        return flags.condition_flag_words(value) or str(value)
    return values.number_words(field, value) or str(value)


def address_words(family: int, low: int, high: int) -> str:
    """Return a span of addresses as a network where it is one."""
    make: Any = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    bits = 32 if family == 4 else 128
    size = high - low + 1
    if size & (size - 1) == 0 and low % size == 0:
        prefix = bits - size.bit_length() + 1
        return str(make(low)) if size == 1 else f"{make(low)}/{prefix}"
    return f"{make(low)}-{make(high)}"


def flag_words(field: str, value: int) -> str:
    """Return the bits of a flag field in words."""
    return flags.condition_flag_words(value) if field == "FLAGS" else f"0x{value:X}"


def order(condition: Condition) -> tuple[bool, int, int, str]:
    """Return how values of one field are sorted: numbers by size, then texts."""
    span = span_of(condition.value)
    return (span is None, span[0] if span else 0, span[1][0] if span else 0, condition.text.lower())


def listed(found: Sequence[str], most: int = MOST_LISTED) -> str:
    """Return ``a, b, c`` or ``a, b and 12 more``."""
    if len(found) <= most:
        return ", ".join(found)
    return f"{', '.join(found[:most])} and {len(found) - most:,} more"


def cut(text: str) -> str:
    """Shorten a text; what is left out is told."""
    if text.count(", ") > MOST_NAMES:
        names = text.split(", ")
        text = f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def file_name(path: str) -> str:
    """Return the last part of a program's path."""
    return path.replace("/", "\\").rpartition("\\")[2] or path


def program_field(field: str) -> bool:
    """Tell a field that holds programs by path."""
    return field in fields.PATH_FIELDS
