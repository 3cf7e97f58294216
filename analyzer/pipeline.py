"""The whole way on one page: what was handed over, read, joined, judged, diagnosed, summed up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING

from analyzer import (
    addressing,
    archive,
    attribution,
    contract,
    coverage,
    diagnose,
    evidence,
    flows,
    history,
    history_filters,
    markers,
    netjoin,
    overlap,
    resolve,
    states,
    summary,
    verdicts,
    watch,
    wording,
)
from analyzer.case import open_case
from analyzer.hosts import hosts_by_session
from analyzer.markers import NO_TIME, nanoseconds
from analyzer.model import Analysis, InputFile, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from analyzer.case import CaseFile
    from analyzer.evidence import Evidence

    Progress = Callable[[str, int, int], None]

DISTRIBUTION = "wfp-analyzer"


def analyze(
    paths: Sequence[Path],
    *,
    command: Sequence[str] = (),
    progress: Progress | None = None,
) -> Analysis:
    """Analyze logs and states.

    Parameters
    ----------
    paths : files and folders, in any mix; each file is told by its content.
    command : the arguments to record in the result.
    progress : called with what goes on (``reading security.evtx``), the bytes that are done of it, and all its bytes;
        0 and 0 where there are none to count.

    Raises
    ------
    analyzer.case.InputError
        A named path does not exist or can't be opened. Whatever else is wrong becomes a problem in the result.
    """
    with archive.workspace() as folder:
        case = open_case(paths, _saying("checking", progress), folder)
        problems = list(case.problems)
        inputs, given = evidence.read(case.files, problems, folder, _saying("reading", progress))
        if progress is not None:
            progress("joining events to filters", 0, 0)
        return _judge(_Case(case.files, inputs, given, problems, tuple(command)))


@dataclass(frozen=True, slots=True)
class _Case:
    """What was handed over, read."""

    files: Sequence[CaseFile]
    inputs: list[InputFile]
    given: Evidence
    problems: list[Problem]
    command: tuple[str, ...]


def _judge(case: _Case) -> Analysis:
    """Join, judge, diagnose, sum up."""
    given, problems = case.given, case.problems
    logs = given.logs
    tables, shared = overlap.unite(logs)
    problems.extend(shared)
    book = states.bind(given.states)
    marks = markers.find(tables)
    seen = watch.watched([log for _, log in logs])
    ordered = _in_time_order(tables["wfp"])
    audit = addressing.orient(
        ordered, own_addresses=hosts_by_session(book, ordered, seen), layer_names=book.layer_names()
    )
    joined = netjoin.join(audit, given.netevents, book.layer_names())
    problems.extend(joined.problems)
    seen = watch.with_rings(seen, joined.spans)
    events = attribution.attribute(joined.events, tables["process"], marks)
    past = history.recall(tables, seen, [log for _, log in logs])
    resolved = resolve.resolve(events, tables, book, marks, seen, past)
    book = resolved.book
    if past is not None:
        problems.extend(history_filters.problems(past.lifetimes))
    events = flows.add(resolved.events)

    found = diagnose.run(diagnose.Context(events, book, resolved.fits, marks, resolved.changes, seen))
    covered = coverage.cover(events, logs, book, resolved.fits, marks)
    problems.extend(coverage.notes(logs, book, events))
    inputs = [replace(item, sha256=file.hash(problems)) for item, file in zip(case.inputs, case.files, strict=True)]
    return Analysis(
        tool={"name": DISTRIBUTION, "version": metadata.version(DISTRIBUTION)},
        command=case.command,
        inputs=tuple(inputs),
        problems=tuple(problems),
        coverage=covered,
        verdicts=verdicts.verdicts(events, book, diagnose.by_verdict(found)),
        findings=tuple(item.finding for item in found.found),
        answer=summary.answer(events, wording.trust(events, covered, problems)),
        timeline=summary.timeline(events),
        programs=summary.programs(events),
        cited=summary.cited(events, book, found.cited),
        events=contract.event_frame(events),
        filters=contract.filter_frame(book),
    )


def _saying(verb: str, progress: Progress | None) -> Progress | None:
    """Put a verb before the names that are told."""
    if progress is None:
        return None
    return lambda name, done, total: progress(f"{verb} {name}", done, total)


def _in_time_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort by time, input and place in it. Most logs are in order, and sorting a wide frame copies all of it."""
    times, places = nanoseconds(frame["time"]), frame["offset"].to_numpy()
    inputs = frame["input"].cat.codes.to_numpy()
    later = (times[1:] > times[:-1]) | ((inputs[1:] == inputs[:-1]) & (places[1:] >= places[:-1]))
    if ((times[1:] >= times[:-1]) & later).all() and not (times == NO_TIME).any():
        return frame.reset_index(drop=True)
    return frame.sort_values(["time", "input", "offset"], kind="stable", ignore_index=True)
