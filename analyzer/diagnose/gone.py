"""Filters that blocked and that the log's own history tells to be deleted since: nothing is left to be done to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from analyzer import cells
from analyzer.history import LAG
from analyzer.model import Evidence
from analyzer.wording import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.diagnose.context import Context
    from analyzer.history import History

# The firewall deletes the filters of its defaults on every policy change and adds others in their place: only what
# others add, and what a rule makes, can be said to be gone.
KINDS: Final = frozenset({"other-wfp", "third-party", "windows-component", "callout", "ipsec", "explicit-rule"})
SAME: Final = ("name", "provider", "layer", "action")  # what a filter that came back under another key has in common
SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Ended:
    """A filter of the history, and the record that tells of its end."""

    filter_id: int
    name: str | None
    time: int  # ns
    input: str | None
    record_id: int | None


def ended(context: Context, events: pd.DataFrame) -> dict[tuple[str | None, int], Ended]:
    """Return (computer, row of the filter) -> its end, for filters that are no longer in force as far as is known.

    ``events`` are blocks and drops of any kind; what is told rests on those that the history judged.
    """
    past = context.past
    if past is None:
        return {}
    chosen = (events["grade"] == "history") & events["kind"].isin(list(KINDS)) & (events["filter_row"] >= 0)
    named = events.loc[chosen.to_numpy(dtype=bool), ["computer", "filter_row"]].drop_duplicates()
    out = {}
    for computer, row in zip(cells.texts(named["computer"]), named["filter_row"], strict=True):
        found = _end(context, past, computer, context.book.filters.iloc[int(row)])
        if found is not None:
            out[computer, int(row)] = found
    return out


def _end(context: Context, past: History, computer: str | None, item: pd.Series) -> Ended | None:
    lives = past.lifetimes[past.lifetimes["computer"] == past.hosts.get(computer)]
    key, number = cells.text(item["filter_key"]), cells.number(item["filter_id"])
    own = lives[(lives["filter_id"] == number) & (lives["filter_key"] == key)] if key is not None else lives.iloc[:0]
    own = own[own["epoch"] == own["epoch"].max()]
    if own.empty or number is None or own["to"].isna().any():
        return None
    last = own.loc[own["to"].idxmax()]
    time = cells.moment(last["to"])
    if time is None or _later(lives, item, own, time) or _in_later_state(context, computer, item, time):
        return None
    name, record = cells.text(item["name"]), cells.number(last["to_record_id"])
    return Ended(number, name, time, cells.text(last["to_input"]), record)


def _later(lives: pd.DataFrame, item: pd.Series, own: pd.DataFrame, time: int) -> bool:
    """Tell whether the history has such a filter after that time: the same key, or the same name at the same layer."""
    others = lives[~lives.index.isin(own.index)]
    # A lifetime without an end lasts until its epoch's, and the filters of one product are deleted together.
    alive = others["to"].isna() & (others["epoch"] >= own["epoch"].max())
    alive |= others["to"] > pd.Timestamp(time + LAG, unit="ns", tz="UTC")
    return bool((alive & _alike(others, item)).any())


def _in_later_state(context: Context, computer: str | None, item: pd.Series, time: int) -> bool:
    """Tell whether a state of this computer that was taken later holds such a filter."""
    usable = {fit.pairing.state for fit in context.fits if fit.pairing.computer == computer and not fit.excluded}
    for snapshot in context.book.snapshots:
        taken = snapshot.taken
        if snapshot.name in usable and (taken is None or taken > time):
            filters = context.book.filters.iloc[snapshot.rows.start : snapshot.rows.stop]
            if bool(_alike(filters, item).any()):
                return True
    return False


def _alike(filters: pd.DataFrame, item: pd.Series) -> pd.Series:
    same: pd.Series = filters["filter_key"] == item["filter_key"]
    if cells.text(item["name"]) is None:
        return same
    twin: pd.Series = pd.Series(True, index=filters.index)
    for column in SAME:
        missing = cells.text(item[column]) is None
        twin &= filters[column].isna() if missing else filters[column] == item[column]
    either: pd.Series = same | twin
    return either


def places(events: pd.DataFrame, ends: Iterable[tuple[str | None, int]]) -> pd.Series:
    """Tell for each event whether its filter is one of these (computer, row)."""
    wanted = frozenset(ends)
    pairs = zip(cells.texts(events["computer"]), events["filter_row"].tolist(), events["grade"], strict=True)
    return pd.Series([g == "history" and (c, int(r)) in wanted for c, r, g in pairs], index=events.index, dtype=bool)


def said(ends: Sequence[Ended]) -> str:
    """Say which filters are gone since when."""
    each = [f"filter {end.filter_id}{_called(end)} was deleted at {moment(end.time)}" for end in ends[:SHOWN]]
    more = f"; {len(ends) - SHOWN:,} more were deleted, too" if len(ends) > SHOWN else ""
    text = "; ".join(each)
    return f"{text[0].upper()}{text[1:]}{more}: no longer in force."


def evidence(ends: Sequence[Ended]) -> tuple[Evidence, ...]:
    """Cite the records of the ends."""
    return tuple(
        Evidence(
            f"deleted at {moment(end.time)} (5447): filter {end.filter_id}{_called(end)}", end.input, end.record_id
        )
        for end in ends[:SHOWN]
    )


def _called(end: Ended) -> str:
    return f" “{end.name}”" if end.name else ""
