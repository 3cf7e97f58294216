"""One chunk of 64 KiB: records from offset 512, names and templates stored once, two CRCs."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from samples.evtxwriter import binxml
from samples.evtxwriter.binxml import INSTANCE_HEAD, Names, Template
from samples.evtxwriter.values import Packed

SIZE: Final = 0x10000
HEADER: Final = 512
RECORD_HEADER: Final = 24
RECORD_MAGIC: Final = b"**\0\0"

Part = tuple[Template, Packed]


class Chunk:
    """A chunk being filled. ``add`` returns False when the record no longer fits."""

    def __init__(self, first_number: int) -> None:
        self.first = self.next = first_number
        self.data = bytearray(HEADER)
        self.last_record = 0
        self.names = Names()
        self.templates: dict[bytes, int] = {}
        self.heads = [0] * 32

    def add(self, time: int, outer: Part, inner: Part) -> bool:
        """Append one record: the outer template with its values, whose last is the inner fragment."""
        if len(self.data) + self._bound(outer, inner) >= SIZE:  # a chunk filled to the last byte loses readers
            if self.next == self.first:
                raise ValueError("a record does not fit into an empty chunk")
            return False
        start = len(self.data)
        body = self._fragments(start + RECORD_HEADER, outer, inner)
        size = -(-(RECORD_HEADER + len(body) + 4) // 8) * 8
        self.data += RECORD_MAGIC + struct.pack("<IQQ", size, self.next, time) + body
        self.data += bytes(start + size - 4 - len(self.data)) + struct.pack("<I", size)
        self.last_record = start
        self.next += 1
        return True

    def _bound(self, *parts: Part) -> int:
        bound = RECORD_HEADER + 4 + 8 + 4  # size copy, padding, descriptor of the inner fragment
        for template, (_, descriptors, data) in parts:
            bound += INSTANCE_HEAD + 5 + len(descriptors) + len(data)
            bound += 0 if template.guid in self.templates else binxml.largest(template)
        return bound

    def _fragments(self, offset: int, outer: Part, inner: Part) -> bytes:
        """Compile both fragments: the inner one stands last among the outer one's values."""
        template, values = outer
        at, inline = self._define(template, offset + INSTANCE_HEAD)
        place = offset + INSTANCE_HEAD + len(inline) + 4 + len(values.descriptors) + 4 + len(values.data)
        inner_at, inner_inline = self._define(inner[0], place + INSTANCE_HEAD)
        nested = binxml.instance(inner[0], inner_at, inner_inline, inner[1])
        return binxml.instance(template, at, inline, values, nested)

    def _define(self, template: Template, offset: int) -> tuple[int, bytes]:
        """Return where the template is defined, and its bytes if that is here."""
        known = self.templates.get(template.guid)
        if known is not None:
            return known, b""
        bucket = binxml.template_bucket(template.guid)
        inline = binxml.definition(template, self.names, offset, self.heads[bucket])
        self.templates[template.guid] = self.heads[bucket] = offset
        return offset, inline

    def finish(self) -> bytes:
        """Return the 64 KiB with header, tables and CRCs."""
        out = self.data
        free = len(out)
        last = self.next - 1
        struct.pack_into("<8sQQQQ", out, 0, b"ElfChnk\0", self.first, last, self.first, last)
        struct.pack_into("<IIII", out, 40, 128, self.last_record, free, zlib.crc32(memoryview(out)[HEADER:]))
        struct.pack_into("<I", out, 120, 1)
        struct.pack_into("<64I", out, 128, *self.names.heads)
        struct.pack_into("<32I", out, 384, *self.heads)
        struct.pack_into("<I", out, 124, zlib.crc32(bytes(out[:120]) + bytes(out[128:512])))
        return bytes(out) + bytes(SIZE - free)
