"""Verdicts, and the findings that rest on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from analyzer.model.engine import Missing, Nearest
    from analyzer.model.evidence import Evidence, FilterRef
    from analyzer.model.words import Action, Confidence, Grade, Kind, ServiceResult, Severity


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
class Narrower:
    """A remedy that opens less, when it fails, and its commands."""

    text: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, the commands for it, what doing it costs, who else would pass, and what would open less."""

    text: str
    commands: tuple[str, ...] = ()
    cost: str | None = None
    opens: tuple[str, ...] = ()
    narrower: tuple[Narrower, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    """One service of the service-SID diagnosis. ``permits`` are run-time ids of its allow filters."""

    name: str | None
    service_sid: str
    outcome: Confidence
    permits: tuple[int, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What became of one service's outbound allow rule on one computer.

    ``result``: ``near-miss-token`` (all but the token fits), ``near-miss-other``, ``matched``, ``no-rule``,
    ``not-seen`` (it has a rule, and no refused connection is known to be its own), ``cannot-tell``. ``confidence`` is
    the diagnosis' word on the token as the cause, ``token`` whether it passes the rule. ``tied`` says that the
    ``blocks`` (records) are of processes known to host the service; else they may be any service's. ``matched``
    counts connections that its allow filters (``permits``: run-time ids) let pass. ``users`` are of the tokens that
    net events show, ``account`` is the service's own.
    """

    computer: str | None
    name: str | None
    service_sid: str
    seed: bool
    result: ServiceResult
    confidence: Confidence | None
    token: Literal["no", "cannot-tell"] | None
    tied: bool
    blocks: int
    matched: int
    permits: tuple[int, ...]
    process_ids: tuple[int, ...]
    users: tuple[str, ...]
    account: str | None
    ports: tuple[str, ...]
    missing: tuple[Missing, ...]
    words: str


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
    nearest: tuple[Nearest, ...] = ()  # allow rules that came nearest to the blocked flows
