"""The nearest allow rules: for each blocked flow the permit filters that would have beaten the blocker.

A filter beats the blocker if it stands before it in the same sublayer, by its effective weight, or in a sublayer above
if its permit is hard (REFERENCE 4.1). That nothing is missing does not mean that it matched: only conditions that the
record tells are compared, and a state holds only what is plumbed for the profiles in force (REFERENCE 12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer import applied, cells, missing, nearness
from analyzer.engine.answers import NO, YES
from analyzer.engine.arbitrate import BLOCK, decide
from analyzer.engine.evaluate import Evaluator
from analyzer.engine.outcomes import BLOCKS, HARD_PERMIT, PERMITS
from analyzer.model.engine import Missing, Nearest
from analyzer.wfp import protocols

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.applied import Applied, Case
    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Layer, Policy
    from analyzer.states import Book, Snapshot

MOST: Final = 3  # rules of one flow
MOST_FLOWS: Final = 20_000  # blocked groups of one state that are looked at
_TOO_FAR: Final = 6.0
# Kinds that no allow rule is meant to beat.
_NO_RULE: Final = frozenset({"stealth", "quarantine", "boot-time"})


class _Ask(NamedTuple):
    """One group of blocked flows: its verdict, its flow (a place), and the blocker's row."""

    verdict: int
    flow: int
    blocker: int


class _Filter(NamedTuple):
    """What a line tells of a filter; ``rule`` is what the filters of one rule share."""

    row: int
    number: int | None
    name: str | None
    rule_id: str | None
    rule: object


def of_verdicts(case: Case) -> dict[int, tuple[Nearest, ...]]:
    """Return verdict number -> the nearest allow rules of the state that is used for it, nearest first."""
    out: dict[int, tuple[Nearest, ...]] = {}
    for on in applied.apply(case, blocked_only=True):
        asks = _asks(on, case)
        by_blocker: dict[tuple[str | None, int], list[_Ask]] = {}
        for ask in asks[:MOST_FLOWS]:
            by_blocker.setdefault((on.flows.layer.at(ask.flow), ask.blocker), []).append(ask)
        for (_, blocker), group in by_blocker.items():
            flows = on.flows.take(np.array([ask.flow for ask in group], dtype=np.intp))
            found = of_flows(on.policy, flows, blocker, case, on.snapshot)
            out.update({ask.verdict: near for ask, near in zip(group, found, strict=True) if near})
    return out


def _asks(on: Applied, case: Case) -> list[_Ask]:
    """Choose for each blocked verdict a flow (one whose token is known, if any is), and find its blocker."""
    events = case.events.iloc[on.rows]
    known = np.array([token.user is not None for token in on.flows.tokens], dtype=bool)[on.flows.token]
    order = np.argsort(~known[on.place], kind="stable")
    verdicts, first = np.unique(events["verdict"].to_numpy()[order], return_index=True)
    chosen = order[first]
    places = on.place[chosen]
    rows = events["filter_row"].to_numpy()[chosen]
    kinds = cells.texts(events["kind"].iloc[chosen])
    flows = on.flows.take(places)
    decided = decide(on.policy, flows, on.told.take(places))
    defaults: dict[tuple[str | None, str | None], int] = {}
    out = []
    for at, (verdict, place) in enumerate(zip(verdicts.tolist(), places.tolist(), strict=True)):
        if kinds[at] in _NO_RULE:
            continue
        row = int(rows[at])
        if not can_block(on.policy, row):
            row = int(decided.deciding[at]) if decided.decision[at] == BLOCK else -1
        if row < 0:
            key = (flows.layer.at(at), kinds[at])
            if key not in defaults:
                defaults[key] = default_block(case.book, on.snapshot, on.policy, *key)
            row = defaults[key]
        place_of = on.policy.places.get(row)
        if place_of is not None and place_of.layer == flows.layer.at(at):
            out.append(_Ask(verdict, place, row))
    return out


def default_block(book: Book, snapshot: Snapshot, policy: Policy, layer: str | None, kind: str | None) -> int:
    """Return the strongest default block of the layer for a block of that kind, or -1."""
    if layer is None or kind not in ("default-outbound", "default-inbound"):
        return -1
    part = book.filters.iloc[snapshot.rows.start : snapshot.rows.stop]
    rows = np.flatnonzero(((part["layer"] == layer) & (part["kind"] == kind) & (part["action"] == "block")).to_numpy())
    found = [int(row) + snapshot.rows.start for row in rows]
    weights = {row: cells.number(book.filters["effective_weight"].iloc[row]) for row in found if row in policy.places}
    return max(weights, key=lambda row: weights[row] or 0, default=-1)


def can_block(policy: Policy, row: int) -> bool:
    """Tell whether a filter is in force and may block."""
    place = policy.places.get(row)
    if place is None:
        return False
    return bool(policy.layers[place.layer].sublayers[place.sublayer].effects[place.filter].bits & BLOCKS)


def stronger_permits(layer: Layer, sublayer: int, place: int) -> list[int]:
    """Return the rows of the permits that beat the filter at ``place`` of ``sublayer``, the strongest first."""
    out: list[int] = []
    for number, item in enumerate(layer.sublayers[: sublayer + 1]):
        for at, (row, effect) in enumerate(zip(item.rows.tolist(), item.effects, strict=True)):
            own = number == sublayer
            if own and (at >= place or not 0 <= item.rank[at] < item.rank[place]):
                continue
            wanted = PERMITS if own else HARD_PERMIT
            if effect.bits & wanted and not effect.bits & BLOCKS and not effect.callout:
                out.append(row)
    return out


