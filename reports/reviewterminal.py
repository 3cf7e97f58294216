"""The comparison on the terminal: what changed, what the change opens and blocks, and what could not be compared.

Strings of the evidence become ``rich.text.Text`` only after ``reports.text.neutral``, as in :mod:`reports.terminal`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from reports import text, view
from reports.reviewwords import DECIDED
from reports.terminal import PROBLEM_STYLE, WIDEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from analyzer.reviewmodel import Change, Exposed, FlowGroup, Outcome, Replay, Review, Risk, Side, What

MOST_CHANGES: Final = 12
MOST_BOXES: Final = 4  # of each outcome
MOST_LIMITS: Final = 5
MOST_GROUPS: Final = 4  # of each outcome of recorded traffic
MOST_PLACES: Final = 2  # of each mark of risk
MOST_PROBLEMS: Final = 2
LONGEST: Final = 400
LONGEST_BOX: Final = 600

MARKS: Final[dict[What, tuple[str, str]]] = {
    "default": ("! ", "bold red"),
    "plumbing": ("! ", "bold yellow"),
    "added": ("+ ", "bold blue"),
    "removed": ("- ", "bold magenta"),
    "changed": ("~ ", "bold yellow"),
    "reweighted": ("~ ", "bold"),
}
OUTCOMES: Final[dict[Outcome, tuple[str, str]]] = {
    "newly-blocked": ("Newly blocked", "bold magenta"),
    "newly-allowed": ("Newly allowed", "bold red"),
    "cannot-tell": ("The files can't tell", "bold yellow"),
}
# For terminals that cannot show Unicode.
_ASCII: Final = str.maketrans({"·": "-", "→": "->", "“": '"', "”": '"', "⟨": "<", "⟩": ">", "…": "...", "’": "'"})


def _traffic(group: FlowGroup) -> str:
    """Return a group of flows in one line: program, an example, what decides on each side."""
    program = text.split_path(group.application)[1] if group.application else "program not recorded"
    services = f" ({', '.join(group.services)})" if group.services else ""
    more = f" and {text.counted(group.flows - 1, 'more flow')}" if group.flows > 1 else ""
    sides = ", ".join(
        f"{name} {DECIDED.get(side.decision or '', 'open')}"
        f"{' by ' + ', '.join(side.filters) if side.filters else f' ({side.why})' if side.why else ''}"
        for name, side in (("before", group.before), ("after", group.after))
    )
    return f"{program}{services}, {group.examples[0] if group.examples else 'no example'}{more}: {sides}"


def print_review(review: Review, console: Console) -> None:
    """Print both sides, changes (defaults first), exposure (the largest first), and what was not compared."""
    _Printer(console).show(review)


class _Printer:
    """Prints the parts; holds the console and what it can show."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(console.width, WIDEST)
        self._encoding = console.encoding

    def _safe(self, value: str, limit: int) -> str:
        shown = text.middle(text.neutral(value[: limit * 20]), limit)
        if self._encoding.lower().replace("-", "").startswith("utf"):
            return shown
        return shown.translate(_ASCII).encode(self._encoding, "backslashreplace").decode(self._encoding)

    def _line(self, *parts: tuple[str, str], indent: int = 1, limit: int = LONGEST) -> None:
        line = Text(overflow="fold")
        for part, style in parts:
            line.append(self._safe(part, limit), style=style)
        for row in line.wrap(self._console, max(self._width - indent, 20), overflow="fold"):
            row.rstrip()
            self._console.print(Text(" " * indent).append_text(row), soft_wrap=True, highlight=False)

    def _gap(self) -> None:
        self._console.print()

    def show(self, review: Review) -> None:
        """Print everything."""
        for side in review.sides:
            self._side(side)
        self._gap()
        self._line((review.summary, "bold"))
        if review.risks:
            self._gap()
            self._risks(review.risks)
        if review.changes:
            self._gap()
            self._changes(review.changes)
        if review.replay is not None:
            self._gap()
            self._replay(review.replay)
        if review.exposure:
            self._gap()
            self._exposure(review.exposure)
        if review.limits:
            self._gap()
            self._line(("Not compared, or to be read with care:", "bold"))
            for said in review.limits[:MOST_LIMITS]:
                self._line(("- ", "dim"), (said, ""), indent=3)
            if len(review.limits) > MOST_LIMITS:
                self._line((f"and {len(review.limits) - MOST_LIMITS} more", "dim"), indent=3)
        self._gap()
        self._problems(review)

    def _side(self, side: Side) -> None:
        when = text.when(side.state_time) + " UTC" if side.state_time else "time unknown"
        state = f"{side.state} ({when}, {text.counted(side.filters, 'filter')})" if side.state else "no state"
        rules = "" if side.rules is None else f" · {text.counted(side.rules, 'exported rule')}"
        computer = f" · {side.computer}" if side.computer else ""
        force = f" · profile {', '.join(side.profiles_in_force)}" if side.profiles_in_force else ""
        self._line((f"{side.role.upper():7}", "bold"), (f"{state}{rules}{computer}{force}", "dim"))

    def _changes(self, changes: Sequence[Change]) -> None:
        for change in changes[:MOST_CHANGES]:
            self._line(MARKS[change.what], (change.words, ""))
            if change.ambiguous and change.why:
                self._line((f"ambiguous: {change.why}", "dim"), indent=3)
        if len(changes) > MOST_CHANGES:
            self._line((f"and {text.counted(len(changes) - MOST_CHANGES, 'more change')} (--json lists all)", "dim"))

    def _risks(self, found: Sequence[Risk]) -> None:
        for risk in found:
            self._line(("Risk: ", "bold red"), (risk.title, "bold"))
            for place in risk.where[:MOST_PLACES]:
                self._line((place, ""), indent=3)
            if risk.total > MOST_PLACES:
                self._line((f"and {text.counted(risk.total - MOST_PLACES, 'more place')}", "dim"), indent=3)

    def _replay(self, replay: Replay) -> None:
        counts = (
            f"{text.number(replay.newly_blocked)} newly blocked, {text.number(replay.newly_allowed)} newly allowed, "
            f"{text.number(replay.stays_allowed)} stay allowed, {text.number(replay.stays_blocked)} stay blocked, "
            f"{text.number(replay.cannot_tell)} can't be told"
        )
        self._line((f"Recorded traffic, {text.counted(replay.flows, 'flow')}: ", "bold"), (counts, ""))
        if replay.check.disagrees:
            told = text.counted(replay.check.disagrees, "flow was", "flows were")
            self._line((f"{told} recorded otherwise than the filters of BEFORE decide", "bold yellow"), indent=3)
        for why, number in replay.left_out.items():
            self._line((f"not replayed: {text.number(number)} {why}", "dim"), indent=3)
        for outcome, (title, style) in OUTCOMES.items():
            groups = [group for group in replay.groups if group.what == outcome]
            for group in groups[:MOST_GROUPS]:
                self._line((f"{title}: ", style), (_traffic(group), ""), indent=3)
            if len(groups) > MOST_GROUPS:
                self._line((f"and {text.counted(len(groups) - MOST_GROUPS, 'more group')}", "dim"), indent=5)

    def _exposure(self, found: Sequence[Exposed]) -> None:
        for outcome, (title, style) in OUTCOMES.items():
            boxes = [item for item in found if item.what == outcome]
            for item in boxes[:MOST_BOXES]:
                self._line((f"{title}: ", style), (item.words, ""), limit=LONGEST_BOX)
                if item.why:
                    self._line((f"nobody can tell {'; '.join(item.why)}", "dim"), indent=3)
            if len(boxes) > MOST_BOXES:
                more = text.counted(len(boxes) - MOST_BOXES, "smaller box", "smaller boxes")
                self._line((f"and {more} (--json lists all)", "dim"), indent=3)

    def _problems(self, review: Review) -> None:
        if not review.problems:
            self._line(("Everything that was handed in could be read.", ""))
            return
        self._line((f"Reading: {view.reading(review.problems)}", ""))
        worst = sorted(review.problems, key=lambda item: view.WORST_FIRST.index(item.severity))
        for item in worst[:MOST_PROBLEMS]:
            where = ", ".join(part for part in (item.input, item.place) if part is not None)
            self._line(
                (f"{item.severity} ", PROBLEM_STYLE[item.severity]),
                (f"{where}: " if where else "", "dim"),
                (item.what, ""),
                indent=3,
                limit=200,
            )
