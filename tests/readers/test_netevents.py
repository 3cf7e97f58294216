"""Net events are read as their flags say, in every spelling and form that is known."""

from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from analyzer import frames
from analyzer.readers.netevents import NetEvents, cab, read_netevents, read_netevents_blocks
from analyzer.wfp import netevents as vocabulary
from samples.neteventswriter import FLAGS, NetEvent, write_cab, write_netevents, write_wfpdiag

if TYPE_CHECKING:
    from pathlib import Path

T = "2026-01-01T10:00:00.125Z"
DROP = NetEvent(
    T,
    origin="Default Outbound",
    interface=5,
    terminating=[(70001, "MPSSVC_WF", "BLOCK"), (70002, "MPSSVC_WSH", "PERMIT")],
)


def read(data: bytes | str, size: int = 1 << 20) -> NetEvents:
    raw = data.encode() if isinstance(data, str) else data
    return read_netevents_blocks([raw[at : at + size] for at in range(0, len(raw), size)], "netevents.xml")


def one(event: NetEvent, **more: Any) -> dict[str, Any]:
    got = read(write_netevents([event], **more))
    assert not [p for p in got.problems if p.severity != "note"], got.problems
    assert len(got.events) == 1
    return {
        name: None if not isinstance(v, (tuple, dict)) and pd.isna(v) else v for name, v in got.events.iloc[0].items()
    }


def said(got: NetEvents, severity: str = "lost") -> str:
    return " | ".join(p.what for p in got.problems if p.severity == severity)


def test_a_drop_is_read_whole() -> None:
    row = one(DROP)
    assert row["type"] == "CLASSIFY_DROP"
    assert row["decision"] == "drop"
    assert row["time"] == pd.Timestamp(T)
    assert (row["protocol"], row["ip_version"]) == (6, 4)
    assert (row["local_address"], row["local_port"]) == ("192.0.2.10", 50001)
    assert (row["remote_address"], row["remote_port"]) == ("198.51.100.7", 443)
    assert row["application"] == r"\device\harddiskvolume3\windows\system32\svchost.exe"
    assert (row["user_sid"], row["package_sid"]) == ("S-1-5-20", "S-1-0-0")
    assert (row["filter_id"], row["layer_id"], row["direction"]) == (70001, 48, "outbound")
    assert (row["original_profile"], row["current_profile"], row["is_loopback"]) == (1, 1, "false")
    assert (row["origin"], row["interface_index"]) == ("Default Outbound", 5)
    assert row["process_id"] is None
    assert (row["entry"], row["line"]) == (1, 3)


def test_frames_conform_to_their_schemas() -> None:
    for got in (read(write_netevents([DROP] * 3)), read("<netEvents/>"), read(b"")):
        assert {k: str(v) for k, v in got.events.dtypes.items()} == frames.NETEVENTS
        assert {k: str(v) for k, v in got.filters.dtypes.items()} == frames.NETEVENT_FILTERS


def test_terminating_filters_name_each_sublayer() -> None:
    got = read(write_netevents([NetEvent(T), DROP]))
    assert got.filters["netevent_row"].tolist() == [1, 1]
    assert got.filters["entry"].tolist() == [2, 2]
    assert got.filters["filter_id"].tolist() == [70001, 70002]
    assert got.filters["sublayer"].tolist() == ["MPSSVC_WF", "MPSSVC_WSH"]
    assert got.filters["action"].tolist() == ["block", "permit"]


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("kind", vocabulary.TYPES, ids=lambda kind: kind.name)
def test_every_type_in_both_spellings(kind: vocabulary.NetEventType, public: bool) -> None:
    row = one(NetEvent(T, type=kind.name), public=public)
    assert row["type"] == kind.name
    assert row["decision"] == kind.decision


@pytest.mark.parametrize("printed", ["CLASSIFY_DROP", "PUBLIC_CLASSIFY_DROP", "classify_drop", "3"])
def test_a_type_without_its_prefix_or_as_a_number(printed: str) -> None:
    data = write_netevents([DROP]).decode().replace("FWPM_NET_EVENT_TYPE_PUBLIC_CLASSIFY_DROP", printed)
    assert read(data).events["type"].tolist() == ["CLASSIFY_DROP"]


# Flag -> columns that it makes valid.
VALID = {
    "IP_PROTOCOL": ["protocol"],
    "LOCAL_ADDR": ["local_address"],
    "REMOTE_ADDR": ["remote_address"],
    "LOCAL_PORT": ["local_port"],
    "REMOTE_PORT": ["remote_port"],
    "APP_ID": ["application"],
    "USER_ID": ["user_sid"],
    "IP_VERSION": ["ip_version"],
    "PACKAGE_ID": ["package_sid"],
}


