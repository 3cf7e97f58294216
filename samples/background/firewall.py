"""The firewall's own defaults, stealth filters and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from samples.background.common import MAXIMUM, SVCHOST, VERSIONS, Ids
from samples.machine import (
    Draft,
    Machine,
    application,
    equal,
    flags,
    local_port,
    profile,
    protocol,
    remote_port,
    remote_range,
    user,
)
from samples.sids import permit_sddl
from samples.state import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samples.state import Weight

_QUERY_USER: Final = (
    "Prompt the User for a decision corresponding to this Inbound Traffic. "
    "Blocks inbound packets for which no explicit rule exists."
)
_NO_LISTENER: Final = "This filter prevents port scanning. Many drops mean that there is no listener."


def query_user(machine: Machine, number: int) -> Ids:
    """Add the inbound default blocks of one profile and the catch-all, and their helpers at listen."""
    data, ids = machine.rule_data(), {}
    for weight, own in ((8, True), (3, False)):
        for version, callout in zip(VERSIONS, ("28", "2a"), strict=True):
            machine.add(
                Draft(
                    "Query User",
                    f"ALE_AUTH_LISTEN_{version}",
                    "CALLOUT_UNKNOWN",
                    [flags("NONE_SET", 1)],
                    weight=("UINT8", weight),
                    data=data,
                    origin="Query User Default",
                    callout="{c3dbed20-0bb6-4bf3-828d-96732e1e00" + callout + "}",
                    description=_QUERY_USER,
                )
            )
        for layer, field in (
            ("INBOUND_ICMP_ERROR", "ARRIVAL_INTERFACE_PROFILE_ID"),
            ("ALE_AUTH_RECV_ACCEPT", "ORIGINAL_PROFILE_ID"),
        ):
            for version in VERSIONS:
                ids[f"query-user-{layer}-{version}" + ("" if own else "-any")] = machine.add(
                    Draft(
                        "Query User",
                        f"{layer}_{version}",
                        "BLOCK",
                        [equal(field, "UINT32", number)] if own else [],
                        weight=("UINT8", weight),
                        data=data,
                        origin="Query User Default",
                        description=_QUERY_USER,
                    )
                )
    return {name.replace("ALE_AUTH_RECV_ACCEPT", "accept"): value for name, value in ids.items()}


def default_outbound(machine: Machine, number: int, *, block: bool, others: bool | None = None) -> Ids:
    """Add the outbound defaults: ``block`` for one profile, ``others`` for all others (as ``block`` when not given).

    The blocking form is inferred: as the real permit, with an origin (REFERENCE 3.4).
    """
    data, ids = machine.rule_data(), {}
    text = "This is the default outbound filter which blocks or permits traffic based on user configured settings"
    for weight, own in ((8, True), (3, False)):
        blocks = block if own or others is None else others
        for layer in ("OUTBOUND_ICMP_ERROR", "ALE_AUTH_CONNECT"):
            for version in VERSIONS:
                icmp = [equal("NEXTHOP_INTERFACE_PROFILE_ID", "UINT32", number)]
                conditions = icmp if layer == "OUTBOUND_ICMP_ERROR" else profile(number)
                ids[f"default-outbound-{layer}-{version}" + ("" if own else "-any")] = machine.add(
                    Draft(
                        "Default Outbound",
                        f"{layer}_{version}",
                        "BLOCK" if blocks else "PERMIT",
                        conditions if own else [],
                        weight=("UINT8", weight),
                        data=data,
                        origin="Default Outbound" if blocks else None,
                        description=text,
                    )
                )
    return {name.replace("ALE_AUTH_CONNECT", "connect"): value for name, value in ids.items()}


# Suppressed ICMP errors, per version: type (as local port) and codes (as remote port) with the weight; the first of
# each is "unreachable". Order, conditions and weights as in two real states.
_LOWER: Final[Weight] = ("UINT64", 0xFFFFFFFF00000002)
_ERRORS: Final[tuple[tuple[str, int, tuple[int, int] | None, Weight], ...]] = (
    ("V4", 3, (0, 3), MAXIMUM),
    ("V4", 3, (5, 12), _LOWER),
    ("V4", 3, (14, 255), _LOWER),
    ("V6", 1, None, _LOWER),
    ("V6", 4, (0, 2), _LOWER),
)


def stealth(machine: Machine, number: int) -> Ids:
    """Add the filters against port scans: drops of packets without a listener, and of the ICMP errors they cause.

    For the profile in use, the packet's filter has id X and that of the error X + 2 (V4, measured in events) or X + 4
    (V6, by the order of the filters in real states).
    """
    ids: Ids = {}

    def add(
        layer: str, action: str, weight: Weight, conditions: Sequence[Condition], callout: str | None = None
    ) -> int:
        return machine.add(
            Draft(
                "Port Scanning Prevention Filter",
                layer,
                action,
                conditions,
                weight=weight,
                origin="Stealth",
                callout=callout,
                description=_NO_LISTENER,
            )
        )

    public = equal("CURRENT_PROFILE_ID", "UINT32", 1)
    for weight, where in ((MAXIMUM, [public]), (("UINT8", 12), [])):
        for version in VERSIONS:
            ids[f"stealth-packet-{version}"] = add(
                f"INBOUND_TRANSPORT_{version}_DISCARD",
                "CALLOUT_TERMINATING",
                weight,
                [flags("NONE_SET", 3), *where],
                f"WFP_TRANSPORT_LAYER_{version}_SILENT_DROP",
            )
    for profile_number in (number, 1, 0):
        for version, kind, codes, weight in _ERRORS:
            conditions = [
                flags("NONE_SET", 1),
                equal("NEXTHOP_INTERFACE_PROFILE_ID", "UINT32", profile_number),
                local_port(kind),
            ]
            if codes:
                conditions.append(Condition("IP_REMOTE_PORT", "RANGE", "UINT16", codes))
            made = add(f"OUTBOUND_ICMP_ERROR_{version}", "BLOCK", weight, conditions)
            if profile_number == number:
                ids.setdefault(f"stealth-error-{version}", made)
    return ids


def inbound_rules(machine: Machine) -> None:
    """Add a handful of ordinary inbound allow rules, each a filter at accept (and at listen or bind)."""
    for name, service, program, number, ports, extra in (
        ("Delivery Optimization (TCP-In)", "DoSvc", SVCHOST, 6, 7680, None),
        ("Delivery Optimization (UDP-In)", "DoSvc", SVCHOST, 17, 7680, None),
        ("Core Networking - DHCP (DHCP-In)", "Dhcp", SVCHOST, 17, 68, 67),
        ("mDNS (UDP-In)", "Dnscache", SVCHOST, 17, 5353, None),
        ("Network Discovery (LLMNR-UDP-In)", "Dnscache", SVCHOST, 17, 5355, None),
        ("Remote Desktop - User Mode (TCP-In)", "TermService", SVCHOST, 6, 3389, None),
        ("File and Printer Sharing (SMB-In)", None, "System", 6, 445, None),
    ):
        data = machine.rule_data()
        who = [application(program), *([user(permit_sddl(service))] if service else [])]
        for version in VERSIONS:
            at = ("ALE_AUTH_LISTEN", []) if number == 6 else ("ALE_RESOURCE_ASSIGNMENT", [protocol(17)])
            _rule(machine, name, f"{at[0]}_{version}", [*who, local_port(ports), *at[1]], data)
            far = [remote_port(extra)] if extra else []
            conditions = [*who, local_port(ports), protocol(number), *far]
            _rule(machine, name, f"ALE_AUTH_RECV_ACCEPT_{version}", conditions, data)
    data = machine.rule_data()
    for version, number, kind in (("V4", 1, 8), ("V6", 58, 128)):
        conditions = [application("System"), equal("ORIGINAL_ICMP_TYPE", "UINT16", kind), protocol(number)]
        conditions.append(
            remote_range(*(("192.168.50.0", "192.168.50.255") if version == "V4" else ("fe80::", "fe80::ffff")))
        )
        _rule(
            machine,
            "Core Networking Diagnostics - ICMP Echo Request",
            f"ALE_AUTH_RECV_ACCEPT_{version}",
            conditions,
            data,
        )


def _rule(machine: Machine, name: str, layer: str, conditions: Sequence[Condition], data: str) -> int:
    return machine.add(Draft(name, layer, "PERMIT", conditions, weight=("UINT8", 9), data=data, flags=("INDEXED",)))


def outbound_permit(
    machine: Machine,
    name: str,
    program: str,
    number: int,
    ports: Sequence[int],
    *,
    service: str | None = None,
    extra: Sequence[Condition] = (),
) -> Ids:
    """Add an outbound allow rule: inferred form, as inbound rules look, at connect and with the remote port."""
    data, ids = machine.rule_data(), {}
    for version in VERSIONS:
        for port in ports or (0,):
            conditions = [application(program)]
            if service:
                conditions.append(user(permit_sddl(service)))
            conditions.append(protocol(number))
            conditions += [remote_port(port)] if port else []
            ids[f"{version}-{port}"] = _rule(machine, name, f"ALE_AUTH_CONNECT_{version}", [*conditions, *extra], data)
    return ids


def rule_block(machine: Machine, name: str, layer: str, conditions: Sequence[Condition], rule_id: str) -> int:
    """Add the block filter of an explicit rule; its origin is the rule's id."""
    return machine.add(
        Draft(
            name,
            layer,
            "BLOCK",
            conditions,
            weight=("UINT8", 10),
            data=machine.rule_data(),
            origin=rule_id,
            flags=("INDEXED",),
        )
    )
