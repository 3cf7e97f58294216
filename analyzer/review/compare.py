"""The whole comparison on one page: both sides read, matched, changes told as rules, exposure computed.

With recorded traffic, its flows are decided anew by both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING, Final

from analyzer import archive
from analyzer.review import (
    changes,
    defaults,
    exposure,
    groups,
    headline,
    inforce,
    leftout,
    matching,
    plumbing,
    replay,
    risk,
    sides,
    stores,
    told,
    trials,
)
from analyzer.review import traffic as traffic_of
from analyzer.review.groups import RULES
from analyzer.reviewmodel import Change, DefaultChange, Review
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from analyzer.review.exposure import Exposure
    from analyzer.review.identity import Item
    from analyzer.review.leftout import Comparable
    from analyzer.review.plumbing import Switch
    from analyzer.review.sides import Given
    from analyzer.review.traffic import Traffic

    Progress = Callable[[str, int, int], None]

DISTRIBUTION: Final = "wfp-analyzer"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides, and what is comparable of their states (None where a side has none)."""

    before: Given
    after: Given
    filters: Comparable | None


def compare(
    before: Path,
    after: Path,
    *,
    traffic: Sequence[Path] = (),
    command: Sequence[str] = (),
    progress: Progress | None = None,
) -> tuple[Review, Comparison]:
    """Compare two sides.

    Parameters
    ----------
    before, after : a state, a ``show filters`` file, an exported rule store, a folder or a zip archive of these.
    traffic : logs and net events, as files, folders or archives: what they record is decided anew by both sides.
    command : the arguments to record in the result.
    progress : called with what goes on, the bytes that are done of it, and all its bytes.

    Returns
    -------
    The result document, and both sides as they were read.

    Raises
    ------
    analyzer.case.InputError
        A path does not exist or can't be opened.
    analyzer.review.sides.SideError
        A side holds states of several computers.
    """
    with archive.workspace() as folder:
        one = sides.read("before", before, folder, progress)
        two = sides.read("after", after, folder, progress)
        recorded = _traffic(traffic, one, folder, progress) if traffic else None
    if progress is not None:
        progress("comparing", 0, 0)
    return compared(one, two, recorded, command=command)


def _traffic(paths: Sequence[Path], before: Given, folder: Path, progress: Progress | None) -> Traffic:
    state = None if before.snapshot is None else (f"before/{before.snapshot.name}", before.snapshot.state)
    return traffic_of.read(paths, state, folder, progress)


def compared(
    before: Given, after: Given, traffic: Traffic | None = None, *, command: Sequence[str] = ()
) -> tuple[Review, Comparison]:
    """Compare two sides that were read."""
    filters = None
    found: list[Change] = []
    turned: list[DefaultChange] = []
    opened: Exposure = exposure.Exposure((), ())
    limits = told.limits(before, after)
    both_stores = before.store is not None and after.store is not None
    if before.snapshot is not None and after.snapshot is not None:
        filters = leftout.comparable(before.snapshot.dump, after.snapshot.dump)
        limits += filters.said
        switched = plumbing.switch(*(_defaults(given, filters) for given in (before, after)))
        turned = [
            DefaultChange(item.direction, item.profile, item.before, item.after, item.in_force, "state")
            for item in switched.turned
        ]
        by_origin = _by_origin(before, after)
        if not all(by_origin) and any(by_origin):
            role = "BEFORE" if by_origin[1] else "AFTER"
            limits.append(f"{role} holds no filter origins: blocks are matched by name and conditions, not by rule id")
        of_states, hidden = _changes(filters, switched, by_origin=all(by_origin))
        found += of_states
        opened = exposure.exposure(filters.before, filters.after, filters.layers)
        limits += opened.said
        if switched.happened:
            found.append(told.of_plumbing(switched, hidden, by_store=both_stores))
    if before.store is not None and after.store is not None:
        rules = stores.compared(before.store, after.store)
        limits += rules.said
        explained = inforce.explained(before, after, rules, found)
        found = [*explained.changes, *explained.left, *stores.settings(before.store, after.store)]
        if explained.only_plumbing:
            limits.append(
                f"{plural(explained.only_plumbing, 'rule')} came into force or went out of force in the states without "
                "having changed in the stores"
            )
        turned = _united(turned, stores.turned(before.store, after.store), _live(before) | _live(after))
    found += [told.of_default(item) for item in turned]
    ordered = changes.ordered(found)
    review = Review(
        tool={"name": DISTRIBUTION, "version": metadata.version(DISTRIBUTION)},
        command=tuple(command),
        summary=told.summary(ordered, opened),
        sides=(before.told(), after.told()),
        inputs=(*before.inputs, *after.inputs, *(() if traffic is None else traffic.inputs)),
        problems=(*before.problems, *after.problems, *(() if traffic is None else traffic.problems)),
        changes=ordered,
        defaults=tuple(turned),
        exposure=opened.found,
        limits=tuple(limits),
    )
    if traffic is not None:
        review = _replayed(review, traffic, before, after, filters)
    return judged(review), Comparison(before, after, filters)


