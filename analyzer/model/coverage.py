"""What time, which states and which audit policy the result rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model.evidence import Evidence
    from analyzer.model.words import Recorded, StateFits, Switch


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
class Pairing:
    """How one state relates to the log of one computer."""

    computer: str | None
    state: str
    state_time: str | None
    fits: StateFits
    ties: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostState:
    """Whether a state fits one computer: the best one; None where every state is of another computer."""

    computer: str | None
    state_fits: StateFits
    state: str | None
    state_time: str | None
    why: str


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
    hosts: tuple[HostState, ...] = ()  # one per computer; ``state_fits`` and ``why`` above are of all of them
    markers: tuple[Marker, ...] = ()
    recorded: Recorded = "unknown"  # the worst of the computers
    recorded_why: str = ""
    recording: tuple[Recording, ...] = ()
