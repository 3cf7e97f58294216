"""``explain``: one decision, sublayer by sublayer."""

# ruff: noqa: PLC0415 - help can't wait for pages and pandas

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from analyzer import explain_command
from analyzer.command_help import EXPLAIN_EXAMPLES
from analyzer.commands import speech
from analyzer.commands.hiding import key_texts, redaction_of
from analyzer.options import PATH, shared
from analyzer.output import STDOUT, check_standard_output
from analyzer.redaction_options import redaction
from analyzer.run import Run

if TYPE_CHECKING:
    from pathlib import Path


@click.command(cls=explain_command.ExplainCommand, epilog=EXPLAIN_EXAMPLES)
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
    choice, redaction_key = redaction_of(others)
    question = explain_command.question(others)
    targets = tuple(target for target in (output, json_, redaction_key) if target is not None)
    check_standard_output()
    run = Run(context.obj or (), inputs, targets, force, strict, None, choice, question)
    progress = speech.progress_shown()
    analysis, key = speech.analyze(run, explain_command.unexplained, progress)
    from reports import explanation
    from reports.document import explanation_json

    made = ((output, explanation.render_html), (json_, explanation_json))
    texts = [[render(analysis)] for target, render in made if target is not None] + key_texts(key, redaction_key)
    taken = STDOUT in targets
    speech.print_on(lambda console: explanation.print_explanations(analysis, console), err=taken)
    speech.say_problems([problem for problem in analysis.problems if problem.severity != "note"])
    code = speech.finish(run, analysis, texts, progress)
    speech.say_written(targets, err=taken, short=choice is not None)
    return code
