"""Which packets a change newly allows or blocks at all: differences of sets, layer by layer, in boxes for people.

What it speaks of: new connections and packets (the profile when a connection began is the profile now) of interfaces
whose network is known (the quarantine of the firewall is left out: it lasts seconds), at the layers that decide about
connections and packets. Bind and listen decide about sockets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.review import boxes, boxwords, diagram, policy
from analyzer.review.axes import Box, Space, field_of
from analyzer.review.boxes import UNCLEAR
from analyzer.review.diagram import ALLOWED, BLOCKED, SAME
from analyzer.review.order import Rival
from analyzer.reviewmodel import Exposed
from analyzer.wfp import layers, providers

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from analyzer.review.boxes import Region
    from analyzer.review.conditions import Condition
    from analyzer.review.identity import Item
    from analyzer.reviewmodel import Outcome

# Stems of the layers that decide about connections and packets (REFERENCE 4.1, Appendix A).
STEMS: Final = (
    *("ALE_AUTH_CONNECT", "ALE_AUTH_RECV_ACCEPT", "OUTBOUND_TRANSPORT", "INBOUND_TRANSPORT", "IPFORWARD"),
    *("OUTBOUND_IPPACKET", "INBOUND_IPPACKET"),
)
SOCKETS: Final = frozenset({"ALE_RESOURCE_ASSIGNMENT", "ALE_AUTH_LISTEN"})
OUTCOMES: Final[dict[int, Outcome]] = {BLOCKED: "newly-blocked", ALLOWED: "newly-allowed", UNCLEAR: "cannot-tell"}
_MAYBE: Final[dict[int, str]] = {BLOCKED: "newly blocked", ALLOWED: "newly allowed", SAME: "as before"}
MOST_WORK: Final = 2_500_000  # steps over all layers: about ten seconds, some hundred megabytes
MOST_FILTERS: Final = 20_000  # filters of one layer on both sides
MOST_BOXES: Final = 2_000  # of one layer and outcome
MOST_NAMES: Final = 10
QUARANTINE: Final = "MPSSVC_QUARANTINE"


@dataclass(frozen=True, slots=True)
class Exposure:
    """All boxes, the largest first, and sentences about what they leave open."""

    found: tuple[Exposed, ...]
    said: tuple[str, ...]


def exposure(before: Sequence[Item], after: Sequence[Item], compared: frozenset[str]) -> Exposure:
    """Compare the decisions of two sides in the layers that both hold."""
    work = _Work()
    for stem in STEMS:
        parts: list[tuple[str, _Boxes]] = []
        for layer in sorted(name for name in compared if layers.stem(name) == stem and not layers.is_discard(name)):
            rivals = paired(
                [item for item in before if item.layer == layer and counts(item)],
                [item for item in after if item.layer == layer and counts(item)],
            )
            if any(rival.before is None or rival.after is None for rival in rivals) or _reordered(rivals):
                parts.append((layer, work.layer(layer, rivals)))
        work.found.extend(_united(stem, parts))
    work.said.extend(_sockets(before, after, compared))
    work.found.sort(key=lambda item: (list(OUTCOMES.values()).index(item.what) // 2, -item.share, item.words))
    return Exposure(tuple(work.found), tuple(work.said))


def _sockets(before: Sequence[Item], after: Sequence[Item], compared: frozenset[str]) -> Iterable[str]:
    """Say that blocks of sockets changed: they are no packets."""
    places = {layer for layer in compared if layers.stem(layer) in SOCKETS}
    rivals = paired(*([i for i in side if i.layer in places and i.action == "block"] for side in (before, after)))
    changed = sum(rival.before is None or rival.after is None for rival in rivals)
    if changed:
        yield f"{changed:,} blocking filters at bind and listen changed: they decide about sockets, not about packets"


def counts(item: Item) -> bool:
    """Tell a filter that the question is about."""
    return policy.decides(item) and not (item.sublayer == QUARANTINE and item.provider in providers.FIREWALL_KEYS)


def paired(before: Sequence[Item], after: Sequence[Item]) -> list[Rival]:
    """Pair the filters of one layer that do the same, those of equal weight first, whatever rule they are of."""
    waiting: dict[Hashable, list[Item]] = {}
    for item in after:
        waiting.setdefault((item.content(), item.effective), []).append(item)
    out: list[Rival] = []
    left: list[Item] = []
    for item in before:
        found = waiting.get((item.content(), item.effective))
        if found:
            out.append(Rival(item, found.pop()))
        else:
            left.append(item)
    rest: dict[Hashable, list[Item]] = {}
    for found in waiting.values():
        for item in found:
            rest.setdefault(item.content(), []).append(item)
    for item in left:
        queue = rest.get(item.content())
        out.append(Rival(item, queue.pop() if queue else None))
    out.extend(Rival(None, item) for queue in rest.values() for item in queue)
    return out


def _reordered(rivals: Sequence[Rival]) -> bool:
    """Tell filters that are on both sides with other weights, or sublayers with other weights."""
    return any(
        r.before is not None
        and r.after is not None
        and (r.before.effective != r.after.effective or r.before.sublayer_weight != r.after.sublayer_weight)
        for r in rivals
    )


@dataclass(frozen=True, slots=True)
class _Boxes:
    space: Space
    by_outcome: dict[int, list[Region]]
    changed: tuple[_Reach, ...]
    blocking: tuple[_Reach, ...]  # block on both sides


class _Reach(NamedTuple):
    """A filter, and for each of its fields the boxes that it asks for."""

    item: Item
    asked: tuple[tuple[Box, ...], ...]

    def meets(self, box: Box) -> bool:
        """Tell whether a packet of a box may meet the conditions."""
        return all(any(_share(box, one) for one in choices) for choices in self.asked)


def _share(box: Box, one: Box) -> bool:
    return all(box.get(axis, atoms) & atoms for axis, atoms in one.items())


def _reach(item: Item, space: Space) -> _Reach:
    fields: dict[str, list[Condition]] = {}
    for condition in item.conditions:
        fields.setdefault(condition.field, []).append(condition)
    asked = []
    for found in fields.values():
        boxes_of = None if any(c.lost for c in found) else space.alternatives(field_of(found[0]), found)
        if boxes_of is not None:
            asked.append(tuple(boxes_of))
    return _Reach(item, tuple(asked))


@dataclass(slots=True)
class _Work:
    found: list[Exposed] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    left: int = MOST_WORK

    def layer(self, layer: str, rivals: Sequence[Rival]) -> _Boxes:
        """Return the boxes of one layer; where they can't be worked out, one entry says so."""
        family = layers.family(layer) or 0
        changed = [r.item for r in rivals if r.before is None or r.after is None]
        try:
            made = _policy(rivals, family)
            walk = diagram.Walk(made, self.left)
            try:
                tree = walk.run()
            finally:
                self.left -= walk.spent
        except diagram.TooComplexError as error:
            self._gave_up(layer, str(error), changed)
            return _Boxes(Space(family), {}, (), ())
        by_outcome = {}
        for outcome in OUTCOMES:
            by_outcome[outcome], more = boxes.entries(tree, made.space, outcome, most=MOST_BOXES)
            if more:
                where = layers.layer_words(layer)
                self.said.append(f"{where}: {more:,} or more boxes ({OUTCOMES[outcome]}) are not listed")
        blocking = [r.item for r in rivals if r.before and r.after and r.item.action == "block"]
        reach = [tuple(_reach(item, made.space) for item in items) for items in (changed, blocking)]
        return _Boxes(made.space, by_outcome, *reach)

    def _gave_up(self, layer: str, why: str, changed: Sequence[Item]) -> None:
        words = f"{layers.layer_words(layer)}: what the change opens and blocks could not be worked out ({why})"
        self.said.append(words)
        names = names_of(changed)
        self.found.append(
            Exposed(
                what="cannot-tell",
                words=words,
                direction=layers.direction(layer),
                layers=(layer,),
                conditions=(),
                whole=False,
                others=(),
                rules=names,
                maybe=("newly blocked", "newly allowed"),
                why=(why,),
                share=1.0,
            )
        )


