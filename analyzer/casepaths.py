"""Which files were handed over: named paths and what lies below folders, each file once, with a name for people."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.archive import Member


class InputError(Exception):
    """A named input does not exist or can't be opened: a mistake of usage, found before anything is read."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file before it is read: ``parts`` are the pieces that its display name is made of, last one first used."""

    path: Path
    name: str
    parent: str
    named: bool
    member: Member | None = None  # of an archive: then `path` is where it was unpacked to


def check(path: Path) -> None:
    """Try what the user named, and say what is wrong with it in one sentence."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            with os.scandir(path):
                return
        if stat.S_ISREG(mode):
            with path.open("rb"):
                return
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file or folder") from error
    except PermissionError as error:
        raise InputError(f"{path}: no permission to read it") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: can't be opened ({reason(error)})") from error
    raise InputError(f"{path}: this is neither a file nor a folder; write a pipe's content to a file first")


def find(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Found]:
    """Yield every file that the paths name, or that lies below a folder of them."""
    for path in paths:
        if path.is_dir():
            base = _text(path.resolve().name)
            parent = _text(path.resolve().parent.name)
            for file in _walk(path, base, problems):
                name = _text(file.relative_to(path).as_posix())
                yield Found(file, f"{base}/{name}" if base else name, parent, named=False)
        else:
            yield Found(path, _text(path.name), _text(path.resolve().parent.name), named=True)


def _walk(folder: Path, base: str, problems: list[Problem]) -> Iterator[Path]:
    """Yield the regular files below a folder, sorted; links to folders are not followed, so no loop and no way out."""

    def said(path: Path, what: str, *, lost: bool = False) -> None:
        name = _text(path.relative_to(folder).as_posix())
        name = base if name == "." else f"{base}/{name}" if base else name
        problems.append(Problem(name, None, "lost" if lost else "note", what))

    def unlisted(error: OSError) -> None:
        said(Path(error.filename), f"the folder can't be listed ({reason(error)})", lost=True)

    for here, folders, names in os.walk(folder, onerror=unlisted):
        folders.sort()
        for name in folders:
            if (Path(here) / name).is_symlink():
                said(Path(here) / name, "a link to a folder is not followed: name its target if it belongs to the case")
        for name in sorted(names):
            path = Path(here) / name
            try:
                mode = path.stat().st_mode
            except OSError as error:
                what = "a link without a target" if path.is_symlink() else f"can't be opened ({reason(error)})"
                said(path, f"{what}: left out", lost=not path.is_symlink())
                continue
            if stat.S_ISREG(mode):
                yield path
            else:
                said(path, "a device, pipe or socket is never opened: left out")


def once(found: Iterable[Found], problems: list[Problem]) -> list[Found]:
    """Drop a path that was given twice, also by way of a link or of a folder around it."""
    out: dict[str, Found] = {}
    for item in found:
        key = os.path.realpath(item.path)
        first = out.get(key)
        if first is None:
            out[key] = item
            continue
        problems.append(Problem(item.name, None, "note", "the same file was given twice: read once"))
        out[key] = replace(first, named=first.named or item.named)
    return list(out.values())


def unique_names(found: list[Found]) -> list[Found]:
    """Put the parent's name before equal names, and a number behind those that are still equal."""
    counts = Counter(item.name for item in found)
    named = [
        replace(item, name=f"{item.parent}/{item.name}") if counts[item.name] > 1 and item.parent else item
        for item in found
    ]
    out: list[Found] = []
    taken: set[str] = set()
    for item in named:
        name, number = item.name, 1
        while name in taken:
            number += 1
            name = f"{item.name} ({number})"
        taken.add(name)
        out.append(replace(item, name=name))
    return out


def _text(name: str) -> str:
    """Return a file name as valid text: bytes that are not UTF-8 become U+FFFD."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def reason(error: BaseException) -> str:
    """Say in a few words why a file can't be read."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
