"""The zip format: its table of contents and its local headers.

Source: PKWARE's APPNOTE.TXT 6.3.10 (sections 4.3 to 4.5), and Info-ZIP's ``extrafld.txt`` for times. Headers are read
one by one from a stream, so that a table of contents can't fill the memory. Nothing here decides what is allowed: see
:mod:`analyzer.archive`.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL_MAGIC: Final = b"PK\x03\x04"
EMPTY_MAGIC: Final = b"PK\x05\x06"
STORED: Final = 0
DEFLATED: Final = 8
METHODS: Final[dict[int, str]] = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64",  # what Windows itself uses for members of more than 2 GB
    12: "bzip2",
    14: "LZMA",
    20: "Zstandard",
    93: "Zstandard",
    95: "XZ",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
    99: "AES encryption",
}
ENCRYPTED: Final = 0x1 | 0x40 | 0x2000  # by password, strongly, with hidden names
DESCRIPTOR: Final = 0x8
PATCH: Final = 0x20
UTF8: Final = 0x800

_NAME_KEPT: Final = 4096  # bytes kept of the end of a name: 10,000 names of 64 KiB would fill the memory
_WHOLE_32: Final = 0xFFFFFFFF
_WHOLE_16: Final = 0xFFFF
_EPOCH_1601: Final = 116_444_736_000_000_000  # FILETIME of 1970, in 100 ns

_END: Final = struct.Struct("<4s4H2IH")
_END64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR: Final = struct.Struct("<4sIQI")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_LOCAL: Final = struct.Struct("<4s5H3I2H")


class ZipError(ValueError):
    """The archive, or a member of it, can't be read; ``place`` is an offset in the file."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(what)
        self.place = f"offset {offset}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the archive describes it; nothing of it may be believed.

    ``packed``, ``size`` and ``crc`` are None where they stand behind the member only. ``offset`` is that of its local
    header. ``modified_ns`` counts from 1970 in UTC and is None unless the archive gives a time in UTC; ``local_time``
    is the DOS time, ISO 8601 in an unknown zone.
    """

    name: str
    encoding: str | None  # what the name was read as, where the archive does not say it
    flags: int
    method: int
    offset: int
    crc: int | None
    packed: int | None
    size: int | None
    attributes: int
    modified_ns: int | None
    local_time: str | None


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the table of contents lies. ``shift`` is how much stands before the archive; ``count`` is as claimed."""

    offset: int
    end: int
    count: int
    shift: int


def find_directory(stream: BinaryIO, size: int) -> Directory:
    """Find the table of contents from the end of the file.

    Raises
    ------
    ZipError
        There is none, or it can't lie where it is said to.
    """
    tail_at = max(0, size - _END.size - _WHOLE_16)
    stream.seek(tail_at)
    tail = stream.read(_END.size + _WHOLE_16)
    found = tail.rfind(EMPTY_MAGIC)
    while found >= 0 and len(tail) - found < _END.size:
        found = tail.rfind(EMPTY_MAGIC, 0, found)
    if found < 0:
        raise ZipError("its table of contents is missing", size)
    end = tail_at + found
    _, disk, first_disk, _, count, length, offset, _ = _END.unpack_from(tail, found)
    if _WHOLE_32 in {length, offset} or _WHOLE_16 in {count, disk}:
        end, disk, first_disk, count, length, offset = _zip64(stream, end) or (
            *(end, disk, first_disk, count, length, offset),
        )
    if disk or first_disk:
        raise ZipError("is one part of an archive that was split", end)
    shift = end - length - offset
    if shift < 0:
        raise ZipError("its table of contents can't lie where it is said to", end)
    return Directory(end - length, end, count, shift)


def _zip64(stream: BinaryIO, end: int) -> tuple[int, int, int, int, int, int] | None:
    """Return end, disk, first disk, count, length and offset of the 64-bit form, or None where there is none."""
    if end < _LOCATOR.size:
        return None
    stream.seek(end - _LOCATOR.size)
    magic, _, at, _ = _LOCATOR.unpack(stream.read(_LOCATOR.size))
    if magic != b"PK\x06\x07":
        return None
    # With something before the archive the offset is wrong: the record then stands right before its locator.
    for place in (at, end - _LOCATOR.size - _END64.size):
        if 0 <= place <= end - _LOCATOR.size - _END64.size:
            stream.seek(place)
            magic, _, _, _, disk, first_disk, _, count, length, offset = _END64.unpack(stream.read(_END64.size))
            if magic == b"PK\x06\x06":
                return place, disk, first_disk, count, length, offset
    raise ZipError("its 64-bit table of contents is missing", end)


