"""The platform's furniture as far as the samples need it: layers, sublayers, providers, fixed filters, callouts.

Sources: REFERENCE 3.1, 3.2, Appendix A and C; conditions and weights of the fixed filters are those of a real
Windows 11 state.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

WF, WSH, QUARANTINE, APP_ISOLATION = "MPSSVC_WF", "MPSSVC_WSH", "MPSSVC_QUARANTINE", "MPSSVC_APP_ISOLATION"
TEREDO, UNIVERSAL, INSPECTION = "TEREDO", "UNIVERSAL", "INSPECTION"
WSH_PROVIDER_GUID: Final = "{4b153735-1049-4480-aab4-d1b9bdc03710}"
WSH_SUBLAYER_GUID: Final = "{b3cdd441-af90-41ba-a745-7c6008ff2300}"
WINDEFEND: Final = "{3c1cd879-1b8c-4ab4-8f83-5ed129176ef3}"
TEREDO_AUTHORIZATION: Final = "{7b6b11f6-cbb5-433c-ae06-6a4f0076e49e}"
IPSEC_POLICY: Final = "{9ba30013-c84e-47e5-ac6e-1e1aed72fa69}"
PROVIDER_GUID: Final = {
    "MPSSVC_WF": "{decc16ca-3f33-4346-be1e-8fb4ae0f3d62}",
    "MPSSVC_WSH": WSH_PROVIDER_GUID,
}

# Windows 10 and Server 2016 number the layers after 81 differently (REFERENCE 12, a real server state).
_LAYERS_10: Final = (
    "IPSEC_KM_DEMUX_V4 IPSEC_KM_DEMUX_V6 IPSEC_V4 IPSEC_V6 IKEEXT_V4 IKEEXT_V6 RPC_UM RPC_EPMAP RPC_EP_ADD "
    "RPC_PROXY_CONN RPC_PROXY_IF KM_AUTHORIZATION"
)
LAYER_ID: Final[dict[str, int]] = {}
LAYER_GUID: Final[dict[str, str]] = {}
for _row in (Path(__file__).parent / "data" / "layers.txt").read_text().splitlines():
    if not _row.startswith("#"):
        _number, _symbol, _guid = _row.split()
        LAYER_ID[_symbol] = int(_number)
        LAYER_GUID[_symbol] = _guid

_WORDS: Final = {
    "ALE_RESOURCE_ASSIGNMENT": "ALE Resource Assignment",
    "ALE_AUTH_LISTEN": "ALE Listen",
    "ALE_AUTH_RECV_ACCEPT": "ALE Receive/Accept",
    "ALE_AUTH_CONNECT": "ALE Connect",
}


def layer_name(symbol: str) -> str:
    """Return the layer's English name: ``ALE Connect v4 Layer``."""
    base, version, tail = symbol, "", ""
    if base.endswith("_DISCARD"):
        base, tail = base.removesuffix("_DISCARD"), " Discard"
    for suffix in ("_V4", "_V6"):
        if base.endswith(suffix):
            base, version = base.removesuffix(suffix), suffix.replace("_V", " v")
    words = _WORDS.get(base) or base.strip("{}").replace("_", " ").title().replace("Icmp", "ICMP")
    return f"{words}{version}{tail} Layer"


# LayerName codes (REFERENCE 1.3) by the layer's symbol without version and DISCARD.
LAYER_CODE: Final = {
    "INBOUND_TRANSPORT": "%%14597",
    "OUTBOUND_TRANSPORT": "%%14597",
    "STREAM": "%%14599",
    "DATAGRAM_DATA": "%%14600",
    "INBOUND_ICMP_ERROR": "%%14601",
    "OUTBOUND_ICMP_ERROR": "%%14601",
    "INBOUND_MAC_FRAME_ETHERNET": "%%14602",
    "INBOUND_IPPACKET": "%%14596",
    "IPFORWARD": "%%14598",
    "ALE_RESOURCE_ASSIGNMENT": "%%14608",
    "ALE_AUTH_LISTEN": "%%14609",
    "ALE_AUTH_RECV_ACCEPT": "%%14610",
    "ALE_AUTH_CONNECT": "%%14611",
}
_SYMBOL: Final = {number: symbol for symbol, number in LAYER_ID.items()}


def layer_code(layer_id: int) -> str:
    """Return the code that events write for the layer's name."""
    return LAYER_CODE[re.sub(r"(_V[46])?(_DISCARD)?$", "", _SYMBOL[layer_id])]


def layers(*, windows11: bool) -> list[tuple[int, str]]:
    """Return (id, symbol) of every layer that this generation has."""
    if windows11:
        return sorted((number, symbol) for symbol, number in LAYER_ID.items())
    low = sorted((number, symbol) for symbol, number in LAYER_ID.items() if number < 82)
    return low + list(enumerate(_LAYERS_10.split(), start=82))


# key, name, action, layer, origin, flag, sublayer, weight, effective weight, conditions
FIXED_FILTERS: Final = tuple(
    tuple(line.split("|"))
    for line in (Path(__file__).parent / "data" / "fixed_filters.txt").read_text().splitlines()
    if not line.startswith("#")
)

# Callouts that filters of the samples call, per layer: key (symbol without prefix, or GUID) and name.
CALLOUTS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "INBOUND_TRANSPORT_V4_DISCARD": (
        ("WFP_TRANSPORT_LAYER_V4_SILENT_DROP", "WFP Built-in Silent Drop Transport v4 Discard Layer Callout"),
    ),
    "INBOUND_TRANSPORT_V6_DISCARD": (
        ("WFP_TRANSPORT_LAYER_V6_SILENT_DROP", "WFP Built-in Silent Drop Transport v6 Discard Layer Callout"),
    ),
    "ALE_AUTH_LISTEN_V4": (("{c3dbed20-0bb6-4bf3-828d-96732e1e0028}", "Windows Firewall Query User v4"),),
    "ALE_AUTH_LISTEN_V6": (("{c3dbed20-0bb6-4bf3-828d-96732e1e002a}", "Windows Firewall Query User v6"),),
    "STREAM_V4": (("{d67b238d-d80c-4ba7-96df-4a0c83464fa7}", "windefend_stream_v4"),),
    "STREAM_V6": (("{36d4cf95-fd3a-4bb8-90a9-ffdb3749237f}", "windefend_stream_v6"),),
    "DATAGRAM_DATA_V4": (("{b2d11c73-b4ef-47d1-b665-58e6ba9fe200}", "windefend_datagram_v4"),),
    "DATAGRAM_DATA_V6": (("{80cece9d-0b53-4672-ac43-4524416c0353}", "windefend_datagram_v6"),),
}
