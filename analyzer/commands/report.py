"""``report``: the page, and what stands beside it."""

# ruff: noqa: PLC0415 - help can't wait for pages and pandas

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from analyzer.command_help import REPORT_EXAMPLES
from analyzer.commands import speech
from analyzer.commands.hiding import key_texts
from analyzer.options import PATH, shared
from analyzer.output import STDOUT, check_standard_output
from analyzer.redaction_options import chosen, redaction
from analyzer.run import Run, nothing_usable
from analyzer.selection_options import NarrowCommand, narrow, parse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reports.zone import Zone


def _zone(context: click.Context, parameter: click.Parameter, name: str | None) -> Zone | None:
    """Read the name of a time zone."""
    if name is None:
        return None
    from reports.zone import ZoneError, zone

    try:
        return zone(name)
    except ZoneError as error:
        raise click.BadParameter(str(error), context, parameter) from error


@click.command(cls=NarrowCommand, epilog=REPORT_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=PATH)
@click.option(
    "-o",
    "--output",
    type=PATH,
    default="report.html",
    show_default=True,
    help="The page to write; - is standard output.",
)
@click.option("--json", "json_", type=PATH, help="Also write the result as JSON; - is standard output.")
@click.option("--markdown", type=PATH, help="Also write a short summary to paste into a ticket (Markdown).")
@click.option("--actions", type=PATH, help="Also write what to do as CSV, one row per remedy: ACTIONS.csv.")
@click.option(
    "--timezone",
    callback=_zone,
    metavar="NAME",
    help="Show times in this zone beside UTC, as Europe/Berlin: page, summary, Markdown.",
)
@redaction(PATH)
@shared
@narrow
def report(  # noqa: PLR0913 - one parameter per option
    context: click.Context,
    inputs: tuple[Path, ...],
    output: Path,
    json_: Path | None,
    *,
    markdown: Path | None,
    actions: Path | None,
    timezone: Zone | None,
    redact: bool,
    keep_addresses: tuple[str, ...],
    redaction_key: Path | None,
    force: bool,
    strict: bool,
    **asked: tuple[str, ...],
) -> int:
    """Write the report: one HTML page that says what blocked what, and how sure that is."""
    choice = chosen(redact=redact, keep_addresses=keep_addresses, redaction_key=redaction_key)
    targets = tuple(path for path in (output, json_, markdown, actions, redaction_key) if path is not None)
    check_standard_output()  # for the summary, if for nothing else
    run = Run(context.obj or (), inputs, targets, force, strict, parse(asked), choice)
    progress = speech.progress_shown()
    analysis, key = speech.analyze(run, nothing_usable, progress)
    with speech.shown(progress, "drawing the page"):
        from reports.html import render_html

        texts: list[Iterable[str]] = [[render_html(analysis, timezone)]]
        if json_ is not None:
            from reports.document import report_json

            texts.append([report_json(analysis)])
        if markdown is not None:
            from reports.markdown import markdown as report_markdown

            texts.append([report_markdown(analysis, timezone)])
        if actions is not None:
            from reports.actions import actions_csv

            texts.append(actions_csv(analysis))
        texts.extend(key_texts(key, redaction_key))
    taken = STDOUT in targets
    if not taken:
        speech.print_summary(
            analysis, timezone
        )  # before the files: where it can't be written, they are not put in place
    code = speech.finish(run, analysis, texts, progress)
    if taken:
        speech.print_summary(analysis, timezone, err=True)
    speech.say_written(targets, err=taken, short=redact)
    return code
