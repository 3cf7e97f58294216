"""Dumps that are damaged, hostile, or something else: what is lost is told, and the rest is read."""

from __future__ import annotations

import random
import re
import time

import pandas as pd
import pytest
from wfpstate_builder import DEFAULT_CONTEXT, blob, condition, filter_item, listing, origin_context, state

from analyzer.readers import xmlrepair
from analyzer.readers.wfpstate import read_state_bytes

THREE = state(filter_item(1), filter_item(2), filter_item(3))


def read(data):
    return read_state_bytes(data if isinstance(data, bytes) else data.encode("utf-8"), "bad.xml")


def said(result):
    return [(p.severity, p.what) for p in result.problems]


# --- something else ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"   \r\n", "is empty"),
        (b"hello", "is not XML: nothing of it was read"),
        (b"<html><p>x</html>", "its root element is <html>"),
        (b"<Events xmlns='urn:x'><Event/></Events>", "its root element is <Events>"),
        (b"<", "has no root element"),
        (bytes(range(256)), "has no root element"),
    ],
)
def test_what_is_no_dump(data, what):
    result = read(data)
    assert result.kind == "unknown"
    assert any(p.severity == "lost" and what in p.what for p in result.problems)
    assert all(p.input == "bad.xml" for p in result.problems)
    assert len(result.filters) == 0


def test_net_events_and_no_filters():
    result = read("<wfpdiag><netEvents><item/></netEvents></wfpdiag>")
    assert result.kind == "filters"
    assert said(result) == [("note", "lists net events and no filters")]


def test_a_second_dump_in_the_file_is_told():
    result = read("<wfpdiag><filters/></wfpdiag><wfpdiag><filters/></wfpdiag><svg/>")
    assert [s for s, w in said(result) if "further root element" in w] == ["lost", "lost"]


# --- hostile ----------------------------------------------------------------------------------------------------

BOMB = '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize("doctype", [BOMB, EXTERNAL, "<!doctype x>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_a_doctype_is_refused(doctype, encoding):
    result = read(THREE.replace("<wfpstate>", doctype + "<wfpstate>").encode(encoding))
    assert result.kind == "unknown"
    assert said(result) == [("lost", "has a DOCTYPE: refused, nothing of it was read")]
    assert result.problems[0].place == "line 2"


def test_a_doctype_behind_the_first_root_is_refused_too():
    assert read(THREE + EXTERNAL).kind == "unknown"


def test_undefined_entities_stay_text():
    result = read(state(filter_item(name="a&xxe;b &amp; c"), filter_item(2)))
    assert result.filters["name"].tolist() == ["a&xxe;b & c", "Default Outbound"]
    assert len(result.problems) == 1


@pytest.mark.parametrize(
    "hostile",
    [
        "<a>" * 200_000,
        "<a>" * 300 + "</a>" * 300,
        "y" * 20_000_000,
        "<!--" * 500_000,
        "<?x " * 500_000,
        "<![CDATA[" * 300_000,
        "<" * 1_000_000,
        "</b>" * 200_000,
        "</b>" * 3_000_000,
        "\x00" * 2_000_000,
        "\x00a" * 1_000_000,
        "&#0;" * 500_000,
        "&" * 1_000_000,
        " " * 3_000_000,
        "<a " + "b" * 3_000_000,
        "<?xml " * 300_000,
    ],
)
def test_hostile_text_is_bounded(hostile):
    start = time.perf_counter()
    result = read(THREE.replace("<timeStamp>", f"<x>{hostile}</x><timeStamp>", 1))
    assert time.perf_counter() - start < 20
    assert len(result.problems) < 100
    assert result.kind in ("wfpstate", "unknown")


def test_an_empty_list_with_a_count_is_no_open_one_in_a_damaged_dump():
    result = read(THREE.replace("<timeStamp>", '<sessions numItems="0"/><x numItems="0" /></y><timeStamp>', 1))
    assert result.filters["filter_id"].tolist() == [1, 2, 3]
    assert said(result) == [("lost", "</y> closes nothing: left out")]


