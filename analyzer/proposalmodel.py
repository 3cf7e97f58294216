"""The result document of ``propose``: rules that would let flows pass, and what becomes of the flows with them.

Frozen and JSON-ready; ``reports/schemas/proposal.schema.json`` fixes names and values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import InputFile, Problem
    from analyzer.reviewmodel import Review

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One firewall rule; an empty tuple or None is *any*.

    ``program`` is a device path, as records and filters have it; ``local_user`` SDDL; ``icmp`` has ``type:code`` or
    ``type``. Ports are numbers or ranges, addresses also networks and ranges, as the firewall cmdlets take them.
    """

    name: str
    direction: str
    action: str = "allow"
    program: str | None = None
    service: str | None = None
    local_user: str | None = None
    protocol: int | None = None
    local_ports: tuple[str, ...] = ()
    remote_ports: tuple[str, ...] = ()
    icmp: tuple[str, ...] = ()
    local_addresses: tuple[str, ...] = ()
    remote_addresses: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What the engine says of a rule's flows with all proposed rules in place; numbers of flows."""

    passes: int
    still_blocked: int
    cannot_tell: int
    why: tuple[str, ...]  # of those that don't pass for sure


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """One rule. ``command`` is None where it can't be written safely (``no_command`` says why).

    ``also_allows`` are packets that the rule alone would newly allow, the largest first; they hold what was asked for.
    ``newly_blocks`` likewise, and ``unclear`` where the files can't tell.
    ``nearly`` are existing rules that lack little: to change one of them may be better.
    """

    rule: RuleSpec
    computer: str | None
    state: str | None
    command: str | None
    no_command: str | None
    flows: int
    records: int
    examples: tuple[str, ...]
    also_allows: tuple[str, ...]
    newly_blocks: tuple[str, ...]
    unclear: tuple[str, ...]
    nearly: tuple[str, ...]
    notes: tuple[str, ...]
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class NoRule:
    """Flows that no allow rule was proposed for, and why."""

    why: str
    flows: int
    records: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Everything. ``reviews`` has one change review for each computer: its state, and the same with the rules."""

    tool: Mapping[str, str]
    command: tuple[str, ...]
    summary: str
    inputs: tuple[InputFile, ...]
    problems: tuple[Problem, ...]
    rules: tuple[ProposedRule, ...]
    no_rule: tuple[NoRule, ...]
    limits: tuple[str, ...]
    reviews: tuple[Review, ...]
    what_if: str | None = None  # the file that the rules are from
    schema_version: int = SCHEMA_VERSION
