"""What one shipped ticket is, and how its files are written."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samples.evtxwriter import write_log
from samples.statewriter import write_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from samples.evtxwriter import Record
    from samples.evtxwriter.system import Style
    from samples.state import State


@dataclass(frozen=True, slots=True)
class Log:
    """A log of the ticket: its records and the form of its file."""

    records: Sequence[Record]
    style: Style = "values"
    minor: int = 1


@dataclass(frozen=True, slots=True)
class Service:
    """What the service-SID diagnosis should say of one service."""

    name: str
    outcome: str
    permits: Sequence[int]
    why: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A folder of the samples, logs and states by file name, and what is expected of a reader."""

    name: str
    logs: Mapping[str, Log]
    states: Mapping[str, State]
    events: Sequence[Mapping[str, Any]]
    services: Sequence[Service]
    notes: Sequence[str] = ()

    def files(self) -> dict[str, bytes]:
        """Return the bytes of every file that a user would hand in, by name."""
        out: dict[str, bytes] = {}
        for name, log in self.logs.items():
            stream = io.BytesIO()
            write_log(stream, log.records, style=log.style, minor=log.minor)
            out[name] = stream.getvalue()
        for name, state in self.states.items():
            out[name] = write_state(state)
        return out

    def expected(self) -> bytes:
        """Return the expectation as JSON, one event per line."""
        services = [
            {"name": item.name, "outcome": item.outcome, "permits": list(item.permits), "why": item.why}
            for item in self.services
        ]
        head = json.dumps({"ticket": self.name, "notes": list(self.notes), "services": services}, indent=1)
        rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in self.events)
        return (head.removesuffix("\n}") + ',\n "events": [\n' + rows + "\n ]\n}\n").encode()

    def paths(self) -> dict[str, bytes]:
        """Return the bytes of everything that is shipped, by path from the project's root."""
        out = {f"samples/{self.name}/{name}": data for name, data in self.files().items()}
        out[f"tests/samples/expected/{self.name}.json"] = self.expected()
        return out
