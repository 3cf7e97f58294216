"""Input as it really comes: each kind of bad input has its message and exit code, and all the rest is still read."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import time
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from analyzer.cli import main
from analyzer.pipeline import analyze
from reports.export import event_lines, filter_lines
from samples.evtxwriter import Record, write_log

TICKET = Path(__file__).resolve().parent.parent / "samples" / "ticket-a-win11"
LOG = TICKET / "security.evtx"
STATE = TICKET / "wfpstate.xml"
CHUNK = 65536
HEADER = 4096
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

SCRIPT = "<script>alert(1)</script>"
FORMULA = "=cmd|' /C calc'!A0"
ANSI = "\x1b[31mred\x1b[0m\x07"
RTL = "\u202egpj.exe\u2066"
HOSTILE = [SCRIPT, FORMULA, ANSI, RTL]


class Tool:
    """The command, run in a folder of its own; nothing raw and no traceback ever comes out of it."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capture = capture
        self.err = ""

    def run(self, command: str, *arguments: object) -> int:
        code = main([command, *map(str, arguments)])
        out, self.err = self.capture.readouterr()
        assert "Traceback" not in out + self.err
        assert "internal error" not in self.err
        assert RAW.search(out + self.err) is None
        return code

    def put(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def lines(self, command: str, *arguments: object, code: int = 0) -> list[dict]:
        """Run ``events`` or ``filters`` and return the objects; the exit code is the one expected."""
        output = self.folder / f"{command}.jsonl"
        assert self.run(command, *arguments, "-o", output, "--force") == code, self.err
        return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]

    def alone(self, path: Path, words: str, code: int = 4) -> None:
        """Check the input by itself: nothing is written."""
        for command in ("report", "events", "filters"):
            output = self.folder / "alone.out"
            assert self.run(command, path, "-o", output) == code, self.err
            assert words in self.err
            assert not output.exists()

    def beside_good_ones(self, path: Path, words: str, good: Good, code: int = 3) -> None:
        """Check the input beside a good log and state: all of these is read, and what was lost is said."""
        assert self.lines("events", path, LOG, STATE, code=code) == good.events
        page, document = self.folder / "r.html", self.folder / "r.json"
        assert self.run("report", path, LOG, STATE, "-o", page, "--json", document) == code
        assert words in self.err
        result = json.loads(document.read_text("utf-8"))
        assert any(words in problem["what"] for problem in result["problems"])
        assert [item["records"] for item in result["inputs"] if item["name"] == STATE.name] == [len(good.filters)]
        assert page.read_text("utf-8").rstrip().endswith("</html>")
        assert self.run("report", path, LOG, STATE, "-o", self.folder / "strict.html", "--strict") == code
        assert not (self.folder / "strict.html").exists()


@dataclass(frozen=True)
class Good:
    """What the good log and state give by themselves."""

    events: list[dict]
    filters: list[dict]


@pytest.fixture(scope="module")
def good() -> Good:
    result = analyze([LOG, STATE])
    return Good(*([json.loads(line) for line in lines(result)] for lines in (event_lines, filter_lines)))


@pytest.fixture
def tool(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.chdir(tmp_path)
    return Tool(tmp_path, capsys)


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.evtx", b"", "an empty file"),
        ("text.evtx", b"this is a note, not a log\n", "text that is not XML"),
        (
            "other.xml",
            b'<?xml version="1.0"?>\n<catalog><book/></catalog>',
            "an XML file of another kind (root element catalog)",
        ),
        ("ticket.zip", b"PK\x03\x04" + bytes(100), "its table of contents is missing"),
        ("noise.evtx", bytes(range(256)) * 300, "binary data"),
    ],
)
def test_a_file_that_is_none_of_ours(tool: Tool, good: Good, name: str, content: bytes, words: str) -> None:
    path = tool.put(name, content)
    tool.alone(path, words)
    tool.beside_good_ones(path, words, good)


def test_a_list_without_net_events(tool: Tool, good: Good) -> None:
    path = tool.put("netevents.xml", b"<netEvents></netEvents>")
    tool.alone(path, "lists no net events")
    assert tool.lines("events", path, LOG, STATE) == good.events
    assert "lists no net events" in tool.err


