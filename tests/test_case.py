"""What was handed over: kinds by content, names, hashes, and what is left out with which words."""

from __future__ import annotations

import codecs
import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from analyzer import case
from analyzer.case import CaseFile, InputError, open_case, rfc3339
from analyzer.hashing import Hashing
from analyzer.identify import BLOCK, identify
from analyzer.model import Problem

LOG = b"ElfFile\0" + bytes(4088) + b"ElfChnk\0" + bytes(65528)
STATE = b'<?xml version="1.0" encoding="UTF-8"?>\r\n<wfpstate><timeStamp/></wfpstate>'
FILTERS = b"<wfpdiag><filters/><providers/></wfpdiag>"


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (LOG, "evtx"),
        (b"damaged!" + LOG[8:], "evtx"),
        (bytes(4096 + 65536) + LOG[4096:], "evtx"),
        (bytes(BLOCK) + bytes(4096) + LOG[4096:], "evtx"),
        (STATE, "wfpstate"),
        (codecs.BOM_UTF8 + STATE, "wfpstate"),
        (codecs.BOM_UTF16_LE + STATE.decode().encode("utf-16-le"), "wfpstate"),
        (codecs.BOM_UTF16_BE + STATE.decode().encode("utf-16-be"), "wfpstate"),
        (STATE.decode().encode("utf-16-le"), "wfpstate"),
        (b"<!-- a <wfpdiag> comment -->\n<wfpstate/>", "wfpstate"),
        (b'<!DOCTYPE wfpstate [<!ENTITY a "]">]><wfpstate>&a;</wfpstate>', "wfpstate"),
        (b'<!DOCTYPE wfpstate SYSTEM "http://192.0.2.1/x.dtd"><wfpstate/>', "wfpstate"),
        (FILTERS, "filters"),
        (FILTERS.decode().encode("utf-16"), "filters"),
        (b"<wfpdiag>" + b" " * (BLOCK - 12) + FILTERS[9:], "filters"),
        (b"<wfpdiag><netEvents/></wfpdiag>", "wfpdiag"),
        (b"<wfpdiag><initialState>" + FILTERS[9:], "wfpdiag"),
        (FILTERS[:-10] + b" " * BLOCK + b"<netEvent/></wfpdiag>", "wfpdiag"),
        (b"<netEvents><item/></netEvents>", "netevents"),
        (b"<netEvent><header/></netEvent>", "netevents"),
        (b"MSCF" + bytes(40), "cab"),
        (b"<html><wfpstate/></html>", "unknown"),
        (b"", "unknown"),
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06" + bytes(18), "zip"),
        (b"just text that speaks of <wfpstate>", "unknown"),
        (bytes(5000), "unknown"),
        (b"ElfChnk\0" + bytes(70000), "unknown"),
    ],
)
def test_the_kind_is_told_by_content_and_not_by_name(tmp_path: Path, content: bytes, kind: str) -> None:
    case = open_case([put(tmp_path, "holiday.jpg", content)])
    assert [file.kind for file in case.files] == [kind]


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "an empty file"),
        (b"Rar!\x1a\x07", "a RAR archive; not opened: unpack it and give the folder"),
        (b"\x1f\x8b\x08xx", "a gzip archive; not opened: unpack it"),
        (b"hello", "text that is not XML"),
        ("<?xml version='1.0'?>\n<r\u00e9sum\u00e9/>".encode(), "root element"),
        (b"<?xml version='1.0'?>\n", "without a root element"),
        ("text".encode("utf-16"), "text that is not XML"),
        (b"\0\1\2\3", "binary data"),
        (b"caf\xe9 latin-1 text", "text that is not XML"),
        (b"\x30\0\0\0LfLe", "old .evt format"),
        (b"<Events><Event/></Events>", "an XML file of events"),
    ],
)
def test_what_is_not_ours_is_named(head: bytes, words: str) -> None:
    identity = identify(head)
    assert identity.kind == "unknown"
    assert words in identity.what


def test_our_own_outputs_are_told_apart_and_evidence_that_quotes_us_is_still_evidence() -> None:
    mark = b'<meta name="generator" content="wfp-analyzer 0.1.0">'
    for head in (b"<!doctype html><html>" + mark, b'{\n  "tool": {\n    "name": "wfp-analyzer"', b'{"event_id":5157}'):
        assert identify(head).what == "an output of this program"
    assert identify(b"<wfpstate><name>" + mark).kind == "wfpstate"


def test_a_character_cut_at_the_end_of_the_head_is_still_text() -> None:
    assert identify("<wfpstate>é".encode()[:-1]).kind == "wfpstate"


def test_a_hostile_prologue_costs_one_pass() -> None:
    for text in (b"<!DOCTYPE a [" + b'"' * 60000, b"<!--" * 16000, b"<?" * 30000, b"<!DOCTYPE" + b" [a" * 20000):
        assert identify(text).kind == "unknown"


