"""The terminating filters that net events list, sublayer by sublayer, against what the state's filters make of them.

What a net event does not list is no difference: that it lists every sublayer is documented nowhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from analyzer import cells, disagreement
from analyzer.checks import rows_by_id
from analyzer.engine.answers import NO, YES
from analyzer.engine.arbitrate import BLOCK, CANNOT_TELL, PERMIT, Told, decide_and_stand
from analyzer.engine.outcomes import BLOCKS, PERMITS
from analyzer.model.engine import SublayerAgreement, SublayerDifference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.applied import Applied, Case

MOST_ENTRIES: Final = 100_000  # entries that are compared
MOST_LISTED: Final = 50
RECORD_IDS: Final = 10
ACTIONS: Final = {"permit": PERMIT, "block": BLOCK}
WORDS: Final[dict[int, Literal["permit", "block"]]] = {PERMIT: "permit", BLOCK: "block"}


class Entry(NamedTuple):
    """Equal entries: the flow (a place), the filter's row in the state (-1: not held), what it did, and of which id."""

    flow: int
    row: int
    action: int
    number: int
    sublayer: str | None


def compare(on: Applied, case: Case) -> SublayerAgreement | None:
    """Compare each listed filter with the engine's result in its sublayer; None where no net event lists any."""
    if "terminating" not in case.events.columns:
        return None
    found, first = _entries(on, case)
    if not found:
        return None
    entries, counts = list(found), np.array(list(found.values()), dtype=np.int64)
    rows = np.array([entry.row for entry in entries], dtype=np.int64)
    told = Told(rows, np.array([entry.action for entry in entries], dtype=np.int8))
    # The same state on one flow per entry: the record's own filter is the entry's.
    own = replace(on, flows=on.flows.take(np.array([entry.flow for entry in entries], dtype=np.intp)), told=told)
    decided, stands = decide_and_stand(own.policy, own.flows, rows, told)
    lacking = rows < 0
    able = _able(own, told)
    same = ~lacking & able & stands.only & (stands.answer == YES)
    possible = ~lacking & ~same & able & (stands.candidate | (decided.left_out & (stands.answer != NO)))
    differs = ~lacking & ~same & ~possible
    answers = disagreement.Answers(decided, stands, disagreement.other_layer(own), differs)
    wrong = sorted(np.flatnonzero(differs).tolist(), key=lambda at: -int(counts[at]))
    return SublayerAgreement(
        same=int(counts[same].sum()),
        possible=int(counts[possible].sum()),
        differs=int(counts[differs].sum()),
        not_in_state=int(counts[lacking].sum()),
        differences=tuple(
            _difference(own, answers, at, entries[at], int(counts[at]), first[entries[at]], case)
            for at in wrong[:MOST_LISTED]
        ),
        left_out=max(0, len(wrong) - MOST_LISTED),
    )


def _entries(on: Applied, case: Case) -> tuple[Counter[Entry], dict[Entry, list[int]]]:
    """Count equal entries, and keep the first places (of ``on.rows``) of each."""
    column = case.events["terminating"].to_numpy()[on.rows]
    table = rows_by_id(case.book, on.snapshot)
    found: Counter[Entry] = Counter()
    first: dict[Entry, list[int]] = {}
    for at in np.flatnonzero([item is not None for item in column]).tolist():
        for sublayer, number, action in column[at]:
            row = table.get(number, -1) if number else -1
            entry = Entry(int(on.place[at]), row, ACTIONS.get(action, CANNOT_TELL), number or 0, cells.text(sublayer))
            found[entry] += 1
            places = first.setdefault(entry, [])
            if len(places) < RECORD_IDS:
                places.append(at)
        if len(found) >= MOST_ENTRIES:
            break
    return found, first


def _able(on: Applied, told: Told) -> NDArray[np.bool_]:
    """Tell where the state's filter may do at all what the entry says that it did."""
    out = np.ones(len(on.flows), dtype=bool)
    for row in np.unique(told.row[told.row >= 0]).tolist():
        place = on.policy.places.get(row)
        if place is not None:
            bits = on.policy.layers[place.layer].sublayers[place.sublayer].effects[place.filter].bits
            cannot = [action for action, wanted in ((BLOCK, BLOCKS), (PERMIT, PERMITS)) if not bits & wanted]
            out &= (told.row != row) | ~np.isin(told.action, cannot)
    return out


def _difference(
    on: Applied, answers: disagreement.Answers, at: int, entry: Entry, count: int, places: list[int], case: Case
) -> SublayerDifference:
    event = case.events.iloc[int(on.rows[places[0]])]
    records = (cells.number(case.events["record_id"].iloc[int(on.rows[place])]) for place in places)
    cause = disagreement.recorded_filter(on, answers, at, entry.row, case)
    return SublayerDifference(
        sublayer=entry.sublayer,
        layer=cells.text(event["layer"]),
        application=cells.text(event["application"]),
        protocol=cells.number(event["protocol"]),
        remote_address=cells.text(event["remote_address"]),
        service_port=cells.number(event["service_port"]),
        filter_id=entry.number,
        action=WORDS.get(entry.action),
        cause=cause.text,
        field=cause.field,
        condition=cause.condition,
        recorded=cause.recorded,
        between=disagreement.between(int(on.between[places[0]])),
        count=count,
        record_ids=tuple(number for number in records if number is not None),
    )
