"""The filters of one rule, folded: one rule makes several filters, per address family, layer and port.

Provider data numbers the rules of one policy load: it groups filters inside one state and means nothing in another
(REFERENCE 3.4, 12).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from analyzer.review.identity import BUILT_IN_DATA, RULE_SUBLAYERS, Item, Part, part_of
from analyzer.wfp import layers, providers

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

RULES: Final[frozenset[Part]] = frozenset({"rule", "windows-rule"})
_DIRECTIONS: Final[dict[str, str]] = {"bind": "inbound", "listen": "inbound"}  # where inbound rules have helpers


@dataclass(frozen=True)
class Group:
    """What one rule, or one maker, put into a state under one name."""

    part: Part
    name: str
    rule_id: str
    items: tuple[Item, ...]

    @cached_property
    def directions(self) -> frozenset[str]:
        """Return inbound, outbound or forward; the helpers of inbound rules count as inbound."""
        found = {layers.direction(item.layer) for item in self.items}
        return frozenset(_DIRECTIONS.get(word, word) for word in found if word is not None)

    @cached_property
    def content(self) -> Hashable:
        """Return what it does, without name and weights."""
        return _counted(item.content() for item in self.items)

    @cached_property
    def weighted(self) -> Hashable:
        """Return what it does, with the weights as given."""
        return _counted((item.content(), item.weight) for item in self.items)

    @cached_property
    def exact(self) -> Hashable:
        """Return what it does, with the weights in force."""
        return _counted((item.content(), item.weight, item.effective) for item in self.items)


def _counted(keys: Iterable[Hashable]) -> Hashable:
    return frozenset(Counter(keys).items())


def grouped(items: Sequence[Item], *, by_origin: bool) -> list[Group]:
    """Fold the filters of one side.

    Parameters
    ----------
    items : of one side.
    by_origin : whether both sides have filter origins, so that rule ids name rules.
    """
    named = _ids_of_data(items) if by_origin else {}
    members: dict[Hashable, list[Item]] = {}
    for item in items:
        members.setdefault(_key(item, named, by_origin=by_origin), []).append(item)
    return [_group(found, by_origin=by_origin) for found in members.values()]


def _has_data(item: Item) -> bool:
    return item.provider in providers.FIREWALL_KEYS and bool(item.data) and item.data != BUILT_IN_DATA


def _ids_of_data(items: Iterable[Item]) -> dict[Hashable, str]:
    """Return provider and data -> the rule id that some filter of that number carries."""
    return {(item.provider, item.data): item.rule_id for item in items if item.rule_id and _has_data(item)}


def _key(item: Item, named: dict[Hashable, str], *, by_origin: bool) -> Hashable:
    rule_id = (item.rule_id if by_origin else "") or (
        named.get((item.provider, item.data), "") if _has_data(item) else ""
    )
    if rule_id:
        return ("id", item.provider, rule_id.casefold())
    if _has_data(item):
        return ("data", item.provider, item.data)
    return ("name", part_of([item]), item.provider, item.sublayer, item.name, item.sublayer in RULE_SUBLAYERS)


def _group(found: Sequence[Item], *, by_origin: bool) -> Group:
    rule_id = next((item.rule_id for item in found if item.rule_id), "") if by_origin else ""
    name = Counter(item.name for item in found if item.name).most_common(1)
    return Group(part_of(found), name[0][0] if name else "", rule_id, tuple(found))
