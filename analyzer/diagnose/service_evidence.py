"""What the service-SID diagnosis cites (flows, net events, allow filters), and what these say of the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import cells, netevents
from analyzer.diagnose import service_text
from analyzer.diagnose.service_outcome import Token
from analyzer.model import Evidence
from analyzer.netjoin import AUDIT
from analyzer.services import Account
from analyzer.wfp import services as wfp_services
from analyzer.wfp import sids

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analyzer.diagnose.service_sid import Group
    from analyzer.model import ServiceOutcome
    from analyzer.services import Known
    from analyzer.states import Book, Snapshot

BLOCKED_CONNECTION: Final = 5157
MOST_TOKENS: Final = 8


def token(event: pd.Series) -> Token | None:
    """Return the token that a net event shows for this event, or None.

    Net events are joined one-to-one or not at all (:mod:`analyzer.netmatch`); one alone is the event itself.
    """
    sid = (cells.text(event["user_sid"]) or "").strip().upper()
    if cells.text(event["user_source"]) != netevents.SOURCE or not sids.is_sid(sid) or sid == sids.NULL_SID:
        return None
    audited = cells.text(event["source"]) == AUDIT and cells.number(event["event_id"]) == BLOCKED_CONNECTION
    return Token(sid, one_to_one=True, audited=audited)


def account(known: Known, computer: str | None, services: tuple[str, ...] | None) -> Account:
    """Return the account of the one service of a process: from lists of services, else where it was measured."""
    if services is None or len(services) != 1:
        return Account(None, user=False)
    listed = known.account(computer, services[0])
    if listed is not None:
        return listed
    measured = wfp_services.trouble_service(services[0])
    return Account(measured.account if measured is not None else None, user=False)


def of_flows(groups: list[Group]) -> list[Evidence]:
    """Cite the first block of each group, most blocks first."""
    out = []
    for group in sorted(groups, key=lambda g: -len(g.events))[:8]:
        first = group.events.sort_values("time", kind="stable").iloc[0]
        out.append(
            Evidence(
                text=service_text.flow(group),
                input=cells.text(first["input"]),
                record_id=cells.number(first["record_id"]),
                filter_id=cells.number(first["filter_rtid"]) or None,
            )
        )
    return out


def of_tokens(groups: list[Group]) -> list[Evidence]:
    """Cite the net event of each group that has one: its file, its number there, the user of the token."""
    out = []
    for group in groups:
        if group.token is None:
            continue
        first = group.events.sort_values("time", kind="stable").iloc[0]
        name, entry = cells.text(first["net_input"]), cells.number(first["net_entry"])
        where = f"{name or 'a file of net events'}, {netevents.place(entry) if entry is not None else 'a net event'}"
        beside = ""
        if group.token.audited:
            record = cells.number(first["record_id"])
            beside = f"; joined one-to-one to record {record} of {cells.text(first['input'])}"
        words = sids.sid_words(group.token.user_sid)
        said = words if group.token.user_sid in words else f"{group.token.user_sid} ({words})"
        out.append(
            Evidence(
                text=f"Net event ({where}): the user of the token is {said}{beside}",
                input=name,
                record_id=None,
                filter_id=cells.number(first["filter_rtid"]) or None,
            )
        )
    return out[:MOST_TOKENS]


def of_permits(
    groups: list[Group],
    services: tuple[ServiceOutcome, ...],
    book: Book,
    snapshot: Snapshot,
    names: Mapping[str, str],
) -> list[Evidence]:
    """Cite the allow filters of the services that the finding is about."""
    listed = {wfp_services.ALL_SERVICES_SID, *(service.service_sid for service in services)}
    every = ((sid, row) for group in groups for sid, found in group.permits.items() for row in found)
    rows = {row: sid for sid, row in every if sid in listed}
    out = []
    for row, sid in sorted(rows.items())[:12]:
        item = book.filters.iloc[row]
        text = service_text.permit(item, sid, names)
        out.append(Evidence(text, snapshot.name, None, cells.number(item["filter_id"])))
    for row in sorted({row for group in groups for row in group.also_full})[:4]:
        item = book.filters.iloc[row]
        out.append(Evidence(service_text.full_match(item), snapshot.name, None, cells.number(item["filter_id"])))
    return out
