"""The way of large logs: blocks of chunks, each read in columns, several at a time.

Blocks are read with ``preadv`` into buffers that are used again, not through a memory map: a page of a map that the
file no longer has raises SIGBUS, which ends the process, and the copy costs a few percent. It also keeps a block's
bytes in the cache for the passes that follow. Memory is bounded by the blocks in flight and by the columns.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.readers.evtx.block import Block, Result, Shared, read_block
from analyzer.readers.evtx.container import CHUNK_SIZE, Container
from analyzer.readers.evtx.gather import PAD
from analyzer.readers.evtx.memory import keep_freed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from analyzer.readers.evtx.gather import U8

BLOCK_CHUNKS: Final = 576  # 36 MiB: so large that calls of numpy do not count, so small that memory does not
MIN_BLOCKS: Final = 2  # smaller logs are cut into as many, so that all workers have work
WORKERS: Final = 2  # numpy lets go of the interpreter in large operations only; more than two wait for each other


class Blocks:
    """The blocks of one file, read by some threads and given back in file order."""

    def __init__(self, descriptor: int, container: Container, size: int, block_chunks: int | None = None) -> None:
        chunks = -(-max(size - container.start, 0) // CHUNK_SIZE)
        blocks = max(-(-chunks // BLOCK_CHUNKS), MIN_BLOCKS)
        self._chunks = block_chunks or max(-(-chunks // blocks), 1)  # of equal size: a small last one would cost more
        self._count = -(-chunks // self._chunks)
        self._descriptor = descriptor
        self._start = container.start
        self._size = size
        self._shared = Shared(checksums=not container.header.no_crc)
        self._buffers: SimpleQueue[U8] = SimpleQueue()

    def __iter__(self) -> Iterator[Result]:
        """Yield what the blocks hold, in file order."""
        with keep_freed():
            yield from self._results()

    def _results(self) -> Iterator[Result]:
        workers = min(WORKERS, self._count, os.cpu_count() or 1)
        for _ in range(workers):
            self._buffers.put(np.zeros(self._chunks * CHUNK_SIZE + PAD, dtype=np.uint8))
        if workers <= 1:
            yield from map(self._read, range(self._count))
            return
        pool = ThreadPoolExecutor(workers, thread_name_prefix="evtx")
        try:
            waiting: list[Future[Result]] = []
            for number in range(self._count):
                waiting.append(pool.submit(self._read, number))
                if len(waiting) > workers:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, number: int) -> Result:
        """Read one block; a file that has become shorter gives fewer bytes, and the rest of the block is zeros."""
        offset = self._start + number * self._chunks * CHUNK_SIZE
        wanted = min(self._chunks * CHUNK_SIZE, self._size - offset)
        buffer = self._buffers.get()
        try:
            length = 0
            while length < wanted:
                got = os.preadv(self._descriptor, [buffer.data[length:wanted]], offset + length)
                if not got:
                    break
                length += got
            buffer[length : length + PAD] = 0  # what an earlier block left there belongs to no chunk of this one
            return read_block(Block(buffer, number * self._chunks, offset, length), self._shared)
        finally:
            self._buffers.put(buffer)
