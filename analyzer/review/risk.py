"""Marks of risk on a change: few, each with its reason and the places that it stands on.

They are read from the result alone: what is newly allowed and blocked, and the changes. A mark says that a person has
to look; no mark is no promise. What the files cannot tell is marked where it may be true, and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.review import values
from analyzer.review.axes import PROFILE
from analyzer.reviewmodel import Risk, RuleSide
from analyzer.wfp import layers, securityproducts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.reviewmodel import Change, DefaultChange, Exposed, Limit, Replay, RiskKind

MOST_PLACES: Final = 20
MAYBE: Final = "perhaps (the files can't tell): "
# Fields that say which packets; every other limit of a box says whose they are, or in what state.
_OF_PACKETS: Final = frozenset(
    {
        *("IP_PROTOCOL", "IP_LOCAL_PORT", "IP_REMOTE_PORT", "IP_LOCAL_ADDRESS", "IP_REMOTE_ADDRESS"),
        *(PROFILE, "ORIGINAL_ICMP_TYPE", "INTERFACE_TYPE", "ARRIVAL_INTERFACE_TYPE", "IP_LOCAL_INTERFACE"),
    }
)
_ACCEPT: Final = "ALE_AUTH_RECV_ACCEPT"
_NOT: Final = "not "
_OPEN: Final = frozenset({"allow", "none"})


class _Mark(NamedTuple):
    title: str
    means: str


# In the order in which a reader should meet them.
MARKS: Final[dict[RiskKind, _Mark]] = {
    "default-opened": _Mark(
        "A default was opened",
        "What no rule matches is now allowed in this profile: the rules no longer decide alone, and every program and "
        "port that nobody thought of is open.",
    ),
    "open-to-anybody": _Mark(
        "Inbound from any address, to any program",
        "The change limits neither who may connect nor which program answers: whatever listens there, now or later, "
        "can be reached by whoever reaches this computer.",
    ),
    "public-opened": _Mark(
        "Inbound in the public profile",
        "The public profile is for networks that nobody vouches for. What is opened there can be reached from a hotel "
        "or café network too.",
    ),
    "svchost-wide": _Mark(
        "svchost.exe without service or user",
        "Many services share this program. A rule that names it alone lets every one of them pass, also those that "
        "were meant to stay closed.",
    ),
    "security-product": _Mark(
        "Traffic of a security product is newly blocked",
        "The program has the name of a security product. Cut off from its maker it reports nothing, and its silence "
        "looks like peace. Ask who wanted that. A file name alone proves nothing.",
    ),
    "unknown-maker": _Mark(
        "Filters of unknown make changed",
        "They belong neither to the firewall nor to a part of Windows or a product that is known here, and no state "
        "says who made them. Ask which software this is.",
    ),
}


def marks(
    changes: Sequence[Change],
    defaults: Sequence[DefaultChange],
    exposure: Sequence[Exposed],
    replay: Replay | None = None,
) -> tuple[Risk, ...]:
    """Return the marks, each once, with the places that it stands on."""
    found: dict[RiskKind, list[str]] = {kind: [] for kind in MARKS}
    found["default-opened"] = [
        f"{item.direction} default of the {item.profile} profile"
        for item in defaults
        if item.after in _OPEN and item.before not in _OPEN
    ]
    for item in exposure:
        if _may_be(item, "newly-allowed"):
            for kind in _opened(item):
                found[kind].append(_words(item, "newly-allowed"))
        if _may_be(item, "newly-blocked") and _product(_programs(item.conditions)):
            found["security-product"].append(_words(item, "newly-blocked"))
    found["security-product"] += _blocking_rules(changes)
    if replay is not None:
        found["security-product"] += [
            f"recorded traffic of {values.file_name(group.application or '')}"
            for group in replay.groups
            if group.what == "newly-blocked" and securityproducts.product(group.application)
        ]
    found["unknown-maker"] = [item.words for item in changes if item.part == "other" and item.what != "reweighted"]
    return tuple(
        Risk(kind, MARKS[kind].title, MARKS[kind].means, tuple(places[:MOST_PLACES]), len(places))
        for kind, listed in found.items()
        if (places := list(dict.fromkeys(listed)))
    )


def _may_be(item: Exposed, what: str) -> bool:
    return item.what == what or (item.what == "cannot-tell" and what.replace("-", " ") in item.maybe)


def _words(item: Exposed, what: str) -> str:
    return item.words if item.what == what else f"{MAYBE}{item.words}"


def _opened(item: Exposed) -> Iterator[RiskKind]:
    """Yield the marks of one box that is newly allowed."""
    if not item.conditions and item.what == "cannot-tell":
        return  # nothing is known of it at all: the report says that a layer could not be worked out
    if item.direction == "inbound" and any(layers.stem(layer) == _ACCEPT for layer in item.layers):
        named = {limit.field for limit in item.conditions if _narrows(limit)}
        if "IP_REMOTE_ADDRESS" not in named and named <= _OF_PACKETS:
            yield "open-to-anybody"
        if "FLAGS" not in named and _public(item.conditions):
            yield "public-opened"
    programs = _programs(item.conditions)
    users = any(limit.field == "ALE_USER_ID" and _narrows(limit) for limit in item.conditions)
    if programs and not users and all(values.file_name(path).lower() == "svchost.exe" for path in programs):
        yield "svchost-wide"


def _narrows(limit: Limit) -> bool:
    """Tell a limit that names what it takes; one that names what it leaves out still takes nearly everything."""
    return not all(value.startswith(_NOT) for value in limit.values)


def _public(conditions: Iterable[Limit]) -> bool:
    limit = next((limit for limit in conditions if limit.field == PROFILE), None)
    if limit is None:
        return True
    named = {value.removeprefix(_NOT).casefold() for value in limit.values}
    return ("public" in named) == _narrows(limit)


def _programs(conditions: Iterable[Limit]) -> tuple[str, ...]:
    return tuple(
        value for limit in conditions if limit.field == "ALE_APP_ID" and _narrows(limit) for value in limit.values
    )


def _product(programs: Iterable[str]) -> bool:
    return any(securityproducts.product(path) for path in programs)


def _blocking_rules(changes: Iterable[Change]) -> Iterator[str]:
    """Yield changes that bring a block of a security product, in whatever layer."""
    for change in changes:
        side = change.after
        if not isinstance(side, RuleSide) or change.what not in ("added", "changed"):
            continue
        if "block" in (side.action or "") and _product(_programs(side.conditions)):
            yield change.words
