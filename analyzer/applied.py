"""States applied to the events that they may speak for, ready for the engine.

Each event of a computer goes to one state: of those that belong to the computer (or may: a state that nothing ties to
it is used and marked), the fitting ones first, then the one nearest in time. A state that is known not to belong is
never used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import cells
from analyzer.checks import in_between, rows_by_id
from analyzer.engine import folding, recorded
from analyzer.engine.arbitrate import BLOCK, PERMIT, Told
from analyzer.folding import number
from analyzer.markers import nanoseconds
from analyzer.services import Known
from analyzer.states import policy_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Policy
    from analyzer.markers import Markers
    from analyzer.pairing import Fit
    from analyzer.states import Book, Snapshot
    from analyzer.watch import Watched

APPLICATION_EVENT: Final = 5031  # tells of a program, not of a packet: it has no layer


@dataclass(frozen=True, slots=True)
class Case:
    """What applying needs of a case; ``policies`` keeps the states that were compiled, by name."""

    events: pd.DataFrame  # resolved, with flows and attempts
    book: Book
    fits: tuple[Fit, ...]
    markers: Markers
    watch: Mapping[str | None, Watched]
    known: Known = field(default_factory=Known)
    policies: dict[str, Policy] = field(default_factory=dict)

    def policy(self, snapshot: Snapshot) -> Policy:
        """Return a state's filters, ready for the engine."""
        found = self.policies.get(snapshot.name)
        if found is None:
            found = self.policies[snapshot.name] = policy_of(self.book, snapshot)
        return found


@dataclass(frozen=True, slots=True)
class Applied:
    """One state, and the events (k) of one computer that go to it; equal flows with equal records once (m).

    ``rows`` intp (k,) are positions of the events; ``between`` int64 (k,) the :class:`analyzer.checks.Check` bits of
    what lies between each and the state; ``place`` intp (k,) leads to ``flows`` (m). Per flow, shape (m,): ``told`` is
    the filter of the state that the record names and its action, ``named`` whether the record names a filter at all.
    """

    computer: str | None
    snapshot: Snapshot
    fit: Fit
    policy: Policy
    rows: NDArray[np.intp]
    between: NDArray[np.int64]
    place: NDArray[np.intp]
    flows: FlowArrays
    told: Told
    named: NDArray[np.bool_]


def apply(case: Case, *, blocked_only: bool = False) -> list[Applied]:
    """Apply the states of a case to its events; nothing for events that no state may speak for."""
    events, out = case.events, []
    if events.empty or not case.fits:
        return []
    wanted = (events["event_id"] != APPLICATION_EVENT).to_numpy(dtype=bool)
    if blocked_only:
        wanted = wanted & (events["action"] != "permit").to_numpy(dtype=bool)
    hosts = events["computer"].cat.codes.to_numpy()
    times = nanoseconds(events["time"])
    for code in np.unique(hosts[wanted]):
        rows = np.flatnonzero((hosts == code) & wanted)
        computer = None if code < 0 else str(events["computer"].cat.categories[code])
        usable = states_of(case, computer)
        if not usable:
            continue
        chosen = nearest(usable, times[rows])
        for place, (snapshot, fit) in enumerate(usable):
            own = rows[chosen == place]
            if len(own):
                out.append(apply_one(case, computer, snapshot, fit, own))
    return out


def states_of(case: Case, computer: str | None) -> list[tuple[Snapshot, Fit]]:
    """Return the states that may speak for a computer: those that fit, or where none does those that may."""
    found = [
        (snapshot, fit)
        for snapshot in case.book.snapshots
        for fit in case.fits
        if fit.pairing.state == snapshot.name and fit.pairing.computer == computer and not fit.excluded
    ]
    sure = [item for item in found if item[1].pairing.fits == "yes"]
    return sure or found


def nearest(usable: Sequence[tuple[Snapshot, Fit]], times: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return for each time the place of the state that is nearest; those without a time come last."""
    far = np.iinfo(np.int64).max
    taken = [cells.moment(snapshot.time) for snapshot, _ in usable]
    away = [np.full(len(times), far) if at is None else np.abs(times // 2 - at // 2) for at in taken]
    out: NDArray[np.intp] = np.argmin(np.array(away), axis=0)
    return out


def apply_one(case: Case, computer: str | None, snapshot: Snapshot, fit: Fit, rows: NDArray[np.intp]) -> Applied:
    """Apply one state to the events of one computer at ``rows`` (k,)."""
    events = case.events if len(rows) == len(case.events) else case.events.iloc[rows]
    every = recorded.from_events(events, account=case.known.process_account)
    distinct, where = folding.distinct(every)
    numbers = events["filter_rtid"].to_numpy(dtype="uint64", na_value=0)
    ids, codes = np.unique(numbers, return_inverse=True)
    permitted = (events["action"] == "permit").to_numpy(dtype=bool)
    columns = [(where.astype(np.int64), len(distinct)), (codes.astype(np.int64), len(ids)), (permitted * 1, 2)]
    place = number(columns, len(rows)).astype(np.intp)
    first = np.unique(place, return_index=True)[1]
    table = rows_by_id(case.book, snapshot)
    row = np.array([table.get(int(item), -1) if item else -1 for item in ids], dtype=np.int64)[codes[first]]
    action = np.where(permitted[first], PERMIT, BLOCK).astype(np.int8)
    taken = cells.moment(snapshot.time)
    between = np.zeros(len(rows), dtype=np.int64)
    if taken is not None:
        times = nanoseconds(events["time"])
        between = in_between(times, taken, case.markers, computer, case.watch.get(computer))
    return Applied(
        computer=computer,
        snapshot=snapshot,
        fit=fit,
        policy=case.policy(snapshot),
        rows=rows,
        between=between,
        place=place,
        flows=distinct.take(where[first]),
        told=Told(row, action),
        named=numbers[first] != 0,
    )
