"""The nearest allow rules of an exported store: rules that name the blocked traffic and made no filter.

A state holds only what is plumbed for the profiles in force (REFERENCE 12), so what a rule lacks by its profile, or
since it is disabled, shows in a rule store alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import applied, cells, rulebook
from analyzer.diagnose.rule_fit import BLOCKED, fitting
from analyzer.hosts import first_label
from analyzer.model.engine import Missing, Nearest

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.applied import Case
    from analyzer.rulebook import Rulebook, Store
    from analyzer.states import Snapshot

MOST: Final = 2  # rules of one flow
# Reasons (`analyzer.wfp.rules.Reason`) that say nothing about this block.
_SILENT: Final = frozenset({"plumbed", "permitting-default"})
_PROFILE: Final = "ORIGINAL_PROFILE_ID"


def of_verdicts(case: Case, rules: Rulebook, changes: pd.DataFrame) -> dict[int, tuple[Nearest, ...]]:
    """Return verdict number -> allow rules that name this traffic and have no filter, with the reason.

    ``changes`` is the table ``rule_change``.
    """
    events, out = case.events, {}
    blocked = events["kind"].isin(list(BLOCKED)).to_numpy(dtype=bool)
    hosts = events["computer"].cat.codes.to_numpy()
    for code in np.unique(hosts[blocked]):
        computer = None if code < 0 else str(events["computer"].cat.categories[code])
        store = rules.of(computer)
        if store is not None and not store.rules.empty:
            part = events[blocked & (hosts == code)].drop_duplicates(subset=["verdict"])
            usable = [snapshot for snapshot, _ in applied.states_of(case, computer)]
            out.update(_of_host(part, store, case, changes, usable[-1] if usable else None, computer))
    return out


def _of_host(
    part: pd.DataFrame,
    store: Store,
    case: Case,
    changes: pd.DataFrame,
    snapshot: Snapshot | None,
    computer: str | None,
) -> dict[int, tuple[Nearest, ...]]:
    found: dict[int, list[int]] = {}
    for row, indexes in sorted(fitting(store, part).items()):
        for verdict in part.loc[indexes, "verdict"].tolist():
            found.setdefault(int(verdict), []).append(row)
    wanted = sorted({row for rows in found.values() for row in rows})
    if not wanted:
        return {}
    now = rulebook.situation(store, case.book, snapshot, changes, first_label(computer))
    told = rulebook.in_state(store, wanted, case.book, snapshot, now)
    reasons = {
        row: (str(reason), str(why)) for row, reason, why in zip(wanted, told["reason"], told["why"], strict=True)
    }
    lines = {row: _line(store.rules.iloc[row], *reasons[row]) for row in wanted if reasons[row][0] not in _SILENT}
    return {
        verdict: tuple(lines[row] for row in rows if row in lines)[:MOST]
        for verdict, rows in found.items()
        if any(row in lines for row in rows)
    }


def _line(rule: pd.Series, reason: str, why: str) -> Nearest:
    profiles = rule["profiles"]
    lacking: tuple[Missing, ...] = ()
    if reason == "other-profile" and isinstance(profiles, tuple):
        wanted = f"the {' or '.join(profiles)} profile"
        lacking = (Missing(_PROFILE, wanted, None, why),)
    return Nearest(
        name=cells.text(rule["name"]),
        rule_id=cells.text(rule["rule_id"]),
        source="rules",
        state=None,
        filter_ids=(),
        missing=lacking,
        undecided=(),
        words=f"this rule names the program or service, but made no filter: {why}",
    )
