"""Ready commands from evidence, or none: text from a log goes into a command only if it cannot mean anything else.

PowerShell ends a single-quoted text at several typographic quotes too, and firewall cmdlets expand ``%``: so only
plain path characters are let through, and everything else gets no command at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from analyzer import cells
from analyzer.diagnose.svchost import is_svchost
from analyzer.wfp import protocols

if TYPE_CHECKING:
    import pandas as pd

MOST: Final = 6
_PLAIN: Final = re.compile(r"[A-Za-z0-9_ .:()+,=@#~{}\[\]&!\\-]+")
_DEVICE: Final = re.compile(r"\\device\\harddiskvolume(\d+)(\\.+)", re.IGNORECASE)
# What stands below the volume that holds Windows, by the usual variables.
_PLACES: Final = (
    ("\\windows\\", "%SystemRoot%\\"),
    ("\\program files (x86)\\", "%ProgramFiles(x86)%\\"),
    ("\\program files\\", "%ProgramFiles%\\"),
    ("\\programdata\\", "%ProgramData%\\"),
)


def plain(text: str) -> bool:
    """Tell whether a text may stand inside single quotes of a command."""
    return bool(_PLAIN.fullmatch(text)) and len(text) <= 260


def dos_path(device_path: str, system_volume: str | None) -> str | None:
    """Turn a device path into one that the firewall cmdlets take, or None where the drive letter is not known."""
    found = _DEVICE.fullmatch(device_path)
    if not found or not plain(device_path) or found.group(1) != system_volume:
        return None
    rest = found.group(2)
    for start, variable in _PLACES:
        if rest.lower().startswith(start):
            return variable + rest[len(start) :]
    return "%SystemDrive%" + rest


def system_volume(events: pd.DataFrame) -> str | None:
    """Return the number of the volume that holds Windows, if all events agree on one."""
    numbers = set()
    for path in events["application"].dropna().unique():
        found = _DEVICE.fullmatch(str(path))
        if found and found.group(2).lower().startswith("\\windows\\system32\\"):
            numbers.add(found.group(1))
    return numbers.pop() if len(numbers) == 1 else None


def allow_program(part: pd.DataFrame, everything: pd.DataFrame) -> tuple[str, ...]:
    """Write an allow rule for each blocked program, limited to the protocols and ports that were seen."""
    out: list[str] = []
    seen = everything[["computer", "application"]].drop_duplicates()
    volumes = {name: system_volume(rows) for name, rows in seen.groupby("computer", observed=True)}
    for application, rows in part.groupby(part["application"].astype("object"), sort=False):
        if len(out) >= MOST:
            break
        volume = volumes.get(rows["computer"].iloc[0])
        path = None if is_svchost(application) else dos_path(str(application), volume)
        if path is None:
            continue
        for protocol, same in rows.groupby("protocol"):
            number = cells.number(protocol)
            name = {protocols.TCP: "TCP", protocols.UDP: "UDP"}.get(number or 0)
            ports = sorted({int(p) for p in same["remote_port"].dropna().unique()})
            if name is None or not ports or len(ports) > 20:
                continue
            base = path.rpartition("\\")[2]
            out.append(
                f"New-NetFirewallRule -DisplayName 'Allow {base} {name} outbound' -Direction Outbound -Action Allow "
                f"-Program '{path}' -Protocol {name} -RemotePort {','.join(map(str, ports))}"
            )
    return tuple(out[:MOST])


def show_rules(part: pd.DataFrame, _everything: pd.DataFrame) -> tuple[str, ...]:
    """Write the look-up of each rule that the events' origins name."""
    ids = [cells.text(o) for o in part["rule_id"].dropna().unique()]
    return tuple(
        f"Get-NetFirewallRule -PolicyStore ActiveStore -Name '{rule}' | Format-List "
        f"Name,DisplayName,PolicyStoreSource,Enabled,Action"
        for rule in ids
        if rule and plain(rule)
    )[:MOST]


def loopback_exempt(_part: pd.DataFrame, _everything: pd.DataFrame) -> tuple[str, ...]:
    """Write the command that lists exemptions; the package is not recorded, so none can be added from here."""
    return ("CheckNetIsolation.exe LoopbackExempt -s",)


BUILDERS: Final = {"allow_program": allow_program, "show_rules": show_rules, "loopback_exempt": loopback_exempt}
