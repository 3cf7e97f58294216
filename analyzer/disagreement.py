"""Records that the engine's answer contradicts: folded by flow, each with the condition that it lies in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from analyzer import cells, missing
from analyzer.checks import Check
from analyzer.engine.answers import NO, YES
from analyzer.engine.arbitrate import BLOCK, PERMIT
from analyzer.engine.evaluate import Evaluator
from analyzer.engine.outcomes import BLOCKS, PERMITS
from analyzer.folding import Groups, number
from analyzer.model.engine import Decision, Disagreement
from analyzer.wfp import layers, protocols
from analyzer.wording import plural

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.applied import Applied, Case
    from analyzer.engine.arbitrate import Decisions, Standing
    from analyzer.states import Book

RECORD_IDS: Final = 10
DECISIONS: Final[dict[int, Decision]] = {PERMIT: "permit", 0: "cannot-tell", BLOCK: "block"}
_BETWEEN: Final = (
    (Check.BOOT, "Windows started in between"),
    (Check.RELOAD, "the firewall policy changed in between"),
    (Check.CLOCK, "the clock was changed in between"),
    (Check.NO_EVENT_TIME, "the event carries no time"),
    (Check.UNWATCHED, "the logs do not cover all the time in between"),
)


class Answers(NamedTuple):
    """The engine's answers on the flows of one applied state, and where the recorded filter is impossible, (m,)."""

    decided: Decisions
    standing: Standing
    wrong_layer: NDArray[np.bool_]
    impossible: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Line:
    """Disagreeing records of one flow: ``flow`` is a place in the applied state's flows, ``event`` the first event."""

    on: Applied
    answers: Answers
    flow: int
    event: int
    count: int
    record_ids: tuple[int, ...]
    between: str | None


class Cause(NamedTuple):
    """Why: a sentence, the filter that it speaks of (-1: none), and the field that it lies in."""

    text: str
    row: int = -1
    field: str | None = None
    condition: str | None = None
    recorded: str | None = None


def other_layer(on: Applied) -> NDArray[np.bool_]:
    """Tell where the state's filter of this id stands at another layer than the record."""
    layers = {row: place.layer for row, place in on.policy.places.items()}
    names = [*on.flows.layer.places, None]
    out = np.zeros(len(on.flows), dtype=bool)
    for row in np.unique(on.told.row[on.told.row >= 0]).tolist():
        layer = layers.get(row)
        if layer is not None:
            at = on.told.row == row
            out[at] = [names[code] not in (layer, None) for code in on.flows.layer.codes[at].tolist()]
    return out


def folded(on: Applied, answers: Answers, disagrees: NDArray[np.bool_], case: Case) -> list[Line]:
    """Fold the disagreeing records: one line per flow, recorded filter and what is wrong with it."""
    at = np.flatnonzero(disagrees[on.place])
    if not len(at):
        return []
    events, place = case.events.iloc[on.rows[at]], on.place[at]
    keys = [events["flow"].to_numpy(), on.told.row[place], on.told.action[place], answers.decided.deciding[place]]
    columns = []
    for values in [*keys, (on.between[at] != 0) * 1, answers.impossible[place] * 1]:
        distinct, codes = np.unique(values, return_inverse=True)
        columns.append((codes.astype(np.int64), len(distinct)))
    groups = Groups(number(columns, len(at)))
    records = groups.leading(events["record_id"], RECORD_IDS)
    return [
        Line(on, answers, int(place[first]), int(on.rows[at[first]]), count, ids, between(int(on.between[at[first]])))
        for first, count, ids in zip(groups.first.tolist(), groups.counts.tolist(), records, strict=True)
    ]


def between(bits: int) -> str | None:
    """Say what lies between an event and a state; None for nothing."""
    said = [text for flag, text in _BETWEEN if flag in Check(bits)]
    return "; ".join(said) or None


def explain(line: Line, case: Case) -> Disagreement:
    """Find the condition that a disagreement lies in, and put it into words."""
    on, event = line.on, case.events.iloc[line.event]
    cause = find(on, line.answers, line.flow, case)
    numbers = case.book.filters["filter_id"]
    return Disagreement(
        computer=on.computer,
        state=on.snapshot.name,
        application=cells.text(event["application"]),
        direction=cells.text(event["direction"]),
        protocol=cells.number(event["protocol"]),
        local_address=cells.text(event["local_address"]),
        remote_address=cells.text(event["remote_address"]),
        service_port=cells.number(event["service_port"]),
        layer=cells.text(event["layer"]),
        action=str(event["action"]),
        filter_rtid=cells.number(event["filter_rtid"]),
        decision=DECISIONS[int(line.answers.decided.decision[line.flow])],
        filter_id=None if cause.row < 0 else cells.number(numbers.iloc[cause.row]),
        cause=cause.text,
        field=cause.field,
        condition=cause.condition,
        recorded=cause.recorded,
        between=line.between,
        count=line.count,
        record_ids=line.record_ids,
    )


