"""Ticket (a): Windows 11, outbound default block, origins in events and state."""

from __future__ import annotations

import datetime as dt
from typing import Final

from samples.ticket import Log, Ticket
from samples.tickets.outbound import Host, tell

README: Final = """\
# Services that fail although a rule allows them (Windows 11)

A made ticket: host, user, addresses and programs are invented.

**What happened.** On `WS-DEMO-11` outbound traffic is blocked by default. Allow rules exist for BITS, CryptSvc,
wlidsvc and wuauserv, each for `svchost.exe` limited to the service. All four services are refused all the same, by
`Default Outbound`. Beside that: a program without any rule is refused (`notesync.exe`), an explicit rule blocks
`collector.exe`, connections to `labserver.exe` come in without a rule (5031 and 5157 by `Query User Default`), and a
neighbour probes closed ports (stealth drops, two per packet). DNS, time and the browser work.

**What a reader should see.** Mostly `default-outbound`, known from the events' own filter origin; the service-SID
diagnosis `likely` for BITS and wuauserv (their process starts are in the log), `possible` for CryptSvc and wlidsvc.

**What is inferred.** No public state shows a *blocking* Default Outbound filter or outbound permits of services.
Their form here follows the permitting filter and the inbound rules of real states. The text of `OriginalProfile`,
`CurrentProfile`, `IsLoopback` and `HasRemoteDynamicKeywordAddress` in 5157 is not known from a real event either.
"""


def ticket() -> Ticket:
    """Make the ticket."""
    host = Host(
        "WS-DEMO-11",
        True,
        "192.168.50.11",
        "2001:db8:50::11",
        dt.datetime(2026, 3, 10, 8, 31, tzinfo=dt.UTC),
        412_907,
        "ticket-a-win11",
    )
    told = tell(host)
    return Ticket(
        "ticket-a-win11",
        README,
        {"security.evtx": Log(told.records, style="text", minor=2)},
        {"wfpstate.xml": told.state},
        told.events,
        told.services,
    )
