"""Reading dumps that are as they should be."""

from __future__ import annotations

import ipaddress
import re

import pandas as pd
import pytest
from wfpstate_builder import DEFAULT_CONTEXT, blob, condition, filter_item, listing, origin_context, state

from analyzer import frames
from analyzer.readers import xmlsafe
from analyzer.readers.wfpstate import read_state, read_state_bytes, sniff_wfpdiag, sniff_xml
from analyzer.wfp import fixed_filters, sddl, services

ORIGIN_FLAGS = ("FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT", "FWPM_FILTER_FLAG_HAS_FILTER_ORIGIN")
WITH_CONTEXT = f"<providerContextKey>{DEFAULT_CONTEXT.upper()}</providerContextKey>"


def read(text, encoding="utf-8"):
    return read_state_bytes(text.encode(encoding), "state.xml")


def one_condition(field, match, kind, value):
    result = read(state(filter_item(conditions=(condition(field, match, kind, value),))))
    assert result.problems == ()
    return result.conditions.iloc[0]


def test_a_filter_in_full():
    result = read(state(filter_item(70001, flags=ORIGIN_FLAGS, context=WITH_CONTEXT), contexts=(origin_context(),)))
    assert result.kind == "wfpstate"
    assert result.problems == ()
    assert result.time == pd.Timestamp("2025-03-01T12:00:00.125Z")
    row = result.filters.iloc[0].to_dict()
    assert row["place"].startswith("line ")
    assert {k: v for k, v in row.items() if k != "place" and v is not pd.NA and v == v} == {
        "input": "state.xml",
        "filter_id": 70001,
        "filter_key": "{0a0b0c0d-0000-4000-8000-000000070001}",
        "name": "Default Outbound",
        "flags": ("HAS_PROVIDER_CONTEXT", "HAS_FILTER_ORIGIN"),
        "provider": "MPSSVC_WF",
        "provider_data": "ec2c000000000000",
        "layer": "ALE_AUTH_CONNECT_V4",
        "layer_id": 48,
        "sublayer": "MPSSVC_WF",
        "sublayer_weight": 2,
        "weight_type": "UINT8",
        "weight": 8,
        "effective_weight": 9223372036854777840,
        "action": "block",
        "provider_context_key": DEFAULT_CONTEXT,
        "origin": "Default Outbound",
    }


def test_every_frame_has_its_schema():
    for result in (read(state(filter_item())), read("<svg/>")):
        for name, schema in frames.STATE_SCHEMAS.items():
            assert {c: str(t) for c, t in getattr(result, name).dtypes.items()} == schema


def test_the_origin_needs_its_flag():
    flagless = filter_item(1, context=WITH_CONTEXT)
    result = read(state(flagless, contexts=(origin_context(),)))
    assert result.filters["origin"].isna().all()
    assert result.filters["provider_context_key"].tolist() == [DEFAULT_CONTEXT]
    assert result.problems == ()


def test_a_flagged_filter_without_its_context():
    flagged = filter_item(1, flags=ORIGIN_FLAGS, context=WITH_CONTEXT)
    result = read(state(flagged))
    assert result.filters["origin"].isna().all()
    assert [(p.severity, "origin" in p.what) for p in result.problems] == [("doubtful", True)]
    shown = read(f"<wfpdiag>{listing('filters', flagged)}<providers/></wfpdiag>")  # show filters has no contexts
    assert shown.kind == "filters"
    assert shown.filters["origin"].isna().all()
    assert shown.problems == ()


def test_show_filters_takes_stable_layer_ids_from_the_platform():
    stable = filter_item(1)
    shifting = filter_item(2, layer="<layerKey>FWPM_LAYER_RPC_UM</layerKey>")
    shown = read(f"<wfpdiag>{listing('filters', stable, shifting)}</wfpdiag>")
    assert shown.filters["layer_id"].tolist() == [48, pd.NA]
    assert shown.time is None


def test_ids_of_the_dump_outrank_the_platforms():
    text = state(filter_item()).replace("<layerId>48</layerId>", "<layerId>148</layerId>")
    assert read(text).filters["layer_id"].tolist() == [148]


@pytest.mark.parametrize("tag", ["filterType", "calloutKey"])
def test_both_forms_of_a_callouts_key(tag):
    action = f"<action><type>FWP_ACTION_CALLOUT_UNKNOWN</type><{tag}>FWPM_CALLOUT_EXAMPLE_V4</{tag}></action>"
    row = read(state(filter_item(action=action))).filters.iloc[0]
    assert (row["action"], row["callout_key"]) == ("callout-unknown", "EXAMPLE_V4")


