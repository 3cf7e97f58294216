"""Decode the values of one net event. What cannot be read is missing, and told; what is not flagged is missing."""

from __future__ import annotations

import calendar
import ipaddress
import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from analyzer.readers import statevalues
from analyzer.wfp import flags, netevents, sids, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from analyzer.wfp.netevents import NetField

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE | re.ASCII
)
_SECOND: Final = 1_000_000_000
_NS_RANGE: Final = range(-(2**63) + 1, 2**63)
_EPOCH_1601: Final = -11_644_473_600 * _SECOND  # a FILETIME of 0: no time was set
_HEX: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,16})", re.ASCII)


class UnreadableError(ValueError):
    """The text is there and says nothing that the field can hold; ``fallback`` is what it may have meant."""

    def __init__(self, text: str, fallback: str | None = None) -> None:
        super().__init__(text)
        self.fallback = fallback


def local_name(element: etree._Element) -> str:
    """Return an element's name without namespace, lower case."""
    return str(element.tag).rpartition("}")[2].lower()


def children(element: etree._Element | None) -> dict[str, etree._Element]:
    """Return the children by local name in lower case, the first of equal names; names come in any order and case."""
    out: dict[str, etree._Element] = {}
    for child in () if element is None else element:
        out.setdefault(local_name(child), child)
    return out


def text_of(element: etree._Element | None) -> str | None:
    """Return an element's own text, None where missing or blank."""
    value = element.text if element is not None else None
    return (value.strip() or None) if value else None


