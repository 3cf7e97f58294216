"""Damage: what it costs, what is said about it, and that nothing hangs or raises."""

from __future__ import annotations

import random
import signal
import struct
import zlib
from typing import TYPE_CHECKING

import evtx_build as build
import pytest
from evtx_build import El, Sub, data, event, system_values, text

from analyzer.readers.evtx import EvtxLog, guard, read_evtx

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 0x1000
CHUNK = 0x10000


@pytest.fixture(autouse=True)
def _bounded():
    """End a test that hangs; generous, since this is no measurement."""

    def stop(*_):
        raise TimeoutError("reading did not end")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def real(shared: Path) -> bytes:
    """Five chunks of a real log, as a whole log."""
    whole = (shared / "evtx" / "firewall-disabled-5447-4950.evtx").read_bytes()
    head = bytearray(whole[:HEAD])
    struct.pack_into("<H", head, 0x2A, 5)
    struct.pack_into("<I", head, 0x7C, zlib.crc32(head[:0x78]))
    return bytes(head) + whole[HEAD : HEAD + 5 * CHUNK]


@pytest.fixture(scope="module")
def whole(real: bytes, tmp_path_factory) -> EvtxLog:
    return read(tmp_path_factory.mktemp("whole"), real)


def read(folder: Path, content: bytes) -> EvtxLog:
    path = folder / "log.evtx"
    path.write_bytes(content)
    return read_evtx(path, "log.evtx")


def fix_crc(content: bytearray, chunk: int) -> None:
    at = HEAD + chunk * CHUNK
    (used,) = struct.unpack_from("<I", content, at + 0x30)
    struct.pack_into("<I", content, at + 0x34, zlib.crc32(content[at + 0x200 : at + used]))
    struct.pack_into("<I", content, at + 0x7C, zlib.crc32(content[at : at + 0x78] + content[at + 0x80 : at + 0x200]))


def rows(log: EvtxLog, *, but_not: range = range(0)) -> dict[int, str]:
    """Return the rows as text by offset, without those in a range of offsets."""
    return {
        row[1]: str(row)
        for frame in log.tables.values()
        for row in frame.itertuples(index=False, name=None)
        if row[1] not in but_not
    }


def records_of(content: bytes, chunk: int) -> list[int]:
    """Return the offsets of a chunk's records in the file."""
    at = HEAD + chunk * CHUNK + 0x200
    out = []
    while content[at : at + 4] == b"**\0\0":
        out.append(at)
        at += struct.unpack_from("<I", content, at + 4)[0]
    return out


def chunk_range(chunk: int) -> range:
    return range(HEAD + chunk * CHUNK, HEAD + (chunk + 1) * CHUNK)


def said(log: EvtxLog, severity: str) -> list[str]:
    assert all(problem.input == "log.evtx" for problem in log.problems)
    return [f"{problem.place}: {problem.what}" for problem in log.problems if problem.severity == severity]


def test_the_undamaged_log_has_no_problems(whole):
    assert whole.records == 125
    assert [problem.severity for problem in whole.problems] == ["note"]  # it begins with its being cleared


def test_cut_in_the_middle_of_a_chunk(tmp_path, real, whole):
    starts = records_of(real, 3)
    cut = starts[10] + 100
    log = read(tmp_path, real[:cut])
    assert rows(log) == {offset: row for offset, row in rows(whole).items() if offset < starts[10]}
    lost = said(log, "lost")
    assert any(
        line.startswith(f"chunk 3, offset 0x{starts[10]:x}, record") and "file ends inside" in line for line in lost
    )
    assert any("counts 5 chunks, 4 are in the file" in line for line in lost)


def test_every_length_of_a_small_log(tmp_path):
    log = build.Log()
    log.add(event(El("EventData", {}, [data("Application", Sub(5))])), [*system_values(5157), text("a")])
    content = log.file()
    for length in [*range(0, 0x90, 7), *range(0xFF8, 0x1008), *range(0x1000, 0x1800, 31)]:
        assert read(tmp_path, content[:length]).records <= 1


