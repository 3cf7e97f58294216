"""Net events beside an audit log are the same decisions, matched one to one; alone they are events."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analyzer import addressing, frames, netevents, netmatch
from analyzer.readers.netevents import NetEvents, read_netevents_blocks
from samples.neteventswriter import NetEvent, write_netevents, write_wfpdiag
from tests.core import core_build as build

BASE = NetEvent(
    "",
    application=build.PROGRAM,
    user="S-1-5-21-1-2-3-1001",
    origin="Default Outbound",
    interface=5,
    terminating=[(70001, "MPSSVC_WF", "BLOCK")],
)


def at(seconds: float) -> str:
    return (build.stamp(seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def net(*rows: dict[str, Any], name: str = "netevents.xml") -> NetEvents:
    """Net events that are the twins of ``build.wfp``'s rows; ``s`` is the time in seconds."""
    events = [dataclasses.replace(BASE, time=at(row.pop("s", 0)), **row) for row in map(dict, rows)]
    got = read_netevents_blocks([write_netevents(events)], name)
    assert not rows or got.problems == ()
    return got


def audit(*rows: dict[str, Any]) -> pd.DataFrame:
    return addressing.orient(build.wfp(*rows))


def states(events: pd.DataFrame, found: NetEvents) -> list[str]:
    return [netmatch.STATES[code] for code in netmatch.match(events, found.events).state]


def test_the_same_decision_is_matched_and_gives_its_user() -> None:
    events = audit({"source_port": 50001, "s": 0.4}, {"source_port": 50002, "s": 1.0})
    found = net({"s": 0.1}, {"local_port": 50002, "user": "S-1-5-19", "s": 0.9})
    matches = netmatch.match(events, found.events)
    assert matches.row.tolist() == [0, 1]
    assert matches.taken.tolist() == [True, True]
    assert matches.computers == {"netevents.xml": build.HOST}
    more = netmatch.evidence(matches, found.events, found.filters)
    assert more["user_sid"].tolist() == ["S-1-5-21-1-2-3-1001", "S-1-5-19"]
    assert set(more["user_source"]) == {"netevent"}
    assert more["origin"].tolist() == ["Default Outbound"] * 2
    assert more["interface_index"].tolist() == [5, 5]
    assert more["original_profile"].tolist() == [1, 1]
    assert more["net_entry"].tolist() == [1, 2]
    assert more["terminating"].iloc[0] == (("MPSSVC_WF", 70001, "block"),)


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": 17},
        {"local": "192.0.2.11"},
        {"remote": "198.51.100.8"},
        {"local_port": 50002},
        {"remote_port": 80},
        {"filter_id": 70002},
        {"layer_id": 44},
        {"type": "CLASSIFY_ALLOW"},
        {"application": r"\device\harddiskvolume3\other.exe"},
        {"process_id": 17},
        {"s": 5.0},
        {"s": -20.0},
    ],
    ids=str,
)
def test_what_differs_is_not_the_same_decision(other: dict[str, Any]) -> None:
    matches = netmatch.match(audit({}), net(other).events)
    assert matches.row.tolist() == [-1]
    assert matches.state.tolist() == [netmatch.NONE]
    assert matches.taken.tolist() == [False]


def test_another_origin_is_another_decision() -> None:
    assert states(audit({"event_origin": "Stealth"}), net({})) == ["none"]
    assert states(audit({"event_origin": "default outbound"}), net({})) == ["one-to-one"]


def test_the_audit_record_may_come_seconds_later() -> None:
    assert states(audit({"s": 4.9}), net({})) == ["one-to-one"]
    assert states(audit({"s": 5.1}), net({})) == ["none"]
    assert states(audit({"s": -0.9}), net({})) == ["one-to-one"]
    assert states(audit({"s": -1.1}), net({})) == ["none"]


def test_a_program_in_another_case_and_an_unset_field_are_no_difference() -> None:
    assert states(audit({"application": build.PROGRAM.upper()}), net({})) == ["one-to-one"]
    assert states(audit({"application": None}), net({})) == ["one-to-one"]
    assert states(audit({"process_id": 17}), net({})) == ["one-to-one"]


def test_repeats_of_one_attempt_are_matched_in_order() -> None:
    events = audit(*({"s": s + 0.2} for s in (0, 0.5, 1.0, 3.0)))
    found = net(*({"s": s} for s in (0, 0.5, 1.0, 3.0)))
    matches = netmatch.match(events, found.events)
    assert matches.row.tolist() == [0, 1, 2, 3]


def test_one_too_many_is_ambiguous_and_no_guess() -> None:
    events = audit(*({"s": s} for s in (0.1, 0.6, 1.1)), {"s": 60.0})
    found = net({"s": 0.0}, {"s": 0.5}, {"s": 60.0})
    matches = netmatch.match(events, found.events)
    assert [netmatch.STATES[code] for code in matches.state] == ["ambiguous"] * 3 + ["one-to-one"]
    assert matches.row.tolist() == [-1, -1, -1, 2]
    assert matches.taken.all()
    more = netmatch.evidence(matches, found.events, found.filters)
    assert more["user_sid"].isna().tolist() == [True, True, True, False]


