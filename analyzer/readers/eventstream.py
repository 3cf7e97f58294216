"""A text export of events as a window that moves over the file: any encoding, also gzip, with bounded memory.

The window knows where it stands: the byte of the file (of the unpacked file for gzip) and the line of each character.
"""

from __future__ import annotations

import codecs
import gzip
import os
import re
import zlib
from typing import TYPE_CHECKING, Final, Self

from analyzer.readers.xmltext import detect_encoding

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from analyzer.readers.evtx.problems import Sink

    Progress = Callable[[int, int], None]

BLOCK: Final = 1 << 20  # bytes that are read at a time
GZIP_MAGIC: Final = b"\x1f\x8b"
MAX_RATIO: Final = 250  # unpacked to packed; event logs as text pack 20 to 100 times
RATIO_FROM: Final = 64 << 20  # unpacked bytes from which on the ratio counts
MAX_UNPACKED: Final = 16 << 30
_ODD: Final = re.compile("[\ud800-\udfff\x00]+")  # bytes that are no text of the encoding, and NULs
_UNPACKS: Final = (EOFError, gzip.BadGzipFile, zlib.error)


def peek(head: bytes, size: int) -> bytes:
    """Unpack the first bytes of a gzip file, at most ``size``; nothing where it is damaged."""
    try:
        return zlib.decompressobj(31).decompress(head, size)
    except zlib.error:
        return b""


def clean(text: str) -> str:
    """Return a text without what no text may hold: NULs at its end, U+FFFD for other NULs and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return _ODD.sub("\ufffd", text.rstrip("\0"))


class Window:
    """A file as text. ``text`` is the part in sight; ``done`` says that the file ends with it.

    Lines end with LF. Bytes that are no text of the encoding become lone surrogates, which ``clean`` replaces.
    """

    def __init__(self, path: Path, problems: Sink, progress: Progress | None = None) -> None:
        self._raw = path.open("rb")
        self._before = os.fstat(self._raw.fileno())
        self._problems = problems
        self._progress = progress
        magic = self._raw.read(len(GZIP_MAGIC))
        self._raw.seek(0)
        self.packed = magic == GZIP_MAGIC
        self._stream = gzip.GzipFile(fileobj=self._raw)
        self._broken = False
        self._unpacked = 0
        self.text = ""
        self.done = False
        first = self._read()
        name, skip = detect_encoding(first)
        self.encoding = name
        self._errors = "surrogatepass" if name.startswith("utf-16") else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(name)(self._errors)
        self._mark = 0  # a character in sight whose byte and line are known
        self._byte = skip
        self._line = 1
        self._take(first[skip:])

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._stream.close()
        self._raw.close()

    def _read(self) -> bytes:
        """Return the next bytes of the file, none at its end or where it cannot be unpacked."""
        block = self._unpack() if self.packed else self._raw.read(BLOCK)
        self._unpacked += len(block)
        at = self._raw.tell()
        ratio = self._unpacked > RATIO_FROM and self._unpacked > MAX_RATIO * at
        if self.packed and (ratio or self._unpacked > MAX_UNPACKED):
            place = f"offset 0x{self._unpacked:x} of the unpacked file"
            what = (
                f"unpacks to more than {MAX_RATIO} times its size" if ratio else f"unpacks to over {MAX_UNPACKED} bytes"
            )
            self._problems.add("lost", place, f"the gzip file {what}: not read on")
            block = b""
        if self._progress is not None:
            self._progress(min(at, self._before.st_size), self._before.st_size)
        if not block:
            self.done = True
        return block

    def _unpack(self) -> bytes:
        """Return the next bytes of a gzip file; where it is damaged, those before the damage."""
        pieces: list[bytes] = []
        size = 0
        try:
            while not self._broken and size < BLOCK and (piece := self._stream.read1(BLOCK - size)):
                pieces.append(piece)
                size += len(piece)
        except _UNPACKS as error:
            self._broken = True
            place = f"offset 0x{self._unpacked + size:x} of the unpacked file"
            what = "ends too early" if isinstance(error, EOFError) else f"is damaged ({error})"
            self._problems.add("lost", place, f"the gzip file {what}: all that followed is lost")
        return b"".join(pieces)

    def _take(self, block: bytes) -> None:
        """Add bytes to the text in sight."""
        try:
            self.text += self._decoder.decode(block, final=self.done)
        except UnicodeDecodeError:  # half a UTF-16 character at the end; escapes take everything else
            self._problems.add("lost", None, "the file ends inside a character")

    def more(self, start: int, wanted: int) -> bool:
        """Read on until ``wanted`` characters from ``start`` on are in sight; False where nothing came in."""
        before = len(self.text)
        while not self.done and len(self.text) - start < wanted:
            self._take(self._read())
        return len(self.text) > before

    def place(self, at: int) -> tuple[int, int]:
        """Return byte and line of a character, which must not lie before the last one that was asked for."""
        passed = self.text[self._mark : at]
        if passed:
            self._byte += (
                len(passed) if passed.isascii() and self._errors == "surrogateescape" else self._length(passed)
            )
            self._line += passed.count("\n")
            self._mark = at
        return self._byte, self._line

    def _length(self, text: str) -> int:
        try:
            return len(text.encode(self.encoding, self._errors))
        except UnicodeEncodeError:  # cannot be: what was decoded encodes again
            return len(text)

    def drop(self, end: int) -> None:
        """Let the text before ``end`` out of sight."""
        self.place(max(end, self._mark))
        self.text = self.text[end:]
        self._mark -= end

    def changed(self) -> None:
        """Report a file that did not stay the same while it was read."""
        after = os.fstat(self._raw.fileno())
        if (after.st_size, after.st_mtime_ns) != (self._before.st_size, self._before.st_mtime_ns):
            what = "the file was written to while it was read: events may be missing or doubled"
            self._problems.add("lost" if after.st_size != self._before.st_size else "doubtful", None, what)
