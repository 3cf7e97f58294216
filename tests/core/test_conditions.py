"""Filter conditions against flows: three answers, alternatives and all-of, and a plain second implementation."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from core_build import PROGRAM, bind, inbound, wfp
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.addressing import orient
from analyzer.engine import conditions as engine
from analyzer.engine import recorded

YES, OPEN, NO = 1, 0, -1
V4, V6 = ipaddress.IPv4Address, ipaddress.IPv6Address
NET4, NET6 = ipaddress.IPv4Network, ipaddress.IPv6Network
SERVICE_ONLY = "O:SYG:SYD:(A;;CCRC;;;S-1-5-80-1-2-3-4-5)"
UNCERTAIN = inbound(5157, "198.51.100.7", "192.0.2.10", source_port=41000, dest_port=80)


def flows(*rows):
    return recorded.from_events(orient(wfp(*rows)))


def cond(field, match, value):
    return engine.Test(field, match, value, str(value))


def answer(field, match, value, **row):
    return int(engine.one(flows(row), cond(field, match, value))[0])


# Every field and match type that can be answered: an outbound flow 192.0.2.10:50001 -> 198.51.100.7:443, TCP
TABLE = [
    ("ALE_APP_ID", "EQUAL", PROGRAM, YES),
    ("ALE_APP_ID", "EQUAL", PROGRAM.upper(), YES),
    ("ALE_APP_ID", "EQUAL_CASE_INSENSITIVE", PROGRAM, YES),
    ("ALE_APP_ID", "EQUAL", PROGRAM + "x", NO),
    ("ALE_APP_ID", "NOT_EQUAL", PROGRAM, NO),
    ("ALE_APP_ID", "NOT_EQUAL", "other", YES),
    ("ALE_APP_ID", "PREFIX", r"\program.exe", YES),  # whatever its name says: the end of the text
    ("ALE_APP_ID", "PREFIX", r"\device", NO),
    ("ALE_APP_ID", "NOT_PREFIX", r"\PROGRAM.EXE", NO),
    ("ALE_APP_ID", "NOT_PREFIX", r"\device", YES),
    ("ALE_APP_ID", "GREATER", PROGRAM, OPEN),
    ("IP_PROTOCOL", "EQUAL", 6, YES),
    ("IP_PROTOCOL", "EQUAL", 17, NO),
    ("IP_PROTOCOL", "NOT_EQUAL", 17, YES),
    ("IP_REMOTE_PORT", "EQUAL", 443, YES),
    ("IP_REMOTE_PORT", "EQUAL", 80, NO),
    ("IP_REMOTE_PORT", "NOT_EQUAL", 80, YES),
    ("IP_REMOTE_PORT", "GREATER", 442, YES),
    ("IP_REMOTE_PORT", "GREATER", 443, NO),
    ("IP_REMOTE_PORT", "LESS", 444, YES),
    ("IP_REMOTE_PORT", "LESS", 443, NO),
    ("IP_REMOTE_PORT", "GREATER_OR_EQUAL", 443, YES),
    ("IP_REMOTE_PORT", "LESS_OR_EQUAL", 443, YES),
    ("IP_REMOTE_PORT", "LESS_OR_EQUAL", 442, NO),
    ("IP_REMOTE_PORT", "RANGE", (443, 443), YES),
    ("IP_REMOTE_PORT", "RANGE", (1, 442), NO),
    ("IP_LOCAL_PORT", "RANGE", (49152, 65535), YES),
    ("IP_LOCAL_PORT", "EQUAL", 443, NO),
    ("IP_REMOTE_ADDRESS", "EQUAL", V4("198.51.100.7"), YES),
    ("IP_REMOTE_ADDRESS", "EQUAL", V4("198.51.100.8"), NO),
    ("IP_REMOTE_ADDRESS", "NOT_EQUAL", V4("198.51.100.8"), YES),
    ("IP_REMOTE_ADDRESS", "EQUAL", NET4("198.51.100.0/24"), YES),
    ("IP_REMOTE_ADDRESS", "EQUAL", NET4("198.51.101.0/24"), NO),
    ("IP_REMOTE_ADDRESS", "RANGE", (V4("198.51.100.7"), V4("198.51.100.7")), YES),
    ("IP_REMOTE_ADDRESS", "RANGE", (V4("198.51.100.8"), V4("198.51.100.255")), NO),
    ("IP_REMOTE_ADDRESS", "EQUAL", V6("2001:db8::7"), NO),
    ("IP_REMOTE_ADDRESS", "RANGE", (V6("::"), V6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), NO),
    ("IP_REMOTE_ADDRESS", "EQUAL", NET6("::/0"), NO),
    ("IP_REMOTE_ADDRESS", "GREATER", V4("198.51.100.6"), YES),
    ("IP_REMOTE_ADDRESS", "GREATER", V4("198.51.100.7"), NO),
    ("IP_REMOTE_ADDRESS", "GREATER_OR_EQUAL", V4("198.51.100.7"), YES),
    ("IP_REMOTE_ADDRESS", "LESS", V4("198.51.100.8"), YES),
    ("IP_REMOTE_ADDRESS", "LESS", V4("198.51.100.7"), NO),
    ("IP_REMOTE_ADDRESS", "LESS_OR_EQUAL", V4("198.51.100.7"), YES),
    ("IP_REMOTE_ADDRESS", "LESS_OR_EQUAL", V6("::1"), OPEN),
    ("IP_REMOTE_ADDRESS", "NOT_EQUAL", NET4("198.51.100.0/24"), NO),
    ("IP_LOCAL_ADDRESS", "EQUAL", V4("192.0.2.10"), YES),
    ("IP_LOCAL_ADDRESS", "EQUAL", V4("198.51.100.7"), NO),
    ("FLAGS", "FLAGS_ALL_SET", 1, NO),
    ("FLAGS", "FLAGS_NONE_SET", 1, YES),
    ("FLAGS", "EQUAL", 1, NO),
    ("FLAGS", "NOT_EQUAL", 1, YES),
    ("FLAGS", "FLAGS_ALL_SET", 0x400000, NO),  # loopback of app containers is loopback
    ("IP_LOCAL_ADDRESS_TYPE", "EQUAL", 3, NO),
    ("IP_LOCAL_ADDRESS_TYPE", "EQUAL", 1, YES),
    ("DIRECTION", "EQUAL", 0, YES),
    ("DIRECTION", "EQUAL", 1, NO),
]


@pytest.mark.parametrize(("field", "match", "value", "expected"), TABLE)
def test_answer_for_a_plain_flow(field, match, value, expected):
    assert answer(field, match, value) == expected


@pytest.mark.parametrize(
    "field",
    [
        "ALE_USER_ID",
        "ALE_PACKAGE_ID",
        "ALE_REMOTE_USER_ID",
        "IP_LOCAL_INTERFACE",
        "IP_ARRIVAL_INTERFACE",
        "ARRIVAL_TUNNEL_TYPE",
        "ARRIVAL_INTERFACE_TYPE",
        "INTERFACE_QUARANTINE_EPOCH",
        "ALE_SIO_FIREWALL_SYSTEM_PORT",
        "SOMETHING_NEW",
    ],
)
def test_what_events_do_not_record_cannot_be_told(field):
    assert answer(field, "EQUAL", 1) == OPEN


@pytest.mark.parametrize(
    ("field", "match", "value"),
    [
        ("IP_REMOTE_PORT", "EQUAL", None),
        ("IP_REMOTE_PORT", "EQUAL", "443"),
        ("IP_REMOTE_PORT", "RANGE", None),
        ("IP_REMOTE_PORT", "RANGE", (None, 443)),
        ("IP_REMOTE_PORT", "UNHEARD_OF", 443),
        ("IP_REMOTE_ADDRESS", "EQUAL", None),
        ("IP_REMOTE_ADDRESS", "FLAGS_ALL_SET", V4("1.2.3.4")),
        ("IP_REMOTE_ADDRESS", "GREATER", NET4("1.2.3.0/24")),
        ("IP_REMOTE_ADDRESS", "RANGE", V4("1.2.3.4")),
        ("IP_REMOTE_ADDRESS", "EQUAL", (V4("1.2.3.4"), V4("1.2.3.5"))),
        ("IP_REMOTE_ADDRESS", "PREFIX", NET4("1.2.3.0/24")),
        ("IP_REMOTE_PORT", "EQUAL", True),
        ("IP_REMOTE_PORT", "EQUAL", -1),
        ("IP_REMOTE_PORT", "EQUAL", 2**64),
        ("IP_REMOTE_PORT", "RANGE", (1, 2, 3)),
        ("IP_REMOTE_ADDRESS", "RANGE", (V4("1.2.3.4"), V6("::1"))),
        ("ALE_APP_ID", "EQUAL", None),
        ("FLAGS", "FLAGS_ALL_SET", None),
        ("FLAGS", "GREATER", 1),
        ("FLAGS", "FLAGS_ALL_SET", 2**32),
    ],
)
def test_a_value_that_could_not_be_read_is_neither_yes_nor_no(field, match, value):
    assert answer(field, match, value) == OPEN


@pytest.mark.parametrize(
    ("field", "value", "row"),
    [
        ("ALE_APP_ID", PROGRAM, {"application": None}),
        ("IP_PROTOCOL", 6, {"protocol": None}),
        ("IP_REMOTE_PORT", 443, {"dest_port": None}),
        ("IP_REMOTE_ADDRESS", V4("198.51.100.7"), {"dest_address": None}),
        ("IP_REMOTE_ADDRESS", V4("198.51.100.7"), {"dest_address": "not an address"}),
        ("IP_LOCAL_ADDRESS", V4("192.0.2.10"), {"source_address": None}),
    ],
)
@pytest.mark.parametrize("match", ["EQUAL", "NOT_EQUAL"])
def test_a_field_that_the_event_lacks_is_neither_yes_nor_no(field, value, row, match):
    assert answer(field, match, value, **row) == OPEN


# Flags: only loopback can be told


@pytest.mark.parametrize(
    ("match", "value", "loopback", "expected"),
    [
        ("FLAGS_ALL_SET", 1, True, YES),
        ("FLAGS_ALL_SET", 1, False, NO),
        ("FLAGS_ALL_SET", 3, True, OPEN),
        ("FLAGS_ALL_SET", 3, False, NO),
        ("FLAGS_ANY_SET", 3, True, YES),
        ("FLAGS_ANY_SET", 3, False, OPEN),
        ("FLAGS_NONE_SET", 1, True, NO),
        ("FLAGS_NONE_SET", 1, False, YES),
        ("FLAGS_NONE_SET", 3, True, NO),
        ("FLAGS_NONE_SET", 3, False, OPEN),
        ("FLAGS_NONE_SET", 2, True, OPEN),
        ("FLAGS_ALL_SET", 0x400000, True, OPEN),
    ],
)
def test_loopback_flag_among_others(match, value, loopback, expected):
    address = {"dest_address": "192.0.2.10"} if loopback else {}
    assert answer("FLAGS", match, value, **address) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"source_address": "127.0.0.1", "dest_address": "127.0.0.53"}, YES),
        ({"source_address": "::1", "dest_address": "::1"}, YES),
        ({"source_address": "192.0.2.10", "dest_address": "192.0.2.10"}, YES),
        ({}, NO),
        ({"is_loopback": "true"}, YES),
        ({"is_loopback": "1"}, YES),
        ({"is_loopback": "Yes"}, YES),
        ({"source_address": "127.0.0.1", "dest_address": "127.0.0.1", "is_loopback": "false"}, NO),
        ({"dest_address": None}, OPEN),
        ({"is_loopback": "%%1826"}, NO),
    ],
)
def test_what_counts_as_loopback(row, expected):
    assert answer("FLAGS", "FLAGS_ALL_SET", 1, **row) == expected


# Profiles


@pytest.mark.parametrize(("text", "number"), [("Public", 1), ("private", 2), ("3", 3), ("Domain", 3), ("None", 0)])
@pytest.mark.parametrize("which", ["ORIGINAL_PROFILE_ID", "CURRENT_PROFILE_ID"])
def test_profile_words_and_numbers(text, number, which):
    column = which.removesuffix("_ID").lower()
    assert answer(which, "EQUAL", number, **{column: text}) == YES
    assert answer(which, "EQUAL", number + 1, **{column: text}) == NO


@pytest.mark.parametrize("text", [None, "%%14592", "Öffentlich", "12"])
def test_profile_text_that_is_not_known_cannot_be_told(text):
    assert answer("CURRENT_PROFILE_ID", "EQUAL", 1, current_profile=text) == OPEN


# ICMP: the "ports" of a condition are type and code


@pytest.mark.parametrize(("field", "value", "expected"), [("IP_LOCAL_PORT", 8, YES), ("IP_REMOTE_PORT", 0, YES)])
def test_port_conditions_mean_icmp_type_and_code(field, value, expected):
    row = {"protocol": 1, "source_port": 8, "dest_port": 0}
    assert answer(field, "EQUAL", value, **row) == expected
    assert answer(field, "EQUAL", 3, **row) == NO


# Uncertain order of endpoints


@pytest.mark.parametrize(
    ("field", "match", "value", "expected"),
    [
        ("IP_LOCAL_PORT", "EQUAL", 80, OPEN),
        ("IP_LOCAL_PORT", "EQUAL", 41000, OPEN),
        ("IP_LOCAL_PORT", "EQUAL", 443, NO),
        ("IP_LOCAL_PORT", "RANGE", (1, 65535), YES),
        ("IP_REMOTE_ADDRESS", "EQUAL", V4("198.51.100.7"), OPEN),
        ("IP_REMOTE_ADDRESS", "EQUAL", V4("203.0.113.1"), NO),
        ("IP_REMOTE_ADDRESS", "EQUAL", NET4("0.0.0.0/0"), YES),
        ("IP_PROTOCOL", "EQUAL", 6, YES),
    ],
)
def test_uncertain_order_answers_only_what_holds_both_ways(field, match, value, expected):
    assert answer(field, match, value, **UNCERTAIN) == expected


def test_certain_rows_beside_uncertain_ones_keep_their_answer():
    both = flows(UNCERTAIN, inbound(5152, "198.51.100.7", "192.0.2.99", source_port=41000, dest_port=80, computer="B"))
    assert engine.one(both, cond("IP_LOCAL_PORT", "EQUAL", 80)).tolist() == [OPEN, YES]


# Joining conditions


def all_of(*tests, rows=({},), leave_out=frozenset()):
    return engine.all_fields(flows(*rows), [cond(*test) for test in tests], leave_out=leave_out).tolist()


def test_no_conditions_always_match():
    assert all_of() == [YES]


def test_alternatives_on_one_field():
    assert all_of(("IP_REMOTE_PORT", "EQUAL", 80), ("IP_REMOTE_PORT", "EQUAL", 443)) == [YES]


def test_alternatives_need_not_stand_together():
    tests = (("IP_REMOTE_PORT", "EQUAL", 80), ("IP_PROTOCOL", "EQUAL", 6), ("IP_REMOTE_PORT", "EQUAL", 443))
    assert all_of(*tests) == [YES]


def test_different_fields_must_all_hold():
    assert all_of(("IP_REMOTE_PORT", "EQUAL", 443), ("IP_PROTOCOL", "EQUAL", 17)) == [NO]


def test_a_no_outweighs_what_cannot_be_told():
    assert all_of(("ALE_USER_ID", "EQUAL", SERVICE_ONLY), ("IP_PROTOCOL", "EQUAL", 17)) == [NO]


def test_what_cannot_be_told_keeps_a_yes_open():
    assert all_of(("ALE_USER_ID", "EQUAL", SERVICE_ONLY), ("IP_PROTOCOL", "EQUAL", 6)) == [OPEN]


def test_an_unreadable_alternative_keeps_the_field_open():
    assert all_of(("IP_REMOTE_PORT", "EQUAL", 80), ("IP_REMOTE_PORT", "EQUAL", None)) == [OPEN]


def test_a_field_can_be_left_out():
    tests = (("ALE_USER_ID", "EQUAL", SERVICE_ONLY), ("IP_PROTOCOL", "EQUAL", 6))
    assert all_of(*tests, leave_out=frozenset({"ALE_USER_ID"})) == [YES]


def test_a_port_event_says_nothing_of_a_remote_side():
    row = bind("192.0.2.10", source_port=8080)
    assert all_of(("IP_LOCAL_PORT", "EQUAL", 8080), rows=[row]) == [YES]
    assert all_of(("IP_REMOTE_PORT", "EQUAL", 8080), rows=[row]) == [OPEN]


# A plain second implementation agrees with the arrays

ADDRESSES4 = st.sampled_from(["192.0.2.10", "192.0.2.11", "192.0.3.0", "0.0.0.0", "255.255.255.254", "10.0.0.1"])
ADDRESSES6 = st.sampled_from(["2001:db8::1", "2001:db8:0:1::1", "fe80::1", "::", "ffff::ffff", "2001:db8::ffff"])
PORTS = st.one_of(st.none(), st.sampled_from([0, 1, 79, 80, 81, 443, 1023, 1024, 65535]))


@st.composite
def made_flow(draw):
    pool = draw(st.sampled_from([ADDRESSES4, ADDRESSES6]))
    return {
        "source_address": draw(st.one_of(st.none(), pool)),
        "dest_address": draw(st.one_of(st.none(), pool)),
        "source_port": draw(PORTS),
        "dest_port": draw(PORTS),
        "protocol": draw(st.sampled_from([None, 6, 17])),
        "application": draw(st.sampled_from([None, PROGRAM, PROGRAM.upper(), r"\device\other.exe"])),
    }


@st.composite
def number_test(draw):
    field = draw(st.sampled_from(["IP_PROTOCOL", "IP_LOCAL_PORT", "IP_REMOTE_PORT"]))
    number = st.sampled_from([0, 1, 6, 17, 79, 80, 81, 443, 1024, 65535])
    if draw(st.booleans()):
        return field, "RANGE", tuple(sorted((draw(number), draw(number))))
    matches = ["EQUAL", "NOT_EQUAL", "GREATER", "LESS", "GREATER_OR_EQUAL", "LESS_OR_EQUAL"]
    return field, draw(st.sampled_from(matches)), draw(number)


@st.composite
def address_test(draw):
    field = draw(st.sampled_from(["IP_LOCAL_ADDRESS", "IP_REMOTE_ADDRESS"]))
    pool = draw(st.sampled_from([ADDRESSES4, ADDRESSES6]))
    first, second = (ipaddress.ip_address(draw(pool)) for _ in range(2))
    sort = draw(st.sampled_from(["address", "range", "network"]))
    if sort == "address":
        return field, draw(st.sampled_from(["EQUAL", "NOT_EQUAL"])), first
    if sort == "range":
        return field, "RANGE", tuple(sorted((first, second)))
    bits = draw(st.integers(0, first.max_prefixlen))
    return field, "EQUAL", ipaddress.ip_network(f"{first}/{bits}", strict=False)


@st.composite
def other_test(draw):
    choices = [
        ("ALE_APP_ID", "EQUAL", PROGRAM),
        ("ALE_APP_ID", "NOT_EQUAL", PROGRAM),
        ("ALE_USER_ID", "EQUAL", SERVICE_ONLY),
    ]
    return draw(st.sampled_from(choices))


NUMBERS = {
    "EQUAL": lambda a, b: a == b,
    "NOT_EQUAL": lambda a, b: a != b,
    "GREATER": lambda a, b: a > b,
    "LESS": lambda a, b: a < b,
    "GREATER_OR_EQUAL": lambda a, b: a >= b,
    "LESS_OR_EQUAL": lambda a, b: a <= b,
    "RANGE": lambda a, b: b[0] <= a <= b[1],
}
COLUMN = {
    "IP_PROTOCOL": "protocol",
    "IP_LOCAL_PORT": "source_port",
    "IP_REMOTE_PORT": "dest_port",
    "IP_LOCAL_ADDRESS": "source_address",
    "IP_REMOTE_ADDRESS": "dest_address",
    "ALE_APP_ID": "application",
}


def plainly(flow, field, match, value):
    """Answer one condition for an outbound flow, without arrays."""
    given_value = flow.get(COLUMN.get(field))
    if given_value is None:
        return OPEN
    if field == "ALE_APP_ID":
        equal = given_value.lower() == value.lower()
        return YES if equal == (match == "EQUAL") else NO
    if field in NUMBERS or not field.endswith("ADDRESS"):
        return YES if NUMBERS[match](given_value, value) else NO
    address = ipaddress.ip_address(given_value)
    if isinstance(value, tuple):
        inside = address.version == value[0].version and value[0] <= address <= value[1]
    elif isinstance(value, NET4 | NET6):
        inside = address.version == value.version and address in value
    else:
        inside = address == value
    return YES if inside == (match != "NOT_EQUAL") else NO


def plain_all(flow, tests):
    by_field = {}
    for field, match, value in tests:
        by_field.setdefault(field, []).append(plainly(flow, field, match, value))
    return min((max(answers) for answers in by_field.values()), default=YES)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(made_flow(), min_size=1, max_size=8),
    st.lists(st.one_of(number_test(), address_test(), other_test()), max_size=5),
)
def test_the_plain_implementation_agrees(rows, tests):
    arrays = engine.all_fields(flows(*rows), [cond(*test) for test in tests])
    assert arrays.tolist() == [plain_all(row, tests) for row in rows]


@settings(max_examples=30, deadline=None)
@given(st.lists(made_flow(), min_size=1, max_size=6), st.one_of(number_test(), address_test()))
def test_uncertain_order_never_claims_what_one_order_denies(rows, test):
    arrays = flows(*({**row, "event_id": 5157, "direction_code": "%%14592", "layer_rtid": 44} for row in rows))
    one_way = engine.one(arrays, cond(*test))
    unsure = ~arrays.order_certain
    straight = np.array([plainly(row, *test) for row in rows])
    swapped = {"source_address": "dest_address", "source_port": "dest_port"}
    swapped |= {new: old for old, new in swapped.items()}
    other = np.array([plainly({**row, **{k: row[v] for k, v in swapped.items()}}, *test) for row in rows])
    expected = np.where(straight == other, straight, OPEN)
    assert one_way[unsure].tolist() == expected[unsure].tolist()
