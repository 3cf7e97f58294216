"""Value types, match types, actions, and the numbers that conditions are about.

Sources: REFERENCE 4.2 (``fwptypes.h``, NtObjectManager), 2.1 (profiles); [SDK] FWP_MATCH_TYPE (what match types do);
interface types from the IANA registry "ifType", tunnel types from ``ifdef.h``, address types from ``nldef.h``.
"""

from __future__ import annotations

from typing import Final, Literal

MATCH_PREFIX: Final = "FWP_MATCH_"
TYPE_PREFIX: Final = "FWP_"
ACTION_PREFIX: Final = "FWP_ACTION_"

FilterAction = Literal["block", "permit", "callout-terminating", "callout-inspection", "callout-unknown"]

VALUE_TYPES: Final[dict[int, str]] = {
    0: "EMPTY",
    1: "UINT8",
    2: "UINT16",
    3: "UINT32",
    4: "UINT64",
    11: "BYTE_ARRAY16_TYPE",
    12: "BYTE_BLOB_TYPE",
    13: "SID",
    14: "SECURITY_DESCRIPTOR_TYPE",
    15: "TOKEN_INFORMATION_TYPE",
    16: "TOKEN_ACCESS_INFORMATION_TYPE",
    17: "UNICODE_STRING_TYPE",
    18: "BYTE_ARRAY6_TYPE",
    256: "V4_ADDR_MASK",
    257: "V6_ADDR_MASK",
    258: "RANGE_TYPE",
}

MATCH_TYPES: Final[tuple[str, ...]] = (
    "EQUAL",
    "GREATER",
    "LESS",
    "GREATER_OR_EQUAL",
    "LESS_OR_EQUAL",
    "RANGE",
    "FLAGS_ALL_SET",
    "FLAGS_ANY_SET",
    "FLAGS_NONE_SET",
    "EQUAL_CASE_INSENSITIVE",
    "NOT_EQUAL",
    "PREFIX",
    "NOT_PREFIX",
)
MATCH_WORDS: Final[dict[str, str]] = {
    "EQUAL": "is",
    "GREATER": "is greater than",
    "LESS": "is less than",
    "GREATER_OR_EQUAL": "is at least",
    "LESS_OR_EQUAL": "is at most",
    "RANGE": "is in",
    "FLAGS_ALL_SET": "has all of",
    "FLAGS_ANY_SET": "has any of",
    "FLAGS_NONE_SET": "has none of",
    "EQUAL_CASE_INSENSITIVE": "is (any case)",
    "NOT_EQUAL": "is not",
    "PREFIX": "ends with",  # what the name says is not what it does ([SDK] FWP_MATCH_TYPE)
    "NOT_PREFIX": "does not end with",
}

# Symbol without FWP_ACTION_ -> word of the contract. Others are kept as printed.
ACTIONS: Final[dict[str, FilterAction]] = {
    "BLOCK": "block",
    "PERMIT": "permit",
    "CALLOUT_TERMINATING": "callout-terminating",
    "CALLOUT_INSPECTION": "callout-inspection",
    "CALLOUT_UNKNOWN": "callout-unknown",
}
ACTION_NUMBERS: Final[dict[int, str]] = {
    0x1001: "BLOCK",
    0x1002: "PERMIT",
    0x5003: "CALLOUT_TERMINATING",
    0x6004: "CALLOUT_INSPECTION",
    0x4005: "CALLOUT_UNKNOWN",
    0x2006: "CONTINUE",
    7: "NONE",
    8: "NONE_NO_MATCH",
}
# Actions that can end in a block: a block, and callouts that decide for themselves.
CAN_BLOCK: Final = frozenset({"block", "callout-terminating", "callout-unknown"})
CALLOUTS: Final = frozenset({"callout-terminating", "callout-inspection", "callout-unknown"})

PROFILES: Final[dict[int, str]] = {0: "none", 1: "public", 2: "private", 3: "domain"}

INTERFACE_TYPES: Final[dict[int, str]] = {
    1: "other",
    6: "Ethernet",
    9: "token ring",
    23: "PPP",
    24: "loopback",
    37: "ATM",
    71: "Wi-Fi",
    131: "tunnel",
    144: "IEEE 1394",
    237: "WiMAX",
    243: "mobile broadband (GSM)",
    244: "mobile broadband (CDMA)",
}
TUNNEL_TYPES: Final[dict[int, str]] = {
    0: "none",
    1: "other",
    2: "direct",
    11: "6to4",
    13: "ISATAP",
    14: "Teredo",
    15: "IP-HTTPS",
}
ADDRESS_TYPES: Final[dict[int, str]] = {
    0: "unspecified",
    1: "unicast",
    2: "anycast",
    3: "multicast",
    4: "broadcast",
    5: "invalid",
}
# FWPM_CONDITION_DIRECTION
DIRECTIONS: Final[dict[int, str]] = {0: "outbound", 1: "inbound"}

# Field -> names of its numbers.
NUMBER_WORDS: Final[dict[str, dict[int, str]]] = {
    "ORIGINAL_PROFILE_ID": PROFILES,
    "CURRENT_PROFILE_ID": PROFILES,
    "LOCAL_INTERFACE_PROFILE_ID": PROFILES,
    "ARRIVAL_INTERFACE_PROFILE_ID": PROFILES,
    "NEXTHOP_INTERFACE_PROFILE_ID": PROFILES,
    "ARRIVAL_INTERFACE_TYPE": INTERFACE_TYPES,
    "NEXTHOP_INTERFACE_TYPE": INTERFACE_TYPES,
    "LOCAL_INTERFACE_TYPE": INTERFACE_TYPES,
    "ARRIVAL_TUNNEL_TYPE": TUNNEL_TYPES,
    "NEXTHOP_TUNNEL_TYPE": TUNNEL_TYPES,
    "IP_LOCAL_ADDRESS_TYPE": ADDRESS_TYPES,
    "IP_DESTINATION_ADDRESS_TYPE": ADDRESS_TYPES,
    "DIRECTION": DIRECTIONS,
}


def canonical_action(text: str) -> str:
    """Return the contract's word for an action type, or the text as printed where there is none."""
    value = text.strip()
    word = ACTIONS.get(value.upper().removeprefix(ACTION_PREFIX))
    return word if word is not None else value


def number_words(field: str, value: int) -> str | None:
    """Return the word for a number of this field (profile 1: ``public``), or None."""
    return NUMBER_WORDS.get(field, {}).get(value)
