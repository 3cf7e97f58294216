"""Selecting events: what each option means, held against a slow reading row by row."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from core_build import HOST, PROGRAM, SVCHOST, at, bind, flt, inbound, judge, state, wfp
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import addressing, selection
from analyzer.selection import Selection, SelectionError, parse
from analyzer.wfp import services

USER = "S-1-5-21-1-2-3-1001"


def oriented(*rows):
    return addressing.orient(wfp(*rows))


def chosen(events, names=None, **texts):
    """Record ids of the events that fit; an option takes one text or a list of them."""
    asked = parse({key: [value] if isinstance(value, str) else value for key, value in texts.items()})
    return sorted(int(number) for number in events["record_id"][asked.mask(events, names)])


# --------------------------------------------------------------------------------------------------------------
# Meaning


def test_an_empty_selection_selects_everything():
    events = oriented({}, {"application": None}, {"s": None})
    assert chosen(events) == [1, 2, 3]
    assert not Selection()
    assert Selection().describe() == Selection().left_out(3, 3) == ""


def test_options_are_joined_by_and_and_repeated_ones_by_or():
    events = oriented({"dest_port": 443}, {"dest_port": 80}, {"dest_port": 443, "protocol": 17}, {"dest_port": 22})
    assert chosen(events, remote_port=["443", "80"]) == [1, 2, 3]
    assert chosen(events, remote_port=["443", "80"], protocol="tcp") == [1, 2]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"from_": "2026-01-01T10:00:10Z"}, [2, 3]),
        ({"to": "2026-01-01T10:00:10Z"}, [1, 2]),
        ({"to": "2026-01-01T10:00:09.9Z"}, [1]),
        ({"to": "2026-01-01T10:00:10.0000000Z"}, [1]),
        ({"from_": "2026-01-01T11:00:10+01:00", "to": "2026-01-01T10:00Z"}, [2]),
        ({"from_": "2026-01-01", "to": "2026-01-01"}, [1, 2]),
        ({"from_": "2026-01-02"}, [3]),
        ({"from_": "2026-01-01 10:00:10", "to": "2026-01-01"}, [2]),
        ({"from_": ["2026-01-02", "2026-01-01T10:00:10Z"]}, [2, 3]),
        ({"from_": "0001-01-01", "to": "9999-12-31"}, [1, 2, 3]),
        ({"to": "1601-01-01"}, []),
    ],
)
def test_times_cover_the_smallest_unit_that_is_typed(texts, expected):
    assert chosen(oriented({"s": 0}, {"s": 10.5}, {"s": 86400}, {"s": None}), **texts) == expected


@pytest.mark.parametrize("word", ["udp", "UDP", "17"])
def test_protocols_by_name_and_number(word):
    assert chosen(oriented({"protocol": 17}, {"protocol": 6}, {"protocol": None}), protocol=word) == [1]


def test_addresses_and_networks_of_both_families():
    events = oriented(
        {"dest_address": "198.51.100.7"},
        {"dest_address": "198.51.101.7"},
        {"dest_address": "2001:db8::7", "layer_rtid": 50},
        {"dest_address": None},
    )
    assert chosen(events, remote_address="198.51.100.7") == [1]
    assert chosen(events, remote_address="198.51.100.9/24") == [1]
    assert chosen(events, remote_address=["2001:DB8:0::7", "198.51.100.0/23"]) == [1, 2, 3]
    assert chosen(events, remote_address="0.0.0.0/0") == [1, 2]
    assert chosen(events, local_address="198.51.100.7") == []


def test_scope_ids_are_of_the_address_or_the_net_event_or_the_interface():
    rows = [{"dest_address": a, "layer_rtid": 50} for a in ("fe80::1%5", "fe80::1%7", "fe80::1", "fe80::1", "fd00::1")]
    rows[3]["interface_index"] = rows[4]["interface_index"] = 5
    events = oriented(*rows)
    assert chosen(events, remote_address="fe80::1") == [1, 2, 3, 4]
    assert chosen(events, remote_address="fe80::1%5") == chosen(events, remote_address="fe80::/10%5") == [1, 4]
    events["scope_id"] = pd.Series([None, None, 7, None, None], dtype="UInt64")
    assert chosen(events, remote_address="fe80::1%7") == [2, 3]


def test_ports_and_ranges():
    events = oriented({"dest_port": 0}, {"dest_port": 1023}, {"dest_port": 1024}, {"dest_port": None})
    assert chosen(events, remote_port="0-1023") == [1, 2]
    assert chosen(events, local_port="50000-65535") == [1, 2, 3, 4]


def test_ports_of_icmp_are_type_and_code_where_icmp_is_asked_for():
    echo = {"protocol": 1, "source_port": 8, "dest_port": 0}
    events = oriented(echo, {**echo, "source_port": 3}, {"source_port": 8})
    assert chosen(events, local_port="8") == [3]
    assert chosen(events, local_port="8", protocol="icmp") == [1]
    assert chosen(events, local_port="8", protocol=["icmp", "tcp"], remote_port=["0", "443"]) == [1, 3]


def test_where_the_order_of_addresses_is_uncertain_either_may_fit_but_not_half_of_each():
    unsure = inbound(5157, "192.0.2.10", "198.51.100.7", source_port=1111, dest_port=2222)
    events = oriented(unsure)
    assert list(events["endpoint_order"]) == ["uncertain"]
    for local, remote in (("192.0.2.10", "198.51.100.7"), ("198.51.100.7", "192.0.2.10")):
        assert chosen(events, local_address=local) == chosen(events, remote_address=remote) == [1]
        assert chosen(events, local_address=local, remote_address=remote) == [1]
    assert chosen(events, local_address="192.0.2.10", local_port="2222") == []
    assert chosen(events, local_address="192.0.2.10", remote_address="192.0.2.10") == []


DOS = r"C:\Windows\System32\svchost.exe"
OTHER_VOLUME = SVCHOST.replace("volume3", "volume4")
MUP = r"\device\mup\server\share\tool[1].exe"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SVCHOST, [1, 2]),  # the second is a DOS path, whose volume nobody knows
        (SVCHOST.upper(), [1, 2]),
        (DOS, [1, 2, 3]),
        (DOS.replace("C:", "D:"), [1, 3]),
        ("c:/windows/system32/svchost.exe", [1, 2, 3]),
        ('"C:\\Windows\\System32\\svchost.exe"', [1, 2, 3]),
        (r"\windows\system32\svchost.exe", [1, 2, 3]),
        (r"\system32\svchost.exe", []),
        (r"system32\svchost.exe", [1, 2, 3]),
        (r"stem32\svchost.exe", []),
        ("svchost.exe", [1, 2, 3]),
        ("SVCHOST.*", [1, 2, 3]),
        ("svchost", []),
        ("?vchost.exe", [1, 2, 3]),
        (r"c:\windows\*", [1, 2, 3]),
        (r"\device\harddiskvolume4\*", [2, 3]),
        ("*", [1, 2, 3, 4, 5, 6]),
        ("system", [5]),
        (r"\\server\share\tool[1].exe", [6]),
        ("tool[1].*", [6]),
        (r"*\share\*", [6]),
    ],
)
def test_applications(text, expected):
    apps = (SVCHOST, DOS, OTHER_VOLUME, PROGRAM, "System", MUP, None)
    assert chosen(oriented(*({"application": app} for app in apps)), application=text) == expected


def test_users_by_sid_and_by_name():
    events = oriented({}, {}, {}, {})
    assert chosen(events, user="S-1-5-18") == []  # no audit event names one
    sids = ["S-1-5-18", USER, services.service_sid("BITS"), None]
    events["user_sid"] = pd.Categorical(sids)
    names = {USER: r"PC-ONE\alice"}
    for text in ("s-1-5-18", "SYSTEM", "SY", r"NT AUTHORITY\System"):
        assert chosen(events, user=text) == [1]
    for text in (USER, r"pc-one\ALICE", "alice"):
        assert chosen(events, names, user=text) == [2]
    assert chosen(events, names, user=r"PC-TWO\alice") == []
    assert chosen(events, user="alice") == []
    assert chosen(events, user=r"NT SERVICE\bits") == [3]


def test_event_ids_and_computers():
    events = oriented({}, bind("192.0.2.10"), {"computer": "pc-two.example.org"}, {"computer": None})
    assert chosen(events, event_id=["5158", "5155"]) == [2]
    assert chosen(events, computer="PC-TWO") == [3]
    assert chosen(events, computer="pc-two.EXAMPLE.org") == [3]
    assert chosen(events, computer="pc-two.example.com") == []
    assert chosen(events, computer=[HOST.lower(), "pc-two"]) == [1, 2, 3]


def test_kinds_and_grades_of_judged_events():
    events = judge(
        wfp({"event_origin": "Default Outbound", "filter_rtid": 70001}, {"event_id": 5156}, {"filter_rtid": 9}),
        state("state.xml", flt(70001)),
    ).events
    asked = parse({"kind": ["default-outbound"]})
    assert chosen(events, kind="Default-Outbound") == [1]
    assert chosen(events, kind=["default-outbound", "unresolved"], grade="origin") == [1]
    assert asked.recorded(events).all()
    assert (asked.mask(events) == asked.judged(events)).all()


def test_what_is_selected_and_left_out_is_said():
    asked = parse({"remote_port": ["443", "8000-8010"], "from_": ["2026-03-04T10:15"], "protocol": ["6"]})
    said = asked.describe()
    assert said == "from 2026-03-04T10:15 (no zone given: UTC), protocol TCP, remote port 443 or 8000-8010"
    assert asked.left_out(10, 1234) == f"selected: {said}; of 1,234 events 10 fit, and 1,224 events are left out"
    assert asked.left_out(3, 4).endswith("and 1 event is left out")
    assert asked.left_out(4, 4).endswith("and no event is left out")
    assert parse({"remote_address": ["fe80::1%5", "10.1.2.3/8"]}).describe() == "remote address fe80::1%5 or 10.0.0.0/8"
    assert parse({"from_": ["2026-03-04"]}).describe() == "from 2026-03-04 (whole day, UTC)"


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("from_", "yesterday", "--from: 'yesterday' is no time like 2026"),
        ("to", "2026-02-30", "--to: '2026-02-30' is no time that a clock shows"),
        ("to", "2026-02-03T25:00Z", "no time that a clock shows"),
        ("to", "2026-02-03T20:00+99:00", "no time that a clock shows"),
        ("from_", "0001-01-01T00:00+10:00", "no time that a clock shows"),
        ("from_", "2026-02-0３", "no time like"),
        ("protocol", "256", "--protocol: '256' is no protocol"),
        ("protocol", "tpc", "tcp, udp"),
        ("local_address", "10.0.0", "--local-address: '10.0.0' is neither an address"),
        ("remote_address", "10.0.0.0/33", "nor a network"),
        ("remote_address", "10.0.0.1%5", "a scope id is a number behind an IPv6 address"),
        ("remote_address", "fe80::1%eth0", "a scope id is a number"),
        ("remote_port", "65536", "no port from 0 to 65535"),
        ("remote_port", "20-10", "no range like"),
        ("remote_port", "http", "no port"),
        ("application", " ", "names no program"),
        ("application", r"%windir%\a.exe", "variables are not known"),
        ("user", "S-1-x", "no whole SID"),
        ("user", "", "names no user"),
        ("event_id", "4688", "none of the events that are judged: 5031, 5150"),
        ("event_id", "0", "none of the events"),
        ("kind", "default", "is no kind: default-outbound"),
        ("grade", "sure", "is no grade: event, origin"),
        ("computer", "", "names no computer"),
        ("computer", "x" * 500 + "\n", None),
    ],
)
def test_what_can_not_be_understood_is_explained(option, text, said):
    if said is None:
        assert parse({option: [text]})
        return
    with pytest.raises(SelectionError, match=re.escape(said)):
        parse({option: [text]})


def test_a_time_span_that_ends_before_it_begins_is_a_mistake():
    with pytest.raises(SelectionError, match="--from lies behind --to"):
        parse({"from_": ["2026-03-05"], "to": ["2026-03-04"]})


def test_there_is_a_parser_and_an_option_for_each_field():
    assert set(selection.OPTIONS) == set(Selection.__dataclass_fields__)
    assert selection.OPTIONS["from_"] == "--from"
    assert selection.OPTIONS["remote_address"] == "--remote-address"


@given(st.sampled_from(sorted(selection.OPTIONS)), st.text(max_size=30))
def test_any_text_is_parsed_or_explained(option, text):
    said = selection.OPTIONS[option]
    try:
        assert parse({option: [text]}).mask(EVENTS).shape == (len(EVENTS),)
    except SelectionError as error:
        said = str(error)
    assert said.startswith(selection.OPTIONS[option])


# --------------------------------------------------------------------------------------------------------------
# Against a reading row by row

EVENTS = oriented({}, {"application": None}, bind("192.0.2.10"), inbound(5157, "192.0.2.10", "198.51.100.7"))
ADDRESSES = ("192.0.2.10", "198.51.100.7", "198.51.100.200", "fe80::1%5", "fe80::1", "::1", "not an address", None)
APPS = (SVCHOST, OTHER_VOLUME, DOS, PROGRAM, "System", None)
ROWS = st.fixed_dictionaries(
    {
        "event_id": st.sampled_from([5157, 5156, 5152, 5158, 5031]),
        "s": st.sampled_from([0, 0.5, 1, 59, 60, 3600, 86400, None]),
        "protocol": st.sampled_from([6, 17, 1, 58, None]),
        "direction_code": st.sampled_from(["%%14592", "%%14593"]),
        "layer_rtid": st.sampled_from([44, 48, None]),
        "source_address": st.sampled_from(ADDRESSES),
        "dest_address": st.sampled_from(ADDRESSES),
        "source_port": st.sampled_from([0, 8, 443, 50001, None]),
        "dest_port": st.sampled_from([0, 443, 8080, None]),
        "application": st.sampled_from(APPS),
        "computer": st.sampled_from([HOST, "pc-two.example.org", None]),
        "interface_index": st.sampled_from([5, 7, None]),
    }
)
TEXTS = {
    "from_": ["2026-01-01T10:00:00.5Z", "2026-01-01T10:00:01", "2026-01-01", "2026-01-01T12:00:00+01:00"],
    "to": ["2026-01-01T10:00:00Z", "2026-01-01T10:00", "2026-01-02", "2026-01-01T12:00:00.5+01:00"],
    "protocol": ["tcp", "17", "icmp", "icmpv6"],
    "local_address": ["192.0.2.10", "198.51.100.0/24", "fe80::/10", "fe80::1%5", "fe80::1%7"],
    "remote_address": ["192.0.2.0/25", "198.51.100.7", "::/0", "0.0.0.0/0", "fe80::1%5"],
    "local_port": ["8", "0-1023", "50001"],
    "remote_port": ["443", "8080-9090", "0"],
    "application": ["svchost.exe", SVCHOST, "System"],
    "user": [USER, "SYSTEM"],
    "event_id": ["5157", "5031"],
    "kind": ["default-outbound", "unresolved"],
    "grade": ["origin", "none"],
    "computer": [HOST, "pc-two"],
}
ASKED = st.fixed_dictionaries(
    {}, optional={key: st.lists(st.sampled_from(values), min_size=1, max_size=2) for key, values in TEXTS.items()}
)


def moment(text, *, end):
    """The first instant of a time, or the first one behind it, in ns; by the standard library's own reading."""
    read = datetime.fromisoformat(text)
    read = read if read.tzinfo else read.replace(tzinfo=UTC)
    unit = {10: timedelta(days=1), 16: timedelta(minutes=1)}.get(len(text), timedelta(seconds=1))
    unit = timedelta(milliseconds=100) if "." in text else unit
    return ((read + unit if end else read) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def address_fits(text, value, row):
    """Whether one side's address is the one of the text."""
    if not isinstance(value, str):
        return False
    plain, _, zone = value.partition("%")
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return False
    wanted, _, scope = text.partition("%")
    if address not in ipaddress.ip_network(wanted, strict=False):
        return False
    given = zone or (str(row["interface_index"]) if address.is_link_local else "")
    return not scope or scope == given


def row_fits(asked, row):
    """Read one row as a person would: every option that is given must have an alternative that fits."""

    def given_number(value):
        return None if value is None or value is pd.NA else int(value)

    def side_fits(side, option):
        addresses, ports = asked.get(f"{option}_address"), asked.get(f"{option}_port")
        if addresses and not any(address_fits(text, row[f"{side}_address"], row) for text in addresses):
            return False
        if not ports:
            return True
        by_name = {"icmp": 1, "icmpv6": 58}
        of_icmp = any(by_name.get(text) == given_number(row["protocol"]) for text in asked.get("protocol", ()))
        port = given_number(row[f"{side}_raw_port" if of_icmp else f"{side}_port"])
        ranges = [(text.split("-")[0], text.split("-")[-1]) for text in ports]
        return port is not None and any(int(low) <= port <= int(high) for low, high in ranges)

    time = None if pd.isna(row["time"]) else row["time"].as_unit("ns").value
    numbers = {"tcp": 6, "17": 17, "icmp": 1, "icmpv6": 58}
    app, computer, user = row["application"], row["computer"], row["user_sid"]
    straight = side_fits("local", "local") and side_fits("remote", "remote")
    crossed = side_fits("remote", "local") and side_fits("local", "remote")
    apps = {"svchost.exe": {SVCHOST, OTHER_VOLUME, DOS}, SVCHOST: {SVCHOST, DOS}, "System": {"System"}}
    tests = {
        "from_": lambda text: time is not None and time >= moment(text, end=False),
        "to": lambda text: time is not None and time < moment(text, end=True),
        "protocol": lambda text: given_number(row["protocol"]) == numbers[text],
        "application": lambda text: app in apps[text],
        "user": lambda text: user == {"SYSTEM": "S-1-5-18"}.get(text, text),
        "event_id": lambda text: row["event_id"] == int(text),
        "kind": lambda text: row["kind"] == text,
        "grade": lambda text: row["grade"] == text,
        "computer": lambda text: isinstance(computer, str) and computer.upper().split(".")[0] == text.upper(),
    }
    if not all(any(tests[key](text) for text in texts) for key, texts in asked.items() if key in tests):
        return False
    return straight or (row["endpoint_order"] == "uncertain" and crossed)


@settings(max_examples=100, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12), ASKED, st.randoms())
def test_the_same_rows_as_read_one_by_one(rows, texts, random):
    events = oriented(*rows)
    events["user_sid"] = pd.Categorical([random.choice([USER, "S-1-5-18", None]) for _ in rows])
    events["kind"] = pd.Categorical([random.choice(["default-outbound", "unresolved", None]) for _ in rows])
    events["grade"] = pd.Categorical([random.choice(["origin", "none"]) for _ in rows])
    try:
        asked = parse(texts)
    except SelectionError as error:
        assert "lies behind" in str(error)  # noqa: PT017 - the only mistake that can be drawn
        return
    expected = [row_fits(texts, row) for row in events.to_dict("records")]
    assert asked.mask(events).tolist() == expected
    assert (asked.recorded(events) & asked.judged(events)).tolist() == expected


def test_many_events_are_selected_at_once():
    one = oriented(*({"dest_port": port, "s": port} for port in range(1000)))
    many = one.iloc[np.tile(np.arange(1000), 200)].reset_index(drop=True)
    asked = parse({"remote_port": ["443"], "remote_address": ["0.0.0.0/0"], "application": ["program*"]})
    assert asked.mask(many).sum() == 200
    assert at(443) == one["time"].iloc[443].value
