"""The whole way on one page: what was handed over, read, joined, judged, diagnosed, summed up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING

import pandas as pd

from analyzer import (
    addressing,
    agreement,
    applied,
    archive,
    attribution,
    auditsettings,
    contract,
    coverage,
    diagnose,
    endpoints,
    evidence,
    explain,
    flows,
    history,
    history_filters,
    markers,
    nearest,
    nearest_rules,
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
from analyzer.propose import propose
from analyzer.propose.wanted import Ground

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from analyzer.case import CaseFile
    from analyzer.evidence import Evidence
    from analyzer.question import Question
    from analyzer.redaction import Choice, Key
    from analyzer.selection import Selection

    Progress = Callable[[str, int, int], None]

DISTRIBUTION = "wfp-analyzer"


def analyze(
    paths: Sequence[Path],
    *,
    command: Sequence[str] = (),
    progress: Progress | None = None,
    selection: Selection | None = None,
    question: Question | None = None,
    wanted: propose.Wanted | None = None,
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
    question : what is to be explained beside it (:func:`analyzer.question.parse`).
    wanted : what rules are to be proposed or tried for the blocked flows of the selection.

    Raises
    ------
    analyzer.case.InputError
        A named path does not exist or can't be opened. Whatever else is wrong becomes a problem in the result.
    analyzer.question.QuestionError
        The question has no answer in the inputs.
    """
    with archive.workspace() as folder, same_texts():
        case = _read(paths, folder, tuple(command), progress, selection)
        return _judge(replace(case, question=question, wanted=wanted))


def analyze_redacted(
    paths: Sequence[Path],
    choice: Choice,
    *,
    outputs: Sequence[Path] = (),
    command: Sequence[str] = (),
    progress: Progress | None = None,
    selection: Selection | None = None,
    question: Question | None = None,
) -> tuple[Analysis, Key]:
    """Analyze as :func:`analyze` does, and put labels in place of what tells persons and machines.

    ``outputs`` are where results go: their folders are left out of the recorded command. Returned are the result, and
    which label stands for what.
    """
    from analyzer import redaction  # noqa: PLC0415 - nothing of it where it is not asked for

    with archive.workspace() as folder, same_texts():
        case = _read(paths, folder, tuple(command), progress, selection)
        analysis = _judge(replace(case, question=question))
        if progress is not None:
            progress("redacting", 0, 0)
        return redaction.redact(analysis, case.given, choice, (*paths, *outputs))


def same_texts() -> AbstractContextManager[None]:
    """Let pandas hold texts in one way, whether pyarrow is installed or not: as Python's own, which is quicker here."""
    return pd.option_context("mode.string_storage", "python")


def _read(
    paths: Sequence[Path],
    folder: Path,
    command: tuple[str, ...],
    progress: Progress | None,
    selection: Selection | None,
) -> _Case:
    case = open_case(paths, _saying("checking", progress), folder)
    problems = list(case.problems)
    inputs, given = evidence.read(case.files, problems, folder, _saying("reading", progress))
    if progress is not None:
        progress("joining events to filters", 0, 0)
    return _Case(case.files, inputs, given, problems, command, selection)


@dataclass(frozen=True, slots=True)
class _Case:
    """What was handed over, read."""

    files: Sequence[CaseFile]
    inputs: list[InputFile]
    given: Evidence
    problems: list[Problem]
    command: tuple[str, ...]
    selection: Selection | None
    question: Question | None = None
    wanted: propose.Wanted | None = None


def _judge(case: _Case) -> Analysis:
    """Join, judge, diagnose, sum up."""
    given, problems = case.given, case.problems
    logs, alone = given.logs, [log for _, log in given.logs]
    tables, shared = overlap.unite(logs)
    problems.extend(shared)
    book = states.bind(given.states, given.netevents)
    marks = markers.find(tables)
    seen = watch.watched(alone)
    ordered = _in_time_order(tables["wfp"])
    audit = addressing.orient(
        ordered, own_addresses=hosts_by_session(book, ordered, seen), layer_names=book.layer_names()
    )
    joined = netjoin.join(audit, given.netevents, book.layer_names())
    problems.extend(joined.problems)
    seen = watch.with_rings(seen, joined.spans)
    known = services.known(given.services, joined.events["computer"].cat.categories)
    problems.extend(known.problems)
    events = attribution.attribute(joined.events, tables["process"], marks, processes.kept(alone), known)
    past = history.recall(tables, seen, alone)
    resolved = resolve.resolve(events, tables, book, marks, seen, past, known.process_account)
    book = resolved.book
    if past is not None:
        problems.extend(history_filters.problems(past.lifetimes))
    everything = flows.add(attribution.remark(resolved.events))
    applicable = applied.Case(everything, book, resolved.fits, marks, seen, known)
    compared = agreement.compare(applicable)
    explanations = () if case.question is None else explain.explain(case.question, applicable)
    if compared.doubts:
        everything = flows.add(agreement.lower(everything, [item.name for item in book.snapshots], compared.doubts))
        resolved = replace(resolved, fits=agreement.doubtful_fits(resolved.fits, compared.doubts))
        problems.extend(agreement.problems(compared.doubts))
    events, selected = selection_apply.apply(case.selection, everything, given.states)

    hosts = recording.computers(logs, everything)
    policy = auditsettings.policies(given.policies, hosts)
    recorded = recording.assess(recording.Given(logs, tables, everything, seen, book, resolved.fits), policy)
    rules, untold = rulebook.bind(given.rules, logs, tables, hosts)
    problems.extend(untold)
    blocked = replace(applicable, events=events, fits=resolved.fits)
    near = nearest.merged(
        nearest.of_verdicts(blocked), nearest_rules.of_verdicts(blocked, rules, tables["rule_change"])
    )
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
            agreement=compared.agreement,
            nearest=near,
            past=past,
        )
    )
    findings = tuple(item.finding for item in found.found)
    covered = coverage.cover(everything, logs, book, resolved.fits, marks, policy, recorded)
    problems.extend(coverage.notes(logs, book, everything))
    problems.extend(unpaired.notes(resolved.fits))
    inputs = [replace(item, sha256=file.hash(problems)) for item, file in zip(case.inputs, case.files, strict=True)]
    folded = verdicts.verdicts(events, book, diagnose.by_verdict(found), near)
    tool = {"name": DISTRIBUTION, "version": metadata.version(DISTRIBUTION)}
    ground = Ground(events, everything, findings, diagnose.by_verdict(found), near)
    told = propose.Told(tool, case.command, tuple(inputs), tuple(problems))
    proposal = propose.propose(case.wanted, ground, blocked, given.states, told)
    rule_case = rulecite.Case(rules, book, resolved.fits, tables["rule_change"])
    cited = rulecite.cited(rule_case, folded, summary.cited(events, book, found.cited, known.names), findings)
    return Analysis(
        tool=tool,
        command=case.command,
        inputs=tuple(inputs),
        problems=tuple(problems),
        coverage=covered,
        verdicts=folded,
        findings=cited.findings,
        answer=summary.answer(
            events,
            wording.trust(events, covered, problems, compared.doubts, selected),
            selected,
            wording.others(tables),
        ),
        timeline=summary.timeline(events),
        programs=summary.programs(events),
        services=summary.services(events),
        cited=evidence.with_xml(case.files, cited.filters),
        agreement=compared.agreement,
        explanations=explanations,
        proposal=proposal,
        service_rules=found.services,
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
