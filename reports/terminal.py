"""The summary on the terminal: the page's first screen in about thirty lines.

Strings of the evidence become ``rich.text.Text`` only after ``reports.text.neutral``: no markup, no control character
and no bidirectional control reaches the terminal. Colour is rich's own matter, so ``NO_COLOR`` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from reports import engine_words, hosts, text, view, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from analyzer.model import Analysis, Finding, KindCount, Problem, ProblemSeverity, Severity
    from reports.zone import Zone

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

FITS_STYLE: Final[dict[words.Fit, str]] = {"yes": "green", "no": "red", "unknown": "yellow", "no-state": "yellow"}


def print_summary(analysis: Analysis, console: Console, zone: Zone | None = None) -> None:
    """Print what was found: the sentence, the counts by kind, the first findings, trust, and what was not read.

    ``zone`` is where times are shown in as well, beside UTC.
    """
    _Summary(console, zone).show(analysis)


class _Summary:
    """Prints the parts; holds the console and what it can show."""

    def __init__(self, console: Console, zone: Zone | None) -> None:
        self._console = console
        self._zone = zone
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

    def _parts(self, parts: Sequence[str]) -> None:
        """Print the parts side by side; what does not fit begins a line of its own, unbroken where it can be."""
        line = ""
        for part in map(self._safe, parts):
            joined = f"{line} · {part}" if line else part
            if line and len(joined) >= self._width:
                self._line((line, "dim"))
                joined = part
            line = joined
        self._line((line, "dim"))

    def _gap(self) -> None:
        self._console.print()

    def show(self, analysis: Analysis) -> None:
        """Print everything."""
        self._head(analysis)
        self._gap()
        self._line((analysis.answer.sentence, "bold"))
        if analysis.answer.trust:
            self._line(*self._fits(analysis), (analysis.answer.trust, ""))
        if view.fits(analysis)[0].word == "no-state":
            self._line(("To take a state, as administrator: ", ""), (words.TAKE_STATE, "bold"))
        if analysis.agreement is not None:
            self._line((engine_words.agreement_words(analysis.agreement), "dim"))
        if analysis.selection is not None:
            self._line(("Only a part is shown: ", "bold yellow"), (f"{analysis.selection.sentence}.", ""))
        if analysis.redaction is not None:
            self._line(("Redacted: ", "bold"), (f"{analysis.redaction.sentence}.", ""))
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
        names, more = hosts.named(hosts.computers(analysis))
        shown = ", ".join(map(hosts.shown, names)) or "no computer named"
        span = text.span(analysis.coverage.first, analysis.coverage.last)
        files = text.counted(len(analysis.inputs), "file")
        self._parts((shown + (f" and {more:,} more" if more else ""), span, files))
        local = None if self._zone is None else self._zone.span(analysis.coverage.first, analysis.coverage.last)
        if self._zone is not None and local is not None:
            self._line((f"{self._zone.name}: {local}", "dim"))

    def _fits(self, analysis: Analysis) -> list[tuple[str, str]]:
        """Say whether the states fit, computer by computer where that differs."""
        out = []
        for row in view.fits(analysis):
            names = ", ".join(hosts.shown(host.computer) for host in row.hosts[: view.MOST_HOSTS])
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
            title = text.begin(text.neutral(item.title[:4000]), LONGEST_TITLE)
            self._line(
                (f"{words.SEVERITY[item.severity].title}, ", SEVERITY_STYLE[item.severity]),
                (f"{words.CONFIDENCE[item.confidence].title.lower()}: ", SEVERITY_STYLE[item.severity]),
                (title, ""),
            )
            if i == 0 and item.remedy is not None:
                self._line(("→ ", "bold"), (text.begin(text.neutral(item.remedy.text[:8000]), 300), ""), indent=3)
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
                (text.begin(text.neutral(item.what[:4000]), 160), ""),
                indent=3,
            )
