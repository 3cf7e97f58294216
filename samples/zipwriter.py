"""Writes a plain zip whose bytes depend on nothing but its members: own deflate, fixed times.

Every library packs a little differently, so the packing is done here: matches by a table of three-byte places, fixed
Huffman codes (RFC 1951, 3.2.6). Good enough for logs and XML.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOW: Final = 32_768
_LONGEST: Final = 258
_TRIES: Final = 8  # places that are tried for a match
_DATE: Final = (2026 - 1980) << 9 | 4 << 5 | 2
_TIME: Final = 9 << 11 | 30 << 5


def _steps(first: int, extra: list[int]) -> list[tuple[int, int]]:
    """Return (first value, extra bits) of each code."""
    out = []
    for bits in extra:
        out.append((first, bits))
        first += 1 << bits
    return out


_LENGTHS: Final = [*_steps(3, [0] * 8 + [n for n in range(1, 6) for _ in range(4)])[:28], (_LONGEST, 0)]
_DISTANCES: Final = _steps(1, [0, 0] + [n for n in range(14) for _ in range(2)])[:30]


def _code(table: list[tuple[int, int]], value: int) -> tuple[int, int, int]:
    """Return code, extra bits and their value."""
    at = max(index for index, (first, _) in enumerate(table) if first <= value)
    return at, table[at][1], value - table[at][0]


_LENGTH_CODE: Final = {value: _code(_LENGTHS, value) for value in range(3, _LONGEST + 1)}


def _reversed(code: int, bits: int) -> int:
    return int(f"{code:0{bits}b}"[::-1], 2)


def _symbol(number: int) -> tuple[int, int]:
    """Return the fixed code of a literal or length, lowest bit first, and its length."""
    for last, base, first, bits in ((143, 0x30, 0, 8), (255, 0x190, 144, 9), (279, 0, 256, 7), (287, 0xC0, 280, 8)):
        if number <= last:
            return _reversed(base + number - first, bits), bits
    raise ValueError(number)


_SYMBOLS: Final = [_symbol(number) for number in range(288)]


class _Bits:
    """Collects bits, lowest first."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.held = self.count = 0

    def put(self, value: int, bits: int) -> None:
        self.held |= value << self.count
        self.count += bits
        while self.count >= 8:
            self.out.append(self.held & 0xFF)
            self.held >>= 8
            self.count -= 8

    def done(self) -> bytes:
        if self.count:
            self.out.append(self.held)
        return bytes(self.out)


def deflate(data: bytes) -> bytes:
    """Pack bytes as one deflate block with fixed codes."""
    bits = _Bits()
    bits.put(0b011, 3)
    places: dict[bytes, list[int]] = {}
    at = 0
    while at < len(data):
        length, place = _match(data, at, places)
        step = length if length >= 3 else 1
        if length >= 3:
            code, extra, rest = _LENGTH_CODE[length]
            bits.put(*_SYMBOLS[257 + code])
            bits.put(rest, extra)
            code, extra, rest = _code(_DISTANCES, at - place)
            bits.put(_reversed(code, 5), 5)
            bits.put(rest, extra)
        else:
            bits.put(*_SYMBOLS[data[at]])
        for index in range(at, at + step):
            known = places.setdefault(data[index : index + 3], [])
            known.append(index)
            del known[:-_TRIES]
        at += step
    bits.put(*_SYMBOLS[256])
    return bits.done()


def _match(data: bytes, at: int, places: Mapping[bytes, list[int]]) -> tuple[int, int]:
    """Return length and place of the longest match at hand."""
    best, where = 0, 0
    most = min(_LONGEST, len(data) - at)
    for place in reversed(places.get(data[at : at + 3], ())):
        if at - place > _WINDOW:
            break
        if best and data[place + best : place + best + 1] != data[at + best : at + best + 1]:
            continue
        length = 0
        while length < most and data[place + length] == data[at + length]:
            length += 1
        if length > best:
            best, where = length, place
        if best == most:
            break
    return best, where


def write_zip(members: Mapping[str, bytes]) -> bytes:
    """Return a zip of these files, in their order (APPNOTE 4.3)."""
    body, directory = bytearray(), bytearray()
    for name, data in members.items():
        packed, label, start = deflate(data), name.encode(), len(body)
        common = struct.pack(
            "<HHHHHIIIHH", 20, 0x800, 8, _TIME, _DATE, zlib.crc32(data), len(packed), len(data), len(label), 0
        )
        body += b"PK\3\4" + common + label + packed
        directory += b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, start) + label
    count = len(members)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)
