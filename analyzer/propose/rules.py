"""Flows of one program as rules: the fewest that are not wider than asked, or wider where that was told."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from analyzer.proposalmodel import RuleSpec
from analyzer.propose.cover import products
from analyzer.wfp import protocols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.propose.wanted import Flow, Who

MERGES: Final = ("ports", "addresses", "any-address")


@dataclass(frozen=True, slots=True)
class Draft:
    """One rule, and the flows that it is for."""

    rule: RuleSpec
    who: Who
    flows: tuple[Flow, ...]


def drafts(who: Who, flows: Sequence[Flow], merge: frozenset[str]) -> list[Draft]:
    """Return the rules for the flows of one program.

    Parameters
    ----------
    merge : ``ports``: one rule has all ports for all its addresses; ``addresses``: likewise; ``any-address``: no limit
        on addresses.
    """
    pairs = {(None if "any-address" in merge else flow.address, flow.port) for flow in flows}
    if merge & {"ports", "addresses"}:
        made = [(frozenset(address for address, _ in pairs), frozenset(port for _, port in pairs))]
    else:
        made = products(pairs)
    out, taken = [], set[int]()
    for addresses, ports in sorted(made, key=lambda item: (sorted(map(str, item[1])), sorted(map(str, item[0])))):
        own = [
            flow
            for flow in flows
            if flow.number not in taken and flow.port in ports and (flow.address in addresses or None in addresses)
        ]
        taken |= {flow.number for flow in own}
        out.append(Draft(_rule(who, addresses, ports), who, tuple(own)))
    return out


def distinct_names(found: Sequence[Draft]) -> list[Draft]:
    """Give each rule a name of its own: those of one name get numbers."""
    count: dict[str, int] = {}
    out = []
    for draft in found:
        number = count[draft.rule.name] = count.get(draft.rule.name, 0) + 1
        name = draft.rule.name if number == 1 else f"{draft.rule.name} ({number})"
        out.append(replace(draft, rule=replace(draft.rule, name=name)))
    return out


def _rule(who: Who, addresses: Iterable[str | None], ports: Iterable[str | None]) -> RuleSpec:
    listed = _ordered(addresses, _by_address)
    numbers = _ordered(ports, _by_number)
    icmp = who.protocol in (protocols.ICMP, protocols.ICMPV6)
    inbound = who.direction == "inbound"
    return RuleSpec(
        name=_name(who, numbers),
        direction=who.direction,
        program=who.program,
        service=who.service,
        local_user=who.local_user,
        protocol=who.protocol,
        local_ports=numbers if inbound and not icmp else (),
        remote_ports=numbers if not inbound and not icmp else (),
        icmp=numbers if icmp else (),
        remote_addresses=listed,
        profiles=who.profiles,
    )


def _ordered(values: Iterable[str | None], key: Callable[[str], tuple[int, str] | tuple[int, int]]) -> tuple[str, ...]:
    found = list(values)
    if None in found:
        return ()
    return tuple(sorted((value for value in found if value is not None), key=key))


def _by_number(value: str) -> tuple[int, str]:
    return int(value.partition(":")[0]), value


def _by_address(value: str) -> tuple[int, int]:
    parsed = ipaddress.ip_address(value.partition("%")[0])
    return parsed.version, int(parsed)


def _name(who: Who, numbers: Sequence[str]) -> str:
    base = who.program.rpartition("\\")[2]
    service = f" ({who.service})" if who.service else ""
    protocol = protocols.protocol_name(who.protocol) or f"protocol {who.protocol}"
    ports = f" {','.join(numbers[:6])}" if numbers else ""
    return f"Allow {base}{service} {who.direction} {protocol}{ports}"
