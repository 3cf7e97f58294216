"""Columns of a frame as finished pieces of text: for outputs of many rows.

A log has a million lines of few distinct texts: every column is turned into text once per distinct value, and a line is
put together from finished pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from reports.jsontext import SYMBOLS, is_missing, symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

BATCH: Final = 20_000  # rows that are held as text at a time

Pieces = Callable[[int, int], "Iterable[str]"]  # from a range of rows to their texts


@dataclass(frozen=True, slots=True)
class Style:
    """How one output writes values: what is missing, a value, and a time that is text already."""

    null: str
    value: Callable[[object], str]
    time: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an output.

    ``series`` are its values, or None where the result has none; with ``rows`` (int64, -1 is missing) they are distinct
    values, and ``rows`` says which one each row has. ``key`` is the contract's name of what it holds.
    """

    name: str
    key: str
    series: pd.Series[Any] | None
    rows: NDArray[np.int64] | None = None


def pieces(column: Column, style: Style) -> Pieces:
    """Return a function from a range of rows to their texts, with all work done once that can be."""
    if column.series is None:
        return lambda start, stop: repeat(style.null, stop - start)
    if column.rows is None:
        return _of(column.series, column.key, style)
    texts = [*_of(column.series, column.key, style)(0, len(column.series)), style.null]
    return _picked(column.rows, texts)


def batches(columns: Sequence[Pieces], rows: int) -> Iterator[Iterator[tuple[str, ...]]]:
    """Yield the rows, some thousands at a time."""
    for start in range(0, rows, BATCH):
        stop = min(start + BATCH, rows)
        yield zip(*(column(start, stop) for column in columns), strict=True)


def _of(series: pd.Series[Any], key: str, style: Style) -> Pieces:
    dtype = series.dtype
    if key in SYMBOLS:
        codes, distinct = pd.factorize(series)
        return _coded(codes, [symbol(value) for value in distinct.tolist()], style)
    if isinstance(dtype, pd.CategoricalDtype):
        return _coded(series.cat.codes.to_numpy(), series.cat.categories.tolist(), style)
    if isinstance(dtype, pd.StringDtype):
        codes, distinct = pd.factorize(series)
        return _coded(codes, distinct.tolist(), style)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _times(series, style)
    if pd.api.types.is_integer_dtype(dtype):
        return _integers(series, style)
    return _objects(series, style)


def _coded(codes: NDArray[Any], distinct: Sequence[object], style: Style) -> Pieces:
    return _picked(codes, [*(style.value(value) for value in distinct), style.null])


def _picked(codes: NDArray[Any], texts: Sequence[str]) -> Pieces:
    """Code -1, a missing value, is the last text."""
    return lambda start, stop: [texts[code] for code in codes[start:stop].tolist()]


def utc(series: pd.Series[Any]) -> NDArray[np.datetime64]:
    """Return times as ``datetime64[ns]`` in UTC."""
    out: NDArray[np.datetime64] = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ns]")
    return out


def _times(series: pd.Series[Any], style: Style) -> Pieces:
    moments = utc(series)

    def texts(start: int, stop: int) -> list[str]:
        part = np.datetime_as_string(moments[start:stop], unit="ns").tolist()
        return [style.null if text == "NaT" else style.time(f"{text[:27]}Z") for text in part]

    return texts


def _integers(series: pd.Series[Any], style: Style) -> Pieces:
    missing = series.isna().to_numpy()
    if not missing.any():
        values = series.to_numpy(dtype=series.dtype.name.lower())
        return lambda start, stop: list(map(str, values[start:stop].tolist()))
    values = series.fillna(0).to_numpy(dtype=series.dtype.name.lower())
    return lambda start, stop: [
        style.null if gone else str(value)
        for value, gone in zip(values[start:stop].tolist(), missing[start:stop].tolist(), strict=True)
    ]


def _objects(series: pd.Series[Any], style: Style) -> Pieces:
    """Encode a column of Python objects; equal tuples and texts are encoded once."""
    known: dict[object, str] = {}
    values = series.to_numpy(dtype=object)

    def one(value: object) -> str:
        try:
            found = known.get(value)
        except TypeError:  # a dict or list inside has no hash
            return style.value(value)
        if found is None:
            found = known[value] = style.value(value)
        return found

    return lambda start, stop: [one(value) for value in values[start:stop]]


def is_blank(value: object) -> bool:
    """Tell a value that says nothing."""
    return value is None or (isinstance(value, str) and value in ("", "-")) or is_missing(value)
