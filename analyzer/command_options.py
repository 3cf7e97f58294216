"""What the commands take, and the end of their help pages: options that several share, examples, exit codes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_EXIT_CODES: Final = """\b
Exit codes:
  0    done
  2    wrong usage: an option, an input that can't be opened, an output that exists or can't be written
  3    done, but something was lost (with --strict nothing is written)
  4    nothing usable in the inputs
  130  interrupted, nothing half-written stays"""


class _PathType(click.Path):
    """A path as it was typed, but never the empty one, which pathlib would take for the folder we stand in."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, readable=False)  # our own checks say more

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        if not os.fspath(value):
            self.fail("an empty path names nothing", param, ctx)
        written = isinstance(param, click.Option)  # inputs are arguments
        if written and os.fspath(value).endswith((os.sep, os.altsep or os.sep)):
            self.fail(f"{os.fspath(value)!r} names a folder; name a file in it", param, ctx)
        return super().convert(value, param, ctx)


PATH: Final = _PathType()


def shared(function: Callable[..., int]) -> Callable[..., int]:
    """Add what every command takes."""
    for decorate in (
        click.pass_context,
        click.option("--strict", is_flag=True, help="Write nothing when something was lost (exit code 3)."),
        click.option("--force", is_flag=True, help="Replace an output that exists. Inputs are never replaced."),
    ):
        function = decorate(function)
    return function


def lines(function: Callable[..., int]) -> Callable[..., int]:
    """Add what the commands take that write one object per line."""
    for decorate in (
        click.option("-o", "--output", type=PATH, default="-", help="The file to write.  [default: standard output]"),
        click.option(
            "--format",
            type=click.Choice(["jsonl"]),
            default="jsonl",
            show_default=True,
            expose_value=False,  # there is one
            help="JSON lines: one object per line.",
        ),
    ):
        function = decorate(function)
    return function


def _examples(*rows: str) -> str:
    """Return lines of a help page that keep their form (click marks such a block with a backspace), and exit codes."""
    return "\n".join(["\b", "Examples:", *(f"  {row}" for row in rows), "", _EXIT_CODES])


GROUP_EXAMPLES: Final = _examples(
    "wfp-analyzer report security.evtx wfpstate.xml",
    "wfp-analyzer report ticket-4711/ -o ticket-4711.html --json ticket-4711.json",
    "wfp-analyzer events security.evtx wfpstate.xml -o events.jsonl",
    "wfp-analyzer filters wfpstate.xml -o filters.jsonl",
)
REPORT_EXAMPLES: Final = _examples(
    "wfp-analyzer report security.evtx wfpstate.xml",
    "wfp-analyzer report ticket-4711/ -o ticket-4711.html --json ticket-4711.json --force",
    "wfp-analyzer report ticket-4711.zip --remote-port 443 --application svchost.exe --from 2026-03-04T10:00Z",
)
EVENTS_EXAMPLES: Final = _examples(
    "wfp-analyzer events security.evtx wfpstate.xml --format jsonl -o events.jsonl",
    "wfp-analyzer events ticket-4711/ | jq -r 'select(.action == \"block\") | .application' | sort | uniq -c",
)
FILTERS_EXAMPLES: Final = _examples(
    "wfp-analyzer filters wfpstate.xml -o filters.jsonl",
    "wfp-analyzer filters wfpstate.xml | jq 'select(.action == \"block\") | {filter_id, name, kind}'",
)
