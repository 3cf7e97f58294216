"""The shapes of filters that can block: what is looked at, and the table of what each shape means.

The table is read from top to bottom, each row names its source. It decides without reading a display name; English
names come last, as hints, in a table of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.wfp import layers, providers, sublayers

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.model import Kind

SERVICE_SID: Final = "S-1-5-80-"
PACKAGE_SIDS: Final = ("S-1-15-2-", "S-1-15-3-")
PROFILE_FIELDS: Final = frozenset(
    {
        "ORIGINAL_PROFILE_ID",
        "CURRENT_PROFILE_ID",
        "ARRIVAL_INTERFACE_PROFILE_ID",
        "NEXTHOP_INTERFACE_PROFILE_ID",
    }
)
DEFAULT_WEIGHTS: Final = frozenset({3, 8})
BLOCK_RULE_WEIGHT: Final = 10


@dataclass(frozen=True, slots=True)
class Shape:
    """What the rules look at in one filter."""

    key: str
    name: str
    provider: str
    sublayer: str
    layer: str
    action: str
    flags: frozenset[str]
    weight_type: str
    weight: int | None
    fields: frozenset[str]
    user_sids: frozenset[str]
    package_not_null: bool
    loopback: bool
    product: str | None
    callout: str

    @property
    def stem(self) -> str:
        """Return the layer without family and discard endings."""
        return layers.stem(self.layer)

    @property
    def is_callout(self) -> bool:
        """Tell whether a callout decides."""
        return self.action.startswith("callout-")

    @property
    def firewall(self) -> bool:
        """Tell a provider of the Windows Firewall service."""
        return self.provider in providers.FIREWALL_KEYS

    @property
    def names_services(self) -> bool:
        """Tell a user-id condition that names service SIDs."""
        return any(sid.startswith(SERVICE_SID) for sid in self.user_sids)

    @property
    def names_packages(self) -> bool:
        """Tell a user-id condition that names app packages or capabilities."""
        return any(sid.startswith(PACKAGE_SIDS) for sid in self.user_sids)

    @property
    def only_profiles(self) -> bool:
        """Tell a filter without conditions, or with conditions on the network profile alone."""
        return self.fields <= PROFILE_FIELDS

    @property
    def default_weight(self) -> bool:
        """Tell the weights of the firewall's own defaults."""
        return self.weight_type == "UINT8" and self.weight in DEFAULT_WEIGHTS


class Rule(NamedTuple):
    """One row of the table."""

    kind: Kind
    source: str
    why: str
    test: Callable[[Shape], bool]


