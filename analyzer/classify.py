"""What kind of block a filter makes: by its origin, then by fixed key, then by shape, its English name last.

The rules below are one table, read from top to bottom; each names its source. Display names are localized and may be
edited, so a name decides only where nothing else does, and then as a hint (``kind_evidence`` = ``name``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pandas as pd

from analyzer import cells
from analyzer.wfp import fixed_filters, layers, origins, providers, sddl, sublayers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.engine.conditions import Test
    from analyzer.model import Kind, KindEvidence

CAN_BLOCK: Final = frozenset({"block", "callout-terminating", "callout-unknown"})
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


class Classified(NamedTuple):
    """Kind, what it rests on, and why in one sentence."""

    kind: Kind
    evidence: KindEvidence
    why: str


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

# English display names (REFERENCE 3.3), tried only where no row above fits.
NAMES: Final[tuple[tuple[str, Kind], ...]] = (
    ("default outbound", "default-outbound"),
    ("query user", "default-inbound"),
    ("shielded main rule", "default-inbound"),
    ("boot time filter", "boot-time"),
    ("port scanning prevention filter", "stealth"),
    ("quarantine default", "quarantine"),
    ("wsh default", "service-hardening"),
    ("uwp default", "app-isolation"),
    ("appcontainerloopback", "appcontainer-loopback"),
    ("windefend_", "windows-component"),
    ("nataleportfilter", "windows-component"),
    ("natlocal", "windows-component"),
    ("et default block all", "windows-component"),
)


def classify_one(shape: Shape, origin: str | None) -> Classified:
    """Classify one filter that can block: the first of origin, key, shape and name that tells."""
    return _by_origin(shape, origin) or _by_key(shape) or _by_shape(shape) or _by_name(shape) or _unknown(shape)


def _by_origin(shape: Shape, origin: str | None) -> Classified | None:
    kind = origins.origin_kind(origin, shape.sublayer)
    return Classified(kind, "origin", f"its filter origin is “{origin}”") if kind is not None else None


def _by_key(shape: Shape) -> Classified | None:
    fixed = fixed_filters.fixed_filter(shape.key)
    kind = origins.origin_kind(fixed.origin, fixed.sublayer) if fixed is not None else None
    why = "its filter key is the same on every machine: a boot-time or quarantine filter"
    return Classified(kind, "key", why) if kind is not None else None


def _by_shape(shape: Shape) -> Classified | None:
    rule = next((rule for rule in SHAPES if rule.test(shape)), None)
    return Classified(rule.kind, "shape", rule.why) if rule is not None else None


def _by_name(shape: Shape) -> Classified | None:
    lowered = shape.name.lower()
    kind = next((kind for start, kind in NAMES if lowered.startswith(start)), None)
    why = f"only its display name “{shape.name}” says so; names can be edited and are localized"
    return Classified(kind, "name", why) if kind is not None else None


def _unknown(shape: Shape) -> Classified:
    if shape.is_callout:
        return Classified("callout", "shape", "a callout decides, and nothing says whose it is")
    if shape.firewall:
        return Classified("unresolved", "shape", "a Windows Firewall filter of a shape that is not known")
    return Classified("other-wfp", "shape", "not the firewall's filter, and its maker is not known")


def shape_of(row: Any, tests: Sequence[Test], product: str | None) -> Shape:
    """Gather what the rules look at from one row of the FILTERS frame (as a named tuple)."""
    user_sids: set[str] = set()
    package_not_null = loopback = False
    for test in tests:
        if test.field == "ALE_USER_ID" and isinstance(test.value, str):
            user_sids.update(ace.sid for ace in (sddl.read_sddl(test.value).dacl or ()))
        elif test.field == "ALE_PACKAGE_ID" and test.match == "NOT_EQUAL":
            package_not_null = True
        elif test.field == "FLAGS" and test.match == "FLAGS_ALL_SET" and isinstance(test.value, int):
            loopback = bool(test.value & 1)
    return Shape(
        key=text(row, "filter_key"),
        name=text(row, "name"),
        provider=text(row, "provider"),
        sublayer=text(row, "sublayer"),
        layer=text(row, "layer"),
        action=text(row, "action"),
        flags=frozenset(getattr(row, "flags", None) or ()),
        weight_type=text(row, "weight_type"),
        weight=cells.number(row.weight),
        fields=frozenset(test.field for test in tests),
        user_sids=frozenset(user_sids),
        package_not_null=package_not_null,
        loopback=loopback,
        product=product,
        callout=text(row, "callout_key"),
    )


def text(row: Any, name: str) -> str:
    """Return a text cell, missing as an empty string."""
    return cells.text(getattr(row, name)) or ""


def classify(
    filters: pd.DataFrame,
    tests: dict[int, tuple[Test, ...]],
    provider_frame: pd.DataFrame,
    sublayer_frame: pd.DataFrame,
) -> pd.DataFrame:
    """Classify the filters of one or more states.

    Returns
    -------
    A frame aligned with ``filters``: ``kind``, ``kind_evidence``, ``why`` (str, missing where the filter cannot
    block), ``rule_id`` and ``rule_maker`` (str, missing where the origin is not a rule's).
    """
    services = {(p.input, p.provider): text(p, "service_name") for p in provider_frame.itertuples(index=False)}
    owners = {(s.input, s.sublayer): text(s, "provider") for s in sublayer_frame.itertuples(index=False)}
    kinds: list[str | None] = []
    evidence: list[str | None] = []
    whys: list[str | None] = []
    for position, row in enumerate(filters.itertuples(index=False)):
        if text(row, "action") not in CAN_BLOCK:
            kinds.append(None)
            evidence.append(None)
            whys.append(None)
            continue
        provider, owner = text(row, "provider"), owners.get((row.input, row.sublayer), "")
        product = providers.third_party(provider, services.get((row.input, provider)))
        if product is None and not provider and owner:
            product = providers.third_party(owner, services.get((row.input, owner)))
        done = classify_one(shape_of(row, tests.get(position, ()), product), text(row, "origin") or None)
        kinds.append(done.kind)
        evidence.append(done.evidence)
        whys.append(f"{done.why}: {product}" if done.kind == "third-party" else done.why)
    pairs = [(cells.text(o), cells.text(s)) for o, s in zip(filters["origin"], filters["sublayer"], strict=True)]
    found = [origins.rule_id(origin) for origin, _ in pairs]
    makers = [origins.rule_maker(origin, sublayer) for origin, sublayer in pairs]
    columns = {"kind": kinds, "kind_evidence": evidence, "why": whys, "rule_id": found, "rule_maker": makers}
    return pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})
