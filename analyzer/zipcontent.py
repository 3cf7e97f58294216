"""The bytes of one member of a zip archive, in bounded blocks.

Python's own module gives no way to see how many packed bytes a member took, or to keep what came before damage.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, BinaryIO, Final

from analyzer.zipformat import STORED, ZipError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.zipformat import Entry

BLOCK: Final = 1024**2  # the most that a member gives at a time
_IN: Final = 16384  # packed bytes at a time: what they unpack to is lost where damage stands among them


class Content:
    """The bytes of one member, in blocks; ``consumed``, ``produced`` and ``crc`` tell how far it went."""

    def __init__(self, stream: BinaryIO, entry: Entry, start: int) -> None:
        self.consumed = 0
        self.produced = 0
        self.crc = 0
        self._stream = stream
        self._entry = entry
        self._start = start

    def __iter__(self) -> Iterator[bytes]:
        """Yield blocks of at most ``BLOCK`` bytes.

        Raises
        ------
        ZipError
            The member ends too early or is damaged; what was yielded so far stands.
        """
        for block in self._stored() if self._entry.method == STORED else self._deflated():
            self.produced += len(block)
            self.crc = zlib.crc32(block, self.crc)
            yield block

    @property
    def at(self) -> int:
        """The offset behind what was read of the member."""
        return self._start + self.consumed

    def _read(self, most: int) -> bytes:
        left = most if self._entry.packed is None else min(most, self._entry.packed - self.consumed)
        self._stream.seek(self.at)
        return self._stream.read(max(left, 0))

    def _stored(self) -> Iterator[bytes]:
        if self._entry.packed is None:
            raise ZipError("the end of this member can't be told", self._start)
        while self.consumed < self._entry.packed:
            block = self._read(BLOCK)
            if not block:
                raise ZipError("the archive ends within this member", self.at)
            self.consumed += len(block)
            yield block

    def _deflated(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        ended = False
        while not ended:
            piece = unpacker.unconsumed_tail or self._read(_IN)
            fresh = not unpacker.unconsumed_tail
            try:
                block = unpacker.decompress(piece, BLOCK)
            except zlib.error as error:
                raise ZipError("the packed bytes of this member are damaged", self.at) from error
            if fresh:
                self.consumed += len(piece)
            ended = unpacker.eof
            if ended:
                self.consumed -= len(unpacker.unused_data)
            if block:
                yield block
            elif not piece:
                cut = self._entry.packed is None or self.consumed < self._entry.packed
                what = "the archive ends within this member" if cut else "the packed bytes of this member are cut"
                raise ZipError(what, self.at)
