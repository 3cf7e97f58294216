"""What is known of the token of a connection, and which SIDs it holds: yes, no, cannot tell.

No audit event holds the token (REFERENCE 1.2); a net event names its user and its app package. The token of a service's
connection may be the service's own or one that it borrows, of the user it works for (REFERENCE 5.4 and 12): the process
alone tells no SID. What is said here holds for the SIDs that an access check counts: enabled ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from analyzer.engine.answers import CANNOT_TELL, NO, YES
from analyzer.wfp import services, sids

if TYPE_CHECKING:
    from collections.abc import Callable

ANONYMOUS: Final = "S-1-5-7"
AUTHENTICATED: Final = "S-1-5-11"
ADMINISTRATORS: Final = "S-1-5-32-544"
CAPABILITIES: Final = "S-1-15-3-"
PACKAGES: Final = "S-1-15-2-"
_GROUPS_OF_PACKAGES: Final = frozenset({"S-1-15-2-1", "S-1-15-2-2"})
GUEST_RID: Final = "501"
_USERS: Final = frozenset({"user"})
_YES, _OPEN, _NO = int(YES), int(CANNOT_TELL), int(NO)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of one token; None is not known.

    Attributes
    ----------
    user : SID of its user.
    anonymous : whether its user is the anonymous one; follows from ``user`` where that is known.
    package : SID of the app package; ``S-1-0-0`` is none, so that the token is no app container's.
    capabilities : SIDs of an app container's capabilities, all of them.
    services : SIDs of the services that the process hosts. One: it is alone. Several: it is a shared host.
    own : 1: the token is the process's own; -1: it is not, but a user's that no service runs as; 0: not known.
    accounts : SIDs that are known to be users and no groups.
    """

    user: str | None = None
    anonymous: bool | None = None
    package: str | None = None
    capabilities: frozenset[str] | None = None
    services: frozenset[str] | None = None
    own: int = 0
    accounts: frozenset[str] = frozenset()


UNKNOWN_TOKEN: Final = Token()


def _is_anonymous(token: Token) -> int:
    if token.user is not None:
        return _YES if token.user == ANONYMOUS else _NO
    return _OPEN if token.anonymous is None else _YES if token.anonymous else _NO


def _everyone(token: Token, _sid: str) -> int:
    """Everyone is in all tokens but the anonymous one, where it depends on a setting of the machine."""
    return _YES if _is_anonymous(token) == _NO else _OPEN


def _anonymous(token: Token, _sid: str) -> int:
    return _is_anonymous(token)


def _nobody(_token: Token, _sid: str) -> int:
    return _NO


def _account(token: Token, sid: str) -> int:
    """SYSTEM, LOCAL SERVICE and NETWORK SERVICE are users, and never groups of another user."""
    if token.user is not None:
        return _YES if token.user == sid else _NO
    return _NO if token.anonymous else _OPEN


def _authenticated(token: Token, _sid: str) -> int:
    if _is_anonymous(token) == _YES:
        return _NO
    user = token.user
    if user is None:
        return _OPEN
    member = user in sids.SERVICE_ACCOUNTS or sids.sid_family(user) in _USERS
    return _YES if member and user.rpartition("-")[2] != GUEST_RID else _OPEN


def _administrators(token: Token, _sid: str) -> int:
    """SYSTEM always is one; an administrator's plain token holds the group for denying only."""
    return _YES if token.user == sids.SYSTEM else _NO if _is_anonymous(token) == _YES else _OPEN


_WELL_KNOWN: Final[dict[str, Callable[[Token, str], int]]] = {
    sids.NULL_SID: _nobody,
    sids.EVERYONE: _everyone,
    ANONYMOUS: _anonymous,
    AUTHENTICATED: _authenticated,
    ADMINISTRATORS: _administrators,
    sids.SYSTEM: _account,
    sids.LOCAL_SERVICE: _account,
    sids.NETWORK_SERVICE: _account,
}


def _service(token: Token, sid: str) -> int:
    """Tell a service SID.

    A service's own token holds it only if the service has a SID type at all (REFERENCE 5.2), and in a shared host it
    holds those of the other services too. A user's token that no service runs as holds none.
    """
    if token.user == sid:
        return _YES
    if token.own < 0 or _is_anonymous(token) == _YES:
        return _NO
    if token.own > 0 and token.services is not None:
        if sid == services.ALL_SERVICES_SID:
            return _YES
        return _NO if sid not in token.services else _YES if len(token.services) == 1 else _OPEN
    return _OPEN


def _contained(token: Token, sid: str) -> int:
    """Tell SIDs that app containers' tokens alone hold: packages and capabilities."""
    if token.package is None:
        return _OPEN
    if token.package == sids.NULL_SID:
        return _NO
    if sid == token.package:
        return _YES
    if sid.startswith(CAPABILITIES):
        return _OPEN if token.capabilities is None else _YES if sid in token.capabilities else _NO
    # "All packages" is missing in less privileged containers, which no record tells apart.
    return _OPEN if sid in _GROUPS_OF_PACKAGES else _NO


@lru_cache(maxsize=1 << 16)
def member(token: Token, sid: str) -> int:
    """Tell whether the token holds this SID (full and upper case) for allowing: 1 yes, 0 cannot tell, -1 no."""
    special = _WELL_KNOWN.get(sid)
    if special is not None:
        return special(token, sid)
    if sid.startswith((PACKAGES, CAPABILITIES)):
        return _contained(token, sid)
    if token.user == sid:
        return _YES
    if sid.startswith("S-1-5-80-"):
        return _service(token, sid)
    # Another account's SID is in no token but its own; without that knowledge it might be a group's.
    if sid in token.accounts and (token.user is not None or _is_anonymous(token) == _YES):
        return _NO
    return _OPEN


def hypotheses(token: Token) -> tuple[Token, ...]:
    """Return the cases that have to be told apart: a token without its user may be the anonymous one or not."""
    if token.user is not None or token.anonymous is not None:
        return (token,)
    return (replace(token, anonymous=False), replace(token, anonymous=True))