def test_as_many_but_with_other_lags_is_ambiguous() -> None:
    # The first net event and the last audit event have no twin: in order, they would be paired wrongly.
    events = audit({"s": 1.0}, {"s": 4.0})
    found = net({"s": 0.0}, {"s": 1.0})
    assert states(events, found) == ["ambiguous", "ambiguous"]


def test_the_order_of_the_endpoints_does_not_matter() -> None:
    events = audit(build.inbound(5157, "198.51.100.7", "192.0.2.10", source_port=443, dest_port=50001))
    found = net({"layer_id": 44, "direction": "MS_FWP_DIRECTION_IN"})
    assert states(events, found) == ["one-to-one"]


def test_icmp_type_and_code_and_ipv6_are_compared() -> None:
    ping = {"protocol": 58, "source_address": "FE80::1%12", "dest_address": "2001:db8::7", "layer_rtid": 50}
    events = audit({**ping, "source_port": 128, "dest_port": 0})
    found = net(
        {
            "protocol": 58,
            "local": "fe80::1",
            "remote": "2001:db8::7",
            "local_port": 128,
            "remote_port": 0,
            "layer_id": 50,
        }
    )
    assert states(events, found) == ["one-to-one"]


def test_a_refused_listener_has_no_remote_side() -> None:
    events = audit({"event_id": 5155, "source_address": "0.0.0.0", "source_port": 80})
    found = net({"local": "0.0.0.0", "local_port": 80, "remote": "0.0.0.0", "remote_port": 0, "layer_id": 40})
    assert states(events, found) == ["one-to-one"]


def test_permits_are_matched_to_permits() -> None:
    events = audit({"event_id": 5156}, {"event_id": 5157, "source_port": 50002})
    found = net({"type": "CLASSIFY_ALLOW"}, {"type": "CLASSIFY_ALLOW", "local_port": 50002})
    assert states(events, found) == ["one-to-one", "none"]


def test_net_events_of_two_hosts_in_one_file_are_not_believed() -> None:
    events = audit({}, {"source_port": 50002, "computer": "PC-TWO"})
    found = net({}, {"local_port": 50002})
    matches = netmatch.match(events, found.events)
    assert matches.row.tolist() == [-1, -1]
    assert matches.state.tolist() == [netmatch.AMBIGUOUS] * 2
    assert matches.computers == {}


def test_mac_drops_are_matched_by_their_hardware_addresses() -> None:
    mac = {"event_id": 5150, "source_address": "00-15-5D-01-02-03", "dest_address": "00-15-5d-0a-0b-0c"}
    events = audit(
        {**mac, "ether_type": 2048, "layer_rtid": 56, "protocol": None, "source_port": None, "dest_port": None}
    )
    body = {"localMacAddr": "00155d0a0b0c", "remoteMacAddr": "00155d010203", "etherType": 2048}
    found = net({"type": "CLASSIFY_DROP_MAC", "layer_id": 56, "flags": ["APP_ID"], "body": body, "origin": None})
    assert states(events, found) == ["one-to-one"]


def test_nothing_to_match() -> None:
    none = net()
    for events in (audit({}), audit()):
        matches = netmatch.match(events, none.events if len(events) else net({}).events)
        assert matches.row.tolist() == [-1] * len(events)
    more = netmatch.evidence(netmatch.match(audit({}), none.events), none.events, none.filters)
    assert len(more) == 1
    assert more["user_sid"].isna().all()


def test_many_events_and_few_net_events() -> None:
    count = 200_000
    events = audit({}, {"source_port": 50002}).iloc[np.arange(count) % 2].reset_index(drop=True)
    events["time"] = events["time"] + pd.to_timedelta(np.arange(count) * 7, unit="s")
    found = net(*({"s": 14.0 * n} for n in range(100)))
    matches = netmatch.match(events, found.events)
    assert (matches.row >= 0).sum() == 100


@pytest.mark.parametrize("seed", range(20))
def test_matches_are_always_one_to_one_and_within_the_tolerance(seed: int) -> None:
    random = np.random.default_rng(seed)
    ports = [50001, 50002]
    events = audit(
        *({"s": float(random.integers(0, 400)) / 10, "source_port": ports[random.integers(2)]} for _ in range(60))
    )
    found = net(
        *({"s": float(random.integers(0, 400)) / 10, "local_port": ports[random.integers(2)]} for _ in range(20))
    )
    matches = netmatch.match(events, found.events)
    hit = np.flatnonzero(matches.row >= 0)
    assert len(set(matches.row[hit])) == len(hit)
    lag = events["time"].iloc[hit].reset_index(drop=True) - found.events["time"].iloc[matches.row[hit]].reset_index(
        drop=True
    )
    assert (lag <= pd.Timedelta(netmatch.LATE, unit="ns")).all()
    assert (lag >= -pd.Timedelta(netmatch.EARLY, unit="ns")).all()
    for row in np.flatnonzero(matches.state == netmatch.NONE):
        same = found.events["local_port"] == events["local_raw_port"].iloc[row]
        gap = events["time"].iloc[row] - found.events.loc[same, "time"]
        near = (gap <= pd.Timedelta(netmatch.LATE, unit="ns")) & (gap >= -pd.Timedelta(netmatch.EARLY, unit="ns"))
        assert not near.any()


