"""Direction and the local side of events: real logs, public JSON events, and cases made by hand."""

from __future__ import annotations

import ipaddress

import pandas as pd
import pytest
from core_build import ACCEPT, BIND, CONNECT, FORWARD, IN, LISTEN, OUT, bind, inbound, otrf_frame, wfp

from analyzer.addressing import orient
from analyzer.readers.evtx import read_evtx

MINE, OTHER, GROUP = "192.0.2.10", "198.51.100.7", "224.0.0.252"


def read(shared, name):
    return orient(read_evtx(shared / "evtx" / name, "log.evtx").tables["wfp"])


def one(*rows, **more):
    """Orient these rows; return the last in the order given."""
    return orient(wfp(*rows), **more).iloc[-1]


def ends(event):
    return event["local_address"], event["remote_address"], event["endpoint_order"]


def source_is_local(events):
    """Tell by the ports too: source and destination may be one address."""
    same_address = events["local_address"].astype("object") == events["source_address"].astype("object")
    return same_address & (events["local_raw_port"] == events["source_port"])


# Real logs


def test_old_order_beside_the_packet_that_shows_it(shared):
    events = read(shared, "security-short-5152-5157.evtx")
    assert events["event_id"].tolist() == [5152, 5152, 5157]
    assert (events["direction"] == "inbound").all()
    assert (events["endpoint_order"] == "certain").all()
    for event in events.itertuples():
        expected = event.source_address if event.event_id == 5157 else event.dest_address
        assert event.local_address == expected
    assert len(set(events["local_address"])) == 1


