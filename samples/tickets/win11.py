"""Ticket (a): Windows 11, outbound default block, origins in events and state."""

from __future__ import annotations

import datetime as dt

from samples.ticket import Log, Ticket
from samples.tickets.outbound import Host, tell


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
        {"security.evtx": Log(told.records, style="text", minor=2)},
        {"wfpstate.xml": told.state},
        told.events,
        told.services,
    )
