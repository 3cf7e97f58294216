"""Decode the values of filter conditions. The table of Python types is in ``analyzer.readers.wfpstate``.

Value tags and their meaning: REFERENCE 4.2 and 9. Values come from ``data``, never from ``asString``.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.wfp import fields, sids, values

if TYPE_CHECKING:
    from lxml import etree

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
UINT64_MAX: Final = 2**64 - 1
_LIMITS: Final[dict[str, int]] = {"UINT8": 2**8 - 1, "UINT16": 2**16 - 1, "UINT32": 2**32 - 1, "UINT64": UINT64_MAX}
# Value tag -> type, for values whose <type> is missing.
_TAG_TYPES: Final[dict[str, str]] = {
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "byteArray16": "BYTE_ARRAY16_TYPE",
    "byteArray6": "BYTE_ARRAY6_TYPE",
    "byteBlob": "BYTE_BLOB_TYPE",
    "sid": "SID",
    "sd": "SECURITY_DESCRIPTOR_TYPE",
    "unicodeString": "UNICODE_STRING_TYPE",
    "rangeValue": "RANGE_TYPE",
    "v4AddrMask": "V4_ADDR_MASK",
    "v6AddrMask": "V6_ADDR_MASK",
}
_TEXT_TYPES: Final = frozenset({"SID", "SECURITY_DESCRIPTOR_TYPE", "UNICODE_STRING_TYPE"})

_NO_TEXT: Final = frozenset({"Cc", "Cs", "Cn", "Co"})


class Value(NamedTuple):
    """One decoded value. ``value`` is None where ``error`` says why, or for the type EMPTY."""

    type: str
    value: object
    text: str
    raw: str
    error: str | None = None


def number(text: str | None) -> int | None:
    """Return an unsigned 64-bit number from decimal or ``0x`` text, or None."""
    value = (text or "").strip()
    if len(value) > 20 or not value.isascii():
        return None
    if value.isdigit():
        out = int(value)
    elif value[:2] in ("0x", "0X") and value[2:].isalnum():
        try:
            out = int(value, 16)
        except ValueError:
            return None
    else:
        return None
    return out if out <= UINT64_MAX else None


@lru_cache(maxsize=65536)
def address(text: str) -> Address | None:
    """Return an IPv4 or IPv6 address without its zone, or None."""
    try:
        return ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None


@lru_cache(maxsize=16384)
def blob_bytes(text: str) -> bytes | None:
    """Return the bytes of a ``data`` element's hex text, or None."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


@lru_cache(maxsize=16384)
def blob_text(data: bytes) -> str | None:
    """Return the UTF-16LE text of a blob without its final NULs, or None where it is no such text."""
    if not data or len(data) % 2:
        return None
    try:
        text = data.decode("utf-16-le").rstrip("\x00")
    except UnicodeDecodeError:
        return None
    # Format characters (bidirectional marks and the like) may stand in a hostile path; controls mean it is no text.
    return text if text and not any(unicodedata.category(char) in _NO_TEXT for char in text) else None


def data_text(blob: etree._Element | None) -> str | None:
    """Return the text that a ``{data, asString}`` element holds, from ``data``, or None."""
    data = blob_bytes((blob.findtext("data") or "").strip()) if blob is not None else None
    return blob_text(data) if data is not None else None


def _integer(field: str, kind: str, raw: str) -> Value:
    if "." in raw and kind == "UINT32":
        dotted = address(raw)
        return Value(kind, dotted, raw, raw, None if dotted is not None else f"{raw!r} is no address")
    value = number(raw)
    if value is None or value > _LIMITS[kind]:
        return Value(kind, None, raw, raw, f"{raw!r} is no {kind}")
    if kind == "UINT32" and field in fields.ADDRESS_FIELDS:
        as_address = ipaddress.IPv4Address(value)
        return Value(kind, as_address, str(as_address), raw)
    return Value(kind, value, str(value), raw)


def _bytes16(raw: str) -> Value:
    value = address(raw)
    if value is None:
        data = blob_bytes(raw)
        value = ipaddress.IPv6Address(data) if data is not None and len(data) == 16 else None
    if not isinstance(value, ipaddress.IPv6Address):
        return Value("BYTE_ARRAY16_TYPE", None, raw, raw, f"{raw!r} is no IPv6 address")
    return Value("BYTE_ARRAY16_TYPE", value, str(value), raw)


def _bytes6(raw: str) -> Value:
    data = blob_bytes(raw.replace("-", "").replace(":", ""))
    if data is None or len(data) != 6:
        return Value("BYTE_ARRAY6_TYPE", None, raw, raw, f"{raw!r} is no MAC address")
    return Value("BYTE_ARRAY6_TYPE", data, data.hex("-"), raw)


