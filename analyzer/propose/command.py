"""Rules as PowerShell commands, safely: a text that could mean anything else than itself gets no command at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from analyzer.diagnose.commands import dos_path, plain
from analyzer.wfp import protocols

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.proposalmodel import RuleSpec

SVCHOST: Final = "%SystemRoot%\\System32\\svchost.exe"
PROTOCOLS: Final[dict[int, str]] = {
    protocols.TCP: "TCP",
    protocols.UDP: "UDP",
    protocols.ICMP: "ICMPv4",
    protocols.ICMPV6: "ICMPv6",
}
_DIRECTIONS: Final = {"inbound": "Inbound", "outbound": "Outbound"}
_ACTIONS: Final = {"allow": "Allow", "block": "Block"}
_SDDL: Final = re.compile(r"[A-Za-z0-9:;()\-]+")
_VALUE: Final = re.compile(r"[A-Za-z0-9.:/\-]+")


class UnsafeError(ValueError):
    """A rule can't be written as a command; the message says why."""


def command(rule: RuleSpec, system_volume: str | None) -> str:
    """Return the command that makes the rule.

    Parameters
    ----------
    system_volume : the number of the volume that holds Windows, where it is known: device paths have no drive letter.

    Raises
    ------
    UnsafeError
        A text is not plain, or the drive letter is not known.
    """
    if not plain(rule.name):
        raise UnsafeError("its name holds characters that a command could take for something else")
    parts = ["New-NetFirewallRule", "-DisplayName", f"'{rule.name}'"]
    parts += ["-Direction", _DIRECTIONS[rule.direction], "-Action", _ACTIONS[rule.action]]
    if rule.program is not None:
        parts += ["-Program", f"'{_program(rule.program, system_volume)}'"]
    if rule.service is not None:
        if not plain(rule.service):
            raise UnsafeError("the service's name holds characters that a command could take for something else")
        parts += ["-Service", f"'{rule.service}'"]
    if rule.protocol is not None:
        parts += ["-Protocol", PROTOCOLS.get(rule.protocol, str(rule.protocol))]
    for option, values in (
        ("-IcmpType", rule.icmp),
        ("-LocalPort", rule.local_ports),
        ("-RemotePort", rule.remote_ports),
        ("-LocalAddress", rule.local_addresses),
        ("-RemoteAddress", rule.remote_addresses),
    ):
        if values:
            parts += [option, _list(values)]
    if rule.profiles:
        parts += ["-Profile", ",".join(name.capitalize() for name in rule.profiles)]
    if rule.local_user is not None:
        if not _SDDL.fullmatch(rule.local_user):
            raise UnsafeError("the users are no plain SDDL")
        parts += ["-LocalUser", f"'{rule.local_user}'"]
    return " ".join(parts)


def _program(path: str, system_volume: str | None) -> str:
    if path.casefold() == "system":
        return "System"
    found = dos_path(path, system_volume)
    if found is None:
        raise UnsafeError(
            "its path holds characters that a command could take for something else"
            if not plain(path)
            else "no file tells the drive letter of its volume"
        )
    return SVCHOST if found.casefold() == SVCHOST.casefold() else found


def _list(values: Iterable[str]) -> str:
    """Return a list of ports, addresses or types; each in quotes, since ``8:0`` and ``fe80::1`` mean more unquoted."""
    shown = list(values)
    if not all(_VALUE.fullmatch(value) for value in shown):
        raise UnsafeError("a port or an address is written in a way that a command could take for something else")
    return ",".join(value if value.isdigit() else f"'{value}'" for value in shown)


# What the usual variables stand for below the volume that holds Windows.
_VARIABLES: Final[dict[str, str]] = {
    "%systemroot%": "\\windows",
    "%windir%": "\\windows",
    "%programfiles%": "\\program files",
    "%programfiles(x86)%": "\\program files (x86)",
    "%programdata%": "\\programdata",
    "%systemdrive%": "",
}


def below_drive(path: str) -> str:
    """Return a DOS path without its drive, lower case, usual variables resolved: as device paths end."""
    lower = path.lower()
    for name, folder in _VARIABLES.items():
        if lower.startswith(name):
            return folder + lower[len(name) :]
    rest = lower[2:] if lower[1:2] == ":" else lower
    return "\\" + rest.lstrip("\\")
