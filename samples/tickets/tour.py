"""Ticket (c): a tour of every event, kind and grade that a log and a state can give."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from samples.background import SVCHOST
from samples.story import Story
from samples.ticket import Log, Service, Ticket
from samples.tickets import tour_blocks
from samples.tickets import tour_state as at
from samples.tickets.tour_flows import ALL, BOOT_2, inward, outward
from samples.tickets.tour_state import BROWSER, SHARE
from samples.told import Cause, Event, Flow, Say, Socket

if TYPE_CHECKING:
    from samples.background import Ids
    from samples.evtxwriter.values import Value


def _first_boot(story: Story, ids: Ids) -> None:
    """Tell the first boot: the log is cleared, auditing is on, and ids are used that mean something else later."""
    subject: dict[str, Value] = {
        "SubjectUserSid": at.USER_SID,
        "SubjectUserName": "demo",
        "SubjectDomainName": at.HOST,
        "SubjectLogonId": 0x5A1C3,
    }
    story.tell(0, Event(1102, 0, subject, process_id=1460))
    for second, subcategory in (
        (4, "{0cce9225-69ae-11d9-bed3-505054503030}"),
        (5, "{0cce9226-69ae-11d9-bed3-505054503030}"),
    ):
        audit = {"CategoryId": "%%8274", "SubcategoryId": "%%12809" if second == 4 else "%%12810"}
        changed = {"SubcategoryGuid": subcategory, "AuditPolicyChanges": "%%8449, %%8451"}
        story.tell(second, Event(4719, 0, subject | audit | changed, process_id=964))
    story.port(20, 5158, Socket("System", 4, ALL, 445))
    story.port(20.2, 5154, Socket("System", 4, ALL, 445))
    permit, accept = ids["permit-connect"], ids["query-user-accept-V4"]
    unresolved = Say(
        "unresolved", "contradicted", None, "the id is a permit in the state: given again after the reboot"
    )
    story.blocked(60, outward(BROWSER, 4420, 50010, "198.51.100.80", 8081), Cause(permit, unresolved), repeats=4)
    story.port(
        90,
        5159,
        Socket(SHARE, 4512, ALL, 6881),
        filter_id=accept,
        say=Say("unresolved", "contradicted", None, "the id's layer in the state is another one"),
    )
    named = Say("default-inbound", "origin", None, "the origin names the kind; the id is a permit in the state now")
    story.blocked(
        120,
        inward(SHARE, 4512, 6882, "192.168.50.23", 60100),
        Cause(ids["browser-V4-443"], named, origin="Query User Default"),
        inbound=True,
    )
    lucky = Say("other-wfp", "id-only", ids["stranger-listen-V4"], "same layer and action, but a boot lies between")
    story.port(150, 5155, Socket(SHARE, 4512, ALL, 9443), filter_id=ids["stranger-listen-V4"], say=lucky)


def _second_boot(story: Story, ids: Ids) -> None:
    """Tell the second boot: boot-time blocks, services up, a profile change with its quarantine."""
    story.tell(BOOT_2, Event(4608, 0, {}, process_id=924))
    boot = Say("boot-time", "origin", ids["boot-persistent-V4"])
    for index, remote in enumerate(("192.168.50.20", "192.168.50.21", "192.168.50.22")):
        flow = inward("System", 4, 5353, remote, 5353, 17)
        story.blocked(
            BOOT_2 + 2 + index, flow, Cause(ids["boot-persistent-V4"], boot, origin="Boottime Default"), inbound=True
        )
    story.tell(BOOT_2 + 9, Event(5033, 0, {}))
    story.tell(BOOT_2 + 10, Event(5024, 0, {}, process_id=924))
    early = Say(
        "other-wfp", "id-only", ids["stranger-bind-V6"], "the policy was changed between the event and the state"
    )
    story.port(BOOT_2 + 30, 5159, Socket(SHARE, 3120, "::", 9444), filter_id=ids["stranger-bind-V6"], say=early)
    rule: dict[str, Value] = {
        "ProfileChanged": "All",
        "RuleId": at.SCRIPT_RULE,
        "RuleName": "<script>alert(1)</script>",
    }
    story.tell(BOOT_2 + 60, Event(4946, 0, rule, process_id=3924))
    setting: dict[str, Value] = {
        "ProfileChanged": "Private",
        "SettingType": "Default Outbound Action",
        "SettingValue": "Block",
    }
    story.tell(BOOT_2 + 61, Event(4950, 0, setting, process_id=3924))
    story.tell(BOOT_2 + 62, Event(4956, 0, {"ActiveProfile": "Private"}, process_id=3924))
    quarantine = {4: "quarantine-V4", 6: "quarantine-V6"}
    for index in range(9):
        six = index % 3 == 2
        number = ids[quarantine[6 if six else 4]]
        remote = f"fe80::{20 + index:x}" if six else f"192.168.50.{20 + index}"
        flow = inward(SVCHOST, 1620, 5355, remote, 56000 + index, 17)
        story.blocked(
            BOOT_2 + 63 + index * 0.2,
            flow,
            Cause(number, Say("quarantine", "origin", number), origin="Quarantine Default"),
            inbound=True,
        )


def _services(story: Story, ids: Ids, t: float) -> list[Service]:
    """Tell svchost's refused connections: a service known by its start, one not, and one whose rule does not fit."""
    dos = "C:\\Windows\\System32\\svchost.exe"
    number = ids["default-outbound-connect-V4"]
    say = Say("default-outbound", "origin", number)
    story.started(t, 7700, dos, f"{dos} -k netsvcs -p -s BITS")
    story.started(t + 1, 7816, dos, f"{dos} -k netsvcs -p -s wuauserv")
    for second, process, port, remote, remote_port in (
        (5, 7700, 52301, "198.51.100.20", 443),
        (15, 2060, 52311, "203.0.113.90", 80),
        (25, 7816, 52321, "198.51.100.33", 8530),
    ):
        story.blocked(
            t + second,
            outward(SVCHOST, process, port, remote, remote_port),
            Cause(number, say, origin="Default Outbound"),
            repeats=4,
        )
    story.ended(t + 60, 7700, dos)
    return [
        Service("BITS", "likely", [ids["BITS-V4-80"], ids["BITS-V4-443"]], "its process start names the service"),
        Service("CryptSvc", "possible", [ids["CryptSvc-V4-80"]], "port 80, process unknown: BITS or CryptSvc"),
        Service("wuauserv", "not-this", [], "its rule is for port 443, the connection goes to 8530"),
    ]


