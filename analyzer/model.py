"""The result document: every renderer reads this and nothing else.

All types are frozen. ``reports.document`` makes JSON of them; the parts that only pages need
 (``answer``, ``timeline``, ``programs``, ``cited``) ride along under keys of their own.
Times are RFC 3339 text in UTC with seven decimals and ``Z``, made once, so that no renderer formats evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

SCHEMA_VERSION: Final = 1

# Keys of one event line, in order (`reports/schemas/events.schema.json`).
EVENT_KEYS: Final = (
    "event_id",
    "version",
    "record_id",
    "time",
    "computer",
    "input",
    "source",
    "action",
    "direction",
    "application",
    "process_id",
    "protocol",
    "local_address",
    "local_port",
    "remote_address",
    "remote_port",
    "icmp_type",
    "icmp_code",
    "source_mac",
    "destination_mac",
    "ether_type",
    "endpoint_order",
    "layer_id",
    "layer",
    "filter_rtid",
    "event_origin",
    "kind",
    "grade",
    "reasons",
    "filter",
    "services",
    "services_source",
    "user_sid",
    "user_source",
)

Kind = Literal[
    "default-outbound",
    "default-inbound",
    "explicit-rule",
    "service-hardening",
    "stealth",
    "quarantine",
    "boot-time",
    "app-isolation",
    "appcontainer-loopback",
    "windows-component",
    "third-party",
    "other-wfp",
    "callout",
    "ipsec",
    "no-filter",
    "unresolved",
]
Grade = Literal["event", "origin", "netevent", "snapshot", "history", "id-only", "contradicted", "none"]
Action = Literal["block", "drop", "permit"]
Severity = Literal["high", "medium", "low", "info"]
Confidence = Literal["proven", "likely", "possible", "not-this"]
ProblemSeverity = Literal["lost", "doubtful", "note"]
StateFits = Literal["yes", "no", "unknown"]
Recorded = Literal["yes", "no", "unknown"]  # whether blocks would be in the logs if there had been any
Switch = Literal["on", "off", "unknown"]
KindEvidence = Literal["origin", "key", "shape", "name"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read, or could be read only with doubt."""

    input: str | None
    place: str | None
    severity: ProblemSeverity
    what: str


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file that was handed over. ``records`` and ``events`` are null where the kind has none."""

    name: str
    kind: str
    bytes: int | None
    sha256: str | None
    modified: str | None
    computer: str | None = None
    first: str | None = None
    last: str | None = None
    records: int | None = None
    events: int | None = None


@dataclass(frozen=True, slots=True)
class FilterRef:
    """The contract's filter object. ``weight`` is the effective weight, exact up to 2**64-1."""

    filter_id: int
    filter_key: str | None
    name: str | None
    provider: str | None
    sublayer: str | None
    layer: str | None
    action: str | None
    origin: str | None
    rule_id: str | None
    weight: int | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a filter: contract keys, and ``words`` for people."""

    field: str
    match: str
    value: str
    raw: str
    words: str


@dataclass(frozen=True, slots=True)
class CitedFilter:
    """A filter that some verdict or finding names, with what a reader wants to see of it."""

    filter: FilterRef
    input: str
    flags: tuple[str, ...]
    conditions: tuple[Condition, ...]
    kind: Kind | None
    kind_evidence: KindEvidence | None
    why: str
    blocks: int
    drops: int
    permits: int
    rule_ids: tuple[
        str, ...
    ] = ()  # of the exported rules that it was made from, by its origin or by name and conditions


@dataclass(frozen=True, slots=True)
class RuleInState:
    """Whether filters of one state were made from a rule, and if not, the likely reason."""

    state: str
    reason: str  # a word of `analyzer.wfp.rules.Reason`; `plumbed` where there are filters
    why: str
    filter_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of an exported store. An empty tuple means "any"; None that the file does not tell."""

    rule_id: str
    computer: str | None
    name: str | None
    store: str | None
    store_words: str
    store_name: str | None
    group: str | None
    enabled: bool | None
    action: str | None
    direction: str | None
    profiles: tuple[str, ...] | None
    protocol: int | None
    local_ports: tuple[str, ...] | None
    remote_ports: tuple[str, ...] | None
    local_addresses: tuple[str, ...] | None
    remote_addresses: tuple[str, ...] | None
    program: str | None
    package: str | None
    service: str | None
    local_user: str | None
    known: tuple[str, ...]  # the parts that the export tells: see `analyzer.wfp.rules.PARTS`
    input: str
    line: int | None
    states: tuple[RuleInState, ...] = ()


