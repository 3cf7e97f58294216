"""What is told of a machine: flows, events, and what a reader should say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samples.evtxwriter.values import Value


@dataclass(frozen=True, slots=True)
class Flow:
    """One program's conversation: who, from where to where."""

    application: str
    process_id: int
    local: str
    local_port: int
    remote: str
    remote_port: int
    protocol: int = 6


@dataclass(frozen=True, slots=True)
class Say:
    """What a reader should say of a block or drop, thought out by hand where the event is told."""

    kind: str
    grade: str
    filter_id: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """The filter that an event cites, what a reader should say of it, and the origin that the event names."""

    filter_id: int
    say: Say
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Socket:
    """A program's socket as a bind or a listen names it."""

    application: str
    process_id: int
    address: str
    number: int
    protocol: int = 6


@dataclass(slots=True)
class Event:
    """One told event; ``time`` (FILETIME) is set when it is told."""

    event_id: int
    version: int
    fields: Mapping[str, Value]
    variant: str = ""
    process_id: int = 4
    activity: str | None = None
    say: Say | None = None
    attempt: int | None = None
    time: int = 0
