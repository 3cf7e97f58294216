"""The sentences that say why a verdict is what it is: short, most important first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from analyzer import cells
from analyzer.checks import FIELDS, Check
from analyzer.wfp import fields as wfp_fields
from analyzer.wfp import layers, origins

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.pairing import Fit
    from analyzer.states import Snapshot


class Rank(IntEnum):
    """How good a match is, best last; the names of grades are in :data:`GRADES`."""

    ABSENT = 0
    CONTRADICTED = 1
    ID_ONLY = 2
    SNAPSHOT = 3


GRADES: Final = ("none", "contradicted", "id-only", "snapshot")

EVENT_5031: Final = (
    "event 5031 says so itself: the firewall refused to let this application accept connections, it names no filter"
)
ORIGIN_UNKNOWN: Final = (
    "the event's filter origin is “Unknown”: the platform names none; this alone proves no third party"
)
NO_STATE: Final = "no state was handed in, so the run-time id cannot be looked up"
NOT_IN_STATE: Final = (
    "none of the states holds this run-time id just once: the filter is gone, or it belonged to another time or boot"
)
NO_ID: Final = "the event names no filter: its run-time id is 0"
ID_MISSING: Final = "the event carries no run-time id"


def by_origin(origin: str, sublayer: str | None) -> str:
    """Say what the event's own origin means."""
    read = origins.read_origin(origin, sublayer)
    return f"the event carries the filter origin “{origins.clean(origin)}”: {read.words if read else 'not known'}"


def by_filter(item: pd.Series) -> str:
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
    item: pd.Series | None
    state: Snapshot | None
    fit: Fit | None


def of_match(match: Match, *, any_state: bool) -> tuple[str, ...]:
    """Say what ties the id to the state's filter, or what speaks against it."""
    if match.named != "id":
        return (NO_ID if match.named == "zero" else ID_MISSING,)
    if match.item is None or match.state is None:
        return (NOT_IN_STATE if any_state else NO_STATE,)
    found, name, fit = Check(match.bits), match.state.name, match.fit
    if match.rank is Rank.CONTRADICTED:
        against = [text for flag, text in _contradictions(match.failing, match.item) if flag in found]
        if fit is not None and fit.excluded:
            against.extend(fit.pairing.against[:2])
        number = cells.number(match.item["filter_id"])
        return (f"{name} holds the id {number}, but it cannot be the filter that was meant", *against)
    if match.rank is Rank.SNAPSHOT:
        ties = fit.pairing.ties[:2] if fit is not None else ()
        return (f"{name} holds the id, and its layer, action and conditions agree", *ties)
    weak = [text for flag, text in _WEAK if flag in found]
    if fit is not None and fit.pairing.fits != "yes":
        weak.extend(fit.pairing.against[:2] or ("nothing ties the state to this host and time strongly enough",))
    return (f"{name} holds the id and nothing contradicts it, but the match is by number only", *weak)


def _contradictions(failing: int, item: pd.Series) -> tuple[tuple[Check, str], ...]:
    """Return the sentence of each contradicting check."""
    layer = cells.text(item["layer"]) or "another layer"
    field = wfp_fields.field_words(FIELDS[failing]) if failing >= 0 else "a value"
    return (
        (Check.LAYER, f"that filter is at another layer ({layers.layer_words(layer)})"),
        (Check.ACTION, f"that filter's action is {item['action']}"),
        (Check.ORIGIN, f"its origin is “{cells.text(item['origin']) or 'none'}”, the event names another"),
        (Check.CONDITION, f"its conditions do not match the event ({field})"),
        (Check.CHANGED, "the log shows (5447) that the id was given to another filter in between"),
    )


_WEAK: Final = (
    (Check.BOOT, "Windows started in between, and ids start again at boot"),
    (Check.RELOAD, "the firewall policy changed in between, which renumbers filters"),
    (Check.CLOCK, "the clock was changed in between"),
    (Check.NO_LAYER, "the layer could not be compared"),
    (Check.NO_EVENT_TIME, "the event carries no time"),
    (Check.UNWATCHED, "the logs do not cover all the time between the event and the state"),
    (Check.DISAGREE, "another state that fits as well holds another kind of filter under this id"),
)
