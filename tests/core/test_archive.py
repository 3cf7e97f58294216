"""A zip archive as an input: what is read of it, what is refused, and that neither disk nor memory can be filled."""

from __future__ import annotations

import io
import os
import resource
import stat
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import archive, zipmembers
from analyzer.archive import unpack, workspace

if TYPE_CHECKING:
    from pathlib import Path

LOG = b"ElfFile\0" + bytes(range(256)) * 300
CUT = "cut or damaged, and its members were read from its start"


def zipped(*members, method=zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of (name or ZipInfo, content)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, content in members:
            made.writestr(name, content)
    return out.getvalue()


def info(name: str, **more) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, (2026, 3, 4, 10, 15, 22))
    for key, value in more.items():
        setattr(made, key, value)
    return made


class Got:
    """What came out of one archive."""

    def __init__(self, folder: Path, data: bytes, progress=None) -> None:
        path = folder / "in.zip"
        path.write_bytes(data)
        self.problems: list = []
        out = folder / "out"
        out.mkdir(exist_ok=True)
        self.members = unpack(path, "ticket.zip", out, self.problems, progress)
        self.on_disk = [p for p in out.rglob("*") if not p.is_dir()]

    @property
    def contents(self) -> dict[str, bytes]:
        return {member.name: member.path.read_bytes() for member in self.members}

    def said(self, text: str) -> list:
        return [problem for problem in self.problems if text in problem.what]


@pytest.fixture
def got(tmp_path):
    return lambda data, progress=None: Got(tmp_path, data, progress)


# --------------------------------------------------------------------------------------------------------------
# What is read


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_files_with_names_below_the_archive(got, method):
    result = got(zipped(("logs/", b""), ("logs/security.evtx", LOG), ("wfpstate.xml", b"<wfpstate/>"), method=method))
    assert result.contents == {"ticket.zip/logs/security.evtx": LOG, "ticket.zip/wfpstate.xml": b"<wfpstate/>"}
    assert [member.size for member in result.members] == [len(LOG), 11]
    assert result.problems == []


def test_an_empty_member_is_a_file_too(got):
    result = got(zipped(("empty.xml", b"")))
    assert result.contents == {"ticket.zip/empty.xml": b""}
    assert result.problems == []


def test_an_archive_without_members_is_said(got):
    result = got(zipped())
    assert result.members == []
    assert [p.severity for p in result.said("without members")] == ["note"]


def test_an_archive_written_to_a_pipe_has_its_sizes_behind_the_members(got):
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.data = bytearray()

        def writable(self):
            return True

        def write(self, block):
            self.data += block
            return len(block)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.evtx", LOG)
        made.writestr("b.xml", b"b" * 5000)
    whole, cut = got(bytes(pipe.data)), got(bytes(pipe.data[:-60]))
    assert whole.problems == []
    assert whole.contents == cut.contents == {"ticket.zip/a.evtx": LOG, "ticket.zip/b.xml": b"b" * 5000}
    assert cut.said(CUT)


def test_64_bit_archives_are_read(got):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made, made.open("a.evtx", "w", force_zip64=True) as member:
        member.write(LOG)
    result = got(out.getvalue())
    assert result.contents == {"ticket.zip/a.evtx": LOG}
    assert result.problems == []


def as_zip64(data: bytes) -> bytes:
    """The same archive with a 64-bit end of its table of contents."""
    end = data.rindex(b"PK\5\6")
    count, length, offset = struct.unpack_from("<HII", data, end + 10)
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, offset)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    return data[:end] + record + locator + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, *[65535] * 2, *[2**32 - 1] * 2, 0)


def test_64_bit_tables_of_contents_are_read(got):
    result = got(as_zip64(zipped(("a.evtx", LOG))))
    assert result.contents == {"ticket.zip/a.evtx": LOG}
    assert result.problems == []


@pytest.mark.parametrize("wrap", [lambda data: data, as_zip64])
def test_what_stands_before_an_archive_or_in_its_comment_does_not_matter(got, wrap):
    out = io.BytesIO(b"MZ self-extracting" * 50)
    out.seek(0, 2)
    with zipfile.ZipFile(out, "a") as made:
        made.writestr("a.evtx", LOG)
    assert got(b"MZ" * 77 + wrap(zipped(("a.evtx", LOG)))).contents == {"ticket.zip/a.evtx": LOG}
    assert got(out.getvalue()).contents == {"ticket.zip/a.evtx": LOG}


def test_a_comment_that_looks_like_an_end_is_no_end(got):
    data = zipped(("a.evtx", LOG))
    result = got(data[:-2] + struct.pack("<H", 8) + b"PK\5\6abcd")
    assert result.contents == {"ticket.zip/a.evtx": LOG}


