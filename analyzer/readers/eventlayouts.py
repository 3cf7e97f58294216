"""JSON objects of log shippers into events: each layout says where the system fields and the event's own fields are.

The layout is told by the keys of each object, so that one file may mix them::

    dump     {"Event": {"System": ..., "EventData": ...}}: evtx_dump and its kin, also with "@Name" attributes
    beat     {"winlog": {"event_id": ..., "event_data": ...}}: Winlogbeat 7 and 8, also with dotted keys
    old beat {"event_id": ..., "event_data": ...}: Winlogbeat 5 and 6
    flat     {"EventID": ..., "SourcePort": ...}: NXLog, and others that put all fields side by side; the fields may
             also stand in "EventData" as an object or as XML (Azure Monitor)
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from analyzer.readers import eventelement, eventtime
from analyzer.readers.eventelement import NoEventError
from analyzer.readers.eventfields import KNOWN_PROVIDERS
from analyzer.readers.eventrows import MAX_FIELDS, Event
from analyzer.readers.evtx.values import number_of_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.readers.eventtime import Time

Object = dict[str, Any]

MAX_WRAPPED: Final = 3  # objects around an event
MAX_DEPTH: Final = 32  # objects inside each other that are looked into
LATE: Final = 300_000_000_000  # ns between a shipper's receiving a record and stamping it; 37 s is the most seen
NXLOG: Final = "im_msvistalog"
# System field -> the keys that shippers use for it, best first; compared with case.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "event_id": ("EventID", "EventId", "event_id", "EventCode"),
    "provider": ("SourceName", "EventSourceName", "source_name", "provider_name", "ProviderName"),
    "guid": ("ProviderGuid", "provider_guid"),
    "version": ("Version", "version"),
    "record_id": ("RecordNumber", "EventRecordID", "record_number", "record_id", "EventRecordId", "RecordId"),
    "channel": ("Channel", "log_name", "channel", "LogName"),
    "computer": ("Hostname", "Computer", "computer_name", "MachineName", "ComputerName"),
    "time": ("TimeCreated", "TimeGenerated", "SystemTime", "EventTime", "@timestamp"),
}
# Keys of flat layouts that are the shipper's or the record's, and no fields of the event; those that begin with
# "@" or "_" are so, too.
_SHIPPER: Final = """
    Task Keywords Level Opcode OpcodeValue Category Severity SeverityValue EventType EventReceivedTime
    SourceModuleName SourceModuleType ThreadID ExecutionProcessID ExecutionThreadID ActivityID activity_id
    RelatedActivityID Message message host port tags type Domain AccountName UserID AccountType Qualifiers
"""
_NOT_FIELDS: Final = frozenset(_SHIPPER.split()).union(*KEYS.values()) - {"ProviderName"}
_PROCESS_ID: Final = "ProcessID"
# Windows' English message of the events 515x; the number is decimal, as in the field.
_PROCESS_LINE: Final = re.compile(r"^[ \t]*Process ID:[ \t]*(\d{1,10})[ \t\r]*$", re.MULTILINE)
_MESSAGE: Final = 4096  # characters of a message that are looked at
_UNKNOWN: Final = "is no event in a layout that is known"


def read_object(item: Object, depth: int = 0) -> Event:
    """Read one JSON object.

    Raises
    ------
    NoEventError
        When it is no event, or none in a layout that is known.
    """
    if isinstance(inner := item.get("Event"), dict) and isinstance(inner.get("System"), dict):
        return _dump(inner)
    winlog = item.get("winlog")
    old = isinstance(item.get("event_data"), dict) or ("event_id" in item and "log_name" in item)
    if old or isinstance(winlog, dict):
        return _beat(item, winlog if isinstance(winlog, dict) else item)
    if any(key in item for key in KEYS["event_id"]):
        return _flat(item)
    if depth < MAX_WRAPPED:
        if isinstance(inner := item.get("_source"), dict):  # a document of a search engine
            return read_object(inner, depth + 1)
        if "event_record_id" in item and isinstance(inner := item.get("data"), str | dict):  # a record of PyEvtxParser
            return _wrapped(inner, depth + 1)
        if any(key.startswith("winlog.") for key in item):
            return read_object(_undotted(item), depth + 1)
    raise NoEventError("names no fields: Properties are values without names" if "Properties" in item else _UNKNOWN)


def _wrapped(inner: str | Object, depth: int) -> Event:
    if isinstance(inner, str):
        if inner.lstrip().startswith("<"):
            start = inner.find("<Event")
            return eventelement.read_event(inner[max(start, 0) :])
        try:
            loaded = json.loads(inner)
        except (ValueError, RecursionError) as error:
            raise NoEventError("holds text that is no JSON") from error
        if not isinstance(loaded, dict):
            raise NoEventError(_UNKNOWN)
        inner = loaded
    return read_object(inner, depth)


# -- values ------------------------------------------------------------------------------------------------------


def scalar(value: object) -> str | None:
    """Return a value as text, as the binary reader writes it; None for null and for what has no text of its own."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return scalar(value.get("#text"))
    return None


def _first(item: Object, keys: Sequence[str]) -> str | None:
    for key in keys:
        if key in item and (text := scalar(item[key])):
            return text
    return None


def _attribute(parent: Object, element: str, name: str) -> str | None:
    """Return an attribute of an element, however the attributes are written."""
    inner = parent.get(element)
    places = [parent.get(f"{element}_attributes")]
    if isinstance(inner, dict):
        places += [inner.get("#attributes"), {name: inner.get(f"@{name}")}, inner]
    for found in places:
        if isinstance(found, dict) and (text := scalar(found.get(name))) is not None:
            return text
    return None


