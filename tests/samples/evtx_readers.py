"""Three readers that this project did not write, each to the same rows: System values and fields as text."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import evtx
import pyevtx
from Evtx.Evtx import Evtx
from lxml import etree

NS = "{http://schemas.microsoft.com/win/2004/08/events/event}"


@dataclass(frozen=True)
class Row:
    """One record as a reader shows it. ``time`` is in nanoseconds since 1970."""

    time: int
    record_id: int
    system: dict[str, str]
    fields: dict[str, str]


def nanoseconds(text: str) -> int:
    """Read ``2026-03-10T08:31:00.1234567Z`` or ``2026-03-10 08:31:00.123456+00:00``."""
    whole, fraction = re.fullmatch(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00:00)", text).groups()
    seconds = dt.datetime.fromisoformat(whole.replace(" ", "T")).replace(tzinfo=dt.UTC).timestamp()
    return int(seconds) * 10**9 + int((fraction or "0").ljust(9, "0"))


def row_of(xml: str) -> Row:
    root = etree.fromstring(re.sub(r"^<\?xml[^>]*\?>", "", xml).encode())
    system = root.find(f"{NS}System")
    provider, created = system.find(f"{NS}Provider"), system.find(f"{NS}TimeCreated")
    values = {tag: (system.findtext(f"{NS}{tag}") or "") for tag in ("EventID", "Version", "Level", "Task", "Opcode")}
    values |= {tag: (system.findtext(f"{NS}{tag}") or "") for tag in ("Keywords", "Channel", "Computer")}
    execution, correlation = system.find(f"{NS}Execution"), system.find(f"{NS}Correlation")
    values |= {
        "Provider": provider.get("Name"),
        "Guid": provider.get("Guid").strip("{}").lower(),
        "ProcessID": execution.get("ProcessID"),
        "ThreadID": execution.get("ThreadID"),
        "ActivityID": (correlation.get("ActivityID") or "").strip("{}").lower(),
    }
    data = root.find(f"{NS}EventData")
    if data is not None:
        fields = {item.get("Name"): item.text or "" for item in data}
    else:
        fields = {etree.QName(item).localname: item.text or "" for item in root.find(f"{NS}UserData")[0]}
    return Row(nanoseconds(created.get("SystemTime")), int(system.findtext(f"{NS}EventRecordID")), values, fields)


def python_evtx(path) -> list[Row]:
    with Evtx(str(path)) as log:
        return [row_of(record.xml()) for chunk in log.chunks() for record in chunk.records()]


def evtx_wheel(path) -> list[Row]:
    return [row_of(record["data"]) for record in evtx.PyEvtxParser(str(path)).records()]


def libevtx(path) -> list[Row]:
    log = pyevtx.file()
    log.open(str(path))
    try:
        assert not log.is_corrupted()
        assert log.number_of_recovered_records == 0
        return [row_of(log.get_record(index).get_xml_string()) for index in range(log.number_of_records)]
    finally:
        log.close()


# Nanoseconds by which a reader's time may be off: two of them cut or round FILETIME to microseconds.
READERS = {"python-evtx": (python_evtx, 1000), "evtx wheel": (evtx_wheel, 1000), "libevtx": (libevtx, 0)}
