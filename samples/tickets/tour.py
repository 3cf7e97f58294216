"""Ticket (c): a tour of every event, kind and grade that a log and a state can give."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from samples.background import SVCHOST
from samples.story import Flow, Say, Story
from samples.ticket import Log, Service, Ticket
from samples.tickets import tour_state as at
from samples.tickets.tour_state import ADDRESS, ADDRESS6, BROWSER, PLAYER, SHARE, SHEET

if TYPE_CHECKING:
    from samples.background import Ids
    from samples.evtxwriter.values import Value

README: Final = """\
# A tour: every event, every kind, every grade

A made ticket: host, user, addresses, programs and rules are invented. Some names are hostile on purpose: markup, a
spreadsheet formula, a right-to-left override.

**What happened.** The log of `WS-DEMO-12` (Windows 11) begins with its own clearing, then shows two boots. The state
was saved a minute after the last event, so it belongs to the second boot. Run-time ids of the first boot were given
again: what they name in the state is another filter, or the same by luck. After the second boot every kind of block
and drop is met once: defaults, rules (with a GUID, named, made by a prompt), hardening, stealth, quarantine, boot
time, app containers, components of Windows, a capture driver, a filter of nobody, a helper callout, IPsec, id 0, and
an id that the state does not hold. One permit cites a filter named "Default Outbound" that permits.

**What a reader should see.** `expected.json` says it record by record. Never a cause from the first boot's ids.

