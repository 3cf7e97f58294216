"""Which rules of an exported store name blocked traffic, and which would let exactly it pass."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import cells, rulematch
from analyzer.engine.addresses import parse_address
from analyzer.wfp import rules as vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.rulebook import Store

BLOCKED: Final = {"default-outbound": "outbound", "default-inbound": "inbound"}
# Without these parts an export does not tell what a rule lets pass.
NEEDED: Final = frozenset({"port", "address", "application", "service"})
# Limits that no audit event can be held against; that of a service needs a token which has its SID.
LIMITS: Final = ("service", "package", "local_user", "remote_user", "remote_machine", "owner")
_NO_PORT: Final = 1 << 16  # sorts behind every port
_DIGITS: Final = 5
LISTS: Final = ("icmp", "interfaces", "interface_types")


def called(rule: pd.Series) -> str:
    """Return a rule's name in quotes; its id where it has none, or one that only Windows can look up."""
    name = cells.text(rule["name"])
    return f"“{name}”" if name and not name.startswith("@") else str(rule["rule_id"])


def told(rule: pd.Series) -> str:
    """Say which rule it is: name, id, program, service, and its line in the file."""
    parts = [called(rule), str(rule["rule_id"])] if called(rule) != rule["rule_id"] else [str(rule["rule_id"])]
    for column in ("program", "service"):
        text = cells.text(rule[column])
        if text:
            parts.append(f"{column} {text}")
    line = cells.number(rule["line"])
    return ", ".join([*parts, f"line {line}"] if line is not None else parts)


# --------------------------------------------------------------------------------------------------------------
# By program or service


@dataclass(frozen=True, slots=True)
class _Flow:
    """Blocked events that have all but the port in common; ``indexes`` in the order of ``ports``, those without last.

    The numbers of ports are ascending.
    """

    direction: str
    application: str | None
    services: frozenset[str]  # lower case
    protocol: object
    ports: NDArray[np.int64]
    indexes: NDArray[np.int64]

    def among(self, ports: Sequence[str]) -> list[int]:
        """Return the index of the events whose port is in a rule's ports; none given, or a keyword, may mean any."""
        spans = [_port_span(str(text)) for text in ports]
        if not spans or None in spans:
            return [*self.indexes.tolist()]
        chosen = np.zeros(len(self.indexes), dtype=bool)
        chosen[len(self.ports) :] = True  # an event without a port may be meant
        for low, high in (span for span in spans if span is not None):
            chosen[np.searchsorted(self.ports, low) : np.searchsorted(self.ports, high, side="right")] = True
        return [*self.indexes[chosen].tolist()]


def fitting(store: Store, part: pd.DataFrame) -> dict[int, list[int]]:
    """Return row of an allow rule -> index of the blocked events that it names by program or service."""
    by_program: dict[str, list[_Flow]] = {}
    by_service: dict[str, list[_Flow]] = {}
    for flow in _flows(part):
        by_program.setdefault(_file_name(flow.application or ""), []).append(flow)
        for name in flow.services:
            by_service.setdefault(name, []).append(flow)
    out: dict[int, list[int]] = {}
    names = ("action", "direction", "program", "service", "protocol", "remote_ports", "local_ports")
    columns = zip(*(store.rules[name].tolist() for name in names), strict=True)
    for row, values in enumerate(columns):
        rule = dict(zip(names, values, strict=True))
        if rule["action"] != "allow":
            continue
        program, service = cells.text(rule["program"]), cells.text(rule["service"])
        near = by_service.get((service or "").lower(), []) if program is None else by_program.get(_file_name(program))
        ports = rule["remote_ports" if rule["direction"] == "outbound" else "local_ports"] or ()
        for flow in near or ():
            if _fits(rule, program, service, flow):
                found = flow.among(ports)
                if found:
                    out.setdefault(row, []).extend(found)
    return out


def _flows(part: pd.DataFrame) -> list[_Flow]:
    """Fold blocked events that differ in nothing but the port."""
    flows: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    columns = (
        part.index,
        cells.texts(part["kind"]),
        cells.texts(part["application"]),
        part["services"],
        cells.objects(part["protocol"]).tolist(),
        cells.objects(part["service_port"]).tolist(),
    )
    for index, kind, application, services, protocol, port in zip(*columns, strict=True):
        names = tuple(services) if isinstance(services, tuple | list) else ()
        key = (BLOCKED[kind or ""], application, frozenset(name.lower() for name in names), protocol)
        flows.setdefault(key, []).append((_NO_PORT if port is None else min(int(port), _NO_PORT), int(index)))
    out = []
    for key, found in flows.items():
        ports, indexes = np.array(sorted(found), dtype=np.int64).T
        out.append(_Flow(*key, ports[ports != _NO_PORT], indexes))
    return out


