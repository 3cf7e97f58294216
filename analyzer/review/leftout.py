"""What of two dumps can be compared: layers that both hold, without what one of them leaves out by its nature.

``netsh wfp show filters`` leaves out, measured on two Windows 11 machines of one build: callouts that only inspect, and
filters that another one hides (in the same layer and sublayer an unconditional filter weighs more). It holds no
contexts, so no origins, and no weights of sublayers; layers without a filter worth telling are absent, and an absent
layer is not an empty one (REFERENCE 12).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.wfp import layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.review.identity import Item

_MOST_LAYERS: Final = 6
_DECIDE: Final = frozenset({"block", "permit"})


@dataclass(frozen=True, slots=True)
class Dump:
    """The filters of one side, and the layers that its dump holds. ``partial``: it is of ``show filters``."""

    items: tuple[Item, ...]
    listed: frozenset[str]
    partial: bool


@dataclass(frozen=True, slots=True)
class Comparable:
    """The filters of both sides that can be compared, and sentences about those that can't."""

    before: tuple[Item, ...]
    after: tuple[Item, ...]
    layers: frozenset[str]
    said: tuple[str, ...]


def comparable(before: Dump, after: Dump) -> Comparable:
    """Leave out what one of the dumps does not hold."""
    shared = before.listed & after.listed
    said = [*_layers(before, after.listed, "AFTER"), *_layers(after, before.listed, "BEFORE")]
    one, two = ([item for item in dump.items if item.layer in shared] for dump in (before, after))
    if before.partial or after.partial:
        one, hidden_one = _visible(one)
        two, hidden_two = _visible(two)
        which = (
            "both sides are" if before.partial and after.partial else f"{'BEFORE' if before.partial else 'AFTER'} is"
        )
        said.append(
            f"{which} `show filters`, which leaves out callouts that only inspect and filters under an unconditional "
            f"one of the same sublayer: {hidden_one + hidden_two:,} such filters were not compared"
        )
    steady = [[item for item in items if not item.volatile] for items in (one, two)]
    moving = [Counter(item.content() for item in items if item.volatile) for items in (one, two)]
    if moving[0] != moving[1]:
        said.append(
            "interfaces were let out of quarantine under other numbers: that is how a network change shows, no policy"
        )
    return Comparable(tuple(steady[0]), tuple(steady[1]), shared, tuple(said))


def _layers(dump: Dump, others: frozenset[str], other: str) -> Iterable[str]:
    """Say which filters stand in layers that the other side does not hold."""
    lone = Counter(item.layer for item in dump.items if item.layer not in others)
    if lone:
        names = [layers.layer_words(name) if name else "no layer" for name in sorted(lone)]
        more = f" and {len(names) - _MOST_LAYERS} more" if len(names) > _MOST_LAYERS else ""
        yield (
            f"{other} does not hold these layers, so {sum(lone.values()):,} filters of the other side were not "
            f"compared: "
            f"{'; '.join(names[:_MOST_LAYERS])}{more}"
        )


def _visible(items: Sequence[Item]) -> tuple[list[Item], int]:
    """Return the filters that ``show filters`` would tell, and the number of the others."""
    top: dict[tuple[str, str], int] = {}
    for item in items:
        if item.action in _DECIDE and not item.conditions and not item.flags & {"BOOTTIME", "DISABLED"}:
            place = (item.layer, item.sublayer)
            top[place] = max(top.get(place, -1), -1 if item.effective is None else item.effective)
    told = [
        item
        for item in items
        if item.action != "callout-inspection"
        and (item.effective is None or item.effective >= top.get((item.layer, item.sublayer), -1))
    ]
    return told, len(items) - len(told)