**What is inferred.** The blocking Default Outbound filter, outbound permits of services, the kind of addresses in
5150 and 5151, and the text of the profile and loopback fields of 5157 have no public sample.
"""
SYSTEM_ROOT: Final = "\\device\\harddiskvolume3\\windows\\system32\\"
WEATHER: Final = (
    "\\device\\harddiskvolume3\\program files\\windowsapps\\example.weather_1.0.0.0_x64__0a1b2c3d4e5f6\\weather.exe"
)
BOOT_2: Final = 600
ALL: Final = "0.0.0.0"  # noqa: S104


def _out(program: str, process: int, port: int, remote: str, remote_port: int, number: int = 6) -> Flow:
    return Flow(program, process, ADDRESS6 if ":" in remote else ADDRESS, port, remote, remote_port, number)


def _in(program: str, process: int, port: int, remote: str, remote_port: int, number: int = 6) -> Flow:
    local = "fe80::12" if remote.startswith("fe80") else ADDRESS6 if ":" in remote else ADDRESS
    return Flow(program, process, local, port, remote, remote_port, number)


def _first_boot(story: Story, ids: Ids) -> None:
    """Tell the first boot: the log is cleared, auditing is on, and ids are used that mean something else later."""
    subject: dict[str, Value] = {
        "SubjectUserSid": at.USER_SID,
        "SubjectUserName": "demo",
        "SubjectDomainName": at.HOST,
        "SubjectLogonId": 0x5A1C3,
    }
    story.tell(0, 1102, 0, subject, process_id=1460)
    for second, subcategory in (
        (4, "{0cce9225-69ae-11d9-bed3-505054503030}"),
        (5, "{0cce9226-69ae-11d9-bed3-505054503030}"),
    ):
        audit = {"CategoryId": "%%8274", "SubcategoryId": "%%12809" if second == 4 else "%%12810"}
        changed = {"SubcategoryGuid": subcategory, "AuditPolicyChanges": "%%8449, %%8451"}
        story.tell(second, 4719, 0, subject | audit | changed, process_id=964)
    story.port(20, 5158, "System", 4, ALL, 445)
    story.port(20.2, 5154, "System", 4, ALL, 445)
    permit, accept = ids["permit-connect"], ids["query-user-accept-V4"]
    unresolved = Say(
        "unresolved", "contradicted", None, "the id is a permit in the state: given again after the reboot"
    )
    story.blocked(60, _out(BROWSER, 4420, 50010, "198.51.100.80", 8081), permit, unresolved, repeats=4)
    story.port(
        90,
        5159,
        SHARE,
        4512,
        ALL,
        6881,
        filter_id=accept,
        say=Say("unresolved", "contradicted", None, "the id's layer in the state is another one"),
    )
    named = Say("default-inbound", "origin", None, "the origin names the kind; the id is a permit in the state now")
    story.blocked(
        120,
        _in(SHARE, 4512, 6882, "192.168.50.23", 60100),
        ids["browser-V4-443"],
        named,
        origin="Query User Default",
        inbound=True,
    )
    lucky = Say("other-wfp", "id-only", ids["stranger-listen-V4"], "same layer and action, but a boot lies between")
    story.port(150, 5155, SHARE, 4512, ALL, 9443, filter_id=ids["stranger-listen-V4"], say=lucky)


def _second_boot(story: Story, ids: Ids) -> None:
    """Tell the second boot: boot-time blocks, services up, a profile change with its quarantine."""
    story.tell(BOOT_2, 4608, 0, {}, process_id=924)
    boot = Say("boot-time", "origin", ids["boot-persistent-V4"])
    for index, remote in enumerate(("192.168.50.20", "192.168.50.21", "192.168.50.22")):
        flow = _in("System", 4, 5353, remote, 5353, 17)
        story.blocked(
            BOOT_2 + 2 + index, flow, ids["boot-persistent-V4"], boot, origin="Boottime Default", inbound=True
        )
    story.tell(BOOT_2 + 9, 5033, 0, {})
    story.tell(BOOT_2 + 10, 5024, 0, {}, process_id=924)
    early = Say(
        "other-wfp", "id-only", ids["stranger-bind-V6"], "the policy was changed between the event and the state"
    )
    story.port(BOOT_2 + 30, 5159, SHARE, 3120, "::", 9444, filter_id=ids["stranger-bind-V6"], say=early)
    rule: dict[str, Value] = {
        "ProfileChanged": "All",
        "RuleId": at.SCRIPT_RULE,
        "RuleName": "<script>alert(1)</script>",
    }
    story.tell(BOOT_2 + 60, 4946, 0, rule, process_id=3924)
    setting: dict[str, Value] = {
        "ProfileChanged": "Private",
        "SettingType": "Default Outbound Action",
        "SettingValue": "Block",
    }
    story.tell(BOOT_2 + 61, 4950, 0, setting, process_id=3924)
    story.tell(BOOT_2 + 62, 4956, 0, {"ActiveProfile": "Private"}, process_id=3924)
    quarantine = {4: "quarantine-V4", 6: "quarantine-V6"}
    for index in range(9):
        six = index % 3 == 2
        number = ids[quarantine[6 if six else 4]]
        remote = f"fe80::{20 + index:x}" if six else f"192.168.50.{20 + index}"
        flow = _in(SVCHOST, 1620, 5355, remote, 56000 + index, 17)
        story.blocked(
            BOOT_2 + 63 + index * 0.2,
            flow,
            number,
            Say("quarantine", "origin", number),
            origin="Quarantine Default",
            inbound=True,
        )


def _firewall(story: Story, ids: Ids, t: float) -> None:
    """Tell the firewall's own blocks: defaults, rules, hardening, app containers; each known by its origin."""

    def both(kind: str, name: str) -> tuple[int, Say]:
        return ids[name], Say(kind, "origin", ids[name])

    number, say = both("default-outbound", "default-outbound-connect-V4")
    story.blocked(t, _out(SHEET, 5008, 52101, "198.51.100.90", 443), number, say, origin="Default Outbound", repeats=4)
    ping = Flow(SYSTEM_ROOT + "ping.exe", 5210, ADDRESS, 8, "198.51.100.91", 0, 1)
    story.blocked(t + 5, ping, number, say, origin="Default Outbound", repeats=4)
    number, say = both("default-outbound", "default-outbound-connect-V6")
    story.blocked(
        t + 10, _out(SHEET, 5008, 52103, "2001:db8:77::90", 443), number, say, origin="Default Outbound", repeats=4
    )
    number, say = both("default-inbound", "query-user-accept-V4")
    story.blocked(
        t + 15,
        _in(SHARE, 3120, 6890, "192.168.50.23", 60200),
        number,
        say,
        origin="Query User Default",
        inbound=True,
        repeats=3,
    )
    echo = Flow("System", 4, ADDRESS, 8, "203.0.113.9", 0, 1)
    story.blocked(t + 18, echo, number, say, origin="Query User Default", inbound=True)
    number, say = both("default-inbound", "query-user-accept-V6")
    echo6 = Flow("System", 4, ADDRESS6, 128, "2001:db8:99::9", 0, 58)
    story.blocked(t + 20, echo6, number, say, origin="Query User Default", inbound=True)
    number, say = both("default-inbound", "query-user-INBOUND_ICMP_ERROR-V4")
    late = Flow("-", 0, ADDRESS, 50233, "192.168.50.1", 53, 17)
    story.dropped(t + 22, late, [number], [say], "INBOUND_ICMP_ERROR", 28, origin="Query User Default")
    number, say = both("explicit-rule", "rule-guid")
    story.blocked(
        t + 30, _out(PLAYER, 5400, 52120, "198.51.100.95", 443), number, say, origin=at.SCRIPT_RULE, repeats=4
    )
    number, say = both("explicit-rule", "rule-named")
    story.blocked(
        t + 35, _out(SHEET, 5008, 52130, "2001:db8:77::95", 443), number, say, origin=at.NAMED_RULE, repeats=4
    )
    number, say = both("explicit-rule", "rule-prompt")
    story.blocked(
        t + 40,
        _in(SHARE, 3120, 6891, "192.168.50.24", 60300),
        number,
        say,
        origin=at.PROMPT_RULE,
        inbound=True,
        repeats=2,
    )
    number, say = both("service-hardening", "hardening-outbound-V4")
    story.blocked(t + 50, _out(SVCHOST, 2288, 52140, "192.0.2.50", 443), number, say, origin="WSH Default", repeats=4)
    number, say = both("service-hardening", "built-in-deviceenroller-V4")
    enroller = SYSTEM_ROOT + "deviceenroller.exe"
    story.blocked(t + 55, _out(enroller, 5520, 52150, "192.0.2.51", 80), number, say, origin="DeviceManagement-6")
    number, say = both("app-isolation", "app-isolation-ALE_AUTH_CONNECT-V4")
    story.blocked(
        t + 60,
        _out(WEATHER, 5640, 52160, "192.168.50.60", 443),
        number,
        say,
        origin="UWP Default Outbound Block Rule",
        repeats=2,
    )
    number, say = both("appcontainer-loopback", "loopback-ALE_AUTH_CONNECT-V4")
    loop = Flow(WEATHER, 5640, "127.0.0.1", 52170, "127.0.0.1", 8081)
    story.blocked(t + 65, loop, number, say, origin="AppContainer Loopback", loopback=True)


