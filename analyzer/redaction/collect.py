"""What there is to hide in a case: first what columns say outright, then what stands in any text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from analyzer import cells
from analyzer.redaction import ordinary
from analyzer.redaction.addresses import parse
from analyzer.redaction.names import fold
from analyzer.redaction.places import is_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.evidence import Evidence
    from analyzer.redaction.names import Register
    from analyzer.redaction.text import Scan, Vault

# Columns that name an account: its SID, its name, its domain. Source: `analyzer.wfp.events`, `analyzer.frames`.
ACCOUNTS: Final = (
    ("subject_user_sid", "subject_user_name", "subject_domain_name"),
    ("target_user_sid", "target_user_name", "target_domain_name"),
    ("user_sid", "user_name", None),  # 5447
    ("sid", "user_name", None),  # sessions
    (None, "account", None),  # lists of services
    (None, "target", None),  # audit policies: `System`, or the user that a row is about
)
DOMAINS: Final = frozenset({"enterprise_id"})  # of net events: the organization that manages the app's data
ACCOUNT_SIDS: Final = ("S-1-5-21-", "S-1-12-1-")


def gather(given: Evidence, vault: Vault, scan: Scan) -> None:
    """Take note of all names, SIDs and addresses in what the readers gave."""
    frames = list(_frames(given))
    _computers(given, frames, vault.names)
    for frame in frames:
        _accounts(frame, vault.names)
        for column in DOMAINS & set(frame):
            for name in texts(frame[column]):
                account(vault.names, None, name)
    scan.realms()
    for text in {text for frame in frames for column in frame for text in texts(frame[column])}:
        scan.text(text)


def _frames(given: Evidence) -> Iterator[pd.DataFrame]:
    for _, log in given.logs:
        yield from log.tables.values()
    for _, state in given.states:
        yield from _frames_of(state)
    for _, net in given.netevents:
        yield from _frames_of(net)
    yield from given.services
    yield from given.policies
    for export in given.rules:
        yield from _frames_of(export)


def _frames_of(holder: object) -> Iterator[pd.DataFrame]:
    """Yield the frames that a reader's result holds."""
    for name in holder.__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(holder, name)
        if isinstance(value, pd.DataFrame):
            yield value


def texts(column: pd.Series) -> Iterator[str]:
    """Yield the texts of a column, each once where that costs nothing; of tuples and dicts what is in them."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        yield from column.cat.categories
    elif isinstance(column.dtype, pd.StringDtype):
        yield from column.dropna().unique()
    elif column.dtype == object:
        for value in column:
            yield from strings(value)


def strings(value: Any) -> Iterator[str]:
    """Yield the texts inside tuples, lists and dicts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)


def _computers(given: Evidence, frames: Iterable[pd.DataFrame], register: Register) -> None:
    found = {name for _, log in given.logs for name in log.computers}
    for frame in frames:
        if "computer" in frame:
            found.update(texts(frame["computer"]))
    for name in sorted(found):
        host(name, register)


def host(name: str, register: Register) -> None:
    """Take note of the name of a machine; an address in its place is one."""
    if name.strip(" .-") and parse(name) is None:
        register.add("host", name.strip())


def _accounts(frame: pd.DataFrame, register: Register) -> None:
    for columns in ACCOUNTS:
        if columns[1] not in frame:
            continue
        there = [name for name in columns if name is not None and name in frame]
        for row in frame[there].drop_duplicates().itertuples(index=False):
            said = dict(zip(there, row, strict=True))
            sid, user, domain = (cells.text(said.get(name)) if name else None for name in columns)
            account(register, user, domain, sid)


def account(register: Register, user: str | None, domain: str | None = None, sid: str | None = None) -> None:
    r"""Take note of an account: ``user``, ``DOMAIN\user`` or ``user@domain``; ``sid`` tells whether it is anybody's."""
    name = (user or "").strip()
    if "\\" in name:
        domain, _, name = name.partition("\\")
    if "@" in name:
        name, _, domain = name.partition("@")
    realm = (domain or "").strip().strip(".-")
    foreign = (sid is not None and not sid.upper().startswith(ACCOUNT_SIDS)) or fold(realm) in ordinary.AUTHORITIES
    machine = name.endswith("$")
    if machine:
        host(name[:-1], register)
    elif name and not foreign and is_person(name, of_realm=bool(realm)):
        register.add("user", name)
    system = fold(realm) in ordinary.AUTHORITIES | ordinary.COMMON_REALMS
    if realm and not system and (machine or not foreign) and parse(realm) is None:
        register.add("domain", realm)
