"""The case: what was handed over. Finds the files, tells their kinds by content, hashes them, names them.

Knows nothing of WFP. Whatever is not handed on to a reader becomes a `Problem`, so that nothing is dropped in silence.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from analyzer import archive
from analyzer.casepaths import Found, InputError, check, find, once, reason, unique_names
from analyzer.hashing import Hashing
from analyzer.identify import BLOCK, READ, FileKind, Identifier
from analyzer.model import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from analyzer.archive import Member

__all__ = ["Case", "CaseFile", "InputError", "open_case", "rfc3339"]

_NAMES_SHOWN: Final = 5
BESIDE_FROM: Final = 32 << 20  # bytes from which on a log is hashed while it is read, and not before
_READABLE: Final = (
    "event logs (.evtx, or events as XML or JSON), WFP states, filters, net events and captures (netsh wfp), "
    "lists of services, audit policies, exported firewall rules, and zip archives of these"
)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One file of the case.

    ``name`` is unique in the case and free of the analyst's own folders; ``modified`` is RFC 3339 in UTC with seven
    decimals; ``bytes``, ``sha256`` and ``modified`` are None where the file could not be read to its end. ``named``
    says that the user named this very file, not only a folder around it; ``telling`` that it may hold evidence although
    nobody reads it.
    """

    path: Path
    name: str
    kind: FileKind
    what: str
    named: bool
    telling: bool = False
    bytes: int | None = None
    sha256: str | None = None
    modified: str | None = None
    hashing: Hashing | None = None  # computes the hash of a large file; ``sha256`` is None then

    @property
    def readable(self) -> bool:
        """Whether a reader exists for this kind."""
        return self.kind in READ and (self.sha256 is not None or self.hashing is not None)

    def hash(self, problems: list[Problem]) -> str | None:
        """Return the SHA-256 in hexadecimal, waiting for it where need be; None where the file can't be read."""
        if self.hashing is None:
            return self.sha256
        try:
            return self.hashing.result()
        except OSError as error:
            what = f"could not be read to its end for its hash ({reason(error)})"
            problems.append(Problem(self.name, None, "doubtful", what))
            return None


@dataclass(frozen=True, slots=True)
class Case:
    """All files in the order in which they were given (folders sorted), each content once; and what was left out."""

    files: tuple[CaseFile, ...]
    problems: tuple[Problem, ...]


def open_case(
    paths: Sequence[Path], progress: Callable[[str, int, int], None] | None = None, folder: Path | None = None
) -> Case:
    """Find, identify and hash everything below ``paths``.

    ``folder`` takes the members of zip archives, which are not opened without it. ``progress`` is called with the name
    of a file, the bytes read of it, and its size.

    Raises
    ------
    InputError
        A named path does not exist, can't be opened, or is neither a file nor a folder. Every path is tried first.
    """
    if not paths:
        raise InputError("no input was given")
    for path in paths:
        check(path)
    problems: list[Problem] = []
    found = unique_names(once(find(paths, problems), problems))
    files: list[CaseFile] = []
    by_content: dict[str, CaseFile] = {}
    waiting = deque((item, _size(item.path)) for item in found)
    counts = Counter(size for _, size in waiting)
    while waiting:
        item, size = waiting.popleft()
        # only files of one size can be the same, so that the hash has to be known before one of them is left out
        file = _read(item, problems, progress, beside=counts[size] == 1)
        twin = by_content.get(file.sha256) if file.readable and file.sha256 else None
        if twin is not None:
            problems.append(Problem(file.name, None, "note", f"the same content as {twin.name}: read once"))
            continue
        if file.sha256 is not None:
            by_content[file.sha256] = file
        files.append(file)
        if file.kind == "zip" and folder is not None:
            members = archive.unpack(item.path, file.name, folder, problems, progress)
            counts.update(member.size for member in members)
            waiting.extendleft(
                (Found(member.path, member.name, "", named=False, member=member), member.size)
                for member in reversed(members)
            )
    problems.extend(
        _left_out([file for file in files if not (file.readable or file.kind == "zip") and file.sha256 is not None])
    )
    return Case(tuple(files), tuple(problems))


def _left_out(files: Sequence[CaseFile]) -> Iterator[Problem]:
    """Say what no reader takes: named files and what may hold evidence one by one, the rest of folders together."""
    others = [file for file in files if not (file.named or file.telling)]
    for file in files:
        if file.named:
            hint = f". Readable are {_READABLE}" if file.kind == "unknown" else ""
            yield Problem(file.name, None, "lost", f"{file.what}: left out{hint}")
        elif file.telling or len(others) == 1:
            yield Problem(file.name, None, "note", f"{file.what}: left out")
    if len(others) > 1:
        names = ", ".join(f"{file.name} ({file.what})" for file in others[:_NAMES_SHOWN])
        more = f" and {len(others) - _NAMES_SHOWN} more" if len(others) > _NAMES_SHOWN else ""
        yield Problem(None, None, "note", f"{len(others)} other files in folders were left out: {names}{more}")


# --------------------------------------------------------------------------------------------------------------
# Reading once: identity, hash, facts


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _read(
    item: Found, problems: list[Problem], progress: Callable[[str, int, int], None] | None, *, beside: bool
) -> CaseFile:
    digest = hashlib.sha256()
    identifier = Identifier()
    size = 0
    hashing: Hashing | None = None
    try:
        with item.path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            while block := stream.read(BLOCK):
                identifier.feed(block)
                if beside and identifier.identity.kind == "evtx" and status.st_size >= BESIDE_FROM:
                    hashing, size = Hashing(item.path), status.st_size
                    break
                digest.update(block)
                size += len(block)
                if progress is not None:
                    progress(item.name, size, status.st_size)
    except OSError as error:
        what = f"can't be read ({reason(error)}): left out"
        problems.append(Problem(item.name, f"offset {size}" if size else None, "lost", what))
        return CaseFile(item.path, item.name, "unknown", "an unreadable file", item.named)
    identity = identifier.identity
    return CaseFile(
        item.path,
        item.name,
        identity.kind,
        identity.what,
        item.named,
        identity.telling,
        size,
        digest.hexdigest() if hashing is None else None,
        _modified(item.member, status.st_mtime_ns),
        hashing,
    )


def _modified(member: Member | None, nanoseconds: int) -> str | None:
    """Return when a file was changed last: of a member what its archive says, where that has a zone."""
    if member is None:
        return rfc3339(nanoseconds)
    return None if member.modified_ns is None else rfc3339(member.modified_ns)


def rfc3339(nanoseconds: int) -> str | None:
    """Return nanoseconds since 1970 in UTC as RFC 3339 text with seven decimals; None outside the years 1 to 9999."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return f"{moment.replace(tzinfo=None).isoformat()}.{rest // 100:07d}Z"
