"""The same few events in every form that an export may have."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape, quoteattr

from analyzer.wfp.events import SECURITY_AUDITING

GUID = "{54849625-5478-4994-a5ba-3e3b0328c30d}"
SCHEMA = "http://schemas.microsoft.com/win/2004/08/events/event"
COMPUTER = "pc-one.example"


def event(number: int, event_id: int = 5157, **fields: str) -> dict:
    """Return an event: system fields, and the fields of a blocked connection that ``fields`` replace (None: none)."""
    data = {
        "ProcessID": "1234",
        "Application": r"\device\harddiskvolume3\windows\system32\svchost.exe",
        "Direction": "%%14593",
        "SourceAddress": "192.0.2.7",
        "SourcePort": str(50000 + number),
        "DestAddress": "2001:db8::1",
        "DestPort": "443",
        "Protocol": "6",
        "FilterOrigin": "Default Outbound",
        "FilterRTID": str(2**63 + number),
        "LayerName": "%%14611",
        "LayerRTID": "48",
        "RemoteUserID": "S-1-0-0",
        "RemoteMachineID": "S-1-0-0",
    } | fields
    return {
        "number": number,
        "event_id": event_id,
        "time": f"2026-03-10T08:31:{number % 60:02d}.0129417Z",
        "fields": {name: value for name, value in data.items() if value is not None},
    }


EVENTS = [event(number) for number in range(1, 6)]


def xml(item: dict, inside: str = "") -> str:
    """Return an event as Windows renders it."""
    data = "".join(f"<Data Name={quoteattr(name)}>{escape(value)}</Data>" for name, value in item["fields"].items())
    return (
        f"<Event xmlns='{SCHEMA}'><System><Provider Name='{SECURITY_AUDITING}' Guid='{GUID}'/>"
        f"<EventID>{item['event_id']}</EventID><Version>1</Version><Level>0</Level><Task>12810</Task><Opcode>0</Opcode>"
        f"<Keywords>0x8010000000000000</Keywords><TimeCreated SystemTime='{item['time']}'/>"
        f"<EventRecordID>{item['number']}</EventRecordID><Correlation/><Execution ProcessID='4' ThreadID='8'/>"
        f"<Channel>Security</Channel><Computer>{COMPUTER}</Computer><Security/></System>"
        f"<EventData>{data}</EventData>{inside}</Event>"
    )


RENDERED = (
    "<RenderingInfo Culture='de-DE'><Message>Die Windows-Filterplattform hat eine Verbindung blockiert.\r\n"
    "Richtung: Ausgehend</Message><Level>Informationen</Level><Task>Verbindung</Task><Opcode>Info</Opcode>"
    "<Channel>Sicherheit</Channel><Provider>Microsoft Windows security auditing.</Provider><Keywords><Keyword>"
    "Überwachung gescheitert</Keyword></Keywords></RenderingInfo>"
)


def dump(item: dict) -> dict:
    """Return an event as evtx_dump writes it."""
    return {
        "Event": {
            "#attributes": {"xmlns": SCHEMA},
            "System": {
                "Provider": {"#attributes": {"Name": SECURITY_AUDITING, "Guid": GUID[1:-1].upper()}},
                "EventID": item["event_id"],
                "Version": 1,
                "TimeCreated": {"#attributes": {"SystemTime": item["time"]}},
                "EventRecordID": item["number"],
                "Correlation": None,
                "Execution": {"#attributes": {"ProcessID": 4, "ThreadID": 8}},
                "Channel": "Security",
                "Computer": COMPUTER,
            },
            "EventData": {
                name: int(value) if value.isdigit() and not name.endswith("Port") else value
                for name, value in item["fields"].items()
            },
        }
    }


def separate(item: dict) -> dict:
    """Return an event as evtx_dump writes it with attributes apart."""
    out = dump(item)["Event"]
    system = out["System"]
    system["Provider_attributes"] = system.pop("Provider")["#attributes"]
    system["TimeCreated_attributes"] = system.pop("TimeCreated")["#attributes"]
    system["EventID"], system["EventID_attributes"] = system["EventID"], {"Qualifiers": 0}
    del out["#attributes"]
    return {"Event": out, "Event_attributes": {"xmlns": SCHEMA}}


def plain_xml(item: dict) -> dict:
    """Return an event as a plain converter of XML gives it."""
    out = dump(item)["Event"]
    return {
        "Event": {
            "@xmlns": SCHEMA,
            "System": {
                **out["System"],
                "Provider": {"@Name": SECURITY_AUDITING, "@Guid": GUID},
                "EventID": {"@Qualifiers": "", "#text": str(item["event_id"])},
                "TimeCreated": {"@SystemTime": item["time"]},
            },
            "EventData": {"Data": [{"@Name": name, "#text": value} for name, value in item["fields"].items()]},
        }
    }


def beat8(item: dict) -> dict:
    """Return an event as Winlogbeat 8 writes it."""
    return {
        "@timestamp": item["time"],
        "event": {"code": str(item["event_id"]), "kind": "event", "provider": SECURITY_AUDITING, "action": "x"},
        "host": {"name": "collector.example"},
        "log": {"level": "information"},
        "message": "The Windows Filtering Platform has blocked a connection.",
        "winlog": {
            "channel": "Security",
            "computer_name": COMPUTER,
            "event_data": dict(item["fields"]),
            "event_id": str(item["event_id"]),
            "process": {"pid": 4, "thread": {"id": 8}},
            "provider_guid": GUID,
            "provider_name": SECURITY_AUDITING,
            "record_id": str(item["number"]),
            "task": "Filtering Platform Connection",
            "version": 1,
        },
    }


def beat7(item: dict) -> dict:
    """Return an event as Winlogbeat 7 writes it: numbers as numbers."""
    out = beat8(item)
    out["winlog"] |= {"event_id": item["event_id"], "record_id": item["number"], "api": "wineventlog"}
    return out


def dotted(item: dict) -> dict:
    """Return an event of Winlogbeat with dotted keys."""
    out = {"@timestamp": item["time"]}
    for key, value in beat8(item)["winlog"].items():
        out |= (
            {f"winlog.{key}.{name}": v for name, v in value.items()}
            if isinstance(value, dict)
            else {f"winlog.{key}": value}
        )
    return out


def searched(item: dict) -> dict:
    """Return an event as a document of a search engine."""
    return {"_index": "winlogbeat", "_id": "x", "_source": beat7(item)}


def beat6(item: dict) -> dict:
    """Return an event as Winlogbeat 6 writes it."""
    return {
        "@timestamp": item["time"],
        "beat": {"name": "collector", "version": "6.5.4"},
        "computer_name": COMPUTER,
        "event_data": dict(item["fields"]),
        "event_id": item["event_id"],
        "host": {"name": "collector"},
        "log_name": "Security",
        "process_id": 4,
        "provider_guid": GUID.upper(),
        "record_number": str(item["number"]),
        "source_name": SECURITY_AUDITING,
        "thread_id": 8,
        "type": "wineventlog",
        "version": 1,
    }


def nxlog(item: dict) -> dict:
    """Return an event as NXLog writes it, its times with zone and fraction."""
    return {
        "EventTime": item["time"],
        "Hostname": COMPUTER,
        "Keywords": -9218868437227405312,
        "EventType": "AUDIT_FAILURE",
        "SeverityValue": 4,
        "EventID": item["event_id"],
        "SourceName": SECURITY_AUDITING,
        "ProviderGuid": GUID.upper(),
        "Version": 1,
        "Task": 12810,
        "OpcodeValue": 0,
        "RecordNumber": item["number"],
        "ExecutionProcessID": 4,
        "ThreadID": 8,
        "Channel": "Security",
        "Message": "The Windows Filtering Platform has blocked a connection.",
        **item["fields"],
        "EventReceivedTime": "2026-03-10T09:00:00Z",
        "SourceModuleName": "eventlog",
        "SourceModuleType": "im_msvistalog",
    }


def monitor(item: dict) -> dict:
    """Return an event as Azure Monitor keeps it: its fields as XML."""
    data = "".join(f'<Data Name="{name}">{escape(value)}</Data>\r\n' for name, value in item["fields"].items())
    return {
        "TenantId": "x",
        "TimeGenerated": item["time"],
        "Computer": COMPUTER,
        "EventSourceName": SECURITY_AUDITING,
        "Channel": "Security",
        "Task": 1,
        "EventData": f'<EventData xmlns="{SCHEMA}">\r\n{data}</EventData>',
        "EventID": item["event_id"],
        "Version": 1,
        "EventRecordId": str(item["number"]),
        "Type": "SecurityEvent",
    }


def wrapped(item: dict) -> dict:
    """Return a record of the ``evtx`` package, whose data is a text."""
    return {"event_record_id": item["number"], "timestamp": "x", "data": json.dumps(dump(item))}


def command_line_tool(item: dict) -> dict:
    """Return an event as EvtxECmd writes it: the fields as a text of JSON, beside what the writer of the record was."""
    data = {"Data": [{"@Name": name, "#text": value} for name, value in item["fields"].items()]}
    return {
        "PayloadData1": "Target: x",
        "MapDescription": "a connection was blocked",
        "ChunkNumber": 0,
        "Computer": COMPUTER,
        "Payload": json.dumps({"EventData": data}),
        "Channel": "Security",
        "Provider": SECURITY_AUDITING,
        "EventId": item["event_id"],
        "EventRecordId": str(item["number"]),
        "ProcessId": 4,
        "ThreadId": 8,
        "Level": "LogAlways",
        "Keywords": "Audit failure",
        "SourceFile": "C:\\x\\Security.evtx",
        "ExtraDataOffset": 0,
        "HiddenRecord": False,
        "TimeCreated": item["time"].replace("Z", "+00:00"),
        "RecordNumber": item["number"] + 70,
    }


LAYOUTS = {
    f.__name__: f for f in (dump, separate, plain_xml, beat8, beat7, dotted, searched, beat6, nxlog, monitor, wrapped)
}
