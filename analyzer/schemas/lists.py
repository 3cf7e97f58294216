"""Lists of services, audit policies, firewall rules. ``line`` is where the row begins in its file."""

from __future__ import annotations

from typing import Final

from analyzer.schemas.types import NUMBER, OBJECT

SERVICES: Final[dict[str, str]] = {  # one row per service, and one per process that tasklist shows without any
    "input": "str",
    "line": NUMBER,
    "source": "str",  # tasklist, service-list (sc queryex, Win32_Service)
    "computer": "str",
    "service": "str",  # short name; missing: the process hosts no service
    "display_name": "str",  # localized
    "process_id": NUMBER,  # missing: not running
    "image": "str",  # file name of the program
    "path": "str",  # command line: `C:\Windows\system32\svchost.exe -k netsvcs -p -s BITS`
    "account": "str",  # as printed: LocalSystem, NT AUTHORITY\NetworkService
    "shared": OBJECT,  # bool or None: whether its type lets it share a process, not whether it does
    "state": "str",  # stopped, start-pending, stop-pending, running, continue-pending, pause-pending, paused
}

AUDIT_POLICY: Final[dict[str, str]] = {
    "input": "str",
    "line": NUMBER,
    "source": "str",  # effective (auditpol /get /r), backup (auditpol /backup), group-policy (audit.csv)
    "computer": "str",
    "target": "str",  # as printed; `System` (localized) or a user
    "per_user": "bool",  # a user's row says nothing of the system's policy: success and failure are missing
    "subcategory_guid": "str",  # upper case in braces, as auditpol takes it
    "setting": "str",  # as printed: localized
    "value": NUMBER,  # the numeric setting, where the format has one
    "success": OBJECT,  # bool or None: not known, or (Group Policy) not set
    "failure": OBJECT,
}

# Of a rule, an empty tuple means "any"; None means that the file does not tell (see `known`).
RULE_PARTS: Final[dict[str, str]] = {  # what Get-NetFirewall...Filter tells of a rule, one row per filter object
    "input": "str",
    "line": NUMBER,
    "rule_id": "str",
    "known": OBJECT,  # tuple of the parts that this row tells: see `analyzer.wfp.rules.PARTS`
    "protocol": NUMBER,  # missing: any
    "local_ports": OBJECT,  # tuple of str: `443`, `5000-5010`, keywords (`RPC`, `mDNS`)
    "remote_ports": OBJECT,
    "icmp": OBJECT,  # tuple of str: `8:*`
    "local_addresses": OBJECT,  # tuple of str: addresses, networks, ranges, keywords (`LocalSubnet`)
    "remote_addresses": OBJECT,
    "program": "str",  # as printed, variables not expanded; missing: any
    "package": "str",  # SID or family name of an app package
    "service": "str",  # short name, `*` for any service; missing: no limit
    "interfaces": OBJECT,
    "interface_types": OBJECT,
    "local_user": "str",  # SDDL
    "remote_user": "str",
    "remote_machine": "str",
}
RULES: Final[dict[str, str]] = {
    **RULE_PARTS,
    "store": "str",  # see `analyzer.wfp.rules.STORES`; missing: the file does not tell
    "store_name": "str",  # a policy's name, or PowerShell's name of the store
    "name": "str",  # as written; `@FirewallAPI.dll,-25000` is looked up by Windows only
    "group": "str",
    "action": "str",  # allow, block, bypass
    "active": OBJECT,  # bool or None
    "direction": "str",  # inbound, outbound
    "profiles": OBJECT,  # tuple of domain, private, public; all three for any
    "owner": "str",  # SID of the user that the rule belongs to
    "edge": "str",  # edge traversal: block, allow, defer-user, defer-app
    "enforcement": OBJECT,  # tuple of str as PowerShell tells it (`LocalFirewallRulesDisallowed`)
    "version": "str",  # of the rule's grammar: `2.31`
    "extra": OBJECT,  # dict of keys that have no column, or None
    "raw": "str",  # the registry's text
}
FIREWALL_PROFILES: Final[dict[str, str]] = {  # missing: this store does not set it
    "input": "str",
    "line": NUMBER,
    "store": "str",
    "profile": "str",  # domain, private, public
    "firewall": OBJECT,  # bool: on or off
    "inbound": "str",  # allow, block
    "outbound": "str",
    "shielded": OBJECT,  # bool: all inbound connections are blocked, rules or not
    "notifications": OBJECT,  # bool
    "local_merge": OBJECT,  # bool: whether rules of the local store apply
}
RULE_STATES: Final[dict[str, str]] = {  # rules against the filters of one state
    "rule_row": "int64",  # position in the RULES frame
    "rule_id": "str",
    "filter_ids": OBJECT,  # tuple of int: run-time ids of the filters made from it
    "reason": "str",  # see `analyzer.wfp.rules.Reason`; `plumbed` where there are filters
    "why": "str",
}
