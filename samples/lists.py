"""Writes what Windows' own tools print beside log and state: ``tasklist``, services, audit policy, registry export."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POLICY: Final = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"


@dataclass(frozen=True, slots=True)
class Hosted:
    """A service as ``Win32_Service`` shows it; ``process_id`` 0 is one that does not run."""

    name: str
    display: str
    process_id: int
    command: str
    account: str
    shared: bool = True


def csv(rows: Sequence[Sequence[str]], *, quoted: bool) -> str:
    """Return comma-separated lines; ``quoted`` as ``tasklist`` does, else as ``auditpol`` does."""
    cells = [[f'"{cell}"' if quoted else cell for cell in row] for row in rows]
    return "".join(",".join(row) + "\r\n" for row in cells)


def tasklist(
    header: Sequence[str], none: str, processes: Sequence[tuple[str, int, Sequence[str]]], *, encoding: str = "ascii"
) -> bytes:
    """Return ``tasklist /svc /fo csv``: program, process id, services; ``none`` is the word for no services."""
    rows = [[name, str(number), ",".join(services) or none] for name, number, services in processes]
    return csv([header, *rows], quoted=True).encode(encoding)


def services_json(computer: str, services: Sequence[Hosted]) -> bytes:
    """Return ``Get-CimInstance Win32_Service | Select-Object ... | ConvertTo-Json`` as Windows PowerShell saves it."""
    rows = [
        {
            "Name": item.name,
            "DisplayName": item.display,
            "ProcessId": item.process_id,
            "PathName": item.command,
            "StartName": item.account,
            "State": "Running" if item.process_id else "Stopped",
            "ServiceType": "Share Process" if item.shared else "Own Process",
            "SystemName": computer,
        }
        for item in services
    ]
    return (json.dumps(rows, indent=4).replace("\n", "\r\n") + "\r\n").encode("utf-16")


def audit_policy(
    header: Sequence[str], computer: str, rows: Sequence[tuple[str, str, str]], *, target: str, encoding: str = "ascii"
) -> bytes:
    """Return ``auditpol /get /category:* /r``: subcategory, first part of its GUID, setting in words."""
    tail = "-69AE-11D9-BED3-505054503030}"
    lines = [[computer, target, name, "{" + key + tail, setting, ""] for name, key, setting in rows]
    return ("\r\n" + csv([header, *lines], quoted=False)).encode(encoding)


def registry(keys: Mapping[str, Mapping[str, str | int]]) -> bytes:
    """Return a registry export: values of each key below the firewall's policy, texts and 32-bit numbers."""
    lines = ["Windows Registry Editor Version 5.00", ""]
    for key, values in keys.items():
        lines.append(f"[{POLICY}{key}]")
        for name, value in values.items():
            data = f"dword:{value:08x}" if isinstance(value, int) else _quoted(value)
            lines.append(f"{_quoted(name)}={data}")
        lines.append("")
    return ("\r\n".join(lines) + "\r\n").encode("utf-16")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
