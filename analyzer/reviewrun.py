"""One run of ``diff``: check what may be written, compare, decide by the contract of exit codes, write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.case import InputError
from analyzer.output import OutputError, check_outputs, write_outputs
from analyzer.run import Exit, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from analyzer.reviewmodel import Review


@dataclass(frozen=True, slots=True)
class DiffRun:
    """The arguments of the command, and the steps."""

    command: tuple[str, ...]
    before: Path
    after: Path
    targets: tuple[Path, ...]
    force: bool
    strict: bool
    traffic: tuple[Path, ...] = ()
    fail_on: tuple[str, ...] = ()

    def compare(self, progress: Callable[[str, int, int], None] | None = None) -> Review:
        """Check the outputs, then compare.

        Raises
        ------
        RefusedError
            A side can't be opened or is of several computers, an output may not be written, a side holds nothing that
            can be compared, or ``strict`` and a loss.
        """
        try:
            check_outputs(self.targets, (self.before, self.after, *self.traffic), force=self.force)
            from analyzer.review import compare, sides  # noqa: PLC0415 - pandas takes half a second: not before the checks
        except (InputError, OutputError) as error:
            raise RefusedError(Exit.USAGE, str(error)) from error
        try:
            review, _ = compare.compare(
                self.before, self.after, traffic=self.traffic, command=self.command, progress=progress
            )
        except (InputError, sides.SideError) as error:
            raise RefusedError(Exit.USAGE, str(error)) from error
        if (reason := nothing_to_compare(review)) is not None:
            raise RefusedError(Exit.NOTHING_USABLE, f"{reason}: nothing was written", review.problems)
        if self.strict and _lost(review):
            raise RefusedError(Exit.LOST, "something was lost (--strict): nothing was written", review.problems)
        return review

    def finish(self, review: Review, texts: Sequence[Iterable[str]]) -> Exit:
        """Write one text per output and tell the exit code; a condition of ``fail_on`` goes before a loss.

        Raises
        ------
        RefusedError
            An output could not be written.
        """
        try:
            write_outputs(list(zip(self.targets, texts, strict=True)))
        except OutputError as error:
            raise RefusedError(Exit.USAGE, str(error)) from error
        if failures(review, self.fail_on):
            return Exit.FAILED_ON
        return Exit.LOST if _lost(review) else Exit.DONE


def failures(review: Review, fail_on: Sequence[str]) -> tuple[str, ...]:
    """Return the conditions that hold, each in a sentence.

    ``newly-blocked``, ``newly-allowed`` and ``cannot-tell`` are about recorded flows; where none was replayed they are
    about the exposure, so that a pipeline without traffic stops rather too often than too seldom.
    """
    return tuple(said for word in dict.fromkeys(fail_on) if (said := _failure(review, word)) is not None)


def _failure(review: Review, word: str) -> str | None:
    boxes = [item for item in review.exposure if word in (item.what, "exposure")]
    if word != "exposure" and review.replay is not None and review.replay.flows:
        number = getattr(review.replay, word.replace("-", "_"))
        return f"{word}: {number:,} of {review.replay.flows:,} recorded flows" if number else None
    if any(side.state is None for side in review.sides):
        return f"{word}: not known without a state on both sides"
    return f"{word}: {len(boxes):,} kind{'' if len(boxes) == 1 else 's'} of packets" if boxes else None


def nothing_to_compare(review: Review) -> str | None:
    """Tell why there is nothing to compare; None where both sides hold a state, or both hold rules."""
    before, after = review.sides
    if (before.state is not None and after.state is not None) or (before.rules is not None and after.rules is not None):
        return None
    for side in (before, after):
        if side.state is None and side.rules is None:
            return f"{side.role.upper()} holds neither WFP filters nor exported rules"
    return "one side holds a state and no exported rules, the other exported rules and no state"


def _lost(review: Review) -> bool:
    return any(problem.severity == "lost" for problem in review.problems)