@pytest.mark.parametrize("flag", FLAGS)
def test_a_field_whose_flag_is_not_set_is_missing(flag: str) -> None:
    row = one(dataclasses.replace(DROP, flags=[name for name in FLAGS if name != flag]))
    for name, columns in VALID.items():
        for column in columns:
            assert (row[column] is None) == (name == flag), column
    assert row["filter_id"] == 70001


def test_zero_is_a_value_where_it_is_flagged_and_missing_where_not() -> None:
    event = dataclasses.replace(DROP, protocol=0, local_port=0, remote_port=0)
    assert one(event)["local_port"] == 0
    assert one(dataclasses.replace(event, flags=["REMOTE_PORT"]))["local_port"] is None
    assert one(event)["scope_id"] is None
    assert one(dataclasses.replace(event, scope_id=12, flags=[*FLAGS, "SCOPE_ID"]))["scope_id"] == 12
    assert one(dataclasses.replace(event, scope_id=12))["scope_id"] is None


def test_a_header_without_flags_is_doubtful_and_its_zeros_are_missing() -> None:
    text = write_netevents([dataclasses.replace(DROP, local_port=0)]).decode()
    start, end = text.index("<flags"), text.index("</flags>") + len("</flags>")
    got = read(text[:start] + text[end:])
    assert "does not say which of its fields are valid" in said(got, "doubtful")
    row = got.events.iloc[0]
    assert row["remote_port"] == 443
    assert pd.isna(row["local_port"])
    assert pd.isna(row["package_sid"])


def test_flags_as_bits_are_taken() -> None:
    text = write_netevents([DROP]).decode()
    start, end = text.index("<flags"), text.index("</flags>") + len("</flags>")
    for printed in ('<flags numItems="1"><item>00000025</item></flags>', "<flags>0x25</flags>"):
        row = read(text[:start] + printed + text[end:]).events.iloc[0]
        assert row["protocol"] == 6
        assert row["remote_address"] == "198.51.100.7"
        assert isinstance(row["application"], str)
        assert pd.isna(row["local_address"])
        assert pd.isna(row["user_sid"])


def test_a_flag_without_a_value_is_told() -> None:
    text = write_netevents([DROP]).decode().replace("<userId>S-1-5-20</userId>", "")
    got = read(text)
    assert "flags USER_ID and has no such value" in said(got, "doubtful")
    assert got.events["user_sid"].isna().all()


def test_an_origin_that_is_not_flagged_is_left_out_and_told() -> None:
    text = write_netevents([DROP]).decode().replace("<item>FWPM_NET_EVENT_INTERNAL_FLAG_FILTER_ORIGIN_SET</item>", "")
    got = read(text)
    assert got.events["origin"].isna().all()
    assert "not flagged" in said(got, "doubtful")


def test_ipv6_in_its_shortest_form() -> None:
    event = dataclasses.replace(DROP, local="FE80:0:0:0::1", remote="2001:db8::7", layer_id=50)
    row = one(event)
    assert (row["local_address"], row["remote_address"], row["ip_version"]) == ("fe80::1", "2001:db8::7", 6)
    nested = write_netevents([event]).decode()
    nested = nested.replace("<localAddrV6.byteArray16>", "<localAddrV6><byteArray16>")
    nested = nested.replace("</localAddrV6.byteArray16>", "</byteArray16></localAddrV6>")
    assert read(nested).events["local_address"].tolist() == ["fe80::1"]


def test_the_application_comes_from_its_data_and_only_for_want_of_it_from_the_rendering() -> None:
    text = write_netevents([DROP]).decode()
    assert read(text.replace("<asString>\\", "<asString>X")).events["application"].tolist() == [DROP.application]
    start, end = text.index("<data>"), text.index("</data>") + len("</data>")
    got = read(text[:start] + text[end:])
    assert got.events["application"].tolist() == [DROP.application]
    assert "<appId> cannot be read" in said(got, "doubtful")


def test_unreadable_values_are_missing_and_told() -> None:
    text = write_netevents([DROP]).decode()
    text = text.replace("<localPort>50001<", "<localPort>70000<").replace("<userId>S-1-5-20<", "<userId>me<")
    text = text.replace("198.51.100.7", "a.b").replace("10:00:00.125", "25:00:00").replace(">70001<", ">-1<")
    got = read(text)
    row = got.events.iloc[0]
    for column in ("local_port", "user_sid", "remote_address", "time", "filter_id"):
        assert pd.isna(row[column]), column
    assert row["remote_port"] == 443
    assert len([p for p in got.problems if p.severity == "doubtful"]) == 6
    assert got.first is None


