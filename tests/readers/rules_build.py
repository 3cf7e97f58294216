"""Made rule stores: a registry export and PowerShell's lists of the same rules."""

from __future__ import annotations

BITS_ID = "{11111111-2222-3333-4444-555555555555}"
PROMPT_ID = "TCP Query User{AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE}C:\\tools\\x.exe"
SVCHOST = "%SystemRoot%\\system32\\svchost.exe"
BITS = "v2.31|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|Profile=Domain|Profile=Private|RPort=80|RPort=443|"
BITS += f"App={SVCHOST}|Svc=BITS|Name=BITS out|"
POLICY_KEY = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
GROUP_KEY = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def key(path: str, *values: str) -> str:
    return "\n".join([f"[{path}]", *values, ""])


def rule(rule_id: str, text: str) -> str:
    return f"{quoted(rule_id)}={quoted(text)}"


def registry(*sections: str) -> str:
    return "\n".join(["Windows Registry Editor Version 5.00", "", *sections])


def local(*rules: tuple[str, str]) -> str:
    return registry(key(f"{POLICY_KEY}\\FirewallRules", *(rule(*item) for item in rules)))


FULL = registry(
    key(POLICY_KEY, '"PolicyVersion"=dword:0000021f'),
    key(f"{POLICY_KEY}\\DomainProfile", '"EnableFirewall"=dword:00000001', '"DisableNotifications"=dword:00000000'),
    key(f"{POLICY_KEY}\\DomainProfile\\Logging", '"LogFileSize"=dword:00001000'),
    key(
        f"{POLICY_KEY}\\FirewallRules",
        rule(BITS_ID, BITS),
        rule(PROMPT_ID, "v2.31|Action=Block|Active=TRUE|Dir=In|Protocol=6|Profile=Public|App=C:\\tools\\x.exe|Name=x|"),
        rule(
            "CoreNet-DNS", "v2.31|Action=Allow|Active=FALSE|Dir=Out|Protocol=17|RPort=53|Svc=dnscache|Name=@F.dll,-1|"
        ),
    ),
    key(
        f"{POLICY_KEY}\\Mdm\\FirewallRules",
        rule("mdm-1", "v2.31|Action=Block|Active=TRUE|Dir=Out|RA4=10.0.0.0/255.0.0.0|RA42=IntErnet|Name=no internet|"),
    ),
    key(f"{POLICY_KEY}\\Mdm\\StandardProfile", '"AllowLocalPolicyMerge"=dword:00000001'),
    key(f"{POLICY_KEY}\\PublicProfile", '"EnableFirewall"=dword:00000001', '"DefaultOutboundAction"=dword:00000001'),
    key(
        f"{POLICY_KEY}\\RestrictedServices\\AppIso\\FirewallRules",
        rule(
            "{app}", "v2.31|Action=Allow|Active=TRUE|Dir=Out|Name=app|LUOwn=S-1-5-21-1-2-3-1001|AppPkgId=S-1-15-2-1-2|"
        ),
    ),
    key(
        f"{POLICY_KEY}\\RestrictedServices\\Configurable\\System",
        rule("conf-1", "v2.0|Action=Allow|Active=TRUE|Dir=In|LPort=RPC|Svc=vmms|Name=conf|"),
    ),
    key(
        f"{POLICY_KEY}\\RestrictedServices\\Static\\System",
        rule(
            "Dhcp-1", "v2.0|Action=Block|Active=TRUE|Dir=Out|App=%windir%\\system32\\svchost.exe|Svc=Dhcp|Name=static|"
        ),
    ),
    key(f"{POLICY_KEY}\\StandardProfile", '"EnableFirewall"=dword:00000000'),
    key(
        f"{GROUP_KEY}\\DomainProfile",
        '"AllowLocalPolicyMerge"=dword:00000000',
        '"DefaultOutboundAction"=dword:00000001',
    ),
    key(
        f"{GROUP_KEY}\\FirewallRules",
        rule(
            "gp-1",
            "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort2_10=5000-5010|IFType=Lan|Edge=TRUE|Name=gp|",
        ),
    ),
)

PS_RULES = [
    {
        "Name": BITS_ID,
        "DisplayName": "BITS out",
        "Enabled": 1,
        "Profile": 3,
        "Direction": 2,
        "Action": 2,
        "EdgeTraversalPolicy": 0,
        "EnforcementStatus": [5],
        "PolicyStoreSource": "PersistentStore",
        "PolicyStoreSourceType": 1,
        "InstanceID": BITS_ID,
    },
    {
        "Name": "gp-1",
        "DisplayName": "Von der Richtlinie",
        "Enabled": "False",
        "Profile": "Domain, Private",
        "Direction": "Inbound",
        "Action": "Block",
        "EnforcementStatus": ["LocalFirewallRulesDisallowed"],
        "PolicyStoreSource": "example.test\\policy",
        "PolicyStoreSourceType": "GroupPolicy",
        "InstanceID": "gp-1",
    },
]
PS_PORTS = [
    {"InstanceID": BITS_ID, "Protocol": "TCP", "LocalPort": "Any", "RemotePort": ["80", "443"], "IcmpType": "Any"},
    {"InstanceID": "gp-1", "Protocol": "UDP", "LocalPort": {"value": ["5000-5010"], "Count": 1}, "RemotePort": "Any"},
]
PS_SERVICES = [{"InstanceID": BITS_ID, "Service": "BITS"}, {"InstanceID": "gp-1", "Service": "Any"}]
PS_PROGRAMS = [{"InstanceID": BITS_ID, "Program": SVCHOST, "Package": None}, {"InstanceID": "gp-1", "Program": "Any"}]
PS_ADDRESSES = [{"InstanceID": BITS_ID, "LocalAddress": "Any", "RemoteAddress": "LocalSubnet"}]