SHAPES: Final[tuple[Rule, ...]] = (
    Rule(
        "third-party",
        "REFERENCE 3.1",
        "provider or its service is a product that is not Windows' own",
        lambda s: s.product is not None,
    ),
    Rule(
        "quarantine",
        "REFERENCE 3.4 row 1",
        "the firewall's quarantine sublayer",
        lambda s: s.firewall and s.sublayer == "MPSSVC_QUARANTINE",
    ),
    Rule(
        "boot-time",
        "REFERENCE 3.4 row 2",
        "a firewall filter flagged boot-time or persistent",
        lambda s: s.firewall and bool(s.flags & {"BOOTTIME", "PERSISTENT"}),
    ),
    Rule(
        "appcontainer-loopback",
        "REFERENCE 12",
        "loopback of app containers: descriptor names packages, flag loopback",
        lambda s: s.sublayer in {"MPSSVC_WSH", "MPSSVC_APP_ISOLATION"} and s.names_packages and s.loopback,
    ),
    Rule(
        "service-hardening",
        "REFERENCE 3.4 row 3, 12",
        "hardening sublayer, descriptor names service SIDs",
        lambda s: s.sublayer == "MPSSVC_WSH" and s.names_services,
    ),
    Rule(
        "app-isolation",
        "REFERENCE 3.4 row 4",
        "hardening sublayer, any app package: the older app-container default",
        lambda s: s.sublayer == "MPSSVC_WSH" and s.package_not_null,
    ),
    Rule(
        "app-isolation",
        "REFERENCE 12",
        "hardening sublayer, descriptor names app packages",
        lambda s: s.sublayer == "MPSSVC_WSH" and s.names_packages,
    ),
    Rule(
        "service-hardening",
        "REFERENCE 3.4 row 4",
        "hardening sublayer, one program: a built-in hardening rule",
        lambda s: s.sublayer == "MPSSVC_WSH" and not s.is_callout and bool(s.fields & {"ALE_APP_ID", "ALE_USER_ID"}),
    ),
    Rule(
        "appcontainer-loopback",
        "REFERENCE 3.4 row 5",
        "app-isolation sublayer with a user-id condition",
        lambda s: s.sublayer == "MPSSVC_APP_ISOLATION" and "ALE_USER_ID" in s.fields,
    ),
    Rule(
        "app-isolation",
        "REFERENCE 3.4 row 5",
        "app-isolation sublayer without a user-id condition",
        lambda s: s.sublayer == "MPSSVC_APP_ISOLATION",
    ),
    Rule(
        "stealth",
        "REFERENCE 3.4 row 6",
        "firewall sublayer, fixed 64-bit weight, an ICMP-error layer",
        lambda s: (
            s.firewall and s.sublayer == "MPSSVC_WF" and s.weight_type == "UINT64" and s.stem.endswith("ICMP_ERROR")
        ),
    ),
    Rule(
        "stealth",
        "REFERENCE 3.4 row 10",
        "firewall callout at the discard twin of the inbound transport layer",
        lambda s: s.firewall and s.is_callout and s.stem == "INBOUND_TRANSPORT" and layers.is_discard(s.layer),
    ),
    Rule(
        "default-inbound",
        "REFERENCE 3.4 row 7",
        "firewall sublayer, default weight, profile conditions at most, inbound",
        lambda s: (
            s.firewall
            and s.sublayer == "MPSSVC_WF"
            and s.default_weight
            and s.only_profiles
            and not s.is_callout
            and layers.direction(s.layer) == "inbound"
        ),
    ),
    Rule(
        "default-outbound",
        "REFERENCE 3.4 row 7",
        "firewall sublayer, default weight, profile conditions at most, outbound",
        lambda s: (
            s.firewall
            and s.sublayer == "MPSSVC_WF"
            and s.default_weight
            and s.only_profiles
            and not s.is_callout
            and layers.direction(s.layer) == "outbound"
        ),
    ),
    Rule(
        "default-inbound",
        "REFERENCE 3.4 row 10",
        "helper of the inbound default: firewall callout with a default weight",
        lambda s: (
            s.firewall
            and s.sublayer == "MPSSVC_WF"
            and s.is_callout
            and s.default_weight
            and s.stem in {"ALE_RESOURCE_ASSIGNMENT", "ALE_AUTH_LISTEN"}
        ),
    ),
    Rule(
        "explicit-rule",
        "REFERENCE 3.4 row 8",
        "firewall sublayer, weight of block rules, with conditions",
        lambda s: (
            s.firewall
            and s.sublayer == "MPSSVC_WF"
            and s.weight_type == "UINT8"
            and s.weight == BLOCK_RULE_WEIGHT
            and not s.is_callout
            and bool(s.fields)
        ),
    ),
    Rule(
        "default-inbound",
        "REFERENCE 3.4 row 9 (unconfirmed)",
        "firewall sublayer, receive/accept, no conditions: blocks all inbound, allow rules do not help against it",
        lambda s: (
            s.firewall
            and s.sublayer == "MPSSVC_WF"
            and not s.is_callout
            and not s.fields
            and s.stem == "ALE_AUTH_RECV_ACCEPT"
        ),
    ),
    Rule(
        "windows-component",
        "REFERENCE 3.1, 12",
        "a sublayer of a part of Windows (Defender, edge traversal)",
        lambda s: s.sublayer in sublayers.WINDOWS_COMPONENT_KEYS,
    ),
    Rule(
        "ipsec",
        "REFERENCE 3.1, 3.2",
        "an IPsec provider, sublayer or callout",
        lambda s: (
            s.provider in providers.IPSEC_KEYS
            or s.sublayer in sublayers.IPSEC_KEYS
            or s.callout.startswith("IPSEC_")
            or s.stem in {"IPSEC", "IKEEXT", "IPSEC_KM_DEMUX"}
        ),
    ),
    Rule(
        "windows-component",
        "REFERENCE 3.1",
        "a provider that is a part of Windows",
        lambda s: s.provider in providers.WINDOWS_KEYS and not s.firewall and not s.is_callout,
    ),
)


class NameHint(NamedTuple):
    """A display name that is tried only where no row above fits; ``firewall``: only for the firewall's own filters."""

    start: str
    kind: Kind
    firewall: bool


# English display names (REFERENCE 3.3), lower case. Anybody may name a filter "Default Outbound".
NAMES: Final[tuple[NameHint, ...]] = (
    NameHint("default outbound", "default-outbound", firewall=True),
    NameHint("query user", "default-inbound", firewall=True),
    NameHint("shielded main rule", "default-inbound", firewall=True),
    NameHint("boot time filter", "boot-time", firewall=True),
    NameHint("port scanning prevention filter", "stealth", firewall=True),
    NameHint("quarantine default", "quarantine", firewall=True),
    NameHint("wsh default", "service-hardening", firewall=True),
    NameHint("uwp default", "app-isolation", firewall=True),
    NameHint("appcontainerloopback", "appcontainer-loopback", firewall=True),
    NameHint("et default block all", "windows-component", firewall=True),
    NameHint("windefend_", "windows-component", firewall=False),
    NameHint("nataleportfilter", "windows-component", firewall=False),
    NameHint("natlocal", "windows-component", firewall=False),
)
