"""Numbers out of packed values, many at once: integers of all sizes, and the texts that write a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.readers.evtx import values
from analyzer.readers.evtx.dictionary import encode, read
from analyzer.readers.evtx.gather import SIZE_SHIFT, unpack, words

if TYPE_CHECKING:
    from analyzer.readers.evtx.gather import I64, U8, U64, Flags


class Numbers(NamedTuple):
    """``number`` and ``missing`` of shape (n,); ``careful`` are rows that are neither a number nor missing."""

    number: U64
    missing: Flags
    careful: I64


def _tables() -> tuple[U8, U64]:
    """Return, by type, the size of its integers (0: no integer) and the bit of its sign (0: unsigned)."""
    sizes = np.zeros(256, dtype=np.uint8)
    signs = np.zeros(256, dtype=np.uint64)
    for kind, form in values.NUMBERS.items():
        sizes[kind] = form.size
        if form.format[-1].islower():
            signs[kind] = 1 << (8 * form.size - 1)
    return sizes, signs


_SIZES, _SIGNS = _tables()
_NONE: Final[I64] = np.zeros(0, dtype=np.int64)
KEEP: Final[U64] = np.array([(1 << (8 * size)) - 1 for size in range(9)], dtype=np.uint64)  # by size
UNSIGNED: Final = {kind: form.size for kind, form in values.NUMBERS.items() if form.format[-1].isupper()}  # sizes
# four UTF-16 units in a word: digits minus "0", and the sum of digit times power of ten in the highest unit
_ZEROS: Final = np.uint64(0x0030_0030_0030_0030)
_NO_DIGIT: Final = np.uint64(0x8000_8000_8000_8000)
_PROBE: Final = np.uint64(0x7FF6_7FF6_7FF6_7FF6)  # a unit above 9 carries into its highest bit
_TENS: Final = np.uint64(1 + (10 << 16) + (100 << 32) + (1000 << 48))


def integers(block: U8, packed: I64) -> Numbers:
    """Return the values of integer types; all others are left to be read with care. Shape of ``packed``: (n,)."""
    at, size, kind = unpack(packed)
    raw = words(block, at, 8)[:, 0]
    forms = packed & 0xFFFFFF
    form = int(forms[0]) if len(forms) else 0
    if form and (forms == form).all() and UNSIGNED.get(form & 0xFF) == form >> SIZE_SHIFT:  # most columns are so
        raw &= KEEP[form >> SIZE_SHIFT]
        return Numbers(raw, np.zeros(len(raw), dtype=bool), _NONE)
    fits = (_SIZES[kind] == size) | ((kind == values.SIZE_T) & ((size == 4) | (size == 8)))
    number = raw & KEEP[np.minimum(size, 8)]
    fits &= (number & _SIGNS[kind]) == 0
    there = packed != 0
    missing = ~(there & fits)
    number[missing] = 0
    return Numbers(number, missing, np.flatnonzero(there & ~fits))


def numbers(block: U8, packed: I64) -> Numbers:
    """Return values as numbers, also texts that write one; ``""`` and ``"-"`` are missing. Shape (n,)."""
    text = (packed & 0xFF) == values.STRING
    if not text.any():
        found = integers(block, packed)
    else:
        found = _ports(block, packed)
        if not text.all():
            whole = integers(block, np.where(text, 0, packed))
            mixed = ~text & ~whole.missing
            number = np.where(mixed, whole.number, found.number)
            missing = found.missing & ~mixed
            careful = np.union1d(found.careful[text[found.careful]], whole.careful)
            found = Numbers(number, missing, careful)
    return _by_text(block, packed, found) if len(found.careful) else found


def _ports(block: U8, packed: I64) -> Numbers:
    """Return the numbers of texts of one to five digits; ``careful`` are all others that are there."""
    at, size, kind = unpack(packed)
    raw = words(block, at, 16)
    short = np.minimum(size, 8).astype(np.uint64) << np.uint64(3)
    # the first four units, moved so that the last digit is in the highest unit; what is moved in counts as zero
    lead = (raw[:, 0] ^ _ZEROS) << (np.uint64(64) - np.maximum(short, np.uint64(16)))
    fifth = (raw[:, 1] & np.uint64(0xFFFF)) ^ np.uint64(0x30)
    five = size == 10
    good = (kind == values.STRING) & (size & 1 == 0) & (size >= 2) & (size <= 10)
    good &= ((lead | (lead + _PROBE)) & _NO_DIGIT) == 0
    good &= ~five | (fifth <= np.uint64(9))
    number = (lead * _TENS) >> np.uint64(48)
    number = np.where(five, number * np.uint64(10) + fifth, number)
    number[~good] = 0
    return Numbers(number, ~good, np.flatnonzero(~good & (packed != 0)))


def _by_text(block: U8, packed: I64, found: Numbers) -> Numbers:
    """Read what is left by its distinct texts."""
    rows = found.careful
    encoded = encode(block, packed[rows])
    strings, bad = read(block, encoded.packed, text_of)
    parsed = [None if text is None else values.number_of_text(text) for text in strings]
    unclear = bad | np.array(
        [text is not None and number is None for text, number in zip(strings, parsed, strict=True)]
    )
    is_number = np.array([number is not None for number in parsed])
    codes = encoded.codes
    found.number[rows] = np.array([number or 0 for number in parsed], dtype=np.uint64)[codes]
    found.missing[rows] = ~is_number[codes]
    careful = unclear[codes]
    careful[encoded.unsure] = True
    return Numbers(found.number, found.missing, rows[careful])


def text_of(kind: int, data: bytes) -> str | None:
    """Return an event field as text; None for what is missing, as in ``rows``."""
    if kind & values.ARRAY or kind == values.BINXML:
        raise values.BadValueError("no single value")
    text = values.text(kind, data)
    return None if text in ("", "-") else text
