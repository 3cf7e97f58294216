"""The tokens of events: each distinct one once, and which row has which."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import pandas as pd

from analyzer.engine.access import plain_sid
from analyzer.engine.flows import Texts
from analyzer.engine.tokens import UNKNOWN_TOKEN, Token
from analyzer.folding import codes_of, number
from analyzer.wfp import services as wfp_services
from analyzer.wfp import sids

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_TOKENS: Final = 2_000  # of one set of flows; what comes later is not known, so that checks stay bounded


class Account(Protocol):
    """The account of a process' services: its SID where that is known, and whether it is a user's for sure."""

    @property
    def sid(self) -> str | None:
        """SID of the account."""

    @property
    def user(self) -> bool:
        """Whether it is a user's for sure."""


class AccountOf(Protocol):
    """Tells the account that the services of a process run under, or None."""

    def __call__(self, computer: str | None, services: tuple[str, ...]) -> Account | None:
        """Return the account of a process by its host and the names of its services."""


def of_events(
    events: pd.DataFrame,
    loopback: NDArray[np.int8],
    *,
    account: AccountOf | None = None,
    assume_own_token: bool = False,
) -> tuple[Texts, NDArray[np.int32], tuple[Token, ...]]:
    """Return the package of each row (n,), the number of its token (n,) int32, and the tokens.

    A loopback connection to an app container may carry "no package" (REFERENCE 12): there it tells nothing.
    """
    count = len(events)
    present = [name for name in ("user_sid", "package_sid") if name in events.columns]
    columns = [codes_of(events[name]) for name in present]
    hosted = _hosted(events)
    far = loopback == -1
    keys = [*columns, (hosted, int(hosted.max()) + 1 if count else 1), (far.astype(np.int64), 2)]
    if "computer" in events.columns:
        keys.append(codes_of(events["computer"]))
    rows = number(keys, count)
    first = np.unique(rows, return_index=True)[1] if count else np.zeros(0, dtype=np.intp)
    accounts = _accounts(events)
    made = [
        _token(events, int(row), far=bool(far[row]), account=account, accounts=accounts, own=assume_own_token)
        if place < MAX_TOKENS
        else UNKNOWN_TOKEN
        for place, row in enumerate(first)
    ]
    tokens: dict[Token, int] = {}
    codes = np.array([tokens.setdefault(token, len(tokens)) for token in made] or [0], dtype=np.int32)[rows]
    names: dict[str, int] = {}
    by_token = [-1 if t.package is None else names.setdefault(t.package, len(names)) for t in tokens]
    packages = np.array(by_token or [-1], dtype=np.int32)[codes]
    return Texts(packages, names), codes, tuple(tokens) or (UNKNOWN_TOKEN,)


def _hosted(events: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number per distinct tuple of services, shape (n,)."""
    if "services" not in events.columns:
        return np.zeros(len(events), dtype=np.int64)
    return pd.factorize(events["services"].to_numpy(dtype=object))[0].astype(np.int64) + 1


def _sid(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    sid = plain_sid(value)
    return sid if sids.is_sid(sid) else None


def _accounts(events: pd.DataFrame) -> frozenset[str]:
    """Return the SIDs that net events show as users of tokens: these are no groups."""
    if "user_sid" not in events.columns:
        return frozenset()
    column = events["user_sid"]
    names = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column.dropna().unique()
    found = (_sid(name) for name in list(names)[:MAX_TOKENS])
    return frozenset(sid for sid in found if sid is not None and sid != sids.NULL_SID)


def _cell(events: pd.DataFrame, name: str, row: int) -> object:
    return events[name].iloc[row] if name in events.columns else None


def _token(
    events: pd.DataFrame,
    row: int,
    *,
    far: bool,
    account: AccountOf | None,
    accounts: frozenset[str],
    own: bool,
) -> Token:
    """Put together what one row tells of its token."""
    user = _sid(_cell(events, "user_sid", row))
    user = None if user == sids.NULL_SID else user
    package = _sid(_cell(events, "package_sid", row))
    package = None if package == sids.NULL_SID and not far else package
    held = _cell(events, "services", row)
    names = held if isinstance(held, tuple) and held else None
    computer = _cell(events, "computer", row)
    runs = account(computer if isinstance(computer, str) else None, names) if account and names else None
    services = None if names is None else frozenset(wfp_services.service_sid(name) for name in names)
    token = Token(user=user, package=package, services=services, accounts=accounts)
    if names is not None and len(names) == 1 and runs is not None and _borrowed(user, names[0], runs):
        return replace(token, own=-1)
    if not own:
        return token
    token = replace(token, package=sids.NULL_SID if package is None else package)
    if user is not None and (runs is None or runs.sid != user):
        return token  # the record shows a user that the process is not known to run as
    return replace(token, own=1, user=user if runs is None else runs.sid)


def _borrowed(user: str | None, service: str, runs: Account) -> bool:
    """Tell a user's token in the hands of a service that runs under another account, and never as a user."""
    if user is None or runs.sid is None or runs.user or runs.sid == user:
        return False
    return sids.sid_family(user) == "user" and not wfp_services.runs_as_user(service)
