"""Keeps the C library from handing each freed array back to the system, to fetch it again a moment later.

The passes over a block make and free arrays of some hundred KiB thousands of times. By default glibc maps and unmaps
such pieces, and gives threads arenas of their own that shrink after each: the page faults take a fifth of the time.
Where the C library is another one, nothing is changed.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# names and numbers from glibc's malloc.h
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_LARGE: Final = 32 << 20  # as large as glibc takes
_DEFAULT: Final = 128 << 10


@contextlib.contextmanager
def keep_freed() -> Iterator[None]:
    """Let freed memory stay with the process inside the ``with`` block; give it back at the end."""
    library = _glibc()
    if library is None:
        yield
        return
    library.mallopt(_ARENA_MAX, 1)
    library.mallopt(_MMAP_THRESHOLD, _LARGE)
    library.mallopt(_TRIM_THRESHOLD, 1 << 30)
    try:
        yield
    finally:
        library.mallopt(_MMAP_THRESHOLD, _DEFAULT)
        library.mallopt(_TRIM_THRESHOLD, _DEFAULT)
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Return the C library where it is glibc."""
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - asks whether it is there
        library.mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
        library.malloc_trim.argtypes = (ctypes.c_size_t,)
    except (OSError, AttributeError):
        return None
    return library
