"""The dimensions of a layer's space, cut where some filter cuts them: each axis is a short row of atoms.

An atom is a set of values that no filter tells apart, so a set on an axis is the bits of one number. Kinds of axes:

========  =====================================================================================================
spans     numbers and addresses; an atom is a span of them
choice    programs, packages: an atom is one value that some filter names, the last one all others
switch    yes or no, an atom each (no first): a user descriptor holds for the token, or a bit of a flag field is set
oracle    what nobody can tell from the files: whether a condition holds, what a callout decides, which of two filters
          of one weight comes first
========  =====================================================================================================
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from analyzer.review.conditions import DESCRIPTOR, Condition, descriptor_key, merged, span_of
from analyzer.wfp import fields as wfp_fields

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from analyzer.review.conditions import Span

AxisKind: TypeAlias = Literal["spans", "choice", "switch", "oracle"]
Box: TypeAlias = "dict[int, int]"  # axis -> bits of its atoms; an axis that is not there is not limited

# Two fields that are one for a new connection: exposure speaks of those alone.
PROFILE: Final = "PROFILE"
SAME_FIELD: Final[dict[str, str]] = {"ORIGINAL_PROFILE_ID": PROFILE, "CURRENT_PROFILE_ID": PROFILE}
HIGHEST: Final[dict[str, int]] = {
    "IP_PROTOCOL": 255,
    "IP_LOCAL_PORT": 65535,
    "IP_REMOTE_PORT": 65535,
    "ORIGINAL_ICMP_TYPE": 65535,
    PROFILE: 3,
}
_ADDRESS: Final[dict[int, int]] = {4: 2**32 - 1, 6: 2**128 - 1}
_UINT64: Final = 2**64 - 1
# What people ask of a packet, and first in the diagram: it tells filters apart best. Behind it the rest (packages,
# interfaces, flags, users), which many filters ask in turn, and the oracles.
MAIN_FIELDS: Final = (
    *("ALE_APP_ID", "IP_PROTOCOL", "IP_LOCAL_PORT", "IP_REMOTE_PORT", "ORIGINAL_ICMP_TYPE"),
    *("IP_LOCAL_ADDRESS", "IP_REMOTE_ADDRESS", PROFILE),
)
_EQUAL: Final = frozenset({"EQUAL", "EQUAL_CASE_INSENSITIVE"})
MAX_CLAUSES: Final = 64  # boxes that one filter may be made of; more, and its conditions are not told apart
OTHER_BITS: Final = -1  # the switch "some bit is set that no filter names"


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension. ``detail`` is the bit or the descriptor of a switch, the reason of an oracle."""

    field: str
    kind: AxisKind
    atoms: tuple[Any, ...]
    family: int = 0
    detail: Any = None

    @property
    def full(self) -> int:
        """Return the bits of all atoms."""
        return (1 << len(self.atoms)) - 1


def field_of(condition: Condition) -> str:
    """Return the field that a condition is on, the two profile fields as one."""
    return SAME_FIELD.get(condition.field, condition.field)


def _is_flags(condition: Condition) -> bool:
    return (condition.match or "").startswith("FLAGS_") and isinstance(condition.value, int)


def _is_descriptor(condition: Condition) -> bool:
    return (
        condition.type == DESCRIPTOR
        and isinstance(condition.value, str)
        and (condition.match in _EQUAL or condition.match == "NOT_EQUAL")
    )


