"""The whole way on one page: what was handed over, read, joined, judged, diagnosed, summed up."""

from __future__ import annotations

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
    frames,
    markers,
    resolve,
    states,
    summary,
    watch,
    wording,
)
from analyzer.case import open_case
from analyzer.hosts import hosts_by_session
from analyzer.model import Analysis, InputFile, Problem
from analyzer.readers.evtx import read_evtx
from analyzer.readers.wfpstate import read_state
from analyzer.wfp import events as wfp_events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from analyzer.case import CaseFile
    from analyzer.readers.evtx import EvtxLog
    from analyzer.readers.wfpstate import WfpState

DISTRIBUTION = "wfp-analyzer"


def analyze(
    paths: Sequence[Path],
    *,
    command: Sequence[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Analysis:
    """Analyze logs and states.

    Parameters
    ----------
    paths : files and folders, in any mix; each file is told by its content.
    command : the arguments to record in the result.
    progress : called with an input's name, the bytes of it that are done, and its size.

    Raises
    ------
    analyzer.case.InputError
        A named path does not exist or can't be opened. Whatever else is wrong becomes a problem in the result.
    """
    case = open_case(paths, progress)
    problems = list(case.problems)
    inputs, logs, dumps = _read(case.files, problems, progress)

    tables = {
        table: frames.concat([log.tables[table] for _, log in logs], frames.EVENT_SCHEMAS[table])
        for table in wfp_events.TABLES
    }
    book = states.bind(dumps)
    marks = markers.find(tables)
    seen = watch.watched([log for _, log in logs])
    ordered = tables["wfp"].sort_values(["time", "input", "offset"], kind="stable", ignore_index=True)
    events = addressing.orient(
        ordered, own_addresses=hosts_by_session(book, ordered, seen), layer_names=book.layer_names()
    )
    events = attribution.attribute(events, tables["process"], marks)
    joined = resolve.resolve(events, tables, book, marks, seen)
    events = flows.add(joined.events)

    found = diagnose.run(diagnose.Context(events, book, joined.fits, marks, joined.changes, seen))
    covered = coverage.cover(events, logs, book, joined.fits, marks)
    problems.extend(coverage.notes(logs, book, events))
    return Analysis(
        tool={"name": DISTRIBUTION, "version": metadata.version(DISTRIBUTION)},
        command=tuple(command),
        inputs=tuple(inputs),
        problems=tuple(problems),
        coverage=covered,
        verdicts=summary.verdicts(events, book, diagnose.by_verdict(found)),
        findings=tuple(item.finding for item in found.found),
        answer=summary.answer(events, wording.trust(events, covered, problems)),
        timeline=summary.timeline(events),
        programs=summary.programs(events),
        cited=summary.cited(events, book, found.cited),
        events=contract.event_frame(events),
        filters=contract.filter_frame(book),
    )


def _read(
    files: Sequence[CaseFile], problems: list[Problem], progress: Callable[[str, int, int], None] | None
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
                    dump = read_state(file.path, file.name)
                    dumps.append((file.name, dump))
                    problems.extend(dump.problems)
            except OSError as error:
                problems.append(Problem(file.name, None, "lost", f"could not be read: {error.strerror or 'I/O error'}"))
        inputs.append(_describe(file, log, dump))
    return inputs, logs, dumps


def _step(name: str, progress: Callable[[str, int, int], None] | None) -> Callable[[int, int], None] | None:
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
