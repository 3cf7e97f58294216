"""Net events of a told story: the ring that the filter engine keeps holds the same decisions as the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.eventxml import moment
from samples.neteventswriter import NetEvent

if TYPE_CHECKING:
    from samples.evtxwriter.values import Value
    from samples.told import Event

LAG = 120_000  # 100 ns: so much later than its net event is an audit event written, here


def net_event(event: Event, user: str, *, origin: str | None, profile: int, interface: int = 0) -> NetEvent:
    """Return the net event of a refused outbound connection (5157); ``user`` is the SID of its token's user."""
    fields = event.fields
    number = _number(fields["FilterRTID"])
    return NetEvent(
        moment(event.time - LAG)[:-5] + "Z",
        protocol=_number(fields["Protocol"]),
        local=str(fields["SourceAddress"]),
        local_port=_number(fields["SourcePort"]),
        remote=str(fields["DestAddress"]),
        remote_port=_number(fields["DestPort"]),
        application=str(fields["Application"]),
        user=user,
        filter_id=number,
        layer_id=_number(fields["LayerRTID"]),
        profile=profile,
        origin=origin,
        interface=interface,
        terminating=((number, "MPSSVC_WF", "BLOCK"),),
    )


def _number(value: Value) -> int:
    return int(str(value))
