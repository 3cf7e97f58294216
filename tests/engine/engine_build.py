"""Flows and filters made by hand for tests of the engine, and the way from the plain form to arrays and frames."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer import frames
from analyzer.engine.addresses import Addresses, parse_address, split_address
from analyzer.engine.conditions import Test
from analyzer.engine.flows import FORWARD, INBOUND, OUTBOUND, UNKNOWN, FlowArrays, texts
from analyzer.engine.policy import compile_policy
from analyzer.engine.tokens import UNKNOWN_TOKEN, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

PROGRAM = r"\device\harddiskvolume3\program files\example\program.exe"
SVCHOST = r"\device\harddiskvolume3\windows\system32\svchost.exe"
CONNECT, ACCEPT = "ALE_AUTH_CONNECT_V4", "ALE_AUTH_RECV_ACCEPT_V4"
WF, WSH = "MPSSVC_WF", "MPSSVC_WSH"
SERVICE = "S-1-5-80-1-2-3-4-5"
USER = "S-1-5-21-1-2-3-1001"
DIRECTIONS = {"outbound": OUTBOUND, "inbound": INBOUND, "forward": FORWARD, None: UNKNOWN}
LOOPBACK, WILDCARD, APP_LOOPBACK, OTHER_LOOPBACK = 0x1, 0x8, 0x400000, 0x800000


@dataclass(frozen=True)
class Flow:
    """One recorded flow in plain Python: None is what the record does not tell."""

    layer: str | None = CONNECT
    application: str | None = PROGRAM
    protocol: int | None = 6
    direction: str | None = "outbound"
    local: str | None = "192.0.2.10"
    remote: str | None = "198.51.100.7"
    local_port: int | None = 50001
    remote_port: int | None = 443
    certain: bool = True
    loopback: bool | None = False
    wildcard: bool | None = None
    original_profile: int | None = None
    current_profile: int | None = None
    interface_index: int | None = None
    interface_luid: int | None = None
    token: Token = UNKNOWN_TOKEN
    ether_type: int | None = None
    source_mac: int | None = None
    destination_mac: int | None = None


def _numbers(values: Sequence[int | None]) -> Any:
    return np.array([UNKNOWN if value is None else value for value in values], dtype=np.int64)


def _addresses(values: Sequence[str | None]) -> Addresses:
    parts = [(0, 0, 0) if (found := parse_address(v)) is None else split_address(found) for v in values]
    return Addresses(
        np.array([p[0] for p in parts], dtype=np.int8),
        np.array([p[1] for p in parts], dtype=np.uint64),
        np.array([p[2] for p in parts], dtype=np.uint64),
    )


def _bits(flow: Flow, *, on: bool) -> int:
    """The flags that are known to be set, or known to be clear."""
    if on:
        return (LOOPBACK if flow.loopback else 0) | (WILDCARD if flow.wildcard else 0)
    clear = LOOPBACK | APP_LOOPBACK | OTHER_LOOPBACK if flow.loopback is False else 0
    return clear | (WILDCARD if flow.wildcard is False else 0)


def arrays(*flows: Flow) -> FlowArrays:
    """The same flows as arrays."""
    tokens: dict[Token, int] = {}
    codes = [tokens.setdefault(flow.token, len(tokens)) for flow in flows]
    return FlowArrays(
        layer=texts([flow.layer for flow in flows]),
        application=texts([flow.application and flow.application.lower() for flow in flows]),
        protocol=_numbers([flow.protocol for flow in flows]),
        direction=np.array([DIRECTIONS[flow.direction] for flow in flows], dtype=np.int8),
        local=_addresses([flow.local for flow in flows]),
        remote=_addresses([flow.remote for flow in flows]),
        local_port=_numbers([flow.local_port for flow in flows]),
        remote_port=_numbers([flow.remote_port for flow in flows]),
        order_certain=np.array([flow.certain for flow in flows], dtype=bool),
        flags_set=np.array([_bits(flow, on=True) for flow in flows], dtype=np.uint32),
        flags_clear=np.array([_bits(flow, on=False) for flow in flows], dtype=np.uint32),
        original_profile=_numbers([flow.original_profile for flow in flows]),
        current_profile=_numbers([flow.current_profile for flow in flows]),
        interface_index=_numbers([flow.interface_index for flow in flows]),
        interface_luid=np.array([flow.interface_luid or 0 for flow in flows], dtype=np.uint64),
        package=texts([flow.token.package for flow in flows]),
        token=np.array(codes, dtype=np.int32),
        tokens=tuple(tokens) or (UNKNOWN_TOKEN,),
        ether_type=_numbers([flow.ether_type for flow in flows]),
        source_mac=_numbers([flow.source_mac for flow in flows]),
        destination_mac=_numbers([flow.destination_mac for flow in flows]),
    )


@dataclass(frozen=True)
class Filter:
    """One filter in plain Python; ``registered`` is what the state says of its callout."""

    action: str = "permit"
    weight: int | None = 1
    tests: tuple[Test, ...] = ()
    sublayer: str | None = WF
    sublayer_weight: int | None = 2
    layer: str | None = CONNECT
    flags: tuple[str, ...] = ()
    registered: bool | None = True
    name: str = field(default="")


def cond(name: str, match: str, value: Any) -> Test:
    return Test(name, match, value, str(value))


def eq(name: str, value: Any) -> Test:
    return cond(name, "EQUAL", value)


def service(*sids: str) -> Test:
    return eq("ALE_USER_ID", "O:SYG:SYD:" + "".join(f"(A;;CCRC;;;{sid})" for sid in sids))


def open_test(number: int = 0) -> Test:
    """A condition that nobody can tell; different numbers are different fields."""
    return eq(f"SOMETHING_NEW_{number}", 1)


def yes_test() -> Test:
    return cond("IP_PROTOCOL", "LESS_OR_EQUAL", 255)


def no_test() -> Test:
    return cond("IP_PROTOCOL", "GREATER", 255)


def frame(filters: Sequence[Filter]) -> pd.DataFrame:
    """The filters as a FILTERS frame, in their order."""
    columns = {name: [None] * len(filters) for name in frames.FILTERS}
    columns["input"] = ["state"] * len(filters)
    columns["filter_id"] = list(range(len(filters)))
    columns["flags"] = [item.flags for item in filters]
    columns["layer"] = [item.layer for item in filters]
    columns["sublayer"] = [item.sublayer for item in filters]
    columns["sublayer_weight"] = [item.sublayer_weight for item in filters]
    columns["effective_weight"] = [item.weight for item in filters]
    columns["action"] = [item.action for item in filters]
    callout = [item.action.startswith("callout") for item in filters]
    columns["callout_key"] = [f"callout-{n}" if is_one else None for n, is_one in enumerate(callout)]
    return frames.build(columns, frames.FILTERS)


def callout_frame(filters: Sequence[Filter]) -> pd.DataFrame:
    """The state's list of callouts: those whose registration is told."""
    rows = [
        {"input": "state", "callout": f"callout-{n}", "flags": ("REGISTERED",) if item.registered else ()}
        for n, item in enumerate(filters)
        if item.action.startswith("callout") and item.registered is not None
    ]
    return frames.build({name: [row.get(name) for row in rows] for name in frames.CALLOUTS}, frames.CALLOUTS)


def policy(*filters: Filter, complete: bool = True):
    """The filters compiled; rows are their places."""
    tests = {number: item.tests for number, item in enumerate(filters) if item.tests}
    return compile_policy(frame(filters), tests, callouts=callout_frame(filters), complete=complete)


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text)
