"""Which services the answers are about, and what was seen of them: allow filters, rules, connections, processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import missing
from analyzer.diagnose import near_miss
from analyzer.diagnose.service_outcome import SURE_GRADES
from analyzer.diagnose.svchost import is_svchost
from analyzer.engine import recorded
from analyzer.engine.answers import NO
from analyzer.model.engine import Missing
from analyzer.wfp import protocols
from analyzer.wfp import services as wfp_services
from analyzer.wfp.services import ALL_SERVICES_SID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from analyzer.diagnose.context import Context
    from analyzer.diagnose.near_miss import Candidate
    from analyzer.model import Confidence
    from analyzer.pairing import Fit
    from analyzer.states import Book, Snapshot

    Flags = NDArray[np.bool_]

LAYERS: Final = ("ALE_AUTH_CONNECT_V4", "ALE_AUTH_CONNECT_V6")
SEED: Final = "seed"
MATCHED_GRADES: Final = SURE_GRADES | {"history"}


@dataclass(frozen=True, slots=True)
class Tried:
    """Blocked svchost connections at one layer (n events), and the allow filters of the state that were tried on them.

    ``found`` is None where the state cannot speak of that layer: it does not block there by default.
    """

    events: pd.DataFrame
    found: tuple[Candidate, ...] | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the diagnosis says of one computer: the state it used, whether that can be trusted, and of which service."""

    computer: str | None
    snapshot: Snapshot | None
    fit: Fit | None
    tried: tuple[Tried, ...]
    outcomes: Mapping[str, Confidence]  # service SID -> the best word of the findings


class Seen(NamedTuple):
    """The blocked connections that may be one service's, at one layer: ``own`` are known to be its process's."""

    tried: Tried
    own: Flags
    open: Flags
    mine: tuple[Candidate, ...]

    @property
    def near(self) -> Flags:
        """Tell which events an allow filter fits but for the user."""
        out = np.zeros(len(self.tried.events), dtype=bool)
        for candidate in self.mine:
            out |= candidate.near
        return out


def service_filters(book: Book, snapshot: Snapshot) -> dict[str, tuple[int, ...]]:
    """Return service SID -> rows of the state's allow filters for connecting that name it, those in force."""
    part = book.filters.iloc[snapshot.rows.start : snapshot.rows.stop]
    wanted = part["layer"].isin(LAYERS) & (part["sublayer"] == near_miss.FIREWALL) & (part["action"] == "permit")
    out: dict[str, list[int]] = {}
    for row in part.index[wanted.to_numpy(dtype=bool)]:
        if near_miss.NOT_IN_FORCE & set(book.filters["flags"].iloc[row] or ()):
            continue
        for sid in near_miss.user_sids(book.tests.get(int(row), ()))[0]:
            out.setdefault(sid, []).append(int(row))
    return {sid: tuple(found) for sid, found in out.items()}


def scope(context: Context, said: Said, filters: Mapping[str, object]) -> dict[str, str | None]:
    """Return service SID -> its name, where that is known, of every service that a row is for."""
    held = {
        str(name) for tried in said.tried for names in tried.events["services"] if names is not None for name in names
    }
    seed = {item.name for item in wfp_services.SERVICES_KNOWN_FOR_TROUBLE if item.evidence == SEED}
    named = {wfp_services.service_sid(name): name for name in (*ruled(context, said.computer), *held, *seed)}
    out: dict[str, str | None] = dict(named)
    for sid in filters:
        if sid != ALL_SERVICES_SID:
            out.setdefault(sid, wfp_services.service_name(sid, context.known.names))
    return out


def ruled(context: Context, computer: str | None) -> Iterable[str]:
    """Return the services that outbound allow rules of the exported store name."""
    store = context.rules.of(computer)
    if store is None or store.rules.empty:
        return ()
    table = store.rules
    chosen = table[(table["action"] == "allow") & (table["direction"] == "outbound") & table["service"].notna()]
    return sorted({str(name) for name in chosen["service"] if str(name) not in ("", "*")})


def passed(context: Context, computer: str | None) -> dict[int, int]:
    """Return row of a filter -> how many of svchost's connections it surely let pass on this computer."""
    events = context.events
    same = events["computer"].isna() if computer is None else events["computer"] == computer
    chosen = events[
        (same & (events["action"] == "permit")).to_numpy(dtype=bool)
        & (events["filter_row"] >= 0).to_numpy(dtype=bool)
        & events["layer"].isin(LAYERS).to_numpy(dtype=bool)
        & events["grade"].isin(MATCHED_GRADES).to_numpy(dtype=bool)
    ]
    own = chosen["application"].astype("object").map(is_svchost).to_numpy(dtype=bool)
    found, counts = np.unique(chosen["filter_row"].to_numpy()[own], return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def hosted(events: pd.DataFrame) -> tuple[NDArray[np.int64], list[frozenset[str] | None]]:
    """Return a code per event (n,), and per code the SIDs of the services that its process hosted; None: not known."""
    codes, distinct = pd.factorize(events["services"].to_numpy(dtype=object))
    table: list[frozenset[str] | None] = [frozenset(map(wfp_services.service_sid, names)) for names in distinct]
    return codes.astype(np.int64), [*table, None]  # a missing value has the code -1


def lacking(context: Context, chosen: Sequence[tuple[Seen, Flags]], *, sure: bool) -> tuple[Missing, ...]:
    """Return what the nearest allow filter lacks for the connection that is nearest to it.

    Of connections that may be any service's, only those count that one field alone keeps apart.
    """
    best: tuple[int, Seen, Candidate, int] | None = None
    for item, use in chosen:
        for candidate in item.mine:
            wrong = sum(((answer == NO).astype(np.int64) for answer in candidate.by_field.values()), np.int64(0))
            counts = np.where(use & candidate.stronger, wrong, 1 << 30)
            at = int(np.argmin(counts)) if len(use) else 0
            if len(use) and 0 < counts[at] < (best[0] if best else 1 << 30):
                best = (int(counts[at]), item, candidate, at)
    if best is None or (not sure and best[0] > 1):
        return ()
    _, item, candidate, at = best
    flows = recorded.from_events(item.tried.events.iloc[[at]])
    names = missing.Names(context.known.names, protocols.is_icmp(int(flows.protocol[0])))
    out: dict[str, Missing] = {}
    for field, tests in missing.alternatives(context.book.tests.get(candidate.row, ())).items():
        answer = candidate.by_field.get(field)
        if answer is None or answer[at] != NO:
            continue
        was = missing.said(flows, 0, field)
        key = "profile" if field in missing.PROFILES else field
        out.setdefault(key, Missing(field, missing.asked(tests, names), was, missing.lacks(tests, was, names)))
    return tuple(out.values())