def test_times_without_a_zone_are_not_taken_for_utc(got):
    member = got(zipped((info("a.xml"), b"x"))).members[0]
    assert member.modified_ns is None
    assert member.local_time == "2026-03-04T10:15:22"


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (struct.pack("<HHBi", 0x5455, 5, 1, 1_772_619_322), 1_772_619_322_000_000_000),
        (struct.pack("<HH4xHHQQQ", 10, 32, 1, 24, 134170929221234567, 0, 0), 1_772_619_322_123_456_700),
        (struct.pack("<HHB", 0x5455, 1, 0), None),
        (b"\x0a\0\xff", None),
    ],
)
def test_times_in_utc_are_taken(got, extra, expected):
    assert got(zipped((info("a.xml", extra=extra), b"x"))).members[0].modified_ns == expected


@pytest.mark.parametrize("date", [(1980, 0, 0), (1980, 2, 31)])
def test_a_time_that_is_none_is_missing(got, date):
    data = zipped((info("a.xml", date_time=(*date, 0, 0, 0)), b"x"))
    assert got(data).members[0].local_time is None


def test_progress_goes_through_the_archive(got):
    seen = []
    data = zipped(("a", os.urandom(3_000_000)), ("b", os.urandom(100)), method=zipfile.ZIP_STORED)
    got(data, lambda *step: seen.append(step))
    assert {(name, total) for name, _, total in seen} == {("ticket.zip", len(data))}
    places = [done for _, done, _ in seen]
    assert places == sorted(places)
    assert len(places) >= 4


# --------------------------------------------------------------------------------------------------------------
# Names


@pytest.mark.parametrize(
    ("name", "shown", "said"),
    [
        ("../../etc/passwd", "etc/passwd", "leads out of the archive"),
        ("/etc/passwd", "etc/passwd", "leads out of the archive"),
        ("C:/Windows/a.evtx", "Windows/a.evtx", "leads out of the archive"),
        ("a/../../b", "a/b", "leads out of the archive"),
        ("..\\..\\boot.ini", "boot.ini", "leads out of the archive"),
        ("\\\\server\\share\\a.evtx", "server/share/a.evtx", "leads out of the archive"),
        ("logs\\security.evtx", "logs/security.evtx", "backslashes"),
        ("a\x1b[31mred\r\n", "a\ufffd[31mred\ufffd\ufffd", "can't be shown"),
        ("fdp\u202exml.exe", "fdp\ufffdxml.exe", "can't be shown"),
        ("x" * 3000, "…/" + "x" * 512, "only its end is shown"),
        ("d/" * 100 + "a.evtx", "…/" + "d/" * 31 + "a.evtx", "only its end is shown"),
        ("..", "a member without a name", "leads out of the archive"),
    ],
)
def test_hostile_names_are_shown_and_never_used(got, tmp_path, name, shown, said):
    result = got(zipped((name, LOG), ("good.xml", b"good")))
    assert result.contents == {f"ticket.zip/{shown}": LOG, "ticket.zip/good.xml": b"good"}
    assert [p.input for p in result.said(said)] == [f"ticket.zip/{shown}"]
    assert all(p.severity == "note" and p.place and p.place.startswith("offset ") for p in result.problems)
    assert all(p.name.isdigit() and (tmp_path / "out") in p.parents for p in result.on_disk)


def test_a_nul_in_a_name_is_shown(got):
    result = got(zipped(("aXb.evtx", LOG)).replace(b"aXb.evtx", b"a\0b.evtx"))
    assert list(result.contents) == ["ticket.zip/a\ufffdb.evtx"]


def test_equal_names_are_told_apart(got):
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("a.xml", b"1"), ("a.xml", b"2"), ("a.xml (2)", b"3"), ("a.xml", b"4"))
    result = got(data)
    assert sorted(result.contents.values()) == [b"1", b"2", b"3", b"4"]
    assert len(result.said("same name")) == 3


@pytest.mark.parametrize(
    ("raw", "flag", "shown", "read_as"),
    [
        ("prüfung.xml".encode("cp437"), False, "prüfung.xml", "code page 437"),
        ("prüfung.xml".encode(), False, "prüfung.xml", "UTF-8"),
        ("prüfung.xml".encode(), True, "prüfung.xml", None),
        (b"pr\xfffung.xml", True, "pr\ufffdfung.xml", None),
    ],
)
def test_names_of_both_encodings(got, raw, flag, shown, read_as):
    stand_in = "x" * len(raw)
    data = zipped((stand_in, LOG)).replace(stand_in.encode(), raw)
    if flag:
        central = data.rindex(b"PK\1\2")
        data = data[: central + 8] + struct.pack("<H", 0x800) + data[central + 10 :]
    result = got(data)
    assert list(result.contents) == [f"ticket.zip/{shown}"]
    assert [p.what.endswith(str(read_as)) for p in result.problems] == ([True] if read_as else [])


