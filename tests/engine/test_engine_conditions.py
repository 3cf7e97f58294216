"""One condition and one filter on random flows: the arrays agree with the plain second engine."""

from __future__ import annotations

import dataclasses
import ipaddress

import naive
import pytest
from engine_build import Flow, arrays, cond, eq
from engine_strategies import PACKAGE, conditions, flows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.engine import conditions as engine
from analyzer.engine import evaluate
from analyzer.engine.evaluate import Evaluator, program
from analyzer.engine.folding import distinct
from analyzer.engine.predicates import FIELDS
from analyzer.engine.tokens import Token
from analyzer.wfp import fields, values

V4, V6, NET4 = ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@settings(SLOW, max_examples=500)
@given(st.lists(flows(), min_size=1, max_size=6), conditions())
def test_one_condition(rows, test):
    expected = [naive.answer(row, [test]) for row in rows]
    assert engine.one(arrays(*rows), test).tolist() == expected


@SLOW
@given(st.lists(flows(), min_size=1, max_size=6), st.lists(conditions(), max_size=6))
def test_a_filter_of_several_conditions(rows, tests):
    expected = [naive.answer(row, tests) for row in rows]
    assert engine.all_fields(arrays(*rows), tests).tolist() == expected


@SLOW
@given(st.lists(flows(), min_size=1, max_size=4), st.lists(st.lists(conditions(), max_size=4), min_size=1, max_size=5))
def test_filters_that_share_conditions_answer_as_each_alone(rows, every):
    tests = {number: tuple(one) for number, one in enumerate([*every, *every])}
    evaluator = Evaluator(program(tests, tests), arrays(*rows))
    for number, one in tests.items():
        answer = evaluator.answer(number).tolist()
        assert [a if a != -1 else "no" for a in answer] == [
            a if a != -1 else "no" for a in engine.all_fields(arrays(*rows), one).tolist()
        ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("IP_LOCAL_PORT", 50001),
        ("IP_REMOTE_PORT", 443),
        ("ICMP_TYPE", 50001),
        ("ICMP_CODE", 443),
        ("IP_SOURCE_PORT", 50001),
        ("IP_DESTINATION_PORT", 443),
        ("IP_LOCAL_ADDRESS", V4("192.0.2.10")),
        ("IP_REMOTE_ADDRESS", V4("198.51.100.7")),
        ("IP_LOCAL_ADDRESS_V4", V4("192.0.2.10")),
        ("IP_REMOTE_ADDRESS_V4", V4("198.51.100.7")),
        ("IP_SOURCE_ADDRESS", V4("192.0.2.10")),
        ("IP_DESTINATION_ADDRESS", V4("198.51.100.7")),
    ],
)
def test_an_uncertain_order_leaves_open_what_only_one_order_says(field, value):
    rows = arrays(Flow(), Flow(certain=False))
    assert engine.one(rows, eq(field, value)).tolist() == [1, 0]


def test_an_uncertain_order_leaves_address_types_open():
    for field, local, remote in (
        ("IP_LOCAL_ADDRESS_TYPE", "224.0.0.252", "192.0.2.10"),
        ("IP_DESTINATION_ADDRESS_TYPE", "192.0.2.10", "224.0.0.252"),
    ):
        flow = Flow(local=local, remote=remote)
        rows = arrays(flow, dataclasses.replace(flow, certain=False))
        assert engine.one(rows, eq(field, 3)).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("match", "expected"), [("EQUAL", [1, -1, 0]), ("NOT_EQUAL", [-1, 1, 0]), ("RANGE", [0, 0, 0])]
)
def test_hardware_addresses(match, expected):
    rows = arrays(*(Flow(source_mac=mac) for mac in (0x0A0B0C0D0E0F, 0x0A0B0C0D0E00, None)))
    test = cond("MAC_SOURCE_ADDRESS", match, bytes.fromhex("0a0b0c0d0e0f"))
    assert engine.one(rows, test).tolist() == expected


def test_an_uncertain_order_does_not_matter_to_other_fields():
    flow = Flow(certain=False, current_profile=1, interface_index=3, ether_type=1)
    for field, value in (("IP_PROTOCOL", 6), ("ALE_APP_ID", flow.application), ("CURRENT_PROFILE_ID", 1)):
        assert engine.one(arrays(flow), eq(field, value)).tolist() == [1]
    assert engine.one(arrays(flow), eq("NEXTHOP_INTERFACE_INDEX", 3)).tolist() == [1]


