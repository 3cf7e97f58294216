"""States.

``symbol`` columns hold the FWPM_ symbol without its prefix where one is known for a GUID, else the lower-case GUID in
braces: so a key compares equal whether the dump printed a symbol or a GUID.
"""

from __future__ import annotations

from typing import Final

from analyzer.schemas.types import NUMBER, OBJECT

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
