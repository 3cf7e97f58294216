"""What the comparison says in words of its own: defaults, plumbing, limits, and the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.review import plumbing
from analyzer.reviewmodel import Change, DefaultChange
from analyzer.wording import listed, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.review import matching
    from analyzer.review.exposure import Exposure
    from analyzer.review.plumbing import Switch
    from analyzer.review.sides import Given

_WORDS: Final[dict[str, str]] = {
    "none": "no default filter (the firewall is off there)",
    "mixed": "not the same for IPv4 and IPv6",
    "block-all": "block, rules or not",
}


def of_default(item: DefaultChange) -> Change:
    """Return the change of one default of one profile."""
    title = f"{item.direction} default, {item.profile} profile"
    before, after = (_WORDS.get(word, word) for word in (item.before, item.after))
    where = ", in force" if item.in_force else ""
    return Change(
        what="default",
        part="default",
        source=item.source,
        rule=title,
        rule_id=None,
        before=item.before,
        after=item.after,
        differences=(),
        words=f"{item.direction} default of the {item.profile} profile{where}: {before} → {after}",
    )


def of_plumbing(switched: Switch, hidden: Sequence[matching.Pair], *, by_store: bool) -> Change:
    """Return what was switched, with how many rules cannot be compared for it."""
    reasons = []
    if switched.profiles is not None:
        one, two = (listed(sorted(side)) for side in switched.profiles)
        reasons.append(f"the profile in force was {one}, and is {two}")
    if switched.directions:
        reasons.append(f"the {listed(sorted(switched.directions))} default was switched")
    counts = [
        plural(number, f"rule {words}", f"rules {words}")
        for words, number in (
            ("with filters in BEFORE alone", sum(pair.after is None for pair in hidden)),
            ("with filters in AFTER alone", sum(pair.before is None for pair in hidden)),
            ("of one name with other filters", sum(bool(pair.before and pair.after) for pair in hidden)),
        )
        if number
    ]
    said = plumbing.BY_STORE if by_store else plumbing.NOT_COMPARABLE
    more = f" ({', '.join(counts)})" if counts else ""
    sides_of = switched.profiles or (frozenset[str](), frozenset[str]())
    before, after = (listed(sorted(side)) or None for side in sides_of)
    return Change(
        what="plumbing",
        part="default",
        source="state",
        rule="profile in force" if switched.profiles is not None else "default",
        rule_id=None,
        before=before or _states(switched, after=False),
        after=after or _states(switched, after=True),
        differences=(),
        words=f"{said}: {'; '.join(reasons)}{more}",
    )


def _states(switched: Switch, *, after: bool) -> str:
    """Return the defaults in force on one side in words."""
    found = dict.fromkeys(
        f"{item.direction} {item.after if after else item.before}" for item in switched.turned if item.in_force
    )
    return ", ".join(found)


def summary(found: Sequence[Change], opened: Exposure) -> str:
    """Say in one or two sentences what changed and what it does."""
    counts = []
    for what, one, many in (
        ("default", "default changed", "defaults changed"),
        ("added", "added", "added"),
        ("removed", "removed", "removed"),
        ("changed", "changed", "changed"),
        ("reweighted", "re-weighted", "re-weighted"),
    ):
        number = sum(change.what == what for change in found)
        if number:
            counts.append(f"{number:,} {one if number == 1 else many}")
    plumbed = any(change.what == "plumbing" for change in found)
    said = f"Changes: {', '.join(counts)}." if counts else "No rule, filter or default changed."
    if plumbed:
        said += f" {plumbing.NOT_COMPARABLE[0].upper()}{plumbing.NOT_COMPARABLE[1:]}."
    boxes = [
        plural(number, f"box of packets {words}", f"boxes of packets {words}")
        for outcome, words in (("newly-blocked", "newly blocked"), ("newly-allowed", "newly allowed"))
        if (number := sum(item.what == outcome for item in opened.found))
    ]
    unclear = sum(item.what == "cannot-tell" for item in opened.found)
    if boxes:
        said += f" Exposure: {', '.join(boxes)}."
    return said + (f" Of {plural(unclear, 'box', 'boxes')} the files can't tell." if unclear else "")


def limits(before: Given, after: Given) -> list[str]:
    """Say what the sides themselves leave open."""
    out = []
    for given in (before, after):
        role = given.role.upper()
        if given.snapshot is not None and not given.snapshot.whole:
            out.append(f"{role} could not be read to its end: a filter that is missing there may be lost, not removed")
    if (before.snapshot is None) != (after.snapshot is None):
        role = "BEFORE" if before.snapshot is None else "AFTER"
        out.append(f"{role} holds no state: filters, defaults in force and exposure were not compared")
    elif before.snapshot is None:
        out.append("no side holds a state: what is in force, and what the change opens, was not compared")
    if (before.store is None) != (after.store is None):
        role = "BEFORE" if before.store is None else "AFTER"
        out.append(f"{role} holds no exported rules: rules were compared as far as the states show them")
    if before.computer and after.computer and before.computer != after.computer:
        out.append(f"the sides are of different computers: {before.computer} and {after.computer}")
    return out
