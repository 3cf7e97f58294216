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
    skipped: int


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


def _chunks(policy: Policy, flows: FlowArrays, told: Told | None) -> Iterator[_Chunk | int]:
    """Evaluate the flows layer by layer; yields chunks, and at the end how many flows were left out."""
    work, skipped = MAX_WORK, 0
    for name, code in flows.layer.places.items():
        layer = policy.layers.get(name)
        if layer is None:
            continue
        rows = np.flatnonzero(flows.layer.codes == code)
        cost = sum(1 + len(policy.program.of(row)) for item in layer.sublayers for row in item.rows.tolist())
        allowed = min(len(rows), work // max(cost, 1))
        work -= allowed * cost
        skipped += len(rows) - allowed
        for start in range(0, allowed, CHUNK):
            part = rows[start : min(start + CHUNK, allowed)]
            evaluator = Evaluator(policy.program, flows.take(part))
            own = None if told is None else told.take(part)
            yield _Chunk(layer, part, evaluator, [hear(evaluator, item, own) for item in layer.sublayers])
    yield skipped


def decide(policy: Policy, flows: FlowArrays, told: Told | None = None) -> Decisions:
    """Return the policy's decision on n flows. Distinct flows are enough: :func:`analyzer.engine.folding.distinct`."""
    count = len(flows)
    decision = np.full(count, CANNOT_TELL, dtype=np.int8)
    deciding = np.full(count, -1, dtype=np.int64)
    known = _known(policy, flows)
    decision[known] = PERMIT  # a layer without filters lets everything pass
    evaluated = np.zeros(count, dtype=bool)
    skipped = 0
    for chunk in _chunks(policy, flows, told):
        if isinstance(chunk, int):
            skipped = chunk
            continue
        evaluated[chunk.flows] = True
        decision[chunk.flows] = combine([s.bits for s in chunk.said], chunk.layer.orders, len(chunk.flows))
        deciding[chunk.flows] = _deciding(chunk, decision[chunk.flows])
    if skipped:
        decision[~evaluated & _at(policy, flows)] = CANNOT_TELL
    return Decisions(decision, deciding, known, skipped)


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
    count = len(flows)
    answer = np.zeros(count, dtype=np.int8)
    flags = {name: np.zeros(count, dtype=bool) for name in ("candidate", "only", "may_decide", "in_force")}
    for row, here in _by_row(rows):
        answer[here] = Evaluator(policy.program, flows.take(here)).answer(row)
        flags["in_force"][here] = row in policy.places
    for chunk in _chunks(policy, flows, told):
        if isinstance(chunk, int):
            continue
        named = rows[chunk.flows]
        decision = combine([s.bits for s in chunk.said], chunk.layer.orders, len(chunk.flows))
        for row, at in _by_row(named):
            place = policy.places.get(row)
            if place is None or policy.layers[place.layer] is not chunk.layer:
                continue
            own, said = chunk.layer.sublayers[place.sublayer], chunk.said[place.sublayer]
            reached = (answer[chunk.flows[at]] >= 0) & (own.rank[place.filter] <= said.ended[at])
            flags["candidate"][chunk.flows[at]] = reached
            single = (said.count[at] == 1) & ((said.bits[at] & np.uint8(NONE)) == 0)
            flags["only"][chunk.flows[at]] = reached & single
            flags["may_decide"][chunk.flows[at]] = reached & _may_decide(
                chunk, place.sublayer, own.effects[place.filter].bits, at, decision[at]
            )
    return Standing(answer, **flags)


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


__all__ = ["BLOCK", "CANNOT_TELL", "PERMIT", "Decisions", "Standing", "Told", "decide", "standing"]
