"""Parse the text of one net event: strictly, or after a repair that lost nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, Protocol

from lxml import etree

from analyzer.readers import xmlparser, xmlrepair, xmltext

if TYPE_CHECKING:
    from analyzer.readers.netevents.text import EventText

_POSITION: Final = re.compile(r", line \d+, column \d+.*")  # counted from the net event, not from the file
_PREFIXED: Final = re.compile(r"<(/?)[\w.\-]{1,60}:(?=[A-Za-z_])")


class Tell(Protocol):
    """Records a problem: severity, line, what, and the group that it is counted in."""

    def __call__(
        self, severity: Literal["lost", "doubtful", "note"], line: int | None, what: str, group: str = ""
    ) -> None:
        """Record it."""


def parse_event(item: EventText, tell: Tell) -> etree._Element | None:
    """Return the element of a net event without namespace prefixes, None where it is damaged; every loss is told."""
    read = xmltext.read_text(item.text.encode("utf-8", "surrogatepass"))
    for damage in read.damage:
        if damage.element is None or damage.element.lower() != "asstring":  # a rendering of what <data> holds
            where = f"<{damage.element}>" if damage.element else "the text between elements"
            what = f"characters that XML does not allow in {where}: replaced by U+FFFD"
            tell("doubtful", item.line + damage.line - 1, what, group="characters")
    text = _PREFIXED.sub(r"<\1", read.text)
    try:
        return xmlparser.parse(text)
    except etree.XMLSyntaxError as error:
        fixed, losses = xmlrepair.repair(text)
        said, flaw = _POSITION.sub("", str(error.msg)), item.line + max(error.lineno or 1, 1) - 1
    try:
        element = xmlparser.parse(fixed) if not losses else None
    except etree.XMLSyntaxError:
        element = None
    if element is None:
        what = losses[0].what if losses else said
        line = item.line + (losses[0].line - 1 if losses else 0)
        tell("lost", line, f"a net event is lost: it is damaged ({what})", group="damaged net events")
        return None
    tell("doubtful", flaw, f"a net event that is not well-formed XML: {said}", group="form")
    return element
