"""One small sound file of every kind that is read, each with texts that evidence may fill with anything.

A builder takes one text per item, to be put where evidence has names. Binary logs, states and the
forms of ``samples`` come from the writers there.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from samples import lists
from samples.eventxml import Culture, moment, write_events
from samples.evtxwriter import Record
from samples.evtxwriter.values import filetime
from samples.neteventswriter import NetEvent, write_cab, write_netevents, write_wfpdiag
from samples.zipwriter import write_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMPUTER: Final = "WS-DEMO-91"
AUDITING: Final = "Microsoft-Windows-Security-Auditing"
PLAIN: Final = "plain"
START: Final = dt.datetime(2026, 3, 10, 8, 30, tzinfo=dt.UTC)
CULTURE: Final = Culture(
    "en-US", "Security", "Information", ("Audit Success", "Audit Failure"), {12810: "x"}, {5157: "x"}
)
SUFFIX: Final = "-69AE-11D9-BED3-505054503030}"
SUBCATEGORIES: Final = ("0CCE9225", "0CCE9226", "0CCE9233", "0CCE9234", "0CCE922B", "0CCE922C", "0CCE922F", "0CCE9210")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of input: the name of such a file, how it is made, and what the case says that it is."""

    name: str
    make: Callable[[Sequence[str]], bytes]
    told: str  # `kind` in inputs[]
    encoding: str | None = "utf-8"  # None: binary
    xml: bool = False
    items: int = 6  # that a test writes
    more: int = 0  # records that stand there besides


def records(texts: Sequence[str]) -> list[Record]:
    """Return blocked connections, of programs of these names."""
    out = []
    for number, text in enumerate(texts):
        fields = {
            "ProcessID": 4242,
            "Application": f"\\device\\harddiskvolume3\\{text}",
            "Direction": "%%14593",
            "SourceAddress": "192.0.2.10",
            "SourcePort": str(50_000 + number),
            "DestAddress": "198.51.100.7",
            "DestPort": "443",
            "Protocol": 6,
            "FilterRTID": 70_001,
            "LayerName": "%%14611",
            "LayerRTID": 48,
        }
        time = START + dt.timedelta(seconds=number)
        out.append(Record(5157, 0, time, 1000 + number, COMPUTER, fields))
    return out


def net_events(texts: Sequence[str], first: int = 0) -> list[NetEvent]:
    """Return net events of blocked connections, of programs of these names; ``first`` is the first one's number."""
    return [
        NetEvent(
            f"2026-03-10T08:{30 + number // 60:02d}:{number % 60:02d}.000Z",
            local_port=50_000 + number,
            application=f"\\device\\harddiskvolume3\\{text}",
            origin=escape(text),
        )
        for number, text in enumerate(texts, first)
    ]


def event_xml(texts: Sequence[str]) -> bytes:
    return write_events(records(texts), CULTURE)


def _fields(record: Record) -> dict[str, str]:
    return {name: str(value) for name, value in record.fields.items()}


def winlogbeat(texts: Sequence[str]) -> bytes:
    """Return JSON lines as Winlogbeat writes them."""
    return _lines(
        {
            "@timestamp": moment(filetime(record.time)),
            "winlog": {
                "channel": "Security",
                "computer_name": record.computer,
                "event_data": _fields(record),
                "event_id": str(record.event_id),
                "provider_name": AUDITING,
                "record_id": str(record.record_id),
                "version": record.version,
            },
        }
        for record in records(texts)
    )


def nxlog(texts: Sequence[str]) -> bytes:
    """Return JSON lines as NXLog writes them: the layout of the public data sets."""
    return _lines(
        {
            "EventTime": moment(filetime(record.time)),
            "Hostname": record.computer,
            "EventID": record.event_id,
            "SourceName": AUDITING,
            "Version": record.version,
            "RecordNumber": record.record_id,
            "Channel": "Security",
            **_fields(record),
            "SourceModuleType": "im_msvistalog",
        }
        for record in records(texts)
    )


def _lines(items: Any) -> bytes:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items).encode("utf-8", "surrogatepass")


def tasklist(texts: Sequence[str]) -> bytes:
    rows: list[tuple[str, int, tuple[str, ...]]] = [("System", 4, ())]
    rows += [("svchost.exe", 1000 + number, (f"{text}{number}",)) for number, text in enumerate(texts)]
    return lists.tasklist(("Image Name", "PID", "Services"), "N/A", rows, encoding="utf-8")


def queryex(texts: Sequence[str]) -> bytes:
    """Return ``sc queryex``."""
    blocks = []
    for number, text in enumerate(texts):
        blocks.append(
            f"\r\nSERVICE_NAME: {text}{number}\r\nDISPLAY_NAME: A service\r\n"
            "        TYPE               : 30  WIN32\r\n"
            "        STATE              : 4  RUNNING\r\n"
            "        WIN32_EXIT_CODE    : 0  (0x0)\r\n"
            "        SERVICE_EXIT_CODE  : 0  (0x0)\r\n"
            "        CHECKPOINT         : 0x0\r\n"
            "        WAIT_HINT          : 0x0\r\n"
            f"        PID                : {1000 + number}\r\n"
            "        FLAGS              :\r\n"
        )
    return "".join(blocks).encode()


def win32_json(texts: Sequence[str]) -> bytes:
    command = "C:\\Windows\\System32\\svchost.exe -k netsvcs -p"
    hosted = [lists.Hosted(f"{text}{n}", "A service", 1000 + n, command, "LocalSystem") for n, text in enumerate(texts)]
    return lists.services_json(COMPUTER, hosted)


