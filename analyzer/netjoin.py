"""Audit events and net events as one set: matched ones add what they know, the others stand for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from analyzer import cells, netevents, netmatch
from analyzer.model import Problem
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.readers.netevents import NetEvents

# What net events add to events: missing where none is matched.
ADDED: Final[dict[str, str]] = {
    "user_sid": "category",  # of the token
    "user_source": "category",  # netevent
    "package_sid": "category",
    "service_sids": "category",  # newer builds alone, as printed
    "net_origin": "category",  # the filter origin that the net event names
    "net_input": "category",  # where the net event stands: its file, and its number there
    "net_entry": "Int64",
    "net_original_profile": "UInt64",  # 0 stands where none was known, too
    "net_current_profile": "UInt64",
    "net_interface_index": "UInt64",
    "interface_luid": "UInt64",
    "terminating": "object",  # tuple of (sublayer, filter id, action), or None
}
# Columns of what net events tell (`analyzer.netmatch.evidence`) that are called otherwise in events.
_TOLD: Final[dict[str, str]] = {
    "net_origin": "origin",
    "net_original_profile": "original_profile",
    "net_current_profile": "current_profile",
    "net_interface_index": "interface_index",
}
AUDIT: Final = "audit"


@dataclass(frozen=True, slots=True)
class Joined:
    """Oriented events with ``source`` and the columns ``ADDED``, and what time files of net events cover.

    ``spans`` are (computer or None, first, last) in ns: the ring of net events is emptied when Windows starts, so no
    start lies inside.
    """

    events: pd.DataFrame
    spans: tuple[tuple[str | None, int, int], ...]
    problems: tuple[Problem, ...]


def join(
    events: pd.DataFrame, parts: Sequence[tuple[str, NetEvents]], layer_names: Mapping[int, str] | None = None
) -> Joined:
    """Join oriented audit events to the net events of several files.

    Parameters
    ----------
    events : oriented audit events (:func:`analyzer.addressing.orient`), in time order.
    parts : name of the input, and what was read of it.
    layer_names : run-time layer id -> symbol, for ids that differ between Windows versions.
    """
    own = events.copy(deep=False)
    own["source"] = _constant(AUDIT, len(own))
    if not parts:
        for name, dtype in ADDED.items():
            own[name] = _missing(dtype, len(own))
        return Joined(own, (), ())
    gathered, filters, repeats = netevents.gather([(item.events, item.filters) for _, item in parts])
    matches = netmatch.match(own, gathered)
    told = netmatch.evidence(matches, gathered, filters)
    for name in ADDED:
        own[name] = told[_TOLD.get(name, name)].array
    alone = gathered[~matches.taken]
    files = [part for _, part in alone.groupby("input", observed=True, sort=False)]
    added = [
        _stand_alone(part.reset_index(drop=True), matches.computers.get(str(part["input"].iloc[0])), layer_names)
        for part in files
    ]
    problems = [
        Problem(name, None, "note", f"{plural(count, 'net event')} also in another file: counted once")
        for name, count in repeats.items()
    ]
    problems.extend(_said(matches, gathered))
    return Joined(stack([own, *added]), tuple(_spans(parts, matches.computers)), tuple(problems))


def _stand_alone(part: pd.DataFrame, computer: str | None, layer_names: Mapping[int, str] | None) -> pd.DataFrame:
    """Return the decisions that no audit event shows, as events."""
    out = netevents.to_events(part, layer_names=layer_names, computer=computer)
    out["net_input"] = out["input"]
    out["net_entry"] = out["entry"].astype("Int64")
    out["net_origin"] = out["event_origin"]
    rows = out["netevent_row"].to_numpy()
    for name in ("net_original_profile", "net_current_profile", "net_interface_index", "interface_luid"):
        out[name] = part[_TOLD.get(name, name)].iloc[rows].array
    out["terminating"] = np.full(len(out), None, dtype=object)
    return out.drop(columns=["entry", "netevent_row"])


def _said(matches: netmatch.Matches, gathered: pd.DataFrame) -> list[Problem]:
    """Say for each file how many of its decisions an audit event shows, too."""
    out = []
    decided = gathered["decision"].notna().to_numpy()
    codes = gathered["input"].cat.codes.to_numpy()
    hits = np.bincount(codes[matches.row[matches.row >= 0]], minlength=len(gathered["input"].cat.categories))
    for code, name in enumerate(gathered["input"].cat.categories):
        total = int((decided & (codes == code)).sum())
        if total and hits[code]:
            what = f"{hits[code]:,} of {plural(total, 'decision')} matched one-to-one to audit events"
            out.append(Problem(str(name), None, "note", what))
    return out


def _spans(parts: Sequence[tuple[str, NetEvents]], computers: Mapping[str, str]) -> list[tuple[str | None, int, int]]:
    out = []
    for name, part in parts:
        first, last = cells.moment(part.first), cells.moment(part.last)
        if first is not None and last is not None:
            out.append((computers.get(name), first, last))
    return out


def _constant(text: str, count: int) -> pd.Categorical:
    return pd.Categorical.from_codes(np.zeros(count, dtype=np.int8), categories=pd.Index([text], dtype="str"))


def _missing(dtype: str, count: int) -> Any:
    if dtype == "category":
        return pd.Categorical.from_codes(np.full(count, -1, dtype=np.int8), categories=pd.Index([], dtype="str"))
    if dtype in ("Int64", "UInt64"):
        return pd.arrays.IntegerArray(np.zeros(count, dtype=dtype.lower()), np.ones(count, dtype=bool))
    return np.full(count, None, dtype=object)


def stack(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put frames of the same columns one below another; categories are united. In order of time, then as given."""
    filled = [part for part in parts if len(part)] or list(parts[:1])
    if len(filled) == 1:
        return filled[0].reset_index(drop=True)
    out = {}
    for name in filled[0].columns:
        columns = [part[name] for part in filled]
        if isinstance(columns[0].dtype, pd.CategoricalDtype):
            same = [pd.Categorical(column) for column in columns]
            out[name] = pd.Series(union_categoricals(same, ignore_order=True))
        else:
            out[name] = pd.concat(columns, ignore_index=True)
    return pd.DataFrame(out).sort_values("time", kind="stable", ignore_index=True)
