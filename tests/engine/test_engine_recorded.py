"""Events as flows: what of the records reaches the engine, and what stays unknown."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from analyzer import frames
from analyzer.addressing import orient
from analyzer.engine import token_table
from analyzer.engine.flows import FORWARD, INBOUND, OUTBOUND, UNKNOWN
from analyzer.engine.folding import distinct
from analyzer.engine.recorded import from_events, mac
from analyzer.engine.words import recorded_value
from analyzer.wfp.services import service_sid

USER, NONE = "S-1-5-21-1-2-3-1001", "S-1-0-0"
NETWORK = "S-1-5-20"
SCHEMA = frames.EVENT_SCHEMAS["wfp"]
CONNECTION = {
    "input": "log.evtx",
    "event_id": 5157,
    "version": 3,
    "offset": 0,
    "computer": "PC-ONE",
    "application": r"\device\harddiskvolume3\windows\system32\svchost.exe",
    "direction_code": "%%14593",
    "source_address": "192.0.2.10",
    "source_port": 50001,
    "dest_address": "198.51.100.7",
    "dest_port": 443,
    "protocol": 6,
    "layer_rtid": 48,
    "filter_rtid": 70001,
}


class Account(NamedTuple):
    sid: str | None
    user: bool


def events(*rows, **more):
    full = [{**CONNECTION, **row} for row in rows]
    out = orient(frames.build({name: [row.get(name) for row in full] for name in SCHEMA}, SCHEMA))
    for name, values in more.items():
        is_text = name.endswith("_sid")
        out[name] = pd.Categorical(values) if is_text else pd.Series(values, dtype=object)
        if name.startswith("net_") or name == "interface_luid":
            out[name] = pd.Series(values, dtype="UInt64")
    return out


def flow(row=None, **more):
    return from_events(events(row or {}, **{name: [value] for name, value in more.items()}))


def test_a_connection():
    found = flow()
    assert found.layer.at(0) == "ALE_AUTH_CONNECT_V4"
    assert found.application.at(0) == CONNECTION["application"]
    assert (found.local_port[0], found.remote_port[0], found.protocol[0]) == (50001, 443, 6)
    assert recorded_value(found, 0, "IP_LOCAL_ADDRESS") == "192.0.2.10"
    assert recorded_value(found, 0, "IP_REMOTE_ADDRESS") == "198.51.100.7"
    assert found.direction[0] == OUTBOUND
    assert found.order_certain[0]
    assert found.tokens[found.token[0]].user is None


@pytest.mark.parametrize(
    ("code", "layer", "expected"),
    [
        ("%%14593", 48, OUTBOUND),
        ("%%14592", 44, INBOUND),
        ("%%14592", 48, UNKNOWN),  # layer and event speak against each other
        (None, 48, OUTBOUND),
        ("%%14592", 52, INBOUND),  # at the flow layer the event alone tells it
        ("%%14594", 8, FORWARD),
        (None, 40, UNKNOWN),
        ("%%14595", 52, UNKNOWN),
    ],
)
def test_direction(code, layer, expected):
    assert flow({"direction_code": code, "layer_rtid": layer}).direction[0] == expected


@pytest.mark.parametrize("layer", [28, 29, 30, 31, 32, 33, 34, 35])
def test_icmp_errors_record_the_packet_inside(layer):
    found = flow({"layer_rtid": layer})
    assert (found.protocol[0], found.local_port[0], found.remote_port[0]) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert recorded_value(found, 0, "IP_LOCAL_ADDRESS") is None


def test_a_bind_to_all_addresses_is_a_wildcard_bind():
    rows = [
        {"event_id": 5158, "layer_rtid": 36, "source_address": address, "dest_address": None, "dest_port": None}
        for address in ("0.0.0.0", "192.0.2.10", None)
    ]
    found = from_events(events(*rows))
    assert [recorded_value(found, at, "FLAGS") for at in range(3)] == ["WILDCARD_BIND", "not WILDCARD_BIND", None]


def test_loopback_flags():
    near = {"dest_address": "192.0.2.10"}
    rows = [near, {}, {"is_loopback": "true"}, {"dest_address": None}, {**near, "is_loopback": "false"}]
    rows += [{"is_loopback": "%%1826"}, {"source_address": "127.0.0.1"}, {"dest_address": "::1"}]
    found = from_events(events(*rows))
    said = [recorded_value(found, at, "FLAGS") for at in range(len(rows))]
    far = "not LOOPBACK, not APPCONTAINER_LOOPBACK, not NON_APPCONTAINER_LOOPBACK"
    assert said == ["LOOPBACK", far, "LOOPBACK", None, far, far, "LOOPBACK", "LOOPBACK"]


def test_two_addresses_of_the_host_may_be_loopback():
    found = from_events(events({}, {"source_address": "198.51.100.7", "dest_address": "203.0.113.5"}))
    assert recorded_value(found, 0, "FLAGS") is None  # the other row shows that the far address is the host's own


def test_profiles_of_the_event_come_before_those_of_its_net_event():
    rows = [{"original_profile": "Public"}, {}, {}, {"original_profile": "0"}]
    nets = {"net_original_profile": [3, 3, 0, None], "net_current_profile": [None, 2, 0, None]}
    found = from_events(events(*rows, **nets))
    assert found.original_profile.tolist() == [1, 3, UNKNOWN, 0]
    assert found.current_profile.tolist() == [UNKNOWN, 2, UNKNOWN, UNKNOWN]


def test_the_interface_of_event_and_net_event():
    rows = [{"interface_index": 12}, {"interface_index": 0}, {}]
    found = from_events(events(*rows, net_interface_index=[7, 7, None], interface_luid=[6 << 48, 2**64 - 1, None]))
    assert found.interface_index.tolist() == [12, 7, UNKNOWN]
    assert found.interface_luid.tolist() == [6 << 48, 2**64 - 1, 0]
    assert recorded_value(found, 0, "NEXTHOP_INTERFACE_TYPE") == "6 (Ethernet)"
    assert recorded_value(found, 0, "NEXTHOP_TUNNEL_TYPE") == "0 (none)"
    assert recorded_value(found, 1, "IP_NEXTHOP_INTERFACE") == str(2**64 - 1)
    assert recorded_value(found, 2, "IP_NEXTHOP_INTERFACE") is None


def test_hardware_addresses():
    row = {
        "event_id": 5150,
        "layer_rtid": 56,
        "source_address": "00-11-22-33-44-55",
        "dest_address": "ff:ff:ff:ff:ff:ff",
    }
    found = flow({**row, "ether_type": 0x806, "source_port": None, "dest_port": None, "protocol": None})
    assert recorded_value(found, 0, "MAC_SOURCE_ADDRESS") == "00-11-22-33-44-55"
    assert recorded_value(found, 0, "ETHER_TYPE") == str(0x806)
    assert recorded_value(found, 0, "IP_LOCAL_ADDRESS") is None


@pytest.mark.parametrize("text", ["", "-", "00-11-22-33-44", "00-11-22-33-44-gg", "1" * 5000, "００-11-22-33-44-55"])
def test_what_is_no_hardware_address(text):
    assert mac(text) == UNKNOWN


# Tokens


def token(row=None, account=None, *, own=False, **more):
    made = events(row or {}, **{name: [value] for name, value in more.items()})
    found = from_events(made, account=account, assume_own_token=own)
    assert found.package.at(0) == found.tokens[found.token[0]].package
    return found.tokens[found.token[0]]


def runs_as(sid, *, user=False):
    return lambda computer, services: Account(sid, user)


def test_a_net_event_names_user_and_package():
    found = token(user_sid=USER.lower(), package_sid=NONE)
    assert (found.user, found.package, found.own) == (USER, NONE, 0)
    assert found.accounts == {USER}


@pytest.mark.parametrize("sid", [NONE, "-", "", "no sid", None])
def test_what_is_no_user_stays_unknown(sid):
    assert token(user_sid=sid).user is None


@pytest.mark.parametrize("row", [{"dest_address": "192.0.2.10"}, {"is_loopback": "true"}, {"dest_address": None}])
def test_no_package_on_loopback_says_nothing(row):
    assert token(row, package_sid=NONE).package is None
    assert token(row, package_sid="S-1-15-2-1-2-3-4-5-6-7").package is not None


@pytest.mark.parametrize(
    ("user", "services", "account", "own"),
    [
        (USER, ("DoSvc",), Account(NETWORK, user=False), -1),
        (USER, ("DoSvc",), Account(USER, user=True), 0),  # it runs as this user
        (USER, ("DoSvc",), Account(None, user=False), 0),
        (USER, ("DoSvc",), None, 0),
        (USER, ("WpnUserService_1a2b3",), Account(NETWORK, user=False), 0),  # a per-user service
        (USER, ("DoSvc", "BITS"), Account(NETWORK, user=False), 0),  # a shared host
        (NETWORK, ("DoSvc",), Account(NETWORK, user=False), 0),
        ("S-1-5-18", ("DoSvc",), Account(NETWORK, user=False), 0),
        (None, ("DoSvc",), Account(NETWORK, user=False), 0),
    ],
)
def test_when_a_token_is_known_to_be_borrowed_from_a_user(user, services, account, own):
    found = token(user_sid=user, services=services, account=lambda computer, names: account)
    assert found.own == own
    assert found.services == frozenset(map(service_sid, services))


def test_a_token_may_be_taken_for_the_process_own():
    found = token(services=("DoSvc",), account=runs_as(NETWORK), own=True)
    assert (found.user, found.own, found.package) == (NETWORK, 1, NONE)


def test_what_the_record_shows_outweighs_what_is_taken_for_granted():
    found = token(user_sid=USER, services=("DoSvc",), account=runs_as(NETWORK), own=True)
    assert (found.user, found.own) == (USER, -1)
    assert token(user_sid="S-1-5-18", services=("DoSvc",), account=runs_as(NETWORK), own=True).own == 0


def test_equal_events_of_other_services_have_other_tokens():
    held = [("DoSvc",), ("BITS",), None]
    found = from_events(events({}, {}, {}, services=held))
    services = [found.tokens[code].services for code in found.token]
    assert services == [frozenset({service_sid("DoSvc")}), frozenset({service_sid("BITS")}), None]


def test_equal_events_of_other_hosts_may_have_other_accounts():
    made = events({}, {"computer": "PC-TWO"}, services=[("DoSvc",)] * 2, user_sid=[USER] * 2)
    found = from_events(
        made, account=lambda computer, _: Account(NETWORK if computer == "PC-ONE" else USER, user=False)
    )
    assert [found.tokens[code].own for code in found.token] == [-1, 0]


def test_the_account_is_asked_for_by_host_and_services():
    asked = []
    token(user_sid=USER, services=("DoSvc",), account=lambda *args: asked.append(args))
    assert asked == [("PC-ONE", ("DoSvc",))]


def test_too_many_tokens_are_not_known(monkeypatch):
    monkeypatch.setattr(token_table, "MAX_TOKENS", 2)
    found = from_events(events({}, {}, {}, user_sid=[USER, NETWORK, "S-1-5-18"]))
    assert [found.tokens[code].user for code in found.token] == [USER, NETWORK, None]


def test_no_events():
    found = from_events(events())
    assert len(found) == 0
    assert len(distinct(found)[0]) == 0


def test_distinct_flows_point_back_to_every_event():
    rows = [{}, {"dest_port": 80}, {}, {"application": CONNECTION["application"].upper()}, {"dest_port": 80}]
    every = from_events(events(*rows))
    once, where = distinct(every)
    assert where.tolist() == [0, 1, 0, 0, 1]
    assert once.remote_port.tolist() == [443, 80]
    assert once.take(where).remote_port.tolist() == every.remote_port.tolist()
    assert where.dtype == np.intp


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("ALE_APP_ID", CONNECTION["application"]),
        ("IP_PROTOCOL", "6"),
        ("DIRECTION", "0 (outbound)"),
        ("ALE_USER_ID", f"account {USER}"),
        ("ALE_PACKAGE_ID", NONE),
        ("IP_LOCAL_ADDRESS_TYPE", "1 (unicast)"),
        ("ORIGINAL_PROFILE_ID", None),
        ("MAC_SOURCE_ADDRESS", None),
        ("SOMETHING_NEW", None),
    ],
)
def test_words_for_what_is_recorded(field, expected):
    assert recorded_value(flow(user_sid=USER, package_sid=NONE), 0, field) == expected