@dataclass(slots=True)
class Space:
    """All axes of one layer, in the order in which the diagram asks for them."""

    family: int
    axes: list[Axis] = field(default_factory=list)
    index: dict[Hashable, int] = field(default_factory=dict)
    flag_bits: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _cuts: dict[str, list[int]] = field(default_factory=dict)
    _values: dict[str, dict[Any, int]] = field(default_factory=dict)

    def add(self, key: Hashable, axis: Axis) -> None:
        """Add an axis at the end."""
        self.index[key] = len(self.axes)
        self.axes.append(axis)

    @property
    def first_detail(self) -> int:
        """Return the position of the first axis behind the main fields."""
        main = (at for at, axis in enumerate(self.axes) if axis.field not in MAIN_FIELDS or axis.kind == "switch")
        return next(main, len(self.axes))

    @property
    def first_oracle(self) -> int:
        """Return the position of the first oracle."""
        return next((at for at, axis in enumerate(self.axes) if axis.kind == "oracle"), len(self.axes))

    # ------------------------------------------------------------------------------------------- what is asked

    def alternatives(self, name: str, asked: Sequence[Condition]) -> list[Box] | None:
        """Return the boxes in which one of a field's conditions holds; None where an oracle has to tell.

        An empty list: none can hold.
        """
        boxes: list[Box] = []
        bits = 0
        for condition in asked:
            if _is_descriptor(condition):
                at = self.index["descriptor", name, descriptor_key(condition.value)]
                boxes.append({at: 0b10 if condition.match in _EQUAL else 0b01})
            elif name in self.flag_bits:
                found = self._flags(name, condition)
                if found is None:
                    return None
                boxes.extend(found)
            else:
                mask = self._mask(name, condition)
                if mask is None:
                    return None
                bits |= mask
        if bits:
            at = self.index[name]
            boxes.append({at: bits} if bits != self.axes[at].full else {})
        return [{}] if {} in boxes else boxes

    def _mask(self, name: str, condition: Condition) -> int | None:
        """Return the bits of the atoms for which a condition holds, or None where that cannot be told."""
        at = self.index.get(name)
        if at is None or condition.lost:
            return None
        axis = self.axes[at]
        if axis.kind == "spans":
            spans = spans_where(condition, self.highest(name, axis.family), axis.family)
            return None if spans is None else self._bits(name, spans)
        if condition.match in _EQUAL or condition.match == "NOT_EQUAL":
            known = self._values[name].get(choice_key(condition))
            if known is not None:
                return 1 << known if condition.match in _EQUAL else axis.full & ~(1 << known)
        return None

    def highest(self, name: str, family: int) -> int:
        """Return the highest value on an axis of spans."""
        return _ADDRESS[family] if family else HIGHEST.get(name, _UINT64)

    def _bits(self, name: str, spans: Sequence[Span]) -> int:
        cuts = self._cuts[name]
        out = 0
        for low, high in spans:
            first, last = bisect_left(cuts, low), bisect_left(cuts, high + 1)
            out |= ((1 << (last - first)) - 1) << first
        return out

    def _flags(self, name: str, condition: Condition) -> list[Box] | None:
        """Return boxes over the switches of a flag field; None where a match type fits no flags."""
        value, match = condition.value, condition.match
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        bits = [bit for bit in self.flag_bits[name] if bit != OTHER_BITS]
        at = {bit: self.index["bit", name, bit] for bit in self.flag_bits[name]}
        asked = [bit for bit in bits if value >> bit & 1]
        exact = {at[bit]: 0b10 if bit in asked else 0b01 for bit in bits} | {at[OTHER_BITS]: 0b01}
        known: dict[str, list[Box]] = {
            "FLAGS_ALL_SET": [{at[bit]: 0b10 for bit in asked}],
            "FLAGS_NONE_SET": [{at[bit]: 0b01 for bit in asked}],
            "FLAGS_ANY_SET": [{at[bit]: 0b10} for bit in asked],
            "EQUAL": [exact],
            "NOT_EQUAL": [{axis: 0b11 & ~mask} for axis, mask in exact.items()],
        }
        return known.get(match or "")

    def set_atoms(self, name: str, conditions: Sequence[Condition]) -> None:
        """Add the axis of one field that holds spans or choices."""
        spanned = [c for c in conditions if span_of(c.value) is not None]
        if spanned and len(spanned) * 2 >= len(conditions):
            family = self.family if any(span_of(c.value)[0] for c in spanned) else 0  # type: ignore[index]
            highest = self.highest(name, family)
            cuts = {0, highest + 1}
            for condition in spanned:
                for low, high in spans_where(condition, highest, family) or ():
                    cuts.update((low, high + 1))
            self._cuts[name] = ordered = sorted(cuts)
            atoms = tuple((low, high - 1) for low, high in itertools.pairwise(ordered))
            self.add(name, Axis(name, "spans", atoms, family))
            return
        values = dict.fromkeys(choice_key(c) for c in conditions if isinstance(c.value, (str, bytes)))
        if values:
            self._values[name] = {value: at for at, value in enumerate(values)}
            shown = {choice_key(c): c for c in reversed(conditions) if isinstance(c.value, (str, bytes))}
            self.add(name, Axis(name, "choice", (*(shown[value] for value in values), None)))


