"""The file: its header, and its 64 KiB chunks found by magic (libevtx documentation of the EVTX format, 2 and 3)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.readers.evtx.problems import Sink

FILE_MAGIC: Final = b"ElfFile\0"
CHUNK_MAGIC: Final = b"ElfChnk\0"
HEADER_SIZE: Final = 0x1000
CHUNK_SIZE: Final = 0x10000
RECORDS_AT: Final = 0x200  # a chunk's records start behind its header and its string and template tables
RECORD_MAGIC: Final = b"**\0\0"
DIRTY: Final = 0x1
NO_CRC: Final = 0x4
_ZERO: Final = bytes(CHUNK_SIZE)

# first bytes -> what such a file is, for files that are no event log
_OTHER_FORMATS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"MSCF", "a cabinet archive"),
    (b"\xef\xbb\xbf<", "an XML text"),
    (b"<", "an XML text"),
    (b"\xff\xfe<\0", "an XML text in UTF-16"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x1f\x8b", "a gzip archive"),
)


@dataclass(frozen=True, slots=True)
class FileHeader:
    """What the first 4096 bytes say. A header with ``valid`` False says nothing."""

    valid: bool
    crc_ok: bool
    flags: int
    chunks: int

    @property
    def dirty(self) -> bool:
        """The log was in use when it was copied: the counts of its header lag behind."""
        return bool(self.flags & DIRTY)

    @property
    def no_crc(self) -> bool:
        """The log was written without checksums."""
        return bool(self.flags & NO_CRC)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: ``data`` is always 64 KiB, zeros from ``length`` on where the file ends inside it."""

    number: int
    offset: int
    data: bytes
    length: int

    def place(self, position: int | None = None, record: int | None = None) -> str:
        """Return where this is, in words: ``chunk 3, offset 0x31200, record 4711``."""
        text = f"chunk {self.number}, offset 0x{self.offset + (position or 0):x}"
        return text if record is None else f"{text}, record {record}"


def read_header(block: bytes) -> FileHeader:
    """Read the file header from the first bytes of a file; never fails."""
    if len(block) < 0x80 or block[:8] != FILE_MAGIC:
        return FileHeader(valid=False, crc_ok=False, flags=0, chunks=0)
    (chunks,) = struct.unpack_from("<H", block, 0x2A)
    flags, crc = struct.unpack_from("<II", block, 0x78)
    return FileHeader(valid=True, crc_ok=zlib.crc32(block[:0x78]) == crc, flags=flags, chunks=chunks)


def what_is(block: bytes) -> str:
    """Say in words what a file is that holds no chunk, from its first bytes."""
    if not block:
        return "the file is empty (0 bytes)"
    if block[4:8] == b"LfLe":
        return "this is an event log of Windows XP or Server 2003 (.evt), a format that is not read"
    for magic, words in _OTHER_FORMATS:
        if block.startswith(magic):
            return f"this is no event log: it looks like {words}"
    if not any(block):
        return "this is no event log: it holds zeros only"
    head = block[:512]
    if all(byte in b"\t\r\n" or 0x20 <= byte < 0x7F or byte >= 0x80 for byte in head):
        return "this is no event log: it looks like plain text"
    return "this is no event log: neither a file header nor a chunk of one was found"


