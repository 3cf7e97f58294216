"""What one shipped ticket is, and how its files are written."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from samples.eventxml import write_events
from samples.evtxwriter import write_log
from samples.statewriter import write_state
from samples.zipwriter import write_zip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from samples.eventxml import Culture
    from samples.evtxwriter import Record
    from samples.evtxwriter.system import Style
    from samples.state import State


@dataclass(frozen=True, slots=True)
class Log:
    """A log of the ticket: its records and the form of its file. With a ``culture`` it is XML in that language."""

    records: Sequence[Record]
    style: Style = "values"
    minor: int = 1
    culture: Culture | None = None

    def written(self) -> bytes:
        """Return the bytes of the file."""
        if self.culture is not None:
            return write_events(self.records, self.culture)
        stream = io.BytesIO()
        write_log(stream, self.records, style=self.style, minor=self.minor)
        return stream.getvalue()


@dataclass(frozen=True, slots=True)
class Service:
    """What the service-SID diagnosis should say of one service."""

    name: str
    outcome: str
    permits: Sequence[int]
    why: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A folder of the samples: logs, states and other files by name, and what is expected of a reader.

    With ``packed`` all of them are handed in as one zip of that name.
    """

    name: str
    logs: Mapping[str, Log]
    states: Mapping[str, State]
    events: Sequence[Mapping[str, Any]]
    services: Sequence[Service]
    notes: Sequence[str] = ()
    others: Mapping[str, bytes] = field(default_factory=dict)
    packed: str | None = None

    def contents(self) -> dict[str, bytes]:
        """Return the bytes of every file, by name, as it is before it is packed."""
        out = {name: log.written() for name, log in self.logs.items()}
        out |= {name: write_state(state) for name, state in self.states.items()}
        return dict(sorted((out | dict(self.others)).items()))

    def files(self) -> dict[str, bytes]:
        """Return the bytes of every file that a user would hand in, by name."""
        contents = self.contents()
        return contents if self.packed is None else {self.packed: write_zip(contents)}

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
