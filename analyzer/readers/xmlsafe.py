"""Parse XML that came from anybody: no DTD, no entities, no network, bounded depth and size, several roots.

A DOCTYPE is refused before a parser sees it. The roots of the file (``netsh`` writes two) are put under one made-up
root. What a strict parser refuses is repaired first, and every loss is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lxml import etree

from analyzer.readers import xmlrepair, xmltext

if TYPE_CHECKING:
    from analyzer.readers.stateproblems import Problems

MAX_BYTES: Final = 256 * 1024 * 1024
_WRAP: Final = "roots"
_DOCTYPE: Final = re.compile(r"<!\s{0,20}(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)\b", re.IGNORECASE)
_DECLARATION: Final = re.compile(r"<\?xml\s[^>]{0,300}\?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Roots:
    """The root elements of a file, and whether the file was cut or repaired."""

    elements: tuple[etree._Element, ...]
    repaired: bool
    cut: bool


def _parser() -> etree.XMLParser:
    # huge_tree stays off: libxml2's own limits (depth 256, 10 MB of text) are a second net under ours.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=False,
    )


def _strict(text: str) -> etree._Element:
    return etree.fromstring(f"<{_WRAP}>{text}</{_WRAP}>".encode(), _parser())


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
    for damage in read.damage:
        if damage.element == "asString":  # a rendering of binary data that is read from <data> instead
            continue
        where = f"<{damage.element}>" if damage.element else "the text between elements"
        what = f"characters that XML does not allow in {where}: replaced by U+FFFD"
        problems.add("doubtful", f"line {damage.line}", what, group="characters")
    text = _DECLARATION.sub(_blank, read.text)
    try:
        tree, repaired, cut = _strict(text), False, False
    except etree.XMLSyntaxError as error:
        tree, cut = _repaired(text, problems, error)
        repaired = True
        problems.cut = cut
    roots = tuple(element for element in tree if isinstance(element.tag, str))
    for root in roots:
        _plain_names(root)
    return Roots(roots, repaired, cut)


def _repaired(text: str, problems: Problems, error: etree.XMLSyntaxError) -> tuple[etree._Element, bool]:
    fixed, losses = xmlrepair.repair(text)
    try:
        tree = _strict(fixed)
    except etree.XMLSyntaxError as again:
        problems.add("lost", f"line {again.lineno}", f"cannot be read as XML: {again.msg}")
        return etree.Element(_WRAP), False
    for loss in losses:
        problems.add("lost", f"line {loss.line}", loss.what, group=None if loss.cut else "damaged tags")
    if not losses:
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
