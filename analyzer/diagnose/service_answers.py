"""What became of each service's allow rule: it matched, it nearly matched, there is none.

Told of the services of the first seed, of each service that has a rule or an allow filter, and of each that a refused
process hosted. Blocks of processes whose services nobody tells count only where no block is known to be the service's.
How sure it is that the token is the cause is the diagnosis' word (:mod:`analyzer.diagnose.service_outcome`), not this
module's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from analyzer import cells, netevents, rulestore
from analyzer.diagnose import service_scope, service_text
from analyzer.diagnose.rules import rule_answer
from analyzer.diagnose.service_scope import SEED, Seen
from analyzer.engine.answers import NO
from analyzer.model import ServiceAnswer
from analyzer.wfp import services as wfp_services
from analyzer.wfp import sids
from analyzer.wfp.services import ALL_SERVICES_SID
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analyzer.diagnose.context import Context
    from analyzer.diagnose.service_scope import Said
    from analyzer.model import Confidence, ServiceResult
    from analyzer.model.engine import Missing
    from analyzer.states import Snapshot

    Flags = NDArray[np.bool_]

MOST: Final = 8  # process ids, users and ports of one service
SURE: Final[frozenset[Confidence]] = frozenset({"proven", "likely"})  # nothing but the token is left
ORDER: Final[tuple[ServiceResult, ...]] = (
    "near-miss-token",
    "near-miss-other",
    "matched",
    "cannot-tell",
    "no-rule",
    "not-seen",
)


def rows(context: Context, said: Said) -> tuple[ServiceAnswer, ...]:
    """Return one row per service, what asks for attention first."""
    filters = {} if said.snapshot is None else service_scope.service_filters(context.book, said.snapshot)
    names = service_scope.scope(context, said, filters)
    passed = service_scope.passed(context, said.computer)
    hosted = [service_scope.hosted(tried.events) for tried in said.tried]
    made = [_row(context, said, sid, name, filters, passed, hosted) for sid, name in names.items()]
    return tuple(sorted(made, key=lambda row: (ORDER.index(row.result), -row.blocks, (row.name or "~").lower())))


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
    chosen: tuple[tuple[Seen, Flags], ...]
    near: tuple[tuple[Seen, Flags], ...]

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
    lacking = () if service.by_token else service_scope.lacking(context, service.chosen, sure=service.tied)
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
        seen.append(Seen(tried, held, unknown, mine))
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
        near=tuple((item, use & item.near) for item, use in chosen),
    )


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
