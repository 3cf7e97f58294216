"""Parse XML that came from anybody: no DTD, no entities, no network, bounded depth and size, several roots.

A DOCTYPE is refused before a parser sees it. The roots of the file (``netsh`` writes two) are put under one made-up
root. What a strict parser refuses is repaired first, and every loss is told, but for those inside the net events of a
capture: a reader of their own tells these (`analyzer.readers.netevents`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from lxml import etree

from analyzer.readers import xmlparser, xmlrepair, xmltext

if TYPE_CHECKING:
    from analyzer.readers.stateproblems import Problems

MAX_BYTES: Final = 256 * 1024 * 1024
_WRAP: Final = "roots"
_DOCTYPE: Final = re.compile(r"<!\s{0,20}(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)\b", re.IGNORECASE)
_NET_EVENT: Final = re.compile(r"<(/?)(?:[\w.\-]{1,60}:)?netEvent(?=[\s>])", re.IGNORECASE)
_INDENT: Final = 200  # characters before and behind a tag on its line
_OPENING: Final = re.compile(r"<[A-Za-z_]")
_DECLARATION: Final = re.compile(r"<\?xml\s[^>]{0,300}\?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Roots:
    """The root elements of a file, and whether the file was cut or repaired."""

    elements: tuple[etree._Element, ...]
    repaired: bool
    cut: bool


def _strict(text: str) -> etree._Element:
    return xmlparser.parse(f"<{_WRAP}>{text}</{_WRAP}>")


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def parse_roots(data: bytes, problems: Problems) -> Roots | None:
    """Return the root elements of an XML file, or None when nothing can be read; every loss goes to ``problems``."""
    if len(data) > MAX_BYTES:
        problems.add("lost", None, f"is {len(data):,} bytes long, more than {MAX_BYTES:,}: nothing of it was read")
        return None
    read = xmltext.read_text(data)
    if "<" not in read.text:
        what = "is not XML: nothing of it was read" if read.text.strip() else "is empty"
        problems.add("lost", None, what)
        return None
    doctype = _DOCTYPE.search(read.text)
    if doctype is not None:
        line = read.text.count("\n", 0, doctype.start()) + 1
        problems.add("lost", f"line {line}", "has a DOCTYPE: refused, nothing of it was read")
        return None
    net = _NetEvents(read.text)
    for damage in read.damage:
        # asString is a rendering of binary data that is read from <data> instead
        if damage.element == "asString" or damage.line in net:
            continue
        where = f"<{damage.element}>" if damage.element else "the text between elements"
        what = f"characters that XML does not allow in {where}: replaced by U+FFFD"
        problems.add("doubtful", f"line {damage.line}", what, group="characters")
    text = _DECLARATION.sub(_blank, read.text)
    try:
        tree, repaired, cut = _strict(text), False, False
    except etree.XMLSyntaxError as error:
        tree, cut = _repaired(text, problems, error, net)
        repaired = True
        problems.cut = cut
    roots = tuple(element for element in tree if isinstance(element.tag, str))
    for root in roots:
        _plain_names(root)
    return Roots(roots, repaired, cut)


class _NetEvents:
    """Where the net events of a capture stand; looked for only when something is damaged."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __contains__(self, line: int) -> bool:
        """Tell a line that holds nothing but a net event, or a part of one."""
        firsts, lasts, _ = self._lines
        place = bisect_right(firsts, line)
        return place > 0 and line <= lasts[place - 1]

    @property
    def last(self) -> bool:
        """Whether the file ends inside a net event or with their list: none but them can follow."""
        return self._lines[2]

    @cached_property
    def _lines(self) -> tuple[list[int], list[int], bool]:
        """First and last lines of net events, from an opening tag to its end or to the next one; `last`."""
        firsts: list[int] = []
        lasts: list[int] = []
        text, line, counted = self._text, 1, 0
        for tag in _NET_EVENT.finditer(text):
            line, counted = line + text.count("\n", counted, tag.start()), tag.start()
            before, feed, own = text[max(0, counted - _INDENT) : counted].rpartition("\n")
            own_line = not own.strip() and (bool(feed) or not before)
            if len(lasts) < len(firsts):
                rest = text[tag.end() : tag.end() + _INDENT].partition("\n")[0].strip(" \t\r>")
                lasts.append(line if tag[1] and not rest else line - 1)
            if not tag[1]:
                firsts.append(line if own_line else line + 1)
        open_end = len(lasts) < len(firsts)
        if open_end:
            lasts.append(line + text.count("\n", counted))
        return firsts, lasts, bool(firsts) and (open_end or _OPENING.search(text, counted) is None)


def _repaired(
    text: str, problems: Problems, error: etree.XMLSyntaxError, net: _NetEvents
) -> tuple[etree._Element, bool]:
    fixed, losses = xmlrepair.repair(text)
    try:
        tree = _strict(fixed)
    except etree.XMLSyntaxError as again:
        problems.add("lost", f"line {again.lineno}", f"cannot be read as XML: {again.msg}")
        return etree.Element(_WRAP), False
    for loss in losses:
        if loss.line in net or (loss.cut and net.last):
            continue
        problems.add("lost", f"line {loss.line}", loss.what, group=None if loss.cut else "damaged tags")
    if not losses and (error.lineno or 0) not in net:
        problems.add("doubtful", f"line {error.lineno}", f"is not well-formed XML: {error.msg}")
    return tree, any(loss.cut for loss in losses)


# Element names that the readers look for: files with a namespace or in another case are renamed to these.
_NAME_LIST: Final = """
    wfpstate wfpdiag firewallState timeStamp sessions layers layer providers providerContexts subLayers callouts
    filters aleConnectedEndpoints item filterKey displayData name description flags providerKey providerData
    data asString layerKey subLayerKey weight type uint8 uint16 uint32 uint64 filterCondition fieldKey matchType
    conditionValue byteBlob byteArray16 byteArray6 sid sd unicodeString rangeValue valueLow valueHigh v4AddrMask
    v6AddrMask addr mask prefixLength action filterType calloutKey rawContext providerContextKey filterId
    effectiveWeight layerId calloutId applicableLayer dataBuffer serviceName sessionKey processId username
    kernelMode endpointId ipProtocol localPort remotePort localV4Address remoteV4Address localV6Address
    remoteV6Address appId netEvents netEvent
"""
_NAMES: Final = {name.lower(): name for name in _NAME_LIST.split()}


def _plain_names(root: etree._Element) -> None:
    """Strip namespaces and restore the usual case, only where the root shows that this is needed."""
    if not isinstance(root.tag, str) or (_NAMES.get(root.tag.lower(), root.tag) == root.tag and "}" not in root.tag):
        return
    for element in root.iter(etree.Element):
        local = element.tag.rpartition("}")[2]
        element.tag = _NAMES.get(local.lower(), local)
