"""The firewall's defaults of one side: what each profile does with what no rule matches, and the profile in force.

Found by the origin and the shape of filters (REFERENCE 3.4), never by names: at connect and at accept, one filter with
weight class 8 for each profile in force, and one with class 3 for all others. Without any the firewall is off there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from analyzer.wfp import providers
from analyzer.wfp.values import PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analyzer.review.identity import Item

# "none": no filter of the default stands there; "mixed": IPv4 and IPv6 differ; "block-all": rules do not help.
Default: TypeAlias = Literal["allow", "block", "block-all", "mixed", "none"]
LAYERS: Final[dict[str, tuple[str, str]]] = {
    "outbound": ("ALE_AUTH_CONNECT_V4", "ALE_AUTH_CONNECT_V6"),
    "inbound": ("ALE_AUTH_RECV_ACCEPT_V4", "ALE_AUTH_RECV_ACCEPT_V6"),
}
NUMBERS: Final[dict[str, int]] = {name: number for number, name in PROFILES.items() if number}
PROFILE_FIELDS: Final = ("ORIGINAL_PROFILE_ID", "CURRENT_PROFILE_ID")
DEFAULT_CLASSES: Final = (3, 8)


@dataclass(frozen=True, slots=True)
class Defaults:
    """Direction and profile -> default; a direction that the dump does not hold has none. ``in_force``: profiles.

    ``in_force`` is empty where no filter tells.
    """

    by_profile: Mapping[tuple[str, str], Default]
    in_force: frozenset[str]


def found(items: Iterable[Item], listed: frozenset[str]) -> Defaults:
    """Return the defaults that the filters of one side show; ``listed`` are the layers that its dump holds."""
    mine = [item for item in items if item.default_shape and item.action in ("block", "permit")]
    out: dict[tuple[str, str], Default] = {}
    profiles: set[str] = set()
    for direction, places in LAYERS.items():
        held = [place for place in places if place in listed]
        here = {place: [item for item in mine if item.layer == place] for place in held}
        profiles.update(*(_own(item) for found in here.values() for item in found))
        for profile, number in NUMBERS.items():
            told = {_default(own, number) for own in here.values()}
            if told:
                out[direction, profile] = told.pop() if len(told) == 1 else "mixed"
    return Defaults(out, frozenset(profiles))


def _own(item: Item) -> set[str]:
    """Return the profiles that a filter of the default names."""
    numbers = _numbers(item)
    return {name for name, number in NUMBERS.items() if numbers is not None and number in numbers}


def _numbers(item: Item) -> set[int] | None:
    """Return the profile numbers that a filter is for; None for all."""
    out: set[int] | None = None
    for name in PROFILE_FIELDS:
        asked = {
            c.value for c in item.conditions if c.field == name and c.match == "EQUAL" and isinstance(c.value, int)
        }
        if asked:
            out = asked if out is None else out & asked
    return out


def _default(items: Iterable[Item], number: int) -> Default:
    """Return what the filters of one layer do with what a profile's rules leave."""
    told = [item for item in items if (numbers := _numbers(item)) is None or number in numbers]
    if not told:
        return "none"
    first = max(told, key=lambda item: item.effective or 0)
    if first.action == "permit":
        return "allow"
    return "block-all" if _blocks_all(first) else "block"


def _blocks_all(item: Item) -> bool:
    """Tell the block that allow rules do not help against: above their weight (REFERENCE 3.4 row 9, unconfirmed)."""
    kind, weight = item.weight
    return item.provider in providers.FIREWALL_KEYS and kind == "UINT8" and weight not in DEFAULT_CLASSES
