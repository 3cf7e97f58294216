"""The records of many chunks at once: all chunks are walked in lockstep, one record of each per step.

A chunk passes only when everything about it is as it should be: a sound header, records that follow each other from
offset 0x200 to exactly the end of the used part, each with its mark, its size and the copy of it, and numbers that
run from the header's first to its last. Every other chunk is left to ``chunk.find_records``, which repairs and reports.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.readers.evtx.chunk import MIN_RECORD
from analyzer.readers.evtx.container import CHUNK_MAGIC, CHUNK_SIZE, RECORD_MAGIC, RECORDS_AT

if TYPE_CHECKING:
    from analyzer.readers.evtx.gather import I64, U8, U32, U64, Flags

MAX_STEPS: Final = (CHUNK_SIZE - RECORDS_AT) // MIN_RECORD + 1
_CHUNK_WORD: Final = int.from_bytes(CHUNK_MAGIC, "little")
_RECORD_WORD: Final = int.from_bytes(RECORD_MAGIC, "little")


class Records(NamedTuple):
    """Well-formed records in file order, all of shape (n,): offset in the block, size, slot of the chunk, number."""

    at: I64
    size: I64
    slot: I64
    number: U64


def chunk_slots(block: U8, slots: int) -> Flags:
    """Tell for each 64 KiB whether a chunk's mark stands there, shape (slots,)."""
    out: Flags = block[: slots * CHUNK_SIZE].view("<u8")[:: CHUNK_SIZE // 8] == np.uint64(_CHUNK_WORD)
    return out


def find(block: U8, slots: I64, sums: Sums | None) -> tuple[Records, I64, I64]:
    """Walk the chunks in these slots; ``sums`` is None for a log that was written without checksums.

    Returns
    -------
    records
        Of all chunks that passed.
    careful
        Slots that did not pass, shape (s,).
    doubtful
        Slots that passed though the checksum over their records does not match, shape (d,).
    """
    starts = slots * CHUNK_SIZE
    whole = block.view("<u8")
    first, last = whole[(starts + 0x18) >> 3], whole[(starts + 0x20) >> 3]
    dwords = block.view("<u4")
    used = dwords[(starts + 0x30) >> 2].astype(np.int64)
    count = last - first + np.uint64(1)
    passed = (used > RECORDS_AT) & (used <= CHUNK_SIZE) & (count > 0) & (count <= CHUNK_SIZE // MIN_RECORD)
    data_ok = np.ones(len(slots), dtype=bool)
    if sums is not None:
        passed &= dwords[(starts + 0x7C) >> 2] == sums.head[slots]
        data_ok = dwords[(starts + 0x34) >> 2] == sums.body[slots]
    behind = np.minimum(starts + used, starts + CHUNK_SIZE - 4)
    passed &= dwords[behind >> 2] != _RECORD_WORD  # what goes on behind the used part is looked at with care
    at, index = _lockstep(dwords, starts, used, passed)
    size = dwords[(at >> 2) + 1].astype(np.int64)
    number = whole[(at >> 3) + 1]
    begins = np.searchsorted(index, np.arange(len(slots)))
    rank = (np.arange(len(at)) - begins[index]).astype(np.uint64)
    good = dwords[at >> 2] == _RECORD_WORD
    good &= dwords[(at + size - 4) >> 2] == size
    good &= number == first[index] + rank
    passed[index[~good]] = False
    passed &= np.bincount(index, minlength=len(slots)).astype(np.uint64) == count
    keep = passed[index]
    if not keep.all():
        at, size, index, number = at[keep], size[keep], index[keep], number[keep]
    return Records(at, size, slots[index], number), slots[~passed], slots[passed & ~data_ok]


class Sums(NamedTuple):
    """Checksums of the chunks in all slots, by their bytes, of shape (slots,): over the header, over the records."""

    head: U32
    body: U32


def sum_up(block: U8, slots: int) -> Sums:
    """Compute the checksums of all slots; where no chunk stands, they are of no use."""
    data = block.data
    crc = zlib.crc32
    used = block[: slots * CHUNK_SIZE].view("<u4")[0x30 >> 2 :: CHUNK_SIZE >> 2].tolist()
    heads, bodies = [], []
    for slot, length in enumerate(used):
        start = slot * CHUNK_SIZE
        end = start + min(length, CHUNK_SIZE)
        heads.append(crc(data[start + 0x80 : start + RECORDS_AT], crc(data[start : start + 0x78])))
        bodies.append(crc(data[start + RECORDS_AT : end]))
    return Sums(np.array(heads, dtype=np.uint32), np.array(bodies, dtype=np.uint32))


def _lockstep(dwords: np.ndarray, starts: I64, used: I64, passed: Flags) -> tuple[I64, I64]:
    """Return offsets of records and the index of their chunk, in file order; clears ``passed`` where sizes fail.

    Each step moves by at least ``MIN_RECORD`` bytes or ends the chunk's walk, so there are at most ``MAX_STEPS``.
    """
    position = starts + RECORDS_AT
    end = starts + used
    active = passed & (position < end)
    steps: list[I64] = []
    for _ in range(MAX_STEPS):
        if not active.any():
            break
        steps.append(np.where(active, position, -1))
        size = dwords[(position >> 2) + 1].astype(np.int64)
        fits = (size >= MIN_RECORD) & (size <= end - position) & (size & 7 == 0)
        passed &= fits | ~active
        active &= fits
        position = np.where(active, position + size, position)
        active &= position < end
    if not steps:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty
    table = np.stack(steps, axis=1)  # (chunks, steps): row by row is file order
    there = (table >= 0) & passed[:, None]
    return table[there], np.nonzero(there)[0]
