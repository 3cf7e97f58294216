"""Hashing beside the work: a large file's SHA-256 is computed in a thread while the file is read."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK: Final = 1 << 20


class Hashing:
    """The SHA-256 of a file, being computed. The thread ends with the program, finished or not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="hash", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._path.open("rb", buffering=0) as stream:
                block = bytearray(_BLOCK)
                while count := stream.readinto(block):
                    self._digest.update(memoryview(block)[:count])
        except OSError as error:
            self._error = error

    def result(self) -> str:
        """Wait for the end and return the hash in hexadecimal.

        Raises
        ------
        OSError
            The file could not be read to its end.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._digest.hexdigest()
