"""Addresses: which of them are hidden, and labels that keep family, network and order.

An address becomes ``private-02.07``: the seventh address in the second /24 (IPv6: /64, ``private6-02.07``) that the
evidence names. Networks and addresses are numbered in their own order, so that a range holds the labels that it held as
addresses, and a /24 is seen in its members. 0 and 255 at the end of an IPv4 address stay: network and broadcast.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Scope = Literal["private", "public"]


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# RFC 1918, 6598 (shared by carriers), 4193 (unique local), 3879 (site-local, deprecated).
PRIVATE: Final = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10")
# "This network", loopback, link-local, groups, reserved with broadcast and masks (RFC 6890); `::/96` holds `::`, `::1`
# and what only looks like an address.
MEANINGFUL: Final = _networks(
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    *("::/96", "fe80::/10", "ff00::/8"),
)
# Networks that tell nothing of the one that is in use; with the ends of what lies between them.
WELL_KNOWN: Final = frozenset(
    {*PRIVATE, *MEANINGFUL, *_networks("0.0.0.0/0", "::/0", "2000::/3", "fd00::/8", "fe80::/64")}
)
_V4_NETWORK, _V6_NETWORK = 24, 64


def _edges() -> frozenset[Address]:
    out: set[Address] = {ipaddress.IPv6Address("3fff:ffff::")}  # Windows ends the global unicast range so, too
    for network in WELL_KNOWN:
        ends = (network.network_address, network.broadcast_address)
        out.update(ends)
        for end, step in ((ends[0], -1), (ends[1], 1)):
            try:
                out.add(end + step)
            except ipaddress.AddressValueError:  # there is nothing beyond
                continue
    return frozenset(out)


EDGES: Final = _edges()


@lru_cache(maxsize=65536)
def parse(text: str) -> Address | None:
    """Return an address without its scope id, or None."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for (``::ffff:192.0.2.1``), else the address itself."""
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=65536)
def scope(address: Address) -> Scope | None:
    """Return whether an address is private or public; None for one that says what it is and nothing of whom."""
    if any(address in network for network in MEANINGFUL if network.version == address.version):
        return None
    return (
        "private" if any(address in network for network in PRIVATE if network.version == address.version) else "public"
    )


def hardware(address: Address) -> bytes | None:
    """Return the hardware address that an IPv6 link-local address was made from (RFC 4291, appendix A), or None."""
    if address.version != 6 or not address.is_link_local:
        return None
    packed = address.packed[8:]
    return bytes([packed[0] ^ 2, *packed[1:3], *packed[5:]]) if packed[3:5] == b"\xff\xfe" else None


class AddressBook:
    """Gives labels to addresses: numbered in their order, later ones behind."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Scope, int, int], int] = {}
        self._members: dict[tuple[Scope, int, int], dict[Address, int]] = {}
        self._taken: dict[tuple[Scope, int], int] = {}
        self.known: dict[Address, str] = {}

    def extend(self, addresses: Iterable[Address]) -> None:
        """Give labels to those that have none."""
        new = {inner(item) for item in addresses} - self.known.keys()
        for address in sorted(new, key=lambda item: (item.version, int(item))):
            where = scope(address)
            if where is None:
                continue
            group = (where, address.version, _group(address))
            if group not in self._groups:
                self._groups[group] = self._taken[group[:2]] = self._taken.get(group[:2], 0) + 1
            members = self._members.setdefault(group, {})
            if not _is_end(address):
                members[address] = len(members) + 1
            self.known[address] = self._label(address, group)

    def label(self, address: Address) -> str:
        """Return the label of an address that is hidden."""
        if inner(address) not in self.known:
            self.extend([address])
        label = self.known[inner(address)]
        return label if inner(address) == address else f"::ffff:{label}"

    def _label(self, address: Address, group: tuple[Scope, int, int]) -> str:
        family = "" if address.version == 4 else "6"
        member = str(int(address) & 0xFF) if _is_end(address) else f"{self._members[group][address]:02d}"
        return f"{group[0]}{family}-{self._groups[group]:02d}.{member}"


def _group(address: Address) -> int:
    return int(address) >> (32 - _V4_NETWORK if address.version == 4 else 128 - _V6_NETWORK)


def _is_end(address: Address) -> bool:
    return address.version == 4 and int(address) & 0xFF in (0, 255)


# ------------------------------------------------------------------------------------------------ finding

_RUN: Final = re.compile(r"(?<![0-9A-Fa-f:.])[0-9A-Fa-f:.]{3,}")
_DOTTED: Final = re.compile(r"(?<![0-9A-Za-z.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z]|\.[0-9])")
_LENGTH: Final = re.compile(r"/((?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9]{1,3})(?![0-9]|\.[0-9])")
_RANGE_END: Final = re.compile(r"-([0-9A-Fa-f:.]+)")
_RANGE_START: Final = re.compile(r"([0-9A-Fa-f:.]+)-\Z")
_SHARE: Final = re.compile(r"(?:\\\\|\\(?:mup|lanmanredirector|webdavredirector)(?:\\;[^\\]*)*\\|//)\Z", re.IGNORECASE)
_LONGEST: Final = 46  # characters of an address as text


class Found(NamedTuple):
    """An address in a text. ``doubtful``: four numbers that may be a version, so that only other places can tell."""

    start: int
    end: int
    address: Address
    doubtful: bool = False


def find(text: str) -> Iterator[Found]:
    """Yield the addresses in a text that say of whom they are; networks and ranges that everybody has are left out."""
    if ":" in text:
        for match in _RUN.finditer(text):
            found = _six(text, match) if match.group().count(":") > 1 else None
            if found is not None and not _well_known(text, found):
                yield found
    if "." in text:
        for match in _DOTTED.finditer(text):
            address = parse(match.group())
            if address is not None and scope(address) is not None:
                found = Found(*match.span(), address, _is_version(text, *match.span()))
                if not _well_known(text, found):
                    yield found


def _six(text: str, match: re.Match[str]) -> Found | None:
    """Read one run of hexadecimal digits and colons; a colon of the sentence may stand on either side."""
    start, end = match.span()
    run = match.group()
    if run[0] == ":" and run[1] != ":":
        start += 1
    elif run[0] != ":" and text[start - 1 : start].isalnum():
        return None
    if text[end : end + 1].isalnum():
        return None
    while text[end - 1] == "." or (text[end - 1] == ":" and text[end - 2] != ":"):
        end -= 1
    address = parse(text[start:end]) if end - start < _LONGEST else None
    if address is None or (scope(inner(address)) is None and hardware(address) is None):
        return None
    return Found(start, end, address)


def _is_version(text: str, start: int, end: int) -> bool:
    """Tell four numbers that are a folder of a path, or a part of a package's name (``Maker.App_1.0.0.0_x64__id``)."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return before in ("\\", "/", "_") and after == before and not _SHARE.search(text[max(start - 80, 0) : start])


def _well_known(text: str, found: Found) -> bool:
    """Tell an address that is an end of a network or range that everybody has (``10.0.0.0/8``)."""
    if found.address not in EDGES:
        return False
    length = _LENGTH.match(text, found.end)
    if length is not None:
        try:
            return ipaddress.ip_network(f"{found.address}/{length.group(1)}", strict=False) in WELL_KNOWN
        except ValueError:
            return False
    other = _RANGE_END.match(text, found.end, found.end + _LONGEST) or _RANGE_START.search(
        text[max(found.start - _LONGEST, 0) : found.start]
    )
    return other is not None and (parse(other.group(1)) or parse(other.group(1).rstrip(".:"))) in EDGES
