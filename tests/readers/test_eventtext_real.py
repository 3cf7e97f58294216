"""Real logs as text: what other readers render of a log reads back as the log itself; and public events of shippers."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from functools import cache

import pandas as pd
import pytest

from analyzer.readers.eventjson import read_event_json
from analyzer.readers.eventxml import read_event_xml
from analyzer.readers.evtx import read_evtx
from analyzer.wfp import codes

# Renders a log with another reader, in a process of its own that can be killed.
RENDER = {
    "wheel-xml": """
import evtx, sys
records = evtx.PyEvtxParser(sys.argv[1]).records()
while True:
    try:
        sys.stdout.write(next(records)["data"] + "\\n")
    except StopIteration:
        break
    except RuntimeError:
        pass  # an empty chunk
""",
    "wheel-json": """
import evtx, sys
records = evtx.PyEvtxParser(sys.argv[1]).records_json()
while True:
    try:
        sys.stdout.write(next(records)["data"] + "\\n")
    except StopIteration:
        break
    except RuntimeError:
        pass  # an empty chunk
""",
    "python-evtx": """
import sys
from Evtx.Evtx import Evtx
with Evtx(sys.argv[1]) as log:
    for record in log.records():
        sys.stdout.write(record.xml())
""",
}
TIMEOUT = 200
# Logs that all three read whole, and that hold events of interest.
LOGS = [
    "evtx/security-short-5152-5157.evtx",
    "evtx/rdp-tunnel-5156-5158-4688.evtx",
    "evtx/domain-admins-5156-5158.evtx",
    "evtx-corpus/post-Security.evtx",
]
# Logs that the wheel renders without loss; python-evtx takes minutes for them, or loses records.
LARGE = [
    "evtx-corpus/sysmon.evtx",
    "evtx/firewall-disabled-5447-4950.evtx",
    "evtx-corpus/2-vss_7-System.evtx",
    "evtx-corpus/security.evtx",
    "evtx-corpus/system.evtx",
]
# What other readers say differently, and why: both cut times to microseconds, python-evtx by way of a float; it
# also fills hexadecimal numbers up with zeros, which shows where a number is kept as text.
TIME = {"wheel-xml": 999, "wheel-json": 999, "python-evtx": 5000}  # ns
TIME_TEXTS = ("previous_time", "new_time", "start_time", "stop_time")


def render(path, how, target):
    with target.open("wb") as out:
        subprocess.run([sys.executable, "-c", RENDER[how], str(path)], stdout=out, timeout=TIMEOUT, check=True)
    reader = read_event_json if how == "wheel-json" else read_event_xml
    return reader(target, "log")


def same_tables(log, other, how):
    """Assert that all tables are equal but for offsets and what is allowed above."""
    for table, frame in log.tables.items():
        mine, theirs = frame, other.tables[table]
        assert len(mine) == len(theirs), table
        for column in mine.columns.drop("offset"):
            left, right = mine[column], theirs[column]
            if column == "time":
                assert (left.isna() == right.isna()).all()
                assert ((left - right).dropna().abs() <= pd.Timedelta(TIME[how], unit="ns")).all()
                continue
            if column in TIME_TEXTS:
                left, right = (text.astype("object").str.slice(0, 25) for text in (left, right))
            pairs = zip(plain(left), plain(right), strict=True)
            assert [(a, b) for a, b in pairs if a != b] == [], (table, column)


def plain(column):
    values = column.astype("object").where(column.notna(), None).tolist()
    return [{k: unfilled(v) for k, v in value.items()} if isinstance(value, dict) else value for value in values]


def unfilled(text):
    """Return a hexadecimal number without leading zeros."""
    return f"0x{int(text, 16):x}" if text.startswith("0x") else text


@pytest.mark.parametrize("how", RENDER)
@pytest.mark.parametrize("name", LOGS)
def test_a_log_as_text_is_the_log(shared, tmp_path, name, how):
    log = read_evtx(shared / name, "log")
    other = render(shared / name, how, tmp_path / "text")
    same_tables(log, other, how)
    assert (other.records, other.computers, other.channels) == (log.records, log.computers, log.channels)
    assert (other.selective, other.id_gaps) == (log.selective, log.id_gaps)
    assert [p for p in other.problems if p.severity == "lost"] == []


@pytest.mark.parametrize("how", ["wheel-xml", "wheel-json"])
@pytest.mark.parametrize("name", LARGE)
def test_a_large_log_as_text_is_the_log(shared, tmp_path, name, how):
    log = read_evtx(shared / name, "log")
    other = render(shared / name, how, tmp_path / "text")
    same_tables(log, other, how)
    assert (other.records, other.computers, other.channels) == (log.records, log.computers, log.channels)
    assert [p for p in other.problems if p.severity == "lost"] == []


def test_the_samples_as_text_are_the_samples(root, tmp_path):
    logs = sorted((root / "samples").rglob("*.evtx"))
    assert logs
    for path in logs:
        log = read_evtx(path, "log")
        for how in RENDER:
            other = render(path, how, tmp_path / "text")
            same_tables(log, other, how)
            assert other.records == log.records


def test_pasted_events_of_the_documentation(shared):
    found = {}
    for path in sorted((shared / "fragments").glob("event_*.xml")):
        log = read_event_xml(path, path.name)
        found |= {row.event_id: row for row in log.tables["wfp"].itertuples()}
        assert log.problems == ()
    assert sorted(found) == [5155, 5159]
    assert (found[5155].process_id, found[5155].source_port, found[5155].layer_code) == (2628, 5555, "%%14609")
    assert found[5155].time.isoformat() == "2019-04-18T03:49:08.507780900+00:00"


# -- public events of log shippers -------------------------------------------------------------------------------

OTRF = "json/otrf_wfp_events.jsonl.gz"


@cache
def otrf(shared):
    log = read_event_json(shared / OTRF, "otrf")
    with gzip.open(shared / OTRF, "rt", encoding="utf-8") as stream:
        return log, [json.loads(line) for line in stream]


def event_id(line):
    return line.get("EventID", line.get("event_id"))


def data_of(line):
    """Return the fields of a line's event, by name without case, as a plain loop finds them."""
    return {key.lower(): value for key, value in line.get("event_data", line).items()}


