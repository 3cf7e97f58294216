"""The frames that flow through the program: their columns and dtypes (:mod:`analyzer.schemas`), and how they are made.

Text columns of event frames are ``category`` (an audit log repeats the same few texts a million times), numbers that
may be missing are ``UInt64`` (exact up to 2**64-1), times are ``datetime64[ns, UTC]`` (a FILETIME's 100 ns fit
exactly). What the input does not say is missing, never ``""``, ``"-"`` or 0.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer.schemas.events import EVENT_SCHEMAS, SYSTEM, event_schema
from analyzer.schemas.history import EPOCHS, LIFETIMES
from analyzer.schemas.lists import AUDIT_POLICY, FIREWALL_PROFILES, RULE_PARTS, RULE_STATES, RULES, SERVICES
from analyzer.schemas.netevents import NETEVENT_FILTERS, NETEVENTS
from analyzer.schemas.states import (
    CALLOUTS,
    CONDITIONS,
    CONTEXTS,
    ENDPOINTS,
    FILTERS,
    LAYERS,
    PROVIDERS,
    SESSIONS,
    STATE_SCHEMAS,
    SUBLAYERS,
)
from analyzer.schemas.types import NUMBER, OBJECT, TEXT, TIME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "AUDIT_POLICY",
    "CALLOUTS",
    "CONDITIONS",
    "CONTEXTS",
    "ENDPOINTS",
    "EPOCHS",
    "EVENT_SCHEMAS",
    "FILTERS",
    "FIREWALL_PROFILES",
    "LAYERS",
    "LIFETIMES",
    "NAT",
    "NETEVENTS",
    "NETEVENT_FILTERS",
    "NUMBER",
    "OBJECT",
    "PROVIDERS",
    "RULES",
    "RULE_PARTS",
    "RULE_STATES",
    "SERVICES",
    "SESSIONS",
    "STATE_SCHEMAS",
    "SUBLAYERS",
    "SYSTEM",
    "TEXT",
    "TIME",
    "build",
    "concat",
    "empty",
    "event_schema",
]

NAT: Final = np.iinfo(np.int64).min  # how NaT is stored


def empty(schema: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame of this schema with no rows."""
    return pd.DataFrame({name: _nothing(dtype) for name, dtype in schema.items()}, copy=False)


@lru_cache
def _nothing(dtype: str) -> pd.Series:
    """Return a column of this type with no rows; made once, since pandas takes a millisecond for it."""
    return build({"none": ()}, {"none": dtype})["none"]


def build(columns: Mapping[str, Sequence[object]], schema: Mapping[str, str]) -> pd.DataFrame:
    """Make a frame from equally long Python sequences; ``None`` is missing, absent columns are all missing.

    ``time`` columns take integers: nanoseconds since 1970 in UTC.
    """
    length = len(next(iter(columns.values()))) if columns else 0
    out: dict[str, pd.Series] = {}
    for name, dtype in schema.items():
        values = columns.get(name)
        data = list(values) if values is not None else [None] * length
        if dtype == TIME:
            out[name] = pd.Series(_times(data), dtype=TIME)
        elif dtype == TEXT:
            out[name] = pd.Series(_texts(data))
        elif dtype == NUMBER:
            out[name] = pd.Series(_numbers(data))
        else:
            out[name] = pd.Series(data, dtype=dtype)
    return pd.DataFrame(out)


def _numbers(data: Sequence[object]) -> pd.arrays.IntegerArray:
    """Take numbers exactly: pandas leads those on both sides of 2**63 through a float."""
    values = np.empty(len(data), dtype=object)
    values[:] = data
    missing = np.asarray(pd.isna(values), dtype=bool)
    values[missing] = 0
    return pd.arrays.IntegerArray(values.astype(np.uint64), missing)


def _texts(data: Sequence[object]) -> pd.Categorical:
    """Encode texts by their distinct values; categories are ``str`` also where all are missing."""
    codes, distinct = pd.factorize(np.array(data, dtype=object))
    return pd.Categorical.from_codes(codes, categories=pd.Index(distinct, dtype="str"))


def _times(nanoseconds: Sequence[object]) -> pd.DatetimeIndex:
    """Turn nanoseconds since 1970 into times; None becomes NaT."""
    numbers = np.array([NAT if item is None else item for item in nanoseconds], dtype=np.int64)
    return pd.DatetimeIndex(numbers.view("datetime64[ns]")).tz_localize("UTC")


def concat(frames: Sequence[pd.DataFrame], schema: Mapping[str, str]) -> pd.DataFrame:
    """Stack frames of one schema; categories are united, so that text columns stay ``category``."""
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return empty(schema)
    if len(filled) == 1:
        return filled[0].reset_index(drop=True)
    out: dict[str, pd.Series] = {}
    for name, dtype in schema.items():
        parts = [frame[name] for frame in filled]
        if dtype == TEXT:
            out[name] = pd.Series(pd.api.types.union_categoricals(parts))
        else:
            out[name] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(out)
