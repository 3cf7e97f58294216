"""From the best match to the verdict: kind, grade, filter that may be shown, reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzer import cells, folding, reasons, recall
from analyzer.history import Status
from analyzer.netjoin import AUDIT
from analyzer.pairing import elsewhere
from analyzer.reasons import GRADES, Rank
from analyzer.wfp import origins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analyzer.history import History
    from analyzer.matches import Best
    from analyzer.pairing import Fit
    from analyzer.states import Book


@dataclass(frozen=True, slots=True)
class Case:
    """What a verdict is made from, beside the match."""

    events: pd.DataFrame
    book: Book
    fits: tuple[Fit, ...]
    items: Mapping[int, Mapping[str, Any]]  # row of the book -> its filter
    lives: Mapping[int, Mapping[str, Any]]  # row of the history's lifetimes -> lifetime
    others: frozenset[tuple[str | None, str]]  # computer and state, where the state is another computer's

    @classmethod
    def of(cls, events: pd.DataFrame, book: Book, fits: tuple[Fit, ...], best: Best, past: History | None) -> Case:
        """Take what the best matches name."""
        lives = {} if past is None else _records(past.lifetimes, best.life)
        return cls(events, book, fits, _records(book.filters, best.row), lives, elsewhere(fits))

    def absent(self, computer: str | None) -> str:
        """Say why no filter stands behind a run-time id of this computer."""
        if not self.book.snapshots:
            return reasons.NO_STATE
        own = any((computer, snapshot.name) not in self.others for snapshot in self.book.snapshots)
        return reasons.NOT_IN_STATE if own else reasons.NO_OWN_STATE

    def recalled(self, life: int, status: int) -> str | None:
        """Say what the history tells, where it speaks for the match or against it."""
        return recall.sentence(self.lives[life], Status(status)) if life >= 0 else None

    def fit(self, computer: str | None, state: str | None) -> Fit | None:
        """Find how a state relates to a computer."""
        return next((f for f in self.fits if f.pairing.computer == computer and f.pairing.state == state), None)


def _records(frame: pd.DataFrame, rows: NDArray[np.int64]) -> dict[int, Mapping[str, Any]]:
    """Return the named rows of a frame as plain dicts: single rows of a frame are slow to take."""
    named = np.unique(rows[rows >= 0])
    return dict(zip(named.tolist(), frame.iloc[named].to_dict("records"), strict=True))


def judge(best: Best, case: Case, status: NDArray[np.int8] | None) -> pd.DataFrame:
    """Give every event kind, grade, reasons and filter. Equal cases are judged once.

    ``status`` is what the history says of each event (:class:`analyzer.history.Status`), where there is one.
    """
    events = case.events
    out = events.copy(deep=False)
    rtid = events["filter_rtid"]
    keys = {
        "event_id": events["event_id"].to_numpy(),
        "action": events["action"].cat.codes.to_numpy(),
        "origin": events["event_origin"].cat.codes.to_numpy(),
        "net_origin": events["net_origin"].cat.codes.to_numpy(),
        "net": (events["source"] != AUDIT).to_numpy(),
        # Only "named", "zero" and "missing" matter here; the id itself is in `row`.
        "rtid": np.where(rtid.isna(), 0, np.where(rtid.to_numpy(dtype="uint64", na_value=0) == 0, 1, 2)),
        "computer": events["computer"].cat.codes.to_numpy(),
        "rank": best.rank,
        "row": best.row,
        "bits": best.bits,
        "failing": best.failing,
        "state": best.state,
    }
    if status is not None:
        keys["life"] = best.life
        keys["status"] = np.where(best.life >= 0, status, 0)
        keys["other"] = best.other
    number = folding.number([folding.codes_of(pd.Series(values)) for values in keys.values()], len(events))
    firsts = np.flatnonzero(np.diff(np.maximum.accumulate(number), prepend=-1)) if len(events) else ()
    judged = [_judge_case({name: int(values[first]) for name, values in keys.items()}, case) for first in firsts]
    kinds = [item[0] for item in judged]
    grades = [item[1] for item in judged]
    shown = np.array([item[2] for item in judged], dtype=np.int64)
    texts = np.empty(len(judged), dtype=object)
    for index, item in enumerate(judged):
        texts[index] = item[3]
    out["kind"] = pd.Categorical(kinds).take(number) if judged else pd.Categorical([])
    out["grade"] = pd.Categorical(grades).take(number) if judged else pd.Categorical([])
    out["reasons"] = texts[number] if judged else np.array([], dtype=object)
    out["filter_row"] = shown[number] if judged else np.array([], dtype=np.int64)
    out["matched_row"] = best.row
    out["state"] = best.state
    return out


def _origin(events: pd.DataFrame, column: str, code: int) -> str | None:
    return None if code < 0 else str(events[column].cat.categories[code])


def _judge_case(key: Mapping[str, int], case: Case) -> tuple[str | None, str, int, tuple[str, ...]]:
    """Judge one distinct case: kind, grade, filter row that may be shown, reasons."""
    events, book = case.events, case.book
    rank, row = key["rank"], key["row"]
    action = str(events["action"].cat.categories[key["action"]])
    recorded = _origin(events, "event_origin", key["origin"])
    from_net = _origin(events, "net_origin", key["net_origin"])
    # What the audit event itself names comes first; a net event of the same decision may say what it leaves open.
    by_net = bool(key["net"]) or (origins.origin_kind(recorded) is None and origins.origin_kind(from_net) is not None)
    origin = from_net if by_net else recorded
    named = "netevent" if by_net else "origin"
    computer = None if key["computer"] < 0 else str(events["computer"].cat.categories[key["computer"]])
    item = case.items[row] if row >= 0 else None
    state = book.snapshots[key["state"]] if key["state"] >= 0 else None
    if key["event_id"] == 5031:
        return "default-inbound", "event", -1, (reasons.EVENT_5031,)
    match = reasons.of_match(
        reasons.Match(
            rank=Rank(rank),
            bits=key["bits"],
            failing=key["failing"],
            named=("missing", "zero", "id")[key["rtid"]],
            item=item,
            state=state,
            fit=case.fit(computer, state.name if state else None),
            recalled=case.recalled(key.get("life", -1), key.get("status", 0)),
            other=book.snapshots[key["other"]].name if key.get("other", -1) >= 0 else None,
        ),
        absent=case.absent(computer),
    )
    usable = row if rank >= Rank.ID_ONLY else -1
    if action == "permit":
        said = origin is not None and origins.origin_kind(origin) is not None
        return None, named if said else GRADES[rank], usable, match
    # Only a tied filter may say more about the event's own origin.
    sublayer = cells.text(item["sublayer"]) if item is not None and rank >= Rank.HISTORY else None
    by_origin = origins.origin_kind(origin, sublayer)
    if by_origin is not None:
        return by_origin, named, usable, (reasons.by_origin(str(origin), sublayer, net=by_net), *match)
    if key["rtid"] == 1:
        return "no-filter", "none", -1, match
    extra = (reasons.ORIGIN_UNKNOWN,) if origin is not None else ()
    if usable >= 0 and item is not None and cells.text(item["kind"]) is not None:
        said_kind = (reasons.by_filter(item),)
        weakest = Rank.ID_ONLY if item["kind_evidence"] == "name" else rank
        grade = "none" if item["kind"] == "unresolved" else GRADES[min(rank, weakest)]
        return str(item["kind"]), grade, usable, (*said_kind, *match, *extra)
    return "unresolved", "contradicted" if rank == Rank.CONTRADICTED else "none", -1, (*match, *extra)
