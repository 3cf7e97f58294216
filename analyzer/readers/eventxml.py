"""Event XML: what Event Viewer saves, ``wevtutil qe`` prints, and ``ToXml()`` of ``Get-WinEvent`` gives.

``wevtutil`` writes ``/f:xml`` and ``/f:RenderedXml``, with a root element of any name or without one. Each ``Event``
element is cut out and read by itself: what is wrong with one costs one, and the file is never in memory as a whole.
Rendered texts beside the data (``RenderingInfo``) are localized and not read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from analyzer.readers.eventelement import NoEventError, read_event
from analyzer.readers.eventrows import place, read_export

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.readers.eventrows import Rows
    from analyzer.readers.eventstream import Progress, Window
    from analyzer.readers.evtx import EvtxLog

MAX_EVENT: Final = 4 << 20  # characters; a record of a log has at most 64 KiB
_AHEAD: Final = 1 << 18  # characters that are kept in sight
_TAIL: Final = 2048  # characters at the end of what is in sight, in which a tag may begin
_MARK: Final = 16  # characters of the longest mark that may be cut in two
_OUTSIDE: Final = re.compile(r"<!--|<!(?:DOCTYPE|ENTITY)|<Event(?=[\s>/])", re.IGNORECASE)
_INSIDE: Final = re.compile(r"</Event\s{0,8}>|<Event(?=[\s>/])")
# an Event element that begins like this is a record and no part of the one before
_BEGINS: Final = re.compile(r"<Event(?:\s[^<>]{0,400})?>\s{0,64}<System[\s>]")
_TAG: Final = re.compile(r"<(/?)([A-Za-z_][\w.\-]{0,100})(?:\s[^<>]{0,1000})?>")
# what may stand between events: tags, declarations, evtx_dump's headings, marks of the encoding
_NO_JUNK: Final = re.compile(r"<\?[^<>]{0,1000}\?>|Record \d{1,20}\s|\ufeff|" + _TAG.pattern)
_JUNK: Final = re.compile(r"\S")
_COMMENT_END: Final = "-->"


def read_event_xml(path: Path, name: str, progress: Progress | None = None) -> EvtxLog:
    """Read an export of events as XML, also packed with gzip.

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
        As of a binary log. ``offset`` is the byte at which the ``Event`` element begins (in the unpacked file).
        ``selective`` is True where record ids jump: such an export is the answer to a query.

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
        self._root: str | None = None  # the element around the events, while it is open

    def run(self) -> None:
        """Read all events of the file."""
        window = self._window
        at = 0
        while not self._rows.hopeless():
            if at > _AHEAD:
                window.drop(at)
                at = 0
            window.more(at, _AHEAD)
            found = _OUTSIDE.search(window.text, at)
            if found is None:
                end = len(window.text)
                if window.done:
                    self._finish(at)
                    return
                last = window.text.rfind("<", max(at, end - _TAIL))  # what may be cut in two is looked at again
                end = end if last < 0 else last
                self._between(at, end)
                at = end
                window.more(at, _AHEAD)
                continue
            self._between(at, found.start())
            mark = found[0]
            if mark == "<!--":
                at = self._comment(found.start())
            elif mark.startswith("<!"):
                where = place(*window.place(found.start()))
                self._rows.problems.add("lost", where, "has a DOCTYPE: refused, nothing from here on was read")
                return
            elif mark == "<Event":
                at = self._event(found.start())
            else:
                at = found.end()

    def _between(self, start: int, end: int) -> None:
        """Look at what stands between events: the element around them, and what does not belong there."""
        text = self._window.text[start:end]
        foreign = None
        for tag in _TAG.finditer(text):
            if not tag[1] and self._root is not None:
                foreign = foreign or tag
            elif not tag[1] or tag[2] == self._root:
                self._root = None if tag[1] else tag[2]
        if foreign is not None:
            where = place(*self._window.place(start + foreign.start()))
            what = f"an element <{foreign[2]}> that is no event, and what may be in it: left out"
            self._rows.problems.add("doubtful", where, what, reason="elements that are no events")
        junk = _JUNK.search(_NO_JUNK.sub(lambda match: " " * len(match[0]), text))
        if junk is not None:
            where = place(*self._window.place(start + junk.start()))
            what = "text that belongs to no event: left out"
            self._rows.problems.add("doubtful", where, what)

    def _finish(self, start: int) -> None:
        """Tell whether the file ends as it should; a cut between two events is seen by the root that stays open."""
        window = self._window
        end = len(window.text)
        self._between(start, end)
        cut = window.text.find("<", max(start, window.text.rfind(">") + 1))
        if cut >= 0:
            what = "the file ends inside a tag: what followed is lost"
            self._rows.problems.add("lost", place(*window.place(cut)), what)
        elif self._root is not None and self._rows.events:
            what = f"the file ends without </{self._root}>: it may have been cut off between two events"
            self._rows.problems.add("lost", place(*window.place(end)), what)

    def _comment(self, start: int) -> int:
        """Return where a comment ends; one without an end goes to the end of the file."""
        window = self._window
        line = window.place(start)
        at = start
        while (end := window.text.find(_COMMENT_END, at)) < 0:
            if window.done:
                self._rows.problems.add("lost", place(*line), "the file ends inside a comment")
                return len(window.text)
            window.drop(max(at, len(window.text) - len(_COMMENT_END)))
            at = 0
            window.more(at, _AHEAD)
        return end + len(_COMMENT_END)

    def _event(self, start: int) -> int:
        """Read the event that begins here; return where to go on."""
        window = self._window
        end, why = self._end(start)
        offset, line = window.place(start)
        if why is not None:
            self._rows.lost(offset, line, f"this event {why}", f"an event {why}")
            return end
        try:
            event = read_event(window.text[start:end])
        except NoEventError as error:
            self._rows.lost(offset, line, f"this event cannot be read: it {error}", "an event that cannot be read")
        else:
            event.plain = window.text.isascii()  # a parser lets nothing through that is no text
            self._rows.add(offset, line, event)
        return end

    def _end(self, start: int) -> tuple[int, str | None]:
        """Return where an event ends; and why it cannot be read, where it does not end as it should."""
        window = self._window
        depth, at = 1, start + len("<Event")
        while True:
            found = _INSIDE.search(window.text, at)
            if found is None or (found.end() == len(window.text) and found[0][1] != "/" and not window.done):
                at = max(at, len(window.text) - _MARK)
                if at - start > MAX_EVENT:
                    return at, f"is longer than {MAX_EVENT} characters"
                if not window.more(at, _AHEAD):
                    return len(window.text), "is cut off by the end of the file"
                continue
            if found[0][1] == "/":
                depth -= 1
                if not depth:
                    return found.end(), None
            else:
                window.more(found.start(), 1024)
                if _BEGINS.match(window.text, found.start()):
                    return found.start(), "has no end: the next one begins inside it"
                depth += 1
            at = found.end()
