"""Flows that no changed filter can meet: whatever decides them, the change does not alter it.

That holds although the files may not tell the decision itself (a callout decides, a token is not recorded): the filters
that both sides have stand in the same order, and every other one of the layer answers *no*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.engine.answers import NO
from analyzer.engine.evaluate import Evaluator
from analyzer.review import order
from analyzer.review.exposure import paired

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Policy
    from analyzer.review.identity import Item
    from analyzer.review.leftout import Comparable
    from analyzer.review.order import Rival


@dataclass(frozen=True, slots=True)
class Changed:
    """The filters of one layer that are not the same on both sides, by row; None: the order itself changed."""

    rows: tuple[tuple[int, ...], tuple[int, ...]] | None


def changed(filters: Comparable, layer: str) -> Changed:
    """Find the filters of one layer that differ."""
    one, two = ([item for item in side if item.layer == layer] for side in (filters.before, filters.after))
    if _weights(one) != _weights(two):
        return Changed(None)
    rows: tuple[list[int], list[int]] = ([], [])
    by_sublayer: dict[str, list[Rival]] = {}
    for rival in paired(one, two):
        by_sublayer.setdefault(rival.item.sublayer, []).append(rival)
    for rivals in by_sublayer.values():
        merged = order.merged(rivals, [order.ranks(rivals, side) for side in order.SIDES])
        split = _split(merged)
        for number, rival in enumerate(merged):
            if rival.before is not None and (rival.after is None or number in split):
                rows[0].append(rival.before.row)
            if rival.after is not None and (rival.before is None or number in split):
                rows[1].append(rival.after.row)
    return Changed((tuple(rows[0]), tuple(rows[1])))


def _split(rivals: Sequence[Rival]) -> set[int]:
    """Return the places of filters that one side gives one weight and the other several: an order came or went."""
    out: set[int] = set()
    for side in order.SIDES:
        ties: dict[int | None, list[int]] = {}
        for number, rival in enumerate(rivals):
            one = rival.on(side)
            if one is not None and rival.on(1 - side) is not None:
                ties.setdefault(one.effective, []).append(number)
        for places in ties.values():
            others = {other.effective for at in places if (other := rivals[at].on(1 - side)) is not None}
            if len(others) > 1:
                out.update(places)
    return out


def _weights(items: Sequence[Item]) -> dict[str, set[int | None]]:
    """Return sublayer -> its weights; one that is on a single side brings no order to the others."""
    out: dict[str, set[int | None]] = {}
    for item in items:
        out.setdefault(item.sublayer, set()).add(item.sublayer_weight)
    return out


def untouched(filters: Comparable, policies: tuple[Policy, Policy], flows: FlowArrays) -> NDArray[np.bool_]:
    """Tell which of n flows no changed filter can meet, shape (n,)."""
    out = np.zeros(len(flows), dtype=bool)
    for name, code in flows.layer.places.items():
        here = np.flatnonzero(flows.layer.codes == code)
        if not len(here) or name not in filters.layers:
            continue
        found = changed(filters, name)
        if found.rows is None:
            continue
        free = np.ones(len(here), dtype=bool)
        part = flows.take(here)
        for own, rows in zip(policies, found.rows, strict=True):
            evaluator = Evaluator(own.program, part)
            for row in rows:
                if row in own.places:
                    free &= evaluator.answer(row) == NO
        out[here] = free
    return out
