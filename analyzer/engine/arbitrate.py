"""Arbitration: which filters may end each sublayer, and what the layer decides (REFERENCE 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.engine.evaluate import Evaluator
from analyzer.engine.outcomes import (
    BLOCK,
    BLOCKS,
    CALLOUT_BLOCK,
    CANNOT_TELL,
    HARD_BLOCK,
    HARD_PERMIT,
    NONE,
    PERMIT,
    PERMITS,
    combine,
)
from analyzer.engine.sublayers import Said, Told, hear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.engine.answers import Answers
    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Layer, Policy

CHUNK: Final = 16_384  # flows at a time
MAX_WORK: Final = 5_000_000_000  # answers in all; a state and a log of usual size need a hundredth


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the policy makes of n flows; see :mod:`analyzer.engine`."""

    decision: NDArray[np.int8]
    deciding: NDArray[np.int64]
    known: NDArray[np.bool_]
    left_out: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Standing:
    """How one filter per flow stands in its sublayer and layer, shape (n,); see :mod:`analyzer.engine`."""

    answer: Answers
    candidate: NDArray[np.bool_]
    only: NDArray[np.bool_]
    may_decide: NDArray[np.bool_]
    in_force: NDArray[np.bool_]


class _Chunk(NamedTuple):
    """Some flows of one layer: their places among all, and what each sublayer says of them."""

    layer: Layer
    flows: NDArray[np.intp]
    evaluator: Evaluator
    said: list[Said]