def _policy(rivals: Sequence[Rival], family: int) -> policy.Policy:
    if len(rivals) > MOST_FILTERS:
        raise diagram.TooComplexError(f"it has {len(rivals):,} filters")
    return policy.policy(rivals, family)


def names_of(items: Iterable[Item]) -> tuple[str, ...]:
    """Return the names of filters, each once, at most ten."""
    names = dict.fromkeys(item.name if item.name not in ("", "-") else f"filter {item.filter_id}" for item in items)
    shown = list(names)[:MOST_NAMES]
    return (*shown, f"and {len(names) - len(shown):,} more") if len(names) > len(shown) else tuple(shown)


# ------------------------------------------------------------------------------------------------------ for people


def _united(stem: str, parts: Sequence[tuple[str, _Boxes]]) -> list[Exposed]:
    """Describe the boxes of both address families; those that say the same are told once."""
    out: list[Exposed] = []
    for outcome in OUTCOMES:
        alike: dict[Hashable, list[tuple[str, _Boxes, Region]]] = {}
        for layer, found in parts:
            for region in found.by_outcome.get(outcome, ()):
                alike.setdefault(_said(region, found.space), []).append((layer, found, region))
        out.extend(_entry(stem, outcome, group) for group in alike.values())
    return out


def _said(region: Region, space: Space) -> Hashable:
    """Return what a box says, so that equal boxes of two layers meet."""
    words = boxwords.told(region.box, space)
    return (frozenset(limit for limits in words.values() for limit in limits), region.whole, region.leaf.outcomes)


def _entry(stem: str, outcome: int, group: Sequence[tuple[str, _Boxes, Region]]) -> Exposed:
    layer, found, region = group[0]
    names = tuple(name for name, *_ in group)
    words = boxwords.told(region.box, found.space)
    direction = layers.direction(layer)
    family = layers.family(layer) if len(names) == 1 else None
    changed = [reach.item for _, part, r in group for reach in part.changed if reach.meets(r.box)]
    blocking = [reach.item for _, part, r in group for reach in part.blocking if reach.meets(r.box)]
    floor = {item.sublayer: min(i.effective or 0 for i in changed if i.sublayer == item.sublayer) for item in changed}
    blocking = [item for item in blocking if item.effective is None or item.effective > floor.get(item.sublayer, -1)]
    others = () if region.whole else names_of(blocking)
    said = boxwords.sentence(words, direction, family, whole=region.whole)
    if stem not in ("ALE_AUTH_CONNECT", "ALE_AUTH_RECV_ACCEPT"):
        said = f"{said} ({layers.layer_words(stem)})"
    if others:
        said = f"{said}: a part is blocked by {', '.join(others)}"
    return Exposed(
        what=OUTCOMES[outcome],
        words=said,
        direction=direction,
        layers=names,
        conditions=tuple(limit.limit() for limits in words.values() for limit in limits),
        whole=region.whole,
        others=others,
        rules=names_of(changed),
        maybe=tuple(word for bit, word in _MAYBE.items() if outcome == UNCLEAR and region.leaf.outcomes & bit),
        why=tuple(dict.fromkeys(str(found.space.axes[at].detail) for at in sorted(region.leaf.oracles))),
        share=min(sum(r.share for _, _, r in group) / len(group), 1.0),
    )
