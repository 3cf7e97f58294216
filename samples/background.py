"""The filters that every Windows machine has: boot, quarantine, hardening, app isolation, stealth, defaults, components.

Each function adds one group to a ``Machine`` and returns the run-time ids that events may cite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from samples import windows
from samples.machine import (
    MAX,
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
from samples.sids import hardening_sddl, permit_sddl, service_sid
from samples.statewriter import Condition, Provider, Session, SubLayer, Weight

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSIONS: Final = ("V4", "V6")
MAXIMUM: Final[Weight] = ("UINT64", MAX)
_APP_CONTAINER: Final = "O:LSD:(A;;CC;;;AC)(A;;CC;;;S-1-15-3-1)(A;;CC;;;S-1-15-3-2)(A;;CC;;;S-1-15-3-3)(A;;CC;;;WD)"
_NOT_PACKAGED: Final = Condition("ALE_PACKAGE_ID", "NOT_EQUAL", "SID", "S-1-0-0")
_QUERY_USER: Final = (
    "Prompt the User for a decision corresponding to this Inbound Traffic. "
    "Blocks inbound packets for which no explicit rule exists."
)
_NO_LISTENER: Final = "This filter prevents port scanning. Many drops mean that there is no listener."
Ids = dict[str, int]


def furniture(machine: Machine, host: str, user_sid: str) -> None:
    """Add providers, sublayers and sessions; the sessions name the host."""
    company = "Microsoft Corporation"
    wf, wsh = windows.WF, windows.WSH if machine.windows11 else windows.WSH_PROVIDER_GUID
    machine.providers += [
        Provider("IKEEXT", company, "WFP Built-in IKEEXT provider", "IKEEXT"),
        Provider("{aa6a7d87-7f8f-4d2a-be53-fda555cd5fe3}", company, "IPsec Policy Agent", "Policyagent", True),
        Provider("TCP_CHIMNEY_OFFLOAD", company, "WFP Built-in TCP Chimney Offload provider"),
        Provider(wsh, company, "WFP Built-in MPSSVC Windows Service Hardening provider", "mpssvc"),
        Provider(wf, company, "WFP Built-in MPSSVC Windows Firewall provider", "mpssvc"),
        Provider("{893a4f22-9bba-49b7-8c66-3d40929c8fd5}", company, "Teredo"),
        Provider("IPSEC_DOSP_CONFIG", company, "WFP Built-in IPsec DoS Protection configuration provider"),
        Provider("TCP_TEMPLATES", company, "WFP Built-in TCP Templates provider"),
        Provider("{1bebc969-61a5-4732-a177-847a0817862a}", company, "MPSSVC IPsec policy", "MPSSVC", True),
        Provider("{8e44982a-f477-11df-85ce-78e7d1810190}", company, "NDU", "NDU"),
    ]
    machine.sublayers += [
        SubLayer("INSPECTION", "WFP Built-in Inspection Sublayer", 0),
        SubLayer("TEREDO", "WFP Built-in Edge Traversal Sublayer", 1),
        SubLayer(windows.WF, "WFP Built-in MPSSVC Windows Firewall Sublayer", 2, wf),
        SubLayer(
            windows.WSH if machine.windows11 else windows.WSH_SUBLAYER_GUID,
            "WFP Built-in MPSSVC Windows Service Hardening Sublayer",
            3,
            wsh,
        ),
        SubLayer(windows.QUARANTINE, "WFP Built-in MPSSVC Quarantine Sublayer", 4, wsh),
        SubLayer(windows.TEREDO_AUTHORIZATION, "Edge traversal Teredo Authorization Sublayer", 8),
        SubLayer(windows.WINDEFEND, "windefend", 4096),
        SubLayer("UNIVERSAL", "WFP Built-in Universal Sublayer", 32768),
        SubLayer("IPSEC_TUNNEL", "WFP Built-in IPsec Tunnel Sublayer", 40960),
        SubLayer(windows.IPSEC_POLICY, company, 40961, "{1bebc969-61a5-4732-a177-847a0817862a}"),
        SubLayer("RPC_AUDIT", "RPC Built-in Audit Sublayer", 49152),
    ]
    if machine.windows11:
        machine.providers.append(Provider(windows.APP_ISOLATION, "@bfe.dll,-1217", "", "mpssvc"))
        name = "WFP Built-in MPSSVC App Isolation Sublayer"
        machine.sublayers.append(SubLayer(windows.APP_ISOLATION, name, 7, windows.APP_ISOLATION))
    machine.sessions += [
        Session(machine.guid(), 1404, "S-1-5-20", "NT AUTHORITY\\NETWORK SERVICE", kernel=False),
        Session(machine.guid(), 3924, "S-1-5-19", "NT AUTHORITY\\LOCAL SERVICE", kernel=True),
        Session(machine.guid(), 3924, "S-1-5-18", "NT AUTHORITY\\SYSTEM", kernel=True),
        Session(machine.guid(), 11284, user_sid, f"{host}\\demo", kernel=False),
    ]


def fixed(machine: Machine) -> Ids:
    """Add the boot-time and quarantine filters with their fixed keys."""
    ids: Ids = {}
    for row in windows.FIXED_FILTERS:
        key, name, action, layer, origin, flag, sublayer, weight, effective, conditions = row
        kind, _, value = weight.partition(":")
        number = machine.add(
            name,
            layer,
            action,
            [_parse(item) for item in conditions.split()],
            sublayer=sublayer,
            weight=(kind, MAX if value == "max" else int(value)),
            origin=None if origin == "-" else origin,
            flags=(flag,),
            key="{" + key + "}",
            effective=int(effective, 16),
        )
        if action == "BLOCK" and layer.startswith("ALE_AUTH_RECV_ACCEPT") and sublayer != "TEREDO":
            group = "quarantine" if sublayer == windows.QUARANTINE else f"boot-{flag.lower()}"
            ids[f"{group}-{layer[-2:]}"] = number
    return ids


def _parse(text: str) -> Condition:
    name, match, kind, value = text.split("/")
    if ".." in value:
        low, _, high = value.partition("..")
        return Condition(name, match, kind, (low, high))
    return Condition(name, match, kind, value)


def released(machine: Machine, interface: int) -> None:
    """Add the filters that let a classified interface out of quarantine."""
    for version in VERSIONS:
        for field in ("IP_ARRIVAL_INTERFACE", "IP_NEXTHOP_INTERFACE"):
            conditions = [
                equal("INTERFACE_QUARANTINE_EPOCH", "UINT64", 10000228),
                equal(field, "UINT64", interface),
                flags("NONE_SET", 1) if field == "IP_ARRIVAL_INTERFACE" else flags("ALL_SET", 4),
            ]
            machine.add(
                "Interface Un-quarantine filter",
                f"ALE_AUTH_RECV_ACCEPT_{version}",
                "PERMIT",
                conditions,
                sublayer=windows.QUARANTINE,
                weight=("UINT8", 0),
                data=None,
                effective=0x10000800000002,
            )


def query_user(machine: Machine, number: int) -> Ids:
    """Add the inbound default blocks of one profile and the catch-all, and their helpers at listen."""
    data, ids = machine.rule_data(), {}
    for weight, own in ((8, True), (3, False)):
        for version, callout in zip(VERSIONS, ("28", "2a"), strict=True):
            machine.add(
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
        for layer, field in (
            ("INBOUND_ICMP_ERROR", "ARRIVAL_INTERFACE_PROFILE_ID"),
            ("ALE_AUTH_RECV_ACCEPT", "ORIGINAL_PROFILE_ID"),
        ):
            for version in VERSIONS:
                ids[f"query-user-{layer}-{version}" + ("" if own else "-any")] = machine.add(
                    "Query User",
                    f"{layer}_{version}",
                    "BLOCK",
                    [equal(field, "UINT32", number)] if own else [],
                    weight=("UINT8", weight),
                    data=data,
                    origin="Query User Default",
                    description=_QUERY_USER,
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
                    "Default Outbound",
                    f"{layer}_{version}",
                    "BLOCK" if blocks else "PERMIT",
                    conditions if own else [],
                    weight=("UINT8", weight),
                    data=data,
                    origin="Default Outbound" if blocks else None,
                    description=text,
                )
    return {name.replace("ALE_AUTH_CONNECT", "connect"): value for name, value in ids.items()}


def stealth(machine: Machine) -> Ids:
    """Add the callouts that drop packets without a listener; two of them cover one packet (ids X and X + 2)."""
    ids: Ids = {}
    for name, weight, kinds in (
        ("first", MAXIMUM, [flags("NONE_SET", 3), equal("CURRENT_PROFILE_ID", "UINT32", 2)]),
        ("second", ("UINT8", 12), [flags("NONE_SET", 3)]),
    ):
        for version in VERSIONS:
            ids[f"stealth-{name}-{version}"] = machine.add(
                "Port Scanning Prevention Filter",
                f"INBOUND_TRANSPORT_{version}_DISCARD",
                "CALLOUT_TERMINATING",
                kinds,
                weight=weight,
                origin="Stealth",
                callout=f"WFP_TRANSPORT_LAYER_{version}_SILENT_DROP",
                description=_NO_LISTENER,
            )
    for version in VERSIONS:
        ids[f"stealth-icmp-{version}"] = machine.add(
            "Port Scanning Prevention Filter",
            f"OUTBOUND_ICMP_ERROR_{version}",
            "BLOCK",
            [
                flags("NONE_SET", 1),
                equal("NEXTHOP_INTERFACE_PROFILE_ID", "UINT32", 1),
                equal("IP_LOCAL_PORT", "UINT16", 3 if version == "V4" else 1),
            ],
            weight=MAXIMUM,
            origin="Stealth",
            description=_NO_LISTENER,
        )
    return ids


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


def app_containers(machine: Machine) -> Ids:
    """Add the app-container defaults: own sublayer on Windows 11, service hardening's sublayer on Windows 10."""
    ids: Ids = {}
    sublayer = windows.APP_ISOLATION if machine.windows11 else windows.WSH
    provider = windows.APP_ISOLATION if machine.windows11 else windows.WSH
    for layer in ("ALE_AUTH_RECV_ACCEPT", "ALE_AUTH_CONNECT"):
        for version in VERSIONS:
            ids[f"loopback-{layer}-{version}"] = machine.add(
                "AppContainerLoopback",
                f"{layer}_{version}",
                "BLOCK",
                [flags("ALL_SET", 1), user(_APP_CONTAINER)],
                sublayer=sublayer,
                weight=("UINT64", MAX - 1),
                origin="AppContainer Loopback",
                description="This filter blocks AppContainer loopback traffic",
            )
    capability = "O:LSD:(A;;CC;;;S-1-15-3-1)(A;;CC;;;WD)(A;;CC;;;AN)"
    data, block_data = machine.rule_data(), machine.rule_data()
    for version, low, high in (("V4", "0.0.0.0", "9.255.255.255"), ("V6", "2000::", "3fff:ffff::")):  # noqa: S104
        machine.add(
            "InternetClient Default Rule",
            f"ALE_AUTH_CONNECT_{version}",
            "PERMIT",
            [_NOT_PACKAGED, remote_range(low, high), user(capability)],
            sublayer=sublayer,
            provider=provider,
            data=data,
        )
    for layer, eleven, ten in (
        ("ALE_AUTH_RECV_ACCEPT", "UWP Default Inbound Block Rule", "Block Inbound Default Rule"),
        ("ALE_AUTH_CONNECT", "UWP Default Outbound Block Rule", "Block Outbound Default Rule"),
    ):
        for version in VERSIONS:
            ids[f"app-isolation-{layer}-{version}"] = machine.add(
                eleven if machine.windows11 else ten,
                f"{layer}_{version}",
                "BLOCK",
                [_NOT_PACKAGED],
                sublayer=sublayer,
                provider=provider,
                data=block_data,
                origin=eleven,
            )
    return ids


