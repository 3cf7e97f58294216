"""Filters of both sides in one order that is right on both: by effective weight, the first to match first."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.review.identity import Item

SIDES: Final = (0, 1)  # before, after
FIRST: Final = -(2**70)


class Rival(NamedTuple):
    """One filter of the layer: on the side before, on the side after, or the same on both."""

    before: Item | None
    after: Item | None

    @property
    def item(self) -> Item:
        """Return the filter, of the side after where it is on both."""
        found = self.after if self.after is not None else self.before
        if found is None:
            raise ValueError("a filter of no side")
        return found

    def on(self, side: int) -> Item | None:
        """Return the filter of one side."""
        return self.after if side else self.before


class Tie(NamedTuple):
    """Positions of the first and the last filter of one weight."""

    first: int
    last: int
    weight: int


class Ranks:
    """Where the filters of one side stand in their sublayer: the lowest rank is the first to match.

    The weight in force orders them; where a dump gives it for several alike, the class as given does (REFERENCE 4.1:
    its top four bits). Where a filter of some class has no weight in force, nobody knows the order inside that class.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._unordered = {_class(item) for item in items if item.effective is None}

    def of(self, item: Item) -> int | None:
        """Return the rank, None where nothing tells the place."""
        number = _class(item)
        if number is None:
            return None
        if number in self._unordered or item.effective is None:
            return -(number << 64)
        given = item.weight[1] if item.weight[0] == "UINT8" and item.weight[1] is not None else number
        return -(item.effective << 4 | given & 15)

    def or_first(self, item: Item) -> int:
        """Return the rank; a filter whose place nobody knows stands first of all."""
        found = self.of(item)
        return FIRST if found is None else found


def _class(item: Item) -> int | None:
    """Return the top four bits of the weight."""
    if item.effective is not None:
        return item.effective >> 60
    kind, number = item.weight
    return number & 15 if kind == "UINT8" and number is not None else None


def ranks(rivals: Iterable[Rival], side: int) -> Ranks:
    """Return the ranks of one side of one sublayer."""
    return Ranks(item for rival in rivals if (item := rival.on(side)) is not None)


def merged(rivals: Sequence[Rival], by_side: Sequence[Ranks]) -> list[Rival]:
    """Return filters in an order that is right on both sides.

    Filters that are on both sides keep their places to one another; one that does not is two filters.
    """
    before, after = by_side
    both = [
        (before.or_first(r.before), after.or_first(r.after), r)
        for r in rivals
        if r.before is not None and r.after is not None
    ]
    both.sort(key=lambda entry: entry[:2])
    kept = set(_longest_rising([entry[1] for entry in both]))
    anchors = [entry for at, entry in enumerate(both) if at in kept]
    moved = [entry[2] for at, entry in enumerate(both) if at not in kept]
    alone = [r for r in rivals if r.before is None or r.after is None]
    alone += [Rival(r.before, None) for r in moved] + [Rival(None, r.after) for r in moved]
    out: list[tuple[tuple[int, int, int], Rival]] = [((at, 1, 0), entry[2]) for at, entry in enumerate(anchors)]
    places = [[entry[side] for entry in anchors] for side in SIDES]
    for rival in alone:
        side = 0 if rival.before is not None else 1
        rank = by_side[side].or_first(rival.item)
        out.append(((bisect_left(places[side], rank), 0, rank), rival))
    return [rival for _, rival in sorted(out, key=lambda entry: entry[0])]


def _longest_rising(ranks: Sequence[int]) -> list[int]:
    """Return the positions of a longest part that does not fall."""
    ends: list[int] = []  # position of the smallest end of a part of each length
    values: list[int] = []
    before: list[int] = []
    for at, rank in enumerate(ranks):
        length = bisect_left(values, rank + 1)
        before.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [at]
        values[length : length + 1] = [rank]
    out = []
    at = ends[-1] if ends else -1
    while at >= 0:
        out.append(at)
        at = before[at]
    return out[::-1]


def ties(ordered: Sequence[Rival], side: int, by: Ranks) -> dict[int, Tie]:
    """Return position -> first and last position of filters of one rank that disagree on one side."""
    groups: dict[int, list[int]] = {}
    for at, rival in enumerate(ordered):
        item = rival.on(side)
        rank = None if item is None else by.of(item)
        if rank is not None:
            groups.setdefault(rank, []).append(at)
    out: dict[int, Tie] = {}
    for rank, places in groups.items():
        actions = {ordered[at].item.action for at in places}
        if len(actions) > 1:
            tie = Tie(places[0], places[-1], -rank >> 4)
            out |= dict.fromkeys(places, tie)
    return out
