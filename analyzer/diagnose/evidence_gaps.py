"""Findings about the evidence itself: a state that does not belong to the log, a cleared log, changed auditing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import cells, markers
from analyzer.diagnose.context import Context, Diagnosis, Found
from analyzer.model import Evidence, Finding, Remedy
from analyzer.watch import HOUR_NS
from analyzer.wording import how_long, moment, plural, shortened

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.model import Severity
    from analyzer.pairing import Fit

CLEARED: Final = 1102
EVIDENCE_SHOWN: Final = 5
MOST_EVIDENCE: Final = 20
HOSTS: Final = 8  # named in a sentence
UNNAMED: Final = "an unnamed computer"
MARKED: Final[dict[int, tuple[str, str, Severity, str]]] = {
    1102: (
        "log-cleared",
        "The audit log was cleared",
        "medium",
        "What happened before is gone from this log; silence there proves nothing.",
    ),
    4719: (
        "audit-changed",
        "The audit policy was changed",
        "low",
        "Blocks may have gone unrecorded before or after; silence proves nothing.",
    ),
    1104: (
        "log-full",
        "The security log was full",
        "medium",
        "Events after that were lost until there was room again.",
    ),
}


NEW_STATE: Final = "netsh wfp show state, taken on the same machine right after the blocks"
IDS: Final = "Run-time ids are numbers that every Windows hands out in the same way and again after each boot."


def diagnose(context: Context) -> Diagnosis:
    """Write findings about states that do not fit and about breaks in the record."""
    every = (*_misfits(context), *_of_another_time(context), *_doubted(context), *_breaks(context))
    return Diagnosis(tuple(Found(finding) for finding in every))


def _by_computer(context: Context) -> list[tuple[str | None, list[Fit], pd.DataFrame]]:
    """Return each computer that states were laid beside, with its fits and its events that name a filter by id."""
    out = []
    asked = context.events["filter_rtid"].notna() & (context.events["action"] != "permit")
    for computer in dict.fromkeys(fit.pairing.computer for fit in context.fits):
        rows = context.events["computer"].isna() if computer is None else context.events["computer"] == computer
        named = context.events[(rows & asked).to_numpy(dtype=bool)]
        if not named.empty:
            out.append((computer, [fit for fit in context.fits if fit.pairing.computer == computer], named))
    return out


def _whose(context: Context, computer: str | None) -> str:
    """Return what to put before a sentence where there are several computers."""
    return f"{computer or UNNAMED}: " if context.several else ""


def _misfits(context: Context) -> list[Finding]:
    """One finding on all computers whose ids were looked up only in states that cannot be their own."""
    cases = [case for case in _by_computer(context) if all(fit.pairing.fits == "no" for fit in case[1])]
    if not cases:
        return []
    count = sum(len(named) for _, _, named in cases)
    hosts = [f"{name or UNNAMED}{f' ({len(named):,})' if len(cases) > 1 else ''}" for name, _, named in cases]
    verb = "names" if count == 1 else "name"
    return [
        Finding(
            id="state-does-not-fit",
            title="The state does not belong to these events"
            if len(cases) == 1
            else f"No state belongs to the events of {plural(len(cases), 'computer')}",
            severity="high",
            confidence="likely",
            count=count,
            summary=(
                f"{plural(count, 'block or drop', 'blocks and drops')} of {shortened(hosts, HOSTS)} {verb} a filter by "
                "run-time id, but no state that was handed in can speak for that time and host. A number that is "
                "found in it anyway proves nothing."
            ),
            evidence=tuple(
                Evidence(f"{_whose(context, name)}{text}", fit.pairing.state)
                for name, fits, _ in cases
                for fit in fits
                for text in fit.pairing.against[: 1 if len(cases) > 1 else None]
            )[:MOST_EVIDENCE],
            remedy=Remedy("Ask for a state of the same machine, taken right after the failure."),
            collect_next=(NEW_STATE,),
            rationale=(IDS,),
        )
    ]


def _of_another_time(context: Context) -> list[Finding]:
    """One finding on all computers whose own state was saved at another time, so that it cannot speak."""
    found: list[tuple[str | None, Fit, str, bool, int]] = []
    for computer, fits, named in _by_computer(context):
        open_ones = [fit for fit in fits if not fit.excluded]
        if not open_ones or any(fit.pairing.fits == "yes" for fit in fits):
            continue
        said = [(fit, *told) for fit in open_ones if (told := _apart(context, computer, fit, named)) is not None]
        if len(said) == len(open_ones):
            fit, text, started = said[0]
            found.append((computer, fit, text, started, len(named)))
    if not found:
        return []
    count = sum(item[4] for item in found)
    texts = [f"{_whose(context, computer)}{text}" for computer, _, text, _, _ in found]
    more = f" The same holds for {plural(len(found) - 1, 'other computer')}." if len(found) > 1 else ""
    return [
        Finding(
            id="state-does-not-fit",
            title=f"{_whose(context, found[0][0]) if len(found) == 1 else ''}The state is of another time than the log",
            severity="medium",
            confidence="proven" if all(item[3] for item in found) else "likely",
            count=count,
            summary=(
                f"{found[0][2][0].upper()}{found[0][2][1:]}: take a new one.{more} "
                f"{plural(count, 'block or drop', 'blocks and drops')} of "
                f"{shortened([item[0] or UNNAMED for item in found], HOSTS)} "
                f"{'names' if count == 1 else 'name'} a filter by run-time id, which that state cannot tell."
            ),
            evidence=tuple(
                Evidence(text, fit.pairing.state) for text, (_, fit, _, _, _) in zip(texts, found, strict=True)
            )[:MOST_EVIDENCE],
            remedy=Remedy("Take a new state, right after the failure and before Windows starts again."),
            collect_next=(NEW_STATE,),
            rationale=(IDS,),
        )
    ]


def _apart(context: Context, computer: str | None, fit: Fit, named: pd.DataFrame) -> tuple[str, bool] | None:
    """Say how far a state and the events lie apart, and whether Windows started in between; None where they do not."""
    snapshot = next((item for item in context.book.snapshots if item.name == fit.pairing.state), None)
    taken, seen = None if snapshot is None else snapshot.taken, context.watch.get(computer)
    times = named["time"].dropna()
    if taken is None or seen is None or not seen.intervals or times.empty:
        return None
    first, last = int(markers.nanoseconds(times).min()), int(markers.nanoseconds(times).max())
    if taken < seen.first:
        told, between = f"the state was saved {how_long(seen.first - taken)} before the log begins", (taken, first)
    elif taken > seen.last + HOUR_NS:
        told, between = f"the state was saved {how_long(taken - seen.last)} after the log ends", (last, taken)
    else:
        return None
    boots = context.markers.times(computer, markers.EPOCH)
    started = bool(((boots > between[0]) & (boots <= between[1])).any())
    since = "since" if taken < seen.first else "in between"
    return f"{told}{f', and Windows started again {since}' if started else ''}", started


def _doubted(context: Context) -> list[Finding]:
    """One finding per state whose filters decide many flows otherwise than Windows recorded."""
    if context.agreement is None:
        return []
    out = []
    for item in context.agreement.states:
        if not item.doubted:
            continue
        shown = [
            line
            for line in context.agreement.disagreements
            if line.state == item.state and line.computer == item.computer and line.between is None
        ]
        out.append(
            Finding(
                id="state-disagrees",
                title="The state does not decide as Windows recorded",
                severity="medium",
                confidence="likely",
                count=item.disagrees,
                summary=(
                    f"For {item.computer or 'events that name no computer'}, {item.why}. What rests on this state "
                    "alone is trusted less; what an event or a net event says itself stands."
                ),
                evidence=tuple(
                    Evidence(line.cause, line.state, next(iter(line.record_ids), None), line.filter_id)
                    for line in shown[:EVIDENCE_SHOWN]
                ),
                remedy=Remedy("Ask for a state of the same machine, taken right after the failure."),
                collect_next=("netsh wfp show state, taken on the same machine right after the blocks",),
                rationale=(
                    "Windows decides by these filters: a state of this machine and time leads to the same decisions.",
                ),
            )
        )
    return out


def _breaks(context: Context) -> list[Finding]:
    out = []
    for event_id, (name, title, severity, meaning) in MARKED.items():
        rows = context.markers.frame[context.markers.frame["event_id"] == event_id]
        if rows.empty:
            continue
        hosts = sorted({cells.text(host) or UNNAMED for host in rows["computer"]})
        on = f" on {shortened(hosts, HOSTS)}" if context.several else ""
        often = "once" if len(rows) == 1 else plural(len(rows), "time")
        out.append(
            Finding(
                id=name,
                title=title,
                severity=severity,
                confidence="proven",
                count=len(rows),
                summary=f"{markers.title(event_id)} {often} in the time that the logs cover{on}. {meaning}",
                evidence=tuple(
                    Evidence(
                        f"{_whose(context, cells.text(row.computer))}at {moment(cells.moment(row.time))}",
                        str(row.input),
                        cells.number(row.record_id),
                    )
                    for row in rows.head(EVIDENCE_SHOWN).itertuples(index=False)
                ),
            )
        )
    return out
