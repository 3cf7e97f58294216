"""What lists of services tell: the names behind service SIDs, which services a process hosted, and their accounts.

A list holds for the moment when it was taken, which no format tells. A process id may have been another process when
an event was logged, so whoever uses this has to say "at capture time" (REFERENCE 5.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from analyzer import cells, frames
from analyzer.hosts import first_label
from analyzer.model import Problem
from analyzer.wfp import services as wfp_services
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

ORDER: Final = ("tasklist", "service-list")  # best first


@dataclass(frozen=True, slots=True)
class Hosted:
    """What a process was when the lists were taken.

    ``services`` are short names, sorted; empty: the lists show that it hosted none. ``agreed`` is False where two
    lists of one host differ, which then were taken at different moments. ``inputs`` are the lists that show it.
    """

    process_id: int
    services: tuple[str, ...]
    source: str
    image: str | None
    agreed: bool
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """The account of a service: its SID where that is known, and whether it is a user's for sure."""

    sid: str | None
    user: bool


@dataclass(frozen=True, slots=True)
class Known:
    """All lists of a case. ``hosts`` has the lists of each host, by the first label of its name; "" is one unnamed."""

    names: Mapping[str, str] = field(default_factory=dict)  # service SID -> short name
    hosts: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    _accounts: dict[str, dict[str, str]] = field(default_factory=dict, repr=False, compare=False)  # kept, by host

    def account(self, computer: str | None, service: str) -> Account | None:
        """Return the account that lists of this host name for a service; None where they do not, or do not agree."""
        host = first_label(computer)
        part = self.hosts.get(host)
        if part is None:
            return None
        if host not in self._accounts:
            self._accounts[host] = accounts(part)
        text = self._accounts[host].get(service.lower())
        if text is None:
            return None
        return Account(wfp_services.account_sid(text), wfp_services.is_user_account(text))

    def process_account(self, computer: str | None, services: tuple[str, ...]) -> Account | None:
        """Return the account that a process' services run under: only where all run under the same."""
        found = {self.account(computer, name) for name in services}
        return found.pop() if len(found) == 1 else None


def known(parts: Sequence[pd.DataFrame], computers: Iterable[object]) -> Known:
    """Tie lists (``frames.SERVICES``) to the hosts of the events.

    A list that names no computer is of the only host; with several it ties to none. Where no event names its host
    (net events alone), the lists of one computer are its own.
    """
    if not parts:
        return Known()
    whole = frames.concat(parts, frames.SERVICES)
    hosts = sorted({first_label(name) for name in computers})
    labels = whole["computer"].map(first_label)
    named = sorted(set(labels) - {""})
    if not hosts:
        tied = {"": whole} if len(named) <= 1 else {}
    else:
        tied = {host: whole[(labels == host) | ((labels == "") & (len(hosts) == 1))] for host in hosts}
    used = {str(name) for part in tied.values() for name in part["input"]}
    problems = []
    for name in dict.fromkeys(whole["input"]):
        if str(name) not in used:
            what = "is not tied to a computer of the events: it names services, and tells of no process"
            problems.append(Problem(str(name), None, "note", what))
    for part in tied.values():
        problems.extend(_disagreements(part))
    return Known(names(whole), {host: part for host, part in tied.items() if len(part)}, tuple(problems))


def _disagreements(part: pd.DataFrame) -> list[Problem]:
    odd = [item for item in hosted(part).values() if not item.agreed]
    if not odd:
        return []
    where = dict.fromkeys(name for item in odd for name in item.inputs)
    many = plural(len(odd), "process", "processes")
    what = f"differs from another list in {many}: taken at another moment, so not used for these"
    return [Problem(name, None, "note", what) for name in where]


def names(services: pd.DataFrame) -> dict[str, str]:
    """Return service SID -> short name of every service in the lists (``frames.SERVICES``)."""
    found = services["service"].dropna().unique()
    return {wfp_services.service_sid(str(name)): str(name) for name in found}


def accounts(services: pd.DataFrame) -> dict[str, str]:
    """Return short name in lower case -> the account that the service runs under, as printed.

    Services that no list tells an account of, or two lists different ones, are left out.
    """
    rows = services[services["service"].notna() & services["account"].notna()]
    out: dict[str, dict[str, str]] = {}
    for name, account in zip(rows["service"], rows["account"], strict=True):
        out.setdefault(str(name).lower(), {}).setdefault(str(account).strip().lower(), str(account))
    return {name: next(iter(found.values())) for name, found in out.items() if len(found) == 1}


def hosted(services: pd.DataFrame) -> dict[int, Hosted]:
    """Return process id -> what it hosted, of the lists of one host."""
    running = services[services["process_id"].notna()]
    out: dict[int, Hosted] = {}
    for pid, rows in running.groupby("process_id", sort=True):
        number = cells.number(pid)
        if number is not None:
            out[number] = _one(number, rows)
    return out


def _one(pid: int, rows: pd.DataFrame) -> Hosted:
    # A list of tasklist shows a process even without services; a list of services only with one.
    by_list = [
        frozenset(str(name).lower() for name in part["service"].dropna())
        for _, part in rows.groupby("input", sort=False)
    ]
    spelled = {str(name).lower(): str(name) for name in rows["service"].dropna()}
    images = rows["image"].dropna()
    found = set(rows["source"].dropna())
    return Hosted(
        process_id=pid,
        services=tuple(spelled[name] for name in sorted(spelled)),
        source=next((source for source in ORDER if source in found), "service-list"),
        image=str(images.iloc[0]) if len(images) else None,
        agreed=len(set(by_list)) <= 1,
        inputs=tuple(dict.fromkeys(str(name) for name in rows["input"])),
    )
