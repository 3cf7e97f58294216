"""What the sublayers of a layer may say, and what the layer makes of it.

Each sublayer has a set of possible outcomes, and the layer a set of possible standings, both as bits of uint8; a table
leads from one standing to the next. The rules are those of REFERENCE 4.1 ([W32] filter-arbitration.md): a block
overrides a soft permit; a hard action stands; a soft block may be permitted further down; after a hard permit only a
callout's block (a veto) counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bits = NDArray[np.uint8]

# Outcomes of a sublayer.
NONE: Final = 1  # nothing in it decides
SOFT_PERMIT: Final = 2
HARD_PERMIT: Final = 4
SOFT_BLOCK: Final = 8  # by a callout: may be permitted further down, and is a veto after a hard permit
HARD_BLOCK: Final = 16  # by a filter: final, but no veto
CALLOUT_BLOCK: Final = 32  # a hard block by a callout: final, and a veto
BLOCKS: Final = SOFT_BLOCK | HARD_BLOCK | CALLOUT_BLOCK
PERMITS: Final = SOFT_PERMIT | HARD_PERMIT
CALLOUT: Final = PERMITS | SOFT_BLOCK | CALLOUT_BLOCK  # whatever a callout may return
SPECIAL: Final = HARD_PERMIT | SOFT_BLOCK | CALLOUT_BLOCK  # without these, the order of sublayers makes no difference

# Standings of the layer, from the highest sublayer down.
OPEN, PERMITTED, PERMITTED_HARD, BLOCKED_SOFT, BLOCKED = 1, 2, 4, 8, 16
ANY_STANDING: Final = 31
_AFTER: Final[dict[int, dict[int, int]]] = {
    NONE: {},
    SOFT_PERMIT: {OPEN: PERMITTED, BLOCKED_SOFT: PERMITTED},
    HARD_PERMIT: {OPEN: PERMITTED_HARD, PERMITTED: PERMITTED_HARD, BLOCKED_SOFT: PERMITTED_HARD},
    SOFT_BLOCK: {OPEN: BLOCKED_SOFT, PERMITTED: BLOCKED_SOFT, PERMITTED_HARD: BLOCKED},
    HARD_BLOCK: {OPEN: BLOCKED, PERMITTED: BLOCKED, BLOCKED_SOFT: BLOCKED},
    CALLOUT_BLOCK: {OPEN: BLOCKED, PERMITTED: BLOCKED, PERMITTED_HARD: BLOCKED, BLOCKED_SOFT: BLOCKED},
}
PERMIT, CANNOT_TELL, BLOCK = 1, 0, -1


def _table() -> Bits:
    """Return all sets of standings (32) by all sets of outcomes (64) -> set of standings after it."""
    table = np.zeros((32, 64), dtype=np.uint8)
    for standings in range(32):
        for outcomes in range(64):
            after = 0
            for outcome, moves in _AFTER.items():
                if outcomes & outcome:
                    for bit in (OPEN, PERMITTED, PERMITTED_HARD, BLOCKED_SOFT, BLOCKED):
                        after |= moves.get(bit, bit) if standings & bit else 0
            table[standings, outcomes] = after
    return table


_NEXT: Final = _table()
_OF_STANDING: Final = np.array(
    [
        CANNOT_TELL
        if not bits or (bits & (OPEN | PERMITTED | PERMITTED_HARD) and bits & (BLOCKED_SOFT | BLOCKED))
        else BLOCK
        if bits & (BLOCKED_SOFT | BLOCKED)
        else PERMIT  # what nothing blocks passes
        for bits in range(32)
    ],
    dtype=np.int8,
)


def _walk(outcomes: Sequence[Bits], order: Sequence[int], size: int) -> Bits:
    standing: Bits = np.full(size, OPEN, dtype=np.uint8)
    for place in order:
        standing = _NEXT[standing, outcomes[place]]
    return standing


def combine(outcomes: Sequence[Bits], orders: Sequence[Sequence[int]], size: int) -> NDArray[np.int8]:
    """Return ``PERMIT``, ``CANNOT_TELL`` or ``BLOCK`` for n flows.

    Parameters
    ----------
    outcomes : per sublayer the bits of n flows.
    orders : the orders in which the sublayers may stand, as places in ``outcomes``; none: too many to be tried.
    size : n.
    """
    first = orders[0] if orders else range(len(outcomes))
    standing = _walk(outcomes, first, size)
    if len(orders) != 1:
        every: Bits = np.zeros(size, dtype=np.uint8)
        for bits in outcomes:
            every |= bits
        special = np.flatnonzero(every & np.uint8(SPECIAL))
        if len(special):
            some = [bits[special] for bits in outcomes]
            for order in orders[1:]:
                standing[special] |= _walk(some, order, len(special))
            if not orders:
                standing[special] = ANY_STANDING
    out: NDArray[np.int8] = _OF_STANDING[standing]
    return out


MAX_ORDERS: Final = 120
MAX_FREE: Final = 32  # sublayers of one layer whose orders are looked for, where there are several


def orders_of(weights: Sequence[int | None]) -> tuple[tuple[int, ...], ...]:
    """Return the orders in which sublayers of these weights may stand, or none if they are more than ``MAX_ORDERS``.

    The greatest weight is first; equal ones have no order, and one that is not known may stand anywhere.
    """
    if None not in weights and len(set(weights)) == len(weights):
        return (tuple(sorted(range(len(weights)), key=lambda place: -(weights[place] or 0))),)
    if len(weights) > MAX_FREE:
        return ()
    found: list[tuple[int, ...]] = []
    open_ends: list[tuple[int, ...]] = [()]
    while open_ends:
        begun = open_ends.pop()
        rest = [place for place in range(len(weights)) if place not in begun]
        if not rest:
            found.append(begun)
        top = max((weight for place in rest if (weight := weights[place]) is not None), default=None)
        open_ends.extend((*begun, place) for place in rest if weights[place] in (None, top))
        if len(found) + len(open_ends) > MAX_ORDERS:
            return ()
    return tuple(found)
