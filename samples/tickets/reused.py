"""Ticket (e): one run-time id, two filters: a vendor's before the restart, the firewall's default after it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from samples import background, filterchange
from samples.filterchange import ADDED, DELETED
from samples.machine import Machine, equal, protocol, remote_port
from samples.state import Endpoint
from samples.story import Story
from samples.ticket import Log, Ticket
from samples.told import Cause, Event, Flow, Say, Socket

if TYPE_CHECKING:
    from samples.state import Filter

HOST: Final = "WS-DEMO-14"
ADDRESS: Final = "192.168.50.14"
USER_SID: Final = "S-1-5-21-3141592653-2718281828-1414213562-1004"
BROWSER: Final = "\\device\\harddiskvolume3\\program files\\example browser\\browser.exe"
NOTES: Final = "\\device\\harddiskvolume3\\program files\\example notes\\notesync.exe"
SHIELD: Final = "{7c1f9a52-3d0e-4b6a-9f21-6e5d4c3b2a10}"
SHIELD_NAME: Final = "Example Shield"
COMPANY: Final = "Microsoft Corporation"
RESTART: Final = 1800.0


def _strangers(shared: Filter) -> tuple[Filter, Filter, Filter]:
    """Return the first boot's filters: the vendor's two, and the default that permitted then.

    The vendor's web filter has the id that the firewall's default (``shared``) got after the restart.
    """
    web = replace(
        shared,
        key="{3f6f0c1e-51c7-4f5d-8f0a-2f4f5a6b7c01}",
        name="Example Shield: web control",
        provider=SHIELD,
        conditions=(remote_port(8080), protocol(6)),
        effective=0xF003_9C00_0000_0000,
        context=None,
    )
    lasting = replace(
        web,
        filter_id=66_233,
        key="{3f6f0c1e-51c7-4f5d-8f0a-2f4f5a6b7c02}",
        name="Example Shield: remote consoles",
        flags=("PERSISTENT",),
        conditions=(remote_port(8443), protocol(6)),
    )
    default = replace(
        shared,
        filter_id=shared.filter_id - 310,
        key="{3f6f0c1e-51c7-4f5d-8f0a-2f4f5a6b7c03}",
        action="PERMIT",
        conditions=(equal("ORIGINAL_PROFILE_ID", "UINT32", 2), equal("CURRENT_PROFILE_ID", "UINT32", 2)),
    )
    return web, lasting, default


def _started(story: Story, second: float) -> None:
    """Tell a start of Windows."""
    story.tell(second, Event(4608, 0, {}, process_id=924))
    story.tell(second + 9, Event(5033, 0, {}))
    story.tell(second + 10, Event(5024, 0, {}, process_id=924))


def _before(story: Story, web: Filter, lasting: Filter, default: Filter) -> None:
    """Tell the first boot: the vendor's filters are there, block, and go."""
    _started(story, 1)
    filterchange.present(story, 8, lasting, provider_name=SHIELD_NAME)
    filterchange.changed(story, 12, default, ADDED, provider_name=COMPANY, process=3924)
    filterchange.changed(story, 40, web, ADDED, provider_name=SHIELD_NAME, process=2788)
    story.port(60, 5158, Socket("System", 4, ADDRESS, 139))
    note = "5447 and 5441 tell what the id was before the restart; the state knows it as another filter, or not at all"
    for second, program, process, port, item in (
        (120, NOTES, 5120, 49_801, web),
        (300, NOTES, 5120, 49_844, web),
        (420, BROWSER, 6312, 49_870, lasting),
    ):
        number = item.filter_id
        far = 8080 if item is web else 8443
        flow = Flow(program, process, ADDRESS, port, "203.0.113.40", far)
        story.blocked(second, flow, Cause(number, Say("other-wfp", "history", number, note)), repeats=4)
    filterchange.changed(story, 1500, web, DELETED, provider_name=SHIELD_NAME, process=2788)
    filterchange.changed(story, 1500.2, lasting, DELETED, provider_name=SHIELD_NAME, process=2788)
    flow = Flow(NOTES, 5120, ADDRESS, 49_920, "203.0.113.40", 8080)
    story.permitted(1560, flow, default.filter_id)


def _after(story: Story, machine: Machine, ids: background.Ids, browser: background.Ids) -> None:
    """Tell the second boot: outbound is blocked by default now, and the default has the vendor's old id."""
    t = RESTART
    _started(story, t)
    for version in ("V4", "V6"):
        item = machine.filters[ids[f"default-outbound-connect-{version}"]]
        filterchange.changed(story, t + 14, item, ADDED, provider_name=COMPANY, process=3924)
    for port in (80, 443):
        # Conditions on the program are a dump of bytes in 5447; the story needs none of these.
        flow = Flow(BROWSER, 4980, ADDRESS, 50_010 + port % 7, "192.0.2.21", port)
        story.permitted(t + 90 + port % 5, flow, browser[f"V4-{port}"])
    number = ids["default-outbound-connect-V4"]
    say = Say("default-outbound", "snapshot", number)
    for second, port, repeats in ((200, 50_101, 4), (330, 50_133, 4)):
        flow = Flow(NOTES, 5044, ADDRESS, port, "203.0.113.40", 8080)
        story.blocked(t + second, flow, Cause(number, say), repeats=repeats)


def ticket() -> Ticket:
    """Make the ticket."""
    machine = Machine("ticket-e-reused-id", windows11=False, first_id=66_211)
    ids = background.few(machine, HOST, USER_SID, profile_number=2)
    browser = background.outbound_permit(machine, "Example Browser", BROWSER, 6, (80, 443))
    machine.endpoints.append(Endpoint(91_200, ADDRESS, "192.0.2.21", 6, 50_012, 443, BROWSER))
    start = dt.datetime(2026, 4, 2, 6, 0, tzinfo=dt.UTC)
    story = Story(f"{HOST}.corp.example", "ticket-e-reused-id", start, 88_101, windows11=False)
    _before(story, *_strangers(machine.filters[ids["default-outbound-connect-V4"]]))
    _after(story, machine, ids, browser)
    records = story.records()
    captured = start + dt.timedelta(seconds=RESTART + 400)
    return Ticket(
        "ticket-e-reused-id",
        {"security.evtx": Log(records)},
        {"wfpstate.xml": machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.204Z"))},
        story.expectation(records),
        (),
        (
            "the same FilterRTID is cited before and after the restart and is not the same filter",
            "no svchost.exe is blocked: there is no service-SID finding",
        ),
    )