def _permits(story: Story, ids: Ids, t: float) -> None:
    """Tell what was allowed, among it a permit by a filter that is named Default Outbound."""
    story.port(t, 5158, Socket(SHARE, 3120, ALL, 6890))
    story.port(t + 0.1, 5154, Socket(SHARE, 3120, ALL, 6890))
    story.tell(
        t + 0.2,
        Event(
            5031,
            0,
            {"Profiles": "Private", "Application": "C:\\program files\\example share\\share.exe"},
            process_id=3924,
            activity="{0f3a1c52-7d44-0002-a1b2-c3d4e5f60718}",
            say=Say("default-inbound", "event", None),
            attempt=story.new_attempt(),
        ),
    )
    story.port(t + 1, 5158, Socket(SVCHOST, 1620, ALL, 5355, 17))
    story.port(t + 1.2, 5158, Socket(SVCHOST, 1620, "::", 5355, 17))
    for index in range(6):
        remote = "2001:db8:80::10" if index % 3 == 2 else f"192.0.2.{21 + index}"
        version = "V6" if ":" in remote else "V4"
        story.port(t + 4 + index * 20, 5158, Socket(BROWSER, 4488, "::" if version == "V6" else ALL, 52010 + index))
        story.permitted(
            t + 4.2 + index * 20, outward(BROWSER, 4488, 52010 + index, remote, 443), ids[f"browser-{version}-443"]
        )
        story.permitted(
            t + 5 + index * 20, outward(SVCHOST, 1620, 53000 + index, "192.168.50.1", 53, 17), ids["dns-V4-53"]
        )
    guest = Flow(SVCHOST, 1620, "198.51.100.200", 53050, "198.51.100.1", 53, 17)
    story.permitted(t + 140, guest, ids["default-outbound-connect-V4-any"])


def ticket() -> Ticket:
    """Make the ticket."""
    machine, ids = at.build()
    start = dt.datetime(2026, 3, 17, 16, 20, tzinfo=dt.UTC)
    story = Story(f"{at.HOST}.corp.example", "ticket-c-tour", start, 1, windows11=True, interface=7)
    _first_boot(story, ids)
    _second_boot(story, ids)
    _permits(story, ids, BOOT_2 + 80)
    tour_blocks.firewall(story, ids, BOOT_2 + 120)
    tour_blocks.drops(story, ids, BOOT_2 + 260)
    tour_blocks.not_the_firewall(story, ids, BOOT_2 + 300)
    services = _services(story, ids, BOOT_2 + 360)
    records = story.records()
    captured = start + dt.timedelta(seconds=BOOT_2 + 480)
    return Ticket(
        "ticket-c-tour",
        {"security.evtx": Log(records, minor=2)},
        {"wfpstate.xml": machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.204Z"))},
        story.expectation(records),
        services,
        ("service-hardening of svchost.exe (WSH Default) is no case of the service-SID diagnosis",),
    )
