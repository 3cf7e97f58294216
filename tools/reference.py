"""The reference of commands and options as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tools.commandbook import ENVIRONMENT, commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tools.commandbook import Command

_INTRODUCTION: Final = """# Commands and options

This page is made from the program by `make docs`; `wfp-analyzer COMMAND --help` says the same. How inputs are named,
standard input, patterns and completion: [using the command](using.md).
"""


def reference() -> str:
    """Return the page."""
    book = commands()
    exits = next(block for block in book[0].blocks if block.title == "Exit codes")
    parts = [_INTRODUCTION, *(part for command in book for part in _command(command))]
    parts += ["## Exit codes\n", _table(("code", "meaning"), (line.split(maxsplit=1) for line in exits.lines))]
    parts += ["## Environment\n", _table(("variable", "meaning"), ((f"`{name}`", text) for name, text in ENVIRONMENT))]
    return "\n".join(parts)


def _command(command: Command) -> Iterator[str]:
    yield f"## {command.name}\n"
    yield f"```text\n{command.usage}\n```\n"
    for paragraph in command.paragraphs:
        yield f"{_text(paragraph)}\n"
    for group in command.options:
        if group.title != "Options":
            yield f"**{group.title}**\n"
        yield _table(("option", "meaning"), ((f"`{name}`", _text(text)) for name, text in group.rows))
    for block in command.blocks:
        if block.title != "Exit codes":  # once for all, at the end
            yield f"{block.title}:\n"
            yield "```sh\n" + "\n".join(block.lines) + "\n```\n"


def _table(head: tuple[str, str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    lines += [f"| {first} | {second} |" for first, second in rows]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Return plain text as Markdown: no sign in it may mean anything else."""
    return re.sub(r"([\\*_<>|\[\]`])", r"\\\1", text)
