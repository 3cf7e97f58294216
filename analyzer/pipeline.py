"""The whole way on one page: what was handed over, read, joined, judged, diagnosed, summed up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING

from analyzer import (
    addressing,
    archive,
    attribution,
    auditsettings,
    contract,
    coverage,
    diagnose,
    endpoints,
    evidence,
    flows,
    history,
    history_filters,
    markers,
    netjoin,
    overlap,
    processes,
    recording,
    resolve,
    rulebook,
    rulecite,
    selection_apply,
    services,
    states,
    summary,
    unpaired,
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
    from analyzer.selection import Selection

    Progress = Callable[[str, int, int], None]

DISTRIBUTION = "wfp-analyzer"


def analyze(
    paths: Sequence[Path],
    *,
    command: Sequence[str] = (),
    progress: Progress | None = None,
    selection: Selection | None = None,
) -> Analysis:
    """Analyze logs and states.

    Parameters
    ----------
    paths : files and folders, in any mix; each file is told by its content.
    command : the arguments to record in the result.
    progress : called with what goes on (``reading security.evtx``), the bytes that are done of it, and all its bytes;
        0 and 0 where there are none to count.
    selection : which events verdicts, findings, counts and exports are about (:func:`analyzer.selection.parse`). Judged
        is on all of them, and coverage speaks of all of them.

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
        return _judge(_Case(case.files, inputs, given, problems, tuple(command), selection))


@dataclass(frozen=True, slots=True)
class _Case:
    """What was handed over, read."""

    files: Sequence[CaseFile]
    inputs: list[InputFile]
    given: Evidence
    problems: list[Problem]
    command: tuple[str, ...]
    selection: Selection | None


def _judge(case: _Case) -> Analysis:
    """Join, judge, diagnose, sum up."""
    given, problems = case.given, case.problems
    logs = given.logs
    tables, shared = overlap.unite(logs)
    problems.extend(shared)
    book = states.bind(given.states, given.netevents)
    marks = markers.find(tables)
    seen = watch.watched([log for _, log in logs])
    ordered = _in_time_order(tables["wfp"])
    audit = addressing.orient(
        ordered, own_addresses=hosts_by_session(book, ordered, seen), layer_names=book.layer_names()
    )
    joined = netjoin.join(audit, given.netevents, book.layer_names())
    problems.extend(joined.problems)
    seen = watch.with_rings(seen, joined.spans)
    known = services.known(given.services, joined.events["computer"].cat.categories)
    problems.extend(known.problems)
    kept = processes.kept([log for _, log in logs])
    events = attribution.attribute(joined.events, tables["process"], marks, kept, known)
    past = history.recall(tables, seen, [log for _, log in logs])
    resolved = resolve.resolve(events, tables, book, marks, seen, past)
    book = resolved.book
    if past is not None:
        problems.extend(history_filters.problems(past.lifetimes))
    everything = flows.add(attribution.remark(resolved.events))
    events, selected = selection_apply.apply(case.selection, everything, given.states)

    hosts = recording.computers(logs, everything)
    policy = auditsettings.policies(given.policies, hosts)
    recorded = recording.assess(recording.Given(logs, tables, everything, seen, book, resolved.fits), policy)
    rules, untold = rulebook.bind(given.rules, logs, tables, hosts)
    problems.extend(untold)
    found = diagnose.run(
        diagnose.Context(
            events,
            book,
            resolved.fits,
            marks,
            resolved.changes,
            seen,
            known=known,
            rules=rules,
            rule_changes=tables["rule_change"],
            recording=recorded,
        )
    )
    findings = tuple(item.finding for item in found.found)
    covered = coverage.cover(everything, logs, book, resolved.fits, marks, policy, recorded)
    problems.extend(coverage.notes(logs, book, everything))
    problems.extend(unpaired.notes(resolved.fits))
    inputs = [replace(item, sha256=file.hash(problems)) for item, file in zip(case.inputs, case.files, strict=True)]
    folded = verdicts.verdicts(events, book, diagnose.by_verdict(found))
    rule_case = rulecite.Case(rules, book, resolved.fits, tables["rule_change"])
    cited = rulecite.cited(rule_case, folded, summary.cited(events, book, found.cited, known.names), findings)
    return Analysis(
        tool={"name": DISTRIBUTION, "version": metadata.version(DISTRIBUTION)},
        command=case.command,
        inputs=tuple(inputs),
        problems=tuple(problems),
        coverage=covered,
        verdicts=folded,
        findings=cited.findings,
        answer=summary.answer(events, wording.trust(events, covered, problems, selected), selected),
        timeline=summary.timeline(events),
        programs=summary.programs(events),
        cited=cited.filters,
        rules=cited.rules,
        endpoints=endpoints.connections(book, resolved.fits),
        selection=selected,
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
