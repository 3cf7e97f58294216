"""What a whole rule asks for: the conditions of its filters put together, field by field, and the difference of two.

A rule is a product (these ports, for this program), which its filters spell out one by one. Put together per stage
(connect, accept, listen, bind) they give the rule's own lists again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.engine.conditions import LOST
from analyzer.review import values
from analyzer.review.conditions import Asked, Spans, asked, merged
from analyzer.wfp import fields

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from analyzer.review.conditions import Condition
    from analyzer.review.identity import Item

# Where a rule says most: helpers at listen and bind repeat a part of it.
STAGES: Final = (
    *("ALE_AUTH_CONNECT", "ALE_AUTH_RECV_ACCEPT", "ALE_AUTH_LISTEN", "ALE_RESOURCE_ASSIGNMENT"),
    *("OUTBOUND_TRANSPORT", "INBOUND_TRANSPORT"),
)
ANY: Final = "any"
USER: Final = "ALE_USER_ID"
MOST_VALUES: Final = 200  # of one field, told one by one


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a rule: its values in words, and the key that compares them."""

    name: str
    words: tuple[str, ...]
    key: Hashable


def asked_for(items: Iterable[Item]) -> dict[str, frozenset[Hashable]]:
    """Return field -> everything that some filter asks of it; for comparing, the stages not kept apart."""
    out: dict[str, set[Hashable]] = {"action": set()}
    for item in items:
        out["action"].add(item.action)
        for field, found in asked(item.conditions):
            into = out.setdefault(field, set())
            into.update((spans.family, span) for spans in found.numbers for span in spans.spans)
            into.update(found.others)
    return {field: frozenset(found) for field, found in out.items()}


def stages(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Return the filters by stage, the telling stages first."""
    out: dict[str, list[Item]] = {}
    for item in items:
        out.setdefault(item.stem, []).append(item)
    order = {stem: at for at, stem in enumerate(STAGES)}
    return dict(sorted(out.items(), key=lambda entry: (order.get(entry[0], len(order)), entry[0])))


def folded(items: Sequence[Item]) -> dict[str, Field]:
    """Return field -> what the filters of one stage ask of it together."""
    per_filter = [dict(asked(item.conditions)) for item in items]
    out = {}
    for name in sorted({field for found in per_filter for field in found}, key=_field_order):
        if all(name in found for found in per_filter):
            conditions = [c for item in items for c in item.conditions if c.field == name]
            out[name] = Field(name, words_of(conditions), _joined(found[name] for found in per_filter))
        else:
            out[name] = Field(name, (ANY,), ANY)
    return {name: found for name, found in out.items() if found.key != ANY}


def _field_order(name: str) -> tuple[int, str]:
    known = list(fields.WORDS)
    return (known.index(name) if name in known else len(known), name)


def _joined(asked_for_field: Iterable[Asked]) -> Hashable:
    """Return the union of what several filters ask of one field."""
    spans: dict[int, list[tuple[int, int]]] = {}
    others: set[Hashable] = set()
    for found in asked_for_field:
        for numbers in found.numbers:
            spans.setdefault(numbers.family, []).extend(numbers.spans)
        others.update(found.others)
    return (
        tuple(Spans(family, merged(found)) for family, found in sorted(spans.items())),
        frozenset(others),
    )


def words_of(conditions: Sequence[Condition]) -> tuple[str, ...]:
    """Return the values of one field in words, each once, in order."""
    shown = sorted(dict.fromkeys(conditions), key=values.order)
    words = list(dict.fromkeys(values.words(condition) for condition in shown))
    if len(words) > MOST_VALUES:
        words = [*words[:MOST_VALUES], f"and {len(words) - MOST_VALUES:,} more"]
    return tuple(words)


# ---------------------------------------------------------------------------------------------------- differences


@dataclass(frozen=True, slots=True)
class Contrast:
    """One thing in which two rules differ; an empty side means that there is none of it."""

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def contrasts(before: Sequence[Item], after: Sequence[Item]) -> list[Contrast]:
    """Return in which fields two rules differ, stage by stage; what two stages say alike is said once."""
    one, two = stages(before), stages(after)
    out: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Contrast] = {}
    told: set[str] = set()
    for stem in [*one, *(stem for stem in two if stem not in one)]:
        if stem not in one or stem not in two:
            continue
        found = _stage_contrasts(one[stem], two[stem])
        for item in found:
            if item.name not in told:
                out.setdefault((item.name, item.before, item.after), item)
        told.update(item.name for item in found)
    return list(out.values())


def _stage_contrasts(before: Sequence[Item], after: Sequence[Item]) -> list[Contrast]:
    first, second = folded(before), folded(after)
    out = []
    for name in sorted(first.keys() | second.keys(), key=_field_order):
        one, two = first.get(name), second.get(name)
        if (one.key if one else ANY) != (two.key if two else ANY):
            out.append(Contrast(name, one.words if one else (ANY,), two.words if two else (ANY,)))
    return out


def described(conditions: Mapping[str, Field]) -> str:
    """Return the fields of a rule in one line: ``program svchost.exe, protocol TCP, local port 3389``."""
    parts = []
    for name, found in conditions.items():
        shown = [values.file_name(word) for word in found.words] if values.program_field(name) else found.words
        noun = "for" if name == USER else field_words(name)  # its words say what they are: `service BITS`
        parts.append(f"{noun} {values.listed(shown)}")
    return ", ".join(parts)


def field_words(name: str) -> str:
    """Return short English for a field."""
    return "a condition that the file does not hold" if name == LOST else fields.field_words(name)
