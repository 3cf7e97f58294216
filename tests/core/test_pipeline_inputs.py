"""Tickets of every make, from files to outputs: other exports, archives, several hosts, and asking narrowly."""

from __future__ import annotations

import functools
import gzip
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from analyzer import selection
from analyzer.cli import main
from analyzer.pipeline import analyze
from analyzer.selection_options import TABLE
from reports.document import report_json
from reports.export import event_lines
from samples.eventxml import moment
from samples.evtxwriter.values import filetime
from samples.neteventswriter import NetEvent, write_cab, write_netevents, write_wfpdiag
from samples.tickets import two, win11

if TYPE_CHECKING:
    from samples.evtxwriter import Record

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMAS = ROOT / "reports" / "schemas"
TICKET = ROOT / "samples" / "ticket-a-win11"
STATE = (TICKET / "wfpstate.xml").read_bytes()
LOG = (TICKET / "security.evtx").read_bytes()
PUBLIC = 2  # the number of the profile in force on this ticket's host


def blocks() -> list[Record]:
    """Return the ticket's records of refused connections."""
    return [record for record in win11.ticket().logs["security.evtx"].records if record.event_id == 5157]


def time_of(record: Record) -> str:
    return moment(filetime(record.time))


def texts(record: Record) -> dict[str, str]:
    return {name: str(value) for name, value in record.fields.items()}


def event_json(record: Record) -> str:
    """Return a line as Winlogbeat writes it."""
    return json.dumps(
        {
            "@timestamp": time_of(record),
            "winlog": {
                "channel": "Security",
                "computer_name": record.computer,
                "event_data": texts(record),
                "event_id": str(record.event_id),
                "provider_name": "Microsoft-Windows-Security-Auditing",
                "record_id": str(record.record_id),
                "version": record.version,
            },
        }
    )


def event_xml(records: list[Record]) -> bytes:
    """Return what ``wevtutil qe /f:xml`` prints: one event after the other, without a root."""
    out = []
    for record in records:
        data = "".join(f'<Data Name="{name}">{value}</Data>' for name, value in texts(record).items())
        out.append(
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
            "<Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/>"
            f"<EventID>{record.event_id}</EventID><Version>{record.version}</Version>"
            f"<TimeCreated SystemTime='{time_of(record)}'/><EventRecordID>{record.record_id}</EventRecordID>"
            f"<Channel>Security</Channel><Computer>{record.computer}</Computer></System>"
            f"<EventData>{data}</EventData></Event>\r\n"
        )
    return "".join(out).encode()


def net_events() -> list[NetEvent]:
    out = []
    for record in blocks():
        told = texts(record)
        if told["Direction"] != "%%14593":
            continue
        out.append(
            NetEvent(
                time_of(record),
                protocol=int(told["Protocol"]),
                local=told["SourceAddress"],
                local_port=int(told["SourcePort"]),
                remote=told["DestAddress"],
                remote_port=int(told["DestPort"]),
                application=told["Application"],
                filter_id=int(told["FilterRTID"]),
                layer_id=int(told["LayerRTID"]),
                profile=PUBLIC,
                origin=told["FilterOrigin"],
            )
        )
    return out


def valid(name: str, documents: list[Any]) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    for document in documents:
        jsonschema.Draft202012Validator(schema).validate(document)


