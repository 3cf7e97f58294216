"""The way of large logs: blocks of chunks, each read in columns; from some size on by two processes.

While one block is read in columns, another thread fetches the next and sums it up: both let go of the interpreter
for long. (Two threads that both read columns wait for each other at every small call, so the second reader of a large
log is a process.) Memory is bounded by the blocks in flight and by the columns.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from analyzer.readers.evtx.block import Block, Result, Shared, read_block
from analyzer.readers.evtx.cut import cut
from analyzer.readers.evtx.helper import HELPED_FROM, Alone, Helper, can_help

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

    from analyzer.readers.evtx.container import Container

BLOCK_CHUNKS: Final = 512  # 32 MiB: calls of numpy cost the same for any size, a third of the time at 9 MiB


class Blocks:
    """The blocks of one file, given back in file order, whoever has read them.

    ``helped`` tells whether a second process reads as well; by the size of the file where it is None.
    """

    def __init__(
        self,
        descriptor: int,
        container: Container,
        size: int,
        block_chunks: int | None = None,
        *,
        helped: bool | None = None,
    ) -> None:
        checksums = not container.header.no_crc
        self._cut = cut(descriptor, container.start, size, block_chunks or BLOCK_CHUNKS, checksums=checksums)
        self._shared = Shared(checksums=checksums)
        self._helped = can_help(self._cut) and (size >= HELPED_FROM if helped is None else helped)

    def read(self) -> Generator[Result, None, None]:
        """Yield what the blocks hold, in file order."""
        plan, shared = self._cut, self._shared
        with (
            Helper(plan) if self._helped else Alone(plan) as helper,
            ThreadPoolExecutor(1, thread_name_prefix="evtx") as pool,
        ):
            buffers = [plan.buffer() for _ in range(min(plan.blocks, 2))]

            def fetch() -> tuple[int, Future[Block]] | None:
                """Begin to fetch the next block that nobody has."""
                number = helper.claim()
                if number is None:
                    return None
                buffers.reverse()
                return number, pool.submit(plan.fetch, number, buffers[0])

            done: dict[int, Result] = {}
            ahead = fetch()
            for turn in range(plan.blocks):
                while turn not in done:
                    if (result := helper.result(turn, wait=ahead is None)) is not None:
                        done[turn] = result
                    elif ahead is not None:
                        number, block = ahead[0], ahead[1].result()
                        ahead = fetch()
                        done[number] = read_block(block, shared)
                    else:  # the helper has failed
                        done[turn] = read_block(plan.fetch(turn, buffers[0]), shared)
                yield done.pop(turn)
