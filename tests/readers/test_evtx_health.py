"""What is said over a whole log: repeats of record ids, the clock, cleared logs, files that change under the reader."""

from __future__ import annotations

import dataclasses
import os
import threading
from typing import TYPE_CHECKING

import pytest

from analyzer.readers.evtx import read_evtx
from samples.evtxwriter import Record, write_log

if TYPE_CHECKING:
    from pathlib import Path

START = 133_800_000_000_000_000  # a FILETIME in 2024
SECOND = 10_000_000
CHUNK, HEAD = 0x10000, 0x1000


def bind(number: int, seconds: float, computer: str = "one.example") -> Record:
    return Record(5158, 0, START + int(seconds * SECOND), number, computer, {"SourcePort": "80"})


@pytest.fixture(params=[True, False], ids=["columns", "records"])
def read(request, tmp_path: Path):
    def run(records: list[Record], blocks: int | None = 1):
        path = tmp_path / "made.evtx"
        write_log(path, records)
        return read_evtx(path, path.name, columns=request.param, block_chunks=blocks)

    return run


def said(log, words: str) -> list[tuple[str, str | None, str]]:
    return [(item.severity, item.place, item.what) for item in log.problems if words in item.what]


def test_repeats_of_record_ids_are_kept_and_told(read):
    records = [bind(number, number) for number in range(1, 400)]
    log = read([*records, *records[100:150]])
    assert log.records == 449
    assert len(log.tables["wfp"]) == 449
    ((severity, place, what),) = said(log, "repeat")
    assert (severity, place) == ("doubtful", "record 101")
    assert what.startswith("50 records repeat")


def test_equal_ids_of_several_computers_are_no_repeats(read):
    records = [bind(number, number, computer) for computer in ("one.example", "two.example") for number in range(1, 90)]
    assert said(read(records), "repeat") == []


def test_a_clock_that_goes_back_is_told(read):
    seconds = [float(number) for number in range(300)]
    seconds[200:] = [number - 3600.5 for number in seconds[200:]]
    log = read([bind(number + 1, value) for number, value in enumerate(seconds)])
    ((severity, place, what),) = said(log, "clock")
    assert (severity, place) == ("note", "record 201")
    assert "went back 1 times" in what
    assert "3599.5 s" in what


def test_records_a_little_out_of_order_are_no_clock_step(read):
    assert read([bind(number, number / 10 + (number % 3)) for number in range(1, 500)]).problems == ()


def test_a_cleared_log_is_told(read):
    cleared = Record(1102, 0, START, 7, "one.example", {"SubjectUserName": "someone"})
    log = read([cleared, *(bind(number, number) for number in range(8, 60))])
    ((severity, place, what),) = said(log, "cleared")
    assert severity == "note"
    assert place == "offset 0x1200, record 7"
    assert "2024" in what


@pytest.mark.parametrize("columns", [True, False])
@pytest.mark.parametrize("change", [-CHUNK - 100, -100, 1, CHUNK])
def test_a_file_that_changes_its_size_while_it_is_read(tmp_path, monkeypatch, columns, change):
    path = tmp_path / "made.evtx"
    write_log(path, [bind(number, number) for number in range(1, 2000)])
    size = path.stat().st_size
    stat, asked = os.fstat, []

    def fstat(descriptor: int):
        if not asked:
            asked.append(stat(descriptor))
            os.truncate(path, size + change)
            return asked[0]
        return stat(descriptor)

    monkeypatch.setattr(os, "fstat", fstat)
    log = read_evtx(path, path.name, columns=columns, block_chunks=2)
    ((severity, _, what),) = said(log, "while it was read")
    assert severity == "lost"
    assert ("shorter" if change < 0 else "grew") in what
    assert log.records > 1000
    assert (log.records < 1999) == (change < -CHUNK)  # the last 100 bytes hold no record


def test_a_file_that_is_written_to_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "made.evtx"
    write_log(path, [bind(number, number) for number in range(1, 200)])
    os.utime(path, (1, 1))
    stat, asked = os.fstat, []

    def fstat(descriptor: int):
        asked.append(stat(descriptor))
        os.utime(path, (2, 2))
        return asked[-1]

    monkeypatch.setattr(os, "fstat", fstat)
    ((severity, _, _),) = said(read_evtx(path, path.name), "while it was read")
    assert severity == "doubtful"


def test_ctrl_c_ends_at_once_and_leaves_no_thread(tmp_path):
    path = tmp_path / "made.evtx"
    write_log(path, [bind(number, number) for number in range(1, 3000)])

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_evtx(path, path.name, stop, columns=True, block_chunks=1)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("evtx")]


def test_more_of_the_same_chunk(tmp_path):
    """A record in the middle of a chunk, read with care, keeps its place among the others."""
    path = tmp_path / "made.evtx"
    records = [bind(number, number) for number in range(1, 300)]
    odd = dataclasses.replace(records[150], fields={"SourcePort": "https"})
    write_log(path, [*records[:150], odd, *records[151:]])
    log = read_evtx(path, path.name, columns=True)
    frame = log.tables["wfp"]
    assert frame["record_id"].tolist() == list(range(1, 300))
    assert frame["extra"][150] == {"SourcePort": "https"}
