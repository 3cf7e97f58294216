"""Logs that overlap, handed over together: each record counts once, and what is not the same record is kept."""

from __future__ import annotations

import collections
import dataclasses
import functools
import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import frames, overlap
from analyzer.pipeline import analyze
from analyzer.readers.evtx import EvtxLog, read_evtx
from analyzer.wfp.events import TABLES
from reports.document import report_json
from samples.evtxwriter import Record, write_log
from samples.evtxwriter.shapes import AUDITING, SUCCESS, Shape
from samples.statewriter import write_state
from samples.tickets import win10
from tests.core import core_build

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.model import Analysis, InputFile

START = 133_800_000_000_000_000  # a FILETIME in 2024
SECOND = 10_000_000
LOGOFF = Shape(4634, 0, "", AUDITING, 12545, SUCCESS, (("TargetUserName", "string"),))  # no reader's event


def bind(number: int, computer: str = "one.example", **fields: Any) -> Record:
    return Record(5158, 0, START + number * SECOND, number, computer, {"SourcePort": str(number % 7), **fields})


def events_of_every_table(first: int = 1) -> list[Record]:
    """One record per table and a second kind of WFP event."""
    kinds = [(5158, 0), (4688, 2), (5447, 0), (4946, 0), (4608, 0), (5157, 1)]
    return [
        Record(event_id, version, START + (first + n) * SECOND, first + n, "one.example", {})
        for n, (event_id, version) in enumerate(kinds)
    ]


def log(path: Path, records: Sequence[Record]) -> Path:
    write_log(path, records)
    return path


@pytest.fixture
def unite(tmp_path: Path):
    """Write logs, read them and stack them: tables, and (input, what) of the notes."""

    def run(**logs: Sequence[Record]):
        read = [(name, read_evtx(log(tmp_path / name, records), name)) for name, records in logs.items()]
        tables, notes = overlap.unite(read)
        assert {(note.place, note.severity) for note in notes} <= {(None, "note")}
        for table, frame in tables.items():
            assert dict(frame.dtypes.astype(str)) == frames.EVENT_SCHEMAS[table]
        return tables, [(note.input, note.what) for note in notes]

    return run


def rows(frame: pd.DataFrame) -> list[tuple[str, int]]:
    return list(zip(frame["input"].astype(str), frame["record_id"].astype(int), strict=True))


# ------------------------------------------------------------------------------------------- what is the same record


def test_two_exports_of_one_log_count_what_they_share_once(unite):
    records = [bind(number) for number in range(1, 301)]
    tables, notes = unite(old=records[:200], new=records[150:])
    assert rows(tables["wfp"]) == [("old", n) for n in range(1, 201)] + [("new", n) for n in range(201, 301)]
    assert notes == [("new", "50 records are also in old: counted once")]


def test_all_five_tables_are_united(unite):
    one, two = events_of_every_table(), events_of_every_table(100)
    tables, notes = unite(a=one, b=[*one, *two])
    assert {name: len(frame) for name, frame in tables.items()} == {name: 4 if name == "wfp" else 2 for name in TABLES}
    for frame in tables.values():
        assert collections.Counter(frame["input"]) == {"a": len(frame) / 2, "b": len(frame) / 2}
    assert notes == [("b", "all that is read of a (6 records) is also in this log: counted once")]


def test_a_log_inside_another_is_told(unite):
    records = [bind(number) for number in range(1, 101)]
    tables, notes = unite(whole=records, chosen=records[::9])
    assert rows(tables["wfp"]) == [("whole", n) for n in range(1, 101)]
    assert notes == [("chosen", "all that is read of this log (12 records) is also in whole: counted once")]


def test_the_same_records_in_other_files_are_told(unite):
    records = [bind(number) for number in range(1, 4)]
    others = [Record(4634, 0, START, 77, "one.example", {}, shape=LOGOFF)]
    tables, notes = unite(a=records, b=[*records, *others])
    assert len(tables["wfp"]) == 3
    assert notes == [("b", "what is read of this log is the same as of a (3 records): counted once")]


