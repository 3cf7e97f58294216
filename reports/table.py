"""Events and filters as one flat table each: the columns of every output that has columns.

The names are the contract's keys. What is an object in JSON has a column per key: of an event's filter ``filter_id``,
``filter_key``, ``filter_name`` and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer.model import EVENT_KEYS
from reports.columns import Column

if TYPE_CHECKING:
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
LISTS: Final = frozenset({"reasons", "services", "flags"})  # tuples of texts
NUMBERS: Final = frozenset(
    {
        *("event_id", "version", "record_id", "process_id", "protocol", "local_port", "remote_port", "icmp_type"),
        *("icmp_code", "ether_type", "layer_id", "filter_rtid", "filter_id", "weight"),
    }
)


def filter_column(key: str) -> str:
    """Return the column that holds a key of an event's filter."""
    return key if key.startswith("filter_") else f"filter_{key}"


EVENT_COLUMNS: Final = tuple(
    name for key in EVENT_KEYS for name in (map(filter_column, FILTER_KEYS) if key == "filter" else (key,))
)


def event_columns(analysis: Analysis) -> tuple[list[Column], int]:
    """Return the columns of the events and the number of rows."""
    events = analysis.events if analysis.events is not None else pd.DataFrame()
    out: list[Column] = []
    for key in EVENT_KEYS:
        if key == "filter":
            out.extend(_filters_of(events, analysis.filters))
        else:
            out.append(Column(key, key, events.get(key)))
    return out, len(events)


def _filters_of(events: pd.DataFrame, filters: pd.DataFrame | None) -> list[Column]:
    if "filter_row" not in events.columns or filters is None:
        return [Column(filter_column(key), key, None) for key in FILTER_KEYS]
    codes, distinct = pd.factorize(events["filter_row"])
    named = filters.iloc[distinct.astype("int64")].reset_index(drop=True)
    rows = codes.astype(np.int64)
    return [Column(filter_column(key), key, named.get(key), rows) for key in FILTER_KEYS]


def filter_columns(analysis: Analysis) -> tuple[list[Column], int]:
    """Return the columns of the filters and the number of rows."""
    filters = analysis.filters if analysis.filters is not None else pd.DataFrame()
    return [Column(key, key, filters.get(key)) for key in FILTER_LINE_KEYS], len(filters)
