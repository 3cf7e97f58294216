"""The XML of single filters, as a state has them: for the page of a filter that somebody cites.

The file is parsed again for the few filters that are asked for, so that the text of thousands of others is never held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from analyzer.readers import statelists, statevalues, xmlsafe
from analyzer.readers.stateproblems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LONGEST: Final = 12_000  # characters of one filter; a rule with hundreds of addresses has more
MOST: Final = 400_000  # characters of all filters of a file together


def filter_xml(path: Path, wanted: Iterable[int]) -> dict[int, str]:
    """Return the XML of these filters by run-time id, as far as the file has them.

    The text is that of the parsed element: white space, order and values are as in the file; comments are left out. A
    text longer than ``LONGEST`` is cut and ends with a comment that says so; beyond ``MOST`` the rest is left out.

    Raises
    ------
    OSError
        when the file cannot be opened or read.
    """
    left = set(wanted)
    if not left or path.stat().st_size > xmlsafe.MAX_BYTES:
        return {}
    roots = xmlsafe.parse_roots(path.read_bytes(), Problems(path.name))  # the problems were told at the first reading
    out: dict[int, str] = {}
    room = MOST
    for root in roots.elements if roots is not None else ():
        for element in root.iter("filterId"):
            number = statevalues.number((element.text or "").strip())
            item = element.getparent()
            if number is None or number not in left or item is None or statelists.child(item, "filterKey") is None:
                continue
            left.discard(number)  # the first one is the one that was read
            text = _text(item)
            room -= len(text)
            if room < 0:
                return out
            out[number] = text
            if not left:
                return out
    return out


def _text(item: etree._Element) -> str:
    """Return an element as text, its lines moved to the left margin."""
    text = etree.tostring(item, encoding="unicode", with_tail=False)
    lines = text.expandtabs(4).splitlines()
    inner = [line for line in lines[1:] if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in inner), default=0)
    text = "\n".join([*lines[:1], *(line[margin:] for line in inner)])
    if len(text) <= LONGEST:
        return text
    kept = text[: text.rfind(">", 0, LONGEST) + 1]  # never inside a value: half of a name would be no name
    return f"{kept}\n<!-- {len(text) - len(kept):,} more characters -->"
