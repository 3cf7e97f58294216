"""Findings about rules that exist and are not in force, and the answer to "is there a rule for this service?".

Only an exported rule store shows the rules: a state holds what is plumbed (REFERENCE 12).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer import cells, rulebook, rulestore
from analyzer.diagnose import disabled
from analyzer.diagnose.commands import MOST, plain
from analyzer.diagnose.context import Context, Diagnosis, Found
from analyzer.diagnose.rule_fit import BLOCKED, called, fitting, told
from analyzer.hosts import first_label
from analyzer.model import Evidence, Finding, Remedy
from analyzer.wording import listed, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analyzer.model import Confidence
    from analyzer.rulebook import Store
    from analyzer.states import Snapshot

SHOWN: Final = 8
# What to do about each reason; what Windows itself says or a setting shows is surer than what was derived.
REMEDIES: Final[dict[str, str]] = {
    "disabled": "Enable the rule.",
    "not-applied": "Correct the rule: Windows could not apply it as it is.",
    "not-merged": "Put the rule into the Group Policy that governs this computer: rules of its own do not apply there.",
    "other-profile": "Let the rule apply to the profile in force, or find out why the network has that profile.",
    "firewall-off": "Nothing is to be done to the rule: the firewall was off in that profile.",
    "permitting-default": "Nothing is to be done to the rule while the default allows this direction.",
    "unresolved": "Export the rules again with their enforcement: Get-NetFirewallRule -PolicyStore ActiveStore.",
}
SURE: Final = frozenset({"disabled", "not-applied"})
ALONE: Final = frozenset({"disabled", "not-applied", "not-merged"})  # reasons that need no state
COLLECT: Final = "Get-NetFirewallRule -PolicyStore ActiveStore and its filters, taken together with a state"


@dataclass(frozen=True, slots=True)
class _Idle:
    """A rule that would fit blocked traffic and has no filter."""

    row: int
    reason: str
    why: str


def diagnose(context: Context) -> Diagnosis:
    """Write one finding per computer and reason."""
    found = []
    chosen = context.events["kind"].isin(list(BLOCKED)) & (context.events["action"] == "block")
    blocked = context.events[chosen.to_numpy()]
    for computer, part in blocked.groupby(blocked["computer"].astype("object"), dropna=False, sort=True):
        name = cells.text(computer)
        store = context.rules.of(name)
        if store is None or store.rules.empty:
            continue
        best = context.best_snapshot(name, part)
        found.extend(_findings(context, name, store, part, None if best is None else best[0]))
    return Diagnosis(tuple(found))


def _findings(
    context: Context, computer: str | None, store: Store, part: pd.DataFrame, snapshot: Snapshot | None
) -> list[Found]:
    hits = fitting(store, part)
    if not hits:
        return []
    rows = sorted(hits)
    now = rulebook.situation(store, context.book, snapshot, context.rule_changes, first_label(computer))
    states = rulebook.in_state(store, rows, context.book, snapshot, now)
    by_reason: dict[str, list[_Idle]] = {}
    for row, reason, why in zip(rows, states["reason"], states["why"], strict=True):
        if reason != "plumbed" and (snapshot is not None or reason in ALONE):
            by_reason.setdefault(str(reason), []).append(_Idle(row, str(reason), str(why)))
    out = []
    for reason, idle in by_reason.items():
        events = part.loc[sorted({index for item in idle for index in hits[item.row]})]
        finding = _finding(store, reason, idle, events, snapshot)
        out.append(Found.over(context.titled(computer, finding), events))
    return out


def _finding(
    store: Store, reason: str, idle: Sequence[_Idle], events: pd.DataFrame, snapshot: Snapshot | None
) -> Finding:
    names = [called(store.rules.iloc[item.row]) for item in idle]
    one = len(idle) == 1
    confidence: Confidence = "likely" if reason in SURE or (reason != "unresolved" and snapshot) else "possible"
    where = f"no filter of {'it' if one else 'them'} is in {snapshot.name}" if snapshot else "no state was handed in"
    programs = sorted({str(p).rpartition("\\")[2] for p in events["application"].dropna().unique()})
    whose = f" of {listed(programs[:4])}{' and others' if len(programs) > 4 else ''}" if programs else ""
    return Finding(
        id="rule-not-in-force",
        title=f"{'An allow rule' if one else f'{len(idle):,} allow rules'} for the blocked traffic "
        f"{'is' if one else 'are'} not in force: {_short(reason)}",
        severity="medium" if reason != "unresolved" else "low",
        confidence=confidence,
        count=len(events),
        summary=(
            f"{plural(len(events), 'block')}{whose} would fit "
            f"{listed(names[:3])}{f' and {len(names) - 3:,} more' if len(names) > 3 else ''}, but {where}: "
            f"{idle[0].why}."
        ),
        evidence=tuple(
            Evidence(f"{told(store.rules.iloc[item.row])}: {item.why}", str(store.rules["input"].iloc[item.row]))
            for item in idle[:SHOWN]
        ),
        remedy=Remedy(
            REMEDIES.get(reason, REMEDIES["unresolved"]),
            _commands(store, reason, idle),
            disabled.COST if reason == "disabled" else None,
        ),
        collect_next=(COLLECT,) if reason == "unresolved" else (),
        rule_ids=tuple(str(store.rules["rule_id"].iloc[item.row]) for item in idle),
        rationale=(
            "A state holds the filters in force, not the rules: only an exported store tells whether a rule exists.",
        ),
    )


_SHORT: Final[dict[str, str]] = {
    "disabled": "disabled",
    "not-applied": "Windows could not apply it",
    "not-merged": "policy ignores rules of this computer",
    "other-profile": "for another network profile",
    "firewall-off": "the firewall is off in its profile",
    "permitting-default": "the default allows already",
}


def _commands(store: Store, reason: str, idle: Sequence[_Idle]) -> tuple[str, ...]:
    """Return the commands that enable rules of this computer; ids with characters that could mean more get none."""
    if reason != "disabled":
        return ()
    ids = [str(store.rules["rule_id"].iloc[i.row]) for i in idle if store.rules["store"].iloc[i.row] == "local"]
    return tuple(f"Enable-NetFirewallRule -Name '{rule}'" for rule in ids[:MOST] if plain(rule))


def _short(reason: str) -> str:
    return _SHORT.get(reason, "why cannot be told")


# --------------------------------------------------------------------------------------------------------------
# Is there a rule for this service?


def rule_answer(
    context: Context, service: str, computer: str | None = None, display_name: str | None = None
) -> str | None:
    """Say in a few sentences whether an exported rule names a service, and why those have no filter that have none.

    None where no rule store of that computer was handed in. Without ``computer`` the one store of the case answers,
    and several give none.
    """
    stores = context.rules.stores
    store = context.rules.of(computer)
    if store is None and computer is None and len(stores) == 1:
        store = next(iter(stores.values()))
    if store is None or store.rules.empty:
        return None
    found = rulestore.rules_for_service(store.rules, service, display_name)
    rows = [item.row for item in found.rules]
    best = context.best_snapshot(computer, context.events)
    if not rows or best is None:
        return found.answer
    now = rulebook.situation(store, context.book, best[0], context.rule_changes, first_label(computer))
    states = rulebook.in_state(store, rows, context.book, best[0], now)
    idle = [
        f"{called(store.rules.iloc[row])} has no filter: {why}"
        for row, reason, why in zip(rows, states["reason"], states["why"], strict=True)
        if reason != "plumbed"
    ]
    more = f"; and {len(idle) - 3:,} more have none" if len(idle) > 3 else ""
    return f"{found.answer} In {best[0].name}, {'; '.join(idle[:3])}{more}." if idle else found.answer
