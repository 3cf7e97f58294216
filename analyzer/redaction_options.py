"""The options that hide names and addresses; :mod:`analyzer.redaction`, which does it, is imported when one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.redaction import Choice

KEPT: Final = ("private", "public")


def redaction(path: click.Path) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Return a decorator that adds the options; ``path`` is the type of a file's name."""

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        for option in (
            click.option(
                "--redaction-key",
                type=path,
                help="With --redact: write what stands for what to a file of its own (JSON).",
            ),
            click.option(
                "--keep-addresses",
                type=click.Choice(KEPT),
                multiple=True,
                help="With --redact: leave these addresses as they are (may be given twice).",
            ),
            click.option(
                "--redact",
                is_flag=True,
                help="Put labels (user-01, host-01, private-01.07) in place of names, account SIDs and addresses.",
            ),
        ):
            function = option(function)
        return function

    return decorate


def chosen(*, redact: bool, keep_addresses: tuple[str, ...], redaction_key: Path | None) -> Choice | None:
    """Return what is to be hidden; None for nothing.

    Raises
    ------
    click.UsageError
        Something is asked for that only --redact does.
    """
    if not redact:
        for option, given in (("--keep-addresses", keep_addresses), ("--redaction-key", redaction_key)):
            if given:
                raise click.UsageError(f"{option} says how to redact: give --redact, too", click.get_current_context())
        return None
    from analyzer.redaction import Choice  # noqa: PLC0415 - help can't wait for pandas

    return Choice(private="private" not in keep_addresses, public="public" not in keep_addresses)