def of_flows(
    policy: Policy, flows: FlowArrays, blocker: int, case: Case, snapshot: Snapshot
) -> list[tuple[Nearest, ...]]:
    """Return for each of n flows of one layer the nearest rules that beat ``blocker``, at most ``MOST``."""
    place = policy.places[blocker]
    rows = stronger_permits(policy.layers[place.layer], place.sublayer, place.filter)
    if not rows or not len(flows):
        return [()] * len(flows)
    evaluator = Evaluator(policy.program, flows)
    scores = np.full((len(rows), len(flows)), np.inf)
    for number, row in enumerate(rows):
        scores[number] = nearness.distance(policy, evaluator, row)
    known = _filters(case.book, rows)
    out = []
    for at in range(len(flows)):
        order = np.argsort(scores[:, at], kind="stable")
        near = [known[rows[number]] for number in order.tolist() if scores[number, at] < _TOO_FAR]
        out.append(_rules(policy, evaluator, at, near, case, snapshot))
    return out


def _filters(book: Book, rows: Sequence[int]) -> dict[int, _Filter]:
    """Return what a line tells of the filters at these rows, by row: taken out once, not flow by flow."""
    part = book.filters.iloc[list(rows)]
    columns = (cells.texts(part["name"]), cells.texts(part["rule_id"]), cells.texts(part["provider_data"]))
    numbers = (cells.number(number) for number in part["filter_id"])
    return {
        row: _Filter(row, number, name, rule, _rule_of(row, name, rule, data))
        for row, number, name, rule, data in zip(rows, numbers, *columns, strict=True)
    }


def _rule_of(row: int, name: str | None, rule: str | None, data: str | None) -> object:
    """Return what the filters of one rule share: the rule's id, or its provider's data and the name."""
    if rule is not None:
        return "rule", rule.casefold()
    return ("data", data, name) if data else ("row", row)


def _rules(
    policy: Policy, evaluator: Evaluator, at: int, filters: Sequence[_Filter], case: Case, snapshot: Snapshot
) -> tuple[Nearest, ...]:
    """Fold the filters of one rule into one line, which tells of the nearest of them."""
    if not filters:
        return ()
    one = evaluator.flows.take(np.array([at], dtype=np.intp))
    folded: dict[object, list[_Filter]] = {}
    for item in filters:
        if item.rule in folded or len(folded) < MOST:
            folded.setdefault(item.rule, []).append(item)
    return tuple(_line(policy, evaluator, at, one, own, case, snapshot) for own in folded.values())


def _line(
    policy: Policy,
    evaluator: Evaluator,
    at: int,
    one: FlowArrays,
    filters: Sequence[_Filter],
    case: Case,
    snapshot: Snapshot,
) -> Nearest:
    """Tell of one rule; ``one`` is the flow at ``at`` alone."""
    first = filters[0]
    names = missing.Names(case.known.names, protocols.is_icmp(int(one.protocol[0])))
    lacking, undecided = _fields(policy, evaluator, at, one, first.row, names)
    return Nearest(
        name=first.name,
        rule_id=first.rule_id,
        source="state",
        state=snapshot.name,
        filter_ids=tuple(item.number for item in filters if item.number is not None),
        missing=lacking,
        undecided=undecided,
        words=words_of(lacking, undecided),
    )


def _fields(
    policy: Policy, evaluator: Evaluator, at: int, one: FlowArrays, row: int, names: missing.Names
) -> tuple[tuple[Missing, ...], tuple[Missing, ...]]:
    """Return the fields that say no, and those that nobody can tell; profiles, which have two fields, once."""
    program = policy.program
    lacking: dict[str, Missing] = {}
    undecided: dict[str, Missing] = {}
    for place in program.of(row):
        tests = [program.predicates[number] for number in program.fields[place]]
        field = tests[0].field
        answer = int(evaluator.field(place)[at])
        if answer == YES:
            continue
        said = missing.said(one, 0, field)
        asked = missing.asked(tests, names)
        if answer == NO:
            words = missing.lacks(tests, said, names)
            lacking.setdefault("profile" if field in missing.PROFILES else field, Missing(field, asked, said, words))
        else:
            words = missing.open_question(tests, said, names)
            undecided.setdefault("profile" if field in missing.PROFILES else field, Missing(field, asked, said, words))
    return tuple(lacking.values()), tuple(undecided.values())


def words_of(lacking: Sequence[Missing], undecided: Sequence[Missing]) -> str:
    """Say what is missing, and what cannot be told."""
    parts = [item.words for item in lacking]
    shown = [item.words for item in undecided[:2]]
    more = len(undecided) - len(shown)
    if shown:
        rest = f"; and {more} more" if more > 0 else ""
        lead = "besides, it cannot be told whether the rest holds" if parts else "it cannot be told whether it matched"
        parts.append(f"{lead}: {'; '.join(shown)}{rest}")
    if not parts:
        return "every condition that the state holds is met: the filters may have been others at that moment"
    return "; ".join(parts)


def merged(*parts: Mapping[int, tuple[Nearest, ...]]) -> dict[int, tuple[Nearest, ...]]:
    """Put lines of several sources together by verdict, in order."""
    out: dict[int, tuple[Nearest, ...]] = {}
    for part in parts:
        for verdict, lines in part.items():
            out[verdict] = (*out.get(verdict, ()), *lines)
    return out
