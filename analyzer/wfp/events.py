"""The audit events that are read: one row per provider and event id, one table for all of them.

An event is a provider **and** an id (REFERENCE 12: 2004, 2005, 2024 exist in unrelated channels). Fields are
found by name without regard to case, never by position or version; a field that a row does not list is kept in
the column ``extra``. A later need adds a row, or a field to a row. Sources: REFERENCE 1.2 and 1.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Table = Literal["wfp", "process", "filter_change", "rule_change", "host"]
FieldType = Literal["text", "uint", "hex"]

SECURITY_AUDITING: Final = "Microsoft-Windows-Security-Auditing"
EVENTLOG: Final = "Microsoft-Windows-Eventlog"
EVENTLOG_CLASSIC: Final = "EventLog"  # writes 6005 and its like to the System log; named without the vendor
KERNEL_GENERAL: Final = "Microsoft-Windows-Kernel-General"
FIREWALL: Final = "Microsoft-Windows-Windows Firewall With Advanced Security"
SYSMON: Final = "Microsoft-Windows-Sysmon"


@dataclass(frozen=True, slots=True)
class Field:
    """One EventData field: its name in the event, its column, and how its text is read.

    ``uint`` is a decimal number, ``hex`` one with ``0x`` (4688 writes process ids so); both become ``UInt64``.
    """

    name: str
    column: str
    type: FieldType = "text"


@dataclass(frozen=True, slots=True)
class EventSpec:
    """One audit event: which table its rows go to, and which fields it may have."""

    provider: str
    event_id: int
    table: Table
    title: str
    fields: tuple[Field, ...]


def _fields(*specs: str) -> tuple[Field, ...]:
    """Read ``Name>column:type`` shorthand; the type defaults to text."""
    out = []
    for spec in specs:
        name, _, rest = spec.partition(">")
        column, _, kind = rest.partition(":")
        if kind not in ("", "uint", "hex"):
            raise ValueError(spec)
        out.append(Field(name, column, "uint" if kind == "uint" else "hex" if kind == "hex" else "text"))
    return tuple(out)


# ProcessId and ProcessID are one field: names are compared without case (REFERENCE 1.2).
_PROCESS = ("ProcessId>process_id:uint", "Application>application")
_SOURCE = ("SourceAddress>source_address", "SourcePort>source_port:uint")
_DEST = ("DestAddress>dest_address", "DestPort>dest_port:uint")
_FILTER = ("FilterRTID>filter_rtid:uint", "LayerName>layer_code", "LayerRTID>layer_rtid:uint")
_ORIGIN = ("InterfaceIndex>interface_index:uint", "FilterOrigin>event_origin")
_REMOTE = ("RemoteUserID>remote_user_id", "RemoteMachineID>remote_machine_id")
_PROFILE = (
    "OriginalProfile>original_profile",
    "CurrentProfile>current_profile",
    "IsLoopback>is_loopback",
    "HasRemoteDynamicKeywordAddress>has_remote_dynamic_keyword_address",
)
_PACKET = _fields(*_PROCESS, "Direction>direction_code", *_SOURCE, *_DEST, "Protocol>protocol:uint", *_ORIGIN, *_FILTER)
_CONNECTION = (*_PACKET, *_fields(*_REMOTE, *_PROFILE))
_PORT = _fields(*_PROCESS, *_SOURCE, "Protocol>protocol:uint", *_ORIGIN, *_FILTER)
_MAC = _fields(
    "Direction>direction_code",
    "SourceAddress>source_address",
    "DestAddress>dest_address",
    "EtherType>ether_type:hex",
    "EncapMethod>encap_method:uint",
    "SnapControl>snap_control:hex",
    "SnapOui>snap_oui:hex",
    "MediaType>media_type:uint",
    "InterfaceType>interface_type:uint",
    "VlanTag>vlan_tag:hex",
    *_FILTER,
)
_FILTER_CHANGE = _fields(
    "ProcessId>process_id:uint",
    "UserSid>user_sid",
    "UserName>user_name",
    "ProviderKey>provider_key",
    "ProviderName>provider_name",
    "ChangeType>change_code",
    "FilterKey>filter_key",
    "FilterName>filter_name",
    "FilterType>filter_type_code",
    "FilterId>filter_rtid:uint",
    "LayerKey>layer_key",
    "LayerName>layer_name",
    "LayerId>layer_rtid:uint",
    "Weight>weight:uint",
    "Conditions>conditions",
    "Action>action_code",
    "CalloutKey>callout_key",
    "CalloutName>callout_name",
    "SubLayerKey>sublayer_key",
    "SubLayerName>sublayer_name",
)
_PROCESS_CREATE = _fields(
    "SubjectUserSid>subject_user_sid",
    "SubjectUserName>subject_user_name",
    "SubjectDomainName>subject_domain_name",
    "SubjectLogonId>subject_logon_id:hex",
    "NewProcessId>process_id:hex",
    "NewProcessName>process_name",
    "ProcessId>creator_process_id:hex",
    "CommandLine>command_line",
    "TargetUserSid>target_user_sid",
    "TargetUserName>target_user_name",
    "TargetDomainName>target_domain_name",
    "TargetLogonId>target_logon_id:hex",
    "ParentProcessName>parent_process_name",
)
_PROCESS_EXIT = _fields(
    "SubjectUserSid>subject_user_sid",
    "SubjectUserName>subject_user_name",
    "SubjectDomainName>subject_domain_name",
    "SubjectLogonId>subject_logon_id:hex",
    "Status>status:hex",
    "ProcessId>process_id:hex",
    "ProcessName>process_name",
)
_RULE_CHANGE = _fields(
    "ProfileChanged>profile",
    "RuleId>rule_id",
    "RuleName>rule_name",
    "RuleAttr>rule_attr",
    "SettingType>setting_type",
    "SettingValue>setting_value",
    "ActiveProfile>active_profile",
)
_HOST = _fields(
    "SubcategoryGuid>subcategory_guid",
    "AuditPolicyChanges>audit_policy_changes",
    "SubjectUserSid>subject_user_sid",
    "SubjectUserName>subject_user_name",
    "SubjectDomainName>subject_domain_name",
    "PreviousTime>previous_time",
    "NewTime>new_time",
)


# The firewall's own channel (REFERENCE 1.6): on by default. A rule's fields and those of a profile's change.
_FIREWALL = _fields(
    "RuleId>rule_id",
    "RuleName>rule_name",
    "ApplicationPath>rule_application",
    "ServiceName>rule_service",
    "Direction>rule_direction",
    "Action>rule_action",
    "Active>rule_active",
    "Profiles>profile",
    "ModifyingUser>modifying_user",
    "ModifyingApplication>modifying_application",
    "SettingType>setting_type",
    "SettingValueString>setting_value",
    "InterfaceGuid>interface_guid",
    "InterfaceName>interface_name",
    "OldProfile>old_profile",
    "NewProfile>new_profile",
)
# Kernel-General 12 and 13 say when the system itself thinks it started or stopped.
_KERNEL = _fields("StartTime>start_time", "StopTime>stop_time")
# Sysmon writes process ids in decimal and times as text; its names differ from those of 4688.
_SYSMON = _fields(
    "ProcessId>process_id:uint",
    "Image>process_name",
    "CommandLine>command_line",
    "User>subject_user_name",
    "LogonId>subject_logon_id:hex",
    "ParentProcessId>creator_process_id:uint",
    "ParentImage>parent_process_name",
)


_SYSMON_EXIT = _fields("ProcessId>process_id:uint", "Image>process_name", "User>subject_user_name")


def _audit(table: Table, fields: tuple[Field, ...], rows: dict[int, str]) -> list[EventSpec]:
    return [EventSpec(SECURITY_AUDITING, event_id, table, title, fields) for event_id, title in rows.items()]


# 2002 to 2097 are read whole: newer builds add variants of these with numbers of their own (REFERENCE 1.6). Which
# number means what there: SigmaHQ/sigma, rules/windows/builtin/firewall_as (2052 to 2083, "Windows 11"); for 2097 the
# provider's own message text, as detection-wiki shows it. Not seen in a log of our own: unconfirmed.
_FIREWALL_TITLES: Final[dict[int, str]] = {
    2002: "A firewall setting was changed",
    2003: "A firewall setting of a profile was changed",
    2004: "A firewall rule was added",
    2005: "A firewall rule was modified",
    2006: "A firewall rule was deleted",
    2010: "The firewall profile of an interface changed",
    2011: "The firewall could not tell the user that it refused incoming connections of an application",
    2032: "The firewall was reset to its defaults",
    2033: "All firewall rules were deleted",
    2052: "A firewall rule was deleted (newer builds)",
    2059: "All firewall rules were deleted (newer builds)",
    2060: "The firewall was reset to its defaults (newer builds)",
    2071: "A firewall rule was added (newer builds)",
    2073: "A firewall rule was modified (newer builds)",
    2082: "A firewall setting of a profile was changed (newer builds)",
    2083: "A firewall setting was changed (newer builds)",
    2097: "A firewall rule was added (newer builds)",
}
_SPECS: Final[tuple[EventSpec, ...]] = (
    *_audit(
        "wfp",
        _fields("Profiles>profiles", "Application>application"),
        {5031: "The firewall service refused to let an application accept incoming connections"},
    ),
    *_audit(
        "wfp",
        _MAC,
        {5150: "A packet was blocked (MAC layer)", 5151: "A more restrictive filter blocked a packet (MAC layer)"},
    ),
    *_audit("wfp", _PACKET, {5152: "A packet was blocked", 5153: "A more restrictive filter blocked a packet"}),
    *_audit("wfp", _CONNECTION, {5156: "A connection was permitted", 5157: "A connection was blocked"}),
    *_audit(
        "wfp",
        _PORT,
        {
            5154: "Listening on a port was permitted",
            5155: "Listening on a port was blocked",
            5158: "Binding to a local port was permitted",
            5159: "Binding to a local port was blocked",
        },
    ),
    *_audit("process", _PROCESS_CREATE, {4688: "A process was created"}),
    *_audit("process", _PROCESS_EXIT, {4689: "A process ended"}),
    *_audit(
        "filter_change",
        _FILTER_CHANGE,
        {
            5440: "A callout was present when the Base Filtering Engine started",
            5441: "A filter was present when the Base Filtering Engine started",
            5442: "A provider was present when the Base Filtering Engine started",
            5443: "A provider context was present when the Base Filtering Engine started",
            5444: "A sublayer was present when the Base Filtering Engine started",
            5446: "A callout was changed",
            5447: "A filter was changed",
            5448: "A provider was changed",
            5449: "A provider context was changed",
            5450: "A sublayer was changed",
        },
    ),
    *_audit(
        "rule_change",
        _RULE_CHANGE,
        {
            4944: "The firewall policy in force when the firewall started",
            4945: "A rule was listed when the firewall started",
            4946: "A firewall rule was added",
            4947: "A firewall rule was modified",
            4948: "A firewall rule was deleted",
            4949: "Firewall settings were restored to the defaults",
            4950: "A firewall setting was changed",
            4951: "A firewall rule was ignored: its major version is not known",
            4952: "Parts of a firewall rule were ignored: its minor version is not known",
            4953: "A firewall rule could not be parsed",
            4954: "Group Policy firewall settings changed",
            4956: "The active firewall profile changed",
            4957: "A firewall rule was not applied",
            4958: "A firewall rule was not applied: it names something that is not configured here",
        },
    ),
    *_audit(
        "host",
        _HOST,
        {
            4608: "Windows started",
            4609: "Windows shut down",
            4616: "The system time was changed",
            4719: "The audit policy was changed",
            5024: "The firewall service started",
            5025: "The firewall service stopped",
            5027: "The firewall service could not read its policy from the local store and keeps the one in force",
            5028: "The firewall service could not parse a new policy and keeps the one in force",
            5029: "The firewall service could not start its driver and goes on with the policy in force",
            5030: "The firewall service failed to start",
            5032: "The firewall could not tell the user that it refused incoming connections of an application",
            5033: "The firewall driver started",
            5034: "The firewall driver stopped",
            5035: "The firewall driver failed to start",
            5037: "The firewall driver met a serious error and stops",
        },
    ),
    *(
        EventSpec(EVENTLOG, event_id, "host", title, _HOST)
        for event_id, title in {
            1100: "The event logging service shut down",
            1102: "The audit log was cleared",
            1104: "The security log is full",
            1105: "The security log was archived automatically",
        }.items()
    ),
    *(
        EventSpec(EVENTLOG_CLASSIC, event_id, "host", title, _HOST)
        for event_id, title in {
            6005: "The event log service started",
            6006: "The event log service stopped",
            6008: "The system had shut down unexpectedly",
        }.items()
    ),
    *(
        EventSpec(KERNEL_GENERAL, event_id, "host", title, _KERNEL)
        for event_id, title in {12: "The operating system started", 13: "The operating system shuts down"}.items()
    ),
    EventSpec(SYSMON, 1, "process", "A process was created (Sysmon)", _SYSMON),
    EventSpec(SYSMON, 5, "process", "A process ended (Sysmon)", _SYSMON_EXIT),
    *(
        EventSpec(FIREWALL, event_id, "rule_change", _FIREWALL_TITLES.get(event_id, "Firewall policy event"), _FIREWALL)
        for event_id in range(2002, 2098)
    ),
)

EVENTS: Final[dict[tuple[str, int], EventSpec]] = {(s.provider.lower(), s.event_id): s for s in _SPECS}
TABLES: Final[tuple[Table, ...]] = ("wfp", "process", "filter_change", "rule_change", "host")


def find(provider: str | None, event_id: int) -> EventSpec | None:
    """Return the row for this provider and id, or None; the provider is compared without case."""
    return EVENTS.get(((provider or "").lower(), event_id))


BLOCK: Final = frozenset({5031, 5150, 5151, 5155, 5157, 5159})
DROP: Final = frozenset({5152, 5153})
PERMIT: Final = frozenset({5154, 5156, 5158})
