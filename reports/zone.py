"""A zone for times that are shown to people: beside UTC, never instead of it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from reports import text

if TYPE_CHECKING:
    from datetime import datetime


class ZoneError(Exception):
    """No zone has this name; the message suggests one."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of the IANA time zone database."""

    name: str
    rules: ZoneInfo

    def moment(self, value: str | None) -> datetime | None:
        """Return a time of the result in this zone; None where it is none, or beyond the calendar."""
        found = text.instant(value)
        try:
            return None if found is None else found.astimezone(self.rules)
        except OverflowError:
            return None

    def when(self, value: str | None) -> str | None:
        """Return ``2026-03-04 11:15:22 +01:00``; None where there is no time."""
        found = self.moment(value)
        return None if found is None else f"{found:%Y-%m-%d %H:%M:%S} {_offset(found)}"

    def beside(self, value: str | None) -> str | None:
        """Return what is written beside a time in UTC: ``11:15:22 +01:00``, with the date where that is another."""
        found = self.moment(value)
        same = found is not None and found.replace(tzinfo=None).date() == found.astimezone(UTC).date()
        return f"{found:%H:%M:%S} {_offset(found)}" if found is not None and same else self.when(value)

    def span(self, first: str | None, last: str | None) -> str | None:
        """Return ``2026-03-04 11:15:22 to 12:02:07 +01:00``; None where there is no time."""
        begin, end = self.moment(first or last), self.moment(last or first)
        if begin is None or end is None:
            return None
        if (begin.date(), begin.utcoffset()) != (end.date(), end.utcoffset()):
            return f"{self.when(first or last)} to {self.when(last or first)}"
        clock = "" if f"{begin:%H%M%S}" == f"{end:%H%M%S}" else f" to {end:%H:%M:%S}"
        return f"{begin:%Y-%m-%d %H:%M:%S}{clock} {_offset(end)}"


def _offset(moment: datetime) -> str:
    """Return ``+01:00``."""
    shown = f"{moment:%z}"
    return f"{shown[:3]}:{shown[3:5]}"


@cache
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in sorted(available_timezones())}


def zone(name: str) -> Zone:
    """Return the zone of this name, in any letter case.

    Raises
    ------
    ZoneError
        There is none.
    """
    wanted = name.strip().casefold().replace(" ", "_")
    found = _names().get(wanted)
    if found is None:
        raise ZoneError(f"there is no time zone {name!r}{_suggestion(wanted)}")
    return Zone(found, ZoneInfo(found))


def _suggestion(wanted: str) -> str:
    names = _names()
    last = {key.rpartition("/")[2]: key for key in names}  # people type the city alone
    close = [last[key] for key in difflib.get_close_matches(wanted.rpartition("/")[2], last, 2, 0.75)]
    close += difflib.get_close_matches(wanted, names, 2, 0.7)
    best = list(dict.fromkeys(names[key] for key in close))[:3]
    if best:
        return f": did you mean {' or '.join(best)}?"
    hint = "names are those of the IANA database, as Europe/Berlin or UTC"
    return f"; {hint}" if names else ": this system has no list of time zones"
