"""Times as exports of events write them: RFC 3339 with any number of decimals, with an offset, or without a zone."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

_SECOND: Final = 1_000_000_000
QUARTER: Final = 15 * 60 * _SECOND  # all zones are whole quarters of an hour away from UTC
_FORM: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(?:\s?(Z|UTC|[+-]\d\d:?\d\d))?", re.ASCII
)
_DOTNET: Final = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)  # Windows PowerShell's ConvertTo-Json
_NS_MAX: Final = 2**63 - 1


class Time(NamedTuple):
    """``ns`` since 1970, as written where ``zoned`` is False; how many ``digits`` of a second were written."""

    ns: int
    digits: int
    zoned: bool


@lru_cache(maxsize=1024)
def _seconds(day: str, clock: str) -> int | None:
    try:
        return int(np.datetime64(f"{day}T{clock}", "s").astype(np.int64))
    except ValueError:
        return None


@lru_cache(maxsize=4096)  # events of one second, or one packet's, repeat it
def parse(text: str) -> Time | None:
    """Return the time that a text writes; None for any other text and for years outside 1678 to 2262."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return _dotnet(text)
    seconds = _seconds(match[1], match[2])
    if seconds is None:
        return None
    fraction, zone = match[3] or "", match[4]
    if zone is not None and zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        away = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        seconds -= away if zone[0] == "+" else -away
    value = seconds * _SECOND + int(fraction.ljust(9, "0"))
    return Time(value, len(fraction), zone is not None) if -_NS_MAX <= value <= _NS_MAX else None


def _dotnet(text: str) -> Time | None:
    match = _DOTNET.fullmatch(text.strip())
    return Time(int(match[1]) * 1_000_000, 3, zoned=True) if match is not None and len(match[1]) < 14 else None


def zone(local: Time, utc: Time, late: int) -> int | None:
    """Return what to add to times like ``local`` to get UTC.

    ``utc`` is the same moment or up to ``late`` nanoseconds later. None where the two do not differ by a whole
    number of quarters of an hour and such a delay.
    """
    difference = utc.ns - local.ns
    quarters = (difference + QUARTER // 15) // QUARTER  # a minute of tolerance before
    rest = difference - quarters * QUARTER
    away = quarters * QUARTER
    return away if rest <= late and abs(away) <= 15 * 4 * QUARTER else None
