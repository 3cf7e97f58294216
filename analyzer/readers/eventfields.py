"""What a text export writes differently from a binary log, brought back to what the log holds.

Message codes that were rendered go back to their codes only where the English text is known and means one code in
that column: a localized text is kept as it is and told. GUIDs and times of typed fields are written as the binary
reader writes them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from analyzer import frames
from analyzer.readers import eventtime
from analyzer.readers.evtx import values
from analyzer.wfp import codes
from analyzer.wfp.events import EVENTLOG, EVENTS, FIREWALL, KERNEL_GENERAL, SECURITY_AUDITING, SYSMON, find

if TYPE_CHECKING:
    from collections.abc import Collection

    from analyzer.wfp.events import EventSpec

# Column -> the codes that it may hold (REFERENCE 1.3).
CODES: Final[dict[str, Collection[int]]] = {
    "direction_code": codes.DIRECTIONS,
    "layer_code": codes.LAYERS,
    "change_code": codes.CHANGES,
    "filter_type_code": codes.FILTER_TYPES,
    "action_code": codes.ACTIONS,
}


def _texts(numbers: Collection[int]) -> dict[str, str]:
    """Return English text, or the bare number, without case -> code as stored."""
    words = {codes.TEXTS[number].casefold(): f"%%{number}" for number in numbers}
    return words | {str(number): f"%%{number}" for number in numbers}


_TEXT_TO_CODE: Final = {column: _texts(numbers) for column, numbers in CODES.items()}
# Fields of type GUID, without case (REFERENCE 1.6; the last ones are Sysmon's). Rule ids are text and stay so.
_GUIDS: Final = frozenset(
    {
        "subcategoryguid",
        "providerkey",
        "filterkey",
        "layerkey",
        "calloutkey",
        "sublayerkey",
        "providercontextkey",
        "processguid",
        "logonguid",
        "parentprocessguid",
    }
)
_GUID: Final = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?")
# Fields of type FILETIME of 4616 and Kernel-General 12 and 13.
_TIMES: Final = frozenset({"previoustime", "newtime", "starttime", "stoptime"})

# Identities of providers, for exports that name them otherwise or not at all (REFERENCE 1; the second seed's list).
GUIDS: Final[dict[str, str]] = {
    "54849625-5478-4994-a5ba-3e3b0328c30d": SECURITY_AUDITING,
    "fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148": EVENTLOG,
    "d1bc9aff-2abf-4d71-9146-ecb2a986eb85": FIREWALL,
    "a68ca8b7-004f-d7b6-a698-07e2de0f1f5d": KERNEL_GENERAL,
    "5770385f-c22a-43e0-bf4c-06f5698ffbd9": SYSMON,
}
_DISPLAY_NAMES: Final = {"microsoft windows security auditing.": SECURITY_AUDITING}

# Channels whose events of these ids have one writer only.
_WRITERS: Final[dict[str, tuple[str, ...]]] = {
    "security": (SECURITY_AUDITING, EVENTLOG),
    "microsoft-windows-windows firewall with advanced security/firewall": (FIREWALL,),
    "microsoft-windows-sysmon/operational": (SYSMON,),
}
KNOWN_PROVIDERS: Final = frozenset(provider for provider, _ in EVENTS)


def provider_of(name: str | None, guid: str | None) -> str | None:
    """Return the provider's name as the log has it: by its identity where the name is another or none."""
    if name is not None and name.lower() in KNOWN_PROVIDERS:
        return name
    match = _GUID.fullmatch(guid.strip()) if guid is not None else None
    if match is not None and match[1].lower() in GUIDS:
        return GUIDS[match[1].lower()]
    return _DISPLAY_NAMES.get(name.lower(), name) if name is not None else None


def specs_of_channel(channel: str | None, event_id: int) -> list[EventSpec]:
    """Return the events of this id that the writers of a channel have."""
    found = (find(provider, event_id) for provider in _WRITERS.get((channel or "").lower(), ()))
    return [spec for spec in found if spec is not None]


def spec_by_channel(channel: str | None, event_id: int, names: Collection[str]) -> EventSpec | None:
    """Return the event that an export without provider means: the only one of its channel, with a field of its own."""
    given = {name.lower() for name in names}
    return next(
        (spec for spec in specs_of_channel(channel, event_id) if {item.name.lower() for item in spec.fields} & given),
        None,
    )


def field_text(name: str, text: str) -> str:
    """Return the text of a typed field as the binary reader gives it."""
    key = name.lower()
    if key in _GUIDS:
        match = _GUID.fullmatch(text)
        return f"{{{match[1].lower()}}}" if match is not None else text
    if key in _TIMES:
        time = eventtime.parse(text)
        return values.filetime_text(time.ns // 100 + values.EPOCH) if time is not None else text
    return text


def code_columns(spec: EventSpec) -> tuple[tuple[int, dict[str, str]], ...]:
    """Return (cell, text -> code) for the columns of this event that hold message codes."""
    columns = list(frames.EVENT_SCHEMAS[spec.table])
    mine = dict.fromkeys(item.column for item in spec.fields)
    return tuple((columns.index(column), _TEXT_TO_CODE[column]) for column in mine if column in _TEXT_TO_CODE)
