"""The condition texts of 5441 and 5447, read into the form of a state's conditions."""

from __future__ import annotations

import ipaddress
import time

import pytest
from history_build import APP_ID, PROFILE, PROTOCOL, REMOTE_PORT, condition
from hypothesis import given
from hypothesis import strategies as st

from analyzer.conditions_text import read

USER = "{af043a0a-b34d-4f86-979c-c90371af6e66}"
PACKAGE = "{71bc78fa-f17c-4997-a602-6abb261f351c}"
REMOTE = "{b235ae9a-1d64-49b8-a44c-5ff3d9095045}"
INTERFACE = "{4cd62a49-59c3-4969-b7f3-bda5d32890a4}"
MAC = "{f6e63dce-1f4b-4c6b-b6ef-1165e71f8ee7}"
DUMP = (
    "\n    00000000  5c 00 64 00 65 00 76 00-69 00 63 00 65 00 5c 00  \\.d.e.v.i.c.e.\\."
    "\n    00000010  41 00 2e 00 65 00 78 00-65 00 00 00              A...e.x.e...\n"
)


def one(field, words, value):
    got = read(condition(field, words, value))
    assert len(got.conditions) == 1
    return got.conditions[0]


@pytest.mark.parametrize(
    ("field", "words", "printed", "match", "kind", "value"),
    [
        (REMOTE_PORT, "Equal to", "0x01bb", "EQUAL", "UINT16", 443),
        (REMOTE_PORT, "In range", "0x0400 - 0xffff", "RANGE", "RANGE_TYPE", (1024, 65535)),
        (PROTOCOL, "Equal to", "0x06", "EQUAL", "UINT8", 6),
        (PROFILE, "Not equal to", "0x00000003", "NOT_EQUAL", "UINT32", 3),
        (INTERFACE, "Equal to", "0x0018000000000000", "EQUAL", "UINT64", 0x0018000000000000),
        (REMOTE, "Equal to", "0x0a172a00", "EQUAL", "UINT32", ipaddress.IPv4Address("10.23.42.0")),
        (REMOTE, "Equal to", "192.0.2.1/255.255.255.255", "EQUAL", "V4_ADDR_MASK",
         ipaddress.ip_network("192.0.2.1/32")),
        (REMOTE, "Equal to", "2001:db8::/32", "EQUAL", "V6_ADDR_MASK", ipaddress.ip_network("2001:db8::/32")),
        (REMOTE, "Equal to", "ff020000000000000000000000000001", "EQUAL", "BYTE_ARRAY16_TYPE",
         ipaddress.IPv6Address("ff02::1")),
        (REMOTE, "In range", "00000000000000000000000000000000 - ffffffffffffffffffffffffffffffff", "RANGE",
         "RANGE_TYPE", (ipaddress.IPv6Address(0), ipaddress.IPv6Address(2**128 - 1))),
        (USER, "Equal to", "\nO:SYG:SYD:(A;;CCRC;;;S-1-5-80-1-2-3-4-5)\n", "EQUAL", "SECURITY_DESCRIPTOR_TYPE",
         "O:SYG:SYD:(A;;CCRC;;;S-1-5-80-1-2-3-4-5)"),
        (USER, "Equal to", '\nD:(XA;;CC;;;WD;(WIN://SYSAPPID Contains "a b"))\n', "EQUAL", "SECURITY_DESCRIPTOR_TYPE",
         'D:(XA;;CC;;;WD;(WIN://SYSAPPID Contains "a b"))'),
        (PACKAGE, "Equal to", "S-1-0-0", "EQUAL", "SID", "S-1-0-0"),
        (MAC, "Equal to", "00-11-22-33-44-55", "EQUAL", "BYTE_ARRAY6_TYPE", b"\x00\x11\x22\x33\x44\x55"),
        (APP_ID, "Equal to", DUMP, "EQUAL", "BYTE_BLOB_TYPE", r"\device\a.exe"),
    ],
)  # fmt: skip
def test_value_forms(field, words, printed, match, kind, value):
    got = one(field, words, printed)
    assert (got.match, got.value.type, got.value.value, got.error) == (match, kind, value, None)


