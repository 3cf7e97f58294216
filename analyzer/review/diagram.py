"""Where two policies decide differently: a decision diagram over a layer's space, exact and without sampling.

Walking axis by axis, a node is what is still open: the filters of each side that may match. Filters that can no longer
matter are dropped, and where the same are left on both sides nothing can differ. Nodes that leave the same are one, so
the work grows with what is different, not with the space.

A leaf holds what may happen there: ``SAME``, ``BLOCKED`` (newly) and ``ALLOWED`` (newly) as bits; more than one where
an oracle decides, with the oracles' axes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from analyzer.review.policy import Band

if TYPE_CHECKING:
    from analyzer.review.policy import Policy

SAME: Final = 1
BLOCKED: Final = 2
ALLOWED: Final = 4

DECIDED_BLOCK: Final = -1  # what is left of a side that blocks whatever comes; one that allows has no bits
MAX_WORK: Final = 2_500_000  # steps for one layer: looked-at edges, and some more for each node that is kept
NODE: Final = 3
WIDE: Final = 512  # clauses; bits of more of them take longer to handle, and more room
MAX_AXES: Final = 600  # the depth of the walk


class TooComplexError(Exception):
    """The two policies differ in more ways than can be worked out within the limit."""


class Leaf(NamedTuple):
    """What may happen, and the axes of the oracles that decide on it."""

    outcomes: int
    oracles: frozenset[int] = frozenset()


NOTHING: Final = Leaf(SAME)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An axis, and for each set of its atoms what follows."""

    axis: int
    edges: tuple[tuple[int, Tree], ...]


Tree: TypeAlias = "Node | Leaf"


def differences(policy: Policy, *, most: int = MAX_WORK) -> Tree:
    """Return the diagram of where the two sides of a layer differ.

    Raises
    ------
    TooComplexError
        More than ``most`` edges would have to be looked at.
    """
    return Walk(policy, most).run()


