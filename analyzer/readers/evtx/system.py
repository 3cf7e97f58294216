"""The System fields of all records of a block at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer import frames
from analyzer.readers.evtx import values
from analyzer.readers.evtx.dictionary import encode, read
from analyzer.readers.evtx.gather import unpack, words
from analyzer.readers.evtx.instances import Instances, Values, packed, read_values
from analyzer.readers.evtx.numerals import integers

if TYPE_CHECKING:
    from analyzer.readers.evtx.fieldplan import SystemPlan
    from analyzer.readers.evtx.gather import I64, U8, U64, Flags
    from analyzer.readers.evtx.plan import Plan

NUMBERS: Final = ("event_id", "version", "record_id")
TEXTS: Final = ("provider", "channel", "computer")
MIN_GROUP: Final = 8  # records of one form below which the careful way is quicker
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


def read_system(
    block: U8, instances: Instances, groups: list[I64], plans: dict[int, tuple[SystemPlan, Plan] | None]
) -> System:
    """Read the System fields of all records; ``groups`` are the rows of each outer template and number of values."""
    n = len(instances.template)
    careful = np.ones(n, dtype=bool)
    slots = {field: np.zeros(n, dtype=np.int64) for field in (*NUMBERS, "time", *TEXTS)}
    constants: dict[str, I64] = {}
    texts: dict[str, tuple[I64, list[str]]] = {field: (np.full(n, -1, dtype=np.int64), []) for field in TEXTS}
    out: list[Group] = []
    for rows in groups:
        template = int(instances.template[rows[0]])
        found = plans.get(template)
        if template < 0 or found is None or len(rows) < MIN_GROUP:
            continue
        system, plan = found
        group = read_values(block, instances.first[rows], instances.end[rows], int(instances.count[rows[0]]))
        careful[rows] = ~group.fits
        for field, slot in system.slots.items():
            slots[field][rows] = packed(group, slot)
        for field, text in system.constants.items():
            if field in TEXTS:
                codes, distinct = texts[field]
                if text:
                    codes[rows] = len(distinct)
                    distinct.append(text)
            else:
                number = values.number_of_text(text)
                constants.setdefault(field, np.full(n, -1, dtype=np.int64))[rows] = (
                    -1 if number is None or number >= 2**63 else number
                )
        out.append(Group(rows, template, group, plan))
    for field in slots:
        slots[field][careful] = 0
    ids = {field: integers(block, slots[field]) for field in NUMBERS}
    for field, number in ids.items():
        careful[number.careful] = True
        constant = constants.get(field)
        if constant is not None:
            number.number[constant >= 0] = constant[constant >= 0].astype(np.uint64)
            number.missing[constant >= 0] = False
    event_id = ids["event_id"]
    version = ids["version"]
    careful |= event_id.missing | (event_id.number > np.uint64(0xFFFFFFFF)) | (version.number > np.uint64(0xFFFF))
    time = _times(block, slots["time"], careful)
    for field in TEXTS:
        texts[field] = _texts(block, slots[field], texts[field], careful)
    return System(
        (event_id.number & np.uint64(0xFFFF)).astype(np.int64),
        version.number.astype(np.int64),
        ids["record_id"].number,
        ~ids["record_id"].missing,
        time,
        texts,
        out,
        careful,
    )


def _times(block: U8, values_: I64, careful: Flags) -> I64:
    """Return times in nanoseconds since 1970; marks records whose time is no FILETIME or out of range."""
    at, size, kind = unpack(values_)
    ticks = words(block, at, 8)[:, 0] - np.uint64(values.EPOCH)
    signed = ticks.view(np.int64)
    # a FILETIME of 2**63 and more wraps around to before 1601 - EPOCH, which is out of range as well
    careful |= (kind != values.FILETIME) | (size != 8) | (signed > _TICKS) | (signed < -_TICKS)
    return np.where(careful, frames.NAT, np.where(careful, 0, signed) * 100)


def _texts(
    block: U8, values_: I64, constant: tuple[I64, list[str]], careful: Flags
) -> tuple[I64, list[str]]:
    """Return codes and distinct texts of a field, from values and from constants of templates."""
    codes, distinct = constant
    if not values_.any():
        return codes, distinct
    encoded = encode(block, values_)
    careful[encoded.unsure] = True
    found, _ = read(block, encoded.packed, _word)
    numbers = []
    for text in found:
        numbers.append(len(distinct) if text else -1)
        if text:
            distinct.append(text)
    own = np.array([*numbers, -1], dtype=np.int64)[encoded.codes]
    return np.where(values_ != 0, own, codes), distinct


def _word(kind: int, data: bytes) -> str:
    """Return a System field as text: bytes that are no value of their type as hex, as ``record`` does."""
    try:
        return values.text(kind, data)
    except values.BadValueError:
        return data.hex().upper()
