"""``events`` and ``filters``: many rows, in several formats."""

# ruff: noqa: PLC0415 - help can't wait for pages and pandas

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from analyzer.command_help import EVENTS_EXAMPLES, FILTERS_EXAMPLES
from analyzer.commands import speech
from analyzer.commands.hiding import key_texts, redaction_of, with_key
from analyzer.options import PATH, rows, shared
from analyzer.output import STDOUT
from analyzer.run import Run, no_filters, nothing_usable
from analyzer.selection_options import NarrowCommand, narrow, parse
from reports.formats import EVENT_FORMATS, FILTER_FORMATS, FORMATS, What, missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.model import Analysis


@click.command(cls=NarrowCommand, epilog=EVENTS_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=PATH)
@rows(EVENT_FORMATS, "JSON lines, CSV, Parquet, an Excel workbook, or CSV for Timesketch.")
@shared
@narrow
def events(
    context: click.Context,
    inputs: tuple[Path, ...],
    output: Path,
    format_: str,
    *,
    force: bool,
    strict: bool,
    **others: Any,
) -> int:
    """Write every audit event and net event with its verdict: one row or JSON object each, in time order."""
    choice, key = redaction_of(others)
    run = Run(context.obj or (), inputs, with_key(output, key), force, strict, parse(others), choice)
    return _write_rows("events", format_, run, nothing_usable, key)


@click.command(epilog=FILTERS_EXAMPLES)
@click.argument("inputs", metavar="STATE...", nargs=-1, required=True, type=PATH)
@rows(FILTER_FORMATS, "JSON lines, CSV, Parquet, or an Excel workbook.")
@shared
def filters(
    context: click.Context,
    inputs: tuple[Path, ...],
    output: Path,
    format_: str,
    *,
    force: bool,
    strict: bool,
    **others: Any,
) -> int:
    """Write every filter of a state, with the kind of block that it makes: one row or JSON object each."""
    choice, key = redaction_of(others)
    run = Run(context.obj or (), inputs, with_key(output, key), force, strict, None, choice)
    return _write_rows("filters", format_, run, no_filters, key)


def _write_rows(
    what: What, name: str, run: Run, unusable: Callable[[Analysis], str | None], key_target: Path | None
) -> int:
    lacking = missing(name)
    if lacking is not None:
        raise click.UsageError(lacking, click.get_current_context())
    if FORMATS[name].binary and run.targets[0] == STDOUT and speech.is_terminal(sys.stdout):
        raise click.UsageError(f"{name} is not for a terminal: name a file with -o", click.get_current_context())
    progress = speech.progress_shown()
    analysis, key = speech.analyze(run, unusable, progress)
    speech.say_problems(analysis.problems)
    for told in (analysis.selection, analysis.redaction):
        if told is not None:
            speech.say(f"{speech.NAME}: {told.sentence}")
    from reports import formats

    for remark in formats.remarks(what, name, analysis):
        speech.say(f"{speech.NAME}: {remark}")
    texts = [formats.output(what, name, analysis), *key_texts(key, key_target)]
    return speech.finish(run, analysis, texts, progress)
