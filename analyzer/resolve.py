"""The join: which filter was meant by each event, what kind of block that is, how sure, and why.

Every computer's events are checked against every state; the best match wins. The event's own word (its id, its
filter origin) outranks any state; a contradicted match is never shown as the cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer import cells, folding, reasons
from analyzer.checks import CONTRADICTS, UNCHECKED, Changes, Check, Checked, check, check_changes
from analyzer.engine import flows as flow_arrays
from analyzer.hosts import connections_of, host_facts
from analyzer.markers import nanoseconds
from analyzer.pairing import Fit, pair
from analyzer.reasons import GRADES, Rank
from analyzer.wfp import codes, origins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analyzer.markers import Markers
    from analyzer.states import Book
    from analyzer.watch import Watched
    from analyzer.wfp.events import Table

FILTER_CHANGED: Final = 5447


@dataclass(frozen=True, slots=True)
class Resolved:
    """Judged events, and how each state relates to each computer.

    ``events`` gains ``kind, grade`` (category), ``reasons`` (object: tuple of str), and ``filter_row, matched_row,
    state`` (int64 positions, -1 = none). ``filter_row`` is the filter that may be shown; ``matched_row`` also holds
    contradicted matches.
    """

    events: pd.DataFrame
    fits: tuple[Fit, ...]
    changes: dict[str | None, Changes]


@dataclass(slots=True)
class _Best:
    """The best match so far, per event."""

    rank: NDArray[np.int64]
    row: NDArray[np.int64]
    bits: NDArray[np.int64]
    failing: NDArray[np.int64]
    state: NDArray[np.int64]
    distance: NDArray[np.int64]
    disputed: NDArray[np.bool_]  # another fitting state held a filter of another kind

    @classmethod
    def none(cls, count: int) -> _Best:
        """Return "no match" for every event."""
        minus = np.full(count, -1, dtype=np.int64)
        far = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
        zero = np.zeros(count, dtype=np.int64)
        return cls(zero.copy(), minus.copy(), zero.copy(), minus.copy(), minus.copy(), far, np.zeros(count, dtype=bool))


def resolve(
    events: pd.DataFrame,
    tables: Mapping[Table, pd.DataFrame],
    book: Book,
    markers: Markers,
    watch: Mapping[str | None, Watched],
) -> Resolved:
    """Join oriented events to the book's filters.

    Parameters
    ----------
    events : oriented events (:func:`analyzer.addressing.orient`), n rows.
    tables : all event tables, for SIDs and 5447 changes.
    watch : computer -> what time its logs cover.
    """
    flows = flow_arrays.from_events(events)
    best = _Best.none(len(events))
    fits: list[Fit] = []
    all_changes: dict[str | None, Changes] = {}
    # A permit has no kind: an empty text, since a missing value would differ from itself.
    kinds = book.filters["kind"].fillna("").to_numpy(dtype=object)
    wanted = frozenset().union(*(connections_of(snapshot.endpoints) for snapshot in book.snapshots))
    hosts = events["computer"].cat.codes.to_numpy()
    for code in np.unique(hosts):
        rows = np.flatnonzero(hosts == code)
        computer = None if code < 0 else str(events["computer"].cat.categories[code])
        whole = len(rows) == len(events)  # one host, as mostly: nothing has to be taken out
        own, own_flows = (events, flows) if whole else (events.iloc[rows], flows.take(rows))
        facts = host_facts(computer, own, tables, watch.get(computer), wanted)
        changes = all_changes[computer] = filter_changes(tables["filter_change"], computer)
        for number, snapshot in enumerate(book.snapshots):
            checked = check(own, own_flows, book, snapshot, markers, computer, watch.get(computer))
            check_changes(own, checked, changes, snapshot.time)
            fit = pair(facts, snapshot, book, checked, markers)
            fits.append(fit)
            _keep_better(best, rows, own, checked, fit, number, cells.moment(snapshot.time), kinds)
    _settle(best)
    return Resolved(_judge(events, best, book, tuple(fits)), tuple(fits), all_changes)


def filter_changes(frame: pd.DataFrame, computer: str | None) -> Changes:
    """Return run-time id -> times (ns, ascending) at which 5447 says it was added or deleted."""
    same = frame["computer"].isna() if computer is None else frame["computer"] == computer
    part = frame[same & (frame["event_id"] == FILTER_CHANGED) & frame["filter_rtid"].notna() & frame["time"].notna()]
    known = part[part["change_code"].map(codes.change, na_action="ignore").notna()]
    out: dict[int, list[int]] = {}
    for number, time in zip(known["filter_rtid"], known["time"], strict=True):
        out.setdefault(int(number), []).append(int(time.as_unit("ns").value))
    return {number: np.sort(np.array(times, dtype=np.int64)) for number, times in out.items()}


def _keep_better(
    best: _Best,
    rows: NDArray[np.intp],
    events: pd.DataFrame,
    checked: Checked,
    fit: Fit,
    number: int,
    taken: int | None,
    kinds: NDArray[np.object_],
) -> None:
    """Keep this state's match where it ranks higher, or as high and nearer in time."""
    hit = checked.row >= 0
    wrong = ((checked.bits & int(CONTRADICTS)) != 0) | fit.excluded
    between = (checked.bits & int(UNCHECKED)) != 0
    sure = fit.pairing.fits == "yes"
    cases, ranks = [~hit, wrong, between | (not sure)], [Rank.ABSENT, Rank.CONTRADICTED, Rank.ID_ONLY]
    rank = np.select(cases, [int(r) for r in ranks], int(Rank.SNAPSHOT))
    far = np.iinfo(np.int64).max
    times = nanoseconds(events["time"])
    distance = np.full(len(rows), far) if taken is None else np.abs(times - taken)
    take = (rank > best.rank[rows]) | ((rank == best.rank[rows]) & hit & (distance < best.distance[rows]))
    rival = (rank == Rank.SNAPSHOT) & (best.rank[rows] == Rank.SNAPSHOT)
    rival[rival] = kinds[checked.row[rival]] != kinds[best.row[rows][rival]]
    chosen = rows[take]
    best.rank[chosen] = rank[take]
    best.row[chosen] = checked.row[take]
    best.bits[chosen] = checked.bits[take]
    best.failing[chosen] = checked.failing[take]
    best.state[chosen] = number
    best.distance[chosen] = distance[take]
    best.disputed[rows[rival]] = True


