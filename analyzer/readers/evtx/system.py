"""The System fields of all records of a block at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer import frames
from analyzer.readers.evtx import values
from analyzer.readers.evtx.dictionary import encode, read
from analyzer.readers.evtx.gather import unpack, words
from analyzer.readers.evtx.instances import Instances, Values, packed, read_values
from analyzer.readers.evtx.numerals import KEEP, UNSIGNED, integers

if TYPE_CHECKING:
    from analyzer.readers.evtx.fieldplan import SystemPlan
    from analyzer.readers.evtx.gather import I64, U8, U64, Flags
    from analyzer.readers.evtx.plan import Plan

NUMBERS: Final = ("event_id", "version", "record_id")
TEXTS: Final = ("provider", "channel", "computer")
MIN_GROUP: Final = 8  # records of one form below which the careful way is quicker
_NEAR: Final = 512  # bytes from the first value within which System fields are gathered together
_TICKS: Final = (2**63 - 1) // 100  # as many on either side of 1970 fit into datetime64[ns]


class Group(NamedTuple):
    """Records with one outer template and one number of values: their rows (m,), and the values, shape (k, m)."""

    rows: I64
    template: int
    values: Values
    plan: Plan


class System(NamedTuple):
    """System fields of n records; rows in ``careful`` hold nothing of use. Texts are (codes, distinct texts)."""

    event_id: I64
    version: I64
    record_id: U64
    has_id: Flags
    time: I64
    texts: dict[str, tuple[I64, list[str]]]
    groups: list[Group]
    careful: Flags


def split(codes: I64, count: int) -> list[I64]:
    """Return the rows of each code from 0 to ``count`` - 1, in order."""
    order = np.argsort(codes.astype(np.uint16) if count < 65536 else codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, count)))


class _Draft:
    """System fields while they are collected: first from each group, then what is left at once."""

    def __init__(self, n: int) -> None:
        self.numbers = {field: np.zeros(n, dtype=np.uint64) for field in (*NUMBERS, "time")}
        self.missing = {field: np.ones(n, dtype=bool) for field in NUMBERS}
        self.codes = {field: np.full(n, -1, dtype=np.int64) for field in TEXTS}
        self.texts: dict[str, list[str]] = {field: [] for field in TEXTS}
        self.left: dict[str, I64] = {}  # field -> packed values (n,) that are still to be read
        self.careful = np.ones(n, dtype=bool)

    def constant(self, rows: I64, name: str, text: str) -> None:
        """Take in a text that the template gives to all of its records."""
        if name in TEXTS:
            if text:
                self.codes[name][rows] = len(self.texts[name])
                self.texts[name].append(text)
        else:
            number = values.number_of_text(text)
            if number is not None:
                self.numbers[name][rows] = number
                self.missing[name][rows] = False

    def group(self, block: U8, group: Values, rows: I64, slots: dict[str, int]) -> None:
        """Take in the values of one group; where all records have them at one place, with a single gather."""
        here: dict[str, tuple[int, int, int]] = {}
        for name, slot in slots.items():
            place = _place(group, slot) if group.fits.all() else None
            if place is None or (name not in TEXTS and not _fits(name, place)):
                self.left.setdefault(name, np.zeros(len(self.careful), dtype=np.int64))[rows] = packed(group, slot)
            else:
                here[name] = place
        if not here:
            return
        width = -(-max(offset + max(size, 8) for offset, size, _ in here.values()) // 8) * 8
        head = words(block, group.at[0].astype(np.int64), width)
        # which bits are not the same in all records, as bytes (width,)
        differ = (np.bitwise_or.reduce(head, axis=0) ^ np.bitwise_and.reduce(head, axis=0)).view(np.uint8)
        for name, (offset, size, kind) in here.items():
            if name not in TEXTS:
                raw = np.ndarray((len(rows),), dtype="<u8", buffer=head.data, offset=offset, strides=(width,))
                self.numbers[name][rows] = raw & KEEP[size]
                if name in NUMBERS:
                    self.missing[name][rows] = False
            elif not differ[offset : offset + size].any():
                self.constant(rows, name, _word(kind, head[0].view(np.uint8)[offset : offset + size].tobytes()))
            else:
                self.left.setdefault(name, np.zeros(len(self.careful), dtype=np.int64))[rows] = packed(
                    group, slots[name]
                )

    def finish(self, block: U8) -> None:
        """Read what is left."""
        for name, found in self.left.items():
            found[self.careful] = 0
            rows = np.flatnonzero(found)
            if not len(rows):
                continue
            if name in TEXTS:
                self._finish_text(block, name, found[rows], rows)
            elif name == "time":
                at, size, kind = unpack(found[rows])
                self.numbers[name][rows] = words(block, at, 8)[:, 0]
                self.careful[rows[(kind != values.FILETIME) | (size != 8)]] = True
            else:
                result = integers(block, found[rows])
                self.numbers[name][rows] = result.number
                self.missing[name][rows] = result.missing
                self.careful[rows[result.careful]] = True

    def _finish_text(self, block: U8, name: str, found: I64, rows: I64) -> None:
        encoded = encode(block, found)
        self.careful[rows[encoded.unsure]] = True
        texts, _ = read(block, encoded.packed, _word)
        known = self.texts[name]
        numbers = []
        for text in texts:
            numbers.append(len(known) if text else -1)
            if text:
                known.append(text)
        self.codes[name][rows] = np.array(numbers, dtype=np.int64)[encoded.codes]


def _place(group: Values, slot: int) -> tuple[int, int, int] | None:
    """Return offset from the first value, size and type, None where they differ or the value is absent."""
    if slot >= len(group.at):
        return None
    offset = group.at[slot] - group.at[0]
    size, kind = group.size[slot], group.kind[slot]
    first = int(offset[0]), int(size[0]), int(kind[0])
    if not first[1] or not first[2] or first[0] + first[1] > _NEAR:
        return None
    same = (offset == first[0]).all() and (size == first[1]).all() and (kind == first[2]).all()
    return first if same else None


def _fits(name: str, place: tuple[int, int, int]) -> bool:
    """Tell whether a value is a plain number, or the time a FILETIME."""
    _, size, kind = place
    return (kind, size) == (values.FILETIME, 8) if name == "time" else UNSIGNED.get(kind) == size


def read_system(
    block: U8, instances: Instances, groups: list[I64], plans: dict[int, tuple[SystemPlan, Plan] | None]
) -> System:
    """Read the System fields of all records; ``groups`` are the rows of each outer template and number of values."""
    draft = _Draft(len(instances.template))
    careful = draft.careful
    out: list[Group] = []
    for rows in groups:
        template = int(instances.template[rows[0]])
        found = plans.get(template)
        if template < 0 or found is None or len(rows) < MIN_GROUP:
            continue
        system, plan = found
        group = read_values(block, instances.first[rows], instances.end[rows], int(instances.descriptors[rows[0]]))
        careful[rows] = ~group.fits
        for name, text in system.constants.items():
            draft.constant(rows, name, text)
        draft.group(block, group, rows, system.slots)
        out.append(Group(rows, template, group, plan))
    draft.finish(block)
    event_id, version = draft.numbers["event_id"], draft.numbers["version"]
    careful |= draft.missing["event_id"] | (event_id > np.uint64(0xFFFFFFFF)) | (version > np.uint64(0xFFFF))
    # a FILETIME of 2**63 and more wraps around to a time before 1601, which is out of range as well
    ticks = (draft.numbers["time"] - np.uint64(values.EPOCH)).view(np.int64)
    careful |= (ticks > _TICKS) | (ticks < -_TICKS)
    return System(
        (event_id & np.uint64(0xFFFF)).astype(np.int64),
        version.astype(np.int64),
        draft.numbers["record_id"],
        ~draft.missing["record_id"],
        np.where(careful, frames.NAT, np.where(careful, 0, ticks) * 100),
        {name: (draft.codes[name], draft.texts[name]) for name in TEXTS},
        out,
        careful,
    )


def _word(kind: int, data: bytes) -> str:
    """Return a System field as text: bytes that are no value of their type as hex, as ``record`` does."""
    try:
        return values.text(kind, data)
    except values.BadValueError:
        return data.hex().upper()
