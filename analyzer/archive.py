"""A ``.zip`` of a ticket as an input like a folder: its members are unpacked into a private folder, within limits.

Names in an archive are only ever shown (:mod:`analyzer.zipmembers`): a member becomes a numbered file, so that no name
can lead out of the folder.
Whatever is odd about a member becomes a `Problem` that names archive and member, and all other members are read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from bisect import bisect, insort
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from analyzer import zipformat
from analyzer.model import Problem
from analyzer.zipcontent import Content
from analyzer.zipformat import ZipError
from analyzer.zipmembers import UNPACK, Names, Refused, Told, check_sort, is_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.zipformat import Entry

MAX_MEMBERS: Final = 10_000  # a ticket has some dozens; each costs a file on disk and a look at its content
MAX_MEMBER: Final = 4 * 1024**3  # bytes of one member: a larger log is better given unpacked, not on the disk twice
MAX_UNPACKED: Final = 8 * 1024**3  # bytes of all members: two such logs, and no more of a temporary folder
MAX_RATIO: Final = 400  # unpacked to packed bytes: logs and states reach 30, deflate 1,032, and only bombs come near it
RATIO_FROM: Final = 64 * 1024**2  # unpacked bytes before the ratio counts: a log that is mostly empty packs very well
DISK_KEPT: Final = 512 * 1024**2  # bytes left free on the disk: others write there, too
DISK_LOOK: Final = 32 * 1024**2  # bytes unpacked between two looks at the disk

_MAGICS: Final = (zipformat.LOCAL_MAGIC, zipformat.EMPTY_MAGIC)


@dataclass(frozen=True, slots=True)
class Member:
    """One unpacked member.

    ``path`` is the file on disk, ``name`` what users see (``ticket.zip/folder/name``, unique in its archive), ``size``
    the bytes on disk. ``modified_ns`` counts from 1970 in UTC, None where the archive gives no time in UTC;
    ``local_time`` is the time of the last change by a clock whose zone is unknown (ISO 8601), or None.
    """

    path: Path
    name: str
    size: int
    modified_ns: int | None
    local_time: str | None


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """Give a new folder that only this user can enter; it is removed with all that it holds, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="wfp-analyzer-"))  # made with mode 0700
    try:
        yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except BaseException:  # interrupted while removing
            shutil.rmtree(folder, ignore_errors=True)
            raise


def unpack(
    path: Path,
    name: str,
    folder: Path,
    problems: list[Problem],
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Member]:
    """Unpack a zip archive, as far as it can be read and within the limits above.

    Parameters
    ----------
    path : the archive.
    name : what it is called before users; the names of its members begin with it.
    folder : where to unpack to; each archive gets a folder of its own in it.
    problems : gets what could not be read or is odd.
    progress : called with ``name``, the place reached in the archive, and its size.

    Returns
    -------
    The members that hold content, sorted by name. A member that is damaged is there as far as it could be read.
    """
    try:
        with path.open("rb") as stream:
            return _Work(stream, name, Path(tempfile.mkdtemp(dir=folder)), problems, progress).run()
    except OSError as error:
        problems.append(Problem(name, None, "lost", f"can't be read ({error.strerror or 'I/O error'}): left out"))
        return []


