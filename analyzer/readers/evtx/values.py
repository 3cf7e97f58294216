"""BinXml values: type numbers, and what each becomes as text, number or time (MS-EVEN6 2.2.12, libevtx 5.2)."""

from __future__ import annotations

import re
import struct
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

NULL: Final = 0x00
STRING: Final = 0x01
ANSI: Final = 0x02
BINARY: Final = 0x0E
SIZE_T: Final = 0x10
FILETIME: Final = 0x11
SYSTEMTIME: Final = 0x12
SID: Final = 0x13
BINXML: Final = 0x21
EVT_XML: Final = 0x23
ARRAY: Final = 0x80

EPOCH: Final = 116_444_736_000_000_000  # 1970 as a FILETIME: 100 ns since 1601
_NS_MAX: Final = 2**63 - 1

# type -> (struct format, is printed in hex) for the fixed-size numbers
_NUMBERS: Final[dict[int, tuple[str, bool]]] = {
    0x03: ("<b", False),
    0x04: ("<B", False),
    0x05: ("<h", False),
    0x06: ("<H", False),
    0x07: ("<i", False),
    0x08: ("<I", False),
    0x09: ("<q", False),
    0x0A: ("<Q", False),
    0x14: ("<I", True),
    0x15: ("<Q", True),
}
NUMBERS: Final[dict[int, struct.Struct]] = {kind: struct.Struct(form) for kind, (form, _) in _NUMBERS.items()}
_HEX: Final = frozenset(kind for kind, (_, is_hex) in _NUMBERS.items() if is_hex)
_DECIMAL_TEXT = re.compile(r"[0-9]{1,20}", re.ASCII)
_HEX_TEXT = re.compile(r"0[xX][0-9a-fA-F]{1,16}", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?\s?(?:Z|UTC)?", re.ASCII)


class BadValueError(ValueError):
    """A value whose bytes do not fit its type."""


def integer(kind: int, data: bytes) -> int | None:
    """Return the number of a value of integer type (also hexadecimal and pointer-sized), None for other types."""
    form = NUMBERS.get(kind)
    if form is not None:
        if len(data) != form.size:
            raise BadValueError(f"a number of type 0x{kind:02x} with {len(data)} bytes")
        return int(form.unpack(data)[0])
    if kind == SIZE_T:
        if len(data) not in (4, 8):
            raise BadValueError(f"a pointer-sized number with {len(data)} bytes")
        return int.from_bytes(data, "little")
    return None


def number_of_text(text: str) -> int | None:
    """Return the number that a text writes, decimal or ``0x`` hex, from 0 to 2**64-1; None for any other text."""
    text = text.strip(" ")
    if _DECIMAL_TEXT.fullmatch(text):
        value = int(text)
    elif _HEX_TEXT.fullmatch(text):
        value = int(text, 16)
    else:
        return None
    return value if value < 2**64 else None


def filetime_ns(ticks: int) -> int | None:
    """Return nanoseconds since 1970 for 100 ns ticks since 1601, None where ``datetime64[ns]`` ends."""
    value = (ticks - EPOCH) * 100
    return value if -_NS_MAX <= value <= _NS_MAX else None


def iso_ns(text: str) -> int | None:
    """Return nanoseconds since 1970 for a time as text (``2024-01-02T03:04:05.1234567Z``), None for other text."""
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    fraction = (match[7] or "").ljust(9, "0")
    try:
        seconds = np.datetime64(f"{match[1]}-{match[2]}-{match[3]}T{match[4]}:{match[5]}:{match[6]}", "s").astype(
            np.int64
        )
    except ValueError:
        return None
    value = int(seconds) * 1_000_000_000 + int(fraction)
    return value if -_NS_MAX <= value <= _NS_MAX else None


def filetime_text(ticks: int) -> str:
    """Return a FILETIME as RFC 3339 text in UTC with seven decimals; ticks beyond the year 9999 stay a number."""
    seconds, fraction = divmod(ticks, 10_000_000)
    stamp = np.datetime64(seconds - EPOCH // 10_000_000, "s")
    text = str(stamp)
    return f"{text}.{fraction:07d}Z" if len(text) == 19 else str(ticks)


@lru_cache(maxsize=4096)
def sid_text(data: bytes) -> str:
    """Return a security identifier as ``S-1-…`` text."""
    if len(data) < 8 or len(data) < 8 + 4 * data[1]:
        raise BadValueError(f"a SID with {len(data)} bytes")
    authority = int.from_bytes(data[2:8], "big")
    words = struct.unpack_from(f"<{data[1]}I", data, 8)
    head = f"0x{authority:012X}" if authority >= 2**32 else str(authority)
    return "-".join(("S", str(data[0]), head, *map(str, words)))


def guid_text(data: bytes) -> str:
    """Return a GUID in lower case and braces."""
    if len(data) != 16:
        raise BadValueError(f"a GUID with {len(data)} bytes")
    return f"{{{uuid.UUID(bytes_le=data)}}}"


def string_text(data: bytes) -> str:
    """Return UTF-16 text without trailing NULs; a lone surrogate becomes U+FFFD."""
    return _short_text(data) if len(data) <= 512 else _decode(data)


def _decode(data: bytes) -> str:
    return data.decode("utf-16-le", "replace").rstrip("\0")


# audit logs repeat the same few texts: one object each saves time and memory
_short_text = lru_cache(maxsize=16384)(_decode)


def _systemtime(data: bytes) -> str:
    if len(data) != 16:
        raise BadValueError(f"a SYSTEMTIME with {len(data)} bytes")
    year, month, _, day, hour, minute, second, milli = struct.unpack("<8H", data)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{milli:03d}Z"


def _filetime(data: bytes) -> str:
    if len(data) != 8:
        raise BadValueError(f"a FILETIME with {len(data)} bytes")
    return filetime_text(int.from_bytes(data, "little"))


def _boolean(data: bytes) -> str:
    if len(data) not in (1, 2, 4, 8):
        raise BadValueError(f"a boolean with {len(data)} bytes")
    return "true" if any(data) else "false"


def _real(form: str) -> Callable[[bytes], str]:
    size = struct.calcsize(form)

    def read(data: bytes) -> str:
        if len(data) != size:
            raise BadValueError(f"a real number with {len(data)} bytes")
        return str(np.float32(struct.unpack(form, data)[0]) if size == 4 else struct.unpack(form, data)[0])

    return read


_TEXTS: Final[dict[int, Callable[[bytes], str]]] = {
    STRING: string_text,
    ANSI: lambda data: data.decode("cp1252", "replace").rstrip("\0"),
    0x0B: _real("<f"),
    0x0C: _real("<d"),
    0x0D: _boolean,
    BINARY: lambda data: data.hex().upper(),
    0x0F: guid_text,
    FILETIME: _filetime,
    SYSTEMTIME: _systemtime,
    SID: sid_text,
    EVT_XML: string_text,
}


def text(kind: int, data: bytes) -> str:
    """Return a value as text: numbers decimal, or ``0x`` hex where the type says so.

    Raises
    ------
    BadValueError
        When the bytes do not fit the type, or the type is not known.
    """
    reader = _TEXTS.get(kind)
    if reader is not None:
        return reader(data)
    number = integer(kind, data)
    if number is None:
        raise BadValueError(f"a value of the unknown type 0x{kind:02x}")
    return f"0x{number:x}" if kind in _HEX or kind == SIZE_T else str(number)


def items(kind: int, data: bytes) -> list[tuple[int, bytes]]:
    """Split an array value into the type and bytes of its items.

    Raises
    ------
    BadValueError
        When the bytes do not divide into items, or there are no arrays of this type.
    """
    kind &= ~ARRAY
    if kind == STRING:
        return [(kind, part.encode("utf-16-le", "surrogatepass")) for part in _split(data, "utf-16-le")]
    if kind == ANSI:
        parts = data.split(b"\0")
        return [(kind, part) for part in (parts[:-1] if parts[-1] == b"" else parts)]
    if kind == SID:
        return _sids(data)
    size = NUMBERS[kind].size if kind in NUMBERS else _ITEM_SIZES.get(kind)
    if size is None or len(data) % size:
        raise BadValueError(f"an array of type 0x{kind:02x} with {len(data)} bytes")
    return [(kind, data[at : at + size]) for at in range(0, len(data), size)]


_ITEM_SIZES: Final[dict[int, int]] = {0x0B: 4, 0x0C: 8, 0x0D: 4, 0x0F: 16, SIZE_T: 8, FILETIME: 8, SYSTEMTIME: 16}


def _split(data: bytes, encoding: str) -> list[str]:
    parts = data.decode(encoding, "replace").split("\0")
    return parts[:-1] if parts[-1] == "" else parts


def _sids(data: bytes) -> list[tuple[int, bytes]]:
    out: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data) or at + 8 + 4 * data[at + 1] > len(data):
            raise BadValueError(f"an array of SIDs with {len(data)} bytes")
        end = at + 8 + 4 * data[at + 1]
        out.append((SID, data[at:end]))
        at = end
    return out
