"""Damages logs: many changed chunks in one file, sound ones between them, now and then the file itself.

Chunks of a log say nothing about each other, so that every changed chunk counts as a mutant of its own; a change of
the file's make-up (header, order, length) counts as one more. Everything follows from seed and number.
"""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass, field

from fuzz_bases import HEAD, SLOTS, Base, Piece, crc_of_header, fix_sums, make_base
from fuzz_places import CHUNK, RECORDS_AT, TOKENS

PER_BASE = 40  # files that are made from one base
FILE = -1  # stands for the change of the file's make-up where a slot is named
_INTERESTING = (0, 1, 2, 3, 4, 7, 8, 16, 24, 27, 28, 0x7F, 0x80, 0xFF, 0x100, 0x1FF, 0x200, 0x7FFF, 0x8000, 0xFFFF)
_INTERESTING += (0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
_TYPES = (*range(0x16), 0x20, 0x21, 0x23, 0x24, 0x81, 0x84, 0x88, 0x8A, 0x8F, 0x91, 0x92, 0x93, 0x94, 0x95, 0xA1, 0xFF)
# what the change of a place is chosen from: each name with its weight
_WEIGHTS = {"chunk.": 1, "record.": 2, "outer.": 3, "inner.": 3, "definition.": 3, "body.": 3, "name.": 3}


@dataclass(slots=True)
class Mutant:
    """One file of mutants.

    ``origin[slot]`` is the slot of the base whose bytes stand at a slot of this file unchanged, None where they do
    not; ``shift`` is where the first slot stands. ``changes`` tell by slot (``FILE`` for the file) what was done.
    ``repaired`` are the slots whose checksums were set right again.
    """

    base: Base
    number: int
    content: bytes
    origin: list[int | None]
    shift: int = HEAD
    changes: dict[int, list[str]] = field(default_factory=dict)
    repaired: set[int] = field(default_factory=set)

    @property
    def count(self) -> int:
        return len(self.changes)


def make_mutant(seed: int, number: int, base: Base | None = None, only: int | None = None) -> Mutant:
    """Return file ``number`` of a run; with ``only`` nothing but that change of it (a slot, or ``FILE``)."""
    base = base if base is not None else make_base(seed, number // PER_BASE)
    pick = random.Random(f"file {seed} {number}")
    out = bytearray(base.content)
    mutant = Mutant(base, number, b"", list(range(SLOTS)))
    chosen = sorted(pick.sample(range(SLOTS), pick.choice((1, SLOTS // 2, SLOTS - 6, SLOTS - 6, SLOTS - 6, SLOTS - 4))))
    whole_file = pick.random() < 0.25
    for slot in chosen:
        changer = random.Random(f"slot {seed} {number} {slot}")
        if only is not None and only != slot:
            continue
        start = HEAD + slot * CHUNK
        data, changes, repaired = _change_chunk(base.pieces[slot], base, changer)
        if data == base.pieces[slot].data:
            continue
        out[start : start + CHUNK] = data
        mutant.origin[slot] = None
        mutant.changes[slot] = changes
        if repaired:
            mutant.repaired.add(slot)
    if whole_file and only in (None, FILE):
        _change_file(out, mutant, random.Random(f"make-up {seed} {number}"))
    mutant.content = bytes(out)
    return mutant


# -- one chunk -----------------------------------------------------------------------------------------------


def _change_chunk(piece: Piece, base: Base, pick: random.Random) -> tuple[bytes, list[str], bool]:
    data = bytearray(piece.data)
    changes = [_change(data, piece, base, pick) for _ in range(pick.choice((1, 1, 1, 1, 2, 3, 8, 40)))]
    repaired = pick.random() < 0.5
    if repaired:
        fix_sums(data)
    return bytes(data), changes, repaired


def _change(data: bytearray, piece: Piece, base: Base, pick: random.Random) -> str:
    """Make one change and say in words what it is."""
    way = pick.choices((_at_place, _bits, _blocks, _descriptors, _templates, _splice), weights=(50, 15, 15, 10, 8, 2))[
        0
    ]
    return way(data, piece, base, pick)


def _somewhere(piece: Piece, pick: random.Random, room: int = 1) -> int:
    """Return an offset: mostly where records are, now and then in the header or behind."""
    end = min(max(piece.places.used, RECORDS_AT + 64), CHUNK)
    low, high = pick.choices(((RECORDS_AT, end), (0, RECORDS_AT), (0, CHUNK)), weights=(12, 1, 1))[0]
    return min(pick.randrange(low, high), CHUNK - room)


def _bits(data: bytearray, piece: Piece, base: Base, pick: random.Random) -> str:
    at = _somewhere(piece, pick)
    if pick.random() < 0.6:
        data[at] ^= 1 << pick.randrange(8)
        return f"bit at 0x{at:x}"
    data[at] = pick.randrange(256)
    return f"byte at 0x{at:x} = 0x{data[at]:02x}"


def _at_place(data: bytearray, piece: Piece, base: Base, pick: random.Random) -> str:
    """Put an interesting number, or one near the old one, into a field of the format."""
    places = piece.places.by_name
    names = sorted(places)
    name = pick.choices(names, weights=[_weight(item) for item in names])[0]
    at, size = pick.choice(places[name])
    if at + size > CHUNK:
        return "nothing"
    if name.endswith("token"):
        value = pick.choice((*sorted(TOKENS), 0, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0F, 0x1F, 0x81, 0xFF))
        width = 1
    elif name.endswith("type"):
        value, width = pick.choice(_TYPES), 1
    else:
        width = min(size, pick.choice((1, 2, 4, 8)) if name.endswith("value") else size, 8)
        old = int.from_bytes(data[at : at + width], "little")
        value = pick.choice(
            (
                *pick.sample(_INTERESTING, 4),
                old + pick.choice((-8, -4, -1, 1, 2, 4, 8, 16)),
                old ^ (1 << pick.randrange(8 * width)),
                at,
                at + 4,
                at - pick.randrange(1, 64),
                _somewhere(piece, pick),
                pick.choice(piece.places.records or [(RECORDS_AT, 0)])[0],
            )
        )
    data[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")
    return f"{name} at 0x{at:x} = 0x{value % (1 << 8 * width):x}"


def _weight(name: str) -> float:
    """Return the weight of a kind of place; the two tables in the header are one kind each and no more."""
    for start, weight in _WEIGHTS.items():
        if name.startswith(start):
            return weight
    return 1


def _blocks(data: bytearray, piece: Piece, base: Base, pick: random.Random) -> str:
    """Copy, swap, zero, fill, or move what stands in the chunk."""
    length = pick.choice((1, 2, 4, 8, 16, 24, 100, 512, 4096))
    at, other = _somewhere(piece, pick, length), _somewhere(piece, pick, length)
    kind = pick.choice(("copy", "swap", "zero", "fill", "insert", "delete", "record"))
    if kind == "copy":
        data[at : at + length] = data[other : other + length]
    elif kind == "swap":
        length = min(length, abs(at - other))
        data[at : at + length], data[other : other + length] = data[other : other + length], data[at : at + length]
    elif kind == "zero":
        data[at : at + length] = bytes(length)
    elif kind == "fill":
        data[at : at + length] = bytes([pick.choice((0xFF, 0x2A, 0x0C, 0x0F, 0x01))]) * length
    elif kind == "insert":
        data[at:at] = data[other : other + length]
        del data[CHUNK:]
    elif kind == "delete":
        del data[at : at + length]
        data.extend(bytes(CHUNK - len(data)))
    else:
        (at, _), (other, length) = (pick.choice(piece.places.records or [(RECORDS_AT, 0)]) for _ in range(2))
        length = min(length, CHUNK - at)
        data[at : at + length] = data[other : other + length]
    return f"{kind} of {length} bytes at 0x{at:x}, 0x{other:x}"


def _descriptors(data: bytearray, piece: Piece, base: Base, pick: random.Random) -> str:
    """Swap or set types and sizes of values, so that what they say no longer fits what stands there."""
    level = pick.choice(("outer", "inner"))
    places = piece.places.by_name.get(f"{level}.value size")
    if not places:
        return _bits(data, piece, base, pick)
    at, other = pick.choice(places)[0], pick.choice(places)[0]
    kind = pick.randrange(4)
    if kind == 0:
        data[at + 2], data[other + 2] = data[other + 2], data[at + 2]
    elif kind == 1:
        data[at : at + 4], data[other : other + 4] = data[other : other + 4], data[at : at + 4]
    elif kind == 2:  # the sum of both sizes stays: the values behind them keep their place
        one, two = (struct.unpack_from("<H", data, place)[0] for place in (at, other))
        moved = pick.randrange(0, min(one, 16) + 1)
        struct.pack_into("<H", data, at, one - moved)
        struct.pack_into("<H", data, other, (two + moved) & 0xFFFF if at != other else one)
    else:
        data[at + 2] = pick.choice(_TYPES)
    return f"{level} descriptors at 0x{at:x}, 0x{other:x}, way {kind}"


def _templates(data: bytearray, piece: Piece, base: Base, pick: random.Random) -> str:
    """Let instances point to other definitions, into themselves or into values; let definitions overlap."""
    places = piece.places
    offsets = places.by_name.get("outer.template offset", []) + places.by_name.get("inner.template offset", [])
    if not offsets:
        return _bits(data, piece, base, pick)
    at = pick.choice(offsets)[0]
    definitions = [start for start, _ in places.definitions] or [RECORDS_AT]
    target = pick.choice(
        (at - 10, at - 6, at, at + 4, *(pick.choice(definitions) + pick.choice((0, 0, 4, 24, -24)) for _ in range(3)))
    )
    struct.pack_into("<I", data, at, target & 0xFFFFFFFF)
    what = f"template offset at 0x{at:x} = 0x{target & 0xFFFFFFFF:x}"
    if places.definitions and pick.random() < 0.3:
        start, size = pick.choice(places.definitions)
        size = pick.choice((0, 1, size - 1, size + 1, 2 * size, CHUNK - start - 24, CHUNK - start - 23, 0xFFFFFFFF))
        struct.pack_into("<I", data, start + 20, size & 0xFFFFFFFF)
        what += f", size of the definition at 0x{start:x} = 0x{size:x}"
    return what


def _splice(data: bytearray, piece: Piece, base: Base, pick: random.Random) -> str:
    """Bring in a part of another chunk of this log."""
    other = pick.choice(base.pieces)
    at = pick.choice((RECORDS_AT, _somewhere(piece, pick)))
    end = pick.choice((CHUNK, min(at + 4096, CHUNK)))
    data[at:end] = other.data[at:end]
    return f"0x{at:x} to 0x{end:x} from {other.source}"


# -- the file ------------------------------------------------------------------------------------------------


def _change_file(out: bytearray, mutant: Mutant, pick: random.Random) -> None:
    kind = pick.choice(("header", "header", "headless", "truncate", "order", "twice", "zero", "misaligned"))
    mutant.changes[FILE] = [kind]
    if kind == "header":
        for _ in range(pick.choice((1, 1, 4, 40))):
            out[pick.randrange(128)] = pick.choice((0, 1, 4, 0x45, 0xFF, pick.randrange(256)))
    elif kind == "headless":
        mutant.origin = _headless(out, mutant)
    elif kind == "truncate":
        del out[pick.randrange(HEAD, len(out)) :]
        slots = (len(out) - HEAD) // CHUNK
        mutant.origin = mutant.origin[:slots]
    elif kind in ("order", "twice"):
        order = list(range(SLOTS))
        if kind == "order":
            pick.shuffle(order)
        else:
            order[pick.randrange(SLOTS)] = pick.randrange(SLOTS)
        content = bytes(out)
        for slot, source in enumerate(order):
            out[HEAD + slot * CHUNK : HEAD + (slot + 1) * CHUNK] = content[HEAD + source * CHUNK :][:CHUNK]
        mutant.origin = [mutant.origin[source] for source in order]
    elif kind == "zero":
        slot = pick.randrange(SLOTS)
        out[HEAD + slot * CHUNK : HEAD + (slot + 1) * CHUNK] = bytes(CHUNK)
        mutant.origin[slot] = None
    else:  # what follows no longer stands where chunks stand
        at = pick.randrange(HEAD, len(out))
        out[at:at] = bytes(pick.choice((1, 8, 512)))
        slot = (at - HEAD) // CHUNK
        mutant.origin = [*mutant.origin[:slot], *[None] * (SLOTS - slot + 1)]


def _headless(out: bytearray, mutant: Mutant) -> list[int | None]:
    """Cut the file header off; where the first chunk has lost its mark too, nothing tells where chunks stand."""
    marked = out[HEAD : HEAD + 8] == b"ElfChnk\0"
    del out[:HEAD]
    mutant.shift = 0
    return mutant.origin if marked else []


def unrepaired(mutant: Mutant) -> list[int]:
    """Return the changed slots whose checksums tell that they were changed, as the reader is bound to notice."""
    if not mutant.base.checksums or FILE in mutant.changes:
        return []
    out = []
    for slot in mutant.changes:
        data = mutant.content[HEAD + slot * CHUNK : HEAD + (slot + 1) * CHUNK]
        used, records_sum = struct.unpack_from("<II", data, 0x30)
        wrong = struct.unpack_from("<I", data, 0x7C)[0] != crc_of_header(data)
        if RECORDS_AT <= used <= CHUNK:
            wrong |= records_sum != zlib.crc32(data[RECORDS_AT:used])
        if wrong:
            out.append(slot)
    return out
