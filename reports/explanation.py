"""Explanations for people: tables on the terminal, and a page in the style of the report.

On the terminal as in the summary: strings of the evidence become ``rich.text.Text`` after ``reports.text.neutral``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from reports import engine_words, html, text, words

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.model import Analysis
    from analyzer.model.engine import Answer, Decision, ExplainedFilter, ExplainedSublayer, Explanation

WIDEST: Final = 140
LONGEST: Final = 600
DECISION_STYLE: Final[dict[Decision, str]] = {"permit": "bold green", "block": "bold red", "cannot-tell": "bold yellow"}
ANSWER_STYLE: Final[dict[Answer, str]] = {"yes": "green", "no": "red", "cannot-tell": "yellow"}
AGREEMENT_STYLE: Final = {"same_filter": "green", "same_decision": "green", "disagrees": "bold red"}


def render_html(analysis: Analysis) -> str:
    """Render the explanations as one self-contained page, guarded like the report."""
    return html.render_page("explain.html.j2", analysis)


def print_explanations(analysis: Analysis, console: Console) -> None:
    """Print every explanation."""
    for number, item in enumerate(analysis.explanations):
        if number:
            console.print()
        _Printer(console).show(item)


class _Printer:
    """Prints one explanation; holds the console and what it can show."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(console.width, WIDEST)

    def _safe(self, value: str, limit: int = LONGEST) -> str:
        return text.terminal(text.middle(text.neutral(value[: limit * 20]), limit), self._console.encoding)

    def _line(self, *parts: tuple[str, str], indent: int = 1) -> None:
        line = Text(overflow="fold")
        for part, style in parts:
            line.append(self._safe(part), style=style)
        for row in line.wrap(self._console, max(self._width - indent, 20), overflow="fold"):
            row.rstrip()
            self._console.print(Text(" " * indent).append_text(row), soft_wrap=True, highlight=False)

    def show(self, item: Explanation) -> None:
        """Print everything."""
        self._line((item.title, "bold"))
        widest = max((len(label) for label, _ in item.flow), default=0)
        for label, value in item.flow:
            shown = text.exact(value) if label == "Time" else value
            self._line((f"{label:<{widest}}  ", "dim"), (shown, ""))
        fits = "" if item.state_fits is None else f", {words.STATE_FITS[item.state_fits].title.lower()}"
        when = "" if item.state_time is None else f" of {text.when(item.state_time)} UTC"
        self._line((f"{'State':<{widest}}  ", "dim"), (f"{item.state}{when}{fits}", ""))
        for note in item.notes:
            self._line((note, "yellow"))
        self._console.print()
        said = engine_words.DECISIONS[item.decision]
        self._line(("By the state's filters: ", ""), (f"{said}. ", DECISION_STYLE[item.decision]), (item.certainty, ""))
        if item.recorded is not None:
            style = AGREEMENT_STYLE.get(item.agreement or "", "yellow")
            self._line(("Recorded: ", ""), (f"{item.recorded}. ", "bold"), (item.agreement_words, style))
        layer = None if item.layer is None else words.layer_words(item.layer) or item.layer
        if layer is not None:
            order = "" if item.ordered else " The order of some sublayers is not known."
            self._console.print()
            self._line((f"Layer {layer}, sublayers from the greatest weight down.{order}", "dim"))
        for sublayer in item.sublayers:
            self._sublayer(sublayer)
        self._nearest(item)

    def _sublayer(self, item: ExplainedSublayer) -> None:
        self._console.print()
        owner = f" ({item.owner})" if item.owner else ""
        weight = "weight not known" if item.weight is None else f"weight {text.number(item.weight)}"
        self._line((item.sublayer or "no sublayer named", "bold"), (f"{owner}, {weight}: ", "dim"), (item.says, "bold"))
        if item.filters:
            table = Table(
                box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
            )
            table.add_column(" Filter", no_wrap=True, justify="right")
            table.add_column("Action", no_wrap=True)
            table.add_column("Matches", no_wrap=True)
            table.add_column("Which condition decided", ratio=1, overflow="fold")
            for row in item.filters:
                table.add_row(*self._row(row))
            self._console.print(table, width=self._width)
        rest = engine_words.folded(item)
        if rest:
            self._line((rest, "dim"))

    def _row(self, item: ExplainedFilter) -> tuple[Text, Text, Text, Text]:
        ref = item.filter
        name = Text(self._safe(ref.name or "no name", 90), style="bold" if item.part == "ends" else "")
        part = engine_words.PARTS[item.part]
        words_ = f"\n{self._safe(item.words)}"
        name.append(words_, style="not bold")
        if part:
            name.append(f"\n{part}", style="bold" if item.part == "ends" else "dim")
        if item.recorded:
            name.append("\nthe record names it", style="bold")
        action = self._safe(ref.action or "not known", 40).replace("callout-", "callout\n")
        answer = Text(engine_words.ANSWERS[item.answer], style=ANSWER_STYLE[item.answer])
        return Text(f" {ref.filter_id}"), Text(action), answer, name

    def _nearest(self, item: Explanation) -> None:
        if not item.nearest:
            return
        self._console.print()
        self._line(("Allow rules that would have been asked before the blocker, nearest first", "bold"))
        for near in item.nearest:
            who = near.name or near.rule_id or f"filter {near.filter_ids[0]}"
            self._line((who, "bold"), (f": {near.words}", ""), indent=3)
