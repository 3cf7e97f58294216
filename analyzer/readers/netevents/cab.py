"""Read the members of a cabinet (``wfpdiag.cab``), block by block and within limits.

Format: MS-CAB and MSZIP (MS-MCI). The cabinet libraries at hand hold the whole archive and all that it unpacks to in
memory and let one block of 64 KiB unpack to any size; here a block may hold no more than the 32 KiB that the format
allows, and nothing is unpacked that was not asked for. LZX and Quantum are not unpacked: it is said so.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC: Final = b"MSCF"
MAX_MEMBERS: Final = 1_000
MAX_UNPACKED: Final = 2 * 1024**3  # bytes unpacked of one cabinet
MAX_RATIO: Final = 400  # of unpacked to packed bytes, past the first FREE; the XML of captures packs to 1:30 or so
FREE: Final = 64 * 1024**2
BLOCK: Final = 32_768  # what one block may unpack to
_PACKED: Final = 2 * BLOCK  # and what it may be packed in
_NAME: Final = 256

_HEADER: Final = struct.Struct("<4s4xI4xI4xBBHHHHH")
_RESERVE: Final = struct.Struct("<HBB")
_FOLDER: Final = struct.Struct("<IHH")
_FILE: Final = struct.Struct("<IIHHHH")
_DATA: Final = struct.Struct("<IHH")
_PREVIOUS, _NEXT, _HAS_RESERVE = 1, 2, 4
_UTF8_NAME: Final = 0x80
_NONE, _MSZIP = 0, 1
_METHODS: Final = {2: "Quantum", 3: "LZX"}


class CabError(ValueError):
    """The cabinet, or a member of it, cannot be unpacked; ``place`` is an offset in the file."""

    def __init__(self, what: str, offset: int = 0) -> None:
        super().__init__(what)
        self.place = f"offset {offset}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A run of data blocks that unpack to one stream."""

    offset: int
    blocks: int
    method: int


@dataclass(frozen=True, slots=True)
class Member:
    """One file: its name as given (never used as a path), its size, and where it lies in its folder's stream."""

    name: str
    bytes: int
    start: int
    folder: int

    @property
    def shown(self) -> str:
        """The name for people."""
        return (
            "".join(char if char.isprintable() else "\ufffd" for char in self.name[:100]) or "a member without a name"
        )


@dataclass(frozen=True, slots=True)
class Cabinet:
    """The table of contents. ``doubts`` says what is odd about it."""

    folders: tuple[Folder, ...]
    members: tuple[Member, ...]
    reserve: int  # bytes of each data block's header that belong to nobody
    doubts: tuple[str, ...]


def _exact(stream: BinaryIO, count: int) -> bytes:
    at = stream.tell()
    data = stream.read(count)
    if len(data) != count:
        raise CabError("it ends too early", at + len(data))
    return data


def open_cab(stream: BinaryIO) -> Cabinet:
    """Read a cabinet's table of contents. Raises ``CabError``."""
    size = stream.seek(0, 2)
    stream.seek(0)
    magic, said, files_at, _, major, folders, files, flags, _, _ = _HEADER.unpack(_exact(stream, _HEADER.size))
    if magic != MAGIC or major != 1:
        raise CabError("its header is none of a cabinet")
    doubts = []
    if said > size:
        doubts.append(f"is cut: its header says {said:,} bytes, {size:,} are there")
    if flags & (_PREVIOUS | _NEXT):
        doubts.append("is one of several cabinets of a set: members that go on in another are not read")
    folder_reserve = data_reserve = 0
    if flags & _HAS_RESERVE:
        header_reserve, folder_reserve, data_reserve = _RESERVE.unpack(_exact(stream, _RESERVE.size))
        _exact(stream, header_reserve)
    for bit in (_PREVIOUS, _NEXT):
        if flags & bit:
            _name(stream)  # the cabinet's name
            _name(stream)  # its disk's
    table = []
    for _ in range(min(folders, MAX_MEMBERS)):
        table.append(Folder(*_FOLDER.unpack(_exact(stream, _FOLDER.size))))
        _exact(stream, folder_reserve)
    stream.seek(files_at)
    members: list[Member] = []
    try:
        for _ in range(min(files, MAX_MEMBERS)):
            length, start, folder, _, _, attributes = _FILE.unpack(_exact(stream, _FILE.size))
            name = _name(stream).decode("utf-8" if attributes & _UTF8_NAME else "cp1252", "replace")
            members.append(Member(name, length, start, folder))
    except CabError:
        doubts.append(f"its list of members is cut: {files:,} are said, {len(members):,} could be read")
    if files > MAX_MEMBERS:
        doubts.append(f"has {files:,} members: only the first {MAX_MEMBERS:,} were looked at")
    return Cabinet(tuple(table), tuple(members), data_reserve, tuple(doubts))


