"""Ticket (k): a change review: traffic, the state before, and three states after: a good change, a bad one, none."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from samples import background
from samples.background import SVCHOST, VERSIONS
from samples.machine import Condition, Draft, Machine, application, local_port, protocol, remote_port, remote_range
from samples.state import Endpoint
from samples.story import Story
from samples.ticket import Log, Ticket
from samples.told import Cause, Flow, Say, Socket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samples.background import Ids

NAME: Final = "ticket-k-review"
HOST: Final = "WS-DEMO-21"
ADDRESS: Final = "192.168.50.21"
USER_SID: Final = "S-1-5-21-3141592653-2718281828-1414213562-1010"
PROGRAMS: Final = "\\device\\harddiskvolume3\\program files"
BROWSER: Final = f"{PROGRAMS}\\example browser\\browser.exe"
NOTES: Final = f"{PROGRAMS}\\example notes\\notesync.exe"
LAB: Final = "\\device\\harddiskvolume3\\lab\\labserver.exe"
PRIVATE: Final = 2
START: Final = dt.datetime(2026, 5, 12, 8, 30, tzinfo=dt.UTC)
SYNC: Final = ("198.51.100.0", "198.51.100.255")  # where the notes are kept


def _inbound(machine: Machine, name: str, conditions: Sequence[Condition]) -> Ids:
    """Add an inbound allow rule, a filter at accept for each address family."""
    data = machine.rule_data()
    return {
        version: machine.add(
            Draft(
                name,
                f"ALE_AUTH_RECV_ACCEPT_{version}",
                "PERMIT",
                conditions,
                weight=("UINT8", 9),
                data=data,
                flags=("INDEXED",),
            )
        )
        for version in VERSIONS
    }


def _notes(machine: Machine) -> None:
    """Add the rule that was asked for: one program, one port, one network."""
    data = machine.rule_data()
    conditions = [application(NOTES), protocol(6), remote_port(8443), remote_range(*SYNC)]
    machine.add(
        Draft(
            "Example Notes",
            "ALE_AUTH_CONNECT_V4",
            "PERMIT",
            conditions,
            weight=("UINT8", 9),
            data=data,
            flags=("INDEXED",),
        )
    )


def _careless(machine: Machine) -> None:
    """Add what was done instead: any program to port 8443, and a remote desktop that nobody asked for."""
    data = machine.rule_data()
    for version in VERSIONS:
        machine.add(
            Draft(
                "Notes (temporary)",
                f"ALE_AUTH_CONNECT_{version}",
                "PERMIT",
                [protocol(6), remote_port(8443)],
                weight=("UINT8", 9),
                data=data,
                flags=("INDEXED",),
            )
        )
    _inbound(machine, "Remote Desktop (temporary)", [protocol(6), local_port(3389)])


def _machine(seed: str, first_id: int, *, ports: Sequence[int] = (80, 443)) -> tuple[Machine, Ids]:
    """Build the machine; another ``seed`` is another load of its policy. ``ports`` are those of the browser's rule."""
    machine = Machine(seed, windows11=True, first_id=first_id)
    ids = background.few(machine, HOST, USER_SID, profile_number=PRIVATE)
    for _ in range(len(seed)):
        machine.rule_data()  # rules are numbered anew with each load
    browser = background.outbound_permit(machine, "Example Browser", BROWSER, 6, ports)
    names = background.outbound_permit(machine, "DNS Client", SVCHOST, 17, (53,), service="Dnscache")
    lab = _inbound(machine, "Example Lab server (TCP-In)", [application(LAB), protocol(6), local_port(8080)])
    ids |= {"browser": browser.get("V4-443", browser["V4-80"]), "names": names["V4-53"], "lab": lab["V4"]}
    return machine, ids


def _story(ids: Ids) -> Story:
    """Tell the traffic before the change."""
    story = Story(f"{HOST}.corp.example", NAME, START, 61_100, windows11=True)
    outbound = ids["default-outbound-connect-V4"]
    inbound = ids["query-user-accept-V4"]
    sync = Cause(outbound, Say("default-outbound", "origin", outbound), "Default Outbound")
    nobody = Cause(inbound, Say("default-inbound", "origin", inbound), "Query User Default")
    story.port(2, 5158, Socket("System", 4, ADDRESS, 139))
    for second, port, remote in ((10, 50_210, "192.0.2.21"), (40, 50_224, "192.0.2.34"), (70, 50_240, "203.0.113.80")):
        story.permitted(second, Flow(BROWSER, 9_120, ADDRESS, port, remote, 443), ids["browser"])
    for second, port in ((9, 51_011), (39, 51_044)):
        story.permitted(second, Flow(SVCHOST, 2_104, ADDRESS, port, "192.168.50.1", 53, 17), ids["names"])
    for second, port in ((20, 50_216), (50, 50_231)):
        story.blocked(second, Flow(NOTES, 8_340, ADDRESS, port, "198.51.100.60", 8443), sync, repeats=4)
    story.permitted(60, Flow(LAB, 7_788, ADDRESS, 8080, "192.168.50.23", 61_020), ids["lab"], inbound=True)
    story.blocked(80, Flow(SVCHOST, 1_512, ADDRESS, 3389, "192.168.50.77", 62_311), nobody, inbound=True)
    return story


def ticket() -> Ticket:
    """Make the ticket."""
    machine, ids = _machine(NAME, 66_211)
    story = _story(ids)
    records = story.records()
    machine.endpoints.append(Endpoint(98_120, ADDRESS, "192.0.2.34", 6, 50_224, 443, BROWSER))
    good, _ = _machine("good", 91_004)
    _notes(good)
    bad, _ = _machine("bad change", 102_377, ports=(80,))
    _careless(bad)
    same, _ = _machine("no change at all", 118_650)
    later = {"after-good.xml": (good, 3), "after-bad.xml": (bad, 4), "after-same.xml": (same, 5)}
    states = {"wfpstate.xml": machine.state(_time(130))}
    states |= {name: made.state(_time(hours * 3600)) for name, (made, hours) in later.items()}
    return Ticket(
        NAME,
        {"security.evtx": Log(records)},
        states,
        story.expectation(records),
        (),
        ("the three later states are of other loads of the policy: only the first belongs to the log",),
    )


def _time(seconds: int) -> str:
    return (START + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.241Z")