def test_several_conditions_keep_their_order():
    text = condition(PROTOCOL, "Equal to", "0x06") + condition(REMOTE_PORT, "Equal to", "0x01bb")
    got = read(text + condition(APP_ID, "Equal to", DUMP))
    assert [item.field for item in got.conditions] == ["IP_PROTOCOL", "IP_REMOTE_PORT", "ALE_APP_ID"]
    assert got.whole
    assert got.problems == ()


@pytest.mark.parametrize("text", ["-", "", "  \n ", " - "])
def test_no_conditions(text):
    assert read(text) == ((), (), True)


def test_a_value_that_the_event_does_not_tell_is_missing_and_no_error():
    got = one(PACKAGE, "Not equal to", "-")
    assert (got.match, got.value.value, got.told, got.error) == ("NOT_EQUAL", None, False, None)


@pytest.mark.parametrize("colon", [":", "："])
def test_labels_of_another_language_are_not_read(colon):
    text = f"\n\t条件 ID{colon}\t{REMOTE_PORT}\n\t匹配{colon}\tEqual to\n\t值{colon}\t0x0050\n"
    got = read(text)
    assert [(c.field, c.match, c.value.value) for c in got.conditions] == [("IP_REMOTE_PORT", "EQUAL", 80)]


def test_an_unknown_match_word_means_cannot_tell_and_is_said():
    got = read(condition(REMOTE_PORT, "Gleich", "0x0050"))
    assert got.conditions[0].match is None
    assert got.conditions[0].value.value == 80
    assert "Gleich" in got.problems[0]
    assert got.whole


def test_a_range_tells_its_match_type_in_any_language():
    assert one(REMOTE_PORT, "Im Bereich", "0x0050 - 0x0051").match == "RANGE"


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_line_ends(line):
    text = condition(PROTOCOL, "Equal to", "0x11").replace("\n", line)
    assert read(text).conditions[0].value.value == 17


def test_a_text_whose_lines_were_joined():
    text = f"Condition ID: {PROTOCOL} Match value: No flags set Condition value: 0x00000003"
    got = read(text)
    assert [(c.field, c.match, c.value.value) for c in got.conditions] == [("IP_PROTOCOL", "FLAGS_NONE_SET", 3)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("something else", "no condition could be found"),
        ("something\n" + condition(PROTOCOL, "Equal to", "0x06"), "before the first condition"),
    ],
)
def test_a_text_that_may_hide_a_condition_is_not_whole(text, said):
    got = read(text)
    assert not got.whole
    assert said in got.problems[0]


@pytest.mark.parametrize(
    "text",
    [
        f"\n\tCondition ID:\t{PROTOCOL}",
        f"\n\tCondition ID:\t{PROTOCOL}\n\tMatch value:\tEqual to",
        f"\n\tCondition ID:\t{PROTOCOL}\n\tMatch value:\tEqual to\n\tCondition value:\t",
        condition(PROTOCOL, "Equal to", "0x123"),
        condition(PROTOCOL, "Equal to", "0xZZ"),
        condition(REMOTE_PORT, "In range", "0x0050 - "),
        condition(REMOTE_PORT, "In range", "0x0050 - 0x00000051 - 3"),
        condition(REMOTE, "Equal to", "300.1.1.1/32"),
        condition(APP_ID, "Equal to", "\n    00000010  5c 00 64 00  \\.d.\n"),
        condition(APP_ID, "Equal to", "\n    00000000  5c  \\\n"),
        condition(APP_ID, "Equal to", DUMP + "    rubbish\n"),
    ],
)
def test_damaged_conditions_stay_as_ones_that_cannot_tell(text):
    got = read(text)
    assert len(got.conditions) == 1
    assert got.conditions[0].value.value is None
    assert len(got.problems) == 1


def test_a_hostile_text_is_read_in_bounded_time():
    begin = time.perf_counter()
    for text in (":" * 200_000, "\t" * 200_000, "{" * 200_000, "a:\n" * 60_000, f"x:\t{PROTOCOL}\n" * 20_000):
        read(text)
    assert time.perf_counter() - begin < 20


@given(st.text(alphabet="\t\n :-{}0x1aABf/.;()DOSG" + PROTOCOL, max_size=300))
def test_nothing_raises(text):
    got = read(text)
    assert isinstance(got.conditions, tuple)
    assert got.whole or got.problems
