"""The sound logs that mutants are made from: a header and some small chunks, cut from real logs and made ones.

A *piece* is a chunk of 64 KiB that keeps its first records only (their definitions stand before them), so that
a change hits what matters; some pieces keep all. A *base* is a log of ``SLOTS`` pieces drawn by a seed.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from fuzz_places import CHUNK, RECORDS_AT, Places, find_places, find_records

from samples.evtxwriter import SHAPES, Record, write_log

HEAD = 0x1000
SLOTS = 24
NO_CRC = 0x4
ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
START = 133_800_000_000_000_000  # a FILETIME in 2024
_LENGTHS = (9, 4, 1000, 20, 1, 30)  # records that a piece keeps, in turn
_PER_LOG = 6
_TELLING = ("made", "security", "515", "sysmon", "system.")  # logs with events that are read are drawn more often


@dataclass(frozen=True)
class Piece:
    """One chunk and where it is from."""

    source: str
    data: bytes

    @cached_property
    def places(self) -> Places:
        return find_places(self.data)


@dataclass(frozen=True, slots=True)
class Base:
    """One sound log."""

    number: int
    content: bytes
    pieces: tuple[Piece, ...]
    checksums: bool


def crc_of_header(data: bytes | bytearray, at: int = 0) -> int:
    return zlib.crc32(data[at + 0x80 : at + RECORDS_AT], zlib.crc32(data[at : at + 0x78]))


def fix_sums(data: bytearray, at: int = 0) -> None:
    """Set both checksums of the chunk at ``at`` right, as far as its header allows."""
    (used,) = struct.unpack_from("<I", data, at + 0x30)
    if RECORDS_AT <= used <= CHUNK:
        struct.pack_into("<I", data, at + 0x34, zlib.crc32(data[at + RECORDS_AT : at + used]))
    struct.pack_into("<I", data, at + 0x7C, crc_of_header(data, at))


def cut(chunk: bytes, records: int) -> bytes:
    """Return the chunk with its first records alone, as if no more had been written yet."""
    found = find_records(chunk)[:records]
    if not found:
        return chunk
    last, size = found[-1]
    end = last + size
    out = bytearray(chunk[:end].ljust(CHUNK, b"\0"))
    (number,) = struct.unpack_from("<Q", out, last + 8)
    for at in (0x10, 0x20):
        struct.pack_into("<Q", out, at, number)
    struct.pack_into("<II", out, 0x2C, last, end)
    for at in range(0x80, RECORDS_AT, 4):
        if struct.unpack_from("<I", out, at)[0] >= end:
            struct.pack_into("<I", out, at, 0)
    fix_sums(out)
    return bytes(out)


def file_header(chunks: int, *, checksums: bool) -> bytes:
    out = bytearray(HEAD)
    struct.pack_into("<8sQQQIHHHH", out, 0, b"ElfFile\0", 0, chunks - 1, 1, 128, 1, 3, HEAD, chunks)
    struct.pack_into("<I", out, 0x78, 0 if checksums else NO_CRC)
    struct.pack_into("<I", out, 0x7C, zlib.crc32(out[:0x78]))
    return bytes(out)


def _made(style: str, seed: int) -> bytes:
    """Return a log with every event and version, in an order of its own."""
    pick = random.Random(seed)
    shapes = list(SHAPES.values())
    texts = ("-", "", "%%14592", "10.0.0.1", "fe80::1", "443", "Größe 😀", "x" * 200, "host", "8")
    records = []
    for number in range(160):
        shape = shapes[number % len(shapes)] if number < len(shapes) else pick.choice(shapes)
        fields: dict[str, object] = {}
        for name, kind in shape.fields:
            if kind == "string":
                fields[name] = pick.choice(texts)
            elif kind == "sid":
                fields[name] = pick.choice(("S-1-0-0", "S-1-5-18", "S-1-5-21-1-2-3-1001"))
            elif kind == "guid":
                fields[name] = f"{{00000000-0000-0000-0000-{pick.randrange(5):012x}}}"
            elif kind == "filetime":
                fields[name] = START + number
            else:
                fields[name] = pick.randrange(1 << {"u8": 8, "u16": 16, "u32": 32, "hex32": 32}.get(kind, 63))
        records.append(
            Record(
                shape.event_id,
                shape.version,
                START + number * 1_000_000,
                number + 1,
                pick.choice(("one.example", "two.example")),
                fields,
                variant=shape.variant,
                shape=shape,
            )
        )
    pick.shuffle(records)
    stream = io.BytesIO()
    write_log(stream, records, style=style)
    return stream.getvalue()


def _logs() -> list[tuple[str, bytes]]:
    """Return every log that pieces are cut from: made ones, the shipped ones, and real ones where they are."""
    out = [(f"made {style} {seed}", _made(style, seed)) for style in ("values", "text") for seed in range(3)]
    paths = sorted((ROOT / "samples").rglob("*.evtx"))
    for folder in ("evtx", "evtx-corpus", "damaged"):
        paths += sorted((SHARED / folder).glob("*.evtx"))
    for path in paths:
        with path.open("rb") as stream:
            out.append((path.name, stream.read(HEAD + 48 * CHUNK)))
    return out


@lru_cache(maxsize=1)
def pieces() -> tuple[tuple[Piece, ...], ...]:
    """Return the pieces of each log."""
    out = []
    for name, content in _logs():
        chunks = [content[at : at + CHUNK] for at in range(HEAD, len(content) - CHUNK + 1, CHUNK)]
        usable = [chunk for chunk in chunks if chunk.startswith(b"ElfChnk\0") and find_records(chunk)]
        step = max(len(usable) // _PER_LOG, 1)
        found = []
        for number, chunk in enumerate(usable[::step][:_PER_LOG]):
            lengths = (_LENGTHS[number % len(_LENGTHS)], 6, 12)
            found += [Piece(f"{name}, {length} records", cut(chunk, length)) for length in lengths]
        if found:
            out.append(tuple(found))
    return tuple(out)


def make_base(seed: int, number: int) -> Base:
    """Return base ``number`` of a run with this seed."""
    pick = random.Random(f"base {seed} {number}")
    pool = pieces()
    weights = [3 if any(word in log[0].source.lower() for word in _TELLING) else 1 for log in pool]
    chosen = tuple(pick.choice(log) for log in pick.choices(pool, weights, k=SLOTS))
    checksums = pick.random() >= 0.125
    content = file_header(SLOTS, checksums=checksums) + b"".join(piece.data for piece in chosen)
    return Base(number, content, chosen, checksums)