def test_a_64_bit_id_is_exact():
    assert read(state(filter_item(2**64 - 1))).filters["filter_id"].tolist() == [2**64 - 1]


PATH = r"\device\harddiskvolume3\Windows\System32\svchost.exe"
SD = "O:SYG:SYD:(A;;CCRC;;;S-1-5-80-1-2-3-4-5)"
END = "<value{0}><type>FWP_{{0}}</type>{{{1}}}</value{0}>"
RANGE = f"<rangeValue>{END.format('Low', 1)}{END.format('High', 2)}</rangeValue>"
V4 = ipaddress.IPv4Address
V6 = ipaddress.IPv6Address


@pytest.mark.parametrize(
    ("field", "match", "kind", "xml", "value", "text", "raw"),
    [
        ("IP_PROTOCOL", "EQUAL", "UINT8", "<uint8>6</uint8>", 6, "6", "6"),
        ("IP_REMOTE_PORT", "EQUAL", "UINT16", "<uint16>443</uint16>", 443, "443", "443"),
        ("CURRENT_PROFILE_ID", "EQUAL", "UINT32", "<uint32>2</uint32>", 2, "2", "2"),
        ("IP_ARRIVAL_INTERFACE", "EQUAL", "UINT64", "<uint64>1689399632855040</uint64>", 1689399632855040, None, None),
        ("IP_REMOTE_ADDRESS", "EQUAL", "UINT32", "<uint32>192.0.2.7</uint32>", V4("192.0.2.7"), "192.0.2.7", None),
        (
            "IP_REMOTE_ADDRESS",
            "EQUAL",
            "UINT32",
            "<uint32>3221225991</uint32>",
            V4("192.0.2.7"),
            "192.0.2.7",
            "3221225991",
        ),
        (
            "IP_REMOTE_ADDRESS",
            "EQUAL",
            "BYTE_ARRAY16_TYPE",
            "<byteArray16>ff02::1:2</byteArray16>",
            V6("ff02::1:2"),
            "ff02::1:2",
            "ff02::1:2",
        ),
        (
            "IP_REMOTE_ADDRESS",
            "RANGE",
            "RANGE_TYPE",
            RANGE.format("UINT32", "<uint32>10.0.0.0</uint32>", "<uint32>10.0.0.255</uint32>"),
            (V4("10.0.0.0"), V4("10.0.0.255")),
            "10.0.0.0-10.0.0.255",
            "10.0.0.0-10.0.0.255",
        ),
        (
            "IP_LOCAL_PORT",
            "RANGE",
            "RANGE_TYPE",
            RANGE.format("UINT16", "<uint16>1</uint16>", "<uint16>1023</uint16>"),
            (1, 1023),
            "1-1023",
            "1-1023",
        ),
        (
            "IP_REMOTE_ADDRESS",
            "EQUAL",
            "V4_ADDR_MASK",
            "<v4AddrMask><addr>192.0.2.0</addr><mask>255.255.255.0</mask></v4AddrMask>",
            ipaddress.ip_network("192.0.2.0/24"),
            "192.0.2.0/24",
            "192.0.2.0/255.255.255.0",
        ),
        (
            "IP_REMOTE_ADDRESS",
            "EQUAL",
            "V4_ADDR_MASK",
            "<v4AddrMask><addr>3221225984</addr><mask>4294967040</mask></v4AddrMask>",
            ipaddress.ip_network("192.0.2.0/24"),
            "192.0.2.0/24",
            None,
        ),
        (
            "IP_REMOTE_ADDRESS",
            "EQUAL",
            "V6_ADDR_MASK",
            "<v6AddrMask><addr>2001:db8::</addr><prefixLength>32</prefixLength></v6AddrMask>",
            ipaddress.ip_network("2001:db8::/32"),
            "2001:db8::/32",
            "2001:db8::/32",
        ),
        ("ALE_PACKAGE_ID", "NOT_EQUAL", "SID", "<sid>s-1-0-0</sid>", "S-1-0-0", "S-1-0-0", "s-1-0-0"),
        ("ALE_USER_ID", "EQUAL", "SECURITY_DESCRIPTOR_TYPE", f"<sd>{SD}</sd>", SD, SD, SD),
        (
            "ALE_APP_ID",
            "EQUAL",
            "BYTE_BLOB_TYPE",
            f"<byteBlob><data>{blob(PATH)}</data><asString>wrong on purpose</asString></byteBlob>",
            PATH.lower(),
            PATH,
            blob(PATH),
        ),
        (
            "RPC_SERVER_NAME",
            "EQUAL",
            "BYTE_BLOB_TYPE",
            "<byteBlob><data>0102ff</data></byteBlob>",
            b"\x01\x02\xff",
            None,
            None,
        ),
        (
            "MAC_REMOTE_ADDRESS",
            "EQUAL",
            "BYTE_ARRAY6_TYPE",
            "<byteArray6>00155d000102</byteArray6>",
            bytes.fromhex("00155d000102"),
            "00-15-5d-00-01-02",
            None,
        ),
        (
            "PEER_NAME",
            "EQUAL",
            "UNICODE_STRING_TYPE",
            "<unicodeString>Héllo</unicodeString>",
            "Héllo",
            "Héllo",
            "Héllo",
        ),
    ],
)
def test_condition_values(field, match, kind, xml, value, text, raw):
    row = one_condition(field, match, kind, xml)
    assert (row["field"], row["match"], row["type"]) == (field, match, kind)
    assert row["value"] == value
    assert type(row["value"]) is type(value)
    assert text is None or row["text"] == text
    assert raw is None or row["raw"] == raw


