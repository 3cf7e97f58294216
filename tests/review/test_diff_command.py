"""The command `diff`: outputs, exit codes, damaged and hostile inputs."""

from __future__ import annotations

import json
import random
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from made_sides import PROGRAM, rule, state, store
from test_diff_real import schema

from analyzer.cli import main
from samples.background import outbound_permit
from samples.machine import Draft, Machine, application, local_port, protocol, remote_port
from samples.state import Condition
from tests.places import ROOT

if TYPE_CHECKING:
    from pathlib import Path

RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Tool:
    """The command in a folder of its own; nothing raw and no traceback ever comes out of it."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capture = capture
        self.out = self.err = ""

    def run(self, *arguments: object) -> int:
        code = main(["diff", *map(str, arguments)])
        self.out, self.err = self.capture.readouterr()
        assert "Traceback" not in self.out + self.err
        assert "internal error" not in self.err
        assert RAW.search(self.out + self.err) is None
        return code

    def document(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        target = self.folder / "diff.json"
        assert self.run(*arguments, "--json", target, "--force") == code, self.err
        found = json.loads(target.read_text(encoding="utf-8"))
        schema().validate(found)
        return found


@pytest.fixture
def tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tool:
    return Tool(tmp_path, capsys)


def allow(*ports: int, name: str = "Example Notes"):
    def edit(machine: Machine) -> None:
        outbound_permit(machine, name, PROGRAM, 6, ports)

    return edit


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return (
        state(tmp_path / "before.xml", allow(443)),
        state(tmp_path / "after.xml", allow(443, 8443), seed="two", time="2026-05-05T11:00:00.000Z"),
    )


def test_the_summary_tells_changes_and_exposure(tool: Tool, pair: tuple[Path, Path]) -> None:
    assert tool.run(*pair) == 0
    out = " ".join(tool.out.split())
    assert "BEFORE before.xml (2026-05-05 10:00:00 UTC, 22 filters) · WS-DEMO-77 · profile public" in out
    assert "~ rule “Example Notes”: remote port 443 → 443, 8443" in out
    assert "Newly allowed: outbound TCP 8443 to any address, any profile, program notesync.exe" in out
    assert "Everything that was handed in could be read." in out
    assert tool.err == ""


def test_the_document_has_the_keys_of_the_contract(tool: Tool, pair: tuple[Path, Path]) -> None:
    document = tool.document(*pair)
    assert document["replay"] is None
    (change,) = document["changes"]
    assert (change["what"], change["rule"]) == ("changed", "Example Notes")
    assert change["before"]["conditions"][-1] == {
        "field": "IP_REMOTE_PORT",
        "words": "remote port",
        "values": ["443"],
        "total": 1,
    }
    assert document["defaults"] == []
    assert [box["what"] for box in document["exposure"]] == ["newly-allowed"]
    assert [item["name"] for item in document["inputs"]] == ["before/before.xml", "after/after.xml"]
    assert all(item["sha256"] for item in document["inputs"])
    assert document["command"][0] == "diff"


def test_json_on_standard_output_stands_alone_there(tool: Tool, pair: tuple[Path, Path]) -> None:
    assert tool.run(*pair, "--json", "-") == 0
    assert json.loads(tool.out)["changes"]
    assert "Example Notes" in tool.err


def test_its_own_output_is_no_evidence(tool: Tool, pair: tuple[Path, Path]) -> None:
    """The document speaks of rules in words that exported rules have, too; it may be replaced, and is not read."""
    tool.document(*pair)
    tool.document(*pair)
    assert tool.run(tool.folder / "diff.json", pair[0]) == 4
    assert "an output of this program" in tool.err


def test_one_file_on_both_sides_is_empty(tool: Tool, pair: tuple[Path, Path]) -> None:
    document = tool.document(pair[0], pair[0])
    assert (document["changes"], document["defaults"], document["exposure"]) == ([], [], [])
    assert document["summary"] == "No rule, filter or default changed."


def test_sides_may_be_folders_and_archives(tool: Tool) -> None:
    a, b = ROOT / "samples" / "ticket-a-win11", ROOT / "samples" / "ticket-f-netevents-only"
    document = tool.document(a, b)
    assert [side["state"] for side in document["sides"]] == [
        "ticket-a-win11/wfpstate.xml",
        "ticket-f-netevents-only/wfpstate.xml",
    ]
    assert any("different computers" in said for said in document["limits"])
    kinds = {item["name"]: (item["kind"], item["events"]) for item in document["inputs"]}
    assert kinds["before/ticket-a-win11/security.evtx"] == ("evtx", None)  # traffic is a matter of its own


def test_an_archive_of_several_computers_is_refused(tool: Tool, pair: tuple[Path, Path]) -> None:
    packed = ROOT / "samples" / "ticket-j-two-hosts" / "hosts.zip"
    assert tool.run(packed, pair[0]) == 2
    assert "BEFORE holds states of several computers (WS-DEMO-19, WS-DEMO-20): name one of them" in tool.err


def test_of_several_states_the_latest_is_compared_and_said(tool: Tool, pair: tuple[Path, Path]) -> None:
    folder = tool.folder / "many"
    folder.mkdir()
    for path in pair:
        (folder / path.name).write_bytes(path.read_bytes())
    document = tool.document(folder, pair[1])
    assert document["changes"] == []
    assert "holds 2 states: the latest, many/after.xml, was compared" in document["problems"][0]["what"]


# ---------------------------------------------------------------------------------------------------------- refusals


def test_wrong_usage_is_2(tool: Tool, pair: tuple[Path, Path]) -> None:
    assert tool.run(pair[0]) == 2
    assert "Missing argument 'AFTER'" in tool.err
    assert tool.run(pair[0], tool.folder / "nothing.xml") == 2
    assert "there is no such file or folder" in tool.err
    assert tool.run(*pair, "--json", pair[0]) == 2
    assert "evidence is never overwritten" in tool.err
    old = tool.folder / "old.json"
    old.write_text("old")
    assert tool.run(*pair, "--json", old) == 2
    assert "give --force to replace it" in tool.err
    assert old.read_text() == "old"


def test_nothing_usable_is_4_and_nothing_is_written(tool: Tool, pair: tuple[Path, Path]) -> None:
    text = tool.folder / "notes.txt"
    text.write_text("hello")
    rules = store(tool.folder / "firewall.reg", {"A-1": rule()})
    target = tool.folder / "out.json"
    for before, after, words in (
        (text, pair[0], "BEFORE holds neither WFP filters nor exported rules"),
        (pair[0], ROOT / "samples" / "ticket-a-win11" / "security.evtx", "AFTER holds neither"),
        (rules, pair[0], "one side holds a state and no exported rules, the other exported rules and no state"),
    ):
        assert tool.run(before, after, "--json", target) == 4
        assert words in tool.err
        assert not target.exists()


def test_a_damaged_side_is_3_and_what_is_missing_is_not_called_removed_lightly(
    tool: Tool, pair: tuple[Path, Path]
) -> None:
    cut = tool.folder / "cut.xml"
    data = pair[1].read_bytes()
    cut.write_bytes(data[: data.index(b"<name>Example Notes</name>") + 4000])
    document = tool.document(pair[0], cut, code=3)
    assert any("AFTER could not be read to its end" in said for said in document["limits"])
    assert [p["severity"] for p in document["problems"] if p["input"] == "after/cut.xml"].count("lost") >= 1
    target = tool.folder / "strict.json"
    assert tool.run(pair[0], cut, "--json", target, "--strict") == 3
    assert not target.exists()


def test_hostile_names_are_shown_and_not_obeyed(tool: Tool) -> None:
    name = "<b>\u202egpj\u2066 =cmd|' /C calc'!A0 [red]x[/red] \x9b31m"
    before = state(tool.folder / "one.xml")
    after = state(tool.folder / "two.xml", allow(443, name=name.replace("\x9b", "")), seed="two")
    document = tool.document(before, after)
    assert document["changes"][0]["rule"] == name.replace("\x9b", "").strip()
    assert "⟨U+202E⟩gpj" in tool.out
    assert "[red]" in tool.out


def test_lost_conditions_are_never_a_wider_filter(tool: Tool) -> None:
    before = state(tool.folder / "one.xml")
    after = state(tool.folder / "two.xml", allow(443), seed="two")
    broken = tool.folder / "broken.xml"
    field = b"FWPM_CONDITION_IP_REMOTE_PORT"
    broken.write_bytes(re.sub(rb"<fieldKey>" + field + b"</fieldKey>", b"", after.read_bytes()))
    document = tool.document(before, broken)
    assert {box["what"] for box in document["exposure"]} == {"cannot-tell"}
    assert document["exposure"][0]["maybe"] == ["newly allowed", "as before"]
    assert "a condition of “Example Notes” that the file does not hold" in document["exposure"][0]["why"]


def test_bytes_changed_at_random_never_break_it(tool: Tool, pair: tuple[Path, Path]) -> None:
    chance = random.Random(7)
    data = pair[1].read_bytes()
    codes = set()
    for _ in range(40):
        hurt = bytearray(data)
        for _ in range(chance.choice((1, 3, 40))):
            hurt[chance.randrange(len(hurt))] = chance.randrange(256)
        path = tool.folder / "hurt.xml"
        path.write_bytes(hurt)
        code = tool.run(pair[0], path, "--json", tool.folder / "hurt.json", "--force")
        codes.add(code)
        if code in (0, 3):
            schema().validate(json.loads((tool.folder / "hurt.json").read_text(encoding="utf-8")))
    assert codes <= {0, 3, 4}, tool.err


# ------------------------------------------------------------------------------------------------------------ bounds


def crowd(count: int, first: int):
    """Many rules of one name, each another combination of ports: as hard to match and to take apart as it gets."""

    def edit(machine: Machine) -> None:
        chance = random.Random(first)
        for number in range(count):
            low = chance.randrange(60_000)
            conditions = [
                application(f"\\device\\program{chance.randrange(40)}.exe"),
                protocol(chance.choice((6, 17))),
                Condition("IP_REMOTE_PORT", "RANGE", "UINT16", (low, low + chance.randrange(5000))),
                local_port(chance.randrange(65536)) if number % 2 else remote_port(first),
            ]
            weight = ("UINT8", 9) if number % 3 else ("UINT8", 10)
            action = "PERMIT" if number % 3 else "BLOCK"
            machine.add(
                Draft("crowd", "ALE_AUTH_CONNECT_V4", action, conditions, weight=weight, data=machine.rule_data())
            )

    return edit


def test_a_crowd_of_rules_of_one_name_ends(tool: Tool) -> None:
    before = state(tool.folder / "one.xml", crowd(800, 1))
    after = state(tool.folder / "two.xml", crowd(800, 2), seed="two")
    start = time.process_time()
    document = tool.document(before, after)
    assert time.process_time() - start < 60
    assert len(document["changes"]) >= 800
    assert document["exposure"]
