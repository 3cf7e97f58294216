"""The whole way on one page: what was handed over, read, joined, judged, diagnosed, summed up."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING

from analyzer import (
    addressing,
    attribution,
    cells,
    contract,
    coverage,
    diagnose,
    flows,
    markers,
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
from analyzer.readers.evtx import read_evtx
from analyzer.readers.wfpstate import read_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from analyzer.case import CaseFile
    from analyzer.readers.evtx import EvtxLog
    from analyzer.readers.wfpstate import WfpState

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
    case = open_case(paths, _saying("checking", progress))
    problems = list(case.problems)
    inputs, logs, dumps = _read(case.files, problems, _saying("reading", progress))
    if progress is not None:
        progress("joining events to filters", 0, 0)

    tables, shared = overlap.unite(logs)
    problems.extend(shared)
    book = states.bind(dumps)
    marks = markers.find(tables)
    seen = watch.watched([log for _, log in logs])
    ordered = _in_time_order(tables["wfp"])
    events = addressing.orient(
        ordered, own_addresses=hosts_by_session(book, ordered, seen), layer_names=book.layer_names()
    )
    events = attribution.attribute(events, tables["process"], marks)
    joined = resolve.resolve(events, tables, book, marks, seen)
    events = flows.add(joined.events)

    found = diagnose.run(diagnose.Context(events, book, joined.fits, marks, joined.changes, seen))
    covered = coverage.cover(events, logs, book, joined.fits, marks)
    problems.extend(coverage.notes(logs, book, events))
    inputs = [replace(item, sha256=file.hash(problems)) for item, file in zip(inputs, case.files, strict=True)]
    return Analysis(
        tool={"name": DISTRIBUTION, "version": metadata.version(DISTRIBUTION)},
        command=tuple(command),
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


def _read(
    files: Sequence[CaseFile], problems: list[Problem], progress: Progress | None
) -> tuple[list[InputFile], list[tuple[str, EvtxLog]], list[tuple[str, WfpState]]]:
    """Read every file that a reader exists for; describe all."""
    inputs: list[InputFile] = []
    logs: list[tuple[str, EvtxLog]] = []
    dumps: list[tuple[str, WfpState]] = []
    for file in files:
        log: EvtxLog | None = None
        dump: WfpState | None = None
        if file.readable:
            try:
                if file.kind == "evtx":
                    log = read_evtx(file.path, file.name, _step(file.name, progress))
                    logs.append((file.name, log))
                    problems.extend(log.problems)
                else:
                    if progress is not None:
                        progress(file.name, 0, 0)
                    dump = read_state(file.path, file.name)
                    dumps.append((file.name, dump))
                    problems.extend(dump.problems)
            except OSError as error:
                problems.append(Problem(file.name, None, "lost", f"could not be read: {error.strerror or 'I/O error'}"))
        inputs.append(_describe(file, log, dump))
    return inputs, logs, dumps


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


def _step(name: str, progress: Progress | None) -> Callable[[int, int], None] | None:
    """Bind an input's name to the caller's progress function."""
    if progress is None:
        return None
    return lambda done, total: progress(name, done, total)


def _describe(file: CaseFile, log: EvtxLog | None, dump: WfpState | None) -> InputFile:
    """Return the contract's description of one input."""
    wfp = None if log is None else len(log.tables["wfp"])
    return InputFile(
        name=file.name,
        kind=file.kind,
        bytes=file.bytes,
        sha256=file.sha256,
        modified=file.modified,
        computer=", ".join(log.computers) or None if log is not None else None,
        first=cells.when(log.first) if log is not None else cells.when(dump.time) if dump is not None else None,
        last=cells.when(log.last) if log is not None else cells.when(dump.time) if dump is not None else None,
        records=log.records if log is not None else len(dump.filters) if dump is not None else None,
        events=wfp,
    )
