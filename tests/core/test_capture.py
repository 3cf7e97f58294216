"""A capture (wfpdiag.cab, wfpdiag.xml) holds state and net events of one computer and time: each ties the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.pipeline import analyze
from samples.neteventswriter import NetEvent, write_cab, write_netevents, write_wfpdiag
from samples.tickets import services, win11

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Analysis

STATE = win11.ticket().contents()["wfpstate.xml"].decode("utf-8-sig")
PUBLIC = 2  # the number of the profile in force on that host
SVCHOST = r"\device\harddiskvolume3\windows\system32\svchost.exe"


def lists(state: str = STATE, *, nameless: bool = True, time: bool = False) -> str:
    """Return what stands inside a state, as a capture has it; ``nameless``: no session and no address tells a host."""
    inner = re.sub(r"^.*?<wfpstate>|</wfpstate>.*$", "", state, flags=re.DOTALL)
    if not time:
        inner = re.sub(r"<timeStamp>.*?</timeStamp>", "", inner, count=1)
    if nameless:
        inner = re.sub(r"<(sessions|aleConnectedEndpoints)\b.*?</\1>", "", inner, flags=re.DOTALL)
    return inner


def blocks(count: int = 4, *, start: int = 0, **more: Any) -> list[NetEvent]:
    """Net events of blocked connections that name no origin: only a state can tell what filter it was."""
    return [
        NetEvent(
            f"2026-03-04T10:00:{start + n:02d}.500Z",
            local="192.168.50.11",
            local_port=50_000 + n,
            application=SVCHOST,
            filter_id=default_id(),
            profile=PUBLIC,
            **more,
        )
        for n in range(count)
    ]


def default_id() -> int:
    """Return the run-time id of the outbound default block at the connect layer."""
    rows = win11.ticket().events
    return next(int(row["filter"]) for row in rows if row["kind"] == "default-outbound" and row["filter"])


def capture(folder: Path, form: str, events: list[NetEvent], state: str) -> Path:
    data = write_wfpdiag(events, state=state)
    path = folder / f"wfpdiag.{form}"
    path.write_bytes(write_cab({"wfpdiag.xml": data}) if form == "cab" else data)
    return path


def grades(result: Analysis) -> set[str]:
    return {verdict.grade for verdict in result.verdicts}


@pytest.mark.parametrize("form", ["cab", "xml"])
def test_the_state_of_a_capture_is_tied_to_its_net_events(tmp_path: Path, form: str):
    result = analyze([capture(tmp_path, form, blocks(), lists())])
    assert [(v.kind, v.grade) for v in result.verdicts] == [("default-outbound", "snapshot")]
    assert result.coverage.state_fits == "yes"
    (pairing,) = result.coverage.pairings
    assert any("one capture" in tie for tie in pairing.ties)
    assert not any("time stamp" in item for item in pairing.against)
    assert any("one capture" in reason for verdict in result.verdicts for reason in verdict.reasons)


def test_a_state_that_came_beside_net_events_is_not_tied_by_that(tmp_path: Path):
    (tmp_path / "netevents.xml").write_bytes(write_netevents(blocks()))
    (tmp_path / "wfpstate.xml").write_text(f"<wfpstate>{lists()}</wfpstate>", encoding="utf-8")
    result = analyze([tmp_path])
    assert "snapshot" not in grades(result)
    assert result.coverage.state_fits != "yes"


@pytest.mark.parametrize("where", ["<initialState>", "<initialState>\n<wfpstate>"])
def test_a_time_stamp_of_the_begin_is_before_all_net_events_and_speaks_for_them(tmp_path: Path, where: str):
    state = f"<timeStamp>2026-03-04T09:58:00.000Z</timeStamp>{lists()}"
    if "wfpstate" in where:
        state = f"<wfpstate>\n{state}\n</wfpstate>"
    result = analyze([capture(tmp_path, "cab", blocks(), state)])
    assert grades(result) == {"snapshot"}
    assert result.coverage.state_fits == "yes"
    assert result.coverage.state_time == "2026-03-04T09:58:00.0000000Z"


def test_filter_changes_that_are_not_read_leave_it_to_the_number(tmp_path: Path):
    """Host and time are the same still, but what changed since the begin is not known."""
    path = capture(tmp_path, "xml", blocks(), lists())
    text = path.read_text("utf-8-sig").replace("</events>", "<filterChange><changeType/></filterChange></events>")
    path.write_text(text, encoding="utf-8")
    result = analyze([path])
    assert grades(result) == {"id-only"}
    assert any("changed while it ran" in reason for verdict in result.verdicts for reason in verdict.reasons)
    assert result.coverage.state_fits == "yes"


def test_no_word_of_a_dump_of_filters(tmp_path: Path):
    result = analyze([capture(tmp_path, "cab", blocks(), lists())])
    assert not any("show filters" in problem.what for problem in result.problems)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_capture_without_a_net_event_is_not_taken_for_a_dump_of_filters(tmp_path: Path, share: float):
    """Cut inside its state, or whole and without any: it is still a capture."""
    data = write_wfpdiag([], state=lists())
    (tmp_path / "wfpdiag.xml").write_bytes(data[: int(len(data) * share)])
    said = [problem.what for problem in analyze([tmp_path]).problems]
    assert not [text for text in said if "show filters" in text]
    assert [text for text in said if text.startswith("the state of a capture, and no net event of it")]


def test_an_audit_log_that_shows_the_same_decisions_is_tied_as_well(tmp_path: Path):
    """The service-SID case with all of netsh's part in one cabinet: the token, the permits, and whose they are."""
    contents = services.ticket().contents()
    for name in ("security.evtx", "services.json", "tasklist.csv"):
        (tmp_path / name).write_bytes(contents[name])
    events = re.findall(r"\n\t<item>.*?\n\t</item>", contents["netevents.xml"].decode("utf-8-sig"), flags=re.DOTALL)
    inner = "".join(
        text.replace("\n\t<item>", "\n<netEvent>").replace("\n\t</item>", "\n</netEvent>") for text in events
    )
    state = lists(contents["wfpstate.xml"].decode("utf-8-sig"))
    data = f"<wfpdiag>\n<initialState>\n{state}\n</initialState>\n<events>\n{inner}</events>\n</wfpdiag>\n"
    (tmp_path / "wfpdiag.cab").write_bytes(write_cab({"wfpdiag.xml": data.encode()}))
    result = analyze([tmp_path])
    assert result.coverage.state_fits == "yes"
    found = {
        item.confidence: [s.name for s in item.services or ()] for item in result.findings if item.id == "service-sid"
    }
    assert found == {"proven": ["BITS"], "possible": ["CryptSvc"]}


def test_a_capture_of_another_computer_does_not_speak_for_the_log(tmp_path: Path):
    """Its net events match none of the log's, so nothing ties the two."""
    (tmp_path / "security.evtx").write_bytes(services.ticket().contents()["security.evtx"])
    capture(tmp_path, "cab", blocks(), lists())
    result = analyze([tmp_path])
    by_host = {host.computer: host.state_fits for host in result.coverage.hosts}
    assert by_host[None] == "yes"
    assert by_host["WS-DEMO-16.corp.example"] != "yes"
