"""A proposal on the terminal: each rule with its command, what it allows, and the proof; then what no rule helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from reports import text
from reports.terminal import WIDEST

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.proposalmodel import NoRule, Proposal, ProposedRule

MOST_RULES: Final = 20
MOST_EXAMPLES: Final = 3
LONGEST: Final = 600


def print_proposal(proposal: Proposal, console: Console) -> None:
    """Print the proposal. Strings of the evidence are neutral, as in :mod:`reports.terminal`."""
    _Printer(console).show(proposal)


class _Printer:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(console.width, WIDEST)

    def _safe(self, value: str, limit: int) -> str:
        return text.terminal(text.middle(text.neutral(value[: limit * 20]), limit), self._console.encoding)

    def _line(self, *parts: tuple[str, str], indent: int = 1, limit: int = LONGEST) -> None:
        line = Text(overflow="fold")
        for part, style in parts:
            line.append(self._safe(part, limit), style=style)
        for row in line.wrap(self._console, max(self._width - indent, 20), overflow="fold"):
            row.rstrip()
            self._console.print(Text(" " * indent).append_text(row), soft_wrap=True, highlight=False)

    def show(self, proposal: Proposal) -> None:
        """Print everything."""
        self._line((proposal.summary, "bold"))
        for item in proposal.rules[:MOST_RULES]:
            self._console.print()
            self._rule(item)
        if len(proposal.rules) > MOST_RULES:
            self._line((f"and {len(proposal.rules) - MOST_RULES} more rules (--json lists all)", "dim"))
        for review in proposal.reviews:
            self._console.print()
            where = f" on {review.sides[0].computer}" if review.sides[0].computer else ""
            self._line((f"With the rules{where}: ", "bold"), (review.headline, ""))
            for risk in review.risks:
                self._line((f"{risk.title}: ", "bold red"), ("; ".join(risk.where[:2]), ""), indent=3)
        for refused in proposal.no_rule:
            self._console.print()
            self._refused(refused)
        for said in proposal.limits:
            self._line(("- ", "dim"), (said, "dim"))

    def _rule(self, item: ProposedRule) -> None:
        self._line((item.rule.name, "bold"), (f" ({text.counted(item.flows, 'flow')})" if item.flows else "", "dim"))
        if item.command is not None:
            # one line, whatever the width: it is there to be copied
            shown = text.terminal(text.neutral_command(item.command), self._console.encoding)
            self._console.print(Text(f"   {shown}"), soft_wrap=True, highlight=False)
        else:
            self._line((f"no command: {item.no_command}", "yellow"), indent=3)
        for words in item.examples[:MOST_EXAMPLES]:
            self._line(("for ", "dim"), (words, ""), indent=3)
        if len(item.examples) > MOST_EXAMPLES:
            self._line((f"and {item.flows - MOST_EXAMPLES} more", "dim"), indent=3)
        for words in item.also_allows:
            self._line(("alone it allows ", "dim"), (words, ""), indent=3)
        for words in item.newly_blocks:
            self._line(("alone it blocks ", "bold magenta"), (words, ""), indent=3)
        for words in item.unclear:
            self._line(("can't tell ", "bold yellow"), (words, ""), indent=3)
        for words in item.nearly:
            self._line(("nearly does it, change it instead? ", "yellow"), (words, ""), indent=3)
        for note in item.notes:
            self._line((note, "yellow"), indent=3)
        if item.proof is not None:
            self._proof(item)

    def _proof(self, item: ProposedRule) -> None:
        proof = item.proof
        if proof is None:
            return
        parts = [f"{proof.passes} of {text.counted(item.flows, 'flow')} would pass"]
        parts += [f"{proof.still_blocked} still blocked"] if proof.still_blocked else []
        parts += [f"of {proof.cannot_tell} the files can't tell"] if proof.cannot_tell else []
        good = proof.passes == item.flows
        self._line(("proof: ", "dim"), (", ".join(parts), "green" if good else "bold yellow"), indent=3)
        for why in proof.why:
            self._line((why, "dim"), indent=5)

    def _refused(self, item: NoRule) -> None:
        counted = text.counted(item.flows, "flow")
        self._line((f"No rule for {counted}: ", "bold"), (item.why, ""))
        for words in item.examples[:MOST_EXAMPLES]:
            self._line((words, "dim"), indent=3)
