"""Read lists of services and of the processes that host them: who a process was *when the list was taken*.

Three sources: ``tasklist /svc`` (CSV or table), ``sc queryex`` and ``Win32_Service`` (``Export-Csv``,
``wmic /format:csv``, ``ConvertTo-Json``). Headers and labels of the first two are localized, so they are read by
structure and position; property names of the third are not (REFERENCE 5.6). None of them says when it was taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from analyzer import frames
from analyzer.readers import plaintext, servicetext, tables
from analyzer.readers.stateproblems import Problems

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from analyzer.model import Problem
    from analyzer.readers.servicetext import Found

ServiceListKind = Literal["tasklist", "sc", "win32-service", "unknown"]

# Win32_Process has Name and ProcessId as well; these it has not.
_NEEDED: Final = frozenset({"name", "processid"})
_TELLING: Final = frozenset({"pathname", "startname", "startmode", "servicetype", "state", "started"})
_SERVICE_TYPES: Final = {"own process": False, "share process": True}
_PROGRAM: Final = re.compile(r'\s*(?:"([^"]+)"|(.+?\.exe)(?=\s|$)|(\S+))', re.IGNORECASE)


@dataclass(frozen=True)
class ServiceList:
    """One list. ``services`` conforms to ``frames.SERVICES``.

    ``time`` is when the list was taken, in UTC; it is None because no format tells it, and stays a field so that a
    caller that knows better can set it.
    """

    kind: ServiceListKind
    services: pd.DataFrame = field(repr=False)
    problems: tuple[Problem, ...]
    time: pd.Timestamp | None = None


def sniff(head: str) -> bool:
    """Tell whether a text that begins like this is a list of services."""
    return _is_win32(tables.property_names(head)) or servicetext.is_sc(head) or servicetext.is_tasklist(head)


def _is_win32(names: frozenset[str]) -> bool:
    return names >= _NEEDED and not names.isdisjoint(_TELLING)


def read_services(path: Path, name: str) -> ServiceList:
    """Read one list; what could not be read is in ``problems``.

    Raises
    ------
    OSError
        when the file cannot be opened or read.
    """
    return read_services_bytes(plaintext.read(path), name)


def read_services_bytes(data: bytes, name: str) -> ServiceList:
    """Read a list from memory; see ``read_services``."""
    problems = Problems(name)
    text = plaintext.decode(data, problems)
    kind, found = _read(text, problems) if text is not None else ("unknown", [])
    if text is not None and kind == "unknown":
        problems.add("lost", None, "is no list of services (tasklist /svc, sc queryex, Win32_Service): nothing read")
    elif text is not None and not found:
        problems.add("note", None, "lists no service")
    return ServiceList(kind, tables.frame(found, frames.SERVICES, name), problems.result())


def _read(text: str, problems: Problems) -> tuple[ServiceListKind, list[Found]]:
    head = text[:65536]
    if _is_win32(tables.property_names(head)):
        records = tables.read_records(text, problems)
        return "win32-service", [row for record in records if (row := _win32(record, problems)) is not None]
    if servicetext.is_sc(head):
        return "sc", servicetext.read_sc(text, problems)
    if servicetext.is_tasklist(head):
        return "tasklist", servicetext.read_tasklist(text, problems)
    return "unknown", []


def _win32(record: tables.Record, problems: Problems) -> Found | None:
    get = record.fields.get
    name = tables.text_of(get("name"))
    place = f"line {record.line}"
    if name is None:
        problems.add("lost", place, "a row names no service: left out", group="rows without a name")
        return None
    pid = tables.number_of(get("processid"))
    if pid is None and tables.text_of(get("processid")) is not None:
        what = f"the process id of {name[:80]} is no number: left unknown"
        problems.add("doubtful", place, what, group="process ids that are no numbers")
    path = tables.text_of(get("pathname"))
    return {
        "line": record.line,
        "source": "service-list",
        "computer": tables.text_of(get("systemname") or get("node") or get("pscomputername")),
        "service": name,
        "display_name": tables.text_of(get("displayname")),
        "process_id": pid or None,  # 0: not running
        "image": program_name(path),
        "path": path,
        "account": tables.text_of(get("startname")),
        "shared": _SERVICE_TYPES.get((tables.text_of(get("servicetype")) or "").lower()),
        "state": _state(get("state")),
    }


def _state(value: Any) -> str | None:
    """Return WMI's word (``Start Pending``; or a number, by ConvertTo-Json of other classes) as the frame's."""
    number = tables.number_of(value)
    if number is not None:
        return servicetext.STATES.get(number)
    text = tables.text_of(value)
    return text.lower().replace(" ", "-") if text else None


def program_name(command_line: str | None) -> str | None:
    """Return the program's file name of a command line that may be quoted or not."""
    found = _PROGRAM.match(command_line or "")
    if found is None:
        return None
    program = found[1] or found[2] or found[3]
    return re.split(r"[\\/]", program)[-1] or None
