"""Logs that overlap: a record that two logs hold counts once, with the log that was handed over first.

The same host's log may be exported twice, whole and by a query, or lie there archived and live. Two rows are the same
record only where everything agrees: id, time, computer, channel, event, every field. Equal ids with other contents
(clones, a log that counts anew after it was cleared) are different records.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer import folding, frames
from analyzer.markers import nanoseconds
from analyzer.model import Problem
from analyzer.wfp import events as wfp_events
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.readers.evtx import EvtxLog
    from analyzer.wfp.events import Table

    Flags = NDArray[np.bool_]
    Rows = NDArray[np.int64]

# Names that Windows compares without case. A short name and a full one stay apart: a record holds one of them.
FOLDED: Final = frozenset({"computer", "channel"})
KEYS: Final = frozenset({"input", "offset", "record_id", "time"})  # where a row is from, and what rows are joined by
NO_ROWS: Final = np.zeros(0, dtype=np.int64)


def unite(logs: Sequence[tuple[str, EvtxLog]]) -> tuple[dict[Table, pd.DataFrame], list[Problem]]:
    """Stack the logs' event tables, each record once.

    Returns
    -------
    tables
        Every table of ``wfp_events.TABLES``, a frame of its schema: rows by log as given, then in file order. A record
        stays in the first log that holds it. What repeats inside one log is kept as often as one log holds it.
    notes
        One per pair of logs that share records, with their number.
    """
    shared: Counter[tuple[int, int]] = Counter()
    tables = {}
    for table in wfp_events.TABLES:
        parts = [log.tables[table] for _, log in logs]
        # An empty frame is slow to make, and small logs have several.
        empty = bool(parts) and not any(map(len, parts))
        tables[table] = parts[0].copy() if empty else frames.concat(_once(parts, shared), frames.EVENT_SCHEMAS[table])
    names = [name for name, _ in logs]
    held = [sum(len(frame) for frame in log.tables.values()) for _, log in logs] if shared else []
    notes = [
        Problem(names[later], None, "note", _said(names[earlier], count, held[earlier], held[later]))
        for (earlier, later), count in sorted(shared.items(), key=lambda item: (item[0][1], item[0][0]))
    ]
    return tables, notes


def _said(other: str, count: int, others: int, own: int) -> str:
    """Say what an earlier log, of which ``others`` records are read, has in common with one of ``own`` records."""
    records = plural(count, "record")
    if count == own == others:
        what = f"what is read of this log is the same as of {other} ({records})"
    elif count == own:
        what = f"all that is read of this log ({records}) is also in {other}"
    elif count == others:
        what = f"all that is read of {other} ({records}) is also in this log"
    else:
        what = f"{records} {'is' if count == 1 else 'are'} also in {other}"
    return f"{what}: counted once"


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a table's records can have in common with others': computers, and lowest and highest id."""

    computers: frozenset[str | None]
    low: int
    high: int

    def meets(self, other: _Reach) -> bool:
        return self.low <= other.high and other.low <= self.high and bool(self.computers & other.computers)


def _reach(part: pd.DataFrame) -> _Reach | None:
    ids = part["record_id"]
    low = ids.min()
    if pd.isna(low):
        return None
    computer = part["computer"]
    names: set[str | None] = {str(name).upper() for name in computer.cat.categories}
    if computer.hasnans:
        names.add(None)
    return _Reach(frozenset(names), int(low), int(ids.max()))


def _once(parts: Sequence[pd.DataFrame], shared: Counter[tuple[int, int]]) -> Sequence[pd.DataFrame]:
    """Return the parts of one table without what an earlier part holds; count that by (earlier, later) part."""
    if sum(len(part) > 0 for part in parts) < 2:
        return parts
    reaches = [_reach(part) for part in parts]
    out = []
    for later, part in enumerate(parts):
        twice = np.zeros(len(part), dtype=bool)
        for earlier in range(later):
            one, two = reaches[earlier], reaches[later]
            if one is None or two is None or not one.meets(two):
                continue
            span = max(one.low, two.low), min(one.high, two.high)
            found = also_in(parts[earlier], part, span)
            found = found[~twice[found]]
            if len(found):
                shared[earlier, later] += len(found)
                twice[found] = True
        out.append(part[~twice] if twice.any() else part)
    return out


def also_in(one: pd.DataFrame, two: pd.DataFrame, span: tuple[int, int]) -> Rows:
    """Return the positions of the rows of ``two`` whose record ``one`` holds too; ids outside ``span`` are left out.

    Where a file repeats a record, the nth time is found in the other's nth time. Rows without an id are never found.
    """
    left, right = _keys(one, span), _keys(two, span)
    at_one, at_two = _joined(one, two, left, right)
    if not len(at_one):
        return NO_ROWS
    same = np.ones(len(at_one), dtype=bool)
    chosen = _run(at_one), _run(at_two)
    for name in one.columns.difference(list(KEYS), sort=False):
        for a, b in _sides(one[name].iloc[chosen[0]], two[name].iloc[chosen[1]]):
            same &= a == b
    return at_two[same]