def choice_key(condition: Condition) -> Any:
    """Return what values of a choice are compared by: programs without case."""
    value = condition.value
    folded = condition.field in wfp_fields.PATH_FIELDS or condition.match == "EQUAL_CASE_INSENSITIVE"
    return value.lower() if isinstance(value, str) and folded else value


def spans_where(condition: Condition, highest: int, family: int) -> list[Span] | None:
    """Return the spans from 0 to ``highest`` where a condition holds; None where its match type fits no span.

    An address of the other family never matches, and is never unequal to one of this family without matching.
    """
    found = span_of(condition.value)
    if found is None:
        return None
    own, (low, high) = found
    match = condition.match
    outside = match in ("NOT_EQUAL", "NOT_PREFIX")
    if own != family:
        return [(0, highest)] if outside else []
    if match in ("EQUAL", "RANGE", "EQUAL_CASE_INSENSITIVE") or (family and match == "PREFIX"):
        spans = [(low, high)]
    elif match == "NOT_EQUAL" or (family and match == "NOT_PREFIX"):
        spans = [(0, low - 1), (high + 1, highest)]
    elif low == high and match in ("GREATER", "GREATER_OR_EQUAL"):
        spans = [(low + (match == "GREATER"), highest)]
    elif low == high and match in ("LESS", "LESS_OR_EQUAL"):
        spans = [(0, high - (match == "LESS"))]
    else:
        return None
    return list(merged((max(first, 0), min(last, highest)) for first, last in spans))


def cut(conditions: Iterable[Condition], family: int) -> Space:
    """Return the axes of a layer from all conditions of its filters; oracles are added later."""
    by_field: dict[str, list[Condition]] = {}
    for condition in dict.fromkeys(conditions):
        if not condition.lost:
            by_field.setdefault(field_of(condition), []).append(condition)
    space = Space(family)
    uses = Counter({name: len(found) for name, found in by_field.items()})
    last = len(MAIN_FIELDS)
    rank = {name: at for at, name in enumerate(MAIN_FIELDS)}
    names = sorted(by_field, key=lambda name: (rank.get(name, last), -uses[name], name))
    late: list[tuple[Hashable, Axis]] = []
    for name in names:
        found = by_field[name]
        descriptors = [c for c in found if _is_descriptor(c)]
        late.extend(
            (("descriptor", name, key), Axis(name, "switch", (False, True), detail=condition))
            for key, condition in {descriptor_key(c.value): c for c in reversed(descriptors)}.items()
        )
        plain = [c for c in found if not _is_descriptor(c)]
        if any(_is_flags(c) for c in plain):
            mask = 0
            for condition in plain:
                mask |= condition.value if isinstance(condition.value, int) else 0
            space.flag_bits[name] = (*(bit for bit in range(mask.bit_length()) if mask >> bit & 1), OTHER_BITS)
            late[:0] = [
                (("bit", name, bit), Axis(name, "switch", (False, True), detail=bit)) for bit in space.flag_bits[name]
            ]
        elif plain:
            space.set_atoms(name, plain)
    for key, axis in late:
        space.add(key, axis)
    return space
