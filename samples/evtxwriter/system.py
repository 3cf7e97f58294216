"""The outer template: ``Event`` with ``System``, and a place for the nested fragment.

Two forms are met in one and the same Security log. ``values``: provider, GUID and channel are values 14 to 16 and the
payload is value 17 (the audit events of the real logs at hand). ``text``: they are text of the template, the payload
is value 19 (events of the event log service, such as 1102; many other channels). The computer is text in both.
"""

from __future__ import annotations

import functools
from typing import Final, Literal

from samples.evtxwriter.binxml import Element, Sub, Template, Text
from samples.evtxwriter.values import BINXML, TYPE_NUMBER

Style = Literal["values", "text"]
Payload = Literal["EventData", "UserData"]

NAMESPACE: Final = "http://schemas.microsoft.com/win/2004/08/events/event"
_T = TYPE_NUMBER

# Numbers of the values in the outer template.
LEVEL, OPCODE, TASK, EVENT_ID, QUALIFIERS, KEYWORDS, TIME, ACTIVITY = range(8)
PROCESS, THREAD, RECORD_ID, VERSION, USER = range(8, 13)
RELATED: Final = {"values": 13, "text": 18}
PROVIDER_NAME, PROVIDER_GUID, CHANNEL = 14, 15, 16
PAYLOAD: Final = {"values": 17, "text": 19}


def _plain(name: str, index: int, kind: int) -> Element:
    return Element(name, (), (Sub(index, kind, optional=True),), depends=index)


@functools.lru_cache(maxsize=1024)
def system_template(
    style: Style, payload: Payload, provider: str, provider_guid: str, channel: str, computer: str
) -> Template:
    """Return the outer template for one style, payload element, provider, channel and computer."""
    text = style == "text"
    named = (
        (("Name", Text(provider)), ("Guid", Text(provider_guid)))
        if text
        else (
            ("Name", Sub(PROVIDER_NAME, _T["string"], optional=True)),
            ("Guid", Sub(PROVIDER_GUID, _T["guid"], optional=True)),
        )
    )
    system = Element(
        "System",
        (),
        (
            Element("Provider", named),
            Element(
                "EventID",
                (("Qualifiers", Sub(QUALIFIERS, _T["u16"], optional=True)),),
                (Sub(EVENT_ID, _T["u16"], optional=True),),
                depends=EVENT_ID,
            ),
            _plain("Version", VERSION, _T["u8"]),
            _plain("Level", LEVEL, _T["u8"]),
            _plain("Task", TASK, _T["u16"]),
            _plain("Opcode", OPCODE, _T["u8"]),
            _plain("Keywords", KEYWORDS, _T["hex64"]),
            Element("TimeCreated", (("SystemTime", Sub(TIME, _T["filetime"], optional=True)),)),
            _plain("EventRecordID", RECORD_ID, _T["u64"]),
            Element(
                "Correlation",
                (
                    ("ActivityID", Sub(ACTIVITY, _T["guid"], optional=True)),
                    ("RelatedActivityID", Sub(RELATED[style], _T["guid"], optional=True)),
                ),
            ),
            Element(
                "Execution",
                (
                    ("ProcessID", Sub(PROCESS, _T["u32"], optional=True)),
                    ("ThreadID", Sub(THREAD, _T["u32"], optional=True)),
                ),
            ),
            Element("Channel", (), (Text(channel),)) if text else _plain("Channel", CHANNEL, _T["string"]),
            Element("Computer", (), (Text(computer),)),
            Element("Security", (("UserID", Sub(USER, _T["sid"], optional=True)),)),
        ),
    )
    place = Sub(PAYLOAD[style], BINXML, optional=True)
    namespace = (("xmlns", Text(NAMESPACE)),)
    if payload == "UserData":
        wrapped = Element("UserData", (), (place,), depends=place.index)
        return Template(Element("Event", namespace, (system, wrapped)))
    return Template(Element("Event", namespace, (system, place), depends=place.index))
