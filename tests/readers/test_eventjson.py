"""Events as JSON in the layouts of log shippers and converters, whole and damaged."""

from __future__ import annotations

import gzip
import json
import time

import pytest
from event_texts import COMPUTER, EVENTS, LAYOUTS, beat8, command_line_tool, dump, event, nxlog, xml
from evtx_compare import same_frame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.readers import eventjson
from analyzer.readers.eventjson import read_event_json
from analyzer.readers.eventsniff import sniff_events
from analyzer.readers.eventxml import read_event_xml
from analyzer.wfp.events import SECURITY_AUDITING, SYSMON


def lines(layout, items=EVENTS):
    return "".join(json.dumps(LAYOUTS[layout](item), ensure_ascii=False) + "\n" for item in items)


def read(tmp_path, data, name="log.json", **options):
    path = tmp_path / "input"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_event_json(path, name, **options)


def said(log, severity=None):
    return [p.what for p in log.problems if severity in (None, p.severity)]


def rows(log):
    return log.tables["wfp"].drop(columns=["offset"]).sort_values("record_id", ignore_index=True)


@pytest.fixture
def as_xml(tmp_path):
    path = tmp_path / "log.xml"
    path.write_text("".join(map(xml, EVENTS)))
    return read_event_xml(path, "log.json")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_rows_of_the_event(tmp_path, as_xml, layout):
    data = lines(layout)
    log = read(tmp_path, data)
    same_frame(rows(log), rows(as_xml))
    assert (log.records, log.first, log.last, log.computers) == (5, as_xml.first, as_xml.last, (COMPUTER,))
    assert (log.channels, log.problems) == ({"Security": 5}, ())
    assert sniff_events(data.encode())[0] == "eventjson"


