"""One block of chunks: everything that stands in it, read in columns where that is possible and with care elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.readers.evtx import health, walk
from analyzer.readers.evtx.careful import RECORD_HEAD, RECORD_TAIL, Careful
from analyzer.readers.evtx.chunk import Span
from analyzer.readers.evtx.container import CHUNK_SIZE, is_chunk, make_chunk, stub
from analyzer.readers.evtx.eventfields import EventRows, read_fields
from analyzer.readers.evtx.fieldplan import system_plan
from analyzer.readers.evtx.fragment import UNFOLD, Library
from analyzer.readers.evtx.gather import factorize
from analyzer.readers.evtx.instances import read_instances
from analyzer.readers.evtx.mixed import mix
from analyzer.readers.evtx.problems import Notes
from analyzer.readers.evtx.system import System, read_system, split
from analyzer.readers.evtx.templates import Templates
from analyzer.wfp.events import EventSpec, find

if TYPE_CHECKING:
    from analyzer.readers.evtx.careful import Read
    from analyzer.readers.evtx.columns import Piece
    from analyzer.readers.evtx.fieldplan import FieldPlan, SystemPlan
    from analyzer.readers.evtx.gather import I64, U8, Flags
    from analyzer.readers.evtx.health import Seen
    from analyzer.readers.evtx.plan import Plan
    from analyzer.readers.evtx.walk import Records, Sums
    from analyzer.wfp.events import Table

DOUBT: Final = "the checksum of the chunk's records does not match"


class Block(NamedTuple):
    """Slots of 64 KiB, read from a file.

    ``data`` holds them and at least ``gather.PAD`` further bytes; ``number`` is that of the first slot, ``offset``
    where it stands in the file, ``length`` how many bytes of the file were read; ``sums`` are the checksums of its
    whole slots, None for a log that was written without any.
    """

    data: U8
    number: int
    offset: int
    length: int
    sums: Sums | None


@dataclass(slots=True)
class Shared:
    """What the blocks of one file share. May be used from several threads: plans are made twice at worst."""

    checksums: bool
    library: Library = field(default_factory=Library)
    plans: dict[int, tuple[SystemPlan, Plan] | None] = field(default_factory=dict)
    field_plans: dict[tuple[object, ...], FieldPlan | None] = field(default_factory=dict)
    templates: Templates = field(init=False)

    def __post_init__(self) -> None:
        self.templates = Templates(self.library)


@dataclass(slots=True)
class Result:
    """What a block holds. ``notes`` tell in file order of problems, runs of chunks, and slots that hold none."""

    notes: Notes
    seen: Seen
    pieces: dict[Table, Piece]
    end: int  # offset in the file behind what was read


def read_block(block: Block, shared: Shared) -> Result:
    """Read a block."""
    whole = block.length // CHUNK_SIZE
    marked = walk.chunk_slots(block.data, whole)
    records, careful_slots, doubtful = walk.find(block.data, np.flatnonzero(marked), block.sums)
    careful = np.zeros(len(records.at), dtype=bool)
    system: System | None = None
    pieces: dict[Table, Piece] = {}
    if len(records.at):
        system, rows = _read_columns(block.data, records, shared)
        careful = system.careful
        pieces = rows.pieces(records.at + block.offset, system)
    notes, reads = _read_with_care(block, shared, marked, careful_slots, doubtful, records, careful)
    mix(pieces, reads)
    for piece in pieces.values():
        piece.shrink()
    return Result(
        notes,
        _seen(records, system, reads, block.offset),
        pieces,
        block.offset + block.length,
    )


def _read_columns(block: U8, records: Records, shared: Shared) -> tuple[System, EventRows]:
    """Read the records in columns; what must be read with care is marked in ``System.careful``."""
    start, end = records.at + RECORD_HEAD, records.at + records.size - RECORD_TAIL
    outer = read_instances(block, start, end, shared.templates)
    codes, first = factorize((outer.template << 16) | np.minimum(outer.descriptors, 0xFFFF))
    for template in np.unique(outer.template[first]).tolist():
        if template >= 0 and template not in shared.plans:
            shared.plans[template] = system_plan(shared.templates.shapes[template])
    system = read_system(block, outer, split(codes, len(first)), shared.plans)
    specs, of = _specs(system)
    rows = read_fields(block, system, specs, of, shared)
    # what a chunk's records may unfold to is a matter for the careful way, which keeps account of it
    cost = np.bincount(records.slot, weights=records.size + rows.cost)
    system.careful[(cost > UNFOLD)[records.slot]] = True
    rows.drop(system.careful)
    return system, rows


def _specs(system: System) -> tuple[list[EventSpec], I64]:
    """Return the events that are read, and for each record (n,) which of them it is, -1 for none."""
    codes, names = system.texts["provider"]
    kinds, first = factorize(((codes + 1) << 16) | system.event_id)
    specs: list[EventSpec] = []
    numbers = []
    for at in first.tolist():
        code = int(codes[at])
        spec = find(names[code] if code >= 0 else None, int(system.event_id[at]))
        numbers.append(-1 if spec is None else len(specs))
        if spec is not None:
            specs.append(spec)
    of = np.array(numbers, dtype=np.int64)[kinds]
    of[system.careful] = -1
    return specs, of


def _read_with_care(
    block: Block,
    shared: Shared,
    marked: Flags,
    careful_slots: I64,
    doubtful: I64,
    records: Records,
    careful: Flags,
) -> tuple[Notes, list[Read]]:
    """Read what is left, in file order: slots without a mark, odd chunks, odd records of good chunks."""
    notes = Notes()
    way = Careful(shared.library, notes)
    found = notes.items
    reads: list[Read] = []
    spans: dict[int, list[Span]] = {}
    for row in np.flatnonzero(careful).tolist():
        slot = int(records.slot[row])
        at = int(records.at[row]) - slot * CHUNK_SIZE
        spans.setdefault(slot, []).append(Span(at, at + int(records.size[row]), int(records.number[row])))
    odd_sums = set(doubtful.tolist())
    odd = set(careful_slots.tolist()) | odd_sums | spans.keys() | set(np.flatnonzero(~marked).tolist())
    total = -(-block.length // CHUNK_SIZE)
    odd |= set(range(len(marked), total))  # the slot in which the file ends
    passed = 0
    for slot in sorted(odd):
        if slot > passed:
            found.append(slot - passed)
        passed = slot + 1
        start = slot * CHUNK_SIZE
        data = block.data[start : min(start + CHUNK_SIZE, block.length)].tobytes()
        chunk = make_chunk(block.number + slot, block.offset + start, data)
        with_notes = Notes()
        if not is_chunk(chunk, with_notes):
            found.append(stub(chunk))
            continue
        found.extend(with_notes.items)
        found.append(1)
        if slot in odd_sums:
            notes.add("doubtful", chunk.place(0x34), DOUBT)
        if slot in spans:
            reads.extend(way.records(chunk, spans[slot]))
        elif slot not in odd_sums:
            reads.extend(way.chunk(chunk, checksums=shared.checksums))
    if total > passed:
        found.append(total - passed)
    return notes, reads


def _seen(records: Records, system: System | None, reads: list[Read], offset: int) -> Seen:
    """Return all records of the block in file order."""
    own = health.seen(reads)
    if system is None:
        return own
    keep = ~system.careful
    parts = [
        health.Seen(
            records.number[keep],
            system.record_id[keep],
            system.has_id[keep],
            system.time[keep],
            system.texts["computer"][0][keep],
            system.texts["channel"][0][keep],
            system.texts["computer"][1],
            system.texts["channel"][1],
        ),
        own,
    ]
    if not reads:
        return parts[0]
    order = np.argsort(np.concatenate([records.at[keep] + offset, [read.offset for read in reads]]))
    return health.merge(parts[0], parts[1], order)
