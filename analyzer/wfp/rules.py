"""Firewall rules: stores, the words and numbers of their fields, and why a rule may be in force nowhere.

Sources: [MS-GPFAS] 2.2.2.19 (grammar of the registry's rules) and 2.2.3 (settings of a profile), [MS-FASP] 2.2.2
(profiles) and 2.2.38, the WMI class MSFT_NetFirewallRule (numbers of PowerShell's export), REFERENCE 5.3 (where
hardening rules live) and 12 (rules that are not merged). Names of PowerShell's enforcement states come in two
spellings, the class's and the cmdlet's; both are here.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from analyzer.wfp.protocols import PROTOCOLS

Store = Literal["local", "group-policy", "mdm", "static-hardening", "configurable-hardening", "app-isolation"]

# Store -> words for people.
STORES: Final[dict[str, str]] = {
    "local": "a rule of this computer",
    "group-policy": "a rule of Group Policy",
    "mdm": "a rule of device management (MDM)",
    "static-hardening": "a hardening rule that Windows ships",
    "configurable-hardening": "a hardening rule that a service brought",
    "app-isolation": "a rule of an app package",
    "dynamic": "a rule that lives until the firewall service stops",
    "generated": "a rule that Windows generates",
    "hardcoded": "a rule that is built into Windows",
}
HARDENING: Final = frozenset({"static-hardening", "configurable-hardening"})

# Parts of a rule that an export may tell or not.
PARTS: Final = ("port", "address", "application", "service", "interface", "interface-type", "security")

PROFILES: Final = ("domain", "private", "public")
PROFILE_BITS: Final[dict[int, str]] = {1: "domain", 2: "private", 4: "public"}
# Registry key -> profile; StandardProfile is the private one ([MS-GPFAS] 2.2.3, older policies use it for both).
PROFILE_KEYS: Final[dict[str, str]] = {
    "domainprofile": "domain",
    "standardprofile": "private",
    "privateprofile": "private",
    "publicprofile": "public",
}

ACTIONS: Final[dict[str, str]] = {
    "allow": "allow",
    "block": "block",
    "bypass": "bypass",
    "allowbypass": "bypass",
    "2": "allow",
    "3": "bypass",
    "4": "block",
}
DIRECTIONS: Final[dict[str, str]] = {
    "in": "inbound",
    "out": "outbound",
    "inbound": "inbound",
    "outbound": "outbound",
    "1": "inbound",
    "2": "outbound",
}
EDGES: Final[dict[str, str]] = {
    "block": "block",
    "allow": "allow",
    "defertouser": "defer-user",
    "defertoapp": "defer-app",
    "0": "block",
    "1": "allow",
    "2": "defer-user",
    "3": "defer-app",
}
ENABLED: Final[dict[str, bool]] = {"true": True, "false": False, "1": True, "2": False}
# GpoBoolean of Get-NetFirewallProfile; 2 is "not configured".
SWITCHES: Final[dict[str, bool]] = {"true": True, "false": False, "1": True, "0": False}
STORE_NAMES: Final[dict[str, str]] = {  # PolicyStoreSource, not localized
    "persistentstore": "local",
    "staticservicestore": "static-hardening",
    "configurableservicestore": "configurable-hardening",
}
STORE_TYPES: Final[dict[str, str]] = {  # PolicyStoreSourceType
    "local": "local",
    "grouppolicy": "group-policy",
    "mdm": "mdm",
    "dynamic": "dynamic",
    "generated": "generated",
    "hardcoded": "hardcoded",
    "1": "local",
    "2": "group-policy",
    "3": "dynamic",
    "4": "generated",
    "5": "hardcoded",
}

# MSFT_NetFirewallRule.EnforcementStatus
ENFORCEMENT: Final[tuple[str, ...]] = (
    "Invalid",
    "Full",
    "FirewallOffInProfile",
    "CategoryOff",
    "DisabledObject",
    "InactiveProfile",
    "LocalAddressResolutionEmpty",
    "RemoteAddressResolutionEmpty",
    "LocalPortResolutionEmpty",
    "RemotePortResolutionEmpty",
    "InterfaceResolutionEmpty",
    "ApplicationResolutionEmpty",
    "RemoteMachineEmpty",
    "RemoteUserEmpty",
    "LocalGlobalOpenPortsDisallowed",
    "LocalAuthorizedApplicationsDisallowed",
    "LocalFirewallRulesDisallowed",
    "LocalConsecRulesDisallowed",
    "NotTargetPlatform",
    "OptimizedOut",
    "LocalUserEmpty",
    "TransportMachinesEmpty",
    "TunnelMachinesEmpty",
    "TupleResolutionEmpty",
)

Reason = Literal[
    "plumbed",
    "disabled",
    "not-applied",
    "not-merged",
    "other-profile",
    "firewall-off",
    "permitting-default",
    "unresolved",
]

# Enforcement states that give the reason, in lower case. States of an empty resolution are "not-applied".
ENFORCEMENT_REASONS: Final[dict[str, Reason]] = {
    "full": "plumbed",
    "enforced": "plumbed",
    "firewalloffinprofile": "firewall-off",
    "categoryoff": "firewall-off",
    "disabledobject": "disabled",
    "disabled": "disabled",
    "inactiveprofile": "other-profile",
    "profileinactive": "other-profile",
    "localfirewallrulesdisallowed": "not-merged",
    "localglobalopenportsdisallowed": "not-merged",
    "localauthorizedapplicationsdisallowed": "not-merged",
    "nottargetplatform": "not-applied",
}
_EMPTY: Final = re.compile(r"\w+(?:ResolutionEmpty|UserEmpty|MachineEmpty|MachinesEmpty)|No\w+", re.IGNORECASE)


def enforcement_reason(state: str) -> Reason | None:
    """Return the reason that an enforcement state of PowerShell gives, or None where it gives none."""
    found = ENFORCEMENT_REASONS.get(state.lower())
    if found is None and _EMPTY.fullmatch(state) and state.lower() not in ("notapplicable", "none"):
        return "not-applied"
    return found


_PROTOCOL_NAMES: Final[dict[str, int]] = {
    **{name.lower(): number for number, name in PROTOCOLS.items()},
    "icmpv4": 1,
    "icmp": 1,
    "icmpv6": 58,
}


def protocol_number(text: str) -> int | None:
    """Return the number of a protocol that PowerShell names or numbers, or None (also for ``Any``)."""
    value = text.strip().lower()
    if value.isascii() and value.isdecimal() and len(value) <= 3:
        number = int(value)
        return number if number < 256 else None  # 256 is any
    return _PROTOCOL_NAMES.get(value)


_MASK: Final = re.compile(r"[0-9]{1,10}")


def profiles(text: str) -> tuple[str, ...] | None:
    """Return the profiles that PowerShell writes as ``Any``, ``Domain, Private`` or bits; None where unknown."""
    value = text.strip().lower()
    if value in ("any", "all"):
        return PROFILES
    if _MASK.fullmatch(value):
        bits = int(value)
        found = tuple(name for bit, name in PROFILE_BITS.items() if bits & bit)
        return PROFILES if bits == 0 else found or None
    words = {word for word in re.split(r"[,\s|]+", value) if word}
    return tuple(name for name in PROFILES if name in words) if words and words <= set(PROFILES) else None
