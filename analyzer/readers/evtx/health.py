"""What is seen over all records of a log: span, computers, channels, and jumps of the record id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from analyzer.readers.evtx.record import System


class Health:
    """Running sums over the records of one file, in file order."""

    def __init__(self) -> None:
        self.records = 0
        self.computers: dict[str, None] = {}
        self.channels: dict[str, int] = {}
        self.gaps: list[tuple[int, int]] = []
        self._chosen = 0  # jumps of the record id where the header numbers run on
        self._first: int | None = None
        self._last: int | None = None
        self._before: tuple[int, int] | None = None  # header number and record id of the record before

    def unreadable(self) -> None:
        """Count a record whose content could not be read; the ids around it are not compared."""
        self.records += 1
        self._before = None

    def see(self, number: int, system: System) -> None:
        """Take in a record with the number of its header."""
        self.records += 1
        if system.computer is not None:
            self.computers.setdefault(system.computer)
        if system.channel is not None:
            self.channels[system.channel] = self.channels.get(system.channel, 0) + 1
        time = system.time
        if time is not None:
            if self._first is None or time < self._first:
                self._first = time
            if self._last is None or time > self._last:
                self._last = time
        if system.record_id is None:
            self._before = None
            return
        if self._before is not None:
            header, record_id = self._before
            # a step back is where a circular log wraps around
            if system.record_id > record_id + 1:
                self.gaps.append((record_id, system.record_id))
                self._chosen += number == header + 1
        self._before = (number, system.record_id)

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
