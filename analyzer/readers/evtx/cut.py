"""How a file is cut into blocks of chunks, and how one of them is fetched.

Blocks are read with ``preadv`` into buffers that are used again, not through a memory map: a page of a map that the
file no longer has raises SIGBUS, which ends the process, and the copy costs a few percent. It also keeps a block's
bytes in the cache for the passes that follow.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analyzer.readers.evtx import walk
from analyzer.readers.evtx.block import Block
from analyzer.readers.evtx.container import CHUNK_SIZE
from analyzer.readers.evtx.gather import PAD

if TYPE_CHECKING:
    from analyzer.readers.evtx.gather import U8


class Cut(NamedTuple):
    """As many ``blocks`` of ``chunks`` slots each, from ``start`` of a file of ``size`` bytes."""

    descriptor: int
    start: int
    size: int
    chunks: int
    blocks: int
    checksums: bool

    def buffer(self) -> U8:
        """Return room for one block."""
        return np.zeros(self.chunks * CHUNK_SIZE + PAD, dtype=np.uint8)

    def fetch(self, number: int, buffer: U8) -> Block:
        """Fetch one block; a file that has become shorter gives fewer bytes."""
        offset = self.start + number * self.chunks * CHUNK_SIZE
        wanted = min(self.chunks * CHUNK_SIZE, self.size - offset)
        length = 0
        while length < wanted:
            got = os.preadv(self.descriptor, [buffer.data[length:wanted]], offset + length)
            if not got:
                break
            length += got
        buffer[length : length + PAD] = 0  # what an earlier block left there belongs to no chunk of this one
        sums = walk.sum_up(buffer, length // CHUNK_SIZE) if self.checksums else None
        return Block(buffer, number * self.chunks, offset, length, sums)


def cut(descriptor: int, start: int, size: int, block_chunks: int, *, checksums: bool) -> Cut:
    """Cut a file into blocks of one size, at most ``block_chunks`` chunks: a small last one would cost more."""
    chunks = -(-max(size - start, 0) // CHUNK_SIZE)
    count = -(-chunks // block_chunks)
    return Cut(descriptor, start, size, -(-chunks // max(count, 1)), count, checksums)
