"""Services: the SID of a name, the name of a SID, and the services known for failing behind a service rule.

Sources: REFERENCE 5.1 (the computation, checked against 461 pairs), 5.3 (hardened services, four dumps), 5.4 and 12
(services known for trouble); names from ``service-names.txt`` beside this module.

Tags of ``service-names.txt``: L a Windows 11 25H2 service list, W winutil's tweaks, M WindowsFirewallRuleset's rules,
X documented Windows services added by hand, P third-party or update helpers, D its SID occurs in a real state, v also
listed by volatility3 with the same SID.
"""

from __future__ import annotations

import hashlib
import re
import struct
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL_SERVICES_SID: Final = "S-1-5-80-0"
_PER_USER: Final = re.compile(r"(?<=.)_[0-9a-f]{3,16}$", re.IGNORECASE)


class TroubleService(NamedTuple):
    """A service that was reported to be blocked although an allow rule names it.

    ``ports`` are remote TCP ports, empty where none is reported. ``remedy_sids`` are the accounts that an
    additional rule has to allow, empty where no source names them. ``account`` is the service's own account.
    """

    name: str
    display_name: str
    ports: tuple[int, ...]
    evidence: Literal["seed", "report"]
    source: str
    remedy_sids: tuple[str, ...] = ()
    account: str | None = None
    remark: str | None = None


_INTERACTIVE: Final = "S-1-5-4"
_SYSTEM: Final = "S-1-5-18"
_LOCAL_SERVICE: Final = "S-1-5-19"
_NETWORK_SERVICE: Final = "S-1-5-20"

SERVICES_KNOWN_FOR_TROUBLE: Final[tuple[TroubleService, ...]] = (
    TroubleService(
        "CryptSvc",
        "Cryptographic Services",
        (80, 443),
        "seed",
        "WindowsFirewallRuleset, problematic traffic, case 1",
        (_SYSTEM,),
        remark="the remedy's author notes that it did not help this service",
    ),
    TroubleService(
        "wlidsvc",
        "Microsoft Account Sign-in Assistant",
        (443,),
        "seed",
        "WindowsFirewallRuleset, problematic traffic, case 1",
        (_NETWORK_SERVICE, _LOCAL_SERVICE),
    ),
    TroubleService(
        "wuauserv",
        "Windows Update",
        (443,),
        "seed",
        "WindowsFirewallRuleset, problematic traffic, case 1; simplewall #677",
        (_INTERACTIVE,),
        remark="one later report says that it passes since an update of the 20H2 era",
    ),
    TroubleService(
        "BITS",
        "Background Intelligent Transfer Service",
        (80, 443),
        "seed",
        "WindowsFirewallRuleset, problematic traffic, case 1; documented: runs as the owner of the job",
        (_INTERACTIVE, _SYSTEM),
    ),
    TroubleService(
        "DoSvc",
        "Delivery Optimization",
        (),
        "report",
        "simplewall #1127; measured on 25H2: its refused connections carry the interactive user's SID",
        (_INTERACTIVE,),
        account=_NETWORK_SERVICE,
    ),
    TroubleService("DsmSvc", "Device Setup Manager", (), "report", "simplewall #1127"),
    TroubleService("WpnService", "Windows Push Notifications System Service", (), "report", "simplewall #1127"),
    TroubleService("UsoSvc", "Update Orchestrator Service", (), "report", "simplewall #1127"),
)
TROUBLE_BY_NAME: Final[dict[str, TroubleService]] = {item.name.lower(): item for item in SERVICES_KNOWN_FOR_TROUBLE}

# The accounts of the seed's remedy as a whole: interactive users and the three service accounts.
REMEDY_SIDS: Final[tuple[str, ...]] = (_INTERACTIVE, _SYSTEM, _LOCAL_SERVICE, _NETWORK_SERVICE)

# Services that need a hardening permit besides a firewall permit (REFERENCE 5.3); `*` ends a family of names.
HARDENED: Final[tuple[str, ...]] = (
    "AssignedAccessManagerSvc",
    "AudioEndpointBuilder",
    "AudioSrv",
    "AxInstSV",
    "BFE",
    "CDPSvc",
    "CscService",
    "DPS",
    "Dhcp",
    "DisplayEnhancementService",
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
    "clr_optimization_*",
    "dot3svc",
    "eventlog",
    "fdphost",
    "fhsvc",
    "hidserv",
    "lmhosts",
    "mpssvc",
    "vds",
    "vmic*",
    "vmms",
    "wbengine",
    "webthreatdefsvc",
    "wlpasvc",
    "wscsvc",
)
HARDENED_INBOUND_ONLY: Final = frozenset({"displayenhancementservice", "vds"})
_HARDENED_NAMES: Final = frozenset(name.lower() for name in HARDENED if not name.endswith("*"))
_HARDENED_STARTS: Final = tuple(name[:-1].lower() for name in HARDENED if name.endswith("*"))


