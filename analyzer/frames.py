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


# ---------------------------------------------------------------------------------------------------------------
# Net events, as `analyzer.readers.netevents` reads them. A header field whose flag is not set is missing, not zero.

NETEVENTS: Final[dict[str, str]] = {
    "input": TEXT,  # name of the input file
    "entry": "int64",  # number of the net event in its file, from 1: what evidence cites
    "line": "int64",  # where it begins, in the file or in the archive's member
    "type": TEXT,  # CLASSIFY_DROP: without FWPM_NET_EVENT_TYPE_ and PUBLIC_
    "decision": TEXT,  # drop, permit; missing for types that decide nothing
    "time": TIME,  # header/timeStamp
    "ip_version": NUMBER,  # 4, 6
    "protocol": NUMBER,
    "local_address": TEXT,  # in the shortest form
    "local_port": NUMBER,  # for ICMP: the type
    "remote_address": TEXT,
    "remote_port": NUMBER,  # for ICMP: the code
    "scope_id": NUMBER,  # of IPv6; 0 is missing
    "application": TEXT,
    "user_sid": TEXT,  # the user of the token
    "package_sid": TEXT,  # S-1-0-0: no package
    "enterprise_id": TEXT,
    "policy_flags": NUMBER,
    "effective_name": TEXT,
    "filter_id": NUMBER,  # 0: no filter named
    "layer_id": NUMBER,
    "reauth_reason": NUMBER,
    "original_profile": NUMBER,
    "current_profile": NUMBER,
    "direction": TEXT,  # as printed: inbound, outbound, forward, loopback
    "is_loopback": TEXT,  # true, false
    "vswitch_id": TEXT,
    "vswitch_source_port": NUMBER,
    "vswitch_destination_port": NUMBER,
    "capability": TEXT,  # of CAPABILITY_DROP and _ALLOW, without FWPM_APPC_NETWORK_CAPABILITY_
    "failure": TEXT,  # error code of IKE and IPsec events, as printed
    "spi": NUMBER,
    "local_mac": TEXT,
    "remote_mac": TEXT,
    "ether_type": NUMBER,
    "vlan_tag": NUMBER,
    "media_type": NUMBER,
    "interface_type": NUMBER,
    "interface_luid": NUMBER,
    "interface_index": NUMBER,
    "compartment_id": NUMBER,
    "origin": TEXT,  # internalFields/filterOrigin
    "process_id": NUMBER,  # newer builds alone
    "service_sids": TEXT,  # newer builds alone, as printed
    "policy_app_id": TEXT,
    "capabilities": OBJECT,  # tuple of str, without FWP_CAPABILITIES_FLAG_; None where none is listed
    "fqbn_version": NUMBER,
    "fqbn_name": TEXT,
    "remote_address_bitmap": TEXT,
    "details": OBJECT,  # dict of further fields as printed (IKE), or None
}

NETEVENT_FILTERS: Final[dict[str, str]] = {  # terminatingFiltersInfo: one row per sublayer that decided
    "input": TEXT,
    "entry": "int64",
    "netevent_row": "int64",  # position of the net event in the NETEVENTS frame
    "index": "int64",  # position among the net event's terminating filters
    "filter_id": NUMBER,
    "sublayer": TEXT,  # symbol (`MPSSVC_WF`)
    "action": TEXT,  # block, permit, callout-..., or the raw text
}


# ---------------------------------------------------------------------------------------------------------------
# Lists of services, audit policies, firewall rules. `line` is where the row begins in its file.

SERVICES: Final[dict[str, str]] = {  # one row per service, and one per process that tasklist shows without any
    "input": "str",
    "line": NUMBER,
    "source": "str",  # tasklist, service-list (sc queryex, Win32_Service)
    "computer": "str",
    "service": "str",  # short name; missing: the process hosts no service
    "display_name": "str",  # localized
    "process_id": NUMBER,  # missing: not running
    "image": "str",  # file name of the program
    "path": "str",  # command line: `C:\Windows\system32\svchost.exe -k netsvcs -p -s BITS`
    "account": "str",  # as printed: LocalSystem, NT AUTHORITY\NetworkService
    "shared": OBJECT,  # bool or None: whether its type lets it share a process, not whether it does
    "state": "str",  # stopped, start-pending, stop-pending, running, continue-pending, pause-pending, paused
}

