"""What records tell of a state's filters: a column of events, where the named filter is tied to the state.

The filter that a record names is the state's own only where the match is as good as the grade ``snapshot``: the same
id, layer, action and conditions, a state that fits, and nothing in between. The log's own history names a filter too,
but not those that stood before it, so it ties nothing here; a run-time id alone never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer import checks
from analyzer.engine import endings, folding, recorded
from analyzer.engine.answers import CANNOT_TELL
from analyzer.engine.arbitrate import BLOCK, PERMIT, decide_and_stand
from analyzer.states import policy_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.applied import Case
    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Policy
    from analyzer.review.sides import Snapshot


@dataclass(frozen=True, slots=True)
class _Named:
    """Distinct records (m): the flow, the tied filter's row (-1: none), and what was recorded of it."""

    flows: FlowArrays
    row: NDArray[np.int64]
    action: NDArray[np.int8]


def with_endings(events: pd.DataFrame, side: Snapshot, case: Case, computer: str | None) -> pd.DataFrame:
    """Return the events of one computer with the column ``ending``: what each tells of the filters of ``side``.

    Parameters
    ----------
    events : judged (:func:`analyzer.resolve.resolve`), n rows.
    case : of the same events: its book is the one that ``state`` and ``filter_row`` point into.
    """
    flows = recorded.from_events(events, account=case.known.process_account)
    row = _tied(events, flows, side, case, computer)
    action = np.where((events["action"] == "permit").to_numpy(dtype=bool), PERMIT, BLOCK).astype(np.int8)
    distinct, where = folding.distinct(flows)
    keys = np.stack([where.astype(np.int64), row, action.astype(np.int64)])
    _, first, place = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    policy = policy_of(side.book, side.book.snapshots[0])
    found = _endings(policy, _Named(distinct.take(where[first]), row[first], action[first]))
    told = np.empty(len(events), dtype=object)
    for at, one in enumerate(place.reshape(-1).tolist()):
        told[at] = found[one]
    return events.assign(**{endings.COLUMN: told})


def _endings(policy: Policy, named: _Named) -> list[endings.Ending | None]:
    """Return what each record tells; nothing where the state itself says that it can't be so."""
    decided, stands = decide_and_stand(policy, named.flows, named.row)
    agrees = (decided.decision == CANNOT_TELL) | (decided.decision == named.action)
    good = stands.candidate & stands.may_decide & agrees & ~decided.left_out
    made = {
        pair: endings.ending(policy, *pair)
        for pair in set(zip(named.row[good].tolist(), named.action[good].tolist(), strict=True))
    }
    pairs = zip(named.row.tolist(), named.action.tolist(), good.tolist(), strict=True)
    return [made[row, action] if fine else None for row, action, fine in pairs]


def _tied(
    events: pd.DataFrame, flows: FlowArrays, side: Snapshot, case: Case, computer: str | None
) -> NDArray[np.int64]:
    """Return the row of each event's filter in ``side``, -1 where none is tied to it; shape (n,)."""
    none = np.full(len(events), -1, dtype=np.int64)
    names = [snapshot.name for snapshot in case.book.snapshots]
    fits = {fit.pairing.state for fit in case.fits if fit.pairing.computer == computer and fit.pairing.fits == "yes"}
    if side.name not in fits:
        return none
    own = side.book.snapshots[0]
    watched = case.watch.get(computer)
    checked = checks.check(events, flows, side.book, own, case.markers, computer, watched)
    sure = (checked.bits & int(checks.CONTRADICTS | checks.UNCHECKED)) == 0
    judged = (events["filter_row"].to_numpy() >= 0) & (events["state"].to_numpy() == names.index(side.name))
    tied = (checked.row >= 0) & sure & judged & ~_disputed(events, case, fits)
    return np.where(tied, checked.row, none)


def _disputed(events: pd.DataFrame, case: Case, fits: set[str]) -> NDArray[np.bool_]:
    """Tell which events name an id that another fitting state holds for a filter of another key."""
    numbers = events["filter_rtid"].to_numpy(dtype="uint64", na_value=0)
    own = case.book.filters["filter_key"].to_numpy(dtype=object)
    keys: dict[int, set[object]] = {}
    for snapshot in case.book.snapshots:
        if snapshot.name in fits:
            for number, row in checks.rows_by_id(case.book, snapshot).items():
                keys.setdefault(number, set()).add(own[row])
    out: NDArray[np.bool_] = np.isin(numbers, [number for number, found in keys.items() if len(found) > 1])
    return out
