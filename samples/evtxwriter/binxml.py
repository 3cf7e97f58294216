"""BinXml templates: a small tree, and its bytes at a given place of a chunk.

The bytes of a template depend on where it stands: a name that the chunk holds already is a reference, a new one is
written inline and enters the chunk's table of strings. So a template is compiled once per chunk, at first use.
"""

from __future__ import annotations

import functools
import hashlib
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from samples.evtxwriter.values import BINXML

if TYPE_CHECKING:
    from samples.evtxwriter.values import Packed

NAME_BUCKETS: Final = 64
NO_DEPENDENCY: Final = 0xFFFF
FRAGMENT_HEADER: Final = b"\x0f\x01\x01\x00"
END_OF_FRAGMENT: Final = b"\x00"

# Tokens; 0x40 is the "more follows" bit: attributes after an open tag, another attribute after an attribute.
_OPEN, _CLOSE_START, _CLOSE_EMPTY, _END = 0x01, b"\x02", b"\x03", b"\x04"
_VALUE, _ATTRIBUTE, _MORE = 0x05, 0x06, 0x40
_SUBSTITUTION, _OPTIONAL = 0x0D, 0x0E


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text in the template."""

    text: str


@dataclass(frozen=True, slots=True)
class Sub:
    """A place for value number ``index`` of type ``type``; an optional one vanishes when its value is null."""

    index: int
    type: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """One element. ``depends`` is the value without which the whole element vanishes."""

    name: str
    attributes: tuple[tuple[str, Text | Sub], ...] = ()
    children: tuple[Element | Text | Sub, ...] = ()
    depends: int = NO_DEPENDENCY


@dataclass(frozen=True, slots=True)
class Template:
    """An element tree with its id; the GUID is made from the tree, so that equal trees have equal ids."""

    root: Element
    guid: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "guid", hashlib.sha256(repr(self.root).encode()).digest()[:16])

    @property
    def id(self) -> bytes:
        """The four bytes by which a template instance names its template."""
        return self.guid[:4]


@functools.lru_cache(maxsize=4096)
def name_hash(name: str) -> int:
    """Return the 16-bit hash of a name: h = h * 65599 + code unit."""
    value = 0
    for (unit,) in struct.iter_unpack("<H", name.encode("utf-16-le")):
        value = (value * 65599 + unit) & 0xFFFFFFFF
    return value & 0xFFFF


def template_bucket(guid: bytes) -> int:
    """Return the slot of a template in the chunk's 32: the same hash over the GUID's eight words (measured)."""
    value = 0
    for (unit,) in struct.iter_unpack("<H", guid):
        value = (value * 65599 + unit) & 0xFFFFFFFF
    return value % 32


class Names:
    """The names of one chunk: where each stands, and the heads of the 64 chains."""

    def __init__(self) -> None:
        self.offsets: dict[str, int] = {}
        self.heads = [0] * NAME_BUCKETS

    def refer(self, name: str, here: int) -> bytes:
        """Return the reference to ``name``, with the name itself when ``here`` is its first use.

        ``here`` is the chunk offset right after the four bytes of the reference.
        """
        known = self.offsets.get(name)
        if known is not None:
            return struct.pack("<I", known)
        hashed = name_hash(name)
        bucket = hashed % NAME_BUCKETS
        text = name.encode("utf-16-le")
        entry = struct.pack("<IHH", self.heads[bucket], hashed, len(text) // 2) + text + b"\0\0"
        self.offsets[name] = self.heads[bucket] = here
        return struct.pack("<I", here) + entry


def definition(template: Template, names: Names, offset: int, previous: int) -> bytes:
    """Return the template's definition for a place in a chunk; ``previous`` is the last head of its chain."""
    start = offset + 24
    body = bytearray(FRAGMENT_HEADER)
    _element(template.root, body, start, names)
    body += END_OF_FRAGMENT
    return struct.pack("<I", previous) + template.guid + struct.pack("<I", len(body)) + body


@functools.lru_cache(maxsize=1024)
def largest(template: Template) -> int:
    """Return the size of a definition in which every name is written inline."""
    return len(definition(template, Names(), 0, 0))


def _element(element: Element, out: bytearray, start: int, names: Names) -> None:
    token = _OPEN | (_MORE if element.attributes else 0)
    out += struct.pack("<BH", token, element.depends)
    size_at = len(out)
    out += b"\0\0\0\0"
    out += names.refer(element.name, start + len(out) + 4)
    if element.attributes:
        _attributes(element, out, start, names)
    if element.children:
        out += _CLOSE_START
        for child in element.children:
            if isinstance(child, Element):
                _element(child, out, start, names)
            else:
                out += _content(child)
        out += _END
    elif element.attributes:
        out += _CLOSE_EMPTY
    else:
        out += _CLOSE_START + _END
    struct.pack_into("<I", out, size_at, len(out) - size_at - 4)


def _attributes(element: Element, out: bytearray, start: int, names: Names) -> None:
    size_at = len(out)
    out += b"\0\0\0\0"
    for index, (name, value) in enumerate(element.attributes):
        out.append(_ATTRIBUTE | (_MORE if index + 1 < len(element.attributes) else 0))
        out += names.refer(name, start + len(out) + 4)
        out += _content(value)
    struct.pack_into("<I", out, size_at, len(out) - size_at - 4)


def _content(value: Text | Sub) -> bytes:
    if isinstance(value, Text):
        text = value.text.encode("utf-16-le")
        return struct.pack("<BBH", _VALUE, 0x01, len(text) // 2) + text
    return struct.pack("<BHB", _OPTIONAL if value.optional else _SUBSTITUTION, value.index, value.type)


def instance(template: Template, at: int, inline: bytes, values: Packed, nested: bytes | None = None) -> bytes:
    """Return a fragment that uses the template defined at chunk offset ``at``; ``nested`` becomes its last value."""
    head = FRAGMENT_HEADER + b"\x0c\x01" + template.id + struct.pack("<I", at) + inline
    count, descriptors, data = values
    if nested is None:
        return b"".join((head, struct.pack("<I", count), descriptors, data, END_OF_FRAGMENT))
    last = struct.pack("<HH", len(nested), BINXML)
    return b"".join((head, struct.pack("<I", count + 1), descriptors, last, data, nested, END_OF_FRAGMENT))


INSTANCE_HEAD: Final = len(FRAGMENT_HEADER) + 2 + 4 + 4  # where an inline definition starts in a fragment
