"""The change review as one HTML file, for the person who signs: guarded like the report, in the same style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports import html, view
from reports.reviewwords import DECIDED, DEFAULT_WORDS, EXPECTS, LIMITS, OUTCOMES, PARTS, RISKS, SOURCES, WHATS

if TYPE_CHECKING:
    from analyzer.reviewmodel import Review

MOST_PROBLEMS: Final = 200
MOST_CHANGES: Final = 300
MOST_BOXES: Final = 300
MOST_GROUPS: Final = 300
MOST_LIMITS: Final = 60
STYLES: Final = ("report.css", "review.css")


@dataclass(frozen=True, slots=True)
class DefaultRow:
    """What both sides do in one direction and profile with what no rule matches."""

    title: str
    words: tuple[str | None, str | None]

    @property
    def differs(self) -> bool:
        """Whether the sides differ."""
        return self.words[0] != self.words[1]


def render_review(review: Review) -> str:
    """Render the review; equal results give equal bytes."""
    replay = review.replay
    return html.render_page(
        "review.html.j2",
        review,
        styles=STYLES,
        hosts=tuple(dict.fromkeys(side.computer for side in review.sides if side.computer)),
        changes=view.fold(review.changes, MOST_CHANGES),
        exposure=view.fold(review.exposure, MOST_BOXES),
        groups=view.fold(replay.groups if replay is not None else (), MOST_GROUPS),
        flows={} if replay is None else {what: getattr(replay, what.replace("-", "_")) for what in OUTCOMES},
        problems=view.fold(
            sorted(review.problems, key=lambda item: view.WORST_FIRST.index(item.severity)), MOST_PROBLEMS
        ),
        reading=view.reading(review.problems),
        default_rows=default_rows(review),
        OUTCOMES=OUTCOMES,
        WHATS=WHATS,
        PARTS=PARTS,
        SOURCES=SOURCES,
        DEFAULT_WORDS=DEFAULT_WORDS,
        DECIDED=DECIDED,
        EXPECTS=EXPECTS,
        RISKS=RISKS,
        REVIEW_LIMITS=LIMITS,
        MOST_LIMITS=MOST_LIMITS,
    )


def default_rows(review: Review) -> tuple[DefaultRow, ...]:
    """Return the defaults of both sides, and those that only stores tell."""
    one, two = ({(d.direction, d.profile): d.action for d in side.defaults} for side in review.sides)
    for item in review.defaults:
        one.setdefault((item.direction, item.profile), item.before)
        two.setdefault((item.direction, item.profile), item.after)
    return tuple(
        DefaultRow(f"{direction.capitalize()} default, {profile}", (one.get(key), two.get(key)))
        for key in sorted(one.keys() | two.keys())
        for direction, profile in (key,)
    )
