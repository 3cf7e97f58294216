"""Geometry of the picture of coverage: which input covers which time, on one axis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reports import text
from reports.axis import LEFT, RIGHT, WIDTH, Tick, below, rounded, time_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Coverage, InputFile


@dataclass(frozen=True, slots=True)
class Bar:
    """The time that one input covers."""

    label: str
    note: str
    x: float
    width: float
    top: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A state: one moment, drawn as a diamond."""

    label: str
    note: str
    x: float
    top: float


@dataclass(frozen=True, slots=True)
class CoverageChart:
    """Which input covers which time, on one axis."""

    width: float
    height: float
    left: float
    right: float
    axis: float
    bars: tuple[Bar, ...]
    moments: tuple[Moment, ...]
    ticks: tuple[Tick, ...]
    description: str


def coverage_chart(inputs: Sequence[InputFile], coverage: Coverage) -> CoverageChart | None:
    """Lay out logs as bars and states as moments; None with fewer than one dated input."""
    states = {p.state: p.state_time for p in coverage.pairings}
    spans: list[tuple[InputFile, datetime, datetime]] = []
    for item in inputs:
        first = text.instant(item.first or states.get(item.name))
        last = text.instant(item.last) or first
        if first is not None and last is not None:
            spans.append((item, min(first, last), max(first, last)))
    if not spans:
        return None
    begin, end = min(s[1] for s in spans), max(s[2] for s in spans)
    seconds = max((end - begin).total_seconds(), 1.0)
    begin, seconds = begin - timedelta(seconds=seconds * 0.02), seconds * 1.04
    scale = (WIDTH - LEFT - RIGHT) / seconds
    bars: list[Bar] = []
    moments: list[Moment] = []
    top = 6.0
    for item, first, last in spans:
        x = LEFT + (first - begin).total_seconds() * scale
        note = text.span(item.first or states.get(item.name), item.last)
        if item.first is not None and item.last is not None and item.kind not in {"wfpstate", "filters"}:
            bars.append(
                Bar(item.name, note, rounded(x), rounded(max((last - first).total_seconds() * scale, 2.0)), top)
            )
        else:
            moments.append(Moment(item.name, note, rounded(x), top))
        top += 34.0
    ticks = time_ticks(begin.astimezone(UTC), seconds, scale)
    return CoverageChart(
        WIDTH,
        top + below(ticks),
        LEFT,
        WIDTH - RIGHT,
        top,
        tuple(bars),
        tuple(moments),
        ticks,
        "; ".join([f"{bar.label}: {bar.note}" for bar in bars] + [f"{m.label}: {m.note}" for m in moments]),
    )
