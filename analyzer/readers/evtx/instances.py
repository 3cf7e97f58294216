"""Template instances, many at once: which template each uses, and where its values are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.readers.evtx import guard
from analyzer.readers.evtx.container import CHUNK_SIZE
from analyzer.readers.evtx.gather import AT_SHIFT, SIZE_SHIFT, dwords, factorize, pieces, words
from analyzer.readers.evtx.shape import TEMPLATE_HEAD

if TYPE_CHECKING:
    from analyzer.readers.evtx.gather import I32, I64, U8, Flags
    from analyzer.readers.evtx.templates import Templates

_HEAD: Final = 14  # fragment header of 4 bytes, token, one byte, template id, offset of the definition
_BYTE, _NIBBLE, _DWORD = np.uint64(0xFF), np.uint64(0x0F), np.uint64(0xFFFFFFFF)


class Instances(NamedTuple):
    """Instances, all of shape (n,): template (-1 where it must be read with care), and their values' descriptors.

    ``first`` is the offset in the block of the first descriptor, ``descriptors`` their number; values end
    before ``end``.
    """

    template: I64
    first: I64
    descriptors: I64
    end: I64


class Values(NamedTuple):
    """The values of instances with ``k`` values each: offset, size and type, each of shape (k, n); ``fits`` (n,)."""

    at: I32
    size: I32
    kind: U8
    fits: Flags


def read_instances(block: U8, at: I64, end: I64, templates: Templates) -> Instances:
    """Read the heads of the fragments that stand in ``block[at:end]``, shapes (n,)."""
    base = at // CHUNK_SIZE * CHUNK_SIZE
    head = words(block, at, 16)
    offset = ((head[:, 1] >> np.uint64(16)) & _DWORD).astype(np.int64)
    good = (head[:, 0] & _BYTE) == guard.START
    good &= ((head[:, 0] >> np.uint64(32)) & _NIBBLE) == guard.TEMPLATE_INSTANCE
    good &= (offset >= guard.STRINGS_FROM) & (offset <= CHUNK_SIZE - TEMPLATE_HEAD) & (at + _HEAD + 4 <= end)
    template = np.full(len(at), -1, dtype=np.int64)
    size = np.zeros(len(at), dtype=np.int64)
    rows = np.flatnonzero(good)
    if len(rows):
        codes, first = factorize((base + offset)[rows])
        which = rows[first]
        found, found_size = templates.resolve(block, base[which], offset[which])
        template[rows], size[rows] = found[codes], found_size[codes]
    behind = at + _HEAD
    inline = (template >= 0) & (base + offset == behind)
    behind += np.where(inline, TEMPLATE_HEAD + size, 0)
    template[behind + 4 > end] = -1
    count = dwords(block, np.where(template >= 0, behind, at))
    template[behind + 4 + 4 * count > end] = -1
    return Instances(template, behind + 4, count, end)


def read_values(block: U8, first: I64, end: I64, count: int) -> Values:
    """Read the descriptors of instances with ``count`` values each; shapes of the arguments (n,)."""
    n = len(first)
    size = np.empty((count, n), dtype=np.int32)
    kind = np.empty((count, n), dtype=np.uint8)
    at = np.empty((count, n), dtype=np.int32)
    running = (first + 4 * count).astype(np.int32)
    if count:
        raw = pieces(block, first, 4 * count).view(np.uint8).reshape(n, 4 * count)
        kind[:] = raw[:, 2::4].T
        size[:] = raw.view("<u2")[:, 0::2].T
    for slot in range(count):
        at[slot] = running
        running += size[slot]
    return Values(at, size, kind, running <= end)


def packed(values: Values, slot: int) -> I64:
    """Return one value of each instance as packed numbers, shape (n,); 0 where it is absent, null or empty."""
    if slot >= len(values.at):
        return np.zeros(values.at.shape[1], dtype=np.int64)
    size = values.size[slot].astype(np.int64)
    kind = values.kind[slot]
    out: I64 = (values.at[slot].astype(np.int64) << AT_SHIFT) | (size << SIZE_SHIFT) | kind
    out[(size == 0) | (kind == 0)] = 0
    return out
