"""Message codes: events store ``%%NNNNN``, and the text is looked up (and localized) only when shown.

Source: REFERENCE 1.3 (Elastic's msobjs table, HotCakeX' scripts).
"""

from __future__ import annotations

from typing import Final, Literal

EventDirection = Literal["inbound", "outbound", "forward", "bidirectional"]

DIRECTIONS: Final[dict[int, EventDirection]] = {
    14592: "inbound",
    14593: "outbound",
    14594: "forward",
    14595: "bidirectional",
}

LAYERS: Final[dict[int, str]] = {
    14596: "IP Packet",
    14597: "Transport",
    14598: "Forward",
    14599: "Stream",
    14600: "Datagram Data",
    14601: "ICMP Error",
    14602: "MAC 802.3",
    14603: "MAC Native",
    14604: "vSwitch",
    14608: "Resource Assignment",
    14609: "Listen",
    14610: "Receive/Accept",
    14611: "Connect",
    14612: "Flow Established",
    14614: "Resource Release",
    14615: "Endpoint Closure",
    14616: "Connect Redirect",
    14617: "Bind Redirect",
    14624: "Stream Packet",
    14640: "ICMP Echo-Request",
    14641: "vSwitch Ingress",
    14642: "vSwitch Egress",
}

CHANGES: Final[dict[int, Literal["add", "delete"]]] = {16384: "add", 16385: "delete"}
FILTER_TYPES: Final[dict[int, Literal["boot-time", "persistent", "not-persistent"]]] = {
    16386: "boot-time",
    16387: "persistent",
    16388: "not-persistent",
}
ACTIONS: Final[dict[int, Literal["block", "permit", "callout"]]] = {16389: "block", 16390: "permit", 16391: "callout"}

TEXTS: Final[dict[int, str]] = {
    **{code: word.capitalize() for code, word in DIRECTIONS.items()},
    **LAYERS,
    **{code: word.capitalize() for code, word in CHANGES.items()},
    **{code: word.capitalize().replace("-", " ") for code, word in FILTER_TYPES.items() if code != 16386},
    16386: "Boot-time",
    **{code: word.capitalize() for code, word in ACTIONS.items()},
}


def code_number(text: str | None) -> int | None:
    """Return 14592 for ``%%14592``, or None when the text is no message code."""
    value = (text or "").strip()
    if value.startswith("%%") and value[2:].isascii() and value[2:].isdigit():
        return int(value[2:])
    return None


def event_direction(text: str | None) -> EventDirection | None:
    """Return the direction that an event's code or (already rendered English) word names, or None."""
    number = code_number(text)
    if number is not None:
        return DIRECTIONS.get(number)
    word = (text or "").strip().lower()
    return next((direction for direction in DIRECTIONS.values() if direction == word), None)


def layer_text(text: str | None) -> str | None:
    """Return the English name of a layer code; other text is returned as it is, nothing as None."""
    number = code_number(text)
    if number is None:
        return (text or "").strip() or None
    return LAYERS.get(number)


def change(text: str | None) -> Literal["add", "delete"] | None:
    """Return what a 544x ChangeType code says."""
    return CHANGES.get(code_number(text) or 0)


def action(text: str | None) -> Literal["block", "permit", "callout"] | None:
    """Return what a 544x Action code says."""
    return ACTIONS.get(code_number(text) or 0)
