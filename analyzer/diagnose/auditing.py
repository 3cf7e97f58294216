"""Findings about auditing: that blocks could not be recorded, so that their absence says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.diagnose.context import Context, Diagnosis, Found
from analyzer.model import Evidence, Finding, Remedy

if TYPE_CHECKING:
    from analyzer.model import Recording

DO: Final = (
    "Turn on failure auditing on that machine, let it fail again, and collect the Security log and a state right "
    "after. Group Policy may set the old value again at its next refresh."
)
COST: Final = (
    "Nothing is opened. Dropped packets come in great numbers and push older records out of the Security log: take "
    "them back when done."
)
COLLECT: Final = ("auditpol /backup /file:audit.csv", "the Security log of a time when these settings were on")


def diagnose(context: Context) -> Diagnosis:
    """Write a finding per computer that shows no block where none, or not all, could have been recorded."""
    found = []
    for item in context.recording:
        if item.blocks == "no":
            found.append(Found(_off(item)))
        elif item.partly:
            found.append(Found(_partly(item)))
    return Diagnosis(tuple(found))


def _finding(item: Recording, finding_id: str, title: str, meaning: str, *, high: bool) -> Finding:
    host = item.computer or "an unnamed computer"
    return Finding(
        id=finding_id,
        title=title,
        severity="high" if high else "low",
        confidence="proven",
        count=0,
        summary=f"{meaning.format(host)} {item.why[0]}",
        evidence=item.evidence or tuple(Evidence(text) for text in item.why[:1]),
        remedy=Remedy(DO, item.commands, COST),
        collect_next=COLLECT,
        rationale=item.why[1:],
    )


def _off(item: Recording) -> Finding:
    return _finding(
        item,
        "auditing-off",
        "Auditing was off: blocks could not be recorded",
        "That no block of {} is here says nothing.",
        high=True,
    )


def _partly(item: Recording) -> Finding:
    return _finding(
        item,
        "auditing-partly-off",
        "Blocks were recorded only part of the time",
        "That no block of {} is here counts only for the time when auditing was on.",
        high=False,
    )