FORMS = {
    "lines": lines("beat8"),
    "lines with CR LF": lines("beat8").replace("\n", "\r\n"),
    "one array": json.dumps([LAYOUTS["beat8"](item) for item in EVENTS]),
    "one array, pretty": json.dumps([LAYOUTS["beat8"](item) for item in EVENTS], indent=2),
    "arrays, a line each": "".join(json.dumps([LAYOUTS["beat8"](item)]) + "\n" for item in EVENTS),
    "one behind another": "".join(json.dumps(LAYOUTS["beat8"](item), indent=1) for item in EVENTS),
    "evtx_dump": "".join(f"Record {item['number']}\n{json.dumps(dump(item), indent=2)}\n" for item in EVENTS),
    "text sequence": "".join("\x1e" + line for line in lines("beat8").splitlines(keepends=True)),
    "newest first": lines("beat8", EVENTS[::-1]),
    "mixed layouts": "".join(
        json.dumps(LAYOUTS[layout](item)) + "\n"
        for layout, item in zip(["beat8", "beat6", "nxlog", "dump", "monitor"], EVENTS, strict=True)
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_every_form_gives_the_same_rows(tmp_path, as_xml, form, encoding):
    data = FORMS[form].encode(encoding)
    log = read(tmp_path, data)
    same_frame(rows(log), rows(as_xml))
    assert (log.records, log.problems) == (5, ())
    assert sniff_events(data[:65536])[0] == "eventjson"


def test_packed_with_gzip(tmp_path, as_xml):
    data = gzip.compress(FORMS["lines"].encode())
    same_frame(rows(read(tmp_path, data)), rows(as_xml))
    assert sniff_events(data)[0] == "eventjson"


def test_the_offset_is_the_byte_of_the_object(tmp_path):
    data = lines("beat8", [event(1, Later="ü😀"), event(2)]).encode()
    assert read(tmp_path, data).tables["wfp"]["offset"].tolist() == [0, data.index(b"\n") + 1]


def test_numbers_keep_their_64_bits(tmp_path):
    item = nxlog(event(1))
    item["FilterRTID"] = 2**64 - 1
    assert read(tmp_path, json.dumps(item)).tables["wfp"]["filter_rtid"].tolist() == [2**64 - 1]


def test_a_local_time_gets_its_zone_from_the_shippers_two_clocks(tmp_path):
    item = nxlog(event(1)) | {
        "EventTime": "2026-03-10 04:31:07",
        "EventReceivedTime": "2026-03-10 04:31:09",
        "@timestamp": "2026-03-10T08:31:40.553Z",
    }
    log = read(tmp_path, json.dumps(item))
    assert log.first.isoformat() == "2026-03-10T08:31:07+00:00"
    assert said(log, "note") == [
        "the times of 1 events are local: their zone follows from the shipper's own two clocks",
        "the times of 1 events are coarser than in a log, down to whole seconds: their order may be open",
    ]


def test_a_time_without_zone_is_told(tmp_path):
    item = nxlog(event(1)) | {"EventTime": "2026-03-10 04:31:07.123"}
    log = read(tmp_path, json.dumps(item))
    assert log.first.isoformat() == "2026-03-10T04:31:07.123000+00:00"
    assert "name no time zone" in said(log, "doubtful")[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-10T10:31:07.1234567+02:00", "2026-03-10T08:31:07.123456700+00:00"),
        ("2026-03-10T03:01:07-0530", "2026-03-10T08:31:07+00:00"),
        ("2026-03-10 08:31:07.5 UTC", "2026-03-10T08:31:07.500000+00:00"),
        ("/Date(1773131467000)/", "2026-03-10T08:31:07+00:00"),
    ],
)
def test_ways_to_write_a_time(tmp_path, written, meant):
    log = read(tmp_path, json.dumps(nxlog(event(1)) | {"EventTime": written}))
    assert log.first.isoformat() == meant
    assert said(log, "doubtful") == []


@pytest.mark.parametrize("written", ["yesterday", "2026-13-40T00:00:00Z", "9999-01-01T00:00:00Z", "", 5, None, {}])
def test_an_unreadable_time_is_missing_and_told(tmp_path, written):
    item = nxlog(event(1)) | {"EventTime": written}
    log = read(tmp_path, json.dumps(item))
    assert log.tables["wfp"]["time"].isna().all()
    assert "the time of this record cannot be read" in said(log, "doubtful")


def test_the_process_id_that_a_shipper_overwrote_comes_from_the_message(tmp_path):
    item = nxlog(event(1)) | {"ProcessID": 4}
    del item["ExecutionProcessID"]
    item["Message"] = "The Windows Filtering Platform has blocked a connection.\r\n\r\n\tProcess ID:\t\t2924\r\n"
    assert read(tmp_path, json.dumps(item)).tables["wfp"]["process_id"].tolist() == [2924]
    item["Message"] = "Prozess-ID: 2924"
    log = read(tmp_path, json.dumps(item))
    assert log.tables["wfp"]["process_id"].isna().all()
    assert "the event's own is lost" in said(log, "doubtful")[0]


def test_the_maker_of_a_filter_is_not_the_provider_of_the_event(tmp_path):
    item = nxlog(
        event(1, 5447, ProviderName="Microsoft Corporation", ProviderKey="{DECC16CA-3F33-4346-BE1E-8FB4AE0F3D62}")
    )
    row = read(tmp_path, json.dumps(item)).tables["filter_change"].iloc[0]
    assert (row["provider"], row["provider_name"]) == (SECURITY_AUDITING, "Microsoft Corporation")
    assert row["provider_key"] == "{decc16ca-3f33-4346-be1e-8fb4ae0f3d62}"


def test_an_event_without_provider_is_taken_from_its_channel_and_told(tmp_path):
    item = nxlog(event(1))
    del item["SourceName"], item["ProviderGuid"]
    log = read(tmp_path, json.dumps(item))
    assert log.tables["wfp"]["provider"].tolist() == [SECURITY_AUDITING]
    assert "names no provider" in said(log, "note")[0]
    log = read(tmp_path, json.dumps(item | {"Channel": "Application"}))
    assert len(log.tables["wfp"]) == 0


def test_an_event_of_another_provider_is_not_taken(tmp_path):
    item = nxlog(event(1)) | {"SourceName": "Someone", "ProviderGuid": "{00000000-0000-0000-0000-000000000000}"}
    log = read(tmp_path, json.dumps(item))
    assert (log.records, len(log.tables["wfp"])) == (1, 0)


def test_a_rendered_direction_is_a_code_again(tmp_path):
    text = lines("beat6", [event(1, Direction="Outbound", LayerName="Receive/Accept"), event(2, Direction="Sortant")])
    log = read(tmp_path, text)
    assert log.tables["wfp"]["direction_code"].tolist() == ["%%14593", "Sortant"]
    assert log.tables["wfp"]["layer_code"].tolist() == ["%%14610", "%%14611"]
    assert "'Sortant'" in said(log, "doubtful")[0]


def test_a_payload_that_is_a_text_holds_the_fields_and_the_writer_is_not_the_process(tmp_path, as_xml):
    data = "".join(json.dumps(command_line_tool(item)) + "\n" for item in EVENTS)
    log = read(tmp_path, data)
    same_frame(rows(log).drop(columns=["version"]), rows(as_xml).drop(columns=["version"]))
    assert (log.records, log.computers, log.problems) == (5, (COMPUTER,), ())
    assert sniff_events(data.encode())[0] == "eventjson"


@pytest.mark.parametrize("payload", ["{", "[1]", "{}", '{"EventData": null}', "[" * 100_000, ""])
def test_a_payload_without_fields_is_lost_and_gives_no_row(tmp_path, payload):
    log = read(tmp_path, json.dumps(command_line_tool(event(1)) | {"Payload": payload}))
    assert (log.records, len(log.tables["wfp"])) == (1, 0)
    assert any("none of the fields" in what for what in said(log, "lost"))


@pytest.mark.parametrize(
    "inside",
    [
        {"StringInserts": ["1234", "-", "%%14593", "192.0.2.7", "50001"], "ProcessID": 4},
        {"Message": "The Windows Filtering Platform has blocked a connection."},
        {"EventData": ""},
        {},
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_an_event_without_its_fields_is_lost_and_said(tmp_path, inside, named):
    """The process id beside values without names is the writer's: no connection of process 4 was blocked."""
    item = {"EventID": 5157, "Channel": "Security", "Computer": "pc", "TimeCreated": "2026-03-10T08:31:01.0000000Z"}
    item |= {"ProviderName": SECURITY_AUDITING} if named else {}
    log = read(tmp_path, json.dumps(item | inside))
    assert (log.records, len(log.tables["wfp"])) == (1, 0)
    assert any("none of the fields" in what for what in said(log, "lost"))


def test_events_that_have_no_fields_are_read_without_them(tmp_path):
    data = "".join(json.dumps(dump(event(at, number) | {"fields": {}})) + "\n" for at, number in ((1, 4608), (2, 1102)))
    log = read(tmp_path, data)
    assert said(log, "lost") == []


MOVED = {
    (SECURITY_AUDITING, 4688): (
        {"pid": 1234, "executable": r"C:\x\svchost.exe", "parent": {"pid": 99}},
        {"SubjectUserSid": "S-1-5-18", "CommandLine": "svchost.exe -k x", "ProcessId": "0x2a"},
        {"process_id": 1234, "process_name": r"C:\x\svchost.exe", "command_line": "svchost.exe -k x"},
        42,
    ),
    (SECURITY_AUDITING, 4689): (
        {"pid": 1234, "executable": r"C:\x\svchost.exe"},
        {"SubjectUserSid": "S-1-5-18", "Status": "0x0"},
        {"process_id": 1234, "process_name": r"C:\x\svchost.exe"},
        None,
    ),
    (SYSMON, 1): (
        {
            "pid": 1234,
            "executable": r"C:\x\svchost.exe",
            "command_line": "svchost.exe -k x",
            "args": ["svchost.exe", "-k", "x"],
            "parent": {"pid": 42},
        },
        {"LogonId": "0x3e7"},
        {"process_id": 1234, "process_name": r"C:\x\svchost.exe", "command_line": "svchost.exe -k x"},
        42,
    ),
}


@pytest.mark.parametrize("key", MOVED)
@pytest.mark.parametrize("dots", [False, True])
def test_fields_that_winlogbeats_modules_moved_are_found(tmp_path, key, dots):
    """Its modules for Security and Sysmon rename the fields of processes to those of its common schema."""
    (provider, number), (process, left, expected, creator) = key, MOVED[key]
    item = beat8(event(1, number) | {"fields": left}) | {"process": process}
    item["winlog"] |= {"provider_name": provider, "event_data": left}
    del item["winlog"]["provider_guid"]
    if dots:
        item = {"@timestamp": item["@timestamp"], **flat("process", process), **flat("winlog", item["winlog"])}
    row = read(tmp_path, json.dumps(item)).tables["process"].iloc[0]
    assert {name: row[name] for name in expected} == expected
    assert creator is None or row["creator_process_id"] == creator


def flat(name, value):
    if not isinstance(value, dict):
        return {name: value}
    return {key: v for inner, found in value.items() for key, v in flat(f"{name}.{inner}", found).items()}


def test_what_the_event_itself_says_outranks_the_common_schema(tmp_path):
    item = beat8(event(1, 4688) | {"fields": {"NewProcessId": "0x4d2"}}) | {"process": {"pid": 7}}
    assert read(tmp_path, json.dumps(item)).tables["process"]["process_id"].tolist() == [1234]


# -- damage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["beat8", "dump", "nxlog"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2],
        lambda line: line[:-1],
        lambda line: line[10:],
        lambda line: line.replace(":", " ", 1),
        lambda line: line.replace('"5000', '"\x005000'),
        lambda line: "not JSON at all",
        lambda line: '"a text"',
        lambda line: "12",
        lambda line: "{}",
        lambda line: '{"a": 1}',
        lambda line: "{" * 5000,
        lambda line: '{"a": ' + "9" * 5000 + "}",
    ],
)
def test_one_broken_line_costs_one(tmp_path, layout, damage):
    text = lines(layout).splitlines()
    text[2] = damage(text[2])
    log = read(tmp_path, "\n".join(text))
    assert log.tables["wfp"]["record_id"].tolist() == [1, 2, 4, 5]
    assert log.records == 5
    offset = len(text[0]) + len(text[1]) + 2
    assert [(p.severity, p.place) for p in log.problems] == [("lost", f"line 3, offset 0x{offset:x}")]


def test_one_broken_object_of_an_array_costs_one(tmp_path):
    items = [json.dumps(dump(item)) for item in EVENTS]
    items[2] = items[2].replace(":", " ", 1)
    log = read(tmp_path, f"[{', '.join(items)}]")
    assert log.tables["wfp"]["record_id"].tolist() == [1, 2, 4, 5]
    assert len(said(log, "lost")) == 1


def test_cut_anywhere(tmp_path):
    text = lines("dump", EVENTS[:2])
    first = text.index("\n")
    for end in range(0, len(text) - 1, 23):
        log = read(tmp_path, text[:end])
        assert len(log.tables["wfp"]) == (end >= first)
        assert said(log, "lost") or end in (first, first + 1), end


def test_a_key_twice(tmp_path):
    text = json.dumps(dump(event(1))).replace(
        '"Direction": "%%14593"', '"Direction": "%%14593", "Direction": "%%14592"'
    )
    log = read(tmp_path, text)
    assert log.tables["wfp"]["direction_code"].tolist() == ["%%14593"]
    assert log.tables["wfp"]["extra"].tolist() == [{"Direction#2": "%%14592"}]
    assert said(log, "doubtful") == ["has the key 'Direction' twice: the first value counts"]


def test_characters_that_are_no_text(tmp_path):
    text = lines("dump", [event(1, Later="A"), event(2, Later="B"), event(3, Later="C")])
    data = text.replace('"A"', '"\\u0000x\\ud800\\u0000"').encode().replace(b'"B"', b'"\xff"')
    log = read(tmp_path, data)
    assert log.tables["wfp"]["extra"].tolist() == [{"Later": "\ufffdx\ufffd"}, {"Later": "\ufffd"}, {"Later": "C"}]
    assert len(said(log, "doubtful")) == 2


def test_deep_nesting(tmp_path):
    deep = json.dumps(dump(event(1))).replace('"443"', '{"a":' * 600 + "1" + "}" * 600)
    deeper = json.dumps(dump(event(2))).replace('"443"', "[" * 100_000 + "]" * 100_000)
    log = read(tmp_path, f"{deep}\n{deeper}\n{json.dumps(dump(event(3)))}\n")
    assert log.tables["wfp"]["record_id"].tolist() == [3]
    assert (log.records, len(said(log, "lost"))) == (3, 2)


@pytest.mark.parametrize("content", ["x", "[", '{"a":', "},{", "\n\n\n", " "])
def test_an_endless_line_is_refused_and_the_rest_is_read(tmp_path, content):
    size = 2 * eventjson.MAX_VALUE
    endless = '{"EventID": 5157, "Message": "' + content * (size // len(content))
    started = time.process_time()
    log = read(tmp_path, lines("dump", EVENTS[:1]) + endless + "\n" + lines("dump", EVENTS[1:]))
    assert time.process_time() - started < 20
    assert log.tables["wfp"]["record_id"].tolist()[-4:] == [2, 3, 4, 5]
    assert said(log, "lost")


def test_a_file_of_nothing_but_rubbish_is_given_up(tmp_path):
    started = time.process_time()
    log = read(tmp_path, "[" + "{}," * 2_000_000)
    assert time.process_time() - started < 20
    assert any("given up here" in what for what in said(log, "lost"))


@pytest.mark.parametrize("end", ["", "{" * 10, '{"a":' * 5000, "9" * 5000])
@pytest.mark.parametrize("between", ["", "\n"])
def test_what_was_read_once_is_not_read_again_from_within(tmp_path, between, end):
    text = f'[{{}},{between}{{"k":[' * 400 + "{}," * 400_000 + end
    started = time.process_time()
    log = read(tmp_path, text)
    assert time.process_time() - started < 60
    assert said(log, "lost")


def test_values_of_all_kinds_in_all_places(tmp_path):
    odd = [None, True, 5, -1, 1e300, "", "-", [], {}, [[]], {"#text": None}, [{"@Name": 5}], "x" * 9, 2**70]
    items = []
    for layout in LAYOUTS:
        base = LAYOUTS[layout](EVENTS[0])
        for key in base:
            items += [base | {key: value} for value in odd]
            if isinstance(base[key], dict):
                items += [base | {key: base[key] | {inner: value}} for inner in base[key] for value in odd]
    log = read(tmp_path, "\n".join(map(json.dumps, items)))
    assert log.records == len(items)


def test_an_event_of_very_many_fields_is_bounded(tmp_path):
    item = dump(event(1))
    item["Event"]["EventData"] |= {f"f{number}": "x" for number in range(10_000)}
    log = read(tmp_path, json.dumps(item))
    assert len(log.tables["wfp"]["extra"].iloc[0]) < 5000
    assert "fields" in said(log, "lost")[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"text",
        b"[]",
        b"{}",
        b"<Events/>",
        bytes(5000),
        b"ElfFile\0" * 100,
        b'[{"Id": 5157, "Properties": []}]',
    ],
)
def test_the_wrong_file(tmp_path, data):
    log = read(tmp_path, data)
    assert (log.first, log.computers, log.channels) == (None, (), {})
    assert said(log, "lost")[-1] == "no event was found in it"


def test_values_without_names_are_told(tmp_path):
    assert "values without names" in said(read(tmp_path, '{"Id": 5157, "Properties": []}'), "lost")[0]


@pytest.mark.parametrize(
    "text",
    [
        '{"event_id":5157,"version":1,"record_id":5,"endpoint_order":"certain","computer":"x"}',
        '{"value":[{"Name":"x"}],"Count":1}',
        '[{"DisplayName":"a rule","Direction":1}]',
        "{}",
        "text",
    ],
)
def test_other_json_is_not_taken_for_events(text):
    assert sniff_events(text.encode()) is None


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_survived(tmp_path, data):
    raw = bytearray(
        FORMS[data.draw(st.sampled_from(sorted(FORMS)))].encode(data.draw(st.sampled_from(["utf-8", "utf-16"])))
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "put", "double"])):
            case "flip":
                raw[at] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del raw[at : at + data.draw(st.integers(1, 400))]
            case "put":
                raw[at:at] = data.draw(st.binary(max_size=8) | st.sampled_from([b"{", b"}", b'"', b"\n", b"[", b"\\"]))
            case "double":
                raw[at:at] = raw[at : at + 300]
        raw = raw or bytearray(b"{")
    log = read(tmp_path, bytes(raw))
    assert sum(map(len, log.tables.values())) <= log.records
    if len(log.tables["wfp"]) < 4:
        assert log.problems
