"""Damaged and hostile files of net events: no crash, no hang, and every whole net event before the damage is kept."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.readers.netevents import NetEvents, read_netevents, read_netevents_blocks, reader
from analyzer.readers.wfpstate import read_state_bytes
from samples.neteventswriter import NetEvent, write_netevents, write_wfpdiag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNT = 25
EVENTS = [
    NetEvent(
        f"2026-01-01T10:00:{second:02}.125Z",
        local_port=50_000 + second,
        origin="Default Outbound",
        terminating=[(70001, "MPSSVC_WF", "BLOCK")],
    )
    for second in range(COUNT)
]
LISTED = write_netevents(EVENTS)
CAPTURED = write_wfpdiag(EVENTS, state="<layers/>")
MB = 1 << 20
_TAGS = ("netEvents", "item", "netEvent", "header", "flags", "classifyDrop", "w:netEvent")
PIECES = [
    *(f"<{tag}>" for tag in _TAGS),
    *(f"</{tag}>" for tag in _TAGS),
    *("<item/>", "<!--", "-->", "<![CDATA[", "]]>", "<?", "&amp;", "&x;", "<", ">", "text", "\n"),
    "<type>FWPM_NET_EVENT_TYPE_CLASSIFY_DROP</type>",
    "<timeStamp>2026-01-01T10:00:00Z</timeStamp>",
    "<filterId>7</filterId>",
]


def read(data: bytes) -> NetEvents:
    return read_netevents_blocks([data[at : at + MB] for at in range(0, len(data), MB)], "netevents.xml")


def ports(got: NetEvents) -> list[int]:
    return [int(port) for port in got.events["local_port"].dropna()]


def ends(data: bytes, tag: bytes) -> list[int]:
    """Return where each net event ends."""
    mark = b"</internalFields>"
    found, at = [], 0
    while (at := data.find(mark, at)) >= 0:
        at = data.index(tag, at) + len(tag)
        found.append(at)
    return found


@pytest.mark.parametrize(("data", "tag"), [(LISTED, b"</item>"), (CAPTURED, b"</netEvent>")])
def test_a_cut_keeps_every_whole_net_event_before_it(data: bytes, tag: bytes) -> None:
    stops = ends(data, tag)
    assert len(stops) == COUNT
    for step in range(1, 50):
        cut = len(data) * step // 50
        whole = sum(stop <= cut for stop in stops)
        got = read(data[:cut])
        assert ports(got) == [50_000 + n for n in range(whole)]
        if whole and cut not in stops:
            inside = (
                any(p.severity == "lost" for p in got.problems) or data[stops[whole - 1] : cut].count(b"<header>") == 0
            )
            assert inside, cut


def test_damage_in_one_net_event_costs_that_one() -> None:
    stops = ends(LISTED, b"</item>")
    random.seed(4)
    for _ in range(60):
        number = random.randrange(1, COUNT - 1)
        begin = LISTED.index(b"<item>", stops[number - 1])
        at = random.randrange(begin, stops[number])
        data = bytearray(LISTED)
        data[at] ^= 1 << random.randrange(7)
        got = ports(read(bytes(data)))
        others = [50_000 + n for n in range(COUNT) if n != number]
        assert [port for port in got if port in others] == others, (at, LISTED[at - 20 : at + 20])


def test_a_lost_net_event_is_always_told() -> None:
    for old, new in (
        (b"<item>\r\n\t\t<header>", b"<itXm>\r\n\t\t<header>"),
        (b"<header>", b"<heaXer>"),
        (b"</header>", b"</heaXer>"),
        (b"</internalFields>\r\n\t</item>", b"</internalFields>\r\n\t</itXm>"),
        (b"<classifyDrop>", b"<classifyDrop"),
        (b"</type>", b"<type>"),
    ):
        half = LISTED.index(old, len(LISTED) // 2)
        got = read(LISTED[:half] + new + LISTED[half + len(old) :])
        assert len(got.events) == COUNT - 1, old
        assert any(p.severity == "lost" and p.place for p in got.problems), old


def test_characters_that_xml_forbids_are_replaced_and_told() -> None:
    got = read(LISTED.replace(b"Default Outbound", b"Default\x01Outbound", 1).replace(b"S-1-5-20", b"S-1-5-\xff", 1))
    assert len(got.events) == COUNT
    assert got.events["origin"].iloc[0] == "Default\ufffdOutbound"
    assert [p.severity for p in got.problems].count("doubtful") == 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(LISTED) - 1), st.integers(0, 255), st.sampled_from(["set", "cut", "double"])),
        min_size=1,
        max_size=12,
    )
)
def test_any_damage_is_survived(damage: list[tuple[int, int, str]]) -> None:
    data = bytearray(LISTED)
    for where, value, how in damage:
        at = where % len(data)
        if how == "set":
            data[at] = value
        elif how == "cut":
            del data[at : at + value]
        else:
            data[at:at] = data[at : at + value]
    got = read(bytes(data))
    assert len(got.events) <= COUNT + 12
    assert all(p.what for p in got.problems)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(PIECES),
        max_size=60,
    ),
    st.integers(1, 40),
)
def test_any_heap_of_tags_is_survived_whatever_the_blocks(pieces: list[str], size: int) -> None:
    data = "".join(pieces).encode()
    whole = read(data)
    split = read_netevents_blocks([data[at : at + size] for at in range(0, len(data), size)], "netevents.xml")
    assert whole.events["line"].tolist() == split.events["line"].tolist()
    assert [p.what for p in whole.problems if p.severity == "lost"] == [
        p.what for p in split.problems if p.severity == "lost"
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"<netEvents>" + b"<!--" * 200_000,
        b"<netEvents>" + b"<netEvent>" * 100_000,
        b"<netEvents>" + b"<item><header>" * 100_000,
        b"<netEvents><item><header>" + b"<item>" * 200_000,
        b"<netEvents>" + (b"<item>" + b" " * 1_999) * 500,
        b"<netEvents>" + b"<" * 1_000_000,
        b"<netEvent " * 100_000,
        b"<netEvents><netEvent><header>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</header></netEvent>",
        b"<netEvents><netEvent><header>" + b"x" * (3 * MB) + b"</header></netEvent></netEvents>",
        b"<netEvents><netEvent><header><timeStamp>" + b"9" * 500_000 + b"</timeStamp></header></netEvent></netEvents>",
        b"<netEvents><netEvent><header/><type>" + b"9" * 500_000 + b"</type></netEvent></netEvents>",
        b"<netEvents>" + b"<type>FWPM_NET_EVENT_TYPE\n" * 200_000,
    ],
    ids=range(12),
)
def test_hostile_files_end_soon(data: bytes) -> None:
    began = time.process_time()
    got = read(data)
    assert time.process_time() - began < 20
    assert len(got.problems) < 60


def test_the_number_of_net_events_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_EVENTS", 10)
    got = read(LISTED)
    assert len(got.events) == 10
    assert any("more than 10 net events" in p.what for p in got.problems)
    monkeypatch.setattr(reader, "MAX_EVENTS", 1_000)
    monkeypatch.setattr(reader, "MAX_BYTES", 2 * MB)
    got = read(LISTED + b" " * (3 * MB))
    assert any("the rest was not read" in p.what for p in got.problems)


def test_a_file_that_is_cut_between_two_net_events_says_so(tmp_path: Path) -> None:
    path = tmp_path / "netevents.xml"
    header = "<header><timeStamp>2026-03-10T08:00:00.000Z</timeStamp></header>"
    item = f"<item>{header}<type>FWPM_NET_EVENT_TYPE_CLASSIFY_DROP</type></item>"
    path.write_text(f"<netEvents>{item}{item}</netEvents>", encoding="utf-8")
    whole = read_netevents(path, "netevents.xml")
    assert not [problem for problem in whole.problems if problem.severity == "lost"]
    path.write_text(f"<netEvents>{item}", encoding="utf-8")
    cut = read_netevents(path, "netevents.xml")
    assert any("ends before its root element" in problem.what for problem in cut.problems)


# --- a capture has two readers -----------------------------------------------------------------------------------

STATE = """<timeStamp>2026-03-10T08:00:00.000Z</timeStamp>
<layers numItems="0"/>
<filters numItems="1">
<item>
<filterKey>{11111111-2222-3333-4444-555555555555}</filterKey>
<action><type>FWP_ACTION_BLOCK</type></action>
<layerKey>FWPM_LAYER_ALE_AUTH_CONNECT_V4</layerKey>
<filterId>70000</filterId>
</item>
</filters>
"""
CAPTURE = write_wfpdiag([NetEvent(f"2026-03-10T08:00:0{n}.000Z", filter_id=70_000) for n in range(3)], state=STATE)


@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        (lambda data: data.replace(b"<localPort>", b"<localPort", 1), 2),
        (lambda data: data.replace(b"</localPort>", b"</localPor>", 1), 2),
        (lambda data: data.replace(b"<localPort>", b"<localPort>\x02", 1), 3),
        (lambda data: data.replace(b"<localPort>", b"&<localPort>", 1), 3),
        (lambda data: data.replace(b"</netEvent>", b"", 1), 2),
        (lambda data: data[: data.rfind(b"<localPort>") + 5], 2),
        (lambda data: data[: data.rfind(b"</netEvent>") + len("</netEvent>")], 3),
        (lambda data: data[: data.rfind(b"</netEvent>") + len("</netEvent>\r\n\t</ev")], 3),
    ],
)
def test_damage_of_net_events_is_told_by_their_reader_alone(damage: Callable[[bytes], bytes], kept: int) -> None:
    data = damage(CAPTURE)
    assert data != CAPTURE
    events = read(data)
    assert len(events.events) == kept
    assert events.problems
    state = read_state_bytes(data, "wfpdiag.xml")
    assert state.filters["filter_id"].tolist() == [70_000]
    assert [problem for problem in state.problems if problem.severity != "note"] == []


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (lambda data: data.replace(b"<layerKey>", b"<layerKey", 1), b"<layerKey"),
        (lambda data: data.replace(b"<layerKey>", b"<layerKey>\x02", 1), b"<layerKey>"),
        (lambda data: data[: data.find(b"<filterId>")], b"<item>"),
    ],
)
def test_damage_of_the_state_is_told_by_its_reader_alone(damage: Callable[[bytes], bytes], place: bytes) -> None:
    data = damage(CAPTURE)
    line = data.count(b"\n", 0, data.index(place)) + 1
    problems = [problem for problem in read_state_bytes(data, "wfpdiag.xml").problems if problem.severity != "note"]
    assert f"line {line}" in {problem.place for problem in problems}
    assert [problem for problem in read(data).problems if problem.severity != "note"] == []


def test_the_line_of_a_flaw_is_a_line_of_the_file() -> None:
    data = CAPTURE.replace(b"<localPort>", b"&<localPort>", 1)
    (problem,) = read(data).problems
    assert problem.place == f"line {data.count(bytes([10]), 0, data.index(b'&<local')) + 1}"
    assert "line" not in problem.what