def find(on: Applied, answers: Answers, flow: int, case: Case) -> Cause:
    """Return why the state's filters do not agree with the record of one flow."""
    book, row = case.book, int(on.told.row[flow])
    if row >= 0 and answers.impossible[flow]:
        return recorded_filter(on, answers, flow, row, case)
    deciding = int(answers.decided.deciding[flow])
    permits = int(answers.decided.decision[flow]) == PERMIT
    if deciding >= 0 and deciding == row:
        what = "as the blocker, permits" if permits else "for a permit, blocks"
        return Cause(f"{called(book, row)}, which the record names {what}", row)
    if deciding >= 0:
        does = "permits" if permits else "blocks"
        said = _said(on, flow, deciding, case)
        return Cause(f"{called(book, deciding)} {does} this for sure{said}", deciding)
    if permits:
        return Cause("no filter of the state blocks this")
    return Cause("several filters of the state block this, or it depends on which of them is first; none permits it")


def recorded_filter(on: Applied, answers: Answers, flow: int, row: int, case: Case) -> Cause:
    """Say why the filter that the record names cannot be the one."""
    book, who = case.book, called(case.book, row)
    if answers.wrong_layer[flow]:
        layer = cells.text(book.filters["layer"].iloc[row]) or "another layer"
        return Cause(f"{who}, which the record names, stands at another layer: {layers.layer_words(layer)}", row)
    why_not = on.policy.left_out.get(row)
    if why_not is not None:
        return Cause(f"{who}, which the record names, is not in force: {why_not}", row)
    found = _condition(on, answers, flow, row, case) or _too_late(on, answers, flow, row, case)
    if found is not None:
        return found
    place = on.policy.places[row]
    effect = on.policy.layers[place.layer].sublayers[place.sublayer].effects[place.filter]
    blocks = int(on.told.action[flow]) == BLOCK
    deciding = int(answers.decided.deciding[flow])
    text = f"{who}, which the record names, does not decide this layer by the state's filters"
    if blocks and not effect.bits & BLOCKS:
        text = f"{who}, which the record names as the blocker, permits"
    elif not blocks and not effect.bits & PERMITS:
        text = f"{who}, which the record names for a permit, blocks"
    elif deciding >= 0 and not blocks:
        does = f"{called(book, deciding)} blocks this for sure{_said(on, flow, deciding, case)}"
        text, row = f"{does}; the record says that {who} let it pass", deciding
    elif deciding >= 0:
        text, row = f"{called(book, deciding)} decides before {who}, which the record names", deciding
    return Cause(text, row)


def _condition(on: Applied, answers: Answers, flow: int, row: int, case: Case) -> Cause | None:
    """Return the condition of the recorded filter that says no, if there is one."""
    if answers.standing.answer[flow] == NO:
        for field, tests in missing.alternatives(case.book.tests.get(row, ())).items():
            if _field_answer(on, flow, row, field) == NO:
                asked, was = missing.asked(tests, names_of(on, flow, case)), missing.said(on.flows, flow, field)
                who = called(case.book, row)
                text = f"{who}, which the record names, asks for {asked}; the record says {was or 'otherwise'}"
                return Cause(text, row, field, asked, was)
    return None


def _too_late(on: Applied, answers: Answers, flow: int, row: int, case: Case) -> Cause | None:
    """Return the filter that ends the sublayer before the recorded one, if there is one."""
    ahead = -1 if answers.standing.candidate[flow] else _ahead(on, flow, row)
    if ahead < 0:
        return None
    who, first = called(case.book, row), called(case.book, ahead)
    text = f"{who}, which the record names, comes too late: {first} outweighs it and matches for sure"
    return Cause(text + _said(on, flow, ahead, case), ahead)


def _field_answer(on: Applied, flow: int, row: int, field: str) -> int:
    evaluator = Evaluator(on.policy.program, on.flows.take(np.array([flow], dtype=np.intp)))
    program = on.policy.program
    for place in program.of(row):
        if program.predicates[program.fields[place][0]].field == field:
            return int(evaluator.field(place)[0])
    return int(YES)


def _ahead(on: Applied, flow: int, row: int) -> int:
    """Return the filter of the same sublayer that ends it before this one, or -1."""
    place = on.policy.places[row]
    sublayer = on.policy.layers[place.layer].sublayers[place.sublayer]
    evaluator = Evaluator(on.policy.program, on.flows.take(np.array([flow], dtype=np.intp)))
    for at in range(place.filter):
        if sublayer.rank[at] >= sublayer.rank[place.filter]:
            break
        if sublayer.effects[at].ends and sublayer.sure[at] and evaluator.answer(int(sublayer.rows[at]))[0] == YES:
            return int(sublayer.rows[at])
    return -1


def _said(on: Applied, flow: int, row: int, case: Case) -> str:
    """Say what a matching filter asks for; nothing for one that asks for nothing."""
    tests = case.book.tests.get(row, ())
    if not tests:
        return ": it has no conditions"
    groups = missing.alternatives(tests)
    names = names_of(on, flow, case)
    shown = [missing.asked(group, names) for group in list(groups.values())[:3]]
    more = f" and {plural(len(groups) - 3, 'more field')}" if len(groups) > 3 else ""
    return f": {', '.join(shown)}{more}"


def names_of(on: Applied, flow: int, case: Case) -> missing.Names:
    """Return what values mean for one flow."""
    return missing.Names(case.known.names, protocols.is_icmp(int(on.flows.protocol[flow])))


def called(book: Book, row: int) -> str:
    """Return ``filter 70001 “name”``."""
    item: Any = book.filters.iloc[row]
    name = cells.text(item["name"])
    number_ = cells.number(item["filter_id"])
    return f"filter {number_}" + (f" “{name}”" if name else "")
