"""Standard input as an input: ``-`` is copied into a file of its own, since readers go back and forth."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

DASH: Final = Path("-")
NAME: Final = "standard-input"  # what reports call it
_FOLDER: Final = "wfp-analyzer-stdin-"
_FILE: Final = "file"  # its date is that of the file that was redirected
_PIPE: Final = "pipe"


class StandardInputError(Exception):
    """Standard input can't be read."""


def folder() -> AbstractContextManager[str]:
    """Return a folder for the copy that goes away with its ``with`` block."""
    return tempfile.TemporaryDirectory(prefix=_FOLDER)


def copy(place: str) -> Path:
    """Copy standard input to its end into the folder, and return the file.

    Raises
    ------
    StandardInputError
        It is closed, a terminal, or can't be read, or the copy can't be written.
    """
    if sys.stdin is None:
        raise StandardInputError("standard input is closed")
    if sys.stdin.isatty():
        raise StandardInputError("- stands for standard input, and nothing is piped into it")
    try:
        status = os.fstat(sys.stdin.fileno())
        path = Path(place) / (_PIPE if not stat.S_ISREG(status.st_mode) else _FILE) / NAME
        path.parent.mkdir()
        with path.open("xb") as target:
            shutil.copyfileobj(sys.stdin.buffer, target, 1 << 20)
        os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    except OSError as error:
        raise StandardInputError(f"standard input can't be copied ({error.strerror or error})") from error
    return path


def undated(path: Path) -> bool:
    """Tell whether this is the copy of a pipe, whose date says nothing of the evidence."""
    return path.parent.name == _PIPE and path.parent.parent.name.startswith(_FOLDER)
