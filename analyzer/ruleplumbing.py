"""Why a rule has no filter: rules of a store against the filters of a state.

A block rule's filter carries its rule id as origin. A permit carries none, so it is looked for by name and conditions
(REFERENCE 12). Outbound allow rules make no filters while the outbound default allows, and only rules of the profiles
in force are plumbed: a missing filter is no missing rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from analyzer import cells, frames, rulematch
from analyzer.wfp import origins
from analyzer.wfp import rules as vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from analyzer import rulestore
    from analyzer.wfp.rules import Reason

WORDS: Final[dict[Reason, str]] = {
    "plumbed": "it is in force",
    "disabled": "it is disabled",
    "not-applied": "Windows said that it could not apply the rule",
    "not-merged": "policy does not let rules of this computer apply",
    "other-profile": "it is for another network profile than the one in force",
    "firewall-off": "the firewall is off in the profile in force",
    "permitting-default": "it allows what is allowed by default, and such rules make no filters",
    "unresolved": "why it has no filter cannot be told from these files",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of the moment of the state.

    Attributes
    ----------
    profiles
        network profiles in force; None where not known.
    defaults
        direction -> ``allow`` or ``block``, as the state's own default filters show it; missing where not known.
    settings
        ``rulestore.effective_settings`` of the same host, or empty.
    not_applied
        rule ids that 4957 named, with the event's attribute (``RuleAttr``) or None.
    """

    profiles: frozenset[str] | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, rulestore.Settings] = field(default_factory=dict)
    not_applied: Mapping[str, str | None] = field(default_factory=dict)


def plumbing(
    rules: pd.DataFrame, filters: pd.DataFrame, conditions: pd.DataFrame, situation: Situation
) -> pd.DataFrame:
    """Say of each rule whether filters of one state were made from it, and if not, the likely reason.

    ``filters`` and ``conditions`` conform to ``frames.FILTERS`` and ``CONDITIONS`` and are of one state.

    Returns
    -------
    pandas.DataFrame
        conforms to ``frames.RULE_STATES``, a row per rule in the order of ``rules``.
    """
    by_id: dict[str, list[int]] = {}
    for origin, number in zip(filters["origin"], filters["filter_id"], strict=True):
        rule_id = origins.rule_id(cells.text(origin))
        if rule_id is not None and cells.number(number) is not None:
            by_id.setdefault(rule_id.casefold(), []).append(int(number))
    made = rulematch.candidates(filters, conditions)
    not_applied = {rule_id.casefold(): why for rule_id, why in situation.not_applied.items()}
    rows = []
    for row, record in enumerate(rules.to_dict("records")):
        rule = cast("Mapping[str, Any]", record)
        found = by_id.get(str(rule["rule_id"]).casefold(), [])
        if not found and rule["active"] is not False:
            found = rulematch.matching(rule, made)
        reason, why = ("plumbed", WORDS["plumbed"]) if found else _reason(rule, situation, not_applied)
        rows.append((row, str(rule["rule_id"]), tuple(sorted(set(found))), reason, why))
    columns = dict(zip(frames.RULE_STATES, zip(*rows, strict=True), strict=True)) if rows else {}
    return frames.build(columns, frames.RULE_STATES) if rows else frames.empty(frames.RULE_STATES)


# --------------------------------------------------------------------------------------------------------------
# Reasons, the surest first


def _reason(rule: Mapping[str, Any], situation: Situation, not_applied: Mapping[str, str | None]) -> tuple[Reason, str]:
    if rule["active"] is False:
        return "disabled", WORDS["disabled"]
    key = str(rule["rule_id"]).casefold()
    if key in not_applied:
        detail = f" ({not_applied[key]})" if not_applied[key] else ""
        return "not-applied", f"event 4957 says that the rule was not applied{detail}"
    told = [(state, vocabulary.enforcement_reason(state)) for state in rule["enforcement"] or ()]
    # A rule may be in force in one profile and inactive in others.
    if told and not any(reason == "plumbed" for _, reason in told):
        for state, reason in told:
            if reason is not None:
                return reason, f"{WORDS[reason]} (EnforcementStatus {state})"
    return _derived(rule, situation)


def _derived(rule: Mapping[str, Any], situation: Situation) -> tuple[Reason, str]:
    """Return the reason that settings and the state give together."""
    profiles = rule["profiles"]
    if situation.profiles is not None and profiles is not None and not situation.profiles & set(profiles):
        return "other-profile", (f"it is for {_listed(profiles)}; in force was {_listed(sorted(situation.profiles))}")
    meant = set(profiles or vocabulary.PROFILES) & (situation.profiles or set(vocabulary.PROFILES))
    settings = [situation.settings[name] for name in sorted(meant) if name in situation.settings]
    complete = bool(settings) and len(settings) == len(meant)
    if rule["store"] == "local" and complete and all(item.local_merge is False for item in settings):
        return "not-merged", f"{WORDS['not-merged']} ({_source(settings, 'local_merge')})"
    if complete and all(item.firewall is False for item in settings):
        return "firewall-off", WORDS["firewall-off"]
    by_default = _permitted(rule, situation, settings if complete else [])
    if by_default is not None:
        return "permitting-default", by_default
    if situation.profiles is None and profiles is not None and len(profiles) < len(vocabulary.PROFILES):
        return "unresolved", f"{WORDS['unresolved']}; it is for {_listed(profiles)} only, which may be the reason"
    return "unresolved", WORDS["unresolved"]


def _permitted(rule: Mapping[str, Any], situation: Situation, settings: Sequence[rulestore.Settings]) -> str | None:
    """Say that a rule allows what the default allows already, or None."""
    direction = rule["direction"]
    if rule["action"] != "allow" or direction not in ("inbound", "outbound"):
        return None
    default = situation.defaults.get(direction)
    if default == "allow":
        return f"{WORDS['permitting-default']} (the state's default for {direction})"
    if default is None and settings and all(getattr(item, direction) == "allow" for item in settings):
        return f"{WORDS['permitting-default']} ({_source(settings, direction)})"
    return None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "no profile"


def _source(settings: Sequence[rulestore.Settings], column: str) -> str:
    return "set by " + ", ".join(sorted({item.source.get(column, "unknown") for item in settings}))
