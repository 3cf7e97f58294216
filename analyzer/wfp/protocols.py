"""IP protocol numbers and ICMP types.

Source: the IANA registries "Protocol Numbers", "ICMP Parameters" and "ICMPv6 Parameters". (Microsoft's event pages
call 88 IGMP; it is EIGRP, REFERENCE 1.2.)
"""

from __future__ import annotations

from typing import Final

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58

PROTOCOLS: Final[dict[int, str]] = {
    0: "HOPOPT",
    1: "ICMP",
    2: "IGMP",
    3: "GGP",
    4: "IPv4",
    6: "TCP",
    8: "EGP",
    9: "IGP",
    17: "UDP",
    27: "RDP",
    33: "DCCP",
    41: "IPv6",
    43: "IPv6-Route",
    44: "IPv6-Frag",
    46: "RSVP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    59: "IPv6-NoNxt",
    60: "IPv6-Opts",
    88: "EIGRP",
    89: "OSPF",
    94: "IPIP",
    97: "EtherIP",
    98: "ENCAP",
    103: "PIM",
    108: "IPComp",
    112: "VRRP",
    113: "PGM",
    115: "L2TP",
    132: "SCTP",
    136: "UDPLite",
    137: "MPLS-in-IP",
}

ICMP_TYPES: Final[dict[int, str]] = {
    0: "echo reply",
    3: "destination unreachable",
    4: "source quench",
    5: "redirect",
    8: "echo request",
    9: "router advertisement",
    10: "router solicitation",
    11: "time exceeded",
    12: "parameter problem",
    13: "timestamp request",
    14: "timestamp reply",
    17: "address mask request",
    18: "address mask reply",
}

ICMPV6_TYPES: Final[dict[int, str]] = {
    1: "destination unreachable",
    2: "packet too big",
    3: "time exceeded",
    4: "parameter problem",
    128: "echo request",
    129: "echo reply",
    130: "multicast listener query",
    131: "multicast listener report",
    132: "multicast listener done",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbor solicitation",
    136: "neighbor advertisement",
    137: "redirect",
    143: "multicast listener report v2",
}

# 3 (IPv4) and 1 (IPv6): code -> words.
ICMP_UNREACHABLE: Final[dict[int, str]] = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "fragmentation needed",
    13: "administratively prohibited",
}
ICMPV6_UNREACHABLE: Final[dict[int, str]] = {
    0: "no route",
    1: "administratively prohibited",
    2: "beyond scope",
    3: "address unreachable",
    4: "port unreachable",
}


def protocol_name(number: int | None) -> str | None:
    """Return the name of a protocol number (``TCP``), or its number as text, or None."""
    return None if number is None else PROTOCOLS.get(number, str(number))


def is_icmp(number: int | None) -> bool:
    """Tell whether an event of this protocol carries ICMP type and code in its port fields."""
    return number in (ICMP, ICMPV6)


def has_ports(number: int | None) -> bool:
    """Tell whether the port fields of this protocol hold ports."""
    return number in (TCP, UDP, 33, 132, 136)


def icmp_words(protocol: int, icmp_type: int, icmp_code: int | None = None) -> str:
    """Return words for an ICMP message: ``echo request``, ``port unreachable``, or ``type 42``."""
    types, unreachable, number = (
        (ICMPV6_TYPES, ICMPV6_UNREACHABLE, 1) if protocol == ICMPV6 else (ICMP_TYPES, ICMP_UNREACHABLE, 3)
    )
    if icmp_type == number and icmp_code in unreachable:
        return unreachable[icmp_code]
    return types.get(icmp_type, f"type {icmp_type}")
