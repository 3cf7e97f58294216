"""What the page needs beside the result: anchors, links between rows, and where a long table is folded.

Nothing is counted or judged here. A row that is not shown has no anchor, so nobody is sent to a place that is not
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from reports import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import (
        Analysis,
        CitedFilter,
        CitedRule,
        Coverage,
        Evidence,
        Finding,
        HostState,
        Problem,
        ProblemSeverity,
        Program,
        StateFits,
        Verdict,
    )

T = TypeVar("T")

WORST_FIRST: Final[tuple[ProblemSeverity, ...]] = ("lost", "doubtful", "note")

MOST_FLOWS: Final = 500
MOST_FILTERS: Final = 200
MOST_PROGRAMS: Final = 200
MOST_PROBLEMS: Final = 200
MOST_EVIDENCE: Final = 60
MOST_MARKERS: Final = 60
MOST_BINS: Final = 120
MOST_INPUTS: Final = 200
MOST_CONDITIONS: Final = 60
MOST_RULES: Final = 200
MOST_HOSTS: Final = 3


@dataclass(frozen=True, slots=True)
class Fold(Generic[T]):
    """The rows that a page shows, and how many it leaves to the exports."""

    rows: tuple[T, ...]
    hidden: int

    @property
    def total(self) -> int:
        """Rows shown and rows hidden."""
        return len(self.rows) + self.hidden


def fold(rows: Sequence[T], most: int) -> Fold[T]:
    """Keep the first ``most`` rows; the result is ordered, so the first ones matter most."""
    return Fold(tuple(rows[:most]), max(0, len(rows) - most))


@dataclass(frozen=True, slots=True)
class Link:
    """A link inside the page."""

    anchor: str
    label: str


@dataclass(frozen=True, slots=True)
class FilterRow:
    """A cited filter, its anchor and the flows that name it."""

    anchor: str
    cited: CitedFilter
    flows: Fold[Link]
    rules: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A cited rule id and its anchor."""

    anchor: str
    cited: CitedRule


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A verdict, its anchor, its filter's anchor and the findings that rest on it."""

    anchor: str
    number: int
    verdict: Verdict
    filter_anchor: str | None
    findings: tuple[Link, ...]
    rule: Link | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One piece of evidence and the anchor of the filter that it names."""

    evidence: Evidence
    filter_anchor: str | None


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding, its anchor and its evidence."""

    anchor: str
    finding: Finding
    evidence: Fold[EvidenceRow]
    permits: tuple[tuple[tuple[int, str | None], ...], ...]
    rules: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """All rows of the page."""

    flows: Fold[FlowRow]
    filters: Fold[FilterRow]
    programs: Fold[Program]
    problems: Fold[Problem]
    findings: tuple[FindingRow, ...]
    rules: Fold[RuleRow]


@dataclass(frozen=True, slots=True)
class Fits:
    """Whether a state fits, and the computers of which that is said; none where it is of all of them."""

    word: StateFits
    hosts: tuple[HostState, ...]


class _Anchors:
    """Gives out anchors that are used once each."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def take(self, wish: str) -> str:
        """Return the wish, or the wish with a number behind it where it is taken."""
        count = self._used.get(wish, 0) + 1
        self._used[wish] = count
        return wish if count == 1 else f"{wish}-{count}"


@dataclass(frozen=True, slots=True)
class _Filters:
    """Finds the anchor of a filter by state and id; by id alone only where that is one filter."""

    by_state: dict[tuple[str, int], str]
    by_id: dict[int, list[str]]

    def anchor(self, filter_id: int | None, state: str | None = None) -> str | None:
        """Return the anchor of the filter that is meant, None where none is shown or several could be meant."""
        if filter_id is None:
            return None
        if state is not None and (state, filter_id) in self.by_state:
            return self.by_state[state, filter_id]
        found = self.by_id.get(filter_id, [])
        return found[0] if len(found) == 1 else None


def _filter_anchors(cited: Sequence[CitedFilter]) -> tuple[_Filters, list[str]]:
    anchors = _Anchors()
    names = [anchors.take(f"filter-{item.filter.filter_id}") for item in cited]
    by_id: dict[int, list[str]] = {}
    for item, name in zip(cited, names, strict=True):
        by_id.setdefault(item.filter.filter_id, []).append(name)
    return _Filters({(c.input, c.filter.filter_id): n for c, n in zip(cited, names, strict=True)}, by_id), names


class _Rules:
    """Finds the link of a rule by its id, and by computer where several have it."""

    def __init__(self, rows: Sequence[RuleRow]) -> None:
        self._rows: dict[str, list[RuleRow]] = {}
        for row in rows:
            self._rows.setdefault(row.cited.rule_id.casefold(), []).append(row)

    def link(self, rule_id: str | None, computer: str | None = None) -> Link | None:
        """Return the link, or None where the rule is not shown or several computers' could be meant."""
        rows = self._rows.get((rule_id or "").casefold(), [])
        own = [row for row in rows if row.cited.computer == computer] or rows
        return Link(own[0].anchor, _rule_label(own[0].cited)) if len(own) == 1 else None

    def links(self, rule_ids: Sequence[str]) -> tuple[Link, ...]:
        """Return the links of those that are shown."""
        found = (self.link(rule_id) for rule_id in rule_ids)
        return tuple(item for item in found if item is not None)