def _fits(rule: Mapping[str, Any], program: str | None, service: str | None, flow: _Flow) -> bool:
    """Tell whether a rule names this traffic's program or service and nothing but the port may speak against it."""
    if rule["direction"] != flow.direction:
        return False
    if program is not None and not _same_program(program, flow.application):
        return False
    if service not in (None, "*"):
        if (service or "").lower() not in flow.services:
            return False
    elif program is None or _shared(program):
        return False  # svchost without a service, or no limit at all: this names nobody
    wanted = cells.number(rule["protocol"])
    return wanted is None or wanted == flow.protocol


def _file_name(path: str) -> str:
    return path.strip().lower().rpartition("\\")[2]


def _same_program(program: str, application: str | None) -> bool:
    ending = rulematch.program_ending(program)
    if ending is None or application is None:
        return False
    path = application.lower()
    return path == ending or path.endswith(f"\\{ending.lstrip(chr(92))}")


def _shared(program: str) -> bool:
    return program.lower().rpartition("\\")[2] == "svchost.exe"


def _port_span(text: str) -> tuple[int, int] | None:
    """Return the first and last port that a rule's text means; None for a keyword, which may mean any."""
    low, dash, high = (part.strip() for part in text.partition("-"))
    wanted = (low, high) if dash else (low,)
    if not all(part.isdecimal() and len(part) <= _DIGITS for part in wanted):
        return None
    return int(low), int(high or low)


# --------------------------------------------------------------------------------------------------------------
# Exactly


def lets_pass(rule: Mapping[str, Any], profiles: frozenset[str] | None, events: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell for each event that ``fitting`` found whether the rule, were it in force, would let exactly it pass.

    ``profiles`` are the network profiles in force, where they are known. What export or event do not tell is a no.
    """
    named = rule["profiles"]
    meant = named is not None and (profiles or frozenset(vocabulary.PROFILES)) <= set(named)
    limited = any(cells.text(rule[name]) for name in LIMITS) or any(rule[name] for name in LISTS)
    own, other = ("remote_ports", "local_ports") if rule["direction"] == "outbound" else ("local_ports", "remote_ports")
    out = np.zeros(len(events), dtype=bool)
    if not meant or limited or rule[other] or not set(rule["known"] or ()) >= NEEDED:
        return out
    columns = (
        cells.objects(events["service_port"]).tolist(),
        cells.texts(events["local_address"]),
        cells.texts(events["remote_address"]),
    )
    for at, (port, local, remote) in enumerate(zip(*columns, strict=True)):
        out[at] = (
            _port_in(rule[own], port)
            and _address_in(rule["local_addresses"], local)
            and _address_in(rule["remote_addresses"], remote)
        )
    return out


def _port_in(ports: Sequence[str] | None, port: object) -> bool:
    """Tell whether a port stands for sure in a rule's ports; an empty list means any."""
    if not ports:
        return ports is not None
    number = cells.number(port)
    spans = (_port_span(str(text)) for text in ports)
    return number is not None and any(span is not None and span[0] <= number <= span[1] for span in spans)


def _address_in(addresses: Sequence[str] | None, address: str | None) -> bool:
    """Tell whether an address stands for sure in a rule's addresses; keywords (``LocalSubnet``) tell nothing."""
    if not addresses:
        return addresses is not None
    wanted = parse_address(address) if address is not None else None
    return wanted is not None and any(_in_one(str(text).strip(), wanted) for text in addresses)


def _in_one(text: str, wanted: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether an address is in ``192.0.2.1``, ``192.0.2.0/24``, ``…/255.255.255.0`` or ``192.0.2.1-…``."""
    low, dash, high = text.partition("-")
    try:
        if not dash:
            return wanted in ipaddress.ip_network(text, strict=False)
        first, last = ipaddress.ip_address(low.strip()), ipaddress.ip_address(high.strip())
    except ValueError:
        return False
    return first.version == last.version == wanted.version and int(first) <= int(wanted) <= int(last)
