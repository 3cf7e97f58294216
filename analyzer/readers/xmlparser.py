"""The one parser for XML that came from anybody: no DTD, no entities, no network, bounded depth and size."""

from __future__ import annotations

from typing import Final

from lxml import etree

# huge_tree stays off: libxml2's own limits (depth 256, 10 MB of text) are a second net under the readers'.
_PARSER: Final = etree.XMLParser(
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


def parse(text: str) -> etree._Element:
    """Return the root element of a text, without comments and processing instructions.

    Raises
    ------
    etree.XMLSyntaxError
        The text is not well-formed, or goes beyond the parser's bounds.
    UnicodeEncodeError
        The text holds lone surrogates.
    """
    return etree.fromstring(text.encode(), _PARSER)
