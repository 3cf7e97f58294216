"""The options of ``explain``, and what they ask. Texts are parsed when they are used, so that help answers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from analyzer.question_error import QuestionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analyzer.model import Analysis
    from analyzer.question import Question

# Option, metavar, help: a record or a filter that is in the inputs.
SEEN: Final[tuple[tuple[str, str, str], ...]] = (
    ("--record", "N", "The event with this EventRecordID."),
    ("--filter", "ID", "The flows whose events name the filter with this run-time id."),
)
# Option, metavar, help: a flow by hand.
FLOW: Final[tuple[tuple[str, str, str], ...]] = (
    ("--application", "PROGRAM", "A path, its end, or a name that the inputs know."),
    ("--protocol", "PROTOCOL", "tcp, udp, icmp, icmpv6, or a number."),
    ("--local-address", "ADDRESS", "The address of this computer."),
    ("--local-port", "PORT", "For ICMP: the type."),
    ("--remote-address", "ADDRESS", "The address of the other side."),
    ("--remote-port", "PORT", "For ICMP: the code."),
    ("--user", "SID", "The user of the token: a SID, or SYSTEM and the like."),
    ("--service", "NAME", "The service whose token the connection carries."),
)
_RESERVED: Final = {"--filter": "filter_id"}
_TITLE: Final = "A flow that nobody has recorded (instead of --record and --filter)"


class FlowOption(click.Option):
    """An option that describes a flow by hand."""


class ExplainCommand(click.Command):
    """A command whose help page lists the options of a flow by hand under a title of their own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both groups."""
        groups: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and not isinstance(parameter, click.Argument):
                groups[isinstance(parameter, FlowOption)].append(record)
        for title, rows in zip(("Options", _TITLE), groups, strict=True):
            with formatter.section(title):
                formatter.write_dl(rows)


def options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options of a question; the command gets them as keywords."""
    words = (
        ("--profile", ("public", "private", "domain"), "The profile of the network."),
        ("--direction", ("outbound", "inbound"), "Who began."),
    )
    for option, metavar, text in reversed(FLOW):
        function = click.option(option, cls=FlowOption, metavar=metavar, help=text)(function)
    for option, choices, text in words:
        kind = click.Choice(choices, case_sensitive=False)
        function = click.option(option, cls=FlowOption, type=kind, help=text)(function)
    for option, metavar, text in reversed(SEEN):
        name = _RESERVED.get(option, option.strip("-"))
        whole = click.IntRange(min=0, max=2**64 - 1)
        function = click.option(option, name, type=whole, metavar=metavar, help=text)(function)
    return click.option("--computer", metavar="NAME", help="Where several computers have such a record.")(function)


def question(asked: Mapping[str, str | int | None]) -> Question:
    """Return what was asked for.

    Raises
    ------
    click.UsageError
        It can't be understood.
    """
    if not any(value is not None for name, value in asked.items() if name != "computer"):
        context = click.get_current_context(silent=True)
        raise click.UsageError("nothing is asked for: give --record N, --filter ID, or a flow", context)
    from analyzer import question as questions  # noqa: PLC0415 - help can't wait for pandas

    try:
        return questions.parse(asked)
    except QuestionError as error:
        raise click.UsageError(str(error), click.get_current_context(silent=True)) from error


def unexplained(analysis: Analysis) -> str | None:
    """Tell why there is nothing to show; None where there is an explanation."""
    return None if analysis.explanations else "nothing usable: nothing could be explained"
