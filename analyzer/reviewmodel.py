"""The result document of a change review: every renderer reads this and nothing else.

Like :mod:`analyzer.model` it is frozen and JSON-ready; ``reports/schemas/diff.schema.json`` fixes names and values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import InputFile, Problem

SCHEMA_VERSION: Final = 1

What = Literal["added", "removed", "changed", "reweighted", "default", "plumbing"]
Part = Literal["rule", "windows-rule", "default", "windows", "third-party", "other"]
Source = Literal["state", "store", "both"]
Outcome = Literal["newly-blocked", "newly-allowed", "cannot-tell"]
Decision = Literal["stays-allowed", "stays-blocked", "newly-blocked", "newly-allowed", "cannot-tell"]
RiskKind = Literal[
    "default-opened", "open-to-anybody", "public-opened", "svchost-wide", "unknown-maker", "security-product"
]
Expect = Literal["refused", "connects", "find-out", "look"]


@dataclass(frozen=True, slots=True)
class Limit:
    """One field of a rule or of a box, with its values in words; ``total`` counts them where not all are listed."""

    field: str
    words: str
    values: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class RuleSide:
    """A rule as one side has it: folded from its filters, or as its store tells it.

    ``filter_ids`` are run-time ids of that side's state (at most 20); ``weight`` is the class as given.
    """

    name: str | None
    rule_id: str | None
    store: str | None
    enabled: bool | None
    action: str | None
    direction: str | None
    provider: str | None
    sublayer: str | None
    layers: tuple[str, ...]
    weight: str | None
    conditions: tuple[Limit, ...]
    filters: int
    filter_ids: tuple[int, ...]
    words: str
    in_force: str | None = None  # whether the side's state has filters of a store's rule, and if not, the likely reason


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which both sides of a rule differ, in words; ``any`` and ``none`` stand for no limit and nothing."""

    field: str
    words: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One change. ``rule`` names it; ``before`` and ``after`` are words for defaults and plumbing, else rules or None.

    ``why`` tells why a match of both sides is ambiguous.
    """

    what: What
    part: Part
    source: Source
    rule: str
    rule_id: str | None
    before: RuleSide | str | None
    after: RuleSide | str | None
    differences: tuple[Difference, ...]
    words: str
    ambiguous: bool = False
    why: str | None = None


@dataclass(frozen=True, slots=True)
class DefaultChange:
    """One default of one profile that changed: ``allow``, ``block``, ``block-all``, ``mixed``, ``none``."""

    direction: str
    profile: str
    before: str
    after: str
    in_force: bool  # the profile was in force on one of the sides
    source: Source


@dataclass(frozen=True, slots=True)
class DefaultSetting:
    """What one side does with what no rule matches."""

    direction: str
    profile: str
    action: str
    source: Source


@dataclass(frozen=True, slots=True)
class Side:
    """What one side of the comparison is. ``state`` and ``rules`` are None where it holds none."""

    role: str  # before, after
    state: str | None
    state_kind: str | None  # wfpstate, filters
    state_time: str | None
    filters: int
    computer: str | None
    profiles_in_force: tuple[str, ...]
    defaults: tuple[DefaultSetting, ...]
    rules: int | None  # of the exported stores


@dataclass(frozen=True, slots=True)
class Exposed:
    """One box of packets that the change newly allows, newly blocks, or of which the files cannot tell.

    In the fields that people ask for (program, protocol, ports, addresses, profile) the boxes of one layer and outcome
    are disjoint. ``whole`` is False where only a part of the box is meant, for some users, packages or interfaces.
    ``share`` is about its part of all packets of the layer; it orders boxes and measures nothing else.
    """

    what: Outcome
    words: str
    direction: str | None
    layers: tuple[str, ...]
    conditions: tuple[Limit, ...]
    whole: bool
    others: tuple[str, ...]  # filters on both sides that block a part of it
    rules: tuple[str, ...]  # changed rules that meet it
    maybe: tuple[str, ...]  # of "cannot tell": what it may be
    why: tuple[str, ...]  # of "cannot tell": what nobody can tell
    share: float


@dataclass(frozen=True, slots=True)
class Decider:
    """What decides the flows of a group on one side: its decision, and the filters that decide, in words.

    ``decision`` is ``permit``, ``block``, or None where it can't be told (``why`` says it).
    """

    decision: str | None
    filters: tuple[str, ...]
    filter_ids: tuple[int, ...]
    why: str | None


@dataclass(frozen=True, slots=True)
class FlowGroup:
    """Flows of one program and service that are decided alike, by the same filters, on both sides.

    ``flows`` are distinct ones, ``records`` the events that told of them; ``examples`` are at most ten flows in words.
    """

    what: Decision
    computer: str | None
    application: str | None
    services: tuple[str, ...]
    direction: str | None
    flows: int
    records: int
    examples: tuple[str, ...]
    before: Decider
    after: Decider


@dataclass(frozen=True, slots=True)
class Check:
    """How BEFORE, by its state, agrees with what was recorded; numbers of distinct flows."""

    agrees: int
    disagrees: int
    cannot_tell: int


@dataclass(frozen=True, slots=True)
class Replay:
    """How recorded flows are decided on both sides. ``records`` are the events that told of the flows.

    ``left_out`` counts records that tell of no flow, by reason. ``check`` holds BEFORE against the recorded decisions.
    """

    stays_allowed: int
    stays_blocked: int
    newly_blocked: int
    newly_allowed: int
    cannot_tell: int
    flows: int
    records: int
    left_out: Mapping[str, int]
    check: Check
    groups: tuple[FlowGroup, ...]


@dataclass(frozen=True, slots=True)
class Risk:
    """A mark on the change: what it is, why it is marked, and where; ``total`` counts the places."""

    kind: RiskKind
    title: str
    means: str
    where: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ToTest:
    """One thing to try after the change, what should come of it, and why it is worth trying."""

    expect: Expect
    words: str
    why: str


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that the comparison found. ``limits`` are sentences about what it can't say.

    ``headline`` says it plainly, ``summary`` in numbers.
    """

    tool: Mapping[str, str]
    command: tuple[str, ...]
    summary: str
    sides: tuple[Side, Side]
    inputs: tuple[InputFile, ...]
    problems: tuple[Problem, ...]
    changes: tuple[Change, ...]
    defaults: tuple[DefaultChange, ...]
    exposure: tuple[Exposed, ...]
    limits: tuple[str, ...]
    replay: Replay | None = None
    risks: tuple[Risk, ...] = ()
    to_test: tuple[ToTest, ...] = ()
    headline: str = ""
    schema_version: int = SCHEMA_VERSION
