"""Disabled rules that would have let pass what was blocked: to enable one is surer than to add another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from analyzer import cells, rulebook
from analyzer.diagnose.commands import MOST, plain
from analyzer.diagnose.rule_fit import BLOCKED, called, fitting, lets_pass, told
from analyzer.hosts import first_label
from analyzer.model import Evidence, Remedy
from analyzer.wording import listed, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from analyzer.diagnose.context import Context
    from analyzer.rulebook import Store

COST: Final = "It lets through again whatever the rule names; somebody may have switched it off for a reason."
# Reasons that would be left for a rule without a filter, were it enabled: then nothing known keeps it from working.
NOTHING_ELSE: Final = frozenset({"disabled", "unresolved"})
SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Ready:
    """A disabled rule, and the index of the blocked events that it would have let pass."""

    rule: pd.Series
    events: frozenset[int]

    @property
    def local(self) -> bool:
        """Whether it is a rule of the computer itself, which a command there can enable."""
        return bool(self.rule["store"] == "local")


@dataclass(frozen=True, slots=True)
class Offer:
    """What to say of such rules before a new one is offered."""

    text: str
    commands: tuple[str, ...]
    rule_ids: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    whole: bool  # nothing blocked is left that they would not have let pass


def ready(context: Context, blocked: pd.DataFrame) -> list[Ready]:
    """Return the disabled rules of all computers that would let some of these default blocks pass."""
    out: list[Ready] = []
    for computer, part in blocked.groupby(blocked["computer"].astype("object"), dropna=False, sort=True):
        store = context.rules.of(cells.text(computer))
        if store is not None and not store.rules.empty:
            out.extend(_of_host(context, cells.text(computer), store, part))
    return out


def _of_host(context: Context, computer: str | None, store: Store, part: pd.DataFrame) -> list[Ready]:
    hits, profiles = _workable(context, computer, store, part)
    out = []
    for row, at in hits.items():
        events = part.loc[sorted(at)]
        fits = lets_pass(cast("Mapping[str, Any]", store.rules.iloc[row].to_dict()), profiles, events)
        if fits.any():
            out.append(Ready(store.rules.iloc[row], frozenset(events.index[np.flatnonzero(fits)].tolist())))
    return out


def _workable(
    context: Context, computer: str | None, store: Store, part: pd.DataFrame
) -> tuple[dict[int, list[int]], frozenset[str] | None]:
    """Return disabled rules that name this traffic and that nothing known would keep out of force, and the profiles."""
    hits = {row: at for row, at in fitting(store, part).items() if store.rules["active"].iloc[row] is False}
    if not hits:
        return {}, None
    best = context.best_snapshot(computer, part)
    snapshot = None if best is None else best[0]
    now = rulebook.situation(store, context.book, snapshot, context.rule_changes, first_label(computer))
    enabled = rulebook.Store(store.rules.assign(active=True), store.profiles, store.not_applied, store.profile)
    states = rulebook.in_state(enabled, list(hits), context.book, snapshot, now)
    # Another profile, or rules of the computer that policy ignores: to enable such a one changes nothing.
    reasons = zip(hits.items(), states["reason"], strict=True)
    return {row: at for (row, at), reason in reasons if reason in NOTHING_ELSE}, now.profiles


def before(remedy: Remedy, context: Context, computer: str | None, part: pd.DataFrame) -> tuple[Remedy, Sequence[str]]:
    """Put before a remedy the disabled rules that name the blocked service; return it and their ids.

    Whether they let it pass cannot be told: that needs a token which has the service's SID.
    """
    store = context.rules.of(computer)
    hits = {} if store is None or store.rules.empty else _workable(context, computer, store, part)[0]
    if store is None or not hits:
        return remedy, ()
    found = [Ready(store.rules.iloc[row], frozenset(at)) for row, at in hits.items()]
    names, one = [called(item.rule) for item in found], len(found) == 1
    named = listed([*names[:SHOWN], *([f"{len(names) - SHOWN:,} more"] if len(names) > SHOWN else [])])
    what = f"the rule {named}, which names" if one else f"the rules {named}, which name"
    off = f"{'is' if one else 'are'} disabled{_where(found)}"
    text = f"Enable {what} the blocked service and {off}, if the traffic is wanted. Otherwise: "
    return (
        Remedy(
            f"{text}{remedy.text[0].lower()}{remedy.text[1:]}",
            (*_commands(found), *remedy.commands),
            " ".join(said for said in (COST, remedy.cost) if said),
        ),
        tuple(dict.fromkeys(str(item.rule["rule_id"]) for item in found)),
    )


def offer(context: Context, kind: str, part: pd.DataFrame) -> Offer | None:
    """Say which disabled rules to enable instead of adding new ones; None where no store has such a rule."""
    found = ready(context, part) if kind in BLOCKED else []
    if not found:
        return None
    found.sort(key=lambda item: -len(item.events))
    names = [called(item.rule) for item in found]
    covered = len(frozenset().union(*(item.events for item in found)))
    one = len(found) == 1
    whole = covered == len(part)
    what = "this" if whole else f"{covered:,} of {plural(len(part), 'block')}"
    more = [f"{len(names) - SHOWN:,} more"] if len(names) > SHOWN else []
    subject, be = ("rule", "is") if one else ("rules", "are")
    named = listed([*names[:SHOWN], *more])
    text = f"Enable the {subject} {named}, which would have let {what} pass and {be} disabled{_where(found)}. "
    left = "" if whole else "for the rest, or "
    text += f"Only {left}as an alternative where {'it' if one else 'they'} shall stay off: "
    return Offer(
        text,
        _commands(found),
        tuple(dict.fromkeys(str(item.rule["rule_id"]) for item in found)),
        tuple(Evidence(f"{told(item.rule)}: it is disabled", str(item.rule["input"])) for item in found[:SHOWN]),
        whole,
    )


def _where(found: Sequence[Ready]) -> str:
    """Say where rules that are not the computer's own have to be enabled."""
    if all(item.local for item in found):
        return ""
    whose = "it comes" if len(found) == 1 else "those that are not this computer's own come"
    stores = {str(item.rule["store"]) for item in found if not item.local}
    policy = "the Group Policy" if stores == {"group-policy"} else "the policy"
    return f", in {policy} from which {whose}"


def _commands(found: Sequence[Ready]) -> tuple[str, ...]:
    ids = dict.fromkeys(str(item.rule["rule_id"]) for item in found if item.local)
    return tuple(f"Enable-NetFirewallRule -Name '{rule}'" for rule in [i for i in ids if plain(i)][:MOST])
