"""The state of the tour's machine: the usual filters, and one of every kind that is rarer."""

from __future__ import annotations

from typing import Final

from samples import background, windows
from samples.background import SVCHOST, VERSIONS, Ids
from samples.machine import (
    MAX,
    Draft,
    Machine,
    application,
    equal,
    local_port,
    protocol,
    remote_port,
)
from samples.state import Condition, Endpoint, Provider, Session, SubLayer

HOST: Final = "WS-DEMO-12"
ADDRESS, ADDRESS6 = "192.168.50.12", "2001:db8:50::12"
USER_SID: Final = "S-1-5-21-3141592653-2718281828-1414213562-1002"
RTL: Final = "\u202e"
BROWSER: Final = "\\device\\harddiskvolume3\\program files\\example browser\\browser.exe"
PLAYER: Final = "\\device\\harddiskvolume3\\users\\demo\\downloads\\holiday" + RTL + "gpj.exe"
SHARE: Final = "\\device\\harddiskvolume3\\program files\\example share\\share.exe"
SHEET: Final = "\\device\\harddiskvolume3\\program files\\example office\\sheet.exe"
SCRIPT_RULE: Final = "{0DDBA11E-51DE-4B1D-8CAF-5CA1AB1E0001}"
NAMED_RULE: Final = "ExampleOffice-Sheet-Out-TCP"
PROMPT_RULE: Final = "TCP Query User{7E57AB1E-1234-4321-ABCD-00D15EA5E000}C:\\program files\\example share\\share.exe"
NPCAP: Final = "{af617412-ce10-4058-8996-abc79fd805ff}"
NPCAP_SUBLAYER: Final = "{2f32c254-a054-469b-b99b-3e8810275a72}"
NOBODYS: Final = "{d15ea5e0-7e57-4a11-9b0b-0123456789ab}"
NOBODYS_SUBLAYER: Final = "{d15ea5e0-7e57-4a11-9b0b-0123456789ac}"


def build() -> tuple[Machine, Ids]:
    """Return the machine and the run-time ids that the story cites."""
    machine = Machine("ticket-c-tour", windows11=True, first_id=66211)
    ids = background.everything(machine, HOST, USER_SID, profile_number=2, outbound_block=True, others=False)
    _strangers(machine, ids)
    _components(machine, ids)
    _rules(machine, ids)
    for index, (local, remote) in enumerate(((ADDRESS, "192.0.2.21"), (ADDRESS6, "2001:db8:80::10"))):
        machine.endpoints.append(Endpoint(204800 + index * 16, local, remote, 6, 52010 + index, 443, BROWSER))
    return machine, ids


def _strangers(machine: Machine, ids: Ids) -> None:
    """Add filters that are not Windows' own: one maker is known by its service, one is not known at all."""
    machine.providers += [
        Provider(NPCAP, "Insecure.Com LLC.", "Npcap provider", "npcap"),
        Provider(NOBODYS, "", ""),
    ]
    machine.sublayers += [
        SubLayer(NPCAP_SUBLAYER, "Npcap Loopback Sub-Layer", 9, NPCAP),
        SubLayer(NOBODYS_SUBLAYER, "", 1000),
    ]
    machine.sessions.append(
        Session(machine.guid(), 6644, "S-1-5-18", "NT AUTHORITY\\SYSTEM", kernel=False, name="", dynamic=True)
    )
    for name, layer, conditions in (
        ("npcap-connect-V4", "ALE_AUTH_CONNECT_V4", [protocol(6), remote_port(7001)]),
        ("npcap-mac", "INBOUND_MAC_FRAME_ETHERNET", []),
    ):
        ids[name] = machine.add(
            Draft(
                "Npcap Network Sniffer filter",
                layer,
                "BLOCK",
                conditions,
                sublayer=NPCAP_SUBLAYER,
                provider=NPCAP,
                data=None,
            )
        )
    for name, layer, conditions in (
        ("stranger-connect-V4", "ALE_AUTH_CONNECT_V4", [protocol(6), remote_port(9001)]),
        ("stranger-connect-V6", "ALE_AUTH_CONNECT_V6", [protocol(6), remote_port(9001)]),
        ("stranger-listen-V4", "ALE_AUTH_LISTEN_V4", [local_port(9443)]),
        ("stranger-bind-V6", "ALE_RESOURCE_ASSIGNMENT_V6", [local_port(9444)]),
        ("stranger-mac", "INBOUND_MAC_FRAME_ETHERNET", [equal("ETHER_TYPE", "UINT16", 0x88CC)]),
    ):
        ids[name] = machine.add(
            Draft("guard", layer, "BLOCK", conditions, sublayer=NOBODYS_SUBLAYER, provider=NOBODYS, data=None)
        )


