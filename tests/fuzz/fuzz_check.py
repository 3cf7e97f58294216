"""Reads mutants and tells what is wrong with the reading."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from fuzz_bases import HEAD, SLOTS, Base
from fuzz_mutate import FILE, Mutant, unrepaired
from fuzz_places import CHUNK

from analyzer.readers.evtx import EvtxLog, fragment, read_evtx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "mutant.evtx"
BLOCKS = (None, None, 5, None, None, None, 11, None, None, None, 1)  # chunks per block, in turn
_PLACE = re.compile(r"chunks? (\d+)(?: to (\d+))?, ")
_FOLDED = re.compile(r"\d+ more like this: ")

Column = tuple[np.ndarray, np.ndarray]  # values as objects or numbers, and which of them are missing


@dataclass(slots=True)
class Rows:
    """One table: its columns as arrays, and the slot of each row by its offset."""

    offset: np.ndarray
    columns: dict[str, Column]
    dtypes: dict[str, str]


@dataclass(slots=True)
class Original:
    """What the sound log of a base gives."""

    tables: dict[str, Rows]
    records: list[int]  # by slot
    problems: set[tuple[str, str | None, str]]
    folded: bool


@dataclass(slots=True)
class Checked:
    """What came out: ``findings`` in words; ``rows`` of unchanged chunks that were compared."""

    findings: list[str] = field(default_factory=list)
    rows: int = 0
    records: int = 0
    seconds: float = 0.0  # of processor time in one way of reading, the longer one


def rows_of(log: EvtxLog) -> dict[str, Rows]:
    """Take a log's tables apart, so that they can be compared as arrays."""
    out = {}
    for table, frame in log.tables.items():
        columns = {name: _column(series.array) for name, series in frame.items()} if len(frame) else {}
        dtypes = {name: str(dtype) for name, dtype in frame.dtypes.items()}
        out[table] = Rows(frame["offset"].to_numpy(dtype=np.int64), columns, dtypes)
    return out


def _column(array: pd.api.extensions.ExtensionArray) -> Column:
    if isinstance(array, pd.Categorical):
        texts = np.array([*array.categories.tolist(), None], dtype=object)
        return texts[array.codes], array.codes < 0
    missing = np.asarray(array.isna()) if hasattr(array, "isna") else np.asarray(pd.isna(np.asarray(array)))
    if isinstance(array.dtype, pd.DatetimeTZDtype):
        return array.asi8, missing
    if str(array.dtype) == "UInt64":
        return array.to_numpy(dtype=np.uint64, na_value=0), missing
    return np.asarray(array), missing


def difference(one: Rows, two: Rows, left: np.ndarray, right: np.ndarray) -> str | None:
    """Return in words how some rows of one table differ from some of another, None where they do not."""
    if one.dtypes != two.dtypes:
        return "dtypes differ"
    if len(left) != len(right):
        return f"{len(left)} rows became {len(right)}"
    if not len(left):
        return None
    for name, (values, missing) in one.columns.items():
        if name in ("offset", "input"):
            continue
        others, others_missing = two.columns[name]
        gone, others_gone = missing[left], others_missing[right]
        same = np.asarray(values[left] == others[right], dtype=bool) | gone
        same &= gone == others_gone
        if not same.all():
            at = int(np.argmin(same))
            place = f"offset 0x{int(one.offset[left[at]]):x}"
            was, became = values[left[at]], others[right[at]]
            return f"column {name}, {place}: {str(was)[:80]!r} became {str(became)[:80]!r}"
    return None


def read_original(base: Base, path: Path) -> Original:
    """Read a sound log."""
    path.write_bytes(base.content)
    log = read_evtx(path, NAME, columns=False)
    records = [len(piece.places.records) for piece in base.pieces]
    # pieces of damaged logs have records that only the reader finds
    exact = log.records == sum(records)
    problems = {(item.severity, item.place, item.what) for item in log.problems}
    folded = any(_FOLDED.match(item.what) for item in log.problems)
    return Original(rows_of(log), records if exact else [0] * SLOTS, problems, folded)


def _timed(path: Path, *, columns: bool, block_chunks: int | None = None) -> tuple[EvtxLog, float]:
    start = time.process_time()
    log = read_evtx(path, NAME, columns=columns, block_chunks=block_chunks)
    return log, time.process_time() - start