def test_deep_nesting_does_not_cost_the_rest():
    deep = "<deep>" * 5000 + "</deep>" * 5000
    result = read(THREE.replace("<timeStamp>", f"{deep}<timeStamp>", 1))
    assert result.filters["filter_id"].tolist() == [1, 2, 3]
    assert said(result) == [("lost", f"elements nested deeper than {xmlrepair.MAX_DEPTH}: left out")]


# --- illegal characters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["\x00", "\x01\x02\x1f", "\ufffe", "\uffff", "&#0;", "&#x1F;", "&#xD800;"])
def test_illegal_characters_in_asstring_are_no_loss(bad):
    value = f"<byteBlob><data>{blob('example.exe')}</data><asString>e.{bad}x</asString></byteBlob>"
    result = read(state(filter_item(conditions=(condition("ALE_APP_ID", "EQUAL", "BYTE_BLOB_TYPE", value),))))
    assert result.problems == ()
    assert result.conditions["value"].tolist() == ["example.exe"]


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\ufffe", "&#0;", "&#x110000;"])
def test_illegal_characters_elsewhere_are_told(bad):
    result = read(state(filter_item(name=f"a{bad}b")))
    assert result.filters["name"].tolist() == ["a\ufffdb"]
    assert said(result) == [("doubtful", "characters that XML does not allow in <name>: replaced by U+FFFD")]


def test_invalid_utf8():
    data = state(filter_item(name="a@b")).encode().replace(b"a@b", b"a\xff\xfeb")
    result = read(data)
    assert result.filters["name"].tolist() == ["a\ufffd\ufffdb"]
    assert [p.severity for p in result.problems] == ["doubtful"]


def test_lone_surrogates_in_utf16():
    data = state(filter_item(name="a@b")).encode("utf-16-le").replace("@".encode("utf-16-le"), b"\x00\xd8")
    assert read(data).filters["name"].tolist() == ["a\ufffdb"]


def test_utf16_with_an_odd_byte_at_the_end():
    result = read(THREE.encode("utf-16") + b"x")
    assert result.filters["filter_id"].tolist() == [1, 2, 3]


# --- cut files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_cut_inside_a_filter_loses_that_filter(encoding):
    cut = THREE[: THREE.index("<filterId>3") + 4]
    result = read(cut.encode(encoding))
    assert result.filters["filter_id"].tolist() == [1, 2]
    assert [p.severity for p in result.problems] == ["lost"]
    assert "ends inside an item of <filters>" in result.problems[0].what
    line = int(result.problems[0].place.split()[1])
    assert THREE.split("\n")[line - 1] == "<item>"


def test_a_cut_between_filters_keeps_them():
    cut = THREE[: THREE.index("<filterId>3")].rpartition("<item>")[0]
    result = read(cut)
    assert result.filters["filter_id"].tolist() == [1, 2]
    assert said(result) == [("lost", "the file ends inside <filters>: all that followed is lost")]


def test_every_cut_reads_what_was_complete():
    text = state(filter_item(1), filter_item(2), contexts=(origin_context(),))
    for end in range(0, len(text), 23):
        part = text[:end]
        result = read(part)
        complete = re.findall(r"<filterId>(\d)</filterId>\s*<effectiveWeight>.*?</effectiveWeight>\s*</item>", part)
        assert result.filters["filter_id"].tolist() == [int(i) for i in complete]
        if len(part.rstrip()) < len(text.rstrip()) and "</firewallState>" not in part and part.strip():
            finished = part.rstrip().endswith("</wfpstate>")  # a dump of an older Windows ends here
            assert finished or any(p.severity == "lost" for p in result.problems), part[-60:]


def test_origins_that_were_cut_off_are_no_news():
    flags = ("FWPM_FILTER_FLAG_HAS_FILTER_ORIGIN",)
    context = f"<providerContextKey>{DEFAULT_CONTEXT}</providerContextKey>"
    text = state(filter_item(1, flags=flags, context=context), contexts=(origin_context(),))
    result = read(text[: text.index("<providerContexts")])
    assert result.filters["filter_id"].tolist() == [1]
    assert len(result.problems) == 1


