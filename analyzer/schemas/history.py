"""The history of filters, from 5441 and 5447 (REFERENCE 1.6). Times that are not known are NaT."""

from __future__ import annotations

from typing import Final

from analyzer.schemas.types import NUMBER, TIME

LIFETIMES: Final[dict[str, str]] = {
    "computer": "str",  # host key of `analyzer.epochs.host_keys`
    "epoch": "int64",  # position in the EPOCHS frame; run-time ids mean one filter at a time only inside one
    "filter_id": NUMBER,  # run-time id
    "filter_key": "str",  # lower-case GUID in braces
    "name": "str",  # localized, never an identity
    "provider": "str",
    "provider_name": "str",
    "layer": "str",
    "layer_id": NUMBER,
    "sublayer": "str",  # 5441 and 5447 carry none (REFERENCE 1.6)
    "action": "str",  # block, permit, callout-unknown: the event says "callout", not of which sort
    "callout_key": "str",
    "weight": NUMBER,  # effective weight
    "filter_type": "str",  # boot-time, persistent, not-persistent
    "conditions": "str",  # the text as logged; missing where it is not known whether there were any
    "from": TIME,  # when it was added, or logged as present; NaT: it is only known that it ended
    "from_event_id": NUMBER,  # 5441, 5447
    "from_input": "str",
    "from_record_id": NUMBER,
    "to": TIME,  # when it was deleted; NaT: no end was logged in this epoch
    "to_input": "str",
    "to_record_id": NUMBER,
    "doubtful": "bool",  # records that must lie before or between these ends are missing
}

EPOCHS: Final[dict[str, str]] = {
    "computer": "str",
    "from": TIME,  # first sign of the start; NaT: the logs begin in this epoch
    "to": TIME,  # NaT: they end in it
    "event_id": NUMBER,  # what the first sign was
    "input": "str",
    "record_id": NUMBER,
    "present": "int64",  # 5441 records
    "changes": "int64",  # 5447 records
    "others": "int64",  # records of callouts, providers, contexts and sublayers: 5440, 5442-5444, 5446, 5448-5450
    "reloads": "int64",  # records of policy changes
}
