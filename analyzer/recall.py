"""What the log's own filter history says of each event's id, laid beside the matches of the states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer import cells
from analyzer.checks import CONTRADICTS, Check, Checked, check_rows
from analyzer.history import Status
from analyzer.lifetimes import LAST
from analyzer.reasons import Rank
from analyzer.states import remember
from analyzer.wording import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analyzer.engine.flows import FlowArrays
    from analyzer.history import History
    from analyzer.states import Book

# As long as a state may lie from the log (`analyzer.pairing.TOO_FAR`): beyond, an unwatched id tells nothing.
TOO_FAR: Final = pd.Timedelta(days=90).value


@dataclass(frozen=True, slots=True)
class Recalled:
    """The history's word on ``n`` events: the arrays of ``analyzer.history.AsOf``, and the filter's row of the book.

    ``key`` is the number of the filter's key among those of the book (-1: not known), as ``keys`` has it per row.
    """

    life: NDArray[np.int64]
    status: NDArray[np.int8]
    sure: NDArray[np.bool_]
    distance: NDArray[np.int64]
    row: NDArray[np.int64]
    keys: NDArray[np.int64]

    def take(self, rows: NDArray[np.intp]) -> Recalled:
        """Return these events alone."""
        return Recalled(
            self.life[rows], self.status[rows], self.sure[rows], self.distance[rows], self.row[rows], self.keys
        )


def recalled(events: pd.DataFrame, book: Book, past: History | None) -> tuple[Recalled | None, Book]:
    """Ask the history for every event; the filters that it names are added to the book."""
    if past is None:
        return None, book
    count = len(events)
    life, distance = np.full(count, -1, np.int64), np.full(count, LAST, np.int64)
    status, sure = np.zeros(count, np.int8), np.zeros(count, bool)
    hosts = events["computer"].cat.codes.to_numpy()
    for code in np.unique(hosts):
        rows = np.flatnonzero(hosts == code)
        computer = None if code < 0 else str(events["computer"].cat.categories[code])
        found = past.as_of(computer, events.iloc[rows])
        life[rows], status[rows], sure[rows] = found.life, found.status, found.sure
        distance[rows] = found.distance
    # What is not sure tells something only of a filter that may have lived then, and not from far away.
    useless = ~sure & ((status != Status.ALIVE) | (distance > TOO_FAR))
    life[useless], status[useless] = -1, Status.UNKNOWN
    named = np.unique(life[life >= 0])
    if not len(named):
        return None, book
    book, row_of = remember(book, past.lifetimes, named)
    keys = pd.factorize(book.filters["filter_key"])[0].astype(np.int64)
    return Recalled(life, status, sure, distance, np.where(life >= 0, row_of[life], -1), keys), book


def compare(checked: Checked, word: Recalled) -> NDArray[np.bool_]:
    """Lay one state's matches beside the history, by the filters' keys.

    Sets the bits of disagreement, and returns where the history proves that the state's filter is the one: the same
    key under the same id, alive at the event's time, whatever else ties the state to the log.
    """
    both = (checked.row >= 0) & (word.row >= 0)
    mine = np.where(both, word.keys[np.maximum(checked.row, 0)], -1)
    other = np.where(both, word.keys[np.maximum(word.row, 0)], -1)
    known = both & (mine >= 0) & (other >= 0)
    alive = word.status == Status.ALIVE
    wrong = known & word.sure & np.where(alive, mine != other, mine == other)
    checked.bits[:] |= np.where(wrong, int(Check.HISTORY), 0)
    checked.bits[:] |= np.where(known & ~word.sure & alive & (mine != other), int(Check.OTHER_NAMED), 0)
    proved: NDArray[np.bool_] = known & alive & word.sure & (mine == other)
    # A change of this id in between was then this filter's own: its addition was logged after its traffic.
    checked.bits[:] &= np.where(proved, ~int(Check.CHANGED), -1)
    return proved


def own_match(events: pd.DataFrame, flows: FlowArrays, book: Book, word: Recalled) -> tuple[Checked, NDArray[np.int64]]:
    """Check the history's own filters against the events; return the checks and the ranks of the matches."""
    checked = check_rows(events, flows, book, word.row, has_origins=False)
    alive = word.status == Status.ALIVE
    checked.bits[:] |= np.where(~alive & (word.row >= 0), int(Check.HISTORY), 0)
    wrong = (checked.bits & int(CONTRADICTS)) != 0
    cases = [word.row < 0, wrong & word.sure, wrong, word.sure]
    ranks = [Rank.ABSENT, Rank.CONTRADICTED, Rank.ABSENT, Rank.HISTORY]
    rank = np.select(cases, [int(item) for item in ranks], int(Rank.ID_ONLY)).astype(np.int64)
    return checked, rank


def only_used(
    book: Book, past: History | None, word: Recalled | None, rows: NDArray[np.int64]
) -> tuple[Book, NDArray[np.int64]]:
    """Return the book with only those filters of the history that stand for an event, and the events' rows in it.

    ``book`` is the one without any; ``rows`` are those of :func:`recalled`'s book. What a state holds as well would
    be listed twice otherwise.
    """
    if past is None or word is None:
        return book, rows
    own = rows >= len(book.filters)
    book, row_of = remember(book, past.lifetimes, np.unique(word.life[own]))
    return book, np.where(own, row_of[word.life], rows)


def sentence(lifetime: Mapping[str, Any], event_first: Status) -> str:
    """Say what the record of a lifetime tells; ``event_first`` is what it means for the event."""
    name = cells.text(lifetime["name"])
    called = f"the filter “{name}”" if name else "a filter"
    if event_first == Status.GONE:
        return f"{_source(lifetime, 'to')} tells (5447) that {called} had this id and was deleted before the event"
    if event_first == Status.LATER:
        return f"{_source(lifetime, 'from')} tells (5447) that {called} got this id only after the event"
    if pd.isna(lifetime["from"]):
        return f"{_source(lifetime, 'to')} tells (5447) that {called} had this id until then"
    verb = "was present with" if lifetime["from_event_id"] == 5441 else "was added under"
    number = cells.number(lifetime["from_event_id"])
    return f"{_source(lifetime, 'from')} tells ({number}) that {called} {verb} this id"


def _source(lifetime: Mapping[str, Any], end: str) -> str:
    """Name the record that tells of one end."""
    record = cells.number(lifetime[f"{end}_record_id"])
    where = f"record {record} of " if record is not None else ""
    return f"{where}{cells.text(lifetime[f'{end}_input'])} ({moment(cells.moment(lifetime[end]))})"