def test_forgetting_kept_answers_changes_none(monkeypatch):
    tests = {row: (eq("IP_PROTOCOL", 6), eq("IP_REMOTE_PORT", 443), eq("IP_REMOTE_PORT", row)) for row in range(20)}
    rows = arrays(Flow(), Flow(remote_port=7))
    expected = [engine.all_fields(rows, one).tolist() for one in tests.values()]
    for kept in (0, 4, 10):
        monkeypatch.setattr(evaluate, "MAX_KEPT", kept)
        evaluator = Evaluator(program(tests, tests), rows)
        assert [evaluator.answer(row).tolist() for row in tests] == expected


def test_each_distinct_condition_is_evaluated_once(monkeypatch):
    asked = []
    monkeypatch.setattr(evaluate, "one", lambda flows, test: (asked.append(test), engine.one(flows, test))[1])
    tests = {row: (eq("IP_PROTOCOL", 6), eq("IP_REMOTE_PORT", row % 2)) for row in range(10)}
    evaluator = Evaluator(program(tests, tests), arrays(Flow()))
    for row in tests:
        evaluator.answer(row)
    assert sorted((test.field, test.value) for test in asked) == [
        ("IP_PROTOCOL", 6),
        ("IP_REMOTE_PORT", 0),
        ("IP_REMOTE_PORT", 1),
    ]


@SLOW
@given(st.lists(flows(), min_size=1, max_size=8), st.lists(conditions(), max_size=3))
def test_folding_equal_flows_changes_no_answer(rows, tests):
    every = arrays(*rows, *rows)
    once, where = distinct(every)
    assert len(once) == len({(row, row.application and row.application.lower()) for row in _same(rows)})
    assert engine.all_fields(once, tests)[where].tolist() == engine.all_fields(every, tests).tolist()


def test_folding_keeps_apart_what_differs_anywhere():
    """Every field of a flow counts, and neighbouring values of several fields never run into each other."""
    base = Flow()
    other = {
        "layer": "IPFORWARD_V4",
        "application": "system",
        "protocol": 17,
        "direction": "inbound",
        "local": "fe80::1",
        "remote": "fe80::2",
        "local_port": 7,
        "remote_port": 9,
        "certain": False,
        "loopback": True,
        "original_profile": 1,
        "current_profile": 2,
        "interface_index": 3,
        "interface_luid": 4,
        "token": Token(user="S-1-5-18"),
        "ether_type": 5,
        "source_mac": 6,
        "destination_mac": 7,
    }
    changed = [dataclasses.replace(base, **{name: value}) for name, value in other.items()]
    once, where = distinct(arrays(base, *changed))
    assert where.tolist() == list(range(len(changed) + 1))
    assert len(once) == len(changed) + 1
    grid = [
        dataclasses.replace(base, direction=way, certain=sure, loopback=near, protocol=protocol, layer=layer)
        for way in ("outbound", "inbound", "forward", None)
        for sure in (True, False)
        for near in (True, False, None)
        for protocol in (None, 6, 17)
        for layer in ("A", "B", None)
    ]
    assert distinct(arrays(*grid, *grid))[1].tolist() == [*range(len(grid)), *range(len(grid))]


def _same(rows):
    """Flows that differ in the case of the program alone are one."""
    return [dataclasses.replace(row, application=row.application and row.application.lower()) for row in rows]


def test_a_field_that_no_record_has_cannot_be_told():
    for field in sorted(set(fields.GUID_BY_SYMBOL) - FIELDS):
        for match in ("EQUAL", "NOT_EQUAL", "FLAGS_NONE_SET", "RANGE"):
            assert engine.one(arrays(Flow()), cond(field, match, 1)).tolist() == [0], field


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_a_strange_value_is_never_an_error(field):
    full = Flow(interface_luid=6 << 48, interface_index=1, ether_type=1, source_mac=1, current_profile=1)
    rows = arrays(full, Flow(local=None, remote=None, direction=None))
    for value in (None, object(), [1], {"a": 1}, float("nan"), (), b""):
        for match in (*values.MATCH_TYPES, "", "HEARD_OF_NEVER"):
            assert engine.one(rows, cond(field, match, value)).tolist() == [0, 0], (match, value)


