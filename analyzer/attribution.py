"""Which service a process was at the time of an event, from process creation (4688) and exit (4689).

A command line ``svchost.exe -k netsvcs -p -s BITS`` names one service; ``-k group`` alone is a shared host whose
services stay open (REFERENCE 5.6). Process ids are used again, so creation <= event < exit is demanded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer.markers import Sort, nanoseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.markers import Markers

CREATED: Final = 4688
EXITED: Final = 4689
SOURCE: Final = "4688"
# Below its volume; another file of this name is no service host.
SVCHOST_PATHS: Final = (r"\windows\system32\svchost.exe", r"\windows\syswow64\svchost.exe")
BREAKS: Final[frozenset[Sort]] = frozenset({"boot", "log", "audit"})
_SERVICE: Final = re.compile(r"(?<!\S)-s\s+\"?([^\s\"]+)\"?", re.IGNORECASE)
_VOLUME: Final = re.compile(r"^(?:[A-Za-z]:|\\device\\harddiskvolume\d+)(?=\\)", re.IGNORECASE)
_SVCHOST: Final = re.compile(r"(?:^|[\\/\"])svchost(?:\.exe)?(?=[\"\s]|$)", re.IGNORECASE)


def service_of(command_line: object) -> str | None:
    """Return the one service that an svchost command line names, or None."""
    if not isinstance(command_line, str) or not _SVCHOST.search(command_line):
        return None
    found = _SERVICE.search(command_line)
    return found.group(1) if found else None


def _starts(processes: pd.DataFrame) -> pd.DataFrame:
    """Return creations of svchost with the one service they host: computer, process_id, started, service."""
    created = processes[
        (processes["event_id"] == CREATED) & processes["process_id"].notna() & processes["time"].notna()
    ]
    path = created["process_name"].map(below_volume, na_action="ignore").astype("str")
    named = created["command_line"].map(service_of, na_action="ignore").astype("str")
    hosted = named.where(path.isin(SVCHOST_PATHS))
    return pd.DataFrame(
        {
            "computer": _computer(created),
            "process_id": created["process_id"].astype("uint64").to_numpy(),
            "at": nanoseconds(created["time"]),
            "base": path.to_numpy(),
            "service": hosted.to_numpy(),
        }
    )


def _computer(frame: pd.DataFrame) -> pd.api.extensions.ExtensionArray:
    """Return the computer column as a join key: ``str``, missing as an empty text."""
    return frame["computer"].astype("str").fillna("").array


def below_volume(path: object) -> str:
    """Return a DOS or device path without its drive or volume, lower case: both forms of one file compare equal."""
    return _VOLUME.sub("", path).lower() if isinstance(path, str) else ""


def attribute(events: pd.DataFrame, processes: pd.DataFrame, markers: Markers) -> pd.DataFrame:
    """Add ``services`` (object: tuple of str or None) and ``services_source`` (object) to oriented events.

    Only an svchost that the log saw start, with a command line, before the event and not ended since, is attributed;
    not across a start of Windows, a cleared log or a change of auditing, where an end would have gone unseen.
    """
    count = len(events)
    services: NDArray[np.object_] = np.full(count, None, dtype=object)
    sources: NDArray[np.object_] = np.full(count, None, dtype=object)
    out = events.copy(deep=False)
    starts = _starts(processes)
    if len(starts) and starts["service"].notna().any():
        found = _latest_start(events, starts)
        ended = _ended(events, processes, found["at"].to_numpy())
        names = found["service"].to_numpy(dtype=object)
        same = (
            found["base"].to_numpy(dtype=object)
            == events["application"].map(below_volume, na_action="ignore").astype("object").to_numpy()
        )
        broken = _broken(events, found["at"], markers)
        for row in np.flatnonzero(found["service"].notna().to_numpy() & ~ended & same & ~broken):
            services[row] = (names[row],)
            sources[row] = SOURCE
    out["services"] = services
    out["services_source"] = sources
    return out


def _broken(events: pd.DataFrame, started: pd.Series, markers: Markers) -> NDArray[np.bool_]:
    """Tell for each event whether a process's end could have gone unseen since it started."""
    out = np.zeros(len(events), dtype=bool)
    times = nanoseconds(events["time"])
    begun = started.fillna(0).to_numpy(dtype="float64").astype(np.int64)
    codes = events["computer"].cat.codes.to_numpy()
    for code in np.unique(codes):
        rows = codes == code
        name = None if code < 0 else str(events["computer"].cat.categories[code])
        marks = markers.times(name, BREAKS)
        out[rows] = np.searchsorted(marks, times[rows], "right") != np.searchsorted(marks, begun[rows], "right")
    return out


def _keys(events: pd.DataFrame) -> pd.DataFrame:
    """Return the join keys of events, in their order."""
    return pd.DataFrame(
        {
            "computer": _computer(events),
            "process_id": events["process_id"].fillna(0).astype("uint64").to_numpy(),
            "at": nanoseconds(events["time"]),
            "row": np.arange(len(events)),
        }
    )


def _latest_start(events: pd.DataFrame, starts: pd.DataFrame) -> pd.DataFrame:
    """Return, per event, the last creation of its process id at or before it: columns at, service, base."""
    left = _keys(events).sort_values("at", kind="stable")
    right = starts.rename(columns={"at": "started"}).sort_values("started", kind="stable")
    merged = pd.merge_asof(left, right, left_on="at", right_on="started", by=["computer", "process_id"])
    merged = merged.sort_values("row", ignore_index=True)
    return pd.DataFrame({"at": merged["started"], "service": merged["service"], "base": merged["base"]})


def _ended(events: pd.DataFrame, processes: pd.DataFrame, started: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell for each event whether its process ended between its start and the event."""
    exits = processes[(processes["event_id"] == EXITED) & processes["process_id"].notna() & processes["time"].notna()]
    if exits.empty:
        return np.zeros(len(events), dtype=bool)
    right = pd.DataFrame(
        {
            "computer": _computer(exits),
            "process_id": exits["process_id"].astype("uint64").to_numpy(),
            "ended": nanoseconds(exits["time"]),
        }
    ).sort_values("ended", kind="stable")
    left = _keys(events).sort_values("at", kind="stable")
    merged = pd.merge_asof(left, right, left_on="at", right_on="ended", by=["computer", "process_id"])
    ended = merged.sort_values("row")["ended"].to_numpy(dtype="float64")
    out: NDArray[np.bool_] = np.nan_to_num(ended, nan=-np.inf) >= np.nan_to_num(started.astype("float64"), nan=np.inf)
    return out
