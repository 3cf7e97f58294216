"""Allow filters that would have beaten the blocker, and what each lacks, flow by flow.

To say "this rule would have allowed it", the filter must stand in the same layer and sublayer with a greater
effective weight than the blocker (REFERENCE 4.1, consequence c).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import cells
from analyzer.engine import conditions as engine
from analyzer.engine import recorded
from analyzer.wfp import sddl, sids
from analyzer.wfp.services import ALL_SERVICES_SID

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.engine.conditions import Test
    from analyzer.engine.token_table import AccountOf
    from analyzer.states import Book, Snapshot

USER: Final = "ALE_USER_ID"
PROFILES: Final = frozenset({"ORIGINAL_PROFILE_ID", "CURRENT_PROFILE_ID"})
FIREWALL: Final = "MPSSVC_WF"
NOT_IN_FORCE: Final = frozenset({"DISABLED", "BOOTTIME"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """One allow filter against ``n`` flows.

    ``rest`` is the answer of all conditions but the user's; ``user`` that of the user condition on what is known of the
    token (yes where there is none); ``stronger`` tells where it outweighs the blocker.
    """

    row: int
    services: tuple[str, ...]  # service SIDs that its user condition allows
    accounts: tuple[str, ...]  # other SIDs that it allows
    has_user: bool
    doubtful: bool  # its weight is not known, or its user condition holds expressions that are not evaluated
    rest: NDArray[np.int8]
    user: NDArray[np.int8]
    stronger: NDArray[np.bool_]
    by_field: dict[str, NDArray[np.int8]]

    @property
    def near(self) -> NDArray[np.bool_]:
        """Tell where nothing that can be checked speaks against it, the user condition left out."""
        out: NDArray[np.bool_] = self.stronger & (self.rest != engine.NO)
        return out

    @property
    def checked(self) -> NDArray[np.bool_]:
        """Tell where all conditions but the user's say yes; the profile may stay open, a state holds one in force."""
        open_profile = (
            np.where(said == engine.CANNOT_TELL, engine.YES, said) if name in PROFILES else said
            for name, said in self.by_field.items()
        )
        answer = engine.conjunction(open_profile, len(self.rest))
        out: NDArray[np.bool_] = self.stronger & (answer == engine.YES) & (not self.doubtful)
        return out

    @property
    def full(self) -> NDArray[np.bool_]:
        """Tell where it matches for sure: every condition says yes, and there is no user condition."""
        out: NDArray[np.bool_] = self.stronger & (self.rest == engine.YES) & (not self.has_user)
        return out


def user_sids(tests: tuple[Test, ...]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Return the service SIDs and the other SIDs that a filter's user conditions allow; True where some are open."""
    found: dict[str, None] = {}
    open_ended = False
    for test in (t for t in tests if t.field == USER):
        if not isinstance(test.value, str) or test.match != "EQUAL":
            open_ended = True
            continue
        sure, every = sddl.allowed_sids(test.value), sddl.allowed_sids(test.value, conditional=True)
        open_ended |= set(sure) != set(every)
        found.update(dict.fromkeys(every))
    services = tuple(sid for sid in found if sids.is_service_sid(sid) or sid == ALL_SERVICES_SID)
    return services, tuple(sid for sid in found if sid not in services), open_ended


def default_blocks(book: Book, snapshot: Snapshot, layer: str) -> pd.DataFrame:
    """Return the state's filters that block outbound by default at this layer."""
    part = book.filters.iloc[snapshot.rows.start : snapshot.rows.stop]
    own = (part["sublayer"] == FIREWALL) & (part["action"] == "block") & (part["layer"] == layer)
    return part[own & (part["kind"] == "default-outbound")]


def blocker_weights(events: pd.DataFrame, book: Book, snapshot: Snapshot, layer: str) -> NDArray[np.uint64]:
    """Return each event's blocker weight: its own filter's where known, else the strongest default block's."""
    defaults = [cells.number(w) or 0 for w in default_blocks(book, snapshot, layer)["effective_weight"]]
    fallback = max(defaults, default=0)
    table: dict[int, int] = {-1: fallback}
    rows = events["filter_row"].to_numpy()
    for row in np.unique(rows[rows >= 0]):
        weight = cells.number(book.filters["effective_weight"].iloc[int(row)])
        table[int(row)] = fallback if weight is None else weight
    distinct, inverse = np.unique(rows, return_inverse=True)
    return np.array([table[int(row)] for row in distinct], dtype=np.uint64)[inverse]


def candidates(
    events: pd.DataFrame, book: Book, snapshot: Snapshot, layer: str, account: AccountOf | None = None
) -> list[Candidate]:
    """Evaluate every allow filter of the firewall at ``layer`` against ``events`` (all at that layer).

    ``account`` tells the account that a process' services run under, so that a borrowed token shows itself.
    """
    flows = recorded.from_events(events, account=account)
    weights = blocker_weights(events, book, snapshot, layer)
    part = book.filters.iloc[snapshot.rows.start : snapshot.rows.stop]
    chosen = part[(part["layer"] == layer) & (part["sublayer"] == FIREWALL) & (part["action"] == "permit")]
    out = []
    for row in chosen.index:
        if NOT_IN_FORCE & set(book.filters["flags"].iloc[row] or ()):
            continue
        weight = cells.number(book.filters["effective_weight"].iloc[row])
        # An unknown weight may be the greater one: then the filter counts, but proves nothing.
        stronger = np.ones(len(weights), dtype=bool) if weight is None else np.uint64(weight) > weights
        if not stronger.any():
            continue
        tests = book.tests.get(int(row), ())
        services, accounts, open_ended = user_sids(tests)
        by_field = engine.by_field(flows, tests)
        user = by_field.pop(USER, np.full(len(flows), engine.YES, dtype=np.int8))
        rest = engine.conjunction(by_field.values(), len(flows))
        has_user = any(t.field == USER for t in tests)
        doubtful = weight is None or open_ended
        out.append(Candidate(int(row), services, accounts, has_user, doubtful, rest, user, stronger, by_field))
    return out
