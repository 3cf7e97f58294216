"""One flow's way through its layer: every sublayer, every filter, every condition, and what the record says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.engine.arbitrate import decide
from analyzer.engine.evaluate import Evaluator
from analyzer.engine.outcomes import CANNOT_TELL
from analyzer.engine.sublayers import acts, hear
from analyzer.engine.words import recorded_value

if TYPE_CHECKING:
    from analyzer.engine.conditions import Test
    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Policy, Sublayer
    from analyzer.engine.sublayers import Said, Told


@dataclass(frozen=True, slots=True)
class TriedCondition:
    """One condition, its answer (1, 0, -1), and what the record says of its field (None: nothing)."""

    test: Test
    answer: int
    recorded: str | None


@dataclass(frozen=True, slots=True)
class TriedFilter:
    """One filter in order of evaluation.

    ``reached`` says that nothing before it ends the sublayer for sure; ``candidate`` that it may be what ends it.
    """

    row: int
    answer: int
    reached: bool
    candidate: bool
    conditions: tuple[TriedCondition, ...]


@dataclass(frozen=True, slots=True)
class TriedSublayer:
    """One sublayer; ``outcome`` are the bits of :mod:`analyzer.engine.outcomes`."""

    key: str | None
    weight: int | None
    outcome: int
    filters: tuple[TriedFilter, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole way.

    ``known`` is False where the state does not tell the filters of the layer; ``ordered`` where the sublayers' order is
    not known.
    """

    layer: str | None
    known: bool
    ordered: bool
    decision: int
    deciding: int
    sublayers: tuple[TriedSublayer, ...]


def trace(policy: Policy, flows: FlowArrays, at: int, told: Told | None = None) -> Trace:
    """Follow the flow at row ``at`` through its layer, as :func:`analyzer.engine.arbitrate.decide` decides it."""
    row = np.array([at], dtype=np.intp)
    one = flows.take(row)
    own = None if told is None else told.take(row)
    decided = decide(policy, one, own)
    name = one.layer.at(0)
    layer = policy.layers.get(name) if name is not None else None
    tried: list[TriedSublayer] = []
    if layer is not None and not decided.left_out[0]:
        evaluator = Evaluator(policy.program, one)
        for sublayer in layer.sublayers:
            said = hear(evaluator, sublayer, own)
            filters = tuple(_filter(evaluator, sublayer, said, number) for number in range(len(sublayer.rows)))
            tried.append(TriedSublayer(sublayer.key, sublayer.weight, int(said.bits[0]), filters))
    ordered = layer is None or layer.ordered
    return Trace(
        name, bool(decided.known[0]), ordered, int(decided.decision[0]), int(decided.deciding[0]), tuple(tried)
    )


def _filter(evaluator: Evaluator, sublayer: Sublayer, said: Said, number: int) -> TriedFilter:
    row = int(sublayer.rows[number])
    answer = int(acts(evaluator, sublayer, number)[0])
    reached = bool(sublayer.rank[number] <= said.ended[0])
    return TriedFilter(row, answer, reached, reached and answer >= CANNOT_TELL, conditions(evaluator, row))


def conditions(evaluator: Evaluator, row: int, at: int = 0) -> tuple[TriedCondition, ...]:
    """Return the distinct conditions of one filter, tried on the flow at row ``at`` of the evaluator's."""
    program = evaluator.program
    return tuple(
        TriedCondition(
            program.predicates[place],
            int(evaluator.predicate(place)[at]),
            recorded_value(evaluator.flows, at, program.predicates[place].field),
        )
        for places in program.of(row)
        for place in program.fields[places]
    )