def _components(machine: Machine, ids: Ids) -> None:
    """Add blocks of Windows' other parts: address translation's reserved ports, IPsec, a protocol helper."""
    ids["nat"] = machine.add(
        Draft(
            "NatAlePortFilter",
            "ALE_RESOURCE_ASSIGNMENT_V4",
            "BLOCK",
            [Condition("IP_LOCAL_PORT", "RANGE", "UINT16", (50000, 50059)), protocol(17)],
            sublayer=windows.UNIVERSAL,
            provider=None,
            data=None,
        )
    )
    for version in VERSIONS:
        ids[f"ipsec-{version}"] = machine.add(
            Draft(
                "IPsec: require authentication",
                f"INBOUND_TRANSPORT_{version}",
                "BLOCK",
                [protocol(6), local_port(1433)],
                sublayer=windows.IPSEC_POLICY,
                provider="{1bebc969-61a5-4732-a177-847a0817862a}",
                data=None,
            )
        )
    ids["helper"] = machine.add(
        Draft(
            "FTP Inspection Filter",
            "ALE_AUTH_CONNECT_V4",
            "CALLOUT_UNKNOWN",
            [protocol(6), Condition("IP_REMOTE_PORT", "RANGE", "UINT16", (1024, 65535))],
            weight=("UINT64", MAX),
            callout="{c3dbed20-0bb6-4bf3-828d-96732e1e0230}",
        )
    )


def _rules(machine: Machine, ids: Ids) -> None:
    """Add outbound allow rules and three block rules: one with a GUID, one named, one made by a prompt."""
    for name, service, ports in (
        ("Background Intelligent Transfer Service", "BITS", (80, 443)),
        ("Cryptographic Services", "CryptSvc", (80, 443)),
        ("Windows Update", "wuauserv", (443,)),
    ):
        made = background.outbound_permit(machine, name, SVCHOST, 6, ports, service=service)
        ids |= {f"{service}-{key}": number for key, number in made.items()}
    for version, number in background.outbound_permit(
        machine, "DNS Client", SVCHOST, 17, (53,), service="Dnscache"
    ).items():
        ids[f"dns-{version}"] = number
    for key, number in background.outbound_permit(machine, "Example Browser", BROWSER, 6, (80, 443)).items():
        ids[f"browser-{key}"] = number
    ids["rule-guid"] = background.rule_block(
        machine,
        "<script>alert(1)</script>",
        "ALE_AUTH_CONNECT_V4",
        [application(PLAYER), protocol(6)],
        SCRIPT_RULE,
    )
    ids["rule-named"] = background.rule_block(
        machine,
        "=cmd|' /C calc'!A1",
        "ALE_AUTH_CONNECT_V6",
        [application(SHEET), protocol(6)],
        NAMED_RULE,
    )
    ids["rule-prompt"] = background.rule_block(
        machine,
        f"share{RTL}exe.gpj",
        "ALE_AUTH_RECV_ACCEPT_V4",
        [application(SHARE), protocol(6)],
        PROMPT_RULE,
    )
    machine.add(
        Draft(
            f"share{RTL}exe.gpj",
            "ALE_AUTH_LISTEN_V4",
            "PERMIT",
            [application(SHARE)],
            weight=("UINT8", 10),
            data=machine.filters[ids["rule-prompt"]].provider_data,
            origin=PROMPT_RULE,
        )
    )
    ids["permit-connect"] = machine.add(
        Draft(
            "Example Backup",
            "ALE_AUTH_CONNECT_V4",
            "PERMIT",
            [application("\\device\\harddiskvolume3\\program files\\example backup\\backup.exe"), protocol(6)],
            weight=("UINT8", 9),
            data=machine.rule_data(),
            flags=("INDEXED",),
        )
    )
