"""Rules of exported stores."""

from __future__ import annotations

from dataclasses import dataclass


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
