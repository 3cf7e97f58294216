"""The machine-readable outputs of many rows: JSON lines of events and of filters.

Names, order of keys and value sets are fixed by the schemas in ``reports/schemas``. What the input does not say is
``null``. Numbers are exact up to 2**64-1. Text is as in the evidence; control, bidirectional and line-separating
characters are written as JSON escapes, so that a line is one line everywhere and a terminal shows it as it is.

A log has a million lines of few distinct texts: every column is turned into JSON text once per distinct value, and a
line is put together from finished pieces.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer.model import EVENT_KEYS
from reports.jsontext import SYMBOLS, is_missing, safe, scalar, symbol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.model import Analysis

FILTER_KEYS: Final = (
    "filter_id",
    "filter_key",
    "name",
    "provider",
    "sublayer",
    "layer",
    "action",
    "origin",
    "rule_id",
    "weight",
)
FILTER_LINE_KEYS: Final = (*FILTER_KEYS, "input", "flags", "conditions", "kind", "kind_evidence")
CONDITION_KEYS: Final = ("field", "match", "value", "raw")
_NULL: Final = "null"
_LISTS: Final = frozenset({"reasons", "flags", "conditions"})  # a list that is empty where there is nothing to tell
_BATCH: Final = 20_000  # rows that are held as text at a time

_Encoder = Callable[[int, int], "list[str]"]


def event_lines(analysis: Analysis) -> Iterator[str]:
    """Yield one JSON object per event, without line ends, in the order of ``analysis.events``."""
    events = analysis.events
    if events is None or events.empty:
        return
    encoders = {key: _encoder(events[key], key) for key in EVENT_KEYS if key in events.columns}
    if "filter_row" in events.columns and analysis.filters is not None:
        encoders["filter"] = _filter_encoder(events["filter_row"], analysis.filters)
    yield from _lines(EVENT_KEYS, encoders, len(events))


def filter_lines(analysis: Analysis) -> Iterator[str]:
    """Yield one JSON object per filter, without line ends, in the order of ``analysis.filters``."""
    filters = analysis.filters
    if filters is None or filters.empty:
        return
    encoders = {key: _encoder(filters[key], key) for key in FILTER_LINE_KEYS if key in filters.columns}
    yield from _lines(FILTER_LINE_KEYS, encoders, len(filters))


# --------------------------------------------------------------------------------------------------------------
# Lines from columns


def _lines(keys: Sequence[str], encoders: Mapping[str, _Encoder], rows: int) -> Iterator[str]:
    line = "{" + ",".join(f'"{key}":%s' for key in keys) + "}"
    for start in range(0, rows, _BATCH):
        stop = min(start + _BATCH, rows)
        columns = [
            encoders[key](start, stop) if key in encoders else repeat("[]" if key in _LISTS else _NULL, stop - start)
            for key in keys
        ]
        for row in zip(*columns, strict=True):
            yield line % row


def _encoder(series: pd.Series[Any], key: str) -> _Encoder:
    """Return a function from a range of rows to their JSON texts, with all work done once that can be."""
    dtype = series.dtype
    if key in SYMBOLS:
        codes, distinct = pd.factorize(series)
        return _coded(codes, [symbol(value) for value in distinct.tolist()])
    if isinstance(dtype, pd.CategoricalDtype):
        return _coded(series.cat.codes.to_numpy(), series.cat.categories.tolist())
    if isinstance(dtype, pd.StringDtype):
        codes, distinct = pd.factorize(series)
        return _coded(codes, distinct.tolist())
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _times(series)
    if pd.api.types.is_integer_dtype(dtype):
        return _integers(series)
    return _objects(series, key)


def _coded(codes: np.ndarray[Any, Any], distinct: Sequence[object]) -> _Encoder:
    texts = [*(_value(value) for value in distinct), _NULL]  # code -1, a missing value, is the last one
    return lambda start, stop: [texts[code] for code in codes[start:stop].tolist()]


def _times(series: pd.Series[Any]) -> _Encoder:
    moments = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ns]")

    def texts(start: int, stop: int) -> list[str]:
        part = np.datetime_as_string(moments[start:stop], unit="ns").tolist()
        return [_NULL if text == "NaT" else f'"{text[:27]}Z"' for text in part]

    return texts


def _integers(series: pd.Series[Any]) -> _Encoder:
    missing = series.isna().to_numpy()
    if not missing.any():
        values = series.to_numpy(dtype=series.dtype.name.lower())
        return lambda start, stop: list(map(str, values[start:stop].tolist()))
    values = series.fillna(0).to_numpy(dtype=series.dtype.name.lower())
    return lambda start, stop: [
        _NULL if gone else str(value)
        for value, gone in zip(values[start:stop].tolist(), missing[start:stop].tolist(), strict=True)
    ]


def _objects(series: pd.Series[Any], key: str) -> _Encoder:
    """Encode a column of Python objects; equal tuples and texts are encoded once."""
    known: dict[object, str] = {}
    values = series.to_numpy(dtype=object)
    encode = _condition_list if key == "conditions" else _list if key in _LISTS else _value

    def one(value: object) -> str:
        try:
            found = known.get(value)
        except TypeError:  # a dict or list inside has no hash
            return encode(value)
        if found is None:
            found = known[value] = encode(value)
        return found

    return lambda start, stop: [one(value) for value in values[start:stop]]


def _filter_encoder(rows: pd.Series[Any], filters: pd.DataFrame) -> _Encoder:
    """Encode the filter objects that events name by their row, each of them once."""
    codes, distinct = pd.factorize(rows)
    named = filters.iloc[distinct.astype("int64")]
    texts = list(
        _lines(FILTER_KEYS, {key: _encoder(named[key], key) for key in FILTER_KEYS if key in named}, len(named))
    )
    texts.append(_NULL)
    return lambda start, stop: [texts[code] for code in codes[start:stop].tolist()]


# --------------------------------------------------------------------------------------------------------------
# Values


def _value(value: object) -> str:
    """Return the JSON text of one value; what says nothing is null."""
    if value is None or (isinstance(value, str) and value in ("", "-")) or is_missing(value):
        return _NULL
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return safe(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain))


def _list(value: object) -> str:
    return _value(list(value)) if isinstance(value, (tuple, list)) else "[]"


def _condition_list(value: object) -> str:
    if not isinstance(value, (tuple, list)):
        return "[]"
    return _value([{key: _without_blanks(condition.get(key)) for key in CONDITION_KEYS} for condition in value])


def _without_blanks(value: object) -> object:
    return None if value in ("", "-") else value


def _plain(value: object) -> object:
    """Give json a plain value for a mapping or a scalar of numpy or pandas."""
    return dict(value) if isinstance(value, Mapping) else scalar(value)
