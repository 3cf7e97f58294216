"""Finds out which template each of many definitions is, without walking each of them.

A template's definition is written once per chunk, and its bytes differ from chunk to chunk: a name stands in place
where it is the chunk's first use, and is a reference elsewhere. So one definition of each *layout* (which names stand
in place) is walked by ``guard`` and becomes a pattern: its bytes, a mask over what depends on the place, and the names
that its references must lead to. Further definitions are compared with the pattern, byte by byte and name by name,
all at once. What matches no pattern is walked; what is refused stays unknown, and its records are read with care.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.readers.evtx import guard
from analyzer.readers.evtx.container import CHUNK_SIZE
from analyzer.readers.evtx.dictionary import encode
from analyzer.readers.evtx.fragment import BUDGET
from analyzer.readers.evtx.gather import dwords, factorize, pack, unpack, words
from analyzer.readers.evtx.guard import MAX_NAME, STRINGS_FROM, RefusedError
from analyzer.readers.evtx.shape import TEMPLATE_HEAD
from analyzer.readers.evtx.values import STRING

if TYPE_CHECKING:
    from analyzer.readers.evtx.fragment import Library
    from analyzer.readers.evtx.gather import I64, U8, U64, Flags
    from analyzer.readers.evtx.shape import Shape

MAX_PATTERNS: Final = 4096  # kept per file; real logs have some hundreds
MAX_PATTERN_BYTES: Final = 16 << 20
MAX_WALKS: Final = 2048  # definitions walked per call; the records of further ones are read with care
_NAME_TEXT: Final = 8  # a name's text behind next offset, hash and number of characters
_K1, _K2, _K3 = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


class _Pattern(NamedTuple):
    """One layout of one template. ``width`` bytes are compared as ``words`` under ``mask``, each (width // 8,).

    ``sites`` (r,) are the offsets of references from the start of the definition; ``inline`` (r,) tells which names
    follow in place, ``names`` (r,) are the numbers of the names that they must lead to.
    """

    template: int
    width: int
    words: U64
    mask: U64
    sites: I64
    inline: Flags
    names: I64


class _Claim(NamedTuple):
    """Definitions that equal a pattern but for the names that their references lead to."""

    rows: I64
    pattern: _Pattern
    references: I64  # (rows, references) offsets in the block


class Templates:
    """The templates of one file. May be used from several threads."""

    def __init__(self, library: Library) -> None:
        self.shapes: list[Shape] = []
        self._library = library
        self._numbers: dict[Shape, int] = {}
        self._patterns: dict[int, list[_Pattern]] = {}
        self._names: dict[bytes, int] = {}
        self._kept = 0
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def resolve(self, block: U8, base: I64, offset: I64) -> tuple[I64, I64]:
        """Return the template (-1 where unknown) and the size in bytes of each definition, both of shape (m,).

        ``base`` is where the definition's chunk starts in the block, ``offset`` where it stands in the chunk: from
        0x200 to 64 KiB less the definition's head.
        """
        at = base + offset
        head = words(block, at, TEMPLATE_HEAD)  # next offset, GUID, size
        size = (head[:, 2] >> np.uint64(32)).astype(np.int64)
        template = np.full(len(at), -1, dtype=np.int64)
        possible = (size > 0) & (size <= CHUNK_SIZE - TEMPLATE_HEAD - offset)
        # as many bytes per chunk as the careful way walks; what goes beyond is a matter for it
        chunk = base // CHUNK_SIZE
        spent = np.bincount(chunk, weights=np.where(possible, size, 0))
        rows = np.flatnonzero(possible & (spent[chunk] <= BUDGET))
        if not len(rows):
            return template, size
        key = ((head[:, 0] >> np.uint64(32)) * _K1 + head[:, 1] * _K2 + head[:, 2] * _K3)[rows]
        codes, first = factorize(key)
        walks = MAX_WALKS
        claims: list[_Claim] = []
        for code, number in enumerate(key[first].tolist()):
            left = rows[codes == code]
            known = self._patterns.setdefault(number, [])
            tried = 0
            while len(left) and walks > 0:
                for pattern in known[tried:]:
                    tried += 1
                    left = self._claim(block, at, base, left, pattern, claims)
                    if not len(left):
                        break
                else:
                    walks -= 1
                    self._walk(
                        block, int(base[left[0]]), int(offset[left[0]]), int(size[left[0]]), known, left, template
                    )
                    left = left[1:] if len(known) == tried else left
        for row in self._settle(block, claims, base + offset + TEMPLATE_HEAD + size, template):
            if walks > 0:
                walks -= 1
                self._walk(block, int(base[row]), int(offset[row]), int(size[row]), None, np.array([row]), template)
        return template, size

    def _claim(self, block: U8, at: I64, base: I64, rows: I64, pattern: _Pattern, claims: list[_Claim]) -> I64:
        """Compare definitions with a pattern; keep those that fit in ``claims`` and return the others."""
        found = words(block, at[rows], pattern.width)
        fits: Flags = ((found ^ pattern.words) & pattern.mask).max(axis=1) == 0
        if not fits.any():
            return rows
        good = rows[fits]
        places = pattern.sites[None, :] + at[good][:, None]
        target = dwords(block, places.ravel()).reshape(places.shape) + base[good][:, None]
        fine = np.where(
            pattern.inline,
            target == places + 4,
            (target < places) & (target >= base[good][:, None] + STRINGS_FROM),
        ).all(axis=1)
        fits[fits] = fine
        if fine.any():
            claims.append(_Claim(good[fine], pattern, target[fine][:, ~pattern.inline]))
        return rows[~fits]

    def _settle(self, block: U8, claims: list[_Claim], end: I64, template: I64) -> list[int]:
        """Follow the references of all claims; set the template where every name is right, return the other rows."""
        if not claims:
            return []
        addresses = np.concatenate([claim.references.ravel() for claim in claims])
        found, name_end = self._name_numbers(block, addresses)
        start = 0
        wrong: list[int] = []
        for claim in claims:
            stop = start + claim.references.size
            shape = claim.references.shape
            right = found[start:stop].reshape(shape) == claim.pattern.names[~claim.pattern.inline]
            right &= name_end[start:stop].reshape(shape) <= end[claim.rows][:, None]
            good = right.all(axis=1)
            template[claim.rows[good]] = claim.pattern.template
            wrong.extend(claim.rows[~good].tolist())
            start = stop
        return wrong

    def _name_numbers(self, block: U8, addresses: I64) -> tuple[I64, I64]:
        """Return the number of the name at each address (-1: none that a pattern has), and where it ends."""
        if not len(addresses):
            return addresses, addresses
        codes, first = factorize(addresses)
        at = addresses[first]
        count = dwords(block, at + 4) >> 16
        fits = (count > 0) & (count <= MAX_NAME)
        packed = np.where(fits, pack(at + _NAME_TEXT, 2 * count, np.full(len(at), STRING)), 0)
        encoded = encode(block, packed)
        starts, sizes, _ = unpack(encoded.packed)
        known = [
            self._names.get(bytes(block.data[start : start + size]), -1)
            for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)
        ]
        numbers = np.array([*known, -1], dtype=np.int64)[encoded.codes]
        numbers[encoded.unsure] = -1
        return numbers[codes], (at + _NAME_TEXT + 2 * count + 2)[codes]

    def _walk(
        self, block: U8, base: int, offset: int, size: int, known: list[_Pattern] | None, rows: I64, template: I64
    ) -> None:
        """Walk one definition, that of ``rows[0]``; it becomes a pattern when ``known`` is given and room is left."""
        data = block[base : base + CHUNK_SIZE].tobytes()
        start = offset + TEMPLATE_HEAD
        with self._lock:
            try:
                checked = guard.check(data, start, start + size, in_template=True)
                shape = self._library.shape(checked)
            except RefusedError:
                return
            number = self._numbers.setdefault(shape, len(self.shapes))
            if number == len(self.shapes):
                self.shapes.append(shape)
            template[rows[0]] = number
            self._kept_bytes += 2 * size
            if known is None or self._kept >= MAX_PATTERNS or self._kept_bytes > MAX_PATTERN_BYTES:
                return
            self._kept += 1
            known.append(self._pattern(data, offset, size, checked, number))

    def _pattern(self, data: bytes, offset: int, size: int, checked: guard.Checked, template: int) -> _Pattern:
        length = TEMPLATE_HEAD + size
        width = -(-length // 8) * 8
        mask = np.zeros(width, dtype=np.uint8)
        mask[4:length] = 0xFF  # the head's first four bytes chain it to another definition
        for here, inline, _ in checked.names:
            site = here - offset
            mask[site : site + (10 if inline else 4)] = 0  # the reference; in place also its chain and hash
        body = np.frombuffer(data[offset : offset + length].ljust(width, b"\0"), dtype="<u8")
        return _Pattern(
            template,
            width,
            body,
            mask.view("<u8"),
            np.array([here - offset for here, _, _ in checked.names], dtype=np.int64),
            np.array([inline for _, inline, _ in checked.names], dtype=bool),
            np.array([self._names.setdefault(name, len(self._names)) for _, _, name in checked.names], dtype=np.int64),
        )
