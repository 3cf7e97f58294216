"""Boxes out of a diagram: as few as joining makes them, the largest first.

``regions`` are exact and disjoint over all axes, and may be many: service hardening alone tells fifty services apart.
``entries`` are for people: exact and disjoint in the main fields (program, protocol, ports, addresses, profile); of the
other axes each has what all of it has in common, and ``whole`` tells whether that is all there is to say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from analyzer.review.diagram import ALLOWED, BLOCKED, NOTHING, SAME, Leaf, Node
from analyzer.wfp import sids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.review.axes import Axis, Box, Space
    from analyzer.review.diagram import Tree

MAX_BOXES: Final = 20_000  # of one layer
# How much of an axis one named value stands for, where values cannot be counted: it orders, it does not measure.
_ONE_OF_MANY: Final = 0.001
_NO_PACKAGE: Final = 0.9  # most programs come in no app package
UNCLEAR: Final = 8  # what a leaf of more than one outcome comes to
SURE: Final = frozenset({BLOCKED, ALLOWED})
Limits: TypeAlias = "tuple[tuple[int, int], ...]"  # a box as a key: axis and bits, in order


class Told(NamedTuple):
    """What holds of everything in a box beside the main fields; ``whole``: and of nothing else.

    ``outcomes`` are bits of :mod:`analyzer.review.diagram`; ``oracles`` the axes of what nobody can tell.
    """

    limits: Limits
    whole: bool
    outcomes: int
    oracles: frozenset[int]


@dataclass(frozen=True, slots=True)
class Region:
    """One box of a layer's space and what may happen in it; ``share`` is about its part of the space, 0 to 1."""

    box: Box
    leaf: Leaf
    share: float
    whole: bool = True


def outcome_of(leaf: Leaf) -> int:
    """Return BLOCKED, ALLOWED, SAME or UNCLEAR."""
    return leaf.outcomes if leaf.outcomes in (SAME, BLOCKED, ALLOWED) else UNCLEAR


# ------------------------------------------------------------------------------------------------------- for people


def entries(tree: Tree, space: Space, outcome: int, *, most: int = MAX_BOXES) -> tuple[list[Region], int]:
    """Return the boxes of one outcome, and the number of those left out beyond ``most`` (before joining).

    Boxes that differ in exceptions alone (all services but some) are told together, as a part of their sum.
    """
    main = _Telling(space.axes, space.first_detail, outcome).main(tree)
    if main is None:
        return [], 0
    alike: dict[tuple[Limits, int], _Alike] = {}
    total = 0
    for limits, told in _main_paths(main):
        total += 1
        if total > most:
            continue
        key = (tuple(limit for limit in told.limits if _selects(space.axes, *limit)), told.outcomes)
        alike.setdefault(key, _Alike()).add(limits, told)
    out = []
    for found in alike.values():
        told = _common(found.told, space.axes)
        for limits in _joined(found.boxes, space.axes):
            box = dict((*limits, *told.limits))
            out.append(Region(box, Leaf(told.outcomes, told.oracles), share(box, space.axes), told.whole))
    out.sort(key=lambda region: (-region.share, sorted(region.box.items())))
    return out, max(total - most, 0)


def _selects(axes: Sequence[Axis], axis: int, atoms: int) -> bool:
    """Tell a limit that chooses a part, as opposed to one that leaves out a part."""
    return _part(axes[axis], atoms) < 0.5


@dataclass(slots=True)
class _Alike:
    """Boxes of the main fields whose details choose alike."""

    boxes: list[Limits] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    def add(self, limits: Limits, told: Told) -> None:
        self.boxes.append(limits)
        if told not in self.told:
            self.told.append(told)


def _common(told: Sequence[Told], axes: Sequence[Axis]) -> Told:
    """Return what holds of all: limits that all have, widened to all."""
    limits = dict(told[0].limits)
    outcomes, oracles = told[0].outcomes, told[0].oracles
    for other in told[1:]:
        own = dict(other.limits)
        limits = {axis: atoms | own[axis] for axis, atoms in limits.items() if axis in own}
        outcomes |= other.outcomes
        oracles |= other.oracles
    left = tuple((axis, atoms) for axis, atoms in sorted(limits.items()) if atoms != axes[axis].full)
    return Told(left, len(told) == 1 and told[0].whole, outcomes, oracles)


class _Branch(NamedTuple):
    """A node of the main fields, seen for one outcome; edges that lead to none of it are not there."""

    axis: int
    edges: tuple[tuple[int, _Branch | Told], ...]


def _main_paths(main: _Branch | Told) -> Iterator[tuple[Limits, Told]]:
    stack: list[tuple[_Branch | Told, Limits]] = [(main, ())]
    while stack:
        item, limits = stack.pop()
        if isinstance(item, Told):
            yield limits, item
        else:
            stack.extend((child, (*limits, (item.axis, atoms))) for atoms, child in item.edges)


