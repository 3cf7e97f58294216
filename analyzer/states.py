"""All states of a case as one set of frames, with the filters classified.

Filters of several states stand in one frame; ``input`` tells them apart and a filter is named by its row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analyzer import cells, frames, history_filters
from analyzer.classify import classify
from analyzer.engine.conditions import Test, tests_by_filter
from analyzer.engine.policy import compile_policy
from analyzer.model import Callout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.engine.policy import Policy
    from analyzer.readers.netevents import NetEvents
    from analyzer.readers.wfpstate import WfpState


@dataclass(frozen=True, slots=True)
class Capture:
    """The net events that one file holds beside a state: first and last in ns; ``steady``: it tells of no change."""

    first: int
    last: int
    steady: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state: when it was taken and which rows of the book's frame are its filters."""

    name: str
    kind: str  # wfpstate, filters
    time: pd.Timestamp | None
    rows: range
    sessions: pd.DataFrame
    endpoints: pd.DataFrame
    callouts: pd.DataFrame
    sids: frozenset[str]  # S-1-5-21 SIDs that its sessions and conditions name
    layer_names: dict[int, str]
    has_origins: bool
    whole: bool  # nothing of it was lost in reading
    captured: Capture | None = None  # where it is part of a capture
    capture: bool = False  # it is the state of a capture, whose net events may be missing

    @property
    def taken(self) -> int | None:
        """Return when it was taken, in ns; a capture begins with its state, so that its first net event tells it."""
        told = cells.moment(self.time)
        return self.captured.first if told is None and self.captured is not None else told


@dataclass(frozen=True, slots=True)
class Book:
    """All states. ``filters`` has FILTERS plus ``kind, kind_evidence, why, rule_id, rule_maker``.

    After the rows of the states there may stand filters that only the log's own history knows (:func:`remember`).
    """

    snapshots: tuple[Snapshot, ...]
    filters: pd.DataFrame
    tests: dict[int, tuple[Test, ...]]
    conditions: pd.DataFrame

    def callout(self, row: int) -> Callout | None:
        """Return the callout that a filter hands the decision to, with its name where the filter's state lists it."""
        key = cells.text(self.filters["callout_key"].iloc[row])
        if key is None:
            return None
        for snapshot in self.snapshots:
            if row in snapshot.rows:
                same = snapshot.callouts["name"][snapshot.callouts["callout"] == key].dropna()
                return Callout(key, str(same.iloc[0]) if len(same) else None)
        return Callout(key, None)

    def layer_names(self) -> dict[int, str]:
        """Return layer ids that all states name alike; those of different builds may disagree and are left out."""
        seen: dict[int, set[str]] = {}
        for snapshot in self.snapshots:
            for number, name in snapshot.layer_names.items():
                seen.setdefault(number, set()).add(name)
        return {number: next(iter(names)) for number, names in seen.items() if len(names) == 1}


def _account_sids(state: WfpState) -> frozenset[str]:
    """Return the SIDs of accounts (``S-1-5-21-…``) that a state names."""
    texts = [sid for sid in state.sessions["sid"] if isinstance(sid, str)]
    user = state.conditions[state.conditions["field"] == "ALE_USER_ID"]
    for value in user["text"].dropna().unique():
        texts.extend(part.split(";")[-1] for part in str(value).split(")"))
    return frozenset(item for item in texts if item.startswith("S-1-5-21-"))


def bind(states: Sequence[tuple[str, WfpState]], netevents: Sequence[tuple[str, NetEvents]] = ()) -> Book:
    """Stack the states' frames and classify every filter; ``netevents`` of the same file make it a capture."""
    captures = dict(netevents)
    filter_frames, condition_frames, snapshots = [], [], []
    start = 0
    for name, state in states:
        filter_frames.append(state.filters)
        shifted = state.conditions.copy()
        shifted["filter_row"] = shifted["filter_row"] + start
        condition_frames.append(shifted)
        known = state.layers.dropna(subset=["layer_id"])
        snapshots.append(
            Snapshot(
                name=name,
                kind=state.kind,
                time=state.time,
                rows=range(start, start + len(state.filters)),
                sessions=state.sessions,
                endpoints=state.endpoints,
                callouts=state.callouts,
                sids=_account_sids(state),
                layer_names={int(i): str(n) for i, n in zip(known["layer_id"], known["layer"], strict=True)},
                has_origins=bool(state.filters["origin"].notna().any()),
                whole=all(problem.severity != "lost" for problem in state.problems),
                captured=_capture(captures.get(name)),
                capture=state.capture,
            )
        )
        start += len(state.filters)
    filters = frames.concat(filter_frames, frames.FILTERS)
    conditions = frames.concat(condition_frames, frames.CONDITIONS)
    tests = tests_by_filter(conditions)
    providers = frames.concat([state.providers for _, state in states], frames.PROVIDERS)
    sublayers = frames.concat([state.sublayers for _, state in states], frames.SUBLAYERS)
    classes = classify(filters, tests, providers, sublayers)
    return Book(tuple(snapshots), pd.concat([filters, classes], axis=1), tests, conditions)


def policy_of(book: Book, snapshot: Snapshot) -> Policy:
    """Compile the filters of one state for the engine; only ``show state`` lists all of them (REFERENCE 8)."""
    complete = snapshot.kind == "wfpstate"
    return compile_policy(book.filters, book.tests, rows=snapshot.rows, callouts=snapshot.callouts, complete=complete)


def _capture(netevents: NetEvents | None) -> Capture | None:
    if netevents is None:
        return None
    first, last = cells.moment(netevents.first), cells.moment(netevents.last)
    return None if first is None or last is None else Capture(first, last, steady=not netevents.filter_changes)


def remember(book: Book, lifetimes: pd.DataFrame, wanted: NDArray[np.int64]) -> tuple[Book, NDArray[np.int64]]:
    """Add filters of the history to the book.

    Parameters
    ----------
    lifetimes : a LIFETIMES frame.
    wanted : its rows that are to be added, each once.

    Returns
    -------
    The new book, and for each lifetime the row of its filter in there (-1: not added).
    """
    row_of = np.full(len(lifetimes), -1, np.int64)
    if not len(wanted):
        return book, row_of
    start = len(book.filters)
    row_of[wanted] = np.arange(start, start + len(wanted))
    part = lifetimes.iloc[wanted].reset_index(drop=True)
    filters, conditions = history_filters.rows(part)
    classes = history_filters.classified(filters, conditions, part["provider_name"])
    added = pd.concat([filters, classes], axis=1)
    together = pd.concat([book.filters, added], ignore_index=True) if start else added
    conditions["filter_row"] = conditions["filter_row"] + start
    tests = book.tests | tests_by_filter(conditions)
    known = frames.concat([book.conditions, conditions], frames.CONDITIONS)
    return Book(book.snapshots, together, tests, known), row_of
