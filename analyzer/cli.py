"""The command ``wfp-analyzer``: arguments, exit codes, progress. No analysis happens here.

Everything heavy is imported when it is needed, so that ``--help`` answers at once.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from analyzer import explain_command
from analyzer.command_group import Commands
from analyzer.command_help import (
    DIFF_EXAMPLES,
    EVENTS_EXAMPLES,
    EXPLAIN_EXAMPLES,
    FILTERS_EXAMPLES,
    GROUP_EXAMPLES,
    PROPOSE_EXAMPLES,
    REPORT_EXAMPLES,
)
from analyzer.ending import Terminated, end_on_signals
from analyzer.options import FAIL_ON, PATH, rows, shared
from analyzer.output import STDOUT, OutputError, check_standard_output, standard_error, standard_output
from analyzer.progress import Progress
from analyzer.redaction_options import chosen, redaction
from analyzer.run import Exit, RefusedError, Run, no_filters, nothing_usable
from analyzer.selection_options import NarrowCommand, narrow, parse
from analyzer.voice import Narrator, own_voice, voice
from reports.formats import EVENT_FORMATS, FILTER_FORMATS, FORMATS, What, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from analyzer.model import Analysis, InputFile, Problem
    from analyzer.redaction import Choice, Key
    from analyzer.reviewmodel import Review
    from reports.zone import Zone

NAME: Final = "wfp-analyzer"
_PROBLEMS_SHOWN: Final = 10
_DEBUG: Final = "WFP_ANALYZER_DEBUG"


# --------------------------------------------------------------------------------------------------------------
# The commands


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=GROUP_EXAMPLES,
)
@click.version_option(None, "--version", package_name=NAME, prog_name=NAME, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Tell why Windows blocked network traffic, from exported files alone.

    INPUT is any mix of files, folders and .zip archives: event logs (.evtx, or events as XML or JSON lines),
    WFP states, filters and net events (netsh wfp show), captures (netsh wfp capture), lists of services, audit
    policies and exported firewall rules. Files are recognised by their content, not by their names.
    - is standard input; patterns (*.evtx) work where the shell does not expand them, too.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(Exit.USAGE)


def _zone(context: click.Context, parameter: click.Parameter, name: str | None) -> Zone | None:
    """Read the name of a time zone."""
    if name is None:
        return None
    from reports.zone import ZoneError, zone

    try:
        return zone(name)
    except ZoneError as error:
        raise click.BadParameter(str(error), context, parameter) from error


@cli.command(cls=NarrowCommand, epilog=REPORT_EXAMPLES)
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
    progress = _progress()
    analysis, key = _analyze(run, nothing_usable, progress)
    with _shown(progress, "drawing the page"):
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
        texts.extend(_key_texts(key, redaction_key))
    taken = STDOUT in targets
    if not taken:
        _print_summary(analysis, timezone)  # before the files: where it can't be written, they are not put in place
    code = _finish(run, analysis, texts, progress)
    if taken:
        _print_summary(analysis, timezone, err=True)
    for target in targets:
        if target != STDOUT:
            _say(f"written: {target.name if redact else target}", err=taken)
    return code


@cli.command(cls=NarrowCommand, epilog=EVENTS_EXAMPLES)
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
    choice, key = _redaction_of(others)
    run = Run(context.obj or (), inputs, _with(output, key), force, strict, parse(others), choice)
    return _write_rows("events", format_, run, nothing_usable, key)


@cli.command(epilog=FILTERS_EXAMPLES)
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
    choice, key = _redaction_of(others)
    run = Run(context.obj or (), inputs, _with(output, key), force, strict, None, choice)
    return _write_rows("filters", format_, run, no_filters, key)


def _redaction_of(others: dict[str, Any]) -> tuple[Choice | None, Path | None]:
    """Take the options of the redaction out of the others."""
    key: Path | None = others.pop("redaction_key")
    return chosen(redact=others.pop("redact"), keep_addresses=others.pop("keep_addresses"), redaction_key=key), key


def _with(output: Path, key: Path | None) -> tuple[Path, ...]:
    return (output,) if key is None else (output, key)


def _key_texts(key: Key | None, target: Path | None) -> list[Iterable[str]]:
    """Return the text of the redaction's key, where it is wanted."""
    if key is None or target is None:
        return []
    from reports.document import key_json

    return [[key_json(key)]]


