"""The EVTX writer: what it writes is read back, field by field, by three readers that are not ours."""

import datetime as dt
import io
import struct

import pytest
from evtx_bytes import check_log, chunks
from evtx_readers import READERS
from written import check

from samples.evtxwriter import SHAPES, Record, write_log
from samples.evtxwriter.values import encode

NOON = dt.datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=dt.UTC)
START = 134_168_832_001_234_567  # a FILETIME with odd 100 ns
VALUES = {
    "string": 'ä €uro "quote" <b>&amp;</b> \u202e',
    "u8": 7,
    "u16": 65535,
    "u32": 2**32 - 1,
    "u64": 2**64 - 1,
    "hex32": 0x800,
    "hex64": 0x8000000000000001,
    "guid": "{decc16ca-3f33-4346-be1e-8fb4ae0f3d62}",
    "sid": "S-1-5-80-864916184-135290571-3087830041-1716922880-4237303741",
    "filetime": START,
}


def every_shape(rounds: int = 1, first: int = 1):
    number = first
    for turn in range(rounds):
        for form in SHAPES.values():
            fields = {name: VALUES[kind] for name, kind in form.fields}
            if turn % 2:  # leave texts out
                fields = {name: fields[name] for name, kind in form.fields if kind != "string"}
            yield Record(
                form.event_id,
                form.version,
                START + number * 10_000_019,
                number,
                "WS-DEMO-11.corp.example",
                fields,
                form.variant,
                thread_id=number,
                activity="{0f3a1c52-7d44-0001-a1b2-c3d4e5f60718}" if number % 3 == 0 else None,
            )
            number += 1


def written(records, **options) -> bytes:
    stream = io.BytesIO()
    write_log(stream, records, **options)
    return stream.getvalue()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("options", [{}, {"style": "text", "minor": 2}, {"renumber": False}])
def test_every_shape_is_read_back(tmp_path, reader, options):
    records = list(every_shape(3, first=1 if "renumber" not in options else 900))
    path = tmp_path / "log.evtx"
    assert write_log(path, records, **options) == len(records)
    read, slack = READERS[reader]
    rows = read(path)
    assert len(rows) == len(records)
    for record, row in zip(records, rows, strict=True):
        check(record, row, 3 * slack)  # python-evtx turns FILETIME into a double of seconds: steps of 2 us


@pytest.mark.parametrize("style", ["values", "text"])
def test_bytes_are_sound_over_many_chunks(style):
    data = written(every_shape(40), style=style)
    assert check_log(data) == 40 * len(SHAPES)
    assert len(chunks(data)) > 5


def test_equal_input_gives_equal_bytes():
    assert written(every_shape(2)) == written(every_shape(2))


def test_chunks_are_filled_but_never_to_the_last_byte(tmp_path):
    """Readers lose the last record of a chunk without any free byte; so none is made, whatever the record sizes."""
    path = tmp_path / "log.evtx"
    for length in range(40):
        records = [
            Record(5031, 0, START + n, n + 1, "WS-DEMO-11", {"Profiles": "P" * length, "Application": "A" * 200})
            for n in range(260)
        ]
        write_log(path, records)
        data = path.read_bytes()
        assert check_log(data) == 260
        assert all(struct.unpack_from("<I", chunk, 48)[0] < 0x10000 for chunk in chunks(data))
        assert len(READERS["libevtx"][0](path)) == 260


def test_two_computers_share_a_chunk(tmp_path):
    records = [Record(4608, 0, START + n, n + 1, f"WS-DEMO-{n % 2}", {}) for n in range(6)]
    path = tmp_path / "log.evtx"
    write_log(path, records)
    for read, _ in READERS.values():
        assert [row.system["Computer"] for row in read(path)] == ["WS-DEMO-0", "WS-DEMO-1"] * 3


def test_an_empty_log_is_a_file_header():
    data = written([])
    assert len(data) == 4096
    assert check_log(data) == 0


def test_live_numbering_carries_the_record_ids():
    data = written(every_shape(1, first=5000), renumber=False)
    assert struct.unpack_from("<Q", data, 4096 + 8)[0] == 5000
    gap = [Record(4608, 0, START, 1, "A", {}), Record(4608, 0, START, 3, "A", {})]
    with pytest.raises(ValueError, match="record number 3 follows 1"):
        written(gap, renumber=False)


def test_what_cannot_be_written_is_refused():
    with pytest.raises(ValueError, match="has no field Colour"):
        written([Record(5031, 0, START, 1, "A", {"Colour": "red"})])
    with pytest.raises(KeyError):
        written([Record(5031, 9, START, 1, "A", {})])
    with pytest.raises(ValueError, match="does not fit"):
        written([Record(5031, 0, START, 1, "A", {"Application": "x" * 33000})])
    with pytest.raises(ValueError, match="without a zone"):
        written([Record(5031, 0, dt.datetime(2026, 1, 1), 1, "A", {})])  # noqa: DTZ001
    with pytest.raises(ValueError, match="not a SID"):
        encode("sid", "Administrator")


def test_datetimes_and_filetimes_are_the_same_time(tmp_path):
    path = tmp_path / "log.evtx"
    write_log(path, [Record(4608, 0, NOON, 1, "A", {})])
    for read, slack in READERS.values():
        assert abs(read(path)[0].time - 1_772_452_800_123_456_000) <= slack


def test_null_is_read_as_nothing(tmp_path):
    """Null values in EventData: libevtx refuses them, the others show nothing."""
    path = tmp_path / "log.evtx"
    write_log(path, [Record(5156, 1, START, 1, "A", {"RemoteUserID": None, "Application": "System"})])
    for name in ("python-evtx", "evtx wheel"):
        fields = READERS[name][0](path)[0].fields
        assert fields["Application"] == "System"
        assert fields["RemoteUserID"] == fields["FilterRTID"] == fields["SourceAddress"] == ""
