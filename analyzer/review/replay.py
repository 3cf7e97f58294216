"""Recorded flows, decided anew by the filters of both sides.

What the filters of BEFORE decide is held against the record. Where they leave a decision open, the record itself tells
it; where they contradict the record, nobody can tell what BEFORE and so the change does to this flow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.engine import folding, recorded
from analyzer.engine.arbitrate import BLOCK, CANNOT_TELL, PERMIT, decide
from analyzer.engine.flows import UNKNOWN
from analyzer.folding import number
from analyzer.review import replay_groups
from analyzer.review.replay_groups import OUTCOMES, Why
from analyzer.review.untouched import untouched
from analyzer.reviewmodel import Check, Replay
from analyzer.states import policy_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.engine.arbitrate import Decisions
    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Policy
    from analyzer.review.leftout import Comparable
    from analyzer.review.sides import Snapshot
    from analyzer.review.traffic import Traffic
    from analyzer.reviewmodel import Decision

PROFILES: Final = {"public": 1, "private": 2, "domain": 3}
# Of rows that make one flow the first of these stands for it: what breaks or opens before what stays.
_RANK: Final = np.array([0, 1, 2, 4, 3], dtype=np.int64)  # of OUTCOMES


@dataclass(frozen=True, slots=True)
class Decided:
    """Distinct rows of flows with what becomes of them; all arrays have the shape (m,).

    ``outcome`` are places in ``OUTCOMES``; ``action`` what was recorded; ``why`` a :class:`Why`; ``own`` what the
    filters of BEFORE say, without the record.
    """

    flows: FlowArrays
    outcome: NDArray[np.int8]
    action: NDArray[np.int8]
    own: NDArray[np.int8]
    before: NDArray[np.int8]
    after: NDArray[np.int8]
    deciding: tuple[NDArray[np.int64], NDArray[np.int64]]
    why: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result, and sentences about what had to be taken for granted."""

    replay: Replay
    said: tuple[str, ...]


def replay(traffic: Traffic, before: Snapshot, after: Snapshot, filters: Comparable) -> Replayed:
    """Decide the flows of the traffic on both sides."""
    events = traffic.events
    policies = (_policy(before), _policy(after))
    every = recorded.from_events(events, account=traffic.known.process_account)
    every, said = _with_profile(every, before)
    distinct, where = folding.distinct(every)
    action = np.where((events["action"] == "permit").to_numpy(dtype=bool), PERMIT, BLOCK).astype(np.int8)
    flow = events["flow"].to_numpy(dtype=np.int64)
    columns = [(where.astype(np.int64), max(len(distinct), 1)), ((action == PERMIT) * 1, 2), (flow, len(events) + 1)]
    place = number(columns, len(events)).astype(np.intp)
    first = np.unique(place, return_index=True)[1]
    found = decided(distinct.take(where[first]), action[first], policies, filters)
    chosen = _of_flows(found, flow[first])
    groups = replay_groups.groups(
        replay_groups.Rows(events, flow, first[chosen.rows], chosen.rows, chosen.records(flow)),
        found,
        (before, after),
        policies,
    )
    counts = np.bincount(found.outcome[chosen.rows], minlength=len(OUTCOMES)).tolist()
    named = {name.replace("-", "_"): int(count) for name, count in zip(OUTCOMES, counts, strict=True)}
    return Replayed(
        Replay(
            **named,
            flows=len(chosen.rows),
            records=len(events),
            left_out=traffic.left_out,
            check=_check(found, flow[first], chosen.flows),
            groups=groups,
        ),
        tuple(said),
    )


def _policy(side: Snapshot) -> Policy:
    return policy_of(side.book, side.book.snapshots[0])


