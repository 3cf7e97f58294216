"""What the allow filters are to each group of blocked svchost flows: one pass over all groups per filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.diagnose import service_text
from analyzer.engine import conditions as engine
from analyzer.shapes import PACKAGE_SIDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.diagnose.near_miss import Candidate
    from analyzer.folding import Groups
    from analyzer.states import Book

    Flags = NDArray[np.bool_]

NOTES: Final = 3  # of other filters, per group


@dataclass(frozen=True, slots=True)
class Near:
    """Of one group: what :class:`analyzer.diagnose.service_outcome.FlowEvidence` asks, and near misses in words."""

    permits: dict[str, tuple[int, ...]]
    unchecked: frozenset[str]
    rivals: tuple[int, ...]
    failing: tuple[str, ...]


def by_group(found: Sequence[Candidate], split: Groups, book: Book) -> list[Near]:
    """Return what is near each group.

    Parameters
    ----------
    found : allow filters against ``n`` flows.
    split : the groups of these flows; all flows of a group have the same filters for services near.
    """
    permits: list[dict[str, list[int]]] = [{} for _ in range(split.size)]
    checked: list[set[str]] = [set() for _ in range(split.size)]
    rivals: list[list[int]] = [[] for _ in range(split.size)]
    for candidate in found:
        if candidate.services:
            whole = split.least(candidate.checked)
            for group in np.flatnonzero(candidate.near[split.first]).tolist():
                for sid in candidate.services:
                    permits[group].setdefault(sid, []).append(candidate.row)
                if whole[group]:
                    checked[group].update(candidate.services)
        for group in _rivalled(candidate, split):
            rivals[group].append(candidate.row)
    failing = _failing(found, split, book)
    return [
        Near(
            {sid: tuple(rows) for sid, rows in permits[group].items()},
            frozenset(permits[group].keys() - checked[group]),
            tuple(rivals[group]),
            tuple(failing[group]),
        )
        for group in range(split.size)
    ]


def _rivalled(candidate: Candidate, split: Groups) -> list[int]:
    """Return the groups that an allow filter should have let pass with a user's or a service account's token.

    A descriptor that names app packages is for app containers, which svchost is not.
    """
    packages = any(sid.startswith(PACKAGE_SIDS) for sid in candidate.accounts)
    if candidate.has_user and (packages or not candidate.accounts):
        return []
    # What is known of the token may rule a descriptor out: then the filter is for others.
    flags: Flags = candidate.checked & (candidate.user != engine.NO) if candidate.has_user else candidate.full
    return np.flatnonzero(split.most(flags)).tolist() if flags.any() else []


def _failing(found: Sequence[Candidate], split: Groups, book: Book) -> list[dict[str, None]]:
    """Name for each group the conditions that keep the nearest other allow filters from matching."""
    notes: list[dict[str, None]] = [{} for _ in range(split.size)]
    for candidate in found:
        program = candidate.by_field.get("ALE_APP_ID")
        if program is None and not candidate.services:
            continue  # says nothing about svchost or a service, so it is no near miss
        far = split.most(candidate.stronger) & ~split.most(candidate.near)
        if program is not None:
            # A filter of another program is no near miss; nor is one of a service that fails in its program.
            far &= split.least(program == engine.YES) if not candidate.services else ~split.least(program == engine.NO)
        if not far.any():
            continue
        wrong = {name: split.least(answer == engine.NO) for name, answer in candidate.by_field.items()}
        far &= sum(flags.astype(np.int64) for flags in wrong.values()) == 1 if wrong else False
        texts: dict[str, str] = {}
        for group in np.flatnonzero(far).tolist():
            if len(notes[group]) < NOTES:
                name = next(name for name, flags in wrong.items() if flags[group])
                if name not in texts:
                    texts[name] = service_text.missed(book.filters.iloc[candidate.row], name)
                notes[group][texts[name]] = None
    return notes
