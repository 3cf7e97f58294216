"""Every real log, against two readers that this project did not write."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import evtx_reference
import pandas as pd
import pytest

from analyzer import frames
from analyzer.readers.evtx import EvtxLog, read_evtx
from analyzer.wfp.events import EVENTS, TABLES, find

# file -> records found. `wheel` and `libevtx` are what the evtx wheel (with its failures in brackets) and libevtx
# find; where this reader finds other numbers than the best of them, the reason stands beside.
RECORDS = {
    "evtx/domain-admins-5156-5158.evtx": 63,
    "evtx/firewall-disabled-5447-4950.evtx": 998,
    "evtx/rdp-tunnel-5156-5158-4688.evtx": 101,
    "evtx/security-short-5152-5157.evtx": 7,
    "evtx-corpus/2-system-Microsoft-Windows-LiveId%4Operational.evtx": 399,
    # two records whose head is there and whose content another file's data has overwritten: found, and lost
    "evtx-corpus/2-vss_0-Microsoft-Windows-RemoteDesktopServices-RdpCoreTS%4Operational.evtx": 1912,
    # one record whose size copy is overwritten is read with doubt
    "evtx-corpus/2-vss_0-Microsoft-Windows-TerminalServices-RemoteConnectionManager%4Operational.evtx": 1775,
    "evtx-corpus/2-vss_7-System.evtx": 1160,
    "evtx-corpus/Application_no_crc32.evtx": 17,
    "evtx-corpus/E_ShadowCopy6_windows_system32_winevt_logs_Microsoft-Windows-CAPI2%4Operational.evtx": 459,
    "evtx-corpus/E_Windows_system32_winevt_logs_Microsoft-Windows-CAPI2%4Operational.evtx": 340,
    "evtx-corpus/E_Windows_system32_winevt_logs_Microsoft-Windows-Shell-Core%4Operational.evtx": 1146,
    "evtx-corpus/MSExchange_Management_wec.evtx": 1,
    "evtx-corpus/Microsoft-Windows-HelloForBusiness%4Operational.evtx": 6,
    "evtx-corpus/Microsoft-Windows-LanguagePackSetup%4Operational.evtx": 17,
    "evtx-corpus/Security_short_selected.evtx": 7,
    "evtx-corpus/Security_with_size_t.evtx": 636,
    "evtx-corpus/issue_201.evtx": 1,
    "evtx-corpus/new-user-security.evtx": 4,
    "evtx-corpus/post-Security.evtx": 126,
    "evtx-corpus/sample-with-irregular-bool-values.evtx": 3028,
    # the wheel and libevtx stop at a record of size 0; it and the 114 behind it are there
    "evtx-corpus/sample-with-zero-data-size-event.evtx": 450,
    # records behind an overwritten piece of a chunk, which the others give up
    "evtx-corpus/sample_with_a_bad_chunk_magic.evtx": 301,
    "evtx-corpus/security.evtx": 2261,
    "evtx-corpus/security_bad_string_cache.evtx": 2261,
    "evtx-corpus/sysmon.evtx": 358,
    "evtx-corpus/system.evtx": 1881,
}
DAMAGED = {"damaged/one-byte-hang-a.evtx": 1, "damaged/one-byte-hang-b.evtx": 459}
WHEEL_STOPS = {"evtx-corpus/sample-with-zero-data-size-event.evtx"}  # it gives up the rest of a chunk, see RECORDS
CUT_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})\d*(?=Z$)")  # the wheel cuts at microseconds
TIME_IN_XML = re.compile(r'<TimeCreated SystemTime="([^"]+)"/>.*?<EventRecordID>(\d+)<', re.DOTALL)
GUID = re.compile(r"\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?")


@pytest.fixture(scope="module")
def logs(shared: Path) -> dict[str, EvtxLog]:
    return {name: read_evtx(shared / name, Path(name).name) for name in (*RECORDS, *DAMAGED)}


def all_rows(log: EvtxLog) -> list[dict]:
    return [row for table in TABLES for row in log.tables[table].to_dict("records")]


def counts(log: EvtxLog) -> Counter:
    return Counter(row["event_id"] for row in all_rows(log))


def test_the_table_names_every_log(shared: Path):
    there = {
        f"{path.parent.name}/{path.name}"
        for folder in ("evtx", "evtx-corpus", "damaged")
        for path in (shared / folder).iterdir()
    }
    assert there == {*RECORDS, *DAMAGED}


@pytest.mark.parametrize("name", [*RECORDS, *DAMAGED])
def test_number_of_records(logs, name):
    assert logs[name].records == {**RECORDS, **DAMAGED}[name]


@pytest.mark.parametrize("name", RECORDS)
def test_finds_at_least_what_the_best_other_reader_finds(logs, shared, name):
    read, failed = evtx_reference.wheel(shared / name)
    others = [len(read)]
    others.append(len(evtx_reference.libevtx(shared / name)[0]))
    assert logs[name].records >= max(others), f"the wheel also fails at {failed}"


@pytest.mark.parametrize("name", [*RECORDS, *DAMAGED])
def test_all_five_tables_with_their_schemas(logs, name):
    log = logs[name]
    assert tuple(log.tables) == TABLES
    for table in TABLES:
        schema = frames.EVENT_SCHEMAS[table]
        frame = log.tables[table]
        assert list(frame.columns) == list(schema)
        for column, dtype in schema.items():
            assert str(frame[column].dtype) == str(pd.Series([], dtype=dtype).dtype), column


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("evtx/security-short-5152-5157.evtx", {5152: 2, 5157: 1}),
        ("evtx/rdp-tunnel-5156-5158-4688.evtx", {5156: 63, 5158: 9, 4688: 17}),
        ("evtx/domain-admins-5156-5158.evtx", {5156: 28, 5158: 5}),
        ("evtx/firewall-disabled-5447-4950.evtx", {5447: 984, 4950: 6}),
    ],
)
def test_exact_counts_of_the_sources(logs, name, expected):
    found = counts(logs[name])
    assert {event_id: found[event_id] for event_id in expected} == expected


def named_fields(event: dict) -> dict[str, object]:
    """Return what the wheel gives as event fields, name without case -> value."""
    inside = event.get("EventData") or next(iter((event.get("UserData") or {}).values()), {}) or {}
    return {name.lower(): value for name, value in inside.items() if name != "#attributes"}


def plain(value: object) -> str | None:
    """Return a value of the wheel as this reader writes it."""
    if isinstance(value, dict):  # Data without a name
        value = value["#text"]
    if value is None or value in ("", "-"):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    text = CUT_TIME.sub(r"\1", str(value))
    return f"{{{text.strip('{}').lower()}}}" if GUID.fullmatch(text) else text


def same(column: object, value: object, is_text: bool) -> bool:
    expected = plain(value)
    if pd.isna(column):
        return expected is None
    if is_text:
        got = f"{{{column.strip('{}').lower()}}}" if GUID.fullmatch(column) else column
        return CUT_TIME.sub(r"\1", got) == expected
    return expected is not None and int(column) == int(expected, 0)


@pytest.mark.parametrize("name", RECORDS)
def test_every_field_of_every_row_is_what_the_wheel_gives(logs, shared, name):
    wheel = {}
    wanted = 0
    for record in evtx_reference.wheel(shared / name)[0]:
        system = record["event"]["System"]
        event_id = system["EventID"]
        event_id = int(event_id["#text"] if isinstance(event_id, dict) else event_id)
        provider = (system["Provider"] or {}).get("#attributes", {}).get("Name")
        if find(provider, event_id):
            wanted += 1
            wheel[system["EventRecordID"], event_id] = (provider, record["event"])
    rows = all_rows(logs[name])
    if name in WHEEL_STOPS:
        rows = [row for row in rows if (row["record_id"], row["event_id"]) in wheel]
    assert len(rows) == wanted == len(wheel)
    for row in rows:
        provider, event = wheel[row["record_id"], row["event_id"]]
        system, fields = event["System"], named_fields(event)
        assert row["provider"] == provider
        assert row["version"] == (system.get("Version") or 0)
        assert row["computer"] == system["Computer"]
        assert row["channel"] == system["Channel"]
        stamp = system["TimeCreated"]["#attributes"]["SystemTime"]
        assert row["time"].floor("us") == pd.Timestamp(stamp)  # the wheel cuts at microseconds
        spec = EVENTS[provider.lower(), row["event_id"]]
        for item in spec.fields:
            value = fields.pop(item.name.lower(), None)
            assert same(row[item.column], value, item.type == "text"), (name, row["record_id"], item.name, value)
        extra = {key.lower(): value for key, value in (row["extra"] or {}).items()}
        for key, value in fields.items():
            assert same(extra.pop(key, None), value, is_text=True), (name, row["record_id"], key, value)
        assert not extra


@pytest.mark.parametrize(
    "name",
    ["evtx/rdp-tunnel-5156-5158-4688.evtx", "evtx/domain-admins-5156-5158.evtx", "evtx/security-short-5152-5157.evtx"],
)
def test_times_have_their_full_100_ns(logs, shared, name):
    """libevtx prints nine decimals, the wheel and python-evtx cut or round."""
    found = [TIME_IN_XML.search(record["xml"]) for record in evtx_reference.libevtx(shared / name)[0]]
    times = {int(match[2]): match[1] for match in found}
    rows = all_rows(logs[name])
    assert rows
    for row in rows:
        assert row["time"] == pd.Timestamp(times[row["record_id"]])


@pytest.mark.parametrize(
    ("name", "gaps"), [("evtx/rdp-tunnel-5156-5158-4688.evtx", 17), ("evtx/security-short-5152-5157.evtx", 3)]
)
def test_an_export_by_a_query_is_told_from_loss(logs, name, gaps):
    log = logs[name]
    assert log.selective
    assert len(log.id_gaps) == gaps
    assert all(after + 1 < before for after, before in log.id_gaps)


@pytest.mark.parametrize("name", ["evtx/domain-admins-5156-5158.evtx", "evtx-corpus/security.evtx"])
def test_a_whole_log_has_no_gaps_and_no_problems(logs, name):
    log = logs[name]
    assert not log.selective
    assert log.id_gaps == ()
    told = [problem for problem in log.problems if "clock" in problem.what or "log was cleared" in problem.what]
    assert list(log.problems) == told
    assert all(problem.severity == "note" for problem in told)


def test_what_is_seen_over_all_records(logs):
    log = logs["evtx/domain-admins-5156-5158.evtx"]
    assert log.channels == {"Security": 63}
    assert len(log.computers) == 1
    assert log.first == pd.Timestamp("2019-03-18T23:23:37.1477091Z")
    assert log.last == pd.Timestamp("2019-03-18T23:24:20.9600309Z")


def test_a_log_of_another_channel_has_no_rows(logs):
    log = logs["evtx-corpus/2-system-Microsoft-Windows-LiveId%4Operational.evtx"]
    assert all(len(frame) == 0 for frame in log.tables.values())
    assert list(log.channels) == ["Microsoft-Windows-LiveId/Operational"]


def test_losses_in_the_corpus_are_named(logs):
    lost = [p for p in logs["evtx-corpus/sample_with_a_bad_chunk_magic.evtx"].problems if p.severity == "lost"]
    assert any("chunks 1 to 5" in p.place and "zeros" in p.what for p in lost)
    assert any(p.place.startswith("chunk 7, offset 0x7") and "34 records lost" in p.what for p in lost)


def test_a_log_without_checksums_says_so_once(logs):
    problems = logs["evtx-corpus/Application_no_crc32.evtx"].problems
    assert [(p.severity, "checksums" in p.what) for p in problems] == [("note", True)]


@pytest.mark.parametrize("name", DAMAGED)
def test_files_on_which_others_hang(logs, name):
    log = logs[name]
    assert any("checksum" in p.what for p in log.problems)
    assert sum(log.channels.values()) == DAMAGED[name]
