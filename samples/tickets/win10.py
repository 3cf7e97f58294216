"""Ticket (b): the same story on Windows 10, without origins."""

from __future__ import annotations

import datetime as dt

from samples.ticket import Log, Ticket
from samples.tickets.outbound import Host, tell


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
        {"security.evtx": Log(told.records)},
        {"wfpstate.xml": told.state},
        told.events,
        told.services,
    )
