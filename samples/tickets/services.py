"""Ticket (g): who was it? Net events tell the token's user, lists of services tell who a process was."""

from __future__ import annotations

import datetime as dt
from typing import Final

from samples import background, lists
from samples.background import SVCHOST
from samples.lists import Hosted
from samples.machine import Machine
from samples.neteventswriter import write_netevents
from samples.ring import net_event
from samples.state import Endpoint
from samples.story import Story
from samples.ticket import Log, Service, Ticket
from samples.told import Cause, Flow, Say, Socket

HOST: Final = "WS-DEMO-16"
ADDRESS: Final = "192.168.50.16"
USER_SID: Final = "S-1-5-21-3141592653-2718281828-1414213562-1006"
NETWORK_SERVICE: Final = "S-1-5-20"
SVCHOST_DOS: Final = "C:\\Windows\\System32\\svchost.exe"
NETWORK_HOST: Final = f"{SVCHOST_DOS} -k NetworkService -p"
BITS, SHARED, DNS, TIME = 7_412, 2_104, 1_988, 3_312
RULES: Final = (
    ("Background Intelligent Transfer Service", "BITS", 6, (80, 443)),
    ("Cryptographic Services", "CryptSvc", 6, (80,)),
    ("DNS Client", "Dnscache", 17, (53,)),
)
HOSTED: Final = (
    Hosted("BITS", "Background Intelligent Transfer Service", BITS, f"{SVCHOST_DOS} -k netsvcs -p", "LocalSystem"),
    Hosted("CryptSvc", "Cryptographic Services", SHARED, NETWORK_HOST, "NT Authority\\NetworkService"),
    Hosted("Dnscache", "DNS Client", DNS, NETWORK_HOST, "NT AUTHORITY\\NetworkService"),
    Hosted("LanmanWorkstation", "Workstation", SHARED, NETWORK_HOST, "NT AUTHORITY\\NetworkService"),
    Hosted("W32Time", "Windows Time", TIME, f"{SVCHOST_DOS} -k LocalService", "NT AUTHORITY\\LocalService"),
    Hosted("wuauserv", "Windows Update", 0, f"{SVCHOST_DOS} -k netsvcs -p", "LocalSystem"),
)


def tasklist() -> bytes:
    """Return ``tasklist /svc /fo csv`` of this host."""
    by_process: dict[int, list[str]] = {}
    for item in HOSTED:
        if item.process_id:
            by_process.setdefault(item.process_id, []).append(item.name)
    processes: list[tuple[str, int, tuple[str, ...]]] = [("System Idle Process", 0, ()), ("System", 4, ())]
    processes += [("svchost.exe", number, tuple(names)) for number, names in sorted(by_process.items())]
    processes += [("browser.exe", 9_120, ()), ("cmd.exe", 9_644, ())]
    return lists.tasklist(("Image Name", "PID", "Services"), "N/A", processes)


def ticket() -> Ticket:
    """Make the ticket."""
    machine = Machine("ticket-g-services", windows11=True, first_id=66_211)
    ids = background.few(machine, HOST, USER_SID, profile_number=2)
    rules = {
        service: background.outbound_permit(machine, name, SVCHOST, number, ports, service=service)
        for name, service, number, ports in RULES
    }
    start = dt.datetime(2026, 4, 14, 9, 5, tzinfo=dt.UTC)
    story = Story(f"{HOST}.corp.example", "ticket-g-services", start, 140_220, windows11=True)
    default = ids["default-outbound-connect-V4"]
    cause = Cause(default, Say("default-outbound", "origin", default), "Default Outbound")
    story.port(2, 5158, Socket("System", 4, ADDRESS, 139))
    story.started(5, TIME, SVCHOST_DOS, f"{SVCHOST_DOS} -k LocalService -s W32Time")
    story.started(20, BITS, SVCHOST_DOS, f"{SVCHOST_DOS} -k netsvcs -p -s BITS")
    resolved = Flow(SVCHOST, DNS, ADDRESS, 51_204, "192.168.50.1", 53, 17)
    story.permitted(31, resolved, rules["Dnscache"]["V4-53"])
    net = []
    for second, process, port, remote, remote_port, user in (
        (40, BITS, 50_112, "203.0.113.80", 80, USER_SID),
        (44, BITS, 50_114, "198.51.100.20", 443, USER_SID),
        (71, SHARED, 50_127, "203.0.113.90", 80, NETWORK_SERVICE),
        (101, BITS, 50_140, "203.0.113.80", 80, USER_SID),
    ):
        told = len(story.events)
        story.blocked(second, Flow(SVCHOST, process, ADDRESS, port, remote, remote_port), cause, repeats=4)
        net += [
            net_event(event, user, origin="Default Outbound", profile=2, interface=12) for event in story.events[told:]
        ]
    records = story.records()
    machine.endpoints.append(Endpoint(99_104, ADDRESS, "192.168.50.1", 17, 51_204, 53, SVCHOST))
    captured = start + dt.timedelta(seconds=140)
    permits = {service: sorted(item[key] for key in item if key.startswith("V4")) for service, item in rules.items()}
    return Ticket(
        "ticket-g-services",
        {"security.evtx": Log(records)},
        {"wfpstate.xml": machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.310Z"))},
        story.expectation(records),
        (
            Service(
                "BITS",
                "proven",
                permits["BITS"],
                "alone in its process by 4688, each block matched one-to-one to a net event whose token is a user's, "
                "its account is LocalSystem by the list of services, and its permits fail in the user id alone",
            ),
            Service(
                "CryptSvc",
                "possible",
                permits["CryptSvc"],
                "its process hosts LanmanWorkstation as well, so its connections cannot be told apart",
            ),
        ),
        (),
        {
            "netevents.xml": write_netevents(net),
            "services.json": lists.services_json(HOST, HOSTED),
            "tasklist.csv": tasklist(),
        },
    )
