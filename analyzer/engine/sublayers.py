"""One sublayer: which of its filters may end it for a flow, and what comes of that (REFERENCE 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.engine.answers import YES
from analyzer.engine.outcomes import BLOCKS, CANNOT_TELL, NONE, PERMIT, PERMITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.engine.answers import Answers
    from analyzer.engine.evaluate import Evaluator
    from analyzer.engine.outcomes import Bits
    from analyzer.engine.policy import Effect, Sublayer

MAX_CELLS: Final = 8_000_000  # answers at a time
NEVER: Final = np.iinfo(np.int64).max


class Told(NamedTuple):
    """What the records say of the filter that ended its sublayer: what a callout decided is known by them alone.

    ``row`` int64 (-1: none), ``action`` int8 (``PERMIT``, ``BLOCK``, or ``CANNOT_TELL``); shape (n,).
    """

    row: NDArray[np.int64]
    action: NDArray[np.int8]

    def take(self, rows: NDArray[np.intp]) -> Told:
        """Return what is told of these flows."""
        return Told(self.row[rows], self.action[rows])


@dataclass(frozen=True, slots=True)
class Said:
    """What one sublayer says of k flows.

    ``bits`` are the possible outcomes; ``ended`` int64 is the rank of the first filter that ends it for sure
    (``NEVER``: none does); ``count`` int64 how many filters may end it; ``one`` int64 the row of one of them.
    """

    bits: Bits
    ended: NDArray[np.int64]
    count: NDArray[np.int64]
    one: NDArray[np.int64]


def hear(evaluator: Evaluator, sublayer: Sublayer, told: Told | None = None) -> Said:
    """Evaluate the filters of one sublayer in order, as far as the flows (k, those of the evaluator) need it."""
    size = len(evaluator.flows)
    bits: Bits = np.zeros(size, dtype=np.uint8)
    ended = np.full(size, NEVER, dtype=np.int64)
    sure = np.zeros(size, dtype=bool)
    count, row = np.zeros(size, dtype=np.int64), np.full(size, -1, dtype=np.int64)
    block = max(MAX_CELLS // max(size, 1), 1)
    for start in range(0, len(sublayer.rows), block):
        if start and bool((ended < sublayer.rank[start]).all()):
            break
        places, answers = _answers(evaluator, sublayer, range(start, min(start + block, len(sublayer.rows))))
        if not len(places):
            continue
        rank, rows = sublayer.rank[places], sublayer.rows[places]
        effects = [sublayer.effects[place] for place in places.tolist()]
        ends = _ends(answers, effects, rows, told)
        sure |= ends.any(axis=0)
        # A filter without a weight may stand anywhere, so it ends the sublayer without shutting anything out.
        weighed = ends[int(np.searchsorted(rank, 0)) :]
        if len(weighed):
            first = rank[weighed.argmax(axis=0) + len(rank) - len(weighed)]
            np.minimum(ended, first, out=ended, where=weighed.any(axis=0))
        candidates = (answers >= 0) & (rank[:, None] <= ended)
        count += candidates.sum(axis=0)
        row = np.where(candidates.any(axis=0), rows[candidates.argmax(axis=0)], row)
        _add(bits, candidates, effects, rows, told)
    bits |= np.where(sure, np.uint8(0), np.uint8(NONE))
    return Said(bits, ended, count, row)


def _answers(evaluator: Evaluator, sublayer: Sublayer, places: range) -> tuple[NDArray[np.int64], Answers]:
    """Return the places of the filters that do not say no throughout, and their answers, shape (m, k)."""
    kept: list[int] = []
    answers: list[Answers] = []
    for place in places:
        answer = acts(evaluator, sublayer, place)
        if answer.max(initial=-1) < 0:
            continue
        kept.append(place)
        answers.append(answer)
    return np.array(kept, dtype=np.int64), np.array(answers, dtype=np.int8).reshape(len(kept), len(evaluator.flows))


def acts(evaluator: Evaluator, sublayer: Sublayer, place: int) -> Answers:
    """Return whether one filter matches in force, shape (k,); NO also where a record tells that it ended nothing."""
    row = int(sublayer.rows[place])
    answer = evaluator.answer(row)
    return evaluator.heard(row, answer if sublayer.sure[place] else np.minimum(answer, np.int8(CANNOT_TELL)))


def _ends(answers: Answers, effects: Sequence[Effect], rows: NDArray[np.int64], told: Told | None) -> NDArray[np.bool_]:
    """Tell which filters end the sublayer for sure, shape (m, k): a callout also where a record says that it did."""
    ending = np.array([effect.ends for effect in effects], dtype=bool)
    ends: NDArray[np.bool_] = (answers == YES) & ending[:, None]
    if told is not None:
        decided = told.action != CANNOT_TELL
        for place, effect in enumerate(effects):
            if effect.callout:
                ends[place] |= decided & (told.row == rows[place]) & (answers[place] >= 0)
    return ends


def _add(
    bits: Bits,
    candidates: NDArray[np.bool_],
    effects: Sequence[Effect],
    rows: NDArray[np.int64],
    told: Told | None,
) -> None:
    """Add what the candidates, shape (m, k), may do."""
    alike: dict[int, list[int]] = {}
    for place, effect in enumerate(effects):
        if effect.callout and told is not None:
            bits |= np.where(candidates[place], _told(effect, int(rows[place]), told), np.uint8(0))
        else:
            alike.setdefault(effect.bits, []).append(place)
    for outcome, places in alike.items():
        bits |= np.where(candidates[places].any(axis=0), np.uint8(outcome), np.uint8(0))


def _told(effect: Effect, row: int, told: Told) -> Bits:
    """Return what a callout may have done where a record tells of it."""
    named = told.row == row
    said = np.where(told.action == PERMIT, np.uint8(PERMITS), np.uint8(BLOCKS))
    out: Bits = np.where(named & (told.action != CANNOT_TELL), said & np.uint8(effect.bits), np.uint8(effect.bits))
    return out
