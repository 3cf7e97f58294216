"""The file: header of 4 KiB, then chunks. ``write_log`` is the way in."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from samples.evtxwriter import shapes, system
from samples.evtxwriter.binxml import Element, Sub, Template, Text
from samples.evtxwriter.chunk import Chunk
from samples.evtxwriter.values import NULL, TYPE_NUMBER, Kind, Packed, Value, encode, filetime, guid_bytes, pack

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from samples.evtxwriter.shapes import Shape
    from samples.evtxwriter.system import Style

CHANNEL: Final = "Security"
_BLOCK: Final = 4096
_CLEARED_NAMESPACE: Final = "http://manifests.microsoft.com/win/2004/08/windows/eventlog"
_AUTO_NAMESPACE: Final = "http://schemas.microsoft.com/win/2004/08/events"


@dataclass(frozen=True, slots=True)
class Record:
    """One event. ``fields`` holds values by name.

    A text field that is left out becomes an empty string, another one null; ``None`` is null for all. (libevtx does
    not read null values of EventData, the other readers do.)

    ``time`` is a FILETIME (100 ns since 1601) or a datetime with zone. ``record_id`` is System/EventRecordID.
    ``variant`` chooses between two generations of one version (see ``shapes``).
    """

    event_id: int
    version: int
    time: int | dt.datetime
    record_id: int
    computer: str
    fields: Mapping[str, Value]
    variant: str = ""
    process_id: int = 4
    thread_id: int = 4
    activity: str | None = None
    shape: Shape | None = None
    channel: str = CHANNEL


@functools.lru_cache(maxsize=1024)
def _inner_template(shape: Shape) -> Template:
    if shape.payload == "UserData":
        namespaces = (("xmlns:auto-ns3", Text(_AUTO_NAMESPACE)), ("xmlns", Text(_CLEARED_NAMESPACE)))
        children = tuple(
            Element(name, (), (Sub(index, TYPE_NUMBER[kind]),)) for index, (name, kind) in enumerate(shape.fields)
        )
        return Template(Element(shape.element, namespaces, children))
    data = tuple(
        Element("Data", (("Name", Text(name)),), (Sub(index, TYPE_NUMBER[kind]),))
        for index, (name, kind) in enumerate(shape.fields)
    )
    return Template(Element(shape.element, (), data))


def _inner_values(record: Record, shape: Shape) -> Packed:
    fields = record.fields
    if not fields.keys() <= shape.names:
        unknown = sorted(fields.keys() - shape.names)
        raise ValueError(f"{shape.event_id} v{shape.version} has no field {', '.join(unknown)}")
    get = fields.get
    return pack([encode(kind, get(name, "" if kind == "string" else None)) for name, kind in shape.fields])


@functools.lru_cache(maxsize=1024)
def _around(shape: Shape, style: Style, channel: str) -> tuple[bytes, bytes]:
    """Return the bytes of the values before the time and after the record id, which every record shares."""
    before = struct.pack("<BBHHQ", shape.level, 0, shape.task, shape.event_id, shape.keywords)
    after = struct.pack("<B", shape.version)
    if style == "values":
        provider = shape.provider
        after += encode("string", provider.name)[1] + encode("guid", provider.guid)[1] + encode("string", channel)[1]
    return before, after


@functools.lru_cache(maxsize=1024)
def _outer_descriptors(provider: str, style: Style, channel: str, *, activity: bool) -> tuple[int, bytes]:
    """Return number and descriptors of the values before the payload, in the order that ``system`` numbers them."""
    kinds: list[tuple[Kind | None, int]] = [("u8", 1), ("u8", 1), ("u16", 2), ("u16", 2), (None, 0), ("hex64", 8)]
    kinds += [("filetime", 8), ("guid" if activity else None, 16 if activity else 0)]
    kinds += [("u32", 4), ("u32", 4), ("u64", 8), ("u8", 1), (None, 0)]
    if style == "text":
        kinds += [(None, 0)] * 6
    else:
        kinds += [(None, 0), ("string", 2 * len(provider)), ("guid", 16), ("string", 2 * len(channel))]
    packed = pack([(TYPE_NUMBER[kind] if kind else NULL, bytes(size)) for kind, size in kinds])
    return packed.number, packed.descriptors


_MOMENT: Final = struct.Struct("<Q")
_WHO: Final = struct.Struct("<IIQ")


def _outer_values(record: Record, shape: Shape, style: Style, time: int) -> Packed:
    channel = record.channel
    before, after = _around(shape, style, channel)
    activity = guid_bytes(record.activity) if record.activity else b""
    count, descriptors = _outer_descriptors(shape.provider.name, style, channel, activity=bool(activity))
    who = _WHO.pack(record.process_id, record.thread_id, record.record_id)
    return Packed(count, descriptors, b"".join((before, _MOMENT.pack(time), activity, who, after)))


def write_log(
    target: Path | str | BinaryIO,
    records: Iterable[Record],
    *,
    style: Style = "values",
    minor: int = 1,
    renumber: bool = True,
) -> int:
    """Write a log and return the number of its records.

    ``style`` is the form of the outer template (see ``system``); ``minor`` is 1 or 2, the file's version 3.1 or 3.2.
    ``renumber`` numbers the record headers from 1, as ``wevtutil epl`` does; otherwise they carry ``record_id``,
    as in a live log, which then must rise by one. Memory stays at one chunk. Equal input gives equal bytes.
    """
    if isinstance(target, (str, Path)):
        with Path(target).open("wb") as stream:
            return write_log(stream, records, style=style, minor=minor, renumber=renumber)
    target.write(bytes(_BLOCK))
    count = chunks = 0
    chunk: Chunk | None = None
    for record in records:
        shape = record.shape or shapes.shape(record.event_id, record.version, record.variant)
        time = filetime(record.time)
        number = count + 1 if renumber else record.record_id
        form = shape.style or style
        provider = shape.provider
        outer = system.system_template(
            form, shape.payload, provider.name, provider.guid, record.channel, record.computer
        )
        parts = (
            (outer, _outer_values(record, shape, form, time)),
            (_inner_template(shape), _inner_values(record, shape)),
        )
        if chunk is None:
            chunk = Chunk(number)
        if chunk.next != number:
            raise ValueError(f"record number {number} follows {chunk.next - 1}")
        if not chunk.add(time, *parts):
            target.write(chunk.finish())
            chunks += 1
            chunk = Chunk(number)
            chunk.add(time, *parts)
        count += 1
    if chunk is not None:
        target.write(chunk.finish())
        chunks += 1
    target.seek(0)
    target.write(_file_header(chunks, chunk.next if chunk else 1, minor))
    target.seek(0, io.SEEK_END)
    return count


def _file_header(chunks: int, next_number: int, minor: int) -> bytes:
    head = bytearray(_BLOCK)
    struct.pack_into("<8sQQQ", head, 0, b"ElfFile\0", 0, max(chunks - 1, 0), next_number)
    struct.pack_into("<IHHHH", head, 32, 128, minor, 3, _BLOCK, min(chunks, 0xFFFF))
    struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
    return bytes(head)
