"""What one side of a comparison is: a state, a ``show filters`` file, a rule store, a ticket, or an archive of these.

Of several states the latest is used. Logs are not read here: traffic is a matter of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from analyzer import cells, evidence, frames, rulestore, states
from analyzer.case import open_case
from analyzer.hosts import session_hosts
from analyzer.model import InputFile, Problem
from analyzer.review import defaults
from analyzer.review.identity import items
from analyzer.review.leftout import Dump
from analyzer.reviewmodel import DefaultSetting, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from analyzer.case import CaseFile
    from analyzer.readers.rules import RuleExport
    from analyzer.readers.wfpstate import WfpState
    from analyzer.states import Book

    Progress = Callable[[str, int, int], None]

Role: TypeAlias = Literal["before", "after"]
READ: Final = frozenset({"wfpstate", "filters", "wfpdiag", "cab", "rules"})
_LATEST: Final = "holds {} states: the latest, {}, was compared"


class SideError(Exception):
    """A side can't be used as it was given: a mistake of usage."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of one side. ``filters`` are compared; ``book`` has them as rows, for whoever replays traffic."""

    name: str
    state: WfpState
    book: Book
    dump: Dump
    defaults: defaults.Defaults
    whole: bool


@dataclass(frozen=True, slots=True)
class Store:
    """The exported rules of one side, united."""

    rules: pd.DataFrame
    profiles: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Given:
    """One side, read. ``inputs`` and ``problems`` name files with the side's role before them."""

    role: Role
    inputs: tuple[InputFile, ...]
    problems: tuple[Problem, ...]
    snapshot: Snapshot | None
    store: Store | None
    computer: str | None

    @property
    def usable(self) -> bool:
        """Tell whether there is anything to compare."""
        return self.snapshot is not None or self.store is not None

    def told(self) -> Side:
        """Return what the result says of this side."""
        snapshot = self.snapshot
        found = () if snapshot is None else tuple(sorted(snapshot.defaults.by_profile.items()))
        return Side(
            role=self.role,
            state=None if snapshot is None else snapshot.name,
            state_kind=None if snapshot is None else snapshot.state.kind,
            state_time=None if snapshot is None else cells.when(snapshot.state.time),
            filters=0 if snapshot is None else len(snapshot.dump.items),
            computer=self.computer,
            profiles_in_force=() if snapshot is None else tuple(sorted(snapshot.defaults.in_force)),
            defaults=tuple(
                DefaultSetting(direction, profile, action, "state") for (direction, profile), action in found
            ),
            rules=None if self.store is None else len(self.store.rules),
        )


def read(role: Role, path: Path, folder: Path, progress: Progress | None = None) -> Given:
    """Read one side.

    Parameters
    ----------
    role : which side it is; it is put before the names of its files.
    path : a file, a folder or a zip archive.
    folder : where to unpack archives to.
    progress : called with what goes on, the bytes that are done of it, and all its bytes.

    Raises
    ------
    analyzer.case.InputError
        The path does not exist or can't be opened.
    SideError
        It holds states of several computers.
    """
    case = open_case([path], progress, folder)
    problems = list(case.problems)
    described, given = evidence.read([f for f in case.files if f.kind in READ], problems, folder, progress)
    by_name = {item.name: item for item in described}
    inputs = [by_name.get(file.name) or _unread(file) for file in case.files]
    inputs = [replace(item, sha256=file.hash(problems)) for item, file in zip(inputs, case.files, strict=True)]
    snapshot, hosts = _chosen(role, given.states, problems)
    store = _store(given.rules, problems)
    return Given(
        role,
        tuple(replace(item, name=f"{role}/{item.name}") for item in inputs),
        tuple(replace(item, input=f"{role}/{item.input}" if item.input else role) for item in problems),
        snapshot,
        store,
        hosts[0] if len(hosts) == 1 else None,
    )


def _unread(file: CaseFile) -> InputFile:
    return InputFile(file.name, file.kind, file.bytes, file.sha256, file.modified)


def _chosen(
    role: Role, given: Sequence[tuple[str, WfpState]], problems: list[Problem]
) -> tuple[Snapshot | None, tuple[str, ...]]:
    """Return the state to compare and the host that its sessions name."""
    found = []
    for name, state in given:
        if state.kind == "unknown" or state.filters.empty:
            continue
        book = states.bind([(name, state)])
        found.append((name, state, book, frozenset(session_hosts(book.snapshots[0]))))
    if not found:
        return None, ()
    named = [hosts for *_, hosts in found if hosts]
    if named and not frozenset.intersection(*named):
        names = ", ".join(sorted(frozenset.union(*named)))
        raise SideError(f"{role.upper()} holds states of several computers ({names}): name one of them")
    found.sort(key=lambda entry: (entry[1].time is not None, cells.moment(entry[1].time) or 0))
    name, state, book, hosts = found[-1]
    if len(found) > 1:
        problems.append(Problem(None, None, "note", _LATEST.format(len(found), name)))
    return _snapshot(name, state, book), tuple(sorted(hosts))


def snapshot(name: str, state: WfpState) -> Snapshot:
    """Make one state ready to be compared."""
    return _snapshot(name, state, states.bind([(name, state)]))


def _snapshot(name: str, state: WfpState, book: Book) -> Snapshot:
    dump = Dump(tuple(items(state, book)), _listed(state), state.kind == "filters")
    whole = book.snapshots[0].whole
    return Snapshot(name, state, book, dump, defaults.found(dump.items, dump.listed), whole)


def _listed(state: WfpState) -> frozenset[str]:
    """Return the layers that a dump holds: those that it lists, and those that its filters name."""
    names: Iterable[object] = [*state.layers["layer"].tolist(), *state.filters["layer"].tolist()]
    return frozenset(cells.text(name) or "" for name in names)


def _store(exports: Sequence[RuleExport], problems: list[Problem]) -> Store | None:
    """Unite the exports of one side; None where there is no rule and no profile."""
    if not exports:
        return None
    rules, lost = rulestore.join(
        frames.concat([item.rules for item in exports], frames.RULES),
        frames.concat([item.parts for item in exports], frames.RULE_PARTS),
    )
    problems.extend(lost)
    profiles = frames.concat([item.profiles for item in exports], frames.FIREWALL_PROFILES)
    return None if rules.empty and profiles.empty else Store(rules.reset_index(drop=True), profiles)
