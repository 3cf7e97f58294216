"""The history of filters: what each run-time id was, from when to when, by 5441 and 5447 (REFERENCE 1.6).

An id means one filter inside one epoch (from one start of the filter engine to the next) until 5447 deletes it. A
lifetime whose beginning or end was not logged stays open there, and :meth:`History.as_of` says for each event whether
every change between it and the record that tells is at hand; where records may be missing, nothing is sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import epochs, frames, lifetimes
from analyzer.lifetimes import LAST
from analyzer.markers import NO_TIME, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.epochs import Bounds
    from analyzer.lifetimes import Lives
    from analyzer.readers.evtx import EvtxLog
    from analyzer.watch import Watched
    from analyzer.wfp.events import Table

# Measured: the records of one policy change stand within two seconds (984 and 1,430 changes), and the traffic that
# meets a new filter is logged before the record of its addition. Others are written seconds late (REFERENCE 8).
LAG: Final = 5_000_000_000
TABLES: Final[tuple[Table, ...]] = ("filter_change", "host", "rule_change")


class Status(IntEnum):
    """What the history says of an event's run-time id at the event's time."""

    UNKNOWN = 0  # nothing: no lifetime of this id in this epoch
    ALIVE = 1
    GONE = 2  # deleted before the event
    LATER = 3  # added after the event


@dataclass(frozen=True, slots=True)
class AsOf:
    """The history's word on ``n`` events.

    ``life`` is a row of the LIFETIMES frame (-1: none), ``status`` one of :class:`Status`, ``sure`` whether no record
    between the event and the one that tells may be missing, ``distance`` ns from the event to that record.
    """

    life: NDArray[np.int64]
    status: NDArray[np.int8]
    sure: NDArray[np.bool_]
    distance: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class History:
    """Lifetimes of filters (LIFETIMES), epochs (EPOCHS), and what is needed to ask for a time."""

    lifetimes: pd.DataFrame
    epochs: pd.DataFrame
    hosts: dict[str | None, str]
    lives: dict[str, Lives]
    bounds: dict[str, Bounds]

    def as_of(self, computer: str | None, events: pd.DataFrame) -> AsOf:
        """Ask what each event's run-time id was at the event's time.

        Parameters
        ----------
        computer : the computer of all these events.
        events : columns ``filter_rtid``, ``time``, ``record_id``; n rows.
        """
        count = len(events)
        out = AsOf(
            np.full(count, -1, np.int64),
            np.zeros(count, np.int8),
            np.zeros(count, bool),
            np.full(count, LAST, np.int64),
        )
        host = self.hosts.get(computer)
        lives = self.lives.get(host) if host is not None else None
        if host is None or lives is None:
            return out
        ids = events["filter_rtid"].to_numpy(dtype="uint64", na_value=0)
        times = nanoseconds(events["time"])
        here = np.flatnonzero((ids != 0) & (times != NO_TIME) & np.isin(ids, lives.ids))
        if len(here):
            records = lifetimes.record_numbers(events["record_id"])[here]
            _ask(lives, self.bounds[host], ids[here], times[here], records, here, out)
        return out


def recall(
    tables: Mapping[Table, pd.DataFrame], watch: Mapping[str | None, Watched], logs: Sequence[EvtxLog] = ()
) -> History | None:
    """Build the history, or None where the logs hold no 5441 and no 5447.

    Parameters
    ----------
    tables : all event tables.
    watch : computer -> what time its logs cover.
    logs : the logs themselves, for their gaps of record ids.
    """
    frame = tables["filter_change"]
    telling = frame["event_id"].isin([epochs.PRESENT, epochs.CHANGED]).to_numpy()
    if not telling.any():
        return None
    names = {str(name) for table in TABLES for name in tables[table]["computer"].cat.categories}
    hosts = epochs.host_keys([*names, *(name for name in watch if name is not None)])
    lives: dict[str, Lives] = {}
    bounds: dict[str, Bounds] = {}
    parts, epoch_columns, start, first_epoch = [], [], 0, 0
    for host, own in epochs.by_host(tables, TABLES, hosts).items():
        if "filter_change" not in own:
            continue
        spans = [span for name, seen in watch.items() if hosts.get(name) == host for span in seen.intervals]
        mine = [log for log in logs if any(hosts.get(name) == host for name in log.computers)]
        bounds[host], starts = epochs.bounds(host, own, spans, mine, hosts)
        epoch_columns.append(epochs.epoch_columns(host, bounds[host], starts, own))
        part, lives[host] = lifetimes.read(host, own["filter_change"], bounds[host], (start, first_epoch))
        parts.append(part)
        start += len(part)
        first_epoch += len(starts) + 1
    every = {name: [cell for part in epoch_columns for cell in part[name]] for name in frames.EPOCHS}
    return History(frames.concat(parts, frames.LIFETIMES), frames.build(every, frames.EPOCHS), hosts, lives, bounds)


# ---------------------------------------------------------------------------------------------------------------
# From lifetimes to events


def _ask(
    lives: Lives,
    bound: Bounds,
    ids: NDArray[np.uint64],
    times: NDArray[np.int64],
    records: NDArray[np.int64],
    here: NDArray[np.intp],
    out: AsOf,
) -> None:
    """Fill ``out`` at the positions ``here``: one sorted search for all events."""
    count = len(lives.ids)
    # Places in one order of time and record number; of equals a beginning comes first, then the event, then an end.
    place = _places(
        (lives.begin, lives.begin_record, 0), (times, np.where(records < 0, LAST, records), 1),
        (lives.end, np.where(lives.end == LAST, LAST, lives.end_record), 2),
    )  # fmt: skip
    begin, event, end = place[:count], place[count : count + len(times)], place[count + len(times) :]
    distinct, code = np.unique(lives.ids, return_inverse=True)
    wanted = np.searchsorted(distinct, ids)
    size = len(place) + 1
    found = np.searchsorted(code * size + begin, wanted * size + event, side="right") - 1
    epoch = bound.epoch(times)

    def same(at: NDArray[np.int64]) -> NDArray[np.bool_]:
        inside = (at >= 0) & (at < count)
        safe = np.clip(at, 0, count - 1)
        result: NDArray[np.bool_] = inside & (lives.ids[safe] == ids) & (lives.epoch[safe] == epoch)
        return result

    begun, follows = same(found), same(found + 1)
    held = np.maximum(found, 0)  # the lifetime that began last
    next_one = np.minimum(found + 1, count - 1)
    alive = begun & (event < end[held])
    # Records of one change are written one after the other, and those of the traffic between them (see LAG).
    just = begun & ~alive & (times - lives.end[held] <= LAG)
    soon = follows & ~alive & (lives.told_from[next_one] != NO_TIME) & (lives.begin[next_one] - times <= LAG)
    later = follows & ~begun & ~soon
    gone = begun & ~alive & ~just & ~soon
    life = np.where((soon & ~just) | later, next_one, held)
    told_from, told_to = lives.told_from[life], lives.told_to[life]
    whole = [
        _whole(bound, told_from, times) | _whole(bound, times, told_to),  # alive: one of its ends tells
        _whole(bound, told_to, times),  # gone: nothing was added since
        _whole(bound, times, told_from),  # later: nothing was deleted until then
    ]
    alive |= just | soon
    sure = np.select([alive, gone, later], whole, default=False) & lives.sound[life] & ~(just & soon)
    sure = sure & ~_twice(lives, bound, ids, times)
    nearest = np.minimum(_apart(times, told_from), _apart(times, told_to))
    told = alive | gone | later
    out.life[here] = np.where(told, lives.rows[life], -1)
    out.status[here] = np.select([alive, gone, later], [Status.ALIVE, Status.GONE, Status.LATER], Status.UNKNOWN)
    out.sure[here] = sure & told
    out.distance[here] = np.where(told, nearest, LAST)


def _places(*groups: tuple[NDArray[np.int64], NDArray[np.int64], int]) -> NDArray[np.int64]:
    """Return the place of each (time, record, rank) in their common order, all groups one after the other."""
    times = np.concatenate([group[0] for group in groups])
    records = np.concatenate([group[1] for group in groups])
    ranks = np.concatenate([np.full(len(group[0]), group[2]) for group in groups])
    order = np.lexsort((ranks, records, times))
    out = np.empty(len(times), np.int64)
    out[order] = np.arange(len(times))
    return out


def _whole(bound: Bounds, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell for pairs of times, whichever comes first, whether all records between them are at hand."""
    return bound.covered(np.minimum(one, other), np.maximum(one, other))


def _apart(times: NDArray[np.int64], told: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(told == NO_TIME, LAST, np.abs(times - np.where(told == NO_TIME, times, told)))


def _twice(lives: Lives, bound: Bounds, ids: NDArray[np.uint64], times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell where the clock ran twice through the event's time and through a change of its id."""
    out = np.zeros(len(times), bool)
    for low, high in bound.back:
        inside = (times >= low) & (times <= high)
        if inside.any():
            moved = [(told >= low) & (told <= high) for told in (lives.told_from, lives.told_to)]
            out |= inside & np.isin(ids, lives.ids[moved[0] | moved[1]])
    return out
