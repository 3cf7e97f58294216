"""Events of logs: the columns that all have, and those of each table (``analyzer.wfp.events``)."""

from __future__ import annotations

from typing import Final

from analyzer.schemas.types import NUMBER, OBJECT, TEXT, TIME
from analyzer.wfp import events as wfp_events

SYSTEM: Final[dict[str, str]] = {
    "input": TEXT,  # name of the input file
    "offset": "int64",  # byte offset of the record in its file
    "event_id": "int32",
    "version": "int32",
    "record_id": NUMBER,  # System/EventRecordID, not the number in the record header
    "time": TIME,  # System/TimeCreated, full 100 ns
    "computer": TEXT,
    "channel": TEXT,
    "provider": TEXT,
}


def event_schema(table: wfp_events.Table) -> dict[str, str]:
    """Return column -> dtype for one event table: system columns, every field of its rows, ``extra``.

    ``extra`` holds a dict of unknown fields (name as in the event -> text), or None.
    """
    schema = dict(SYSTEM)
    for spec in wfp_events.EVENTS.values():
        if spec.table == table:
            for item in spec.fields:
                schema[item.column] = TEXT if item.type == "text" else NUMBER
    schema["extra"] = OBJECT
    return schema


EVENT_SCHEMAS: Final[dict[str, dict[str, str]]] = {table: event_schema(table) for table in wfp_events.TABLES}
