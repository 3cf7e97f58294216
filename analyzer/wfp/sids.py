"""Well-known SIDs, SDDL's two-letter aliases, and what family a SID belongs to.

Sources: REFERENCE Appendix D; Microsoft's "Well-known SIDs" and "SID Strings" pages for the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from analyzer.wfp import services

if TYPE_CHECKING:
    from collections.abc import Mapping

SidFamily = Literal["service", "task", "app-pool", "package", "capability", "user", "well-known", "other"]

SID_TEXT: Final = re.compile(r"S-1-(?:\d+|0x[0-9a-fA-F]+)(?:-\d+){0,15}", re.IGNORECASE)

NULL_SID: Final = "S-1-0-0"
EVERYONE: Final = "S-1-1-0"
INTERACTIVE: Final = "S-1-5-4"
SYSTEM: Final = "S-1-5-18"
LOCAL_SERVICE: Final = "S-1-5-19"
NETWORK_SERVICE: Final = "S-1-5-20"
ALL_PACKAGES: Final = "S-1-15-2-1"
SERVICE_ACCOUNTS: Final = frozenset({SYSTEM, LOCAL_SERVICE, NETWORK_SERVICE})

WELL_KNOWN: Final[dict[str, str]] = {
    "S-1-0-0": "nobody (null SID)",
    "S-1-1-0": "Everyone",
    "S-1-2-0": "local logons",
    "S-1-2-1": "console logons",
    "S-1-3-0": "creator owner",
    "S-1-3-1": "creator group",
    "S-1-3-4": "owner rights",
    "S-1-5-1": "dial-up logons",
    "S-1-5-2": "network logons",
    "S-1-5-3": "batch logons",
    "S-1-5-4": "interactive users",
    "S-1-5-6": "service logons",
    "S-1-5-7": "anonymous",
    "S-1-5-9": "domain controllers",
    "S-1-5-10": "self",
    "S-1-5-11": "authenticated users",
    "S-1-5-12": "restricted code",
    "S-1-5-13": "terminal server users",
    "S-1-5-14": "remote interactive logons",
    "S-1-5-15": "this organization",
    "S-1-5-17": "IUSR",
    "S-1-5-18": "SYSTEM",
    "S-1-5-19": "LOCAL SERVICE",
    "S-1-5-20": "NETWORK SERVICE",
    "S-1-5-33": "write restricted",
    "S-1-5-80-0": "all services",
    "S-1-5-113": "local accounts",
    "S-1-5-114": "local accounts that are administrators",
    "S-1-5-84-0-0-0-0-0": "user-mode drivers",
    "S-1-5-32-544": "Administrators",
    "S-1-5-32-545": "Users",
    "S-1-5-32-546": "Guests",
    "S-1-5-32-547": "Power Users",
    "S-1-5-32-548": "Account Operators",
    "S-1-5-32-549": "Server Operators",
    "S-1-5-32-550": "Print Operators",
    "S-1-5-32-551": "Backup Operators",
    "S-1-5-32-552": "Replicators",
    "S-1-5-32-554": "Pre-Windows 2000 Compatible Access",
    "S-1-5-32-555": "Remote Desktop Users",
    "S-1-5-32-556": "Network Configuration Operators",
    "S-1-5-32-558": "Performance Monitor Users",
    "S-1-5-32-559": "Performance Log Users",
    "S-1-5-32-562": "Distributed COM Users",
    "S-1-5-32-568": "IIS_IUSRS",
    "S-1-5-32-569": "Cryptographic Operators",
    "S-1-5-32-573": "Event Log Readers",
    "S-1-5-32-574": "Certificate Service DCOM Access",
    "S-1-5-32-575": "RDS Remote Access Servers",
    "S-1-5-32-576": "RDS Endpoint Servers",
    "S-1-5-32-577": "RDS Management Servers",
    "S-1-5-32-578": "Hyper-V Administrators",
    "S-1-5-32-579": "Access Control Assistance Operators",
    "S-1-5-32-580": "Remote Management Users",
    "S-1-15-2-1": "all app packages",
    "S-1-15-2-2": "all restricted app packages",
    "S-1-15-3-1": "capability internetClient",
    "S-1-15-3-2": "capability internetClientServer",
    "S-1-15-3-3": "capability privateNetworkClientServer",
    "S-1-15-3-4": "capability picturesLibrary",
    "S-1-15-3-5": "capability videosLibrary",
    "S-1-15-3-6": "capability musicLibrary",
    "S-1-15-3-7": "capability documentsLibrary",
    "S-1-15-3-8": "capability enterpriseAuthentication",
    "S-1-15-3-9": "capability sharedUserCertificates",
    "S-1-15-3-10": "capability removableStorage",
    "S-1-15-3-11": "capability appointments",
    "S-1-15-3-12": "capability contacts",
    "S-1-16-4096": "low integrity",
    "S-1-16-8192": "medium integrity",
    "S-1-16-8448": "medium plus integrity",
    "S-1-16-12288": "high integrity",
    "S-1-16-16384": "system integrity",
    "S-1-18-1": "authentication authority asserted identity",
    "S-1-18-2": "service asserted identity",
}

ALIASES: Final[dict[str, str]] = {
    "AA": "S-1-5-32-579",
    "AC": "S-1-15-2-1",
    "AN": "S-1-5-7",
    "AO": "S-1-5-32-548",
    "AS": "S-1-18-1",
    "AU": "S-1-5-11",
    "BA": "S-1-5-32-544",
    "BG": "S-1-5-32-546",
    "BO": "S-1-5-32-551",
    "BU": "S-1-5-32-545",
    "CD": "S-1-5-32-574",
    "CG": "S-1-3-1",
    "CO": "S-1-3-0",
    "CY": "S-1-5-32-569",
    "ED": "S-1-5-9",
    "ER": "S-1-5-32-573",
    "ES": "S-1-5-32-576",
    "HA": "S-1-5-32-578",
    "HI": "S-1-16-12288",
    "IS": "S-1-5-32-568",
    "IU": "S-1-5-4",
    "LS": "S-1-5-19",
    "LU": "S-1-5-32-559",
    "LW": "S-1-16-4096",
    "ME": "S-1-16-8192",
    "MP": "S-1-16-8448",
    "MS": "S-1-5-32-577",
    "MU": "S-1-5-32-558",
    "NO": "S-1-5-32-556",
    "NS": "S-1-5-20",
    "NU": "S-1-5-2",
    "OW": "S-1-3-4",
    "PO": "S-1-5-32-550",
    "PS": "S-1-5-10",
    "PU": "S-1-5-32-547",
    "RA": "S-1-5-32-575",
    "RC": "S-1-5-12",
    "RD": "S-1-5-32-555",
    "RE": "S-1-5-32-552",
    "RM": "S-1-5-32-580",
    "RU": "S-1-5-32-554",
    "SI": "S-1-16-16384",
    "SO": "S-1-5-32-549",
    "SS": "S-1-18-2",
    "SU": "S-1-5-6",
    "SY": "S-1-5-18",
    "UD": "S-1-5-84-0-0-0-0-0",
    "WD": "S-1-1-0",
    "WR": "S-1-5-33",
}

# Aliases of accounts and groups of one machine or domain: only the last number of the SID is known from the alias.
RELATIVE_ALIASES: Final[dict[str, tuple[int, str]]] = {
    "AP": (525, "protected users"),
    "CA": (517, "certificate publishers"),
    "CN": (522, "clonable domain controllers"),
    "DA": (512, "domain administrators"),
    "DC": (515, "domain computers"),
    "DD": (516, "domain controllers"),
    "DG": (514, "domain guests"),
    "DU": (513, "domain users"),
    "EA": (519, "enterprise administrators"),
    "EK": (527, "enterprise key administrators"),
    "KA": (526, "key administrators"),
    "LA": (500, "the built-in administrator account"),
    "LG": (501, "the built-in guest account"),
    "PA": (520, "group policy administrators"),
    "RO": (498, "enterprise read-only domain controllers"),
    "RS": (553, "RAS servers"),
    "SA": (518, "schema administrators"),
}

_FAMILIES: Final[tuple[tuple[str, SidFamily], ...]] = (
    ("S-1-5-80-", "service"),
    ("S-1-5-82-", "app-pool"),
    ("S-1-5-87-", "task"),
    ("S-1-15-2-", "package"),
    ("S-1-15-3-", "capability"),
    ("S-1-5-21-", "user"),
    ("S-1-12-1-", "user"),
)


def canonical_sid(text: str) -> str:
    """Return the full SID for a SID or a two-letter alias; a relative or unknown alias is returned upper case."""
    value = text.strip().upper()
    return ALIASES.get(value, value)


def is_sid(text: str) -> bool:
    """Tell whether the text is a full SID."""
    return SID_TEXT.fullmatch(text.strip()) is not None


def sid_family(sid: str) -> SidFamily:
    """Return what a SID stands for. ``user`` is an account or group of a machine or domain."""
    value = canonical_sid(sid)
    for start, name in _FAMILIES:
        if value.startswith(start):
            return name
    if value in WELL_KNOWN:
        return "well-known"
    return "user" if value in RELATIVE_ALIASES else "other"


def is_service_sid(sid: str) -> bool:
    """Tell whether a SID is the one of a service (not the group of all services)."""
    value = canonical_sid(sid)
    return value.startswith("S-1-5-80-") and value != services.ALL_SERVICES_SID


def sid_words(sid: str, names: Mapping[str, str] | None = None) -> str:
    """Return words for a SID: ``service BITS``, ``interactive users``, ``app package S-1-15-2-…``, or the SID.

    ``names`` are further names of services by SID, as lists of services tell them.
    """
    value = canonical_sid(sid)
    if value in WELL_KNOWN:
        return WELL_KNOWN[value]
    if value in RELATIVE_ALIASES:
        return RELATIVE_ALIASES[value][1]
    family = sid_family(value)
    if family == "service":
        name = services.service_name(value, names)
        return f"service {name}" if name is not None else f"a service whose name is not known ({value})"
    nouns = {
        "package": "app package",
        "capability": "capability",
        "user": "account",
        "task": "task",
        "app-pool": "IIS pool",
    }
    return f"{nouns[family]} {value}" if family in nouns else value
