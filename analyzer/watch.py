"""When the logs watched a computer: only there does their silence say that nothing happened in between.

A start of Windows or a policy change between an event and a state breaks the tie of a run-time id. It is seen only
where a log covers all the time between the two, and where it was not exported by a query that left such events out.
Only the log that the events themselves are written to watches: one of another channel goes on where that one is silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import cells
from analyzer.hosts import first_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.readers.evtx import EvtxLog
    from analyzer.wfp.events import Table

HOUR_NS: Final = 3_600_000_000_000
SECURITY: Final = "Security"
SYSTEM: Final = "System"  # shows every start (6005, 12), of which a Security log that a query exported may say nothing
# Tables whose events would show a start or a policy change.
TELLING: Final[tuple[Table, ...]] = ("host", "rule_change", "filter_change")


@dataclass(frozen=True, slots=True)
class Watched:
    """One computer's covered time: intervals in ns, apart by more than an hour, ascending.

    ``blind`` says that every log of it was exported by a query and holds no event that would show a change.
    """

    intervals: tuple[tuple[int, int], ...]
    blind: bool

    @property
    def first(self) -> int:
        """Return the first covered moment."""
        return self.intervals[0][0]

    @property
    def last(self) -> int:
        """Return the last covered moment."""
        return self.intervals[-1][1]

    def holds(self, moment: int) -> bool:
        """Tell whether a moment lies inside a covered interval or at most an hour after it."""
        return any(low <= moment <= high + HOUR_NS for low, high in self.intervals)

    def between(self, times: NDArray[np.int64], taken: int) -> NDArray[np.bool_]:
        """Tell for each time whether all the way from it to ``taken`` was watched."""
        out = np.zeros(len(times), dtype=bool)
        for low, high in self.intervals:
            if low <= taken <= high + HOUR_NS:
                out |= (times >= low) & (times <= high)
        if self.blind:
            out &= np.abs(times - taken) <= HOUR_NS
        return out


def watched(logs: Sequence[EvtxLog], channel: str = SECURITY) -> dict[str | None, Watched]:
    """Return computer -> what was watched, over the logs of one channel, and over those that name no channel.

    Where a log is of one computer and one channel, all of it counts.
    """
    found: dict[str | None, list[tuple[int, int]]] = {}
    sighted: set[str | None] = set()
    starts: dict[str | None, list[tuple[int, int]]] = {}
    for log in logs:
        for name, low, high in _spans(log, channel):
            found.setdefault(name, []).append((low, high))
            if not log.selective or _tells(log, name):
                sighted.add(name)
        if SYSTEM in log.channels and not log.selective:
            for name, low, high in _spans(log, SYSTEM):
                starts.setdefault(name, []).append((low, high))
    out = {}
    for name, spans in found.items():
        shown = _merged(starts.get(name, []))
        blind = name not in sighted and not all(_inside(span, shown) for span in spans)
        out[name] = Watched(_merged(spans), blind)
    return out


def _inside(span: tuple[int, int], whole: Sequence[tuple[int, int]]) -> bool:
    return any(low <= span[0] and span[1] <= high for low, high in whole)


def with_rings(
    seen: Mapping[str | None, Watched], spans: Sequence[tuple[str | None, int, int]]
) -> dict[str | None, Watched]:
    """Let files of net events watch computers that no log watches; ``spans`` are (computer, first, last) in ns.

    A start empties their ring, so that none lies inside; a policy change stays unseen.
    """
    out = dict(seen)
    rings: dict[str | None, list[tuple[int, int]]] = {}
    for name, first, last in spans:
        if name not in seen:
            rings.setdefault(name, []).append((first, last))
    out.update({name: Watched(_merged(parts), blind=True) for name, parts in rings.items()})
    return out


def _spans(log: EvtxLog, channel: str) -> list[tuple[str | None, int, int]]:
    """Return what time a log covers of one channel, per computer; of several channels, each for its own events."""
    first, last = cells.moment(log.first), cells.moment(log.last)
    pure = not log.channels.keys() - {channel}
    if first is None or last is None or not (pure or channel in log.channels):
        return []
    hosts: dict[str | None, tuple[int, int]] = {}
    for whole in log.tables.values():
        frame = whole if pure else whole[(whole["channel"] == channel).to_numpy(dtype=bool, na_value=False)]
        timed = frame[["computer", "time"]].dropna(subset=["time"])
        grouped = timed.groupby("computer", observed=True, dropna=False)["time"]
        for name, low, high in grouped.agg(["min", "max"]).itertuples():
            one, two = cells.moment(low) or first, cells.moment(high) or last
            known = hosts.get(cells.text(name), (one, two))
            hosts[cells.text(name)] = (min(one, known[0]), max(two, known[1]))
    # A computer may be written with its short name while it starts up.
    alone = pure and len({first_label(name) for name in log.computers}) <= 1
    return [(name, first, last) if alone else (name, *span) for name, span in hosts.items()]


def _tells(log: EvtxLog, name: str | None) -> bool:
    """Tell whether this log holds any event of the computer that would show a start or a change."""
    tables: Mapping[Table, pd.DataFrame] = log.tables
    return any((tables[table]["computer"].map(first_label) == first_label(name)).any() for table in TELLING)


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1] + HOUR_NS:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)