def test_a_zeroed_chunk_costs_that_chunk(tmp_path, real, whole):
    content = bytearray(real)
    content[HEAD + 2 * CHUNK : HEAD + 3 * CHUNK] = bytes(CHUNK)
    log = read(tmp_path, content)
    assert rows(log) == rows(whole, but_not=chunk_range(2))
    assert said(log, "lost") == [
        "chunk 2, offset 0x21000: zeros in the place of a chunk, between others in use: what was there is lost"
    ]


def test_a_zeroed_last_chunk_that_the_header_counts(tmp_path, real, whole):
    content = bytearray(real)
    content[HEAD + 4 * CHUNK :] = bytes(CHUNK)
    log = read(tmp_path, content)
    assert rows(log) == rows(whole, but_not=chunk_range(4))
    assert "that the file header counts" in said(log, "lost")[0]


def test_two_logs_in_one_file(tmp_path, real, whole):
    log = read(tmp_path, real + real)
    assert rows(log) == rows(whole)
    (lost,) = said(log, "lost")
    assert lost.startswith(f"offset 0x{len(real):x}: another event log begins here, behind this one: it is not read")
    assert said(log, "note") == said(whole, "note")


def test_unused_room_behind_the_last_chunk_is_no_problem(tmp_path, real, whole):
    log = read(tmp_path, real + bytes(3 * CHUNK))
    assert log.problems == whole.problems
    assert rows(log) == rows(whole)


@pytest.mark.parametrize("at", [0x18, 0x20, 0x28, 0x2C, 0x30, 0x31, 0x34, 0x7C, 0x80, 0x100, 0x180])
def test_bits_in_a_chunk_header_cost_nothing(tmp_path, real, whole, at):
    content = bytearray(real)
    content[HEAD + CHUNK + at] ^= 0x10
    log = read(tmp_path, content)
    assert rows(log) == rows(whole)
    assert log.records == whole.records
    assert any(line.startswith("chunk 1, offset 0x110") and "checksum" in line for line in said(log, "doubtful"))


def test_the_mark_of_a_chunk_is_damaged(tmp_path, real, whole):
    content = bytearray(real)
    content[HEAD + CHUNK + 3] ^= 0x20
    log = read(tmp_path, content)
    assert rows(log) == rows(whole)
    assert any(line.startswith("chunk 1, offset 0x11000") and "mark" in line for line in said(log, "doubtful"))


@pytest.mark.parametrize("field", [0, 4, "copy"])
@pytest.mark.parametrize("index", [0, 5, -1])
def test_a_damaged_mark_or_size_of_a_record_costs_nothing(tmp_path, real, whole, field, index):
    content = bytearray(real)
    start = records_of(real, 1)[index]
    (size,) = struct.unpack_from("<I", content, start + 4)
    content[start + (size - 4 if field == "copy" else field)] ^= 0x44
    log = read(tmp_path, content)
    assert rows(log) == rows(whole)
    doubts = said(log, "doubtful")
    assert any(f"offset 0x{start:x}, record" in line for line in doubts)


def test_a_record_that_is_wiped_costs_that_record(tmp_path, real, whole):
    content = bytearray(real)
    start, after = records_of(real, 1)[5:7]
    content[start:after] = bytes(after - start)
    log = read(tmp_path, content)
    assert set(rows(whole)) - set(rows(log)) == {start}
    (lost,) = said(log, "lost")
    assert f"offset 0x{start:x}, record" in lost
    assert "1 records lost" in lost


