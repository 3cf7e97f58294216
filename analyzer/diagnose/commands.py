"""Ready commands from evidence, or none: text from a log goes into a command only if it cannot mean anything else.

PowerShell ends a single-quoted text at several typographic quotes too, and firewall cmdlets expand ``%``: so only
plain path characters are let through, and everything else gets no command at all, and the reason is told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer import cells
from analyzer.diagnose.svchost import is_svchost
from analyzer.wfp import protocols
from analyzer.wording import plural, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    # The number of the volume that holds Windows on a computer, where it is known.
    VolumeOf = Callable[[str | None], str | None]

MOST: Final = 6
MOST_PORTS: Final = 20  # of one rule
_PLAIN: Final = re.compile(r"[A-Za-z0-9_ .:()+,=@#~{}\[\]&!\\-]+")
_DEVICE: Final = re.compile(r"\\device\\harddiskvolume(\d+)(\\.+)", re.IGNORECASE)
# What stands below the volume that holds Windows, by the usual variables.
_PLACES: Final = (
    ("\\windows\\", "%SystemRoot%\\"),
    ("\\program files (x86)\\", "%ProgramFiles(x86)%\\"),
    ("\\program files\\", "%ProgramFiles%\\"),
    ("\\programdata\\", "%ProgramData%\\"),
)


class Built(NamedTuple):
    """Commands, and a sentence for each reason why something got none."""

    commands: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


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
    return volume_of_paths(events["application"].dropna().unique())


def volume_of_paths(paths: Iterable[object]) -> str | None:
    """Return the number of the volume that holds Windows, if all device paths agree on one."""
    numbers = set()
    for path in paths:
        found = _DEVICE.fullmatch(str(path))
        if found and found.group(2).lower().startswith("\\windows\\system32\\"):
            numbers.add(found.group(1))
    return numbers.pop() if len(numbers) == 1 else None


def allow_program(part: pd.DataFrame, volume_of: VolumeOf) -> Built:
    """Write an allow rule for each blocked program, limited to the protocols and ports that were seen."""
    out: list[str] = []
    left: dict[str, list[str]] = {}
    for application, rows in part.groupby(part["application"].astype("object"), sort=False):
        base = str(application).rpartition("\\")[2]
        volume = volume_of(cells.text(rows["computer"].iloc[0]))
        path = None if is_svchost(application) else dos_path(str(application), volume)
        if path is None:
            left.setdefault(_no_path(str(application)), []).append(base)
            continue
        for protocol, same in rows.groupby("protocol", dropna=False):
            name = {protocols.TCP: "TCP", protocols.UDP: "UDP"}.get(cells.number(protocol) or 0)
            ports = sorted({int(p) for p in same["remote_port"].dropna().unique()})
            why = _no_ports(cells.number(protocol), name, len(ports))
            if why is not None:
                left.setdefault(why, []).append(base)
            elif len(out) >= MOST:
                left.setdefault(f"commands are given for the first {MOST} only", []).append(base)
            else:
                out.append(
                    f"New-NetFirewallRule -DisplayName 'Allow {base} {name} outbound' -Direction Outbound "
                    f"-Action Allow -Program '{path}' -Protocol {name} -RemotePort {','.join(map(str, ports))}"
                )
    unnamed = int(part["application"].isna().sum())
    said = [f"No ready command for {shortened([*dict.fromkeys(names)])}: {why}." for why, names in left.items()]
    if unnamed:
        said.append(f"No ready command for {plural(unnamed, 'block')}: no program is named.")
    return Built(tuple(out), tuple(said))


def _no_path(application: str) -> str:
    """Say why a program gets no command."""
    found = _DEVICE.fullmatch(application)
    if found is None:
        return "what is recorded of it is no path on a volume"
    if not plain(application):
        return "its path holds characters that do not belong into a command, or is too long"
    return f"these files do not tell the drive letter of {application[: found.start(2)]}"


def _no_ports(protocol: int | None, name: str | None, ports: int) -> str | None:
    """Say why a program's traffic of one protocol gets no command, or None where it gets one."""
    if name is None:
        told = protocols.protocol_name(protocol) or "of no known protocol"
        return f"a rule with ports needs TCP or UDP, and this was {told}"
    if not ports:
        return "no remote port is recorded"
    if ports > MOST_PORTS:
        return f"it used {ports:,} remote ports, too many to list in one rule"
    return None


def show_rules(part: pd.DataFrame, _volume_of: VolumeOf) -> Built:
    """Write the look-up of each rule that the events' origins name."""
    ids = [rule for rule in (cells.text(o) for o in part["rule_id"].dropna().unique()) if rule]
    good = [rule for rule in ids if plain(rule)]
    left = []
    if len(good) < len(ids):
        many = plural(len(ids) - len(good), "rule")
        left.append(f"No ready command for {many}: the id holds characters that do not belong into a command.")
    if len(good) > MOST:
        left.append(f"Commands are given for the first {MOST} of {len(good):,} rules.")
    return Built(
        tuple(
            f"Get-NetFirewallRule -PolicyStore ActiveStore -Name '{rule}' | Format-List "
            f"Name,DisplayName,PolicyStoreSource,Enabled,Action"
            for rule in good[:MOST]
        ),
        tuple(left),
    )


def loopback_exempt(_part: pd.DataFrame, _volume_of: VolumeOf) -> Built:
    """Write the command that lists exemptions; the package is not recorded, so none can be added from here."""
    return Built(("CheckNetIsolation.exe LoopbackExempt -s",))


BUILDERS: Final[Mapping[str, Callable[[pd.DataFrame, VolumeOf], Built]]] = {
    "allow_program": allow_program,
    "show_rules": show_rules,
    "loopback_exempt": loopback_exempt,
}
