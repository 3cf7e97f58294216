"""Make broken XML well-formed again, losing as little as possible and saying what was lost.

Only used after a strict parser has refused a file. A cut file keeps every complete record before the cut; a
clobbered tag costs the element that it belonged to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# Lists whose items are records of their own: a cut takes the record that it hits, not the list.
RECORD_LISTS: Final = frozenset(
    {"layers", "filters", "callouts", "providers", "providerContexts", "subLayers", "sessions", "aleConnectedEndpoints"}
)
MAX_DEPTH: Final = 100
MAX_TEXT: Final = 1_000_000  # characters in one piece of text
MAX_LOSSES: Final = 10_000  # damaged places, after which the rest is not read

_TAG: Final = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z_][\w.\-]{0,200}(?::[\w.\-]{1,200})?)"
    r"(?P<attributes>(?:\s[^<>]{0,2000}?)?)(?P<empty>/?)>"
)
_NO_MARKUP: Final = (("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>"))
_COUNT: Final = re.compile(r'\bnumItems\s*=\s*"(\d{1,12})"', re.IGNORECASE)
_BARE_AMPERSAND: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)")


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that could not be kept; ``cut`` where the file simply ends."""

    line: int
    what: str
    cut: bool = False


@dataclass(slots=True)
class _Open:
    name: str
    line: int
    mark: int  # how many output pieces there were before this element


def _escape(text: str) -> str:
    return _BARE_AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def _escape_all(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Repair:
    """State of one repair: output pieces, open elements, losses."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out: list[str] = []
        self.stack: list[_Open] = []
        self.losses: list[Loss] = []
        self.line = 1
        self.too_deep = 0  # open elements that were left out below MAX_DEPTH

    def piece(self, start: int, end: int) -> None:
        """Take text between two tags; its line breaks are kept so that line numbers stay true."""
        text = self.text[start:end]
        if not text:
            return
        if len(text) > MAX_TEXT:
            self.losses.append(Loss(self.line, f"text of {len(text):,} characters: only its beginning was kept"))
            text = text[:MAX_TEXT] + "\n" * text.count("\n", MAX_TEXT)
        if "<" in text:
            line = self.line + text.count("\n", 0, text.index("<"))
            self.losses.append(Loss(line, "a damaged tag: read as text"))
        self.out.append(_escape(text) if self.too_deep == 0 else "\n" * text.count("\n"))
        self.line += text.count("\n")

    def open(self, name: str, attributes: str, *, empty: bool) -> None:
        if len(self.stack) >= MAX_DEPTH or self.too_deep:
            if not self.too_deep:
                self.losses.append(Loss(self.line, f"elements nested deeper than {MAX_DEPTH}: left out"))
            self.too_deep += not empty
            return
        mark = len(self.out)
        count = _COUNT.search(attributes) if attributes else None
        self.out.append(f'<{name} numItems="{count[1]}"' if count else f"<{name}")
        self.out.append("/>" if empty else ">")
        if not empty:
            self.stack.append(_Open(name, self.line, mark))

    def close(self, name: str) -> None:
        if self.too_deep:
            self.too_deep -= 1
            return
        if not any(item.name == name for item in self.stack):
            self.losses.append(Loss(self.line, f"</{name}> closes nothing: left out"))
            return
        while self.stack[-1].name != name:
            item = self.stack.pop()
            self.losses.append(Loss(item.line, f"<{item.name}> is not closed"))
            self.out.append(f"</{item.name}>")
        self.stack.pop()
        self.out.append(f"</{name}>")

    def finish(self) -> None:
        """Close what the end of the file left open; a record that was cut is taken out again."""
        if not self.stack:
            return
        self.too_deep = 0
        for index in range(len(self.stack) - 1, -1, -1):
            item = self.stack[index]
            if item.name in RECORD_LISTS:
                break
            if item.name == "item" and index and self.stack[index - 1].name in RECORD_LISTS:
                parent = self.stack[index - 1].name
                if parent == "layers" and any(piece.startswith("<filters") for piece in self.out[item.mark :]):
                    break  # its filters were listed in full; only its end is missing
                del self.out[item.mark :]
                del self.stack[index:]
                what = f"the file ends inside an item of <{parent}>: this item and all that followed are lost"
                self.losses.append(Loss(item.line, what, cut=True))
                break
        if not self.losses or not self.losses[-1].cut:
            name = self.stack[-1].name
            self.losses.append(Loss(self.line, f"the file ends inside <{name}>: all that followed is lost", cut=True))
        self.out.extend(f"</{item.name}>" for item in reversed(self.stack))


def _without_comments(text: str) -> str:
    """Blank out comments and processing instructions and escape CDATA; line breaks stay. Linear in the text."""
    for start, end in _NO_MARKUP:
        if start not in text:
            continue
        out: list[str] = []
        position = 0
        while (begin := text.find(start, position)) >= 0 and (stop := text.find(end, begin + len(start))) >= 0:
            inside = text[begin + len(start) : stop]
            out.append(text[position:begin])
            out.append(_escape_all(inside) if start == "<![CDATA[" else "\n" * inside.count("\n"))
            position = stop + len(end)
        out.append(text[position:])
        text = "".join(out)
    return text


def repair(text: str) -> tuple[str, list[Loss]]:
    """Return well-formed text with the same line numbers, and what was lost on the way.

    Attributes other than ``numItems`` are dropped. Undefined entities stay as text.
    """
    text = _without_comments(text)
    state = _Repair(text)
    position = 0
    for token in _TAG.finditer(text):
        state.piece(position, token.start())
        position = token.end()
        if len(state.losses) >= MAX_LOSSES:
            what = f"more than {MAX_LOSSES:,} damaged places: what follows was not read"
            state.losses.append(Loss(state.line, what, cut=True))
            position = len(text)
            break
        name = token["name"].rpartition(":")[2]
        if token["close"]:
            state.close(name)
        else:
            state.open(name, token["attributes"], empty=bool(token["empty"]))
        state.line += token[0].count("\n")
    cut_tag = text.rfind("<", position)
    state.piece(position, cut_tag if cut_tag >= 0 and state.stack else len(text))
    state.finish()
    return "".join(state.out), state.losses