@pytest.mark.parametrize("offset", [0, 5, 0x200, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_template_offset_out_of_place_costs_that_record(tmp_path, real, whole, offset):
    content = bytearray(real)
    start = records_of(real, 1)[-1]
    struct.pack_into("<I", content, start + 24 + 4 + 6, offset)
    log = read(tmp_path, content)
    assert rows(log, but_not=range(start, start + 1)) == rows(whole, but_not=range(start, start + 1))
    assert any(f"offset 0x{start:x}, record" in line for line in said(log, "lost"))


def test_a_template_offset_into_itself(tmp_path, real, whole):
    content = bytearray(real)
    start = records_of(real, 1)[-1]
    for shift in range(0, 0x60, 9):
        struct.pack_into("<I", content, start + 24 + 4 + 6, start + shift - HEAD - CHUNK)
        log = read(tmp_path, content)
        assert rows(log, but_not=chunk_range(1)) == rows(whole, but_not=chunk_range(1))


def test_descriptor_sizes_that_overrun(tmp_path):
    log = build.Log()
    template = event(El("EventData", {}, [data("Application", Sub(5))]))
    for record_id in range(1, 5):
        log.add(template, [*system_values(5157, record_id), text("app")])
    content = bytearray(log.file())
    start = HEAD + log.starts[2]
    descriptors = start + 24 + 14 + 4
    struct.pack_into("<H", content, descriptors + 4 * 5, 0xFFF0)
    fix_crc(content, 0)
    result = read(tmp_path, content)
    assert result.tables["wfp"]["record_id"].tolist() == [1, 2, 4]
    reason = "this record cannot be read: the sizes of its values reach out of the record"
    assert said(result, "lost") == [f"chunk 0, offset 0x{start:x}, record 3: {reason}"]


def test_more_values_than_there_is_room(tmp_path):
    log = build.Log()
    log.add(event(El("EventData")), system_values(5157, 1))
    log.add(event(El("EventData")), system_values(5157, 2))
    content = bytearray(log.file())
    at = content.index(struct.pack("<IHB", 5, 2, 6), HEAD + log.starts[1])
    struct.pack_into("<I", content, at, 0xFFFFFFFF)
    result = read(tmp_path, content)
    assert result.tables["wfp"]["record_id"].tolist() == [1]
    assert any("more values than" in line for line in said(result, "lost"))


def test_a_wiped_file_header_costs_nothing(tmp_path, real, whole):
    log = read(tmp_path, bytes(HEAD) + real[HEAD:])
    assert rows(log) == rows(whole)
    assert "file header is damaged" in said(log, "doubtful")[0]


def test_a_missing_file_header_costs_nothing(tmp_path, real, whole):
    assert read(tmp_path, real[HEAD:]).records == whole.records


@pytest.mark.parametrize("dirty", [True, False])
def test_a_header_that_counts_no_chunks_costs_nothing(tmp_path, real, whole, dirty):
    content = bytearray(real)
    struct.pack_into("<H", content, 0x2A, 0)
    struct.pack_into("<I", content, 0x78, int(dirty))
    struct.pack_into("<I", content, 0x7C, zlib.crc32(content[:0x78]))
    log = read(tmp_path, content)
    assert rows(log) == rows(whole)
    assert log.problems == whole.problems


def test_string_and_template_chains_that_point_at_themselves(tmp_path, real, whole):
    content = bytearray(real)
    base = HEAD + CHUNK
    for table, count in ((0x80, 64), (0x180, 32)):
        for slot in range(count):
            (first,) = struct.unpack_from("<I", content, base + table + 4 * slot)
            if first:
                struct.pack_into("<I", content, base + first, first)
            else:
                struct.pack_into("<I", content, base + table + 4 * slot, 0x200)
    fix_crc(content, 1)
    log = read(tmp_path, content)
    assert rows(log) == rows(whole)
    assert log.problems == whole.problems


def test_a_template_that_holds_itself(tmp_path):
    log = build.Log()
    template = event(El("EventData"))
    log.add(template, system_values(5157))
    content = bytearray(log.file())
    definition = log.definitions[id(template)]
    body = HEAD + definition + 24
    struct.pack_into("<BBII", content, body + 4, 0x0C, 1, 1, definition)
    result = read(tmp_path, content)
    assert result.records == 1
    assert any("template definition" in line for line in said(result, "lost"))


def test_overlapping_definitions_are_bounded(tmp_path):
    """Each record names another offset inside one long definition; all of them would have to be walked."""
    log = build.Log()
    log.add(event(*(El(f"E{n}", {}, [Sub(0)]) for n in range(400))), system_values(5157))
    template = event(El("EventData"))
    for record_id in range(200):
        log.add(template, system_values(5157, record_id))
    content = bytearray(log.file())
    for shift, start in enumerate(log.starts[2:]):
        offset = 0x300 + shift * 20
        struct.pack_into("<I", content, HEAD + start + 24 + 4 + 6, offset)
        struct.pack_into("<I", content, HEAD + offset + 20, 0x4000)
    fix_crc(content, 0)
    assert read(tmp_path, content).records == 201


def test_one_long_value_that_is_used_a_thousand_times_is_bounded(tmp_path):
    log = build.Log()
    fields = [data(f"N{n}", Sub(5)) for n in range(300)]
    log.add(event(El("EventData", {}, fields)), [*system_values(5157), text("long " * 2000)])
    log.add(event(El("EventData", {}, [data("Application", Sub(5))])), [*system_values(5157, 2), text("a")])
    result = read(tmp_path, log.file())
    assert result.records == 2
    assert any("unfold" in problem.what for problem in result.problems)
    kept = sum(len(value) for extra in result.tables["wfp"]["extra"] if extra for value in extra.values())
    assert kept < 2**22


def test_fragments_that_unfold_again_and_again_are_bounded(tmp_path):
    """Each level uses the next one 60 times."""
    nest = (El("EventData", {}, [data("Application", Sub(0))]), [text("deep")])
    for _ in range(3):
        nest = (El("EventData", {}, [El("Data", {}, [Sub(0, 0x21)]) for _ in range(60)]), [(0x21, nest)])
    log = build.Log()
    log.add(event(Sub(5, 0x21)), [*system_values(5157), (0x21, nest)])
    result = read(tmp_path, log.file())
    assert result.records == 1
    assert any("unfold" in problem.what for problem in result.problems)


def test_a_chunk_full_of_marks_is_bounded(tmp_path):
    log = build.Log()
    log.add(event(El("EventData")), system_values(5157))
    content = bytearray(log.file())
    for at in range(HEAD + 0x200, HEAD + CHUNK - 28, 28):
        struct.pack_into("<4sIQ", content, at, b"**\0\0", 28, (at - HEAD - 0x200) // 28 + 1)
        content[at + 16 : at + 28] = b"**\0\0" * 3
    assert read(tmp_path, content).records > 0


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        (lambda: nested(40), "inside each other"),
        (lambda: El("Event", {}, [Sub(0)] * 3000), "more than 2048 tokens"),
        (lambda: El("Event", {"a": "x" * 60000}, []), None),
        (lambda: El("E" * 2000, {}, ["x"]), "a name of 2000 characters"),
    ],
)
def test_bounds_of_the_guard(root, reason):
    body = build.fragment(root(), 0x400)
    chunk = bytes(0x400) + body
    if reason is None:
        assert guard.check(chunk, 0x400, len(chunk), in_template=True).end == len(chunk)
    else:
        with pytest.raises(guard.RefusedError, match=reason):
            guard.check(chunk, 0x400, len(chunk), in_template=True)


def test_names_that_repeat_do_not_blow_up():
    """Thousands of references to one long name would be written out thousands of times."""
    name = struct.pack("<IHH", 0, 0, 1000) + "n".encode("utf-16-le") * 1000 + b"\0\0"
    at = 0x200 + len(name)
    body = b"\x01\xff\xff" + bytes(4) + struct.pack("<I", 0x200) + b"\x02"
    body += (b"\x01\xff\xff" + bytes(4) + struct.pack("<I", 0x200) + b"\x03") * 1000 + b"\x04\x00"
    chunk = bytes(0x200) + name + body
    with pytest.raises(guard.RefusedError, match="written out"):
        guard.check(chunk, at, len(chunk), in_template=True)


def nested(depth: int) -> El:
    node = El("E", {}, ["x"])
    for _ in range(depth):
        node = El("E", {}, [node])
    return node


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"hello, this is no log\n" * 300, "plain text"),
        ("Größe\n".encode() * 2000, "plain text"),
        (b"<?xml version='1.0'?><Events/>", "XML"),
        (b"PK\x03\x04" + bytes(100), "ZIP"),
        (b"\x30\0\0\0LfLe" + bytes(100), "Windows XP"),
        (bytes(200_000), "zeros"),
        (bytes(range(256)) * 1000, "no event log"),
        (b"ElfFile\0" + bytes(4088), "without any readable chunk"),
        (b"ElfFile\0", "no event log"),
        (b"E", "plain text"),
    ],
)
def test_files_that_are_no_log_say_what_they_are(tmp_path, content, words):
    log = read(tmp_path, content)
    assert log.records == 0
    assert (log.first, log.last, log.computers, log.channels) == (None, None, (), {})
    assert all(len(frame) == 0 for frame in log.tables.values())
    if content == b"ElfFile\0" + bytes(4088):
        assert [problem.severity for problem in log.problems] == ["note"]
    else:
        assert words in said(log, "lost")[0]


