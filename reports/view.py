"""What the page needs beside the result: anchors, links between rows, and where a long table is folded.

Nothing is counted or judged here. A row that is not shown has no anchor, so nobody is sent to a place that is not
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from reports import hosts, rowtext, text
from reports.crossrefs import Crossrefs, crossrefs
from reports.limits import Limits
from reports.viewrows import (
    EvidenceRow,
    FilterRow,
    FindingRow,
    FlowRow,
    Fold,
    Link,
    ProgramRow,
    RuleRow,
    ServiceRow,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.model import (
        Analysis,
        CitedFilter,
        CitedRule,
        Coverage,
        Finding,
        HostState,
        Pairing,
        Problem,
        ProblemSeverity,
    )
    from reports.words import Fit

T = TypeVar("T")

WORST_FIRST: Final[tuple[ProblemSeverity, ...]] = ("lost", "doubtful", "note")

WHOLE: Final = Limits()
MOST_EVIDENCE: Final = 60
MOST_MARKERS: Final = 60
FIRST_MARKERS: Final = 12  # the others are folded
FIRST_HOSTS: Final = 12
FIRST_PAIRINGS: Final = 6
FIRST_RECORDED: Final = 3
MOST_PAIRINGS: Final = 60
STATES: Final = frozenset({"wfpstate", "filters", "wfpdiag", "cab"})  # kinds of inputs that hold filters
LOGS: Final = frozenset({"evtx", "eventxml", "eventjson"})
MOST_BINS: Final = 120
MOST_INPUTS: Final = 200
MOST_CONDITIONS: Final = 60
MOST_HOSTS: Final = 3


def fold(rows: Sequence[T], most: int) -> Fold[T]:
    """Keep the first ``most`` rows; the result is ordered, so the first ones matter most."""
    return Fold(tuple(rows[:most]), max(0, len(rows) - most))


@dataclass(frozen=True, slots=True)
class Fits:
    """Whether a state fits, and the computers of which that is said; none where it is of all of them."""

    word: Fit
    hosts: tuple[HostState, ...]


@dataclass(frozen=True, slots=True)
class Pairings:
    """How states and computers go together: the best state of each computer, and the other pairs."""

    best: tuple[Pairing, ...]
    others: Fold[Pairing]


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
    by_key: dict[tuple[int, str], list[str]]  # a log's history may tell of a filter that has another's number

    def anchor(self, filter_id: int | None, state: str | None = None, key: str | None = None) -> str | None:
        """Return the anchor of the filter that is meant, None where none is shown or several could be meant."""
        if filter_id is None:
            return None
        if state is not None and (state, filter_id) in self.by_state:
            return self.by_state[state, filter_id]
        found = self.by_key.get((filter_id, key), []) if key is not None else []
        found = found or self.by_id.get(filter_id, [])
        return found[0] if len(found) == 1 else None


def _filter_anchors(cited: Sequence[CitedFilter]) -> tuple[_Filters, list[str]]:
    anchors = _Anchors()
    names = [anchors.take(f"filter-{item.filter.filter_id}") for item in cited]
    by_id: dict[int, list[str]] = {}
    by_key: dict[tuple[int, str], list[str]] = {}
    by_state: dict[tuple[str, int], list[str]] = {}
    for item, name in zip(cited, names, strict=True):
        used = item.filter
        by_id.setdefault(used.filter_id, []).append(name)
        by_state.setdefault((item.input, used.filter_id), []).append(name)
        if used.filter_key is not None:
            by_key.setdefault((used.filter_id, used.filter_key), []).append(name)
    one = {place: found[0] for place, found in by_state.items() if len(found) == 1}
    return _Filters(one, by_id, by_key), names


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


def fits(analysis: Analysis) -> tuple[Fits, ...]:
    """Return whether the states fit: one row where that is so for all computers alike, else one per answer."""
    coverage, judged = analysis.coverage, hosts.judged(analysis)
    words = dict.fromkeys(host.state_fits for host in judged)
    if len(words) == 1 and len(judged) < len(coverage.hosts):
        return (Fits(judged[0].state_fits, ()),)
    if len(words) < 2:
        none = not coverage.pairings and not any(item.kind in STATES for item in analysis.inputs)
        return (Fits("no-state" if none and coverage.state_fits == "unknown" else coverage.state_fits, ()),)
    best_first: tuple[Fit, ...] = ("yes", "unknown", "no")
    return tuple(
        Fits(word, tuple(host for host in judged if host.state_fits == word)) for word in best_first if word in words
    )


def pairings(coverage: Coverage) -> Pairings:
    """Part the pairs of computer and state: the best state of each computer, and the others."""
    best = {(host.computer, host.state) for host in coverage.hosts}
    first = tuple(item for item in coverage.pairings if (item.computer, item.state) in best) or coverage.pairings[:1]
    chosen = first[:FIRST_PAIRINGS]
    rest = [item for item in coverage.pairings if item not in chosen]
    return Pairings(chosen, fold(rest, MOST_PAIRINGS))


def build(analysis: Analysis, limits: Limits = WHOLE) -> View:
    """Give every row of the page its anchor and its links; ``limits`` say how many rows there are."""
    shown = fold(analysis.cited, limits.filters)
    lookup, names = _filter_anchors(shown.rows)
    anchors = _Anchors()
    finding_names = [anchors.take(f"finding-{text.slug(item.key or item.id)}") for item in analysis.findings]
    titles = {item.key: Link(name, item.title) for name, item in zip(finding_names, analysis.findings, strict=True)}
    cited = fold(analysis.rules, limits.rules)
    rule_rows = tuple(RuleRow(f"rule-{i}", item) for i, item in enumerate(cited.rows, start=1))
    rules = _Rules(rule_rows)
    flows = fold(analysis.verdicts, limits.flows)
    flow_rows = []
    named: dict[str, list[Link]] = {}
    for i, verdict in enumerate(flows.rows, start=1):
        used = verdict.filter.filter_id if verdict.filter is not None else None
        anchor = lookup.anchor(used, verdict.state, None if verdict.filter is None else verdict.filter.filter_key)
        links = tuple(titles[key] for key in verdict.findings if key in titles)
        rule = rules.link(verdict.rule_id, verdict.computer)
        flow_rows.append(FlowRow(f"flow-{i}", i, verdict, anchor, links, rule, rowtext.flow(i, verdict)))
        if anchor is not None:
            named.setdefault(anchor, []).append(Link(f"flow-{i}", str(i)))
    refs = crossrefs(analysis, [(row.anchor, row.verdict) for row in flow_rows])
    told: dict[tuple[str, ...], str] = {}
    logs = frozenset(item.name for item in analysis.inputs if item.kind in LOGS)
    return View(
        flows=Fold(tuple(flow_rows), flows.hidden),
        filters=Fold(
            tuple(
                FilterRow(
                    name,
                    item,
                    fold(named.get(name, []), 12),
                    rules.links(item.rule_ids),
                    rowtext.filter_(item),
                    xml,
                    from_log=item.input in logs,
                )
                for name, item, xml in zip(names, shown.rows, _xml(shown.rows, limits.xml), strict=True)
            ),
            shown.hidden,
        ),
        programs=_programs(analysis, refs, limits),
        services=_services(analysis, refs, titles, limits),
        refs=refs,
        problems=fold(analysis.problems, limits.problems),
        findings=tuple(
            _finding_row(name, item, lookup, rules, refs, told)
            for name, item in zip(finding_names, analysis.findings, strict=True)
        ),
        rules=Fold(rule_rows, cited.hidden),
    )


def _xml(cited: Sequence[CitedFilter], room: int) -> list[str | None]:
    """Return the XML of each filter as long as there is room."""
    out = []
    for item in cited:
        room -= len(item.xml or "")
        out.append(item.xml if room >= 0 else None)
    return out


def _programs(analysis: Analysis, refs: Crossrefs, limits: Limits) -> Fold[ProgramRow]:
    shown = fold(analysis.programs, limits.programs)
    rows = (
        ProgramRow(item, refs.programs.get((item.computer, item.application)), rowtext.program(i, item))
        for i, item in enumerate(shown.rows, start=1)
    )
    return Fold(tuple(rows), shown.hidden)


def _services(analysis: Analysis, refs: Crossrefs, titles: Mapping[str, Link], limits: Limits) -> Fold[ServiceRow]:
    shown = fold(analysis.services, limits.services)
    rows = []
    for i, item in enumerate(shown.rows, start=1):
        served = ((item.computer, item.application), item.services)
        links = tuple(titles[key] for key in refs.findings.get(served, ()) if key in titles)
        rows.append(ServiceRow(item, refs.services.get(served), links, rowtext.service(i, item)))
    return Fold(tuple(rows), shown.hidden)


def _finding_row(
    anchor: str,
    finding: Finding,
    lookup: _Filters,
    rules: _Rules,
    refs: Crossrefs,
    told: dict[tuple[str, ...], str],
) -> FindingRow:
    evidence = fold(finding.evidence, MOST_EVIDENCE)
    first = told.setdefault(finding.lookalikes, anchor) if finding.lookalikes else anchor
    return FindingRow(
        anchor,
        finding,
        Fold(
            tuple(
                EvidenceRow(item, lookup.anchor(item.filter_id, item.input), refs.record(item.record_id))
                for item in evidence.rows
            ),
            evidence.hidden,
        ),
        tuple(tuple((i, lookup.anchor(i)) for i in service.permits) for service in finding.services or ()),
        rules.links(finding.rule_ids),
        alike=None if first == anchor else first,
    )
