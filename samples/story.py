"""Tells what happened on one machine: events by second, each block or drop with what a reader should say of it.

An event's time is the story's start, the given second and a fixed fraction below 0.1 s, so that all seven decimals
are used. Record ids are given at the end, in the order of time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from samples.evtxwriter import Record, filetime
from samples.told import Event, Flow, Say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from samples.evtxwriter.values import Value

IN, OUT = "%%14592", "%%14593"
# LayerName codes (REFERENCE 1.3) by the layer's symbol without version and DISCARD.
LAYER_CODE: Final = {
    "INBOUND_TRANSPORT": "%%14597",
    "OUTBOUND_TRANSPORT": "%%14597",
    "STREAM": "%%14599",
    "DATAGRAM_DATA": "%%14600",
    "INBOUND_ICMP_ERROR": "%%14601",
    "OUTBOUND_ICMP_ERROR": "%%14601",
    "INBOUND_MAC_FRAME_ETHERNET": "%%14602",
    "INBOUND_IPPACKET": "%%14596",
    "IPFORWARD": "%%14598",
    "ALE_RESOURCE_ASSIGNMENT": "%%14608",
    "ALE_AUTH_LISTEN": "%%14609",
    "ALE_AUTH_RECV_ACCEPT": "%%14610",
    "ALE_AUTH_CONNECT": "%%14611",
}
NOBODY: Final = "S-1-0-0"
ACTION: Final = {5031: "block", 5150: "block", 5151: "block", 5155: "block", 5157: "block", 5159: "block"}
ACTION_DROP: Final = {5152: "drop", 5153: "drop"}


def _readable(time: int) -> int:
    """Return this time or the next that a reader in doubles gets right to a microsecond.

    python-evtx turns FILETIME into a double of seconds, whose step is 2 us here: most times come out a microsecond
    off at worst, some two.
    """
    while True:
        seconds = float(time) * 1e-7 - 11644473600
        shown = dt.datetime.fromtimestamp(seconds, dt.UTC)
        if abs(filetime(shown) - time) < 10:
            return time
        time += 1


@dataclass(slots=True)
class Story:
    """The events of one machine. ``windows11`` chooses the versions of 5152, 5156 and 5157."""

    computer: str
    seed: str
    start: dt.datetime
    first_record: int
    windows11: bool
    interface: int = 12
    profile: str = "Private"
    events: list[Event] = field(default_factory=list)
    attempts: int = 0

    def tell(  # noqa: PLR0913 - an event has many parts
        self,
        second: float,
        event_id: int,
        version: int,
        fields: Mapping[str, Value],
        *,
        variant: str = "",
        process_id: int = 4,
        activity: str | None = None,
        say: Say | None = None,
        attempt: int | None = None,
    ) -> None:
        """Add one event."""
        mark = hashlib.sha256(f"{self.seed}/{len(self.events)}".encode()).digest()
        fraction = int.from_bytes(mark[:4], "little") % 1_000_000
        time = _readable(filetime(self.start) + round(second * 10_000_000) + fraction)
        self.events.append(Event(time, event_id, version, dict(fields), variant, process_id, activity, say, attempt))

    def new_attempt(self) -> int:
        """Return the number of a new attempt: equal records of one attempt share it."""
        self.attempts += 1
        return self.attempts

    def _connection(self, flow: Flow, *, inbound: bool, filter_id: int, layer: str, number: int) -> dict[str, Value]:
        near, far = (flow.local, str(flow.local_port)), (flow.remote, str(flow.remote_port))
        source, dest = (far, near) if inbound else (near, far)
        return {
            "Application": flow.application,
            "Direction": IN if inbound else OUT,
            "SourceAddress": source[0],
            "SourcePort": source[1],
            "DestAddress": dest[0],
            "DestPort": dest[1],
            "Protocol": flow.protocol,
            "FilterRTID": filter_id,
            "LayerName": LAYER_CODE[layer],
            "LayerRTID": number,
        }

    def blocked(  # noqa: PLR0913
        self,
        second: float,
        flow: Flow,
        filter_id: int,
        say: Say,
        *,
        origin: str | None = None,
        inbound: bool = False,
        repeats: int = 1,
        loopback: bool = False,
        layer_id: int | None = None,
        version: int | None = None,
    ) -> None:
        """Tell a refused connection: 5157, in the version of this Windows, ``repeats`` equal records 0.5 s apart."""
        layer, number = ("ALE_AUTH_RECV_ACCEPT", 44) if inbound else ("ALE_AUTH_CONNECT", 48)
        number = layer_id if layer_id is not None else number + (2 if ":" in flow.local else 0)
        fields = self._connection(flow, inbound=inbound, filter_id=filter_id, layer=layer, number=number)
        fields |= {"ProcessID": flow.process_id}
        version = version if version is not None else (3 if self.windows11 else 1)
        if version >= 1:
            fields |= {"RemoteUserID": NOBODY, "RemoteMachineID": NOBODY}
        if version >= 2:
            yes = "true" if loopback else "false"
            fields |= {"OriginalProfile": self.profile, "CurrentProfile": self.profile, "IsLoopback": yes}
        if version == 3:
            fields |= {"InterfaceIndex": self.interface, "FilterOrigin": origin or "Unknown"}
            fields |= {"HasRemoteDynamicKeywordAddress": "false"}
        attempt = self.new_attempt()
        for index in range(repeats):
            self.tell(second + index * 0.5, 5157, version, fields, say=say, attempt=attempt)

    def dropped(  # noqa: PLR0913
        self,
        second: float,
        flow: Flow,
        filters: Sequence[int],
        say: Sequence[Say],
        layer: str,
        layer_id: int,
        *,
        origin: str | None = None,
        outbound: bool = False,
        event_id: int = 5152,
        version: int | None = None,
    ) -> None:
        """Tell a dropped packet: one 5152 (or 5153) per filter in ``filters``."""
        attempt = self.new_attempt()
        version = version if version is not None else int(self.windows11)
        for index, (filter_id, expected) in enumerate(zip(filters, say, strict=True)):
            fields = self._connection(flow, inbound=not outbound, filter_id=filter_id, layer=layer, number=layer_id)
            fields |= {"ProcessId": flow.process_id}
            if version == 1:
                fields |= {"FilterOrigin": origin or "Unknown"}
            self.tell(second + index * 0.11, event_id, version, fields, say=expected, attempt=attempt)

    def permitted(
        self, second: float, flow: Flow, filter_id: int, *, inbound: bool = False, origin: str = "Unknown"
    ) -> None:
        """Tell a permitted connection: 5156."""
        layer, number = ("ALE_AUTH_RECV_ACCEPT", 44) if inbound else ("ALE_AUTH_CONNECT", 48)
        number += 2 if ":" in flow.local else 0
        fields = self._connection(flow, inbound=inbound, filter_id=filter_id, layer=layer, number=number)
        fields |= {"ProcessID": flow.process_id, "RemoteUserID": NOBODY, "RemoteMachineID": NOBODY}
        if self.windows11:
            fields |= {"InterfaceIndex": self.interface, "FilterOrigin": origin}
        self.tell(second, 5156, 1, fields, variant="win11" if self.windows11 else "")

    def port(  # noqa: PLR0913
        self,
        second: float,
        event_id: int,
        application: str,
        process_id: int,
        address: str,
        number: int,
        protocol: int = 6,
        *,
        filter_id: int = 0,
        layer_id: int | None = None,
        say: Say | None = None,
    ) -> None:
        """Tell a bind (5158, blocked 5159) or a listen (5154, blocked 5155)."""
        layer, first = ("ALE_RESOURCE_ASSIGNMENT", 36) if event_id in {5158, 5159} else ("ALE_AUTH_LISTEN", 40)
        fields: dict[str, Value] = {
            "ProcessId": process_id,
            "Application": application,
            "SourceAddress": address,
            "SourcePort": str(number),
            "Protocol": protocol,
            "FilterRTID": filter_id,
            "LayerName": LAYER_CODE[layer],
            "LayerRTID": layer_id if layer_id is not None else first + (2 if ":" in address else 0),
        }
        self.tell(second, event_id, 0, fields, say=say, attempt=self.new_attempt() if say else None)

    def started(
        self,
        second: float,
        process_id: int,
        path: str,
        command: str,
        *,
        user: tuple[str, str, str] = ("S-1-5-18", "-", "-"),
        parent: str = "C:\\Windows\\System32\\services.exe",
        creator: int = 916,
    ) -> None:
        """Tell the start of a process: 4688 v2 with its command line."""
        host = self.computer.split(".")[0]
        fields: dict[str, Value] = {
            "SubjectUserSid": "S-1-5-18",
            "SubjectUserName": f"{host}$",
            "SubjectDomainName": "CORP",
            "SubjectLogonId": 0x3E7,
            "NewProcessId": process_id,
            "NewProcessName": path,
            "TokenElevationType": "%%1936",
            "ProcessId": creator,
            "CommandLine": command,
            "TargetUserSid": user[0],
            "TargetUserName": user[1],
            "TargetDomainName": user[2],
            "TargetLogonId": 0x3E7 if user[0] == "S-1-5-18" else 0x3E4,
            "ParentProcessName": parent,
            "MandatoryLabel": "S-1-16-16384",
        }
        self.tell(second, 4688, 2, fields)

    def ended(self, second: float, process_id: int, path: str) -> None:
        """Tell the end of a process: 4689."""
        host = self.computer.split(".")[0]
        fields: dict[str, Value] = {
            "SubjectUserSid": "S-1-5-18",
            "SubjectUserName": f"{host}$",
            "SubjectDomainName": "CORP",
            "SubjectLogonId": 0x3E7,
            "Status": 0,
            "ProcessId": process_id,
            "ProcessName": path,
        }
        self.tell(second, 4689, 0, fields)

    def _ordered(self) -> list[Event]:
        return sorted(self.events, key=lambda event: event.time)

    def records(self, gaps: Mapping[int, int] | None = None) -> list[Record]:
        """Return the records in time order; ``gaps`` leaves out record ids after the given positions."""
        out, number = [], self.first_record
        for position, event in enumerate(self._ordered()):
            mark = hashlib.sha256(f"{self.seed}/thread/{position}".encode()).digest()
            out.append(
                Record(
                    event.event_id,
                    event.version,
                    event.time,
                    number,
                    self.computer,
                    event.fields,
                    event.variant,
                    event.process_id,
                    (mark[0] * 8 + mark[1]) * 4,
                    event.activity,
                )
            )
            number += 1 + (gaps or {}).get(position, 0)
        return out

    def expectation(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """Return what a reader should say of every block and drop, by record id."""
        actions = ACTION | ACTION_DROP
        out = []
        for event, record in zip(self._ordered(), records, strict=True):
            if event.event_id not in actions:
                continue
            if event.say is None:
                raise ValueError(f"nothing is said of record {record.record_id}")
            row: dict[str, Any] = {
                "record_id": record.record_id,
                "event_id": event.event_id,
                "action": actions[event.event_id],
                "kind": event.say.kind,
                "grade": event.say.grade,
                "filter": event.say.filter_id,
                "attempt": event.attempt,
            }
            if event.say.note:
                row["note"] = event.say.note
            out.append(row)
        return out
