"""What all pictures share: their width, round numbers on the axes, round times below."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WIDTH: Final = 1120.0
LEFT: Final = 56.0
RIGHT: Final = 14.0
TICK_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick of an axis: where, and what is written there."""

    at: float
    label: str
    anchor: str = "middle"


def rounded(value: float) -> float:
    """Return a coordinate to a tenth."""
    return round(value, 1)


def nice_ticks(peak: int, most: int = 4) -> tuple[int, ...]:
    """Return whole numbers from 0 to at least ``peak`` in steps of 1, 2 or 5 times a power of ten."""
    rough = max(peak, 1) / most
    power = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = next(int(power * m) for m in (1, 2, 5, 10) if power * m >= rough)
    return tuple(range(0, step * math.ceil(max(peak, 1) / step) + 1, step))


def time_ticks(begin: datetime, seconds: float, scale: float) -> tuple[Tick, ...]:
    """Return ticks at round times, six or fewer apart from the ends; the day is written where it changes."""
    step = next((s for s in TICK_STEPS if seconds / s <= 8), 86400 * math.ceil(seconds / 86400 / 8))
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    offset = math.ceil((begin - day).total_seconds() / step) * step
    at = day + timedelta(seconds=offset)
    pattern = "%H:%M:%S" if step < 60 else "%H:%M"
    ticks: list[Tick] = []
    last_day = None
    while (at - begin).total_seconds() <= seconds:
        label = "" if step >= 86400 else at.strftime(pattern)
        if at.date() != last_day:
            label = f"{at.strftime('%Y-%m-%d')} {label}".strip()
            last_day = at.date()
        x = LEFT + (at - begin).total_seconds() * scale
        anchor = "start" if x < LEFT + 60 else "end" if x > WIDTH - RIGHT - 60 else "middle"
        ticks.append(Tick(rounded(x), label, anchor))
        at += timedelta(seconds=step)
    return tuple(ticks) or (Tick(LEFT, begin.strftime("%Y-%m-%d %H:%M:%S"), "start"),)