def fields(value: object, name: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the named values below a value: lists are repeats of one name, objects have names of their own.

    Raises
    ------
    NoEventError
        When objects lie too deep inside each other.
    """
    if depth > MAX_DEPTH:
        raise NoEventError(f"has more than {MAX_DEPTH} objects inside each other")
    if isinstance(value, dict):
        label = value.get("@Name")
        own = label if isinstance(label, str) else name
        for key, inner in value.items():
            if key == "#text":
                yield from fields(inner, own, depth + 1)
            elif key[:1] != "@" and key != "#attributes" and not key.endswith("_attributes"):
                yield from fields(inner, key, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, name, depth + 1)
    else:
        yield name, scalar(value) or ""


def _take(event: Event, value: object, name: str) -> None:
    for item in fields(value, name):
        event.fields.append(item)
        if len(event.fields) > MAX_FIELDS:
            return


def _undotted(item: Object) -> Object:
    """Return an object whose dotted keys (``winlog.event_id``) are objects inside objects."""
    out: Object = {}
    for key, value in item.items():
        parts = key.split(".", MAX_DEPTH)
        here = out
        for part in parts[:-1]:
            inner = here.setdefault(part, {})
            if not isinstance(inner, dict):
                break
            here = inner
        else:
            here[parts[-1]] = value
    return out


def _system(event: Event, get: Object) -> Event:
    """Set the system fields from keys of one object."""
    event.event_id = eventelement.event_id(_first(get, KEYS["event_id"]))
    event.version = eventelement.version(_first(get, KEYS["version"]))
    event.record_id = number_of_text(_first(get, KEYS["record_id"]) or "")
    event.channel = _first(get, KEYS["channel"])
    event.computer = _first(get, KEYS["computer"])
    event.provider = _first(get, KEYS["provider"])
    event.guid = _first(get, KEYS["guid"])
    return event


# -- layouts -----------------------------------------------------------------------------------------------------


def _dump(item: Object) -> Event:
    system = item["System"]
    event = Event(
        provider=_attribute(system, "Provider", "Name") or None,
        guid=_attribute(system, "Provider", "Guid"),
        event_id=eventelement.event_id(scalar(system.get("EventID"))),
        version=eventelement.version(scalar(system.get("Version"))),
        record_id=number_of_text(scalar(system.get("EventRecordID")) or ""),
        time=eventtime.parse(_attribute(system, "TimeCreated", "SystemTime") or ""),
        channel=scalar(system.get("Channel")) or None,
        computer=scalar(system.get("Computer")) or None,
    )
    for part in ("EventData", "UserData"):
        if item.get(part) is not None:
            _take(event, item[part], part)
    return event


def _beat(item: Object, winlog: Object) -> Event:
    inner = item.get("event")
    code = inner.get("code") if isinstance(inner, dict) else None
    event = _system(Event(), winlog if "event_id" in winlog else {**winlog, "event_id": code})
    for part in ("event_data", "user_data"):
        if isinstance(data := winlog.get(part), dict):
            _take(event, {key: value for key, value in data.items() if key != "xml_name"}, part)
    return _timed(event, item, "@timestamp")


def _flat(item: Object) -> Event:
    event = _system(Event(), item)
    named = item.get("ProviderName")
    if event.provider == named and isinstance(named, str):
        # elsewhere it is a field of the event: the maker of a filter
        event.provider = named if named.lower() in KNOWN_PROVIDERS else None
    data = item.get("EventData")
    if isinstance(data, dict):
        _take(event, data, "EventData")
    elif isinstance(data, str) and data.lstrip().startswith("<"):
        event.fields.extend(eventelement.read_fields(data.strip()))
    else:
        _flat_fields(event, item)
    return _timed(event, item, *KEYS["time"])


def _flat_fields(event: Event, item: Object) -> None:
    shipper = item.get("SourceModuleType") == NXLOG
    for key, value in item.items():
        if key in _NOT_FIELDS or key[:1] in ("@", "_"):
            continue
        if isinstance(value, str) and key != "ProviderName":
            event.fields.append((key, value))
            continue
        if key == "ProviderName" and event.provider is not None and value == event.provider:
            continue
        if key == _PROCESS_ID and shipper and isinstance(value, int):
            _overwritten(event, item)  # the writer of the record, in place of the field: fields are texts here
            continue
        _take(event, value, key)


def _overwritten(event: Event, item: Object) -> None:
    """Take the process id from the message where the shipper put another number in the place of the field."""
    if "ProcessId" in item or not 5150 <= event.event_id <= 5159:
        return
    found = _PROCESS_LINE.search((scalar(item.get("Message")) or "")[:_MESSAGE])
    if found is not None:
        event.fields.append(("ProcessID", found[1]))
        return
    what = "the shipper put another number in the place of the process id: the event's own is lost"
    event.doubts.append((what, what))


def _timed(event: Event, item: Object, *keys: str) -> Event:
    """Set the time of an event: where it is local, its zone follows from a second clock of the shipper, if any."""
    text = _first(item, keys)
    event.time = time = eventtime.parse(text) if text is not None else None
    if time is None or time.zoned:
        return event
    away = _away(item, time)
    if away is None:
        event.zone = "assumed"
    else:
        event.time = eventtime.Time(time.ns + away, time.digits, zoned=True)
        event.zone = "reckoned"
    return event


def _away(item: Object, time: Time) -> int | None:
    """Return what to add to the shipper's local times to get UTC: it stamps in UTC what it received at a local time."""
    stamp, received = (eventtime.parse(_first(item, (key,)) or "") for key in ("@timestamp", "EventReceivedTime"))
    if stamp is None or not stamp.zoned:
        return None
    if received is not None and not received.zoned:
        return eventtime.zone(received, stamp, LATE)
    return eventtime.zone(time, stamp, LATE)
