"""The machine-readable outputs: every value as in the evidence, exact, one line per object."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from analyzer.model import CitedFilter
from reports import export
from reports.document import report_json
from tests.made import analysis, event_frame, filter_frame

if TYPE_CHECKING:
    from analyzer.model import Analysis


def events_of(result: Analysis) -> list[dict]:
    return [json.loads(line) for line in export.event_lines(result)]


def with_events(**columns: list) -> Analysis:
    frame = event_frame(len(next(iter(columns.values()))))
    for name, values in columns.items():
        dtype = "category" if frame[name].dtype == "category" else frame[name].dtype
        frame[name] = pd.Series(values, dtype=dtype)
    return dataclasses.replace(analysis(), events=frame)


def test_keys_stand_in_the_order_of_the_contract() -> None:
    line = next(export.event_lines(analysis()))
    assert tuple(json.loads(line)) == export.EVENT_KEYS
    assert tuple(json.loads(line)["filter"]) == export.FILTER_KEYS
    assert tuple(json.loads(next(export.filter_lines(analysis())))) == export.FILTER_LINE_KEYS


def test_a_time_keeps_its_100_nanoseconds() -> None:
    frame = event_frame(2)
    frame["time"] = pd.Series(
        pd.to_datetime(pd.array([1_700_000_000_123_456_700, None], dtype="Int64"), unit="ns", utc=True)
    )
    out = events_of(dataclasses.replace(analysis(), events=frame))
    assert [event["time"] for event in out] == ["2023-11-14T22:13:20.1234567Z", None]


def test_64_bit_numbers_are_exact_integers() -> None:
    big = 2**64 - 1
    out = list(export.event_lines(with_events(record_id=[big, 2**53 + 1, None], filter_rtid=[None, big, 0])))
    assert '"record_id":18446744073709551615,' in out[0]
    assert '"record_id":9007199254740993,' in out[1]
    assert '"record_id":null,' in out[2]
    assert [json.loads(line)["filter_rtid"] for line in out] == [None, big, 0]


def test_what_is_not_said_is_null() -> None:
    out = events_of(with_events(application=["", "-", None, r"\device\a.exe"]))
    assert [event["application"] for event in out] == [None, None, None, r"\device\a.exe"]
    assert {event["services"] for event in out} == {None}


def test_services_and_reasons_are_lists() -> None:
    frame = event_frame(2)
    frame["services"] = pd.Series([("BITS", "wuauserv"), None], dtype=object)
    frame["reasons"] = pd.Series([(), ("first", "second")], dtype=object)
    first, second = events_of(dataclasses.replace(analysis(), events=frame))
    assert (first["services"], first["reasons"]) == (["BITS", "wuauserv"], [])
    assert (second["services"], second["reasons"]) == (None, ["first", "second"])


def test_an_event_carries_its_filter_by_row() -> None:
    frame = event_frame(3)
    frame["filter_row"] = pd.Series([2, None, 0], dtype="Int64")
    out = events_of(dataclasses.replace(analysis(), events=frame))
    ids = filter_frame()["filter_id"].tolist()
    assert [event["filter"] and event["filter"]["filter_id"] for event in out] == [ids[2], None, ids[0]]


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines\r",
        "next\x85line",
        "separators \u2028 and \u2029",
        "\x1b[31mred\x1b[0m \x9b31m \x07",
        "right-to-left \u202e gpj.exe \u2066 \u200f",
        "<script>alert(1)</script> =cmd|' /C calc'!A0",
        'quote " backslash \\',
        "Café ☃ 😀 مرحبا",
        "\x7f \x00",
    ],
)
def test_a_text_is_one_safe_line_and_comes_back_as_it_was(text: str) -> None:
    (line,) = export.event_lines(with_events(application=[text]))
    assert json.loads(line)["application"] == text
    assert len(line.splitlines()) == 1
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0x202A <= ord(char) <= 0x202E for char in line)


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    frame = event_frame(1)
    frame["application"] = pd.Series(["a\ud800b \ud83d\ude00 \udc00"], dtype=object)
    (line,) = export.event_lines(dataclasses.replace(analysis(), events=frame))
    assert json.loads(line)["application"] == "a\ufffdb 😀 \ufffd"
    line.encode("utf-8")


def test_plain_text_is_not_escaped() -> None:
    (line,) = export.event_lines(with_events(application=["Café"]))
    assert "Café" in line


def test_filters_tell_kind_only_where_something_is_blocked() -> None:
    out = {row["filter_id"]: row for row in map(json.loads, export.filter_lines(analysis()))}
    assert (out[70001]["action"], out[70001]["kind"], out[70001]["kind_evidence"]) == (
        "block",
        "default-outbound",
        "origin",
    )
    assert (out[70002]["action"], out[70002]["kind"], out[70002]["kind_evidence"]) == ("permit", None, None)
    assert out[70002]["conditions"] == [
        {"field": "ALE_APP_ID", "match": "EQUAL", "value": r"\device\harddiskvolume3\a.exe", "raw": "5c00"},
        {"field": "IP_REMOTE_PORT", "match": "EQUAL", "value": "443", "raw": None},
    ]
    assert out[70003]["weight"] == 2**64 - 1
    assert out[70003]["flags"] == []


NO_KEYS = [
    "MPSS\ufffdVC_WF",
    "FWPM_PROVIDER\ufffdMPSSVC_WF",
    "\ufffdPSSVC_WF",
    "FWPM_X",
    "{1234}",
    "two words",
    "",
    "-",
]
KEYS = ["MPSSVC_WF", "ALE_AUTH_CONNECT_V4", "{11111111-2222-3333-4444-555555555555}", None]


@pytest.mark.parametrize("key", ["provider", "sublayer", "layer"])
@pytest.mark.parametrize("text", [*NO_KEYS, *KEYS])
def test_what_is_neither_symbol_nor_guid_reaches_no_output(key: str, text: str | None) -> None:
    expected = text if text in KEYS else None
    filters = filter_frame()
    filters[key] = pd.Series([text] * 3, dtype="str")
    made = dataclasses.replace(analysis(), filters=filters)
    assert [json.loads(line)[key] for line in export.filter_lines(made)] == [expected] * 3
    assert [event["filter"][key] for event in events_of(made)] == [expected] * 3
    verdict = made.verdicts[0]
    cause = dataclasses.replace(verdict.filter, **{key: text})
    cited = CitedFilter(cause, "wfpstate.xml", (), (), "default-outbound", "origin", "its origin", 3, 0, 0)
    made = dataclasses.replace(made, verdicts=(dataclasses.replace(verdict, filter=cause),), cited=(cited,))
    document = json.loads(report_json(made))
    assert document["verdicts"][0]["filter"][key] == document["cited"][0]["filter"][key] == expected


def test_a_layer_of_an_event_and_a_verdict_is_a_symbol_or_null() -> None:
    made = with_events(layer=["FWPM_LAYER\ufffd", "ALE_AUTH_CONNECT_V4", None])
    assert [event["layer"] for event in events_of(made)] == [None, "ALE_AUTH_CONNECT_V4", None]
    verdict = dataclasses.replace(made.verdicts[0], layer="a layer")
    document = json.loads(report_json(dataclasses.replace(made, verdicts=(verdict,))))
    assert document["verdicts"][0]["layer"] is None


def test_no_events_and_no_filters_are_no_lines() -> None:
    for events, filters in ((None, None), (event_frame(0), filter_frame().iloc[:0])):
        bare = dataclasses.replace(analysis(), events=events, filters=filters)
        assert list(export.event_lines(bare)) == []
        assert list(export.filter_lines(bare)) == []


def test_a_state_without_a_log_and_a_log_without_a_state() -> None:
    frame = event_frame(1)
    frame["filter_row"] = pd.Series([None], dtype="Int64")
    assert events_of(dataclasses.replace(analysis(), events=frame, filters=None))[0]["filter"] is None
    assert len(list(export.filter_lines(dataclasses.replace(analysis(), events=None)))) == 3


def test_the_result_document_is_stable_indented_json() -> None:
    text = report_json(analysis())
    assert text == report_json(analysis())
    assert text.startswith('{\n  "schema_version": 1,\n  "tool": {\n    "name": ')
    assert text.endswith("}\n")
    assert "events" not in json.loads(text)


def test_the_result_document_puts_null_for_blanks_but_leaves_the_command_alone() -> None:
    document = json.loads(report_json(dataclasses.replace(analysis(), command=("report", "", "-o", "-"))))
    assert document["command"] == ["report", "", "-o", "-"]
    assert document["coverage"]["why"] is None


def test_the_result_document_takes_numbers_of_numpy_and_nothing_strange() -> None:
    coverage = dataclasses.replace(
        analysis().coverage, by_event_id={"5157": np.int64(3)}, gaps=({"n": np.uint64(2**64 - 1)},)
    )
    document = json.loads(report_json(dataclasses.replace(analysis(), coverage=coverage)))
    assert document["coverage"]["by_event_id"] == {"5157": 3}
    assert document["coverage"]["gaps"] == [{"n": 2**64 - 1}]
    odd = dataclasses.replace(coverage, by_event_id={"5157": object()})
    with pytest.raises(TypeError, match="no place in a result document"):
        report_json(dataclasses.replace(analysis(), coverage=odd))


def test_a_million_rows_are_a_matter_of_seconds() -> None:
    frame = pd.concat([event_frame(1000)] * 100, ignore_index=True)
    begin = time.perf_counter()
    count = sum(1 for _ in export.event_lines(dataclasses.replace(analysis(), events=frame)))
    assert count == 100_000
    assert time.perf_counter() - begin < 10  # measured: well under 1 s; the bar only catches work per row
