"""Read a file of net events from disk: told by content, streamed, archives by their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from analyzer.readers import xmltext
from analyzer.readers.netevents import cab
from analyzer.readers.netevents.reader import ROOT_KINDS, SHOWN, FileReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from analyzer.readers.netevents.reader import NetEvents

BLOCK: Final = 1024 * 1024
_HEAD: Final = 65_536
_STATE_ROOTS: Final = frozenset({"wfpdiag", "wfpstate"})


def read_netevents(path: Path, name: str) -> NetEvents:
    """Read one file of net events.

    Parameters
    ----------
    path
        the file: ``netevents.xml``, ``wfpdiag.xml`` or ``wfpdiag.cab``, told by content.
    name
        how the input is called in frames and problems.

    Returns
    -------
    NetEvents
        whatever could be read; every loss is in ``problems``.

    Raises
    ------
    OSError
        when the file cannot be opened or read.
    """
    with path.open("rb") as stream:
        head = stream.read(BLOCK)
        if head.startswith(cab.MAGIC):
            return _read_cab(path, name)
        return read_netevents_blocks(_blocks(stream, head), name)


def _blocks(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    """Yield a file's blocks, the first of which was read already."""
    block = head
    while block:
        yield block
        block = stream.read(BLOCK)


def read_netevents_blocks(blocks: Iterable[bytes], name: str) -> NetEvents:
    """Read net events from the blocks of an XML file; see ``read_netevents``."""
    reader = FileReader(name)
    kind = reader.xml(blocks)
    return reader.result(kind)


def _read_cab(path: Path, name: str) -> NetEvents:
    """Read the XML members of a cabinet that hold net events; name the others."""
    reader = FileReader(name)
    others: list[str] = []
    found = False
    with path.open("rb") as stream:
        try:
            cabinet = cab.open_cab(stream)
        except cab.CabError as error:
            reader.problems.add("lost", error.place, f"a cabinet (.cab) that cannot be read: {error}")
            return reader.result("cab")
        for what in cabinet.doubts:
            reader.problems.add("doubtful", None, what)
        unpacker = cab.Unpacker(stream, cabinet)
        for member in cabinet.members:
            taken = _Taken()
            rest = taken.look(unpacker.blocks(member))
            root = xmltext.sniff_xml(taken.head[:_HEAD])
            if root in ROOT_KINDS:
                found = True
                reader.xml(taken.telling(rest), member.shown)
            else:
                others.append(f"{member.shown} ({member.bytes:,} bytes{_what(member.name, root)})")
            if taken.error is not None and (root in ROOT_KINDS or not taken.head):
                what = f"cannot be unpacked to its end: {taken.error}"
                reader.problems.add("lost", f"{member.shown}, {taken.error.place}", what)
    if others:
        reader.problems.add("note", None, f"members of the cabinet that are not read: {', '.join(others[:SHOWN])}")
    if not found and not reader.rows.count:
        named = any(member.name.lower().endswith(".xml") for member in cabinet.members)
        what = "the cabinet holds no wfpdiag.xml and no netevents.xml that could be read"
        reader.problems.add("lost" if named else "note", None, what)
    return reader.result("cab")


def unpack_state(path: Path, target: BinaryIO) -> bool:
    """Write the member of a cabinet that may hold a state to ``target``, as far as it can be unpacked.

    Returns whether there is one. What is wrong with the cabinet is told by ``read_netevents``.

    Raises
    ------
    OSError
        when the file cannot be read, or the target not written.
    """
    with path.open("rb") as stream:
        try:
            cabinet = cab.open_cab(stream)
        except cab.CabError:
            return False
        unpacker = cab.Unpacker(stream, cabinet)
        for member in cabinet.members:
            taken = _Taken()
            rest = taken.look(unpacker.blocks(member))
            if xmltext.sniff_xml(taken.head[:_HEAD]) in _STATE_ROOTS:
                target.writelines(taken.telling(rest))
                return True
    return False


def _what(name: str, root: str) -> str:
    if name.lower().endswith(".etl"):
        return ", an event trace"
    return f", XML with the root <{root[:60]}>" if root else ""


class _Taken:
    """The blocks of one member: the first is looked at, an error ends them and is kept for later."""

    def __init__(self) -> None:
        self.head = b""
        self.error: cab.CabError | None = None

    def look(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Read the first blocks now; return the rest."""
        try:
            for block in blocks:
                self.head += block
                if len(self.head) >= _HEAD:
                    break
        except cab.CabError as error:
            self.error = error
        return blocks

    def telling(self, rest: Iterator[bytes]) -> Iterator[bytes]:
        """Yield all blocks, in larger ones; an error ends them, so that what came before it is read."""
        held = [self.head]
        size = len(self.head)
        try:
            for block in rest:
                held.append(block)
                size += len(block)
                if size >= BLOCK:
                    yield b"".join(held)
                    held, size = [], 0
        except cab.CabError as error:
            self.error = error
        yield b"".join(held)
