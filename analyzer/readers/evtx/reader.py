"""The loop over a log file: chunks, records, rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from analyzer.readers.evtx.chunk import find_records
from analyzer.readers.evtx.container import Container
from analyzer.readers.evtx.fragment import Fragments, Library
from analyzer.readers.evtx.guard import RefusedError
from analyzer.readers.evtx.health import Health
from analyzer.readers.evtx.log import EvtxLog
from analyzer.readers.evtx.problems import Problems
from analyzer.readers.evtx.record import RecordReader
from analyzer.readers.evtx.rows import FORMS, Tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.readers.evtx.container import Chunk

RECORD_HEAD = 24  # magic, size, number, time of writing
RECORD_TAIL = 4  # copy of the size


def read_evtx(path: Path, name: str, progress: Callable[[int, int], None] | None = None) -> EvtxLog:
    """Read an event log.

    Parameters
    ----------
    path
        The file.
    name
        What the file is called in frames and problems.
    progress
        Called with the bytes done and the bytes of the file, once per chunk.

    Returns
    -------
    EvtxLog
        Frames, problems and what was seen over all records. Content that cannot be read becomes a problem and
        never an exception.

    Raises
    ------
    OSError
        When the file cannot be opened or read.
    """
    problems = Problems(name)
    work = _Work(name, problems)
    with path.open("rb") as stream:
        container = Container(stream, os.fstat(stream.fileno()).st_size, problems)
        for chunk in container.chunks(progress):
            work.chunk(chunk, checksums=not container.header.no_crc)
    return work.result()


class _Work:
    """What goes along through all chunks of one file."""

    def __init__(self, name: str, problems: Problems) -> None:
        self._problems = problems
        self._tables = Tables(name)
        self._library = Library()
        self._records = RecordReader(FORMS)
        self._health = Health()

    def chunk(self, chunk: Chunk, *, checksums: bool) -> None:
        """Read the records of one chunk; whatever is wrong with one of them costs only that one."""
        fragments = Fragments(chunk.data, chunk.length, self._library)
        for span in find_records(chunk, self._problems, checksums=checksums):
            try:
                system, spec, cells = self._records.read(fragments, span.start + RECORD_HEAD, span.end - RECORD_TAIL)
            except RefusedError as error:
                self._health.unreadable()
                place = chunk.place(span.start, span.number)
                self._problems.add("lost", place, f"this record cannot be read: {error}")
                continue
            self._health.see(span.number, system)
            for what, reason in self._records.complaints:
                self._problems.add("doubtful", chunk.place(span.start, span.number), what, reason=reason)
            if spec is not None and cells is not None:
                self._tables.add(spec.table, cells, chunk.offset + span.start, system)

    def result(self) -> EvtxLog:
        """Return the log as read so far."""
        health = self._health
        return EvtxLog(
            tables=self._tables.build(),
            problems=self._problems.collect(),
            records=health.records,
            first=health.first,
            last=health.last,
            computers=tuple(health.computers),
            channels=health.channels,
            selective=health.selective,
            id_gaps=tuple(health.gaps),
        )