def _chunks(policy: Policy, flows: FlowArrays, told: Told | None) -> Iterator[_Chunk]:
    """Evaluate the flows layer by layer; those beyond ``MAX_WORK`` are in no chunk."""
    work = MAX_WORK
    for name, code in flows.layer.places.items():
        layer = policy.layers.get(name)
        if layer is None:
            continue
        rows = np.flatnonzero(flows.layer.codes == code)
        cost = sum(1 + len(policy.program.of(row)) for item in layer.sublayers for row in item.rows.tolist())
        allowed = min(len(rows), work // max(cost, 1))
        work -= allowed * cost
        for start in range(0, allowed, CHUNK):
            part = rows[start : min(start + CHUNK, allowed)]
            evaluator = Evaluator(policy.program, flows.take(part))
            own = None if told is None else told.take(part)
            yield _Chunk(layer, part, evaluator, [hear(evaluator, item, own) for item in layer.sublayers])


def decide(policy: Policy, flows: FlowArrays, told: Told | None = None) -> Decisions:
    """Return the policy's decision on n flows. Distinct flows are enough: :func:`analyzer.engine.folding.distinct`."""
    made = _Deciding(policy, flows)
    for chunk in _chunks(policy, flows, told):
        made.take(chunk)
    return made.result()


def decide_and_stand(
    policy: Policy, flows: FlowArrays, rows: NDArray[np.int64], told: Told | None = None
) -> tuple[Decisions, Standing]:
    """Return what :func:`decide` and :func:`standing` return, with the flows evaluated once."""
    made, stands = _Deciding(policy, flows), _Standing(policy, flows, rows)
    for chunk in _chunks(policy, flows, told):
        stands.take(chunk, made.take(chunk))
    return made.result(), stands.result()


class _Deciding:
    """Gathers the decisions chunk by chunk."""

    def __init__(self, policy: Policy, flows: FlowArrays) -> None:
        count = len(flows)
        self._known = _known(policy, flows)
        self._decision = np.full(count, CANNOT_TELL, dtype=np.int8)
        self._decision[self._known] = PERMIT  # a layer without filters lets everything pass
        self._deciding = np.full(count, -1, dtype=np.int64)
        self._left_out = _at(policy, flows)

    def take(self, chunk: _Chunk) -> NDArray[np.int8]:
        """Add the decisions on one chunk, and return them."""
        said = _decision(chunk)
        self._left_out[chunk.flows] = False
        self._decision[chunk.flows] = said
        self._deciding[chunk.flows] = _deciding(chunk, said)
        return said

    def result(self) -> Decisions:
        """Return all of them; of flows that were left out nothing is known."""
        self._decision[self._left_out] = CANNOT_TELL
        return Decisions(self._decision, self._deciding, self._known, self._left_out)


def _decision(chunk: _Chunk) -> NDArray[np.int8]:
    return combine([said.bits for said in chunk.said], chunk.layer.orders, len(chunk.flows))


def _at(policy: Policy, flows: FlowArrays) -> NDArray[np.bool_]:
    """Tell which flows are at a layer where the policy has filters."""
    table = np.array([*(name in policy.layers for name in flows.layer.places), False], dtype=bool)
    out: NDArray[np.bool_] = table[flows.layer.codes]
    return out


def _known(policy: Policy, flows: FlowArrays) -> NDArray[np.bool_]:
    """Tell which flows are at a layer whose filters the state tells."""
    return flows.layer.codes >= 0 if policy.complete else _at(policy, flows)


def _deciding(chunk: _Chunk, decision: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the one filter that a record of the decision names: a block's is that of the highest blocking sublayer."""
    size = len(chunk.flows)
    out = np.full(size, -1, dtype=np.int64)
    open_yet = decision == BLOCK
    blockers = np.zeros(size, dtype=np.int64)
    enders = np.zeros(size, dtype=np.int64)
    for said in chunk.said:
        may_block = (said.bits & np.uint8(BLOCKS)) != 0
        blockers += may_block
        enders += said.bits != NONE
        here = open_yet & may_block & (said.count == 1) & ((said.bits & ~np.uint8(HARD_BLOCK | CALLOUT_BLOCK)) == 0)
        out[here] = said.one[here]
        # After what may be a hard permit, a filter's block may not count.
        open_yet &= ~may_block & ((said.bits & np.uint8(HARD_PERMIT)) == 0)
        passed = (decision == PERMIT) & (said.bits != NONE)
        single = passed & ((said.bits & np.uint8(NONE)) == 0) & (said.count == 1)
        out[passed] = np.where(single[passed], said.one[passed], -1)
    out[(decision == PERMIT) & (enders != 1)] = -1
    if not chunk.layer.ordered:
        out[(decision == BLOCK) & (blockers != 1)] = -1
    return out


def standing(policy: Policy, flows: FlowArrays, rows: NDArray[np.int64], told: Told | None = None) -> Standing:
    """Return how the filter at ``rows`` (n,) stands for each of n flows.

    -1, filters that are not in force and filters of other layers stand nowhere.
    """
    stands = _Standing(policy, flows, rows)
    for chunk in _chunks(policy, flows, told):
        stands.take(chunk, _decision(chunk))
    return stands.result()


class _Standing:
    """Gathers the standings chunk by chunk."""

    def __init__(self, policy: Policy, flows: FlowArrays, rows: NDArray[np.int64]) -> None:
        count = len(flows)
        self._policy, self._rows = policy, rows
        self._answer = np.zeros(count, dtype=np.int8)
        self._candidate, self._only, self._may_decide, self._in_force = (np.zeros(count, dtype=bool) for _ in range(4))
        for row, here in _by_row(rows):
            self._answer[here] = Evaluator(policy.program, flows.take(here)).answer(row)
            self._in_force[here] = row in policy.places

    def take(self, chunk: _Chunk, decision: NDArray[np.int8]) -> None:
        """Add one chunk, with the decisions on it."""
        for row, at in _by_row(self._rows[chunk.flows]):
            place = self._policy.places.get(row)
            if place is None or self._policy.layers[place.layer] is not chunk.layer:
                continue
            own, said = chunk.layer.sublayers[place.sublayer], chunk.said[place.sublayer]
            flows = chunk.flows[at]
            reached = (self._answer[flows] >= 0) & (own.rank[place.filter] <= said.ended[at])
            self._candidate[flows] = reached
            self._only[flows] = reached & (said.count[at] == 1) & ((said.bits[at] & np.uint8(NONE)) == 0)
            bits = own.effects[place.filter].bits
            self._may_decide[flows] = reached & _may_decide(chunk, place.sublayer, bits, at, decision[at])

    def result(self) -> Standing:
        """Return all of them."""
        return Standing(self._answer, self._candidate, self._only, self._may_decide, self._in_force)


def _by_row(rows: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield each row that is named, and the places that name it."""
    order = np.argsort(rows, kind="stable")
    distinct, begin = np.unique(rows[order], return_index=True)
    for row, at in zip(distinct.tolist(), np.split(order, begin[1:]), strict=len(distinct) > 0):
        if row >= 0:
            yield row, at


def _may_decide(
    chunk: _Chunk, sublayer: int, bits: int, at: NDArray[np.intp], decision: NDArray[np.int8]
) -> NDArray[np.bool_]:
    """Tell where a record of the layer's decision may name a candidate with these outcomes."""
    sure_above = np.zeros(len(at), dtype=bool)
    if chunk.layer.ordered:
        for said in chunk.said[:sublayer]:
            sure_above |= (said.bits[at] & ~np.uint8(HARD_BLOCK | CALLOUT_BLOCK)) == 0
    blocks = (decision != PERMIT) & ~sure_above & bool(bits & BLOCKS)
    permits = (decision != BLOCK) & bool(bits & PERMITS)
    out: NDArray[np.bool_] = blocks | permits
    return out


__all__ = ["BLOCK", "CANNOT_TELL", "PERMIT", "Decisions", "Standing", "Told", "decide", "decide_and_stand", "standing"]
