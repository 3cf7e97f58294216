"""What lists of services tell: the names behind service SIDs, and which services a process hosted.

A list holds for the moment when it was taken. A process id may have been another process when an event was logged, so
whoever uses this has to say "at capture time" (REFERENCE 5.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer import cells
from analyzer.wfp import services as wfp_services

if TYPE_CHECKING:
    import pandas as pd

_ORDER: Final = ("tasklist", "service-list")


@dataclass(frozen=True, slots=True)
class Hosted:
    """What a process was when the lists were taken.

    ``services`` are short names, sorted; empty: the lists show that it hosted none. ``agreed`` is False where two
    lists of one host differ, which then were taken at different moments.
    """

    process_id: int
    services: tuple[str, ...]
    source: str
    image: str | None
    agreed: bool


def names(services: pd.DataFrame) -> dict[str, str]:
    """Return service SID -> short name of every service in the lists (``frames.SERVICES``)."""
    found = services["service"].dropna().unique()
    return {wfp_services.service_sid(str(name)): str(name) for name in found}


def accounts(services: pd.DataFrame) -> dict[str, str]:
    """Return short name in lower case -> the account that the service runs under, where a list tells it."""
    rows = services[services["service"].notna() & services["account"].notna()]
    return {str(name).lower(): str(account) for name, account in zip(rows["service"], rows["account"], strict=True)}


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
        source=next((source for source in _ORDER if source in found), "service-list"),
        image=str(images.iloc[0]) if len(images) else None,
        agreed=len(set(by_list)) <= 1,
    )