def test_a_single_record_is_said_as_one(unite):
    _, notes = unite(a=[bind(1), bind(2)], b=[bind(2), bind(3)])
    assert notes == [("b", "1 record is also in a: counted once")]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"fields": {"SourcePort": "9999"}}, id="a number"),
        pytest.param({"fields": {"SourcePort": "5", "Application": r"\device\a.exe"}}, id="a text where none was"),
        pytest.param({"fields": {}}, id="a number missing"),
        pytest.param({"fields": {"SourcePort": "5", "FilterRTID": 0}}, id="zero and missing"),
        pytest.param({"fields": {"SourcePort": "word"}}, id="an unknown field"),
        pytest.param({"time": START + 5 * SECOND + 1}, id="100 ns later"),
        pytest.param({"event_id": 5154}, id="another event"),
        pytest.param({"computer": "two.example"}, id="another computer"),
        pytest.param({"computer": "one.elsewhere"}, id="another domain"),
        pytest.param({"computer": "one"}, id="a short name"),
        pytest.param({"channel": "ForwardedEvents"}, id="another channel"),
    ],
)
def test_equal_ids_with_anything_else_different_are_kept(unite, other):
    record = bind(5)
    tables, notes = unite(a=[bind(4), record], b=[dataclasses.replace(record, **other), bind(6)])
    assert len(tables["wfp"]) == 4
    assert notes == []


@pytest.mark.parametrize("other", [{"computer": "ONE.Example"}, {"channel": "SECURITY"}], ids=["computer", "channel"])
def test_names_that_windows_compares_without_case_are_so_compared(unite, other):
    tables, notes = unite(a=[bind(5)], b=[dataclasses.replace(bind(5), **other), bind(6)])
    assert rows(tables["wfp"]) == [("a", 5), ("b", 6)]
    assert len(notes) == 1


def test_unknown_fields_are_compared_by_value(unite):
    one = bind(1, SourcePort="word")
    tables, _ = unite(a=[one], b=[one, bind(2, SourcePort="other")])
    assert rows(tables["wfp"]) == [("a", 1), ("b", 2)]


def test_texts_are_compared_whatever_other_texts_a_log_holds(unite):
    paths = [bind(n, Application=rf"\device\{n % 50}.exe") for n in range(1, 200)]
    tables, notes = unite(a=paths[:120], b=list(paths[60:]))
    assert rows(tables["wfp"]) == [("a", n) for n in range(1, 121)] + [("b", n) for n in range(121, 200)]
    assert tables["wfp"]["application"].astype(str).tolist() == [rf"\device\{n % 50}.exe" for n in range(1, 200)]
    assert len(notes) == 1


def test_two_computers_that_count_alike_share_nothing(unite):
    tables, notes = unite(a=[bind(n) for n in range(1, 50)], b=[bind(n, "two.example") for n in range(1, 50)])
    assert len(tables["wfp"]) == 98
    assert notes == []


def test_records_without_an_id_are_never_the_same():
    frame = core_build.wfp({"record_id": None}, {"record_id": None})
    assert len(overlap.also_in(frame, frame, (0, 2**64 - 1))) == 0


# --------------------------------------------------------------------------------------------------- repeats, several


def test_repeats_inside_a_log_stay_as_often_as_one_log_holds_them(unite):
    record, other = bind(5), bind(5, SourcePort="9")
    for logs in ({"a": [record] * 3, "b": [record]}, {"a": [record], "b": [record] * 3}):
        tables, notes = unite(**logs)
        assert len(tables["wfp"]) == 3
        assert len(notes) == 1
    tables, notes = unite(a=[record, other, record, bind(6)], b=[other, bind(6), record, record, record])
    assert rows(tables["wfp"]) == [("a", 5), ("a", 5), ("a", 5), ("a", 6), ("b", 5)]
    assert notes == [("b", "all that is read of a (4 records) is also in this log: counted once")]


def test_one_log_of_several_computers_that_count_alike(unite):
    records = [bind(n, computer) for n in range(1, 60) for computer in ("one.example", "two.example")]
    tables, notes = unite(a=records[:80], b=records[40:])
    assert len(tables["wfp"]) == len(records)
    assert notes == [("b", "40 records are also in a: counted once")]


def test_three_logs_are_told_pair_by_pair(unite):
    records = [bind(number) for number in range(1, 101)]
    tables, notes = unite(a=records[:40], b=records[30:70], c=records[20:])
    assert rows(tables["wfp"]) == (
        [("a", n) for n in range(1, 41)] + [("b", n) for n in range(41, 71)] + [("c", n) for n in range(71, 101)]
    )
    assert notes == [
        ("b", "10 records are also in a: counted once"),
        ("c", "20 records are also in a: counted once"),
        ("c", "30 records are also in b: counted once"),
    ]