def _blob(field: str, element: etree._Element) -> Value:
    raw = (element.findtext("data") or "").strip()
    data = blob_bytes(raw)
    if data is None:
        return Value("BYTE_BLOB_TYPE", None, raw, raw, "the blob's data is no hex text")
    text = blob_text(data)
    if field in fields.PATH_FIELDS:
        if text is None:
            return Value("BYTE_BLOB_TYPE", None, raw, raw, "the blob's data is no UTF-16 text")
        return Value("BYTE_BLOB_TYPE", text.lower(), text, raw)
    return Value("BYTE_BLOB_TYPE", data, text or raw, raw)


def _range(field: str, element: etree._Element) -> Value:
    ends: list[Value] = []
    for name in ("valueLow", "valueHigh"):
        end = next(element.iterchildren(name), None)
        if end is None:
            return Value("RANGE_TYPE", None, "", "", f"the range has no <{name}>")
        ends.append(decode(field, end))
    low, high = ends
    raw = f"{low.raw}-{high.raw}"
    text = low.text if low.value == high.value else f"{low.text}-{high.text}"
    if low.value is None or high.value is None:
        return Value("RANGE_TYPE", None, raw, raw, low.error or high.error or "an end of the range has no value")
    if type(low.value) is not type(high.value):
        return Value("RANGE_TYPE", None, raw, raw, "the ends of the range are of different types")
    return Value("RANGE_TYPE", (low.value, high.value), text, raw)


def _mask(kind: str, element: etree._Element) -> Value:
    base = (element.findtext("addr") or "").strip()
    mask = (element.findtext("prefixLength") or element.findtext("mask") or "").strip()
    raw = f"{base}/{mask}"
    start = address(base)
    if start is None and kind == "V4_ADDR_MASK" and (value := number(base)) is not None and value < 2**32:
        start = ipaddress.IPv4Address(value)
    length = number(mask)
    if length is not None and length > 128:  # a V4 mask as one number
        mask = str(ipaddress.IPv4Address(length)) if length < 2**32 else mask
    try:
        network = ipaddress.ip_network(f"{start}/{mask}", strict=False)
    except ValueError:
        return Value(kind, None, raw, raw, f"{raw!r} is no address with a mask")
    return Value(kind, network, str(network), raw)


def _plain(kind: str, raw: str) -> Value:
    """Decode SIDs, descriptors and strings, whose value is their text."""
    if kind != "SID":
        return Value(kind, raw, raw, raw)
    sid = sids.canonical_sid(raw)
    good = sids.is_sid(sid) or sid in sids.RELATIVE_ALIASES
    return Value(kind, sid if good else None, sid, raw, None if good else f"{raw!r} is no SID")


def decode(field: str, element: etree._Element) -> Value:
    """Decode one ``conditionValue``, ``valueLow`` or ``valueHigh`` of a condition on ``field``. Never raises."""
    kind = ""
    holder = None
    for child in element:
        if child.tag == "type":
            kind = (child.text or "").strip().upper().removeprefix(values.TYPE_PREFIX)
        elif holder is None:
            holder = child
    if holder is None:
        raw = (element.text or "").strip()
        return Value(kind or "EMPTY", None, raw, raw, None if kind in ("", "EMPTY") else f"the {kind} has no value")
    kind = kind or _TAG_TYPES.get(holder.tag, holder.tag.upper())
    return _decode(field, kind, holder)


def _decode(field: str, kind: str, holder: etree._Element) -> Value:
    """Decode a value whose type is known; ``holder`` is the element that holds it."""
    raw = (holder.text or "").strip()
    if kind in _LIMITS:
        out = _integer(field, kind, raw)
    elif kind in _TEXT_TYPES:
        out = _plain(kind, raw)
    elif kind == "BYTE_BLOB_TYPE":
        out = _blob(field, holder)
    elif kind == "RANGE_TYPE":
        out = _range(field, holder)
    elif kind == "BYTE_ARRAY16_TYPE":
        out = _bytes16(raw)
    elif kind == "BYTE_ARRAY6_TYPE":
        out = _bytes6(raw)
    elif kind in ("V4_ADDR_MASK", "V6_ADDR_MASK"):
        out = _mask(kind, holder)
    else:
        printed = raw or " ".join("".join(map(str, holder.itertext())).split())
        out = Value(kind, None, printed, printed, f"values of type {kind} are not decoded")
    return out