class Container:
    """What a log file is made of: takes in its 64 KiB slots in order and says what is missing or out of place.

    Only ``read`` is used on files and never a memory map, so that a log which shrinks meanwhile ends early
    instead of ending the process (a page behind a file's end raises SIGBUS).
    """

    def __init__(self, head: bytes, size: int, problems: Sink) -> None:
        self.header = read_header(head)
        self.found = 0
        self.start = 0 if head.startswith(CHUNK_MAGIC) else HEADER_SIZE  # a log whose file header was cut off
        self._size = size
        self._problems = problems
        self._head = head
        self._blocks = 0
        self._empty: list[Chunk] = []  # slots without a chunk since the last chunk; their bytes are dropped

    def see_chunks(self, count: int = 1) -> None:
        """Take in slots that hold a chunk."""
        if self._empty:
            self._blame_empty()
        self._blocks += count
        self.found += count

    def see_other(self, stub: Chunk) -> None:
        """Take in a slot that holds none, as ``stub`` gives it."""
        self._blocks += 1
        self._empty.append(stub)

    def chunks(self, stream: BinaryIO, progress: Callable[[int, int], None] | None) -> Iterator[Chunk]:
        """Yield every chunk of a stream that stands at ``start``, and take in all slots."""
        offset = self.start
        while block := stream.read(CHUNK_SIZE):
            chunk = make_chunk(self._blocks, offset, block)
            offset += len(block)
            if is_chunk(chunk, self._problems):
                self.see_chunks()
                yield chunk
            else:
                self.see_other(stub(chunk))
            if progress is not None:
                progress(min(offset, self._size), self._size)
        self.finish(offset)

    def _blame_empty(self) -> None:
        """Report the blocks without a chunk that lie before a chunk: something was there."""
        for place, what, _ in _runs(self._empty):
            self._problems.add(
                "lost", place, f"{what} in the place of a chunk, between others in use: what was there is lost"
            )
        self._empty.clear()

    def finish(self, end: int) -> None:
        """Say what is missing of the whole file, which ends at offset ``end``."""
        if not self.found:
            self._nothing()
            return
        header = self.header
        counted = header.chunks if header.valid and header.crc_ok and not header.dirty else 0
        for place, what, _ in _runs([block for block in self._empty if block.number < counted]):
            self._problems.add(
                "lost", place, f"{what} in the place of a chunk that the file header counts: what was there is lost"
            )
        appended = next((block for block in self._empty if block.data.startswith(FILE_MAGIC)), None)
        if appended is not None:
            self._problems.add(
                "lost",
                f"offset 0x{appended.offset:x}",
                "another event log begins here, behind this one: it is not read; hand it over as a file of its own",
            )
        for place, what, zeros in _runs([block for block in self._empty if block.number >= counted]):
            if not zeros and appended is None:
                self._problems.add("note", place, f"{what} behind the last chunk; not read")
        if self._blocks < counted:
            held = f"{self._blocks} {'is' if self._blocks == 1 else 'are'} in the file"
            what = f"the file ends here: its header counts {counted} chunks, {held}"
            self._problems.add("lost", f"offset 0x{end:x}", what)
        if not header.valid:
            self._problems.add(
                "doubtful", "offset 0x0", "the file header is damaged or missing; the chunks were found without it"
            )
        elif not header.crc_ok and not header.no_crc and not header.dirty:
            self._problems.add("note", "offset 0x0", "the checksum of the file header does not match")
        if header.no_crc:
            self._problems.add("note", "offset 0x78", "written without checksums: silent damage would not show")

    def _nothing(self) -> None:
        head = self._head
        if not self.header.valid:
            self._problems.add("lost", None, what_is(head))
        elif self._blocks or self.header.chunks:
            self._problems.add(
                "lost",
                f"offset 0x{min(len(head), HEADER_SIZE):x}",
                "an event log's file header without any readable chunk behind it"
                f" (the header counts {self.header.chunks}, the file has {self._size} bytes)",
            )
        else:
            self._problems.add("note", None, "an event log without any records")


def make_chunk(number: int, offset: int, block: bytes) -> Chunk:
    """Return the slot ``number`` at ``offset`` of the file, filled up with zeros where the file ends inside it."""
    return Chunk(number, offset, block if len(block) == CHUNK_SIZE else block.ljust(CHUNK_SIZE, b"\0"), len(block))


def stub(chunk: Chunk) -> Chunk:
    """Return a slot that holds no chunk without its bytes: none for zeros, the first few for others."""
    return Chunk(chunk.number, chunk.offset, b"" if chunk.data == _ZERO else chunk.data[:64], chunk.length)


def is_chunk(chunk: Chunk, problems: Sink) -> bool:
    """Tell whether a slot holds a chunk, also when the chunk's mark is damaged."""
    if chunk.data.startswith(CHUNK_MAGIC):
        return True
    # only the magic may be hit: the rest of the header, or a first record in its place, shows what this was
    header = CHUNK_MAGIC + chunk.data[8:0x78] + chunk.data[0x80:RECORDS_AT]
    (crc,) = struct.unpack_from("<I", chunk.data, 0x7C)
    if zlib.crc32(header) != crc and not _record_at(chunk, RECORDS_AT):
        return False
    problems.add("doubtful", chunk.place(), "the mark of this chunk is damaged; its records were found and are read")
    return True


def _runs(blocks: list[Chunk]) -> Iterator[tuple[str, str, bool]]:
    """Yield place, words and "zeros only" for each run of neighbouring blocks of one kind."""
    start = 0
    for at, block in enumerate(blocks):
        following = blocks[at + 1] if at + 1 < len(blocks) else None
        zeros = not block.data
        if following is not None and following.number == block.number + 1 and zeros == (not following.data):
            continue
        first = blocks[start]
        numbers = f"chunk {first.number}" if first is block else f"chunks {first.number} to {block.number}"
        yield f"{numbers}, offset 0x{first.offset:x}", "zeros" if zeros else "bytes that are no chunk", zeros
        start = at + 1


def _record_at(chunk: Chunk, position: int) -> bool:
    """Tell whether a well-formed record starts here: magic, size, and the copy of the size at its end."""
    data = chunk.data
    if data[position : position + 4] != RECORD_MAGIC:
        return False
    (size,) = struct.unpack_from("<I", data, position + 4)
    if size < 28 or position + size > chunk.length:
        return False
    (copy,) = struct.unpack_from("<I", data, position + size - 4)
    return bool(copy == size)