@dataclass(slots=True)
class _Telling:
    """Sees a diagram for one outcome."""

    axes: Sequence[Axis]
    first_detail: int
    outcome: int
    mains: dict[int, _Branch | Told | None] = field(default_factory=dict)
    details: dict[int, Told | None] = field(default_factory=dict)
    known: dict[_Branch, _Branch] = field(default_factory=dict)

    def main(self, tree: Tree) -> _Branch | Told | None:
        """Return the main part of a diagram, None where the outcome is not met."""
        if isinstance(tree, Leaf) or tree.axis >= self.first_detail:
            return self.detail(tree)
        if id(tree) in self.mains:
            return self.mains[id(tree)]
        grouped: dict[_Branch | Told, int] = {}
        for atoms, child in tree.edges:
            found = self.main(child)
            if found is not None:
                grouped[found] = grouped.get(found, 0) | atoms
        made: _Branch | Told | None = None
        if grouped:
            whole = sum(atoms for atoms, _ in tree.edges)
            if len(grouped) == 1 and next(iter(grouped.values())) == whole:
                made = next(iter(grouped))
            else:
                branch = _Branch(tree.axis, tuple(sorted(((a, c) for c, a in grouped.items()), key=lambda e: e[0])))
                made = self.known.setdefault(branch, branch)
        self.mains[id(tree)] = made
        return made

    def detail(self, tree: Tree) -> Told | None:
        """Return what is common to all of the outcome below a node behind the main fields."""
        if isinstance(tree, Leaf):
            if outcome_of(tree) != self.outcome:
                return None
            return Told((), whole=True, outcomes=tree.outcomes, oracles=tree.oracles)
        if id(tree) not in self.details:
            self.details[id(tree)] = self._common(tree)
        return self.details[id(tree)]

    def _common(self, tree: Node) -> Told | None:
        met = [(atoms, found) for atoms, child in tree.edges if (found := self.detail(child)) is not None]
        if not met:
            return None
        told = _common(list(dict.fromkeys(found for _, found in met)), self.axes)
        own = sum(atoms for atoms, _ in met)  # the edges of a node share no atom
        if own == sum(atoms for atoms, _ in tree.edges):
            return told
        return told._replace(limits=tuple(sorted((*told.limits, (tree.axis, own)))))


# ------------------------------------------------------------------------------------------------------------ exact


def count(tree: Tree) -> int:
    """Return the number of exact boxes before they are joined."""
    known: dict[int, int] = {}

    def paths(item: Tree) -> int:
        if isinstance(item, Leaf):
            return int(item != NOTHING)
        found = known.get(id(item))
        if found is None:
            found = known[id(item)] = sum(paths(child) for _, child in item.edges)
        return found

    return paths(tree)


def regions(tree: Tree, space: Space, *, most: int = MAX_BOXES) -> tuple[list[Region], int]:
    """Return the exact boxes where something changes, joined, and the number of those left out beyond ``most``."""
    by_leaf: dict[Leaf, list[Limits]] = {}
    for number, (limits, leaf) in enumerate(_paths(tree)):
        if number >= most:
            break
        by_leaf.setdefault(leaf, []).append(limits)
    out = [
        Region(dict(limits), leaf, share(dict(limits), space.axes))
        for leaf, found in by_leaf.items()
        for limits in _joined(found, space.axes)
    ]
    out.sort(key=lambda region: (-region.share, sorted(region.box.items())))
    return out, max(count(tree) - most, 0)


def _paths(tree: Tree) -> Iterator[tuple[Limits, Leaf]]:
    stack: list[tuple[Tree, Limits]] = [(tree, ())]
    while stack:
        item, limits = stack.pop()
        if isinstance(item, Node):
            stack.extend((child, (*limits, (item.axis, atoms))) for atoms, child in item.edges)
        elif item != NOTHING:
            yield limits, item


# ---------------------------------------------------------------------------------------------------------- joining


def _joined(boxes: Sequence[Limits], axes: Sequence[Axis]) -> list[Limits]:
    """Join disjoint boxes that differ on one axis alone, until none are left that do."""
    current = list(boxes)
    while True:
        before = len(current)
        for axis in sorted({at for box in current for at, _ in box}, reverse=True):
            current = _joined_on(axis, axes[axis].full, current)
        if len(current) == before:
            return current


def _joined_on(axis: int, full: int, boxes: list[Limits]) -> list[Limits]:
    out: list[Limits] = []
    groups: dict[Limits, int] = {}
    for box in boxes:
        rest = tuple(limit for limit in box if limit[0] != axis)
        if len(rest) == len(box):
            out.append(box)
        else:
            atoms = next(limit[1] for limit in box if limit[0] == axis)
            groups[rest] = groups.get(rest, 0) | atoms
    for rest, atoms in groups.items():
        out.append(rest if atoms == full else tuple(sorted((*rest, (axis, atoms)))))
    return out


def share(box: Box, axes: Sequence[Axis]) -> float:
    """Return about which part of the space a box is: a product over its axes."""
    return math.prod(_part(axes[at], atoms) for at, atoms in box.items())


def _part(axis: Axis, atoms: int) -> float:
    if axis.kind == "spans":
        chosen = sum(high - low + 1 for at, (low, high) in enumerate(axis.atoms) if atoms >> at & 1)
        return float(chosen / (axis.atoms[-1][1] + 1))
    if axis.kind != "choice":
        return _ONE_OF_MANY if atoms == 0b10 else 1 - _ONE_OF_MANY
    parts = [
        0.0 if value is None else _NO_PACKAGE if value.value == sids.NULL_SID else _ONE_OF_MANY for value in axis.atoms
    ]
    parts[-1] = max(1.0 - sum(parts), 0.05)  # all others
    return math.fsum(part for at, part in enumerate(parts) if atoms >> at & 1)
