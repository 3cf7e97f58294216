"""A small EVTX writer for tests: any template, any typed values, as odd as a test wants them."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

CHUNK = 0x10000


@dataclass(frozen=True)
class Sub:
    """A substitution in a template."""

    index: int
    kind: int = 1
    optional: bool = True


@dataclass
class El:
    """An element: attributes and children are constants, substitutions, or (children) elements."""

    name: str
    attributes: dict = field(default_factory=dict)
    children: list = field(default_factory=list)


def fragment(root: El, at: int, *, in_template: bool = True, end: bool = True) -> bytes:
    """Return the tokens of a fragment that stands at offset ``at`` of the chunk."""
    out = bytearray(b"\x0f\x01\x01\x00")

    def name(text: str) -> None:
        out.extend(struct.pack("<I", at + len(out) + 4))
        out.extend(struct.pack("<IHH", 0, 0, len(text)) + text.encode("utf-16-le") + b"\0\0")

    def piece(value: object) -> None:
        if isinstance(value, Sub):
            out.extend(struct.pack("<BHB", 0x0E if value.optional else 0x0D, value.index, value.kind))
        else:
            text = str(value).encode("utf-16-le", "surrogatepass")
            out.extend(struct.pack("<BBH", 5, 1, len(text) // 2) + text)

    def element(node: El) -> None:
        out.append(0x41 if node.attributes else 0x01)
        out.extend(b"\xff\xff" if in_template else b"")
        out.extend(bytes(4))
        name(node.name)
        if node.attributes:
            out.extend(bytes(4))
        for key, value in node.attributes.items():
            out.append(0x06)
            name(key)
            piece(value)
        if not node.children:
            out.append(3)
            return
        out.append(2)
        for child in node.children:
            element(child) if isinstance(child, El) else piece(child)
        out.append(4)

    element(root)
    return bytes(out) + (b"\0" if end else b"")


class Log:
    """One chunk of records; ``definitions`` remembers where each template stands."""

    def __init__(self, *, dirty: bool = False, no_crc: bool = False) -> None:
        self.data = bytearray(bytes(0x200))
        self.definitions: dict[int, int] = {}
        self.starts: list[int] = []
        self.flags = (1 if dirty else 0) | (4 if no_crc else 0)

    def instance(self, template: El, values: list, at: int) -> bytes:
        """Return a template instance; the definition stands inline at its first use."""
        known = self.definitions.get(id(template))
        offset = known if known is not None else at + 14
        out = b"\x0f\x01\x01\x00" + struct.pack("<BBII", 0x0C, 1, 1, offset)
        if known is None:
            self.definitions[id(template)] = offset
            body = fragment(template, offset + 24)
            out += bytes(20) + struct.pack("<I", len(body)) + body
        at += len(out) + 4 + 4 * len(values)
        payload, descriptors = b"", b""
        for kind, value in values:
            data = self.instance(value[0], value[1], at + len(payload)) if isinstance(value, tuple) else value
            descriptors += struct.pack("<HBB", len(data), kind, 0)
            payload += data
        return out + struct.pack("<I", len(values)) + descriptors + payload

    def add(self, template: El, values: list, *, plain: bool = False) -> None:
        start = len(self.data)
        number = len(self.starts) + 1
        self.starts.append(start)
        at = start + 24
        body = fragment(template, at, in_template=False) if plain else self.instance(template, values, at)
        size = -(-(24 + len(body) + 4) // 8) * 8
        head = struct.pack("<4sIQQ", b"**\0\0", size, number, 0)
        self.data += (head + body).ljust(size - 4, b"\0") + struct.pack("<I", size)

    def chunk(self) -> bytes:
        data = bytearray(self.data)
        last = len(self.starts)
        struct.pack_into("<8sQQQQIII", data, 0, b"ElfChnk\0", 1, last, 1, last, 128, self.starts[-1], len(data))
        struct.pack_into("<I", data, 0x34, zlib.crc32(data[0x200:]))
        struct.pack_into("<I", data, 0x7C, zlib.crc32(data[:0x78] + data[0x80:0x200]))
        assert len(data) <= CHUNK
        return bytes(data).ljust(CHUNK, b"\0")

    def file(self, chunks: int = 1) -> bytes:
        head = bytearray(struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, chunks - 1, 1, 128, 1, 3, 4096, chunks)).ljust(
            4096
        )
        head[0x2C:] = bytes(4096 - 0x2C)
        struct.pack_into("<I", head, 0x78, self.flags)
        struct.pack_into("<I", head, 0x7C, zlib.crc32(head[:0x78]))
        return bytes(head) + self.chunk() * chunks


def text(value: str) -> tuple[int, bytes]:
    return 1, value.encode("utf-16-le", "surrogatepass")


def u8(value: int) -> tuple[int, bytes]:
    return 4, struct.pack("<B", value)


def u16(value: int) -> tuple[int, bytes]:
    return 6, struct.pack("<H", value)


def u32(value: int) -> tuple[int, bytes]:
    return 8, struct.pack("<I", value)


def u64(value: int) -> tuple[int, bytes]:
    return 10, struct.pack("<Q", value)


def filetime(ticks: int) -> tuple[int, bytes]:
    return 0x11, struct.pack("<Q", ticks)


NULL = (0, b"")
AUDITING = "Microsoft-Windows-Security-Auditing"
NOON = 133_500_000_001_234_567  # 2024-01-17T21:20:00.1234567Z as a FILETIME


def event(*inside: object, provider: object = AUDITING, event_id: object = None, time: object = None) -> El:
    """Return the usual template: substitution 0 event id, 1 record id, 2 time; ``inside`` follows System."""
    system = [
        El("Provider", {"Name": provider}),
        El("EventID", {"Qualifiers": Sub(3, 6)}, [event_id or Sub(0, 6)]),
        El("Version", {}, [Sub(4, 4)]),
        El("TimeCreated", {"SystemTime": time or Sub(2, 0x11)}),
        El("EventRecordID", {}, [Sub(1, 10)]),
        El("Channel", {}, ["Security"]),
        El("Computer", {}, ["host.example"]),
    ]
    namespace = {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"}
    return El("Event", namespace, [El("System", {}, system), *inside])


def system_values(event_id: int, record_id: int = 1, time: int = NOON) -> list:
    return [u16(event_id), u64(record_id), filetime(time), NULL, u8(0)]


def data(name: str | None, value: object) -> El:
    return El("Data", {} if name is None else {"Name": name}, [value])
