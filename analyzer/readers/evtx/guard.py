"""Checks a BinXml fragment before python-evtx may read it, and rewrites it so that it stands alone.

python-evtx trusts the chunk: it follows the chains of the string and the template table (a loop in either never
ends), recurses into nested elements and nested template instances (a template inside itself never ends), and
reads on behind a definition that has no end token. So it never sees a chunk. It sees what was walked here: a
flat walk over the tokens, forwards only, each byte once, with bounds on depth, count and size. What the walk does
not know is refused with a reason.

The rewritten fragment (``Checked.body``) has each name in place, no chains, no sizes and no foreign offsets. Equal
bodies mean the same wherever the definitions stand, so that each distinct template is read once per file.

Tokens: MS-EVEN6 2.2.12, libevtx documentation 5. A definition's elements have a dependency id of two bytes; those
of a fragment without a template have none.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

END: Final = 0x00
OPEN_ELEMENT: Final = 0x01
CLOSE_START: Final = 0x02
CLOSE_EMPTY: Final = 0x03
CLOSE_ELEMENT: Final = 0x04
VALUE: Final = 0x05
ATTRIBUTE: Final = 0x06
CDATA: Final = 0x07
CHARACTER: Final = 0x08
ENTITY: Final = 0x09
PI_TARGET: Final = 0x0A
PI_DATA: Final = 0x0B
TEMPLATE_INSTANCE: Final = 0x0C
SUBSTITUTION: Final = 0x0D
OPTIONAL: Final = 0x0E
START: Final = 0x0F
MORE: Final = 0x40  # flag: attributes or further values follow

MAX_DEPTH: Final = 32  # elements inside elements; System needs 3
MAX_TOKENS: Final = 2048  # the largest real templates have a few hundred
MAX_NAME: Final = 1024  # characters of a name
MAX_BODY: Final = 1 << 18  # bytes of a rewritten fragment
STRINGS_FROM: Final = 0x200  # names lie behind the chunk's header and tables
BODY_AT: Final = 0x218  # where a body stands in the buffer that python-evtx gets

_WORD = struct.Struct("<H")
_DWORD = struct.Struct("<I")
_NAME_HEAD = struct.Struct("<IHH")  # next in chain, hash, characters


class RefusedError(ValueError):
    """A fragment that cannot be read safely or at all; the text says why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A fragment that may be read: rewritten for offset ``BODY_AT``.

    ``end`` is the offset in the chunk behind its last token; ``substitutions`` are the indices in order; ``names``
    are the places in the chunk that name something: (offset of the reference, whether the name follows it, name).
    """

    end: int
    substitutions: tuple[int, ...]
    body: bytes
    tokens: int
    names: tuple[tuple[int, bool, bytes], ...]


def check(data: bytes, start: int, limit: int, *, in_template: bool) -> Checked:
    """Walk the tokens of ``data[start:limit]``.

    Raises
    ------
    RefusedError
        When the fragment is not well-formed or goes beyond the bounds.
    """
    return _Walk(data, start, limit, in_template=in_template).run()


class _Walk:
    def __init__(self, data: bytes, start: int, limit: int, *, in_template: bool) -> None:
        self.data = data
        self.at = start
        self.limit = limit
        self.dependency = 2 if in_template else 0  # bytes of the dependency id
        self.depth = 0
        self.rooted = False
        self.in_start_tag = False
        self.substitutions: list[int] = []
        self.pieces: list[bytes] = []
        self.names: list[tuple[int, bool, bytes]] = []
        self.size = 0

    def run(self) -> Checked:
        data = self.data
        for _ in range(MAX_TOKENS):
            if self.at >= self.limit:
                if self.rooted and not self.depth:
                    break  # without an end token, as fragments inside a value may be
                raise RefusedError("ends in the middle of an element")
            raw = data[self.at]
            token = raw & 0x0F
            if token == END and not self.depth:
                self.at += 1
                break
            if raw & ~(MORE | 0x0F):
                raise RefusedError(f"an unknown token 0x{raw:02x}")
            self._step(raw, token)
        else:
            raise RefusedError(f"more than {MAX_TOKENS} tokens")
        if not self.rooted:
            raise RefusedError("no element")
        self._put(b"\0")
        return Checked(self.at, tuple(self.substitutions), b"".join(self.pieces), len(self.pieces), tuple(self.names))

    def _step(self, raw: int, token: int) -> None:
        if token == OPEN_ELEMENT:
            self._open(raw)
        elif token == START and not self.rooted:
            self._take(4)
        elif not self.depth:
            raise RefusedError(f"a token 0x{raw:02x} outside the root element")
        elif token in (CLOSE_START, CLOSE_EMPTY, CLOSE_ELEMENT):
            self._close(token)
        elif token == ATTRIBUTE:
            if not self.in_start_tag:
                raise RefusedError("an attribute outside a start tag")
            self._take(1)
            self._put_named(b"\x06", self._name())
        elif token in (VALUE, CDATA):
            self._text(token)
        elif token in (SUBSTITUTION, OPTIONAL):
            piece = self._take(4)
            self.substitutions.append(_WORD.unpack_from(piece, 1)[0])
            self._put(bytes((token,)) + piece[1:])
        else:
            self._rare(raw, token)

    def _rare(self, raw: int, token: int) -> None:
        if token == CHARACTER:
            self._put(b"\x08" + self._take(3)[1:])
        elif token == ENTITY:
            self._take(1)
            self._put_named(b"\x09", self._name())
        elif token == PI_TARGET:  # processing instructions say nothing about an event
            self._take(1)
            self._name()
        elif token == PI_DATA:
            self._take(2 * _WORD.unpack_from(self._take(3), 1)[0])
        else:
            raise RefusedError(f"a token 0x{raw:02x} that event templates do not use")

    def _take(self, size: int) -> bytes:
        """Return the next bytes and pass them."""
        end = self.at + size
        if end > self.limit:
            raise RefusedError("ends in the middle of a token")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def _put(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self.size += len(piece)
        if self.size > MAX_BODY:
            raise RefusedError(f"more than {MAX_BODY} bytes when its names are written out")

    def _put_named(self, head: bytes, name: bytes) -> None:
        """Put a token whose name follows it; its offset is that of the name in the new place."""
        after = BODY_AT + self.size + len(head) + 4
        self._put(head + _DWORD.pack(after) + _NAME_HEAD.pack(0, 0, len(name) // 2) + name + b"\0\0")

    def _open(self, raw: int) -> None:
        if self.in_start_tag:
            raise RefusedError("an element inside a start tag")
        if self.rooted and not self.depth:
            raise RefusedError("more than one root element")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise RefusedError(f"more than {MAX_DEPTH} elements inside each other")
        self.rooted = True
        self.in_start_tag = True
        self._take(1 + self.dependency + 4)  # token, dependency id, size
        self._put_named(b"\x01" + bytes(6), self._name())
        if raw & MORE:
            self._take(4)  # size of the attribute list

    def _close(self, token: int) -> None:
        if self.in_start_tag != (token != CLOSE_ELEMENT):
            raise RefusedError("a closing token in the wrong place")
        self._take(1)
        self._put(bytes((token,)))
        self.in_start_tag = False
        if token != CLOSE_START:
            self.depth -= 1

    def _text(self, token: int) -> None:
        if token == VALUE:
            kind = self._take(2)[1]
            if kind != 0x01:
                raise RefusedError(f"a constant of type 0x{kind:02x}")
        else:
            self._take(1)
        length = self._take(2)
        text = self._take(2 * _WORD.unpack(length)[0])
        self._put(b"\x05\x01" + length + text)

    def _name(self) -> bytes:
        """Pass the offset of a name, and the name where it follows; return its text."""
        here = self.at
        (offset,) = _DWORD.unpack(self._take(4))
        inline = offset == self.at
        if not inline and not STRINGS_FROM <= offset < here:
            raise RefusedError(f"a name at 0x{offset:x}, which is neither here nor before")
        if offset + _NAME_HEAD.size > self.limit:
            raise RefusedError("a name that reaches out of the chunk")
        count = _NAME_HEAD.unpack_from(self.data, offset)[2]
        end = offset + _NAME_HEAD.size + 2 * count
        if not 0 < count <= MAX_NAME or end + 2 > self.limit:
            raise RefusedError(f"a name of {count} characters at 0x{offset:x}")
        if inline:
            self.at = end + 2
        text = self.data[offset + _NAME_HEAD.size : end]
        self.names.append((here, inline, text))
        return text