def test_a_name_that_is_given_in_unicode_beside_is_taken(got):
    raw = "a?c.xml"
    extra = struct.pack("<BI", 1, zlib.crc32(b"a\xe9c.xml")) + "aéc.xml".encode()
    data = zipped((info(raw, extra=struct.pack("<HH", 0x7075, len(extra)) + extra), LOG))
    result = got(data.replace(b"a?c.xml", b"a\xe9c.xml"))
    assert list(result.contents) == ["ticket.zip/aéc.xml"]
    assert result.problems == []


# --------------------------------------------------------------------------------------------------------------
# What is refused, while the rest is read


def patched(data: bytes, name: bytes, at: int, value: bytes, *, local: int | None = None) -> bytes:
    """Change a field of a member's entry in the table of contents, and of its local header."""
    central = data.index(b"PK\1\2")
    while data[central + 46 : central + 46 + len(name)] != name:
        central = data.index(b"PK\1\2", central + 4)
    out = bytearray(data)
    out[central + at : central + at + len(value)] = value
    if local is not None:
        head = struct.unpack_from("<I", data, central + 42)[0]
        out[head + local : head + local + len(value)] = value
    return bytes(out)


PAIR = zipped(("bad.evtx", LOG), ("good.xml", b"good"))
ONLY_GOOD = {"ticket.zip/good.xml": b"good"}


@pytest.mark.parametrize(
    ("data", "said", "severity"),
    [
        (patched(PAIR, b"bad.evtx", 8, b"\1\0", local=6), "is encrypted", "lost"),
        (patched(PAIR, b"bad.evtx", 10, b"\x09\0", local=8), "Deflate64", "lost"),
        (patched(PAIR, b"bad.evtx", 10, b"\x63\0", local=8), "AES", "lost"),
        (patched(PAIR, b"bad.evtx", 10, b"\xe7\3", local=8), "an unknown method", "lost"),
        (patched(PAIR, b"bad.evtx", 38, struct.pack("<I", (stat.S_IFLNK | 0o777) << 16)), "a link", "note"),
        (patched(PAIR, b"bad.evtx", 38, struct.pack("<I", (stat.S_IFCHR | 0o777) << 16)), "a device", "note"),
        (patched(PAIR, b"bad.evtx", 38, b"\x10\0\0\0"), "folder with content", "lost"),
        (patched(PAIR, b"bad.evtx", 42, b"\5\0\0\0"), "no member where", "lost"),
        (patched(PAIR, b"bad.evtx", 42, b"\0\0\0\x70"), "header is cut", "lost"),
        (patched(PAIR, b"bad.evtx", 20, b"\0\0\0\x70"), "claimed by another part", "lost"),
        (zipped(("bad.evtx", zipped(("a", b"a"))), ("good.xml", b"good")), "archive inside the archive", "note"),
        (zipped(("bad.evtx", zipped()), ("good.xml", b"good")), "archive inside the archive", "note"),
    ],
)
def test_a_member_that_is_refused_is_named_and_the_others_are_read(got, data, said, severity):
    result = got(data)
    assert result.contents == ONLY_GOOD
    (problem,) = result.problems
    assert (problem.input, problem.severity) == ("ticket.zip/bad.evtx", severity)
    assert said in problem.what
    assert "left out" in problem.what
    assert len(result.on_disk) == 1


def test_a_wrong_checksum_is_doubtful_and_read(got):
    result = got(patched(PAIR, b"bad.evtx", 16, b"\1\2\3\4"))
    assert len(result.contents) == 2
    assert [(p.input, p.severity) for p in result.said("checksum")] == [("ticket.zip/bad.evtx", "doubtful")]


def test_a_size_of_many_gigabytes_that_is_only_claimed(got):
    result = got(patched(PAIR, b"bad.evtx", 24, b"\xf0\xff\xff\xff"))
    assert result.contents["ticket.zip/bad.evtx"] == LOG
    assert [p.severity for p in result.said("size is not the one")] == ["doubtful"]


