"""From records to lifetimes: which filter each run-time id was, from 5441 and 5447 in order (REFERENCE 1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer import frames
from analyzer.epochs import CHANGED, PRESENT
from analyzer.markers import NO_TIME, nanoseconds
from analyzer.wfp import codes, keys, layers, providers, sublayers

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.epochs import Bounds

LAST: Final = np.iinfo(np.int64).max
TOP_RECORD: Final = np.uint64(2**62)


@dataclass(frozen=True, slots=True)
class Lives:
    """The lifetimes of one host, ordered by id and beginning; times in ns, records -1 where not known."""

    rows: NDArray[np.int64]  # in the LIFETIMES frame
    ids: NDArray[np.uint64]
    epoch: NDArray[np.int64]
    begin: NDArray[np.int64]  # where a search places it: its first record, else the earliest that it can be
    begin_record: NDArray[np.int64]
    end: NDArray[np.int64]  # LAST: no end was logged in its epoch
    end_record: NDArray[np.int64]
    told_from: NDArray[np.int64]  # time of the record of its beginning, or NO_TIME
    told_to: NDArray[np.int64]
    sound: NDArray[np.bool_]  # neither doubtful, nor without 5447 in its epoch


def record_numbers(column: pd.Series) -> NDArray[np.int64]:
    """Return record ids as int64, -1 where there is none."""
    numbers = np.minimum(column.to_numpy(dtype="uint64", na_value=0), TOP_RECORD).astype(np.int64)
    out: NDArray[np.int64] = np.where(column.isna().to_numpy(), -1, numbers)
    return out


def read(host: str, frame: pd.DataFrame, bound: Bounds, first: tuple[int, int]) -> tuple[pd.DataFrame, Lives]:
    """Read the lifetimes of one host. ``first`` are the numbers of its first lifetime and of its first epoch."""
    change = frame["change_code"].map(codes.change, na_action="ignore").astype("object")
    present = (frame["event_id"] == PRESENT).to_numpy()
    changed = ((frame["event_id"] == CHANGED) & change.notna()).to_numpy()
    usable = (present | changed) & (frame["filter_rtid"].notna() & frame["time"].notna()).to_numpy()
    frame = frame[usable]
    deleted = (change[usable] == "delete").to_numpy() & ~present[usable]
    times = nanoseconds(frame["time"])
    records = record_numbers(frame["record_id"])
    order = np.lexsort((records, times))
    frame, deleted, times, records = frame.iloc[order], deleted[order], times[order], records[order]
    epoch = bound.epoch(times)
    ids = frame["filter_rtid"].to_numpy(dtype="uint64")
    filter_keys = pd.factorize(_each(frame["filter_key"], str.lower))[0]
    from_row, to_row, doubtful, begin_row = _pair(ids, filter_keys, deleted, epoch)
    shown = np.where(from_row >= 0, from_row, to_row)
    part = _lifetimes(host, frame, shown, (from_row, to_row), epoch[shown] + first[1])
    part["doubtful"] = doubtful
    # 5441 alone shows no deletion: only where 5447 was logged in the same epoch, its silence says something.
    audited = np.unique(epoch[(frame["event_id"] == CHANGED).to_numpy()])
    begin = np.where(begin_row >= 0, times[begin_row], np.concatenate(([NO_TIME], bound.starts))[epoch[shown]])
    end_row = np.where(to_row >= 0, to_row, 0)
    by_id = np.lexsort((np.arange(len(shown)), ids[shown]))
    lives = Lives(
        rows=by_id + first[0],
        ids=ids[shown][by_id],
        epoch=epoch[shown][by_id],
        begin=begin[by_id],
        begin_record=np.where(begin_row >= 0, records[begin_row], -1)[by_id],
        end=np.where(to_row >= 0, times[end_row], LAST)[by_id],
        end_record=np.where(to_row >= 0, records[end_row], -1)[by_id],
        told_from=np.where(from_row >= 0, times[from_row], NO_TIME)[by_id],
        told_to=np.where(to_row >= 0, times[end_row], NO_TIME)[by_id],
        sound=(~doubtful & np.isin(epoch[shown], audited))[by_id],
    )
    return part, lives


def _pair(
    ids: NDArray[np.uint64], filter_keys: NDArray[np.intp], deleted: NDArray[np.bool_], epoch: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Pair beginnings with ends, record by record in order.

    Returns
    -------
    Of each lifetime, by the order in which they come up: row of its beginning, row of its end (-1: not logged),
    whether records in between must be missing, and the row after which it can have begun (-1: its epoch).
    """
    begins: list[int] = []
    ends: list[int] = []
    doubts: list[bool] = []
    after: list[int] = []
    alive: dict[int, int] = {}  # id -> lifetime
    ended: dict[int, int] = {}  # id -> row of its latest end
    now = -1
    columns = (ids.tolist(), filter_keys.tolist(), deleted.tolist(), epoch.tolist())
    for row, (number, key, gone, number_of_epoch) in enumerate(zip(*columns, strict=True)):
        if number_of_epoch != now:
            alive, ended, now = {}, {}, number_of_epoch
        life = alive.pop(number, None)
        if gone and life is not None and filter_keys[begins[life]] == key:
            ends[life] = row
        elif not gone and life is not None and filter_keys[begins[life]] == key and not doubts[life]:
            alive[number] = life  # logged as present and then as added, or twice
            continue
        else:
            if life is not None:
                doubts[life] = True  # its end was not logged
            again = life is not None or number in ended
            begins.append(-1 if gone else row)
            ends.append(row if gone else -1)
            doubts.append(gone and again)  # its beginning was not logged, though an earlier lifetime was
            after.append((begins[life] if life is not None else ended.get(number, -1)) if gone else row)
            if not gone:
                alive[number] = len(begins) - 1
        if gone:
            ended[number] = row
    return np.array(begins, np.int64), np.array(ends, np.int64), np.array(doubts, bool), np.array(after, np.int64)


