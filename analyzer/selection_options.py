"""The options that ask narrowly, and help pages that show them in a group of their own.

Texts are parsed by :mod:`analyzer.selection`, which is imported only when an option is used, so that ``--help`` answers
at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import click
from click.shell_completion import CompletionItem

from analyzer.model.words import Grade, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from analyzer.selection import Selection

# Field of `Selection`, option, what it takes, help.
TABLE: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("from_", "--from", "TIME", "Not before 2026-03-04T10:15:22Z, or 2026-03-04."),
    ("to", "--to", "TIME", "Not after; a day or a minute counts as a whole."),
    ("protocol", "--protocol", "PROTOCOL", "tcp, udp, icmp, icmpv6, or a number."),
    ("local_address", "--local-address", "ADDRESS", "Or a network: 192.0.2.0/24; fe80::1%5 has a scope."),
    ("remote_address", "--remote-address", "ADDRESS", "The same of the other side."),
    ("local_port", "--local-port", "PORT", "A port or a range: 49152-65535."),
    ("remote_port", "--remote-port", "PORT", "The same of the other side."),
    ("application", "--application", "PROGRAM", "A path, its end, a name; * and ? stand for text."),
    ("user", "--user", "USER", "A SID or a name; only net events tell users."),
    ("event_id", "--event-id", "ID", "5031, 5150 to 5159; net events have none."),
    ("kind", "--kind", "KIND", "What blocked, as default-outbound."),
    ("grade", "--grade", "GRADE", "How sure that is, as origin or snapshot."),
    ("computer", "--computer", "NAME", "With or without its domain."),
)
# What a shell may offer after an option.
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "protocol": ("tcp", "udp", "icmp", "icmpv6"),
    "event_id": ("5031", *map(str, range(5150, 5160))),
    "kind": get_args(Kind),
    "grade": get_args(Grade),
}
_TITLE: Final = "Show only some events (give an option again for more values)"


class Narrow(click.Option):
    """An option that selects events."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the words that the option knows."""
        known = [word for word in _WORDS.get(self.name or "", ()) if word.startswith(incomplete.lower())]
        return [CompletionItem(word) for word in known] or super().shell_complete(ctx, incomplete)


class NarrowCommand(click.Command):
    """A command whose help page lists the selecting options behind the others, under a title of their own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both groups."""
        groups: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and not isinstance(parameter, click.Argument):  # the usage names these
                groups[isinstance(parameter, Narrow)].append(record)
        for title, rows in zip(("Options", _TITLE), groups, strict=True):
            with formatter.section(title):
                formatter.write_dl(rows)


def narrow(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options; the command gets them as keywords by field, each a tuple of texts."""
    for field, option, metavar, text in reversed(TABLE):
        function = click.option(field, option, cls=Narrow, multiple=True, metavar=metavar, help=text)(function)
    return function


def parse(asked: Mapping[str, Sequence[str]]) -> Selection | None:
    """Return what was asked for, None for nothing.

    Raises
    ------
    click.UsageError
        A text can't be understood.
    """
    if not any(asked.values()):
        return None
    from analyzer import selection  # noqa: PLC0415 - help can't wait for pandas

    try:
        return selection.parse(asked)
    except selection.SelectionError as error:
        raise click.UsageError(str(error), click.get_current_context(silent=True)) from error