def test_a_log_that_does_not_overlap_stays_as_it_is(unite, tmp_path: Path):
    records = events_of_every_table()
    alone = read_evtx(log(tmp_path / "alone", records), "alone")
    tables, notes = overlap.unite([("alone", alone)])
    assert notes == []
    for name in TABLES:
        pd.testing.assert_frame_equal(tables[name], alone.tables[name])
    assert overlap.unite([])[1] == []
    tables, notes = unite(a=records, b=events_of_every_table(50), empty=[])
    assert (sum(len(frame) for frame in tables.values()), notes) == (12, [])


# ------------------------------------------------------------------------------------------------------ any two parts


@functools.cache
def empty(table: str) -> pd.DataFrame:
    return frames.empty(frames.EVENT_SCHEMAS[table])


def made(name: str, frame: pd.DataFrame) -> tuple[str, EvtxLog]:
    """A log of one table, as the reader gives it, without a file."""
    tables = {**{table: empty(table) for table in TABLES}, "wfp": frame}
    return name, EvtxLog(tables, (), len(frame), None, None, (), {}, selective=False, id_gaps=())


@functools.cache
def every_pair() -> pd.DataFrame:
    """Rows of ids 0 to 9 with ports missing, 1 and 2, all of one time."""
    pairs = [(number, port) for number in range(10) for port in range(3)]
    rows = [{"record_id": n, "source_port": port or None, "application": f"{port}.exe"} for n, port in pairs]
    return core_build.wfp(*rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 2), st.sampled_from([1, 2, 3])), min_size=1, max_size=30))
def test_any_parts_give_the_whole(plan: list[tuple[int, int, int]]) -> None:
    """Ids and contents repeat freely; each record goes to the first log, the second, or both."""
    logs: list[list[tuple[int, int]]] = [[], []]
    for number, port, where in plan:
        for at, part in enumerate(logs):
            if where & 1 << at:
                part.append((number, port))
    read = []
    for at, part in enumerate(logs):
        frame = every_pair().iloc[[3 * number + port for number, port in part]].reset_index(drop=True)
        named = pd.Categorical([str(at)] * len(frame), categories=pd.Index([str(at)], dtype="str"))
        read.append(made(str(at), frame.assign(offset=np.arange(len(frame)) * 512, input=named)))
    frame = overlap.unite(read)[0]["wfp"]
    ports = frame["source_port"].fillna(0).astype(int)
    held = [collections.Counter(part) for part in logs]
    assert collections.Counter(zip(frame["record_id"].astype(int), ports, strict=True)) == held[0] | held[1]
    assert (frame["input"] == "0").sum() == held[0].total()
    order = list(zip(frame["input"].astype(str), frame["offset"], strict=True))
    assert order == sorted(order)


@functools.cache
def ticket_records() -> tuple[Record, ...]:
    return tuple(next(iter(win10.ticket().logs.values())).records)


@functools.cache
def ticket_state() -> bytes:
    return write_state(next(iter(win10.ticket().states.values())))


def analyzed(folder: Path, **logs: Sequence[Record]) -> Analysis:
    paths = [log(folder / f"{name}.evtx", records) for name, records in logs.items()]
    state = folder / "wfpstate.xml"
    state.write_bytes(ticket_state())
    return analyze([*paths, state])


def events(result: Analysis) -> list[dict[str, Any]]:
    frame = result.events.drop(columns="input").sort_values("record_id", kind="stable")
    return json.loads(frame.astype(object).to_json(orient="records", default_handler=str))


