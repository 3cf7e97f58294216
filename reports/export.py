"""JSON lines of events and of filters.

Names, order of keys and value sets are fixed by the schemas in ``reports/schemas``. What the input does not say is
``null``. Numbers are exact up to 2**64-1. Text is as in the evidence; control, bidirectional and line-separating
characters are written as JSON escapes, so that a line is one line everywhere and a terminal shows it as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer.model import EVENT_KEYS
from reports.columns import Column, Pieces, Style, batches, is_blank, pieces
from reports.jsontext import safe, scalar
from reports.table import CONDITION_KEYS, FILTER_KEYS, FILTER_LINE_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.model import Analysis

__all__ = ["CONDITION_KEYS", "EVENT_KEYS", "FILTER_KEYS", "FILTER_LINE_KEYS", "event_lines", "filter_lines"]

_NULL: Final = "null"


def event_lines(analysis: Analysis) -> Iterator[str]:
    """Yield one JSON object per event, without line ends, in the order of ``analysis.events``."""
    events = analysis.events
    if events is None or events.empty:
        return
    columns = {key: _column(events, key) for key in EVENT_KEYS}
    if "filter_row" in events.columns and analysis.filters is not None:
        columns["filter"] = _filter_objects(events["filter_row"], analysis.filters)
    yield from _lines(EVENT_KEYS, columns, len(events))


def filter_lines(analysis: Analysis) -> Iterator[str]:
    """Yield one JSON object per filter, without line ends, in the order of ``analysis.filters``."""
    filters = analysis.filters
    if filters is None or filters.empty:
        return
    yield from _lines(FILTER_LINE_KEYS, {key: _column(filters, key) for key in FILTER_LINE_KEYS}, len(filters))


# --------------------------------------------------------------------------------------------------------------
# Lines from columns


def _lines(keys: Sequence[str], columns: Mapping[str, Pieces], rows: int) -> Iterator[str]:
    line = "{" + ",".join(f'"{key}":%s' for key in keys) + "}"
    for batch in batches([columns[key] for key in keys], rows):
        for row in batch:
            yield line % row


def _column(frame: pd.DataFrame, key: str) -> Pieces:
    return pieces(Column(key, key, frame.get(key)), _STYLES.get(key, _PLAIN))


def _filter_objects(rows: pd.Series, filters: pd.DataFrame) -> Pieces:
    """Encode the filter objects that events name by their row, each of them once."""
    codes, distinct = pd.factorize(rows)
    named = filters.iloc[distinct.astype("int64")]
    texts = [*_lines(FILTER_KEYS, {key: _column(named, key) for key in FILTER_KEYS}, len(named)), _NULL]
    return lambda start, stop: [texts[code] for code in codes[start:stop].tolist()]


# --------------------------------------------------------------------------------------------------------------
# Values


def _value(value: object) -> str:
    """Return the JSON text of one value; what says nothing is null."""
    if is_blank(value):
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


_PLAIN: Final = Style(_NULL, _value, '"{}"'.format)
# a list that is empty where there is nothing to tell
_STYLES: Final = {
    "reasons": Style("[]", _list),
    "flags": Style("[]", _list),
    "conditions": Style("[]", _condition_list),
}
