"""Dictionary encoding of values: equal bytes of one type get one code, so that each distinct value is read once.

A value's key is a 64-bit hash over its bytes, size and type. Equality is then verified word by word against one value
of the code; where two values share a key without being equal, the caller is told and reads these with care.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.readers.evtx import values
from analyzer.readers.evtx.gather import factorize, texts, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.readers.evtx.gather import I64, U8, U64, Flags

_BINS: Final = (16, 32, 64, 128, 256, 1024, 4096, 16384, 65536)  # sizes that are padded to the longest among them
_BIN_SIZES: Final = np.array(_BINS)
_SAMPLE: Final = 32  # where so many values are equal, all may be
_FEW: Final = 48  # as many distinct texts are decoded one by one
_NARROW: Final = 6  # words up to which a sum over columns is quicker than a product of matrices
_MAX_WIDE: Final = 512  # bytes of texts that are decoded together
_FACTORS: Final[U64] = np.random.default_rng(5).integers(1, 2**63, 65536 // 8 + 1, dtype=np.uint64) | np.uint64(1)


class Encoded(NamedTuple):
    """``codes`` of shape (n,), -1 for absent values; the distinct values ``packed`` of shape (u,); ``unsure`` rows."""

    codes: I64
    packed: I64
    unsure: I64


def encode(block: U8, packed: I64) -> Encoded:
    """Encode packed values, shape (n,); 0 is absent."""
    codes = np.full(len(packed), -1, dtype=np.int64)
    there = np.flatnonzero(packed)
    if not len(there):
        return Encoded(codes, packed[:0], there)
    chosen = packed if len(there) == len(packed) else packed[there]
    at, size, _ = unpack(chosen)
    distinct: list[I64] = []
    unsure: list[I64] = []
    count = 0
    for rows in _by_size(size):
        part = chosen[rows] if rows is not None else chosen
        own, first, wrong = _encode(block, at if rows is None else at[rows], size if rows is None else size[rows], part)
        place = there if rows is None else there[rows]
        codes[place] = own + count
        distinct.append(part[first])
        count += len(first)
        if len(wrong):
            unsure.append(place[wrong])
    return Encoded(codes, np.concatenate(distinct), np.concatenate(unsure) if unsure else there[:0])


def _by_size(size: I64) -> list[I64 | None]:
    """Return the rows of each bin that is not empty; None stands for all rows."""
    low, high = bisect_left(_BINS, int(size.min())), bisect_left(_BINS, int(size.max()))
    if low == high:
        return [None]
    bins = _BIN_SIZES.searchsorted(size)
    return [rows for number in range(low, high + 1) if len(rows := np.flatnonzero(bins == number))]


def _encode(block: U8, at: I64, size: I64, packed: I64) -> tuple[I64, I64, I64]:
    """Encode values of one bin: codes (n,), the position of one value per code (u,), rows that are unsure."""
    width = max(-(-int(size.max()) // 8) * 8, 8)
    rows = texts(block, at, size, width)
    meta = (packed & 0xFFFFFF).astype(np.uint64)  # size and type
    if (rows[:_SAMPLE] == rows[0]).all() and (meta == meta[0]).all() and (rows == rows[0]).all():
        return np.zeros(len(packed), dtype=np.int64), np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    keys = meta * _FACTORS[-1]
    if rows.shape[1] <= _NARROW:
        for column in range(rows.shape[1]):
            keys += rows[:, column] * _FACTORS[column]
    else:
        keys += rows @ _FACTORS[: rows.shape[1]]
    keys ^= keys >> np.uint64(32)
    codes, first = factorize(keys)
    if len(first) == 1:
        same = rows == rows[first]
        wrong = meta != meta[first[0]]
    else:
        same = rows == rows[first].take(codes, axis=0)
        wrong = meta != meta[first].take(codes)
    if same.all() and not wrong.any():
        return codes, first, np.zeros(0, dtype=np.int64)
    return codes, first, np.flatnonzero(wrong | ~same.all(axis=1))


def read(block: U8, packed: I64, one: Callable[[int, bytes], str | None]) -> tuple[list[str | None], Flags]:
    """Return the texts of distinct values, and which of them are no value of their type.

    ``one`` reads a single value: (type, bytes) -> text; it is asked for all that are not plain short strings.
    """
    out: list[str | None] = [None] * len(packed)
    bad = np.zeros(len(packed), dtype=bool)
    at, size, kind = unpack(packed)
    rest = np.arange(len(packed))
    if len(packed) > _FEW:
        plain = (kind == values.STRING) & (size & 1 == 0) & (size > 0) & (size <= _MAX_WIDE)
        for rows in _wide_groups(np.flatnonzero(plain), size):
            done, strings = _wide(block, at[rows], size[rows])
            for row, text in zip(rows[done].tolist(), strings, strict=True):
                out[row] = text
            plain[rows[~done]] = False
        rest = np.flatnonzero(~plain)
    data = block.data
    for row, start, length, number in zip(
        rest.tolist(), at[rest].tolist(), size[rest].tolist(), kind[rest].tolist(), strict=True
    ):
        try:
            out[row] = one(number, bytes(data[start : start + length]))
        except values.BadValueError:
            bad[row] = True
    return out, bad


def _wide_groups(rows: I64, size: I64) -> list[I64]:
    """Split rows so that padding to the longest costs little."""
    bins = _BIN_SIZES.searchsorted(size[rows])
    return [part for number in np.unique(bins) if len(part := rows[bins == number])]


def _wide(block: U8, at: I64, size: I64) -> tuple[Flags, list[str]]:
    """Decode UTF-16 texts without surrogates: which were done, shape (n,), and their texts without trailing NULs."""
    width = -(-int(size.max()) // 8) * 8
    units: NDArray[np.uint16] = texts(block, at, size, width).view("<u2")
    done: Flags = ~((units & np.uint16(0xF800)) == 0xD800).any(axis=1)
    wide = units[done].astype("<u4")
    return done, wide.view(f"<U{width // 2}").ravel().tolist()