@lru_cache(maxsize=4096)
def moment(text: str) -> int:
    """Return an ISO time as nanoseconds since 1970 in UTC; without a zone it is UTC, as ``netsh`` prints it."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise UnreadableError(text)
    try:
        day = datetime.fromisoformat(f"{found[1]}T{found[2]}")
    except ValueError as error:
        raise UnreadableError(text) from error
    seconds = calendar.timegm(day.timetuple())
    if found[4] and found[4].upper() != "Z":
        zone = found[4].replace(":", "")
        offset = int(zone[1:3]) * 3600 + int(zone[3:5]) * 60
        seconds += offset if zone[0] == "-" else -offset
    out = seconds * _SECOND + int((found[3] or "").ljust(9, "0"))
    if out not in _NS_RANGE or out == _EPOCH_1601:
        raise UnreadableError(text)
    return out


def flag_names(element: etree._Element | None, prefix: str, table: dict[int, str]) -> frozenset[str] | None:
    """Return the flags that are set, without prefix and ``_SET``; None where the element does not say.

    Flags are listed by name; bits are taken too, as hex text or as one number.
    """
    if element is None:
        return None
    printed = [text_of(item) for item in element]
    if not printed:
        own = text_of(element)
        if own is None:
            return frozenset()
        printed = [own]
    out: set[str] = set()
    for text in printed:
        name = (text or "").upper()
        if name.startswith(prefix):
            out.add(name.removeprefix(prefix).removesuffix(netevents.FLAG_END))
        elif (bits := _HEX.fullmatch(name)) is not None:
            out.update(flags.flag_names(int(bits[1], 16), table))
        else:
            return None
    return frozenset(out)


def names(element: etree._Element) -> tuple[str, ...] | None:
    """Return the listed capabilities without prefix, None where none is listed."""
    printed = [text for item in element if (text := text_of(item))]
    if not printed and (number := statevalues.number(text_of(element))):
        return flags.flag_names(number, netevents.CAPABILITY_FLAGS)
    return tuple(text.removeprefix(netevents.CAPABILITY_FLAG_PREFIX) for text in printed) or None


def undotted(text: str) -> str | None:
    r"""Return the text that ``asString`` renders as ``\.d.e.v.i.c.e...``, None where it is no such rendering."""
    value = text.strip()
    if len(value) < 4 or len(value) % 2 or set(value[1::2]) != {"."}:
        return None
    return value[:-2:2] if value.endswith("..") else value[::2]


def _number(element: etree._Element, spec: NetField) -> int | None:
    text = text_of(element)
    if text is None:
        return None
    out = statevalues.number(text)
    if out is None or out > spec.limit:
        raise UnreadableError(text)
    return out


def _positive(element: etree._Element, spec: NetField) -> int | None:
    return _number(element, spec) or None


def _text(element: etree._Element, _: NetField) -> str | None:
    text = text_of(element)
    if text is None and len(element):  # a blob: {data, asString}
        return statevalues.data_text(element) or text_of(children(element).get("data"))
    return text


def _sid(element: etree._Element, _: NetField) -> str | None:
    text = text_of(element)
    if text is None:
        return None
    if not sids.is_sid(text):
        raise UnreadableError(text)
    return text.upper()


def _address(element: etree._Element, spec: NetField) -> str | None:
    text = text_of(element)
    if text is None and len(element) == 1:  # <localAddrV6><byteArray16>…
        text = text_of(element[0])
    if text is None:
        return None
    family = 4 if spec.kind == "v4" else 6
    out = statevalues.address(text)
    if out is None and family == 4 and (number := statevalues.number(text)) is not None and number <= netevents.LONG:
        out = ipaddress.IPv4Address(number)
    if out is None and family == 6 and (data := statevalues.blob_bytes(text)) is not None and len(data) == 16:
        out = ipaddress.IPv6Address(data)
    if out is None or out.version != family:
        raise UnreadableError(text)
    return str(out)


def _blob(element: etree._Element, _: NetField) -> str | None:
    parts = children(element)
    data = text_of(parts.get("data"))
    rendered = text_of(parts.get("asstring"))
    if data is None and rendered is None:
        return text_of(element)
    raw = statevalues.blob_bytes(data) if data is not None else None
    out = statevalues.blob_text(raw) if raw is not None else None
    if out is None:  # values come from data; its rendering is a last resort, and told
        raise UnreadableError(data or rendered or "", undotted(rendered) if rendered is not None else None)
    return out


def _version(element: etree._Element, _: NetField) -> int | None:
    text = (text_of(element) or "").upper()
    if text in ("", "FWP_IP_VERSION_NONE"):
        return None
    found = {"FWP_IP_VERSION_V4": 4, "FWP_IP_VERSION_V6": 6, "0": 4, "1": 6}.get(text)  # the enumeration's numbers
    if found is None:
        raise UnreadableError(text)
    return found


def _direction(element: etree._Element, spec: NetField) -> str | None:
    text = text_of(element)
    if text is None:
        return None
    number = statevalues.number(text)
    if number is None:
        found = netevents.DIRECTIONS.get(text.upper())
    elif spec.tag == "direction":
        found = netevents.IPSEC_DIRECTION_NUMBERS.get(number) or netevents.MS_DIRECTION_NUMBERS.get(number)
    elif number == 0:
        return None
    else:
        found = netevents.MS_DIRECTION_NUMBERS.get(number)
    if found is None:
        raise UnreadableError(text)
    return found


def _bool(element: etree._Element, _: NetField) -> str | None:
    text = text_of(element)
    if text is None:
        return None
    found = {"true": "true", "1": "true", "false": "false", "0": "false"}.get(text.lower())
    if found is None:
        raise UnreadableError(text)
    return found


def _mac(element: etree._Element, _: NetField) -> str | None:
    text = text_of(element)
    if text is None and len(element) == 1:
        text = text_of(element[0])
    if text is None:
        return None
    data = statevalues.blob_bytes(text.replace("-", "").replace(":", ""))
    if data is None or len(data) != 6:
        raise UnreadableError(text)
    return data.hex("-")


def _capability(element: etree._Element, _: NetField) -> str | None:
    text = text_of(element)
    if text is None:
        return None
    number = statevalues.number(text)
    if number is None:
        return text.upper().removeprefix(netevents.CAPABILITY_PREFIX)
    if number >= len(netevents.CAPABILITIES):
        raise UnreadableError(text)
    return netevents.CAPABILITIES[number]


def _names(element: etree._Element, _: NetField) -> tuple[str, ...] | None:
    return names(element)


READERS: Final[dict[str, Callable[[etree._Element, NetField], object]]] = {
    "number": _number,
    "positive": _positive,
    "text": _text,
    "sid": _sid,
    "v4": _address,
    "v6": _address,
    "blob": _blob,
    "version": _version,
    "direction": _direction,
    "bool": _bool,
    "mac": _mac,
    "capability": _capability,
    "names": _names,
}


def action(text: str) -> str:
    """Return the contract's word for a terminating filter's action; a number is read as its type."""
    number = statevalues.number(text)
    return values.canonical_action(values.ACTION_NUMBERS.get(number, text) if number is not None else text)
