"""The shapes of events: one row per event id, version and generation.

Fields, their order and types follow REFERENCE 1.2 and 1.6; where a real binary record exists, its value types were
read from it (5152 v0, 5156 v1, 5157 v1, 5158, 4688, 4950, 5447, 4608, 5024, 5033, 1102). Two generations share one
version number in three cases (5150, 5151, 5156 v1): ``variant`` tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from samples.evtxwriter.values import Kind

if TYPE_CHECKING:
    from samples.evtxwriter.system import Payload, Style

SUCCESS: Final = 0x8020000000000000
FAILURE: Final = 0x8010000000000000
CLEARED: Final = 0x4020000000000000

Variant = Literal["", "win7", "win11"]


@dataclass(frozen=True, slots=True)
class Provider:
    """An event provider: name and GUID as the log prints them."""

    name: str
    guid: str


AUDITING: Final = Provider("Microsoft-Windows-Security-Auditing", "{54849625-5478-4994-a5ba-3e3b0328c30d}")
EVENTLOG: Final = Provider("Microsoft-Windows-Eventlog", "{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}")


@dataclass(frozen=True, slots=True)
class Shape:
    """One event: its System constants and its fields in order, as (name, value type)."""

    event_id: int
    version: int
    variant: Variant
    provider: Provider
    task: int
    keywords: int
    fields: tuple[tuple[str, Kind], ...]
    level: int = 0
    payload: Payload = "EventData"
    style: Style | None = None
    element: str = "EventData"
    names: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(name for name, _ in self.fields))


def _fields(text: str) -> tuple[tuple[str, Kind], ...]:
    """Read ``Name:type`` words; a word without a type is a string."""
    out: list[tuple[str, Kind]] = []
    for word in text.split():
        name, _, kind = word.partition(":")
        if kind and kind not in get_args(Kind):
            raise ValueError(word)
        out.append((name, cast("Kind", kind or "string")))
    return tuple(out)


_MAC = "Direction SourceAddress DestAddress EtherType:hex32 "
_MAC7 = _MAC + "EncapMethod:u32 SnapControl:hex32 SnapOui:hex32 VlanTag:hex32 "
_MAC10 = _MAC + "MediaType:u32 InterfaceType:u32 VlanTag:hex32 "
_FILTER = "FilterRTID:u64 LayerName LayerRTID:u64 "
_FLOW = "Application Direction SourceAddress SourcePort DestAddress DestPort Protocol:u32 "
_PACKET, _CONNECTION = "ProcessId:u64 " + _FLOW, "ProcessID:u64 " + _FLOW
_PORT = "ProcessId:u64 Application SourceAddress SourcePort Protocol:u32 " + _FILTER
_ORIGIN = "InterfaceIndex:u32 FilterOrigin "
_REMOTE = "RemoteUserID:sid RemoteMachineID:sid "
_PROFILE = "OriginalProfile CurrentProfile IsLoopback "
_SUBJECT = "SubjectUserSid:sid SubjectUserName SubjectDomainName SubjectLogonId:hex64 "
_CREATED1 = _SUBJECT + "NewProcessId:hex64 NewProcessName TokenElevationType ProcessId:hex64 CommandLine "
_CREATED2 = (
    _CREATED1 + "TargetUserSid:sid TargetUserName TargetDomainName TargetLogonId:hex64 ParentProcessName "
    "MandatoryLabel:sid "
)
_PRESENT = (
    "ProviderKey:guid ProviderName FilterKey:guid FilterName FilterType FilterId:u64 LayerKey:guid LayerName "
    "LayerId:u32 Weight:u64 Conditions Action CalloutKey:guid CalloutName "
)
_CHANGED = (
    "ProcessId:u32 UserSid:sid UserName ProviderKey:guid ProviderName ChangeType FilterKey:guid FilterName FilterType "
    "FilterId:u64 LayerKey:guid LayerName LayerId:u32 Weight:u64 Conditions Action CalloutKey:guid CalloutName "
)
_RULE = "ProfileChanged RuleId RuleName "
_AUDIT = _SUBJECT + "CategoryId SubcategoryId SubcategoryGuid:guid AuditPolicyChanges "

# event id, version, variant, task, keywords, fields
_AUDITED: Final[tuple[tuple[int, int, Variant, int, int, str], ...]] = (
    (5031, 0, "", 12810, FAILURE, "Profiles Application"),
    (5150, 0, "", 12810, FAILURE, _MAC10 + _FILTER),
    (5150, 0, "win7", 12810, FAILURE, _MAC7 + _FILTER),
    (5151, 0, "", 12810, FAILURE, _MAC10 + _FILTER),
    (5151, 0, "win7", 12810, FAILURE, _MAC7 + _FILTER),
    (5152, 0, "", 12809, FAILURE, _PACKET + _FILTER),
    (5152, 1, "", 12809, FAILURE, _PACKET + "FilterOrigin " + _FILTER),
    (5153, 0, "", 12809, SUCCESS, _PACKET + _FILTER),
    (5153, 1, "", 12809, SUCCESS, _PACKET + "FilterOrigin " + _FILTER),
    (5154, 0, "", 12810, SUCCESS, _PORT),
    (5155, 0, "", 12810, FAILURE, _PORT),
    (5156, 0, "", 12810, SUCCESS, _CONNECTION + _FILTER),
    (5156, 1, "", 12810, SUCCESS, _CONNECTION + _FILTER + _REMOTE),
    (5156, 1, "win11", 12810, SUCCESS, _CONNECTION + _ORIGIN + _FILTER + _REMOTE),
    (5157, 0, "", 12810, FAILURE, _CONNECTION + _FILTER),
    (5157, 1, "", 12810, FAILURE, _CONNECTION + _FILTER + _REMOTE),
    (5157, 2, "", 12810, FAILURE, _CONNECTION + _FILTER + _REMOTE + _PROFILE),
    (
        5157,
        3,
        "",
        12810,
        FAILURE,
        _CONNECTION + _ORIGIN + _FILTER + _REMOTE + _PROFILE + "HasRemoteDynamicKeywordAddress ",
    ),
    (5158, 0, "", 12810, SUCCESS, _PORT),
    (5159, 0, "", 12810, FAILURE, _PORT),
    (4688, 1, "", 13312, SUCCESS, _CREATED1),
    (4688, 2, "", 13312, SUCCESS, _CREATED2),
    (4689, 0, "", 13313, SUCCESS, _SUBJECT + "Status:hex32 ProcessId:hex64 ProcessName "),
    (5441, 0, "", 13572, SUCCESS, _PRESENT),
    (5447, 0, "", 13573, SUCCESS, _CHANGED),
    (4946, 0, "", 13571, SUCCESS, _RULE),
    (4947, 0, "", 13571, SUCCESS, _RULE),
    (4948, 0, "", 13571, SUCCESS, _RULE),
    (4950, 0, "", 13571, SUCCESS, "ProfileChanged SettingType SettingValue"),
    (4956, 0, "", 13571, SUCCESS, "ActiveProfile"),
    (4957, 0, "", 13571, FAILURE, "RuleId RuleName RuleAttr"),
    (4608, 0, "", 12288, SUCCESS, ""),
    (4609, 0, "", 12288, SUCCESS, ""),
    (
        4616,
        1,
        "",
        12288,
        SUCCESS,
        _SUBJECT + "PreviousTime:filetime NewTime:filetime ProcessId:hex64 ProcessName ",
    ),
    (4719, 0, "", 13568, SUCCESS, _AUDIT),
    (5024, 0, "", 12292, SUCCESS, ""),
    (5033, 0, "", 12292, SUCCESS, ""),
)

_CLEARED: Final = Shape(
    1102,
    0,
    "",
    EVENTLOG,
    104,
    CLEARED,
    _fields(_SUBJECT),
    level=4,
    payload="UserData",
    style="text",
    element="LogFileCleared",
)

_ROWS: Final = (
    *(
        Shape(event_id, version, variant, AUDITING, task, keywords, _fields(fields))
        for event_id, version, variant, task, keywords, fields in _AUDITED
    ),
    _CLEARED,
)
SHAPES: Final[dict[tuple[int, int, str], Shape]] = {(row.event_id, row.version, row.variant): row for row in _ROWS}


def shape(event_id: int, version: int, variant: str = "") -> Shape:
    """Return the row of an event; KeyError names what is missing."""
    return SHAPES[event_id, version, variant]
