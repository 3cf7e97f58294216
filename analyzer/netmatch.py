"""Match audit events to net events: the same decision, recorded twice by one host on one clock.

Both records name protocol, both endpoints, the layer and the terminating filter; all of these have to be equal, and
so has the outcome. What both name beside that (program, process, filter origin) must not differ. The audit record may
be written seconds after the packet (REFERENCE 8), never long before it: :data:`LATE` and :data:`EARLY` are the
tolerance. A match is one-to-one. Repeats of one attempt (REFERENCE 12) make several equal records on both sides; they
are matched in order where both sides have as many and lag alike, else the case is *ambiguous* and nothing is matched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer import cells
from analyzer.flows import group_numbers
from analyzer.markers import nanoseconds
from analyzer.netevents import NO_EVENT_ID
from analyzer.netkeys import audit_keys, net_keys, numbers, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATE: Final = 5_000_000_000  # ns that an audit record may come after its net event (judgement: "seconds")
EARLY: Final = 1_000_000_000  # and before it: the net event's time has milliseconds alone, and is taken elsewhere
ALIKE: Final = 500_000_000  # ns that the lags of repeats may differ by, to be matched in order
NONE, ONE_TO_ONE, AMBIGUOUS = 0, 1, 2
STATES: Final = ("none", "one-to-one", "ambiguous")
FIELDS: Final = ("user_sid", "package_sid", "service_sids", "origin", "interface_index", "interface_luid")


@dataclass(frozen=True)
class Matches:
    """Which net event is the same decision as which audit event.

    ``row`` (int64, one per event) is the position of the net event, -1 without one; ``state`` (uint8, one per event)
    indexes :data:`STATES`; ``taken`` (bool, one per net event) tells which net events an audit event has too, or may
    have: the others are decisions that no audit event shows. ``computers`` names the host of each file of net events,
    by its matches.
    """

    row: NDArray[np.int64]
    state: NDArray[np.uint8]
    taken: NDArray[np.bool_]
    computers: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the match, candidates alone: its rows, in the order of key and time."""

    rows: NDArray[np.int64]
    keys: NDArray[np.int64]
    times: NDArray[np.int64]


def match(events: pd.DataFrame, netevents: pd.DataFrame) -> Matches:
    """Match oriented audit events (n rows) to net events (``frames.NETEVENTS``, m rows).

    Events that were made of net events (``event_id`` :data:`analyzer.netevents.NO_EVENT_ID`) are never matched.
    """
    count, others = len(events), len(netevents)
    row = np.full(count, -1, dtype=np.int64)
    state = np.zeros(count, dtype=np.uint8)
    taken = np.zeros(others, dtype=bool)
    if not count or not others:
        return Matches(row, state, taken, {})
    # A log has a million events, a ring of net events a hundred: only what may match is looked at.
    may = _candidates(events, netevents)
    audit, net = audit_keys(events.iloc[may]), net_keys(netevents)
    either = pd.concat([audit, net], ignore_index=True)
    keys = group_numbers(either, tuple(name for name in either.columns if name not in {"usable", "time"}))
    usable = either["usable"].to_numpy(dtype=bool)
    times = either["time"].to_numpy(dtype=np.int64)
    split = len(may)
    left = _sorted(usable[:split], keys[:split], times[:split], may)
    right = _sorted(usable[split:], keys[split:], times[split:], np.arange(others))
    pairs, doubtful, heard = _pair(left, right)
    row[pairs[0]] = pairs[1]
    state[pairs[0]] = ONE_TO_ONE
    state[doubtful] = AMBIGUOUS
    taken[heard] = True
    _veto(events, netevents, row, state, taken)
    computers = _one_host(events, netevents, row, state)
    return Matches(row, state, taken, computers)


def _candidates(events: pd.DataFrame, netevents: pd.DataFrame) -> NDArray[np.intp]:
    """Return the rows of events near the net events' time that name one of their filters."""
    times = netevents["time"].dropna()
    if times.empty:
        return np.zeros(0, dtype=np.intp)
    begin, end = nanoseconds(times).min() - EARLY, nanoseconds(times).max() + LATE
    at = nanoseconds(events["time"])
    named = events["filter_rtid"].isin(netevents["filter_id"].dropna().unique()).to_numpy(dtype=bool)
    own = (events["event_id"] != NO_EVENT_ID).to_numpy(dtype=bool)
    return np.flatnonzero(named & own & (at >= begin) & (at <= end))


def _sorted(
    usable: NDArray[np.bool_], keys: NDArray[np.int64], times: NDArray[np.int64], rows: NDArray[np.intp]
) -> _Side:
    at = np.flatnonzero(usable)
    at = at[np.lexsort((at, times[at], keys[at]))]
    return _Side(rows[at].astype(np.int64), keys[at], times[at])


def _positions(side: _Side, keys: NDArray[np.int64], times: NDArray[np.int64], *, after: bool) -> NDArray[np.int64]:
    """Return how many rows of a sorted side come before each key and time (``after``: or at it)."""
    total, asked = len(side.keys), len(keys)
    flag = np.concatenate([np.full(total, 1 if not after else 0), np.full(asked, 0 if not after else 1)])
    order = np.lexsort((flag, np.concatenate([side.times, times]), np.concatenate([side.keys, keys])))
    seen = np.cumsum(order < total)
    out = np.empty(total + asked, dtype=np.int64)
    out[order] = seen
    return out[total:]


