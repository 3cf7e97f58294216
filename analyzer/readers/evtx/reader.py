"""The way in: chooses between the careful way and that of columns, and puts the result together."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, BinaryIO, Final

from analyzer.readers.evtx.careful import Careful, Read
from analyzer.readers.evtx.columnar import Blocks
from analyzer.readers.evtx.columns import TableColumns
from analyzer.readers.evtx.container import HEADER_SIZE, Chunk, Container
from analyzer.readers.evtx.fragment import Library
from analyzer.readers.evtx.health import Health, seen
from analyzer.readers.evtx.log import EvtxLog
from analyzer.readers.evtx.mixed import mix
from analyzer.readers.evtx.problems import Noted, Problems
from analyzer.wfp.events import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from analyzer.readers.evtx.block import Result
    from analyzer.readers.evtx.columns import Piece
    from analyzer.wfp.events import Table

    Progress = Callable[[int, int], None]

COLUMNS_FROM: Final = 1 << 20  # bytes of a log from which on columns are quicker
CLEARED: Final = 1102
_WAIT: Final = 1 << 15  # records that wait before they are taken in


def read_evtx(
    path: Path,
    name: str,
    progress: Progress | None = None,
    *,
    columns: bool | None = None,
    block_chunks: int | None = None,
    helped: bool | None = None,
) -> EvtxLog:
    """Read an event log.

    Parameters
    ----------
    path
        The file.
    name
        What the file is called in frames and problems.
    progress
        Called with the bytes done and the bytes of the file, once per chunk or block of chunks.
    columns
        Whether to read in columns or record by record; by the size of the file where it is not given. Both give
        the same result.
    block_chunks
        Chunks per block where columns are read.
    helped
        Whether a second process reads blocks as well; by the size of the file where it is not given. The result is
        the same.

    Returns
    -------
    EvtxLog
        Frames, problems and what was seen over all records. Content that cannot be read becomes a problem and
        never an exception, and so does a file that changes while it is read.

    Raises
    ------
    OSError
        When the file cannot be opened or read.
    """
    with path.open("rb", buffering=0) as stream:
        before = os.fstat(stream.fileno())
        work = _Work(name, stream, before.st_size)
        by_columns = before.st_size >= COLUMNS_FROM and hasattr(os, "preadv")  # Windows has no preadv
        if by_columns if columns is None else columns:
            work.by_columns(progress, block_chunks, helped=helped)
        else:
            work.by_records(progress)
        after = os.fstat(stream.fileno())
        work.changed(before.st_size, after.st_size, rewritten=before.st_mtime_ns != after.st_mtime_ns)
    return work.result()


class _Work:
    """What goes along through one file."""

    def __init__(self, name: str, stream: BinaryIO, size: int) -> None:
        self._problems = Problems(name)
        self._name = name
        self._stream = stream
        self._size = size
        self._columns = {table: TableColumns(table, name) for table in TABLES}
        self._health = Health()
        self._container = Container(stream.read(HEADER_SIZE), size, self._problems)

    def by_records(self, progress: Progress | None) -> None:
        """Read the file record by record."""
        container = self._container
        self._stream.seek(container.start)
        way = Careful(Library(), self._problems)
        waiting: list[Read] = []
        for chunk in container.chunks(self._stream, progress):
            waiting.extend(way.chunk(chunk, checksums=not container.header.no_crc))
            if len(waiting) >= _WAIT:
                self._take_in_reads(waiting)
                waiting.clear()
        self._take_in_reads(waiting)

    def _take_in_reads(self, reads: list[Read]) -> None:
        """Take in what the careful way read."""
        self._health.see(seen(reads))
        pieces: dict[Table, Piece] = {}
        mix(pieces, reads)
        for table, piece in pieces.items():
            self._columns[table].add(piece)

    def by_columns(self, progress: Progress | None, block_chunks: int | None, *, helped: bool | None) -> None:
        """Read the file in blocks of chunks."""
        container = self._container
        end = container.start
        blocks = Blocks(self._stream.fileno(), container, self._size, block_chunks, helped=helped)
        with contextlib.closing(blocks.read()) as results:
            for result in results:
                self._take_in(result)
                end = result.end
                if progress is not None:
                    progress(min(end, self._size), self._size)
        container.finish(end)

    def _take_in(self, result: Result) -> None:
        """Take in what a block holds."""
        container = self._container
        for item in result.notes.items:
            if isinstance(item, Noted):
                self._problems.add(item.severity, item.place, item.what, reason=item.reason)
            elif isinstance(item, Chunk):
                container.see_other(item)
            else:
                container.see_chunks(item)
        self._problems.fold(result.notes.folded)
        self._health.see(result.seen)
        for table, piece in result.pieces.items():
            self._columns[table].add(piece)

    def changed(self, before: int, after: int, *, rewritten: bool) -> None:
        """Report a file that did not stay the same while it was read."""
        if after < before:
            what = (
                f"the file became shorter while it was read, from {before} to {after} bytes: what was cut off is lost"
            )
            self._problems.add("lost", f"offset 0x{after:x}", what)
        elif after > before:
            what = f"the file grew while it was read, from {before} to {after} bytes: what was added is not read"
            self._problems.add("lost", f"offset 0x{before:x}", what)
        elif rewritten:
            what = "the file was written to while it was read: records may be missing or doubled"
            self._problems.add("doubtful", None, what)

    def _report_clears(self, host: pd.DataFrame) -> None:
        """Report where the log says that it was cleared."""
        cleared = host.loc[host["event_id"] == CLEARED, ["offset", "record_id", "time"]]
        for offset, record_id, time in cleared.itertuples(index=False, name=None):
            what = f"the log was cleared at {time:%Y-%m-%d %H:%M:%S} UTC: what it held before is gone"
            self._problems.add("note", f"offset 0x{offset:x}, record {record_id}", what, reason="the log was cleared")

    def result(self) -> EvtxLog:
        """Return the log as read so far."""
        health = self._health
        health.report(self._problems)
        tables = {table: self._columns[table].build() for table in TABLES}
        self._report_clears(tables["host"])
        return EvtxLog(
            tables=tables,
            problems=self._problems.collect(),
            records=health.records,
            first=health.first,
            last=health.last,
            computers=tuple(health.computers),
            channels=health.channels,
            selective=health.selective,
            id_gaps=tuple(health.gaps),
        )
