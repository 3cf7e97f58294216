"""Verdicts: the events of one flow with one outcome, folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import cells
from analyzer.contract import ACTIONS
from analyzer.folding import Groups
from analyzer.markers import NO_TIME, nanoseconds
from analyzer.model import FilterRef, Verdict
from analyzer.netevents import NO_EVENT_ID
from analyzer.wfp import origins

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analyzer.model.engine import Nearest
    from analyzer.states import Book

RECORD_IDS: Final = 10
ACTION_ORDER: Final = {"block": 0, "drop": 1, "permit": 2}
_TEXTS: Final = (
    "kind",
    "grade",
    "action",
    "computer",
    "application",
    "direction",
    "local_address",
    "remote_address",
    "layer",
    "event_origin",
)
_NUMBERS: Final = ("protocol", "service_port", "icmp_type", "icmp_code", "filter_rtid")


def filter_ref(book: Book, row: int) -> FilterRef | None:
    """Return the contract's filter object of one row, or None for -1."""
    if row < 0:
        return None
    item = book.filters.iloc[row]
    action = cells.text(item["action"])
    return FilterRef(
        filter_id=cells.number(item["filter_id"]) or 0,
        filter_key=cells.text(item["filter_key"]),
        name=cells.text(item["name"]),
        provider=cells.text(item["provider"]),
        sublayer=cells.text(item["sublayer"]),
        layer=cells.text(item["layer"]),
        action=action if action in ACTIONS else None,
        origin=cells.text(item["origin"]),
        rule_id=cells.text(item["rule_id"]),
        weight=cells.number(item["effective_weight"]),
    )


def verdicts(
    events: pd.DataFrame,
    book: Book,
    findings: Mapping[int, tuple[str, ...]],
    nearest: Mapping[int, tuple[Nearest, ...]] | None = None,
) -> tuple[Verdict, ...]:
    """Fold events into verdicts: blocks first, then drops, then permits, each by count.

    ``findings`` maps verdict numbers to the keys of the findings that rest on them, ``nearest`` to allow rules.
    """
    if events.empty:
        return ()
    groups = Groups(events["verdict"].to_numpy())
    heads = events.iloc[groups.first]
    columns = _shared(heads, book) | _folded(events, groups, heads)
    columns["findings"] = [findings.get(number, ()) for number in range(groups.size)]
    columns["nearest"] = [(nearest or {}).get(number, ()) for number in range(groups.size)]
    first = groups.first.tolist()
    # a dict per verdict would cost more than all the folding: the values are handed over by position
    rows = zip(*(columns[name] for name in Verdict.__dataclass_fields__), strict=True)
    out = [Verdict(*row) for row in rows]
    order = sorted(
        range(len(out)), key=lambda i: (ACTION_ORDER[out[i].action], -out[i].count, out[i].first or "", first[i])
    )
    return tuple(out[i] for i in order)


def _shared(heads: pd.DataFrame, book: Book) -> dict[str, Any]:
    """Return the columns that all events of a verdict share, each with one value per verdict."""
    out: dict[str, Any] = {name: cells.texts(heads[name]) for name in _TEXTS}
    out |= {name: cells.objects(heads[name]).tolist() for name in _NUMBERS}
    out["services"] = heads["services"].tolist()
    out["reasons"] = heads["reasons"].tolist()
    rows, numbers = heads["filter_row"].tolist(), heads["state"].tolist()
    refs = {row: filter_ref(book, row) for row in set(rows)}
    makers = {row: cells.text(book.filters["rule_maker"].iloc[row]) if row >= 0 else None for row in refs}
    out["filter"] = [refs[row] for row in rows]
    out["state"] = [
        book.snapshots[state].name if state >= 0 and row >= 0 else None
        for state, row in zip(numbers, rows, strict=True)
    ]
    out["rule_id"] = [
        origins.rule_id(origin) or (None if ref is None else ref.rule_id)
        for origin, ref in zip(out["event_origin"], out["filter"], strict=True)
    ]
    out["rule_maker"] = [
        origins.rule_maker(origin, None if ref is None else ref.sublayer) or makers[row]
        for origin, ref, row in zip(out["event_origin"], out["filter"], rows, strict=True)
    ]
    return out


def _folded(events: pd.DataFrame, groups: Groups, heads: pd.DataFrame) -> dict[str, Any]:
    """Return the columns that sum up the events of a verdict, each with one value per verdict."""
    times = nanoseconds(events["time"])
    own = (heads["direction"] == "outbound").to_numpy(dtype=bool) | heads["service_port"].isna().to_numpy(dtype=bool)
    client = events["local_port"].where(own[groups.numbers], events["remote_port"])
    certain = groups.count((events["endpoint_order"] == "certain").to_numpy(dtype=bool)) == groups.counts
    return {
        "count": groups.counts.tolist(),
        "attempts": groups.distinct(events["attempt"]).tolist(),
        "first": cells.rfc3339_all(groups.least(np.where(times == NO_TIME, np.iinfo(np.int64).max, times))),
        "last": cells.rfc3339_all(groups.most(times)),
        "record_ids": groups.leading(events["record_id"], RECORD_IDS),
        "event_ids": groups.smallest(events["event_id"].where(events["event_id"] != NO_EVENT_ID), len(events)),
        "endpoint_order": ["certain" if sure else "uncertain" for sure in certain.tolist()],
        "client_ports": groups.distinct(client).tolist(),
        "process_ids": groups.smallest(events["process_id"], RECORD_IDS),
    }
