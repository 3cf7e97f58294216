"""Flags of filters and of the FLAGS condition.

Source: REFERENCE 4.2 (``fwpmtypes.h``, NtObjectManager). The number of HAS_FILTER_ORIGIN is not known; dumps print
its name.
"""

from __future__ import annotations

from typing import Final

FILTER_PREFIX: Final = "FWPM_FILTER_FLAG_"

FILTER_FLAGS: Final[dict[int, str]] = {
    0x1: "PERSISTENT",
    0x2: "BOOTTIME",
    0x4: "HAS_PROVIDER_CONTEXT",
    0x8: "CLEAR_ACTION_RIGHT",
    0x10: "PERMIT_IF_CALLOUT_UNREGISTERED",
    0x20: "DISABLED",
    0x40: "INDEXED",
    0x80: "HAS_SECURITY_REALM_PROVIDER_CONTEXT",
    0x100: "SYSTEMOS_ONLY",
    0x200: "GAMEOS_ONLY",
    0x400: "SILENT_MODE",
    0x800: "IPSEC_NO_ACQUIRE_INITIATE",
}
HAS_FILTER_ORIGIN: Final = "HAS_FILTER_ORIGIN"

CONDITION_FLAGS: Final[dict[int, str]] = {
    0x1: "LOOPBACK",
    0x2: "IPSEC_SECURED",
    0x4: "REAUTHORIZE",
    0x8: "WILDCARD_BIND",
    0x10: "RAW_ENDPOINT",
    0x20: "FRAGMENT",
    0x40: "FRAGMENT_GROUP",
    0x80: "IPSEC_NATT_RECLASSIFY",
    0x100: "REQUIRES_ALE_CLASSIFY",
    0x200: "IMPLICIT_BIND",
    0x400: "REASSEMBLED",
    0x4000: "NAME_APP_SPECIFIED",
    0x8000: "PROMISCUOUS",
    0x10000: "AUTH_FW",
    0x20000: "RECLASSIFY",
    0x40000: "OUTBOUND_PASS_THRU",
    0x80000: "INBOUND_PASS_THRU",
    0x100000: "CONNECTION_REDIRECTED",
    0x200000: "PROXY_CONNECTION",
    0x400000: "APPCONTAINER_LOOPBACK",
    0x800000: "NON_APPCONTAINER_LOOPBACK",
    0x1000000: "RESERVED",
    0x2000000: "HONORING_POLICY_AUTHORIZE",
}
LOOPBACK: Final = 0x1

CONDITION_FLAG_WORDS: Final[dict[str, str]] = {
    "LOOPBACK": "loopback",
    "IPSEC_SECURED": "secured by IPsec",
    "REAUTHORIZE": "re-check of an existing connection",
    "WILDCARD_BIND": "bound to any address",
    "RAW_ENDPOINT": "raw socket",
    "FRAGMENT": "fragment",
    "IMPLICIT_BIND": "implicit bind",
    "APPCONTAINER_LOOPBACK": "loopback of an app container",
    "NON_APPCONTAINER_LOOPBACK": "loopback outside app containers",
    "OUTBOUND_PASS_THRU": "outbound pass-through",
    "INBOUND_PASS_THRU": "inbound pass-through",
}


def flag_names(value: int, table: dict[int, str]) -> tuple[str, ...]:
    """Return the names of the bits that are set, lowest first; bits without a name as hex."""
    names = tuple(name for bit, name in sorted(table.items()) if value & bit)
    rest = value & ~sum(table)
    return (*names, f"0x{rest:X}") if rest else names


def condition_flag_words(value: int) -> str:
    """Return words for the bits of a FLAGS condition: ``loopback, raw socket``."""
    return ", ".join(CONDITION_FLAG_WORDS.get(name, name) for name in flag_names(value, CONDITION_FLAGS))
