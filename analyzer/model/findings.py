"""Verdicts, and the findings that rest on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.model.engine import Nearest
    from analyzer.model.evidence import Evidence, FilterRef
    from analyzer.model.words import Action, Confidence, Grade, Kind, Severity


@dataclass(frozen=True, slots=True)
class Verdict:
    """One flow with one outcome. ``count`` counts records, ``attempts`` folds the repeats of one attempt."""

    kind: Kind | None
    grade: Grade
    action: Action
    computer: str | None
    application: str | None
    services: tuple[str, ...] | None
    direction: str | None
    protocol: int | None
    local_address: str | None
    remote_address: str | None
    service_port: int | None
    layer: str | None
    filter: FilterRef | None
    count: int
    attempts: int
    first: str | None
    last: str | None
    record_ids: tuple[int, ...]
    # more than the contract asks for
    reasons: tuple[str, ...] = ()
    event_ids: tuple[int, ...] = ()
    event_origin: str | None = None
    filter_rtid: int | None = None
    endpoint_order: str = "certain"
    icmp_type: int | None = None
    icmp_code: int | None = None
    client_ports: int = 0
    process_ids: tuple[int, ...] = ()
    rule_maker: str | None = None
    state: str | None = None
    findings: tuple[str, ...] = ()  # keys of the findings that rest on this verdict
    rule_id: str | None = None  # the rule that the event's origin or the filter's names
    nearest: tuple[Nearest, ...] = ()  # allow rules that would have beaten the blocker, nearest first


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, the commands for it, and what doing it costs."""

    text: str
    commands: tuple[str, ...] = ()
    cost: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    """One service of the service-SID diagnosis. ``permits`` are run-time ids of its allow filters."""

    name: str | None
    service_sid: str
    outcome: Confidence
    permits: tuple[int, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnosis over many verdicts."""

    id: str
    title: str
    severity: Severity
    confidence: Confidence
    count: int
    summary: str
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None
    collect_next: tuple[str, ...] = ()
    services: tuple[ServiceOutcome, ...] | None = None
    # more than the contract asks for
    key: str = ""  # unique in the result, and steady: for links
    kind: Kind | None = None
    rule_ids: tuple[str, ...] = ()
    rationale: tuple[str, ...] = ()
    lookalikes: tuple[str, ...] = ()
