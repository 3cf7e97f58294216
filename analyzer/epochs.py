"""What bounds the memory of a host's log: its starts (run-time ids begin again), and where records may be missing.

Sources: REFERENCE 1.5 and 1.6 (starts, markers), 12 (gaps of exports by query are selection, not loss).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer import cells, frames
from analyzer.hosts import first_label
from analyzer.markers import MARKERS, NO_TIME, nanoseconds
from analyzer.watch import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from analyzer.readers.evtx import EvtxLog
    from analyzer.wfp.events import Table

PRESENT: Final = 5441
CHANGED: Final = 5447
Columns = dict[str, list[object]]
STOPS: Final = frozenset({4609, 13, 6006})
# Callouts, providers, contexts and sublayers that the engine finds when it starts; each record is another one.
OTHERS_PRESENT: Final = frozenset({5440, 5442, 5443, 5444})
OTHERS_CHANGED: Final = frozenset({5446, 5448, 5449, 5450})
STARTS: Final = frozenset({4608, 5033, 12, 6005, 6008, PRESENT}) | OTHERS_PRESENT
# One start logs several of these within minutes (judgement): 12, 6005 and 4608, then the engine's, then the driver's.
BOOT_SPAN: Final = 600_000_000_000
# Security-Auditing subcategories whose records make the history (REFERENCE 7.1; sources conflict on which has 5447).
HISTORY_SUBCATEGORIES: Final = ("0CCE9233", "0CCE9234")
AUDIT_CHANGED: Final = 4719
CLOCK: Final = 4616
LOG_BREAKS: Final = frozenset({1100, 1102, 1104})  # 1105 archives: the next file goes on


@dataclass(frozen=True, slots=True)
class Bounds:
    """One host's bounds. Arrays of ns, ascending.

    ``starts`` are the beginnings of the epochs after the first. A record may be missing between ``a`` and ``b`` if a
    break ``t`` has ``a < t <= b``. ``low``, ``high`` are watched stretches. Inside a ``back`` window (from, to) the
    clock ran twice, so that times do not order records.
    """

    starts: NDArray[np.int64]
    breaks: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    back: tuple[tuple[int, int], ...]
    near: int | None = None  # ns: so far apart at most may two records be, where a start between them may be left out

    def epoch(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the epoch that each time lies in, from 0."""
        return np.searchsorted(self.starts, times, side="right").astype(np.int64)

    def covered(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell for each pair of times (``first <= last``) whether all records between them are at hand."""
        if not len(self.low):
            return np.zeros(len(first), dtype=bool)
        stretch = np.searchsorted(self.low, first, side="right") - 1
        watched = (stretch >= 0) & (last <= self.high[np.maximum(stretch, 0)])
        whole = np.searchsorted(self.breaks, first, side="right") == np.searchsorted(self.breaks, last, side="right")
        known = (first != NO_TIME) & (last != NO_TIME) & (first <= last)
        out: NDArray[np.bool_] = watched & whole & known
        if self.near is not None:
            out &= last - first <= self.near
        return out


def host_keys(computers: Iterable[str | None]) -> dict[str | None, str]:
    """Return computer name -> host: its first label, since a starting Windows writes its short name.

    Where two full names share a label, they are two hosts, and the short name is a third one.
    """
    names = {name for name in computers if name is not None}
    full: dict[str, set[str]] = {}
    for name in names:
        if "." in name:
            full.setdefault(first_label(name), set()).add(name.upper())
    shared = {label for label, several in full.items() if len(several) > 1}
    keys: dict[str | None, str] = {
        name: name.upper() if first_label(name) in shared else first_label(name) for name in names
    }
    keys[None] = ""
    return keys


def by_host(
    tables: Mapping[Table, pd.DataFrame], wanted: Sequence[Table], keys: Mapping[str | None, str]
) -> dict[str, dict[Table, pd.DataFrame]]:
    """Return host -> its rows of the wanted tables; records that stand in two exports are there once."""
    out: dict[str, dict[Table, pd.DataFrame]] = {}
    for table in wanted:
        frame = tables[table]
        if frame.empty:
            continue
        names = [keys[str(name)] for name in frame["computer"].cat.categories] + [""]
        codes = frame["computer"].cat.codes.to_numpy()
        hosts, group = np.unique(np.array(names, dtype=object), return_inverse=True)
        numbers = group[codes]  # code -1, no name, is the last of the names
        order = np.argsort(numbers, kind="stable")
        edges = np.searchsorted(numbers[order], np.arange(len(hosts) + 1))
        for at, host in enumerate(hosts):
            rows = order[edges[at] : edges[at + 1]]
            if len(rows):
                out.setdefault(str(host), {})[table] = _once(frame.iloc[rows])
    return out


def _once(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop what is the same record of the same channel; records without a number are kept."""
    repeated = frame.duplicated(["channel", "record_id", "time", "event_id"]) & frame["record_id"].notna()
    return frame[~repeated.to_numpy()]


@dataclass(frozen=True, slots=True)
class Start:
    """The first sign of a start or a stop."""

    time: int
    event_id: int
    input: str | None
    record_id: int | None


# time, record (-1: none), event id, filter id (below 0: a number of its own), input
Sign = tuple[int, int, int, int | None, str | None]


def _signs(own: Mapping[Table, pd.DataFrame]) -> list[Sign]:
    """Return the signs of starts and stops of one host, in order."""
    out: list[Sign] = []
    for table, frame in own.items():
        if table not in ("host", "filter_change"):
            continue
        mine = frame[frame["event_id"].isin(list(STARTS | STOPS)).to_numpy()]
        ids: list[int | None] = [None] * len(mine)
        if table == "filter_change":
            ids = cells.objects(mine["filter_rtid"]).tolist()
            for at, event_id in enumerate(mine["event_id"]):
                ids[at] = -1 - at if event_id in OTHERS_PRESENT else ids[at]
        columns = (nanoseconds(mine["time"]), cells.objects(mine["record_id"]), mine["event_id"], ids, mine["input"])
        for time, record, event_id, number, name in zip(*columns, strict=True):
            if time != NO_TIME:
                out.append((int(time), -1 if record is None else record, int(event_id), number, cells.text(name)))
    return sorted(out, key=lambda item: item[:3])


def _starts(signs: Sequence[Sign]) -> list[Start]:
    """Fold the signs of each start into its first one; a stop ends an epoch as well."""
    found: list[Start] = []
    seen: set[tuple[int, int | None]] | None = None  # the signs of the start that is being read
    stopped = False
    for time, record, event_id, number, name in signs:
        if event_id in STOPS:
            if not stopped:
                found.append(Start(time, event_id, name, None if record < 0 else record))
            seen, stopped = None, True
            continue
        sign = (event_id, number)
        if seen is not None and sign not in seen and time - found[-1].time <= BOOT_SPAN:
            seen.add(sign)
        else:
            found.append(Start(time, event_id, name, None if record < 0 else record))
            seen = {sign}
        stopped = False
    return found


def _breaks(frame: pd.DataFrame) -> list[int]:
    """Return the times at which a host's own log says that records may be missing."""
    cleared = frame["event_id"].isin(list(LOG_BREAKS)).to_numpy()
    audit = (frame["event_id"] == AUDIT_CHANGED).to_numpy()
    which = frame["subcategory_guid"].astype("object")
    about = np.array(
        [not isinstance(g, str) or any(s in g.upper() for s in HISTORY_SUBCATEGORIES) for g in which], bool
    )
    times = nanoseconds(frame["time"])[cleared | (audit & about)]
    return [int(time) for time in times if time != NO_TIME]


def _clock(frame: pd.DataFrame) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the windows that the clock ran through twice, and the times of clock changes that can't be read."""
    frame = frame[(frame["event_id"] == CLOCK).to_numpy()]
    windows, unread = [], []
    columns = (nanoseconds(frame["time"]), frame["previous_time"], frame["new_time"])
    for time, old, new in zip(*columns, strict=True):
        before, after = _moment(old), _moment(new)
        if before is None or after is None:
            unread.append(int(time))
        elif after < before:
            windows.append((after, before))
    return windows, [time for time in unread if time != NO_TIME]


def _moment(value: object) -> int | None:
    """Read a time as 4616 writes it: RFC 3339 in UTC."""
    if not isinstance(value, str):
        return None
    found = pd.to_datetime(value.strip("\u200e\u200f "), errors="coerce", utc=True, format="ISO8601")
    return None if found is pd.NaT else cells.moment(found)


def _id_gaps(log: EvtxLog) -> list[int]:
    """Return for each gap of record ids the time of the first record that is known behind it."""
    if log.selective or not log.id_gaps:
        return []
    parts = [frame[["record_id", "time"]].dropna() for frame in log.tables.values()]
    known = pd.concat(parts, ignore_index=True)
    ids = known["record_id"].to_numpy(dtype="uint64")
    order = np.argsort(ids, kind="stable")
    times = nanoseconds(known["time"])[order]
    behind = np.searchsorted(ids[order], np.array([gap[1] for gap in log.id_gaps], dtype="uint64"))
    return [int(times[at]) for at in np.unique(behind[behind < len(times)])]


def _silences(logs: Sequence[EvtxLog], host: str, keys: Mapping[str | None, str]) -> list[int]:
    """Return the end of each silence of more than an hour between one host's records in exports by query.

    Such an export may join several recordings of one host, weeks apart, and its gaps of record ids do not tell (each
    record that was not asked for makes one). A log that is whole and spans the silence shows that nothing is missing.
    """
    chosen = [log for log in logs if log.selective]
    if not chosen:
        return []
    times = np.unique(np.concatenate([_times_of(log, host, keys) for log in chosen]))
    quiet = np.flatnonzero(np.diff(times) > HOUR_NS)
    ends = [(cells.moment(log.first), cells.moment(log.last)) for log in logs if not log.selective]
    whole = [(low, high) for low, high in ends if low is not None and high is not None]
    return [
        int(times[at + 1]) for at in quiet if not any(low <= times[at] and times[at + 1] <= high for low, high in whole)
    ]


def _times_of(log: EvtxLog, host: str, keys: Mapping[str | None, str]) -> NDArray[np.int64]:
    """Return the known times (ns) of a host's records in one log."""
    found = [np.zeros(0, np.int64)]
    for frame in log.tables.values():
        column = frame["computer"].cat
        mine = np.array([keys.get(str(name)) == host for name in column.categories] + [keys.get(None) == host])
        times = nanoseconds(frame["time"])
        found.append(times[mine[column.codes.to_numpy()] & (times != NO_TIME)])
    return np.concatenate(found)


def bounds(
    host: str,
    own: Mapping[Table, pd.DataFrame],
    spans: Sequence[tuple[int, int]],
    logs: Sequence[EvtxLog],
    keys: Mapping[str | None, str],
) -> tuple[Bounds, list[Start]]:
    """Gather what bounds the history of one host.

    Parameters
    ----------
    host : its key.
    own : the host's rows of the tables ``host`` and ``filter_change``, as far as there are any.
    spans : the stretches of time (ns) that its logs cover.
    logs : its logs, for their gaps of record ids and their silences.
    keys : computer name -> host (:func:`host_keys`).
    """
    starts = _starts(_signs(own))
    frame = own.get("host")
    breaks = [] if frame is None else _breaks(frame)
    windows, unread = ([], []) if frame is None else _clock(frame)
    gaps = [time for log in logs for time in _id_gaps(log)]
    silences = _silences(logs, host, keys)
    every = np.array(sorted({*breaks, *unread, *gaps, *silences}), dtype=np.int64)
    low, high = _united(spans)
    times = np.array([start.time for start in starts], dtype=np.int64)
    # A query that left out the signs of starts leaves no trace of one.
    unseen = bool(logs) and all(log.selective for log in logs) and not starts
    return Bounds(times, every, low, high, tuple(windows), HOUR_NS if unseen else None), starts


def _united(spans: Sequence[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Unite overlapping stretches; ascending."""
    out: list[list[int]] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1]:
            out[-1][1] = max(out[-1][1], high)
        else:
            out.append([low, high])
    return np.array([item[0] for item in out], np.int64), np.array([item[1] for item in out], np.int64)


COUNTED: Final[tuple[tuple[str, Table, frozenset[int]], ...]] = (
    ("present", "filter_change", frozenset({PRESENT})),
    ("changes", "filter_change", frozenset({CHANGED})),
    ("others", "filter_change", OTHERS_PRESENT | OTHERS_CHANGED),
    ("reloads", "rule_change", frozenset(number for number, sort in MARKERS.items() if sort == "reload")),
)


def epoch_columns(host: str, bound: Bounds, starts: Sequence[Start], own: Mapping[Table, pd.DataFrame]) -> Columns:
    """Return the columns of the EPOCHS frame for one host: its epochs in order, the first one open at its beginning."""
    columns: Columns = {name: [] for name in frames.EPOCHS}
    counts: dict[str, Counter[int]] = {}
    for name, table, wanted in COUNTED:
        frame = own.get(table)
        times = np.array([], np.int64) if frame is None else nanoseconds(frame["time"])
        mine = np.array([], bool) if frame is None else frame["event_id"].isin(list(wanted)).to_numpy()
        counts[name] = Counter(bound.epoch(times[mine]).tolist())
    for number in range(len(starts) + 1):
        start = starts[number - 1] if number else None
        row: dict[str, object] = {
            "computer": host,
            "from": start.time if start else None,
            "to": starts[number].time if number < len(starts) else None,
            "event_id": start.event_id if start else None,
            "input": start.input if start else None,
            "record_id": start.record_id if start else None,
            **{name: count[number] for name, count in counts.items()},
        }
        for name, column in columns.items():
            column.append(row[name])
    return columns