# --------------------------------------------------------------------------------------------------------------
# Net events alone


def test_net_events_alone_have_the_columns_of_oriented_events() -> None:
    oriented = audit({}, build.inbound(5157, "198.51.100.7", "192.0.2.10"))
    made = netevents.to_events(net({}, {"layer_id": 44}).events)
    assert set(oriented.columns) <= set(made.columns)
    for name in oriented.columns:
        assert made[name].dtype.name == oriented[name].dtype.name, name
    assert made["event_id"].tolist() == [netevents.NO_EVENT_ID] * 2
    assert made["record_id"].isna().all()
    assert made["computer"].isna().all()
    assert set(netevents.to_events(net({}).events, computer="PC-ONE")["computer"]) == {"PC-ONE"}
    schema = frames.EVENT_SCHEMAS["wfp"]
    assert len(frames.concat([made[list(schema)], oriented[list(schema)]], schema)) == 4
    assert netevents.to_events(net().events).empty


def test_sides_and_directions_are_those_that_the_net_event_names() -> None:
    made = netevents.to_events(net({}, {"layer_id": 44, "direction": "MS_FWP_DIRECTION_OUT"}, {"layer_id": 40}).events)
    assert made["local_address"].tolist() == ["192.0.2.10"] * 3
    assert made["remote_port"].tolist() == [443] * 3
    # A net event at the accept layer is inbound, whatever direction is printed (REFERENCE 1.4).
    assert made["direction"].astype(object).where(made["direction"].notna(), None).tolist() == [
        "outbound",
        "inbound",
        None,
    ]
    assert made["source_address"].tolist() == ["192.0.2.10", "198.51.100.7", "192.0.2.10"]
    assert set(made["endpoint_order"]) == {"certain"}
    assert made["user_sid"].tolist() == [BASE.user] * 3
    assert made["entry"].tolist() == [1, 2, 3]
    assert netevents.place(17) == "entry 17"


def test_no_profile_is_not_a_profile() -> None:
    made = netevents.to_events(net({"profile": 0}, {"profile": 2}).events)
    assert made["original_profile"].isna().tolist() == [True, False]
    assert made["current_profile"].tolist()[1] == "2"


def test_drops_block_at_ale_layers_and_drop_packets_elsewhere() -> None:
    rows = ({"layer_id": 48}, {"layer_id": 12}, {"type": "CLASSIFY_ALLOW"}, {"layer_id": 97})
    made = netevents.to_events(net(*rows).events, layer_names={97: "ALE_NEW_V4"})
    assert made["action"].tolist() == ["block", "drop", "permit", "block"]
    assert made["layer"].tolist()[:2] == ["ALE_AUTH_CONNECT_V4", "INBOUND_TRANSPORT_V4"]


def test_types_that_decide_nothing_are_no_events() -> None:
    made = netevents.to_events(net({"type": "IKEEXT_MM_FAILURE"}, {}, {"type": "LPM_PACKET_ARRIVAL"}).events)
    assert made["netevent_row"].tolist() == [1]


def test_icmp_has_type_and_code_and_mac_drops_have_hardware_addresses() -> None:
    body = {"localMacAddr": "00155d0a0b0c", "remoteMacAddr": "00155d010203"}
    mac = {"type": "CLASSIFY_DROP_MAC", "layer_id": 56, "flags": [], "body": body}
    made = netevents.to_events(net({"protocol": 1, "local_port": 8, "remote_port": 0}, mac).events)
    assert made["icmp_type"].tolist()[0] == 8
    assert made["local_port"].isna().tolist()[0]
    assert made["source_mac"].tolist()[1] == "00-15-5d-01-02-03"
    assert made["local_address"].isna().tolist() == [False, True]


def test_a_net_event_in_two_files_is_kept_once() -> None:
    rows = ({"s": 0}, {"s": 1}, {"s": 1})
    first = net(*rows)
    events = [dataclasses.replace(BASE, time=at(s)) for s in (1, 1, 1, 2)]
    second = read_netevents_blocks([write_wfpdiag(events)], "wfpdiag.xml")
    both, filters, left_out = netevents.gather([(part.events, part.filters) for part in (first, second)])
    assert both["input"].astype(str).value_counts().to_dict() == {"netevents.xml": 3, "wfpdiag.xml": 2}
    assert left_out == {"wfpdiag.xml": 2}
    assert filters["netevent_row"].tolist() == [0, 1, 2, 3, 4]
    matches = netmatch.match(audit({"s": 0.1}), both.iloc[:1])
    assert matches.row.tolist() == [0]
    assert netevents.gather([])[0].empty