def service_sid(name: str) -> str:
    """Compute the SID of a service from its short name (not its display name), in any case."""
    digest = hashlib.sha1(name.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(str(part) for part in struct.unpack("<5I", digest))


@cache
def service_names() -> dict[str, str]:
    """Return the known service short names with their source tags, in the spelling of the list."""
    text = resources.files("analyzer.wfp").joinpath("service-names.txt").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {row[0]: row[1] if len(row) > 1 else "" for row in rows}


@cache
def _names_by_sid() -> dict[str, str]:
    return {service_sid(name): name for name in service_names()}


def service_name(sid: str, more: Mapping[str, str] | None = None) -> str | None:
    """Return the short name behind a service SID, or None where no known name gives it.

    ``more`` are further names by SID, as lists of services tell them.
    """
    found = sid.strip().upper()
    return _names_by_sid().get(found) or (more or {}).get(found)


def template_name(name: str) -> str:
    """Return a per-user service's template name: ``WpnUserService`` for ``WpnUserService_1a2b3``.

    The instance has another SID than its template; names that are known as they stand keep their ending.
    """
    if name.lower() in {item.lower() for item in service_names()}:
        return name
    return _PER_USER.sub("", name)


def is_hardened(name: str) -> bool:
    """Tell whether a service was in the hardening block list of the dumps seen."""
    lower = name.lower()
    return lower in _HARDENED_NAMES or lower.startswith(_HARDENED_STARTS)


def trouble_service(name: str) -> TroubleService | None:
    """Return what is known about a service that fails behind service rules, by short name in any case."""
    return TROUBLE_BY_NAME.get(name.lower())


# Per-user services (REFERENCE 5.1): each session has an instance of its own that runs as that user.
_PER_USER_ENDINGS: Final = ("usersvc", "userservice")
_PER_USER_NAMES: Final = frozenset({"onesyncsvc", "cbdhsvc", "aarsvc", "pimindexmaintenancesvc", "unistoresvc"})
# Measured with net events: these connect with their own account, and their service rules match (REFERENCE 12).
_OWN_TOKEN: Final = frozenset({"w32time"})


def runs_as_user(name: str) -> bool:
    """Tell a per-user service, by its template's or its instance's name."""
    template = template_name(name).lower()
    return template != name.lower() or template.endswith(_PER_USER_ENDINGS) or template in _PER_USER_NAMES


def uses_own_token(name: str) -> bool:
    """Tell a service that was measured to connect with its own account."""
    return name.lower() in _OWN_TOKEN


# How the service manager names the three service accounts (Win32_Service StartName); localized spellings are not known.
_ACCOUNTS: Final[dict[str, str]] = {
    "localsystem": _SYSTEM,
    ".\\localsystem": _SYSTEM,
    "nt authority\\system": _SYSTEM,
    "nt authority\\localsystem": _SYSTEM,
    "nt authority\\localservice": _LOCAL_SERVICE,
    "nt authority\\networkservice": _NETWORK_SERVICE,
}
_VIRTUAL: Final = "nt service\\"  # a virtual account: its SID is the service's own
_SID: Final = re.compile(r"S-1-\d+(?:-\d+){1,15}")


def account_sid(account: str) -> str | None:
    """Return the SID of the account that a list of services names, or None where the name does not tell it."""
    lower = account.strip().lower()
    if lower.startswith(_VIRTUAL):
        return service_sid(lower.removeprefix(_VIRTUAL)) if len(lower) > len(_VIRTUAL) else None
    if _SID.fullmatch(account.strip().upper()):
        return account.strip().upper()
    return _ACCOUNTS.get(lower.replace(" ", "").replace("ntauthority", "nt authority"))


def is_user_account(account: str) -> bool:
    r"""Tell an account of a machine or domain for sure: ``.\name``, ``name@domain``, a user's SID.

    ``DOMAIN\name`` may be a service account whose name is localized.
    """
    text = account.strip()
    if text.lower() in _ACCOUNTS:
        return False
    return text.startswith(".\\") or "@" in text or text.upper().startswith(("S-1-5-21-", "S-1-12-1-"))
