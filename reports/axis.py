"""What all pictures share: their width, round numbers on the axes, round times below."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 1120.0
LEFT: Final = 56.0
RIGHT: Final = 14.0
DAY: Final = 86400
TICK_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY)


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick of an axis: where, and what is written there."""

    at: float
    label: str
    anchor: str = "middle"
    day: str = ""  # below the label, where the day begins or changes


def below(ticks: Sequence[Tick]) -> float:
    """Return the height of what stands below an axis: times, and the days below them where there are any."""
    return 46.0 if any(tick.day for tick in ticks) else 28.0


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
    """Return ticks at round times, six or fewer apart from the ends; the day stands below where it changes."""
    step = next((s for s in TICK_STEPS if seconds / s <= 8), DAY * math.ceil(seconds / DAY / 8))
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    offset = math.ceil((begin - day).total_seconds() / step) * step
    at = day + timedelta(seconds=offset)
    pattern = "%H:%M:%S" if step < 60 else "%H:%M"
    ticks: list[Tick] = []
    last_day = ""
    while (at - begin).total_seconds() <= seconds:
        today, label = at.strftime("%Y-%m-%d"), at.strftime(pattern)
        new = "" if step >= DAY or today == last_day else today
        last_day = today
        x = LEFT + (at - begin).total_seconds() * scale
        anchor = "start" if x < LEFT + 60 else "end" if x > WIDTH - RIGHT - 60 else "middle"
        ticks.append(Tick(rounded(x), today if step >= DAY else label, anchor, new))
        at += timedelta(seconds=step)
    return tuple(ticks) or (Tick(LEFT, begin.strftime("%H:%M:%S"), "start", begin.strftime("%Y-%m-%d")),)
