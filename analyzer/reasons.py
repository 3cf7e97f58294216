"""The sentences that say why a verdict is what it is: short, most important first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from analyzer import cells
from analyzer.checks import FIELDS, Check
from analyzer.wfp import fields as wfp_fields
from analyzer.wfp import layers, origins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.pairing import Fit
    from analyzer.states import Snapshot


class Rank(IntEnum):
    """How good a match is, best last; the names of grades are in :data:`GRADES`."""

    ABSENT = 0
    CONTRADICTED = 1
    ID_ONLY = 2
    HISTORY = 3
    SNAPSHOT = 4


GRADES: Final = ("none", "contradicted", "id-only", "history", "snapshot")

EVENT_5031: Final = (
    "event 5031 says so itself: the firewall refused to let this application accept connections, it names no filter"
)
ORIGIN_UNKNOWN: Final = (
    "the event's filter origin is “Unknown”: the platform names none; this alone proves no third party"
)
NO_STATE: Final = "no state was handed in, so the run-time id cannot be looked up"
NO_OWN_STATE: Final = "every state that was handed in is of another computer, so the run-time id cannot be looked up"
NOT_IN_STATE: Final = (
    "none of the states holds this run-time id just once: the filter is gone, or it belonged to another time or boot"
)
NO_ID: Final = "the event names no filter: its run-time id is 0"
RECORDS_MISSING: Final = "records may be missing between that and the event, so the id may have changed hands"
ID_MISSING: Final = "the event carries no run-time id"


def by_origin(origin: str, sublayer: str | None, *, net: bool = False) -> str:
    """Say what the event's own origin means, or (``net``) that of the net event of the same decision."""
    read = origins.read_origin(origin, sublayer)
    who = "net event" if net else "event"
    return f"the {who} carries the filter origin “{origins.clean(origin)}”: {read.words if read else 'not known'}"


def by_filter(item: Mapping[str, Any]) -> str:
    """Say what the state's filter is, and on which evidence."""
    hint = " (a hint only)" if item["kind_evidence"] == "name" else ""
    return f"filter {cells.number(item['filter_id'])} of {item['input']}: {item['why']}{hint}"


@dataclass(frozen=True, slots=True)
class Match:
    """How the join went for one case. ``rank`` is one of ``RANKS``, ``named`` one of id, zero, missing."""

    rank: Rank
    bits: int
    failing: int
    named: str
    item: Mapping[str, Any] | None
    state: Snapshot | None
    fit: Fit | None
    recalled: str | None = None  # what the log's own filter history says of this id at this time
    other: str | None = None  # a state that holds another filter under the id than the history names


def of_match(match: Match, *, absent: str) -> tuple[str, ...]:
    """Say what ties the id to the state's filter, or what speaks against it; ``absent`` where there is no filter."""
    if match.named != "id":
        return (NO_ID if match.named == "zero" else ID_MISSING,)
    if match.item is None or (match.state is None and match.recalled is None):
        return (absent,)
    if match.state is None:
        return _of_history(match, match.item)
    return _of_state(match, match.item, match.state)


def _of_state(match: Match, item: Mapping[str, Any], state: Snapshot) -> tuple[str, ...]:
    """Say what ties the id to a state's filter, or what speaks against it."""
    found, name, fit = Check(match.bits), state.name, match.fit
    told = () if match.recalled is None else (match.recalled,)
    if match.rank is Rank.CONTRADICTED:
        against = [text for flag, text in _contradictions(match.failing, item) if flag in found]
        if fit is not None and fit.excluded:
            against.extend(fit.pairing.against[:2])
        number = cells.number(item["filter_id"])
        return (f"{name} holds the id {number}, but it cannot be the filter that was meant", *against, *told)
    if match.rank is Rank.HISTORY:
        return (*told, f"{name} holds the same filter (the same key) under this id, which tells more of it")
    if match.rank is Rank.SNAPSHOT:
        ties = fit.pairing.ties[:2] if fit is not None else ()
        return (f"{name} holds the id, and its layer, action and conditions agree", *ties, *told)
    weak = [text for flag, text in _WEAK if flag in found]
    if fit is not None and fit.pairing.fits != "yes":
        weak.extend(fit.pairing.against[:2] or ("nothing ties the state to this host and time strongly enough",))
    return (f"{name} holds the id and nothing contradicts it, but the match is by number only", *weak, *told)


def _of_history(match: Match, item: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what the log's own filter history tells, and what speaks for or against it."""
    found, told = Check(match.bits), match.recalled or ""
    other = () if match.other is None else (f"{match.other} holds another filter under this id: it is of another time",)
    if match.rank is Rank.CONTRADICTED:
        against = ~Check.HISTORY & found  # the first sentence says that already
        wrong = [text for flag, text in _contradictions(match.failing, item) if flag in against]
        return (told, *wrong, *other)
    if match.rank is Rank.ID_ONLY:
        return (told, RECORDS_MISSING, *other)
    return (told, *other)


def _contradictions(failing: int, item: Mapping[str, Any]) -> tuple[tuple[Check, str], ...]:
    """Return the sentence of each contradicting check."""
    layer = cells.text(item["layer"]) or "another layer"
    field = wfp_fields.field_words(FIELDS[failing]) if failing >= 0 else "a value"
    return (
        (Check.LAYER, f"that filter is at another layer ({layers.layer_words(layer)})"),
        (Check.ACTION, f"that filter's action is {item['action']}"),
        (Check.ORIGIN, f"its origin is “{cells.text(item['origin']) or 'none'}”, the event names another"),
        (Check.CONDITION, f"its conditions do not match the event ({field})"),
        (Check.CHANGED, "the log shows (5447) that the id was given to another filter in between"),
        (Check.HISTORY, "the log's own records (5441, 5447) tell of another filter, or of none, with this id then"),
    )


_WEAK: Final = (
    (Check.BOOT, "Windows started in between, and ids start again at boot"),
    (Check.RELOAD, "the firewall policy changed in between, which renumbers filters"),
    (Check.CAPTURE, "the capture tells of filters that changed while it ran, which is not read"),
    (Check.CLOCK, "the clock was changed in between"),
    (Check.NO_LAYER, "the layer could not be compared"),
    (Check.NO_EVENT_TIME, "the event carries no time"),
    (Check.UNWATCHED, "the logs do not cover all the time between the event and the state"),
    (Check.OTHER_NAMED, "the log's own records (5441, 5447), which may be incomplete, name another filter for this id"),
    (Check.DISAGREE, "another state that fits as well holds another kind of filter under this id"),
)
