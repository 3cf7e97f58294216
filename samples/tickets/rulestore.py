"""Ticket (h): the rules exist, and make no filter: a rule store beside log and state."""

from __future__ import annotations

import datetime as dt
from typing import Final

from samples import background, lists
from samples.background import SVCHOST
from samples.machine import Machine, application, protocol
from samples.state import Endpoint
from samples.story import Story
from samples.ticket import Log, Service, Ticket
from samples.told import Cause, Flow, Say, Socket

HOST: Final = "WS-DEMO-17"
ADDRESS: Final = "192.168.50.17"
USER_SID: Final = "S-1-5-21-3141592653-2718281828-1414213562-1007"
SVCHOST_DOS: Final = "C:\\Windows\\System32\\svchost.exe"
PROGRAMS: Final = "\\device\\harddiskvolume3\\program files"
BROWSER: Final = f"{PROGRAMS}\\example browser\\browser.exe"
NOTES: Final = f"{PROGRAMS}\\example notes\\notesync.exe"
COLLECTOR: Final = f"{PROGRAMS}\\example notes\\collector.exe"
BITS_ID: Final = "{5C0FFEE5-2B1A-4D8C-9E44-000000000001}"
NOTES_ID: Final = "{5C0FFEE5-2B1A-4D8C-9E44-000000000002}"
BROWSER_ID: Final = "{5C0FFEE5-2B1A-4D8C-9E44-000000000003}"
COLLECTOR_ID: Final = "{5C0FFEE5-2B1A-4D8C-9E44-000000000004}"
PUBLIC: Final = 1


def store() -> bytes:
    """Return ``reg export`` of the firewall's policy."""
    files = "%ProgramFiles%"
    profile: dict[str, str | int] = {"EnableFirewall": 1, "DefaultInboundAction": 1, "DefaultOutboundAction": 1}
    rules: dict[str, str | int] = {
        BITS_ID: "v2.31|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|Profile=Domain|Profile=Private|RPort=80|RPort=443|"
        "App=%SystemRoot%\\system32\\svchost.exe|Svc=BITS|Name=Background Intelligent Transfer Service|",
        NOTES_ID: "v2.31|Action=Allow|Active=FALSE|Dir=Out|Protocol=6|RPort=8443|"
        f"App={files}\\Example Notes\\notesync.exe|Name=Example Notes|",
        BROWSER_ID: "v2.31|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=80|RPort=443|"
        f"App={files}\\Example Browser\\browser.exe|Name=Example Browser|",
        COLLECTOR_ID: "v2.31|Action=Block|Active=TRUE|Dir=Out|Protocol=6|"
        f"App={files}\\Example Notes\\collector.exe|Name=No telemetry for Example Notes|",
    }
    return lists.registry(
        {
            "": {"PolicyVersion": 0x21F},
            "\\DomainProfile": profile,
            "\\FirewallRules": rules,
            "\\PublicProfile": profile,
            "\\StandardProfile": profile,
        }
    )


def policy() -> bytes:
    """Return ``auditpol /get /category:* /r``: connections are recorded, packets and policy changes are not."""
    header = (
        *("Machine Name", "Policy Target", "Subcategory", "Subcategory GUID"),
        *("Inclusion Setting", "Exclusion Setting"),
    )
    rows = (
        ("Security State Change", "0CCE9210", "Success"),
        ("Filtering Platform Packet Drop", "0CCE9225", "No Auditing"),
        ("Filtering Platform Connection", "0CCE9226", "Success and Failure"),
        ("Process Creation", "0CCE922B", "Success"),
        ("Process Termination", "0CCE922C", "No Auditing"),
        ("Audit Policy Change", "0CCE922F", "Success"),
        ("MPSSVC Rule-Level Policy Change", "0CCE9232", "No Auditing"),
        ("Filtering Platform Policy Change", "0CCE9233", "No Auditing"),
        ("Other Policy Change Events", "0CCE9234", "No Auditing"),
    )
    return lists.audit_policy(header, HOST, rows, target="System")


def ticket() -> Ticket:
    """Make the ticket."""
    machine = Machine("ticket-h-rule-store", windows11=True, first_id=66_211)
    ids = background.few(machine, HOST, USER_SID, profile_number=PUBLIC)
    browser = background.outbound_permit(machine, "Example Browser", BROWSER, 6, (80, 443))
    rule = background.rule_block(
        machine,
        "No telemetry for Example Notes",
        "ALE_AUTH_CONNECT_V4",
        [application(COLLECTOR), protocol(6)],
        COLLECTOR_ID,
    )
    start = dt.datetime(2026, 4, 21, 15, 40, tzinfo=dt.UTC)
    story = Story(f"{HOST}.corp.example", "ticket-h-rule-store", start, 52_004, windows11=True, profile="Public")
    default = ids["default-outbound-connect-V4"]
    outbound = Cause(default, Say("default-outbound", "origin", default), "Default Outbound")
    explicit = Cause(rule, Say("explicit-rule", "origin", rule), COLLECTOR_ID)
    story.port(2, 5158, Socket("System", 4, ADDRESS, 139))
    story.started(10, 7_412, SVCHOST_DOS, f"{SVCHOST_DOS} -k netsvcs -p -s BITS")
    for second, program, process, port, remote, remote_port, cause in (
        (30, SVCHOST, 7_412, 50_112, "203.0.113.80", 80, outbound),
        (60, SVCHOST, 7_412, 50_119, "198.51.100.20", 443, outbound),
        (75, NOTES, 8_340, 50_125, "198.51.100.60", 8443, outbound),
        (90, COLLECTOR, 8_452, 50_131, "198.51.100.70", 443, explicit),
    ):
        story.blocked(second, Flow(program, process, ADDRESS, port, remote, remote_port), cause, repeats=4)
    story.permitted(100, Flow(BROWSER, 9_120, ADDRESS, 50_140, "192.0.2.21", 443), browser["V4-443"])
    records = story.records()
    machine.endpoints.append(Endpoint(97_008, ADDRESS, "192.0.2.21", 6, 50_140, 443, BROWSER))
    captured = start + dt.timedelta(seconds=130)
    return Ticket(
        "ticket-h-rule-store",
        {"security.evtx": Log(records)},
        {"wfpstate.xml": machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.055Z"))},
        story.expectation(records),
        (
            Service(
                "BITS",
                "not-this",
                [],
                "its rule is for the domain and private profiles, the network is public: no filter is made of it",
            ),
        ),
        ("of the rules of the store, two make no filter: one is for other profiles, one is off",),
        {"auditpol.csv": policy(), "firewall.reg": store()},
    )