def told(result: Analysis) -> list[Any]:
    """What the result says, but for the files that it cites and the order of events of one instant."""
    document = json.loads(report_json(result))
    for verdict in document["verdicts"]:
        verdict["record_ids"].sort()
    document["verdicts"].sort(key=lambda item: json.dumps(item, sort_keys=True))
    for finding in document["findings"]:
        for item in finding["evidence"]:
            item["input"] = None
    return [document[name] for name in ("verdicts", "findings", "answer", "timeline", "programs")] + [
        document["coverage"][name] for name in ("first", "last", "by_event_id", "state_fits", "why")
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analyzed(tmp_path_factory.mktemp("whole"), security=ticket_records())


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_split_log_gives_the_verdicts_of_the_whole(
    whole: Analysis, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    records = ticket_records()
    one, other = sorted(data.draw(st.tuples(*[st.integers(1, len(records) - 1)] * 2)))
    parts = [records[:other], records[one:]]
    first, second = data.draw(st.permutations(parts))
    result = analyzed(tmp_path_factory.mktemp("split"), first=first, second=second)
    assert told(result) == told(whole)
    assert events(result) == events(whole)


def test_a_selective_export_beside_the_whole_log_changes_nothing(whole: Analysis, tmp_path: Path) -> None:
    records = ticket_records()
    chosen = [record for record in records if record.event_id in (5157, 4688)]
    for logs in ({"all": records, "chosen": chosen}, {"chosen": chosen, "all": records}):
        assert told(analyzed(tmp_path, **logs)) == told(whole)


def test_inputs_say_what_the_files_hold_and_citations_lead_there(whole: Analysis, tmp_path: Path) -> None:
    records = ticket_records()
    half = len(records) // 2
    parts = {"old": records[: half + 20], "new": records[half - 20 :]}
    result = analyzed(tmp_path, **parts)
    inputs: dict[str, InputFile] = {item.name: item for item in result.inputs}
    for name, part in parts.items():
        assert inputs[f"{name}.evtx"].records == len(part)
        assert inputs[f"{name}.evtx"].events == sum(5150 <= r.event_id <= 5159 or r.event_id == 5031 for r in part)
    (note,) = [item for item in result.problems if "counted once" in item.what]
    assert (note.input, note.severity) == ("new.evtx", "note")
    assert sum(result.coverage.by_event_id.values()) == len(result.events) == len(whole.events)
    assert sum(item.count for item in result.verdicts) == sum(item.count for item in whole.verdicts)
    held = {f"{name}.evtx": {record.record_id for record in part} for name, part in parts.items()}
    cited = [item for finding in result.findings for item in finding.evidence if item.record_id is not None]
    assert cited
    assert all(item.record_id in held[item.input] for item in cited)
    assert all(
        number in held[str(name)]
        for name, number in zip(result.events["input"], result.events["record_id"], strict=True)
    )
    markers = [marker for marker in result.coverage.markers if marker.record_id is not None]
    assert all(marker.record_id in held[marker.input] for marker in markers)


def test_a_copy_of_a_file_is_read_once_as_before(tmp_path: Path) -> None:
    records = ticket_records()
    result = analyzed(tmp_path, one=records, two=records)
    assert [item.kind for item in result.inputs] == ["evtx", "wfpstate"]
    assert [item.what for item in result.problems if "read once" in item.what] == [
        "the same content as one.evtx: read once"
    ]
    assert not any("counted once" in item.what for item in result.problems)


# --------------------------------------------------------------------------------------------------------------- cost


def large(name: str, numbers: np.ndarray[Any, Any]) -> tuple[str, EvtxLog]:
    """A log of binds as the reader gives it, without a file."""
    small = core_build.wfp({"input": name}, {"input": name, "application": "other"})
    frame = small.iloc[numbers % 2].reset_index(drop=True)
    frame["record_id"] = pd.array(numbers, dtype="UInt64")
    frame["time"] = pd.to_datetime(core_build.START + numbers * 100, utc=True, unit="ns")
    return made(name, frame)


@pytest.mark.parametrize("shape", ["rising", "one id", "shuffled"])
def test_work_stays_in_bounds(shape: str) -> None:
    """No comparison of all with all, whatever the ids are; the bound is loose, it tells seconds from minutes."""
    numbers = np.arange(200_000)
    if shape == "one id":
        numbers = np.zeros_like(numbers)
    elif shape == "shuffled":
        np.random.default_rng(1).shuffle(numbers)
    logs = [large("a", numbers), large("b", numbers[::-1].copy() if shape == "shuffled" else numbers)]
    began = time.monotonic()
    tables, notes = overlap.unite(logs)
    assert time.monotonic() - began < 10
    assert len(tables["wfp"]) == 200_000
    assert [note.what for note in notes] == [
        "what is read of this log is the same as of a (200,000 records): counted once"
    ]