def check(mutant: Mutant, original: Original, path: Path, *, both: bool = True) -> Checked:
    """Read a mutant in both ways (or in columns alone) and compare: with each other, and with the sound log."""
    out = Checked()
    path.write_bytes(mutant.content)
    columns, out.seconds = _timed(path, columns=True, block_chunks=BLOCKS[mutant.number % len(BLOCKS)])
    out.records = columns.records
    tables = rows_of(columns)
    if both:
        careful, seconds = _timed(path, columns=False)
        out.seconds = max(seconds, out.seconds)
        out.findings.extend(f"both ways differ: {item}" for item in _ways_differ(columns, careful, tables))
    out.findings.extend(_against_original(mutant, original, columns, tables, out))
    return out


def _ways_differ(one: EvtxLog, two: EvtxLog, tables: dict[str, Rows]) -> Iterator[str]:
    for name in ("records", "first", "last", "computers", "channels", "selective", "id_gaps", "problems"):
        if getattr(one, name) != getattr(two, name):
            yield f"{name}: {str(getattr(one, name))[:200]} and {str(getattr(two, name))[:200]}"
    others = rows_of(two)
    for table, rows in tables.items():
        every = np.arange(len(rows.offset))
        what = difference(rows, others[table], every, np.arange(len(others[table].offset)))
        if what is None and (rows.offset != others[table].offset).any():
            what = "offsets"
        if what is not None:
            yield f"table {table}: {what}"


def _against_original(
    mutant: Mutant, original: Original, log: EvtxLog, tables: dict[str, Rows], out: Checked
) -> Iterator[str]:
    least = sum(original.records[source] for source in mutant.origin if source is not None)
    if log.records < least:
        yield f"{least} records are in unchanged chunks, {log.records} were found in all"
    source_of = np.array([-1 if source is None else source for source in mutant.origin] + [-1], dtype=np.int64)
    for table, rows in tables.items():
        before = original.tables[table]
        slot = np.clip((rows.offset - mutant.shift) // CHUNK, 0, len(source_of) - 1)
        right = np.flatnonzero(source_of[slot] >= 0)
        first = np.searchsorted((before.offset - HEAD) // CHUNK, np.arange(SLOTS + 1))
        parts = [np.arange(first[source], first[source + 1]) for source in mutant.origin if source is not None]
        left = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        out.rows += len(left)
        what = difference(before, rows, left, right)
        if (
            what is None
            and (before.offset[left] - HEAD).tolist()
            != ((rows.offset - mutant.shift) % CHUNK + source_of[slot] * CHUNK)[right].tolist()
        ):
            what = "offsets"
        if what is not None:
            yield f"rows of unchanged chunks, table {table}: {what}"
    if FILE not in mutant.changes and not original.folded:
        yield from _problems_in_place(mutant, original, log)


def _problems_in_place(mutant: Mutant, original: Original, log: EvtxLog) -> Iterator[str]:
    """Hold the problems against the chunks: none in an unchanged one, some where a checksum tells of a change."""
    told: set[int] = set()
    for item in log.problems:
        place = _PLACE.match(item.place or "")
        if place is None or _FOLDED.match(item.what):
            continue
        slots = range(int(place[1]), int(place[2] or place[1]) + 1)
        told.update(slots)
        new = (item.severity, item.place, item.what) not in original.problems
        if new and all(mutant.origin[slot] is not None for slot in slots):
            yield f"a problem in an unchanged chunk: {item.place}: {item.what}"
    silent = sorted(set(unrepaired(mutant)) - told)
    if silent and not any(_FOLDED.match(item.what) for item in log.problems):
        yield f"changed under a checksum in silence: slots {silent}"


class WarmLibrary:
    """Lets each reading start with the templates of its base: they were read before, for the sound log.

    Reading a template with python-evtx takes some 100 times as long as a record. Bounds hold per file all the same.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, object] = {}
        self._warm = True
        self._last: fragment.Library | None = None
        make = fragment.Library.__init__

        def start(library: fragment.Library) -> None:
            make(library)
            self._last = library
            shapes = getattr(library, "_shapes", None)
            if self._warm and isinstance(shapes, dict):
                shapes.update(self._known)

        fragment.Library.__init__ = start  # type: ignore[method-assign]

    def warm(self, *, on: bool) -> None:
        """Tell whether the next readings start with the templates that are kept."""
        self._warm = on

    def forget(self) -> None:
        """Start without any template again."""
        self._known.clear()

    def keep(self) -> None:
        """Keep the templates that the last reading knew."""
        self._known.update(getattr(self._last, "_shapes", {}))
