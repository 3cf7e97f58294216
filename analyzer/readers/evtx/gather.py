"""Reads many small pieces of one block of bytes at once, wherever they start.

Everything here takes ``block``, a ``uint8`` array with at least ``PAD`` readable bytes behind the last piece, and
``at``, an ``int64`` array of shape (n,) with offsets into it. Pieces may start at odd offsets: they are copied as
opaque items of a view whose items overlap, one item per byte of the block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    U8 = NDArray[np.uint8]
    U32 = NDArray[np.uint32]
    U64 = NDArray[np.uint64]
    I64 = NDArray[np.int64]
    I32 = NDArray[np.int32]
    Flags = NDArray[np.bool_]

PAD: Final = 1 << 18  # a descriptor list may reach 64 KiB from a record's end, a definition and a value as well

# A value in one number: offset in the block, size in bytes, type of BinXml. 0 is "absent".
SIZE_SHIFT: Final = 8
AT_SHIFT: Final = 24
_MASKS: Final[dict[int, U64]] = {}


def pieces(block: U8, at: I64, width: int) -> NDArray[Any]:
    """Return the ``width`` bytes at each offset as opaque items, shape (n,)."""
    view: NDArray[Any] = np.ndarray((block.size - width + 1,), dtype=f"V{width}", buffer=block.data, strides=(1,))
    return view[at]


def words(block: U8, at: I64, width: int) -> U64:
    """Return the ``width`` bytes (a multiple of 8) at each offset as little-endian words, shape (n, width // 8)."""
    return pieces(block, at, width).view("<u8").reshape(-1, width // 8)


def dwords(block: U8, at: I64) -> I64:
    """Return the 32-bit number at each offset, shape (n,)."""
    return pieces(block, at, 4).view("<u4").astype(np.int64)


def masks(width: int) -> U64:
    """Return for each size from 0 to ``width`` the words that keep so many bytes, shape (width + 1, width // 8)."""
    table = _MASKS.get(width)
    if table is None:
        keep = np.arange(width)[None, :] < np.arange(width + 1)[:, None]
        table = np.where(keep, np.uint8(0xFF), np.uint8(0)).view("<u8").copy()
        if width <= 1024:
            _MASKS[width] = table
    return table


def texts(block: U8, at: I64, size: I64, width: int) -> U64:
    """Return pieces of at most ``width`` bytes as words, zero behind each one's end, shape (n, width // 8)."""
    rows = words(block, at, width)
    low, high = int(size.min()), int(size.max())
    if width > 1024:  # few and long: the table of masks would be larger than they are
        for row, length in zip(rows.view(np.uint8), size.tolist(), strict=True):
            row[length:] = 0
    elif low == high:
        if low < width:
            rows &= masks(width)[low]
    else:
        rows &= masks(width).take(size, axis=0)
    return rows


def pack(at: I64, size: I64, kind: I64) -> I64:
    """Return values as one number each: offset, size and type."""
    return (at << AT_SHIFT) | (size << SIZE_SHIFT) | kind


def unpack(packed: I64) -> tuple[I64, I64, I64]:
    """Return offset, size and type of packed values."""
    return packed >> AT_SHIFT, (packed >> SIZE_SHIFT) & 0xFFFF, packed & 0xFF


def factorize(keys: U64 | I64) -> tuple[I64, I64]:
    """Return a code for each key, shape (n,), and for each code the position of one of its keys, shape (u,)."""
    codes, distinct = pd.factorize(keys.view(np.int64))
    codes = codes.astype(np.int64, copy=False)
    first = np.empty(len(distinct), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return codes, first