def _write_rows(
    what: What, name: str, run: Run, unusable: Callable[[Analysis], str | None], key_target: Path | None
) -> int:
    lacking = missing(name)
    if lacking is not None:
        raise click.UsageError(lacking, click.get_current_context())
    if FORMATS[name].binary and run.targets[0] == STDOUT and _is_terminal(sys.stdout):
        raise click.UsageError(f"{name} is not for a terminal: name a file with -o", click.get_current_context())
    progress = _progress()
    analysis, key = _analyze(run, unusable, progress)
    _say_problems(analysis.problems)
    for told in (analysis.selection, analysis.redaction):
        if told is not None:
            _say(f"{NAME}: {told.sentence}")
    from reports import formats

    for remark in formats.remarks(what, name, analysis):
        _say(f"{NAME}: {remark}")
    texts = [formats.output(what, name, analysis), *_key_texts(key, key_target)]
    return _finish(run, analysis, texts, progress)


@cli.command(cls=explain_command.ExplainCommand, epilog=EXPLAIN_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=PATH)
@click.option("-o", "--output", type=PATH, help="Also write a page; - is standard output.")
@click.option("--json", "json_", type=PATH, help="Also write it as JSON; - is standard output.")
@redaction(PATH)
@shared
@explain_command.options
def explain(
    context: click.Context,
    inputs: tuple[Path, ...],
    output: Path | None,
    json_: Path | None,
    *,
    force: bool,
    strict: bool,
    **others: Any,
) -> int:
    """Explain one decision: sublayer by sublayer, which filters were tried, and which condition decided."""
    choice, redaction_key = _redaction_of(others)
    question = explain_command.question(others)
    targets = tuple(target for target in (output, json_, redaction_key) if target is not None)
    check_standard_output()
    run = Run(context.obj or (), inputs, targets, force, strict, None, choice, question)
    progress = _progress()
    analysis, key = _analyze(run, explain_command.unexplained, progress)
    from reports import explanation
    from reports.document import explanation_json

    made = ((output, explanation.render_html), (json_, explanation_json))
    texts = [[render(analysis)] for target, render in made if target is not None] + _key_texts(key, redaction_key)
    taken = STDOUT in targets
    _print(lambda console: explanation.print_explanations(analysis, console), err=taken)
    _say_problems([problem for problem in analysis.problems if problem.severity != "note"])
    code = _finish(run, analysis, texts, progress)
    for target in targets:
        if target != STDOUT:
            _say(f"written: {target.name if choice else target}", err=taken)
    return code


@cli.command(cls=NarrowCommand, epilog=PROPOSE_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=PATH)
@click.option("-o", "--output", type=PATH, help="Also write the commands as a script; - is standard output.")
@click.option("--json", "json_", type=PATH, help="Also write the result as JSON; - is standard output.")
@click.option(
    "--merge",
    multiple=True,
    type=click.Choice(("ports", "addresses", "any-address")),
    help="Make fewer and wider rules: all ports or addresses of a program in one, or any address.",
)
@click.option(
    "--what-if", type=PATH, metavar="FILE", help="Try the rules of a file (JSON or commands as written here) instead."
)
@shared
@narrow
def propose(
    context: click.Context,
    inputs: tuple[Path, ...],
    output: Path | None,
    json_: Path | None,
    *,
    force: bool,
    strict: bool,
    **asked: Any,
) -> int:
    """Propose allow rules for what was blocked: the fewest that are not wider than asked, and the proof."""
    from analyzer.proposerun import wanted

    targets = tuple(target for target in (output, json_) if target is not None)
    check_standard_output()
    asks = wanted(frozenset(asked.pop("merge")), asked.pop("what_if"), targets, force=force)
    run = Run(context.obj or (), inputs, targets, force, strict, parse(asked), wanted=asks)
    progress = _progress()
    analysis, _ = _analyze(run, nothing_usable, progress)
    from reports.proposaljson import of, proposal_json, proposal_script
    from reports.proposalterminal import print_proposal

    made = ((output, proposal_script), (json_, proposal_json))
    texts = [[render(analysis)] for target, render in made if target is not None]
    taken = STDOUT in targets
    _print(lambda console: print_proposal(of(analysis), console), err=taken)
    _say_problems([problem for problem in analysis.problems if problem.severity != "note"])
    code = _finish(run, analysis, texts, progress)
    for target in targets:
        if target != STDOUT:
            _say(f"written: {target}", err=taken)
    return code


