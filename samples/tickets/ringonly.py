"""Ticket (f): no audit log at all: the filter engine's own ring of net events, and a state."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from samples import background
from samples.background import SVCHOST
from samples.machine import Machine, application, protocol
from samples.neteventswriter import NetEvent, write_netevents
from samples.state import Endpoint
from samples.ticket import Ticket
from samples.told import Say

if TYPE_CHECKING:
    from samples.background import Ids

HOST: Final = "WS-DEMO-15"
ADDRESS: Final = "192.168.50.15"
USER_SID: Final = "S-1-5-21-3141592653-2718281828-1414213562-1005"
RULE_ID: Final = "{5C0FFEE5-2B1A-4D8C-9E44-0123456789AF}"
COLLECTOR: Final = "\\device\\harddiskvolume3\\program files\\example notes\\collector.exe"
BROWSER: Final = "\\device\\harddiskvolume3\\program files\\example browser\\browser.exe"
LAB: Final = "\\device\\harddiskvolume3\\lab\\labserver.exe"
INWARD: Final = "MS_FWP_DIRECTION_IN"
START: Final = dt.datetime(2026, 4, 9, 13, 20, tzinfo=dt.UTC)


class _Ring:
    """The net events, and what a reader should say of each drop."""

    def __init__(self) -> None:
        self.events: list[NetEvent] = []
        self.rows: list[dict[str, Any]] = []
        self.attempt = 0

    def drop(self, second: float, say: Say, *, repeats: int = 1, action: str = "block", **more: Any) -> None:
        """Add ``repeats`` equal drops of one attempt, 0.5 s apart."""
        self.attempt += 1
        for index in range(repeats):
            time = START + dt.timedelta(seconds=second + index * 0.5)
            shown = f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
            number = more["filter_id"]
            terminating = ((number, "MPSSVC_WF", "BLOCK"),)
            self.events.append(NetEvent(shown, profile=2, terminating=terminating, local=ADDRESS, interface=12, **more))
            self.rows.append(
                {
                    "time": shown,
                    "event_id": None,
                    "action": action,
                    "kind": say.kind,
                    "grade": say.grade,
                    "filter": say.filter_id,
                    "attempt": self.attempt,
                }
                | ({"note": say.note} if say.note else {})
            )


def _tell(ring: _Ring, ids: Ids, rule: int) -> None:
    """Tell the drops, in the order of time."""
    default = ids["default-outbound-connect-V4"]
    outbound = Say("default-outbound", "netevent", default)
    for second, port, remote in ((1.041, 50_120, "198.51.100.44"), (31.207, 50_133, "198.51.100.45")):
        ring.drop(
            second, outbound, repeats=4, filter_id=default, origin="Default Outbound", application=SVCHOST,
            user=USER_SID, local_port=port, remote=remote,
        )  # fmt: skip
    ring.drop(
        12.5, Say("explicit-rule", "netevent", rule), repeats=3, filter_id=rule, origin=RULE_ID,
        application=COLLECTOR, user=USER_SID, local_port=50_128, remote="198.51.100.70",
    )  # fmt: skip
    accept = ids["query-user-accept-V4"]
    ring.drop(
        20.018, Say("default-inbound", "netevent", accept), repeats=2, filter_id=accept, layer_id=44,
        origin="Query User Default", application=LAB, user=USER_SID, direction=INWARD, local_port=8080,
        remote="192.168.50.23", remote_port=61_020,
    )  # fmt: skip
    ring.drop(
        40.9, Say("default-outbound", "snapshot", default, "the net event names no origin: the state tells the kind"),
        filter_id=default, application=BROWSER, user=USER_SID, local_port=50_151, remote="203.0.113.22",
        remote_port=853,
    )  # fmt: skip
    packet = ids["stealth-packet-V4"]
    ring.drop(
        44.4, Say("stealth", "netevent", packet), action="drop", filter_id=packet, layer_id=13, origin="Stealth",
        application="", user="S-1-0-0", direction=INWARD, local_port=3306, remote="192.168.50.77", remote_port=40_900,
    )  # fmt: skip


def ticket() -> Ticket:
    """Make the ticket."""
    machine = Machine("ticket-f-netevents-only", windows11=True, first_id=66_211)
    ids = background.few(machine, HOST, USER_SID, profile_number=2, probed=True)
    permit = background.outbound_permit(machine, "Example Browser", BROWSER, 6, (80, 443))["V4-443"]
    rule = background.rule_block(
        machine, "No telemetry for Example Notes", "ALE_AUTH_CONNECT_V4", [application(COLLECTOR), protocol(6)], RULE_ID
    )
    ring = _Ring()
    _tell(ring, ids, rule)
    ring.events.append(
        NetEvent(
            "2026-04-09T13:20:38.660Z", type="CLASSIFY_ALLOW", local=ADDRESS, local_port=50_144, remote="192.0.2.21",
            application=BROWSER, user=USER_SID, filter_id=permit, profile=2,
            terminating=((permit, "MPSSVC_WF", "PERMIT"),),
        )
    )  # fmt: skip
    machine.endpoints.append(Endpoint(93_304, ADDRESS, "192.0.2.21", 6, 50_144, 443, BROWSER))
    captured = START + dt.timedelta(seconds=52)
    return Ticket(
        "ticket-f-netevents-only",
        {},
        {"wfpstate.xml": machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.951Z"))},
        sorted(ring.rows, key=lambda row: row["time"]),
        (),
        ("no audit log: drops are told by their time", "no rule for a service is in force, so none is found"),
        {"netevents.xml": write_netevents(sorted(ring.events, key=lambda event: event.time))},
    )
