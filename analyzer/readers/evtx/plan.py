"""Where the fields of an event come from in a shape: made once per shape, used for each of its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from analyzer.readers.evtx.shape import Piece, Shape

# (path, attribute) -> system field (REFERENCE 1; names as in the event schema)
SYSTEM: Final[dict[tuple[tuple[str, ...], str | None], str]] = {
    (("Event", "System", "Provider"), "Name"): "provider",
    (("Event", "System", "EventID"), None): "event_id",
    (("Event", "System", "Version"), None): "version",
    (("Event", "System", "TimeCreated"), "SystemTime"): "time",
    (("Event", "System", "EventRecordID"), None): "record_id",
    (("Event", "System", "Channel"), None): "channel",
    (("Event", "System", "Computer"), None): "computer",
}
_FIELDS_IN: Final = (("Event", "EventData"), ("Event", "UserData"))


class Source(NamedTuple):
    """Where a text comes from: substitution ``slot`` alone, or (``slot`` -1) the pieces put together."""

    slot: int
    pieces: tuple[Piece, ...]


class Entry(NamedTuple):
    """One EventData field. ``name`` is None where the name itself holds a substitution; then ``label`` makes it."""

    name: str | None
    key: str  # the name without case
    label: tuple[Piece, ...]
    source: Source
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One shape at one place of the event.

    ``system`` are the system fields that it gives, ``entries`` the EventData fields in document order, ``inserts``
    the other places where a nested fragment may stand: (path, substitution).
    """

    system: dict[str, Source]
    entries: tuple[Entry, ...]
    inserts: tuple[tuple[tuple[str, ...], int], ...]


def make_plan(shape: Shape, above: tuple[str, ...]) -> Plan:
    """Return the plan for a shape whose root element stands under the elements ``above``."""
    system: dict[str, Source] = {}
    entries: list[Entry] = []
    inserts: list[tuple[tuple[str, ...], int]] = []
    for leaf in shape.leaves:
        path = above + leaf.path
        source = _source(leaf.pieces)
        field = SYSTEM.get((path, leaf.attribute))
        if field is not None:
            system.setdefault(field, source)
        elif leaf.attribute is not None or not leaf.pieces:
            continue
        elif path[:2] in _FIELDS_IN:
            entries.append(_entry(path, leaf.label, source))
        else:
            inserts.extend((path, piece) for piece in leaf.pieces if isinstance(piece, int))
    return Plan(system, tuple(entries), tuple(inserts))


def _source(pieces: tuple[Piece, ...]) -> Source:
    if len(pieces) == 1 and isinstance(pieces[0], int):
        return Source(pieces[0], pieces)
    if all(isinstance(piece, str) for piece in pieces):
        pieces = ("".join(str(piece) for piece in pieces),)
    return Source(-1, pieces)


def _entry(path: tuple[str, ...], label: tuple[Piece, ...], source: Source) -> Entry:
    if any(isinstance(piece, int) for piece in label):
        return Entry(None, "", label, source, path)
    name = "".join(str(piece) for piece in label) or path[-1]
    return Entry(name, name.lower(), label, source, path)
