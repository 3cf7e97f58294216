"""The flows that somebody wants to have explained, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import applied, cells, disagreement, missing
from analyzer.applied import APPLICATION_EVENT
from analyzer.asked_flow import flow_of
from analyzer.folding import Groups
from analyzer.markers import nanoseconds
from analyzer.question import QuestionError
from analyzer.wfp import protocols
from analyzer.wording import listed, plural

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.applied import Applied, Case
    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Policy
    from analyzer.pairing import Fit
    from analyzer.question import Question
    from analyzer.states import Snapshot

MOST_FLOWS: Final = 3  # flows of one filter that are explained
MOST_NAMED: Final = 6
NO_STATE: Final = "nothing to explain with: no state (netsh wfp show state) was handed in"


@dataclass(frozen=True, slots=True)
class Way:
    """What an explanation is made from: one flow, what decides it, and what the record says."""

    title: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    snapshot: Snapshot
    fit: Fit | None
    policy: Policy
    flow: FlowArrays
    recorded: Applied | None  # of one event, with the record
    words: str | None  # what the record says


def ways(question: Question, case: Case) -> list[Way]:
    """Return the flows that a question is about.

    Raises
    ------
    QuestionError
        There are none in what was handed in; the message says what is there instead.
    """
    if not case.book.snapshots:
        raise QuestionError(NO_STATE, usable=False)
    if question.flow is not None:
        return [_by_hand(question, case)]
    rows = _records(question, case) if question.record is not None else _by_filter(question, case)
    return [_of_event(row, case) for row in rows]


# --------------------------------------------------------------------------------------------------------------
# Which flows


def _of_computer(question: Question, case: Case) -> NDArray[np.bool_]:
    """Tell which events are of the computer that was asked for."""
    column = case.events["computer"]
    if question.computer is None:
        return np.ones(len(column), dtype=bool)
    names = [str(name) for name in column.cat.categories]
    table = np.array([*(question.computer.matches(name) for name in names), False], dtype=bool)
    if not table.any():
        raise QuestionError(f"--computer: no event is of {question.computer}; there are {_listed(names)}")
    out: NDArray[np.bool_] = table[column.cat.codes.to_numpy()]
    return out


def _records(question: Question, case: Case) -> list[int]:
    """Return the rows of the record that is asked for."""
    events, wanted = case.events, question.record
    own = _of_computer(question, case)
    numbers = events["record_id"].to_numpy(dtype="uint64", na_value=np.uint64(2**64 - 1))
    rows = np.flatnonzero(own & (numbers == np.uint64(wanted or 0)) & events["record_id"].notna().to_numpy())
    if not len(rows):
        raise QuestionError(
            f"no event of the filtering platform has the record number {wanted}; {_ranges(events[own])}"
        )
    hosts = [cells.text(name) or "an unnamed computer" for name in events["computer"].iloc[rows]]
    if len(set(hosts)) > 1:
        raise QuestionError(f"several computers have a record {wanted}: give --computer, one of {_listed(hosts)}")
    if (events["event_id"].iloc[rows] == APPLICATION_EVENT).all():
        raise QuestionError(
            f"record {wanted} is an event {APPLICATION_EVENT}: it names a program and no packet to follow"
        )
    return [int(row) for row in rows[:MOST_FLOWS]]


def _ranges(events: pd.DataFrame) -> str:
    """Say which record numbers there are."""
    known = events[events["record_id"].notna()]
    if known.empty:
        return "no event here has one (net events have none)"
    said = []
    for code in np.unique(known["computer"].cat.codes):
        part = known[known["computer"].cat.codes == code]["record_id"]
        name = "events without a computer" if code < 0 else str(known["computer"].cat.categories[code])
        said.append(f"{name}: {int(part.min())} to {int(part.max())} ({plural(len(part), 'event')})")
    more = f" and {len(said) - MOST_NAMED} more computers" if len(said) > MOST_NAMED else ""
    return f"there are {'; '.join(said[:MOST_NAMED])}{more}"


def _by_filter(question: Question, case: Case) -> list[int]:
    """Return the first event of each flow that names the filter, the flows with the most events first."""
    events = case.events
    numbers = events["filter_rtid"].to_numpy(dtype="uint64", na_value=0)
    wanted = np.uint64(question.filter_id or 0)
    rows = np.flatnonzero(_of_computer(question, case) & (numbers == wanted) & (wanted > 0))
    if not len(rows):
        raise QuestionError(f"no event names the filter {question.filter_id}{_in_states(question, case)}")
    groups = Groups(np.unique(events["flow"].to_numpy()[rows], return_inverse=True)[1].astype(np.int64))
    order = np.argsort(-groups.counts, kind="stable")[:MOST_FLOWS]
    return [int(rows[groups.first[place]]) for place in order]


def _in_states(question: Question, case: Case) -> str:
    found = case.book.filters[case.book.filters["filter_id"] == question.filter_id]
    if found.empty:
        return ", and no state holds it"
    item: Any = found.iloc[0]
    what = f"{cells.text(item['action'])} filter “{cells.text(item['name']) or 'without a name'}”"
    return f"; {item['input']} holds it ({what}): `wfp-analyzer filters` tells its conditions"


def _listed(names: list[str]) -> str:
    distinct = sorted(set(names))
    more = [f"{len(distinct) - MOST_NAMED} more"] if len(distinct) > MOST_NAMED else []
    return listed([*distinct[:MOST_NAMED], *more]) or "none"


# --------------------------------------------------------------------------------------------------------------
# What is known of them


def _of_event(row: int, case: Case) -> Way:
    event = case.events.iloc[row]
    computer = cells.text(event["computer"])
    usable, notes = applied.states_of(case, computer), []
    if not usable:
        usable = [
            (snapshot, fit)
            for snapshot in case.book.snapshots
            for fit in case.fits
            if fit.pairing.state == snapshot.name and fit.pairing.computer == computer
        ]
        notes.append("The state does not belong to this log: what follows is what that state would have done.")
    times = nanoseconds(case.events["time"].iloc[[row]])
    snapshot, fit = usable[int(applied.nearest(usable, times)[0])]
    on = applied.apply_one(case, computer, snapshot, fit, np.array([row], dtype=np.intp))
    apart = disagreement.between(int(on.between[0]))
    if apart is not None:
        notes.append(f"Between the event and the state: {apart}. The filters may have been others then.")
    number, record = cells.number(event["event_id"]), cells.number(event["record_id"])
    title = f"Record {record}" if record is not None else "A net event"
    named = cells.number(event["filter_rtid"])
    by = f" by filter {named}" if named else ", which names no filter"
    return Way(
        title=f"{title}, event {number}" if number and record is not None else title,
        facts=_facts(event, on),
        notes=tuple(notes),
        snapshot=snapshot,
        fit=fit,
        policy=on.policy,
        flow=on.flows,
        recorded=on,
        words=f"{event['action']}{by}",
    )


def _facts(event: pd.Series, on: Applied) -> tuple[tuple[str, str], ...]:
    """Return what is recorded of an event: label and value."""
    protocol = cells.number(event["protocol"])
    services = event["services"]
    token = missing.said(on.flows, 0, missing.USER)
    profile = missing.said(on.flows, 0, "CURRENT_PROFILE_ID") or missing.said(on.flows, 0, "ORIGINAL_PROFILE_ID")
    rows = (
        ("Time", cells.when(event["time"])),
        ("Computer", cells.text(event["computer"])),
        ("Program", cells.text(event["application"])),
        ("Services", ", ".join(services) if isinstance(services, tuple) else None),
        ("Token", token),
        ("Direction", cells.text(event["direction"])),
        ("Protocol", None if protocol is None else protocols.protocol_name(protocol) or str(protocol)),
        ("Local", _end(event, "local")),
        ("Remote", _end(event, "remote")),
        ("Profile", profile),
    )
    return tuple((label, value) for label, value in rows if value is not None)


def _end(event: pd.Series, side: str) -> str | None:
    address, port = cells.text(event[f"{side}_address"]), cells.number(event[f"{side}_port"])
    if address is None:
        return None if port is None else f"port {port}"
    return address if port is None else f"{address} port {port}"


def _by_hand(question: Question, case: Case) -> Way:
    """Take the flow as it was given, and the latest state, of the computer that is asked for."""
    asked = question.flow
    if asked is None:
        raise QuestionError("no flow was given")
    snapshot, fit, notes = _state(question, case)
    computer = None if fit is None else fit.pairing.computer
    values = {
        test.value
        for row in snapshot.rows
        for test in case.book.tests.get(row, ())
        if test.field == missing.APPLICATION and isinstance(test.value, str)
    }
    events = case.events["application"].dropna().unique() if len(case.events) else ()
    flow, assumed = flow_of(asked, {*values, *(str(name) for name in events)}, case.known, computer)
    rows = (
        ("Program", flow.application.at(0)),
        ("Services", asked.service),
        ("Token", missing.said(flow, 0, missing.USER)),
        ("Direction", ("outbound", "inbound")[int(flow.direction[0])]),
        ("Protocol", None if asked.protocol is None else missing.said(flow, 0, missing.PROTOCOL)),
        ("Local", _joined(asked.local_address, asked.local_port)),
        ("Remote", _joined(asked.remote_address, asked.remote_port)),
        ("Profile", missing.said(flow, 0, "CURRENT_PROFILE_ID")),
    )
    return Way(
        title="A flow as it was asked for",
        facts=tuple((label, value) for label, value in rows if value is not None),
        notes=(*notes, *assumed),
        snapshot=snapshot,
        fit=fit,
        policy=case.policy(snapshot),
        flow=flow,
        recorded=None,
        words=None,
    )


def _joined(address: str | None, port: int | None) -> str | None:
    parts = [address, None if port is None else f"port {port}"]
    return " ".join(part for part in parts if part is not None) or None


def _state(question: Question, case: Case) -> tuple[Snapshot, Fit | None, list[str]]:
    """Return the state for a flow by hand: the latest, or the latest of the computer."""
    snapshots = list(case.book.snapshots)
    fits = [fit for fit in case.fits if not fit.excluded]
    if question.computer is not None:
        asked = question.computer
        fits = [fit for fit in fits if fit.pairing.computer is not None and asked.matches(fit.pairing.computer)]
        names = {fit.pairing.state for fit in fits}
        snapshots = [item for item in snapshots if item.name in names]
        if not snapshots:
            raise QuestionError(f"--computer: no state that was handed in may speak for {asked}")
    last = max(snapshots, key=lambda item: cells.moment(item.time) or 0)
    notes = [f"{last.name} is the latest of {len(snapshots)} states."] if len(snapshots) > 1 else []
    fit = next((fit for fit in fits if fit.pairing.state == last.name), None)
    return last, fit, notes
