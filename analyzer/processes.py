"""Lives of processes: when a process id began to be one process, and when it ended, as the logs tell it.

Creations are 4688 and Sysmon 1, ends 4689 and Sysmon 5 (REFERENCE 5.6). A process id is used again, so whoever asks
has to demand creation <= event < end. Sysmon's own times are better than those of its records.

From version 2 on 4688 names the user of the new process where that is not its creator's (REFERENCE 1.6): the user of
the process, which a connection's own token need not be (REFERENCE 5.4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer import watch
from analyzer.epochs import Bounds, id_gaps
from analyzer.markers import NO_TIME, Sort, nanoseconds
from analyzer.wfp import events as wfp_events
from analyzer.wfp import sids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analyzer.markers import Markers
    from analyzer.readers.evtx import EvtxLog

    Kept = Mapping[str, Mapping[str, Bounds]]  # source -> computer, empty where missing -> what its logs cover

CREATED: Final = 4688
EXITED: Final = 4689
SYSMON_CREATED: Final = 1
SYSMON_EXITED: Final = 5
NAMES_USER: Final = 2  # the version of 4688 from which on it does
SOURCES: Final = ("4688", "sysmon")  # best first
CHANNELS: Final = (watch.SECURITY, "Microsoft-Windows-Sysmon/Operational")  # where each source is written
# Below its volume; another file of this name is no service host.
SVCHOST_PATHS: Final = (r"\windows\system32\svchost.exe", r"\windows\syswow64\svchost.exe")
BREAKS: Final[frozenset[Sort]] = frozenset({"boot", "log", "audit"})
RECORDED_WITHIN: Final = 60_000_000_000  # ns that Sysmon's record may come after what it tells of
# ns between two records of one creation; a later one of another log is another process.
SAME_START: Final = 2_000_000_000
_SERVICE: Final = re.compile(r"(?<!\S)-s\s+\"?([^\s\"]+)\"?", re.IGNORECASE)
_VOLUME: Final = re.compile(r"^(?:[A-Za-z]:|\\device\\harddiskvolume\d+)(?=\\)", re.IGNORECASE)
_SVCHOST: Final = re.compile(r"(?:^|[\\/\"])svchost(?:\.exe)?(?=[\"\s]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lives:
    """Creations and ends, each in order of time.

    ``starts`` has ``computer`` (str, empty where missing), ``process_id`` (uint64), ``at`` (int64, ns), ``base`` (str:
    the program below its volume), ``service`` (str: the one that an svchost's command line names), ``user`` (str: the
    SID that 4688 names), ``source`` (see :data:`SOURCES`); ``ends`` has the first three.
    """

    starts: pd.DataFrame
    ends: pd.DataFrame


def service_of(command_line: object) -> str | None:
    """Return the one service that an svchost command line names, or None."""
    if not isinstance(command_line, str) or not _SVCHOST.search(command_line):
        return None
    found = _SERVICE.search(command_line)
    return found.group(1) if found else None


def below_volume(path: object) -> str:
    """Return a DOS or device path without its drive or volume, lower case: both forms of one file compare equal."""
    return _VOLUME.sub("", path).lower() if isinstance(path, str) else ""


def lives(processes: pd.DataFrame) -> Lives:
    """Read the process table (``frames.EVENT_SCHEMAS["process"]``)."""
    whole = processes[processes["process_id"].notna() & processes["time"].notna()]
    numbers = whole["event_id"].to_numpy()
    sysmon = (whole["provider"] == wfp_events.SYSMON).to_numpy(dtype=bool)
    created = whole[np.where(sysmon, numbers == SYSMON_CREATED, numbers == CREATED)]
    by_sysmon = (created["provider"] == wfp_events.SYSMON).to_numpy(dtype=bool)
    path = created["process_name"].map(below_volume, na_action="ignore").astype("str")
    named = created["command_line"].map(service_of, na_action="ignore").astype("str")
    starts = _keys(created).assign(
        base=path.to_numpy(),
        service=named.where(path.isin(SVCHOST_PATHS)).to_numpy(),
        user=_users(created, by_sysmon).to_numpy(),
        source=np.where(by_sysmon, SOURCES[1], SOURCES[0]),
    )
    ended = whole[np.where(sysmon, numbers == SYSMON_EXITED, numbers == EXITED)]
    return Lives(_sorted(starts), _sorted(_keys(ended)))


def _users(created: pd.DataFrame, by_sysmon: NDArray[np.bool_]) -> pd.Series:
    """Return the SID of the new process's user where a creation names it; the null SID says "as its creator"."""
    known = ~by_sysmon & (created["version"] >= NAMES_USER).to_numpy(dtype=bool)
    named = created["target_user_sid"].map(_sid, na_action="ignore").astype("str")
    return named.where(known)


