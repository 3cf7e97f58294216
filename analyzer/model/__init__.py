"""The result document: every renderer reads this and nothing else.

All types are frozen. ``reports.document`` makes JSON of them; the parts that only pages need
(``answer``, ``timeline``, ``programs``, ``cited``) ride along under keys of their own.
Times are RFC 3339 text in UTC with seven decimals and ``Z``, made once, so that no renderer formats evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.model.coverage import AuditPolicy, AuditSetting, Coverage, HostState, Marker, Pairing, Recording
from analyzer.model.evidence import (
    Callout,
    CitedFilter,
    Condition,
    Endpoint,
    Evidence,
    FilterRef,
    InputFile,
    OpenConnections,
    Problem,
)
from analyzer.model.findings import Finding, Narrower, Remedy, ServiceAnswer, ServiceOutcome, Verdict
from analyzer.model.rules import CitedRule, Rule, RuleInState
from analyzer.model.summary import Answer, KindCount, Program, Redacted, Selected, ServiceUse, Timeline, TimelineSeries
from analyzer.model.words import (
    EVENT_KEYS,
    SCHEMA_VERSION,
    Action,
    Confidence,
    Grade,
    Kind,
    KindEvidence,
    ProblemSeverity,
    Recorded,
    ServiceResult,
    Severity,
    StateFits,
    Switch,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analyzer.model.engine import Agreement, Explanation
    from analyzer.proposalmodel import Proposal

__all__ = [
    "EVENT_KEYS",
    "SCHEMA_VERSION",
    "Action",
    "Analysis",
    "Answer",
    "AuditPolicy",
    "AuditSetting",
    "Callout",
    "CitedFilter",
    "CitedRule",
    "Condition",
    "Confidence",
    "Coverage",
    "Endpoint",
    "Evidence",
    "FilterRef",
    "Finding",
    "Grade",
    "HostState",
    "InputFile",
    "Kind",
    "KindCount",
    "KindEvidence",
    "Marker",
    "Narrower",
    "OpenConnections",
    "Pairing",
    "Problem",
    "ProblemSeverity",
    "Program",
    "Recorded",
    "Recording",
    "Redacted",
    "Remedy",
    "Rule",
    "RuleInState",
    "Selected",
    "ServiceAnswer",
    "ServiceOutcome",
    "ServiceResult",
    "ServiceUse",
    "Severity",
    "StateFits",
    "Switch",
    "Timeline",
    "TimelineSeries",
    "Verdict",
]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The whole result. The two frames are for exports and for people with questions of their own."""

    tool: Mapping[str, str]
    command: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    problems: tuple[Problem, ...]
    coverage: Coverage
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    answer: Answer
    timeline: Timeline
    programs: tuple[Program, ...]
    cited: tuple[CitedFilter, ...]
    agreement: Agreement | None = None  # None where no state was used for any event
    explanations: tuple[Explanation, ...] = ()  # what was asked for by `explain`; in a document of its own
    proposal: Proposal | None = None  # what was asked for by `propose`; in a document of its own
    selection: Selected | None = None  # None where everything is shown
    service_rules: tuple[ServiceAnswer, ...] = ()  # what became of each service's allow rule
    rules: tuple[CitedRule, ...] = ()
    endpoints: tuple[OpenConnections, ...] = ()
    services: tuple[ServiceUse, ...] = ()
    redaction: Redacted | None = None  # None where everything is as recorded
    schema_version: int = SCHEMA_VERSION
    events: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    filters: pd.DataFrame | None = field(default=None, repr=False, compare=False)