# What a person would check by hand


@pytest.mark.parametrize(
    ("field", "value", "flow", "expected"),
    [
        ("IP_NEXTHOP_INTERFACE", 6 << 48, Flow(interface_luid=6 << 48), 1),
        ("IP_NEXTHOP_INTERFACE", 7 << 48, Flow(interface_luid=6 << 48), -1),
        ("IP_NEXTHOP_INTERFACE", 2**64 - 1, Flow(interface_luid=2**64 - 1), 1),
        ("IP_NEXTHOP_INTERFACE", 2**64 - 2, Flow(interface_luid=2**64 - 1), -1),
        ("IP_ARRIVAL_INTERFACE", 6 << 48, Flow(interface_luid=6 << 48), 0),
        ("IP_ARRIVAL_INTERFACE", 6 << 48, Flow(interface_luid=6 << 48, direction="inbound"), 1),
        ("IP_LOCAL_INTERFACE", 6 << 48, Flow(interface_luid=6 << 48), 0),
        ("NEXTHOP_INTERFACE_TYPE", 6, Flow(interface_luid=6 << 48), 1),
        ("NEXTHOP_INTERFACE_TYPE", 131, Flow(interface_luid=6 << 48), -1),
        ("NEXTHOP_TUNNEL_TYPE", 14, Flow(interface_luid=6 << 48), -1),
        ("NEXTHOP_TUNNEL_TYPE", 0, Flow(interface_luid=6 << 48), 1),
        ("NEXTHOP_TUNNEL_TYPE", 14, Flow(interface_luid=131 << 48), 0),
        ("NEXTHOP_INTERFACE_INDEX", 12, Flow(interface_index=12), 1),
        ("ARRIVAL_INTERFACE_INDEX", 12, Flow(interface_index=12), 0),
        ("ARRIVAL_INTERFACE_INDEX", 12, Flow(interface_index=12, direction="inbound"), 1),
        ("NEXTHOP_INTERFACE_INDEX", 12, Flow(interface_index=12, direction="inbound"), 0),
        ("INTERFACE_INDEX", 12, Flow(interface_index=12, direction=None), 1),
        ("ARRIVAL_INTERFACE_TYPE", 6, Flow(interface_luid=6 << 48, direction="inbound"), 1),
        ("ARRIVAL_INTERFACE_TYPE", 6, Flow(interface_luid=6 << 48), 0),
        ("ARRIVAL_TUNNEL_TYPE", 0, Flow(interface_luid=6 << 48, direction="inbound"), 1),
        ("ARRIVAL_TUNNEL_TYPE", 0, Flow(interface_luid=6 << 48), 0),
        ("IP_LOCAL_ADDRESS_V4", V4("192.0.2.10"), Flow(), 1),
        ("IP_LOCAL_ADDRESS_V6", V4("192.0.2.10"), Flow(), 0),
        ("IP_REMOTE_ADDRESS_V4", V4("198.51.100.7"), Flow(), 1),
        ("IP_REMOTE_ADDRESS_V6", V4("198.51.100.7"), Flow(), 0),
        ("IP_LOCAL_ADDRESS_V6", V6("fe80::1"), Flow(local="fe80::1"), 1),
        ("IP_REMOTE_ADDRESS_V6", V6("fe80::1"), Flow(remote="fe80::1"), 1),
        ("IP_SOURCE_ADDRESS", V4("192.0.2.10"), Flow(), 1),
        ("IP_SOURCE_ADDRESS", V4("198.51.100.7"), Flow(direction="inbound"), 1),
        ("IP_SOURCE_ADDRESS", V4("192.0.2.10"), Flow(direction="forward"), 1),
        ("IP_DESTINATION_ADDRESS", V4("198.51.100.7"), Flow(), 1),
        ("IP_DESTINATION_ADDRESS", V4("192.0.2.10"), Flow(direction="inbound"), 1),
        ("IP_DESTINATION_ADDRESS", V4("192.0.2.10"), Flow(direction=None), 0),
        ("IP_DESTINATION_ADDRESS_TYPE", 3, Flow(remote="224.0.0.252"), 1),
        ("IP_LOCAL_PORT", 8, Flow(protocol=1, local_port=8, remote_port=0), 1),
        ("IP_REMOTE_PORT", 0, Flow(protocol=1, local_port=8, remote_port=0), 1),
        ("ICMP_TYPE", 8, Flow(protocol=1, local_port=8, remote_port=0), 1),
        ("ICMP_CODE", 3, Flow(protocol=1, local_port=8, remote_port=0), -1),
        ("ORIGINAL_PROFILE_ID", 1, Flow(original_profile=1), 1),
        ("ORIGINAL_PROFILE_ID", 3, Flow(original_profile=1), -1),
        ("CURRENT_PROFILE_ID", 3, Flow(original_profile=1), 0),
        ("DIRECTION", 1, Flow(direction="inbound"), 1),
        ("DIRECTION", 0, Flow(direction="forward"), 0),
        ("IP_LOCAL_ADDRESS_TYPE", 3, Flow(direction="inbound", local="224.0.0.252"), 1),
        ("IP_LOCAL_ADDRESS_TYPE", 4, Flow(direction="inbound", local="255.255.255.255"), 1),
        ("IP_LOCAL_ADDRESS_TYPE", 1, Flow(direction="inbound", local="192.0.2.10"), 1),
        ("IP_LOCAL_ADDRESS_TYPE", 1, Flow(direction="inbound", local="192.0.2.255"), 0),
        ("IP_LOCAL_ADDRESS_TYPE", 3, Flow(local="fe80::1"), -1),
        ("IP_LOCAL_ADDRESS_TYPE", 3, Flow(direction="inbound", local="ff02::1:3"), 1),
        ("IP_LOCAL_ADDRESS_TYPE", 3, Flow(direction="inbound", local="fe00::1"), 0),
        ("IP_LOCAL_ADDRESS_TYPE", 2, Flow(direction="inbound", local="fe80::1"), 0),
        ("ETHER_TYPE", 0x86DD, Flow(ether_type=0x86DD), 1),
        ("MAC_SOURCE_ADDRESS", bytes.fromhex("0a0b0c0d0e0f"), Flow(source_mac=0x0A0B0C0D0E0F), 1),
        ("MAC_LOCAL_ADDRESS", bytes.fromhex("0a0b0c0d0e0f"), Flow(source_mac=0x0A0B0C0D0E0F), 1),
        ("MAC_DESTINATION_ADDRESS", bytes.fromhex("0a0b0c0d0e0f"), Flow(destination_mac=0x0A0B0C0D0E0F), 1),
        ("MAC_REMOTE_ADDRESS", bytes.fromhex("0a0b0c0d0e0f"), Flow(source_mac=0x0A0B0C0D0E0F), 0),
        ("IP_SOURCE_PORT", 50001, Flow(), 1),
        ("IP_SOURCE_PORT", 443, Flow(direction="inbound"), 1),
        ("IP_DESTINATION_PORT", 443, Flow(), 1),
        ("IP_DESTINATION_PORT", 443, Flow(direction=None), 0),
    ],
)
def test_what_a_record_tells_of_a_field(field, value, flow, expected):
    assert engine.one(arrays(flow), eq(field, value)).tolist() == [expected]


