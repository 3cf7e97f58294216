"""Addresses as arrays: family and two 64-bit halves, so that ranges of IPv4 and IPv6 compare without Python objects."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LOW64: Final = (1 << 64) - 1
UNICAST, MULTICAST, BROADCAST = 1, 3, 4  # NL_ADDRESS_TYPE (nldef.h)
_U64 = np.uint64


@dataclass(frozen=True, slots=True)
class Addresses:
    """Parsed addresses: ``family`` int8 (4, 6, or 0 when missing or unreadable), ``high`` and ``low`` uint64."""

    family: NDArray[np.int8]
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]

    def take(self, rows: NDArray[np.intp]) -> Addresses:
        """Return the addresses of these rows."""
        return Addresses(self.family[rows], self.high[rows], self.low[rows])

    def equal(self, other: Addresses) -> NDArray[np.bool_]:
        """Tell where both are known and the same."""
        same = (self.family == other.family) & (self.high == other.high) & (self.low == other.low)
        out: NDArray[np.bool_] = same & (self.family != 0)
        return out

    def at_least(self, address: Address) -> NDArray[np.bool_]:
        """Tell which are not below this address; of its family alone that means something."""
        _, high, low = split_address(address)
        out: NDArray[np.bool_] = (self.high > _U64(high)) | ((self.high == _U64(high)) & (self.low >= _U64(low)))
        return out

    def at_most(self, address: Address) -> NDArray[np.bool_]:
        """Tell which are not above this address; of its family alone that means something."""
        _, high, low = split_address(address)
        out: NDArray[np.bool_] = (self.high < _U64(high)) | ((self.high == _U64(high)) & (self.low <= _U64(low)))
        return out

    def loopback(self) -> NDArray[np.bool_]:
        """Tell 127.0.0.0/8 and ::1."""
        four = (self.family == 4) & ((self.low >> _U64(24)) == _U64(127))
        six = (self.family == 6) & (self.high == 0) & (self.low == 1)
        out: NDArray[np.bool_] = four | six
        return out

    def unspecified(self) -> NDArray[np.bool_]:
        """Tell 0.0.0.0 and ::."""
        out: NDArray[np.bool_] = (self.family != 0) & (self.high == 0) & (self.low == 0)
        return out

    def types(self, own: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the address types (``nldef.h``), -1 where the address alone does not tell it.

        A directed broadcast ends in set bits and an IPv6 anycast address looks like any other, so what may be one of
        these stays open unless it is known to be the sender's ``own``.
        """
        four, six = self.family == 4, self.family == 6
        multicast = (four & ((self.low >> _U64(28)) == _U64(14))) | (six & ((self.high >> _U64(56)) == _U64(0xFF)))
        broadcast = four & (self.low == _U64(0xFFFFFFFF))
        # A subnet with a broadcast address has at least two bits for its hosts.
        plain = ~multicast & ~broadcast & ~self.unspecified() & (own | (four & ((self.low & _U64(3)) != _U64(3))))
        found = np.select([multicast, broadcast, plain & (four | six)], [MULTICAST, BROADCAST, UNICAST], -1)
        return found.astype(np.int64)


def split_address(address: Address) -> tuple[int, int, int]:
    """Return family, high and low half of one address."""
    number = int(address)
    return address.version, number >> 64, number & LOW64


@lru_cache(maxsize=1 << 16)  # several steps read the same addresses
def parse_address(text: object) -> Address | None:
    """Read one address as events write it (a scope id after ``%`` is dropped), or return None."""
    if not isinstance(text, str):
        return None
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def addresses(column: pd.Series) -> Addresses:
    """Parse a text or category column; each distinct text is read once."""
    as_category = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    parsed = [parse_address(text) for text in as_category.cat.categories]
    parts = [split_address(item) if item is not None else (0, 0, 0) for item in parsed] + [(0, 0, 0)]
    codes = as_category.cat.codes.to_numpy()
    family = np.array([p[0] for p in parts], dtype=np.int8)
    high = np.array([p[1] for p in parts], dtype=np.uint64)
    low = np.array([p[2] for p in parts], dtype=np.uint64)
    return Addresses(family[codes], high[codes], low[codes])


def bounds(value: object) -> tuple[Address, Address] | None:
    """Return lowest and highest address of an address, a range or a network; None for anything else."""
    if isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return value, value
    if isinstance(value, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return value.network_address, value.broadcast_address
    if isinstance(value, tuple) and len(value) == 2:
        low, high = value
        if isinstance(low, (ipaddress.IPv4Address, ipaddress.IPv6Address)) and type(low) is type(high):
            return low, high
    return None