def test_echo_request_of_both_records_has_type_8_code_0(shared):
    events = read(shared, "security-short-5152-5157.evtx")
    icmp = events[events["protocol"] == 1]
    assert len(icmp) == 2
    assert icmp["icmp_type"].tolist() == [8, 8]
    assert icmp["icmp_code"].tolist() == [0, 0]
    assert icmp[["local_port", "remote_port"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("name", "inbound_count"), [("rdp-tunnel-5156-5158-4688.evtx", 27), ("domain-admins-5156-5158.evtx", 12)]
)
def test_older_logs_have_the_local_side_in_source(shared, name, inbound_count):
    events = read(shared, name)
    came_in = events[events["direction"] == "inbound"]
    assert len(came_in) == inbound_count
    assert (events["endpoint_order"] == "certain").all()
    assert source_is_local(events).all()


# Public JSON events


def group_address(text):
    address = ipaddress.ip_address(str(text).partition("%")[0]) if isinstance(text, str) else None
    return address is not None and (address.is_multicast or str(address) == "255.255.255.255")


@pytest.fixture(scope="module")
def public(shared):
    events = orient(otrf_frame(shared))
    events["to_group"] = events["dest_address"].map(group_address, na_action="ignore").astype("boolean").fillna(False)
    events["from_group"] = (
        events["source_address"].map(group_address, na_action="ignore").astype("boolean").fillna(False)
    )
    return events


def connections_in(public):
    return public[(public["direction"] == "inbound") & public["event_id"].isin([5156, 5157])]


def test_all_public_events_are_read(public):
    counts = public["event_id"].value_counts().to_dict()
    assert counts == {5156: 11111, 5158: 10547, 5154: 2876, 5152: 209, 5157: 47, 5031: 16}


def test_public_hosts_all_write_the_newer_order(public):
    """Their multicast says so: each of them is of the Windows 10 era, none has a group as source."""
    came_in = connections_in(public)
    assert came_in["to_group"].sum() > 300
    assert came_in["from_group"].sum() == 0


def test_inbound_multicast_is_addressed_to_the_local_side(public):
    grouped = connections_in(public)[lambda frame: frame["to_group"]]
    assert (grouped["endpoint_order"] == "certain").all()
    assert (grouped["local_address"].astype("object") == grouped["dest_address"].astype("object")).all()


def test_inbound_packets_are_addressed_to_the_local_side(public):
    packets = public[(public["event_id"] == 5152) & (public["direction"] == "inbound")]
    assert len(packets) == 164
    assert (packets["endpoint_order"] == "certain").all()
    assert not source_is_local(packets).any()


def test_outbound_and_port_events_are_certain(public):
    rest = public[(public["direction"] == "outbound") | public["event_id"].isin([5154, 5158])]
    assert (rest["endpoint_order"] == "certain").all()
    assert source_is_local(rest).all()


def test_nothing_is_certain_against_the_multicast_of_the_same_host(public):
    came_in = connections_in(public)
    hosts = set(came_in.loc[came_in["to_group"], "computer"])
    assert len(hosts) >= 10
    sure = came_in[came_in["computer"].isin(hosts) & (came_in["endpoint_order"] == "certain")]
    assert source_is_local(sure).sum() == 0


def test_hosts_with_multicast_evidence_are_calibrated(public):
    came_in = connections_in(public)
    hosts = set(came_in.loc[came_in["to_group"], "computer"])
    unsure = came_in[came_in["computer"].isin(hosts) & (came_in["endpoint_order"] == "uncertain")]
    assert len(unsure) == 0


def test_blocked_connections_of_the_newer_order(public):
    blocked = connections_in(public)[lambda frame: frame["event_id"] == 5157]
    assert len(blocked) == 47
    assert not source_is_local(blocked[blocked["endpoint_order"] == "certain"]).any()


# Made by hand: outbound


@pytest.mark.parametrize("event_id", [5152, 5153, 5156, 5157])
def test_outbound_source_is_local(event_id):
    event = one({"event_id": event_id, "source_address": MINE, "dest_address": OTHER})
    assert event["direction"] == "outbound"
    assert ends(event) == (MINE, OTHER, "certain")
    assert (event["local_port"], event["remote_port"]) == (50001, 443)


# Made by hand: inbound


@pytest.mark.parametrize("event_id", [5152, 5153])
def test_inbound_packet_destination_is_local(event_id):
    event = one(inbound(event_id, OTHER, MINE, source_port=41000, dest_port=80))
    assert ends(event) == (MINE, OTHER, "certain")
    assert (event["local_port"], event["remote_port"]) == (80, 41000)


@pytest.mark.parametrize("event_id", [5156, 5157])
def test_lone_inbound_connection_is_uncertain_and_shows_source_as_local(event_id):
    event = one(inbound(event_id, OTHER, MINE, source_port=41000, dest_port=80))
    assert ends(event) == (OTHER, MINE, "uncertain")
    assert (event["local_port"], event["remote_port"]) == (41000, 80)


@pytest.mark.parametrize("event_id", [5156, 5157])
def test_known_own_address_decides_the_older_order(event_id):
    assert ends(one(bind(MINE), inbound(event_id, MINE, OTHER))) == (MINE, OTHER, "certain")


@pytest.mark.parametrize("event_id", [5156, 5157])
def test_known_own_address_decides_the_newer_order(event_id):
    assert ends(one(bind(MINE), inbound(event_id, OTHER, MINE))) == (MINE, OTHER, "certain")


def test_outbound_connections_tell_own_addresses():
    seen = {"source_address": MINE, "dest_address": "203.0.113.9"}
    assert ends(one(seen, inbound(5157, OTHER, MINE))) == (MINE, OTHER, "certain")


def test_inbound_packets_tell_own_addresses():
    assert ends(one(inbound(5152, OTHER, MINE), inbound(5157, MINE, OTHER))) == (MINE, OTHER, "certain")


def test_own_addresses_from_a_state_decide():
    known = {"PC-ONE": frozenset({MINE})}
    assert ends(one(inbound(5157, OTHER, MINE), own_addresses=known)) == (MINE, OTHER, "certain")


def test_own_addresses_of_another_computer_do_not_decide():
    known = {"PC-TWO": frozenset({MINE})}
    assert one(inbound(5157, OTHER, MINE), own_addresses=known)["endpoint_order"] == "uncertain"


def test_binding_to_any_address_tells_nothing():
    assert one(bind("0.0.0.0"), inbound(5157, OTHER, MINE))["endpoint_order"] == "uncertain"


@pytest.mark.parametrize("group", [GROUP, "255.255.255.255", "ff02::1:3"])
def test_group_as_destination_is_the_local_side_of_the_newer_order(group):
    other = "2001:db8::7" if ":" in group else OTHER
    assert ends(one(inbound(5156, other, group))) == (group, other, "certain")


@pytest.mark.parametrize("group", [GROUP, "255.255.255.255", "ff02::1:3"])
def test_group_as_source_is_the_local_side_of_the_older_order(group):
    other = "2001:db8::7" if ":" in group else OTHER
    assert ends(one(inbound(5156, group, other))) == (group, other, "certain")


def test_multicast_calibrates_the_hosts_other_connections():
    assert ends(one(inbound(5156, OTHER, GROUP), inbound(5157, OTHER, "203.0.113.50"))) == (
        "203.0.113.50",
        OTHER,
        "certain",
    )


def test_calibration_of_one_computer_says_nothing_of_another():
    event = one(inbound(5156, OTHER, GROUP, computer="PC-TWO"), inbound(5157, OTHER, "203.0.113.50"))
    assert event["endpoint_order"] == "uncertain"


def test_contradicting_evidence_leaves_the_rest_uncertain():
    event = one(inbound(5156, OTHER, GROUP), inbound(5156, GROUP, OTHER), inbound(5157, OTHER, "203.0.113.50"))
    assert event["endpoint_order"] == "uncertain"
    assert event["local_address"] == OTHER


@pytest.mark.parametrize("field", [{"event_origin": "Query User Default"}, {"interface_index": 12}])
def test_fields_of_newer_windows_mean_the_newer_order(field):
    assert ends(one(inbound(5157, OTHER, MINE, **field))) == (MINE, OTHER, "certain")


def test_own_subnet_broadcast_that_comes_back_is_no_evidence_for_the_older_order():
    event = one(bind("192.168.1.41"), inbound(5156, "192.168.1.41", "192.168.1.255", source_port=137, dest_port=137))
    assert not (event["endpoint_order"] == "certain" and event["local_address"] == "192.168.1.41")


def test_own_subnet_broadcast_does_not_outvote_multicast():
    event = one(
        bind("192.168.1.41"),
        inbound(5156, "192.168.1.50", GROUP),
        inbound(5156, "192.168.1.41", "192.168.1.255", source_port=137, dest_port=137),
        inbound(5157, "203.0.113.9", "203.0.113.77"),
    )
    assert ends(event) == ("203.0.113.77", "203.0.113.9", "certain")


# Made by hand: layer and code


@pytest.mark.parametrize(
    ("layer", "direction"), [(CONNECT, "outbound"), (50, "outbound"), (ACCEPT, "inbound"), (46, "inbound")]
)
def test_the_layer_outranks_the_direction_code(layer, direction):
    code = IN if direction == "outbound" else OUT
    assert one({"layer_rtid": layer, "direction_code": code})["direction"] == direction


def test_layer_and_code_that_disagree_leave_the_order_uncertain():
    event = one({"layer_rtid": CONNECT, "direction_code": IN, "source_address": OTHER, "dest_address": MINE})
    assert event["endpoint_order"] == "uncertain"
    assert event["local_address"] == OTHER


def test_a_known_own_address_settles_a_disagreement_of_layer_and_code():
    event = one(
        bind(MINE), {"layer_rtid": CONNECT, "direction_code": IN, "source_address": OTHER, "dest_address": MINE}
    )
    assert ends(event) == (MINE, OTHER, "certain")


def test_packet_with_disagreeing_layer_and_code_is_not_certain():
    event = one({"event_id": 5152, "layer_rtid": ACCEPT, "direction_code": OUT})
    assert event["endpoint_order"] == "uncertain"


@pytest.mark.parametrize(("code", "direction"), [(IN, "inbound"), (OUT, "outbound"), (FORWARD, "forward")])
def test_without_a_layer_the_code_tells_the_direction(code, direction):
    assert one({"layer_rtid": None, "direction_code": code})["direction"] == direction


def test_already_rendered_direction_is_understood():
    assert one({"layer_rtid": None, "direction_code": "Inbound"})["direction"] == "inbound"


@pytest.mark.parametrize("code", [None, "%%14595", "%%99999", "Eingehend"])
def test_no_direction_is_missing_not_guessed(code):
    event = one({"layer_rtid": None, "direction_code": code})
    assert pd.isna(event["direction"])
    assert event["endpoint_order"] == "uncertain"


def test_layer_ids_that_differ_between_versions_come_from_the_state():
    assert pd.isna(one({"layer_rtid": 88})["layer"])
    assert one({"layer_rtid": 88}, layer_names={88: "INBOUND_TRANSPORT_FAST"})["layer"] == "INBOUND_TRANSPORT_FAST"


def test_forwarded_packet_has_a_direction_of_its_own():
    event = one({"event_id": 5152, "layer_rtid": 8, "direction_code": FORWARD, "source_address": OTHER})
    assert event["direction"] == "forward"
    assert event["endpoint_order"] == "uncertain"


# Made by hand: special addresses and events


def test_loopback_both_sides_own_gives_no_vote():
    rows = [inbound(5156, "127.0.0.1", "127.0.0.2"), inbound(5157, OTHER, MINE)]
    assert one(*rows)["endpoint_order"] == "uncertain"


def test_outbound_loopback_is_certain():
    assert ends(one({"source_address": "::1", "dest_address": "::1", "layer_rtid": 50})) == ("::1", "::1", "certain")


def test_loopback_against_a_foreign_address_decides():
    assert ends(one(inbound(5156, "ff02::c", "::1", layer_rtid=46))) == ("ff02::c", "::1", "certain")


def test_ipv6_scope_id_is_kept_as_recorded():
    event = one({"source_address": "fe80::1%12", "dest_address": "fe80::2%12", "layer_rtid": 50})
    assert ends(event) == ("fe80::1%12", "fe80::2%12", "certain")


def test_multicast_with_scope_id_is_a_group():
    assert ends(one(inbound(5156, "fe80::2%12", "ff02::fb%12", layer_rtid=46))) == (
        "ff02::fb%12",
        "fe80::2%12",
        "certain",
    )


@pytest.mark.parametrize(("event_id", "layer"), [(5158, BIND), (5159, BIND), (5154, LISTEN), (5155, LISTEN)])
def test_bind_and_listen_have_a_local_side_alone(event_id, layer):
    event = one(bind(MINE, event_id=event_id, layer_rtid=layer, source_port=8080))
    assert pd.isna(event["direction"])
    assert event["local_address"] == MINE
    assert event["local_port"] == 8080
    assert pd.isna(event["remote_address"])
    assert pd.isna(event["remote_port"])
    assert event["endpoint_order"] == "certain"


@pytest.mark.parametrize("event_id", [5150, 5151])
def test_mac_events_have_hardware_addresses_and_no_others(event_id):
    event = one(
        {
            "event_id": event_id,
            "source_address": "00-00-5E-00-53-01",
            "dest_address": "00-00-5E-00-53-02",
            "source_port": None,
            "dest_port": None,
            "protocol": None,
            "layer_rtid": 56,
            "direction_code": IN,
        }
    )
    assert event["source_mac"] == "00-00-5E-00-53-01"
    assert event["destination_mac"] == "00-00-5E-00-53-02"
    assert pd.isna(event["local_address"])
    assert pd.isna(event["remote_address"])
    assert event["endpoint_order"] == "certain"


@pytest.mark.parametrize(("protocol", "layer"), [(1, CONNECT), (58, 50)])
def test_outbound_icmp_has_type_and_code_instead_of_ports(protocol, layer):
    event = one({"protocol": protocol, "layer_rtid": layer, "source_port": 128, "dest_port": 0})
    assert (event["icmp_type"], event["icmp_code"]) == (128, 0)
    assert pd.isna(event["local_port"])
    assert pd.isna(event["remote_port"])


def test_inbound_icmp_packet_has_the_type_in_its_local_port():
    event = one(inbound(5152, OTHER, MINE, protocol=58, source_port=0, dest_port=135, layer_rtid=46))
    assert (event["icmp_type"], event["icmp_code"]) == (135, 0)


def test_tcp_has_no_icmp_type():
    event = one({})
    assert pd.isna(event["icmp_type"])
    assert pd.isna(event["icmp_code"])


ACTIONS = {
    "block": (5031, 5150, 5151, 5155, 5157, 5159),
    "drop": (5152, 5153),
    "permit": (5154, 5156, 5158),
}


@pytest.mark.parametrize(("event_id", "action"), [(i, action) for action, ids in ACTIONS.items() for i in ids])
def test_action_of_each_event(event_id, action):
    assert one({"event_id": event_id})["action"] == action


def test_missing_addresses_stay_missing():
    event = one(inbound(5157, None, None))
    assert pd.isna(event["local_address"])
    assert pd.isna(event["remote_address"])
    assert event["endpoint_order"] == "uncertain"


def test_5031_names_no_endpoint_and_no_direction():
    event = one({"event_id": 5031, "profiles": "Domain"})
    assert pd.isna(event["direction"])
    assert pd.isna(event["local_address"])


def test_the_order_of_rows_and_the_input_frame_stay_as_they_were():
    frame = wfp(inbound(5157, OTHER, MINE), bind(MINE))
    before = frame.copy()
    assert orient(frame)["record_id"].tolist() == [1, 2]
    pd.testing.assert_frame_equal(frame, before)
