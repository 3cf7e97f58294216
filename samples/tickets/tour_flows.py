"""Short ways to say a flow of the tour's machine, and when its second boot began."""

from __future__ import annotations

from typing import Final

from samples.tickets.tour_state import ADDRESS, ADDRESS6
from samples.told import Flow

BOOT_2: Final = 600
ALL: Final = "0.0.0.0"  # noqa: S104


def outward(program: str, process: int, port: int, remote: str, remote_port: int, number: int = 6) -> Flow:
    """Return a flow that starts here."""
    return Flow(program, process, ADDRESS6 if ":" in remote else ADDRESS, port, remote, remote_port, number)


def inward(program: str, process: int, port: int, remote: str, remote_port: int, number: int = 6) -> Flow:
    """Return a flow that a remote side starts."""
    local = "fe80::12" if remote.startswith("fe80") else ADDRESS6 if ":" in remote else ADDRESS
    return Flow(program, process, local, port, remote, remote_port, number)
