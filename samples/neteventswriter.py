"""Writes ``netevents.xml`` (``netsh wfp show netevents``), ``wfpdiag.xml`` and ``wfpdiag.cab`` (``netsh wfp capture``).

The form follows the net events in Microsoft's pages on filter origins and UWP apps (REFERENCE 6): no complete file is
public, so what stands around the net events is the least that the sources show.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from samples.statexml import Xml, blob, dotted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FLAGS: Final = (
    *("IP_PROTOCOL", "LOCAL_ADDR", "REMOTE_ADDR", "LOCAL_PORT", "REMOTE_PORT", "APP_ID", "USER_ID", "IP_VERSION"),
    "PACKAGE_ID",
)
_BODY: Final = {
    "IKEEXT_MM_FAILURE": "ikeMmFailure",
    "IKEEXT_QM_FAILURE": "ikeQmFailure",
    "IKEEXT_EM_FAILURE": "ikeEmFailure",
    "CLASSIFY_DROP": "classifyDrop",
    "IPSEC_KERNEL_DROP": "ipsecDrop",
    "IPSEC_DOSP_DROP": "idpDrop",
    "CLASSIFY_ALLOW": "classifyAllow",
    "CAPABILITY_DROP": "capabilityDrop",
    "CAPABILITY_ALLOW": "capabilityAllow",
    "CLASSIFY_DROP_MAC": "classifyDropMac",
    "LPM_PACKET_ARRIVAL": "lpmPacketArrival",
}
_CLASSIFY: Final = frozenset({"CLASSIFY_DROP", "CLASSIFY_ALLOW", "CLASSIFY_DROP_MAC"})
_DOMAINS: Final = {"INSPECTION": "INSPECTION", "TEREDO": "TEREDO"}


@dataclass(frozen=True, slots=True)
class NetEvent:
    """One net event. ``body`` adds fields to the type's own (or is all of it, for types without a filter).

    ``terminating`` lists (filter id, sublayer as ``MPSSVC_WF``, ``BLOCK`` or ``PERMIT``); ``origin`` None is "not set".
    """

    time: str
    type: str = "CLASSIFY_DROP"
    protocol: int = 6
    local: str = "192.0.2.10"
    local_port: int = 50001
    remote: str = "198.51.100.7"
    remote_port: int = 443
    application: str = r"\device\harddiskvolume3\windows\system32\svchost.exe"
    user: str = "S-1-5-20"
    package: str = "S-1-0-0"
    filter_id: int = 70001
    layer_id: int = 48
    direction: str = "MS_FWP_DIRECTION_OUT"
    profile: int = 1
    loopback: bool = False
    origin: str | None = None
    interface: int = 0
    process_id: int | None = None  # newer builds alone
    terminating: Sequence[tuple[int, str, str]] = ()
    capabilities: Sequence[str] = ()
    scope_id: int = 0
    flags: Sequence[str] = FLAGS
    body: Mapping[str, object] = field(default_factory=dict)


def write_netevents(events: Sequence[NetEvent], *, public: bool = True) -> bytes:
    """Return the bytes of ``netevents.xml``. ``public``: types are spelled as newer builds do."""
    xml = Xml()
    if xml.start("netEvents", len(events)):
        for event in events:
            _event(xml, event, "item", public=public)
        xml.close("netEvents")
    return _bytes(xml)


def write_wfpdiag(events: Sequence[NetEvent], *, public: bool = True, state: str = "") -> bytes:
    """Return the bytes of ``wfpdiag.xml``. ``state`` is the XML of the lists that the capture began with."""
    xml = Xml()
    xml.open("wfpdiag")
    xml.open("initialState")
    xml.lines.extend(state.splitlines())
    xml.close("initialState")
    xml.open("events")
    for event in events:
        _event(xml, event, "netEvent", public=public)
    xml.close("events")
    xml.close("wfpdiag")
    return _bytes(xml)


def _bytes(xml: Xml) -> bytes:
    return b"\xef\xbb\xbf" + ("\r\n".join(xml.lines) + "\r\n").encode()


def _event(xml: Xml, event: NetEvent, tag: str, *, public: bool) -> None:
    xml.open(tag)
    _header(xml, event)
    xml.leaf("type", f"FWPM_NET_EVENT_TYPE_{'PUBLIC_' if public else ''}{event.type}")
    body = _BODY[event.type]
    xml.open(body)
    for name, value in {**_fields(event), **event.body}.items():
        xml.leaf(name, str(value))
    xml.close(body)
    _internal(xml, event)
    xml.close(tag)


def _header(xml: Xml, event: NetEvent) -> None:
    version = "V6" if ":" in event.local else "V4"
    address = "AddrV6.byteArray16" if version == "V6" else "AddrV4"
    xml.open("header")
    xml.leaf("timeStamp", event.time)
    xml.words("flags", [f"FWPM_NET_EVENT_FLAG_{flag}_SET" for flag in event.flags])
    xml.leaf("ipVersion", f"FWP_IP_VERSION_{version}")
    xml.leaf("ipProtocol", event.protocol)
    xml.leaf(f"local{address}", event.local)
    xml.leaf(f"remote{address}", event.remote)
    xml.leaf("localPort", event.local_port)
    xml.leaf("remotePort", event.remote_port)
    xml.leaf("scopeId", event.scope_id)
    if event.application:
        xml.open("appId")
        xml.leaf("data", blob(event.application))
        xml.leaf("asString", dotted(event.application))
        xml.close("appId")
    else:
        xml.leaf("appId")
    xml.leaf("userId", event.user)
    xml.leaf("addressFamily", "FWP_AF_INET6" if version == "V6" else "FWP_AF_INET")
    xml.leaf("packageSid", event.package)
    xml.leaf("enterpriseId")
    xml.leaf("policyFlags", 0)
    xml.leaf("effectiveName")
    xml.close("header")


def _fields(event: NetEvent) -> dict[str, object]:
    """Return the fields of the type's body that are the same for all of one kind."""
    if event.type in {"CAPABILITY_DROP", "CAPABILITY_ALLOW"}:
        return {"filterId": event.filter_id, "isLoopback": str(event.loopback).lower()}
    if event.type not in _CLASSIFY:
        return {}
    out: dict[str, object] = {
        "filterId": event.filter_id,
        "layerId": event.layer_id,
        "reauthReason": 0,
        "originalProfile": event.profile,
        "currentProfile": event.profile,
    }
    if event.type != "CLASSIFY_ALLOW":  # permits were seen without the rest
        out |= {
            "msFwpDirection": event.direction,
            "isLoopback": str(event.loopback).lower(),
            "vSwitchId": "",
            "vSwitchSourcePort": 0,
            "vSwitchDestinationPort": 0,
        }
    return out


