"""The story of tickets win11 and win10: outbound traffic is blocked by default and four services fail all the same.

The host has outbound allow rules for BITS, CryptSvc, wlidsvc and wuauserv, each limited to its service. The rules'
filters stand in the state, above the default block, and yet the services' connections are refused: the token that
connects does not carry the service SID. One service's process start is in the log with its command line or not;
that makes the difference between "likely" and "possible".
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from samples import background
from samples.background import SVCHOST
from samples.machine import Machine, application, protocol
from samples.state import Endpoint
from samples.story import SYN_AGAIN, Story
from samples.ticket import Service
from samples.told import Cause, Event, Flow, Say, Socket

if TYPE_CHECKING:
    from samples.evtxwriter import Record
    from samples.state import State

USER_SID: Final = "S-1-5-21-3141592653-2718281828-1414213562-1001"
RULE_ID: Final = "{5C0FFEE5-2B1A-4D8C-9E44-0123456789AB}"
BROWSER: Final = "\\device\\harddiskvolume3\\program files\\example browser\\browser.exe"
NOTES: Final = "\\device\\harddiskvolume3\\program files\\example notes\\notesync.exe"
COLLECTOR: Final = "\\device\\harddiskvolume3\\program files\\example notes\\collector.exe"
LAB: Final = "\\device\\harddiskvolume3\\lab\\labserver.exe"
ALL: Final = "0.0.0.0"  # noqa: S104
SVCHOST_DOS: Final = "C:\\Windows\\System32\\svchost.exe"

# Rules for services: name, service, protocol, ports. The first four are the services of the maintainer's notes.
RULES: Final = (
    ("Background Intelligent Transfer Service", "BITS", 6, (80, 443)),
    ("Cryptographic Services", "CryptSvc", 6, (80, 443)),
    ("Microsoft Account Sign-in Assistant", "wlidsvc", 6, (443,)),
    ("Windows Update", "wuauserv", 6, (443,)),
    ("DNS Client", "Dnscache", 17, (53,)),
    ("Windows Time", "W32Time", 17, (123,)),
)


@dataclass(frozen=True, slots=True)
class Host:
    """The machine of the story."""

    name: str
    windows11: bool
    address: str
    address6: str
    start: dt.datetime
    first_record: int
    seed: str


@dataclass(frozen=True, slots=True)
class Told:
    """The finished story."""

    records: list[Record]
    events: list[dict[str, Any]]
    state: State
    services: list[Service]


class _Scene:
    """Machine and story together, with the filters that the story cites."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.machine = Machine(host.seed, windows11=host.windows11, first_id=66211)
        self.ids = background.everything(self.machine, host.name, USER_SID, profile_number=2, outbound_block=True)
        self.rules = {
            service: background.outbound_permit(self.machine, name, SVCHOST, number, ports, service=service)
            for name, service, number, ports in RULES
        }
        self.browser = background.outbound_permit(self.machine, "Example Browser", BROWSER, 6, (80, 443))
        self.block = background.rule_block(
            self.machine,
            "No telemetry for Example Notes",
            "ALE_AUTH_CONNECT_V4",
            [application(COLLECTOR), protocol(6)],
            RULE_ID,
        )
        self.story = Story(f"{host.name}.corp.example", host.seed, host.start, host.first_record, host.windows11)
        self.grade = "origin" if host.windows11 else "snapshot"

    def flow(self, program: str, process_id: int, port: int, remote: str, remote_port: int, number: int = 6) -> Flow:
        local = self.host.address6 if ":" in remote else self.host.address
        return Flow(program, process_id, local, port, remote, remote_port, number)

    def refuse(self, second: float, flow: Flow, repeats: int = 1) -> None:
        """Tell a connection that the outbound default refuses."""
        version = "V6" if ":" in flow.remote else "V4"
        number = self.ids[f"default-outbound-connect-{version}"]
        say = Say("default-outbound", self.grade, number)
        self.story.blocked(second, flow, Cause(number, say, origin="Default Outbound"), repeats=repeats)


def _listeners(scene: _Scene) -> None:
    """Tell what was bound and listening: these give the local addresses."""
    port, host = scene.story.port, scene.host
    for second, program, process, number in (
        (2.0, "System", 4, 445),
        (2.2, SVCHOST, 1512, 3389),
        (2.4, SVCHOST, 1044, 135),
        (3.0, LAB, 7788, 8080),
    ):
        port(second, 5158, Socket(program, process, ALL, number))
        port(second + 0.1, 5154, Socket(program, process, ALL, number))
    port(3.6, 5158, Socket(SVCHOST, 1988, ALL, 5353, 17))
    port(3.8, 5158, Socket(SVCHOST, 1988, "::", 5355, 17))
    port(4.2, 5158, Socket("System", 4, host.address, 139))
    port(4.4, 5158, Socket("System", 4, host.address, 137, 17))
    fields = {"Profiles": "Private", "Application": "C:\\lab\\labserver.exe"}
    activity = "{0f3a1c52-7d44-0001-a1b2-c3d4e5f60718}"
    say = Say("default-inbound", "event", None)
    scene.story.tell(
        3.4, Event(5031, 0, fields, process_id=3924, activity=activity, say=say, attempt=scene.story.new_attempt())
    )


