"""What all commands do beside their work: progress, messages, summaries, and the end of a run."""

# ruff: noqa: PLC0415 - help can't wait for pages, pandas and rich

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

import click

from analyzer.output import STDOUT, standard_error, standard_output
from analyzer.progress import Progress
from analyzer.voice import Narrator, voice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from analyzer.model import Analysis, InputFile, Problem
    from analyzer.redaction import Key
    from analyzer.reviewmodel import Review
    from analyzer.run import Run
    from reports.zone import Zone

NAME: Final = "wfp-analyzer"
_PROBLEMS_SHOWN: Final = 10


def analyze(
    run: Run, unusable: Callable[[Analysis], str | None], progress: Progress | Narrator | None
) -> tuple[Analysis, Key | None]:
    """Analyze while progress is shown; return the result, and the key of the redaction where there is one."""
    with shown(progress, "analyzing"):
        analysis, key = run.analyze(unusable, None if progress is None else progress.step)
    if voice().verbose:
        say_inputs(analysis.inputs)
    return analysis, key


def finish(
    run: Run, analysis: Analysis, texts: Sequence[Iterable[str | bytes]], progress: Progress | Narrator | None
) -> int:
    """Write the outputs; while one goes to a terminal, no progress comes between."""
    seen = STDOUT in run.targets and is_terminal(sys.stdout)
    with shown(None if seen else progress, "writing"):
        return run.finish(analysis, texts)


def say(message: str, *, err: bool = True, always: bool = False) -> None:
    """Print one line; what hides or moves text is shown and not obeyed. Silent where quiet, unless ``always``."""
    if voice().quiet and not always:
        return
    from reports.text import neutral

    with standard_error() if err else standard_output():
        click.echo(neutral(message), err=err)


def say_written(targets: Sequence[Path], *, err: bool, short: bool = False) -> None:
    """Name the files that were written; ``short`` leaves out their folders."""
    for target in targets:
        if target != STDOUT:
            say(f"written: {target.name if short else target}", err=err)


def say_problems(problems: Sequence[Problem], *, told: int = 0) -> None:
    """Print the problems in short on standard error, the worst first; ``told`` of them were said already."""
    order = {"lost": 0, "doubtful": 1, "note": 2}
    ranked = sorted(problems, key=lambda problem: order[problem.severity])[told:]
    shown = len(ranked) if voice().verbose else _PROBLEMS_SHOWN
    for problem in ranked[:shown]:
        place = ", ".join(part for part in (problem.input, problem.place) if part)
        words = f"{NAME}: {problem.severity}: {f'{place}: ' if place else ''}{problem.what}"
        say(words, always=problem.severity == "lost")
    if len(ranked) > shown:
        say(f"{NAME}: and {len(ranked) - shown} more; the report and its JSON list all of them")


def say_inputs(inputs: Sequence[InputFile]) -> None:
    """Print what each input is, and its SHA-256."""
    for item in inputs:
        counts = [f"{item.bytes:,} bytes"] if item.bytes is not None else []
        counts += [f"{n:,} {what}" for n, what in ((item.records, "records"), (item.events, "events")) if n is not None]
        digest = f", SHA-256 {item.sha256}" if item.sha256 else ""
        say(f"{NAME}: {item.name}: {item.kind}{', ' if counts else ''}{', '.join(counts)}{digest}")


def print_summary(analysis: Analysis, zone: Zone | None, *, err: bool = False) -> None:
    """Print the summary on standard output, or on standard error where an output takes the former; then the problems.

    Each problem is said once in one place: where summary and messages meet, only those that the summary leaves out.
    """
    if voice().quiet:
        say_problems(analysis.problems)
        return
    from reports import terminal

    together = err or (is_terminal(sys.stdout) and is_terminal(sys.stderr))
    print_on(lambda console: terminal.print_summary(analysis, console, zone), err=err)
    say_problems(analysis.problems, told=terminal.MOST_PROBLEMS if together else 0)


def print_on(show: Callable[[Console], None], *, err: bool) -> None:
    """Let ``show`` print on standard output, or on standard error."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would end the whole program, and lead standard output nowhere

    with standard_error() if err else standard_output():
        show(Plain(stderr=err, highlight=False))


def print_review(review: Review, *, err: bool = False) -> None:
    """Print a comparison, as :func:`_print_summary` prints an analysis."""
    if voice().quiet:
        say_problems(review.problems)
        return
    from reports import reviewterminal

    together = err or (is_terminal(sys.stdout) and is_terminal(sys.stderr))
    print_on(lambda console: reviewterminal.print_review(review, console), err=err)
    say_problems(review.problems, told=reviewterminal.MOST_PROBLEMS if together else 0)


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a person may be looking at a stream."""
    return stream is not None and stream.isatty()


def progress_shown() -> Progress | Narrator | None:
    """Return what shows progress on standard error; None where no person is looking at it."""
    if voice().verbose:
        return Narrator(say)
    if voice().quiet or not is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        return None
    from reports.text import neutral

    return Progress(sys.stderr, neutral)


def shown(progress: Progress | Narrator | None, words: str) -> contextlib.AbstractContextManager[None]:
    """Show inside a ``with`` block what goes on."""
    return contextlib.nullcontext() if progress is None else progress.shown(words)
