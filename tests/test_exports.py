"""CSV, Timesketch, Parquet and Excel: every value once, typed where the format has types, and no cell a formula."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import time
import zipfile
from datetime import datetime
from importlib import import_module

import pandas as pd
import pytest

from analyzer.model import EVENT_KEYS, Analysis
from reports import cells, delimited, export, formats, xlsx
from reports.table import EVENT_COLUMNS, FILTER_LINE_KEYS
from tests.made import analysis, event_frame, filter_frame

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", " =1", '"=1', "'=1"]
FORMULAS += ["﹦1", "﹢1", "﹣1", "﹫x"]
DANGEROUS = re.compile('^[\\s"]*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b]')
HOSTILE = [
    *FORMULAS,
    "=cmd|' /C calc'!A0",
    "a;=1+1",
    "x,y",
    'say "x"',
    "two\r\nlines",
    "\x00\x1b[31m\x7f\x85",
    "\u202egpj.exe",
    "_x0041_",
    "Café ☃ 😀 مرحبا",
    "a\ud800b",
    "\ufffe\uffff",
    "x" * 40_000,
    "http://example.invalid/x",
    "mailto:a@b.example",
]


def with_application(*texts: str | None) -> Analysis:
    frame = event_frame(len(texts))
    frame["application"] = pd.Series(texts, dtype=object)
    return dataclasses.replace(analysis(), events=frame)


def read_csv(parts: object) -> list[dict[str, str]]:
    text = "".join(parts)
    assert text.replace('"', "").count("\r\n") == text.count("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


# ------------------------------------------------------------------------------------------------ CSV


def test_csv_has_one_row_per_event_and_the_columns_of_the_contract() -> None:
    rows = read_csv(delimited.event_csv(analysis()))
    assert len(rows) == 3
    assert tuple(rows[0]) == EVENT_COLUMNS
    assert set(EVENT_KEYS) - {"filter"} <= set(EVENT_COLUMNS)
    assert rows[0]["filter_name"] == "Default Outbound"
    assert rows[0]["filter_weight"] == str(0x3000000000000000)
    assert rows[0]["time"] == "2026-03-04T10:15:22.1234567Z"
    assert rows[0]["services"] == rows[0]["user_sid"] == ""


def test_csv_of_filters_says_conditions_in_one_cell() -> None:
    rows = {row["filter_id"]: row for row in read_csv(delimited.filter_csv(analysis()))}
    assert tuple(rows["70001"]) == FILTER_LINE_KEYS
    assert rows["70002"]["conditions"] == (
        "ALE_APP_ID EQUAL \\device\\harddiskvolume3\\a.exe | IP_REMOTE_PORT EQUAL 443"
    )
    assert rows["70003"]["weight"] == str(2**64 - 1)


def test_csv_begins_with_the_header_and_no_mark() -> None:
    text = "".join(delimited.event_csv(analysis()))
    assert text.startswith("event_id,version,record_id,time,computer,")
    assert text.encode()[:1] == b"e"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_of_a_csv_is_a_formula_and_each_row_is_one_line(text: str) -> None:
    made = with_application(text)
    for parts in (delimited.event_csv(made), delimited.timesketch(made)):
        written = "".join(parts)
        assert written.count("\n") == 2
        (row,) = read_csv([written])
        assert not any(DANGEROUS.match(cell) for cell in row.values() if cell != "")
        assert not any(DANGEROUS.match(part) for cell in row.values() for part in cell.split(";"))
        assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in row["application"])
        written.encode("utf-8")


@pytest.mark.parametrize(("text", "cell"), [
    ("=1+1", "'=1+1"),
    ("\t=1", "⟨U+0009⟩=1"),
    ("a;=1", "a;'=1"),
    ("C:\\x -y", "C:\\x -y"),
    ("a=b", "a=b"),
    ("svchost.exe", "svchost.exe"),
])  # fmt: skip
def test_a_formula_gets_an_apostrophe_and_nothing_else_does(text: str, cell: str) -> None:
    (row,) = read_csv(delimited.event_csv(with_application(text)))
    assert row["application"] == cell


def test_what_is_not_said_is_an_empty_cell() -> None:
    rows = read_csv(delimited.event_csv(with_application("", "-", None, "a")))
    assert [row["application"] for row in rows] == ["", "", "", "a"]


def test_lists_are_parted_by_bars() -> None:
    frame = event_frame(1)
    frame["services"] = pd.Series([("BITS", "=x")], dtype=object)
    (row,) = read_csv(delimited.event_csv(dataclasses.replace(analysis(), events=frame)))
    assert row["services"] == "BITS | =x"
    assert cells.field(("=x", "b")) == "'=x | b"


def test_no_events_and_no_filters_are_a_header_alone() -> None:
    for events, filters in ((None, None), (event_frame(0), filter_frame().iloc[:0])):
        bare = dataclasses.replace(analysis(), events=events, filters=filters)
        assert "".join(delimited.event_csv(bare)).count("\r\n") == 1
        assert "".join(delimited.filter_csv(bare)).count("\r\n") == 1
        assert "".join(delimited.timesketch(bare)).count("\r\n") == 1


def test_an_event_without_a_state_has_no_filter() -> None:
    rows = read_csv(delimited.event_csv(dataclasses.replace(analysis(), filters=None)))
    assert {row["filter_id"] for row in rows} == {""}


# ------------------------------------------------------------------------------------------------ Timesketch


def test_timesketch_gets_its_columns_first_and_times_in_one_form() -> None:
    made = with_application(r"\device\harddiskvolume3\windows\system32\svchost.exe", None, "a")
    rows = read_csv(delimited.timesketch(made))
    assert tuple(rows[0])[:3] == ("message", "datetime", "timestamp_desc")
    assert tuple(rows[0])[3:] == EVENT_COLUMNS
    assert rows[0]["datetime"] == "2026-03-04T10:15:22.123456+00:00"
    assert {len(row["datetime"]) for row in rows} == {32}
    assert all(datetime.fromisoformat(row["datetime"]).utcoffset() is not None for row in rows)
    assert rows[0]["timestamp_desc"] == "Connection blocked"
    assert rows[0]["message"] == (
        "Blocked outbound TCP svchost.exe 192.0.2.10:49152 to 198.51.100.0:443, default-outbound (origin), "
        "filter 70001 Default Outbound"
    )
    assert rows[0]["time"] == "2026-03-04T10:15:22.1234567Z"


def test_timesketch_reads_it_with_pandas_as_it_does() -> None:
    frame = pd.read_csv(io.StringIO("".join(delimited.timesketch(analysis()))))
    assert {"message", "datetime", "timestamp_desc"} <= set(frame.columns)
    assert pd.to_datetime(frame["datetime"], errors="coerce").notna().all()


def test_events_without_a_time_are_left_out_of_a_timeline_and_that_is_said() -> None:
    frame = event_frame(3)
    frame.loc[1, "time"] = pd.NaT
    made = dataclasses.replace(analysis(), events=frame)
    assert len(read_csv(delimited.timesketch(made))) == 2
    assert formats.remarks("events", "timesketch", made) == [
        "1 events without a time are left out: Timesketch takes none without"
    ]
    assert formats.remarks("events", "csv", made) == []


def test_a_net_event_and_an_icmp_message_say_what_they_are() -> None:
    frame = event_frame(2)
    frame["event_id"] = pd.Series([None, 5157], dtype="UInt64")
    frame["protocol"] = pd.Series([17, 1], dtype="UInt64")
    frame["remote_port"] = pd.Series([53, None], dtype="UInt64")
    frame["local_port"] = pd.Series([None, None], dtype="UInt64")
    frame["remote_address"] = pd.Series(["2001:db8::1", "192.0.2.1"], dtype="category")
    rows = read_csv(delimited.timesketch(dataclasses.replace(analysis(), events=frame)))
    assert rows[0]["timestamp_desc"] == "Net event: blocked"
    assert "UDP svchost.exe 192.0.2.10 to [2001:db8::1]:53" in rows[0]["message"]
    assert "ICMP svchost.exe 192.0.2.10 to 192.0.2.1," in rows[1]["message"]


# ------------------------------------------------------------------------------------------------ Parquet


def parquet_of(made: Analysis, what: str = "events") -> pd.DataFrame:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    data = b"".join(formats.output(what, "parquet", made))
    return import_module("pyarrow.parquet").read_table(io.BytesIO(data))


def test_parquet_keeps_types_and_every_value() -> None:
    frame = event_frame(3)
    frame["record_id"] = pd.Series([2**64 - 1, 2**53 + 1, None], dtype="UInt64")
    frame["services"] = pd.Series([("BITS", "wuauserv"), None, ()], dtype=object)
    frame["filter_row"] = pd.Series([2, None, 0], dtype="Int64")
    frame.loc[1, "time"] = pd.NaT
    table = parquet_of(dataclasses.replace(analysis(), events=frame))
    assert tuple(table.column_names) == EVENT_COLUMNS
    assert table["record_id"].to_pylist() == [2**64 - 1, 2**53 + 1, None]
    assert str(table.schema.field("record_id").type) == "uint64"
    assert str(table.schema.field("time").type) == "timestamp[ns, tz=UTC]"
    assert table["time"].cast("int64").to_pylist()[0] == 1_772_619_322_123_456_700
    assert table["time"].to_pylist()[1] is None
    assert table["services"].to_pylist() == [["BITS", "wuauserv"], None, []]
    assert table["reasons"].to_pylist()[0] == ["the event carries the platform's filter origin"]
    assert table["filter_weight"].to_pylist() == [2**64 - 1, None, 0x3000000000000000]
    assert table["filter_name"].to_pylist() == [None, None, "Default Outbound"]
    assert table["user_sid"].to_pylist() == [None, None, None]


@pytest.mark.parametrize("text", [item for item in HOSTILE if "\ud800" not in item])
def test_parquet_holds_texts_as_they_are(text: str) -> None:
    assert parquet_of(with_application(text))["application"].to_pylist() == [text]


def test_parquet_of_filters_has_conditions_as_rows_of_their_own() -> None:
    table = parquet_of(analysis(), "filters")
    conditions = table["conditions"].to_pylist()
    assert conditions[1][1] == {"field": "IP_REMOTE_PORT", "match": "EQUAL", "value": "443", "raw": None}
    assert conditions[0] == []


def test_parquet_of_many_rows_is_written_in_groups() -> None:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    made = dataclasses.replace(analysis(), events=event_frame(250_000))
    parts = list(formats.output("events", "parquet", made))
    assert len(parts) == 4
    assert parquet_of(made).num_rows == 250_000


@pytest.mark.parametrize("frame", [None, event_frame(0)])
def test_parquet_of_nothing_has_the_same_columns(frame: pd.DataFrame | None) -> None:
    table = parquet_of(dataclasses.replace(analysis(), events=frame))
    assert (tuple(table.column_names), table.num_rows) == (EVENT_COLUMNS, 0)
    assert str(table.schema.field("time").type) == "timestamp[ns, tz=UTC]"


# ------------------------------------------------------------------------------------------------ Excel


def workbook(made: Analysis, what: str = "events") -> tuple[dict[str, list[list[object]]], bytes]:
    pytest.importorskip("xlsxwriter", reason="the extra xlsx is not installed")
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl reads what was written")
    data = b"".join(formats.output(what, "xlsx", made))
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}, data


def test_a_workbook_has_numbers_texts_and_dates() -> None:
    frame = event_frame(2)
    frame["record_id"] = pd.Series([2**64 - 1, 100], dtype="UInt64")
    sheets, _ = workbook(dataclasses.replace(analysis(), events=frame))
    header, first, second = sheets["events"]
    row = dict(zip(header, first, strict=True))
    assert [name for name in header if name != "time_utc"] == list(EVENT_COLUMNS)
    assert row["remote_port"] == 443
    assert row["record_id"] == str(2**64 - 1)  # more digits than Excel keeps
    assert dict(zip(header, second, strict=True))["record_id"] == 100
    assert row["time"] == "2026-03-04T10:15:22.1234567Z"
    assert row["time_utc"].replace(microsecond=0) == datetime(2026, 3, 4, 10, 15, 22)  # noqa: DTZ001 - cells have none
    assert sheets["about"][0] == ["made by", "wfp-analyzer 0.1.0"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_of_a_workbook_is_a_formula_or_a_link(text: str) -> None:
    sheets, data = workbook(with_application(text, "b"))
    header, first, _ = sheets["events"]
    shown = dict(zip(header, first, strict=True))["application"]
    assert isinstance(shown, str)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert b"<f>" not in content["xl/worksheets/sheet1.xml"]
    assert not any(b"hyperlink" in part for part in content.values())
    assert not any("rels" in name and "sheet" in name for name in content)
    if len(text) > xlsx.LONGEST:
        assert len(shown) <= xlsx.LONGEST
        assert shown.endswith("more characters)")
    elif text.isprintable() and "\ud800" not in text:
        assert shown.replace("_x005F_", "_") == text  # Excel takes _x0041_ for an escape, so it is escaped itself


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 11)
    made = dataclasses.replace(analysis(), events=event_frame(25))
    sheets, _ = workbook(made)
    assert [len(rows) for rows in sheets.values()][:3] == [11, 11, 6]
    assert list(sheets) == ["events", "events 2", "events 3", "about"]
    assert sheets["events 2"][0] == sheets["events"][0]
    ids = [row[2] for name in list(sheets)[:3] for row in sheets[name][1:]]
    assert ids == list(range(100, 125))
    assert formats.remarks("events", "xlsx", made) == ["25 rows stand on 3 sheets: one holds 11 at the most"]


def test_a_workbook_of_filters_and_of_nothing() -> None:
    sheets, _ = workbook(analysis(), "filters")
    assert len(sheets["filters"]) == 4
    empty, _ = workbook(dataclasses.replace(analysis(), events=None))
    assert len(empty["events"]) == 1


# ------------------------------------------------------------------------------------------------ formats


def test_a_format_whose_library_is_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    assert formats.missing("parquet") == (
        "the format parquet needs pyarrow, which is not installed: pip install 'wfp-analyzer[parquet]'"
    )
    assert "wfp-analyzer[xlsx]" in formats.missing("xlsx")
    assert formats.missing("csv") is None


def test_json_lines_are_one_of_the_formats() -> None:
    assert "".join(formats.output("events", "jsonl", analysis())) == "".join(
        line + "\n" for line in export.event_lines(analysis())
    )
    with pytest.raises(ValueError, match="no format timesketch"):
        formats.output("filters", "timesketch", analysis())


@pytest.mark.parametrize("name", ["csv", "timesketch", "parquet"])
def test_a_hundred_thousand_rows_are_a_matter_of_seconds(name: str) -> None:
    if formats.missing(name):
        pytest.skip(formats.missing(name))
    made = dataclasses.replace(analysis(), events=pd.concat([event_frame(1000)] * 100, ignore_index=True))
    begin = time.perf_counter()
    assert sum(len(part) for part in formats.output("events", name, made)) > 10_000
    assert time.perf_counter() - begin < 30  # measured: 1 to 3 s; the bar only catches work that grows with its square