def _replayed(review: Review, traffic: Traffic, before: Given, after: Given, filters: Comparable | None) -> Review:
    """Return the result with the replay; a sentence where it could not be made."""
    if before.snapshot is None or after.snapshot is None or filters is None:
        said = "the traffic was not replayed: this takes a state on both sides"
        return replace(review, limits=(*review.limits, said))
    mine = traffic_of.of_computer(traffic, before.computer or after.computer)
    found = replay.replay(mine, before.snapshot, after.snapshot, filters)
    return replace(review, replay=found.replay, limits=(*review.limits, *found.said))


def judged(review: Review) -> Review:
    """Return the result with the marks of risk, the list of what to try, and the headline."""
    changed = bool(review.changes or review.exposure)
    found = replace(
        review,
        risks=risk.marks(review.changes, review.defaults, review.exposure, review.replay),
        to_test=trials.trials(review.sides, review.defaults, review.exposure, review.replay, changed=changed),
    )
    return replace(found, headline=headline.headline(found))


def _by_origin(before: Given, after: Given) -> tuple[bool, bool]:
    """Tell which of the states hold filter origins."""
    one, two = (
        given.snapshot is not None and given.snapshot.book.snapshots[0].has_origins for given in (before, after)
    )
    return one, two


def _defaults(given: Given, filters: Comparable) -> defaults.Defaults:
    """Return the defaults as far as both dumps hold their layers."""
    items = filters.before if given.role == "before" else filters.after
    return defaults.found(items, filters.layers)


# --------------------------------------------------------------------------------------------------------- filters


def _changes(filters: Comparable, switched: Switch, *, by_origin: bool) -> tuple[list[Change], list[matching.Pair]]:
    """Return the changes of filters, and the differing rules that a switch of the plumbing may have made."""
    one, two = (groups.grouped(items, by_origin=by_origin) for items in (filters.before, filters.after))
    pairs = matching.match_groups(one, two)
    whole = [matching.match_items(p.before.items, p.after.items) for p in pairs if p.before and p.after]
    parts = {id(item): group for group in (*one, *two) for item in group.items}
    loose = matching.match_items(_loose(one, switched), _loose(two, switched), by_name=True)
    places = matching.renumbered([*whole, loose])
    shown, hidden = [], []
    for pair in pairs:
        change = changes.of_pair(pair, places)
        if change is None:
            continue
        if switched.hides(pair):
            hidden.append(pair)
        else:
            shown.append(change)
    return shown + changes.of_items(loose, places, parts), hidden


def _loose(found: Sequence[groups.Group], switched: Switch) -> list[Item]:
    """Return the filters that no rule made; the firewall's defaults are told apart."""
    return [
        item
        for group in found
        if group.part not in RULES
        for item in group.items
        if not (item.default_shape and item.layer in _DEFAULT_LAYERS) and not switched.hides_item(item)
    ]


_DEFAULT_LAYERS: Final = frozenset(layer for places in defaults.LAYERS.values() for layer in places)


# -------------------------------------------------------------------------------------------- defaults and plumbing


def _live(given: Given) -> frozenset[str]:
    """Return the profiles in force on one side, as far as its state tells."""
    return frozenset() if given.snapshot is None else given.snapshot.defaults.in_force


def _united(
    turned: Sequence[DefaultChange], of_stores: Sequence[tuple[str, str, str, str]], live: frozenset[str]
) -> list[DefaultChange]:
    """Put defaults that the stores tell to those that the states show; ``live`` are profiles in force."""
    out = {(item.direction, item.profile): item for item in turned}
    for direction, profile, before, after in of_stores:
        shown = out.get((direction, profile))
        if shown is not None and (shown.before, shown.after) == (before, after):
            out[direction, profile] = replace(shown, source="both")
        elif shown is None:
            out[direction, profile] = DefaultChange(direction, profile, before, after, profile in live, "store")
    return list(out.values())
