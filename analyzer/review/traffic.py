"""Recorded traffic: logs and net events read and made ready for the engine, as :mod:`analyzer.pipeline` does it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import (
    addressing,
    attribution,
    evidence,
    flows,
    markers,
    netjoin,
    overlap,
    processes,
    services,
    states,
    watch,
)
from analyzer.applied import APPLICATION_EVENT
from analyzer.case import open_case
from analyzer.hosts import first_label, hosts_by_session
from analyzer.markers import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from analyzer.model import InputFile, Problem
    from analyzer.readers.wfpstate import WfpState
    from analyzer.services import Known

    Progress = Callable[[str, int, int], None]

ROLE: Final = "traffic"
NO_PACKET: Final = "events that name a program and no packet"
NO_LAYER: Final = "events that name no layer"
OTHER_COMPUTER: Final = "events of another computer than the states"
# Kinds of no use here: states and rules are those of the sides.
_UNREAD: Final = frozenset({"rules", "audit-policy"})


@dataclass(frozen=True, slots=True)
class Traffic:
    """Events (n rows, with ``flow``) that a replay is about.

    ``left_out`` counts the others by reason; ``computers`` are those of ``events``.
    """

    events: pd.DataFrame
    known: Known
    left_out: dict[str, int]
    inputs: tuple[InputFile, ...]
    problems: tuple[Problem, ...]
    computers: tuple[str, ...]


def read(
    paths: Sequence[Path], before: tuple[str, WfpState] | None, folder: Path, progress: Progress | None = None
) -> Traffic:
    """Read the traffic.

    Parameters
    ----------
    paths : files, folders, archives.
    before : name and state of the side before: its connections tell addresses of the computer.

    Raises
    ------
    analyzer.case.InputError
        A path does not exist or can't be opened.
    """
    case = open_case(paths, progress, folder)
    problems = list(case.problems)
    described, given = evidence.read([f for f in case.files if f.kind not in _UNREAD], problems, folder, progress)
    by_name = {item.name: item for item in described}
    inputs = [replace(by_name[file.name], sha256=file.hash(problems)) for file in case.files if file.name in by_name]
    tables, shared = overlap.unite(given.logs)
    problems.extend(shared)
    book = states.bind([*([] if before is None else [before]), *given.states])
    marks = markers.find(tables)
    seen = watch.watched([log for _, log in given.logs])
    ordered = tables["wfp"].sort_values(["time", "input", "offset"], kind="stable", ignore_index=True)
    own = hosts_by_session(book, ordered, seen)
    audit = addressing.orient(ordered, own_addresses=own, layer_names=book.layer_names())
    joined = netjoin.join(audit, given.netevents, book.layer_names())
    problems.extend(joined.problems)
    known = services.known(given.services, joined.events["computer"].cat.categories)
    problems.extend(known.problems)
    whole = processes.kept([log for _, log in given.logs])
    events = attribution.attribute(joined.events, tables["process"], marks, whole, known).copy(deep=False)
    events["service_port"] = flows.service_port(events)
    events["flow"] = flows.group_numbers(events, flows.FLOW_KEYS)
    kept, left_out = _wanted(events)
    return Traffic(
        kept,
        known,
        left_out,
        tuple(replace(item, name=f"{ROLE}/{item.name}") for item in inputs),
        tuple(replace(item, input=f"{ROLE}/{item.input}" if item.input else ROLE) for item in problems),
        tuple(str(name) for name in kept["computer"].dropna().unique()),
    )


def _wanted(events: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave out what tells of no packet, connection or socket."""
    program = (events["event_id"] == APPLICATION_EVENT).fillna(value=False).to_numpy(dtype=bool)
    nowhere = events["layer"].isna().to_numpy(dtype=bool) & ~program
    counts = {NO_PACKET: int(program.sum()), NO_LAYER: int(nowhere.sum())}
    return _kept(events, ~(program | nowhere)), {why: count for why, count in counts.items() if count}


def of_computer(traffic: Traffic, computer: str | None) -> Traffic:
    """Keep the events of one computer (names are compared without domain); all where none is named."""
    if computer is None:
        return traffic
    categories = [str(name) for name in traffic.events["computer"].cat.categories]
    wanted = first_label(computer)
    # An event without a computer's name may be of any: it stays.
    table = np.array([*(first_label(name) == wanted for name in categories), True], dtype=bool)
    mine = table[traffic.events["computer"].cat.codes.to_numpy()]
    if mine.all():
        return traffic
    events = _kept(traffic.events, mine)
    left_out = traffic.left_out | {OTHER_COMPUTER: int((~mine).sum())}
    names = tuple(name for name in traffic.computers if first_label(name) == wanted)
    return replace(traffic, events=events, left_out=left_out, computers=names)


def _kept(events: pd.DataFrame, mine: np.ndarray) -> pd.DataFrame:
    return events if mine.all() else events[mine].reset_index(drop=True)


def span(traffic: Traffic) -> tuple[int, int] | None:
    """Return the first and the last time of the events in nanoseconds, None where there is none."""
    times = nanoseconds(traffic.events["time"])
    times = times[times != markers.NO_TIME]
    return (int(times.min()), int(times.max())) if len(times) else None
