"""The man page, made from the program. Format: man(7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tools.commandbook import ENVIRONMENT, commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.commandbook import Command, Options

_SUMMARY: Final = "tell why Windows blocked network traffic, from exported files"


def man_page(version: str) -> str:
    """Return the page; the same program gives the same bytes, so that no date stands in it."""
    return "\n".join(_lines(version)) + "\n"


def _lines(version: str) -> Iterator[str]:
    program, *others = commands()
    yield '.\\" Made from the program by "make docs".'
    yield f'.TH WFP\\-ANALYZER 1 "" "wfp\\-analyzer {_text(version)}" "User Commands"'
    yield from (".SH NAME", f"wfp\\-analyzer \\- {_SUMMARY}", ".SH SYNOPSIS")
    for number, command in enumerate(others):
        if number:
            yield ".br"
        yield from _usage(command)
    yield ".SH DESCRIPTION"
    yield from _paragraphs(program)
    yield ".SH OPTIONS"
    yield from _options(program.options)
    yield ".SH COMMANDS"
    for command in others:
        yield f".SS {_text(command.name.partition(' ')[2])}"
        yield from _usage(command)
        yield from _paragraphs(command, first=".PP")
        yield from _options(command.options)
    yield ".SH EXAMPLES"
    for command in (program, *others):
        for block in command.blocks:
            if block.title == "Examples":
                yield from (".PP", ".nf", ".RS", *map(_text, block.lines), ".RE", ".fi")
    yield ".SH EXIT STATUS"
    for line in next(block for block in program.blocks if block.title == "Exit codes").lines:
        yield from _item(*line.split(maxsplit=1))
    yield ".SH ENVIRONMENT"
    for name, text in ENVIRONMENT:
        yield from _item(name, text)
    yield from (".SH SEE ALSO", ".BR jq (1)")


def _usage(command: Command) -> Iterator[str]:
    first, rest = command.usage[: len(command.name)], command.usage[len(command.name) :]
    yield f".B {_text(first)}"
    yield _text(rest.strip())


def _paragraphs(command: Command, first: str = "") -> Iterator[str]:
    for number, paragraph in enumerate(command.paragraphs):
        if number or first:
            yield ".PP"
        yield _text(paragraph)


def _options(groups: tuple[Options, ...]) -> Iterator[str]:
    for group in groups:
        if group.title != "Options":
            yield from (".PP", _text(group.title) + ":")
        for name, text in group.rows:
            yield from _item(name, text)


def _item(name: str, text: str) -> Iterator[str]:
    yield from (".TP", f".B {_text(name)}", _text(text))


def _text(text: str) -> str:
    """Return plain text as man(7) takes it: a hyphen that may be typed, no line that begins with a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)
