"""Geometry of the pictures: numbers in, coordinates out; the templates draw them.

Nothing here writes markup, so nothing from the evidence can become markup. All coordinates are in the units of the
picture's own view box, rounded to a tenth, so that the same result gives the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reports import text, words
from reports.axis import LEFT, RIGHT, WIDTH, Tick, below, nice_ticks, rounded, time_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from analyzer.model import Action, Kind, Marker, Timeline, TimelineSeries

MOST_COLUMNS: Final = 280  # more bins than this are drawn together, side by side they would be thinner than 3 units
WIDEST_COLUMN: Final = 28.0
APART: Final = 3.0  # least space between two flags
SPACED: Final = 9.0  # least space between two lines; nearer ones are one line
STRETCH: Final = 0.3  # markers this near to the first or last bin, as a share of the time shown, widen the picture
_ORDER: Final = {kind: i for i, kind in enumerate(words.KINDS)}  # of the legend and of the stacks


@dataclass(frozen=True, slots=True)
class Stack:
    """One kind in one panel: a path of all its bars."""

    kind: Kind
    path: str
    total: int


@dataclass(frozen=True, slots=True)
class Hover:
    """One column's text, shown by the browser where the pointer rests."""

    x: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Blocks or drops: two panels, because a drop is not a block and their scales differ."""

    action: Action
    title: str
    top: float
    height: float
    ticks: tuple[Tick, ...]
    stacks: tuple[Stack, ...]
    hovers: tuple[Hover, ...]
    peak: int


@dataclass(frozen=True, slots=True)
class Flag:
    """One or several markers that are too near to each other to be drawn apart."""

    x: float
    label: str
    width: float
    lines: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NumberedMarker:
    """A marker with the number that its flag shows; ``inside`` says that it has one."""

    number: int
    marker: Marker
    inside: bool


@dataclass(frozen=True, slots=True)
class TimelineChart:
    """The picture of blocks and drops over time."""

    width: float
    height: float
    left: float
    right: float
    flags_top: float
    axis: float
    panels: tuple[Panel, ...]
    ticks: tuple[Tick, ...]
    flags: tuple[Flag, ...]
    markers: tuple[NumberedMarker, ...]
    legend: tuple[Kind, ...]
    per: str
    description: str
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    columns: tuple[tuple[Kind, Action], ...]


@dataclass(frozen=True, slots=True)
class _Bins:
    """Bins to draw: starts, step in seconds, counts per series."""

    starts: tuple[datetime, ...]
    labels: tuple[str, ...]
    step: float
    counts: tuple[tuple[int, ...], ...]


def _bins(timeline: Timeline) -> _Bins | None:
    """Read the bins; draw neighbours together when there are more than a picture can show."""
    starts = [text.instant(item) for item in timeline.bins]
    if not starts or not timeline.series or None in starts:
        return None
    known = [item for item in starts if item is not None]
    group = math.ceil(len(known) / MOST_COLUMNS)
    counts = tuple(
        tuple(sum(series.counts[i : i + group]) for i in range(0, len(known), group)) for series in timeline.series
    )
    return _Bins(tuple(known[::group]), timeline.bins[::group], float(max(timeline.step_seconds, 1)) * group, counts)


def _panel(
    action: Action,
    top: float,
    height: float,
    bins: _Bins,
    series: Sequence[TimelineSeries],
    begin: datetime,
    scale: float,
) -> Panel:
    """Stack the series of one action; kinds keep the order of the legend, the first at the bottom."""
    rows = [(item, counts) for item, counts in zip(series, bins.counts, strict=True) if item.action == action]
    rows.sort(key=lambda row: _ORDER[row[0].kind])
    sums = [sum(column) for column in zip(*(counts for _, counts in rows), strict=True)]
    ticks = nice_ticks(max(sums, default=0), 4 if height > 120 else 3)
    unit = height / ticks[-1]
    bottom = top + height
    column = bins.step * scale
    width = min(column * 0.84 if column > 4 else column, WIDEST_COLUMN)
    lefts = [LEFT + (at - begin).total_seconds() * scale + (column - width) / 2 for at in bins.starts]
    base = [0.0] * len(bins.starts)
    stacks = []
    for item, counts in rows:
        path: list[str] = []
        for i, count in enumerate(counts):
            if count:
                tall = max(count * unit, 1.0)
                left, foot, up, across = (rounded(x) for x in (lefts[i], bottom - base[i], tall, width))
                path.append(f"M{left} {foot}v-{up}h{across}v{up}z")
                base[i] += tall
        stacks.append(Stack(item.kind, "".join(path), sum(counts)))
    hovers = []
    for i, total in enumerate(sums):
        if total:
            parts = [f"{words.KINDS[item.kind].title} {text.number(c[i])}" for item, c in rows if c[i]]
            label = f"{text.when(bins.labels[i])} UTC: {text.counted(total, action)} ({', '.join(parts)})"
            hovers.append(
                Hover(rounded(LEFT + (bins.starts[i] - begin).total_seconds() * scale), rounded(column), label)
            )
    title = {"block": "Blocks", "drop": "Drops", "permit": "Permits"}[action]
    labels = tuple(Tick(rounded(bottom - t * unit), text.number(t)) for t in ticks)
    return Panel(action, title, top, height, labels, tuple(stacks), tuple(hovers), max(sums, default=0))


def numbered(markers: Sequence[Marker]) -> tuple[NumberedMarker, ...]:
    """Give the markers numbers in time order; none of them has a flag yet."""
    ordered = sorted(markers, key=lambda m: (m.time, m.event_id))
    return tuple(NumberedMarker(i, marker, inside=False) for i, marker in enumerate(ordered, start=1))


def _flags(
    markers: Sequence[Marker], begin: datetime, seconds: float, scale: float
) -> tuple[tuple[Flag, ...], tuple[NumberedMarker, ...]]:
    """Give the markers numbers in time order and place those inside the picture; near ones share a flag."""
    marks: list[NumberedMarker] = []
    flags: list[tuple[int, int, list[float]]] = []  # first number, last number, where the lines are
    for item in numbered(markers):
        i, marker = item.number, item.marker
        at = text.instant(marker.time)
        offset = -1.0 if at is None else (at - begin).total_seconds()
        inside = 0 <= offset <= seconds
        marks.append(NumberedMarker(i, marker, inside))
        if inside:
            flags.append((i, i, [LEFT + offset * scale]))
            while len(flags) > 1 and _left(flags[-1]) - _right(flags[-2]) < APART:
                _, last, lines = flags.pop()
                first, _, before = flags.pop()
                flags.append((first, last, before + [x for x in lines if x - before[-1] >= SPACED]))
    return tuple(_flag(*item) for item in flags), tuple(marks)


def _flag(first: int, last: int, lines: Sequence[float]) -> Flag:
    """Make the flag of the markers ``first`` to ``last``; it stands above the middle of its lines."""
    label = str(first) if first == last else f"{first}–{last}"
    middle = (lines[0] + lines[-1]) / 2
    return Flag(rounded(middle), label, 8.0 + 7.0 * len(label), tuple(rounded(x) for x in lines))


def _left(item: tuple[int, int, list[float]]) -> float:
    flag = _flag(*item)
    return flag.x - flag.width / 2


def _right(item: tuple[int, int, list[float]]) -> float:
    flag = _flag(*item)
    return flag.x + flag.width / 2


def _range(bins: _Bins, markers: Sequence[Marker]) -> tuple[datetime, float]:
    """Return begin and length in seconds of the time shown: the bins, and markers that stand near them."""
    begin, end = bins.starts[0], bins.starts[-1] + timedelta(seconds=bins.step)
    room = (end - begin) * STRETCH
    times = [at for at in (text.instant(marker.time) for marker in markers) if at is not None]
    first = min((at for at in times if begin - room <= at < begin), default=begin)
    last = max((at for at in times if end < at <= end + room), default=end)
    return first, (last - first).total_seconds()


def timeline_chart(timeline: Timeline, markers: Sequence[Marker]) -> TimelineChart | None:
    """Lay out blocks and drops over time, stacked by kind; None where there is nothing to draw."""
    bins = _bins(timeline)
    if bins is None:
        return None
    begin, seconds = _range(bins, markers)
    scale = (WIDTH - LEFT - RIGHT) / seconds
    flags, marks = _flags(markers, begin, seconds, scale)
    actions = [action for action in ("block", "drop") if any(s.action == action for s in timeline.series)]
    flags_top = 4.0
    top = 30.0 + (24.0 if flags else 0.0)
    panels = []
    for action in actions:
        height = 170.0 if action == "block" or len(actions) == 1 else 100.0
        panels.append(
            _panel("block" if action == "block" else "drop", top, height, bins, timeline.series, begin, scale)
        )
        top += height + 36.0
    axis = top - 36.0
    per = text.duration(bins.step)
    ticks = time_ticks(begin, seconds, scale)
    legend = tuple(sorted({series.kind for series in timeline.series}, key=_ORDER.__getitem__))
    return TimelineChart(
        width=WIDTH,
        height=axis + below(ticks),
        left=LEFT,
        right=WIDTH - RIGHT,
        flags_top=flags_top,
        axis=axis,
        panels=tuple(panels),
        ticks=ticks,
        flags=flags,
        markers=marks,
        legend=legend,
        per=per,
        description=_describe(timeline, panels, per),
        rows=tuple(
            (bins.labels[i], tuple(counts[i] for counts in bins.counts))
            for i in range(len(bins.starts))
            if any(counts[i] for counts in bins.counts)
        ),
        columns=tuple((series.kind, series.action) for series in timeline.series),
    )


def _describe(timeline: Timeline, panels: Sequence[Panel], per: str) -> str:
    """Say in words what the picture shows."""
    parts = []
    for panel in panels:
        kinds = ", ".join(f"{words.KINDS[s.kind].title} {text.number(s.total)}" for s in panel.stacks if s.total)
        parts.append(f"{panel.title}: at most {text.number(panel.peak)} per {per}; {kinds}.")
    return f"{text.span(timeline.first or timeline.bins[0], timeline.last)}. " + " ".join(parts)
