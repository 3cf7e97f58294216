"""Replayed flows for people: grouped by program, service, what becomes of them, and the filters that decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from analyzer import cells
from analyzer.engine.arbitrate import BLOCK, PERMIT
from analyzer.engine.outcomes import BLOCKS
from analyzer.engine.trace import trace
from analyzer.reviewmodel import Decider, FlowGroup
from analyzer.wfp import fields, layers, protocols

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.engine.policy import Policy
    from analyzer.review.replay import Decided
    from analyzer.review.sides import Snapshot
    from analyzer.reviewmodel import Decision

OUTCOMES: Final[tuple[Decision, ...]] = (
    "newly-blocked",
    "newly-allowed",
    "cannot-tell",
    "stays-allowed",
    "stays-blocked",
)
MOST_EXAMPLES: Final = 10
MOST_TRACED: Final = 40  # groups of which it is told what leaves them open
NOT_ENOUGH: Final = "the record does not tell enough"
MOST_OPEN: Final = 2  # filters that leave a decision open
_SAID: Final = {PERMIT: "permit", BLOCK: "block"}
_RECORDED: Final = {PERMIT: "allowed", BLOCK: "blocked"}


class Why(IntEnum):
    """What else there is to say of a flow."""

    NOTHING = 0
    RECORDED = 1
    UNTOUCHED = 2
    OPEN = 3
    NO_LAYER = 4
    CONTRADICTS = 5


@dataclass(frozen=True, slots=True)
class Rows:
    """For each flow (k): ``event`` is a row of ``events``, ``row`` one of :class:`Decided`, ``records`` a number."""

    events: pd.DataFrame
    flow: NDArray[np.int64]
    event: NDArray[np.intp]
    row: NDArray[np.intp]
    records: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Sides:
    snapshots: tuple[Snapshot, Snapshot]
    policies: tuple[Policy, Policy]


def groups(
    rows: Rows, found: Decided, snapshots: tuple[Snapshot, Snapshot], policies: tuple[Policy, Policy]
) -> tuple[FlowGroup, ...]:
    """Group the flows, what breaks first, then the largest groups."""
    members: dict[tuple[Any, ...], list[int]] = {}
    keys = _keys(rows, found)
    for at, key in enumerate(keys):
        members.setdefault(key, []).append(at)
    ordered = sorted(members.values(), key=lambda group: (int(found.outcome[rows.row[group[0]]]), -len(group)))
    sides = _Sides(snapshots, policies)
    return tuple(_group(rows, found, sides, group, traced=at < MOST_TRACED) for at, group in enumerate(ordered))


def _keys(rows: Rows, found: Decided) -> list[tuple[Any, ...]]:
    part = rows.events.iloc[rows.event]
    row = rows.row
    columns = (
        found.outcome[row].tolist(),
        part["computer"].cat.codes.tolist(),
        part["application"].cat.codes.tolist(),
        part["direction"].astype("str").tolist(),
        part["services"].tolist(),
        found.before[row].tolist(),
        found.after[row].tolist(),
        found.deciding[0][row].tolist(),
        found.deciding[1][row].tolist(),
        found.why[row].tolist(),
    )
    return [tuple(_plain(value) for value in values) for values in zip(*columns, strict=True)]


def _plain(value: object) -> object:
    return None if isinstance(value, float) else value  # a missing cell of an object column


def _group(rows: Rows, found: Decided, sides: _Sides, group: list[int], *, traced: bool) -> FlowGroup:
    at = int(rows.row[group[0]])
    event = rows.events.iloc[int(rows.event[group[0]])]
    services = event["services"]
    words = [example(rows.events.iloc[int(rows.event[one])]) for one in group[:MOST_EXAMPLES]]
    deciders = []
    for side, values in ((0, found.before), (1, found.after)):
        why = _why(found, sides, at, side, traced=traced)
        deciders.append(_decider(sides.snapshots[side], int(values[at]), int(found.deciding[side][at]), why))
    return FlowGroup(
        what=OUTCOMES[int(found.outcome[at])],
        computer=cells.text(event["computer"]),
        application=cells.text(event["application"]),
        services=services if isinstance(services, tuple) else (),
        direction=cells.text(event["direction"]),
        flows=len(group),
        records=int(rows.records[group].sum()),
        examples=tuple(dict.fromkeys(words)),
        before=deciders[0],
        after=deciders[1],
    )


def _decider(side: Snapshot, decision: int, row: int, why: str | None) -> Decider:
    if row < 0:
        return Decider(_SAID.get(decision), (), (), why)
    item: Any = side.book.filters.iloc[row]
    name = cells.text(item["name"]) or f"filter {int(item['filter_id'])}"
    return Decider(_SAID.get(decision), (name.strip(),), (int(item["filter_id"]),), why)


def _why(found: Decided, sides: _Sides, at: int, side: int, *, traced: bool) -> str | None:
    """Say what a decision rests on where it is not the filters alone."""
    why = Why(int(found.why[at]))
    if why is Why.NO_LAYER:
        return f"{('BEFORE', 'AFTER')[side]} does not tell all filters of this layer"
    if why is Why.CONTRADICTS:
        recorded = _RECORDED.get(int(found.action[at]), "otherwise")
        return None if side else f"it was recorded as {recorded}: BEFORE may be of another time"
    if why in (Why.RECORDED, Why.UNTOUCHED) and found.own[at] not in _SAID and side == 0:
        return "as recorded: the filters alone do not tell"
    if why is Why.UNTOUCHED and side == 1:
        return "as recorded: no changed filter meets it"
    if (found.before, found.after)[side][at] in _SAID:
        return None
    return _open(found, sides.snapshots[side], sides.policies[side], at) if traced else NOT_ENOUGH


def _open(found: Decided, side: Snapshot, policy: Policy, at: int) -> str:
    """Name the filters that leave a decision open, and what would have to be known."""
    said = []
    tried = trace(policy, found.flows, at).sublayers
    # What only permits or says nothing leaves nothing open, as long as something else may block.
    matters = [sublayer for sublayer in tried if sublayer.outcome & BLOCKS] or tried
    for sublayer in matters:
        for one in sublayer.filters:
            if not one.candidate:
                continue
            item: Any = side.book.filters.iloc[one.row]
            name = (cells.text(item["name"]) or f"filter {int(item['filter_id'])}").strip()
            unclear = dict.fromkeys(c.test.field for c in one.conditions if c.answer == 0)
            if unclear:
                asked = ", ".join(fields.field_words(field) for field in list(unclear)[:2])
                said.append(f"“{name}” asks for what is not recorded ({asked})")
            elif str(item["action"]).startswith("callout"):
                said.append(f"“{name}” leaves it to a callout driver")
    if not said:
        return NOT_ENOUGH
    more = f" and {len(said) - MOST_OPEN} more filters" if len(said) > MOST_OPEN else ""
    return "; ".join(dict.fromkeys(said[:MOST_OPEN])) + more


def example(event: pd.Series) -> str:
    """Return one flow in words: ``outbound TCP 443 to 192.0.2.21``."""
    protocol = cells.number(event["protocol"])
    direction = cells.text(event["direction"]) or ""
    port = cells.number(event["service_port"])
    layer = cells.text(event["layer"]) or ""
    parts = [direction, "" if protocol is None else protocols.protocol_name(protocol) or f"protocol {protocol}"]
    parts.append("" if port is None else str(port))
    icmp = cells.number(event["icmp_type"])
    parts.append("" if icmp is None else f"type {icmp}")
    remote = cells.text(event["remote_address"])
    if remote is not None:
        parts.append(f"{'from' if direction == 'inbound' else 'to' if direction == 'outbound' else 'with'} {remote}")
    said = " ".join(part for part in parts if part)
    stem = layers.stem(layer)
    if stem not in ("ALE_AUTH_CONNECT", "ALE_AUTH_RECV_ACCEPT"):
        said = f"{said} ({layers.layer_words(layer)})" if said else layers.layer_words(layer)
    return said
