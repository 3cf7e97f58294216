"""JSON objects of log shippers into events: each layout says where the system fields and the event's own fields are.

The layout is told by the keys of each object, so that one file may mix them::

    dump     {"Event": {"System": ..., "EventData": ...}}: evtx_dump and its kin, also with "@Name" attributes
    beat     {"winlog": {"event_id": ..., "event_data": ...}}: Winlogbeat 7 and 8, also with dotted keys
    old beat {"event_id": ..., "event_data": ...}: Winlogbeat 5 and 6
    flat     {"EventID": ..., "SourcePort": ...}: NXLog, and others that put all fields side by side; the fields may
             also stand in "EventData" as an object or as XML (Azure Monitor), or in "Payload" as a text of JSON
             (EvtxECmd)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from analyzer.readers import eventelement, eventtime
from analyzer.readers.eventelement import NoEventError
from analyzer.readers.eventfields import KNOWN_PROVIDERS, provider_of
from analyzer.readers.eventrows import MAX_FIELDS, Event
from analyzer.readers.evtx.values import number_of_text
from analyzer.readers.jsonvalues import Object, attribute, fields, first, loaded, scalar, undotted
from analyzer.wfp.events import SECURITY_AUDITING, SYSMON

if TYPE_CHECKING:
    from analyzer.readers.eventtime import Time

MAX_WRAPPED: Final = 3  # objects around an event
LATE: Final = 300_000_000_000  # ns between a shipper's receiving a record and stamping it; 37 s is the most seen
NXLOG: Final = "im_msvistalog"
# System field -> the keys that shippers use for it, best first; compared with case.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "event_id": ("EventID", "EventId", "event_id", "EventCode"),
    "provider": ("SourceName", "EventSourceName", "source_name", "provider_name", "ProviderName", "Provider"),
    "guid": ("ProviderGuid", "provider_guid"),
    "version": ("Version", "version"),
    "record_id": ("EventRecordID", "EventRecordId", "RecordNumber", "record_number", "record_id", "RecordId"),
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
# Fields of processes that Winlogbeat's modules for Security and Sysmon rename to those of its common schema.
_MOVED: Final[dict[tuple[str, int], tuple[tuple[str, str], ...]]] = {
    (SECURITY_AUDITING, 4688): (
        ("NewProcessId", "pid"),
        ("NewProcessName", "executable"),
        ("CommandLine", "command_line"),
    ),
    (SECURITY_AUDITING, 4689): (("ProcessId", "pid"), ("ProcessName", "executable")),
    (SYSMON, 1): (
        ("ProcessId", "pid"),
        ("Image", "executable"),
        ("CommandLine", "command_line"),
        ("ParentProcessId", "parent.pid"),
    ),
    (SYSMON, 5): (("ProcessId", "pid"), ("Image", "executable")),
}
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
            return read_object(undotted(item), depth + 1)
    raise NoEventError("names no fields: Properties are values without names" if "Properties" in item else _UNKNOWN)


def _wrapped(inner: str | Object, depth: int) -> Event:
    if isinstance(inner, str):
        if inner.lstrip().startswith("<"):
            start = inner.find("<Event")
            return eventelement.read_event(inner[max(start, 0) :])
        found = loaded(inner)
        if not isinstance(found, dict):
            raise NoEventError("holds text that is no JSON" if found is None else _UNKNOWN)
        inner = found
    return read_object(inner, depth)


def _take(event: Event, value: object, name: str) -> None:
    for item in fields(value, name):
        event.fields.append(item)
        if len(event.fields) > MAX_FIELDS:
            return


def _system(event: Event, get: Object) -> Event:
    """Set the system fields from keys of one object."""
    event.event_id = eventelement.event_id(first(get, KEYS["event_id"]))
    event.version = eventelement.version(first(get, KEYS["version"]))
    event.record_id = number_of_text(first(get, KEYS["record_id"]) or "")
    event.channel = first(get, KEYS["channel"])
    event.computer = first(get, KEYS["computer"])
    event.provider = first(get, KEYS["provider"])
    event.guid = first(get, KEYS["guid"])
    return event


# -- layouts -----------------------------------------------------------------------------------------------------


def _dump(item: Object) -> Event:
    system = item["System"]
    event = Event(
        provider=attribute(system, "Provider", "Name") or None,
        guid=attribute(system, "Provider", "Guid"),
        event_id=eventelement.event_id(scalar(system.get("EventID"))),
        version=eventelement.version(scalar(system.get("Version"))),
        record_id=number_of_text(scalar(system.get("EventRecordID")) or ""),
        time=eventtime.parse(attribute(system, "TimeCreated", "SystemTime") or ""),
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
    _moved(event, item.get("process"))
    return _timed(event, item, "@timestamp")


def _moved(event: Event, process: object) -> None:
    """Take back what was renamed to the fields of the common schema, where the event itself does not have it."""
    wanted = _MOVED.get((provider_of(event.provider, event.guid) or "", event.event_id), ())
    if not wanted or not isinstance(process, dict):
        return
    own = {name.lower() for name, _ in event.fields}
    parent = process.get("parent")
    places = {"": process, "parent": parent if isinstance(parent, dict) else {}}
    for name, key in wanted:
        where, _, last = key.rpartition(".")
        if name.lower() not in own and (text := scalar(places[where].get(last))) is not None:
            event.fields.append((name, text))


def _flat(item: Object) -> Event:
    event = _system(Event(), item)
    named = item.get("ProviderName")
    if event.provider == named and isinstance(named, str):
        # elsewhere it is a field of the event: the maker of a filter
        event.provider = named if named.lower() in KNOWN_PROVIDERS else None
    data = item.get("EventData")
    payload = item.get("Payload")
    if isinstance(payload, str) and "EventData" not in item:
        inner = loaded(payload)
        for part in ("EventData", "UserData"):
            if isinstance(inner, dict) and isinstance(inner.get(part), dict):
                _take(event, inner[part], part)
    elif isinstance(data, dict):
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
    text = first(item, keys)
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
    stamp, received = (eventtime.parse(first(item, (key,)) or "") for key in ("@timestamp", "EventReceivedTime"))
    if stamp is None or not stamp.zoned:
        return None
    if received is not None and not received.zoned:
        return eventtime.zone(received, stamp, LATE)
    return eventtime.zone(time, stamp, LATE)
