"""One XML file, or several of one archive: text of single net events, elements, rows, frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from analyzer.readers import xmltext
from analyzer.readers.netevents.element import parse_event
from analyzer.readers.netevents.rows import Rows
from analyzer.readers.netevents.text import Cutter, RefusedError, decode, elements_only
from analyzer.readers.stateproblems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from analyzer.model import Problem
    from analyzer.readers.netevents.text import EventText

NetEventsKind = Literal["netevents", "wfpdiag", "cab", "unknown"]
MAX_EVENTS: Final = 1_000_000  # the platform's own ring holds 100 to 150; a capture has some ten thousands
MAX_LOST: Final = 10_000  # damaged net events after which the rest is not looked at
MAX_BYTES: Final = 1024**3
_HEAD: Final = 65_536
ROOT_KINDS: Final[dict[str, NetEventsKind]] = {
    "netEvents": "netevents",
    "netEvent": "netevents",
    "item": "netevents",
    "wfpdiag": "wfpdiag",
}
SHOWN: Final = 10


@dataclass(frozen=True)
class NetEvents:
    """What one file holds of net events.

    ``kind`` is ``unknown`` where the file is none of ours; ``first`` and ``last`` are UTC, None without any time.
    ``filter_changes`` counts the filter changes that a capture lists beside its net events, and that are not read.
    """

    kind: NetEventsKind
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    events: pd.DataFrame = field(repr=False)
    filters: pd.DataFrame = field(repr=False)
    problems: tuple[Problem, ...]
    filter_changes: int = 0


def _closed(tail: bytes, root: str) -> bool:
    """Tell whether a file that ends like this has come to the end of a root element, or of an empty one."""
    text = tail.replace(b"\0", b"")  # UTF-16 becomes ASCII
    return f"</{root}".encode() in text or text.rstrip().endswith(b"/>")


class FileReader:
    """Reads one or more XML files into one result."""

    def __init__(self, name: str) -> None:
        self.problems = Problems(name)
        self.rows = Rows(name, self.problems)
        self.filter_changes = 0
        self._member = ""
        self._tail = b""  # the last bytes of the file

    def xml(self, blocks: Iterable[bytes], member: str = "") -> NetEventsKind:
        """Read one XML file; ``member`` names it where it is part of an archive. Return what it is."""
        self._member = f"{member}, " if member else ""
        self._tail = b""
        before = self.rows.count
        head = bytearray()
        cutter = Cutter()
        lost = 0
        try:
            for item in cutter.events(elements_only(decode(self._watched(blocks, head)))):
                if self.rows.count >= MAX_EVENTS:
                    self._add("lost", item.line, f"more than {MAX_EVENTS:,} net events: the rest was not read")
                    break
                if lost >= MAX_LOST:
                    self._add("lost", item.line, f"more than {MAX_LOST:,} damaged net events: the rest was not read")
                    break
                lost += not self._take(item)
        except RefusedError as error:
            self.rows = Rows(self.problems.name, self.problems)
            self._add("lost", error.line, "has a DOCTYPE: refused, nothing of it was read")
            return "unknown"
        around = cutter.around
        for line in around.strays:
            self._add("lost", line, "a net event whose beginning is damaged: left out")
        if rest := around.stray_count - len(around.strays):
            self._add("lost", None, f"{rest:,} more net events whose beginning is damaged")
        self.filter_changes += around.filter_changes
        found = self.rows.count - before
        seen = found + lost + around.stray_count
        if around.said is not None and around.said != seen and not self.problems.cut:
            what = f"its lists say that they hold {around.said:,} net events, {found:,} could be read"
            self._add("lost" if around.said > seen else "doubtful", None, what)
        root = xmltext.sniff_xml(bytes(head)) if head else None
        if root in ROOT_KINDS and not self.problems.cut and not _closed(self._tail, root or ""):
            if root == "wfpdiag" and not seen:  # the state was cut: its reader tells where
                self._add("note", None, "ends before any net event, and before its root element does")
                return "wfpdiag"
            self._add("lost", None, "ends before its root element does: what followed is missing")
        return self._kind(root, found, seen)

    def _watched(self, blocks: Iterable[bytes], head: bytearray) -> Iterator[bytes]:
        """Pass blocks on up to the limit; keep the beginning, which tells the root element."""
        size = 0
        for block in blocks:
            head += block[: max(_HEAD - len(head), 0)]
            self._tail = (self._tail + block)[-_HEAD:]
            size += len(block)
            if size > MAX_BYTES:
                self._add("lost", None, f"is longer than {MAX_BYTES:,} bytes: the rest was not read")
                return
            yield block

    def _kind(self, root: str | None, found: int, seen: int) -> NetEventsKind:
        """Return what the file is; say what it is not."""
        kind = ROOT_KINDS.get(root or "", "unknown")
        if kind != "unknown":
            if not seen:
                self._add("note", None, "lists no net events")
            return kind
        if root is None:
            self._add("lost", None, "is empty")
        elif found:
            self._add("note", None, f"its root element is <{root[:60]}>; its net events were read")
            return "netevents"
        elif not root:
            self._add("lost", None, "is not XML: nothing of it was read")
        else:
            what = f"its root element is <{root[:60]}>, not <netEvents> or <wfpdiag>: nothing of it was read"
            self._add("lost", None, what)
        return "unknown"

    def _add(self, severity: Literal["lost", "doubtful", "note"], line: int | None, what: str, group: str = "") -> None:
        place = self._place(line)
        self.problems.add(severity, place, what, group=group or None)

    def _place(self, line: int | None) -> str | None:
        if line is None:
            return self._member.removesuffix(", ") or None
        return f"{self._member}line {line}"

    def _take(self, item: EventText) -> bool:
        """Read one net event; tell and return False where it is lost."""
        number = self.rows.count + 1
        if item.lost is not None:
            self.problems.cut = self.problems.cut or item.cut
            said = f"a net event is lost: {item.lost}"
            self._add("lost", item.line, said, group="damaged net events")
            return False
        element = parse_event(item, self._add)
        if element is None:
            return False
        try:
            self.rows.take(element, item.line, f"{self._place(item.line)} (entry {number})")
        except ValueError as error:
            self._add("lost", item.line, f"a net event is lost: {error}", group="damaged net events")
            return False
        return True

    def result(self, kind: NetEventsKind) -> NetEvents:
        """Build the frames, and tell what was left out of them."""
        rows = self.rows
        for names, what in ((rows.types, "types"), (rows.unknown, "elements")):
            if names:
                listed = ", ".join(f"{name[:80]} ({count:,})" for name, count in names.most_common(SHOWN))
                more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
                self._member = ""
                self._add("note", None, f"{what} of net events that are not known, and left out: {listed}{more}")
        if self.filter_changes:
            what = f"lists {self.filter_changes:,} filter changes beside its net events: those are not read"
            self.problems.add("note", None, what)
        events, filters = rows.frames()
        times = events["time"].dropna()
        return NetEvents(
            kind=kind,
            first=times.min() if len(times) else None,
            last=times.max() if len(times) else None,
            events=events,
            filters=filters,
            problems=self.problems.result(),
            filter_changes=self.filter_changes,
        )
