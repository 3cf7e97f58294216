"""Tells of filters that come, go or are there already: 5447 and 5441, in the words of the filter itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from samples import windows
from samples.told import Event

if TYPE_CHECKING:
    from samples.evtxwriter.values import Value
    from samples.state import Condition, Filter
    from samples.story import Story

ADDED, DELETED = "%%16384", "%%16385"
_ACTION: Final = {"BLOCK": "%%16389", "PERMIT": "%%16390"}
FIELD_GUID: Final = {
    "IP_REMOTE_PORT": "{c35a604d-d22b-4e1a-91b4-68f674ee674b}",
    "IP_PROTOCOL": "{3971ef2b-623e-4f9a-8cb1-6e79b806b9a7}",
    "ORIGINAL_PROFILE_ID": "{46ea1551-2255-492b-8019-aabeee349f40}",
    "CURRENT_PROFILE_ID": "{ab3033c9-c0e3-4759-937d-5758c65d4ae3}",
}
_DIGITS: Final = {"UINT8": 2, "UINT16": 4, "UINT32": 8}
NONE: Final = "{00000000-0000-0000-0000-000000000000}"


def _condition(item: Condition) -> str:
    if item.match != "EQUAL" or not isinstance(item.value, int):
        raise ValueError(f"no text for {item}")
    value = f"0x{item.value:0{_DIGITS[item.kind]}x}"
    return f"\n\tCondition ID:\t{FIELD_GUID[item.field]}\n\tMatch value:\tEqual to\n\tCondition value:\t{value}\n"


def _fields(item: Filter, provider_name: str) -> dict[str, Value]:
    persistent = "PERSISTENT" in item.flags
    return {
        "ProviderKey": windows.PROVIDER_GUID.get(item.provider or "", item.provider),
        "ProviderName": provider_name,
        "FilterKey": item.key,
        "FilterName": item.name,
        "FilterType": "%%16387" if persistent else "%%16388",
        "FilterId": item.filter_id,
        "LayerKey": windows.LAYER_GUID[item.layer],
        "LayerName": windows.layer_name(item.layer),
        "LayerId": windows.LAYER_ID[item.layer],
        "Weight": item.effective,
        "Conditions": "".join(_condition(c) for c in item.conditions),
        "Action": _ACTION[item.action],
        "CalloutKey": NONE,
        "CalloutName": "-",
    }


def changed(story: Story, second: float, item: Filter, change: str, *, provider_name: str, process: int) -> None:
    """Tell that a filter was added or deleted by a process (5447)."""
    who: dict[str, Value] = {"ProcessId": process, "UserSid": "S-1-5-18", "UserName": "NT AUTHORITY\\SYSTEM"}
    fields = who | _fields(item, provider_name) | {"ChangeType": change}
    story.tell(second, Event(5447, 0, fields, process_id=804))


def present(story: Story, second: float, item: Filter, *, provider_name: str) -> None:
    """Tell that a filter was there when the filter engine started (5441)."""
    story.tell(second, Event(5441, 0, _fields(item, provider_name), process_id=804))
