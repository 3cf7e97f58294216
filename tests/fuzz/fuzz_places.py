"""Where the structures of a chunk stand: a small walker of its own, so that a fault of the reader's is not shared.

It believes the chunk, stops where something does not fit, and never fails: the chunks that it walks are sound.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

CHUNK = 0x10000
RECORDS_AT = 0x200
BINXML = 0x21
MAX_NESTED = 4
# bytes that may be a token of BinXml, with and without the flag for "more follows"
TOKENS = frozenset({0x01, 0x41, 0x02, 0x03, 0x04, 0x05, 0x45, 0x06, 0x46, 0x0C, 0x0D, 0x0E, 0x0F})

# name of a field -> offset and size; of a chunk's header (libevtx documentation, 3)
CHUNK_FIELDS = {
    "chunk.magic": (0x00, 8),
    "chunk.first number": (0x08, 8),
    "chunk.last number": (0x10, 8),
    "chunk.first id": (0x18, 8),
    "chunk.last id": (0x20, 8),
    "chunk.header size": (0x28, 4),
    "chunk.last record": (0x2C, 4),
    "chunk.used": (0x30, 4),
    "chunk.records sum": (0x34, 4),
    "chunk.flags": (0x78, 4),
    "chunk.header sum": (0x7C, 4),
}


@dataclass(slots=True)
class Places:
    """Offsets in the chunk by what stands there, each with its size in bytes."""

    by_name: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    records: list[tuple[int, int]] = field(default_factory=list)  # start and size
    definitions: list[tuple[int, int]] = field(default_factory=list)  # start of the 24 bytes before, size of the body
    used: int = RECORDS_AT

    def add(self, name: str, at: int, size: int) -> None:
        self.by_name.setdefault(name, []).append((at, size))


def find_records(chunk: bytes) -> list[tuple[int, int]]:
    """Return start and size of the records of a chunk."""
    out = []
    end = min(struct.unpack_from("<I", chunk, 0x30)[0], CHUNK)
    at = RECORDS_AT
    while at + 28 <= end and chunk[at : at + 4] == b"**\0\0":
        (size,) = struct.unpack_from("<I", chunk, at + 4)
        if size < 28 or at + size > CHUNK:
            break
        out.append((at, size))
        at += size
    return out


def find_places(chunk: bytes) -> Places:
    """Walk the records of a chunk, and what stands in them."""
    places = Places(records=find_records(chunk), used=struct.unpack_from("<I", chunk, 0x30)[0])
    for name, (at, size) in CHUNK_FIELDS.items():
        places.add(name, at, size)
    for slot in range(64):
        places.add("chunk.string table", 0x80 + 4 * slot, 4)
    for slot in range(32):
        places.add("chunk.template table", 0x180 + 4 * slot, 4)
    for at, size in places.records:
        for name, offset, width in (
            ("record.magic", 0, 4),
            ("record.size", 4, 4),
            ("record.number", 8, 8),
            ("record.written", 16, 8),
            ("record.size copy", size - 4, 4),
        ):
            places.add(name, at + offset, width)
        _fragment(chunk, at + 24, at + size - 4, places, "outer", 0)
    return places


def _fragment(chunk: bytes, at: int, end: int, places: Places, level: str, depth: int) -> None:
    """Note the places of a fragment: its head, a definition that stands here, descriptors and values."""
    if depth > MAX_NESTED or at + 14 > end:
        return
    places.add(f"{level}.fragment head", at, 4)
    if chunk[at] == 0x0F:
        at += 4
    if chunk[at] & 0x0F != 0x0C:
        _tokens(chunk, at, end, places)
        return
    places.add(f"{level}.instance token", at, 2)
    places.add(f"{level}.template id", at + 2, 4)
    places.add(f"{level}.template offset", at + 6, 4)
    (offset,) = struct.unpack_from("<I", chunk, at + 6)
    at += 10
    if offset == at:
        if at + 24 > end:
            return
        (size,) = struct.unpack_from("<I", chunk, at + 20)
        if at + 24 + size > end:
            return
        places.add("definition.next", at, 4)
        places.add("definition.guid", at + 4, 16)
        places.add("definition.size", at + 20, 4)
        places.definitions.append((at, size))
        _tokens(chunk, at + 24, at + 24 + size, places)
        at += 24 + size
    _values(chunk, at, end, places, level, depth)


def _values(chunk: bytes, at: int, end: int, places: Places, level: str, depth: int) -> None:
    if at + 4 > end:
        return
    (count,) = struct.unpack_from("<I", chunk, at)
    places.add(f"{level}.value count", at, 4)
    value = at + 4 + 4 * count
    if value > end:
        return
    for slot in range(count):
        descriptor = at + 4 + 4 * slot
        size, kind = struct.unpack_from("<HB", chunk, descriptor)
        places.add(f"{level}.value size", descriptor, 2)
        places.add(f"{level}.value type", descriptor + 2, 1)
        if value + size > end:
            return
        if kind == BINXML and size:
            _fragment(chunk, value, value + size, places, "inner", depth + 1)
        elif size:
            places.add(f"{level}.value", value, size)
        value += size


def _tokens(chunk: bytes, start: int, end: int, places: Places) -> None:
    """Note what looks like a token or a name in a definition's body; a guess costs nothing here."""
    for at in range(start, end):
        if chunk[at] in TOKENS:
            places.add("body.token", at, 1)
            if chunk[at] in {0x0D, 0x0E} and at + 4 <= end:
                places.add("body.substitution", at + 1, 2)
                places.add("body.substitution type", at + 3, 1)
        if at + 12 <= end and struct.unpack_from("<I", chunk, at)[0] == at + 4:
            places.add("name.offset", at, 4)
            places.add("name.next", at + 4, 4)
            places.add("name.hash", at + 8, 2)
            places.add("name.count", at + 10, 2)
        elif at + 4 <= end and chunk[at - 1] in {0x01, 0x06, 0x46} and chunk[at + 2 : at + 4] == b"\0\0":
            places.add("name.offset", at, 4)