def win32_csv(texts: Sequence[str]) -> bytes:
    rows = ['"Name","ProcessId","PathName","StartName","State"']
    for number, text in enumerate(texts):
        cell = f"{text}{number}".replace('"', '""')
        rows.append(f'"{cell}","{1000 + number}","C:\\Windows\\System32\\svchost.exe","LocalSystem","Running"')
    return ("\r\n".join(rows) + "\r\n").encode("utf-8", "surrogatepass")


_AUDIT: Final = (
    "Machine Name",
    "Policy Target",
    "Subcategory",
    "Subcategory GUID",
    "Inclusion Setting",
    "Exclusion Setting",
)


def auditpol_get(texts: Sequence[str]) -> bytes:
    rows = [(text, SUBCATEGORIES[n % len(SUBCATEGORIES)], "Success and Failure") for n, text in enumerate(texts)]
    return lists.audit_policy(_AUDIT, COMPUTER, rows, target="System", encoding="utf-8")


def auditpol_backup(texts: Sequence[str]) -> bytes:
    return _audit_csv(COMPUTER, texts)


def audit_csv(texts: Sequence[str]) -> bytes:
    """Return Group Policy's ``audit.csv``, which names no computer."""
    return _audit_csv("", texts)


def _audit_csv(computer: str, texts: Sequence[str]) -> bytes:
    lines = [",".join((*_AUDIT, "Setting Value"))]
    for number, text in enumerate(texts):
        guid = "{" + SUBCATEGORIES[number % len(SUBCATEGORIES)] + SUFFIX
        lines.append(f"{computer},System,{text},{guid},Failure,,2")
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "surrogatepass")


def registry(texts: Sequence[str]) -> bytes:
    rules: dict[str, str | int] = {
        f"{{5C0FFEE5-2B1A-4D8C-9E44-{number:012d}}}": (
            f"v2.31|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|App=C:\\a.exe|Name={text}|"
        )
        for number, text in enumerate(texts)
    }
    return lists.registry({"": {"PolicyVersion": 0x21F}, "\\FirewallRules": rules})


def _net_rules(texts: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "Name": f"{{5C0FFEE5-2B1A-4D8C-9E44-{number:012d}}}",
            "DisplayName": text,
            "Enabled": 1,
            "Profile": 0,
            "Direction": 2,
            "Action": 2,
            "PolicyStoreSource": "PersistentStore",
            "PolicyStoreSourceType": 1,
            "InstanceID": f"{{5C0FFEE5-2B1A-4D8C-9E44-{number:012d}}}",
        }
        for number, text in enumerate(texts)
    ]


def net_rules_json(texts: Sequence[str]) -> bytes:
    """Return ``Get-NetFirewallRule | ConvertTo-Json``."""
    return (json.dumps(_net_rules(texts), indent=4).replace("\n", "\r\n") + "\r\n").encode()


def net_rules_csv(texts: Sequence[str]) -> bytes:
    """Return ``Get-NetFirewallRule | Export-Csv``."""
    rows = _net_rules(texts)
    cells = [list(_net_rules([PLAIN])[0]), *([str(value) for value in row.values()] for row in rows)]
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in cells]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "surrogatepass")


def cabinet(texts: Sequence[str]) -> bytes:
    return write_cab({"wfpdiag.xml": write_wfpdiag(net_events(texts))})


def archive(texts: Sequence[str]) -> bytes:
    """Return a zip of three files of net events."""
    third = -(-len(texts) // 3)
    parts = [net_events(texts[at : at + third], at) for at in range(0, len(texts), third)]
    return zipped({f"netevents-{number}.xml": write_netevents(part) for number, part in enumerate(parts, 1)})


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a zip; the writer of the samples packs slowly, so large members are left to Python's own."""
    if sum(map(len, members.values())) < 1 << 20:
        return write_zip(members)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return stream.getvalue()


KINDS: Final[dict[str, Kind]] = {
    "net events": Kind("netevents.xml", lambda texts: write_netevents(net_events(texts)), "netevents", xml=True),
    "capture": Kind("wfpdiag.xml", lambda texts: write_wfpdiag(net_events(texts)), "wfpdiag", xml=True),
    "cabinet": Kind("wfpdiag.cab", cabinet, "cab", encoding=None, items=120),
    "event XML": Kind("events.xml", event_xml, "eventxml", xml=True),
    "Winlogbeat": Kind("winlogbeat.jsonl", winlogbeat, "eventjson"),
    "NXLog": Kind("nxlog.jsonl", nxlog, "eventjson"),
    "tasklist": Kind("tasklist.csv", tasklist, "services", more=1),
    "sc queryex": Kind("services.txt", queryex, "services"),
    "Win32_Service CSV": Kind("services.csv", win32_csv, "services"),
    "Win32_Service JSON": Kind("services.json", win32_json, "services", encoding="utf-16"),
    "auditpol get": Kind("auditpol.csv", auditpol_get, "audit-policy"),
    "auditpol backup": Kind("backup.csv", auditpol_backup, "audit-policy"),
    "audit.csv": Kind("audit.csv", audit_csv, "audit-policy"),
    "registry": Kind("firewall.reg", registry, "rules", encoding="utf-16"),
    "rules JSON": Kind("rules.json", net_rules_json, "rules"),
    "rules CSV": Kind("rules.csv", net_rules_csv, "rules"),
    "zip": Kind("ticket.zip", archive, "zip", encoding=None),
}
