"""Geometry of the pictures, and the tables of words."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import get_args

import case
import pytest

from analyzer.model import (
    Action,
    Confidence,
    Grade,
    Kind,
    Marker,
    ProblemSeverity,
    Severity,
    StateFits,
    Timeline,
    TimelineSeries,
)
from reports import axis, charts, coverage_chart, glossary, words


@pytest.mark.parametrize(
    ("table", "type_"),
    [
        (words.KINDS, Kind),
        (words.GRADES, Grade),
        (words.CONFIDENCE, Confidence),
        (words.SEVERITY, Severity),
        (words.PROBLEM_SEVERITY, ProblemSeverity),
        (words.STATE_FITS, words.Fit),
        (words.ACTIONS, Action),
    ],
)
def test_every_word_of_the_result_is_explained(table, type_) -> None:
    assert set(table) == set(get_args(type_))
    assert all(word.title and word.means.endswith(".") and word.source for word in table.values())


@pytest.mark.parametrize(
    ("peak", "ticks"), [(0, (0, 1)), (1, (0, 1)), (4, (0, 1, 2, 3, 4)), (7, (0, 2, 4, 6, 8)), (1000, (0, 500, 1000))]
)
def test_nice_ticks(peak: int, ticks: tuple[int, ...]) -> None:
    assert axis.nice_ticks(peak) == ticks


@pytest.mark.parametrize("peak", [1, 3, 9, 10, 11, 99, 101, 12345, 10**9])
def test_nice_ticks_cover_the_peak_in_few_steps(peak: int) -> None:
    ticks = axis.nice_ticks(peak)
    assert ticks[-1] >= peak
    assert 2 <= len(ticks) <= 6


def test_blocks_and_drops_have_panels_of_their_own() -> None:
    chart = charts.timeline_chart(case.rich().timeline, case.rich().coverage.markers)
    assert chart is not None
    assert [panel.action for panel in chart.panels] == ["block", "drop"]
    assert "Drops: at most" in chart.description


def test_limits_and_glossary_name_their_sources() -> None:
    for word in (*glossary.LIMITS, *glossary.GLOSSARY):
        assert word.title
        assert word.means.endswith(".")
        assert word.source


def test_a_marker_close_before_the_first_bin_widens_the_picture() -> None:
    starts = tuple(case.at(i) for i in range(10))
    timeline = Timeline(starts[0], starts[-1], 60, starts, (TimelineSeries("stealth", "drop", (3,) * 10),))
    marks = tuple(Marker(case.at(minute), None, "x", 4608, "a", 1) for minute in (-2, -60))
    chart = charts.timeline_chart(timeline, marks)
    assert chart is not None
    assert [item.inside for item in chart.markers] == [False, True]
    assert chart.flags[0].lines == (axis.LEFT,)


def test_flags_never_overlap() -> None:
    starts = tuple(case.at(i) for i in range(60))
    timeline = Timeline(starts[0], starts[-1], 60, starts, (TimelineSeries("stealth", "drop", (3,) * 60),))
    marks = tuple(Marker(case.at(i / 5), None, "x", 4608, "a", i) for i in range(300))
    chart = charts.timeline_chart(timeline, marks)
    assert chart is not None
    edges = [(flag.x - flag.width / 2, flag.x + flag.width / 2) for flag in chart.flags]
    assert all(after[0] >= before[1] for before, after in pairwise(edges))


def test_near_markers_share_a_flag_and_far_ones_are_listed_as_outside() -> None:
    chart = charts.timeline_chart(case.rich().timeline, case.rich().coverage.markers)
    assert chart is not None
    assert [flag.label for flag in chart.flags] == ["2", "3–4", "5"]
    assert [item.inside for item in chart.markers] == [False, True, True, True, True]


def test_no_bins_or_unreadable_times_draw_nothing() -> None:
    assert charts.timeline_chart(case.empty().timeline, ()) is None
    odd = Timeline("?", "?", 1, ("?",), (TimelineSeries("stealth", "drop", (1,)),))
    assert charts.timeline_chart(odd, ()) is None


@pytest.mark.parametrize("step", [1, 60, 3600, 86400, 30 * 86400])
@pytest.mark.parametrize("bins", [1, 2, 60])
def test_axis_stays_inside_the_picture_and_has_few_labels(step: int, bins: int) -> None:
    starts = tuple(case.at(i * step / 60) for i in range(bins))
    timeline = Timeline(starts[0], starts[-1], step, starts, (TimelineSeries("stealth", "drop", (3,) * bins),))
    chart = charts.timeline_chart(timeline, (Marker(starts[0], None, "x", 4608, "a", 1),))
    assert chart is not None
    assert 1 <= len(chart.ticks) <= 10
    assert all(axis.LEFT <= tick.at <= axis.WIDTH - axis.RIGHT for tick in chart.ticks)


def test_coverage_draws_logs_as_bars_and_states_as_moments() -> None:
    chart = coverage_chart.coverage_chart(case.rich().inputs, case.rich().coverage)
    assert chart is not None
    assert len(chart.bars) == 2
    assert [moment.label for moment in chart.moments] == ["wfpstate.xml"]
    assert coverage_chart.coverage_chart((), case.empty().coverage) is None


def test_there_is_a_word_for_every_way_a_state_fits() -> None:
    assert set(words.STATE_FITS) > set(get_args(StateFits)), "and one for no state at all"


def test_the_day_has_a_line_of_its_own_below_the_times() -> None:
    begin = datetime(2026, 4, 21, 15, 40, 2, tzinfo=UTC)
    ticks = axis.time_ticks(begin, 98, (axis.WIDTH - axis.LEFT - axis.RIGHT) / 98)
    assert [tick.day for tick in ticks] == ["2026-04-21", *[""] * (len(ticks) - 1)]
    assert all(len(tick.label) == len("15:40:30") for tick in ticks)