def test_a_path_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_evtx(tmp_path / "none.evtx", "none.evtx")


def test_equal_problems_are_folded(tmp_path):
    log = build.Log()
    template = event(El("EventData"))
    for record_id in range(50):
        log.add(template, system_values(5157, record_id, time=0))
    result = read(tmp_path, log.file(chunks=2))
    assert len(result.problems) <= 10
    assert "92 more like this" in result.problems[-1].what


@pytest.mark.parametrize("seed", range(4))
def test_mutants_do_not_raise_and_leave_other_chunks_alone(tmp_path, real, whole, seed):
    """Bytes of one chunk are changed at random; the rows of the other chunks stay what they are."""
    random_ = random.Random(seed)
    small = bytearray(real[: HEAD + 2 * CHUNK])
    struct.pack_into("<H", small, 0x2A, 2)
    struct.pack_into("<I", small, 0x7C, zlib.crc32(small[:0x78]))
    untouched = {offset: row for offset, row in rows(whole).items() if offset in chunk_range(0)}
    for _ in range(60):
        content = bytearray(small)
        for _ in range(random_.choice((1, 1, 3, 30))):
            at = random_.choice((0, 0x200, 0x218, random_.randrange(CHUNK)))
            content[HEAD + CHUNK + min(at + random_.randrange(0x80), CHUNK - 1)] = random_.choice(
                (0, 1, 0xFF, random_.randrange(256))
            )
        if random_.random() < 0.5:
            fix = struct.unpack_from("<I", content, HEAD + CHUNK + 0x30)[0]
            if 0x200 <= fix <= CHUNK:
                fix_crc(content, 1)
        log = read(tmp_path, content)
        assert rows(log, but_not=chunk_range(1)) == untouched


@pytest.mark.parametrize("name", ["security-short-5152-5157.evtx", "rdp-tunnel-5156-5158-4688.evtx"])
def test_single_byte_mutants_of_small_logs(tmp_path, shared, name):
    content = (shared / "evtx" / name).read_bytes()
    (used,) = struct.unpack_from("<I", content, HEAD + 0x30)
    random_ = random.Random(name)
    for _ in range(80):
        mutant = bytearray(content)
        mutant[random_.randrange(HEAD + used)] ^= 1 << random_.randrange(8)
        log = read(tmp_path, mutant)
        assert log.records >= 1