@functools.cache
def whole_ticket() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return all event lines of the ticket, and its coverage."""
    result = analyze([TICKET])
    return [json.loads(line) for line in event_lines(result)], json.loads(report_json(result))["coverage"]


class Desk:
    """A folder to work in, and the command."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capture = capture
        self.out = self.err = ""

    def put(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def run(self, *arguments: object) -> int:
        code = main([str(item) for item in arguments])
        self.out, self.err = self.capture.readouterr()
        assert "internal error" not in self.err, self.err
        return code

    def report(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        """Run ``report``; the page is whole, and the document fits its schema."""
        page, document = self.folder / "out.html", self.folder / "out.json"
        assert self.run("report", *arguments, "-o", page, "--json", document, "--force") == code, self.err
        assert page.read_text("utf-8").rstrip().endswith("</html>")
        result: dict[str, Any] = json.loads(document.read_text("utf-8"))
        valid("report", [result])
        return result

    def events(self, *arguments: object, code: int = 0) -> list[dict[str, Any]]:
        assert self.run("events", *arguments, "-o", self.folder / "out.jsonl", "--force") == code, self.err
        lines = [json.loads(line) for line in (self.folder / "out.jsonl").read_text("utf-8").splitlines()]
        valid("events", lines)
        return lines


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


# ------------------------------------------------------------------------------------- other makes of evidence


def test_net_events_and_a_state_alone_give_a_full_report(desk: Desk) -> None:
    desk.put("t/netevents.xml", write_netevents(net_events()))
    desk.put("t/wfpstate.xml", STATE)
    lines = desk.events(desk.folder / "t")
    assert len(lines) == len(net_events())
    assert {(line["event_id"], line["record_id"], line["source"], line["grade"]) for line in lines} == {
        (None, None, "netevent", "netevent")
    }
    assert all(line["filter"] for line in lines)
    result = desk.report(desk.folder / "t")
    assert result["coverage"]["state_fits"] == "yes"
    assert {verdict["kind"] for verdict in result["verdicts"]} == {"default-outbound", "explicit-rule"}
    assert result["findings"]
    page = (desk.folder / "out.html").read_text("utf-8")
    assert "0 computers" not in page


@pytest.mark.parametrize("form", ["xml", "json", "json.gz"])
def test_events_of_another_export_give_what_the_log_gives(desk: Desk, form: str) -> None:
    records = blocks()
    lines = "".join(event_json(record) + "\n" for record in records).encode()
    content = {"xml": event_xml(records), "json": lines, "json.gz": gzip.compress(lines)}[form]
    desk.put(f"t/events.{form}", content)
    desk.put("t/wfpstate.xml", STATE)
    wanted = {e["record_id"]: e for e in desk.events(TICKET, "--event-id", "5157")}
    found = {e["record_id"]: e for e in desk.events(desk.folder / "t")}
    assert set(found) == set(wanted)
    for name in ("event_id", "time", "computer", "action", "kind", "filter", "filter_rtid", "local_port"):
        assert {number: e[name] for number, e in found.items()} == {number: e[name] for number, e in wanted.items()}
    result = desk.report(desk.folder / "t")
    assert result["coverage"]["state_fits"] == "yes"
    assert {item["kind"] for item in result["inputs"]} == {"eventxml" if form == "xml" else "eventjson", "wfpstate"}


def test_a_cabinet_gives_net_events_and_filters(desk: Desk) -> None:
    state = STATE.decode("utf-8-sig")
    inner = state[state.index("<wfpstate") :]
    path = desk.put("wfpdiag.cab", write_cab({"wfpdiag.xml": write_wfpdiag(net_events(), state=inner)}))
    result = desk.report(path)
    assert [item["kind"] for item in result["inputs"]] == ["cab"]
    assert sum(verdict["count"] for verdict in result["verdicts"]) == len(net_events())
    assert {verdict["grade"] for verdict in result["verdicts"]} == {"netevent"}
    assert desk.run("filters", path, "-o", desk.folder / "f.jsonl") == 0


def test_a_zip_is_an_input_like_the_folder(desk: Desk) -> None:
    with zipfile.ZipFile(desk.folder / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("host/security.evtx", LOG)
        archive.writestr("host/wfpstate.xml", STATE)
        archive.writestr("host/notes.txt", b"a note")
    lines = desk.events(desk.folder / "t.zip")
    assert [{**line, "input": None, "reasons": None} for line in lines] == [
        {**line, "input": None, "reasons": None} for line in desk.events(TICKET)
    ]
    assert {line["input"] for line in lines} == {"t.zip/host/security.evtx"}


# ------------------------------------------------------------------------------------- several hosts and states


def test_two_hosts_in_one_zip_each_with_its_own_state(desk: Desk) -> None:
    contents = two.ticket().contents()
    other = {"elsewhere/wfpstate.xml": STATE}  # of a host of which there is no log
    with zipfile.ZipFile(desk.folder / "hosts.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (contents | other).items():
            archive.writestr(name, content)
    result = desk.report(desk.folder / "hosts.zip")
    fits = {(p["computer"].partition(".")[0], p["state"]): p["fits"] for p in result["coverage"]["pairings"]}
    first, second = "WS-DEMO-19", "WS-DEMO-20"
    assert fits[first, f"hosts.zip/{first}/wfpstate.xml"] == "yes"
    assert fits[second, f"hosts.zip/{first}/wfpstate.xml"] == "no"
    assert fits[first, f"hosts.zip/{second}/wfpstate.xml"] == "no"
    assert {fits[name, "hosts.zip/elsewhere/wfpstate.xml"] for name in (first, second)} == {"no"}
    named = {(v["computer"].partition(".")[0], v["state"]) for v in result["verdicts"] if v["filter"]}
    assert named == {(first, f"hosts.zip/{first}/wfpstate.xml")}
    said = {problem["input"]: problem["what"] for problem in result["problems"]}
    assert said["hosts.zip/elsewhere/wfpstate.xml"].startswith("this state belongs to none of the computers")
    assert f"hosts.zip/{first}/wfpstate.xml" not in said
    only = desk.events(desk.folder / "hosts.zip", "--computer", "ws-demo-20")
    assert {line["computer"] for line in only} == {"WS-DEMO-20.corp.example"}


def test_two_states_of_one_host_where_only_one_fits(desk: Desk) -> None:
    contents = two.ticket().contents()
    desk.put("t/security.evtx", contents["WS-DEMO-19/security.evtx"])
    desk.put("t/good.xml", contents["WS-DEMO-19/wfpstate.xml"])
    desk.put("t/foreign.xml", STATE)
    result = desk.report(desk.folder / "t")
    assert {v["state"] for v in result["verdicts"] if v["filter"]} == {"t/good.xml"}
    assert result["coverage"]["state_fits"] == "yes"
    assert [p["input"] for p in result["problems"] if "belongs to none" in p["what"]] == ["t/foreign.xml"]


# ------------------------------------------------------------------------------------- asking narrowly


def test_the_options_are_those_that_a_selection_has() -> None:
    assert {field: option for field, option, *_ in TABLE} == selection.OPTIONS


@pytest.mark.parametrize(
    ("options", "key", "values"),
    [
        (("--remote-port", "443"), "remote_port", {443}),
        (("--kind", "explicit-rule"), "kind", {"explicit-rule"}),
        (("--kind", "explicit-rule", "--kind", "stealth"), "kind", {"explicit-rule", "stealth"}),
        (("--grade", "origin"), "grade", {"origin"}),
        (("--protocol", "udp"), "protocol", {17}),
        (("--event-id", "5156"), "event_id", {5156}),
        (("--remote-address", "198.51.100.0/24", "--event-id", "5157"), "event_id", {5157}),
    ],
)
def test_only_what_was_asked_for_is_shown(desk: Desk, options: tuple[str, ...], key: str, values: set[object]) -> None:
    everything, coverage = whole_ticket()
    lines = desk.events(TICKET, *options)
    assert {line[key] for line in lines} == values
    assert all(line in everything for line in lines)  # judged in the same way
    total = (
        f"of {len(everything):,} events {len(lines):,} fit, and {len(everything) - len(lines):,} events are left out"
    )
    assert total in desk.err
    result = desk.report(TICKET, *options)
    assert (result["selection"]["shown"], result["selection"]["total"]) == (len(lines), len(everything))
    assert sum(verdict["count"] for verdict in result["verdicts"]) == len(lines)
    assert Counter(line["kind"] for line in lines if line["kind"]) == Counter(
        {kind["kind"]: kind["count"] for kind in result["answer"]["kinds"]}
    )
    assert result["coverage"] == coverage  # of everything
    keys = {finding["key"] for finding in result["findings"]}
    assert all(set(verdict["findings"]) <= keys for verdict in result["verdicts"])
    assert "Only a part is shown" in (desk.folder / "out.html").read_text("utf-8")
    assert "Only a part is shown" in desk.out


def test_a_finding_rests_on_the_verdicts_that_are_left(desk: Desk) -> None:
    result = desk.report(TICKET, "--kind", "explicit-rule")
    assert [finding["id"] for finding in result["findings"]] == ["explicit-rule"]
    assert {verdict["findings"][0] for verdict in result["verdicts"]} == {"explicit-rule"}
    whole = {v["record_ids"][0]: v for v in desk.report(TICKET)["verdicts"] if v["kind"] == "explicit-rule"}
    for verdict in result["verdicts"]:
        same = whole[verdict["record_ids"][0]]
        assert (verdict["count"], verdict["attempts"]) == (same["count"], same["attempts"])


def test_nothing_fits(desk: Desk) -> None:
    result = desk.report(TICKET, "--remote-port", "1")
    assert result["answer"]["sentence"] == "No event fits what was asked for."
    assert (result["verdicts"], result["selection"]["shown"]) == ([], 0)
    assert result["coverage"]["by_event_id"]
    assert "was found in what was asked for" in (desk.folder / "out.html").read_text("utf-8")
    trust = result["answer"]["trust"]
    assert "not blocked" not in trust
    assert trust.startswith("236 events are in the files, from 2026-")
    assert trust.endswith("none fits what was asked for: this says nothing about what was blocked.")
    assert desk.events(TICKET, "--remote-port", "1") == []
    assert "of 236 events 0 fit" in desk.err


def test_no_block_among_what_was_asked_for_tells_nothing_about_the_rest(desk: Desk) -> None:
    result = desk.report(TICKET, "--event-id", "5156")
    assert result["answer"]["sentence"] == "Nothing was blocked or dropped in the events that were asked for."
    assert result["answer"]["trust"].endswith("are left aside: this says nothing about them.")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--remote-port", "http"), "--remote-port: 'http' is no port"),
        (("--kind", "default"), "--kind: 'default' is no kind"),
        (("--from", "yesterday"), "--from: 'yesterday' is no time"),
        (("--from", "2026-03-11", "--to", "2026-03-10"), "--from lies behind --to"),
        (("--remote-address", "host.example"), "--remote-address: 'host.example' is neither"),
        (("--event-id", "4624"), "--event-id: '4624' is none of the events"),
    ],
)
@pytest.mark.parametrize("command", ["report", "events"])
def test_what_cannot_be_asked_is_wrong_usage(desk: Desk, command: str, options: tuple[str, ...], words: str) -> None:
    target = desk.folder / "out"
    assert desk.run(command, TICKET, *options, "-o", target) == 2
    assert words in desk.err
    assert not target.exists()


def test_the_same_from_python() -> None:
    asked = selection.parse({"application": ["svchost.exe"], "kind": ["default-outbound"]})
    result = analyze([TICKET], selection=asked)
    assert result.events is not None
    assert result.selection is not None
    assert len(result.events) == result.selection.shown == result.answer.blocks > 0
    assert result.selection.words == "application svchost.exe, kind default-outbound"
    assert {program.application for program in result.programs} == {
        r"\device\harddiskvolume3\windows\system32\svchost.exe"
    }
    assert analyze([TICKET], selection=selection.Selection()).selection is None


def test_the_help_page_fits_a_terminal_of_80_columns(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert desk.run("report", "--help") == 0
    head, title, group = desk.out.partition("Show only some events")
    assert title
    assert "--force" in head
    assert "--remote-address" not in head
    for _, option, metavar, text in TABLE:
        assert any(f"{option} {metavar}" in line and text in line for line in group.splitlines())  # in one line each
    assert max(map(len, group.partition("Examples")[0].splitlines())) <= 80
