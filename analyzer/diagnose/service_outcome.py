"""How sure the service-SID diagnosis is: one rule, apart from where its evidence comes from.

Sources: REFERENCE 5.5 and, sharper, 12. *Proven* needs a net event that tells the token's user; nothing that an audit
event alone says can prove it, since no 515x event holds the user or the token (REFERENCE 1.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.wfp import services as wfp_services

if TYPE_CHECKING:
    from analyzer.model import Confidence, Grade, StateFits

SURE_GRADES: Final[frozenset[Grade]] = frozenset({"origin", "netevent", "snapshot"})


@dataclass(frozen=True, slots=True)
class Token:
    """The user of the connecting token, from a net event of the same flow and time."""

    user_sid: str
    one_to_one: bool  # time, protocol, ports and address join exactly one event to one net event


@dataclass(frozen=True, slots=True)
class FlowEvidence:
    """What is known of one group of blocked svchost flows."""

    permits: dict[str, tuple[int, ...]]  # service SID -> rows of its allow filters that fail in the user alone
    services: tuple[str, ...] | None  # short names that the process held at that time
    grade: Grade
    state_fits: StateFits
    steady: bool = True  # nothing shows that filters changed between the blocks and the state
    token: Token | None = None
    account: str | None = None  # SID of the account that the one service runs under
    runs_as_user: bool = False  # a per-user service, or one configured to run as a user


@dataclass(frozen=True, slots=True)
class Outcome:
    """The word, and the sentence for it."""

    confidence: Confidence
    why: str


def rule(evidence: FlowEvidence) -> Outcome:
    """Return proven, likely, possible or not-this."""
    if not evidence.permits:
        return Outcome(
            "not-this", "no allow filter in force at capture time is limited to a service and fits otherwise"
        )
    if not evidence.services:
        return Outcome(
            "possible", "the process is not tied to one service, so every service with such a filter is possible"
        )
    if len(evidence.services) > 1:
        return Outcome("possible", "the process hosts several services, so its connections cannot be told apart")
    name = evidence.services[0]
    if not set(evidence.permits) & {wfp_services.service_sid(name), wfp_services.ALL_SERVICES_SID}:
        return Outcome(
            "not-this", f"the process hosted {name}, and no allow filter for that service fits in all but the user"
        )
    return _one_service(name, evidence)


def _one_service(name: str, evidence: FlowEvidence) -> Outcome:
    """Judge a process that held exactly one service, for which an allow filter fails in the user alone."""
    token = evidence.token
    if not evidence.steady:
        then = "filters changed between the block and the state, so others may have been in force"
        return Outcome("possible", f"the process hosted {name}, but {then}")
    if evidence.grade not in SURE_GRADES or evidence.state_fits != "yes":
        return Outcome(
            "possible",
            f"the process hosted {name}, but the state is not tied to this log, so its filters may be another's",
        )
    if token is not None and token.one_to_one:
        if evidence.account is not None and token.user_sid == evidence.account:
            return Outcome("not-this", f"the connection of {name} came with the service's own account")
        if evidence.runs_as_user or wfp_services.template_name(name) != name:
            return Outcome("possible", f"{name} runs as a user itself, so a user's token says nothing")
        if evidence.account is not None:
            return Outcome("proven", f"{name} connected with the token of {token.user_sid}, not of its own account")
    return Outcome("likely", f"the process hosted {name} alone, and its allow filter fails in nothing but the user")