@dataclass(frozen=True, slots=True)
class CitedRule:
    """A rule id that an event, a filter or a finding names, and what the exported stores say that it is.

    ``rules`` is empty where no store lists the id; more than one where the id alone does not tell which is meant.
    """

    rule_id: str
    computer: str | None
    ambiguous: bool
    why: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One connection that was open when a state was taken (``aleConnectedEndpoints``)."""

    protocol: int | None
    local_address: str | None
    local_port: int | None
    remote_address: str | None
    remote_port: int | None
    application: str | None


@dataclass(frozen=True, slots=True)
class OpenConnections:
    """The connections of one state; ``total`` counts all of them, ``rows`` are at most 200 over all states."""

    state: str
    state_time: str | None
    computer: str | None  # None where nothing ties the state to one
    total: int
    rows: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class AuditSetting:
    """One audit subcategory. ``needed`` are the settings that an analysis wants; ``command`` turns on what is off."""

    guid: str
    name: str
    category: str
    use: str
    success: Switch
    failure: Switch
    needed: tuple[str, ...]
    source: str | None
    input: str | None
    line: int | None
    why: str
    command: str | None


@dataclass(frozen=True, slots=True)
class AuditPolicy:
    """What the audit policies that were handed in say of one computer."""

    computer: str | None
    settings: tuple[AuditSetting, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """Whether blocks and drops of one computer would be in its logs, had there been any; ``commands`` change that.

    ``partly`` tells that the log itself shows both, times with and times without.
    """

    computer: str | None
    first: str | None
    last: str | None
    blocks: Recorded
    drops: Recorded
    partly: bool
    why: tuple[str, ...]
    commands: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence and where to look for it."""

    text: str
    input: str | None = None
    record_id: int | None = None
    filter_id: int | None = None


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


@dataclass(frozen=True, slots=True)
class Coverage:
    """What time and which state the verdicts rest on."""

    first: str | None = None
    last: str | None = None
    gaps: tuple[Mapping[str, Any], ...] = ()
    by_event_id: Mapping[str, int] = field(default_factory=dict)
    audit_policy: Mapping[str, Any] | None = None
    state_time: str | None = None
    state_fits: StateFits = "unknown"
    why: str = ""
    # more than the contract asks for
    pairings: tuple[Pairing, ...] = ()
    markers: tuple[Marker, ...] = ()
    recorded: Recorded = "unknown"  # the worst of the computers
    recorded_why: str = ""
    recording: tuple[Recording, ...] = ()


@dataclass(frozen=True, slots=True)
class Pairing:
    """How one state relates to the log of one computer."""

    computer: str | None
    state: str
    state_time: str | None
    fits: StateFits
    ties: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Marker:
    """A host event that matters for reading the timeline: boot, policy reload, log clear, audit change."""

    time: str
    computer: str | None
    what: str
    event_id: int
    input: str
    record_id: int | None


@dataclass(frozen=True, slots=True)
class KindCount:
    """How much of one kind was seen."""

    kind: Kind
    action: Action
    count: int
    attempts: int
    flows: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The first screen: one sentence, and the counts that it rests on."""

    sentence: str
    trust: str
    blocks: int
    drops: int
    permits: int
    block_attempts: int
    kinds: tuple[KindCount, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Blocks and drops per bin and kind; ``series[i].counts`` has ``len(bins)`` entries."""

    first: str | None
    last: str | None
    step_seconds: int
    bins: tuple[str, ...]
    series: tuple[TimelineSeries, ...]


@dataclass(frozen=True, slots=True)
class TimelineSeries:
    """One line of the timeline."""

    kind: Kind
    action: Action
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """One program on one computer, all its flows together."""

    computer: str | None
    application: str | None
    blocks: int
    attempts: int
    drops: int
    permits: int
    flows: int
    kinds: tuple[tuple[Kind, int], ...]
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Selected:
    """What was asked for, in words, and how many of all events fit. ``sentence`` says it, and what is left out."""

    words: str
    shown: int
    total: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """What labels stand for in this result: a sentence, and how many of each there are in what was handed in."""

    sentence: str
    counts: Mapping[str, int]


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
    agreement: Mapping[str, int] | None = None
    selection: Selected | None = None  # None where everything is shown
    rules: tuple[CitedRule, ...] = ()
    endpoints: tuple[OpenConnections, ...] = ()
    redaction: Redacted | None = None  # None where everything is as recorded
    schema_version: int = SCHEMA_VERSION
    events: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    filters: pd.DataFrame | None = field(default=None, repr=False, compare=False)
