"""One event as XML: its element, read by a parser that loads nothing and expands nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lxml import etree

from analyzer.readers import eventtime, xmlparser, xmltext
from analyzer.readers.eventrows import Event
from analyzer.readers.evtx.values import number_of_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_DTD: Final = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DATA: Final = frozenset({"EventData", "UserData"})
_REPLACED: Final = "holds characters that XML does not allow: replaced by U+FFFD"


class NoEventError(ValueError):
    """A piece of XML that is no event; the text says why."""


def _parse(text: str) -> tuple[etree._Element, bool]:
    """Return the element, and whether characters had to be replaced first."""
    try:
        return xmlparser.parse(text), False
    except (etree.XMLSyntaxError, UnicodeEncodeError):
        pass
    if _DTD.search(text):
        raise NoEventError("has a DOCTYPE or declares entities")
    cleaned = xmltext.legal(text)
    try:
        return xmlparser.parse(cleaned), cleaned != text
    except etree.XMLSyntaxError as error:
        raise NoEventError(f"is not well-formed XML ({error.msg})") from error


def _local(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def read_event(text: str) -> Event:
    """Read an ``Event`` element.

    Raises
    ------
    NoEventError
        When it is not well-formed, goes beyond the parser's bounds, or has no event id.
    """
    root, replaced = _parse(text)
    event: Event | None = None
    for part in root:
        name = _local(part)
        if name == "System":
            event = _system(part)
        elif name in _DATA and event is not None:
            event.fields.extend(_fields(part))
    if event is None:
        raise NoEventError("has no System element")
    if replaced:
        event.doubts.append((_REPLACED, _REPLACED))
    return event


def read_fields(text: str) -> list[tuple[str, str]]:
    """Read an ``EventData`` or ``UserData`` element alone.

    Raises
    ------
    NoEventError
        When it is not well-formed.
    """
    return list(_fields(_parse(text)[0]))


def _system(part: etree._Element) -> Event:
    event = Event()
    found = False
    for item in part:
        match _local(item):
            case "Provider":
                event.provider, event.guid = item.get("Name") or None, item.get("Guid")
            case "EventID":
                event.event_id, found = event_id(item.text), True
            case "Version":
                event.version = version(item.text)
            case "TimeCreated":
                event.time = eventtime.parse(item.get("SystemTime") or "")  # UTC by the schema, whatever is written
            case "EventRecordID":
                event.record_id = number_of_text(item.text or "")
            case "Channel":
                event.channel = item.text or None
            case "Computer":
                event.computer = item.text or None
    if not found:
        raise NoEventError("has no event id")
    return event


def event_id(text: str | None) -> int:
    """Return an event id.

    Raises
    ------
    NoEventError
        When the text is no such number.
    """
    number = number_of_text(text or "")
    if number is None or number > 0xFFFFFFFF:
        raise NoEventError("has no event id that is a number")
    return number & 0xFFFF


def version(text: str | None) -> int:
    """Return an event's version, 0 where there is none."""
    number = number_of_text(text or "")
    return number if number is not None and number <= 0xFFFF else 0


def _fields(part: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield name and text of the elements that hold no others, as the binary reader names them."""
    for item in part.iter(etree.Element):
        if not len(item) and (item is not part or item.text):
            text = item.text or ""
            # an empty element that was printed over two lines holds nothing
            yield item.get("Name") or _local(item), "" if text.isspace() and "\n" in text else text
