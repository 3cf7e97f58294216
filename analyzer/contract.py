"""The two frames that exports read: the contract's keys as columns, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer import cells
from analyzer.classify import CAN_BLOCK
from analyzer.engine.conditions import LOST
from analyzer.model import EVENT_KEYS
from analyzer.netevents import NO_EVENT_ID

if TYPE_CHECKING:
    from analyzer.states import Book

# Contract key -> column of the resolved events, where the names differ.
RENAMED: Final = {"layer_id": "layer_rtid"}
ACTIONS: Final = (*sorted(CAN_BLOCK), "permit", "callout-inspection")


def event_frame(events: pd.DataFrame) -> pd.DataFrame:
    """Return one row per event in time order.

    ``filter_row`` (Int64) is the position in :func:`filter_frame`, missing where no filter may be shown.
    ``event_id`` and ``version`` are missing for net events. No audit event names the local user (REFERENCE 1.2): where
    ``user_sid`` is there, a net event told it.
    """
    out: dict[str, Any] = {}
    net = (events["event_id"] == NO_EVENT_ID).to_numpy()
    for key in ("filter_row" if key == "filter" else key for key in EVENT_KEYS):
        if key in {"event_id", "version"} and net.any():
            out[key] = pd.Series(events[key].to_numpy(), dtype="Int64").mask(net)
        elif key == "filter_row":
            rows = pd.Series(events["filter_row"].to_numpy(), dtype="Int64")
            out[key] = rows.mask(rows < 0)
        else:
            out[key] = events[RENAMED.get(key, key)].reset_index(drop=True)
    return pd.DataFrame(out)


def known_action(actions: pd.Series) -> pd.Series:
    """Return the actions of the contract; one that this platform version invents is missing, never a new word."""
    return actions.where(actions.isin(list(ACTIONS)))


def filter_frame(book: Book) -> pd.DataFrame:
    """Return one row per filter of all states, with its conditions as a tuple of plain dicts."""
    conditions: list[list[dict[str, str | None]]] = [[] for _ in range(len(book.filters))]
    columns = (book.conditions[name] for name in ("filter_row", "field", "match", "text", "raw"))
    for row, field, match, text, raw in zip(*columns, strict=True):
        item: dict[str, str | None] = {"field": cells.text(field) or LOST, "match": cells.text(match) or LOST}
        item |= {"value": cells.text(text), "raw": cells.text(raw)}
        conditions[int(row)].append(item)
    filters = book.filters
    can_block = filters["action"].isin(list(CAN_BLOCK))
    packed = np.empty(len(filters), dtype=object)
    for position, items in enumerate(conditions):
        packed[position] = tuple(items)
    return pd.DataFrame(
        {
            "filter_id": filters["filter_id"],
            "filter_key": filters["filter_key"],
            "name": filters["name"],
            "provider": filters["provider"],
            "sublayer": filters["sublayer"],
            "layer": filters["layer"],
            "action": known_action(filters["action"]),
            "origin": filters["origin"],
            "rule_id": filters["rule_id"],
            "weight": filters["effective_weight"],
            "input": filters["input"],
            "flags": filters["flags"],
            "conditions": packed,
            "kind": filters["kind"].where(can_block),
            "kind_evidence": filters["kind_evidence"].where(can_block),
        }
    )
