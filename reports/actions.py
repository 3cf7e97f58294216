"""What to do, as a list to work through: one row per remedy, as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import cells, text
from reports.delimited import END

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Analysis, Evidence, Finding

COLUMNS: Final = (
    "finding_id",
    "finding_key",
    "severity",
    "confidence",
    "kind",
    "count",
    "title",
    "what_to_do",
    "command",
    "cost",
    "evidence",
    "collect_next",
)
MOST_EVIDENCE: Final = 5


def actions_csv(analysis: Analysis) -> Iterator[str]:
    """Yield one row per remedy, in the order of the findings; several commands stand on lines of one cell."""
    yield ",".join(COLUMNS) + END
    for finding in analysis.findings:
        if finding.remedy is not None:
            row = {name: cells.field(value) for name, value in zip(COLUMNS, _row(finding), strict=True)}
            row["command"] = _commands(finding.remedy.commands)
            yield ",".join(row.values()) + END


def _commands(commands: tuple[str, ...]) -> str:
    """Write commands to be copied: nothing between them that a shell would read."""
    return cells.quoted("\n".join(cells.harmless(text.neutral_command(command)) for command in commands))


def _row(finding: Finding) -> tuple[object, ...]:
    remedy = finding.remedy
    assert remedy is not None  # noqa: S101 - chosen so
    return (
        finding.id,
        finding.key or finding.id,
        finding.severity,
        finding.confidence,
        finding.kind,
        finding.count,
        finding.title,
        remedy.text,
        None,
        remedy.cost,
        tuple(map(_cited, finding.evidence[:MOST_EVIDENCE])),
        finding.collect_next,
    )


def _cited(evidence: Evidence) -> str:
    parts = [evidence.input or ""]
    parts += [f"record {evidence.record_id}"] if evidence.record_id is not None else []
    parts += [f"filter {evidence.filter_id}"] if evidence.filter_id is not None else []
    place = ", ".join(part for part in parts if part)
    return f"{evidence.text} ({place})" if place else evidence.text