def test_every_line_is_an_event(shared):
    log, lines = otrf(shared)
    assert log.records == len(lines) == 31_580
    assert [p for p in log.problems if p.severity == "lost"] == []
    wanted = Counter(event_id(line) for line in lines)
    assert sum((Counter(frame["event_id"].tolist()) for frame in log.tables.values()), Counter()) == wanted
    assert (wanted[5031], wanted[5152], wanted[5157], wanted[5441], wanted[5447]) == (16, 209, 47, 57, 6353)


def test_every_field_is_what_a_plain_loop_finds(shared):
    log, lines = otrf(shared)
    by_line = {}
    for table in ("wfp", "filter_change"):
        frame = log.tables[table]
        rows = frame.astype("object").where(frame.notna(), None).to_dict("records")
        by_line |= {row["offset"]: row for row in rows}
    starts = []
    with gzip.open(shared / OTRF) as stream:
        at = 0
        for line in stream:
            starts.append(at)
            at += len(line)
    checked = Counter()
    fields = {
        "sourceaddress": "source_address",
        "destaddress": "dest_address",
        "sourceport": "source_port",
        "destport": "dest_port",
        "filterrtid": "filter_rtid",
        "layerrtid": "layer_rtid",
        "direction": "direction_code",
        "protocol": "protocol",
        "filterorigin": "event_origin",
        "filterid": "filter_rtid",
        "conditions": "conditions",
        "changetype": "change_code",
        "filterkey": "filter_key",
        "weight": "weight",
    }
    for start, line in zip(starts, lines, strict=True):
        row = by_line.get(start)
        if row is None:
            continue
        data = data_of(line)
        for name, column in fields.items():
            if name in data and data[name] not in ("-", ""):
                assert str(row[column]) == data[name], (name, event_id(line))
                checked[name] += 1
    assert checked["filterrtid"] == 24_790  # and 14 whose fields are XML inside the line
    assert checked["filterid"] == 6_410


def test_codes_of_the_lines_have_known_meanings(shared):
    log, _ = otrf(shared)
    wfp, changes = log.tables["wfp"], log.tables["filter_change"]
    assert {codes.event_direction(code) for code in wfp["direction_code"].cat.categories} == {"inbound", "outbound"}
    assert all(codes.layer_text(code) in codes.LAYERS.values() for code in wfp["layer_code"].cat.categories)
    assert {codes.change(code) for code in changes["change_code"].cat.categories} == {"add", "delete"}
    assert {codes.action(code) for code in changes["action_code"].cat.categories} <= {"block", "permit", "callout"}


def test_process_ids_are_those_of_the_messages(shared):
    """Also where the shipper put the number of the record's writer in the place of the field."""
    log, _ = otrf(shared)
    wfp = log.tables["wfp"]
    assert wfp.loc[wfp["event_id"] != 5031, "process_id"].notna().all()
    assert not [p for p in log.problems if "process id" in p.what]


def test_times_lie_where_the_lines_say(shared):
    log, lines = otrf(shared)
    stamps = pd.to_datetime([line["@timestamp"] for line in lines if "@timestamp" in line], utc=True, format="ISO8601")
    assert log.first >= stamps.min() - pd.Timedelta(minutes=2)
    assert log.last <= stamps.max()
    assert sum(frame["time"].isna().sum() for frame in log.tables.values()) == 0


def test_what_is_doubtful_in_the_lines_is_said(shared):
    log, _ = otrf(shared)
    assert sum("names no provider" in p.what for p in log.problems) == 7
    assert any("repeat the id of another record" in p.what for p in log.problems)
    assert any("name no time zone" in p.what for p in log.problems)
