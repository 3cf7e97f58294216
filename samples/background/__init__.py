"""The filters that every Windows machine has: boot, quarantine, hardening, app isolation, stealth, defaults and more.

Each function adds one group to a ``Machine`` and returns the run-time ids that events may cite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.background.common import SVCHOST, VERSIONS, Ids
from samples.background.firewall import (
    default_outbound,
    inbound_rules,
    outbound_permit,
    query_user,
    rule_block,
    stealth,
)
from samples.background.furniture import fixed, furniture, released
from samples.background.isolation import app_containers, components, hardening

if TYPE_CHECKING:
    from samples.machine import Machine

__all__ = ["SVCHOST", "VERSIONS", "Ids", "everything", "few", "outbound_permit", "rule_block"]


def few(machine: Machine, host: str, user_sid: str, *, profile_number: int, probed: bool = False) -> Ids:
    """Add only what most stories cite, so that the state stays small: furniture and the defaults of both directions.

    Outbound traffic is blocked by default; ``probed`` adds the filters against port scans.
    """
    furniture(machine, host, user_sid)
    machine.skip(2000)
    ids = query_user(machine, profile_number)
    ids |= default_outbound(machine, profile_number, block=True)
    machine.skip(20)
    return ids | (stealth(machine, profile_number) if probed else {})


def everything(
    machine: Machine,
    host: str,
    user_sid: str,
    *,
    profile_number: int,
    outbound_block: bool,
    others: bool | None = None,
) -> Ids:
    """Add all of the above but outbound rules, in the order in which a Windows start adds them."""
    furniture(machine, host, user_sid)
    ids = fixed(machine)
    machine.skip(700)
    ids |= components(machine)
    ids |= app_containers(machine)
    machine.skip(1300)
    released(machine, 1689399649632256)
    ids |= query_user(machine, profile_number)
    ids |= default_outbound(machine, profile_number, block=outbound_block, others=others)
    inbound_rules(machine)
    ids |= hardening(machine)
    machine.skip(20)
    ids |= stealth(machine, profile_number)
    return ids