def _sid(text: object) -> str | None:
    sid = str(text).strip().upper()
    return sid if sids.is_sid(sid) and sid != sids.NULL_SID else None


def _own_times(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Return Sysmon's ``UtcTime`` in ns where it can be that of what it tells, else the record's time."""
    texts = frame["extra"].map(lambda more: more.get("UtcTime") if isinstance(more, dict) else None)
    parsed = pd.to_datetime(texts, format="%Y-%m-%d %H:%M:%S.%f", errors="coerce", utc=True)
    own, recorded = nanoseconds(parsed.dt.as_unit("ns")), nanoseconds(frame["time"])
    near = (own != NO_TIME) & (own <= recorded) & (own >= recorded - RECORDED_WITHIN)
    out: NDArray[np.int64] = np.where(near, own, recorded)
    return out


def _keys(frame: pd.DataFrame) -> pd.DataFrame:
    at = nanoseconds(frame["time"])
    sysmon = (frame["provider"] == wfp_events.SYSMON).to_numpy(dtype=bool)
    if sysmon.any():
        at = np.where(sysmon, _own_times(frame), at)
    return pd.DataFrame({"computer": computers(frame), "process_id": process_ids(frame), "at": at})


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("at", kind="stable", ignore_index=True)


def computers(frame: pd.DataFrame) -> pd.api.extensions.ExtensionArray:
    """Return the computer column as a join key: ``str``, missing as an empty text."""
    return frame["computer"].astype("str").fillna("").array


def process_ids(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """Return process ids, 0 where missing."""
    return frame["process_id"].to_numpy(dtype=np.uint64, na_value=0)


def latest(asked: pd.DataFrame, told: pd.DataFrame) -> NDArray[np.int64]:
    """Return for each row of ``asked`` the position of the last row of ``told`` of its process id at or before it.

    Both have ``computer, process_id, at``; ``told`` is in order of time. -1 where there is none.
    """
    if told.empty or asked.empty:
        return np.full(len(asked), -1, dtype=np.int64)
    left = asked[["computer", "process_id", "at"]].assign(row=np.arange(len(asked))).sort_values("at", kind="stable")
    right = told[["computer", "process_id", "at"]].assign(position=np.arange(len(told)))
    merged = pd.merge_asof(left, right, on="at", by=["computer", "process_id"])
    out = np.empty(len(asked), dtype=np.int64)
    out[merged["row"].to_numpy()] = merged["position"].fillna(-1).to_numpy().astype(np.int64)
    return out


def times_at(told: pd.DataFrame, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the times of these rows in ns; the least int64 for -1."""
    out: NDArray[np.int64] = np.append(told["at"].to_numpy(), NO_TIME)[positions]
    return out


def broken(asked: pd.DataFrame, begun: NDArray[np.int64], markers: Markers) -> NDArray[np.bool_]:
    """Tell for each row whether a process's end could have gone unseen since it began."""
    out = np.zeros(len(asked), dtype=bool)
    times, names = asked["at"].to_numpy(), asked["computer"]
    for name in names.unique():
        rows = (names == name).to_numpy(dtype=bool)
        marks = markers.times(name or None, BREAKS)
        out[rows] = np.searchsorted(marks, times[rows], "right") != np.searchsorted(marks, begun[rows], "right")
    return out


@dataclass(frozen=True, slots=True)
class Creations:
    """The creations that hold at the time of events: ``rows`` are the events, positions among them.

    ``by_source`` has for each source its creations, and for each event the position of the one that holds (-1: none).
    """

    rows: NDArray[np.intp]
    by_source: dict[str, tuple[pd.DataFrame, NDArray[np.int64]]]


def kept(logs: Sequence[EvtxLog]) -> Kept:
    """Return what time the logs of each source cover, and where records of it are missing."""
    out: dict[str, dict[str, Bounds]] = {}
    if all(log.tables["process"].empty for log in logs):
        return out
    none = np.array([], dtype=np.int64)
    for source, channel in zip(SOURCES, CHANNELS, strict=True):
        own = [log for log in logs if channel in log.channels or not log.channels]
        found = out.setdefault(source, {})
        for name, seen in watch.watched(own, channel).items():
            gaps = {time for log in own if name is None or name in log.computers for time in id_gaps(log)}
            low, high = np.array(seen.intervals, dtype=np.int64).T
            breaks = np.array(sorted(gaps), dtype=np.int64)
            found[name or ""] = Bounds(none, breaks, low, high + watch.HOUR_NS, ())
    return out


def _covered(asked: pd.DataFrame, begun: NDArray[np.int64], kept: Mapping[str, Bounds]) -> NDArray[np.bool_]:
    """Tell for each row whether the logs cover all the time since the process began."""
    out = np.zeros(len(asked), dtype=bool)
    times, names = asked["at"].to_numpy(), asked["computer"]
    for name in names.unique():
        if name in kept:
            rows = (names == name).to_numpy(dtype=bool)
            out[rows] = kept[name].covered(begun[rows], times[rows])
    return out


def creations(events: pd.DataFrame, lives: Lives, markers: Markers, kept: Kept) -> Creations:
    """Return for each event the last creation of its process id, if it was of this program and did not end since.

    Not across a start of Windows, a cleared log, a change of auditing or a time that no log covers, where an end would
    have gone unseen. Only process ids of which some creation names a service or a user are looked at.
    """
    named = lives.starts["service"].notna() | lives.starts["user"].notna()
    wanted = np.isin(process_ids(events), lives.starts.loc[named, "process_id"].unique())
    rows = np.flatnonzero(wanted & (nanoseconds(events["time"]) != NO_TIME))
    if not len(rows):
        return Creations(rows, {})
    part = events[["computer", "process_id", "time", "application"]].iloc[rows]
    asked = pd.DataFrame(
        {"computer": computers(part), "process_id": process_ids(part), "at": nanoseconds(part["time"])}
    )
    ended = times_at(lives.ends, latest(asked, lives.ends))
    numbers: dict[str, int] = {}
    programs = part["application"].cat
    paths = np.array([numbers.setdefault(below_volume(path), len(numbers)) for path in programs.categories] + [-1])
    base = paths[programs.codes.to_numpy()]
    out = {}
    for source in SOURCES:
        chosen = (lives.starts["source"] == source).to_numpy(dtype=bool)
        own, other = lives.starts[chosen], lives.starts[~chosen]
        if not (own["service"].notna() | own["user"].notna()).any():
            continue
        at = latest(asked, own)
        begun, later = times_at(own, at), times_at(other, latest(asked, other))
        program = own["base"].map(lambda path: numbers.get(path, -2), na_action=None).to_numpy(dtype=np.int64)
        held = (at >= 0) & (program[at] == base)  # at -1 reads some row: no creation
        held &= (ended < begun) & ~broken(asked, begun, markers) & _covered(asked, begun, kept.get(source, {}))
        held &= (later == NO_TIME) | (later <= begun + SAME_START)
        out[source] = (own, np.where(held, at, -1))
    return Creations(rows, out)
