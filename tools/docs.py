"""Writes the pages of ``docs/`` that are made from the program; ``--check`` only says which are stale."""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools import handbook
from tools.manpage import man_page
from tools.reference import reference

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parent.parent


def pages() -> dict[str, str]:
    """Return the text of each page by its path below the project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        "docs/commands.md": reference(),
        "docs/kinds.md": handbook.kinds(),
        "docs/findings.md": handbook.findings(),
        "docs/certainty.md": handbook.certainty(),
        "docs/wfp-analyzer.1": man_page(project["project"]["version"]),
    }


def stale() -> list[str]:
    """Return the pages that say something else than the program."""
    return [name for name, text in pages().items() if not _same(ROOT / name, text)]


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text.rstrip("\n") + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 when a page is stale")
    old = stale()
    if parser.parse_args(arguments).check:
        for name in old:
            print(f"{name} is stale: run 'make docs'")
        return 1 if old else 0
    for name, text in pages().items():
        if name in old:
            (ROOT / name).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
            print(f"written: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