# --- damaged tags -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("<filterId>2<", "<filterId>two<", [1, 3]),
        ("<filterId>2</filterId>", "", [1, 3]),
        ("<filterId>2</filterId>", "<filterId/>", [1, 3]),
        ("<filterId>2</filterId>", "<filterId>99999999999999999999999</filterId>", [1, 3]),
        ("<filterId>2</filterId>", "<filterId>-2</filterId>", [1, 3]),
        ("<filterId>2</filterId>", "<filterId>2</filterXd>", [1, 2, 3]),
        ("<filterId>2</filterId>", "<filterId>2?/filterId>", [1, 3]),
        ("<filterId>2</filterId>", "?filterId>2</filterId>", [1, 3]),
        ("</filters>", "?/filters>", [1, 2, 3]),
        ("<filters ", "?filters ", [1, 2, 3]),
        ("<layers ", "?layers ", [1, 2, 3]),
        ("</layers>", "", [1, 2, 3]),
    ],
)
def test_damage_costs_what_it_hits(old, new, kept):
    assert old in THREE
    result = read(THREE.replace(old, new, 1))
    assert sorted(result.filters["filter_id"].tolist()) == kept
    assert any(p.severity == "lost" for p in result.problems)
    assert result.time is not None


def test_a_clobbered_item_costs_one_filter():
    second = THREE.index("<item>\n", THREE.index("<filterId>1<"))
    result = read(THREE[:second] + "?" + THREE[second + 1 :])
    assert {1, 3} <= set(result.filters["filter_id"].tolist())
    assert any(p.severity == "lost" for p in result.problems)


def test_a_lost_condition_leaves_a_mark():
    good = condition("IP_PROTOCOL", "EQUAL", "UINT8", "<uint8>6</uint8>")
    text = state(filter_item(conditions=(good, good))).replace("<item><fieldKey>", "?item><fieldKey>", 1)
    result = read(text)
    if len(result.filters):  # the filter may go, but it must never look wider than it is
        assert len(result.conditions) == 2
        assert result.conditions["field"].isna().any()
    assert any(p.severity == "lost" for p in result.problems)


def test_random_damage_never_raises_and_is_never_silent():
    rng = random.Random(20)
    text = state(
        *(
            filter_item(i, conditions=(condition("IP_PROTOCOL", "EQUAL", "UINT8", "<uint8>6</uint8>"),))
            for i in range(1, 30)
        )
    )
    data = text.encode()
    marks = [i for i, byte in enumerate(data) if byte in b"<>/"]
    for _ in range(50):
        broken = bytearray(data)
        for _ in range(3):
            broken[rng.choice(marks)] = rng.choice(b"?x<> /\x00\xff")
        result = read(bytes(broken))
        assert len(result.filters) >= 20
        if len(result.filters) < 29:
            assert any(p.severity == "lost" for p in result.problems)


# --- odd values -------------------------------------------------------------------------------------------------


def test_a_repeated_id_is_read_once():
    result = read(state(filter_item(1, name="first"), filter_item(1, name="second")))
    assert result.filters["name"].tolist() == ["first"]
    assert [p.severity for p in result.problems] == ["doubtful"]
    assert "filter 1 is listed again" in result.problems[0].what


def test_unknown_actions_are_kept_as_printed():
    result = read(state(filter_item(action="<action><type>FWP_ACTION_NEW</type></action>")))
    assert result.filters["action"].tolist() == ["FWP_ACTION_NEW"]
    assert [p.severity for p in result.problems] == ["note"]


def test_a_filter_without_action_layer_or_weight():
    result = read(state(filter_item(7, action="", layer="", weight="")))
    row = result.filters.iloc[0]
    assert row["layer"] == "ALE_AUTH_CONNECT_V4"  # of the list that it stands in
    assert pd.isna(row["action"])
    assert pd.isna(row["weight_type"])
    assert [p.severity for p in result.problems] == ["doubtful", "doubtful"]