def test_damage_in_packed_bytes_keeps_what_came_before(got):
    noise = os.urandom(400_000)
    data = bytearray(zipped(("bad.evtx", noise.hex()), ("good.xml", b"good")))
    data[200_000:200_400] = bytes(b ^ 0xFF for b in data[200_000:200_400])
    result = got(bytes(data))
    bad = result.contents["ticket.zip/bad.evtx"]
    assert result.contents["ticket.zip/good.xml"] == b"good"
    assert bad[:250_000] == noise.hex().encode()[:250_000]
    assert result.problems[0].input == "ticket.zip/bad.evtx"


@pytest.mark.parametrize("keep", [50, 100, len(PAIR) - 150, len(PAIR) - 100, len(PAIR) - 10, len(PAIR) - 1])
def test_a_cut_archive_is_read_from_its_start(got, keep):
    result = got(PAIR[:keep])
    assert [p.severity for p in result.said(CUT)] == ["lost"]
    assert all(LOG.startswith(c) or c == b"good" for c in result.contents.values())
    if keep > len(PAIR) - 150:
        assert result.contents["ticket.zip/bad.evtx"] == LOG


def test_a_damaged_table_of_contents_is_not_needed(got):
    data = PAIR.replace(b"PK\1\2", b"XX\1\2")
    result = got(data)
    assert result.contents == {"ticket.zip/bad.evtx": LOG, "ticket.zip/good.xml": b"good"}
    assert [p.severity for p in result.said(CUT)] == ["lost"]


def test_a_table_of_contents_that_lists_less_than_it_says(got):
    end = PAIR.rindex(b"PK\5\6")
    result = got(PAIR[: end + 10] + b"\7\0" + PAIR[end + 12 :])
    assert len(result.contents) == 2
    assert [p.severity for p in result.said("says that it has 7 members, and lists 2")] == ["doubtful"]


def test_a_part_of_a_split_archive_is_said(got):
    end = PAIR.rindex(b"PK\5\6")
    result = got(PAIR[: end + 4] + b"\1\0\0\0" + PAIR[end + 8 :])
    assert result.said("one part of an archive that was split")


def test_what_is_no_archive_at_all(got):
    result = got(b"PK\3\4" + b"nothing")
    assert result.members == []
    assert [p.severity for p in result.problems] == ["lost"]


def test_an_archive_that_is_not_there_is_a_problem(tmp_path):
    problems: list = []
    assert unpack(tmp_path / "none.zip", "none.zip", tmp_path, problems) == []
    assert [(p.input, p.severity) for p in problems] == [("none.zip", "lost")]


def test_many_problems_of_one_sort_are_counted(got):
    result = got(zipped(*((f"a\\{n}", b"x") for n in range(50))))
    assert len(result.members) == 50
    assert len(result.problems) == zipmembers.EACH + 1
    assert result.problems[-1].input == "ticket.zip"
    assert "40 more members" in result.problems[-1].what


# --------------------------------------------------------------------------------------------------------------
# Bombs