def _internal(xml: Xml, event: NetEvent) -> None:
    xml.open("internalFields")
    xml.words("internalFlags", [] if event.origin is None else ["FWPM_NET_EVENT_INTERNAL_FLAG_FILTER_ORIGIN_SET"])
    xml.leaf("remoteAddrBitmap", "0000000000000000")
    xml.words("capabilities", [f"FWP_CAPABILITIES_FLAG_{name}" for name in event.capabilities])
    xml.leaf("fqbnVersion", 0)
    xml.leaf("fqbnName")
    if xml.start("terminatingFiltersInfo", len(event.terminating)):
        for number, sublayer, action in event.terminating:
            xml.open("item")
            xml.leaf("filterId", number)
            name = _DOMAINS.get(sublayer) or f"FIREWALL_{sublayer.removeprefix('MPSSVC_')}"
            xml.leaf("subLayer", f"FWPP_SUBLAYER_INTERNAL_{name}")
            xml.leaf("actionType", f"FWP_ACTION_{action}")
            xml.close("item")
        xml.close("terminatingFiltersInfo")
    xml.leaf("filterOrigin", event.origin or "")
    xml.leaf("interfaceIndex", event.interface)
    if event.process_id is not None:
        xml.leaf("processId", event.process_id)
    xml.close("internalFields")


# --------------------------------------------------------------------------------------------------------------
# The cabinet of a capture: one folder, MSZIP blocks of 32 KiB (MS-CAB).

_BLOCK: Final = 32_768
_DATE: Final = (2026 - 1980) << 9 | 1 << 5 | 15


def write_cab(members: Mapping[str, bytes], *, packed: bool = True) -> bytes:
    """Return a cabinet of these files, in their order."""
    stream = b"".join(members.values())
    pieces = [stream[at : at + _BLOCK] for at in range(0, len(stream), _BLOCK)]
    data = []
    history = b""
    for piece in pieces:
        body = piece
        if packed:
            packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=history)
            body = b"CK" + packer.compress(piece) + packer.flush()
            history = piece
        sizes = struct.pack("<HH", len(body), len(piece))
        data.append(struct.pack("<I", _checksum(sizes, _checksum(body))) + sizes + body)
    files = []
    start = 0
    for name, content in members.items():
        files.append(struct.pack("<IIHHHH", len(content), start, 0, _DATE, 0, 0x20) + name.encode("ascii") + b"\0")
        start += len(content)
    files_at = 36 + 8
    data_at = files_at + sum(map(len, files))
    folder = struct.pack("<IHH", data_at, len(pieces), int(packed))
    size = data_at + sum(map(len, data))
    header = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, size, 0, files_at, 0, 3, 1, 1, len(members), 0, 0, 0)
    return b"".join((header, folder, *files, *data))


def _checksum(data: bytes, seed: int = 0) -> int:
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        seed ^= word
    rest = data[whole:]
    return seed ^ (int.from_bytes(rest, "big") if rest else 0)