@pytest.mark.parametrize(
    ("match", "value", "expected"),
    [
        ("EQUAL", 443, 1),
        ("EQUAL", 442, -1),
        ("NOT_EQUAL", 443, -1),
        ("GREATER", 443, -1),
        ("GREATER", 442, 1),
        ("LESS", 443, -1),
        ("LESS", 444, 1),
        ("GREATER_OR_EQUAL", 443, 1),
        ("GREATER_OR_EQUAL", 444, -1),
        ("LESS_OR_EQUAL", 443, 1),
        ("LESS_OR_EQUAL", 442, -1),
        ("RANGE", (443, 443), 1),
        ("RANGE", (444, 500), -1),
        ("RANGE", (1, 442), -1),
        ("FLAGS_ALL_SET", 0x1BB, 1),
        ("FLAGS_ALL_SET", 0x1BF, -1),
        ("FLAGS_ANY_SET", 0x4, -1),
        ("FLAGS_ANY_SET", 0x5, 1),
        ("FLAGS_NONE_SET", 0x4, 1),
        ("FLAGS_NONE_SET", 0x5, -1),
        ("PREFIX", 443, 0),
        ("EQUAL_CASE_INSENSITIVE", 443, 0),
    ],
)
def test_every_match_type_of_numbers(match, value, expected):
    known, unknown = Flow(), Flow(remote_port=None)
    assert engine.one(arrays(known, unknown), cond("IP_REMOTE_PORT", match, value)).tolist() == [expected, 0]