@cli.command(epilog=DIFF_EXAMPLES)
@click.argument("before", metavar="BEFORE", type=PATH)
@click.argument("after", metavar="AFTER", type=PATH)
@click.argument("more", metavar="", nargs=-1, type=PATH)
@click.option("-o", "--output", type=PATH, help="Also write a page for the person who signs; - is standard output.")
@click.option("--json", "json_", type=PATH, help="Also write the result as JSON; - is standard output.")
@click.option(
    "--traffic",
    metavar="LOG...",
    multiple=True,
    type=PATH,
    help="Decide recorded traffic anew by both sides: logs, net events, folders, archives; behind BEFORE and AFTER.",
)
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(FAIL_ON),
    help="End with exit code 10 where it holds; may be given several times.",
)
@shared
def diff(
    context: click.Context,
    before: Path,
    after: Path,
    output: Path | None,
    json_: Path | None,
    *,
    force: bool,
    strict: bool,
    **asked: Any,
) -> int:
    """Compare two sides: what changed in the filters that Windows enforces, and what the change opens and blocks.

    Each side is a WFP state (netsh wfp show state), filters (netsh wfp show filters), exported firewall rules, or a
    folder or .zip archive of these. Filters are matched by what they are, not by their numbers.
    """
    from analyzer import reviewrun

    traffic, fail_on = (*asked["traffic"], *asked["more"]), asked["fail_on"]
    if asked["more"] and not asked["traffic"]:
        raise click.UsageError("BEFORE and AFTER are two; name logs behind --traffic", context)
    targets = tuple(target for target in (output, json_) if target is not None)
    check_standard_output()
    run = reviewrun.DiffRun(context.obj or (), before, after, targets, force, strict, traffic, fail_on)
    progress = _progress()
    with _shown(progress, "comparing"):
        review = run.compare(None if progress is None else progress.step)
    from reports.reviewhtml import render_review
    from reports.reviewjson import review_json

    made = ((output, render_review), (json_, review_json))
    texts = [[render(review)] for target, render in made if target is not None]
    taken = STDOUT in targets
    if not taken:
        _print_review(review)
    code = run.finish(review, texts)
    if taken:
        _print_review(review, err=True)
    for target in targets:
        if target != STDOUT:
            _say(f"written: {target}", err=taken)
    for said in reviewrun.failures(review, fail_on):
        _say(f"{NAME}: --fail-on {said}")
    return code


# --------------------------------------------------------------------------------------------------------------
# What people see


def _analyze(
    run: Run, unusable: Callable[[Analysis], str | None], progress: Progress | Narrator | None
) -> tuple[Analysis, Key | None]:
    with _shown(progress, "analyzing"):
        analysis, key = run.analyze(unusable, None if progress is None else progress.step)
    if voice().verbose:
        _say_inputs(analysis.inputs)
    return analysis, key


def _finish(
    run: Run, analysis: Analysis, texts: Sequence[Iterable[str | bytes]], progress: Progress | Narrator | None
) -> int:
    """Write the outputs; while one goes to a terminal, no progress comes between."""
    seen = STDOUT in run.targets and _is_terminal(sys.stdout)
    with _shown(None if seen else progress, "writing"):
        return run.finish(analysis, texts)


def _say(message: str, *, err: bool = True, always: bool = False) -> None:
    """Print one line; what hides or moves text is shown and not obeyed. Silent where quiet, unless ``always``."""
    if voice().quiet and not always:
        return
    from reports.text import neutral

    with standard_error() if err else standard_output():
        click.echo(neutral(message), err=err)


def _say_problems(problems: Sequence[Problem], *, told: int = 0) -> None:
    """Print the problems in short on standard error, the worst first; ``told`` of them were said already."""
    order = {"lost": 0, "doubtful": 1, "note": 2}
    ranked = sorted(problems, key=lambda problem: order[problem.severity])[told:]
    shown = len(ranked) if voice().verbose else _PROBLEMS_SHOWN
    for problem in ranked[:shown]:
        place = ", ".join(part for part in (problem.input, problem.place) if part)
        words = f"{NAME}: {problem.severity}: {f'{place}: ' if place else ''}{problem.what}"
        _say(words, always=problem.severity == "lost")
    if len(ranked) > shown:
        _say(f"{NAME}: and {len(ranked) - shown} more; the report and its JSON list all of them")