def test_other_types_have_their_own_fields() -> None:
    mac = one(
        NetEvent(
            T,
            type="CLASSIFY_DROP_MAC",
            layer_id=56,
            flags=[],
            body={
                "localMacAddr": "00-15-5D-01-02-03",
                "remoteMacAddr": "00155d0a0b0c",
                "etherType": 2048,
                "vlanTag": 7,
            },
        )
    )
    assert (mac["local_mac"], mac["remote_mac"]) == ("00-15-5d-01-02-03", "00-15-5d-0a-0b-0c")
    assert (mac["ether_type"], mac["vlan_tag"], mac["layer_id"]) == (2048, 7, 56)
    capability = one(NetEvent(T, type="CAPABILITY_DROP", body={"networkCapabilityId": 0}))
    assert (capability["capability"], capability["filter_id"]) == ("INTERNET_CLIENT", 70001)
    kernel = {
        "failureStatus": "0xC0360005",
        "direction": "FWP_DIRECTION_INBOUND",
        "spi": 77,
        "filterId": 0,
        "layerId": 0,
    }
    ipsec = one(NetEvent(T, type="IPSEC_KERNEL_DROP", body=kernel))
    assert (ipsec["failure"], ipsec["direction"], ipsec["spi"]) == ("0xC0360005", "inbound", 77)
    assert (ipsec["filter_id"], ipsec["layer_id"]) == (None, None)
    ike = one(
        NetEvent(T, type="IKEEXT_MM_FAILURE", body={"failureErrorCode": 13801, "mmState": "IKEEXT_MM_SA_STATE_NONE"})
    )
    assert ike["failure"] == "13801"
    assert ike["details"] == {"mmState": "IKEEXT_MM_SA_STATE_NONE"}
    assert one(NetEvent(T, type="LPM_PACKET_ARRIVAL", body={"spi": 9}))["spi"] == 9


def test_newer_builds_name_the_process() -> None:
    assert one(dataclasses.replace(DROP, process_id=4242))["process_id"] == 4242
    assert one(dataclasses.replace(DROP, process_id=0))["process_id"] is None


def test_capabilities_of_the_token() -> None:
    row = one(dataclasses.replace(DROP, capabilities=["INTERNET_CLIENT", "PRIVATE_NETWORK"]))
    assert row["capabilities"] == ("INTERNET_CLIENT", "PRIVATE_NETWORK")


def test_a_body_of_another_type_is_not_believed() -> None:
    text = write_netevents([DROP]).decode().replace("PUBLIC_CLASSIFY_DROP", "PUBLIC_CLASSIFY_ALLOW")
    got = read(text)
    assert got.events["type"].tolist() == ["CLASSIFY_ALLOW"]
    assert got.events["filter_id"].isna().all()
    assert "with the body of another" in said(got, "doubtful")


def test_unknown_types_and_elements_are_counted_and_noted_once() -> None:
    text = write_netevents([DROP] * 30).decode()
    text = text.replace("PUBLIC_CLASSIFY_DROP", "PUBLIC_TELEPATHY_DROP", 2)
    text = text.replace("<policyFlags>0</policyFlags>", "<policyFlags>0</policyFlags><novel>1</novel>")
    got = read(text)
    assert len(got.events) == 30
    assert got.events["type"].astype("str").value_counts().to_dict() == {"CLASSIFY_DROP": 28, "TELEPATHY_DROP": 2}
    assert got.events["decision"].isna().sum() == 2
    notes = [p.what for p in got.problems if p.severity == "note"]
    assert len(notes) == 2
    assert "TELEPATHY_DROP (2)" in notes[0]
    assert "header/novel (30)" in notes[1]


# --------------------------------------------------------------------------------------------------------------
# Forms


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_encodings_and_blocks_of_any_size(encoding: str, size: int) -> None:
    data = write_netevents([DROP, DROP]).decode("utf-8-sig").encode(encoding)
    got = read(data, size)
    assert got.problems == ()
    assert got.events["user_sid"].tolist() == ["S-1-5-20"] * 2
    assert got.events["line"].tolist()[0] == 3


