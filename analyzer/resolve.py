"""The join: which filter was meant by each event, what kind of block that is, how sure, and why.

Every computer's events are checked against every state and against the log's own filter history, as of the event's
time; the best match wins. The event's own word (its id, its filter origin) outranks any of them; a contradicted match
is never shown as the cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import recall
from analyzer.checks import CONTRADICTS, UNCHECKED, Changes, Check, Checked, check, check_changes
from analyzer.engine import recorded
from analyzer.hosts import connections_of, host_facts
from analyzer.judge import Case, judge
from analyzer.markers import nanoseconds
from analyzer.matches import Best, Offer, keep_better, settle
from analyzer.pairing import Fit, elsewhere, pair
from analyzer.reasons import Rank
from analyzer.wfp import codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.engine.token_table import AccountOf
    from analyzer.history import History
    from analyzer.markers import Markers
    from analyzer.recall import Recalled
    from analyzer.states import Book
    from analyzer.watch import Watched
    from analyzer.wfp.events import Table

FILTER_CHANGED: Final = 5447


@dataclass(frozen=True, slots=True)
class Resolved:
    """Judged events, and how each state relates to each computer.

    ``events`` gains ``kind, grade`` (category), ``reasons`` (object: tuple of str), and ``filter_row, matched_row,
    state`` (int64 positions, -1 = none). ``filter_row`` is the filter that may be shown; ``matched_row`` also holds
    contradicted matches. ``state`` is -1 where the log's own history names the filter. ``book`` is the one that the
    rows are of: with the filters that only the history knows.
    """

    events: pd.DataFrame
    fits: tuple[Fit, ...]
    changes: dict[str | None, Changes]
    book: Book


def resolve(
    events: pd.DataFrame,
    tables: Mapping[Table, pd.DataFrame],
    book: Book,
    markers: Markers,
    watch: Mapping[str | None, Watched],
    past: History | None = None,
    account: AccountOf | None = None,
) -> Resolved:
    """Join oriented events to the book's filters.

    Parameters
    ----------
    events : oriented events (:func:`analyzer.addressing.orient`), n rows.
    tables : all event tables, for SIDs and 5447 changes.
    watch : computer -> what time its logs cover.
    past : the log's own filter history, if it has one (:func:`analyzer.history.recall`).
    account : tells the account that a process' services run under (:meth:`analyzer.services.Known.process_account`).
    """
    plain = book
    word, book = recall.recalled(events, plain, past)
    flows = recorded.from_events(events, account=account)
    best = Best.none(len(events))
    fits: list[Fit] = []
    excluded: list[tuple[Fit, NDArray[np.intp], Offer]] = []
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
        own_word = None if word is None else word.take(rows)
        for number, snapshot in enumerate(book.snapshots):
            checked = check(own, own_flows, book, snapshot, markers, computer, watch.get(computer))
            check_changes(own, checked, changes, snapshot.taken)
            proved = None if own_word is None else recall.compare(checked, own_word)
            fit = pair(facts, snapshot, book, checked, markers)
            fits.append(fit)
            offer = _of_state(own, checked, fit, (number, snapshot.taken), own_word, proved)
            if fit.excluded:
                excluded.append((fit, rows, offer))
            else:
                keep_better(best, rows, offer, kinds)
        if own_word is not None:
            own_checked, rank = recall.own_match(own, own_flows, book, own_word)
            offer = Offer(rank, own_checked, -1, own_word.distance, own_word.life)
            keep_better(best, rows, offer, kinds)
    # A state of another computer says nothing of this one, not even that its filter was not meant.
    others = elsewhere(fits)
    for fit, rows, offer in excluded:
        if (fit.pairing.computer, fit.pairing.state) not in others:
            keep_better(best, rows, offer, kinds)
    settle(best)
    book, best.row = recall.only_used(plain, past, word, best.row)
    case = Case.of(events, book, tuple(fits), best, past)
    verdicts = judge(best, case, None if word is None else word.status)
    return Resolved(verdicts, tuple(fits), all_changes, book)


def filter_changes(frame: pd.DataFrame, computer: str | None) -> Changes:
    """Return run-time id -> times (ns, ascending) at which 5447 says it was added or deleted."""
    same = frame["computer"].isna() if computer is None else frame["computer"] == computer
    part = frame[same & (frame["event_id"] == FILTER_CHANGED) & frame["filter_rtid"].notna() & frame["time"].notna()]
    known = part[part["change_code"].map(codes.change, na_action="ignore").notna()]
    if known.empty:
        return {}
    ids, times = known["filter_rtid"].to_numpy(dtype="uint64"), nanoseconds(known["time"])
    order = np.lexsort((times, ids))
    distinct, firsts = np.unique(ids[order], return_index=True)
    return dict(zip(distinct.tolist(), np.split(times[order], firsts[1:]), strict=True))


def _of_state(
    events: pd.DataFrame,
    checked: Checked,
    fit: Fit,
    state: tuple[int, int | None],
    word: Recalled | None,
    proved: NDArray[np.bool_] | None,
) -> Offer:
    """Rank the matches of one state. ``state`` is its number and when it was taken (ns).

    Where the log's own history names the same filter, the match is as good as the history, even without other ties.
    """
    count = len(events)
    wrong = ((checked.bits & int(CONTRADICTS)) != 0) | fit.excluded
    between = (checked.bits & int(UNCHECKED)) != 0
    sure = fit.pairing.fits == "yes"
    same = np.zeros(count, dtype=bool) if proved is None else proved
    cases = [checked.row < 0, wrong, ~between & sure, same]
    ranks = [Rank.ABSENT, Rank.CONTRADICTED, Rank.SNAPSHOT, Rank.HISTORY]
    rank = np.select(cases, [int(r) for r in ranks], int(Rank.ID_ONLY)).astype(np.int64)
    far = np.iinfo(np.int64).max
    number, taken = state
    # Of two states whose filter cannot be meant, the one that may be of this computer is told of.
    near = None if fit.excluded else taken
    distance = np.full(count, far) if near is None else np.abs(nanoseconds(events["time"]) - near)
    life = np.full(count, -1, dtype=np.int64)
    if word is not None:
        # A history that disagrees is worth telling of, too.
        told = same | ((checked.bits & int(Check.HISTORY | Check.OTHER_NAMED)) != 0)
        life = np.where(told, word.life, -1)
        distance = np.where(same & (rank == Rank.HISTORY), -1, distance)  # fuller than the history's own filter
    return Offer(rank, checked, number, distance, life)
