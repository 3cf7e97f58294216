"""Tells what happened on one machine: events by second, each block or drop with what a reader should say of it.

An event's time is the story's start, the given second and a fixed fraction below 0.1 s, so that all seven decimals
are used. Record ids are given at the end, in the order of time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from samples import windows
from samples.evtxwriter import Record, filetime
from samples.told import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from samples.evtxwriter.values import Value
    from samples.told import Cause, Flow, Say, Socket

IN, OUT = "%%14592", "%%14593"
SYN_AGAIN: Final = (0.0, 1.0, 3.0, 7.0)  # an unanswered SYN is sent again after so many seconds
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


def _ale_layer(flow: Flow, *, inbound: bool) -> int:
    """Return the layer that decides on a connection: ALE_AUTH_RECV_ACCEPT or ALE_AUTH_CONNECT."""
    return (44 if inbound else 48) + (2 if ":" in flow.local else 0)


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

    def tell(self, second: float, event: Event) -> None:
        """Add one event."""
        mark = hashlib.sha256(f"{self.seed}/{len(self.events)}".encode()).digest()
        fraction = int.from_bytes(mark[:4], "little") % 1_000_000
        event.time = _readable(filetime(self.start) + round(second * 10_000_000) + fraction)
        self.events.append(event)

    def new_attempt(self) -> int:
        """Return the number of a new attempt: equal records of one attempt share it."""
        self.attempts += 1
        return self.attempts

    def _connection(self, flow: Flow, filter_id: int, layer_id: int, *, inbound: bool) -> dict[str, Value]:
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
            "LayerName": windows.layer_code(layer_id),
            "LayerRTID": layer_id,
        }

    def blocked(
        self,
        second: float,
        flow: Flow,
        cause: Cause,
        *,
        inbound: bool = False,
        repeats: int = 1,
        loopback: bool = False,
        layer_id: int | None = None,
    ) -> None:
        """Tell a refused connection: 5157, in the version of this Windows, ``repeats`` equal records 0.5 s apart."""
        number = layer_id if layer_id is not None else _ale_layer(flow, inbound=inbound)
        fields = self._connection(flow, cause.filter_id, number, inbound=inbound)
        fields |= {"ProcessID": flow.process_id, "RemoteUserID": NOBODY, "RemoteMachineID": NOBODY}
        if self.windows11:
            yes = "true" if loopback else "false"
            fields |= {"OriginalProfile": self.profile, "CurrentProfile": self.profile, "IsLoopback": yes}
            fields |= {"InterfaceIndex": self.interface, "FilterOrigin": cause.origin or "Unknown"}
            fields |= {"HasRemoteDynamicKeywordAddress": "false"}
        attempt = self.new_attempt()
        for index in range(repeats):
            event = Event(5157, 3 if self.windows11 else 1, fields, say=cause.say, attempt=attempt)
            self.tell(second + index * 0.5, event)

    def _drop(self, flow: Flow, cause: Cause, layer_id: int, attempt: int, *, outbound: bool = False) -> Event:
        fields = self._connection(flow, cause.filter_id, layer_id, inbound=not outbound)
        fields |= {"ProcessId": flow.process_id}
        if self.windows11:
            fields |= {"FilterOrigin": cause.origin or "Unknown"}
        return Event(5152, int(self.windows11), fields, say=cause.say, attempt=attempt)

    def dropped(
        self,
        second: float,
        flow: Flow,
        cause: Cause,
        layer_id: int,
        *,
        event_id: int = 5152,
        after: Sequence[float] = (0.0,),
    ) -> None:
        """Tell a dropped inbound packet: 5152 (or 5153), again after each of these seconds if it is sent again."""
        attempt = self.new_attempt()
        for later in after:
            event = self._drop(flow, cause, layer_id, attempt)
            event.event_id = event_id
            self.tell(second + later, event)

    def unheard(self, second: float, flow: Flow, packet: Cause, error: Cause, *, lag: int = 0) -> None:
        """Tell a datagram to a port without a listener: the packet's drop, and that of the ICMP error it would cause.

        Both have one time (``lag`` in 100 ns sets them apart). The error goes back to the sender, without ports.
        """
        protocol, at_packet, at_error = (58, 15, 34) if ":" in flow.local else (1, 13, 32)
        attempt = self.new_attempt()
        self.tell(second, self._drop(flow, packet, at_packet, attempt))
        answer = replace(flow, local_port=0, remote_port=0, protocol=protocol)
        event = self._drop(answer, error, at_error, attempt, outbound=True)
        event.time = _readable(self.events[-1].time + lag)
        self.events.append(event)

    def permitted(
        self, second: float, flow: Flow, filter_id: int, *, inbound: bool = False, origin: str = "Unknown"
    ) -> None:
        """Tell a permitted connection: 5156."""
        fields = self._connection(flow, filter_id, _ale_layer(flow, inbound=inbound), inbound=inbound)
        fields |= {"ProcessID": flow.process_id, "RemoteUserID": NOBODY, "RemoteMachineID": NOBODY}
        if self.windows11:
            fields |= {"InterfaceIndex": self.interface, "FilterOrigin": origin}
        self.tell(second, Event(5156, 1, fields, variant="win11" if self.windows11 else ""))

    def port(
        self,
        second: float,
        event_id: int,
        socket: Socket,
        *,
        filter_id: int = 0,
        layer_id: int | None = None,
        say: Say | None = None,
    ) -> None:
        """Tell a bind (5158, blocked 5159) or a listen (5154, blocked 5155)."""
        first = 36 if event_id in {5158, 5159} else 40
        number = layer_id if layer_id is not None else first + (2 if ":" in socket.address else 0)
        fields: dict[str, Value] = {
            "ProcessId": socket.process_id,
            "Application": socket.application,
            "SourceAddress": socket.address,
            "SourcePort": str(socket.number),
            "Protocol": socket.protocol,
            "FilterRTID": filter_id,
            "LayerName": windows.layer_code(number),
            "LayerRTID": number,
        }
        self.tell(second, Event(event_id, 0, fields, say=say, attempt=self.new_attempt() if say else None))

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
        self.tell(second, Event(4688, 2, fields))

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
        self.tell(second, Event(4689, 0, fields))

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
