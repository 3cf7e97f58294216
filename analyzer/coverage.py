"""What the verdicts rest on: the logs' time, gaps, markers, and how the states fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer import cells, markers, recording
from analyzer.model import Coverage, HostState, Marker, Problem
from analyzer.netevents import NO_EVENT_ID
from analyzer.pairing import elsewhere

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analyzer.model import AuditPolicy, Pairing, Recording, StateFits
    from analyzer.pairing import Fit
    from analyzer.readers.evtx import EvtxLog
    from analyzer.states import Book

SECURITY: Final = "Security"
SHOW_FILTERS: Final = (
    "a `show filters` dump leaves out boot-time, stealth and inspection filters, origins and its time: "
    "`netsh wfp show state` holds them"
)
CAPTURE_ALONE: Final = (
    "the state of a capture, and no net event of it: the capture ended before one was written, or the file is cut"
)
STATE_ALONE: Final = "no log was handed in, so nothing is judged; `wfp-analyzer filters` describes every filter"
FITS: Final = ("yes", "unknown", "no")  # best first
HOSTS_SHOWN: Final = 5
GAPS_SHOWN: Final = 20
MARKERS_SHOWN: Final = 200


def gaps(logs: Sequence[tuple[str, EvtxLog]]) -> tuple[dict[str, Any], ...]:
    """Describe gaps in record ids, at most ``GAPS_SHOWN`` per log; a selective export's are one entry."""
    out: list[dict[str, Any]] = []
    for name, log in logs:
        if not log.id_gaps:
            continue
        if log.selective:
            first, last = log.id_gaps[0][0], log.id_gaps[-1][1]
            out.append(_gap(name, first, last, len(log.id_gaps), "selective export: the log was saved by a query"))
            continue
        out.extend(
            _gap(name, after, before, 1, "records are missing here") for after, before in log.id_gaps[:GAPS_SHOWN]
        )
        if len(log.id_gaps) > GAPS_SHOWN:
            rest = log.id_gaps[GAPS_SHOWN:]
            out.append(_gap(name, rest[0][0], rest[-1][1], len(rest), "more gaps, folded"))
    return tuple(out)


def _gap(name: str, after: int, before: int, count: int, why: str) -> dict[str, Any]:
    return {"input": name, "after_record_id": after, "before_record_id": before, "count": count, "why": why}


def _hosts(fits: Sequence[Fit], judged: frozenset[str | None]) -> tuple[HostState, ...]:
    """Return for each computer with blocks or drops (for each, where none has any) the state that fits it best."""
    asked = [f.pairing for f in fits if f.pairing.computer in judged] or [f.pairing for f in fits]
    others = elsewhere(fits)
    return tuple(
        _host(name, [p for p in asked if p.computer == name and (name, p.state) not in others])
        for name in dict.fromkeys(p.computer for p in asked)
    )


def _host(computer: str | None, pairings: Sequence[Pairing]) -> HostState:
    if not pairings:
        return HostState(computer, "no", None, None, "every state that was handed in is of another computer")
    best = min(pairings, key=lambda p: (FITS.index(p.fits), -len(p.ties)))
    why = "; ".join(best.ties if best.fits == "yes" else best.against or best.ties)
    return HostState(computer, best.fits, best.state, best.state_time, why)


def _fold(hosts: Sequence[HostState]) -> tuple[StateFits, str, str | None]:
    """Fold how the states fit: yes if every computer has one that does, no if none has any."""
    if not hosts:
        return "unknown", "no state was handed in together with a log", None
    worst = max(hosts, key=lambda host: FITS.index(host.state_fits))
    alike = len({host.state_fits for host in hosts}) == 1
    if alike and worst.state is not None:
        return worst.state_fits, f"{worst.state} and the log of {_named(worst)}: {worst.why}", worst.state_time
    each = [f"{_named(host)}: {f'{host.state}: ' if host.state else ''}{host.why}" for host in hosts[:HOSTS_SHOWN]]
    more = [f"and {len(hosts) - HOSTS_SHOWN:,} more computers"] if len(hosts) > HOSTS_SHOWN else []
    fits = worst.state_fits if alike else "unknown"
    return fits, ". ".join([*each, *more]), worst.state_time


