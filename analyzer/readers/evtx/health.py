"""What is seen over all records of a log: span, computers, channels, jumps and repeats of the record id, the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import frames
from analyzer.readers.evtx.gather import factorize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.readers.evtx.careful import Read
    from analyzer.readers.evtx.gather import I64, U64, Flags
    from analyzer.readers.evtx.problems import Sink

CLOCK_STEP: Final = 2_000_000_000  # ns; sessions of several processors write records out of order by less
_ONE: Final = np.uint64(1)


class Seen(NamedTuple):
    """Records in file order, arrays of shape (n,).

    ``number`` stands in the record's header, ``record_id`` counts where ``has_id``; ``time`` is in nanoseconds since
    1970 or NaT; ``computer`` and ``channel`` are positions in the lists, -1 for none; what is not ``readable`` has
    neither.
    """

    number: U64
    record_id: U64
    has_id: Flags
    time: I64
    computer: I64
    channel: I64
    computers: list[str]
    channels: list[str]


def seen(reads: Sequence[Read]) -> Seen:
    """Return what the careful way read."""
    computers: dict[str, int] = {}
    channels: dict[str, int] = {}
    systems = [read.system for read in reads]
    ids = [None if system is None else system.record_id for system in systems]
    times = [None if system is None else system.time for system in systems]
    return Seen(
        np.array([read.number for read in reads], dtype=np.uint64),
        np.array([item or 0 for item in ids], dtype=np.uint64),
        np.array([item is not None for item in ids], dtype=bool),
        np.array([frames.NAT if item is None else item for item in times], dtype=np.int64),
        _codes([None if system is None else system.computer for system in systems], computers),
        _codes([None if system is None else system.channel for system in systems], channels),
        list(computers),
        list(channels),
    )


def _codes(texts: list[str | None], known: dict[str, int]) -> I64:
    return np.array([-1 if text is None else known.setdefault(text, len(known)) for text in texts], dtype=np.int64)


class Health:
    """Running sums over the records of one file, in file order."""

    def __init__(self) -> None:
        self.records = 0
        self.computers: dict[str, int] = {}
        self.channels: dict[str, int] = {}
        self.gaps: list[tuple[int, int]] = []
        self._chosen = 0  # jumps of the record id where the header numbers run on
        self._first: int | None = None
        self._last: int | None = None
        self._before: tuple[int, int, int, int] | None = None  # number, record id, time and computer of the last
        self._ids: list[U64] = []
        self._sources: list[I64] = []  # computer and channel of each id, as one number
        self._channel_numbers: dict[str, int] = {}
        self._steps = 0  # of the clock backwards
        self._largest_step: tuple[int, int, int] | None = None  # size, record id, time before

    def see(self, part: Seen) -> None:
        """Take in the next records of the file."""
        self.records += len(part.number)
        computer = _renumber(part.computer, part.computers, self.computers)
        for name, count in _counts(part.channel, part.channels):
            self.channels[name] = self.channels.get(name, 0) + count
        times = part.time[part.time != frames.NAT]
        if len(times):
            low, high = int(times.min()), int(times.max())
            self._first = low if self._first is None else min(self._first, low)
            self._last = high if self._last is None else max(self._last, high)
        self._see_ids(part, computer)

    def _see_ids(self, part: Seen, computer: I64) -> None:
        """Compare each record with the one before it; where one has no id, neither pair is compared."""
        number, record_id, has_id, time = part.number, part.record_id, part.has_id, part.time
        if self._before is not None:
            before = self._before
            number = np.concatenate([np.array([before[0]], dtype=np.uint64), number])
            record_id = np.concatenate([np.array([before[1]], dtype=np.uint64), record_id])
            has_id = np.concatenate([[True], has_id])
            time = np.concatenate([[before[2]], time])
            computer = np.concatenate([[before[3]], computer])
        pair = has_id[1:] & has_id[:-1]
        onward = pair & (record_id[1:] > record_id[:-1])
        # a step back is where a circular log wraps around
        gap = np.flatnonzero(onward & (record_id[1:] - record_id[:-1] > _ONE))
        self.gaps.extend(zip(record_id[gap].tolist(), record_id[gap + 1].tolist(), strict=True))
        self._chosen += int((number[gap + 1] == number[gap] + _ONE).sum())
        timed = (time[1:] != frames.NAT) & (time[:-1] != frames.NAT) & (computer[1:] == computer[:-1])
        self._see_clock(np.flatnonzero(onward & timed & (time[1:] < time[:-1])), record_id, time)
        if len(has_id):
            last = (int(number[-1]), int(record_id[-1]), int(time[-1]), int(computer[-1]))
            self._before = last if has_id[-1] else None
        mine = part.has_id
        if mine.all():
            self._ids.append(part.record_id)
        else:
            self._ids.append(part.record_id[mine])
        channel = _renumber(part.channel, part.channels, self._channel_numbers)
        source = ((computer[-len(mine) :] << 32) + channel)[mine] if len(mine) else channel
        self._sources.append(source[:1] if len(source) and (source == source[0]).all() else source)

    def _see_clock(self, steps: I64, record_id: U64, time: I64) -> None:
        """Take in pairs of records, the later written of which has the earlier time."""
        # as differences of neighbours in 64 bits may overflow, they are taken as unsigned
        size = time[steps].astype(np.uint64) - time[steps + 1].astype(np.uint64)
        large = size > np.uint64(CLOCK_STEP)
        self._steps += int(large.sum())
        if large.any():
            at = int(np.argmax(size))
            step = (int(size[at]), int(record_id[steps[at] + 1]), int(time[steps[at]]))
            self._largest_step = max(self._largest_step or step, step)

    def report(self, problems: Sink) -> None:
        """Report repeats of record ids, and the clock where it went back."""
        repeats, example = self._repeats()
        if repeats:
            problems.add(
                "doubtful",
                f"record {example}",
                f"{repeats} records repeat the id of another record of this file (this is one of them); all are kept,"
                " counts may be too high",
            )
        if self._largest_step is not None:
            size, record_id, before = self._largest_step
            problems.add(
                "note",
                f"record {record_id}",
                f"the clock went back {self._steps} times, most before this record: by {size / 1e9:.1f} s, from"
                f" {pd.Timestamp(before, unit='ns', tz='UTC').isoformat()}",
            )

    def _repeats(self) -> tuple[int, int]:
        """Return how many records repeat an id of the same computer and channel, and one such id."""
        ids = np.concatenate(self._ids) if self._ids else np.zeros(0, dtype=np.uint64)
        if len(ids) < 2 or (ids[1:] > ids[:-1]).all():
            return 0, 0
        whole = [
            np.broadcast_to(source, len(part)) if len(source) == 1 else source
            for part, source in zip(self._ids, self._sources, strict=True)
        ]
        order = np.lexsort((ids, np.concatenate(whole)))
        sorted_ids, sorted_sources = ids[order], np.concatenate(whole)[order]
        same = (sorted_ids[1:] == sorted_ids[:-1]) & (sorted_sources[1:] == sorted_sources[:-1])
        return int(same.sum()), int(sorted_ids[1:][same][0]) if same.any() else 0

    @property
    def selective(self) -> bool:
        """Whether the ids jump while the header numbers run on, mostly: exported by a query."""
        return 2 * self._chosen > len(self.gaps)

    @property
    def first(self) -> pd.Timestamp | None:
        """The earliest time."""
        return None if self._first is None else pd.Timestamp(self._first, unit="ns", tz="UTC")

    @property
    def last(self) -> pd.Timestamp | None:
        """The latest time."""
        return None if self._last is None else pd.Timestamp(self._last, unit="ns", tz="UTC")


def _counts(codes: I64, names: list[str]) -> list[tuple[str, int]]:
    """Return the names that occur with their counts, in order of appearance."""
    present = codes[codes >= 0]
    if not len(present):
        return []
    distinct, first = factorize(present)
    counts = np.bincount(distinct, minlength=len(first))
    return [(names[present[at]], int(count)) for at, count in zip(first.tolist(), counts.tolist(), strict=True)]


def _renumber(codes: I64, names: list[str], known: dict[str, int]) -> I64:
    """Return codes by the numbers of ``known``, which takes in new names in order of appearance."""
    for name, _ in _counts(codes, names):
        known.setdefault(name, len(known))
    table = np.array([*(known.get(name, -1) for name in names), -1], dtype=np.int64)
    return table[codes]


def merge(one: Seen, two: Seen, order: I64) -> Seen:
    """Return the records of both in the given order."""
    computer = np.where(two.computer >= 0, two.computer + len(one.computers), -1)
    channel = np.where(two.channel >= 0, two.channel + len(one.channels), -1)
    return Seen(
        np.concatenate([one.number, two.number])[order],
        np.concatenate([one.record_id, two.record_id])[order],
        np.concatenate([one.has_id, two.has_id])[order],
        np.concatenate([one.time, two.time])[order],
        np.concatenate([one.computer, computer])[order],
        np.concatenate([one.channel, channel])[order],
        one.computers + two.computers,
        one.channels + two.channels,
    )
