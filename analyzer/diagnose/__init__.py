"""Diagnoses: one module per finding; each reads the same context and knows nothing of pages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from analyzer.diagnose import evidence_gaps, kinds, service_sid
from analyzer.diagnose.context import COLUMNS, Context, Diagnosis

if TYPE_CHECKING:
    from analyzer.model import Finding

__all__ = ["Context", "Diagnosis", "run"]

_SEVERITY: Final = {"high": 0, "medium": 1, "low": 2, "info": 3}
_CONFIDENCE: Final = {"proven": 0, "likely": 1, "possible": 2, "not-this": 3}


def run(context: Context) -> Diagnosis:
    """Run every diagnosis; findings come worst first."""
    if context.events.empty:
        return Diagnosis(())
    slim = dataclasses.replace(context, events=context.events[list(COLUMNS)])
    parts = [module.diagnose(slim) for module in (service_sid, kinds, evidence_gaps)]
    findings: list[Finding] = [finding for part in parts for finding in part.findings]
    findings.sort(key=lambda f: (_SEVERITY[f.severity], _CONFIDENCE[f.confidence], -f.count, f.id))
    return Diagnosis(tuple(findings), frozenset().union(*(part.cited for part in parts)))
