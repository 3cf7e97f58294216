"""What became of each service's allow rule: it matched, it nearly matched, there is none.

Told of the services of the first seed, of each service that has a rule or an allow filter, and of each that a refused
process hosted. Blocks of processes whose services nobody tells count only where no block is known to be the service's.
How sure it is that the token is the cause is the diagnosis' word (:mod:`analyzer.diagnose.service_outcome`), not this
module's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from analyzer import cells, missing, netevents, rulestore
from analyzer.diagnose import near_miss, service_text
from analyzer.diagnose.rules import rule_answer
from analyzer.diagnose.service_outcome import SURE_GRADES
from analyzer.diagnose.svchost import is_svchost
from analyzer.engine import recorded
from analyzer.engine.answers import NO
from analyzer.model import ServiceAnswer
from analyzer.model.engine import Missing
from analyzer.wfp import protocols, sids
from analyzer.wfp import services as wfp_services
from analyzer.wfp.services import ALL_SERVICES_SID
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from analyzer.diagnose.context import Context
    from analyzer.diagnose.near_miss import Candidate
    from analyzer.model import Confidence, ServiceResult
    from analyzer.pairing import Fit
    from analyzer.states import Book, Snapshot

    Flags = NDArray[np.bool_]

LAYERS: Final = ("ALE_AUTH_CONNECT_V4", "ALE_AUTH_CONNECT_V6")
SEED: Final = "seed"
MOST: Final = 8  # process ids, users and ports of one service
SURE: Final[frozenset[Confidence]] = frozenset({"proven", "likely"})  # nothing but the token is left
MATCHED_GRADES: Final = SURE_GRADES | {"history"}
ORDER: Final[tuple[ServiceResult, ...]] = (
    "near-miss-token",
    "near-miss-other",
    "matched",
    "cannot-tell",
    "no-rule",
    "not-seen",
)


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


class _Seen(NamedTuple):
    """The blocked connections that may be one service's, at one layer: ``own`` are known to be its process's."""

    tried: Tried
    own: Flags
    open: Flags
    mine: tuple[Candidate, ...]


def rows(context: Context, said: Said) -> tuple[ServiceAnswer, ...]:
    """Return one row per service, what asks for attention first."""
    filters = {} if said.snapshot is None else service_filters(context.book, said.snapshot)
    names = _scope(context, said, filters)
    passed = _passed(context, said.computer)
    hosted = [_hosted(tried.events) for tried in said.tried]
    made = [_row(context, said, sid, name, filters, passed, hosted) for sid, name in names.items()]
    return tuple(sorted(made, key=lambda row: (ORDER.index(row.result), -row.blocks, (row.name or "~").lower())))


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


def _scope(context: Context, said: Said, filters: Mapping[str, object]) -> dict[str, str | None]:
    """Return service SID -> its name, where that is known, of every service that a row is for."""
    hosted = {
        str(name) for tried in said.tried for names in tried.events["services"] if names is not None for name in names
    }
    seed = {item.name for item in wfp_services.SERVICES_KNOWN_FOR_TROUBLE if item.evidence == SEED}
    named = {wfp_services.service_sid(name): name for name in (*_ruled(context, said.computer), *hosted, *seed)}
    out: dict[str, str | None] = dict(named)
    for sid in filters:
        if sid != ALL_SERVICES_SID:
            out.setdefault(sid, wfp_services.service_name(sid, context.known.names))
    return out


def _ruled(context: Context, computer: str | None) -> Iterable[str]:
    """Return the services that outbound allow rules of the exported store name."""
    store = context.rules.of(computer)
    if store is None or store.rules.empty:
        return ()
    table = store.rules
    chosen = table[(table["action"] == "allow") & (table["direction"] == "outbound") & table["service"].notna()]
    return sorted({str(name) for name in chosen["service"] if str(name) not in ("", "*")})


def _passed(context: Context, computer: str | None) -> dict[int, int]:
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


def _hosted(events: pd.DataFrame) -> tuple[NDArray[np.int64], list[frozenset[str] | None]]:
    """Return a code per event (n,), and per code the SIDs of the services that its process hosted; None: not known."""
    codes, distinct = pd.factorize(events["services"].to_numpy(dtype=object))
    table: list[frozenset[str] | None] = [frozenset(map(wfp_services.service_sid, names)) for names in distinct]
    return codes.astype(np.int64), [*table, None]  # a missing value has the code -1


@dataclass(frozen=True, slots=True)
class _Service:
    """One service against what was seen.

    ``chosen`` are the connections that count for it, ``near`` those that an allow filter of its fits but for the user.
    """

    sid: str
    name: str | None
    own: tuple[int, ...]  # rows of the allow filters that name it
    permits: tuple[int, ...]  # and those for all services
    matched: int
    tied: bool
    chosen: tuple[tuple[_Seen, Flags], ...]
    near: tuple[tuple[_Seen, Flags], ...]

    @property
    def by_token(self) -> bool:
        """Whether the token is all that an allow filter may lack."""
        return any(use.any() for _, use in self.near)

    @property
    def shared(self) -> bool:
        """Whether a process that hosted it hosted others as well."""
        held = (names for item, use in self.near for names in item.tried.events["services"].to_numpy()[use])
        return any(names is not None and len(names) > 1 for names in held)

    @property
    def passes(self) -> str:
        """Say how often an allow filter let it pass, or nothing."""
        return f"its allow filter let {plural(self.matched, 'connection')} pass" if self.matched else ""


def _row(
    context: Context,
    said: Said,
    sid: str,
    name: str | None,
    filters: Mapping[str, tuple[int, ...]],
    passed: Mapping[int, int],
    hosted: Sequence[tuple[NDArray[np.int64], list[frozenset[str] | None]]],
) -> ServiceAnswer:
    service = _service(said, sid, name, filters, passed, hosted)
    lacking = () if service.by_token else _lacking(context, service.chosen, sure=service.tied)
    counted = service.tied or service.by_token or bool(lacking)
    parts = [item.tried.events[use] for item, use in (service.near if service.by_token else service.chosen)]
    blocked = pd.concat(parts) if counted else context.events.iloc[:0]
    users = _users(blocked)
    account = None if name is None else context.known.account(said.computer, name)
    own_account = None if account is None else account.sid
    confidence = said.outcomes.get(sid) if counted else None
    if service.by_token:
        words = _token_words(service, users, own_account, confidence)
        result: ServiceResult = "near-miss-token"
    else:
        result, words = _judge(context, said, service, lacking)
    numbers = (cells.number(context.book.filters["filter_id"].iloc[row]) for row in service.permits)
    known = wfp_services.trouble_service(name or "")
    return ServiceAnswer(
        computer=said.computer,
        name=name,
        service_sid=sid,
        seed=known is not None and known.evidence == SEED,
        result=result,
        confidence=confidence,
        token=_token(service, confidence) if service.by_token else None,
        tied=service.tied,
        blocks=len(blocked),
        matched=service.matched,
        permits=tuple(number for number in numbers if number is not None),
        process_ids=_distinct(blocked["process_id"]) if service.tied else (),
        users=users,
        account=own_account,
        ports=_ports(blocked),
        missing=lacking,
        words=words,
    )


def _service(
    said: Said,
    sid: str,
    name: str | None,
    filters: Mapping[str, tuple[int, ...]],
    passed: Mapping[int, int],
    hosted: Sequence[tuple[NDArray[np.int64], list[frozenset[str] | None]]],
) -> _Service:
    """Put together what one service is judged by."""
    own = filters.get(sid, ())
    seen = []
    for tried, (codes, table) in zip(said.tried, hosted, strict=True):
        held = np.array([names is not None and sid in names for names in table], dtype=bool)[codes]
        unknown = np.array([names is None for names in table], dtype=bool)[codes]
        mine = tuple(c for c in tried.found or () if {sid, ALL_SERVICES_SID} & set(c.services))
        seen.append(_Seen(tried, held, unknown, mine))
    tied = any(item.own.any() for item in seen)
    chosen = tuple((item, item.own if tied else item.open) for item in seen)
    return _Service(
        sid=sid,
        name=name,
        own=own,
        permits=(*own, *filters.get(ALL_SERVICES_SID, ())),
        matched=sum(passed.get(row, 0) for row in own),
        tied=tied,
        chosen=chosen,
        near=tuple((item, use & _near(item)) for item, use in chosen),
    )


def _near(item: _Seen) -> Flags:
    out = np.zeros(len(item.tried.events), dtype=bool)
    for candidate in item.mine:
        out |= candidate.near
    return out


def _judge(context: Context, said: Said, service: _Service, lacking: tuple[Missing, ...]) -> tuple[ServiceResult, str]:
    """Return the word and the sentence for a service whose token is not all that is missing."""
    snapshot, tied = said.snapshot, service.tied
    silent = tied and any(use.any() and item.tried.found is None for item, use in service.chosen)
    if lacking:
        whose = "" if tied else "if one of the blocks of unknown services was its own: "
        parts = [*(item.words for item in lacking), *([service.passes] if service.matched else [])]
        return "near-miss-other", whose + "; ".join(parts)
    if service.matched:
        return "matched", service.passes
    if snapshot is None or silent:
        why = service_text.NO_STATE if snapshot is None else service_text.PERMITTING_STATE.format(snapshot.name)
        return "cannot-tell", why
    if not service.permits:
        return _without(context, said, snapshot, service.name)
    if tied:
        return "near-miss-other", "none of its allow filters in force is for such connections and outweighs the block"
    return "not-seen", "it has an allow filter in force, and no refused connection is known to be its own"


def _without(context: Context, said: Said, snapshot: Snapshot, name: str | None) -> tuple[ServiceResult, str]:
    """Judge a service that no allow filter of the state names."""
    store = context.rules.of(said.computer)
    answer = None if name is None else rule_answer(context, name, said.computer)
    if answer is not None and store is not None and name is not None:
        found = [store.rules.iloc[item.row] for item in rulestore.rules_for_service(store.rules, name).rules]
        allowing = [rule for rule in found if rule["action"] == "allow" and rule["direction"] == "outbound"]
        return ("near-miss-other" if allowing else "no-rule"), answer.rstrip(".")
    doubt = said.fit is None or said.fit.pairing.fits != "yes" or not snapshot.whole or snapshot.kind != "wfpstate"
    if doubt:
        return "cannot-tell", "no allow filter for it is in the state, which may not show all that was in force then"
    return "no-rule", "no outbound allow rule for it was in force when the state was taken"


# --------------------------------------------------------------------------------------------------------------
# The token


def _token(service: _Service, confidence: Confidence | None) -> Literal["no", "cannot-tell"]:
    """Return whether the token passed: by its user in the net events, else by what is left where all else fits."""
    answers = [
        candidate.user[use & candidate.near] for item, use in service.near for candidate in item.mine if use.any()
    ]
    shown = [part for part in answers if len(part)]
    refused = bool(shown) and all((part == NO).all() for part in shown)
    return "no" if refused or confidence in SURE else "cannot-tell"


def _token_words(service: _Service, users: Sequence[str], account: str | None, confidence: Confidence | None) -> str:
    fits = "its allow filter fits in all that can be checked but the token"
    others = [sids.sid_words(user) for user in users if user != account]
    if not service.tied:
        said = f"{fits}, if one of the blocks of unknown services was its own"
    elif users and not others:
        said = f"{fits}, and that was of its own account: look at its SID type (sc qsidtype {service.name or 'NAME'})"
    elif others:
        said = f"{fits}: net events show that of {', '.join(others)}"
    elif confidence in SURE:
        said = f"{fits}, and nothing else stopped it: the token lacked the service's SID"
    else:
        said = f"{fits}, which no record tells"
    if service.tied and service.shared:
        said = f"{said} (its process hosts other services too, and the connections may be theirs)"
    return f"{said}; {service.passes}" if service.matched else said


def _users(events: pd.DataFrame) -> tuple[str, ...]:
    """Return the users of the tokens that net events show."""
    shown = events[events["user_source"] == netevents.SOURCE]["user_sid"].dropna()
    return tuple(dict.fromkeys(str(user) for user in shown if str(user).upper() != sids.NULL_SID))[:MOST]


def _distinct(column: pd.Series) -> tuple[int, ...]:
    return tuple(sorted({int(item) for item in column.dropna()}))[:MOST]


def _ports(events: pd.DataFrame) -> tuple[str, ...]:
    pairs = events[["protocol", "remote_port"]].drop_duplicates()
    words = (
        service_text.port_words(cells.number(protocol), cells.number(port))
        for protocol, port in zip(pairs["protocol"], pairs["remote_port"], strict=True)
    )
    return tuple(sorted(set(words)))[:MOST]


# --------------------------------------------------------------------------------------------------------------
# Something else


def _lacking(context: Context, chosen: Sequence[tuple[_Seen, Flags]], *, sure: bool) -> tuple[Missing, ...]:
    """Return what the nearest allow filter lacks for the connection that is nearest to it.

    Of connections that may be any service's, only those count that one field alone keeps apart.
    """
    best: tuple[int, _Seen, Candidate, int] | None = None
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
