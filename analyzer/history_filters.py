"""Filters that only the history knows, as rows like those of a state: same columns, same conditions, same classes.

5441 and 5447 tell neither the sublayer nor the type of the weight (REFERENCE 1.6). Both stay missing in the row; to
classify it by the same rules, they are taken from what the provider and the effective weight imply. Measured over the
blocks and callouts of the public states: this gives the class that the whole filter has, or "unresolved".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer import cells, conditions_text, frames
from analyzer.classify import classify
from analyzer.engine.conditions import tests_by_filter
from analyzer.model import Problem
from analyzer.wfp import fixed_filters, layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.engine.conditions import Test

FLAGS: Final[dict[str, tuple[str, ...]]] = {
    "boot-time": ("BOOTTIME",),
    "persistent": ("PERSISTENT",),
    "not-persistent": (),
}
# Provider -> the sublayer of its blocking filters, but for those with fixed keys (REFERENCE 3.3, 3.4; measured).
OWN_SUBLAYER: Final[dict[str, str]] = {
    "MPSSVC_WF": "MPSSVC_WF",
    "MPSSVC_WSH": "MPSSVC_WSH",
    "MPSSVC_APP_ISOLATION": "MPSSVC_APP_ISOLATION",
}
ISOLATION: Final = "MPSSVC_APP_ISOLATION"
TEREDO: Final = "TEREDO"
RULE_WEIGHT: Final = 9
FIXED_WEIGHT: Final = 15  # the top four bits of the 64-bit weights that the firewall gives itself (REFERENCE 3.4)
IMPLIED: Final = "; 5441 and 5447 do not name the sublayer, it is taken as its provider's own"
MAX_PROBLEMS: Final = 20  # per input; the rest is counted


def rows(lifetimes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return FILTERS and CONDITIONS rows of these lifetimes, in their order."""
    began = lifetimes["from_record_id"].notna() | lifetimes["from_input"].notna()
    record = lifetimes["from_record_id"].where(began, lifetimes["to_record_id"])
    columns: dict[str, Any] = {
        "input": lifetimes["from_input"].where(began, lifetimes["to_input"]),
        "flags": [FLAGS.get(cells.text(word) or "") for word in lifetimes["filter_type"]],
        "effective_weight": lifetimes["weight"],
        "layer_id": [_layer_id(i, n) for i, n in zip(lifetimes["layer_id"], lifetimes["layer"], strict=True)],
        "place": [None if pd.isna(number) else f"record {int(number)}" for number in record],
    }
    for name in ("filter_id", "filter_key", "name", "provider", "layer", "sublayer", "action", "callout_key"):
        columns[name] = lifetimes[name]
    filters = frames.build(columns, frames.FILTERS)
    return filters, _conditions(lifetimes["conditions"], filters)


def _layer_id(number: object, layer: object) -> int | None:
    known = cells.number(number)
    return known if known is not None or not isinstance(layer, str) else layers.ID_BY_SYMBOL.get(layer)


def _conditions(texts: pd.Series, filters: pd.DataFrame) -> pd.DataFrame:
    """Read the condition texts. A condition without a field stands for what was lost or not understood."""
    columns: dict[str, list[Any]] = {name: [] for name in frames.CONDITIONS}
    inputs, ids = filters["input"].tolist(), cells.objects(filters["filter_id"]).tolist()

    def add(row: int, index: int, found: conditions_text.Read | None) -> None:
        value = found.value if found is not None else None
        made = (
            inputs[row],
            row,
            ids[row],
            index,
            None if found is None else found.field,
            None if found is None else found.match,
            None if value is None or found is None or not found.told else value.type,
            None if value is None else value.value,
            None if value is None or not value.text else value.text,
            None if value is None else value.raw,
        )
        for column, cell in zip(columns.values(), made, strict=True):
            column.append(cell)

    for row, text in enumerate(texts):
        read = conditions_text.read(text) if isinstance(text, str) else None
        found = read.conditions if read is not None else ()
        for index, item in enumerate(found):
            add(row, index, item)
        if read is None or not read.whole:
            add(row, len(found), None)
    return frames.build(columns, frames.CONDITIONS)


