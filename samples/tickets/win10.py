"""Ticket (b): the same story on Windows 10, without origins."""

from __future__ import annotations

import datetime as dt
from typing import Final

from samples.ticket import Log, Ticket
from samples.tickets.outbound import Host, tell

README: Final = """\
# Services that fail although a rule allows them (Windows 10)

A made ticket: host, user, addresses and programs are invented.

**What happened.** The same as in `ticket-a-win11`, on `WS-DEMO-10` with Windows 10: the events (5157 v1, 5152 v0) and
the state carry no filter origin, and service hardening is written with raw GUIDs. The log was exported by a query, so
its record ids have gaps; that is selection, not loss.

**What a reader should see.** The same kinds as in `ticket-a-win11`, told from the shape of the filters that the state
holds (grade `snapshot`: the state was saved a minute after the last event, names the same host and knows the ids).
Inbound events have the remote side as their source.

**What is inferred.** No public state shows a *blocking* Default Outbound filter or outbound permits of services, and
no state of Windows 10 is public. Their form here follows real states of Windows 11 and Server 2016.
"""


def ticket() -> Ticket:
    """Make the ticket."""
    host = Host(
        "WS-DEMO-10",
        False,
        "192.168.50.10",
        "2001:db8:50::10",
        dt.datetime(2026, 3, 12, 13, 5, tzinfo=dt.UTC),
        98_114,
        "ticket-b-win10",
    )
    told = tell(host)
    return Ticket(
        "ticket-b-win10",
        README,
        {"security.evtx": Log(told.records)},
        {"wfpstate.xml": told.state},
        told.events,
        told.services,
    )