@pytest.mark.parametrize(
    ("match", "value", "expected"),
    [
        ("EQUAL", V4("198.51.100.7"), [1, -1, 0]),
        ("NOT_EQUAL", V4("198.51.100.7"), [-1, 1, 0]),
        ("NOT_EQUAL", V4("198.51.100.8"), [1, 1, 0]),
        ("EQUAL", NET4("198.51.100.0/24"), [1, -1, 0]),
        ("NOT_EQUAL", NET4("198.51.100.0/24"), [-1, 1, 0]),
        ("NOT_EQUAL", NET4("198.51.101.0/24"), [1, 1, 0]),
        ("RANGE", (V4("198.51.100.0"), V4("198.51.100.7")), [1, -1, 0]),
        ("RANGE", (V4("198.51.100.8"), V4("198.51.100.255")), [-1, -1, 0]),
        ("GREATER", V4("198.51.100.6"), [1, 0, 0]),
        ("GREATER", V4("198.51.100.7"), [-1, 0, 0]),
        ("LESS", V4("198.51.100.8"), [1, 0, 0]),
        ("LESS_OR_EQUAL", V4("198.51.100.6"), [-1, 0, 0]),
        ("GREATER_OR_EQUAL", V4("198.51.100.8"), [-1, 0, 0]),
        ("GREATER", NET4("198.51.0.0/16"), [0, 0, 0]),
        ("FLAGS_ALL_SET", V4("198.51.100.7"), [0, 0, 0]),
    ],
)
def test_every_match_type_of_addresses(match, value, expected):
    rows = arrays(*(Flow(remote=remote) for remote in ("198.51.100.7", "2001:db8::7", None)))
    assert engine.one(rows, cond("IP_REMOTE_ADDRESS", match, value)).tolist() == expected


@pytest.mark.parametrize(
    ("match", "value", "expected"),
    [
        ("EQUAL", "S-1-0-0", [1, -1, 0]),
        ("NOT_EQUAL", "S-1-0-0", [-1, 1, 0]),
        ("EQUAL", PACKAGE, [-1, 1, 0]),
        ("NOT_EQUAL", PACKAGE, [1, -1, 0]),
        ("GREATER", PACKAGE, [0, 0, 0]),
        ("EQUAL", "no sid", [0, 0, 0]),
    ],
)
def test_packages(match, value, expected):
    rows = arrays(*(Flow(token=Token(package=package)) for package in ("S-1-0-0", PACKAGE, None)))
    assert engine.one(rows, cond("ALE_PACKAGE_ID", match, value)).tolist() == expected


@pytest.mark.parametrize(
    ("match", "value", "flow", "expected"),
    [
        ("FLAGS_NONE_SET", 9, Flow(loopback=False, wildcard=False), 1),
        ("FLAGS_NONE_SET", 9, Flow(loopback=None, wildcard=True), -1),
        ("FLAGS_NONE_SET", 9, Flow(loopback=False), 0),
        ("FLAGS_ALL_SET", 4, Flow(), 0),
        ("FLAGS_ALL_SET", 0, Flow(), 1),
        ("FLAGS_ANY_SET", 0, Flow(), -1),
        ("FLAGS_ALL_SET", 0x800000, Flow(loopback=False), -1),
        ("FLAGS_ALL_SET", 0x800000, Flow(loopback=True), 0),
        ("EQUAL", 0, Flow(loopback=True), -1),
        ("EQUAL", 1, Flow(loopback=True), 0),
    ],
)
def test_flags_bit_by_bit(match, value, flow, expected):
    assert engine.one(arrays(flow), cond("FLAGS", match, value)).tolist() == [expected]
