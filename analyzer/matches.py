"""The best match of each event: what one state or the history offers, and which offer is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.checks import Check, Checked
from analyzer.reasons import Rank

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class Best:
    """The best match so far, per event."""

    rank: NDArray[np.int64]
    row: NDArray[np.int64]
    bits: NDArray[np.int64]
    failing: NDArray[np.int64]
    state: NDArray[np.int64]
    distance: NDArray[np.int64]
    disputed: NDArray[np.bool_]  # another fitting state held a filter of another kind
    life: NDArray[np.int64]  # the lifetime of the history that speaks for the match, or against it
    other: NDArray[np.int64]  # a state that holds another filter under the id than the history

    @classmethod
    def none(cls, count: int) -> Best:
        """Return "no match" for every event."""
        minus = np.full(count, -1, dtype=np.int64)
        far = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
        zero, no = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
        return cls(zero.copy(), minus.copy(), zero, minus.copy(), minus.copy(), far, no, minus.copy(), minus.copy())


@dataclass(frozen=True, slots=True)
class Offer:
    """The matches of one state, or of the history (``state`` -1), for some of the events."""

    rank: NDArray[np.int64]
    checked: Checked
    state: int
    distance: NDArray[np.int64]
    life: NDArray[np.int64]


def keep_better(best: Best, rows: NDArray[np.intp], offer: Offer, kinds: NDArray[np.object_]) -> None:
    """Keep an offer where it ranks higher, or as high and nearer in time."""
    rank, checked = offer.rank, offer.checked
    hit = rank > Rank.ABSENT
    take = (rank > best.rank[rows]) | ((rank == best.rank[rows]) & hit & (offer.distance < best.distance[rows]))
    rival = (rank == Rank.SNAPSHOT) & (best.rank[rows] == Rank.SNAPSHOT)
    rival[rival] = kinds[checked.row[rival]] != kinds[best.row[rows][rival]]
    chosen = rows[take]
    best.rank[chosen] = rank[take]
    best.row[chosen] = checked.row[take]
    best.bits[chosen] = checked.bits[take]
    best.failing[chosen] = checked.failing[take]
    best.state[chosen] = offer.state
    best.distance[chosen] = offer.distance[take]
    best.life[chosen] = offer.life[take]
    best.disputed[rows[rival]] = True
    if offer.state >= 0:
        best.other[rows[(checked.bits & int(Check.HISTORY | Check.OTHER_NAMED)) != 0]] = offer.state


def settle(best: Best) -> None:
    """Lower disputed matches, once all states were heard: a further one cannot outvote a dispute."""
    best.rank[best.disputed] = Rank.ID_ONLY
    best.bits[best.disputed] |= int(Check.DISAGREE)
