"""Recorded flows as arrays, ready to be compared with filter conditions.

``FlowArrays`` holds, per row, what an event says of a packet or connection. All arrays have shape ``(n,)``.
Addresses are kept as family and two 64-bit halves, so that ranges of IPv4 and IPv6 compare without Python objects.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOW64 = (1 << 64) - 1
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Addresses:
    """Parsed addresses: ``family`` int8 (4, 6, or 0 when missing or unreadable), ``high`` and ``low`` uint64."""

    family: NDArray[np.int8]
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]

    def take(self, rows: NDArray[np.intp]) -> Addresses:
        """Return the addresses of these rows."""
        return Addresses(self.family[rows], self.high[rows], self.low[rows])


def split_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> tuple[int, int, int]:
    """Return family, high and low half of one address."""
    number = int(address)
    return address.version, number >> 64, number & LOW64


@lru_cache(maxsize=1 << 16)  # several steps read the same addresses
def parse_address(text: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
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


@dataclass(frozen=True, slots=True)
class FlowArrays:
    """One row per recorded flow or event. ``UNKNOWN`` (-1) stands for a number that the record does not give."""

    application: NDArray[np.object_]  # lower-case device path, or None
    protocol: NDArray[np.int64]
    local: Addresses
    remote: Addresses
    local_port: NDArray[np.int64]  # for ICMP: the type (`fwpsk.h` alias fields)
    remote_port: NDArray[np.int64]  # for ICMP: the code
    order_certain: NDArray[np.bool_]  # False: local and remote may be the other way round
    loopback: NDArray[np.int8]  # 1 yes, 0 cannot tell, -1 no
    original_profile: NDArray[np.int64]
    current_profile: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.protocol)

    def take(self, rows: NDArray[np.intp]) -> FlowArrays:
        """Return the flows of these rows."""
        values: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            values[item.name] = value.take(rows) if isinstance(value, Addresses) else value[rows]
        return FlowArrays(**values)

    def swapped(self) -> FlowArrays:
        """Return the same flows with local and remote exchanged."""
        return FlowArrays(
            application=self.application,
            protocol=self.protocol,
            local=self.remote,
            remote=self.local,
            local_port=self.remote_port,
            remote_port=self.local_port,
            order_certain=self.order_certain,
            loopback=self.loopback,
            original_profile=self.original_profile,
            current_profile=self.current_profile,
        )


EMBEDDED_LAYERS = tuple(
    f"{direction}BOUND_ICMP_ERROR_V{family}{end}"
    for direction in ("IN", "OUT")
    for family in (4, 6)
    for end in ("", "_DISCARD")
)
PROFILE_WORDS = {"none": 0, "public": 1, "private": 2, "domain": 3}
TRUE_WORDS = frozenset({"true", "1", "yes"})
FALSE_WORDS = frozenset({"false", "0", "no"})


def _by_category(column: pd.Series, read: Any, missing: int, dtype: Any) -> NDArray[Any]:
    """Apply ``read`` to each distinct text of a category column."""
    as_category = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    table = np.array([read(text) for text in as_category.cat.categories] + [missing], dtype=dtype)
    return table[as_category.cat.codes.to_numpy()]


def _profile(text: str) -> int:
    """Read a profile id; the raw text form is unconfirmed (REFERENCE 11, item 5), so unknown words stay unknown."""
    word = text.strip().lower()
    if word.isascii() and word.isdigit() and len(word) == 1:
        return int(word)
    return PROFILE_WORDS.get(word, UNKNOWN)


def _truth(text: str) -> int:
    word = text.strip().lower()
    return 1 if word in TRUE_WORDS else -1 if word in FALSE_WORDS else 0


def _is_loopback(item: Addresses) -> NDArray[np.bool_]:
    """Tell 127.0.0.0/8 and ::1."""
    four = (item.family == 4) & ((item.low >> np.uint64(24)) == np.uint64(127))
    six = (item.family == 6) & (item.high == 0) & (item.low == 1)
    out: NDArray[np.bool_] = four | six
    return out


def numbers(column: pd.Series) -> NDArray[np.int64]:
    """Return a nullable number column as int64 with ``UNKNOWN`` for missing or absurdly large values."""
    filled = column.to_numpy(dtype="uint64", na_value=np.uint64(LOW64))
    return np.where(filled > np.uint64(2**62), np.int64(UNKNOWN), filled.astype(np.int64))


def from_events(events: pd.DataFrame) -> FlowArrays:
    """Build the arrays from oriented events (see :mod:`analyzer.addressing`)."""
    local, remote = addresses(events["local_address"]), addresses(events["remote_address"])
    said = _by_category(events["is_loopback"], _truth, 0, np.int8)
    both = (local.family != 0) & (remote.family != 0)
    same = both & (local.family == remote.family) & (local.high == remote.high) & (local.low == remote.low)
    inside = same | _is_loopback(local) | _is_loopback(remote)
    # Two different addresses may both be the host's own, and then the packet loops back: that cannot be told.
    own = events["remote_address"].isin(events["local_address"].dropna().unique()).to_numpy()
    loopback = np.where(said != 0, said, np.where(inside, 1, np.where(both & ~own, -1, 0))).astype(np.int8)
    # Measured: at the ICMP-error layers events carry zeros, or protocol, ports and addresses of the embedded packet.
    embedded = events["layer"].isin(EMBEDDED_LAYERS).to_numpy()
    near = Addresses(np.where(embedded, 0, local.family), local.high, local.low)
    far = Addresses(np.where(embedded, 0, remote.family), remote.high, remote.low)
    application = np.array([text.lower() for text in events["application"].cat.categories] + [None], dtype=object)[
        events["application"].cat.codes.to_numpy()
    ]
    return FlowArrays(
        application=application,
        protocol=np.where(embedded, UNKNOWN, numbers(events["protocol"])),
        local=near,
        remote=far,
        local_port=np.where(embedded, UNKNOWN, numbers(events["local_raw_port"])),
        remote_port=np.where(embedded, UNKNOWN, numbers(events["remote_raw_port"])),
        order_certain=(events["endpoint_order"] == "certain").to_numpy(dtype=bool),
        loopback=loopback,
        original_profile=_by_category(events["original_profile"], _profile, UNKNOWN, np.int64),
        current_profile=_by_category(events["current_profile"], _profile, UNKNOWN, np.int64),
    )