def test_namespaces_case_and_order_do_not_matter() -> None:
    text = write_netevents([DROP, DROP]).decode("utf-8-sig")
    spaced = text.replace("<netEvents ", '<netEvents xmlns="urn:x" ')
    prefixed = text.replace("</", "</w:").replace("<", "<w:").replace("<w:/w:", "</w:").replace("<w:?", "<?")
    prefixed = prefixed.replace("<w:netEvents ", '<w:netEvents xmlns:w="urn:x" ')
    start, end = text.index("\t\t<header>"), text.index("</header>") + len("</header>")
    for form in (spaced, prefixed, text.lower().replace("fwpm_net_event", "FWPM_NET_EVENT")):
        got = read(form)
        assert got.kind == "netevents"
        assert got.events["filter_id"].tolist() == [70001, 70001], form[:400]
        assert got.filters["sublayer"].tolist()[:2] == ["MPSSVC_WF", "MPSSVC_WSH"]
    behind = text.index("</classifyDrop>") + len("</classifyDrop>")
    got = read(text[:start] + text[end:behind] + text[start:end] + text[behind:])
    assert got.events["remote_port"].tolist() == [443, 443]


def test_several_roots_and_single_net_events_in_one_file() -> None:
    first = write_netevents([DROP])
    capture = write_wfpdiag([DROP, DROP])[3:]
    got = read(first + capture + b"<firewallState><dynamicKeywordAddresses/></firewallState>")
    assert got.kind == "netevents"
    assert got.events["entry"].tolist() == [1, 2, 3]


def test_a_capture_holds_filters_and_changes_too() -> None:
    state = "<layers><item><filters><item><filterId>1</filterId></item></filters></item></layers>"
    text = write_wfpdiag([DROP, DROP], state=state).decode()
    text = text.replace("</events>", "<filterChange><filter><filterId>2</filterId></filter></filterChange></events>")
    got = read(text)
    assert got.kind == "wfpdiag"
    assert len(got.events) == 2
    assert got.filter_changes == 1
    assert "1 filter changes" in said(got, "note")


def test_comments_are_no_net_events_and_cdata_is_text() -> None:
    text = write_netevents([DROP]).decode("utf-8-sig")
    item = text[text.index("\t<item>\r\n\t\t<header>") : text.index("</netEvents>")]
    got = read(text.replace("</netEvents>", f"<!--{item}-->\n<?x {item}?></netEvents>"))
    assert len(got.events) == 1
    got = read(text.replace(">Default Outbound<", "><![CDATA[a <b> & c]]><"))
    assert got.events["origin"].tolist() == ["a <b> & c"]
    got = read(text.replace("<netEvents ", "<!-- never closed <netEvents "))
    assert len(got.events) == 1


def test_a_bare_ampersand_costs_nothing() -> None:
    got = read(write_netevents([DROP]).decode().replace(">Default Outbound<", ">R&D<"))
    assert got.events["origin"].tolist() == ["R&D"]
    assert "not well-formed" in said(got, "doubtful")


@pytest.mark.parametrize(
    "data",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><netEvents><item><header/></item></netEvents>',
        '<netEvents/><!DOCTYPE x SYSTEM "http://192.0.2.1/x">',
    ],
)
def test_a_document_type_is_refused(data: str) -> None:
    got = read(data.replace("<netEvents", write_netevents([DROP]).decode("utf-8-sig") + "<netEvents", 1))
    assert got.events.empty
    assert "DOCTYPE" in said(got)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"just text", "is not XML"),
        (b"<wfpstate><layers/></wfpstate>", "its root element is <wfpstate>"),
    ],
)
def test_what_is_none_of_ours_is_said(data: bytes, words: str) -> None:
    got = read(data)
    assert got.kind == "unknown"
    assert words in said(got)


def test_an_empty_list_is_a_note() -> None:
    got = read("<netEvents/>")
    assert got.kind == "netevents"
    assert [p.severity for p in got.problems] == ["note"]


# --------------------------------------------------------------------------------------------------------------
# The cabinet of a capture


def test_the_cabinet_of_a_capture(tmp_path: Path) -> None:
    path = tmp_path / "wfpdiag.cab"
    for packed in (True, False):
        path.write_bytes(
            write_cab(
                {"wfpdiag.etl": bytes(range(256)) * 600, "wfpdiag.xml": write_wfpdiag([DROP] * 60)}, packed=packed
            )
        )
        got = read_netevents(path, "wfpdiag.cab")
        assert got.kind == "cab"
        assert len(got.events) == 60
        assert set(got.events["input"]) == {"wfpdiag.cab"}
        assert [p.what for p in got.problems] == [
            "members of the cabinet that are not read: wfpdiag.etl (153,600 bytes, an event trace)"
        ]


