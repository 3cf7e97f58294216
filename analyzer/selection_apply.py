"""Applying a selection to judged events: which of them a result is about, and how many it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from analyzer import cells
from analyzer.model import Selected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.readers.wfpstate import WfpState
    from analyzer.selection import Selection

_NUMBERED: Final = ("flow", "attempt", "verdict")  # 0 to n-1, all in use


def apply(
    selection: Selection | None, events: pd.DataFrame, states: Iterable[tuple[str, WfpState]]
) -> tuple[pd.DataFrame, Selected | None]:
    """Return the events that fit, and what that leaves out; all of them and None where nothing is asked for.

    Parameters
    ----------
    events : judged events with ``flow, attempt, verdict`` (:func:`analyzer.flows.add`); these are numbered anew.
    states : name and state of each; their sessions tell which SIDs an account name stands for.
    """
    if not selection:
        return events, None
    shown = events[selection.mask(events, account_names(states))].reset_index(drop=True)
    for name in _NUMBERED:
        shown[name] = pd.factorize(shown[name].to_numpy())[0]
    sentence = selection.left_out(len(shown), len(events))
    return shown, Selected(selection.describe(), len(shown), len(events), sentence)


def account_names(states: Iterable[tuple[str, WfpState]]) -> dict[str, str]:
    """Return SID -> account name, as the states' sessions tell it."""
    out: dict[str, str] = {}
    for _, state in states:
        for sid, name in zip(state.sessions["sid"], state.sessions["user_name"], strict=True):
            key, value = cells.text(sid), cells.text(name)
            if key and value:
                out.setdefault(key, value)
    return out
