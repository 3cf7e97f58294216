"""Service hardening, app containers, and filters of other Windows components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from samples import windows
from samples.background.common import MAXIMUM, SVCHOST, VERSIONS, Ids
from samples.machine import (
    MAX,
    Draft,
    Machine,
    application,
    equal,
    flags,
    local_port,
    protocol,
    remote_port,
    remote_range,
    user,
)
from samples.sids import hardening_sddl, permit_sddl
from samples.state import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

_APP_CONTAINER: Final = "O:LSD:(A;;CC;;;AC)(A;;CC;;;S-1-15-3-1)(A;;CC;;;S-1-15-3-2)(A;;CC;;;S-1-15-3-3)(A;;CC;;;WD)"
_NOT_PACKAGED: Final = Condition("ALE_PACKAGE_ID", "NOT_EQUAL", "SID", "S-1-0-0")


def hardening(machine: Machine) -> Ids:
    """Add the hardening permits, built-in program blocks and default blocks of sublayer WSH."""
    ids: Ids = {}
    svchost = application(SVCHOST)
    for name, service, layer, more in (
        ("DhcpFirewallPolicy", "Dhcp", "ALE_AUTH_CONNECT", [local_port(68), protocol(17), remote_port(67)]),
        ("DhcpFirewallPolicy", "Dhcp", "ALE_AUTH_RECV_ACCEPT", [local_port(68), protocol(17), remote_port(67)]),
        ("Allow outbound TCP traffic from CDPSvc", "CDPSvc", "ALE_AUTH_CONNECT", [protocol(6)]),
        ("AxInstSV TCP outbound allow", "AxInstSV", "ALE_AUTH_CONNECT", [protocol(6)]),
        ("IPsec Policy Agent service hardening - LDAP/TCP", "PolicyAgent", "ALE_AUTH_CONNECT", [protocol(6)]),
        ("Allow inbound UDP traffic to SNMPTRAP service", "SNMPTrap", "ALE_AUTH_RECV_ACCEPT", [protocol(17)]),
    ):
        data = machine.rule_data()
        for version in VERSIONS:
            conditions = [svchost, user(permit_sddl(service)), *more]
            _hardening(machine, name, f"{layer}_{version}", "PERMIT", conditions, data, flags=("INDEXED",))
    for number, (words, program) in enumerate(
        (("outbound traffic from", "deviceenroller"), ("outbound traffic from", "omadmclient"))
    ):
        data = machine.rule_data()
        for version in VERSIONS:
            path = f"\\device\\harddiskvolume3\\windows\\system32\\{program}.exe"
            ids[f"built-in-{program}-{version}"] = _hardening(
                machine,
                f"Block {words} {program}.exe",
                f"ALE_AUTH_CONNECT_{version}",
                "BLOCK",
                [application(path)],
                data,
                origin=f"DeviceManagement-{number + 6}",
                flags=("INDEXED",),
            )
    for layer, name in (("ALE_AUTH_RECV_ACCEPT", "Inbound"), ("ALE_AUTH_CONNECT", "Outbound")):
        for version in VERSIONS:
            ids[f"hardening-{name.lower()}-{version}"] = _hardening(
                machine,
                f"WSH Default {name} Block",
                f"{layer}_{version}",
                "BLOCK",
                [user(hardening_sddl())],
                None,
                origin="WSH Default",
            )
    return ids


def _hardening(
    machine: Machine,
    name: str,
    layer: str,
    action: str,
    conditions: Sequence[Condition],
    data: str | None,
    *,
    origin: str | None = None,
    flags: Sequence[str] = (),
) -> int:
    return machine.add(
        Draft(
            name,
            layer,
            action,
            conditions,
            sublayer=windows.WSH,
            provider=windows.WSH,
            data=data,
            origin=origin,
            flags=flags,
        )
    )


def app_containers(machine: Machine) -> Ids:
    """Add the app-container defaults: own sublayer on Windows 11, service hardening's sublayer on Windows 10."""
    ids: Ids = {}
    sublayer = windows.APP_ISOLATION if machine.windows11 else windows.WSH
    provider = windows.APP_ISOLATION if machine.windows11 else windows.WSH
    for layer in ("ALE_AUTH_RECV_ACCEPT", "ALE_AUTH_CONNECT"):
        for version in VERSIONS:
            ids[f"loopback-{layer}-{version}"] = machine.add(
                Draft(
                    "AppContainerLoopback",
                    f"{layer}_{version}",
                    "BLOCK",
                    [flags("ALL_SET", 1), user(_APP_CONTAINER)],
                    sublayer=sublayer,
                    weight=("UINT64", MAX - 1),
                    origin="AppContainer Loopback",
                    description="This filter blocks AppContainer loopback traffic",
                )
            )
    capability = "O:LSD:(A;;CC;;;S-1-15-3-1)(A;;CC;;;WD)(A;;CC;;;AN)"
    data, block_data = machine.rule_data(), machine.rule_data()
    for version, low, high in (("V4", "0.0.0.0", "9.255.255.255"), ("V6", "2000::", "3fff:ffff::")):  # noqa: S104
        machine.add(
            Draft(
                "InternetClient Default Rule",
                f"ALE_AUTH_CONNECT_{version}",
                "PERMIT",
                [_NOT_PACKAGED, remote_range(low, high), user(capability)],
                sublayer=sublayer,
                provider=provider,
                data=data,
            )
        )
    for layer, eleven, ten in (
        ("ALE_AUTH_RECV_ACCEPT", "UWP Default Inbound Block Rule", "Block Inbound Default Rule"),
        ("ALE_AUTH_CONNECT", "UWP Default Outbound Block Rule", "Block Outbound Default Rule"),
    ):
        for version in VERSIONS:
            ids[f"app-isolation-{layer}-{version}"] = machine.add(
                Draft(
                    eleven if machine.windows11 else ten,
                    f"{layer}_{version}",
                    "BLOCK",
                    [_NOT_PACKAGED],
                    sublayer=sublayer,
                    provider=provider,
                    data=block_data,
                    origin=eleven,
                )
            )
    return ids


