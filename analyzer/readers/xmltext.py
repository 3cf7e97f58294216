"""From the bytes of an XML file to text that a parser can take: encodings, illegal characters, root element.

``netsh`` writes UTF-8 with a byte order mark; people re-save dumps as UTF-16. Values that ``netsh`` prints as text of
binary data hold characters that XML forbids. Nothing here is a parser: no entity is expanded, nothing is loaded.
"""

from __future__ import annotations

import codecs
import itertools
import re
from dataclasses import dataclass
from typing import Final

_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED: Final = re.compile(rb"""^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# Single-byte encodings that a re-saving editor may have declared; everything else is read as UTF-8.
_SINGLE_BYTE: Final = frozenset(
    {"iso-8859-1", "iso-8859-15", "latin-1", "latin1", "us-ascii", "ascii"}
    | {f"windows-{n}" for n in range(1250, 1259)}
)
# Characters that XML 1.0 does not allow, lone surrogates among them.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ILLEGAL_RUN: Final = re.compile(f"{_ILLEGAL.pattern}+")
_REFERENCE: Final = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,12})|([0-9]{1,12}));")
_OPEN_TAG: Final = re.compile(r"<([A-Za-z_][\w.\-]*(?::[\w.\-]+)?)")
REPLACEMENT: Final = "\ufffd"
MAX_PLACES: Final = 10_000  # runs of illegal characters that are located; later ones are only counted


@dataclass(frozen=True, slots=True)
class Damage:
    """Characters that were replaced: how many, in which element, and the line of the first of them."""

    element: str | None
    line: int
    count: int


@dataclass(frozen=True, slots=True)
class XmlText:
    """A file's text, all of it legal in XML. ``damage`` lists replaced characters, one entry per element and line."""

    text: str
    encoding: str
    damage: tuple[Damage, ...]


def detect_encoding(data: bytes) -> tuple[str, int]:
    """Return the encoding's Python name and the length of the byte order mark."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name, len(mark)
    head = data[:64]
    if head[1:2] == b"\x00" and head[:1] != b"\x00" and head[3:4] == b"\x00":
        return "utf-16-le", 0
    if head[:1] == b"\x00" and head[1:2] != b"\x00" and head[2:3] == b"\x00":
        return "utf-16-be", 0
    found = _DECLARED.match(data[:400])
    if found is not None:
        name = found[1].decode("ascii").lower()
        if name in _SINGLE_BYTE:
            return name, 0
    return "utf-8", 0


def _decode(data: bytes, encoding: str) -> str:
    """Decode without loss of position: bytes that are no text become lone surrogates, found later."""
    if encoding.startswith("utf-16"):
        text = data[: len(data) & ~1].decode(encoding, "surrogatepass")
        return text + "\udc00" if len(data) & 1 else text
    return data.decode(encoding, "surrogateescape")


def _illegal_reference(match: re.Match[str]) -> str:
    number = int(match[1], 16) if match[1] else int(match[2])
    if number > 0x10FFFF or _ILLEGAL.match(chr(number)):
        return "\udc00"
    return match[0]


def legal(text: str) -> str:
    """Return a text in which U+FFFD stands for each character, or reference to one, that XML does not allow."""
    return _ILLEGAL.sub(REPLACEMENT, _REFERENCE.sub(_illegal_reference, text))


def read_text(data: bytes) -> XmlText:
    """Decode a file and replace what XML forbids by U+FFFD. Never raises."""
    encoding, skip = detect_encoding(data)
    text = _decode(data[skip:], encoding)
    if "&#" in text:
        text = _REFERENCE.sub(_illegal_reference, text)
    if _ILLEGAL.search(text) is None:
        return XmlText(text, encoding, ())
    damage: dict[tuple[str | None, int], int] = {}
    line, last, element, located = 1, 0, None, 0
    for found in itertools.islice(_ILLEGAL_RUN.finditer(text), MAX_PLACES):
        position = found.start()
        line += text.count("\n", last, position)
        tag = text.rfind("<", last, position)  # only what is new since the last one: linear in the file
        if tag >= 0:
            opened = _OPEN_TAG.match(text, tag)
            element = opened[1].rpartition(":")[2] if opened is not None else None
        last = position
        located += found.end() - position
        damage[element, line] = damage.get((element, line), 0) + found.end() - position
    text, total = _ILLEGAL.subn(REPLACEMENT, text)
    if total > located:
        damage[None, line] = damage.get((None, line), 0) + total - located
    return XmlText(text, encoding, tuple(Damage(name, at, count) for (name, at), count in damage.items()))


_KNOWN_ROOTS: Final = {name.lower(): name for name in ("wfpstate", "wfpdiag", "netEvents", "firewallState")}
_PROLOG: Final = re.compile(
    r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?:[^\[>]|\[.*?\]\s*(?=>))*>", re.DOTALL | re.IGNORECASE
)
_ROOT: Final = re.compile(r"<([A-Za-z_][\w.\-]*(?::[\w.\-]+)?)(?=[\s/>])")
_FIRST_LIST: Final = re.compile(r"<(?:[\w.\-]+:)?(filters|netEvents?)[\s/>]", re.IGNORECASE)


def _head_text(head: bytes) -> str:
    encoding, skip = detect_encoding(head)
    body = head[skip:]
    if encoding.startswith("utf-16"):
        body = body[: len(body) & ~1]
    return body.decode(encoding, "replace").lstrip("\ufeff")


def sniff_xml(head: bytes) -> str:
    """Return the root element's local name from a file's first bytes, or ``""`` when this is no XML.

    Any encoding, byte order mark, declaration, comments before the root. Known names come in their usual case. A
    few kilobytes are enough.
    """
    text = _head_text(head)
    position = 0
    while (found := _PROLOG.match(text, position)) is not None and found.end() > position:
        position = found.end()
    root = _ROOT.match(text, position)
    if root is None:
        return ""
    name = root[1].rpartition(":")[2]
    return _KNOWN_ROOTS.get(name.lower(), name)


def sniff_wfpdiag(head: bytes) -> str:
    """Return which list comes first inside ``wfpdiag``: ``filters``, ``netEvents``, or ``""`` when none is in sight."""
    found = _FIRST_LIST.search(_head_text(head))
    if found is None:
        return ""
    return "filters" if found[1].lower() == "filters" else "netEvents"