def _say_inputs(inputs: Sequence[InputFile]) -> None:
    """Print what each input is, and its SHA-256."""
    for item in inputs:
        counts = [f"{item.bytes:,} bytes"] if item.bytes is not None else []
        counts += [f"{n:,} {what}" for n, what in ((item.records, "records"), (item.events, "events")) if n is not None]
        digest = f", SHA-256 {item.sha256}" if item.sha256 else ""
        _say(f"{NAME}: {item.name}: {item.kind}{', ' if counts else ''}{', '.join(counts)}{digest}")


def _print_summary(analysis: Analysis, zone: Zone | None, *, err: bool = False) -> None:
    """Print the summary on standard output, or on standard error where an output takes the former; then the problems.

    Each problem is said once in one place: where summary and messages meet, only those that the summary leaves out.
    """
    if voice().quiet:
        _say_problems(analysis.problems)
        return
    from reports import terminal

    together = err or (_is_terminal(sys.stdout) and _is_terminal(sys.stderr))
    _print(lambda console: terminal.print_summary(analysis, console, zone), err=err)
    _say_problems(analysis.problems, told=terminal.MOST_PROBLEMS if together else 0)


def _print(show: Callable[[Console], None], *, err: bool) -> None:
    """Let ``show`` print on standard output, or on standard error."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would end the whole program, and lead standard output nowhere

    with standard_error() if err else standard_output():
        show(Plain(stderr=err, highlight=False))


def _print_review(review: Review, *, err: bool = False) -> None:
    """Print a comparison, as :func:`_print_summary` prints an analysis."""
    from reports import reviewterminal

    together = err or (_is_terminal(sys.stdout) and _is_terminal(sys.stderr))
    _print(lambda console: reviewterminal.print_review(review, console), err=err)
    _say_problems(review.problems, told=reviewterminal.MOST_PROBLEMS if together else 0)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _progress() -> Progress | Narrator | None:
    """Return what shows progress on standard error; None where no person is looking at it."""
    if voice().verbose:
        return Narrator(_say)
    if voice().quiet or not _is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        return None
    from reports.text import neutral

    return Progress(sys.stderr, neutral)


def _shown(progress: Progress | Narrator | None, words: str) -> contextlib.AbstractContextManager[None]:
    """Show inside a ``with`` block what goes on."""
    return contextlib.nullcontext() if progress is None else progress.shown(words)


# --------------------------------------------------------------------------------------------------------------
# The way in


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; no traceback ever reaches a user."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name that this terminal can't show is no error
    if arguments is None:
        end_on_signals()
    with own_voice():
        return _run(args)


def _run(args: list[str]) -> int:
    try:
        return int(cli.main(args, prog_name=NAME, standalone_mode=False, obj=tuple(args)) or Exit.DONE)
    except RefusedError as refused:
        _say_problems(refused.problems)
        _say(f"{NAME}: {refused}", always=True)
        return refused.code
    except click.UsageError as error:
        _say(f"{NAME}: {error.format_message()}", always=True)
        with standard_error():
            if error.ctx is not None:
                click.echo(error.ctx.get_usage(), err=True)
            click.echo(f"Try '{error.ctx.command_path if error.ctx else NAME} --help'.", err=True)
        return Exit.USAGE
    except (click.ClickException, OutputError) as error:
        _say(f"{NAME}: {error.format_message() if isinstance(error, click.ClickException) else error}", always=True)
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt, Terminated) as ended:
        _say(f"{NAME}: interrupted; nothing half-written stays", always=True)
        return Exit.TERMINATED if isinstance(ended, Terminated) else Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last net: whatever is wrong with us is one line for the user
        return _internal_error(error)


def _internal_error(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        # files are explained where they are written
        _say(f"{NAME}: standard output: can't be written ({error.strerror})", always=True)
        return Exit.USAGE
    if os.environ.get(_DEBUG) == "1":
        import traceback

        for line in "".join(traceback.format_exception(error)).splitlines():
            _say(line, always=True)
    what = "not enough memory" if isinstance(error, MemoryError) else f"{type(error).__name__}: {error}"
    _say(f"{NAME}: internal error: {what}", always=True)
    _say(f"{NAME}: this is a mistake of the program; run again with {_DEBUG}=1 and report what it prints", always=True)
    return Exit.INTERNAL_ERROR


if __name__ == "__main__":
    sys.exit(main())