def test_conditions_know_their_filter():
    a = condition("IP_PROTOCOL", "EQUAL", "UINT8", "<uint8>6</uint8>")
    b = condition("IP_REMOTE_PORT", "EQUAL", "UINT16", "<uint16>443</uint16>")
    result = read(state(filter_item(1), filter_item(2, conditions=(a, b)), filter_item(3, conditions=(b,))))
    rows = result.conditions[["filter_row", "filter_id", "index", "field"]].to_numpy().tolist()
    assert rows == [[1, 2, 0, "IP_PROTOCOL"], [1, 2, 1, "IP_REMOTE_PORT"], [2, 3, 0, "IP_REMOTE_PORT"]]


@pytest.mark.parametrize("kind", ["FWP_EMPTY", "EMPTY"])
def test_an_empty_weight_is_missing(kind):
    row = read(state(filter_item(weight=f"<weight><type>{kind}</type></weight>"))).filters.iloc[0]
    assert row["weight_type"] == "EMPTY"
    assert row["weight"] is pd.NA


def test_flags_printed_as_bits():
    flags = ("FWPM_FILTER_FLAG_INDEXED", "00000401", "40000000")
    row = read(state(filter_item(flags=flags))).filters.iloc[0]
    assert row["flags"] == ("INDEXED", "PERSISTENT", "SILENT_MODE", "0x40000000")


def test_the_other_lists():
    session = """<item><sessionKey>{AAAAAAAA-0000-4000-8000-000000000001}</sessionKey><displayData><name>Example</name>
    </displayData><flags numItems="1"><item>FWPM_SESSION_FLAG_DYNAMIC</item></flags><processId>1404</processId>
    <sid>S-1-5-18</sid><username>EXAMPLE\\HOST$</username><kernelMode>true</kernelMode></item>"""
    provider = """<item><providerKey>{af617412-0000-4000-8000-000000000000}</providerKey>
    <displayData><name>Example</name>
    </displayData><flags/><serviceName>npcap</serviceName></item>"""
    v4 = f"""<item><endpointId>7</endpointId><localV4Address>192.0.2.1</localV4Address><remoteV4Address>198.51.100.2
    </remoteV4Address><ipProtocol>6</ipProtocol><localPort>50000</localPort><remotePort>443</remotePort>
    <appId><data>{blob(PATH)}</data></appId></item>"""
    v6 = """<item><endpointId>8</endpointId><localV6Address><byteArray16>fe80::1%12</byteArray16></localV6Address>
    <remoteV6Address>2001:db8::2</remoteV6Address><ipProtocol>17</ipProtocol></item>"""
    head = listing("sessions", session) + listing("providers", provider)
    result = read(state(filter_item(), head=head, tail=listing("aleConnectedEndpoints", v4, v6)))
    assert result.problems == ()
    row = result.sessions.iloc[0]
    assert (row["process_id"], row["sid"], row["user_name"]) == (1404, "S-1-5-18", "EXAMPLE\\HOST$")
    assert (row["kernel_mode"], row["flags"]) == (True, ("DYNAMIC",))
    assert result.providers[["provider", "service_name"]].to_numpy().tolist() == [
        ["{af617412-0000-4000-8000-000000000000}", "npcap"]
    ]
    assert result.endpoints["local_address"].tolist() == ["192.0.2.1", "fe80::1"]
    assert result.endpoints["remote_address"].tolist() == ["198.51.100.2", "2001:db8::2"]
    assert result.endpoints["remote_port"].tolist() == [443, pd.NA]
    assert result.endpoints["application"].tolist()[0] == PATH
    assert result.sublayers[["sublayer", "weight"]].to_numpy().tolist() == [["MPSSVC_WF", 2]]
    assert result.layers[["layer", "layer_id"]].to_numpy().tolist() == [["ALE_AUTH_CONNECT_V4", 48]]


