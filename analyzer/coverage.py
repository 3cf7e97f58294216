"""What the verdicts rest on: the logs' time, gaps, markers, and how the states fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer import cells, markers
from analyzer.model import Coverage, Marker, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analyzer.model import StateFits
    from analyzer.pairing import Fit
    from analyzer.readers.evtx import EvtxLog
    from analyzer.states import Book

SECURITY: Final = "Security"
GAPS_SHOWN: Final = 20
MARKERS_SHOWN: Final = 200


def spans(logs: Sequence[tuple[str, EvtxLog]]) -> dict[str | None, tuple[pd.Timestamp, pd.Timestamp]]:
    """Return computer -> first and last time over all its events that were read, else over the log that names it."""
    out: dict[str | None, tuple[pd.Timestamp, pd.Timestamp]] = {}
    for _, log in logs:
        if log.first is None or log.last is None:
            continue
        only = len(log.computers) == 1
        for frame in log.tables.values():
            grouped = frame.dropna(subset=["time"]).groupby("computer", observed=True)["time"].agg(["min", "max"])
            for name, row in grouped.iterrows():
                low, high = (log.first, log.last) if only else (row["min"], row["max"])
                _widen(out, str(name), low, high)
    return out


def _widen(out: dict[str | None, tuple[pd.Timestamp, pd.Timestamp]], key: str, low: Any, high: Any) -> None:
    known = out.get(key)
    out[key] = (low, high) if known is None else (min(low, known[0]), max(high, known[1]))


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


def _worst_first(fits: Sequence[Fit]) -> tuple[StateFits, str, str | None]:
    """Fold how all states fit all computers: yes if any does; no only if all say no."""
    if not fits:
        return "unknown", "no state was handed in together with a log", None
    for wanted in ("yes", "unknown", "no"):
        found = [f.pairing for f in fits if f.pairing.fits == wanted]
        if found:
            best = max(found, key=lambda p: len(p.ties))
            said = "; ".join(best.ties if wanted == "yes" else best.against or best.ties)
            return (
                best.fits,
                f"{best.state} and the log of {best.computer or 'an unnamed computer'}: {said}",
                best.state_time,
            )
    return "unknown", "", None


def cover(
    events: pd.DataFrame, logs: Sequence[tuple[str, EvtxLog]], book: Book, fits: Sequence[Fit], marks: markers.Markers
) -> Coverage:
    """Build the coverage part of the result."""
    firsts = [log.first for _, log in logs if log.first is not None]
    lasts = [log.last for _, log in logs if log.last is not None]
    state_fits, why, state_time = _worst_first(fits)
    times = [cells.when(s.time) for s in book.snapshots if s.time is not None]
    counts = events["event_id"].value_counts().sort_index()
    shown = marks.frame.drop_duplicates(subset=["computer", "time", "event_id"]).dropna(subset=["time"])
    # 5441 and rule changes come in bursts: one mark per second and id is what a timeline can show.
    second = shown["time"].dt.floor("s")
    shown = shown.loc[~shown.assign(second=second).duplicated(subset=["computer", "second", "event_id"])]
    return Coverage(
        first=cells.when(min(firsts)) if firsts else None,
        last=cells.when(max(lasts)) if lasts else None,
        gaps=gaps(logs),
        by_event_id={str(i): int(n) for i, n in counts.items()},
        audit_policy=None,
        state_time=state_time or (times[-1] if times else None),
        state_fits=state_fits,
        why=why,
        pairings=tuple(f.pairing for f in fits),
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
            what = f"a log without Windows Filtering Platform events (channel: {channels}); {off}"
            out.append(Problem(name, None, "note", what))
    if logs and not book.snapshots and len(events):
        out.append(Problem(None, None, "note", "no state was handed in: run-time ids cannot be looked up"))
    if book.snapshots and not logs:
        out.append(Problem(None, None, "note", "no log was handed in: the states are described, nothing is judged"))
    return out
