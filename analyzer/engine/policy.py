"""A state's filters made ready for arbitration: per layer the sublayers in order, per sublayer the filters in order.

What a filter may do is a set of outcomes (:mod:`analyzer.engine.outcomes`). Rules, actions, flags: REFERENCE 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer import cells
from analyzer.engine.evaluate import program
from analyzer.engine.outcomes import CALLOUT, HARD_BLOCK, HARD_PERMIT, SOFT_PERMIT, orders_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.engine.conditions import Test
    from analyzer.engine.evaluate import Program

NOT_IN_FORCE: Final[dict[str, str]] = {
    "DISABLED": "it is disabled: its provider's service does not run",
    "BOOTTIME": "it is a boot-time filter: in force only until the Base Filtering Engine runs",
}
UNSURE_FLAGS: Final = frozenset({"SYSTEMOS_ONLY", "GAMEOS_ONLY"})  # in force on special systems alone
CLEAR_ACTION_RIGHT: Final = "CLEAR_ACTION_RIGHT"
PERMIT_IF_UNREGISTERED: Final = "PERMIT_IF_CALLOUT_UNREGISTERED"
REGISTERED: Final = "REGISTERED"
INSPECTION: Final = "callout-inspection"
NEVER: Final = frozenset({INSPECTION, "FWP_ACTION_CONTINUE", "FWP_ACTION_NONE", "FWP_ACTION_NONE_NO_MATCH"})
CALLOUTS: Final = frozenset({"callout-terminating", "callout-unknown"})
INSPECTS: Final = "its callout only inspects: it never decides"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a filter that matches may do.

    ``bits`` are outcomes; ``ends`` says that it ends its sublayer for sure; ``callout`` that a callout decides.
    """

    bits: int
    ends: bool
    callout: bool


@dataclass(frozen=True, slots=True)
class Sublayer:
    """One sublayer of one layer; all arrays have the shape (F,), in order of evaluation.

    ``weight`` is None where the state does not tell it. ``rank`` int64 ascends and is equal for filters of equal
    weight, whose order is not known; -1 for filters without a weight, which stand first and may stand anywhere.
    """

    key: str | None
    weight: int | None
    rows: NDArray[np.int64]
    rank: NDArray[np.int64]
    effects: tuple[Effect, ...]
    sure: NDArray[np.bool_]  # False: a flag leaves open whether it is in force


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its sublayers, highest weight first, those without a weight at the end.

    ``orders`` are all in which they may stand, as places in ``sublayers``; none: too many to be tried.
    """

    sublayers: tuple[Sublayer, ...]
    orders: tuple[tuple[int, ...], ...]

    @property
    def ordered(self) -> bool:
        """Whether there is one order only."""
        return len(self.orders) == 1


class Place(NamedTuple):
    """Where a filter stands: its layer, the place of its sublayer there, its place in that."""

    layer: str
    sublayer: int
    filter: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A compiled state: ``places`` has the rows that are in force, ``left_out`` says of the others why they are not.

    ``complete`` is False for a list that does not tell what it left out (``show filters``): then a layer that is not in
    ``layers`` is not known; else it has no filters, and all that comes there passes.
    """

    layers: Mapping[str, Layer]
    program: Program
    places: Mapping[int, Place]
    left_out: Mapping[int, str]
    complete: bool


@dataclass(frozen=True, slots=True)
class _Filter:
    row: int
    layer: str
    sublayer: str | None
    sublayer_weight: int | None
    weight: int | None
    effect: Effect
    sure: bool


def effect_of(action: str | None, flags: frozenset[str], *, registered: bool | None) -> Effect | None:
    """Return what a filter may do, or None where it never decides.

    Parameters
    ----------
    registered : whether the callout is registered; None: not told.
    """
    clears = CLEAR_ACTION_RIGHT in flags
    permit = HARD_PERMIT if clears else SOFT_PERMIT
    if action in NEVER:
        return None
    if action == "permit":
        return Effect(permit, ends=True, callout=False)
    if action == "block":
        return Effect(HARD_BLOCK, ends=True, callout=False)
    if action not in CALLOUTS:  # an action that is not known may do anything, or nothing
        return Effect(CALLOUT | HARD_BLOCK, ends=False, callout=True)
    if registered is False:
        return Effect(permit if PERMIT_IF_UNREGISTERED in flags else HARD_BLOCK, ends=True, callout=False)
    unregistered = 0
    if registered is None:
        unregistered = permit if PERMIT_IF_UNREGISTERED in flags else HARD_BLOCK
    ends = action == "callout-terminating"
    return Effect(CALLOUT | unregistered, ends=ends, callout=True)


