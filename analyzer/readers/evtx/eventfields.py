"""The fields of the events that are read: from the values of nested and outer templates into columns of tables.

First each value is only *placed*: its offset, size and type go, as one packed number, to its row and column. Then each
column of a table is read once for the whole block, whatever templates its values came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer import frames
from analyzer.readers.evtx import values
from analyzer.readers.evtx.cells import Work, read_columns
from analyzer.readers.evtx.fieldplan import field_plan
from analyzer.readers.evtx.gather import factorize
from analyzer.readers.evtx.instances import Instances, packed, read_instances, read_values
from analyzer.readers.evtx.plan import make_plan
from analyzer.readers.evtx.system import MIN_GROUP, split
from analyzer.wfp.events import TABLES

if TYPE_CHECKING:
    from analyzer.readers.evtx.block import Shared
    from analyzer.readers.evtx.columns import Piece
    from analyzer.readers.evtx.fieldplan import FieldPlan
    from analyzer.readers.evtx.gather import I64, U8, Flags
    from analyzer.readers.evtx.instances import Values
    from analyzer.readers.evtx.system import Group, System
    from analyzer.wfp.events import EventSpec, Table

INNER: Final = 1 << 16  # slots of the nested template count from here


class _Nested(NamedTuple):
    """Where the nested fragment of each record is, shape (n,): from ``at`` to ``end``, in value ``slot``; -1: none."""

    at: I64
    end: I64
    slot: I64


class EventRows:
    """The rows of all tables of a block, before and after their columns are read."""

    def __init__(self, block: U8, system: System, tables: dict[Table, Work], cost: I64) -> None:
        self.cost = cost
        self._records: dict[Table, I64] = {}
        self._pieces: dict[Table, Piece] = {}
        for table, work in tables.items():
            self._records[table] = work.records
            self._pieces[table] = read_columns(block, work, system.careful)

    def drop(self, careful: Flags) -> None:
        """Drop the rows of records that are read with care."""
        for table, piece in self._pieces.items():
            records = self._records[table]
            keep = ~careful[records]
            if keep.all():
                continue
            self._records[table] = records[keep]
            piece.rows = int(keep.sum())
            piece.numbers = {
                name: (number[keep], None if missing is None else missing[keep])
                for name, (number, missing) in piece.numbers.items()
            }
            piece.texts = {name: (part[0][keep], part[1]) for name, part in piece.texts.items()}
            if piece.extra is not None:
                piece.extra = (piece.extra[0][keep], piece.extra[1])

    def pieces(self, offset: I64, system: System) -> dict[Table, Piece]:
        """Return the tables, with the System columns; ``offset`` (n,) is that of each record in the file."""
        for table, piece in self._pieces.items():
            rows = self._records[table]
            piece.plain = {
                "offset": offset[rows],
                "event_id": system.event_id[rows].astype(np.int32),
                "version": system.version[rows].astype(np.int32),
                "time": system.time[rows],
            }
            piece.numbers["record_id"] = (system.record_id[rows], ~system.has_id[rows])
            for name, (codes, texts) in system.texts.items():
                piece.texts[name] = (codes[rows], texts)
        return self._pieces


def read_fields(block: U8, system: System, specs: list[EventSpec], of: I64, shared: Shared) -> EventRows:
    """Read the fields of the records whose event is read: ``of`` (n,) is its position in ``specs``, -1 for others.

    Records that must be read with care are marked in ``system.careful``.
    """
    n = len(of)
    table_of = np.array([*(TABLES.index(spec.table) for spec in specs), -1], dtype=np.int64)[of]
    tables: dict[Table, Work] = {}
    row_of = np.zeros(n, dtype=np.int64)
    for number, table in enumerate(TABLES):
        records = np.flatnonzero(table_of == number)
        if len(records):
            tables[table] = Work(records)
            row_of[records] = np.arange(len(records))
    group_of, place_in = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for number, group in enumerate(system.groups):
        group_of[group.rows] = number
        place_in[group.rows] = np.arange(len(group.rows))
    nested = _find_nested(system, of)
    inner = _read_nested(block, nested, system.careful, shared)
    cost = np.zeros(n, dtype=np.int64)
    wanted = np.flatnonzero((of >= 0) & ~system.careful)
    for part in _groups(wanted, of, group_of, nested.slot, inner):
        if len(part) < MIN_GROUP:
            system.careful[part] = True
            continue
        group = system.groups[int(group_of[part[0]])]
        spec = specs[int(of[part[0]])]
        plan = _plan(spec, group, int(nested.slot[part[0]]), int(inner.template[part[0]]), shared)
        if plan is None:
            system.careful[part] = True
            continue
        cost[part] = plan.cost
        found: Values | None = None
        if nested.slot[part[0]] >= 0:
            found = read_values(block, inner.first[part], inner.end[part], int(inner.descriptors[part[0]]))
        _place(tables[spec.table], row_of[part], plan, group.values, place_in[part], found)
        if found is not None and not found.fits.all():
            system.careful[part[~found.fits]] = True
            _blank(tables[spec.table], row_of[part[~found.fits]])
    return EventRows(block, system, tables, cost)


def _blank(work: Work, rows: I64) -> None:
    """Take back the values of rows that are read with care: their offsets are not to be relied on."""
    for column in (*work.texts.values(), *work.numbers.values()):
        column[rows] = 0
    for own, extras in work.extras:
        gone = np.isin(own, rows)
        for found in extras.values():
            found[gone] = 0


def _find_nested(system: System, of: I64) -> _Nested:
    """Find the nested fragments of the records that are read; records with more than one are read with care."""
    n = len(of)
    nested = _Nested(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64))
    for group in system.groups:
        chosen = (of[group.rows] >= 0) & ~system.careful[group.rows]
        if not chosen.any():
            continue
        is_fragment = (group.values.kind == values.BINXML) & (group.values.size > 0) & chosen
        slots = [slot for _, slot in group.plan.inserts]
        for slot in np.flatnonzero(is_fragment.any(axis=1)).tolist():
            if slot not in slots:
                continue
            here = is_fragment[slot]
            rows = group.rows[here]
            again = (nested.slot[rows] >= 0) if slots.count(slot) == 1 else np.ones(len(rows), dtype=bool)
            system.careful[rows[again]] = True
            at = group.values.at[slot][here].astype(np.int64)
            nested.at[rows], nested.end[rows] = at, at + group.values.size[slot][here]
            nested.slot[rows] = slot
    return nested


def _read_nested(block: U8, nested: _Nested, careful: Flags, shared: Shared) -> Instances:
    """Return the instances in the nested fragments, for all records: template -1 where there is none."""
    n = len(careful)
    rows = np.flatnonzero((nested.slot >= 0) & ~careful)
    out = Instances(np.full(n, -1, dtype=np.int64), *(np.zeros(n, dtype=np.int64) for _ in range(3)))
    if len(rows):
        found = read_instances(block, nested.at[rows], nested.end[rows], shared.templates)
        careful[rows[found.template < 0]] = True
        for mine, theirs in zip(out, found, strict=True):
            mine[rows] = theirs
    return out


def _groups(wanted: I64, of: I64, group_of: I64, slot: I64, inner: Instances) -> list[I64]:
    """Split records by event, outer group, slot of the nested fragment, its template and its number of values."""
    if not len(wanted):
        return []
    key = (of[wanted] << 32) | group_of[wanted]
    for part in ((slot[wanted] + 1 << 16) | inner.descriptors[wanted], inner.template[wanted] + 1):
        codes, _ = factorize(key)
        key = (codes << 32) | part
    codes, first = factorize(key)
    return [wanted[rows] for rows in split(codes, len(first))]


def _plan(spec: EventSpec, group: Group, slot: int, template: int, shared: Shared) -> FieldPlan | None:
    """Return where the fields go, None where the records must be read with care."""
    key = (spec.provider, spec.event_id, group.template, slot, template)
    if key not in shared.field_plans:
        plans, offsets = [group.plan], [0]
        if slot >= 0:
            path = next(path for path, index in group.plan.inserts if index == slot)
            plans.append(make_plan(shared.templates.shapes[template], path))
            offsets.append(INNER)
        columns = list(frames.EVENT_SCHEMAS[spec.table])
        shared.field_plans[key] = field_plan(spec, columns, plans, offsets)
    return shared.field_plans[key]


def _place(work: Work, rows: I64, plan: FieldPlan, outer: Values, places: I64, inner: Values | None) -> None:
    """Put the values of some records to their rows and columns."""
    extras: dict[str, I64] = {}
    for target in plan.targets:
        if target.slot < INNER:
            found = packed(outer, target.slot)[places]
        elif inner is not None:
            found = packed(inner, target.slot - INNER)
        else:
            continue
        if target.extra:
            extras[target.name] = found
        else:
            work.place(rows, target.name, found, numeric=target.numeric)
    if extras:
        work.extras.append((rows, extras))
