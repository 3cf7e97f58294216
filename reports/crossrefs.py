"""Which row of the page a count or a record id leads to.

A record id leads to a flow only where it can mean one record: ids of several logs overlap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Action, Analysis, Kind, Verdict

Who = tuple[str | None, str | None]  # computer and program
Served = tuple[Who, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Crossrefs:
    """Anchors of flows: the first of a kind, of a program, of services, and the one that holds a record."""

    kinds: dict[tuple[Action, Kind | None], str] = field(default_factory=dict)
    programs: dict[Who, str] = field(default_factory=dict)
    services: dict[Served, str] = field(default_factory=dict)
    findings: dict[Served, dict[str, None]] = field(default_factory=dict)  # keys of findings on flows of services
    records: dict[int, str | None] = field(default_factory=dict)  # None where several flows list the id

    def record(self, record_id: int | None) -> str | None:
        """Return the flow that a record id means, None where that is not shown or not certain."""
        return None if record_id is None else self.records.get(record_id)


def crossrefs(analysis: Analysis, shown: Sequence[tuple[str, Verdict]]) -> Crossrefs:
    """Look through the flows that the page shows; ``shown`` are their anchors and verdicts, in order."""
    out = Crossrefs()
    one_log = sum(item.records is not None and item.events is not None for item in analysis.inputs) == 1
    for verdict in analysis.verdicts:
        if verdict.services:
            served = ((verdict.computer, verdict.application), verdict.services)
            out.findings.setdefault(served, {}).update(dict.fromkeys(verdict.findings))
    for anchor, verdict in shown:
        who = (verdict.computer, verdict.application)
        out.kinds.setdefault((verdict.action, verdict.kind), anchor)
        out.programs.setdefault(who, anchor)
        if verdict.services:
            out.services.setdefault((who, verdict.services), anchor)
        for record_id in verdict.record_ids if one_log else ():
            out.records[record_id] = None if record_id in out.records else anchor
    return out
