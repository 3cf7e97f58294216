"""One run of a command: check what may be written, analyze, decide by the contract of exit codes, write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from analyzer.case import InputError
from analyzer.output import OutputError, check_outputs, write_outputs
from analyzer.question_error import QuestionError
from analyzer.rule_error import RuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from analyzer.model import Analysis, Problem
    from analyzer.propose.propose import Wanted
    from analyzer.question import Question
    from analyzer.redaction import Choice, Key
    from analyzer.selection import Selection

_NAMES_SHOWN: Final = 5
EVENTS: Final = frozenset({"evtx", "eventxml", "eventjson", "netevents", "wfpdiag", "cab"})  # kinds that hold events


class Exit(IntEnum):
    """What the exit code of a run says."""

    DONE = 0
    USAGE = 2
    LOST = 3
    NOTHING_USABLE = 4
    FAILED_ON = 10
    INTERNAL_ERROR = 70
    INTERRUPTED = 130
    TERMINATED = 143


class RefusedError(Exception):
    """A run ends early, with nothing written: its exit code, one sentence, and the problems that were met."""

    def __init__(self, code: Exit, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Run:
    """The arguments that all commands share, and the steps."""

    command: tuple[str, ...]
    inputs: tuple[Path, ...]
    targets: tuple[Path, ...]
    force: bool
    strict: bool
    selection: Selection | None = None
    choice: Choice | None = None  # what is redacted; None for nothing
    question: Question | None = None  # what is explained
    wanted: Wanted | None = None  # what is proposed

    def analyze(
        self, unusable: Callable[[Analysis], str | None], progress: Callable[[str, int, int], None] | None = None
    ) -> tuple[Analysis, Key | None]:
        """Check the outputs, then analyze; ``unusable`` tells why a result is of no use to the command.

        Returned is the key of the redaction, too, where there is one.

        Raises
        ------
        RefusedError
            An input can't be opened, an output may not be written, nothing is usable, or ``strict`` and a loss.
        """
        try:
            check_outputs(self.targets, self.inputs, force=self.force)
            analysis, key = self._analyzed(progress)
        except QuestionError as error:
            raise RefusedError(Exit.USAGE if error.usable else Exit.NOTHING_USABLE, str(error)) from error
        except RuleError as error:
            raise RefusedError(Exit.USAGE, f"--what-if: {error}") from error
        except (InputError, OutputError) as error:
            raise RefusedError(Exit.USAGE, str(error)) from error
        if (reason := unusable(analysis)) is not None:
            raise RefusedError(Exit.NOTHING_USABLE, f"{reason}: nothing was written", analysis.problems)
        if self.strict and _lost(analysis):
            raise RefusedError(Exit.LOST, "something was lost (--strict): nothing was written", analysis.problems)
        return analysis, key

    def _analyzed(self, progress: Callable[[str, int, int], None] | None) -> tuple[Analysis, Key | None]:
        from analyzer import pipeline  # noqa: PLC0415 - pandas takes half a second: not before the checks

        if self.choice is None:
            return pipeline.analyze(
                self.inputs,
                command=self.command,
                progress=progress,
                selection=self.selection,
                question=self.question,
                wanted=self.wanted,
            ), None
        return pipeline.analyze_redacted(
            self.inputs,
            self.choice,
            outputs=self.targets,
            command=self.command,
            progress=progress,
            selection=self.selection,
            question=self.question,
        )

    def finish(self, analysis: Analysis, texts: Sequence[Iterable[str | bytes]]) -> Exit:
        """Write one output per target and tell the exit code.

        Raises
        ------
        RefusedError
            An output could not be written.
        """
        try:
            write_outputs(list(zip(self.targets, texts, strict=True)))
        except OutputError as error:
            raise RefusedError(Exit.USAGE, str(error)) from error
        return Exit.LOST if _lost(analysis) else Exit.DONE


def _lost(analysis: Analysis) -> bool:
    return any(problem.severity == "lost" for problem in analysis.problems)


def nothing_usable(analysis: Analysis) -> str | None:
    """Tell why there is nothing to report: no log with records and no filters; None where there is something."""
    if any(item.kind in EVENTS and item.records for item in analysis.inputs) or no_filters(analysis) is None:
        return None
    return f"nothing usable: no event log with records, no net events and no WFP filters in {_files(analysis)}"


def no_filters(analysis: Analysis) -> str | None:
    """Tell why there are no filters to list; None where there are."""
    if analysis.filters is not None and len(analysis.filters):
        return None
    return f"nothing usable: no WFP filters in {_files(analysis)}"


def _files(analysis: Analysis) -> str:
    names = [item.name for item in analysis.inputs]
    if not names:
        return "a folder without files"
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
