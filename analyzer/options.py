"""What the commands' options have in common: how a path is read, and the options that several commands take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from analyzer.redaction_options import redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class PathType(click.Path):
    """A path as it was typed, but never the empty one, which pathlib would take for the folder we stand in."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, readable=False)  # our own checks say more

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Refuse the empty text."""
        if not os.fspath(value):
            self.fail("an empty path names nothing", param, ctx)
        written = isinstance(param, click.Option) and not param.multiple  # inputs are arguments, or --traffic
        if written and os.fspath(value).endswith((os.sep, os.altsep or os.sep)):
            self.fail(f"{os.fspath(value)!r} names a folder; name a file in it", param, ctx)
        return super().convert(value, param, ctx)


PATH: Final = PathType()
FAIL_ON: Final = ("newly-blocked", "newly-allowed", "cannot-tell", "exposure")


def shared(function: Callable[..., int]) -> Callable[..., int]:
    """Add what every command takes."""
    for decorate in (
        click.pass_context,
        click.option("--strict", is_flag=True, help="Write nothing when something was lost (exit code 3)."),
        click.option("--force", is_flag=True, help="Replace an output that exists. Inputs are never replaced."),
    ):
        function = decorate(function)
    return function


def rows(formats: Sequence[str], told: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add what the commands take that write many rows."""

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        for option in (
            redaction(PATH),
            click.option(
                "-o", "--output", type=PATH, default="-", help="The file to write.  [default: standard output]"
            ),
            click.option(
                "--format", "format_", type=click.Choice(formats), default="jsonl", show_default=True, help=told
            ),
        ):
            function = option(function)
        return function

    return decorate
