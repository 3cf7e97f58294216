"""Parquet: the flat tables with their types, exact; written in row groups, so that memory stays small.

Times are UTC in nanoseconds (a log's 100 ns fit), numbers are unsigned 64-bit integers, lists are lists. What the input
does not say is null. Texts are as in the evidence.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from reports.columns import BATCH, Column, is_blank, utc
from reports.jsontext import SYMBOLS, symbol, whole
from reports.table import CONDITION_KEYS, LISTS, NUMBERS, event_columns, filter_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analyzer.model import Analysis

    Read = Callable[[int, int], Any]  # from a range of rows to an Arrow array

GROUP: Final = 5 * BATCH  # rows of a row group


def event_parquet(analysis: Analysis) -> Iterator[bytes]:
    """Yield the events as a Parquet file."""
    return _file(*event_columns(analysis), analysis)


def filter_parquet(analysis: Analysis) -> Iterator[bytes]:
    """Yield the filters as a Parquet file."""
    return _file(*filter_columns(analysis), analysis)


class _Sink:
    """What a writer wrote, until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep what is written."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def take(self) -> bytes:
        """Return what was written since the last time."""
        out, self._parts = b"".join(self._parts), []
        return out


def _file(columns: list[Column], rows: int, analysis: Analysis) -> Iterator[bytes]:
    pa: Any = import_module("pyarrow")  # an extra, which has no types
    parquet: Any = import_module("pyarrow.parquet")
    told = {"wfp-analyzer": analysis.tool.get("version", "")}
    if analysis.redaction is not None:
        told["redaction"] = analysis.redaction.sentence
    types = [_type(pa, column.key) for column in columns]
    fields = [pa.field(column.name, kind) for column, kind in zip(columns, types, strict=True)]
    schema = pa.schema(fields, metadata=told)
    readers = [_reader(pa, column, kind) for column, kind in zip(columns, types, strict=True)]
    sink = _Sink()
    with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for start in range(0, rows, GROUP):
            stop = min(start + GROUP, rows)
            writer.write_batch(pa.record_batch([read(start, stop) for read in readers], schema=schema))
            yield sink.take()
    yield sink.take()


def _type(pa: Any, key: str) -> Any:
    if key == "time":
        return pa.timestamp("ns", tz="UTC")
    if key in NUMBERS:
        return pa.uint64()
    if key in LISTS:
        return pa.list_(pa.string())
    if key == "conditions":
        return pa.list_(pa.struct([(name, pa.string()) for name in CONDITION_KEYS]))
    return pa.string()


def _reader(pa: Any, column: Column, kind: Any) -> Read:
    """Return a function that reads some rows; distinct values are made once."""
    series = column.series
    if series is None:
        return lambda start, stop: pa.nulls(stop - start, kind)
    if column.key == "time":
        moments = utc(series)
        return lambda start, stop: pa.array(moments[start:stop], kind, from_pandas=True)
    if column.key in NUMBERS and column.rows is None:
        missing = series.isna().to_numpy(dtype=bool)
        numbers = series.fillna(0).to_numpy(dtype=np.uint64)
        return lambda start, stop: pa.array(numbers[start:stop], kind, mask=missing[start:stop])
    codes, distinct = _distinct(series)
    if column.rows is not None:
        codes = np.append(codes, -1)[column.rows]
    values = pa.array([_plain(value, column.key) for value in distinct] + [None], kind)
    codes = np.where(codes < 0, len(distinct), codes)
    return lambda start, stop: values.take(pa.array(codes[start:stop]))


def _distinct(series: pd.Series[Any]) -> tuple[NDArray[np.int64], list[Any]]:
    """Return a code per row, and the value of each code; -1 is missing."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.codes.to_numpy().astype(np.int64), series.cat.categories.tolist()
    known: dict[Any, int] = {}
    values: list[Any] = []
    codes = np.empty(len(series), dtype=np.int64)
    for place, value in enumerate(series.tolist()):
        try:
            code = known.setdefault(value, len(values))
        except TypeError:  # a dict inside has no hash
            code = len(values)
        if code == len(values):
            values.append(value)
        codes[place] = code
    return codes, values


def _plain(value: Any, key: str) -> Any:
    """Return a value as pyarrow takes it; what says nothing is None."""
    if key in LISTS:
        return [whole(str(item)) for item in value] if isinstance(value, (tuple, list)) else None
    if key == "conditions":
        found = value if isinstance(value, (tuple, list)) else ()
        return [{name: _plain(item.get(name), name) for name in CONDITION_KEYS} for item in found]
    if is_blank(value):
        return None
    if key in NUMBERS:
        return int(value)
    return symbol(value) if key in SYMBOLS else whole(str(value))