def entries(stream: BinaryIO, directory: Directory) -> Iterator[Entry]:
    """Yield the members of the table of contents, in its order.

    Raises
    ------
    ZipError
        The table is damaged: what follows can't be told.
    """
    at = directory.offset
    while at < directory.end:
        stream.seek(at)
        head = _exact(stream, _CENTRAL.size, at)
        magic, _, _, flags, method, time, date, crc, packed, size, name, extra, note, _, _, attributes, offset = (
            _CENTRAL.unpack(head)
        )
        if magic != b"PK\x01\x02":
            raise ZipError("its table of contents is damaged", at)
        raw, more = _exact(stream, name, at), _exact(stream, extra, at)
        fields = _extra(more)
        wide = iter(_numbers(fields.get(0x0001, b"")))
        size, packed, offset = (next(wide, value) if value == _WHOLE_32 else value for value in (size, packed, offset))
        made = _entry(raw, flags, method, fields, _dos_time(date, time))
        yield replace(made, offset=offset + directory.shift, crc=crc, packed=packed, size=size, attributes=attributes)
        at += _CENTRAL.size + name + extra + note


def local_entry(stream: BinaryIO, offset: int) -> tuple[Entry, int]:
    """Return a member as its local header describes it, and where its bytes begin.

    Raises
    ------
    ZipError
        There is no local header at this offset.
    """
    stream.seek(offset)
    head = _exact(stream, _LOCAL.size, offset)
    magic, _, flags, method, time, date, crc, packed, size, name, extra = _LOCAL.unpack(head)
    if magic != LOCAL_MAGIC:
        raise ZipError("there is no member where the table of contents says", offset)
    raw, more = _exact(stream, name, offset), _exact(stream, extra, offset)
    fields = _extra(more)
    wide = iter(_numbers(fields.get(0x0001, b"")))
    size, packed = (next(wide, value) if value == _WHOLE_32 else value for value in (size, packed))
    made = replace(_entry(raw, flags, method, fields, _dos_time(date, time)), offset=offset)
    if not flags & DESCRIPTOR:
        made = replace(made, crc=crc, packed=packed, size=size)
    return made, offset + _LOCAL.size + name + extra


def after_descriptor(stream: BinaryIO, at: int) -> int:
    """Return where the next header begins behind a member whose sizes follow it; the place itself if none does."""
    stream.seek(at)
    near = stream.read(32)
    lengths = (12, 16, 20, 24)  # with 32 or 64 bits, without and with a signature of its own
    return next((at + n for n in lengths if near[n : n + 4] in {LOCAL_MAGIC, b"PK\x01\x02"}), at)


# --------------------------------------------------------------------------------------------------------------
# Fields


def _exact(stream: BinaryIO, count: int, offset: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise ZipError("a header is cut", offset)
    return data


def _extra(data: bytes) -> dict[int, bytes]:
    """Split an extra field; the first of equal ids counts, and what is cut is dropped."""
    out: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        if at + 4 + length <= len(data):
            out.setdefault(kind, data[at + 4 : at + 4 + length])
        at += 4 + length
    return out


def _numbers(data: bytes) -> tuple[int, ...]:
    """Return the 64-bit numbers of the zip64 extra field."""
    count = min(len(data) // 8, 3)
    return struct.unpack_from(f"<{count}Q", data)


def _entry(raw: bytes, flags: int, method: int, fields: dict[int, bytes], local_time: str | None) -> Entry:
    name, encoding = _name(raw, flags, fields)
    return Entry(name, encoding, flags, method, 0, None, None, None, 0, _modified(fields), local_time)


def _name(raw: bytes, flags: int, fields: dict[int, bytes]) -> tuple[str, str | None]:
    """Return a member's name, and as what it was read where the archive does not say."""
    if flags & UTF8 or raw.isascii():
        return _end(raw).decode("utf-8", "replace"), None
    other = fields.get(0x7075, b"")  # Info-ZIP's Unicode path, good for this very name alone
    if len(other) > 5 and other[0] == 1 and other[1:5] == struct.pack("<I", zlib.crc32(raw)):
        return _end(other[5:]).decode("utf-8", "replace"), None
    try:
        return raw.decode("utf-8")[-_NAME_KEPT:], "UTF-8"
    except UnicodeDecodeError:
        return _end(raw).decode("cp437"), "code page 437"  # defined for every byte


def _end(name: bytes) -> bytes:
    return name[-_NAME_KEPT:]


def _modified(fields: dict[int, bytes]) -> int | None:
    """Return the time of the last change where it is given in UTC: by NTFS (100 ns) or by Unix (seconds)."""
    ntfs = fields.get(0x000A, b"")
    if len(ntfs) >= 16 and struct.unpack_from("<HH", ntfs, 4) == (1, 24):
        filetime = int(struct.unpack_from("<Q", ntfs, 8)[0])
        return (filetime - _EPOCH_1601) * 100 if filetime else None
    unix = fields.get(0x5455, b"")
    if len(unix) >= 5 and unix[0] & 1:
        return int(struct.unpack_from("<i", unix, 1)[0]) * 1_000_000_000
    return None


def _dos_time(date: int, time: int) -> str | None:
    """Return the DOS time (whole two seconds) as ISO 8601 without a zone, or None where there is none."""
    try:
        moment = datetime(  # noqa: DTZ001 - the archive says no zone
            *((date >> 9) + 1980, date >> 5 & 15, date & 31), *(time >> 11, time >> 5 & 63, (time & 31) * 2)
        )
    except ValueError:
        return None
    return moment.isoformat()