def _drops(story: Story, ids: Ids, t: float) -> None:
    """Tell dropped packets: stealth in pairs, a suppressed ICMP error, 5153, and packets without a filter."""
    for version, layer, local, remote in (
        ("V4", 13, ADDRESS, "192.168.50.77"),
        ("V6", 15, ADDRESS6, "2001:db8:50::77"),
    ):
        pair = [ids[f"stealth-first-{version}"], ids[f"stealth-second-{version}"]]
        says = [Say("stealth", "origin", number) for number in pair]
        for second, target in ((0, 22), (3, 8443)):
            story.dropped(
                t + second,
                Flow("-", 0, local, target, remote, 41000),
                pair,
                says,
                "INBOUND_TRANSPORT",
                layer,
                origin="Stealth",
            )
    number = ids["stealth-first-V4"]
    probe = Flow("-", 0, ADDRESS, 1433, "192.168.50.77", 41010)
    story.dropped(
        t + 6,
        probe,
        [number],
        [Say("stealth", "origin", number)],
        "INBOUND_TRANSPORT",
        13,
        origin="Stealth",
        event_id=5153,
    )
    number = ids["stealth-icmp-V4"]
    unreachable = Flow("System", 4, ADDRESS, 3, "192.168.50.77", 3, 1)
    story.dropped(
        t + 9,
        unreachable,
        [number],
        [Say("stealth", "origin", number)],
        "OUTBOUND_ICMP_ERROR",
        32,
        origin="Stealth",
        outbound=True,
    )
    nothing = Say("no-filter", "none", None, "id 0 names no filter")
    story.dropped(t + 12, Flow("-", 0, ADDRESS, 8, "203.0.113.10", 0, 1), [0], [nothing], "INBOUND_TRANSPORT", 13)
    story.port(t + 14, 5159, SHARE, 3120, ALL, 25, say=nothing)
    ipsec = ids["ipsec-V4"]
    story.dropped(
        t + 16,
        Flow("System", 4, ADDRESS, 1433, "192.168.50.70", 41100),
        [ipsec],
        [Say("ipsec", "snapshot", ipsec)],
        "INBOUND_TRANSPORT",
        12,
    )
    defender = ids["windefend-datagram-V4"]
    story.dropped(
        t + 18,
        _in(SVCHOST, 1620, 53100, "192.0.2.53", 53, 17),
        [defender],
        [Say("windows-component", "snapshot", defender)],
        "DATAGRAM_DATA",
        24,
    )


