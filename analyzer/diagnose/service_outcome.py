"""How sure the service-SID diagnosis is: one rule, apart from where its evidence comes from.

Sources: REFERENCE 5.5 and, sharper, 12. *Proven* needs a net event that tells the token's user; nothing that an audit
event alone says can prove it, since no 515x event holds the user or the token (REFERENCE 1.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.wfp import services as wfp_services
from analyzer.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.model import Confidence, Grade, StateFits

SURE_GRADES: Final[frozenset[Grade]] = frozenset({"origin", "netevent", "snapshot"})


@dataclass(frozen=True, slots=True)
class Token:
    """The user of the connecting token, from a net event of the same flow and time."""

    user_sid: str
    one_to_one: bool  # time, protocol, ports and address join exactly one event to one net event
    audited: bool = True  # the event is a 5157, which names the process; a net event alone does not prove


@dataclass(frozen=True, slots=True)
class FlowEvidence:
    """What is known of one group of blocked svchost flows."""

    permits: dict[str, tuple[int, ...]]  # service SID -> rows of its allow filters that fail in the user alone
    services: tuple[str, ...] | None  # short names that the process held at that time
    grade: Grade
    state_fits: StateFits
    steady: bool = True  # nothing shows that filters changed between the blocks and the state
    blocker_known: bool = True  # the state holds the filter that blocked
    state_whole: bool = True  # nothing of the state was lost in reading
    unchecked: frozenset[str] = frozenset()  # service SIDs all of whose filters have conditions that cannot be told
    rivals: tuple[int, ...] = ()  # rows of allow filters that should have let these flows pass, whatever the service
    held_then: bool = True  # the services are known for the event's time, by the log of processes
    from_list: bool = False  # the services are known from a list alone, which is of another moment
    token: Token | None = None
    account: str | None = None  # SID of the account that the one service runs under
    runs_as_user: bool = False  # a per-user service, or one configured to run as a user


@dataclass(frozen=True, slots=True)
class Outcome:
    """The word, and the sentence for it. ``confidence`` is None where the evidence carries no answer at all."""

    confidence: Confidence | None
    why: str


def fitting(evidence: FlowEvidence) -> dict[str, tuple[int, ...]]:
    """Return the permits that count for the process: where its services are known, those of other services do not."""
    if not evidence.services:
        return evidence.permits
    own = {wfp_services.ALL_SERVICES_SID, *map(wfp_services.service_sid, evidence.services)}
    return {sid: rows for sid, rows in evidence.permits.items() if sid in own}


def _first(cases: Iterable[tuple[bool, str]]) -> str | None:
    """Return the sentence of the first case that holds."""
    return next((why for holds, why in cases if holds), None)


def doubts(evidence: FlowEvidence) -> str | None:
    """Return why the state cannot show what was in force when the flows were blocked, or None."""
    return _first(
        (
            (evidence.state_fits != "yes", "the state is not tied to these events, so its filters may be another's"),
            (evidence.grade not in SURE_GRADES, "the block itself is known by its run-time id alone"),
            (not evidence.steady, "filters may have changed between the block and the state"),
            (not evidence.blocker_known, "the state does not hold the filter that blocked: it shows another moment"),
            (not evidence.state_whole, "a part of the state was lost in reading, and what matters may have been in it"),
        )
    )


def rule(evidence: FlowEvidence) -> Outcome:
    """Return proven, likely, possible or not-this, or nothing where the state cannot speak."""
    doubt = doubts(evidence)
    services, own = evidence.services or (), fitting(evidence)
    hosted = f"the process hosted {listed(services)}"
    missing = _first(
        (
            (not evidence.permits, "no allow filter in force when the state was taken is for a service and fits"),
            (not own, f"{hosted}, no allow filter for {'it' if len(services) == 1 else 'these'} fits"),
        )
    )
    if missing is not None:
        if doubt is None and own != evidence.permits and len(services) > 1 and evidence.from_list:
            # Services come and go in a shared process: one that has stopped since is in no list.
            doubt = f"{hosted} when the list was taken, and another service may have been in it before"
        return Outcome("not-this", missing) if doubt is None else Outcome(None, doubt)
    if not services:
        return Outcome("possible", doubt or "the process is not tied to one service: each with such a filter may be it")
    if len(services) > 1:
        return Outcome("possible", "the process hosts several services, so its connections cannot be told apart")
    return _one_service(services[0], set(own), evidence, doubt)


def _one_service(name: str, own: set[str], evidence: FlowEvidence, doubt: str | None) -> Outcome:
    """Judge a process that held exactly one service, for which an allow filter fails in the user alone."""
    hosted = f"the process hosted {name}"
    as_user = evidence.runs_as_user or wfp_services.runs_as_user(name)
    cap = _first(
        (
            (doubt is not None, f"{hosted}, but {doubt}"),
            (bool(evidence.rivals), f"{hosted}, but another allow filter seems to let such a connection pass"),
            (own <= evidence.unchecked, f"{hosted}, but its allow filters have more conditions that no event can tell"),
            (as_user, f"{name} runs as a user itself, so a user's token says nothing"),
            (wfp_services.uses_own_token(name), f"{hosted}, which was measured to connect with its own token"),
        )
    )
    if cap is not None:
        return Outcome("possible", cap)
    token = evidence.token
    alone = f"{hosted} alone, and its allow filter fails in nothing but the user"
    if token is None or not token.one_to_one:
        return Outcome("likely", alone)
    shown = f"a net event shows the token of {token.user_sid}"
    if evidence.account is None:
        return Outcome("likely", f"{alone}; {shown}, but nothing tells the account that {name} runs under")
    if token.user_sid == evidence.account:
        return Outcome("not-this", f"the connection of {name} came with the service's own account, {token.user_sid}")
    short = _first(
        (
            (
                not evidence.held_then,
                "what the process hosted is not told for the event's time by the log of processes",
            ),
            (not token.audited, "no audit event of a blocked connection (5157) stands beside it"),
        )
    )
    if short is not None:
        return Outcome("likely", f"{alone}; {shown}, not of its own account ({evidence.account}), but {short}")
    return Outcome(
        "proven", f"{name} connected with the token of {token.user_sid}, not of its own account ({evidence.account})"
    )
