"""Small made-up states and rule stores for comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples import background, lists
from samples.machine import Machine
from samples.statewriter import write_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOST = "WS-DEMO-77"
USER = "S-1-5-21-3141592653-2718281828-1414213562-1077"
PROGRAM = "\\device\\harddiskvolume3\\program files\\example notes\\notesync.exe"
ALLOW_ID = "{5C0FFEE5-2B1A-4D8C-9E44-00000000A110}"
BLOCK_ID = "{5C0FFEE5-2B1A-4D8C-9E44-00000000B10C}"
PUBLIC, PRIVATE = 1, 2
PROFILE_KEYS = ("\\DomainProfile", "\\PublicProfile", "\\StandardProfile")


def state(
    path: Path,
    edit: Callable[[Machine], object] = lambda machine: None,
    *,
    seed: str = "one",
    profile: int = PUBLIC,
    host: str = HOST,
    blocking: bool = True,
    time: str = "2026-05-05T10:00:00.000Z",
) -> Path:
    """A state of a machine whose outbound default blocks, with what ``edit`` adds."""
    machine = Machine(seed, windows11=True, first_id=66_000 + len(seed) * 1000)
    background.furniture(machine, host, USER)
    background.query_user(machine, profile)
    background.default_outbound(machine, profile, block=blocking)
    edit(machine)
    path.write_bytes(write_state(machine.state(time)))
    return path


def rule(**fields: str | tuple[str, ...]) -> str:
    """A rule in the registry's grammar: ``Action=Allow`` and so on; several values for several ports."""
    parts = {"Action": "Allow", "Active": "TRUE", "Dir": "Out", "Protocol": "6", "Name": "Example Notes"} | fields
    pairs = [(key, value) for key, found in parts.items() for value in ((found,) if isinstance(found, str) else found)]
    return "v2.31|" + "".join(f"{key}={value}|" for key, value in pairs)


def store(path: Path, rules: dict[str, str], *, outbound: int = 1, firewall: int = 1) -> Path:
    """``reg export`` of a firewall policy; outbound 1 blocks by default."""
    settings: dict[str, str | int] = {
        "EnableFirewall": firewall,
        "DefaultInboundAction": 1,
        "DefaultOutboundAction": outbound,
    }
    keys: dict[str, dict[str, str | int]] = {"": {"PolicyVersion": 0x21F}, **dict.fromkeys(PROFILE_KEYS, settings)}
    path.write_bytes(lists.registry(keys | {"\\FirewallRules": dict(rules)}))
    return path
