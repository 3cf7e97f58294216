"""Sublayers: where filters compete. Symbols, GUIDs, known weights, owners.

Sources: REFERENCE 3.2 (weights as in four dumps; the seven lowest are the same in all of them), GUIDs of the
built-in ones from `fwpmu.h`. Weights of third-party and Teredo-authorization sublayers shift between machines.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from analyzer.wfp import keys

PREFIX: Final = "FWPM_SUBLAYER_"


class Sublayer(NamedTuple):
    """One known sublayer; ``symbol`` is its GUID where the platform has no symbol, ``weight`` None where it shifts."""

    symbol: str
    guid: str
    weight: int | None
    owner: str


SUBLAYERS: Final[tuple[Sublayer, ...]] = (
    Sublayer("RPC_AUDIT", "{758c84f4-fb48-4de9-9aeb-3ed9551ab1fd}", 49152, "RPC auditing"),
    Sublayer(
        "{9ba30013-c84e-47e5-ac6e-1e1aed72fa69}",
        "{9ba30013-c84e-47e5-ac6e-1e1aed72fa69}",
        40961,
        "Windows Firewall: IPsec",
    ),
    Sublayer("IPSEC_TUNNEL", "{83f299ed-9ff4-4967-aff4-c309f4dab827}", 40960, "IPsec tunnels"),
    Sublayer(
        "IPSEC_FORWARD_OUTBOUND_TUNNEL", "{a5082e73-8f71-4559-8a9a-101cea04ef87}", 36864, "IPsec tunnels, forwarding"
    ),
    Sublayer("IPSEC_DOSP", "{e076d572-5d3d-48ef-802b-909eddb098bd}", 34816, "IPsec denial-of-service protection"),
    Sublayer("UNIVERSAL", "{eebecc03-ced4-4380-819a-2734397b2b74}", 32768, "any (the default sublayer)"),
    Sublayer("LIPS", "{1b75c0ce-ff60-4711-a70f-b4958cc3b2d0}", 32767, "legacy IPsec"),
    Sublayer("SECURE_SOCKET", "{15a66e17-3f3c-4f7b-aa6c-812aa613dd82}", 16384, "secure sockets"),
    Sublayer("IPSEC_SECURITY_REALM", "{37a57701-5884-4964-92b8-3e704688b0ad}", 12288, "IPsec security realms"),
    Sublayer("TCP_TEMPLATES", "{24421dcf-0ac5-4caa-9e14-50f6e3636af0}", 8704, "TCP templates"),
    Sublayer("TCP_CHIMNEY_OFFLOAD", "{337608b9-b7d5-4d5f-82f9-3618618bc058}", 8192, "TCP offload"),
    Sublayer(
        "{3c1cd879-1b8c-4ab4-8f83-5ed129176ef3}",
        "{3c1cd879-1b8c-4ab4-8f83-5ed129176ef3}",
        4096,
        "Microsoft Defender (windefend)",
    ),
    Sublayer(
        "{7b6b11f6-cbb5-433c-ae06-6a4f0076e49e}",
        "{7b6b11f6-cbb5-433c-ae06-6a4f0076e49e}",
        None,
        "Teredo socket option authorization",
    ),
    Sublayer("MPSSVC_APP_ISOLATION", "{ffe221c3-92a8-4564-a59f-dafb70756020}", 7, "Windows Firewall: app containers"),
    Sublayer(
        "MPSSVC_TENANT_RESTRICTIONS",
        "{1ec6c7e1-fdd9-478a-b55f-ff8ba1d2c17d}",
        6,
        "Windows Firewall: tenant restrictions",
    ),
    Sublayer("MPSSVC_EDP", "{09a47e38-fa97-471b-b123-18bcd7e65071}", 5, "Windows Firewall: enterprise data protection"),
    Sublayer("MPSSVC_QUARANTINE", "{b3cdd441-af90-41ba-a745-7c6008ff2302}", 4, "Windows Firewall: quarantine"),
    Sublayer("MPSSVC_WSH", "{b3cdd441-af90-41ba-a745-7c6008ff2300}", 3, "Windows Firewall: service hardening"),
    Sublayer("MPSSVC_WF", "{b3cdd441-af90-41ba-a745-7c6008ff2301}", 2, "Windows Firewall: rules and defaults"),
    Sublayer("TEREDO", "{ba69dc66-5176-4979-9c89-26a7b46a8327}", 1, "Teredo (edge traversal)"),
    Sublayer("INSPECTION", "{877519e1-e6a9-41a5-81b4-8c4f118e4a60}", 0, "inspection"),
)

WINDEFEND: Final = "{3c1cd879-1b8c-4ab4-8f83-5ed129176ef3}"
TEREDO_AUTHORIZATION: Final = "{7b6b11f6-cbb5-433c-ae06-6a4f0076e49e}"
FIREWALL_IPSEC: Final = "{9ba30013-c84e-47e5-ac6e-1e1aed72fa69}"

BY_KEY: Final[dict[str, Sublayer]] = {sublayer.symbol: sublayer for sublayer in SUBLAYERS}
SYMBOL_BY_GUID: Final[dict[str, str]] = {sublayer.guid: sublayer.symbol for sublayer in SUBLAYERS}
GUID_BY_SYMBOL: Final[dict[str, str]] = {sublayer.symbol: sublayer.guid for sublayer in SUBLAYERS}
FIREWALL_KEYS: Final = frozenset(key for key in BY_KEY if key.startswith("MPSSVC_"))
IPSEC_KEYS: Final = frozenset(key for key in BY_KEY if key.startswith("IPSEC_")) | {FIREWALL_IPSEC, "LIPS"}
# Sublayers that name a part of Windows other than the firewall, IPsec and app isolation.
WINDOWS_COMPONENT_KEYS: Final = frozenset({WINDEFEND, TEREDO_AUTHORIZATION, "TEREDO"})


def canonical_sublayer(key: str) -> str:
    """Return the symbol without prefix where one is known, else the lower-case GUID in braces."""
    symbol = keys.canonical(key, PREFIX, SYMBOL_BY_GUID)
    return "TEREDO" if symbol == "EDGE_TRAVERSAL" else symbol  # fwpmu.h has both names for one GUID


def known_weight(key: str) -> int | None:
    """Return the weight that a canonical sublayer key had in every dump seen, or None."""
    sublayer = BY_KEY.get(key)
    return sublayer.weight if sublayer is not None else None


def owner(key: str) -> str | None:
    """Return what a canonical sublayer key is for, or None."""
    sublayer = BY_KEY.get(key)
    return sublayer.owner if sublayer is not None else None