def _lifetimes(
    host: str,
    frame: pd.DataFrame,
    shown: NDArray[np.int64],
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
    epoch: NDArray[np.int64],
) -> pd.DataFrame:
    """Make the LIFETIMES rows: what the record of the beginning says, else that of the end."""
    told = frame.iloc[shown]
    out: dict[str, Any] = {
        "computer": pd.Series([host] * len(shown), dtype="str"),
        "epoch": epoch,
        "filter_id": told["filter_rtid"].array,
        "filter_key": _each(told["filter_key"], lambda key: keys.guid(key) or key),
        "name": _each(told["filter_name"], str),
        "provider": _each(told["provider_key"], lambda key: _key(key, providers.canonical_provider)),
        "provider_name": _each(told["provider_name"], str),
        "layer": _each(told["layer_key"], lambda key: _key(key, layers.canonical_layer)),
        "layer_id": told["layer_rtid"].array,
        "sublayer": _each(told["sublayer_key"], lambda key: _key(key, sublayers.canonical_sublayer)),
        "action": _each(told["action_code"], _action),
        "callout_key": _each(told["callout_key"], lambda key: _key(key, keys.canonical_callout)),
        "weight": told["weight"].array,
        "filter_type": _each(told["filter_type_code"], _filter_type),
        "conditions": _conditions(told),
    }
    for name, rows in zip(("from", "to"), ends, strict=True):
        ended, missing = frame.iloc[np.maximum(rows, 0)], rows < 0
        out[name] = ended["time"].reset_index(drop=True).mask(missing)
        out[f"{name}_input"] = _each(ended["input"], str).mask(missing)
        out[f"{name}_record_id"] = ended["record_id"].reset_index(drop=True).mask(missing)
        if name == "from":
            ids = pd.Series(ended["event_id"].to_numpy(), dtype=frames.NUMBER)
            out["from_event_id"] = ids.mask(missing)
    out["doubtful"] = np.zeros(len(shown), bool)
    made = {name: pd.Series(out[name], dtype=dtype).reset_index(drop=True) for name, dtype in frames.LIFETIMES.items()}
    return pd.DataFrame(made)


def _each(column: pd.Series, change: Callable[[str], str | None]) -> pd.Series:
    """Change the distinct texts of a ``category`` column; the result is ``str``."""
    used, inverse = np.unique(column.cat.codes.to_numpy(), return_inverse=True)
    texts = column.cat.categories.take(used[used >= 0]).tolist()
    changed = [*([None] * int((used < 0).sum())), *(change(text) for text in texts)]
    return pd.Series(changed, dtype="str").take(inverse).reset_index(drop=True)


def _key(text: str, canonical: Callable[[str], str]) -> str | None:
    """Return a canonical key; the null GUID means that there is none."""
    return None if keys.guid(text) == keys.NULL_GUID else canonical(text)


def _action(text: str) -> str | None:
    said = codes.action(text)
    return "callout-unknown" if said == "callout" else said


def _filter_type(text: str) -> str | None:
    return codes.FILTER_TYPES.get(codes.code_number(text) or 0)


def _conditions(told: pd.DataFrame) -> pd.Series:
    """Return the text of the conditions; a whole record without one has none, a cut one may have lost it."""
    whole = (told["action_code"].notna() & told["layer_key"].notna() & told["weight"].notna()).to_numpy()
    text = _each(told["conditions"], str)
    return text.where(text.notna() | ~whole, "")