def _processes(scene: _Scene) -> None:
    """Tell the starts that the log saw; CryptSvc and wlidsvc were running before auditing began."""
    start = scene.story.started
    network = ("S-1-5-20", "NETWORK SERVICE", "NT AUTHORITY")
    start(20, 3312, SVCHOST_DOS, f"{SVCHOST_DOS} -k LocalService -s W32Time", user=network)
    start(
        30, 9120, "C:\\Program Files\\Example Browser\\browser.exe", '"C:\\Program Files\\Example Browser\\browser.exe"'
    )
    start(
        60,
        8340,
        "C:\\Program Files\\Example Notes\\notesync.exe",
        '"C:\\Program Files\\Example Notes\\notesync.exe" /tray',
    )
    start(95, 7412, SVCHOST_DOS, f"{SVCHOST_DOS} -k netsvcs -p -s BITS")
    start(240, 5236, SVCHOST_DOS, f"{SVCHOST_DOS} -k netsvcs -p -s wuauserv")
    start(300, 8452, "C:\\Program Files\\Example Notes\\collector.exe", "collector.exe --once")
    scene.story.ended(1260, 7412, SVCHOST_DOS)
    scene.story.ended(1180, 8452, "C:\\Program Files\\Example Notes\\collector.exe")


def _services_fail(scene: _Scene) -> None:
    """Tell the refused connections of the four services."""
    flow, refuse = scene.flow, scene.refuse
    for second, port, remote, remote_port, repeats in (
        (120, 50112, "203.0.113.80", 80, 4),
        (124, 50114, "198.51.100.20", 443, 5),
        (181, 50140, "203.0.113.80", 80, 4),
        (420, 50233, "198.51.100.20", 443, 4),
        (781, 50391, "203.0.113.81", 80, 5),
    ):
        refuse(second, flow(SVCHOST, 7412, port, remote, remote_port), repeats)
    for second, port, remote, repeats in (
        (262, 50171, "198.51.100.31", 4),
        (501, 50262, "198.51.100.32", 4),
        (505, 50264, "2001:db8:77::31", 4),
        (1003, 50460, "198.51.100.31", 5),
    ):
        refuse(second, flow(SVCHOST, 5236, port, remote, 443), repeats)
    for second, port, remote, remote_port, repeats in (
        (150, 50127, "203.0.113.90", 80, 4),
        (641, 50318, "203.0.113.91", 443, 4),
        (645, 50320, "203.0.113.90", 80, 4),
    ):
        refuse(second, flow(SVCHOST, 2104, port, remote, remote_port), repeats)
    for second, port, repeats in ((331, 50199, 5), (932, 50431, 4)):
        refuse(second, flow(SVCHOST, 6120, port, "198.51.100.44", 443), repeats)


def _others_fail(scene: _Scene) -> None:
    """Tell the other blocks: a program without a rule, an explicit rule, inbound without a rule."""
    flow, story, ids = scene.flow, scene.story, scene.ids
    for second, port, remote_port, repeats in ((70, 50101, 8443, 4), (600, 50301, 8443, 4), (604, 50303, 443, 3)):
        scene.refuse(second, flow(NOTES, 8340, port, "198.51.100.60", remote_port), repeats)
    explicit = Say("explicit-rule", scene.grade, scene.block)
    for second, port, repeats in ((312, 50190, 4), (711, 50344, 4), (1102, 50488, 4)):
        pipe = flow(COLLECTOR, 8452, port, "198.51.100.70", 443)
        story.blocked(second, pipe, Cause(scene.block, explicit, origin=RULE_ID), repeats=repeats)
    for second, remote, port, repeats in (
        (400, "192.168.50.23", 61020, 3),
        (860, "192.168.50.23", 61044, 3),
        (1200, "fe80::5054:ff:fe12:3456", 61050, 2),
    ):
        six = ":" in remote
        number = ids["query-user-accept-V6" if six else "query-user-accept-V4"]
        pipe = Flow(LAB, 7788, "fe80::11" if six else scene.host.address, 8080, remote, port)
        say = Say("default-inbound", scene.grade, number)
        story.blocked(second, pipe, Cause(number, say, origin="Query User Default"), inbound=True, repeats=repeats)


