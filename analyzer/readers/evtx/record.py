"""One record: its system fields, and the row of an event that is in the table of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.readers.evtx import values
from analyzer.readers.evtx.guard import RefusedError
from analyzer.readers.evtx.plan import Plan, Source, make_plan
from analyzer.wfp.events import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.readers.evtx.fragment import Fragment, Fragments
    from analyzer.readers.evtx.plan import Entry
    from analyzer.readers.evtx.rows import Row, RowForm
    from analyzer.readers.evtx.shape import Piece, Shape
    from analyzer.wfp.events import EventSpec

MAX_NESTING: Final = 4  # fragments inside values of fragments; the Security channel uses one
MAX_PLANNED: Final = 100_000  # entries of plans that are kept
_ABSENT: Final = Source(-1, ())


class System(NamedTuple):
    """The system fields of a record; what it does not say is None. ``time`` is in nanoseconds since 1970."""

    provider: str | None
    event_id: int
    version: int
    record_id: int | None
    time: int | None
    computer: str | None
    channel: str | None


class RecordReader:
    """Reads the records of one file. ``complaints`` are the doubts about the record that was read last."""

    def __init__(self, forms: dict[tuple[str, int], RowForm]) -> None:
        self._forms = forms
        self._plans: dict[tuple[Shape, tuple[str, ...]], Plan] = {}
        self._planned = 0
        self.complaints: list[tuple[str, str]] = []  # (what, reason)

    def read(self, fragments: Fragments, start: int, end: int) -> tuple[System, EventSpec | None, list[object] | None]:
        """Read the record whose BinXml is ``data[start:end]``; the row is None for events of no interest.

        Raises
        ------
        RefusedError
            When the record cannot be read.
        """
        self.complaints.clear()
        root = fragments.read(start, end)
        plan = self._plan(root.shape, ())
        system = self._system(fragments, root, plan)
        if system is None:
            system = self._nested_system(fragments, root, plan)
        spec = find(system.provider, system.event_id)
        if spec is None:
            return system, None, None
        row = self._forms[spec.provider, spec.event_id].start()
        try:
            self._fields(fragments, root, plan, row, 0)
        except RefusedError as error:
            self._complain(f"fields of this event could not be read: {error}", "fields of an event could not be read")
        return system, spec, row.cells

    def _plan(self, shape: Shape, above: tuple[str, ...]) -> Plan:
        plan = self._plans.get((shape, above))
        if plan is None:
            plan = make_plan(shape, above)
            self._planned += len(shape.leaves) + 1
            if self._planned > MAX_PLANNED:
                self._plans.clear()
                self._planned = 0
            self._plans[shape, above] = plan
        return plan

    def _complain(self, what: str, reason: str) -> None:
        self.complaints.append((what, reason))

    # -- system fields ---------------------------------------------------------------------------------------

    def _system(self, fragments: Fragments, fragment: Fragment, plan: Plan) -> System | None:
        get = plan.system.get
        event_id = _number(fragments, fragment, get("event_id", _ABSENT))
        if event_id is None:
            return None
        version = _number(fragments, fragment, get("version", _ABSENT))
        if event_id > 0xFFFFFFFF or (version or 0) > 0xFFFF:
            raise RefusedError("its event id or version is no such number")
        return System(
            provider=_words(fragments, fragment, get("provider", _ABSENT)),
            event_id=event_id & 0xFFFF,
            version=version or 0,
            record_id=_number(fragments, fragment, get("record_id", _ABSENT)),
            time=self._time(fragments, fragment, get("time", _ABSENT)),
            computer=_words(fragments, fragment, get("computer", _ABSENT)),
            channel=_words(fragments, fragment, get("channel", _ABSENT)),
        )

    def _nested_system(self, fragments: Fragments, root: Fragment, plan: Plan) -> System:
        """Look for the system fields in the fragments that are nested one level down."""
        for path, inner in self._inserted(fragments, root, plan):
            system = self._system(fragments, inner, self._plan(inner.shape, path))
            if system is not None:
                return system
        raise RefusedError("it has no event id")

    def _inserted(
        self, fragments: Fragments, fragment: Fragment, plan: Plan
    ) -> Iterator[tuple[tuple[str, ...], Fragment]]:
        for path, index in plan.inserts:
            if index < len(fragment.types) and fragment.types[index] == values.BINXML:
                start, end = fragment.starts[index], fragment.starts[index + 1]
                if end > start:
                    yield path, fragments.read(start, end)

    def _time(self, fragments: Fragments, fragment: Fragment, source: Source) -> int | None:
        index = source.slot
        if 0 <= index < len(fragment.types) and fragment.types[index] == values.FILETIME:
            start, end = fragment.starts[index], fragment.starts[index + 1]
            if end - start == 8:
                time = values.filetime_ns(int.from_bytes(fragments.data[start:end], "little"))
                if time is None:
                    self._complain("the time of this record is outside the years 1678 to 2262", "a time out of range")
                return time
        text = _words(fragments, fragment, source)
        time = values.iso_ns(text) if text else None
        if time is None:
            self._complain("the time of this record cannot be read", "a time that cannot be read")
        return time

    # -- event fields ----------------------------------------------------------------------------------------

    def _fields(self, fragments: Fragments, fragment: Fragment, plan: Plan, row: Row, depth: int) -> None:
        data, types, starts = fragments.data, fragment.types, fragment.starts
        for entry in plan.entries:
            slot = entry.source.slot
            if slot < 0:
                row.put_text(_entry_name(fragments, fragment, entry), _joined(fragments, fragment, entry.source.pieces))
                continue
            if slot >= len(types):
                continue
            kind, start, end = types[slot], starts[slot], starts[slot + 1]
            if kind == values.NULL or start == end:
                continue
            if kind == values.BINXML:
                self._inner(fragments, fragments.read(start, end), entry.path, row, depth)
                continue
            name = _entry_name(fragments, fragment, entry)
            fragments.charge(end - start)
            try:
                if kind & values.ARRAY:
                    for item_kind, item in values.items(kind, data[start:end]):
                        fragments.charge(len(name))
                        row.put(name, item_kind, item)
                else:
                    row.put(name, kind, data[start:end])
            except values.BadValueError as error:
                row.put_raw(name, data[start:end])
                self._complain(f"field {name} is {error}; kept as hex text", "a field whose bytes do not fit its type")
        for path, inner in self._inserted(fragments, fragment, plan):
            self._inner(fragments, inner, path, row, depth)

    def _inner(self, fragments: Fragments, inner: Fragment, path: tuple[str, ...], row: Row, depth: int) -> None:
        if depth >= MAX_NESTING:
            raise RefusedError(f"more than {MAX_NESTING} fragments inside each other")
        self._fields(fragments, inner, self._plan(inner.shape, path), row, depth + 1)


def _value(data: bytes, fragment: Fragment, index: int) -> tuple[int, bytes] | None:
    """Return type and bytes of a substitution, None where it is absent or null."""
    if index >= len(fragment.types):
        return None
    start, end = fragment.starts[index], fragment.starts[index + 1]
    kind = fragment.types[index]
    return None if kind == values.NULL or start == end else (kind, data[start:end])


def _joined(fragments: Fragments, fragment: Fragment, pieces: tuple[Piece, ...]) -> str:
    """Put pieces together; a single constant stays one object."""
    out = []
    for piece in pieces:
        text: str | None = None
        if isinstance(piece, str):
            text = piece
        else:
            value = _value(fragments.data, fragment, piece)
            if value is not None:
                try:
                    text = values.text(*value)
                except values.BadValueError:
                    text = value[1].hex().upper()
        if text:
            out.append(text)
            if len(pieces) > 1:
                fragments.charge(len(text))
    return "".join(out)


def _entry_name(fragments: Fragments, fragment: Fragment, entry: Entry) -> str:
    if entry.name is None:
        return _joined(fragments, fragment, entry.label) or entry.path[-1]
    fragments.charge(len(entry.name))
    return entry.name


def _words(fragments: Fragments, fragment: Fragment, source: Source) -> str | None:
    return _joined(fragments, fragment, source.pieces) or None


def _number(fragments: Fragments, fragment: Fragment, source: Source) -> int | None:
    if source.slot >= 0:
        value = _value(fragments.data, fragment, source.slot)
        if value is None:
            return None
        try:
            number = values.integer(*value)
        except values.BadValueError as error:
            raise RefusedError(f"a system field holds {error}") from error
        if number is not None:
            return number if number >= 0 else None
    return values.number_of_text(_joined(fragments, fragment, source.pieces))
