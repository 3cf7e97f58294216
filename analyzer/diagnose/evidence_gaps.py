"""Findings about the evidence itself: a state that does not belong to the log, a cleared log, changed auditing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import cells, markers
from analyzer.diagnose.context import Context, Diagnosis, Found
from analyzer.model import Evidence, Finding, Remedy
from analyzer.wording import plural

if TYPE_CHECKING:
    from analyzer.model import Severity

CLEARED: Final = 1102
EVIDENCE_SHOWN: Final = 5
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


def diagnose(context: Context) -> Diagnosis:
    """Write findings about states that do not fit and about breaks in the record."""
    return Diagnosis(tuple(Found(finding) for finding in (*_misfits(context), *_doubted(context), *_breaks(context))))


def _misfits(context: Context) -> list[Finding]:
    """One finding per computer whose ids were looked up only in states that cannot be its own."""
    out = []
    by_computer: dict[str | None, list[int]] = {}
    for number, fit in enumerate(context.fits):
        by_computer.setdefault(fit.pairing.computer, []).append(number)
    for computer, numbers in by_computer.items():
        fits = [context.fits[n] for n in numbers]
        if not fits or any(f.pairing.fits != "no" for f in fits):
            continue
        rows = context.events["computer"].isna() if computer is None else context.events["computer"] == computer
        named = context.events[rows & context.events["filter_rtid"].notna() & (context.events["action"] != "permit")]
        if named.empty:
            continue
        out.append(
            Finding(
                id="state-does-not-fit",
                title="The state does not belong to these events",
                severity="high",
                confidence="likely",
                count=len(named),
                summary=(
                    f"{plural(len(named), 'block or drop', 'blocks and drops')} of "
                    f"{computer or 'an unnamed computer'} name a "
                    f"filter by run-time id, but no state that was handed in can speak for that time and host. "
                    f"A number that "
                    "is found in it anyway proves nothing."
                ),
                evidence=tuple(Evidence(text, f.pairing.state) for f in fits for text in f.pairing.against),
                remedy=Remedy("Ask for a state of the same machine, taken right after the failure."),
                collect_next=("netsh wfp show state, taken on the same machine right after the blocks",),
                rationale=(
                    "Run-time ids are numbers that every Windows hands out in the same way and again after each boot.",
                ),
            )
        )
    return out


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
        out.append(
            Finding(
                id=name,
                title=title,
                severity=severity,
                confidence="proven",
                count=len(rows),
                summary=f"{markers.title(event_id)} {plural(len(rows), 'time')} in the time of the logs. {meaning}",
                evidence=tuple(
                    Evidence(
                        f"at {cells.when(row.time) or 'an unknown time'}", str(row.input), cells.number(row.record_id)
                    )
                    for row in rows.head(5).itertuples(index=False)
                ),
            )
        )
    return out
