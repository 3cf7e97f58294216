"""``diff``: two sides compared, for a change review."""

# ruff: noqa: PLC0415 - help can't wait for pages and pandas

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from analyzer.command_help import DIFF_EXAMPLES
from analyzer.commands import speech
from analyzer.options import FAIL_ON, PATH, shared
from analyzer.output import STDOUT, check_standard_output

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog=DIFF_EXAMPLES)
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
    progress = speech.progress_shown()
    with speech.shown(progress, "comparing"):
        review = run.compare(None if progress is None else progress.step)
    from reports.reviewhtml import render_review
    from reports.reviewjson import review_json

    made = ((output, render_review), (json_, review_json))
    texts = [[render(review)] for target, render in made if target is not None]
    taken = STDOUT in targets
    if not taken:
        speech.print_review(review)
    code = run.finish(review, texts)
    if taken:
        speech.print_review(review, err=True)
    speech.say_written(targets, err=taken)
    for said in reviewrun.failures(review, fail_on):
        speech.say(f"{speech.NAME}: --fail-on {said}")
    return code