@dataclass(frozen=True, slots=True)
class _Keys:
    """Rows with an id in the span, as positions, and their ids and times; arrays of shape (n,)."""

    rows: Rows
    ids: NDArray[np.uint64]
    times: Rows


def _keys(part: pd.DataFrame, span: tuple[int, int]) -> _Keys:
    column = part["record_id"]
    ids = column.to_numpy(dtype="uint64", na_value=0)
    inside = (ids >= np.uint64(span[0])) & (ids <= np.uint64(span[1]))
    if column.hasnans:
        inside &= column.notna().to_numpy()
    times = nanoseconds(part["time"])
    if inside.all():
        return _Keys(np.arange(len(ids)), ids, times)
    rows = np.flatnonzero(inside)
    return _Keys(rows, ids[rows], times[rows])


def _joined(one: pd.DataFrame, two: pd.DataFrame, left: _Keys, right: _Keys) -> tuple[Rows, Rows]:
    """Pair rows of equal id and time, each row at most once: positions in ``one`` and in ``two``, shape (pairs,)."""
    ids = np.concatenate([left.ids, right.ids])
    times = np.concatenate([left.times, right.times])
    # Logs rise in both: the stable sort merges runs that are sorted already. Rows of `one` come first in a group.
    order = np.lexsort((times, ids))
    from_two = order >= len(left.ids)
    rows = np.concatenate([left.rows, right.rows])[order]
    ids, times = ids[order], times[order]
    next_same = (ids[1:] == ids[:-1]) & (times[1:] == times[:-1])
    repeats = next_same & (from_two[1:] == from_two[:-1])
    if not repeats.any():
        first = np.flatnonzero(next_same)
        return rows[first], rows[first + 1]
    group = np.concatenate([[0], np.cumsum(~next_same)])
    several = np.zeros(group[-1] + 1, dtype=bool)
    several[group[1:][repeats]] = True
    plain = np.flatnonzero(next_same & ~several[group[1:]])
    several = several[group]
    at_one, at_two = rows[several & ~from_two], rows[several & from_two]
    if not at_one.size or not at_two.size:
        return rows[plain], rows[plain + 1]
    groups = group[several & ~from_two], group[several & from_two]
    by_one, by_two = _by_content(one.iloc[at_one], two.iloc[at_two], *groups)
    return np.concatenate([rows[plain], at_one[by_one]]), np.concatenate([rows[plain + 1], at_two[by_two]])


def _by_content(one: pd.DataFrame, two: pd.DataFrame, left: Rows, right: Rows) -> tuple[Rows, Rows]:
    """Pair rows of equal group and equal contents, the nth with the nth: positions in both, shape (pairs,)."""
    columns = [(np.concatenate([left, right]), int(max(left.max(), right.max())) + 1)]
    for name in one.columns.difference(list(KEYS), sort=False):
        for a, b in _sides(one[name], two[name]):
            column = np.concatenate([a, b])
            if column.dtype == object:
                column = np.array([_text(item) for item in column], dtype=object)
            columns.append(folding.codes_of(pd.Series(column)))
    codes = folding.number(columns, len(left) + len(right))
    of_two = np.arange(len(codes)) >= len(left)
    again = pd.Series(codes).groupby([codes, of_two]).cumcount().to_numpy()
    keys = codes * (int(again.max()) + 1) + again
    _, at_one, at_two = np.intersect1d(keys[~of_two], keys[of_two], assume_unique=True, return_indices=True)
    return at_one, at_two


def _text(unknown: dict[str, str] | None) -> str:
    """Return one row's unknown fields as a text that is equal where they are."""
    return repr(sorted(unknown.items())) if unknown else ""


def _run(rows: Rows) -> Rows | slice:
    """Return rows that follow each other as a slice, which copies nothing."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) and (np.diff(rows) == 1).all() else rows


def _sides(one: pd.Series, two: pd.Series) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Give one column of both frames as arrays that compare by value, missing equal to missing; none if all missing."""
    if isinstance(one.dtype, pd.CategoricalDtype):
        yield from _texts(one, two, folded=one.name in FOLDED)
    elif one.dtype == frames.NUMBER:
        gone = one.isna().to_numpy(), two.isna().to_numpy()
        if not (gone[0].all() and gone[1].all()):
            yield gone
            yield one.to_numpy(dtype="uint64", na_value=0), two.to_numpy(dtype="uint64", na_value=0)
    else:
        yield one.to_numpy(), two.to_numpy()


def _texts(one: pd.Series, two: pd.Series, *, folded: bool) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Give codes of texts: categories differ between logs, so those of ``two`` are numbered as those of ``one``."""
    left, right = one.cat.categories, two.cat.categories
    codes = one.cat.codes.to_numpy(), two.cat.codes.to_numpy()
    if folded:
        known: dict[str, int] = {}
        tables = [[known.setdefault(str(text).upper(), len(known)) for text in side] for side in (left, right)]
        # the last place of a table is where code -1 leads
        yield np.array([*tables[0], -1])[codes[0]], np.array([*tables[1], -1])[codes[1]]
    elif left.equals(right):
        if len(left):
            yield codes
    else:
        table = left.get_indexer(right)
        table[table < 0] = -2
        yield codes[0], np.append(table, -1)[codes[1]]