def quoted_overlap(count: int, kernel: bytes) -> bytes:
    """Members whose packed bytes quote the headers of all that follow, down to one shared kernel."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed, plain, head = packer.compress(kernel) + packer.flush(), kernel, b""
    entries = []
    for n in reversed(range(count)):
        if head:
            packed = b"\0" + struct.pack("<HH", len(head), 0xFFFF - len(head)) + head + packed
            plain = head + plain
        name = f"{n:03d}".encode()
        fields = (20, 0, 8, 0, 0, zlib.crc32(plain), len(packed), len(plain), len(name), 0)
        head = struct.pack("<4s5H3I2H", b"PK\3\4", *fields) + name
        entries.append((name, fields, len(packed)))
    whole = head + packed
    central = b""
    for name, fields, length in entries:
        at = len(whole) - length - 30 - len(name)
        central += struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, *fields, 0, 0, 0, 0, at) + name
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(central), len(whole), 0)
    return whole + central + end


def test_overlapping_members_are_read_once(got):
    data = quoted_overlap(40, b"A" * 100_000)
    with zipfile.ZipFile(io.BytesIO(data)) as made:  # a true one: every member is whole for other programs
        assert sum(i.file_size for i in made.infolist()) > 4_000_000
    result = got(data)
    assert sum(member.size for member in result.members) < 110_000
    assert len(result.members) == 1
    assert len(result.said("zip bomb")) == zipmembers.EACH + 1


def test_one_member_listed_many_times_is_read_once(got):
    data = zipped(("a.xml", b"x" * 1000))
    central, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry = data[central:end]
    many = data[:central] + entry * 5000
    many += struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 5000, 5000, len(entry) * 5000, central, 0)
    result = got(many)
    assert len(result.members) == 1
    assert len(result.problems) < 40


def test_a_member_beyond_the_ratio_is_refused_by_what_it_produces(got, monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FROM", 1_000_000)
    data = patched(zipped(("bad.evtx", bytes(30_000_000)), ("good.xml", b"good")), b"bad.evtx", 24, b"\4\0\0\0")
    result = got(data)
    assert result.contents == ONLY_GOOD
    assert result.said("times its size")
    assert len(result.on_disk) == 1


def test_a_log_that_is_mostly_empty_is_below_the_ratio(got):
    data = LOG + bytes(20_000_000)
    result = got(zipped(("security.evtx", data)))
    assert result.contents == {"ticket.zip/security.evtx": data}
    assert result.problems == []


def test_a_member_that_is_too_large(got, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBER", 3_000_000)
    result = got(zipped(("bad.evtx", os.urandom(3_000_001)), ("good.xml", b"good")))
    assert result.contents == ONLY_GOOD
    assert result.said("the most that is read of one member")


def test_an_archive_that_is_too_large_stops_there(got, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 2_500_000)
    result = got(zipped(*((f"{n}.evtx", os.urandom(1_000_000)) for n in range(6))))
    assert list(result.contents) == ["ticket.zip/0.evtx", "ticket.zip/1.evtx"]
    assert result.said("the most that is read of one")[0].input == "ticket.zip/2.evtx"
    assert result.said("left out from there on: 3")


def test_an_archive_with_too_many_members(got, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 20)
    result = got(zipped(*((f"{n}", b"x") for n in range(30))))
    assert len(result.members) == 20
    assert [p.severity for p in result.said("more than 20 members")] == ["lost"]


def test_a_disk_that_is_nearly_full(got, monkeypatch):
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    result = got(PAIR)
    assert result.members == []
    assert result.on_disk == []
    assert result.said("not enough room in the temporary folder")
    assert result.said("left out from there on: 1")


def test_a_disk_that_is_full(got):
    data = zipped(("bad.evtx", os.urandom(3_000_000)), ("good.xml", b"good"), method=zipfile.ZIP_STORED)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    data_is_written = got(data)  # the archive itself must fit
    for member in data_is_written.members:
        member.path.unlink()

    def narrow(*_):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, limits[1]))

    try:
        result = got(data, narrow)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert result.members == []
    assert result.on_disk == []
    assert [p.input for p in result.said("can't be written to the temporary folder")] == ["ticket.zip/bad.evtx"]
    assert result.said("left out from there on: 1")


def test_memory_stays_small(got):
    data = zipped(("big.evtx", bytes(30_000_000)), ("big2.evtx", os.urandom(8_000_000)))
    tracemalloc.start()
    try:
        got(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_gives_problems_and_no_exception(tmp_path_factory, data):
    base = bytearray(data.draw(st.sampled_from([PAIR, as_zip64(PAIR), quoted_overlap(4, b"A" * 500)])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.one_of(st.integers(0, len(base) - 1), st.integers(max(len(base) - 250, 0), len(base) - 1)))
        base[at] = data.draw(st.integers(0, 255))
    keep = data.draw(st.one_of(st.just(len(base)), st.integers(0, len(base))))
    result = Got(tmp_path_factory.mktemp("fuzz"), bytes(base[:keep]))
    assert len(result.on_disk) == len(result.members)
    assert len({member.name for member in result.members}) == len(result.members)
    assert all(member.path.stat().st_size == member.size for member in result.members)
    assert all(problem.input.startswith("ticket.zip") for problem in result.problems)


# --------------------------------------------------------------------------------------------------------------
# The folder


def test_the_folder_is_private_and_goes_away():
    with workspace() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "a").mkdir()
        (folder / "a" / "b").write_bytes(b"x")
    assert not folder.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_the_folder_goes_away_whatever_happens(error):
    def work(folder):
        (folder / "b").write_bytes(b"x")
        raise error

    with pytest.raises(error), workspace() as folder:
        work(folder)
    assert not folder.exists()


def test_an_interrupt_while_removing_leaves_nothing(monkeypatch):
    remove, calls = archive.shutil.rmtree, []

    def interrupted(*args, **more):
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(*args, **more)

    monkeypatch.setattr(archive.shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), workspace() as folder:
        (folder / "b").write_bytes(b"x")
    assert not folder.exists()


def test_an_interrupt_while_unpacking_leaves_nothing(tmp_path):
    path = tmp_path / "in.zip"
    path.write_bytes(PAIR)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), workspace() as folder:
        unpack(path, "in.zip", folder, [], interrupt)
    assert not folder.exists()


def test_the_module_needs_no_frames():
    """The command checks its outputs before the heavy libraries are loaded; finding inputs must not load them."""
    code = "import sys, analyzer.archive; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