def test_facts_of_a_file(tmp_path: Path) -> None:
    path = put(tmp_path, "security.evtx", LOG)
    os.utime(path, ns=(0, 1_700_000_000_123_456_700))
    (file,) = open_case([path]).files
    assert (file.name, file.bytes, file.named, file.readable) == ("security.evtx", len(LOG), True, True)
    assert file.sha256 == hashlib.sha256(LOG).hexdigest()
    assert file.modified == "2023-11-14T22:13:20.1234567Z"


def test_times_that_no_calendar_has_are_missing() -> None:
    assert rfc3339(-1) == "1969-12-31T23:59:59.9999999Z"
    assert rfc3339(10**30) is None


def test_a_folder_is_walked_in_order_with_names_from_its_own_name_on(tmp_path: Path) -> None:
    ticket = tmp_path / "ticket 7"
    put(ticket, "b/state.xml", STATE)
    put(ticket, "a/log.evtx", LOG)
    put(ticket, "notes.txt", b"note")
    case = open_case([ticket])
    assert [(file.name, file.kind) for file in case.files] == [
        ("ticket 7/notes.txt", "unknown"),
        ("ticket 7/a/log.evtx", "evtx"),
        ("ticket 7/b/state.xml", "wfpstate"),
    ]
    assert not any(file.named for file in case.files)
    assert [(problem.input, problem.severity) for problem in case.problems] == [("ticket 7/notes.txt", "note")]


def test_the_dot_is_named_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "case", "log.evtx", LOG)
    monkeypatch.chdir(tmp_path / "case")
    assert [file.name for file in open_case([Path()]).files] == ["case/log.evtx"]


def test_no_name_tells_where_the_analyst_keeps_it(tmp_path: Path) -> None:
    paths = [put(tmp_path / "x" / "one", "log.evtx", LOG), put(tmp_path / "y" / "one", "log.evtx", LOG + b"2")]
    names = [file.name for file in open_case(paths).files]
    assert names == ["one/log.evtx", "one/log.evtx (2)"]


def test_equal_names_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = [put(tmp_path / "before", "state.xml", STATE), put(tmp_path / "after", "state.xml", STATE + b"\n")]
    assert [file.name for file in open_case(paths).files] == ["before/state.xml", "after/state.xml"]


def test_a_named_file_that_is_none_of_ours_is_lost_and_one_in_a_folder_is_a_note(tmp_path: Path) -> None:
    named = put(tmp_path, "tasklist.csv", b"a,b\n")
    put(tmp_path / "folder", "x.csv", b"c,d\n")
    case = open_case([named, tmp_path / "folder"])
    assert [(problem.input, problem.severity) for problem in case.problems] == [
        ("tasklist.csv", "lost"),
        ("folder/x.csv", "note"),
    ]
    assert "text that is not XML" in case.problems[0].what
    assert "Readable are" in case.problems[0].what


def test_other_files_of_folders_are_told_together_but_what_may_be_evidence_by_itself(tmp_path: Path) -> None:
    for number in range(7):
        put(tmp_path / "t", f"n{number}.txt", f"note {number}".encode())
    put(tmp_path / "t", "empty.evtx", b"")
    put(tmp_path / "t", "more.7z", b"7z\xbc\xaf\x27\x1c")
    put(tmp_path / "t", "old.evt", b"\x30\0\0\0LfLe")
    case = open_case([tmp_path / "t"])
    assert [problem.input for problem in case.problems] == ["t/empty.evtx", "t/more.7z", "t/old.evt", None]
    assert case.problems[-1].what.startswith("7 other files in folders were left out: t/n0.txt (text that is not XML")
    assert case.problems[-1].what.endswith("and 2 more")
    assert {problem.severity for problem in case.problems} == {"note"}
    assert len(case.files) == 10


def test_what_is_recognised_but_not_read_says_so(tmp_path: Path) -> None:
    case = open_case([put(tmp_path, "ticket.rar", b"Rar!\x1a\x07")])
    assert not case.files[0].readable
    assert case.problems[0].severity == "lost"
    assert "not opened: unpack it and give the folder" in case.problems[0].what


def test_members_of_an_archive_follow_it_under_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("b/state.xml", STATE)
        archive.writestr("a/log.evtx", LOG)
    (tmp_path / "work").mkdir()
    case = open_case([tmp_path / "t.zip"], folder=tmp_path / "work")
    assert [(file.name, file.kind, file.readable) for file in case.files] == [
        ("t.zip", "zip", False),
        ("t.zip/a/log.evtx", "evtx", True),
        ("t.zip/b/state.xml", "wfpstate", True),
    ]
    assert case.problems == ()


def test_the_same_file_twice_is_read_once_and_said(tmp_path: Path) -> None:
    path = put(tmp_path / "folder", "log.evtx", LOG)
    case = open_case([tmp_path / "folder", path])
    assert [(file.name, file.named) for file in case.files] == [("folder/log.evtx", True)]
    assert "given twice" in case.problems[0].what


def test_the_same_content_twice_is_read_once_and_said(tmp_path: Path) -> None:
    case = open_case([put(tmp_path, "a.evtx", LOG), put(tmp_path, "b.evtx", LOG)])
    assert [file.name for file in case.files] == ["a.evtx"]
    assert case.problems[0].input == "b.evtx"
    assert "the same content as a.evtx" in case.problems[0].what


