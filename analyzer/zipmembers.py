"""Members of a zip archive before they are unpacked: what users see of their names, and which are refused."""

from __future__ import annotations

import re
import stat
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Final

from analyzer import zipformat
from analyzer.model import Problem

if TYPE_CHECKING:
    from analyzer.model import ProblemSeverity
    from analyzer.zipformat import Entry

MAX_NAME: Final = 512  # characters shown of a name: twice what Windows takes (MAX_PATH)
MAX_DEPTH: Final = 32  # folders shown of a name: nobody reads more
EACH: Final = 10  # problems of one sort told one by one
UNPACK: Final = "unpack it and give the folder"
_DOS_FOLDER: Final = 0x10
_DRIVE: Final = re.compile(r"^[A-Za-z]:")
# Control characters, what turns the direction of text, lone surrogates, line and paragraph ends.
_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Refused(Exception):  # noqa: N818 - no error of the program
    """A member is not unpacked; ``last`` says that none after it will be."""

    def __init__(self, what: str, severity: ProblemSeverity = "lost", *, last: bool = False) -> None:
        super().__init__(what)
        self.severity = severity
        self.last = last


def is_folder(entry: Entry) -> bool:
    """Tell a member that stands for a folder."""
    return entry.name.endswith(("/", "\\")) or bool(entry.attributes & _DOS_FOLDER)


def check_sort(entry: Entry) -> None:
    """Refuse what is no plain file, and what can't be unpacked."""
    sort = stat.S_IFMT(entry.attributes >> 16)
    if sort == stat.S_IFLNK:
        raise Refused("a link is never followed", "note")
    if sort not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise Refused("a device, pipe or socket is never opened", "note")
    if is_folder(entry):
        raise Refused("is a folder with content of its own")
    if entry.flags & zipformat.ENCRYPTED:
        raise Refused(f"is encrypted: {UNPACK}")
    if entry.method not in {zipformat.STORED, zipformat.DEFLATED} or entry.flags & zipformat.PATCH:
        method = zipformat.METHODS.get(entry.method, "an unknown method")
        raise Refused(f"is packed in a way that is not read here ({method}): {UNPACK}")


class Names:
    """Makes the names that users see, and tells what was changed."""

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._next: dict[str, int] = {}

    def shown(self, entry: Entry) -> tuple[str, list[str]]:
        """Return a name that is unique in the archive, and sentences on what is odd about the given one."""
        odd = (
            [f"the archive does not say how its names are written: read as {entry.encoding}"] if entry.encoding else []
        )
        text = entry.name
        if "\\" in text:
            text = text.replace("\\", "/")
            odd.append("its name is written with backslashes: read as folders")
        whole = _DRIVE.sub("", text)
        parts = [part for part in whole.split("/") if part not in {"", ".", ".."}]
        if whole != text or whole.startswith("/") or ".." in whole.split("/"):
            odd.append("its name leads out of the archive: only the part inside is shown")
        text = "/".join(parts[-MAX_DEPTH:])
        clean = "".join("\ufffd" if unicodedata.category(char) in _UNSHOWN else char for char in text[-MAX_NAME:])
        if clean != text[-MAX_NAME:]:
            odd.append("its name holds characters that can't be shown: replaced by \ufffd")
        if len(parts) > MAX_DEPTH or len(text) > MAX_NAME:
            clean = f"…/{clean}"
            odd.append(f"its name is longer than {MAX_NAME} characters or {MAX_DEPTH} folders: only its end is shown")
        base = f"{self._archive}/{clean or 'a member without a name'}"
        if base in self._next:
            odd.append("another member has the same name: a number tells them apart")
        return self._unique(base), odd

    def _unique(self, base: str) -> str:
        name, number = base, self._next.get(base, 1)
        while name in self._next:
            number += 1
            name = f"{base} ({number})"
        self._next[base] = number
        self._next.setdefault(name, 1)
        return name


class Told:
    """Collects problems: the first of one sort are told one by one, the rest counted."""

    def __init__(self, archive: str, problems: list[Problem]) -> None:
        self._archive = archive
        self._problems = problems
        self._counts: Counter[tuple[ProblemSeverity, str]] = Counter()

    def of_archive(self, what: str, place: str | None = None, severity: ProblemSeverity = "lost") -> None:
        """Tell a problem of the whole archive."""
        self._problems.append(Problem(self._archive, place, severity, what))

    def of_member(self, name: str, place: str, what: str, severity: ProblemSeverity = "lost") -> None:
        """Tell a problem of one member, or count it."""
        self._counts[severity, what] += 1
        if self._counts[severity, what] <= EACH:
            self._problems.append(Problem(name, place, severity, what))

    def finish(self) -> None:
        """Tell how many were only counted."""
        for (severity, what), count in self._counts.items():
            if count > EACH:
                self.of_archive(f"{count - EACH:,} more members: {what}", None, severity)