def components(machine: Machine) -> Ids:
    """Add filters of other Windows components: Defender's stream callouts, Teredo's authorization, data usage."""
    ids: Ids = {}
    for layer, word, callouts in (
        ("STREAM", "stream", ("d67b238d-d80c-4ba7-96df-4a0c83464fa7", "36d4cf95-fd3a-4bb8-90a9-ffdb3749237f")),
        ("DATAGRAM_DATA", "datagram", ("b2d11c73-b4ef-47d1-b665-58e6ba9fe200", "80cece9d-0b53-4672-ac43-4524416c0353")),
    ):
        for version, callout in zip(VERSIONS, callouts, strict=True):
            ids[f"windefend-{word}-{version}"] = machine.add(
                Draft(
                    f"windefend_{word}_{version.lower()}",
                    f"{layer}_{version}",
                    "CALLOUT_TERMINATING",
                    sublayer=windows.WINDEFEND,
                    provider=None,
                    data=None,
                    flags=("PERMIT_IF_CALLOUT_UNREGISTERED",),
                    callout="{" + callout + "}",
                )
            )
    ids["teredo"] = machine.add(
        Draft(
            "Teredo socket option opt out block filter",
            "ALE_AUTH_RECV_ACCEPT_V6",
            "BLOCK",
            [
                equal("ARRIVAL_INTERFACE_TYPE", "UINT32", 131),
                equal("ARRIVAL_TUNNEL_TYPE", "UINT32", 14),
                flags("NONE_SET", 1),
            ],
            sublayer=windows.TEREDO_AUTHORIZATION,
            provider=machine.guid(),
            weight=MAXIMUM,
            data=None,
        )
    )
    return ids