def problems(lifetimes: pd.DataFrame) -> Iterator[Problem]:
    """Say which condition texts were not understood: each once, with the record that holds it."""
    named = lifetimes["from_input"].fillna(lifetimes["to_input"])
    frame = pd.DataFrame({"input": named, "text": lifetimes["conditions"]})
    frame["record"] = lifetimes["from_record_id"].fillna(lifetimes["to_record_id"])
    told: dict[object, int] = {}
    seen: set[tuple[object, str]] = set()
    for name, text, record in frame.drop_duplicates(["input", "text"]).itertuples(index=False):
        reasons = conditions_text.read(text).problems if isinstance(text, str) else ("its conditions are missing",)
        for reason in reasons:
            if (name, reason) in seen:
                continue
            seen.add((name, reason))
            told[name] = told.get(name, 0) + 1
            if told[name] <= MAX_PROBLEMS:
                place = None if pd.isna(record) else f"record {int(record)}"
                what = f"a filter's record of the history: {reason}; it is compared as far as it was understood"
                yield Problem(cells.text(name), place, "doubtful", what)
    for name, count in told.items():
        if count > MAX_PROBLEMS:
            what = f"{count - MAX_PROBLEMS:,} more condition texts of the filter history were not understood"
            yield Problem(cells.text(name), None, "doubtful", what)


def classified(filters: pd.DataFrame, conditions: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Classify rows of the history; ``names`` are their providers' display names. Columns as of ``classify``."""
    tests = tests_by_filter(conditions)
    completed, implied = _completed(filters, tests)
    made = pd.DataFrame({"input": filters["input"], "provider": filters["provider"], "name": names.to_numpy()})
    made = made.dropna(subset=["provider"]).drop_duplicates(["input", "provider"])
    columns = {name: made[name].tolist() for name in made.columns}
    out = classify(completed, tests, frames.build(columns, frames.PROVIDERS), frames.empty(frames.SUBLAYERS))
    by_shape = implied & (out["kind_evidence"] == "shape").to_numpy()
    out["why"] = out["why"].where(~by_shape | out["why"].isna(), out["why"] + IMPLIED)
    return out


def _completed(filters: pd.DataFrame, tests: dict[int, tuple[Test, ...]]) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Fill in sublayer and weight as implied; tell which rows got a sublayer."""
    out = filters.copy()
    implied = np.zeros(len(out), bool)
    sublayer, weight_type, weight = list(out["sublayer"]), list(out["weight_type"]), list(out["weight"])
    for at, row in enumerate(filters.itertuples(index=False)):
        effective = cells.number(row.effective_weight)
        top = None if effective is None else effective >> 60
        if top is not None:
            weight_type[at] = "EMPTY" if top == 0 else "UINT64" if top == FIXED_WEIGHT else "UINT8"
            weight[at] = top if weight_type[at] == "UINT8" else effective if top else None
        if not isinstance(row.sublayer, str) and fixed_filters.fixed_filter(str(row.filter_key)) is None:
            sublayer[at] = _own_sublayer(row, top, {test.field for test in tests.get(at, ())})
            implied[at] = sublayer[at] is not None
    out["sublayer"] = pd.Series(sublayer, dtype="str", index=out.index)
    out["weight_type"] = pd.Series(weight_type, dtype="str", index=out.index)
    out["weight"] = frames.build({"weight": weight}, {"weight": frames.NUMBER})["weight"].array
    return out, implied


def _own_sublayer(row: Any, top: int | None, fields: set[str]) -> str | None:
    """Return the sublayer that provider, weight and conditions imply, or None."""
    own = OWN_SUBLAYER.get(row.provider) if isinstance(row.provider, str) else None
    if own == "MPSSVC_WF" and str(row.action).startswith("callout") and top == RULE_WEIGHT:
        return TEREDO  # edge-traversal helpers of rules
    if own == "MPSSVC_WF" and top == FIXED_WEIGHT and "ALE_USER_ID" in fields:
        return ISOLATION  # loopback of app containers
    return own
