"""Puts rows that were read with care among those that were read in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import frames
from analyzer.readers.evtx.columns import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.readers.evtx.careful import Read
    from analyzer.readers.evtx.gather import I64
    from analyzer.wfp.events import Table

_SYSTEM: Final = len(frames.SYSTEM)  # cells of a row that are not filled by its reader


def mix(pieces: dict[Table, Piece], reads: Sequence[Read]) -> None:
    """Add the rows of ``reads`` to the tables of a block, by their offsets in the file."""
    by_table: dict[Table, list[Read]] = {}
    for read in reads:
        if read.spec is not None and read.cells is not None:
            by_table.setdefault(read.spec.table, []).append(read)
    for table, rows in by_table.items():
        own = _piece(table, rows)
        pieces[table] = _merge(pieces[table], own) if table in pieces and pieces[table].rows else own


def _piece(table: Table, reads: list[Read]) -> Piece:
    """Return rows in columns."""
    piece = Piece(len(reads))
    systems = [read.system for read in reads if read.system is not None]
    times = [frames.NAT if system.time is None else system.time for system in systems]
    piece.plain = {
        "offset": np.array([read.offset for read in reads], dtype=np.int64),
        "event_id": np.array([system.event_id for system in systems], dtype=np.int32),
        "version": np.array([system.version for system in systems], dtype=np.int32),
        "time": np.array(times, dtype=np.int64),
    }
    columns: dict[str, Sequence[object]] = {
        name: [getattr(system, name) for system in systems] for name in ("record_id", "computer", "channel", "provider")
    }
    schema = list(frames.EVENT_SCHEMAS[table].items())
    cells = list(zip(*(read.cells or () for read in reads), strict=True))
    columns |= {name: cells[at] for at, (name, _) in enumerate(schema) if at >= _SYSTEM}
    for name, dtype in schema:
        values = columns.get(name, ())
        there = [item is not None for item in values]
        if not any(there):
            continue
        if dtype == frames.TEXT:
            piece.texts[name] = _encode(values)
        elif dtype == frames.NUMBER:
            numbers = np.array([0 if item is None else item for item in values], dtype=np.uint64)
            piece.numbers[name] = numbers, ~np.array(there)
        else:
            piece.extra = _encode(values)
    return piece


def _encode(values: Sequence[Any]) -> tuple[I64, list[Any]]:
    """Return codes, -1 for None, and the distinct values; what can be no key of a dict is taken as distinct."""
    distinct: list[Any] = []
    known: dict[object, int] = {}
    codes = []
    for item in values:
        key = id(item) if isinstance(item, dict) else item
        if item is None:
            codes.append(-1)
        elif key in known:
            codes.append(known[key])
        else:
            codes.append(known.setdefault(key, len(distinct)))
            distinct.append(item)
    return np.array(codes, dtype=np.int64), distinct


def _merge(one: Piece, two: Piece) -> Piece:
    """Return the rows of both in the order of their offsets."""
    out = Piece(one.rows + two.rows)
    order = np.argsort(np.concatenate([one.plain["offset"], two.plain["offset"]]))
    for name, values in one.plain.items():
        out.plain[name] = np.concatenate([values, two.plain[name]])[order]
    for name in one.numbers.keys() | two.numbers.keys():
        parts = [
            piece.numbers.get(name, (np.zeros(piece.rows, dtype=np.uint64), np.ones(piece.rows, dtype=bool)))
            for piece in (one, two)
        ]
        out.numbers[name] = (
            np.concatenate([part[0] for part in parts])[order],
            np.concatenate([part[1] for part in parts])[order],
        )
    for name in one.texts.keys() | two.texts.keys():
        out.texts[name] = _join(one.texts.get(name), two.texts.get(name), (one.rows, two.rows), order)
    if one.extra is not None or two.extra is not None:
        out.extra = _join(one.extra, two.extra, (one.rows, two.rows), order)
    return out


def _join(
    one: tuple[I64, list[Any]] | None, two: tuple[I64, list[Any]] | None, rows: tuple[int, int], order: I64
) -> tuple[I64, list[Any]]:
    """Return two encoded columns as one."""
    first, texts = one or (np.full(rows[0], -1, dtype=np.int64), [])
    second, more = two or (np.full(rows[1], -1, dtype=np.int64), [])
    return np.concatenate([first, np.where(second >= 0, second + len(texts), -1)])[order], [*texts, *more]
