"""Which rules of an exported store name blocked traffic, and which would let exactly it pass."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final, cast

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


def fitting(store: Store, part: pd.DataFrame) -> dict[int, list[int]]:
    """Return row of an allow rule -> index of the blocked events that it names by program or service."""
    flows: dict[tuple[Any, ...], list[int]] = {}
    columns = (
        part.index,
        cells.texts(part["kind"]),
        cells.texts(part["application"]),
        part["services"],
        cells.objects(part["protocol"]).tolist(),
        cells.objects(part["service_port"]).tolist(),
    )
    for index, kind, application, services, protocol, port in zip(*columns, strict=True):
        names = tuple(services) if isinstance(services, tuple | list) else None
        flows.setdefault((BLOCKED[kind or ""], application, names, protocol, port), []).append(int(index))
    out: dict[int, list[int]] = {}
    for row, rule in enumerate(store.rules.to_dict("records")):
        if rule["action"] != "allow":
            continue
        item = cast("Mapping[str, Any]", rule)
        for flow, indexes in flows.items():
            if names_traffic(item, flow):
                out.setdefault(row, []).extend(indexes)
    return out


def names_traffic(rule: Mapping[str, Any], flow: tuple[Any, ...]) -> bool:
    """Tell whether a rule names this traffic's program or service and nothing that it tells speaks against it."""
    direction, application, services, protocol, port = flow
    if rule["direction"] != direction:
        return False
    program, service = cells.text(rule["program"]), cells.text(rule["service"])
    if program is not None and not _same_program(program, application):
        return False
    if service not in (None, "*"):
        if services is None or service.lower() not in {name.lower() for name in services}:
            return False
    elif program is None or _shared(program):
        return False  # svchost without a service, or no limit at all: this names nobody
    wanted = cells.number(rule["protocol"])
    if wanted is not None and wanted != protocol:
        return False
    ports = rule["remote_ports"] if direction == "outbound" else rule["local_ports"]
    return not ports or port is None or any(_holds(str(text), int(port)) for text in ports)


def _same_program(program: str, application: str | None) -> bool:
    ending = rulematch.program_ending(program)
    if ending is None or application is None:
        return False
    path = application.lower()
    return path == ending or path.endswith(f"\\{ending.lstrip(chr(92))}")


def _shared(program: str) -> bool:
    return program.lower().rpartition("\\")[2] == "svchost.exe"


def _holds(text: str, port: int) -> bool:
    """Tell whether a port stands in a rule's port or span; keywords may mean any."""
    low, _, high = text.strip().partition("-")
    if not low.isdecimal() or (high and not high.isdecimal()):
        return True
    return int(low) <= port <= int(high or low)


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
    return number is not None and any(_numbers(str(text)) and _holds(str(text), number) for text in ports)


def _numbers(text: str) -> bool:
    return all(part.strip().isdecimal() for part in text.split("-"))


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
