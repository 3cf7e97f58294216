"""Events as JSON: one object per line as log shippers write them, one array, or objects one behind another.

The file is read value by value: what is wrong with one costs one, and the file is never in memory as a whole. The
layouts are told in ``eventlayouts``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from analyzer.readers.eventelement import NoEventError
from analyzer.readers.eventlayouts import read_object
from analyzer.readers.eventrows import read_export

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.readers.eventrows import Rows
    from analyzer.readers.eventstream import Progress, Window
    from analyzer.readers.evtx import EvtxLog
    from analyzer.readers.jsonvalues import Object

MAX_VALUE: Final = 4 << 20  # characters of one object
_AHEAD: Final = 1 << 18  # characters that are kept in sight
_FAR: Final = 1 << 16  # characters before the place of an error in which the next object is looked for
MAX_BLIND: Final = 20  # errors of which the place is not known, after which a file is given up
_TAIL: Final = 256  # characters in which the beginning of the next object may be cut
# between objects: space, the marks of arrays, text sequences (RFC 7464), evtx_dump's headings, and a brace too many
_BETWEEN: Final = re.compile(r"(?:[\s,\[\]}\x1e\ufeff]+|Record \d{1,20}\s)*")
# where an object may begin after a broken one: at the start of a line, and in an array behind another object
_NEXT_LINE: Final = re.compile(r"\n(?=[ \t\r,\[]{0,64}\{)")
_NEXT_ITEM: Final = re.compile(_NEXT_LINE.pattern + r"|\}\s{0,64},\s{0,64}(?=\{)")


def read_event_json(path: Path, name: str, progress: Progress | None = None) -> EvtxLog:
    """Read events that a log shipper or a converter wrote as JSON, also packed with gzip.

    Parameters
    ----------
    path
        The file.
    name
        What the file is called in frames and problems.
    progress
        Called with the bytes done and the bytes of the file.

    Returns
    -------
    EvtxLog
        As of a binary log. ``offset`` is the byte at which the object begins (in the unpacked file). ``selective`` is
        True where record ids jump: a shipper sends what it was told to.

    Raises
    ------
    OSError
        When the file cannot be opened or read.
    """
    return read_export(path, name, progress, lambda window, rows: _Reader(window, rows).run())


class _Reader:
    def __init__(self, window: Window, rows: Rows) -> None:
        self._window = window
        self._rows = rows
        self._next = _NEXT_LINE
        self._blind = 0
        self._repeated: list[str] = []  # keys that the object at hand has twice
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_float=str, parse_constant=str)

    def run(self) -> None:
        """Read all values of the file."""
        window = self._window
        at = 0
        if window.text.lstrip("\ufeff \t\r\n")[:1] == "[":
            self._next = _NEXT_ITEM
        while not self._rows.hopeless() and self._blind <= MAX_BLIND:
            if at > _AHEAD:
                window.drop(at)
                at = 0
            window.more(at, _AHEAD)
            found = _BETWEEN.match(window.text, at)
            at = at if found is None else found.end()
            if at == len(window.text):
                if window.done:
                    return
                continue
            at = self._value(at)

    def _object(self, pairs: list[tuple[str, Any]]) -> Object:
        """Return an object; a key that it has again gets a number behind it, as repeated fields of a log do."""
        out = dict(pairs)
        if len(out) == len(pairs):
            return out
        out.clear()
        counts: dict[str, int] = {}
        for key, value in pairs:
            count = counts[key] = counts.get(key, 0) + 1
            if count > 1:
                self._repeated.append(key)
            out[key if count == 1 else f"{key}#{count}"] = value
        return out

    def _value(self, start: int) -> int:
        """Read the value that begins here; return where to go on."""
        window = self._window
        if window.text[start] != "{":
            return self._lost(start, "text that is no JSON object", start)
        while True:
            self._repeated.clear()
            try:
                item, end = self._decoder.raw_decode(window.text, start)
            except RecursionError:
                return self._lost_blindly(start, "objects too deep inside each other")
            except json.JSONDecodeError as error:
                if window.more(start, MAX_VALUE):  # its end may not have been in sight
                    continue
                # what was read once is not read again from each brace inside it
                return self._lost(start, self._why(error, start), max(start + 1, error.pos - _FAR))
            except ValueError:
                return self._lost_blindly(start, "a number beyond all bounds")
            break
        if end == len(window.text) and not window.done:
            window.more(end, 1)
        offset, line = window.place(start)
        try:
            event = read_object(item)
        except NoEventError as error:
            self._rows.lost(offset, line, f"this object {error}", f"an object that {error}")
            return end
        if self._repeated:
            what = f"has the key {self._repeated[0][:80]!r} twice: the first value counts"
            event.doubts.append((what, "an object with a key twice"))
        piece = window.text[start:end]
        event.plain = piece.isascii() and "\\u" not in piece
        self._rows.add(offset, line, event)
        return end

    def _why(self, error: json.JSONDecodeError, start: int) -> str:
        """Return in words why a value cannot be read."""
        seen = error.pos - start < MAX_VALUE // 2 and not error.msg.startswith("Unterminated")
        if self._window.done or seen:
            return f"broken JSON ({error.msg})"
        return f"broken JSON, or an object of more than {MAX_VALUE} characters"

    def _lost_blindly(self, start: int, why: str) -> int:
        """Report what begins here as lost, where it is not known how far it was read."""
        self._blind += 1
        if self._blind > MAX_BLIND:
            why += f", for the {self._blind}th time: given up here"
        return self._lost(start, why, start + 1)

    def _lost(self, start: int, why: str, at: int) -> int:
        """Report what begins here as lost; return where the next object may begin."""
        window = self._window
        offset, line = window.place(start)
        self._rows.lost(offset, line, f"{why}: lost", why)
        while (found := self._next.search(window.text, at)) is None:
            if window.done:
                return len(window.text)
            window.drop(max(at, len(window.text) - _TAIL))
            at = 0
            window.more(0, _AHEAD)
        return found.end()
