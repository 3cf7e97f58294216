"""The summary on the terminal: the page's first screen in about thirty lines.

Strings of the evidence become ``rich.text.Text`` only after ``reports.text.neutral``: no markup, no control character
and no bidirectional control reaches the terminal. Colour is rich's own matter, so ``NO_COLOR`` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from reports import engine_words, text, view, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from analyzer.model import Analysis, Finding, KindCount, Problem, ProblemSeverity, Severity, StateFits

MOST_KINDS: Final = 7
MOST_FINDINGS: Final = 3
MOST_PROBLEMS: Final = 2
LONGEST_SENTENCE: Final = 600
LONGEST_TITLE: Final = 200
WIDEST: Final = 100

SEVERITY_STYLE: Final[dict[Severity, str]] = {
    "high": "bold red",
    "medium": "bold yellow",
    "low": "bold blue",
    "info": "bold",
}
PROBLEM_STYLE: Final[dict[ProblemSeverity, str]] = {"lost": "bold red", "doubtful": "bold yellow", "note": "bold"}
GROUP_STYLE: Final[dict[words.Group, str]] = {
    "defaults": "blue",
    "rules": "magenta",
    "platform": "green",
    "makers": "yellow",
    "unknown": "bright_black",
}

FITS_STYLE: Final[dict[StateFits, str]] = {"yes": "green", "no": "red", "unknown": "yellow"}


def _host(name: str | None) -> str:
    return "events that name no computer" if name is None else text.middle(text.neutral(name[:200]), 40)


def print_summary(analysis: Analysis, console: Console) -> None:
    """Print what was found: the sentence, the counts by kind, the first findings, trust, and what was not read."""
    _Summary(console).show(analysis)


class _Summary:
    """Prints the parts; holds the console and what it can show."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(console.width, WIDEST)
        self._encoding = console.encoding

    def _safe(self, value: str, limit: int = LONGEST_SENTENCE) -> str:
        """Return evidence or our own words in a form that this terminal can show."""
        return text.terminal(text.middle(text.neutral(value[: limit * 20]), limit), self._encoding)

    def _line(self, *parts: tuple[str, str], indent: int = 1) -> None:
        line = Text(overflow="fold")
        for part, style in parts:
            line.append(self._safe(part), style=style)
        for row in line.wrap(self._console, max(self._width - indent, 20), overflow="fold"):
            row.rstrip()
            self._console.print(Text(" " * indent).append_text(row), soft_wrap=True, highlight=False)

    def _gap(self) -> None:
        self._console.print()

    def show(self, analysis: Analysis) -> None:
        """Print everything."""
        self._head(analysis)
        self._gap()
        self._line((analysis.answer.sentence, "bold"))
        if analysis.answer.trust:
            self._line(*self._fits(analysis), (analysis.answer.trust, ""))
        if analysis.agreement is not None:
            self._line((engine_words.agreement_words(analysis.agreement), "dim"))
        if analysis.selection is not None:
            self._line(("Only a part is shown: ", "bold yellow"), (f"{analysis.selection.sentence}.", ""))
        self._gap()
        self._counts(analysis)
        if analysis.answer.kinds:
            self._gap()
            self._kinds(analysis.answer.kinds)
        if analysis.findings:
            self._gap()
            self._findings(analysis.findings)
        self._gap()
        self._problems(analysis.problems)

    def _head(self, analysis: Analysis) -> None:
        names = list(dict.fromkeys(item.computer for item in analysis.inputs if item.computer))
        shown = ", ".join(text.middle(text.neutral(name[:200]), 40) for name in names[:2]) or "no computer named"
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        span = text.span(analysis.coverage.first, analysis.coverage.last)
        files = text.counted(len(analysis.inputs), "file")
        self._line((f"{shown}{more} · {span} · {files}", "dim"))

    def _fits(self, analysis: Analysis) -> list[tuple[str, str]]:
        """Say whether the states fit, computer by computer where that differs."""
        out = []
        for row in view.fits(analysis.coverage):
            names = ", ".join(_host(host.computer) for host in row.hosts[: view.MOST_HOSTS])
            more = f" and {len(row.hosts) - view.MOST_HOSTS} more" if len(row.hosts) > view.MOST_HOSTS else ""
            out.append((words.STATE_FITS[row.word].title, FITS_STYLE[row.word]))
            out.append((f" ({names}{more}). " if row.hosts else ". ", "" if row.hosts else FITS_STYLE[row.word]))
        return out

    def _counts(self, analysis: Analysis) -> None:
        answer = analysis.answer
        attempts = (
            "" if answer.block_attempts == answer.blocks else f" ({text.counted(answer.block_attempts, 'attempt')})"
        )
        self._line(
            ("Blocks ", ""), (text.number(answer.blocks), "bold"), (attempts, "dim"),
            ("   Drops ", ""), (text.number(answer.drops), "bold"),
            ("   Permits ", ""), (text.number(answer.permits), "bold"),
        )  # fmt: skip

    def _kinds(self, kinds: Sequence[KindCount]) -> None:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
        table.add_column(" Kind", no_wrap=True)
        table.add_column("Action")
        for name in ("Records", "Attempts", "Flows"):
            table.add_column(name, justify="right")
        for row in kinds[:MOST_KINDS]:
            word = words.KINDS[row.kind]
            kind = Text.assemble((self._safe(" ■ "), GROUP_STYLE[word.group]), word.title)
            table.add_row(kind, row.action, text.number(row.count), text.number(row.attempts), text.number(row.flows))
        self._console.print(table, width=self._width)
        if len(kinds) > MOST_KINDS:
            rest = kinds[MOST_KINDS:]
            records = text.counted(sum(row.count for row in rest), "record")
            self._line((f"and {text.counted(len(rest), 'more kind')}, {records}", "dim"))

    def _findings(self, findings: Sequence[Finding]) -> None:
        for i, item in enumerate(findings[:MOST_FINDINGS]):
            title = text.middle(text.neutral(item.title[:4000]), LONGEST_TITLE)
            self._line(
                (f"{words.SEVERITY[item.severity].title}, ", SEVERITY_STYLE[item.severity]),
                (f"{words.CONFIDENCE[item.confidence].title.lower()}: ", SEVERITY_STYLE[item.severity]),
                (title, ""),
            )
            if i == 0 and item.remedy is not None:
                self._line(("→ ", "bold"), (text.middle(text.neutral(item.remedy.text[:8000]), 300), ""), indent=3)
        if len(findings) > MOST_FINDINGS:
            self._line((f"and {text.counted(len(findings) - MOST_FINDINGS, 'more finding')}", "dim"))

    def _problems(self, problems: Sequence[Problem]) -> None:
        if not problems:
            self._line(("Everything that was handed in could be read.", ""))
            return
        self._line((f"Reading: {view.reading(problems)}", ""))
        for item in sorted(problems, key=lambda item: view.WORST_FIRST.index(item.severity))[:MOST_PROBLEMS]:
            where = ", ".join(text.middle(text.neutral(p[:400]), 50) for p in (item.input, item.place) if p is not None)
            self._line(
                (f"{item.severity} ", PROBLEM_STYLE[item.severity]),
                (f"{where}: " if where else "", "dim"),
                (text.middle(text.neutral(item.what[:4000]), 160), ""),
                indent=3,
            )