SVCHOST: Final = "\\device\\harddiskvolume3\\windows\\system32\\svchost.exe"


def components(machine: Machine) -> Ids:
    """Add filters of other Windows components: Defender's stream callouts, Teredo's authorization, data usage."""
    ids: Ids = {}
    for layer, word, callouts in (
        ("STREAM", "stream", ("d67b238d-d80c-4ba7-96df-4a0c83464fa7", "36d4cf95-fd3a-4bb8-90a9-ffdb3749237f")),
        ("DATAGRAM_DATA", "datagram", ("b2d11c73-b4ef-47d1-b665-58e6ba9fe200", "80cece9d-0b53-4672-ac43-4524416c0353")),
    ):
        for version, callout in zip(VERSIONS, callouts, strict=True):
            ids[f"windefend-{word}-{version}"] = machine.add(
                f"windefend_{word}_{version.lower()}",
                f"{layer}_{version}",
                "CALLOUT_TERMINATING",
                sublayer=windows.WINDEFEND,
                provider=None,
                data=None,
                flags=("PERMIT_IF_CALLOUT_UNREGISTERED",),
                callout="{" + callout + "}",
            )
    ids["teredo"] = machine.add(
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
    return machine.add(name, layer, "PERMIT", conditions, weight=("UINT8", 9), data=data, flags=("INDEXED",))


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
        name,
        layer,
        "BLOCK",
        conditions,
        weight=("UINT8", 10),
        data=machine.rule_data(),
        origin=rule_id,
        flags=("INDEXED",),
    )


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
    ids |= stealth(machine)
    return ids


__all__ = ["everything", "outbound_permit", "rule_block", "service_sid"]
