"""The verdicts and findings of the shipped tickets, short enough to be read in a review.

``make golden`` writes the expected files again; what changed is then seen in the diff.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer.pipeline import analyze
from reports.text import neutral

if TYPE_CHECKING:
    from analyzer.model import Analysis, Verdict

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
TICKETS = sorted(path.name for path in (ROOT / "samples").glob("ticket-*"))


def summary(result: Analysis) -> str:
    """Return one line per verdict that is no permit, per finding and per problem."""
    lines = [result.answer.sentence, "", "verdicts: action, kind, grade, records, attempts, filter, flow"]
    lines += sorted(line(verdict) for verdict in result.verdicts if verdict.action != "permit")
    permits = [verdict for verdict in result.verdicts if verdict.action == "permit"]
    lines.append(f"permits: {sum(verdict.count for verdict in permits)} records in {len(permits)} flows")
    if result.agreement is not None:
        found = result.agreement
        lines.append(
            f"agreement: {found.same_filter} same filter, {found.same_decision} same decision, "
            f"{found.cannot_tell} cannot tell, {found.disagrees} disagree"
        )
    lines += ["", "findings: severity, confidence, records, id, title"]
    for finding in result.findings:
        lines.append(f"{finding.severity:6} {finding.confidence:8} {finding.count:4} {finding.id}: {finding.title}")
        for item in finding.services or ():
            lines.append(f"       {item.outcome:8} {item.name or item.service_sid} {list(item.permits)}")
    lines += ["", "problems"]
    lines += [f"{problem.severity:8} {problem.input} {problem.place}: {problem.what}" for problem in result.problems]
    return "".join(f"{neutral(text)}\n" for text in lines)


def line(verdict: Verdict) -> str:
    number = verdict.filter.filter_id if verdict.filter else None
    program = (verdict.application or "?").rpartition("\\")[2]
    services = f" {'+'.join(verdict.services)}" if verdict.services else ""
    return (
        f"{verdict.action:5} {verdict.kind:21} {verdict.grade:12} {verdict.count:4} {verdict.attempts:4} "
        f"{number or '-':>6} {program}{services} {verdict.direction} protocol {verdict.protocol} "
        f"{verdict.local_address} {verdict.remote_address} port {verdict.service_port} {verdict.layer}"
    )


@pytest.mark.parametrize("ticket", TICKETS)
def test_golden_result_of_a_ticket(ticket: str) -> None:
    found = summary(analyze([ROOT / "samples" / ticket]))
    expected = GOLDEN / f"{ticket}.txt"
    if os.environ.get("WFP_ANALYZER_GOLDEN") == "refresh":
        GOLDEN.mkdir(exist_ok=True)
        expected.write_text(found, encoding="utf-8")
    assert expected.is_file(), "there is no expected result of this ticket: run `make golden` and read what it wrote"
    assert found == expected.read_text(encoding="utf-8"), "the result changed: if it should, run `make golden`"