def test_a_damaged_cabinet_keeps_what_came_before(tmp_path: Path) -> None:
    data = bytearray(write_cab({"wfpdiag.xml": write_wfpdiag([DROP] * 60)}, packed=False))
    path = tmp_path / "wfpdiag.cab"
    data[-3000] ^= 0x40
    path.write_bytes(data)
    got = read_netevents(path, "wfpdiag.cab")
    assert 10 < len(got.events) < 60
    assert "checksum" in said(got)
    path.write_bytes(data[:-4000])
    got = read_netevents(path, "wfpdiag.cab")
    assert 10 < len(got.events) < 60
    assert "is cut" in said(got, "doubtful")


def test_every_cut_of_a_cabinet_is_survived(tmp_path: Path) -> None:
    data = write_cab({"wfpdiag.etl": b"x" * 5000, "wfpdiag.xml": write_wfpdiag([DROP] * 20)})
    path = tmp_path / "wfpdiag.cab"
    for step in range(50):
        path.write_bytes(data[: len(data) * step // 50])
        got = read_netevents(path, "wfpdiag.cab")
        assert got.problems


def test_other_packings_are_said(tmp_path: Path) -> None:
    data = bytearray(write_cab({"wfpdiag.xml": write_wfpdiag([DROP])}))
    struct.pack_into("<H", data, 36 + 6, 0x1503)
    path = tmp_path / "wfpdiag.cab"
    path.write_bytes(data)
    assert "packed with LZX" in said(read_netevents(path, "wfpdiag.cab"))


def test_a_cabinet_that_unpacks_to_too_much_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.cab"
    path.write_bytes(write_cab({"netevents.xml": b"<netEvents>" + b" " * (4 << 20)}))
    monkeypatch.setattr(cab, "FREE", 1 << 20)
    assert "times its size" in said(read_netevents(path, "bomb.cab"))
    monkeypatch.setattr(cab, "MAX_UNPACKED", 1 << 20)
    assert "more than 1,048,576 bytes" in said(read_netevents(path, "bomb.cab"))


def test_a_block_that_unpacks_to_more_than_the_format_allows_is_stopped(tmp_path: Path) -> None:
    data = bytearray(write_cab({"netevents.xml": b"<netEvents>" + b" " * 30_000}))
    whole = write_cab({"netevents.xml": b"<netEvents>" + b" " * 30_000})
    at = 36 + 8 + 16 + len("netevents.xml") + 1
    struct.pack_into("<I", data, at, 0)  # no checksum
    struct.pack_into("<H", data, at + 6, 100)
    assert len(data) == len(whole)
    path = tmp_path / "wfpdiag.cab"
    path.write_bytes(data)
    assert "size that it says" in said(read_netevents(path, "wfpdiag.cab"))


# --------------------------------------------------------------------------------------------------------------
# Real fragments


def test_the_quarantine_fragment(shared: Path) -> None:
    got = read_netevents(shared / "fragments" / "netevent_quarantine_MSdocs.xml", "f.xml")
    assert got.problems == ()
    row = got.events.iloc[0]
    assert (row["type"], row["filter_id"], row["layer_id"], row["direction"]) == (
        "CLASSIFY_DROP",
        66241,
        44,
        "outbound",
    )
    assert (row["origin"], row["interface_index"], row["user_sid"]) == ("Quarantine Default", 5, "S-1-5-19")
    assert pd.isna(row["scope_id"])
    assert pd.isna(row["reauth_reason"])
    assert got.filters["sublayer"].tolist() == ["MPSSVC_QUARANTINE", "MPSSVC_WSH", "MPSSVC_WF"]
    assert set(got.filters["action"]) == {"block"}


def test_the_app_package_fragment(shared: Path) -> None:
    got = read_netevents(shared / "fragments" / "netevent_uwp_case1_allow_MSdocs.xml", "f.xml")
    row = got.events.iloc[0]
    assert (row["decision"], row["layer_id"], row["ip_version"]) == ("permit", 50, 6)
    assert row["package_sid"].startswith("S-1-15-2-")
    assert row["capabilities"] == ("INTERNET_CLIENT", "INTERNET_CLIENT_SERVER", "PRIVATE_NETWORK")
    assert "APP_ID" in said(got, "doubtful")


def test_the_cut_fragment_is_lost_and_said(shared: Path) -> None:
    got = read_netevents(shared / "fragments" / "netevent_windows-containers-613_partial.xml", "f.xml")
    assert got.events.empty
    assert "the file ends inside it" in said(got)


def test_states_hold_no_net_events(shared: Path) -> None:
    for path in sorted((shared / "xml").glob("*.xml")):
        got = read_netevents(path, path.name)
        assert got.events.empty, path.name