@pytest.mark.parametrize(
    ("kind", "xml"),
    [
        ("UINT8", "<uint8>256</uint8>"),
        ("UINT16", "<uint16>-1</uint16>"),
        ("UINT16", "<uint16>４４３</uint16>"),
        ("UINT32", "<uint32>1.2.3.400</uint32>"),
        ("UINT16", ""),
        ("BYTE_ARRAY16_TYPE", "<byteArray16>1.2.3.4</byteArray16>"),
        ("BYTE_BLOB_TYPE", "<byteBlob><data>5c0</data></byteBlob>"),
        ("BYTE_BLOB_TYPE", "<byteBlob><data>00d800d8</data></byteBlob>"),
        ("BYTE_BLOB_TYPE", "<byteBlob/>"),
        ("SID", "<sid>nobody</sid>"),
        ("RANGE_TYPE", "<rangeValue><valueLow><type>FWP_UINT16</type><uint16>1</uint16></valueLow></rangeValue>"),
        ("V4_ADDR_MASK", "<v4AddrMask><addr>192.0.2.0</addr><mask>255.0.255.0</mask></v4AddrMask>"),
        ("V6_ADDR_MASK", "<v6AddrMask><addr>2001:db8::</addr><prefixLength>200</prefixLength></v6AddrMask>"),
        ("TOKEN_INFORMATION_TYPE", "<tokenInformation><sidCount>1</sidCount></tokenInformation>"),
        ("SOMETHING_NEW", "<somethingNew>1</somethingNew>"),
    ],
)
def test_values_that_cannot_be_decoded_are_missing_and_told(kind, xml):
    result = read(state(filter_item(conditions=(condition("ALE_APP_ID", "EQUAL", kind, xml),))))
    assert result.conditions["value"].tolist() == [None]
    assert result.conditions["type"].tolist() == [kind]
    assert [p.severity for p in result.problems] == ["doubtful"]
    assert result.problems[0].place.startswith("line ")


def test_a_value_without_type_is_read_by_its_tag():
    text = state(filter_item(conditions=(condition("IP_PROTOCOL", "EQUAL", "UINT8", "<uint8>6</uint8>"),)))
    result = read(text.replace("<conditionValue><type>FWP_UINT8</type>", "<conditionValue>"))
    assert result.conditions[["type", "value"]].to_numpy().tolist() == [["UINT8", 6]]


@pytest.mark.parametrize("stamp", ["yesterday", "NaT", "9999999999999999", "2025-13-01T00:00:00Z", "<b/>"])
def test_a_bad_time_stamp(stamp):
    result = read(THREE.replace("2025-03-01T12:00:00.125Z", stamp))
    assert result.time is None
    assert [p.severity for p in result.problems] == ["doubtful"]


def test_a_state_without_time_stamp():
    result = read(THREE.replace("<timeStamp>2025-03-01T12:00:00.125Z</timeStamp>", ""))
    assert said(result) == [("doubtful", "has no time stamp: when it was taken is not known")]


def test_a_list_that_is_shorter_than_it_says():
    result = read(THREE.replace('<filters numItems="3">', '<filters numItems="4">'))
    assert said(result) == [("doubtful", "<filters> says that it has 4 items, 3 are there")]


def test_items_without_keys_are_told():
    tail = listing("providers", "<item><displayData/></item>") + listing("sessions", "<item/>")
    result = read(state(filter_item(), tail=tail, contexts=(origin_context(key=""),)))
    assert len(result.providers) == 0
    assert len(result.sessions) == 1
    assert {w for _, w in said(result)} == {
        "a provider without a key: left out",
        "a provider context without a key: left out",
    }


def test_a_context_whose_data_is_no_text():
    result = read(state(filter_item(), contexts=(origin_context(data="00d8"),)))
    assert result.contexts["origin"].isna().all()
    assert [p.severity for p in result.problems] == ["doubtful"]


def test_many_problems_of_one_kind_are_counted():
    result = read(state(*(filter_item("x") for _ in range(50))))
    assert len(result.problems) == 22  # twenty, the count of the rest, and that no filter is left
    assert result.problems[-1].what == "30 more of this kind: filters without an id"
    assert result.problems[-1].severity == "lost"
