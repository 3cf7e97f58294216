"""The XML of a dump: indented lines, lists with their count, filters and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samples.state import Condition, Filter


class Xml:
    """Collects indented lines."""

    def __init__(self) -> None:
        self.lines = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>']
        self.depth = 0

    def leaf(self, tag: str, text: str | float = "") -> None:
        """Write an element with text, or one closed tag without."""
        value = escape(str(text))
        self.lines.append("\t" * self.depth + (f"<{tag}>{value}</{tag}>" if value else f"<{tag}/>"))

    def open(self, tag: str) -> None:
        """Open an element."""
        self.lines.append("\t" * self.depth + f"<{tag}>")
        self.depth += 1

    def close(self, tag: str) -> None:
        """Close an element."""
        self.depth -= 1
        self.lines.append("\t" * self.depth + f"</{tag}>")

    def start(self, tag: str, count: int) -> bool:
        """Open a list and say whether it has items; an empty list is one closed tag."""
        if not count:
            self.leaf(tag)
            return False
        self.lines.append("\t" * self.depth + f'<{tag} numItems="{count}">')
        self.depth += 1
        return True

    def words(self, tag: str, words: Sequence[str]) -> None:
        """Write a list of words."""
        if self.start(tag, len(words)):
            for word in words:
                self.leaf("item", word)
            self.close(tag)

    def display(self, name: str, description: str = "") -> None:
        """Write a display name with its description."""
        self.open("displayData")
        self.leaf("name", name)
        self.leaf("description", description)
        self.close("displayData")


def prefixed(prefix: str, word: str) -> str:
    """Return a symbol with its prefix; GUIDs stay as they are."""
    return word if not word or word.startswith("{") else prefix + word


def blob(text: str) -> str:
    """Return hex of UTF-16LE with a final NUL, as application ids and origins are stored."""
    return (text + "\0").encode("utf-16-le").hex()


def dotted(text: str) -> str:
    """Return text as ``asString`` shows UTF-16: a dot after each character."""
    return "".join(f"{c}." for c in text) + ".."


def write_filter(xml: Xml, item: Filter) -> None:
    """Write one filter with its conditions."""
    xml.open("item")
    xml.leaf("filterKey", item.key)
    xml.display(item.name, item.description)
    xml.words("flags", [f"FWPM_FILTER_FLAG_{flag}" for flag in item.flags])
    xml.leaf("providerKey", prefixed("FWPM_PROVIDER_", item.provider or ""))
    if item.provider_data is None:
        xml.leaf("providerData")
    else:
        xml.open("providerData")
        xml.leaf("data", item.provider_data)
        raw = bytes.fromhex(item.provider_data)
        xml.leaf("asString", "".join(chr(b) if 32 <= b < 127 else "." for b in raw))
        xml.close("providerData")
    xml.leaf("layerKey", prefixed("FWPM_LAYER_", item.layer))
    xml.leaf("subLayerKey", prefixed("FWPM_SUBLAYER_", item.sublayer))
    _number(xml, "weight", *item.weight)
    if xml.start("filterCondition", len(item.conditions)):
        for condition in item.conditions:
            _condition(xml, condition)
        xml.close("filterCondition")
    xml.open("action")
    xml.leaf("type", f"FWP_ACTION_{item.action}")
    xml.leaf("filterType", prefixed("FWPM_CALLOUT_", item.callout or ""))
    xml.close("action")
    if item.context:
        xml.leaf("providerContextKey", item.context)
    else:
        xml.leaf("rawContext", 0)
    xml.leaf("reserved")
    xml.leaf("filterId", item.filter_id)
    _number(xml, "effectiveWeight", "UINT64", item.effective)
    xml.close("item")


def _number(xml: Xml, tag: str, kind: str, value: int | None) -> None:
    xml.open(tag)
    xml.leaf("type", f"FWP_{kind}")
    if value is not None:
        xml.leaf(kind.lower(), value)
    xml.close(tag)


_VALUE_TAG: Final = {
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "BYTE_ARRAY16_TYPE": "byteArray16",
    "SID": "sid",
    "SECURITY_DESCRIPTOR_TYPE": "sd",
}


def _condition(xml: Xml, condition: Condition) -> None:
    xml.open("item")
    xml.leaf("fieldKey", f"FWPM_CONDITION_{condition.field}")
    xml.leaf("matchType", f"FWP_MATCH_{condition.match}")
    xml.open("conditionValue")
    if isinstance(condition.value, tuple):
        xml.leaf("type", "FWP_RANGE_TYPE")
        xml.open("rangeValue")
        for tag, value in zip(("valueLow", "valueHigh"), condition.value, strict=True):
            xml.open(tag)
            xml.leaf("type", f"FWP_{condition.kind}")
            xml.leaf(_VALUE_TAG[condition.kind], value)
            xml.close(tag)
        xml.close("rangeValue")
    else:
        xml.leaf("type", f"FWP_{condition.kind}")
        if condition.kind == "BYTE_BLOB_TYPE":
            xml.open("byteBlob")
            xml.leaf("data", blob(str(condition.value)))
            xml.leaf("asString", condition.value)
            xml.close("byteBlob")
        else:
            xml.leaf(_VALUE_TAG[condition.kind], condition.value)
    xml.close("conditionValue")
    xml.close("item")