def _settle(best: _Best) -> None:
    """Lower disputed matches, once all states were heard: a further one cannot outvote a dispute."""
    best.rank[best.disputed] = Rank.ID_ONLY
    best.bits[best.disputed] |= int(Check.DISAGREE)


def _judge(events: pd.DataFrame, best: _Best, book: Book, fits: tuple[Fit, ...]) -> pd.DataFrame:
    """Give every event kind, grade, reasons and filter. Equal cases are judged once."""
    out = events.copy(deep=False)
    rtid = events["filter_rtid"]
    keys = {
        "event_id": events["event_id"].to_numpy(),
        "action": events["action"].cat.codes.to_numpy(),
        "origin": events["event_origin"].cat.codes.to_numpy(),
        # Only "named", "zero" and "missing" matter here; the id itself is in `row`.
        "rtid": np.where(rtid.isna(), 0, np.where(rtid.to_numpy(dtype="uint64", na_value=0) == 0, 1, 2)),
        "computer": events["computer"].cat.codes.to_numpy(),
        "rank": best.rank,
        "row": best.row,
        "bits": best.bits,
        "failing": best.failing,
        "state": best.state,
    }
    number = folding.number([folding.codes_of(pd.Series(values)) for values in keys.values()], len(events))
    firsts = np.flatnonzero(np.diff(np.maximum.accumulate(number), prepend=-1)) if len(events) else ()
    cases = [{name: int(values[first]) for name, values in keys.items()} for first in firsts]
    judged = [_judge_case(case, events, book, fits) for case in cases]
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


def _judge_case(
    case: Mapping[str, int], events: pd.DataFrame, book: Book, fits: tuple[Fit, ...]
) -> tuple[str | None, str, int, tuple[str, ...]]:
    """Judge one distinct case: kind, grade, filter row that may be shown, reasons."""
    rank, row = case["rank"], case["row"]
    action = str(events["action"].cat.categories[case["action"]])
    origin = None if case["origin"] < 0 else str(events["event_origin"].cat.categories[case["origin"]])
    computer = None if case["computer"] < 0 else str(events["computer"].cat.categories[case["computer"]])
    item = book.filters.iloc[row] if row >= 0 else None
    state = book.snapshots[case["state"]] if case["state"] >= 0 else None
    if case["event_id"] == 5031:
        return "default-inbound", "event", -1, (reasons.EVENT_5031,)
    match = reasons.of_match(
        reasons.Match(
            rank=Rank(rank),
            bits=case["bits"],
            failing=case["failing"],
            named=("missing", "zero", "id")[case["rtid"]],
            item=item,
            state=state,
            fit=_fit(fits, computer, state.name if state else None),
        ),
        any_state=bool(book.snapshots),
    )
    usable = row if rank >= Rank.ID_ONLY else -1
    if action == "permit":
        said = origin is not None and origins.origin_kind(origin) is not None
        return None, "origin" if said else GRADES[rank], usable, match
    # Only a tied filter may say more about the event's own origin.
    sublayer = cells.text(item["sublayer"]) if item is not None and rank == Rank.SNAPSHOT else None
    by_origin = origins.origin_kind(origin, sublayer)
    if by_origin is not None:
        return by_origin, "origin", usable, (reasons.by_origin(str(origin), sublayer), *match)
    if case["rtid"] == 1:
        return "no-filter", "none", -1, match
    extra = (reasons.ORIGIN_UNKNOWN,) if origin is not None else ()
    if usable >= 0 and item is not None and cells.text(item["kind"]) is not None:
        said_kind = (reasons.by_filter(item),)
        weakest = Rank.ID_ONLY if item["kind_evidence"] == "name" else rank
        grade = "none" if item["kind"] == "unresolved" else GRADES[min(rank, weakest)]
        return str(item["kind"]), grade, usable, (*said_kind, *match, *extra)
    return "unresolved", "contradicted" if rank == Rank.CONTRADICTED else "none", -1, (*match, *extra)


def _fit(fits: tuple[Fit, ...], computer: str | None, state: str | None) -> Fit | None:
    """Find how a state relates to a computer."""
    return next((f for f in fits if f.pairing.computer == computer and f.pairing.state == state), None)
