"""Which value of a template goes into which column of an event's table: made once per event and template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.readers.evtx.plan import make_plan
from analyzer.readers.evtx.rows import MISSING, RowForm

if TYPE_CHECKING:
    from analyzer.readers.evtx.plan import Plan
    from analyzer.readers.evtx.shape import Shape
    from analyzer.wfp.events import EventSpec

STEP: Final = 64  # bytes that a value may cost beside its own and its name's, more than the careful way charges


class Target(NamedTuple):
    """One field: substitution ``slot`` goes to the column ``name``, or to ``extra`` under that name."""

    slot: int
    name: str
    numeric: bool
    extra: bool


class FieldPlan(NamedTuple):
    """The fields of one event in one template. ``cost`` is a bound on what the careful way charges for a record."""

    targets: tuple[Target, ...]
    cost: int


class SystemPlan(NamedTuple):
    """Where the System fields of a template are: a slot, or constant text; fields in neither are absent."""

    slots: dict[str, int]
    constants: dict[str, str]


def system_plan(shape: Shape) -> tuple[SystemPlan, Plan] | None:
    """Return where System is in an outer template, None where its records must be read with care."""
    plan = make_plan(shape, ())
    slots: dict[str, int] = {}
    constants: dict[str, str] = {}
    for field, source in plan.system.items():
        if source.slot >= 0:
            slots[field] = source.slot
        elif all(isinstance(piece, str) for piece in source.pieces):
            constants[field] = "".join(str(piece) for piece in source.pieces)
        else:
            return None
    if "event_id" not in plan.system or "time" not in slots:
        return None
    return SystemPlan(slots, constants), plan


def field_plan(spec: EventSpec, columns: list[str], plans: list[Plan], offsets: list[int]) -> FieldPlan | None:
    """Return where the fields of an event go, None where its records must be read with care.

    ``plans`` are those of the outer and the nested template, slots of the second count from ``offsets[1]`` on.
    Names that repeat, names and texts put together of several pieces, and values that are used twice are left to
    the careful way.
    """
    form = RowForm(spec)
    targets: list[Target] = []
    names: set[str] = set()
    used: set[int | str] = set()  # slots and columns
    cost = 4 * STEP
    for plan, offset in zip(plans, offsets, strict=True):
        for entry in plan.entries:
            slot = entry.source.slot
            if entry.name is None or entry.key in names:
                return None
            names.add(entry.key)
            cost += len(entry.name) + STEP
            if slot < 0:
                if not _is_missing(entry.source.pieces):
                    return None
                continue
            if slot + offset in used:
                return None
            used.add(slot + offset)
            column = form.columns.get(entry.key)
            if column is None:
                targets.append(Target(slot + offset, entry.name, numeric=False, extra=True))
                continue
            name = columns[column[0]]
            if name in used:
                return None
            used.add(name)
            targets.append(Target(slot + offset, name, column[1], extra=False))
    return FieldPlan(tuple(targets), cost)


def _is_missing(pieces: tuple[str | int, ...]) -> bool:
    return all(isinstance(piece, str) for piece in pieces) and "".join(map(str, pieces)) in MISSING