def _with_profile(flows: FlowArrays, before: Snapshot) -> tuple[FlowArrays, list[str]]:
    """Take flows that tell no network profile for those of the one profile that BEFORE has in force."""
    live = [PROFILES[name] for name in before.defaults.in_force if name in PROFILES]
    lacking = (flows.current_profile == UNKNOWN) | (flows.original_profile == UNKNOWN)
    if len(live) != 1 or not lacking.any():
        return flows, []
    known = np.where(flows.current_profile == UNKNOWN, flows.original_profile, flows.current_profile)
    known = np.where(known == UNKNOWN, live[0], known)
    now, begun = (
        np.where(column == UNKNOWN, known, column) for column in (flows.current_profile, flows.original_profile)
    )
    name = next(iter(before.defaults.in_force))
    told = f"{int(lacking.sum()):,} records tell no network profile: they are taken for {name}, in force in BEFORE"
    return replace(flows, current_profile=now, original_profile=begun), [told]


def decided(
    flows: FlowArrays, action: NDArray[np.int8], policies: tuple[Policy, Policy], filters: Comparable
) -> Decided:
    """Decide m rows; ``action`` is what was recorded of them (``CANNOT_TELL``: nothing)."""
    one, two = (decide(policy, flows) for policy in policies)
    own, after = _known(one), _known(two)
    same = untouched(filters, policies, flows)
    why = np.zeros(len(flows), dtype=np.int8)
    told = action != CANNOT_TELL
    contradicts = told & (own != CANNOT_TELL) & (own != action)
    before = np.where((own == CANNOT_TELL) & told, action, own).astype(np.int8)
    why[(own == CANNOT_TELL) & told] = Why.RECORDED
    after = np.where((after == CANNOT_TELL) & same, before, after).astype(np.int8)
    why[same & (why == Why.RECORDED)] = Why.UNTOUCHED
    why[(before == CANNOT_TELL) | (after == CANNOT_TELL)] = Why.OPEN
    why[~(one.known & two.known)] = Why.NO_LAYER
    why[contradicts] = Why.CONTRADICTS
    unclear = (before == CANNOT_TELL) | (after == CANNOT_TELL) | contradicts | (why == Why.NO_LAYER)
    outcome = np.select(
        [unclear, before == after, before == PERMIT],
        [
            _at("cannot-tell"),
            np.where(before == PERMIT, _at("stays-allowed"), _at("stays-blocked")),
            _at("newly-blocked"),
        ],
        _at("newly-allowed"),
    ).astype(np.int8)
    return Decided(flows, outcome, action, own, before, after, (one.deciding, two.deciding), why)


def _at(outcome: Decision) -> int:
    return OUTCOMES.index(outcome)


def _known(found: Decisions) -> NDArray[np.int8]:
    out: NDArray[np.int8] = np.where(found.known, found.decision, np.int8(CANNOT_TELL)).astype(np.int8)
    return out


@dataclass(frozen=True, slots=True)
class _Flows:
    """The row that stands for each flow, and the flows, by number."""

    rows: NDArray[np.intp]
    flows: NDArray[np.int64]

    def records(self, flow: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many records tell of each."""
        counts: NDArray[np.int64] = np.bincount(flow, minlength=int(self.flows.max(initial=-1)) + 1)
        return counts[self.flows]


def _of_flows(found: Decided, flow: NDArray[np.int64]) -> _Flows:
    """Choose for each flow (a client's ports are left out of it) the row of which it is worst to know nothing."""
    order = np.lexsort((np.arange(len(flow)), _RANK[found.outcome], flow))
    flows, begin = np.unique(flow[order], return_index=True)
    return _Flows(order[begin].astype(np.intp), flows)


def _check(found: Decided, flow: NDArray[np.int64], flows: NDArray[np.int64]) -> Check:
    """Hold BEFORE against the record, flow by flow: one row that disagrees is enough."""
    if not len(flows):
        return Check(0, 0, 0)
    size = int(flows.max()) + 1
    told = found.own != CANNOT_TELL
    wrong = np.bincount(flow[told & (found.own != found.action)], minlength=size)[flows] > 0
    right = (np.bincount(flow[told & (found.own == found.action)], minlength=size)[flows] > 0) & ~wrong
    return Check(int(right.sum()), int(wrong.sum()), int((~wrong & ~right).sum()))
