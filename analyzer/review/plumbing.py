"""When the states do not show the rules: a default or the profile in force was switched between them.

Outbound allow rules make no filters while the outbound default allows, and only rules of the profiles in force are
plumbed (REFERENCE 12). Across such a switch rules come and go as filters without having changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.review.defaults import LAYERS, NUMBERS
from analyzer.wfp.fields import PROFILE_FIELDS

if TYPE_CHECKING:
    from analyzer.review.defaults import Default, Defaults
    from analyzer.review.identity import Item
    from analyzer.review.matching import Pair

NOT_COMPARABLE: Final = "plumbing changed, rules not comparable from states alone"
BY_STORE: Final = "plumbing changed; the rules are compared by their stores"


@dataclass(frozen=True, slots=True)
class Turned:
    """One default of one profile that differs."""

    direction: str
    profile: str
    before: Default
    after: Default
    in_force: bool


@dataclass(frozen=True, slots=True)
class Switch:
    """What was switched. ``directions``: where a default of a profile in force changed; ``profiles`` None: the same."""

    turned: tuple[Turned, ...]
    directions: frozenset[str]
    profiles: tuple[frozenset[str], frozenset[str]] | None
    off: bool  # the defaults of a direction are missing on one side: the firewall was switched on or off

    @property
    def happened(self) -> bool:
        """Tell whether rules may come or go for another reason than a change of rules."""
        return bool(self.directions) or self.profiles is not None

    def hides(self, pair: Pair) -> bool:
        """Tell a difference of rules that the switch alone may have made."""
        group = pair.group
        one_sided = pair.before is None or pair.after is None
        if group.part == "rule":
            if self.profiles is not None and (one_sided or pair.near):
                return True
            return one_sided and bool(group.directions & self.directions)
        return (
            self.profiles is not None and (one_sided or pair.near) and any(names_profile(item) for item in group.items)
        )

    def hides_item(self, item: Item) -> bool:
        """Tell a filter of the firewall itself that comes and goes with a switch."""
        if self.off and item.provider == "MPSSVC_WF" and not item.boot_or_fixed:
            return True
        if self.profiles is not None and names_profile(item):
            return True
        return bool(self.directions) and item.default_shape


def names_profile(item: Item) -> bool:
    """Tell a filter that is for one network profile."""
    return bool(item.fields & PROFILE_FIELDS)


def switch(before: Defaults, after: Defaults) -> Switch:
    """Compare the defaults and the profiles in force."""
    live = before.in_force | after.in_force
    turned = []
    for direction in LAYERS:
        for profile in NUMBERS:
            one, two = (side.by_profile.get((direction, profile)) for side in (before, after))
            if one is not None and two is not None and one != two:
                turned.append(Turned(direction, profile, one, two, not live or profile in live))
    profiles = (before.in_force, after.in_force)
    both = bool(before.in_force) and bool(after.in_force)
    return Switch(
        tuple(turned),
        frozenset(item.direction for item in turned if item.in_force),
        profiles if both and before.in_force != after.in_force else None,
        any("none" in (item.before, item.after) for item in turned),
    )
