"""The careful way: one record after another, in Python. It reads everything; small logs and odd records go this way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.readers.evtx.chunk import find_records
from analyzer.readers.evtx.fragment import Fragments
from analyzer.readers.evtx.guard import RefusedError
from analyzer.readers.evtx.record import RecordReader
from analyzer.readers.evtx.rows import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.readers.evtx.chunk import Span
    from analyzer.readers.evtx.container import Chunk
    from analyzer.readers.evtx.fragment import Library
    from analyzer.readers.evtx.problems import Sink
    from analyzer.readers.evtx.record import System
    from analyzer.wfp.events import EventSpec

RECORD_HEAD: Final = 24  # magic, size, number, time of writing
RECORD_TAIL: Final = 4  # copy of the size


class Read(NamedTuple):
    """One record: its offset in the file, the number of its header, and what it says.

    ``system`` is None where the record could not be read; ``spec`` and ``cells`` are None for events of no interest.
    """

    offset: int
    number: int
    system: System | None
    spec: EventSpec | None
    cells: list[object] | None


class Careful:
    """Reads chunks and single records; whatever is wrong with a record costs only that one."""

    def __init__(self, library: Library, problems: Sink) -> None:
        self._library = library
        self._problems = problems
        self._records = RecordReader(FORMS)

    def chunk(self, chunk: Chunk, *, checksums: bool) -> Iterator[Read]:
        """Yield the records of a chunk."""
        fragments = Fragments(chunk.data, chunk.length, self._library)
        for span in find_records(chunk, self._problems, checksums=checksums):
            yield self._record(chunk, fragments, span)

    def records(self, chunk: Chunk, spans: list[Span]) -> Iterator[Read]:
        """Yield some records of a chunk."""
        fragments = Fragments(chunk.data, chunk.length, self._library)
        for span in spans:
            yield self._record(chunk, fragments, span)

    def _record(self, chunk: Chunk, fragments: Fragments, span: Span) -> Read:
        offset = chunk.offset + span.start
        try:
            system, spec, cells = self._records.read(fragments, span.start + RECORD_HEAD, span.end - RECORD_TAIL)
        except RefusedError as error:
            place = chunk.place(span.start, span.number)
            self._problems.add("lost", place, f"this record cannot be read: {error}")
            return Read(offset, span.number, None, None, None)
        for what, reason in self._records.complaints:
            self._problems.add("doubtful", chunk.place(span.start, span.number), what, reason=reason)
        return Read(offset, span.number, system, spec, cells)
