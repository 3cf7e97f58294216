"""The answer and what to do, short, for pasting into a ticket: CommonMark, as GitHub, GitLab and Jira's editor read it.

Every string of the evidence is hostile here, too. What is evidence alone stands in code spans, where nothing is markup;
sentences are escaped. What trackers act on by themselves (mentions, issue numbers, bare addresses, wiki macros) is
broken up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reports import hosts, text, view, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Analysis, Finding
    from reports.zone import Zone

MOST_KINDS: Final = 8
MOST_FINDINGS: Final = 5
MOST_EVIDENCE: Final = 3
MOST_PROBLEMS: Final = 5
LONGEST: Final = 600
LONGEST_CODE: Final = 160

_MARKUP: Final = re.compile(r"[\\`*_\[\]<>|~{}]")
_START: Final = re.compile(r"^(\s*)(?=[-+=#]|[0-9]{1,9}[.)])")
_MENTION: Final = re.compile(r"[@#](?=\w)")
_GUID: Final = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
_CODE: Final = frozenset("`|[]{}")


def markdown(analysis: Analysis, zone: Zone | None = None) -> str:
    """Return the summary as Markdown, with a final line end."""
    return "\n".join(_lines(analysis, zone)) + "\n"


def _lines(analysis: Analysis, zone: Zone | None) -> Iterator[str]:
    yield "### Why Windows blocked this traffic"
    yield ""
    yield f"**{plain(analysis.answer.sentence)}**"
    yield ""
    yield from _facts(analysis, zone)
    if analysis.answer.kinds:
        yield ""
        yield from _kinds(analysis)
    for number, finding in enumerate(analysis.findings[:MOST_FINDINGS], start=1):
        yield ""
        yield from _finding(number, finding, with_proof=number == 1)
    if len(analysis.findings) > MOST_FINDINGS:
        yield ""
        yield f"and {text.counted(len(analysis.findings) - MOST_FINDINGS, 'more finding')}: see the report."
    if analysis.problems:
        yield ""
        yield from _problems(analysis)
    yield ""
    yield f"<sub>{plain(analysis.tool.get('name', ''))} {plain(analysis.tool.get('version', ''))}</sub>"


def _facts(analysis: Analysis, zone: Zone | None) -> Iterator[str]:
    names, hidden = hosts.named(hosts.computers(analysis))
    more = f" and {hidden:,} more" if hidden else ""
    yield f"- Computer: {', '.join(map(code, names))}{more}" if names else "- Computer: none named"
    yield f"- Time: {plain(text.span(analysis.coverage.first, analysis.coverage.last))}"
    local = None if zone is None else zone.span(analysis.coverage.first, analysis.coverage.last)
    if zone is not None and local is not None:
        yield f"- In {plain(zone.name)}: {plain(local)}"
    answer = analysis.answer
    attempts = "" if answer.block_attempts == answer.blocks else f" in {text.counted(answer.block_attempts, 'attempt')}"
    yield (
        f"- Blocks: {text.number(answer.blocks)}{attempts}; dropped packets: {text.number(answer.drops)}; "
        f"permits: {text.number(answer.permits)}"
    )
    fits = view.fits(analysis)
    word = fits[0].word if len(fits) == 1 else analysis.coverage.state_fits
    yield f"- {words.STATE_FITS[word].title}. {plain(answer.trust)}".rstrip()
    if analysis.selection is not None:
        yield f"- Only a part is shown: {plain(analysis.selection.sentence)}."
    if analysis.redaction is not None:
        yield f"- Redacted: {plain(analysis.redaction.sentence)}."


def _kinds(analysis: Analysis) -> Iterator[str]:
    yield "| Kind | Action | Records | Attempts | Flows |"
    yield "|---|---|--:|--:|--:|"
    for row in analysis.answer.kinds[:MOST_KINDS]:
        numbers = " | ".join(map(text.number, (row.count, row.attempts, row.flows)))
        yield f"| {words.KINDS[row.kind].title} | {row.action} | {numbers} |"
    rest = analysis.answer.kinds[MOST_KINDS:]
    if rest:
        records = text.number(sum(row.count for row in rest))
        yield f"| {text.counted(len(rest), 'more kind')} | | {records} | | |"


def _finding(number: int, finding: Finding, *, with_proof: bool) -> Iterator[str]:
    said = f"{words.SEVERITY[finding.severity].title}, {words.CONFIDENCE[finding.confidence].title.lower()}"
    yield f"**{number}. {plain(finding.title)}** ({said}, {text.counted(finding.count, 'record')})"
    if with_proof:
        yield ""
        for item in finding.evidence[:MOST_EVIDENCE]:
            record = "" if item.record_id is None else f", record {item.record_id}"
            yield f"- {plain(item.text)}" + (f" ({code(item.input)}{record})" if item.input else "")
        if len(finding.evidence) > MOST_EVIDENCE:
            yield f"- and {text.number(len(finding.evidence) - MOST_EVIDENCE)} more"
    if finding.remedy is None:
        return
    yield ""
    yield f"What to do: {plain(finding.remedy.text)}"
    if finding.remedy.cost:
        yield ""
        yield f"What it costs: {plain(finding.remedy.cost)}"
    if with_proof and finding.remedy.commands:
        yield ""
        yield from _fenced([text.neutral_command(command) for command in finding.remedy.commands])


def _fenced(commands: list[str]) -> Iterator[str]:
    """Yield a block of commands to copy; its fence is longer than any run of backticks inside."""
    longest = max((len(run) for command in commands for run in re.findall("`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}powershell"
    yield from commands
    yield fence


def _problems(analysis: Analysis) -> Iterator[str]:
    yield f"Reading: {view.reading(analysis.problems)}"
    ranked = sorted(analysis.problems, key=lambda item: view.WORST_FIRST.index(item.severity))
    worst = [item for item in ranked if item.severity != "note"][:MOST_PROBLEMS]
    if worst:
        yield ""
    for item in worst:
        place = f" {code(item.input)}:" if item.input else ""
        yield f"- {item.severity}:{place} {plain(item.what)}"


# ------------------------------------------------------------------------------------------------ safe text


def plain(value: str) -> str:
    """Return a sentence in which nothing is markup; shortened in its middle where it is endless."""
    shown = text.middle(text.neutral(value[: LONGEST * 20]), LONGEST)
    shown = _MENTION.sub(lambda match: text.escape_of(match.group()), shown)
    shown = _MARKUP.sub(lambda match: "\\" + match.group(), shown)
    shown = shown.replace("&", "&amp;").replace("://", ":\\//").replace("www.", "www\\.")
    return _START.sub(lambda match: match.group(1) + "\\", shown) if not shown[:1].isdigit() else _numbered(shown)


def _numbered(shown: str) -> str:
    """Keep a sentence that begins with a number from becoming an item of a list."""
    return re.sub(r"^([0-9]{1,9})([.)])(?=\s|$)", r"\1\\\2", shown)


def code(value: str) -> str:
    """Return evidence as a code span; what could end one, or is wiki markup, is shown as an escape."""
    shown = text.middle(text.neutral(value[: LONGEST_CODE * 20]), LONGEST_CODE)
    kept = {match.start() for match in _GUID.finditer(shown)} | {match.end() - 1 for match in _GUID.finditer(shown)}
    safe = "".join(text.escape_of(char) if char in _CODE and at not in kept else char for at, char in enumerate(shown))
    return f"`{safe.strip() or text.escape_of(' ')}`"