def _pair(
    left: _Side, right: _Side
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64], NDArray[np.int64]]:
    """Pair two sorted sides: the pairs, the rows of the left that stay ambiguous, the rows of the right that are heard.

    Rows that may be each other's form clusters: runs of the left whose ranges on the right overlap.
    """
    begin = _positions(right, left.keys, left.times - LATE, after=False)
    end = _positions(right, left.keys, left.times + EARLY, after=True)
    some = np.flatnonzero(end > begin)
    nothing = np.zeros(0, dtype=np.int64)
    if not len(some):
        return (nothing, nothing), nothing, nothing
    begin, end, rows = begin[some], end[some], left.rows[some]
    reach = np.maximum.accumulate(end)
    new = np.ones(len(some), dtype=bool)
    new[1:] = begin[1:] >= reach[:-1]
    cluster = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(some)) - 1
    lows, highs = begin[first], reach[last]
    position = np.arange(len(some)) - first[cluster] + lows[cluster]
    as_many = (last - first + 1) == (highs - lows)
    inside = (position >= begin) & (position < end)
    lag = left.times[some] - right.times[np.minimum(position, len(right.times) - 1)]
    spread = np.maximum.reduceat(lag, first) - np.minimum.reduceat(lag, first)
    good = as_many & np.logical_and.reduceat(inside, first) & (spread <= ALIKE)
    chosen = good[cluster]
    heard = np.zeros(len(right.rows) + 1, dtype=np.int64)
    np.add.at(heard, lows, 1)
    np.add.at(heard, highs, -1)
    return (rows[chosen], right.rows[position[chosen]]), rows[~chosen], right.rows[np.cumsum(heard)[:-1] > 0]


def _veto(
    events: pd.DataFrame,
    netevents: pd.DataFrame,
    row: NDArray[np.int64],
    state: NDArray[np.uint8],
    taken: NDArray[np.bool_],
) -> None:
    """Undo pairs whose records name another program, process or filter origin."""
    rows = np.flatnonzero(row >= 0)
    if not len(rows):
        return
    other = row[rows]
    differ = np.zeros(len(rows), dtype=bool)
    for name, net_name in (("application", "application"), ("event_origin", "origin")):
        one = texts(events[name].iloc[rows], str.lower)
        two = texts(netevents[net_name].iloc[other], str.lower)
        differ |= (one != two) & (one != "") & (two != "")
    process, net_process = numbers(events["process_id"].iloc[rows]), numbers(netevents["process_id"].iloc[other])
    differ |= (process != net_process) & (process != 0) & (net_process != 0)
    row[rows[differ]] = -1
    state[rows[differ]] = NONE
    taken[other[differ]] = False


def _one_host(
    events: pd.DataFrame, netevents: pd.DataFrame, row: NDArray[np.int64], state: NDArray[np.uint8]
) -> dict[str, str]:
    """Return the host of each file by its matches; where they are of several hosts, they are ambiguous."""
    rows = np.flatnonzero(row >= 0)
    files = netevents["input"].cat.codes.to_numpy()[row[rows]]
    hosts = events["computer"].cat.codes.to_numpy()[rows]
    out: dict[str, str] = {}
    for file in np.unique(files):
        own = rows[files == file]
        named = np.unique(hosts[files == file])
        if len(named) > 1:
            row[own] = -1
            state[own] = AMBIGUOUS
        elif named[0] >= 0:
            out[str(netevents["input"].cat.categories[file])] = str(events["computer"].cat.categories[named[0]])
    return out


def evidence(matches: Matches, netevents: pd.DataFrame, filters: pd.DataFrame) -> pd.DataFrame:
    """Return what the matched net events add, one row per event, missing without a match.

    Columns: :data:`FIELDS` with their dtypes, ``original_profile, current_profile`` (UInt64), ``net_input``
    (category) and ``net_entry`` (Int64): where the net event stands; ``user_source`` (category: netevent);
    ``terminating`` (object: tuple of (sublayer, filter id, action) in the order of the net event, or None).

    Parameters
    ----------
    filters : ``frames.NETEVENT_FILTERS`` of the same net events.
    """
    columns = (*FIELDS, "original_profile", "current_profile", "input", "entry")
    names = {"input": "net_input", "entry": "net_entry"}
    found = matches.row >= 0
    out: dict[str, pd.Series] = {}
    for name in columns:
        column = netevents[name].astype("Int64") if name == "entry" else netevents[name]
        data = column.array.take(matches.row, allow_fill=True)
        out[names.get(name, name)] = pd.Series(data)
    frame = pd.DataFrame(out)
    frame["user_source"] = pd.Categorical(["netevent"]).take(
        np.where(found & frame["user_sid"].notna().to_numpy(), 0, -1), allow_fill=True
    )
    frame["terminating"] = _terminating(matches.row, filters)
    return frame


def _terminating(row: NDArray[np.int64], filters: pd.DataFrame) -> NDArray[np.object_]:
    """Return the terminating filters of each event's net event."""
    wanted = filters[filters["netevent_row"].isin(np.unique(row[row >= 0]))]
    found: dict[int, list[tuple[str | None, int | None, str | None]]] = {}
    columns = (wanted[name] for name in ("netevent_row", "sublayer", "filter_id", "action"))
    for position, sublayer, number, action in zip(*columns, strict=True):
        found.setdefault(int(position), []).append((cells.text(sublayer), cells.number(number), cells.text(action)))
    out = np.full(len(row), None, dtype=object)
    for event in np.flatnonzero(row >= 0):
        out[event] = tuple(found.get(int(row[event]), ())) or None
    return out
