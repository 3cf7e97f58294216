"""The frames that flow through the program: their columns and dtypes, in one place.

Text columns of event frames are ``category`` (an audit log repeats the same few texts a million times), numbers that
may be missing are ``UInt64`` (exact up to 2**64-1), times are ``datetime64[ns, UTC]`` (a FILETIME's 100 ns fit
exactly). What the input does not say is missing, never ``""``, ``"-"`` or 0.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer.wfp import events as wfp_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEXT: Final = "category"
NUMBER: Final = "UInt64"
TIME: Final = "datetime64[ns, UTC]"
OBJECT: Final = "object"
NAT: Final = np.iinfo(np.int64).min  # how NaT is stored

SYSTEM: Final[dict[str, str]] = {
    "input": TEXT,  # name of the input file
    "offset": "int64",  # byte offset of the record in its file
    "event_id": "int32",
    "version": "int32",
    "record_id": NUMBER,  # System/EventRecordID, not the number in the record header
    "time": TIME,  # System/TimeCreated, full 100 ns
    "computer": TEXT,
    "channel": TEXT,
    "provider": TEXT,
}


def event_schema(table: wfp_events.Table) -> dict[str, str]:
    """Return column -> dtype for one event table: system columns, every field of its rows, ``extra``.

    ``extra`` holds a dict of unknown fields (name as in the event -> text), or None.
    """
    schema = dict(SYSTEM)
    for spec in wfp_events.EVENTS.values():
        if spec.table == table:
            for item in spec.fields:
                schema[item.column] = TEXT if item.type == "text" else NUMBER
    schema["extra"] = OBJECT
    return schema


EVENT_SCHEMAS: Final[dict[str, dict[str, str]]] = {table: event_schema(table) for table in wfp_events.TABLES}

# ---------------------------------------------------------------------------------------------------------------
# States. `symbol` columns hold the FWPM_ symbol without its prefix where one is known for a GUID, else the
# lower-case GUID in braces: so a key compares equal whether the dump printed a symbol or a GUID.

FILTERS: Final[dict[str, str]] = {
    "input": "str",  # name of the input file
    "filter_id": NUMBER,  # run-time id
    "filter_key": "str",  # lower-case GUID in braces, or a symbol
    "name": "str",  # displayData/name: localized, never an identity
    "description": "str",
    "flags": OBJECT,  # tuple of str, without FWPM_FILTER_FLAG_
    "provider": "str",  # symbol (`MPSSVC_WF`)
    "provider_data": "str",  # hex as in the dump
    "layer": "str",  # symbol (`ALE_AUTH_CONNECT_V4`)
    "layer_id": NUMBER,  # run-time id by this dump's own layers, else by REFERENCE Appendix A, else missing
    "sublayer": "str",  # symbol (`MPSSVC_WF`)
    "sublayer_weight": NUMBER,
    "weight_type": "str",  # EMPTY, UINT8, UINT64
    "weight": NUMBER,  # as given; missing for EMPTY
    "effective_weight": NUMBER,
    "action": "str",  # block, permit, callout-terminating, callout-inspection, callout-unknown, or the raw text
    "callout_key": "str",  # symbol or GUID when the action is a callout
    "provider_context_key": "str",
    "origin": "str",  # decoded filter origin, only where the filter is flagged to have one
    "place": "str",  # where in the file: "line 1234"
}

CONDITIONS: Final[dict[str, str]] = {
    "input": "str",
    "filter_row": "int64",  # position of the filter in the FILTERS frame
    "filter_id": NUMBER,
    "index": "int64",  # position among the filter's conditions
    "field": "str",  # without FWPM_CONDITION_
    "match": "str",  # without FWP_MATCH_
    "type": "str",  # value type without FWP_: UINT8, UINT16, UINT32, UINT64, RANGE_TYPE, BYTE_BLOB_TYPE, ...
    "value": OBJECT,  # decoded, see analyzer.readers.wfpstate
    "text": "str",  # readable: an address, a path, SDDL, `1-1023`
    "raw": "str",  # as printed in the dump
}

LAYERS: Final[dict[str, str]] = {"input": "str", "layer": "str", "layer_id": NUMBER, "name": "str"}
SUBLAYERS: Final[dict[str, str]] = {
    "input": "str",
    "sublayer": "str",
    "name": "str",
    "weight": NUMBER,
    "provider": "str",
}
PROVIDERS: Final[dict[str, str]] = {
    "input": "str",
    "provider": "str",
    "name": "str",
    "service_name": "str",
    "flags": OBJECT,
}
CONTEXTS: Final[dict[str, str]] = {
    "input": "str",
    "context_key": "str",
    "name": "str",
    "provider": "str",
    "type": "str",
    "origin": "str",  # decoded text of a general context that stores a filter origin, else missing
}
CALLOUTS: Final[dict[str, str]] = {
    "input": "str",
    "callout": "str",
    "callout_id": NUMBER,
    "name": "str",
    "layer": "str",
    "provider": "str",
    "flags": OBJECT,
}
ENDPOINTS: Final[dict[str, str]] = {
    "input": "str",
    "endpoint_id": NUMBER,
    "protocol": NUMBER,
    "local_address": "str",
    "local_port": NUMBER,
    "remote_address": "str",
    "remote_port": NUMBER,
    "application": "str",
}
SESSIONS: Final[dict[str, str]] = {
    "input": "str",
    "session_key": "str",
    "name": "str",
    "process_id": NUMBER,
    "sid": "str",
    "user_name": "str",
    "kernel_mode": OBJECT,  # bool or None
    "flags": OBJECT,
}

STATE_SCHEMAS: Final[dict[str, dict[str, str]]] = {
    "filters": FILTERS,
    "conditions": CONDITIONS,
    "layers": LAYERS,
    "sublayers": SUBLAYERS,
    "providers": PROVIDERS,
    "contexts": CONTEXTS,
    "callouts": CALLOUTS,
    "endpoints": ENDPOINTS,
    "sessions": SESSIONS,
}


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
        else:
            out[name] = pd.Series(data, dtype=dtype)
    return pd.DataFrame(out)


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
