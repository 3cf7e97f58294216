"""``propose``: allow rules for what was blocked."""

# ruff: noqa: PLC0415 - help can't wait for pages and pandas

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from analyzer.command_help import PROPOSE_EXAMPLES
from analyzer.commands import speech
from analyzer.options import PATH, shared
from analyzer.output import STDOUT, check_standard_output
from analyzer.run import Run, nothing_usable
from analyzer.selection_options import NarrowCommand, narrow, parse

if TYPE_CHECKING:
    from pathlib import Path


@click.command(cls=NarrowCommand, epilog=PROPOSE_EXAMPLES)
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
    progress = speech.progress_shown()
    analysis, _ = speech.analyze(run, nothing_usable, progress)
    from reports.proposaljson import of, proposal_json, proposal_script
    from reports.proposalterminal import print_proposal

    made = ((output, proposal_script), (json_, proposal_json))
    texts = [[render(analysis)] for target, render in made if target is not None]
    taken = STDOUT in targets
    speech.print_on(lambda console: print_proposal(of(analysis), console), err=taken)
    speech.say_problems([problem for problem in analysis.problems if problem.severity != "note"])
    code = speech.finish(run, analysis, texts, progress)
    speech.say_written(targets, err=taken)
    return code