def _name(stream: BinaryIO) -> bytes:
    at = stream.tell()
    data = stream.read(_NAME)
    end = data.find(b"\0")
    if end < 0:
        raise CabError("a name in it does not end", at)
    stream.seek(at + end + 1)
    return data[:end]


class Unpacker:
    """Unpacks members of one cabinet, within one limit for all of them."""

    def __init__(self, stream: BinaryIO, cabinet: Cabinet) -> None:
        self._stream = stream
        self._cabinet = cabinet
        self._left = MAX_UNPACKED

    def blocks(self, member: Member) -> Iterator[bytes]:
        """Yield the bytes of a member in pieces of at most 32 KiB.

        Raises
        ------
        CabError
            at the first block that is damaged, cut, or over a limit; all that was yielded before it is sound.
        """
        if member.folder >= len(self._cabinet.folders):
            raise CabError("it begins or goes on in another cabinet, or in a folder that is not there")
        folder = self._cabinet.folders[member.folder]
        position, left = 0, member.bytes
        for data in self._folder(folder) if left else ():
            begin = max(member.start - position, 0)
            position += len(data)
            piece = data[begin : begin + left]
            if piece:
                left -= len(piece)
                yield piece
            if not left:
                return
        if left:
            raise CabError(f"its folder ends {left:,} bytes before it does", folder.offset)

    def _folder(self, folder: Folder) -> Iterator[bytes]:
        """Yield what the blocks of a folder unpack to."""
        method = folder.method & 0x0F
        if method not in (_NONE, _MSZIP):
            name = _METHODS.get(method, f"method {method}")
            raise CabError(f"it is packed with {name}, which is not read: unpack it and give the folder", folder.offset)
        at, history = folder.offset, b""
        packed = unpacked = 0
        for _ in range(folder.blocks):
            self._stream.seek(at)
            checksum, length, size = _DATA.unpack(_exact(self._stream, _DATA.size))
            extra = _exact(self._stream, self._cabinet.reserve)
            if size > BLOCK or length > _PACKED:
                raise CabError("a block is larger than the format allows", at)
            data = _exact(self._stream, length)
            if checksum and checksum != _checksum(struct.pack("<HH", length, size) + extra, _checksum(data)):
                raise CabError("the checksum of a block is wrong", at)
            out = data if method == _NONE else _inflate(data, history, at)
            if len(out) != size:
                raise CabError("a block does not unpack to the size that it says", at)
            history = (history + out)[-BLOCK:]
            packed, unpacked, self._left = packed + length, unpacked + size, self._left - size
            if self._left < 0:
                raise CabError(f"the cabinet unpacks to more than {MAX_UNPACKED:,} bytes", at)
            if unpacked > FREE and unpacked > MAX_RATIO * packed:
                raise CabError(f"it unpacks to more than {MAX_RATIO} times its size", at)
            at += _DATA.size + self._cabinet.reserve + length
            yield out


def _inflate(data: bytes, history: bytes, at: int) -> bytes:
    if not data.startswith(b"CK"):
        raise CabError("a block is not packed as its folder says", at)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, zdict=history)
    try:
        return unpacker.decompress(data[2:], BLOCK + 1)
    except zlib.error as error:
        raise CabError("a block cannot be unpacked", at) from error


def _checksum(data: bytes, seed: int = 0) -> int:
    """Return the format's checksum: exclusive or of 32-bit words, the last bytes in reverse order."""
    whole = len(data) // 4 * 4
    total = int.from_bytes(data[:whole], "little")
    # Fold halves instead of walking words: the words of a large number are its base-2**32 digits.
    count = whole // 4
    while count > 1:
        half = (count + 1) // 2
        total = (total & ((1 << 32 * half) - 1)) ^ (total >> 32 * half)
        count = half
    rest = data[whole:]
    return seed ^ total ^ (int.from_bytes(rest, "big") if rest else 0)