def _rule_label(cited: CitedRule) -> str:
    """Return a rule's name; its id where it has none, or where the id means several rules."""
    name = cited.rules[0].name if len(cited.rules) == 1 else None
    return name if name and not name.startswith("@") else cited.rule_id


def reading(problems: Sequence[Problem]) -> str:
    """Say how many problems of each severity there are, the worst first: ``1 lost, 2 notes``."""
    counts = {severity: sum(1 for item in problems if item.severity == severity) for severity in WORST_FIRST}
    return ", ".join(
        text.counted(count, "note") if severity == "note" else f"{text.number(count)} {severity}"
        for severity, count in counts.items()
        if count
    )


def fits(coverage: Coverage) -> tuple[Fits, ...]:
    """Return whether the states fit: one row where that is so for all computers alike, else one per answer."""
    words = dict.fromkeys(host.state_fits for host in coverage.hosts)
    if len(words) < 2:
        return (Fits(coverage.state_fits, ()),)
    best_first: tuple[StateFits, ...] = ("yes", "unknown", "no")
    return tuple(
        Fits(word, tuple(host for host in coverage.hosts if host.state_fits == word))
        for word in best_first
        if word in words
    )


def build(analysis: Analysis) -> View:
    """Give every row of the page its anchor and its links."""
    shown = fold(analysis.cited, MOST_FILTERS)
    lookup, names = _filter_anchors(shown.rows)
    anchors = _Anchors()
    finding_names = [anchors.take(f"finding-{text.slug(item.key or item.id)}") for item in analysis.findings]
    titles = {item.key: Link(name, item.title) for name, item in zip(finding_names, analysis.findings, strict=True)}
    cited = fold(analysis.rules, MOST_RULES)
    rule_rows = tuple(RuleRow(f"rule-{i}", item) for i, item in enumerate(cited.rows, start=1))
    rules = _Rules(rule_rows)
    flows = fold(analysis.verdicts, MOST_FLOWS)
    flow_rows = []
    named: dict[str, list[Link]] = {}
    for i, verdict in enumerate(flows.rows, start=1):
        used = verdict.filter.filter_id if verdict.filter is not None else None
        anchor = lookup.anchor(used, verdict.state)
        links = tuple(titles[key] for key in verdict.findings if key in titles)
        rule = rules.link(verdict.rule_id, verdict.computer)
        flow_rows.append(FlowRow(f"flow-{i}", i, verdict, anchor, links, rule))
        if anchor is not None:
            named.setdefault(anchor, []).append(Link(f"flow-{i}", str(i)))
    return View(
        flows=Fold(tuple(flow_rows), flows.hidden),
        filters=Fold(
            tuple(
                FilterRow(name, item, fold(named.get(name, []), 12), rules.links(item.rule_ids))
                for name, item in zip(names, shown.rows, strict=True)
            ),
            shown.hidden,
        ),
        programs=fold(analysis.programs, MOST_PROGRAMS),
        problems=fold(analysis.problems, MOST_PROBLEMS),
        findings=tuple(
            _finding_row(name, item, lookup, rules) for name, item in zip(finding_names, analysis.findings, strict=True)
        ),
        rules=Fold(rule_rows, cited.hidden),
    )


def _finding_row(anchor: str, finding: Finding, lookup: _Filters, rules: _Rules) -> FindingRow:
    evidence = fold(finding.evidence, MOST_EVIDENCE)
    return FindingRow(
        anchor,
        finding,
        Fold(
            tuple(EvidenceRow(item, lookup.anchor(item.filter_id, item.input)) for item in evidence.rows),
            evidence.hidden,
        ),
        tuple(tuple((i, lookup.anchor(i)) for i in service.permits) for service in finding.services or ()),
        rules.links(finding.rule_ids),
    )
