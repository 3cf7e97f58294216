"""What of two rule stores is in force in the states beside them.

The stores tell what the rules are, the states what Windows made of them: a rule that came into force without having
changed is no change of rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer import ruleplumbing, rulestore
from analyzer.review import stores
from analyzer.reviewmodel import Change, RuleSide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.review.defaults import Defaults
    from analyzer.review.sides import Given


def _situation(given: Given) -> ruleplumbing.Situation:
    if given.snapshot is None or given.store is None:
        return ruleplumbing.Situation()
    found = given.snapshot.defaults
    return ruleplumbing.Situation(
        found.in_force or None, _defaults(found), rulestore.effective_settings(given.store.profiles)
    )


def _defaults(found: Defaults) -> dict[str, str]:
    """Return direction -> default of the profiles in force, where they agree."""
    out: dict[str, set[str]] = {}
    for (direction, profile), action in found.by_profile.items():
        if not found.in_force or profile in found.in_force:
            out.setdefault(direction, set()).add("block" if action == "block-all" else action)
    return {name: told.pop() for name, told in out.items() if len(told) == 1 and told <= {"allow", "block"}}


def _plumbed(given: Given, rows: Sequence[int]) -> dict[int, tuple[str, frozenset[int]]]:
    """Return row -> why it is or is not in force, and the run-time ids of its filters."""
    if given.snapshot is None or given.store is None or not rows:
        return {}
    rules = given.store.rules.iloc[list(rows)].reset_index(drop=True)
    state = given.snapshot.state
    told = ruleplumbing.plumbing(rules, state.filters, state.conditions, _situation(given))
    return {
        row: (str(why), frozenset(ids))
        for row, why, ids in zip(rows, told["why"].tolist(), told["filter_ids"].tolist(), strict=True)
    }


@dataclass(frozen=True, slots=True)
class Explained:
    """Changes of the stores with what is in force, the changes of the states that they leave open, and a count."""

    changes: tuple[Change, ...]
    left: tuple[Change, ...]
    only_plumbing: int  # changes of the states whose rules are in a store and did not change


def explained(before: Given, after: Given, found: stores.Compared, shown: Iterable[Change]) -> Explained:
    """Put what states show beside what stores tell, so that nothing is told twice."""
    changed = (
        _plumbed(before, [row for _, row, _ in found.changes if row >= 0]),
        _plumbed(after, [row for _, _, row in found.changes if row >= 0]),
    )
    told = tuple(
        replace(
            change,
            before=_in_force(change.before, changed[0].get(one)),
            after=_in_force(change.after, changed[1].get(two)),
        )
        for change, one, two in found.changes
    )
    known = [frozenset[int]().union(*(ids for _, ids in side.values())) for side in changed]
    left = []
    only_plumbing = 0
    for change in shown:
        if change.part not in ("rule", "windows-rule"):
            left.append(change)
            continue
        sides = list(zip((before, after), (change.before, change.after), known, strict=True))
        if any(isinstance(side, RuleSide) and set(side.filter_ids) & ids for _, side, ids in sides):
            continue  # told by the store
        if all(_unchanged(given, side) for given, side, _ in sides if isinstance(side, RuleSide)):
            only_plumbing += 1
        else:
            left.append(change)
    return Explained(told, tuple(left), only_plumbing)


def _in_force(side: RuleSide | str | None, told: tuple[str, frozenset[int]] | None) -> RuleSide | str | None:
    if not isinstance(side, RuleSide) or told is None:
        return side
    return replace(side, in_force=told[0], filters=len(told[1]), filter_ids=tuple(sorted(told[1]))[:20])


def _unchanged(given: Given, side: RuleSide) -> bool:
    """Tell filters that a rule of the side's store made."""
    if given.store is None:
        return False
    rows = stores.rows_named(given.store.rules, side.name or "", side.rule_id)
    return any(set(side.filter_ids) & ids for _, ids in _plumbed(given, rows).values())
