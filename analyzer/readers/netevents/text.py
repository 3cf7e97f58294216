"""From the blocks of a file to the XML text of single net events, in bounded memory.

The file is never held, and never given to a parser as a whole: it is decoded block by block, comments are blanked, and
the text of each net event is cut out by its own tags. So a damaged event costs itself, a cut file keeps every whole
event before the cut, and any number of roots may stand in one file. A document type is refused.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from analyzer.readers.xmltext import detect_encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_EVENT: Final = 1024 * 1024  # characters of one net event; real ones have about 3,000
MAX_COMMENT: Final = 1024 * 1024
MAX_STRAYS: Final = 10  # that are told one by one
_KEEP: Final = 8192  # characters held back where an element may have begun
_HEAD: Final = 512  # bytes that tell the encoding

# A net event is a <netEvent> (wfpdiag.xml) or an <item> (netevents.xml) that begins with its header or its type.
_PREFIX: Final = r"(?:[\w.\-]{1,60}:)?"
_START: Final = re.compile(
    rf"<{_PREFIX}(?:(?P<net>netEvent)(?:\s[^<>]{{0,1000}})?>"
    rf"|(?P<item>item)(?:\s[^<>]{{0,1000}})?>"
    rf"(?=\s{{0,2000}}<{_PREFIX}(?:header[\s>]|type\s{{0,20}}>\s{{0,200}}FWPM_NET_EVENT_TYPE)))",
    re.IGNORECASE,
)
_TAGS: Final = {
    name: re.compile(rf"<(?P<close>/?){_PREFIX}{name}(?:\s[^<>]{{0,1000}}?)?(?P<empty>/?)>", re.IGNORECASE)
    for name in ("netevent", "item")
}
_DOCTYPE: Final = re.compile(r"<!\s{0,20}(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)\b", re.IGNORECASE)
_NO_ELEMENT: Final = re.compile(r"<(?:!--|!\[CDATA\[|\?)")
_ENDS: Final = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_SAID: Final = re.compile(rf'<{_PREFIX}netEvents\s[^<>]{{0,300}}?numItems\s*=\s*["\'](\d{{1,12}})["\']', re.IGNORECASE)
_STRAY: Final = re.compile(rf"<{_PREFIX}type\s{{0,20}}>\s{{0,200}}FWPM_NET_EVENT_TYPE", re.IGNORECASE)
_CHANGE: Final = re.compile(rf"<{_PREFIX}(filterChange)[\s>]", re.IGNORECASE)


class RefusedError(ValueError):
    """The text has a document type: nothing of it may be used. ``line`` says where."""

    def __init__(self, line: int) -> None:
        super().__init__("has a DOCTYPE")
        self.line = line


@dataclass(frozen=True, slots=True)
class EventText:
    """The text of one net event and the line that it begins on; ``lost`` says why there is no whole one."""

    text: str
    line: int
    lost: str | None = None
    cut: bool = False  # the file ends inside


@dataclass(slots=True)
class Surroundings:
    """What was seen around the net events."""

    said: int | None = None  # sum of what the lists say that they hold
    filter_changes: int = 0
    stray_count: int = 0  # what is left of net events whose beginning is damaged
    strays: list[int] = field(default_factory=list)  # the lines of the first of them


def decode(blocks: Iterable[bytes]) -> Iterator[str]:
    """Decode blocks of bytes; bytes that are no text become lone surrogates, which are found and told later."""
    head, decoder = b"", None
    for block in blocks:
        if decoder is not None:
            yield decoder.decode(block)
            continue
        head += block
        if len(head) >= _HEAD:
            decoder, skip = _decoder(head)
            yield decoder.decode(head[skip:])
    if decoder is None:
        decoder, skip = _decoder(head)
        yield decoder.decode(head[skip:])
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:  # half a character at the end of UTF-16
        yield "\udc00"


def _decoder(head: bytes) -> tuple[codecs.IncrementalDecoder, int]:
    encoding, skip = detect_encoding(head)
    errors = "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"
    return codecs.getincrementaldecoder(encoding)(errors), skip


def elements_only(pieces: Iterable[str]) -> Iterator[str]:
    """Blank comments and processing instructions and escape CDATA; line breaks stay. An unclosed one is left as text.

    Every piece that is yielded ends before a ``<`` or at the end of the text, so no tag is cut in two.
    """
    held = ""
    for piece in pieces:
        held += piece
        done, held = _blank(held, final=False)
        if done:
            yield done
    done, _ = _blank(held, final=True)
    if done:
        yield done


def _blank(text: str, *, final: bool) -> tuple[str, str]:
    """Return what is settled, and what has to wait for more text."""
    out: list[str] = []
    position = 0
    searched = dict.fromkeys(_ENDS.values(), 0)  # no such end before here: many openers stay linear
    while (found := _NO_ELEMENT.search(text, position)) is not None:
        end = _ENDS[found[0]]
        window = found.end() + MAX_COMMENT
        stop = text.find(end, max(found.end(), searched[end]), window)
        out.append(text[position : found.start()])
        if stop < 0:
            searched[end] = max(searched[end], min(window, len(text)) - len(end))
            if not final and len(text) - found.end() < MAX_COMMENT:
                return "".join(out), text[found.start() :]
            out.append("&lt;")  # nothing closes it: no comment
            position = found.start() + 1
            continue
        inside = text[found.end() : stop]
        if found[0] == "<![CDATA[":
            out.append(inside.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
        else:
            out.append("\n" * inside.count("\n"))
        position = stop + len(end)
    if final:
        return "".join(out) + text[position:], ""
    last = text.rfind("<", max(position, len(text) - _KEEP))
    last = len(text) if last < 0 else last
    out.append(text[position:last])
    return "".join(out), text[last:]


class Cutter:
    """Cuts net events out of text that comes in pieces."""

    def __init__(self) -> None:
        self.around = Surroundings()
        self._text = ""
        self._line = 1  # of the first character that is held

    def events(self, pieces: Iterable[str]) -> Iterator[EventText]:
        """Yield the net events in the order of the file.

        Raises
        ------
        RefusedError
            at the first document type.
        """
        for piece in pieces:
            self._refuse(piece)
            self._text += piece
            yield from self._cut(final=False)
        yield from self._cut(final=True)

    def _refuse(self, piece: str) -> None:
        if (found := _DOCTYPE.search(piece)) is not None:
            raise RefusedError(self._line + self._text.count("\n") + piece.count("\n", 0, found.start()))

    def _cut(self, *, final: bool) -> Iterator[EventText]:
        position = 0
        while (start := _START.search(self._text, position)) is not None:
            self._skip(position, start.start())
            position = start.start()
            end, lost = self._end(start)
            if end is None and not final and len(self._text) - position <= MAX_EVENT:
                break  # the rest of it is still to come
            if end is None:
                cut = final and len(self._text) - position <= MAX_EVENT
                what = "the file ends inside it" if cut else f"it is longer than {MAX_EVENT:,} characters"
                yield EventText("", self._line, what, cut)
                end = start.end()
            else:
                yield EventText(self._text[position:end] if lost is None else "", self._line, lost)
            self._line += self._text.count("\n", position, end)
            position = end
        else:
            keep = len(self._text) if final else self._settled(position)
            self._skip(position, keep)
            position = keep
        self._text = self._text[position:]

    def _settled(self, position: int) -> int:
        """Return up to where no start of a net event may still be forming."""
        held = max(position, len(self._text) - _KEEP)
        first = self._text.find("<", held)
        return len(self._text) if first < 0 else first

    def _end(self, start: re.Match[str]) -> tuple[int | None, str | None]:
        """Return where the net event ends, None where that is not in sight; and why it is lost, if it is."""
        tags = _TAGS["netevent" if start["net"] else "item"]
        depth = 0
        limit = min(len(self._text), start.start() + MAX_EVENT)
        for tag in tags.finditer(self._text, start.start(), limit):
            if tag["close"]:
                depth -= 1
            elif not tag["empty"]:
                if depth and _START.match(self._text, tag.start()):
                    return tag.start(), "its end is missing"
                depth += 1
            if depth == 0:
                return tag.end(), None
        return None, None

    def _skip(self, begin: int, end: int) -> None:
        """Note what stands between net events, and count its lines."""
        if end <= begin:
            return
        around = self.around
        for said in _SAID.finditer(self._text, begin, end):
            around.said = (around.said or 0) + int(said[1])
        around.filter_changes += sum(1 for _ in _CHANGE.finditer(self._text, begin, end))
        for stray in _STRAY.finditer(self._text, begin, end):
            self._line += self._text.count("\n", begin, stray.start())
            begin = stray.start()
            around.stray_count += 1
            if len(around.strays) < MAX_STRAYS:
                around.strays.append(self._line)
        self._line += self._text.count("\n", begin, end)