AUDIT_POLICY: Final[dict[str, str]] = {
    "input": "str",
    "line": NUMBER,
    "source": "str",  # effective (auditpol /get /r), backup (auditpol /backup), group-policy (audit.csv)
    "computer": "str",
    "target": "str",  # as printed; `System` (localized) or a user
    "per_user": "bool",  # a user's row says nothing of the system's policy: success and failure are missing
    "subcategory_guid": "str",  # upper case in braces, as auditpol takes it
    "setting": "str",  # as printed: localized
    "value": NUMBER,  # the numeric setting, where the format has one
    "success": OBJECT,  # bool or None: not known, or (Group Policy) not set
    "failure": OBJECT,
}

# Of a rule, an empty tuple means "any"; None means that the file does not tell (see `known`).
RULE_PARTS: Final[dict[str, str]] = {  # what Get-NetFirewall...Filter tells of a rule, one row per filter object
    "input": "str",
    "line": NUMBER,
    "rule_id": "str",
    "known": OBJECT,  # tuple of the parts that this row tells: see `analyzer.wfp.rules.PARTS`
    "protocol": NUMBER,  # missing: any
    "local_ports": OBJECT,  # tuple of str: `443`, `5000-5010`, keywords (`RPC`, `mDNS`)
    "remote_ports": OBJECT,
    "icmp": OBJECT,  # tuple of str: `8:*`
    "local_addresses": OBJECT,  # tuple of str: addresses, networks, ranges, keywords (`LocalSubnet`)
    "remote_addresses": OBJECT,
    "program": "str",  # as printed, variables not expanded; missing: any
    "package": "str",  # SID or family name of an app package
    "service": "str",  # short name, `*` for any service; missing: no limit
    "interfaces": OBJECT,
    "interface_types": OBJECT,
    "local_user": "str",  # SDDL
    "remote_user": "str",
    "remote_machine": "str",
}
RULES: Final[dict[str, str]] = {
    **RULE_PARTS,
    "store": "str",  # see `analyzer.wfp.rules.STORES`; missing: the file does not tell
    "store_name": "str",  # a policy's name, or PowerShell's name of the store
    "name": "str",  # as written; `@FirewallAPI.dll,-25000` is looked up by Windows only
    "group": "str",
    "action": "str",  # allow, block, bypass
    "active": OBJECT,  # bool or None
    "direction": "str",  # inbound, outbound
    "profiles": OBJECT,  # tuple of domain, private, public; all three for any
    "owner": "str",  # SID of the user that the rule belongs to
    "edge": "str",  # edge traversal: block, allow, defer-user, defer-app
    "enforcement": OBJECT,  # tuple of str as PowerShell tells it (`LocalFirewallRulesDisallowed`)
    "version": "str",  # of the rule's grammar: `2.31`
    "extra": OBJECT,  # dict of keys that have no column, or None
    "raw": "str",  # the registry's text
}
FIREWALL_PROFILES: Final[dict[str, str]] = {  # missing: this store does not set it
    "input": "str",
    "line": NUMBER,
    "store": "str",
    "profile": "str",  # domain, private, public
    "firewall": OBJECT,  # bool: on or off
    "inbound": "str",  # allow, block
    "outbound": "str",
    "shielded": OBJECT,  # bool: all inbound connections are blocked, rules or not
    "notifications": OBJECT,  # bool
    "local_merge": OBJECT,  # bool: whether rules of the local store apply
}
RULE_STATES: Final[dict[str, str]] = {  # rules against the filters of one state
    "rule_row": "int64",  # position in the RULES frame
    "rule_id": "str",
    "filter_ids": OBJECT,  # tuple of int: run-time ids of the filters made from it
    "reason": "str",  # see `analyzer.wfp.rules.Reason`; `plumbed` where there are filters
    "why": "str",
}


# ---------------------------------------------------------------------------------------------------------------
# The history of filters, from 5441 and 5447 (REFERENCE 1.6). Times that are not known are NaT.

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
    """Keep every digit: pandas makes doubles of a list that holds numbers on both sides of 2**63."""
    missing = pd.isna(np.array(data, dtype=object))
    values = [0 if gone else item for item, gone in zip(data, missing.tolist(), strict=True)]
    return pd.arrays.IntegerArray(np.array(values, dtype=np.uint64), missing)


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