def _probes(scene: _Scene) -> None:
    """Tell a neighbour's probes of ports without a listener, over IPv4 and IPv6."""
    ids, host = scene.ids, scene.host

    def stealth(name: str) -> Cause:
        return Cause(ids[name], Say("stealth", scene.grade, ids[name]), "Stealth")

    far, far6 = "192.168.50.77", "2001:db8:50::77"
    for second, remote, port, target, again in (
        (200, far, 40122, 22, 4),
        (203, far, 40123, 23, 1),
        (800, far, 40900, 3306, 3),
        (820, far6, 40901, 3306, 1),
        (1300, far, 41200, 5900, 4),
    ):
        six = ":" in remote
        probe = Flow("-", 0, host.address6 if six else host.address, target, remote, port)
        packet = stealth(f"stealth-packet-{'V6' if six else 'V4'}")
        scene.story.dropped(second, probe, packet, 15 if six else 13, after=SYN_AGAIN[:again])
    for second, remote, port, target in (
        (206, far, 40161, 161),
        (840, far, 40919, 1900),
        (860, far6, 40920, 1900),
        (1310, far, 41253, 5060),
    ):
        six = ":" in remote
        probe = Flow("-", 0, host.address6 if six else host.address, target, remote, port, 17)
        version = "V6" if six else "V4"
        scene.story.unheard(second, probe, stealth(f"stealth-packet-{version}"), stealth(f"stealth-error-{version}"))


def _works(scene: _Scene) -> None:
    """Tell what was allowed: names, time, the browser, a remote desktop session."""
    story, flow = scene.story, scene.flow
    dns, time = scene.rules["Dnscache"]["V4-53"], scene.rules["W32Time"]["V4-123"]
    for index in range(27):
        second, port = 34 + index * 55.0, 51000 + index * 3
        story.port(second, 5158, Socket(SVCHOST, 1988, ALL, port, 17))
        story.permitted(second + 0.1, flow(SVCHOST, 1988, port, "192.168.50.1", 53, 17), dns)
        six = index % 4 == 3
        remote = "2001:db8:80::10" if six else f"192.0.2.{20 + index % 5}"
        remote_port = 80 if index % 6 == 0 else 443
        story.port(second + 0.3, 5158, Socket(BROWSER, 9120, "::" if six else ALL, port + 1))
        permit = scene.browser[f"{'V6' if six else 'V4'}-{remote_port}"]
        story.permitted(second + 0.4, flow(BROWSER, 9120, port + 1, remote, remote_port), permit)
    for second in (25, 1050):
        story.permitted(second, flow(SVCHOST, 3312, 123, "192.0.2.123", 123, 17), time)
    accept = next(
        number
        for number, item in scene.machine.filters.items()
        if item.name.startswith("Remote Desktop") and item.layer == "ALE_AUTH_RECV_ACCEPT_V4"
    )
    desk = Flow(SVCHOST, 1512, scene.host.address, 3389, "192.168.50.40", 55120)
    story.permitted(450, desk, accept, inbound=True)


def _services(scene: _Scene) -> list[Service]:
    permits = {
        service: sorted(rules[key] for key in rules if key.startswith("V4")) for service, rules in scene.rules.items()
    }
    permits["wuauserv"].append(scene.rules["wuauserv"]["V6-443"])
    started = "its process start (4688) names the service; its permits fail in the user id alone"
    running = "no process start in the log: the ports fit this service's permits, and others' too"
    return [
        Service("BITS", "likely", permits["BITS"], started),
        Service("wuauserv", "likely", sorted(permits["wuauserv"]), started),
        Service("CryptSvc", "possible", permits["CryptSvc"], running),
        Service("wlidsvc", "possible", permits["wlidsvc"], running),
    ]


def tell(host: Host) -> Told:
    """Return the whole story of one host."""
    scene = _Scene(host)
    for part in (_listeners, _processes, _services_fail, _others_fail, _probes, _works):
        part(scene)
    for index, (local, remote) in enumerate(
        ((host.address, "192.0.2.21"), (host.address, "192.0.2.23"), (host.address6, "2001:db8:80::10"))
    ):
        scene.machine.endpoints.append(Endpoint(186400 + index * 8, local, remote, 6, 51060 + index, 443, BROWSER))
    gaps = None if host.windows11 else {5: 11, 40: 3, 41: 260, 120: 7}  # win10: exported by a query, so ids have gaps
    records = scene.story.records(gaps)
    captured = host.start + dt.timedelta(minutes=25, seconds=34)
    return Told(
        records,
        scene.story.expectation(records),
        scene.machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.418Z")),
        _services(scene),
    )
