"""The way of large logs: blocks of chunks, each read in columns.

Blocks are read with ``preadv`` into buffers that are used again, not through a memory map: a page of a map that the
file no longer has raises SIGBUS, which ends the process, and the copy costs a few percent. It also keeps a block's
bytes in the cache for the passes that follow. Memory is bounded by the blocks in flight and by the columns.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.readers.evtx import walk
from analyzer.readers.evtx.block import Block, Result, Shared, read_block
from analyzer.readers.evtx.container import CHUNK_SIZE, Container
from analyzer.readers.evtx.gather import PAD
from analyzer.readers.evtx.memory import keep_freed

if TYPE_CHECKING:
    from collections.abc import Generator

    from analyzer.readers.evtx.gather import U8

BLOCK_CHUNKS: Final = 288  # 18 MiB: so large that calls of numpy do not count, so small that memory does not


class Blocks:
    """The blocks of one file, read one ahead and given back in file order.

    While one block is read in columns, another thread fetches the next and sums it up: both let go of the interpreter
    for long. (Two threads that both read columns wait for each other at every small call; measured, they take half
    as much processor time again and gain no time.)
    """

    def __init__(self, descriptor: int, container: Container, size: int, block_chunks: int | None = None) -> None:
        chunks = -(-max(size - container.start, 0) // CHUNK_SIZE)
        self._count = -(-chunks // (block_chunks or BLOCK_CHUNKS))
        self._chunks = -(-chunks // max(self._count, 1))  # all of one size: a small last one would cost more
        self._descriptor = descriptor
        self._start = container.start
        self._size = size
        self._shared = Shared(checksums=not container.header.no_crc)

    def read(self) -> Generator[Result, None, None]:
        """Yield what the blocks hold, in file order."""
        with keep_freed(), ThreadPoolExecutor(1, thread_name_prefix="evtx") as pool:
            buffers = [np.zeros(self._chunks * CHUNK_SIZE + PAD, dtype=np.uint8) for _ in range(min(self._count, 2))]
            ahead = pool.submit(self._fetch, 0, buffers[0]) if self._count else None
            for number in range(1, self._count + 1):
                block = ahead.result() if ahead else None
                if number < self._count:
                    ahead = pool.submit(self._fetch, number, buffers[number % 2])
                if block is not None:
                    yield read_block(block, self._shared)

    def _fetch(self, number: int, buffer: U8) -> Block:
        """Fetch one block; a file that has become shorter gives fewer bytes."""
        offset = self._start + number * self._chunks * CHUNK_SIZE
        wanted = min(self._chunks * CHUNK_SIZE, self._size - offset)
        length = 0
        while length < wanted:
            got = os.preadv(self._descriptor, [buffer.data[length:wanted]], offset + length)
            if not got:
                break
            length += got
        buffer[length : length + PAD] = 0  # what an earlier block left there belongs to no chunk of this one
        sums = walk.sum_up(buffer, length // CHUNK_SIZE) if self._shared.checksums else None
        return Block(buffer, number * self._chunks, offset, length, sums)
