"""Writes events as Windows renders them to XML: Event Viewer's "Save as XML", ``wevtutil qe /f:RenderedXml``.

What Windows localizes is in ``RenderingInfo`` alone; System and EventData are the same in every language.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from samples.evtxwriter import filetime
from samples.evtxwriter.shapes import AUDITING, SUCCESS, shape
from samples.evtxwriter.system import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from samples.evtxwriter import Record
    from samples.evtxwriter.values import Kind, Value

_EPOCH: Final = dt.datetime(1601, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Culture:
    """The words of one language: channel, level, the two audit keywords, tasks by number, messages by event id."""

    name: str
    channel: str
    level: str
    keywords: tuple[str, str]
    tasks: Mapping[int, str]
    messages: Mapping[int, str]


def moment(time: int) -> str:
    """Return a FILETIME as the log prints it, with seven decimals."""
    whole = _EPOCH + dt.timedelta(seconds=time // 10_000_000)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time % 10_000_000:07d}Z"


def write_events(records: Iterable[Record], culture: Culture) -> bytes:
    """Return the bytes of the export: UTF-8 with a signature, one event per line."""
    lines = ['<?xml version="1.0" encoding="utf-8" standalone="yes"?>', "<Events>"]
    lines += [_event(record, culture) for record in records]
    return ("\ufeff" + "\r\n".join([*lines, "</Events>"]) + "\r\n").encode()


def _event(record: Record, culture: Culture) -> str:
    form = record.shape or shape(record.event_id, record.version, record.variant)
    if form.payload != "EventData" or form.provider != AUDITING:
        raise ValueError(f"event {record.event_id} is not an audit event")
    data = "".join(
        f"<Data Name={quoteattr(name)}>{escape(_text(kind, record.fields.get(name)))}</Data>"
        for name, kind in form.fields
    )
    activity = f" ActivityID={quoteattr(record.activity)}" if record.activity else ""
    keyword = culture.keywords[0 if form.keywords == SUCCESS else 1]
    return (
        f"<Event xmlns='{NAMESPACE}'><System><Provider Name='{AUDITING.name}' Guid='{AUDITING.guid}'/>"
        f"<EventID>{record.event_id}</EventID><Version>{record.version}</Version><Level>{form.level}</Level>"
        f"<Task>{form.task}</Task><Opcode>0</Opcode><Keywords>0x{form.keywords:x}</Keywords>"
        f"<TimeCreated SystemTime='{moment(filetime(record.time))}'/><EventRecordID>{record.record_id}</EventRecordID>"
        f"<Correlation{activity}/><Execution ProcessID='{record.process_id}' ThreadID='{record.thread_id}'/>"
        f"<Channel>{record.channel}</Channel><Computer>{record.computer}</Computer><Security/></System>"
        f"<EventData>{data}</EventData>"
        f"<RenderingInfo Culture='{culture.name}'><Message>{escape(culture.messages[record.event_id])}</Message>"
        f"<Level>{culture.level}</Level><Task>{escape(culture.tasks[form.task])}</Task><Opcode>Info</Opcode>"
        f"<Channel>{culture.channel}</Channel><Provider>Microsoft Windows security auditing.</Provider>"
        f"<Keywords><Keyword>{keyword}</Keyword></Keywords></RenderingInfo></Event>"
    )


def _text(kind: Kind, value: Value) -> str:
    if value is None:
        return "" if kind == "string" else "-"
    if kind in {"hex32", "hex64"} and isinstance(value, int):
        return f"0x{value:x}"
    if kind == "filetime" and isinstance(value, int):
        return moment(value)
    return str(value)
