"""What a run of ``propose`` asks for: its rules are read before anything else, so that a mistake is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.output import check_outputs
from analyzer.propose.propose import Wanted
from analyzer.propose.reading import RuleFileError, read
from analyzer.run import Exit, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def wanted(merge: frozenset[str], what_if: Path | None, targets: Sequence[Path], *, force: bool) -> Wanted:
    """Return what is asked for; the file of rules is an input, and none of ``targets`` may replace it.

    Raises
    ------
    RefusedError
        The file of rules can't be used.
    analyzer.output.OutputError
        An output may not be written.
    """
    if what_if is None:
        return Wanted(merge)
    check_outputs(targets, (what_if,), force=force)
    try:
        return Wanted(given=read(what_if), source=what_if.name)
    except RuleFileError as error:
        raise RefusedError(Exit.USAGE, f"--what-if: {error}") from error
