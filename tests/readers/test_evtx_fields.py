"""What becomes of each kind of field, on logs made for the test."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import evtx_build as build
import pandas as pd
import pytest
from evtx_build import NULL, El, Sub, data, event, system_values, text, u16, u32, u64

from analyzer.readers.evtx import EvtxLog, fragment, read_evtx

if TYPE_CHECKING:
    from pathlib import Path


def read(tmp_path: Path, log: build.Log) -> EvtxLog:
    path = tmp_path / "made.evtx"
    path.write_bytes(log.file())
    return read_evtx(path, "made.evtx")


def one(
    tmp_path: Path, fields: list, values: list, event_id: int = 5157, inside: str = "EventData"
) -> tuple[dict, EvtxLog]:
    """Write one event with these fields (substitutions from 5 on), return its row and the log."""
    log = build.Log()
    log.add(event(El(inside, {}, fields)), [*system_values(event_id), *values])
    result = read(tmp_path, log)
    rows = [row for frame in result.tables.values() for row in frame.to_dict("records")]
    assert len(rows) == 1
    return rows[0], result


def test_system_fields(tmp_path):
    row, log = one(tmp_path, [data("Application", Sub(5))], [text("System")])
    assert row["input"] == "made.evtx"
    assert row["offset"] == 0x1200
    assert (row["event_id"], row["version"], row["record_id"]) == (5157, 0, 1)
    assert row["time"] == pd.Timestamp("2024-01-17T21:20:00.1234567Z")
    assert (row["computer"], row["channel"], row["provider"]) == ("host.example", "Security", build.AUDITING)
    assert row["application"] == "System"
    assert row["extra"] is None
    assert log.problems == ()


@pytest.mark.parametrize("name", ["ProcessId", "ProcessID", "PROCESSID"])
def test_names_without_regard_to_case(tmp_path, name):
    row, _ = one(tmp_path, [data(name, Sub(5, 10))], [u64(4321)])
    assert row["process_id"] == 4321


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (text("443"), 443),
        (text("0x1bb"), 443),
        (u16(443), 443),
        (u64(2**64 - 1), 2**64 - 1),
        ((0x15, struct.pack("<Q", 443)), 443),
        ((0x14, struct.pack("<I", 443)), 443),
        ((0x10, struct.pack("<I", 443)), 443),
        ((0x10, struct.pack("<Q", 443)), 443),
        (text("18446744073709551615"), 2**64 - 1),
    ],
)
def test_numbers(tmp_path, value, expected):
    row, log = one(tmp_path, [data("SourcePort", Sub(5))], [value])
    assert row["source_port"] == expected
    assert row["extra"] is None
    assert log.problems == ()


@pytest.mark.parametrize("value", [text("-"), text(""), NULL, (1, b"\0\0"), (0, b"\1\2")])
def test_missing_values(tmp_path, value):
    row, _ = one(tmp_path, [data("SourcePort", Sub(5)), data("Application", Sub(5))], [value])
    assert pd.isna(row["source_port"])
    assert pd.isna(row["application"])
    assert row["extra"] is None


@pytest.mark.parametrize("value", ["https", "18446744073709551616", "-1", "0x", "1 2", "١٢"])
def test_a_text_in_a_numbers_place_is_kept_beside(tmp_path, value):
    row, _ = one(tmp_path, [data("SourcePort", Sub(5))], [text(value)])
    assert pd.isna(row["source_port"])
    assert row["extra"] == {"SourcePort": value}


def test_a_negative_number_is_kept_beside(tmp_path):
    row, _ = one(tmp_path, [data("SourcePort", Sub(5))], [(7, struct.pack("<i", -5))])
    assert pd.isna(row["source_port"])
    assert row["extra"] == {"SourcePort": "-5"}


def test_unknown_repeated_and_unnamed_fields_are_kept_beside(tmp_path):
    fields = [
        data("FilterName", Sub(5)),
        data("Application", Sub(6)),
        data("application", Sub(7)),
        data(None, Sub(8)),
        data(None, Sub(9)),
        data(None, "constant"),
    ]
    row, _ = one(tmp_path, fields, [text("f"), text("first"), text("second"), text("u1"), text("u2")])
    assert row["application"] == "first"
    assert row["extra"] == {
        "FilterName": "f",
        "application#2": "second",
        "Data": "u1",
        "Data#2": "u2",
        "Data#3": "constant",
    }


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (0x01, "a\ud800b".encode("utf-16-le", "surrogatepass"), "a�b"),
        (0x01, " \t x\0\0".encode("utf-16-le"), " \t x"),
        (0x02, b"caf\xe9\0", "café"),
        (0x03, b"\xff", "-1"),
        (0x05, b"\xfe\xff", "-2"),
        (0x09, struct.pack("<q", -3), "-3"),
        (0x0B, struct.pack("<f", 0.5), "0.5"),
        (0x0C, struct.pack("<d", 0.1), "0.1"),
        (0x0D, b"\1\0\0\0", "true"),
        (0x0D, b"\0", "false"),
        (0x0E, b"\x00\xab", "00AB"),
        (0x0F, bytes.fromhex("2596845478549449a5ba3e3b0328c30d"), "{54849625-5478-4994-a5ba-3e3b0328c30d}"),
        (0x10, struct.pack("<Q", 0x1A2C), "0x1a2c"),
        (0x11, struct.pack("<Q", build.NOON), "2024-01-17T21:20:00.1234567Z"),
        (0x12, struct.pack("<8H", 2024, 1, 3, 17, 20, 0, 1, 5), "2024-01-17T20:00:01.005Z"),
        (0x13, bytes([1, 2, 0, 0, 0, 0, 0, 5]) + struct.pack("<II", 32, 544), "S-1-5-32-544"),
        (0x13, bytes([1, 1, 1, 0, 0, 0, 0, 0]) + struct.pack("<I", 7), "S-1-0x010000000000-7"),
        (0x14, struct.pack("<I", 255), "0xff"),
        (0x15, struct.pack("<Q", 2**64 - 1), "0xffffffffffffffff"),
    ],
)
def test_each_value_type_as_text(tmp_path, kind, value, expected):
    row, log = one(tmp_path, [data("Application", Sub(5))], [(kind, value)])
    assert row["application"] == expected
    assert log.problems == ()


def test_arrays_repeat_their_element(tmp_path):
    strings = "one\0two\0\0three\0".encode("utf-16-le")
    numbers = struct.pack("<3I", 1, 2, 3)
    fields = [data("Application", Sub(5, 0x81)), data("N", Sub(6, 0x88))]
    row, _ = one(tmp_path, fields, [(0x81, strings), (0x88, numbers)])
    assert row["application"] == "one"
    assert row["extra"] == {"Application#2": "two", "Application#4": "three", "N": "1", "N#2": "2", "N#3": "3"}


@pytest.mark.parametrize("kind", [0x08, 0x0F, 0x11, 0x13, 0x77, 0x88, 0x8E])
def test_bytes_that_do_not_fit_their_type_are_kept_with_doubt(tmp_path, kind):
    row, log = one(tmp_path, [data("Protocol", Sub(5)), data("SourcePort", Sub(6))], [(kind, b"\1\2\3"), u32(80)])
    assert pd.isna(row["protocol"])
    assert row["extra"] == {"Protocol": "010203"}
    assert row["source_port"] == 80
    (problem,) = log.problems
    assert (problem.severity, problem.input) == ("doubtful", "made.evtx")
    assert problem.place == "chunk 0, offset 0x1200, record 1"
    assert "Protocol" in problem.what


@pytest.mark.parametrize("ticks", [0, 2**63, 2**64 - 1])
def test_a_time_out_of_range_is_missing_with_doubt(tmp_path, ticks):
    log = build.Log()
    log.add(event(El("EventData")), system_values(5157, time=ticks))
    result = read(tmp_path, log)
    assert result.tables["wfp"]["time"].isna().all()
    assert result.first is None
    (problem,) = result.problems
    assert problem.severity == "doubtful"
    assert "1678" in problem.what


def test_time_as_text(tmp_path):
    log = build.Log()
    log.add(event(El("EventData"), time="2024-02-29T01:02:03.1234567Z"), system_values(5157))
    assert read(tmp_path, log).first == pd.Timestamp("2024-02-29T01:02:03.1234567Z")


def test_nested_event_data_as_the_security_channel_writes_it(tmp_path):
    inner = El("EventData", {}, [data("ProcessID", Sub(0, 10)), data("Application", Sub(1))])
    outer = event(Sub(5, 0x21))
    log = build.Log()
    for record_id, process_id in ((1, 10), (2, 20), (3, 30)):
        values = [*system_values(5157, record_id), (0x21, (inner, [u64(process_id), text("a.exe")]))]
        log.add(outer, values)
    result = read(tmp_path, log)
    assert result.tables["wfp"]["process_id"].tolist() == [10, 20, 30]
    assert result.tables["wfp"]["application"].tolist() == ["a.exe"] * 3
    assert result.problems == ()


def test_user_data_by_local_names(tmp_path):
    inner = El(
        "LogFileCleared", {"xmlns": "urn:x"}, [El("SubjectUserName", {}, [Sub(5)]), El("Other", {}, [Sub(6, 8)])]
    )
    log = build.Log()
    log.add(
        event(El("UserData", {}, [inner]), provider="Microsoft-Windows-Eventlog"),
        [*system_values(1102), text("somebody"), u32(7)],
    )
    (row,) = read(tmp_path, log).tables["host"].to_dict("records")
    assert row["subject_user_name"] == "somebody"
    assert row["extra"] == {"Other": "7"}


def test_provider_as_value_and_two_templates_in_one_chunk(tmp_path):
    log = build.Log()
    as_value = event(El("EventData", {}, [data("Application", Sub(6))]), provider=Sub(5))
    as_text = event(El("EventData", {}, [data("Application", Sub(5))]))
    log.add(as_value, [*system_values(5157, 1), text(build.AUDITING), text("one")])
    log.add(as_text, [*system_values(5157, 2), text("two")])
    log.add(as_value, [*system_values(5157, 3), text("Somebody-Else"), text("three")])
    log.add(as_value, [*system_values(5157, 4), text(build.AUDITING.upper()), text("four")])
    result = read(tmp_path, log)
    assert result.tables["wfp"]["application"].tolist() == ["one", "two", "four"]
    assert result.records == 4
    assert result.channels == {"Security": 4}


def test_event_id_as_text(tmp_path):
    log = build.Log()
    log.add(event(El("EventData"), event_id="5157"), system_values(0))
    assert read(tmp_path, log).tables["wfp"]["event_id"].tolist() == [5157]


def test_a_record_without_a_template(tmp_path):
    system = El("System", {}, [El("Provider", {"Name": build.AUDITING}), El("EventID", {}, ["5157"])])
    root = El("Event", {}, [system, El("EventData", {}, [data("Application", "a.exe")])])
    log = build.Log()
    log.add(root, [], plain=True)
    result = read(tmp_path, log)
    assert result.tables["wfp"]["application"].tolist() == ["a.exe"]


def test_fragments_nested_too_deep_cost_their_fields_only(tmp_path):
    nest = (El("EventData", {}, [data("Application", Sub(0))]), [text("deep")])
    for _ in range(12):
        nest = (El("EventData", {}, [Sub(0, 0x21)]), [(0x21, nest)])
    row, log = one(tmp_path, [Sub(6, 0x21), data("Direction", Sub(5))], [text("%%14593"), (0x21, nest)])
    assert pd.isna(row["application"])
    assert any(problem.severity == "doubtful" and "inside each other" in problem.what for problem in log.problems)


def test_gaps_in_record_ids(tmp_path):
    log = build.Log()
    template = event(El("EventData"))
    for record_id in (10, 11, 15, 16, 20):
        log.add(template, system_values(5157, record_id))
    result = read(tmp_path, log)
    assert result.id_gaps == ((11, 15), (16, 20))
    assert result.selective


def test_python_evtx_reads_each_distinct_template_once(tmp_path, monkeypatch):
    calls = []
    original = fragment.read_shape
    monkeypatch.setattr(fragment, "read_shape", lambda checked: calls.append(checked) or original(checked))
    log = build.Log()
    template = event(El("EventData", {}, [data("Application", Sub(5))]))
    for record_id in range(20):
        log.add(template, [*system_values(5157, record_id), text("a")])
    path = tmp_path / "made.evtx"
    path.write_bytes(log.file(chunks=5))
    assert read_evtx(path, "made.evtx").records == 100
    assert len(calls) == 1


def test_progress_tells_bytes(tmp_path):
    path = tmp_path / "made.evtx"
    log = build.Log()
    log.add(event(El("EventData")), system_values(5157))
    path.write_bytes(log.file(chunks=3))
    seen = []
    read_evtx(path, "made.evtx", lambda done, total: seen.append((done, total)))
    size = path.stat().st_size
    assert seen == [(0x1000 + 0x10000 * (n + 1), size) for n in range(3)]


@pytest.mark.parametrize(
    ("provider", "event_id", "table", "fields", "expected"),
    [
        ("EventLog", 6005, "host", {}, {}),
        ("EventLog", 6008, "host", {"Data": "12:00"}, {"extra": {"Data": "12:00"}}),
        ("Microsoft-Windows-Kernel-General", 12, "host", {"StartTime": "x"}, {"start_time": "x"}),
        ("Microsoft-Windows-Kernel-General", 13, "host", {"StopTime": "x"}, {"stop_time": "x"}),
        (
            "Microsoft-Windows-Windows Firewall With Advanced Security",
            2004,
            "rule_change",
            {"RuleId": "{r}", "RuleName": "n", "ApplicationPath": "a.exe", "ServiceName": "s", "Direction": "1"},
            {"rule_id": "{r}", "rule_name": "n", "rule_application": "a.exe", "rule_service": "s"},
        ),
        (
            "Microsoft-Windows-Windows Firewall With Advanced Security",
            2010,
            "rule_change",
            {"InterfaceGuid": "{i}", "OldProfile": "1", "NewProfile": "2"},
            {"interface_guid": "{i}", "old_profile": "1", "new_profile": "2"},
        ),
        (
            "Microsoft-Windows-Sysmon",
            1,
            "process",
            {"ProcessId": "42", "Image": "a.exe", "ParentProcessId": "7", "CommandLine": "a.exe -x"},
            {"process_id": 42, "process_name": "a.exe", "creator_process_id": 7, "command_line": "a.exe -x"},
        ),
        (build.AUDITING, 5030, "host", {"ErrorCode": "5"}, {"extra": {"ErrorCode": "5"}}),
    ],
)
def test_events_of_other_channels(tmp_path, provider, event_id, table, fields, expected):
    log = build.Log()
    items = list(fields.items())
    template = event(
        El("EventData", {}, [data(name, Sub(5 + n)) for n, (name, _) in enumerate(items)]), provider=provider
    )
    log.add(template, [*system_values(event_id), *(text(value) for _, value in items)])
    other = event(El("EventData"), provider="Somebody-Else")
    log.add(other, system_values(event_id, 2))
    result = read(tmp_path, log)
    (row,) = result.tables[table].to_dict("records")
    assert (row["provider"], row["event_id"]) == (provider, event_id)
    assert {name: row[name] for name in expected} == expected
    assert result.records == 2
