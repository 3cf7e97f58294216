"""Two policies of one layer side by side, every filter a bit: what the diagram decides on.

Arbitration is REFERENCE 4.1: in each sublayer the first matching filter by effective weight ends it, a block in any
sublayer blocks, but for a hard permit (CLEAR_ACTION_RIGHT) of a higher one, which only a callout's veto beats.
Nothing that matches: allowed.

A filter that stands on both sides has one bit on both. So where two sets of bits are equal, both sides decide alike.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from analyzer.review.axes import MAX_CLAUSES, Axis, Box, Space, cut, field_of
from analyzer.review.conditions import key_of
from analyzer.review.order import SIDES, Rival, Tie, merged, ranks, ties
from analyzer.wfp import providers

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from analyzer.review.conditions import Condition
    from analyzer.review.identity import Item

# block and veto: a filter's and a callout's; permit can be overruled, hard can not.
Effect: TypeAlias = Literal["block", "veto", "permit", "hard"]
CALLOUT_ACTIONS: Final = frozenset({"callout-terminating", "callout-unknown"})
# Actions that end nothing (REFERENCE 4.2); an action that is not known may do anything.
NO_DECISION: Final = frozenset({"callout-inspection", "CONTINUE", "NONE", "NONE_NO_MATCH"})
NOT_IN_FORCE: Final = frozenset({"DISABLED", "BOOTTIME"})  # boot-time filters end when the service takes over
OUTCOMES: Final = ("block", "permit", "continue")


class Clause(NamedTuple):
    """One box of a filter, its effect, the sides it is on, and where it stands in its sublayer's order."""

    box: Box
    effect: Effect
    sides: tuple[bool, bool]
    place: tuple[int, int, int]  # position of the sublayer, of the filter, and -1/0/1 around a tie


class Band(NamedTuple):
    """The bits of one sublayer on one side, the first bit the first to match."""

    bits: int
    block: int
    veto: int
    permit: int
    hard: int


@dataclass(slots=True)
class Policy:
    """Both sides of one layer. ``bands`` are ordered by the sublayers' weight, the highest first."""

    space: Space
    clauses: list[Clause] = field(default_factory=list)
    bands: tuple[tuple[Band, ...], tuple[Band, ...]] = ((), ())

    def alive(self, side: int) -> int:
        """Return the bits of all clauses of one side."""
        return sum(band.bits for band in self.bands[side])


def decides(item: Item) -> bool:
    """Tell a filter that can decide something while the filter engine runs.

    Callouts of the firewall itself are helpers at the layers that decide (REFERENCE 3.3, 3.4 row 10).
    """
    action = item.action.upper().removeprefix("FWP_ACTION_")
    if item.action in NO_DECISION or action in NO_DECISION or item.flags & NOT_IN_FORCE:
        return False
    return not (item.action in CALLOUT_ACTIONS and item.provider in providers.FIREWALL_KEYS)


def policy(rivals: Sequence[Rival], family: int) -> Policy:
    """Put both sides' filters of one layer into one order of bits over one space."""
    conditions = (c for rival in rivals for c in rival.item.conditions)
    made = _Making(Policy(cut(conditions, family)))
    for number, sublayer in enumerate(_sublayers(rivals)):
        made.sublayer(number, [rival for rival in rivals if rival.item.sublayer == sublayer])
    return made.finished(rivals)


def _sublayers(rivals: Sequence[Rival]) -> list[str]:
    return sorted({rival.item.sublayer for rival in rivals})


def _weights(rivals: Iterable[Rival], side: int) -> dict[str, int | None]:
    """Return sublayer -> weight on one side; None where no filter of it tells."""
    out: dict[str, int | None] = {}
    for rival in rivals:
        item = rival.on(side)
        if item is not None and out.get(item.sublayer) is None:
            out[item.sublayer] = item.sublayer_weight
    return out


