"""Which filters of one side are which of the other: by what they are, exact first, then near, never by their numbers.

Rules are matched as wholes: blocks by rule id, others by name and conditions, then by conditions alone. What no rule
made (defaults, products) is matched filter by filter. A near match needs the same name and direction; where several
fit alike, one is taken and the match is ambiguous.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from analyzer.review import folding
from analyzer.review.groups import RULES, Group
from analyzer.wfp import layers

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from analyzer.review.identity import Item

MAX_NEAR: Final = 200_000  # comparisons of equally named rules: more, and they are told as removed and added
_T = TypeVar("_T")


class Pair(NamedTuple):
    """One rule on both sides, or on one. ``near``: matched by name alone; ``doubt`` says why a match is ambiguous."""

    before: Group | None
    after: Group | None
    near: bool = False
    doubt: str = ""

    @property
    def group(self) -> Group:
        """Return the rule, of the side after where it is on both."""
        found = self.after if self.after is not None else self.before
        if found is None:
            raise ValueError("a rule of no side")
        return found


class Moved(NamedTuple):
    """One filter on both sides that differs in its weight alone."""

    before: Item
    after: Item


@dataclass(slots=True)
class Matched:
    """The filters of a pair of rules: equal ones, those of another weight, and those of one side alone."""

    same: list[tuple[Item, Item]] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    removed: list[Item] = field(default_factory=list)
    added: list[Item] = field(default_factory=list)


# ------------------------------------------------------------------------------------------------------- filters


def match_items(before: Sequence[Item], after: Sequence[Item], *, by_name: bool = False) -> Matched:
    """Match filters by content; ``by_name`` prefers those of one name where contents are equal."""
    out = Matched()
    one, two = list(before), list(after)
    steps: tuple[Callable[[Item], Hashable], ...] = (
        *((lambda item: (item.name, item.content(), item.weight, item.effective),) if by_name else ()),
        lambda item: (item.content(), item.weight, item.effective),
        lambda item: (item.content(), item.weight),
        lambda item: item.content(),
    )
    for step in steps:
        found, one, two = _equal(one, two, step)
        for first, second in found:
            if first.weight == second.weight and first.effective == second.effective:
                out.same.append((first, second))
            else:
                out.moved.append(Moved(first, second))
    out.removed, out.added = one, two
    return out


def _equal(
    one: Iterable[_T], two: Iterable[_T], key: Callable[[_T], Hashable]
) -> tuple[list[tuple[_T, _T]], list[_T], list[_T]]:
    """Pair what has equal keys, in order; return pairs and what is left of both."""
    waiting: dict[Hashable, list[_T]] = {}
    for item in two:
        waiting.setdefault(key(item), []).append(item)
    for queue in waiting.values():
        queue.reverse()
    pairs: list[tuple[_T, _T]] = []
    left: list[_T] = []
    for item in one:
        queue = waiting.get(key(item), [])
        if queue:
            pairs.append((item, queue.pop()))
        else:
            left.append(item)
    return pairs, left, [item for queue in waiting.values() for item in reversed(queue)]


def renumbered(matched: Iterable[Matched]) -> frozenset[tuple[str, str]]:
    """Return layer and sublayer where the engine gave most filters other numbers, in the same order.

    The weight as given is the same then: the number in force depends on what else is in the layer.
    """
    pairs: dict[tuple[str, str], list[tuple[Item, Item]]] = {}
    differ: Counter[tuple[str, str]] = Counter()
    for found in matched:
        for one, two in (*found.same, *found.moved):
            pairs.setdefault((one.layer, one.sublayer), []).append((one, two))
            differ[(one.layer, one.sublayer)] += one.weight == two.weight and one.effective != two.effective
    return frozenset(
        place
        for place, count in differ.items()
        if count >= 3 and count * 2 > len(pairs[place]) and _ordered(pairs[place])
    )


def _ordered(pairs: Iterable[tuple[Item, Item]]) -> bool:
    """Tell whether filters stand in one order on both sides."""
    ranks = sorted((one.effective or 0, two.effective or 0) for one, two in pairs)
    return all(low[1] <= high[1] for low, high in itertools.pairwise(ranks))


# --------------------------------------------------------------------------------------------------------- rules


def match_groups(before: Sequence[Group], after: Sequence[Group]) -> list[Pair]:
    """Match the rules of both sides; groups that no rule made are not taken."""
    one = [group for group in before if group.part in RULES]
    two = [group for group in after if group.part in RULES]
    pairs, numbered, others = _equal(
        [group for group in one if group.rule_id],
        [group for group in two if group.rule_id],
        lambda group: (group.part, group.rule_id.casefold()),
    )
    out = [Pair(*pair) for pair in pairs]
    left = [group for group in one if not group.rule_id]
    right = [group for group in two if not group.rule_id]
    steps: tuple[Callable[[Group], Hashable], ...] = (
        lambda group: (group.part, group.name, group.exact),
        lambda group: (group.part, group.name, group.weighted),
        lambda group: (group.part, group.name, group.content),
        lambda group: (group.part, group.weighted),
        lambda group: (group.part, group.content),
    )
    for step in steps:
        found, left, right = _equal(left, right, step)
        out.extend(Pair(*pair) for pair in found)
    near, left, right = _near([*numbered, *left], [*others, *right], Counter(_name(group) for group in (*one, *two)))
    out.extend(near)
    out.extend(Pair(group, None) for group in left)
    out.extend(Pair(None, group) for group in right)
    return out


def _name(group: Group) -> Hashable:
    return (group.part, group.name)


def _near(
    before: Sequence[Group], after: Sequence[Group], names: Counter[Hashable]
) -> tuple[list[Pair], list[Group], list[Group]]:
    """Match equally named rules of one direction, the most alike first."""
    waiting: dict[Hashable, tuple[list[int], list[int]]] = {}
    for side, groups in enumerate((before, after)):
        for at, group in enumerate(groups):
            if group.name:
                waiting.setdefault(_name(group), ([], []))[side].append(at)
    pairs: list[Pair] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    budget = MAX_NEAR
    for name, (ours, theirs) in waiting.items():
        budget -= len(ours) * len(theirs)
        if not (ours and theirs) or budget < 0:
            continue
        for one, two, doubt in _best([before[at] for at in ours], [after[at] for at in theirs], names[name]):
            taken[0].add(ours[one])
            taken[1].add(theirs[two])
            pairs.append(Pair(before[ours[one]], after[theirs[two]], near=True, doubt=doubt))
    left = [group for at, group in enumerate(before) if at not in taken[0]]
    return pairs, left, [group for at, group in enumerate(after) if at not in taken[1]]


def _best(ours: Sequence[Group], theirs: Sequence[Group], namesakes: int) -> list[tuple[int, int, str]]:
    """Return the most alike pairs as positions, each with why it is ambiguous, or ""."""
    first, second = ([folding.asked_for(group.items) for group in groups] for groups in (ours, theirs))
    likeness: dict[tuple[int, int], float] = {}
    for at, one in enumerate(ours):
        for other, two in enumerate(theirs):
            if not (one.rule_id and two.rule_id) and _one_direction(one, two):
                likeness[at, other] = _likeness(first[at], second[other], one_place=_stems(one) == _stems(two))
    out: list[tuple[int, int, str]] = []
    free: tuple[set[int], set[int]] = (set(range(len(ours))), set(range(len(theirs))))
    for at, other in sorted(likeness, key=lambda pair: (-likeness[pair], pair)):
        if at not in free[0] or other not in free[1]:
            continue
        score = likeness[at, other]
        same = [n for n in free[0] - {at} if likeness.get((n, other), -1) >= score and ours[n].exact != ours[at].exact]
        same += [
            n
            for n in free[1] - {other}
            if likeness.get((at, n), -1) >= score and theirs[n].exact != theirs[other].exact
        ]
        doubt = ""
        if same:
            doubt = f"{len(same) + 1} pairs of rules of this name are equally alike"
        elif score < 0.5 and namesakes > 2:
            doubt = f"{namesakes} rules of both sides have this name, and these two differ in most of what they ask for"
        free[0].remove(at)
        free[1].remove(other)
        out.append((at, other, doubt))
    return out


def _stems(group: Group) -> set[str]:
    return {layers.stem(item.layer) for item in group.items}


def _one_direction(one: Group, two: Group) -> bool:
    return bool(one.directions & two.directions) or not (one.directions or two.directions)


def _likeness(
    one: Mapping[str, frozenset[Hashable]], two: Mapping[str, frozenset[Hashable]], *, one_place: bool
) -> float:
    """Return which part of what two rules ask for is the same, 0 to 1."""
    keys = one.keys() | two.keys()
    alike = sum(_overlap(one.get(key), two.get(key)) for key in keys)
    return (alike + one_place) / (len(keys) + 1)


def _overlap(one: frozenset[Hashable] | None, two: frozenset[Hashable] | None) -> float:
    if one == two:
        return 1.0
    if not one or not two:
        return 0.0
    return len(one & two) / len(one | two)
