"""Service SIDs by computation, and the services that Windows hardens."""

from __future__ import annotations

import hashlib
import struct
from typing import Final


def service_sid(name: str) -> str:
    """Return the service SID: SHA-1 of the upper-case short name in UTF-16LE as five 32-bit numbers."""
    digest = hashlib.sha1(name.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(str(n) for n in struct.unpack("<5I", digest))


# REFERENCE 5.3: services that need a hardening permit as well as a firewall permit.
HARDENED: Final = [
    "AssignedAccessManagerSvc",
    "AudioEndpointBuilder",
    "AudioSrv",
    "AxInstSV",
    "BFE",
    "CDPSvc",
    "CscService",
    "DPS",
    "Dhcp",
    "DmEnrollmentSvc",
    "Netman",
    "PcaSvc",
    "PeerDistSvc",
    "PerfHost",
    "PolicyAgent",
    "SNMPTrap",
    "SysMain",
    "TextInputManagementService",
    "TrkWks",
    "UmRdpService",
    "WPDBusEnum",
    "WSearch",
    "Wcmsvc",
    "WdiSystemHost",
    "WerSvc",
    "WinDefend",
    "WinHttpAutoProxySvc",
    "Wlansvc",
    "WwanSvc",
    "cloudidsvc",
    "dot3svc",
    "eventlog",
    "fdphost",
    "fhsvc",
    "hidserv",
    "lmhosts",
    "mpssvc",
    "vmms",
    "wbengine",
    "webthreatdefsvc",
    "wlpasvc",
    "wscsvc",
]


def permit_sddl(service: str) -> str:
    """Return the descriptor of a firewall rule that is limited to one service."""
    return f"O:SYG:SYD:(A;;CCRC;;;{service_sid(service)})"


def hardening_sddl() -> str:
    """Return the descriptor of the default blocks of service hardening."""
    return "D:" + "".join(f"(A;NP;CC;;;{service_sid(name)})" for name in HARDENED) + "S:NO_ACCESS_CONTROL"
