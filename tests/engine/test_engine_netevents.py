"""What net events add to flows: user, package, interface and profiles, matched to an audit event or alone."""

from __future__ import annotations

from typing import Any

from analyzer import addressing, netjoin
from analyzer.engine import recorded
from analyzer.engine.flows import UNKNOWN, FlowArrays
from analyzer.readers.netevents import read_netevents_blocks
from samples.neteventswriter import NetEvent, write_netevents
from tests.core import core_build as build

USER = "S-1-5-21-1-2-3-1001"


def net(**row: Any) -> tuple[str, Any]:
    time = build.stamp(0).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    made = NetEvent(**{"time": time, "application": build.PROGRAM, "user": USER, "interface": 5, **row})
    return "netevents.xml", read_netevents_blocks([write_netevents([made])], "netevents.xml")


def flows(*rows: dict[str, Any], nets: tuple[tuple[str, Any], ...] = ()) -> FlowArrays:
    return recorded.from_events(netjoin.join(addressing.orient(build.wfp(*rows)), nets).events)


def test_a_matched_net_event_adds_what_the_audit_event_lacks() -> None:
    found = flows({}, {"s": 30, "dest_port": 80}, nets=(net(),))
    tokens = [found.tokens[code] for code in found.token]
    assert [token.user for token in tokens] == [USER, None]
    assert found.interface_index.tolist() == [5, UNKNOWN]
    assert found.original_profile.tolist() == [1, UNKNOWN]
    assert found.current_profile.tolist() == [1, UNKNOWN]


def test_a_net_event_alone_is_a_flow_of_its_own() -> None:
    found = flows({"s": 300, "dest_port": 80}, nets=(net(),))
    assert sorted(found.remote_port.tolist()) == [80, 443]
    at = found.remote_port.tolist().index(443)
    assert found.tokens[found.token[at]].user == USER
    assert found.interface_index[at] == 5
    assert found.current_profile[at] == 1
    assert found.order_certain[at]


def test_without_net_events_nothing_is_known_of_the_token() -> None:
    found = flows({})
    assert found.tokens[found.token[0]].user is None
    assert (found.interface_index[0], found.interface_luid[0]) == (UNKNOWN, 0)