def _named(host: HostState) -> str:
    return host.computer or "an unnamed computer"


def cover(
    events: pd.DataFrame,
    logs: Sequence[tuple[str, EvtxLog]],
    book: Book,
    fits: Sequence[Fit],
    marks: markers.Markers,
    policy: Sequence[AuditPolicy] = (),
    recordings: Sequence[Recording] = (),
) -> Coverage:
    """Build the coverage part of the result; ``policy`` and ``recordings`` are of :mod:`analyzer.recording`."""
    recorded, recorded_why = recording.fold(recordings)
    times_seen = [time for _, log in logs for time in (log.first, log.last) if time is not None]
    net = events.loc[events["event_id"] == NO_EVENT_ID, "time"].dropna()
    times_seen.extend([net.min(), net.max()] if len(net) else [])
    judged = events.loc[events["kind"].notna(), "computer"].astype("object").unique()
    hosts = _hosts(fits, frozenset(cells.text(name) for name in judged))
    state_fits, why, state_time = _fold(hosts)
    times = [cells.when(s.time) for s in book.snapshots if s.time is not None]
    counts = events["event_id"].value_counts().sort_index()
    shown = marks.frame.drop_duplicates(subset=["computer", "time", "event_id"]).dropna(subset=["time"])
    # 5441 and rule changes come in bursts: one mark per second and id is what a timeline can show.
    second = shown["time"].dt.floor("s")
    shown = shown.loc[~shown.assign(second=second).duplicated(subset=["computer", "second", "event_id"])]
    return Coverage(
        first=cells.when(min(times_seen)) if times_seen else None,
        last=cells.when(max(times_seen)) if times_seen else None,
        gaps=gaps(logs),
        by_event_id={str(i): int(n) for i, n in counts.items() if i != NO_EVENT_ID},
        audit_policy={"computers": tuple(policy)} if policy else None,
        state_time=state_time or (times[-1] if times else None),
        state_fits=state_fits,
        why=why,
        recorded=recorded,
        recorded_why=recorded_why,
        recording=tuple(recordings),
        pairings=tuple(f.pairing for f in fits),
        hosts=hosts,
        markers=tuple(
            Marker(
                time=cells.rfc3339(cells.moment(row.time) or 0),
                computer=cells.text(row.computer),
                what=markers.title(cells.number(row.event_id) or 0),
                event_id=cells.number(row.event_id) or 0,
                input=str(row.input),
                record_id=cells.number(row.record_id),
            )
            for row in shown.head(MARKERS_SHOWN).itertuples(index=False)
        ),
    )


def notes(logs: Sequence[tuple[str, EvtxLog]], book: Book, events: pd.DataFrame) -> list[Problem]:
    """Say what was fine to read but holds nothing for this analysis, so that silence is not taken for an answer."""
    out = []
    for name, log in logs:
        if log.records and log.tables["wfp"].empty:
            channels = ", ".join(sorted(log.channels)[:3]) or "no channel named"
            off = "auditing may have been off" if SECURITY in log.channels else "they are written to the Security log"
            what = f"a log without the events 5031 and 5150 to 5159 (channel: {channels}); {off}"
            out.append(Problem(name, None, "note", what))
    dumps = (snapshot for snapshot in book.snapshots if snapshot.kind == "filters" and snapshot.captured is None)
    out.extend(Problem(dump.name, None, "note", CAPTURE_ALONE if dump.capture else SHOW_FILTERS) for dump in dumps)
    if not book.snapshots and len(events):
        out.append(Problem(None, None, "note", "no state was handed in: run-time ids cannot be looked up"))
    if book.snapshots and not logs and events.empty:
        out.append(Problem(None, None, "note", STATE_ALONE))
    return out
