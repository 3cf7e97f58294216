"""The XML of a filter with labels in it.

Texts are told piece by piece, with XML's own escapes undone, so that ``R&amp;D`` is found as ``R&D``. What shows a
value a second time, or shows an address as a bare number, can't be told from what has to go: it is left out.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HIDDEN: Final = "hidden"
# <asString> shows the bytes of <data> once more, as characters with dots between: no name would be found in it.
_AGAIN: Final = re.compile(r"<(asString)>[^<]+</\1>", re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"<fieldKey>[^<]*ADDRESS[^<]*</fieldKey>.*?(?:</conditionValue>|\Z)", re.IGNORECASE | re.DOTALL
)
_NUMBER: Final = re.compile(r">\s*[0-9a-fx]+\s*<", re.IGNORECASE)
_TEXT: Final = re.compile(r">([^<>]*[^<>\s][^<>]*)<")


def texts(xml: str) -> Iterator[str]:
    """Yield the texts of all elements."""
    return (unescape(match[1]) for match in _TEXT.finditer(xml))


def rewrite(xml: str, one: Callable[[str], str]) -> str:
    """Return the XML with each text changed by ``one``."""
    plain = _AGAIN.sub(rf"<\1>{HIDDEN}</\1>", xml)
    bare = _ADDRESS.sub(lambda match: _NUMBER.sub(f">{HIDDEN}<", match[0]), plain)
    return _TEXT.sub(lambda match: f">{escape(one(unescape(match[1])))}<", bare)
