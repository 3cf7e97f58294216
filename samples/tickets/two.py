"""Ticket (j): two hosts in one zip; the state of one of them is weeks old."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from samples import background
from samples.machine import Machine
from samples.state import Endpoint
from samples.story import Story
from samples.ticket import Log, Ticket
from samples.told import Cause, Event, Flow, Say, Socket

if TYPE_CHECKING:
    from samples.evtxwriter import Record
    from samples.state import State

BROWSER: Final = "\\device\\harddiskvolume3\\program files\\example browser\\browser.exe"
NOTES: Final = "\\device\\harddiskvolume3\\program files\\example notes\\notesync.exe"
FAR: Final = "203.0.113.40"
SHIFT: Final = 2  # by so many ids the older state lies below those of the day
START: Final = dt.datetime(2026, 5, 5, 8, 0, tzinfo=dt.UTC)
_USER: Final = "S-1-5-21-3141592653-2718281828-1414213562-"


def _machine(name: str, number: int, *, first_id: int) -> tuple[Machine, background.Ids, background.Ids]:
    """Return a machine that blocks outbound by default."""
    machine = Machine(f"ticket-j-two-hosts/{name}", windows11=False, first_id=first_id)
    ids = background.few(machine, name, f"{_USER}{number}", profile_number=2)
    browser = background.outbound_permit(machine, "Example Browser", BROWSER, 6, (80, 443))
    return machine, ids, browser


def _first() -> tuple[list[Record], list[dict[str, Any]], State]:
    """Tell the host whose state was saved right after the blocks."""
    machine, ids, browser = _machine("WS-DEMO-19", 1009, first_id=66_211)
    address = "192.168.50.19"
    story = Story("WS-DEMO-19.corp.example", "ticket-j/19", START, 41_000, windows11=False)
    default = ids["default-outbound-connect-V4"]
    cause = Cause(default, Say("default-outbound", "snapshot", default))
    story.port(2, 5158, Socket("System", 4, address, 139))
    for second, port in ((30, 50_101), (90, 50_115)):
        story.blocked(second, Flow(NOTES, 5_044, address, port, FAR, 8443), cause, repeats=4)
    story.permitted(100, Flow(BROWSER, 9_120, address, 50_140, "192.0.2.21", 443), browser["V4-443"])
    machine.endpoints.append(Endpoint(91_200, address, "192.0.2.21", 6, 50_140, 443, BROWSER))
    records = story.records()
    captured = START + dt.timedelta(seconds=130)
    return records, story.expectation(records), machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.118Z"))


def _second(attempts: int) -> tuple[list[Record], list[dict[str, Any]], State]:
    """Tell the host whose state is three weeks and a restart older; its attempts are numbered on."""
    machine, ids, _ = _machine("WS-DEMO-20", 1010, first_id=66_211 - SHIFT)
    address = "192.168.50.20"
    story = Story("WS-DEMO-20.corp.example", "ticket-j/20", START, 77_000, windows11=False, attempts=attempts)
    default = ids["default-outbound-connect-V4"] + SHIFT  # what the log cites; the older state has another filter there
    note = "the state in its folder is three weeks and a restart older: the id names a filter of another layer there"
    cause = Cause(default, Say("unresolved", "contradicted", None, note))
    story.tell(1, Event(4608, 0, {}, process_id=924))
    story.tell(10, Event(5033, 0, {}))
    story.port(20, 5158, Socket("System", 4, address, 139))
    for second, port in ((40, 50_201), (95, 50_222)):
        story.blocked(second, Flow(NOTES, 6_120, address, port, FAR, 8443), cause, repeats=4)
    machine.endpoints.append(Endpoint(91_200, "192.168.50.120", "192.0.2.23", 6, 50_990, 443, BROWSER))
    records = story.records()
    captured = START - dt.timedelta(days=21, hours=3)
    return records, story.expectation(records), machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.640Z"))


def ticket() -> Ticket:
    """Make the ticket."""
    records, events, state = _first()
    others, more, older = _second(max(row["attempt"] for row in events))
    return Ticket(
        "ticket-j-two-hosts",
        {"WS-DEMO-19/security.evtx": Log(records), "WS-DEMO-20/security.evtx": Log(others)},
        {"WS-DEMO-19/wfpstate.xml": state, "WS-DEMO-20/wfpstate.xml": older},
        [*events, *more],
        (),
        ("both hosts cite the same FilterRTID", "no svchost.exe is blocked: there is no service-SID finding"),
        {},
        "hosts.zip",
    )
