"""Net events (``FWPM_NET_EVENT``): types, flags, directions, sublayers, and where each value stands in the XML.

Sources: REFERENCE 6 and 12 (types, header flags, both spellings of a type), Microsoft's ``fwpmtypes.h`` pages (bodies
and their fields), its pages on filter origins and on UWP apps (``internalFields``), System Informer's ``fwmon.h``
(internal flags, sublayers, and the fields of newer builds: ``interfaceLuid``, ``compartmentId``, ``processId``,
``serviceSids``, ``policyAppId``; that their tags are spelled so is **unconfirmed** but for ``processId``). No complete
file is public.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from analyzer.wfp import sublayers

Decision = Literal["drop", "permit"]
NetDirection = Literal["inbound", "outbound", "forward", "loopback"]

TYPE_PREFIX: Final = "FWPM_NET_EVENT_TYPE_"
PUBLIC: Final = "PUBLIC_"  # newer builds print FWPM_NET_EVENT_TYPE_PUBLIC_CLASSIFY_DROP (REFERENCE 12)


class NetEventType(NamedTuple):
    """One type: its number, the tags that its body is printed under, and what it decides (None: no decision)."""

    number: int
    name: str
    bodies: tuple[str, ...]
    decision: Decision | None
    words: str


# Body tags are the members of the union in FWPM_NET_EVENT; a second tag is the longer name that fwmon.h has for it.
TYPES: Final[tuple[NetEventType, ...]] = (
    NetEventType(0, "IKEEXT_MM_FAILURE", ("ikeMmFailure",), None, "an IKE main mode failure"),
    NetEventType(1, "IKEEXT_QM_FAILURE", ("ikeQmFailure",), None, "an IKE quick mode failure"),
    NetEventType(2, "IKEEXT_EM_FAILURE", ("ikeEmFailure",), None, "an AuthIP extended mode failure"),
    NetEventType(3, "CLASSIFY_DROP", ("classifyDrop",), "drop", "a drop"),
    NetEventType(4, "IPSEC_KERNEL_DROP", ("ipsecDrop", "ipsecKernelDrop"), "drop", "a drop by IPsec"),
    NetEventType(5, "IPSEC_DOSP_DROP", ("idpDrop", "ipsecDospDrop"), "drop", "a drop by IPsec DoS protection"),
    NetEventType(6, "CLASSIFY_ALLOW", ("classifyAllow",), "permit", "a permit"),
    NetEventType(7, "CAPABILITY_DROP", ("capabilityDrop",), "drop", "a drop for want of an app capability"),
    NetEventType(8, "CAPABILITY_ALLOW", ("capabilityAllow",), "permit", "a permit by an app capability"),
    NetEventType(9, "CLASSIFY_DROP_MAC", ("classifyDropMac",), "drop", "a drop at a MAC layer"),
    NetEventType(10, "LPM_PACKET_ARRIVAL", ("lpmPacketArrival",), None, "a packet that arrived under IPsec"),
)
BY_NAME: Final[dict[str, NetEventType]] = {item.name: item for item in TYPES}
BY_NUMBER: Final[dict[int, NetEventType]] = {item.number: item for item in TYPES}
BY_BODY: Final[dict[str, NetEventType]] = {body.lower(): item for item in TYPES for body in item.bodies}

HEADER_FLAG_PREFIX: Final = "FWPM_NET_EVENT_FLAG_"
INTERNAL_FLAG_PREFIX: Final = "FWPM_NET_EVENT_INTERNAL_FLAG_"
FLAG_END: Final = "_SET"
HEADER_FLAGS: Final[dict[int, str]] = {
    0x1: "IP_PROTOCOL",
    0x2: "LOCAL_ADDR",
    0x4: "REMOTE_ADDR",
    0x8: "LOCAL_PORT",
    0x10: "REMOTE_PORT",
    0x20: "APP_ID",
    0x40: "USER_ID",
    0x80: "SCOPE_ID",
    0x100: "IP_VERSION",
    0x200: "REAUTH_REASON",
    0x400: "PACKAGE_ID",
    0x800: "ENTERPRISE_ID",
    0x1000: "POLICY_FLAGS",
    0x2000: "EFFECTIVE_NAME",
}
INTERNAL_FLAGS: Final[dict[int, str]] = {0x1: "FQBN", 0x2: "FILTER_ORIGIN", 0x4: "POLICY_APP_ID"}

_SUBLAYER_PREFIX: Final = "FWPP_SUBLAYER_INTERNAL_"
_SUBLAYERS: Final[tuple[tuple[str, str], ...]] = (  # in the order of their numbers, from 0
    ("INSPECTION", "INSPECTION"),
    ("TEREDO", "TEREDO"),
    ("FIREWALL_WF", "MPSSVC_WF"),
    ("FIREWALL_WSH", "MPSSVC_WSH"),
    ("FIREWALL_QUARANTINE", "MPSSVC_QUARANTINE"),
    ("FIREWALL_EDP", "MPSSVC_EDP"),
    ("FIREWALL_TENANT_RESTRICTIONS", "MPSSVC_TENANT_RESTRICTIONS"),
    ("FIREWALL_APP_ISOLATION", "MPSSVC_APP_ISOLATION"),
)
_SUBLAYER_BY_NAME: Final = dict(_SUBLAYERS)

CAPABILITY_PREFIX: Final = "FWPM_APPC_NETWORK_CAPABILITY_"
CAPABILITIES: Final[tuple[str, ...]] = ("INTERNET_CLIENT", "INTERNET_CLIENT_SERVER", "INTERNET_PRIVATE_NETWORK")
CAPABILITY_FLAG_PREFIX: Final = "FWP_CAPABILITIES_FLAG_"
CAPABILITY_FLAGS: Final[dict[int, str]] = {
    0x1: "INTERNET_CLIENT",
    0x2: "INTERNET_CLIENT_SERVER",
    0x4: "PRIVATE_NETWORK",
    0x8: "NETWORK_LOOPBACK",
}

# 0x3900 to 0x3903 are msFwpDirection (REFERENCE 6); 0 and 1 are FWP_DIRECTION, as IPsec drops have it.
DIRECTIONS: Final[dict[str, NetDirection]] = {
    "MS_FWP_DIRECTION_IN": "inbound",
    "MS_FWP_DIRECTION_OUT": "outbound",
    "MS_FWP_DIRECTION_FORWARD": "forward",
    "MS_FWP_DIRECTION_LOOPBACK": "loopback",
    "FWP_DIRECTION_IN": "inbound",
    "FWP_DIRECTION_OUT": "outbound",
    "FWP_DIRECTION_FORWARD": "forward",
    "FWP_DIRECTION_INBOUND": "inbound",
    "FWP_DIRECTION_OUTBOUND": "outbound",
}
MS_DIRECTION_NUMBERS: Final[dict[int, NetDirection]] = {
    0x3900: "inbound",
    0x3901: "outbound",
    0x3902: "forward",
    0x3903: "loopback",
}
IPSEC_DIRECTION_NUMBERS: Final[dict[int, NetDirection]] = {0: "outbound", 1: "inbound"}

FieldKind = Literal[
    "number",
    "positive",
    "text",
    "sid",
    "v4",
    "v6",
    "blob",
    "direction",
    "bool",
    "mac",
    "capability",
    "names",
    "version",
]


class NetField(NamedTuple):
    """Where one value stands: tag, column, how it is read, the largest number, and the flag that makes it valid."""

    tag: str
    column: str
    kind: FieldKind
    limit: int = 2**64 - 1
    flag: str | None = None


BYTE: Final = 2**8 - 1
SHORT: Final = 2**16 - 1
LONG: Final = 2**32 - 1

# A header field is valid only where its flag is set: what is not flagged is missing, whatever is printed.
HEADER: Final[tuple[NetField, ...]] = (
    NetField("ipVersion", "ip_version", "version", flag="IP_VERSION"),
    NetField("ipProtocol", "protocol", "number", BYTE, "IP_PROTOCOL"),
    NetField("localAddrV4", "local_address", "v4", flag="LOCAL_ADDR"),
    NetField("localAddrV6.byteArray16", "local_address", "v6", flag="LOCAL_ADDR"),
    NetField("localAddrV6", "local_address", "v6", flag="LOCAL_ADDR"),
    NetField("remoteAddrV4", "remote_address", "v4", flag="REMOTE_ADDR"),
    NetField("remoteAddrV6.byteArray16", "remote_address", "v6", flag="REMOTE_ADDR"),
    NetField("remoteAddrV6", "remote_address", "v6", flag="REMOTE_ADDR"),
    NetField("localPort", "local_port", "number", SHORT, "LOCAL_PORT"),
    NetField("remotePort", "remote_port", "number", SHORT, "REMOTE_PORT"),
    NetField("scopeId", "scope_id", "positive", LONG, "SCOPE_ID"),
    NetField("appId", "application", "blob", flag="APP_ID"),
    NetField("userId", "user_sid", "sid", flag="USER_ID"),
    NetField("packageSid", "package_sid", "sid", flag="PACKAGE_ID"),
    NetField("enterpriseId", "enterprise_id", "text", flag="ENTERPRISE_ID"),
    NetField("policyFlags", "policy_flags", "number", flag="POLICY_FLAGS"),
    NetField("effectiveName", "effective_name", "text", flag="EFFECTIVE_NAME"),
)
HEADER_OTHERS: Final = ("timeStamp", "flags", "addressFamily")  # addressFamily says again what ipVersion says

_FILTER: Final = (NetField("filterId", "filter_id", "number"), NetField("layerId", "layer_id", "number", SHORT))
_CLASSIFY: Final = (
    *_FILTER,
    NetField("reauthReason", "reauth_reason", "number", LONG, "REAUTH_REASON"),
    NetField("originalProfile", "original_profile", "number", LONG),
    NetField("currentProfile", "current_profile", "number", LONG),
    NetField("msFwpDirection", "direction", "direction"),
    NetField("isLoopback", "is_loopback", "bool"),
    NetField("vSwitchId", "vswitch_id", "text"),
    NetField("vSwitchSourcePort", "vswitch_source_port", "positive", LONG),
    NetField("vSwitchDestinationPort", "vswitch_destination_port", "positive", LONG),
)
_MAC: Final = (
    NetField("localMacAddr", "local_mac", "mac"),
    NetField("remoteMacAddr", "remote_mac", "mac"),
    NetField("localMacAddr.byteArray6", "local_mac", "mac"),
    NetField("remoteMacAddr.byteArray6", "remote_mac", "mac"),
    NetField("mediaType", "media_type", "number", LONG),
    NetField("ifType", "interface_type", "number", LONG),
    NetField("etherType", "ether_type", "number", SHORT),
    NetField("vlanTag", "vlan_tag", "number", SHORT),
    NetField("ifLuid", "interface_luid", "positive"),
)
_CAPABILITY: Final = (
    NetField("networkCapabilityId", "capability", "capability"),
    NetField("filterId", "filter_id", "number"),
    NetField("isLoopback", "is_loopback", "bool"),
)
# "Available only if the packet was dropped by the IPsec callout": 0 is no filter and no layer here.
_IPSEC: Final = (
    NetField("filterId", "filter_id", "positive"),
    NetField("layerId", "layer_id", "positive", SHORT),
    NetField("direction", "direction", "direction"),
    NetField("spi", "spi", "number", LONG),
    NetField("failureStatus", "failure", "text"),
)
_IKE: Final = (NetField("failureErrorCode", "failure", "text"),)
BODY: Final[dict[str, tuple[NetField, ...]]] = {
    "IKEEXT_MM_FAILURE": _IKE,
    "IKEEXT_QM_FAILURE": _IKE,
    "IKEEXT_EM_FAILURE": _IKE,
    "CLASSIFY_DROP": _CLASSIFY,
    "IPSEC_KERNEL_DROP": _IPSEC,
    "IPSEC_DOSP_DROP": _IPSEC[2:],
    "CLASSIFY_ALLOW": _CLASSIFY,
    "CAPABILITY_DROP": _CAPABILITY,
    "CAPABILITY_ALLOW": _CAPABILITY,
    "CLASSIFY_DROP_MAC": (*_CLASSIFY, *_MAC),
    "LPM_PACKET_ARRIVAL": (NetField("spi", "spi", "number", LONG),),
}
_IKE_TEXTS: Final = (
    *("failurePoint", "flags", "keyingModuleType", "mmState", "saRole", "mmAuthMethod", "endCertHash", "mmId"),
    *("mmFilterId", "localPrincipalNameForAuth", "remotePrincipalNameForAuth", "numLocalPrincipalGroupSids"),
    *("localPrincipalGroupSids", "numRemotePrincipalGroupSids", "remotePrincipalGroupSids", "providerContextKey"),
    *("qmState", "saTrafficType", "localSubNet", "remoteSubNet", "qmFilterId", "mmSaLuid", "mmProviderContextKey"),
    *("emState", "emAuthMethod"),
)
# Fields that are kept as text in the column `details`: of use to people, not to any rule.
DETAILS: Final[dict[str, tuple[str, ...]]] = {
    "IKEEXT_MM_FAILURE": _IKE_TEXTS,
    "IKEEXT_QM_FAILURE": _IKE_TEXTS,
    "IKEEXT_EM_FAILURE": _IKE_TEXTS,
    "IPSEC_DOSP_DROP": (
        *("ipVersion", "publicHostV4Addr", "publicHostV6Addr", "internalHostV4Addr", "internalHostV6Addr"),
        *("publicHostV6Addr.byteArray16", "internalHostV6Addr.byteArray16"),
    ),
    "CLASSIFY_DROP_MAC": ("ndisPortNumber", "reserved"),
}

INTERNAL: Final[tuple[NetField, ...]] = (
    NetField("remoteAddrBitmap", "remote_address_bitmap", "text"),
    NetField("capabilities", "capabilities", "names"),
    NetField("fqbnVersion", "fqbn_version", "number", flag="FQBN"),
    NetField("fqbnName", "fqbn_name", "text", flag="FQBN"),
    NetField("filterOrigin", "origin", "text", flag="FILTER_ORIGIN"),
    NetField("interfaceIndex", "interface_index", "positive", LONG),
    NetField("interfaceLuid", "interface_luid", "positive"),
    NetField("policyAppId", "policy_app_id", "text", flag="POLICY_APP_ID"),
    NetField("compartmentId", "compartment_id", "positive", LONG),
    NetField("processId", "process_id", "positive", LONG),
    NetField("serviceSids", "service_sids", "text"),
)
INTERNAL_OTHERS: Final = ("internalFlags", "terminatingFiltersInfo")
FILTER_PARTS: Final = ("filterId", "subLayer", "actionType")


def canonical_type(text: str) -> str:
    """Return a type's name without prefix and without ``PUBLIC_``; a number becomes its name, other text stays."""
    value = text.strip()
    if value.isascii() and value.isdigit() and len(value) <= 3:
        known = BY_NUMBER.get(int(value))
        return known.name if known is not None else value
    return value.upper().removeprefix(TYPE_PREFIX).removeprefix(PUBLIC)


def canonical_sublayer(text: str) -> str:
    """Return the canonical sublayer (``MPSSVC_WF``) of what a terminating filter's ``subLayer`` prints."""
    value = text.strip()
    if value.isascii() and value.isdigit() and len(value) <= 3:
        return _SUBLAYERS[int(value)][1] if int(value) < len(_SUBLAYERS) else value
    name = value.upper()
    if name.startswith(_SUBLAYER_PREFIX):
        name = name.removeprefix(_SUBLAYER_PREFIX)
        return _SUBLAYER_BY_NAME.get(name, name)
    return sublayers.canonical_sublayer(value)