def compile_policy(
    filters: pd.DataFrame,
    tests: Mapping[int, tuple[Test, ...]],
    *,
    rows: Iterable[int] | None = None,
    callouts: pd.DataFrame | None = None,
    complete: bool = True,
) -> Policy:
    """Compile filters.

    Parameters
    ----------
    filters : columns of ``frames.FILTERS``.
    tests : row -> conditions, as :func:`analyzer.engine.conditions.tests_by_filter` groups them.
    rows : the rows of one state; all if None.
    callouts : ``frames.CALLOUTS`` of that state; None or empty: it lists none, and their registration is not told.
    complete : whether the list holds every filter of the state.
    """
    wanted = np.arange(len(filters)) if rows is None else np.fromiter(rows, dtype=np.int64)
    part = filters.iloc[wanted]
    listed = _registrations(callouts)
    left_out: dict[int, str] = {}
    found: dict[str, list[_Filter]] = {}
    names = ("layer", "sublayer", "sublayer_weight", "effective_weight", "action", "flags", "callout_key")
    for row, *values in zip(wanted.tolist(), *(part[name] for name in names), strict=True):
        layer, sublayer, sublayer_weight, weight, action, flags, key = values
        own = frozenset(flags or ())
        callout = cells.text(key)
        effect = effect_of(cells.text(action), own, registered=listed.get(callout) if callout else None)
        name = cells.text(layer)
        why = next((NOT_IN_FORCE[flag] for flag in NOT_IN_FORCE if flag in own), None)
        why = why or ("it never decides" if effect is None else None if name else "its layer is not known")
        if why is not None or effect is None or name is None:
            left_out[row] = INSPECTS if action == INSPECTION and why == "it never decides" else why or ""
            continue
        found.setdefault(name, []).append(
            _Filter(
                row,
                name,
                cells.text(sublayer),
                cells.number(sublayer_weight),
                cells.number(weight),
                effect,
                sure=not own & UNSURE_FLAGS,
            )
        )
    layers = {name: _layer(items) for name, items in found.items()}
    places = {
        row: Place(name, at, number)
        for name, layer in layers.items()
        for at, sublayer in enumerate(layer.sublayers)
        for number, row in enumerate(sublayer.rows.tolist())
    }
    return Policy(layers, program(tests, wanted.tolist()), places, left_out, complete)


def _registrations(callouts: pd.DataFrame | None) -> dict[str, bool]:
    """Return callout key -> whether it is registered."""
    if callouts is None:
        return {}
    pairs = zip(callouts["callout"], callouts["flags"], strict=True)
    return {str(key): REGISTERED in (flags or ()) for key, flags in pairs}


def _layer(items: list[_Filter]) -> Layer:
    by_key: dict[tuple[str | None, int], list[_Filter]] = {}
    for item in items:
        # Without a key, each filter may be in a sublayer of its own.
        by_key.setdefault((item.sublayer, -1 if item.sublayer is not None else item.row), []).append(item)
    made = [_sublayer(key[0], members) for key, members in by_key.items()]
    made.sort(key=lambda item: (item.weight is None, -(item.weight or 0)))
    return Layer(tuple(made), orders_of([item.weight for item in made]))


def _sublayer(key: str | None, members: list[_Filter]) -> Sublayer:
    """Put the filters in order: those without a weight first, then from the greatest weight down, exactly."""
    ordered = sorted(members, key=lambda item: (item.weight is not None, -(item.weight or 0)))
    rank, last, number = [], None, -1
    for item in ordered:
        if item.weight is not None and item.weight != last:
            number, last = number + 1, item.weight
        rank.append(-1 if item.weight is None else number)
    weights = {item.sublayer_weight for item in members}
    return Sublayer(
        key=key,
        weight=weights.pop() if len(weights) == 1 else None,
        rows=np.array([item.row for item in ordered], dtype=np.int64),
        rank=np.array(rank, dtype=np.int64),
        effects=tuple(item.effect for item in ordered),
        sure=np.array([item.sure for item in ordered], dtype=bool),
    )
