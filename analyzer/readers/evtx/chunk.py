"""One chunk: checksums, and its records found by magic, size and size copy (libevtx documentation, 3 and 4)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.readers.evtx.container import CHUNK_SIZE, RECORD_MAGIC, RECORDS_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.readers.evtx.container import Chunk
    from analyzer.readers.evtx.problems import Sink

MIN_RECORD: Final = 28  # header of 24 bytes and the copy of the size
MAX_TRIES: Final = 1 << 16  # marks that are tried per chunk to find the way behind damage
MAX_JUMP: Final = 1 << 32  # record numbers of one chunk do not lie further apart than this
_RECORD = struct.Struct("<4sIQ")
_SIZE = struct.Struct("<I")


class Span(NamedTuple):
    """One record: its bytes are ``data[start:end]`` of the chunk, ``number`` stands in its header."""

    start: int
    end: int
    number: int


@dataclass(frozen=True, slots=True)
class ChunkHeader:
    """What a chunk says of itself. With ``sound`` False none of the numbers is to be relied on."""

    first: int  # number in the header of the first record
    last: int
    used: int  # the records end here
    sound: bool
    data_ok: bool

    @property
    def expects(self) -> bool:
        """The header is sound and says which records the chunk holds."""
        return self.sound and 0 < self.last - self.first + 1 <= CHUNK_SIZE // MIN_RECORD


def read_chunk_header(data: bytes, *, checksums: bool) -> ChunkHeader:
    """Read the header of a chunk; never fails. Without ``checksums`` it is taken at its word."""
    first, last = struct.unpack_from("<QQ", data, 0x18)
    used, data_crc = struct.unpack_from("<II", data, 0x30)
    possible = RECORDS_AT <= used <= CHUNK_SIZE
    if not checksums:
        return ChunkHeader(first, last, used if possible else CHUNK_SIZE, sound=True, data_ok=True)
    (header_crc,) = _SIZE.unpack_from(data, 0x7C)
    sound = zlib.crc32(data[0x80:RECORDS_AT], zlib.crc32(data[:0x78])) == header_crc
    data_ok = possible and zlib.crc32(memoryview(data)[RECORDS_AT:used]) == data_crc
    return ChunkHeader(first, last, used if possible else CHUNK_SIZE, sound, data_ok)


def find_records(chunk: Chunk, problems: Sink, *, checksums: bool) -> Iterator[Span]:
    """Yield the records of a chunk in the order of their bytes.

    Behind damage the walk resumes at the next well-formed record with a higher number (a chunk is used again in
    a circular log, and what remains of older records has lower ones). Each byte is looked at a bounded number
    of times. ``checksums`` is False for a log that was written without them.
    """
    header = read_chunk_header(chunk.data, checksums=checksums)
    if not header.sound:
        problems.add("doubtful", chunk.place(0x7C), "the checksum of the chunk header does not match")
    if not header.data_ok and chunk.length == CHUNK_SIZE:
        problems.add("doubtful", chunk.place(0x34), "the checksum of the chunk's records does not match")
    yield from _Walk(chunk, header, problems).run()


class _Walk:
    """The walk over one chunk; ``previous`` is the number of the last record that was passed, -1 where unknown."""

    def __init__(self, chunk: Chunk, header: ChunkHeader, problems: Sink) -> None:
        self.chunk = chunk
        self.data = chunk.data
        self.limit = chunk.length
        self.used = min(header.used, chunk.length)
        self.header = header
        self.problems = problems
        self.previous = header.first - 1 if header.expects else -1
        self.tries = MAX_TRIES

    def run(self) -> Iterator[Span]:
        position = RECORDS_AT
        while position + MIN_RECORD <= self.limit:
            magic, size, number = _RECORD.unpack_from(self.data, position)
            marked = magic == RECORD_MAGIC
            sized = self._sized(position, size)
            follows = self.previous >= 0 and number == self.previous + 1
            if position >= self.used and not (marked and sized and follows):
                break  # behind the used part only what plainly goes on is a record
            end: int | None = position + size
            if not (sized and (marked or follows)):
                end = self._repair(position, size, number) if marked and (follows or self.previous < 0) else None
            elif not marked:
                self._doubt(position, number, "the mark of this record is damaged; the rest of it fits")
            if end is None:
                after = self._skip(position, marked=marked)
                if after is None:
                    break
                position = after
                continue
            self._note_jump(position, number)
            self.previous = number
            yield Span(position, end, number)
            position = end
        self._check_tail(position)

    def _sized(self, position: int, size: int) -> bool:
        """Tell whether the size is possible and its copy stands at the record's end."""
        end = position + size
        return size >= MIN_RECORD and end <= self.limit and _SIZE.unpack_from(self.data, end - 4)[0] == size

    def _number(self, position: int) -> int:
        return int(_RECORD.unpack_from(self.data, position)[2])

    def _next(self, position: int) -> int | None:
        """Return where the next well-formed record with a higher number starts, or None."""
        while self.tries > 0:
            self.tries -= 1
            position = self.data.find(RECORD_MAGIC, position, self.used)
            if position < 0 or position + MIN_RECORD > self.used:
                return None
            _, size, number = _RECORD.unpack_from(self.data, position)
            if self._sized(position, size) and self._later(number):
                return position
            position += 1
        return None

    def _later(self, number: int) -> bool:
        if self.header.expects and not self.header.first <= number <= self.header.last:
            return False
        return self.previous < 0 or 0 < number - self.previous < MAX_JUMP

    def _repair(self, position: int, size: int, number: int) -> int | None:
        """Return the end of a record whose size or copy of it is damaged, None where it is not known."""
        after = self._next(position + 4)
        if after is not None and self._number(after) == number + 1:
            self._doubt(position, number, "the size of this record is damaged; its end is known from what follows")
            return after
        if after is None and self.header.expects and number == self.header.last and self.used == self.header.used:
            self._doubt(position, number, "the size of this record is damaged; its end is that of the used part")
            return self.used
        if MIN_RECORD <= size <= self.limit - position:
            self._doubt(position, number, "the copy of this record's size at its end does not match")
            return position + size
        return None

    def _skip(self, position: int, *, marked: bool) -> int | None:
        """Give up what stands here; return where the next record is, None at the end of what is readable."""
        after = self._next(position + 1)
        reason = "a record with an impossible size" if marked else "no record where one should start"
        if after is not None:
            number = self._number(after)
            lost = f"{number - self.previous - 1} records" if self.previous >= 0 else "an unknown number of records"
            self._lose(position, f"{reason}: {lost} lost up to offset 0x{self.chunk.offset + after:x}", reason)
            self.previous = number - 1
        elif not self.header.expects and self.limit == CHUNK_SIZE and any(self.data[position : self.used]):
            self._lose(position, f"{reason}, and none behind it: the rest of this chunk is lost", reason)
        return after

    def _note_jump(self, position: int, number: int) -> None:
        """Report records that the header numbers say are missing between two that are there."""
        if self.previous >= 0 and self.header.expects and self.previous + 1 < number <= self.header.last:
            what = "records are missing before this one, by the numbers in the record headers"
            self._lose(position, f"{number - self.previous - 1} {what}", what)

    def _check_tail(self, position: int) -> None:
        """Report the records that the chunk's header announces and that were not found."""
        cut = "the file ends inside this chunk" if self.limit < CHUNK_SIZE else "the chunk cannot be read from here"
        missing = self.header.last - self.previous
        if self.header.expects and 0 < missing <= CHUNK_SIZE // MIN_RECORD:
            span = f"{self.previous + 1} to {self.header.last}"
            self._lose(position, f"{cut}: {missing} records ({span}) are lost", cut)
        elif self.limit < CHUNK_SIZE and not self.header.expects:
            self._lose(position, f"{cut}: what follows is lost", cut)

    def _doubt(self, position: int, number: int, what: str) -> None:
        self.problems.add("doubtful", self.chunk.place(position, number), what)

    def _lose(self, position: int, what: str, reason: str) -> None:
        number = self.previous + 1 if self.previous >= 0 else None
        self.problems.add("lost", self.chunk.place(position, number), what, reason=reason)
