"""Host events that bound what a run-time id can mean: starts, policy reloads, log clears, audit and clock changes.

Sources: REFERENCE 1.5 (ids are renumbered at boot and on policy reload) and 1.6 (the events).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from analyzer.hosts import first_label
from analyzer.wfp import events as wfp_events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analyzer.wfp.events import Table

NO_TIME: Final = np.iinfo(np.int64).min  # what NaT becomes
Sort = Literal["boot", "reload", "log", "audit", "clock", "firewall"]

# event id -> what it marks. 4946-4948 are single rules, the others whole policies; all renumber filters.
MARKERS: Final[dict[int, Sort]] = {
    4608: "boot",
    4609: "boot",
    5033: "boot",
    5024: "firewall",
    5025: "firewall",
    5034: "firewall",
    4946: "reload",
    4947: "reload",
    4948: "reload",
    4949: "reload",
    4950: "reload",
    4954: "reload",
    4956: "reload",
    5441: "boot",  # one per filter when the Base Filtering Engine starts: an id epoch begins
    1100: "log",
    1102: "log",
    1104: "log",
    1105: "log",
    4719: "audit",
    4616: "clock",
    # System log and the firewall's own channel, where they were handed in
    12: "boot",
    13: "boot",
    6005: "boot",
    6006: "boot",
    6008: "boot",
    **{number: "reload" for number in range(2002, 2098) if number != 2011},  # 2011: a notice that failed
}
TABLES: Final[tuple[Table, ...]] = ("host", "rule_change", "filter_change")
EPOCH: Final[frozenset[Sort]] = frozenset({"boot"})
POLICY: Final[frozenset[Sort]] = frozenset({"reload", "firewall"})


@dataclass(frozen=True, slots=True)
class Markers:
    """Marker events of all computers: columns ``computer, host, time, sort, event_id, input, record_id``, by time.

    ``host`` is the first label of the computer's name in upper case.
    """

    frame: pd.DataFrame

    def times(self, computer: str | None, sorts: frozenset[Sort]) -> NDArray[np.int64]:
        """Return the times of these markers on one computer, ns since 1970, ascending."""
        # While Windows starts, events may carry the short name of the computer.
        same = self.frame["host"] == first_label(computer)
        chosen = self.frame.loc[same & self.frame["sort"].isin(sorts), "time"].dropna()
        return np.sort(nanoseconds(chosen))


def nanoseconds(times: pd.Series) -> NDArray[np.int64]:
    """Return times as int64 nanoseconds since 1970 (NaT is the smallest int64)."""
    out: NDArray[np.int64] = times.dt.tz_localize(None).to_numpy(dtype="datetime64[ns]").astype(np.int64)
    return out


def find(tables: Mapping[Table, pd.DataFrame]) -> Markers:
    """Collect markers from the host, rule-change and filter-change tables."""
    parts = []
    for table in TABLES:
        frame = tables[table]
        part = frame.loc[frame["event_id"].isin(list(MARKERS)), ["computer", "time", "event_id", "input", "record_id"]]
        parts.append(part.astype({"computer": "object", "input": "object"}))
    out = pd.concat(parts, ignore_index=True)
    out["sort"] = out["event_id"].map(MARKERS)
    out["host"] = [first_label(name) for name in out["computer"]]
    return Markers(out.sort_values("time", kind="stable", ignore_index=True))


def any_between(marks: NDArray[np.int64], times: NDArray[np.int64], other: int) -> NDArray[np.bool_]:
    """Tell for each time whether a mark lies between it and ``other`` (whichever comes first)."""
    at_time = np.searchsorted(marks, times, side="right")
    at_other = int(np.searchsorted(marks, other, side="right"))
    out: NDArray[np.bool_] = at_time != at_other
    return out


@cache
def _titles() -> dict[int, str]:
    return {spec.event_id: spec.title for spec in wfp_events.EVENTS.values()}


def title(event_id: int) -> str:
    """Return the event's title, or its number."""
    return _titles().get(event_id, f"event {event_id}")
