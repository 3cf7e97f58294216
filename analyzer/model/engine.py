"""The parts of the result document that rest on the filter engine: frozen and JSON-ready, like the rest of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from analyzer.model.evidence import FilterRef
    from analyzer.model.words import StateFits

Decision = Literal["permit", "block", "cannot-tell"]
Answer = Literal["yes", "no", "cannot-tell"]


# --------------------------------------------------------------------------------------------------------------
# Agreement


@dataclass(frozen=True, slots=True)
class SublayerAgreement:
    """Terminating filters that net events list, against the state: entries of all net events together.

    ``same``: the only filter that can end its sublayer; ``possible``: one of several; ``differs``: it cannot end it;
    ``not_in_state``: the state does not hold the id.
    """

    same: int
    possible: int
    differs: int
    not_in_state: int
    differences: tuple[SublayerDifference, ...] = ()
    left_out: int = 0  # differences that are not listed


@dataclass(frozen=True, slots=True)
class SublayerDifference:
    """A terminating filter that net events list and the state's filters rule out; ``count`` counts entries."""

    sublayer: str | None
    layer: str | None
    application: str | None
    protocol: int | None
    remote_address: str | None
    service_port: int | None
    filter_id: int
    action: Literal["permit", "block"] | None
    cause: str
    field: str | None
    condition: str | None
    recorded: str | None
    between: str | None
    count: int
    record_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StateAgreement:
    """How often the engine's answer on one state agrees with the records of one computer; all numbers count records.

    ``filter_fits`` counts those of ``cannot_tell`` whose recorded filter is the only one that can end its sublayer.
    ``left_out`` counts those of ``cannot_tell`` that were not evaluated, since the work would not be bounded.
    ``doubted`` says that the state is trusted less for it, ``why`` in words.
    """

    computer: str | None
    state: str
    same_filter: int
    same_decision: int
    cannot_tell: int
    disagrees: int
    total: int
    flows: int
    filter_fits: int
    left_out: int
    sublayers: SublayerAgreement | None
    doubted: bool
    why: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Records of one flow that the engine's answer contradicts, and the condition that it lies in.

    ``filter_id`` is the filter of the state that ``cause`` speaks of; ``condition`` are words for what it asks and
    ``recorded`` for what the record says, both None where it lies in no condition. ``between`` names what happened
    between the records and the state, so that a difference is no surprise.
    """

    computer: str | None
    state: str
    application: str | None
    direction: str | None
    protocol: int | None
    local_address: str | None
    remote_address: str | None
    service_port: int | None
    layer: str | None
    action: str
    filter_rtid: int | None
    decision: Decision
    filter_id: int | None
    cause: str
    field: str | None
    condition: str | None
    recorded: str | None
    between: str | None
    count: int
    record_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The engine's answers against the records, over all events that a state may speak for; numbers count records."""

    same_filter: int
    same_decision: int
    cannot_tell: int
    disagrees: int
    total: int
    states: tuple[StateAgreement, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    left_out: int = 0  # disagreements that are not listed


# --------------------------------------------------------------------------------------------------------------
# Nearest allow rules


@dataclass(frozen=True, slots=True)
class Missing:
    """One field in which an allow rule does not fit: what it asks, what was recorded (None: nothing), both in words."""

    field: str
    wanted: str
    recorded: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """One allow rule that would have beaten the blocker, and what is missing.

    ``missing`` are the fields that say no, ``undecided`` those that nobody can tell. ``source`` is ``state`` (filters)
    or ``rules`` (an exported rule that made no filter). Nothing missing does not mean that it matched: only a state
    of that very time could say so.
    """

    name: str | None
    rule_id: str | None
    source: Literal["state", "rules"]
    state: str | None
    filter_ids: tuple[int, ...]
    missing: tuple[Missing, ...]
    undecided: tuple[Missing, ...]
    words: str


# --------------------------------------------------------------------------------------------------------------
# Explanations


@dataclass(frozen=True, slots=True)
class ExplainedCondition:
    """The alternatives of one field, their answer, and what the record says of the field."""

    field: str
    words: str
    answer: Answer
    recorded: str | None


@dataclass(frozen=True, slots=True)
class ExplainedFilter:
    """One filter that was tried. ``part`` says what it has to do with the end of its sublayer."""

    filter: FilterRef
    answer: Answer
    part: Literal["ends", "may-end", "not-reached", "no-match"]
    recorded: bool  # the record names it
    conditions: tuple[ExplainedCondition, ...]
    words: str


@dataclass(frozen=True, slots=True)
class ExplainedSublayer:
    """One sublayer in the order of weight. ``plain`` counts filters that plainly do not match and are not shown."""

    sublayer: str | None
    owner: str | None
    weight: int | None
    says: str
    filters: tuple[ExplainedFilter, ...]
    plain: int
    behind: int  # filters behind the one that ends the sublayer, not shown
    undecided: int  # filters that may end it and are not shown


@dataclass(frozen=True, slots=True)
class Explanation:
    """The way of one flow through its layer, and how that compares with the record, if there is one."""

    title: str
    flow: tuple[tuple[str, str], ...]  # what is known of it: label, value
    notes: tuple[str, ...]
    layer: str | None
    ordered: bool  # the order of its sublayers is known
    state: str
    state_time: str | None
    state_fits: StateFits | None
    decision: Decision
    certainty: str
    deciding: FilterRef | None
    recorded: str | None
    recorded_filter: int | None
    agreement: Literal["same_filter", "same_decision", "cannot_tell", "disagrees"] | None
    agreement_words: str
    sublayers: tuple[ExplainedSublayer, ...]
    nearest: tuple[Nearest, ...] = ()
