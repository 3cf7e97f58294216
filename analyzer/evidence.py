"""All that was handed over, read: one reader per kind of file, and what each input turned out to be.

A reader is imported when the first file of its kind is read: most cases have two kinds of eleven.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from analyzer import cells
from analyzer.model import InputFile, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from analyzer.case import CaseFile
    from analyzer.identify import FileKind
    from analyzer.readers.evtx import EvtxLog
    from analyzer.readers.netevents import NetEvents
    from analyzer.readers.rules import RuleExport
    from analyzer.readers.wfpstate import WfpState

    Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Evidence:
    """What the readers gave, each with the name of its input, in the order of the inputs."""

    logs: list[tuple[str, EvtxLog]] = field(default_factory=list)
    states: list[tuple[str, WfpState]] = field(default_factory=list)
    netevents: list[tuple[str, NetEvents]] = field(default_factory=list)
    services: list[pd.DataFrame] = field(default_factory=list)  # of frames.SERVICES
    policies: list[pd.DataFrame] = field(default_factory=list)  # of frames.AUDIT_POLICY
    rules: list[RuleExport] = field(default_factory=list)


class _Facts(NamedTuple):
    """What an input is said to hold. Times are RFC 3339 text."""

    computer: str | None = None
    first: str | None = None
    last: str | None = None
    records: int | None = None
    events: int | None = None


def read(
    files: Sequence[CaseFile], problems: list[Problem], folder: Path, progress: Progress | None
) -> tuple[list[InputFile], Evidence]:
    """Read every file that a reader exists for; describe all.

    ``folder`` takes what has to be unpacked to be read; ``progress`` is told names, bytes done, and all bytes.
    """
    work = _Reading(Evidence(), problems, folder, progress)
    return [work.file(item) for item in files], work.evidence


@dataclass(slots=True)
class _Reading:
    """What goes along through the files."""

    evidence: Evidence
    problems: list[Problem]
    folder: Path
    progress: Progress | None

    def file(self, file: CaseFile) -> InputFile:
        """Read one file, and describe it."""
        facts = _Facts()
        if file.readable:
            try:
                facts = _READERS[file.kind](self, file)
            except OSError as error:
                what = f"could not be read: {error.strerror or 'I/O error'}"
                self.problems.append(Problem(file.name, None, "lost", what))
        return InputFile(file.name, file.kind, file.bytes, file.sha256, file.modified, *facts)

    def _log(self, file: CaseFile, reader: Callable[[Path, str, Callable[[int, int], None] | None], EvtxLog]) -> _Facts:
        progress = self.progress
        step = None if progress is None else lambda done, total: progress(file.name, done, total)
        log = reader(file.path, file.name, step)
        self.evidence.logs.append((file.name, log))
        self.problems.extend(log.problems)
        computers = ", ".join(log.computers) or None
        events = len(log.tables["wfp"])
        return _Facts(computers, cells.when(log.first), cells.when(log.last), log.records, events)

    def evtx(self, file: CaseFile) -> _Facts:
        from analyzer.readers.evtx import read_evtx

        return self._log(file, read_evtx)

    def event_xml(self, file: CaseFile) -> _Facts:
        from analyzer.readers.eventxml import read_event_xml

        return self._log(file, read_event_xml)

    def event_json(self, file: CaseFile) -> _Facts:
        from analyzer.readers.eventjson import read_event_json

        return self._log(file, read_event_json)

    def _state(self, path: Path, name: str) -> _Facts:
        from analyzer.readers.wfpstate import read_state

        self._told(name)
        state = read_state(path, name)
        self.evidence.states.append((name, state))
        self.problems.extend(state.problems)
        return _Facts(first=cells.when(state.time), last=cells.when(state.time), records=len(state.filters))

    def state(self, file: CaseFile) -> _Facts:
        return self._state(file.path, file.name)

    def netevents(self, file: CaseFile) -> _Facts:
        from analyzer.readers.netevents import read_netevents

        self._told(file.name)
        found = read_netevents(file.path, file.name)
        self.evidence.netevents.append((file.name, found))
        self.problems.extend(found.problems)
        decided = int(found.events["decision"].notna().sum())
        return _Facts(None, cells.when(found.first), cells.when(found.last), len(found.events), decided)

    def capture(self, file: CaseFile) -> _Facts:
        """Read net events and state of a ``wfpdiag.xml``."""
        facts = self.netevents(file)
        self._state(file.path, file.name)
        return facts

    def cabinet(self, file: CaseFile) -> _Facts:
        """Read net events and state of a ``wfpdiag.cab``; the state has to be unpacked."""
        from analyzer.readers.netevents import unpack_state

        facts = self.netevents(file)
        handle, path = tempfile.mkstemp(dir=self.folder, suffix=".xml")
        with os.fdopen(handle, "wb") as target:
            found = unpack_state(file.path, target)
        if found:
            self._state(Path(path), file.name)
        return facts

    def services(self, file: CaseFile) -> _Facts:
        from analyzer.readers.services import read_services

        self._told(file.name)
        found = read_services(file.path, file.name)
        self.evidence.services.append(found.services)
        self.problems.extend(found.problems)
        return _Facts(records=len(found.services))

    def policy(self, file: CaseFile) -> _Facts:
        from analyzer.readers.auditpol import read_audit_policy

        self._told(file.name)
        found = read_audit_policy(file.path, file.name)
        self.evidence.policies.append(found.policy)
        self.problems.extend(found.problems)
        return _Facts(records=len(found.policy))

    def rules(self, file: CaseFile) -> _Facts:
        from analyzer.readers.rules import read_rules

        self._told(file.name)
        found = read_rules(file.path, file.name)
        self.evidence.rules.append(found)
        self.problems.extend(found.problems)
        return _Facts(records=len(found.rules))

    def _told(self, name: str) -> None:
        if self.progress is not None:
            self.progress(name, 0, 0)


_READERS: dict[FileKind, Callable[[_Reading, CaseFile], _Facts]] = {
    "evtx": _Reading.evtx,
    "eventxml": _Reading.event_xml,
    "eventjson": _Reading.event_json,
    "wfpstate": _Reading.state,
    "filters": _Reading.state,
    "netevents": _Reading.netevents,
    "wfpdiag": _Reading.capture,
    "cab": _Reading.cabinet,
    "services": _Reading.services,
    "audit-policy": _Reading.policy,
    "rules": _Reading.rules,
}