def test_a_path_that_does_not_exist_is_named_before_anything_is_read(tmp_path: Path) -> None:
    calls: list[str] = []
    with pytest.raises(InputError, match=r"nowhere\.evtx: there is no such file or folder"):
        open_case(
            [put(tmp_path, "log.evtx", LOG), tmp_path / "nowhere.evtx"], lambda name, _done, _size: calls.append(name)
        )
    assert calls == []


def test_a_path_with_a_zero_byte_is_a_mistake_of_usage() -> None:
    with pytest.raises(InputError, match="can't be opened"):
        open_case([Path("a\0b")])


def test_no_permission_on_a_named_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "log.evtx", LOG)

    def refuse(self: Path, *_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"log\.evtx: no permission to read it"):
        open_case([path])


def test_a_file_in_a_folder_that_cannot_be_read_is_lost_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "t", "bad.evtx", LOG)
    put(tmp_path / "t", "good.evtx", LOG)
    real = Path.open

    def refuse(self: Path, *args: object, **kwargs: object) -> object:
        if self.name == "bad.evtx":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    case = open_case([tmp_path / "t"])
    assert [(file.name, file.kind, file.sha256 is None) for file in case.files] == [
        ("t/bad.evtx", "unknown", True),
        ("t/good.evtx", "evtx", False),
    ]
    assert [(problem.input, problem.severity) for problem in case.problems] == [("t/bad.evtx", "lost")]
    assert "Permission denied" in case.problems[0].what


def test_a_folder_that_cannot_be_listed_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "t", "closed/log.evtx", LOG)
    put(tmp_path / "t", "good.evtx", LOG)
    real = os.scandir

    def refuse(path: str | Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    case = open_case([tmp_path / "t"])
    assert [file.name for file in case.files] == ["t/good.evtx"]
    assert [(problem.input, problem.severity) for problem in case.problems] == [("t/closed", "lost")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_are_never_opened(tmp_path: Path) -> None:
    put(tmp_path / "t", "log.evtx", LOG)
    os.mkfifo(tmp_path / "t" / "pipe")
    case = open_case([tmp_path / "t"])
    assert [file.name for file in case.files] == ["t/log.evtx"]
    assert "never opened" in case.problems[0].what
    with pytest.raises(InputError, match="neither a file nor a folder"):
        open_case([tmp_path / "t" / "pipe"])


def test_links_neither_loop_nor_lead_out(tmp_path: Path) -> None:
    put(tmp_path / "t", "log.evtx", LOG)
    put(tmp_path / "elsewhere", "secret.txt", b"secret")
    (tmp_path / "t" / "loop").symlink_to(tmp_path / "t", target_is_directory=True)
    (tmp_path / "t" / "out").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "t" / "self").symlink_to(tmp_path / "t" / "self")
    (tmp_path / "t" / "state.xml").symlink_to(put(tmp_path / "store", "s.xml", STATE))
    case = open_case([tmp_path / "t"])
    assert [file.name for file in case.files] == ["t/log.evtx", "t/state.xml"]
    assert {problem.input: problem.severity for problem in case.problems} == {
        "t/loop": "note",
        "t/out": "note",
        "t/self": "note",
    }


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname == "Darwin", reason="file names are text here")
def test_a_name_that_is_not_utf8_becomes_text(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.evtx"
    Path(os.fsdecode(raw)).write_bytes(LOG)
    (file,) = open_case([tmp_path]).files
    assert file.name.endswith("/caf\ufffd.evtx")
    assert file.readable


def test_progress_reaches_the_size(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    open_case([put(tmp_path, "log.evtx", LOG)], lambda *step: seen.append(step))
    assert seen == [("log.evtx", len(LOG), len(LOG))]


def test_an_empty_folder_is_a_case_without_files(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert open_case([tmp_path / "empty"]).files == ()


def test_a_large_log_is_hashed_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case, "BESIDE_FROM", 1 << 16)
    log = put(tmp_path, "security.evtx", LOG)
    (file,) = open_case([log]).files
    assert file.sha256 is None
    assert file.readable
    assert file.bytes == log.stat().st_size
    problems: list[Problem] = []
    assert file.hash(problems) == hashlib.sha256(log.read_bytes()).hexdigest()
    assert not problems


def test_twins_are_found_before_a_large_log_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case, "BESIDE_FROM", 1 << 16)
    for name in ("a.evtx", "b.evtx"):
        put(tmp_path, name, LOG)
    found = open_case([tmp_path])
    assert len(found.files) == 1
    assert "read once" in found.problems[0].what


def test_a_log_that_vanishes_while_it_is_hashed_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", gone)
    hashing = Hashing(tmp_path / "Security.evtx")
    file = CaseFile(tmp_path, "Security.evtx", "evtx", "an event log", named=True, hashing=hashing)
    problems: list[Problem] = []
    assert file.hash(problems) is None
    assert problems == [
        Problem("Security.evtx", None, "doubtful", "could not be read to its end for its hash (Input/output error)")
    ]
