"""Whether a file is a text export of events, by its first bytes: Event XML or JSON of a log shipper."""

from __future__ import annotations

import re
from typing import Final, Literal

from analyzer.readers.eventstream import GZIP_MAGIC, peek
from analyzer.readers.xmltext import detect_encoding

EventKind = Literal["eventxml", "eventjson"]

HEAD: Final = 65536
EVENT_XML: Final = "events as XML (Event Viewer, wevtutil, Get-WinEvent)"
EVENT_JSON: Final = "events as JSON (a log shipper's or a converter's)"
# An Event element of the event schema, or one that begins with its System part; any root may stand around it.
_XML: Final = re.compile(
    r"<Event(?:\s[^<>]{0,400})?\sxmlns\s*=\s*[\"']http://schemas\.microsoft\.com/win/2004/08/events/event[\"']"
    r"|<Event(?:\s[^<>]{0,400})?>\s{0,64}<System[\s>]"
)
_SPACE: Final = "\ufeff\x1e \t\r\n"
_HEADING: Final = re.compile(r"Record \d{1,20}\s{1,8}")  # evtx_dump's
# Keys that say "a Windows event": one of the first group, or one of the second with one of the third.
_SURE: Final = re.compile(
    r'"winlog(?:\.event_id|\.event_data)?[".]|"Event"\s*:\s*\{\s*"(?:#attributes|Event_attributes|@xmlns|System)"|"event_record_id"\s*:'
)
_EVENT_ID: Final = re.compile(r'"(?:EventID|EventId|event_id|EventCode)"\s*:')
_WITH: Final = re.compile(
    r'"(?:event_data|log_name|record_number|Channel|SourceName|EventSourceName|ProviderGuid|Hostname|EventRecordID|EventData)"\s*:'
)
# The program's own lines of events begin alike, and have this.
_OWN: Final = re.compile(r'"(?:endpoint_order|filter_rtid)"\s*:')


def sniff_events(head: bytes) -> tuple[EventKind, str] | None:
    """Return the kind and what it is in words, by the first ``HEAD`` bytes of a file; None for other files.

    Any encoding, also packed with gzip.
    """
    packed = head.startswith(GZIP_MAGIC)
    if packed:
        head = peek(head, HEAD)
    encoding, skip = detect_encoding(head)
    text = head[skip:].decode(encoding, "replace")
    how = ", packed with gzip" if packed else ""
    if _HEADING.sub("", text.lstrip(_SPACE)[:64], count=1).lstrip(_SPACE + "[").startswith("{"):
        if _SURE.search(text) or (_EVENT_ID.search(text) and _WITH.search(text) and not _OWN.search(text)):
            return "eventjson", EVENT_JSON + how
        return None
    return ("eventxml", EVENT_XML + how) if _XML.search(text) is not None else None
