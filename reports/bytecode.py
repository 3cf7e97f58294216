"""Keeps compiled templates beside their sources, as Python does: compiling takes longer than drawing a page."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import FileSystemBytecodeCache

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class _Cache(FileSystemBytecodeCache):
    """A cache that a folder without write permission only makes slower."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        try:
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)
        except OSError:
            return


def bytecode_cache() -> FileSystemBytecodeCache | None:
    """Return the cache; None where Python itself keeps no bytecode, or where the package is not a folder."""
    folder = resources.files("reports") / "templates"
    if sys.dont_write_bytecode or not isinstance(folder, Path):
        return None
    return _Cache(str(folder / "__pycache__"), f"%s.{sys.implementation.cache_tag}.jinja")