def _not_the_firewall(story: Story, ids: Ids, t: float) -> None:
    """Tell blocks by filters that are not the firewall's: origin ``Unknown`` or none, so the state must say it."""

    def seen(kind: str, name: str) -> tuple[int, Say]:
        return ids[name], Say(kind, "snapshot", ids[name])

    number, say = seen("third-party", "npcap-connect-V4")
    story.blocked(t, _out(SHEET, 5008, 52201, "198.51.100.97", 7001), number, say, repeats=2)
    number, say = seen("other-wfp", "stranger-connect-V4")
    story.blocked(t + 5, _out(SHEET, 5008, 52203, "198.51.100.98", 9001), number, say, repeats=4)
    number, say = seen("other-wfp", "stranger-connect-V6")
    story.blocked(t + 8, _out(SHEET, 5008, 52204, "2001:db8:77::98", 9001), number, say, repeats=4)
    number, say = seen("other-wfp", "stranger-listen-V4")
    story.port(t + 10, 5155, SHARE, 3120, ALL, 9443, filter_id=number, say=say)
    number, say = seen("other-wfp", "stranger-bind-V6")
    story.port(t + 12, 5159, SHARE, 3120, "::", 9444, filter_id=number, say=say)
    number, say = seen("windows-component", "nat")
    story.port(t + 14, 5159, SHARE, 3120, ALL, 50012, 17, filter_id=number, say=say)
    number, say = seen("windows-component", "teredo")
    story.blocked(t + 16, _in(SHARE, 3120, 6892, "2001:db8:99::20", 60400), number, say, inbound=True)
    number, say = seen("callout", "helper")
    story.blocked(t + 18, _out(SHEET, 5008, 52210, "198.51.100.99", 2121), number, say)
    gone = Say("unresolved", "none", None, "the state does not hold this id")
    story.blocked(t + 20, _out(SHEET, 5008, 52220, "198.51.100.100", 1194), 88_410, gone, repeats=2)
    number, say = seen("third-party", "npcap-mac")
    _mac(story, t + 24, 5150, "00-00-5E-00-53-10", "00-00-5E-00-53-12", 0x0806, number, say)
    number, say = seen("other-wfp", "stranger-mac")
    _mac(story, t + 26, 5151, "00-00-5E-00-53-11", "01-80-C2-00-00-0E", 0x88CC, number, say)


def _mac(story: Story, second: float, event_id: int, source: str, dest: str, kind: int, number: int, say: Say) -> None:
    fields: dict[str, Value] = {
        "Direction": "%%14592",
        "SourceAddress": source,
        "DestAddress": dest,
        "EtherType": kind,
        "MediaType": 0,
        "InterfaceType": 6,
        "VlanTag": 0,
        "FilterRTID": number,
        "LayerName": "%%14602",
        "LayerRTID": 56,
    }
    story.tell(second, event_id, 0, fields, say=say, attempt=story.new_attempt())


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
            _out(SVCHOST, process, port, remote, remote_port),
            number,
            say,
            origin="Default Outbound",
            repeats=4,
        )
    story.ended(t + 60, 7700, dos)
    return [
        Service("BITS", "likely", [ids["BITS-V4-443"], ids["BITS-V4-80"]], "its process start names the service"),
        Service("CryptSvc", "possible", [ids["CryptSvc-V4-80"]], "port 80, process unknown: BITS or CryptSvc"),
        Service("wuauserv", "not-this", [], "its rule is for port 443, the connection goes to 8530"),
    ]


def _permits(story: Story, ids: Ids, t: float) -> None:
    """Tell what was allowed, among it a permit by a filter that is named Default Outbound."""
    story.port(t, 5158, SHARE, 3120, ALL, 6890)
    story.port(t + 0.1, 5154, SHARE, 3120, ALL, 6890)
    story.tell(
        t + 0.2,
        5031,
        0,
        {"Profiles": "Private", "Application": "C:\\program files\\example share\\share.exe"},
        process_id=3924,
        activity="{0f3a1c52-7d44-0002-a1b2-c3d4e5f60718}",
        say=Say("default-inbound", "event", None),
        attempt=story.new_attempt(),
    )
    story.port(t + 1, 5158, SVCHOST, 1620, ALL, 5355, 17)
    story.port(t + 1.2, 5158, SVCHOST, 1620, "::", 5355, 17)
    for index in range(6):
        remote = "2001:db8:80::10" if index % 3 == 2 else f"192.0.2.{21 + index}"
        version = "V6" if ":" in remote else "V4"
        story.port(t + 4 + index * 20, 5158, BROWSER, 4488, "::" if version == "V6" else ALL, 52010 + index)
        story.permitted(
            t + 4.2 + index * 20, _out(BROWSER, 4488, 52010 + index, remote, 443), ids[f"browser-{version}-443"]
        )
        story.permitted(
            t + 5 + index * 20, _out(SVCHOST, 1620, 53000 + index, "192.168.50.1", 53, 17), ids["dns-V4-53"]
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
    _firewall(story, ids, BOOT_2 + 120)
    _drops(story, ids, BOOT_2 + 260)
    _not_the_firewall(story, ids, BOOT_2 + 300)
    services = _services(story, ids, BOOT_2 + 360)
    records = story.records()
    captured = start + dt.timedelta(seconds=BOOT_2 + 480)
    return Ticket(
        "ticket-c-tour",
        README,
        {"security.evtx": Log(records, minor=2)},
        {"wfpstate.xml": machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.204Z"))},
        story.expectation(records),
        services,
        ("service-hardening of svchost.exe (WSH Default) is no case of the service-SID diagnosis",),
    )
