"""What was handed over, what could not be read, and what is cited of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.model.words import Kind, KindEvidence, ProblemSeverity


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
class Callout:
    """The callout that a filter hands the decision to: a symbol or a GUID, and its name where a state lists it."""

    key: str
    name: str | None


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
    rule_ids: tuple[str, ...] = ()  # of the exported rules that it was made from: by its origin, or name and conditions
    callout: Callout | None = None  # None where the action is no callout
    xml: str | None = None  # as the state has it; None where no state lists it, or to keep the result readable


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence and where to look for it."""

    text: str
    input: str | None = None
    record_id: int | None = None
    filter_id: int | None = None


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
