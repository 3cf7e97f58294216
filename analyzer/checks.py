"""The checks of a run-time id against one state: whether the filter with this id can be the one meant.

Source: REFERENCE 1.5.

A number alone proves nothing: ids are handed out again after a boot or a policy reload. Each check is one bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import cells, origin_match
from analyzer.engine import conditions as engine
from analyzer.markers import EPOCH, NO_TIME, POLICY, Markers, Sort, any_between, nanoseconds

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.engine.flows import FlowArrays
    from analyzer.states import Book, Snapshot
    from analyzer.watch import Watched


# run-time id -> times (ns, ascending) at which 5447 says that it was added or deleted
Changes = dict[int, "NDArray[np.int64]"]


class Check(IntFlag):
    """What a check found. The first group contradicts a match, the second only weakens it."""

    LAYER = 1
    ACTION = 2
    ORIGIN = 4
    CONDITION = 8
    CHANGED = 16  # 5447: the id was given to another filter in between
    BOOT = 32
    RELOAD = 64
    CLOCK = 128
    NO_STATE_TIME = 256
    NO_LAYER = 512  # the layer could not be compared
    NO_EVENT_TIME = 1024
    UNWATCHED = 2048  # the logs do not cover all the time in between
    DISAGREE = 4096  # another state that fits as well holds a filter of another kind under this id
    HISTORY = 8192  # 5441 and 5447: at the event's time the id was another filter than this, or not yet or no longer it
    OTHER_NAMED = 16384  # the same, but records may be missing in between
    CAPTURE = 32768  # filters changed while the capture ran, and its record of that is not read


NO_NUMBER: Final = np.uint64(2**64 - 1)  # stands for a missing number; no layer has it
CONTRADICTS: Final = Check.LAYER | Check.ACTION | Check.ORIGIN | Check.CONDITION | Check.CHANGED | Check.HISTORY
IN_BETWEEN: Final = Check.BOOT | Check.RELOAD | Check.CLOCK | Check.NO_EVENT_TIME | Check.UNWATCHED | Check.CAPTURE
UNCHECKED: Final = IN_BETWEEN | Check.NO_STATE_TIME | Check.NO_LAYER  # what keeps a match from being a snapshot
# Which markers weaken a match that they lie in the way of.
WEAKENING: Final[tuple[tuple[frozenset[Sort], Check], ...]] = (
    (EPOCH, Check.BOOT),
    (POLICY, Check.RELOAD),
    (frozenset({"clock"}), Check.CLOCK),
)
NOT_BLOCKING: Final = frozenset({"permit", "callout-inspection"})
NOT_PERMITTING: Final = frozenset({"block"})


@dataclass(frozen=True, slots=True)
class Checked:
    """Result for ``n`` events.

    ``row`` is the position in the book's filters (-1: the id is not there), ``bits`` the :class:`Check` flags,
    ``failing`` the position in ``FIELDS`` of the first field that failed (-1), ``specific`` whether a telling
    condition said yes.
    """

    row: NDArray[np.int64]
    bits: NDArray[np.int64]
    failing: NDArray[np.int64]
    specific: NDArray[np.bool_]


# Conditions whose "yes" speaks for this very filter; protocol or loopback alone would not (judgement, not measured).
TELLING: Final = ("ALE_APP_ID", "IP_LOCAL_PORT", "IP_REMOTE_PORT", "IP_LOCAL_ADDRESS", "IP_REMOTE_ADDRESS")
FIELDS: Final = (*TELLING, "IP_PROTOCOL", "FLAGS", "ORIGINAL_PROFILE_ID", "CURRENT_PROFILE_ID")


def rows_by_id(book: Book, snapshot: Snapshot) -> dict[int, int]:
    """Return run-time id -> row for one state; a repeated id could be either filter, so it is left out."""
    part = book.filters.iloc[snapshot.rows.start : snapshot.rows.stop]
    found: dict[int, int] = {}
    repeated: set[int] = set()
    for row, number in zip(snapshot.rows, part["filter_id"], strict=True):
        known = cells.number(number)
        if known is not None:
            repeated.update({known} & found.keys())
            found[known] = row
    return {number: row for number, row in found.items() if number not in repeated}


def check(
    events: pd.DataFrame,
    flows: FlowArrays,
    book: Book,
    snapshot: Snapshot,
    markers: Markers,
    computer: str | None,
    watch: Watched | None,
) -> Checked:
    """Check the events of one computer against one state.

    Parameters
    ----------
    events : oriented events of one computer, n rows.
    flows : the same n rows as arrays.
    """
    rtid = events["filter_rtid"].to_numpy(dtype="uint64", na_value=0)
    distinct, inverse = np.unique(rtid, return_inverse=True)
    table = rows_by_id(book, snapshot)
    row = np.array([table.get(int(number), -1) if number else -1 for number in distinct], dtype=np.int64)[inverse]
    checked = check_rows(events, flows, book, row, has_origins=snapshot.has_origins)
    _check_times(events, row, checked.bits, snapshot, markers, computer, watch)
    return checked


def check_rows(
    events: pd.DataFrame, flows: FlowArrays, book: Book, row: NDArray[np.int64], *, has_origins: bool
) -> Checked:
    """Check each event against the filter at its ``row`` of the book (-1: none), without regard to time.

    ``has_origins`` says that the source of these rows writes the origins of filters.
    """
    count = len(events)
    bits = np.zeros(count, dtype=np.int64)
    failing = np.full(count, -1, dtype=np.int64)
    specific = np.zeros(count, dtype=bool)
    layer_rtid = events["layer_rtid"].to_numpy(dtype="uint64", na_value=NO_NUMBER)
    is_permit = (events["action"] == "permit").to_numpy(dtype=bool)
    origins = events["event_origin"].astype("object").to_numpy()
    order = np.argsort(row, kind="stable")
    bounds = np.searchsorted(row[order], np.unique(row[row >= 0]))
    for at, found in enumerate(np.unique(row[row >= 0])):
        stop = bounds[at + 1] if at + 1 < len(bounds) else count
        here = order[bounds[at] : stop]
        given = (layer_rtid, is_permit, origins, flows)
        _check_filter(int(found), here, book, given, (bits, failing, specific), has_origins=has_origins)
    return Checked(row, bits, failing, specific)


def _check_filter(
    found: int,
    here: NDArray[np.intp],
    book: Book,
    given: tuple[NDArray[np.uint64], NDArray[np.bool_], NDArray[np.object_], FlowArrays],
    out: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]],
    *,
    has_origins: bool,
) -> None:
    """Check all events that name one filter."""
    layer_rtid, is_permit, origins, flows = given
    bits, failing, specific = out
    item = book.filters.iloc[found]
    layer_id = cells.number(item["layer_id"])
    if layer_id is None:
        bits[here] |= int(Check.NO_LAYER)
    else:
        missing = layer_rtid[here] == NO_NUMBER
        wrong_layer = np.where(layer_rtid[here] != np.uint64(layer_id), int(Check.LAYER), 0)
        bits[here] |= np.where(missing, int(Check.NO_LAYER), wrong_layer)
    action = str(item["action"])
    wrong = np.where(is_permit[here], action in NOT_PERMITTING, action in NOT_BLOCKING)
    bits[here] |= np.where(wrong, int(Check.ACTION), 0)
    for origin in {o for o in origins[here] if isinstance(o, str)}:
        if origin_match.disagrees(origin, item, state_has_origins=has_origins):
            bits[here] |= np.where(origins[here] == origin, int(Check.ORIGIN), 0)
    tests = book.tests.get(found, ())
    if tests:
        part = flows.take(here)
        for name, answer in engine.by_field(part, tests).items():
            bad = answer == engine.NO
            if bad.any():
                bits[here] |= np.where(bad, int(Check.CONDITION), 0)
                fresh = bad & (failing[here] < 0)
                failing[here[fresh]] = FIELDS.index(name) if name in FIELDS else -1
            if name in TELLING:
                specific[here] |= answer == engine.YES


def in_between(
    times: NDArray[np.int64], taken: int, markers: Markers, computer: str | None, watch: Watched | None
) -> NDArray[np.int64]:
    """Return the ``IN_BETWEEN`` bits of what this computer's log shows between each time (ns) and the state's."""
    seen = watch.between(times, taken) if watch is not None else np.zeros(len(times), dtype=bool)
    bits = np.where(times == NO_TIME, int(Check.NO_EVENT_TIME), np.where(seen, 0, int(Check.UNWATCHED)))
    for sorts, bit in WEAKENING:
        marks = markers.times(computer, sorts)
        if len(marks):
            bits |= np.where(any_between(marks, times, taken), int(bit), 0)
    return bits


def since_state(
    times: NDArray[np.int64], snapshot: Snapshot, markers: Markers, computer: str | None, watch: Watched | None
) -> NDArray[np.int64]:
    """Return the bits of what lies between each time (ns) and a state: ``IN_BETWEEN``, or that it tells no time."""
    taken, capture = snapshot.taken, snapshot.captured
    if taken is None:
        return np.full(len(times), int(Check.NO_STATE_TIME), dtype=np.int64)
    bits = in_between(times, taken, markers, computer, watch)
    if capture is not None:
        # A capture records which filters change while it runs: without such a record there was no change.
        inside = (times >= min(taken, capture.first)) & (times <= capture.last)
        watched = bits & ~int(Check.UNWATCHED) if capture.steady else bits | int(Check.CAPTURE)
        bits = np.where(inside, watched, bits)
    return bits


def _check_times(
    events: pd.DataFrame,
    row: NDArray[np.int64],
    bits: NDArray[np.int64],
    snapshot: Snapshot,
    markers: Markers,
    computer: str | None,
    watch: Watched | None,
) -> None:
    """Set the bits of what happened between the event and the state."""
    found = since_state(nanoseconds(events["time"]), snapshot, markers, computer, watch)
    bits |= np.where((row >= 0) | (snapshot.taken is None), found, 0)


def check_changes(events: pd.DataFrame, checked: Checked, changes: Changes, taken: int | None) -> None:
    """Set ``CHANGED`` where 5447 says that the id was added or deleted between event and state (``taken``, in ns)."""
    if taken is None or not changes:
        return
    times = nanoseconds(events["time"])
    here = np.flatnonzero(checked.row >= 0)
    if not len(here):
        return
    rtid = events["filter_rtid"].to_numpy(dtype="uint64", na_value=0)[here]
    order = np.argsort(rtid, kind="stable")
    distinct, firsts = np.unique(rtid[order], return_index=True)
    for number, first, stop in zip(distinct, firsts, [*firsts[1:], len(order)], strict=True):
        marks = changes.get(int(number))
        if marks is not None:
            same = here[order[first:stop]]
            checked.bits[same] |= np.where(any_between(marks, times[same], taken), int(Check.CHANGED), 0)
