"""Events of a text export, one by one, into the frames of a log: the same that the binary reader gives."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer import frames
from analyzer.readers import eventfields
from analyzer.readers.eventorder import by_source
from analyzer.readers.eventstream import Window, clean
from analyzer.readers.evtx.careful import Read
from analyzer.readers.evtx.columns import Piece, TableColumns
from analyzer.readers.evtx.health import Health, Seen
from analyzer.readers.evtx.log import EvtxLog
from analyzer.readers.evtx.mixed import mix
from analyzer.readers.evtx.problems import Problems
from analyzer.readers.evtx.record import System
from analyzer.readers.evtx.rows import FORMS
from analyzer.wfp.events import EVENTS, TABLES, EventSpec, find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.readers.eventstream import Progress
    from analyzer.readers.eventtime import Time
    from analyzer.wfp.events import Table

CLEARED: Final = 1102
_WAIT: Final = 1 << 15  # rows that wait before they become columns
_DIGITS: Final = 7  # decimals of a second that a log stores
MAX_LOST: Final = 100_000  # records that cannot be read, after which a file is given up
MAX_FIELDS: Final = 4096  # of one event; the largest real ones have a few dozen
_CODES: Final = {(spec.provider, spec.event_id): eventfields.code_columns(spec) for spec in EVENTS.values()}
_TELLING: Final = frozenset({"wfp", "process"})  # tables whose events say nothing without fields
_WRITER: Final = frozenset({"processid"})
_UNREADABLE: Final = "the time of this record cannot be read"


@dataclass(slots=True)
class Event:
    """One event as its export writes it, before its fields are told apart.

    ``time`` is None where there is none; ``zone`` says how a time without zone became UTC: ``None`` (it had one, or
    the format says UTC), ``"assumed"``, or ``"reckoned"`` from two clocks of the shipper. ``fields`` are the named
    values of EventData or UserData, in order. ``doubts`` are (what, reason). ``plain`` says that all texts are known to
    hold nothing that has to be replaced.
    """

    provider: str | None = None
    guid: str | None = None
    event_id: int = 0
    version: int = 0
    record_id: int | None = None
    time: Time | None = None
    zone: str | None = None
    computer: str | None = None
    channel: str | None = None
    fields: list[tuple[str, str]] = field(default_factory=list)
    doubts: list[tuple[str, str]] = field(default_factory=list)
    plain: bool = False


class Rows:
    """The log of one file while it grows. ``problems`` takes what could not be read."""

    def __init__(self, name: str) -> None:
        self.problems = Problems(name)
        self._columns = {table: TableColumns(table, name) for table in TABLES}
        self._waiting: list[Read] = []
        self._ids = array("Q")
        self._has_id = array("b")
        self._times = array("q")
        self._computers: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._computer = array("i")
        self._channel = array("i")
        self._zones = {"assumed": 0, "reckoned": 0}
        self._coarse = [0] * _DIGITS  # events by the decimals of their times
        self.events = 0
        self.losses = 0

    # -- one record ------------------------------------------------------------------------------------------

    def lost(self, offset: int, line: int, what: str, reason: str) -> None:
        """Count a record that cannot be read, and report it."""
        self.problems.add("lost", place(offset, line), what, reason=reason)
        self.losses += 1
        if self.hopeless():
            what = f"{MAX_LOST} pieces of this file cannot be read, more than can be: given up here"
            self.problems.add("lost", place(offset, line), what)
        self._see(None)

    def hopeless(self) -> bool:
        """Whether so much cannot be read that the rest is not worth the time."""
        return self.losses >= MAX_LOST and self.losses > self.events

    def add(self, offset: int, line: int, event: Event) -> None:
        """Take in an event; ``offset`` is its byte in the file."""
        where = place(offset, line, event.record_id)
        spec = self._spec(event, where)
        system = System(
            spec.provider if spec is not None and event.provider is None else event.provider,
            event.event_id,
            event.version,
            event.record_id,
            None if event.time is None else event.time.ns,
            event.computer,
            event.channel,
        )
        self._see(system)
        self.events += 1
        if event.time is None:
            self.problems.add("doubtful", where, _UNREADABLE, reason="a time that cannot be read")
        else:
            self._coarse[min(event.time.digits, _DIGITS - 1)] += event.time.digits < _DIGITS
            if event.zone is not None:
                self._zones[event.zone] += 1
        if spec is None:
            return
        for what, reason in event.doubts:
            self.problems.add("doubtful", where, what, reason=reason)
        if not _tells(spec, event):
            self._mute(event, where)
            return
        cells = self._cells(spec, event, where)
        self._waiting.append(Read(offset, len(self._times), system, spec, cells))
        if spec.event_id == CLEARED and event.time is not None:
            when = f"{pd.Timestamp(event.time.ns, unit='ns', tz='UTC'):%Y-%m-%d %H:%M:%S} UTC"
            what = f"the log was cleared at {when}: what it held before is gone"
            self.problems.add("note", where, what, reason="the log was cleared")
        if len(self._waiting) >= _WAIT:
            self._flush()

    def _spec(self, event: Event, where: str) -> EventSpec | None:
        """Return what is known about an event, by provider and id; its provider's name is made the log's."""
        event.provider = eventfields.provider_of(event.provider, event.guid)
        if event.provider is not None:
            return find(event.provider, event.event_id)
        spec = eventfields.spec_by_channel(event.channel, event.event_id, [name for name, _ in event.fields])
        if spec is not None:
            what = (
                f"names no provider: taken for {spec.provider}, the only one of its channel with event {spec.event_id}"
            )
            self.problems.add("note", where, what, reason="no provider is named: it was taken from the channel")
        elif any(item.table in _TELLING for item in eventfields.specs_of_channel(event.channel, event.event_id)):
            self._mute(event, where)
        return spec

    def _mute(self, event: Event, where: str) -> None:
        what = f"holds none of the fields of event {event.event_id}: what it said is lost"
        self.problems.add("lost", where, what, reason="events without their fields")

    def _cells(self, spec: EventSpec, event: Event, where: str) -> list[object]:
        row = FORMS[spec.provider, spec.event_id].start()
        if not event.plain:
            self._clean(event, where)
        for name, text in event.fields[:MAX_FIELDS]:
            row.put_text(name, eventfields.field_text(name, text))
        if len(event.fields) > MAX_FIELDS:
            what = f"has {len(event.fields)} fields: those behind the first {MAX_FIELDS} are left out"
            self.problems.add("lost", where, what, reason="an event with too many fields")
        cells = row.cells
        for at, known in _CODES[spec.provider, spec.event_id]:
            value = cells[at]
            if isinstance(value, str) and not value.startswith("%%"):
                code = known.get(value.strip().casefold())
                if code is not None:
                    cells[at] = code
                else:
                    what = f"the text {value[:80]!r} stands for a message code and is not known: kept as it is"
                    self.problems.add("doubtful", where, what, reason="message codes as texts that are not known")
        return cells

    def _clean(self, event: Event, where: str) -> None:
        """Replace in the fields what no text may hold."""
        for at, (name, text) in enumerate(event.fields[:MAX_FIELDS]):
            cleaned = clean(text)
            if clean(name) != name:
                what = f"the name of field {clean(name)[:80]} holds characters that are no text: its value is lost"
                self.problems.add("doubtful", where, what, reason="names of fields that are no text")
            if cleaned != text.rstrip("\0"):
                what = f"field {clean(name)[:80]} holds characters that are no text: replaced by U+FFFD"
                self.problems.add("doubtful", where, what, reason="characters that are no text")
            event.fields[at] = clean(name), cleaned

    def _see(self, system: System | None) -> None:
        record_id = None if system is None else system.record_id
        time = None if system is None else system.time
        self._ids.append(record_id or 0)
        self._has_id.append(record_id is not None)
        self._times.append(frames.NAT if time is None else time)
        self._computer.append(_code(None if system is None else system.computer, self._computers))
        self._channel.append(_code(None if system is None else system.channel, self._channels))

    def _flush(self) -> None:
        pieces: dict[Table, Piece] = {}
        mix(pieces, self._waiting)
        self._waiting.clear()
        for table, piece in pieces.items():
            self._columns[table].add(piece)

    # -- the whole file --------------------------------------------------------------------------------------

    def result(self) -> EvtxLog:
        """Return the log; the rows are empty afterwards."""
        self._flush()
        seen = self._seen()
        health, order = Health(), Health()
        health.see(seen)
        order.see(by_source(seen))  # an export may mix computers, and list the newest first
        order.report(self.problems)
        self._report_times()
        return EvtxLog(
            tables={table: self._columns[table].build() for table in TABLES},
            problems=self.problems.collect(),
            records=health.records,
            first=health.first,
            last=health.last,
            computers=tuple(health.computers),
            channels=health.channels,
            selective=order.selective,
            id_gaps=tuple(order.gaps),
        )

    def _seen(self) -> Seen:
        count = len(self._times)
        return Seen(
            np.arange(1, count + 1, dtype=np.uint64),
            np.array(self._ids, dtype=np.uint64),
            np.array(self._has_id, dtype=np.int8).astype(bool),
            np.array(self._times, dtype=np.int64),
            np.array(self._computer, dtype=np.int64),
            np.array(self._channel, dtype=np.int64),
            list(self._computers),
            list(self._channels),
        )

    def _report_times(self) -> None:
        if count := self._zones["assumed"]:
            what = f"the times of {count} events name no time zone: read as UTC, and wrong by hours where they are not"
            self.problems.add("doubtful", None, what)
        if count := self._zones["reckoned"]:
            what = f"the times of {count} events are local: their zone follows from the shipper's own two clocks"
            self.problems.add("note", None, what)
        if count := sum(self._coarse):
            digits = next(at for at, events in enumerate(self._coarse) if events)
            unit = "whole seconds" if not digits else f"{digits} decimals of a second"
            what = f"the times of {count} events are coarser than in a log, down to {unit}: their order may be open"
            self.problems.add("note", None, what)


def read_export(path: Path, name: str, progress: Progress | None, run: Callable[[Window, Rows], object]) -> EvtxLog:
    """Read a text export: ``run`` puts the events that it finds in the window into the rows.

    Raises
    ------
    OSError
        When the file cannot be opened or read.
    """
    rows = Rows(name)
    with Window(path, rows.problems, progress) as window:
        run(window, rows)
        window.changed()
    if not rows.events:
        rows.problems.add("lost", None, "no event was found in it")
    return rows.result()


def place(offset: int, line: int, record_id: int | None = None) -> str:
    """Return the place of a record, in words that the reader of a report can look up."""
    where = f"line {line}, offset 0x{offset:x}"
    return where if record_id is None else f"{where}, record {record_id}"


def _tells(spec: EventSpec, event: Event) -> bool:
    """Tell whether an event says more than its id and time; a process id alone is that of the record's writer."""
    if spec.table not in _TELLING:
        return True
    known = {item.name.lower() for item in spec.fields} - _WRITER
    return any(name.lower() in known for name, _ in event.fields)


def _code(text: str | None, known: dict[str, int]) -> int:
    return -1 if text is None else known.setdefault(text, len(known))
