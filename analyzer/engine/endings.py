"""What a record tells of filters: which one ended its sublayer, and so which ones did not.

A record that names the filter that decided tells more than its own conditions (REFERENCE 4.1): whatever stands before
that filter in its sublayer did not match, although the record may not hold what it asks for; and a block names the
blocker of the highest blocking sublayer, so no filter of a higher one has blocked. Of lower sublayers it tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.engine.answers import CANNOT_TELL, NO, YES
from analyzer.engine.outcomes import BLOCK, BLOCKS, HARD_BLOCK, HARD_PERMIT, PERMIT, PERMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.engine.answers import Answers
    from analyzer.engine.policy import Layer, Place, Policy, Sublayer

COLUMN: Final = "ending"  # of events: an ``Ending`` or None


@dataclass(frozen=True, slots=True)
class Ending:
    """Rows of the filters that ended their sublayer, and of those that did not.

    It holds for the policy that it was made from, and for the same with more filters: one that is added may end a
    sublayer before its time, and never brings another to its end.
    """

    ended: frozenset[int]
    passed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Endings:
    """An :class:`Ending` per flow as a code: ``codes`` int32 (n,), -1 for none; shape (0,) where no flow has one."""

    codes: NDArray[np.int32]
    told: tuple[Ending, ...]

    def take(self, rows: NDArray[np.intp]) -> Endings:
        """Return those of these rows."""
        return Endings(self.codes[rows], self.told) if len(self.codes) else self

    def by_row(self) -> dict[int, NDArray[np.int8]]:
        """Return row -> what is told of this filter by each code, the last for none: YES it ended, NO it did not."""
        out: dict[int, NDArray[np.int8]] = {}
        for code, ending in enumerate(self.told):
            for rows, said in ((ending.ended, YES), (ending.passed, NO)):
                for row in rows:
                    out.setdefault(row, np.zeros(len(self.told) + 1, dtype=np.int8))[code] = said
        return out

    def heard(self, table: NDArray[np.int8], answer: Answers) -> Answers:
        """Return a filter's answers with what is told of it: what ended matched, what did not stands aside."""
        said = table[self.codes]
        out: Answers = np.where(said == NO, NO, np.where((said == YES) & (answer == CANNOT_TELL), YES, answer))
        return out.astype(np.int8)


NOTHING_TOLD: Final = Endings(np.zeros(0, dtype=np.int32), ())


def coded(values: Sequence[object]) -> Endings:
    """Code what is told of n flows; anything but an :class:`Ending` is nothing."""
    places: dict[Ending, int] = {}
    codes = [places.setdefault(item, len(places)) if isinstance(item, Ending) else -1 for item in values]
    return Endings(np.array(codes, dtype=np.int32), tuple(places)) if places else NOTHING_TOLD


def ending(policy: Policy, row: int, action: int) -> Ending | None:
    """Return what a record tells that names the filter at ``row`` and its ``action`` (``PERMIT`` or ``BLOCK``).

    None where the filter can't have done that, or where it stands is not known. Whether the record means this filter
    at all, and whether the policy is the one of its time, is for the caller to know.
    """
    place = policy.places.get(row)
    if place is None:
        return None
    layer = policy.layers[place.layer]
    own = layer.sublayers[place.sublayer]
    effect = own.effects[place.filter]
    if not effect.bits & (BLOCKS if action == BLOCK else PERMITS):
        return None
    others = _others(layer, place, action)
    # What a callout does next time is its own affair: it is not said to end the sublayer again.
    ended = frozenset([row]) if effect.ends and not effect.callout else frozenset[int]()
    return Ending(ended, frozenset([*_before(own, place), *others]))


def _before(own: Sublayer, place: Place) -> list[int]:
    """Return the filters of greater weight in the same sublayer; equal ones and those without one may stand after."""
    rank = int(own.rank[place.filter])
    rows: list[int] = own.rows[(own.rank >= 0) & (own.rank < rank)].tolist()
    return rows


def _others(layer: Layer, place: Place, action: int) -> Iterator[int]:
    """Yield the filters of other sublayers that can't have ended them, since the record would be another."""
    own = layer.sublayers[place.sublayer]
    if action == BLOCK and own.effects[place.filter].bits == HARD_BLOCK and own.key is not None:
        # No callout's veto: so nothing above has permitted for good, and a filter's block there would be named.
        for other in layer.sublayers:
            if other.key is not None and None not in (own.weight, other.weight) and _above(other, own):
                yield from _only(other, HARD_BLOCK | HARD_PERMIT)
    elif action == PERMIT and not any(_hard_permit(other) for other in layer.sublayers):
        for other in layer.sublayers:
            yield from _only(other, HARD_BLOCK)


def _above(other: Sublayer, own: Sublayer) -> bool:
    return (other.weight or 0) > (own.weight or 0)


def _hard_permit(sublayer: Sublayer) -> bool:
    return any(effect.bits & HARD_PERMIT for effect in sublayer.effects)


def _only(sublayer: Sublayer, bits: int) -> Iterator[int]:
    """Yield the filters that can do nothing else than this."""
    for row, effect in zip(sublayer.rows.tolist(), sublayer.effects, strict=True):
        if not effect.bits & ~bits:
            yield row
