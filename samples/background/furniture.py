"""Providers, sublayers, sessions, and the boot-time and quarantine filters with their fixed keys."""

from __future__ import annotations

from samples import windows
from samples.background.common import VERSIONS, Ids
from samples.machine import MAX, Draft, Machine, equal, flags
from samples.state import Condition, Provider, Session, SubLayer


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
            Draft(
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
                Draft(
                    "Interface Un-quarantine filter",
                    f"ALE_AUTH_RECV_ACCEPT_{version}",
                    "PERMIT",
                    conditions,
                    sublayer=windows.QUARANTINE,
                    weight=("UINT8", 0),
                    data=None,
                    effective=0x10000800000002,
                )
            )
