"""The commands as data, read from the program itself: what their help pages say, whoever writes them."""

from __future__ import annotations

import contextlib
import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from analyzer.cli import cli
from analyzer.commands.speech import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WIDTH: Final = 100
# What the environment changes. Colours: https://no-color.org; folders: Python's tempfile.
ENVIRONMENT: Final[tuple[tuple[str, str], ...]] = (
    ("NO_COLOR", "Any text: no colours, as with --no-color."),
    ("TMPDIR", "The folder for members of archives and for standard input while they are read; else /tmp."),
    ("WFP_ANALYZER_DEBUG", "1: where the program itself fails, say where."),
    ("_WFP_ANALYZER_COMPLETE", "bash_source, zsh_source or fish_source: print the script that completes commands."),
)


@dataclass(frozen=True, slots=True)
class Options:
    """A group of options under its title: each as it is typed, and what it does."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of the end of a help page that keep their form: examples, exit codes."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name in full, how it is called, its paragraphs, its options, the end of its help page."""

    name: str
    usage: str
    short: str
    paragraphs: tuple[str, ...]
    options: tuple[Options, ...]
    blocks: tuple[Block, ...]


class _Recorder(click.HelpFormatter):
    """Takes down what a command writes about its options."""

    def __init__(self) -> None:
        super().__init__(width=WIDTH)
        self.groups: list[Options] = []
        self._title = ""

    @contextlib.contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Remember the title for the rows in the ``with`` block."""
        self._title = name
        yield

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # noqa: ARG002
        """Take down the rows."""
        told = ((name, re.sub(r"\s+", " ", text).strip()) for name, text in rows)
        self.groups.append(Options(self._title, tuple(told)))


def commands() -> tuple[Command, ...]:
    """Return the program itself, then its commands by name."""
    root = click.Context(cli, info_name=NAME, **cli.context_settings)
    below = [_command(command, click.Context(command, root, name)) for name, command in sorted(cli.commands.items())]
    return (_command(cli, root), *below)


def _command(command: click.Command, context: click.Context) -> Command:
    recorder = _Recorder()
    command.format_options(context, recorder)
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    text = inspect.cleandoc(command.help or "").partition("\f")[0]
    paragraphs = tuple(re.sub(r"\s+", " ", part).strip() for part in text.split("\n\n"))
    groups = tuple(group for group in recorder.groups if group.title != "Commands")
    return Command(context.command_path, usage, paragraphs[0], paragraphs, groups, _blocks(command.epilog or ""))


def _blocks(epilog: str) -> tuple[Block, ...]:
    out = []
    for part in inspect.cleandoc(epilog).split("\n\n"):
        title, *lines = [line for line in part.splitlines() if line != "\b"]
        out.append(Block(title.rstrip(":"), tuple(line.removeprefix("  ") for line in lines)))
    return tuple(out)