@pytest.mark.parametrize("magic", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\0", b"BZh91AY", b"\xfd7zXZ\0"])
def test_an_archive_that_is_not_opened(tool: Tool, good: Good, magic: bytes) -> None:
    path = tool.put("ticket.bin", magic + bytes(100))
    tool.alone(path, "archive; not opened: unpack it and give the folder")
    tool.beside_good_ones(path, "not opened: unpack it", good)


def test_unrelated_files_in_a_folder_are_notes(tool: Tool) -> None:
    tool.put("t/security.evtx", LOG.read_bytes())
    tool.put("t/wfpstate.xml", STATE.read_bytes())
    tool.put("t/notes.txt", b"a note")
    tool.put("t/sub/picture.png", b"\x89PNG\r\n")
    assert tool.run("report", "t") == 0
    assert "note: 2 other files in folders were left out: t/notes.txt (text" in tool.err
    assert "t/sub/picture.png (a picture)" in tool.err


@pytest.mark.parametrize("names", [(), ("notes.txt",), ("a/b/c.bin", "d.html")])
def test_a_folder_with_nothing_usable(tool: Tool, names: tuple[str, ...]) -> None:
    (tool.folder / "t").mkdir()
    for name in names:
        tool.put(f"t/{name}", b"nothing of use \xff")
    assert tool.run("report", "t") == 4
    assert "nothing usable" in tool.err
    for name in names:
        assert f"t/{name}" in tool.err
    assert {path.name for path in tool.folder.iterdir()} == {"t"}


def test_a_path_that_does_not_exist(tool: Tool) -> None:
    tool.alone(tool.folder / "gone.evtx", "gone.evtx: there is no such file or folder", code=2)
    assert tool.run("report", LOG, tool.folder / "gone.xml", "-o", "r.html") == 2
    assert list(tool.folder.iterdir()) == []


def test_a_named_file_without_permission(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tool.put("closed.evtx", LOG.read_bytes())
    _close(path, monkeypatch)
    tool.alone(path, "closed.evtx: no permission to read it", code=2)


def test_a_file_without_permission_in_a_folder(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    tool.put("t/security.evtx", LOG.read_bytes())
    _close(tool.put("t/closed.xml", STATE.read_bytes()), monkeypatch)
    assert tool.lines("events", "t", code=3)
    assert "lost: t/closed.xml: can't be read (Permission denied)" in tool.err


def _close(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the permission away; for root, who may read everything, the refusal is played."""
    path.chmod(0)
    if os.access(path, os.R_OK):
        real = Path.open

        def refuse(self: Path, *args: object, **kwargs: object) -> object:
            if self.name == path.name:
                raise PermissionError(13, "Permission denied", str(self))
            return real(self, *args, **kwargs)

        monkeypatch.setattr(Path, "open", refuse)


# ------------------------------------------------------------------------------------------------ logs


@pytest.mark.parametrize("cut", [HEADER + CHUNK // 2, HEADER + CHUNK - 1, HEADER + 5000])
def test_a_truncated_log(tool: Tool, good: Good, cut: int) -> None:
    path = tool.put("security.evtx", LOG.read_bytes()[:cut])
    some = [event["record_id"] for event in tool.lines("events", path, code=3)]
    assert 0 < len(some) < len(good.events)
    assert some == [event["record_id"] for event in good.events[: len(some)]]
    assert re.search(r"lost: security\.evtx, [^:]*\d", tool.err)


def test_a_log_cut_in_its_header(tool: Tool) -> None:
    tool.alone(tool.put("security.evtx", LOG.read_bytes()[:HEADER]), "security.evtx")
    tool.alone(tool.put("stump.evtx", LOG.read_bytes()[:100]), "stump.evtx")


def test_a_log_with_a_damaged_header_is_still_read(tool: Tool, good: Good) -> None:
    path = tool.put("security.evtx", b"\0" * 128 + LOG.read_bytes()[128:])
    assert tool.run("events", path, "-o", "x.jsonl") in (0, 3)
    some = [json.loads(line) for line in Path("x.jsonl").read_text("utf-8").splitlines()]
    assert [event["record_id"] for event in some] == [event["record_id"] for event in good.events]


def test_a_damaged_record_costs_that_record(tool: Tool, good: Good) -> None:
    data = bytearray(LOG.read_bytes())
    records = [match.start() for match in re.finditer(rb"\x2a\x2a\0\0", data)]
    at = records[20]
    data[at + 24 : at + 60] = b"\xff" * 36
    path = tool.put("security.evtx", bytes(data))
    some = {event["record_id"] for event in tool.lines("events", path, code=3)}
    assert len(good.events) - 1 <= len(some) <= len(good.events)
    assert some <= {event["record_id"] for event in good.events}
    assert "lost: security.evtx" in tool.err


def test_a_log_of_another_channel(tool: Tool, shared: Path) -> None:
    path = shared / "evtx-corpus" / "MSExchange_Management_wec.evtx"
    assert tool.lines("events", path) == []
    assert "note: " in tool.err
    assert tool.run("report", path, "-o", "r.html", "--json", "r.json") == 0
    document = json.loads(Path("r.json").read_text("utf-8"))
    assert document["inputs"][0]["records"] > 0
    assert document["inputs"][0]["events"] == 0
    assert document["problems"]
    assert document["verdicts"] == []


@pytest.mark.parametrize("name", ["one-byte-hang-a.evtx", "one-byte-hang-b.evtx"])
def test_a_log_that_makes_other_readers_hang(tool: Tool, shared: Path, name: str) -> None:
    begin = time.monotonic()
    assert tool.run("events", shared / "damaged" / name, "-o", "x.jsonl") in (0, 3, 4)
    assert time.monotonic() - begin < 60


# ------------------------------------------------------------------------------------------------ states


@pytest.mark.parametrize("part", [0.3, 0.5, 0.9])
def test_a_state_cut_in_the_middle(tool: Tool, good: Good, part: float) -> None:
    data = STATE.read_bytes()
    path = tool.put("wfpstate.xml", data[: int(len(data) * part)])
    some = {row["filter_id"]: row for row in tool.lines("filters", path, LOG, code=3)}
    whole = {row["filter_id"]: row for row in good.filters}
    assert re.search(r"lost: wfpstate\.xml", tool.err)
    assert 0 < len(some) <= len(whole)
    assert len(some) < len(whole) or part > 0.8  # the filters do not reach to the end
    for number, row in some.items():
        assert (row["name"], row["layer"], row["conditions"]) == tuple(
            whole[number][key] for key in ("name", "layer", "conditions")
        )
    assert tool.lines("events", path, LOG, code=3)


@pytest.mark.parametrize(
    "declaration",
    [
        "<!DOCTYPE wfpstate>",
        '<!DOCTYPE wfpstate [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE wfpstate SYSTEM "http://192.0.2.1/x.dtd">',
        '<!DOCTYPE wfpstate [<!ENTITY a0 "ha">'
        + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 30))
        + "]>",
    ],
    ids=["plain", "file", "network", "bomb"],
)
def test_a_state_with_a_doctype_is_refused(tool: Tool, good: Good, declaration: str) -> None:
    text = STATE.read_text("utf-8-sig").split("?>", 1)[1].replace("Default Outbound", "&a29;&x;", 1)
    path = tool.put("state.xml", ('<?xml version="1.0"?>' + declaration + text).encode())
    begin = time.monotonic()
    tool.alone(path, "DOCTYPE")
    assert "root:" not in tool.err
    tool.beside_good_ones(path, "DOCTYPE", good)
    assert time.monotonic() - begin < 60


# ------------------------------------------------------------------------------------------------ hostile text


def hostile_log(computer: str, application: str) -> bytes:
    """Return a log with one blocked connection, its texts as given."""
    fields = {
        "ProcessID": 4242,
        "Application": application,
        "Direction": "%%14593",
        "SourceAddress": "192.0.2.10",
        "SourcePort": "50000",
        "DestAddress": "198.51.100.7",
        "DestPort": "443",
        "Protocol": 6,
        "FilterRTID": 70001,
        "LayerName": "%%14611",
        "LayerRTID": 48,
    }
    stream = io.BytesIO()
    moment = datetime(2026, 3, 10, 8, 56, 30, tzinfo=UTC)
    write_log(stream, [Record(5157, 0, moment, 1000 + number, computer, fields) for number in range(3)])
    return stream.getvalue()


def check_page(text: str) -> None:
    """No hostile text may be markup, raw or moving in the page."""
    assert SCRIPT not in text
    assert "alert(1)</script" not in text
    assert RAW.search(text) is None


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "formula", "ansi", "rtl"])
def test_hostile_computer_names_and_programs(tool: Tool, text: str) -> None:
    program = rf"\device\harddiskvolume3\{text}"
    path = tool.put("security.evtx", hostile_log(text, program))
    events = tool.lines("events", path, STATE)
    assert {(event["computer"], event["application"]) for event in events} == {(text, program)}
    assert RAW.search((tool.folder / "events.jsonl").read_text("utf-8").replace("\n", "")) is None
    assert tool.run("report", path, STATE, "-o", "r.html", "--json", "r.json") == 0
    check_page(Path("r.html").read_text("utf-8"))
    document = json.loads(Path("r.json").read_text("utf-8"))
    assert document["inputs"][0]["computer"] == text
    assert {verdict["application"] for verdict in document["verdicts"]} == {program}


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "formula", "ansi", "rtl"])
def test_hostile_names_of_rules(tool: Tool, text: str) -> None:
    state = STATE.read_text("utf-8-sig").replace("<name>Default Outbound</name>", f"<name>{escape(text)}</name>")
    path = tool.put("wfpstate.xml", state.encode())
    legal = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "\ufffd", text)  # XML has no place for other control characters
    names = {row["name"] for row in tool.lines("filters", path)}
    assert legal in names
    assert "Default Outbound" not in names
    assert tool.run("report", LOG, path, "-o", "r.html", "--json", "r.json") == 0
    check_page(Path("r.html").read_text("utf-8"))
    document = json.loads(Path("r.json").read_text("utf-8"))
    assert legal in {verdict["filter"] and verdict["filter"]["name"] for verdict in document["verdicts"]}
    assert {verdict["kind"] for verdict in document["verdicts"]} >= {"default-outbound"}  # names decide nothing


@pytest.mark.skipif(os.name != "posix", reason="this system has no such file names")
@pytest.mark.parametrize(
    "text", [SCRIPT.replace("/", "\\"), FORMULA.replace("/", "-"), ANSI, RTL, "two\nlines", "café\udce9"]
)
def test_hostile_paths(tool: Tool, text: str) -> None:
    tool.put(f"{text}/{text}.evtx", LOG.read_bytes())
    tool.put(f"{text}/{text}.txt", b"a note")
    tool.put(f"{text}/{text}.xml", b"<wfpstate><layers>")
    assert tool.run("report", text, "-o", "r.html", "--json", "r.json") == 3
    check_page(Path("r.html").read_text("utf-8"))
    document = json.loads(Path("r.json").read_text("utf-8"))
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    assert {item["name"] for item in document["inputs"]} == {
        f"{shown}/{shown}{end}" for end in (".evtx", ".txt", ".xml")
    }
    assert tool.lines("events", f"{text}/{text}.evtx")
    assert tool.run("report", f"{text}/gone{text}") == 2
    assert tool.run("report", text, "-o", f"{text}/nowhere/{text}") == 2
    assert tool.run("report", text, "-o", f"{text}/{text}.evtx", "--force") == 2
    assert tool.run("report", f"{text}/{text}.evtx", "-o", f"{text}.html") == 0


# ------------------------------------------------------------------------------------------------ other kinds

NET = b"<netEvents>" + b"".join(
    b"<item><header><timeStamp>2026-03-10T08:32:%02d.000Z</timeStamp><flags/></header>"
    b"<type>FWPM_NET_EVENT_TYPE_CLASSIFY_DROP</type><classifyDrop><filterId>7</filterId><layerId>48</layerId>"
    b"</classifyDrop></item>" % number
    for number in range(3)
)
EVENT = (
    b"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    b"<Provider Name='Microsoft-Windows-Security-Auditing'/><EventID>5157</EventID>"
    b"<TimeCreated SystemTime='2026-03-10T08:32:00.0Z'/><EventRecordID>9</EventRecordID><Channel>Security</Channel>"
    b"<Computer>HOST-A</Computer></System><EventData><Data Name='Application'>a.exe</Data></EventData></Event>"
)
BEAT = (
    b'{"@timestamp":"2026-03-10T08:32:00Z","winlog":{"channel":"Security","computer_name":"HOST-A","event_id":"5157",'
    b'"provider_name":"Microsoft-Windows-Security-Auditing","record_id":"9","event_data":{"Application":"a.exe"}}}\n'
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("netevents.xml", NET + b"<item><header>"),
        ("netevents.xml", NET[:-40]),
        ("events.xml", b"<Events>" + EVENT + EVENT[:-60]),
        ("events.json", BEAT + BEAT[:-40]),
        ("events.json", BEAT + b"[" * 300_000 + b"\n"),
        ("events.json", BEAT + b'{"winlog":{"event_data":"' + b"x" * (9 << 20) + b"\n"),
        ("events.json.gz", gzip.compress(BEAT * 50)[:-12]),
        ("events.json.gz", gzip.compress(BEAT * 50) + b"and more"),
        ("capture.cab", b"MSCF" + bytes(60)),
        (
            "rules.reg",
            b"Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\x\\FirewallRules]\r\n",
        ),
    ],
)
def test_what_is_damaged_is_said_and_the_rest_is_read(tool: Tool, good: Good, name: str, content: bytes) -> None:
    path = tool.put(name, content)
    begun = time.monotonic()
    code = tool.run("events", path, LOG, STATE, "-o", tool.folder / "out", "--force")
    assert time.monotonic() - begun < 60
    assert code in {0, 3}
    assert ("lost" in tool.err) == (code == 3)
    assert name in tool.err  # who it was is always said
    found = [json.loads(line) for line in (tool.folder / "out").read_text("utf-8").splitlines()]
    own = [event for event in found if event["input"] != name]
    assert [event["record_id"] for event in own] == [event["record_id"] for event in good.events]


def test_a_damaged_end_of_each_export_is_lost_with_its_place(tool: Tool) -> None:
    for name, content, place in (
        ("netevents.xml", NET[:-40], "line"),
        ("events.json", BEAT + BEAT[:-40], "line 2"),
        ("events.xml", b"<Events>" + EVENT + EVENT[:-60], "line"),
    ):
        path = tool.put(name, content)
        assert tool.run("events", path, "-o", tool.folder / "out", "--force") == 3, name
        assert re.search(rf"lost: {name}, [^:]*{place}", tool.err), tool.err


def test_a_zip_with_names_that_lead_out_of_it(tool: Tool, good: Good) -> None:
    with zipfile.ZipFile(tool.folder / "t.zip", "w") as archive:
        archive.writestr("../../evil.evtx", LOG.read_bytes())
        archive.writestr("/etc/state.xml", STATE.read_bytes())
        archive.writestr(f"{SCRIPT}{ANSI}.txt", b"a note")
    found = tool.lines("events", tool.folder / "t.zip")
    assert [event["record_id"] for event in found] == [event["record_id"] for event in good.events]
    assert tool.run("report", tool.folder / "t.zip", "-o", "r.html") == 0
    assert SCRIPT not in (tool.folder / "r.html").read_text("utf-8")
    assert not list(tool.folder.parent.glob("evil*"))


def test_a_zip_bomb_beside_a_log(tool: Tool, good: Good) -> None:
    with zipfile.ZipFile(tool.folder / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("security.evtx", LOG.read_bytes())
        archive.writestr("wfpstate.xml", STATE.read_bytes())
        with archive.open("bomb.evtx", "w") as member:
            for _ in range(80):
                member.write(bytes(1 << 20))
    found = tool.lines("events", tool.folder / "t.zip", code=3)
    assert [event["record_id"] for event in found] == [event["record_id"] for event in good.events]
    assert "t.zip/bomb.evtx" in tool.err
    assert "as a zip bomb does" in tool.err