class _Work:
    """What goes along through one archive."""

    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        folder: Path,
        problems: list[Problem],
        progress: Callable[[str, int, int], None] | None,
    ) -> None:
        self._stream = stream
        self._size = os.fstat(stream.fileno()).st_size
        self._name = name
        self._folder = folder
        self._say = Told(name, problems)
        self._names = Names(name)
        self._progress = progress
        self._members: list[Member] = []
        self._taken: list[tuple[int, int]] = []  # the bytes of the archive that members lie in
        self._unpacked = 0
        self._next_look = 0
        self._full = False

    def run(self) -> list[Member]:
        listed = self._listed()
        if listed is None:
            self._walk()
        else:
            for number, entry in enumerate(listed):
                if self._full:
                    self._say.of_archive(
                        f"is unpacked in part: members left out from there on: {len(listed) - number:,}"
                    )
                    break
                self._member(entry)
        self._say.finish()
        return sorted(self._members, key=lambda member: member.name)

    def _listed(self) -> list[Entry] | None:
        """Return the members by the table of contents, or None where it can't be used."""
        found: list[Entry] = []
        try:
            directory = zipformat.find_directory(self._stream, self._size)
            for entry in zipformat.entries(self._stream, directory):
                if len(found) == MAX_MEMBERS:
                    self._say.of_archive(f"has more than {MAX_MEMBERS:,} members: the others were left out")
                    break
                found.append(entry)
            else:
                found = self._placed(found, directory.shift)
                if len(found) != directory.count:
                    what = f"says that it has {directory.count:,} members, and lists {len(found):,}"
                    self._say.of_archive(what, f"offset {directory.end}", "doubtful")
        except ZipError as error:
            self._say.of_archive(
                f"{error}: it is cut or damaged, and its members were read from its start", error.place
            )
            return None
        self._taken.append((directory.offset, self._size))
        if not found:
            self._say.of_archive("is an archive without members", severity="note")
        return found

    def _placed(self, found: list[Entry], shift: int) -> list[Entry]:
        """Correct where members lie: bytes that do not belong may stand before the archive, or were put into it."""
        if not shift:
            return found
        out = []
        for entry in found:
            before = replace(entry, offset=entry.offset - shift)
            out.append(before if self._local(entry) is None and self._local(before) is not None else entry)
        if out != found:
            self._say.of_archive(f"{shift:,} bytes in it belong to no member: it is damaged there", severity="doubtful")
        return out

    def _walk(self) -> None:
        """Read members one after the other from the start, each by its own header."""
        at: int | None = 0
        for _ in range(MAX_MEMBERS):
            try:
                entry, _ = zipformat.local_entry(self._stream, at or 0)
            except ZipError:
                return
            at = self._member(entry)
            if self._full:
                return
            if at is None:
                self._say.of_archive("members that follow can't be found", f"offset {entry.offset}")
                return
        self._say.of_archive(f"has more than {MAX_MEMBERS:,} members: the others were left out")

    def _member(self, entry: Entry) -> int | None:
        """Unpack one member and return the offset behind it, None where that can't be told."""
        place = f"offset {entry.offset}"
        if is_folder(entry) and not entry.size:
            return _behind(entry, self._local(entry))
        name, odd = self._names.shown(entry)
        for what in odd:
            self._say.of_member(name, place, what, "note")
        start: int | None = None
        try:
            start = self._check(entry)
            return self._write(entry, start, name, place)
        except Refused as refused:
            self._say.of_member(name, place, f"{refused}: left out", refused.severity)
            self._full = refused.last
        except OSError as error:
            self._say.of_member(name, place, f"can't be read ({error.strerror or 'I/O error'}): left out")
        return _behind(entry, start or self._local(entry))

    def _local(self, entry: Entry) -> int | None:
        """Return where a member's bytes begin, None where it has no header."""
        try:
            return zipformat.local_entry(self._stream, entry.offset)[1]
        except ZipError:
            return None

    def _check(self, entry: Entry) -> int:
        """Return where a member's bytes begin, or raise `Refused` with the reason why it is not unpacked."""
        check_sort(entry)
        try:
            local, start = zipformat.local_entry(self._stream, entry.offset)
        except ZipError as error:
            raise Refused(str(error)) from error
        if local.flags & zipformat.ENCRYPTED:
            raise Refused(f"is encrypted: {UNPACK}")
        end = start + (entry.packed or 0)
        place = bisect(self._taken, (entry.offset, end))
        before, after = self._taken[:place][-1:], self._taken[place : place + 1]
        if (before and before[0][1] > entry.offset) or (after and after[0][0] < end):
            raise Refused("its bytes are claimed by another part of the archive, too, as in a zip bomb")
        insort(self._taken, (entry.offset, end))
        return start

    def _write(self, entry: Entry, start: int, name: str, place: str) -> int | None:
        """Unpack a member to a file of its own; returns the offset behind it."""
        path = self._folder / f"{len(self._members):06d}"
        content = Content(self._stream, entry, start)
        whole = False
        try:
            with path.open("xb") as file:
                for block in content:
                    self._limit(content, block)
                    _store(file, block)
                    if self._progress is not None:
                        self._progress(self._name, content.at, self._size)
            whole = True
        except ZipError as error:
            kept = f": only its first {content.produced:,} bytes were read" if content.produced else ": left out"
            self._say.of_member(name, error.place, f"{error}{kept}")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if whole:
            self._compare(entry, content, name, place)
        if whole or content.produced:
            self._members.append(Member(path, name, content.produced, entry.modified_ns, entry.local_time))
        else:
            path.unlink()
        if entry.packed is not None:
            return start + entry.packed
        return zipformat.after_descriptor(self._stream, content.at) if whole else None

    def _compare(self, entry: Entry, content: Content, name: str, place: str) -> None:
        """Say where a member that was unpacked is not what the archive says."""
        if entry.crc is not None and entry.crc != content.crc:
            what = "its checksum is wrong: it was damaged or changed after it was packed, and read as it is"
            self._say.of_member(name, place, what, "doubtful")
        elif (entry.size, entry.packed) not in {(content.produced, content.consumed), (None, None)}:
            self._say.of_member(name, place, "its size is not the one that the archive says", "doubtful")

    def _limit(self, content: Content, block: bytes) -> None:
        """Hold what was really unpacked against the limits."""
        if content.produced == len(block) and block.startswith(_MAGICS):
            raise Refused(f"is an archive inside the archive, which is not opened: {UNPACK}", "note")
        self._unpacked += len(block)
        if content.produced > MAX_MEMBER:
            raise Refused(f"unpacks to more than {MAX_MEMBER // 1024**2:,} MiB, the most that is read of one member")
        if content.produced > RATIO_FROM and content.produced > MAX_RATIO * content.consumed:
            raise Refused(f"unpacks to more than {MAX_RATIO} times its size, as a zip bomb does")
        if self._unpacked > MAX_UNPACKED:
            limit = f"{MAX_UNPACKED // 1024**2:,} MiB"
            raise Refused(f"with it the archive unpacks to more than {limit}, the most that is read of one", last=True)
        if self._unpacked > self._next_look:
            self._next_look = self._unpacked + DISK_LOOK
            if shutil.disk_usage(self._folder).free < DISK_KEPT + DISK_LOOK:
                raise Refused("there is not enough room in the temporary folder (TMPDIR names another)", last=True)


def _behind(entry: Entry, start: int | None) -> int | None:
    return None if start is None or entry.packed is None else start + entry.packed


def _store(file: BinaryIO, block: bytes) -> None:
    try:
        file.write(block)
        file.flush()
    except OSError as error:
        what = f"can't be written to the temporary folder ({error.strerror or 'I/O error'})"
        raise Refused(what, last=True) from error