class _Making:
    """Fills a policy sublayer by sublayer."""

    def __init__(self, made: Policy) -> None:
        self._policy = made
        self._space = made.space
        self._oracles: dict[Hashable, int] = {}
        self._number = itertools.count()

    # ------------------------------------------------------------------------------------------------ oracles

    def _oracle(self, key: Hashable, reason: str, atoms: tuple[str, ...] = ("no", "yes")) -> int:
        """Return the axis of something that nobody can tell; equal keys are one question."""
        at = self._oracles.get(key)
        if at is None:
            at = self._oracles[key] = len(self._space.axes)
            self._space.add(("oracle", key), Axis("", "oracle", atoms, detail=reason))
        return at

    def _boxes(self, item: Item, number: int) -> list[Box]:
        """Return the boxes that a filter's conditions leave, over axes and oracles."""
        by_field: dict[str, dict[str, list[Condition]]] = {}
        for condition in item.conditions:
            by_field.setdefault(field_of(condition), {}).setdefault(condition.field, []).append(condition)
        gates: Box = {}
        boxes: list[Box] = [{}]
        for name, parts in by_field.items():
            for asked in parts.values():  # two fields may share an axis: both must hold
                found = None if any(c.lost for c in asked) else self._space.alternatives(name, asked)
                if found is None or len(found) * len(boxes) > MAX_CLAUSES:
                    gates[self._unclear(asked, number, item)] = 0b10
                    continue
                boxes = [both for one in boxes for other in found if (both := meet(one, other)) is not None]
        return [box | gates for box in boxes]

    def _unclear(self, asked: Sequence[Condition], number: int, item: Item) -> int:
        name = item.name or f"filter {item.filter_id}"
        if any(c.lost for c in asked):
            return self._oracle(
                ("lost", number, asked[0].field), f"a condition of “{name}” that the file does not hold"
            )
        words = f"whether a packet meets “{asked[0].field} {asked[0].match} {asked[0].text[:80]}”"
        return self._oracle(("asked", asked[0].field, frozenset(key_of(c) for c in asked)), words)

    # ------------------------------------------------------------------------------------------------ filters

    def sublayer(self, place: int, rivals: Sequence[Rival]) -> None:
        """Add the filters of one sublayer."""
        by_side = tuple(ranks(rivals, side) for side in SIDES)
        ordered = merged(rivals, by_side)
        tied = tuple(ties(ordered, side, by_side[side]) for side in SIDES)
        for at, rival in enumerate(ordered):
            number = next(self._number)
            item = rival.item
            boxes = self._boxes(item, number)
            if any((own := rival.on(side)) is not None and by_side[side].of(own) is None for side in SIDES):
                gate = self._oracle(("weight", number), f"where “{item.name}” stands: its weight is not known")
                boxes = [box | {gate: 0b10} for box in boxes]
            for box, effect in self._effects(item, boxes, number):
                self._place(rival, box, effect, (place, at), tied)

    def _effects(self, item: Item, boxes: Sequence[Box], number: int) -> list[tuple[Box, Effect]]:
        if item.action == "block":
            return [(box, "block") for box in boxes]
        if item.action == "permit":
            hard: Effect = "hard" if "CLEAR_ACTION_RIGHT" in item.flags else "permit"
            return [(box, hard) for box in boxes]
        known = item.action in CALLOUT_ACTIONS
        what = (
            f"what the callout {item.callout or ''} of “{item.name}” decides"
            if known
            else f"the action of “{item.name}”"
        )
        at = self._oracle(("callout", item.callout, item.content()) if known else ("action", number), what, OUTCOMES)
        blocks: list[tuple[Box, Effect]] = [(box | {at: 0b001}, "veto") for box in boxes]
        return blocks + [(box | {at: 0b010}, "permit") for box in boxes]

    def _place(
        self, rival: Rival, box: Box, effect: Effect, at: tuple[int, int], tied_by_side: Sequence[dict[int, Tie]]
    ) -> None:
        """Add a clause; a block that shares its weight with a permit comes before it or after it, who knows."""
        there = [rival.on(side) is not None for side in SIDES]
        stops = effect in ("block", "veto")
        tied = [tied_by_side[side].get(at[1]) if there[side] and stops else None for side in SIDES]
        plain = (there[0] and tied[0] is None, there[1] and tied[1] is None)
        if any(plain):
            self._policy.clauses.append(Clause(box, effect, plain, (*at, 0)))
        one, two = tied
        if one is not None and two is not None and one.weight == two.weight:
            self._doubtful(
                rival, box, effect, at[0], Tie(min(one.first, two.first), max(one.last, two.last), one.weight)
            )
            return
        for side, tie in enumerate(tied):
            if tie is not None:
                self._doubtful(Rival(*(rival.on(s) if s == side else None for s in SIDES)), box, effect, at[0], tie)

    def _doubtful(self, rival: Rival, box: Box, effect: Effect, sublayer: int, tie: Tie) -> None:
        """Add a clause twice, before and after the filters of its weight, an oracle between them."""
        name = rival.item.sublayer
        words = f"which of the filters of weight {tie.weight} in sublayer {name} comes first"
        gate = self._oracle(("tie", name, tie.weight), words)
        sides = (rival.before is not None, rival.after is not None)
        self._policy.clauses.append(Clause(box | {gate: 0b01}, effect, sides, (sublayer, tie.first, -1)))
        self._policy.clauses.append(Clause(box | {gate: 0b10}, effect, sides, (sublayer, tie.last, 1)))

    def finished(self, rivals: Sequence[Rival]) -> Policy:
        """Order the clauses and return the policy."""
        made = self._policy
        self._doubt_hard_permits(rivals)
        made.clauses.sort(key=lambda clause: clause.place)
        names = _sublayers(rivals)
        made.bands = (self._bands(rivals, names, 0), self._bands(rivals, names, 1))
        return made

    def _doubt_hard_permits(self, rivals: Sequence[Rival]) -> None:
        """Leave open what a hard permit overrules where the weight of a sublayer is not known."""
        clauses = self._policy.clauses
        unknown = any(None in _weights(rivals, side).values() for side in SIDES)
        if not unknown or not any(clause.effect == "hard" for clause in clauses):
            return
        words = "which sublayers a hard permit overrules: the weight of a sublayer is not known"
        gate = self._oracle(("hard",), words)
        out: list[Clause] = []
        for clause in clauses:
            if clause.effect != "hard":
                out.append(clause)
                continue
            out.append(clause._replace(box=clause.box | {gate: 0b10}))
            out.append(clause._replace(box=clause.box | {gate: 0b01}, effect="permit"))
        self._policy.clauses = out

    def _bands(self, rivals: Sequence[Rival], names: Sequence[str], side: int) -> tuple[Band, ...]:
        weights = _weights(rivals, side)
        found: dict[int, dict[str, int]] = {}
        for bit, clause in enumerate(self._policy.clauses):
            if clause.sides[side]:
                own = found.setdefault(clause.place[0], dict.fromkeys(("block", "veto", "permit", "hard"), 0))
                own[clause.effect] |= 1 << bit

        def rank(place: int) -> tuple[int, int]:
            weight = weights.get(names[place])
            if weight is None:  # what it may overrule must come after it
                return (0 if found[place]["hard"] else 2, 0)
            return (1, -weight)

        return tuple(Band(sum(found[at].values()), **found[at]) for at in sorted(found, key=rank))


def meet(one: Box, other: Box) -> Box | None:
    """Return what two boxes share, or None."""
    if len(one) < len(other):
        one, other = other, one
    out = dict(one)
    for axis, bits in other.items():
        both = out.get(axis, bits) & bits
        if not both:
            return None
        out[axis] = both
    return out
