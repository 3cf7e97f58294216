"""The text form of the registry: ``Windows Registry Editor Version 5.00`` and ``REGEDIT4``.

Strings may hold line feeds, binary values go on over lines that end in a backslash. Types: string, ``dword``, ``hex``
and ``hex(n)``; strings of the older form are in the code page of the machine. One damaged value costs one value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.readers.stateproblems import Problems

MAX_VALUES: Final = 500_000
_MAX_STRING_LINES: Final = 50
_MAX_LINE: Final = 1_000_000  # characters
_MAX_KEY: Final = 140_000  # characters: 512 levels of at most 255, as the registry allows
_MAX_HEX: Final = 400_000  # characters of one binary value
_HEADERS: Final = ("windows registry editor version", "regedit4")
_TEXT_TYPES: Final = frozenset({1, 2})  # REG_SZ, REG_EXPAND_SZ
_BINARY: Final = 3
_NUMBER: Final = 4

_KEY: Final = re.compile(r"\[(-?)(.+)\]\s*")
# Possessive: what is not closed costs one look at each character, and no memory.
_NAME: Final = re.compile(r'\s*+(?:"((?:[^"\\]++|\\.)*+)"|(@))\s*+=\s*+', re.DOTALL)
_CLOSED: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"\s*+(?:;.*)?', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_HEX: Final = re.compile(r"hex(?:\(([0-9a-f]{1,8})\))?:(.*)", re.IGNORECASE | re.DOTALL)
_DWORD: Final = re.compile(r"dword:\s*([0-9a-f]{1,8})\s*", re.IGNORECASE)
_MORE_HEX: Final = re.compile(r"[0-9a-fA-F,\s]*+\\?")
_NO_HEX: Final = re.compile(r"[\s\\]+")


class Value(NamedTuple):
    """One value: its key, its name (empty for the default) and its data; None where the form has none here."""

    line: int
    key: str
    name: str
    data: str | int | bytes | None


def is_regfile(head: str) -> bool:
    """Tell a registry export by its first line."""
    return head.lstrip("\ufeff\n\t ").lower().startswith(_HEADERS)


def read_values(text: str, problems: Problems) -> Iterator[Value]:
    """Yield every value in the order of the file."""
    wide = not text.lstrip("\ufeff\n\t ").lower().startswith("regedit4")
    lines = text.split("\n")
    key: str | None = None
    at = count = 0
    while at < len(lines):
        line, number = lines[at], at + 1
        at += 1
        if not line.strip() or line.lstrip().startswith(";"):
            continue
        section = _KEY.fullmatch(line) if len(line) <= _MAX_KEY else None
        if section is not None:
            key = None if section[1] else section[2]
            continue
        if line.startswith("["):
            key = None  # whose values follow is not known
            what = "the name of a key is damaged: what stands below it is left out"
            problems.add("lost", f"line {number}", what, group="damaged names of keys")
            continue
        if len(line) > _MAX_LINE:
            problems.add("lost", f"line {number}", "a line is too long: left out", group="damaged lines")
            continue
        named = _NAME.match(line)
        if named is None or key is None:
            if number > 1 and key is not None:
                problems.add("lost", f"line {number}", "a line is no value of a key: left out", group="damaged lines")
            continue
        count += 1
        if count > MAX_VALUES:
            problems.add("lost", f"line {number}", f"has more than {MAX_VALUES:,} values: the rest was not read")
            return
        data, used, sound = _data(lines, at - 1, named.end(), wide=wide)
        if not sound:
            what = "the data of a value is damaged: left out"
            problems.add("lost", f"line {number}", what, group="damaged values")
            continue
        at += used
        yield Value(number, key, _ESCAPE.sub(r"\1", named[1] or ""), data)


def _data(lines: list[str], at: int, start: int, *, wide: bool) -> tuple[str | int | bytes | None, int, bool]:
    """Return a value's data, how many further lines it takes, and whether it could be read."""
    rest = lines[at][start:]
    if rest.startswith('"'):
        return _string(lines, at, rest)
    if (dword := _DWORD.fullmatch(rest)) is not None:
        return int(dword[1], 16), 0, True
    if rest.strip() == "-":
        return None, 0, True  # the value is to be deleted
    pieces, length = [rest], len(rest)
    while pieces[-1].rstrip().endswith("\\") and at + len(pieces) < len(lines) and length < _MAX_HEX:
        following = lines[at + len(pieces)].strip()
        if not _MORE_HEX.fullmatch(following):  # what does not go on is not read again from each line
            break
        pieces.append(following)
        length += len(following)
    found = _HEX.fullmatch("".join(pieces))
    try:
        data = bytes.fromhex(_NO_HEX.sub("", found[2]).replace(",", " ")) if found is not None else None
    except ValueError:
        data = None
    if found is None or data is None:
        return None, 0, False
    return _typed(data, int(found[1], 16) if found[1] else _BINARY, wide=wide), len(pieces) - 1, True


def _typed(data: bytes, kind: int, *, wide: bool) -> str | int | bytes:
    if kind in _TEXT_TYPES:
        return data.decode("utf-16-le" if wide else "cp1252", "replace").rstrip("\0")
    if kind == _NUMBER and len(data) == 4:
        return int.from_bytes(data, "little")
    return data


def _string(lines: list[str], at: int, rest: str) -> tuple[str | None, int, bool]:
    text, piece, used = rest, rest[1:], 0
    while True:
        closed = _CLOSED.fullmatch(text) if '"' in piece else None
        if closed is not None:
            return _ESCAPE.sub(r"\1", closed[1]), used, True
        used += 1
        following = lines[at + used] if at + used < len(lines) else None
        if following is None or used > _MAX_STRING_LINES or len(text) + len(following) > _MAX_LINE:
            return None, 0, False
        if _KEY.fullmatch(following) or _NAME.match(following):  # the next key or value, not a part of this one
            return None, 0, False
        text, piece = f"{text}\n{following}", following