def test_places_are_true_also_beyond_65535_lines():
    text = state(filter_item(1), "\n" * 70000 + filter_item(2))
    places = read(text).filters["place"].tolist()
    for place, filter_id in zip(places, (1, 2), strict=True):
        start = int(place.split()[1]) - 1
        lines = text.split("\n")[start : start + 18]
        assert lines[0] == "<item>"
        assert any(f"<filterId>{filter_id}<" in line for line in lines)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.encode("utf-8-sig"),
        lambda t: t.encode("utf-16"),
        lambda t: b"\xfe\xff" + t.encode("utf-16-be"),
        lambda t: t.encode("utf-16-le"),
        lambda t: t.encode("utf-16-be"),
        lambda t: t.replace("\n", "\r\n").encode("utf-8-sig"),
        lambda t: t.replace("UTF-8", "utf-16").encode(),  # declared otherwise than stored
        lambda t: t.replace("UTF-8", "windows-1252").encode("windows-1252"),
        lambda t: t.replace("<wfpstate>", '<wfpstate xmlns="urn:example">').encode(),
        lambda t: t.replace("<wfpstate>", "<WFPSTATE>").replace("</wfpstate>", "</WFPSTATE>").encode(),
        lambda t: t.replace("<wfpstate>", "<!-- a > comment <filters> --><wfpstate>").encode(),
        lambda t: t.replace("<firewallState><dynamicKeywordAddresses/></firewallState>", "").encode(),
        lambda t: ("\n\n" + t).encode(),
    ],
)
def test_every_way_to_save_it_reads_the_same(change):
    text = state(filter_item(name="Étranger &amp; Söhne &#x41;"), filter_item(2))
    result = read_state_bytes(change(text), "state.xml")
    assert result.problems == ()
    assert result.filters["name"].tolist() == ["Étranger & Söhne A", "Default Outbound"]
    assert result.time == pd.Timestamp("2025-03-01T12:00:00.125Z")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"<wfpstate>", "wfpstate"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\r\n<!-- x --><wfpdiag ", "wfpdiag"),
        ("<?xml version='1.0'?><wfpstate>".encode("utf-16"), "wfpstate"),
        ("<?xml version='1.0'?><netEvents/>".encode("utf-16-le"), "netEvents"),
        ("<NETEVENTS>".encode("utf-16-be"), "netEvents"),
        (b"<x:wfpstate xmlns:x='urn:x'>", "wfpstate"),
        (b"<!DOCTYPE html><html>", "html"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><wfpstate>', "wfpstate"),
        (b"  <Events>", "Events"),
        (b"ElfFile\x00\x00", ""),
        (b"hello < world", ""),
        (b"<", ""),
        (b"<wfpsta", ""),
        (b"", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_sniffing_the_root_element(head, name):
    assert sniff_xml(head) == name


def test_sniffing_what_a_wfpdiag_holds():
    assert sniff_wfpdiag(b"<wfpdiag><filters numItems='2'><item>") == "filters"
    assert sniff_wfpdiag("<wfpdiag><netEvents><item>".encode("utf-16")) == "netEvents"
    assert sniff_wfpdiag(b"<wfpdiag><events><netEvent>") == "netEvents"
    assert sniff_wfpdiag(b"<wfpdiag>") == ""


# --- real dumps -------------------------------------------------------------------------------------------------

REAL = {
    # file: kind, filters, blocks, origins, contexts, roots
    "win11-22621-wfpstate.xml": ("wfpstate", 1254, 73, 184, 469, 2),
    "win-2023-wfpstate.xml": ("wfpstate", 572, 57, 0, 4, 1),
    "win11-22621-french-filters.xml": ("filters", 794, 61, 0, 0, 1),
    "win11-26100-french-filters.xml": ("filters", 286, 32, 0, 0, 1),
}


@pytest.fixture(scope="module", params=REAL)
def real(request, shared):
    path = shared / "xml" / request.param
    return request.param, path.read_text(encoding="utf-8-sig"), read_state(path, request.param)


def test_counts_of_real_dumps(real):
    name, text, result = real
    kind, count, blocks, origin_count, contexts, roots = REAL[name]
    assert (result.kind, result.problems) == (kind, ())
    assert len(result.filters) == count == len(re.findall("<filterId>", text))
    assert (result.filters["action"] == "block").sum() == blocks == text.count("<type>FWP_ACTION_BLOCK</type>")
    assert result.filters["origin"].notna().sum() == origin_count
    assert len(result.contexts) == contexts
    listed = text.partition("<providerContexts")[0]  # subscriptions hold conditions of their own, further down
    assert len(result.conditions) == listed.count("<conditionValue>")
    assert result.filters["provider_data"].notna().sum() == len(re.findall(r"<providerData>\s*<data>", listed))
    assert result.conditions["value"].notna().all()
    assert result.filters["filter_id"].is_unique
    assert result.filters["layer"].notna().all()
    assert result.filters["sublayer"].notna().all()
    assert len(re.findall("</wfpstate>|</wfpdiag>|</firewallState>", text)) == roots


def test_ids_and_places_of_real_dumps(real):
    _, text, result = real
    printed = [int(n) for n in re.findall(r"<filterId>(\d+)</filterId>", text)]
    assert result.filters["filter_id"].tolist() == printed
    lines = text.split("\n")
    assert {lines[int(place.split()[1]) - 1].strip() for place in result.filters["place"]} == {"<item>"}


def test_guids_of_the_server_read_as_the_symbols_of_windows_11(shared):
    result = read_state(shared / "xml" / "win-2023-wfpstate.xml", "s")
    assert {"MPSSVC_WF", "MPSSVC_WSH"} <= set(result.filters["provider"].dropna())
    assert {"MPSSVC_WF", "MPSSVC_WSH", "MPSSVC_QUARANTINE", "TEREDO"} <= set(result.filters["sublayer"])
    callouts = result.filters["action"].str.startswith("callout")
    assert callouts.sum() == 28
    assert result.filters.loc[callouts, "callout_key"].notna().all()
    assert result.filters.loc[~callouts, "callout_key"].isna().all()
    assert str(result.time) == "2023-01-27 03:58:21.311000+00:00"


def test_origins_of_the_windows_11_state(shared):
    result = read_state(shared / "xml" / "win11-22621-wfpstate.xml", "s")
    blocks = result.filters[result.filters["action"] == "block"]
    counts = blocks["origin"].value_counts()
    assert counts[["Query User Default", "Stealth", "WSH Default", "Quarantine Default"]].tolist() == [8, 10, 4, 2]
    firewall = blocks[blocks["provider"].str.startswith("MPSSVC", na=False)]
    assert firewall["origin"].notna().all()
    assert result.filters["sublayer_weight"].notna().all()
    assert (len(result.layers), len(result.sublayers), len(result.providers)) == (99, 45, 16)
    assert (len(result.callouts), len(result.endpoints), len(result.sessions)) == (89, 34, 15)


def test_user_conditions_of_real_dumps_are_understood(real):
    _, _, result = real
    descriptors = result.conditions.loc[result.conditions["type"] == "SECURITY_DESCRIPTOR_TYPE", "value"].unique()
    assert len(descriptors) >= 30
    assert all(sddl.read_sddl(text).complete for text in descriptors)
    named = {sid for text in descriptors for sid in sddl.service_sids(text)}
    assert len([sid for sid in named if services.service_name(sid) is None]) <= 2  # REFERENCE 5.1: two are not known


def test_fixed_filters_of_real_dumps(real):
    _, _, result = real
    rows = [(row, fixed_filters.fixed_filter(row.filter_key)) for row in result.filters.itertuples()]
    known = [(row, fixed) for row, fixed in rows if fixed is not None]
    assert len(known) >= 12
    for row, fixed in known:
        assert (row.action, row.layer, row.sublayer) == (fixed.action, fixed.layer, fixed.sublayer)
        assert fixed.flag in row[result.filters.columns.get_loc("flags") + 1]


def test_size_limit(tmp_path, monkeypatch):
    path = tmp_path / "big.xml"
    path.write_text(state(filter_item()))
    monkeypatch.setattr(xmlsafe, "MAX_BYTES", 100)
    result = read_state(path, "big.xml")
    assert result.kind == "unknown"
    assert "nothing of it was read" in result.problems[0].what
