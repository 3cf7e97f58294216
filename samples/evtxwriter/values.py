"""The typed values of BinXml: from Python to (type number, bytes).

Type numbers are those that Windows writes into the substitution descriptors of the Security channel. ``None`` is
always the null type with no bytes, whatever the field's own type: that is how optional values are left out.
"""

from __future__ import annotations

import datetime as dt
import functools
import struct
import uuid
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Kind = Literal["string", "u8", "u16", "u32", "u64", "hex32", "hex64", "guid", "sid", "filetime"]
Value = str | int | dt.datetime | None

NULL: Final = 0x00
BINXML: Final = 0x21
TYPE_NUMBER: Final[dict[Kind, int]] = {
    "string": 0x01,
    "u8": 0x04,
    "u16": 0x06,
    "u32": 0x08,
    "u64": 0x0A,
    "guid": 0x0F,
    "filetime": 0x11,
    "sid": 0x13,
    "hex32": 0x14,
    "hex64": 0x15,
}

_EPOCH: Final = dt.datetime(1601, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


def filetime(time: int | dt.datetime) -> int:
    """Return 100 ns units since 1601 in UTC; an integer is taken as such units already."""
    if isinstance(time, int):
        return time
    if time.tzinfo is None:
        raise ValueError("a time without a zone cannot be written")
    return (time - _EPOCH) // _MICROSECOND * 10


@functools.lru_cache(maxsize=65536)
def _string(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


@functools.lru_cache(maxsize=4096)
def guid_bytes(text: str) -> bytes:
    """Return the 16 bytes of a GUID in text form, with or without braces."""
    return uuid.UUID(text).bytes_le


@functools.lru_cache(maxsize=4096)
def sid_bytes(text: str) -> bytes:
    """Return the binary form of ``S-1-<authority>-<sub>…``."""
    parts = text.split("-")
    if len(parts) < 3 or parts[0] != "S":
        raise ValueError(f"not a SID: {text}")
    revision, authority, subs = int(parts[1]), int(parts[2]), [int(p) for p in parts[3:]]
    return struct.pack("<BB", revision, len(subs)) + authority.to_bytes(6, "big") + struct.pack(f"<{len(subs)}I", *subs)


_PACK: Final[dict[Kind, Callable[[int], bytes]]] = {
    "u8": struct.Struct("<B").pack,
    "u16": struct.Struct("<H").pack,
    "u32": struct.Struct("<I").pack,
    "u64": struct.Struct("<Q").pack,
    "hex32": struct.Struct("<I").pack,
    "hex64": struct.Struct("<Q").pack,
    "filetime": struct.Struct("<Q").pack,
}
_TEXTUAL: Final[dict[Kind, Callable[[str], bytes]]] = {"string": _string, "guid": guid_bytes, "sid": sid_bytes}


def encode(kind: Kind, value: Value) -> tuple[int, bytes]:
    """Return the descriptor's type number and the bytes of one value."""
    if value is None:
        return NULL, b""
    if isinstance(value, str):
        return TYPE_NUMBER[kind], _TEXTUAL[kind](value)
    return TYPE_NUMBER[kind], _PACK[kind](value if isinstance(value, int) else filetime(value))


class Packed(NamedTuple):
    """The values of one template instance: their number, their descriptors and their bytes one after another."""

    number: int
    descriptors: bytes
    data: bytes


@functools.cache
def _descriptors(count: int) -> struct.Struct:
    return struct.Struct("<" + "HH" * count)


def pack(values: Iterable[tuple[int, bytes]]) -> Packed:
    """Pack (type number, bytes) pairs; a descriptor is size, type and a zero byte."""
    flat: list[int] = []
    parts: list[bytes] = []
    for kind, raw in values:
        flat += (len(raw), kind)
        parts.append(raw)
    try:
        descriptors = _descriptors(len(parts)).pack(*flat)
    except struct.error:
        raise ValueError(f"a value of {max(flat)} bytes does not fit into its descriptor") from None
    return Packed(len(parts), descriptors, b"".join(parts))
