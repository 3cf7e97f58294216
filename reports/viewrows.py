"""The rows of the page: what the result says, with anchors and links beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from analyzer.model import CitedFilter, CitedRule, Evidence, Finding, Problem, Program, ServiceUse, Verdict
    from reports.crossrefs import Crossrefs

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fold(Generic[T]):
    """The rows that a page shows, and how many it leaves to the exports."""

    rows: tuple[T, ...]
    hidden: int

    @property
    def total(self) -> int:
        """Rows shown and rows hidden."""
        return len(self.rows) + self.hidden


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
    csv: str = ""
    xml: str | None = None  # None where there is none, or no room for it
    from_log: bool = False  # the log's own history tells of it, no state


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
    csv: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One piece of evidence, and the anchors of the filter and of the flow that it names."""

    evidence: Evidence
    filter_anchor: str | None
    flow_anchor: str | None


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding, its anchor and its evidence."""

    anchor: str
    finding: Finding
    evidence: Fold[EvidenceRow]
    permits: tuple[tuple[tuple[int, str | None], ...], ...]
    rules: tuple[Link, ...] = ()
    alike: str | None = None  # the finding before it that tells the same cases that look alike


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A program, and the first of its flows that is shown."""

    program: Program
    flow_anchor: str | None
    csv: str


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service, the first of its flows that is shown, and the findings that speak of it."""

    use: ServiceUse
    flow_anchor: str | None
    findings: tuple[Link, ...]
    csv: str


@dataclass(frozen=True, slots=True)
class View:
    """All rows of the page."""

    flows: Fold[FlowRow]
    filters: Fold[FilterRow]
    programs: Fold[ProgramRow]
    services: Fold[ServiceRow]
    refs: Crossrefs
    problems: Fold[Problem]
    findings: tuple[FindingRow, ...]
    rules: Fold[RuleRow]