@dataclass(slots=True)
class Walk:
    """One walk over a policy; ``spent`` counts the edges that were looked at."""

    policy: Policy
    most: int
    classes: list[list[tuple[int, int]]] = field(default_factory=list)  # axis -> (clauses that take it, atoms)
    limited: list[int] = field(default_factory=list)  # axis -> clauses that it limits
    later: list[int] = field(default_factory=list)  # axis -> clauses that it or a later one limits
    spent: int = 0
    nodes: dict[tuple[int, int, int], Tree] = field(default_factory=dict)
    unique: dict[tuple[int, tuple[tuple[int, Tree], ...]], Node] = field(default_factory=dict)
    verdicts: dict[tuple[int, int, int], Leaf] = field(default_factory=dict)
    reduced: dict[tuple[int, int, int], int] = field(default_factory=dict)
    oracles: int = 0

    def run(self) -> Tree:
        """Walk all axes."""
        if len(self.policy.space.axes) > MAX_AXES:
            raise TooComplexError(f"its filters are told apart by {len(self.policy.space.axes):,} questions")
        self.oracles = self.policy.space.first_oracle
        self._index()
        before, after = (self._reduce(side, self.policy.alive(side), 0) for side in (0, 1))
        return self._node(0, before, after)

    def _index(self) -> None:
        clauses = self.policy.clauses
        everything = (1 << len(clauses)) - 1
        for at, axis in enumerate(self.policy.space.axes):
            limited = 0
            takes = [0] * len(axis.atoms)
            for bit, clause in enumerate(clauses):
                atoms = clause.box.get(at)
                if atoms is None:
                    continue
                own = 1 << bit
                limited |= own
                self._spend(atoms.bit_count())
                while atoms:
                    low = atoms & -atoms
                    takes[low.bit_length() - 1] |= own
                    atoms ^= low
            free = everything & ~limited
            grouped: dict[int, int] = {}
            for atom, own in enumerate(takes):
                grouped[free | own] = grouped.get(free | own, 0) | 1 << atom
            self.classes.append(list(grouped.items()))
            self.limited.append(limited)
        rest = 0
        for limited in reversed(self.limited):
            rest |= limited
            self.later.append(rest)
        self.later.reverse()
        self.later.append(0)

    def _spend(self, steps: int) -> None:
        self.spent += steps * (1 + len(self.policy.clauses) // WIDE)
        if self.spent > self.most:
            raise TooComplexError("too many filters differ in too many ways")

    # ----------------------------------------------------------------------------------------------- the walk

    def _node(self, axis: int, before: int, after: int) -> Tree:
        if before == after:
            return NOTHING
        if before <= 0 and after <= 0:
            return Leaf(ALLOWED if before else BLOCKED)
        live = max(before, 0) | max(after, 0)
        while not self.limited[axis] & live:
            axis += 1
        if axis >= self.oracles:
            return self._verdict(axis, before, after)
        key = (axis, before, after)
        found = self.nodes.get(key)
        if found is None:
            found = self.nodes[key] = self._grown(axis, before, after)
        return found

    def _parted(self, axis: int, before: int, after: int) -> dict[tuple[int, int], int]:
        """Return what is left on both sides -> the atoms of an axis that leave it."""
        classes = self.classes[axis]
        self._spend(len(classes) + NODE)
        out: dict[tuple[int, int], int] = {}
        for takes, atoms in classes:
            left = (before & takes if before > 0 else before, after & takes if after > 0 else after)
            out[left] = out.get(left, 0) | atoms
        return out

    def _grown(self, axis: int, before: int, after: int) -> Tree:
        children: dict[Tree, int] = {}
        for (one, two), atoms in self._parted(axis, before, after).items():
            child = self._node(axis + 1, self._reduce(0, one, axis + 1), self._reduce(1, two, axis + 1))
            children[child] = children.get(child, 0) | atoms
        if len(children) == 1:
            return next(iter(children))
        edges = tuple(sorted(((atoms, child) for child, atoms in children.items()), key=lambda edge: edge[0]))
        key = (axis, edges)
        node = self.unique.get(key)
        if node is None:
            node = self.unique[key] = Node(axis, edges)
        return node

    def _verdict(self, axis: int, before: int, after: int) -> Leaf:
        """Return what may happen where only oracles are left to ask."""
        if before == after:
            return NOTHING
        if before <= 0 and after <= 0:
            return Leaf(ALLOWED if before else BLOCKED)
        live = max(before, 0) | max(after, 0)
        while not self.limited[axis] & live:
            axis += 1
        key = (axis, before, after)
        found = self.verdicts.get(key)
        if found is not None:
            return found
        told = {
            self._verdict(axis + 1, self._reduce(0, one, axis + 1), self._reduce(1, two, axis + 1))
            for one, two in self._parted(axis, before, after)
        }
        outcomes = 0
        asked: set[int] = set() if len(told) == 1 else {axis}
        for leaf in told:
            outcomes |= leaf.outcomes
            asked |= leaf.oracles
        leaf = Leaf(outcomes) if outcomes in (SAME, BLOCKED, ALLOWED) else Leaf(outcomes, frozenset(asked))
        self.verdicts[key] = leaf
        return leaf

    # ------------------------------------------------------------------------------------- what can still matter

    def _reduce(self, side: int, alive: int, axis: int) -> int:
        """Drop the filters of one side that can no longer decide; ``axis`` is the next that is asked for."""
        if alive <= 0:
            return alive
        key = (side, alive, axis)
        found = self.reduced.get(key)
        if found is None:
            found = self.reduced[key] = _reduced(self.policy.bands[side], alive, self.later[axis])
        return found


def _reduced(bands: tuple[Band, ...], alive: int, still_open: int) -> int:
    out = blocking = 0
    overruled = False  # a hard permit of a higher sublayer matches for sure: blocks here only end their sublayer
    doubtful = False  # one may match
    for band in bands:
        here = Band(band.bits, 0, band.veto, band.permit | band.block | band.hard, 0) if overruled else band
        own = _band_reduced(here, alive & band.bits, still_open)
        if not own:
            continue
        first = own & -own
        if not first & still_open:
            if first & here.veto or (first & here.block and not doubtful):
                return DECIDED_BLOCK
            overruled = overruled or bool(first & here.hard)
        doubtful = doubtful or bool(own & here.hard)
        blocking |= own & (here.block | here.veto)
        out |= own
    return out if blocking else 0


def _band_reduced(band: Band, own: int, still_open: int) -> int:
    """Return what can still decide of one sublayer's clauses, the first to match in the lowest bit."""
    sure = own & ~still_open
    if sure:
        own &= ((sure & -sure) << 1) - 1  # nothing comes after the first that matches for sure
    telling = own & ~band.permit  # a permit at the end says what no match at all says
    own &= (1 << telling.bit_length()) - 1
    if not own:
        return 0
    last = 1 << (own.bit_length() - 1)
    if last & ~still_open:
        effect = band.block if last & band.block else band.hard if last & band.hard else band.veto
        others = own & ~effect  # what may match before and does the same adds nothing
        own = own & ((1 << others.bit_length()) - 1) | last
    return own
