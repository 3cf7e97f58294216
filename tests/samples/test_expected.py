"""The whole analyzer over the shipped tickets says what was thought out by hand when their stories were told."""

import json

import pandas as pd
import pytest

from analyzer.pipeline import analyze
from samples import make
from samples.tickets import french

OUTCOMES = ("proven", "likely", "possible", "not-this")
NAMES = [ticket.name for ticket in make.tickets()]


@pytest.fixture(scope="module", params=NAMES)
def case(request, root):
    """The expectation of one ticket, its events by record id (net events: by time), and the analysis."""
    expected = json.loads((root / "tests" / "samples" / "expected" / f"{request.param}.json").read_text())
    analysis = analyze([root / "samples" / request.param])
    return expected, {row.get("record_id") or row["time"]: row for row in expected["events"]}, analysis


def key(row):
    return f"{row.time:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z" if pd.isna(row.record_id) else int(row.record_id)


def test_every_block_and_drop_has_the_expected_kind_grade_and_filter(case):
    _, expected, analysis = case
    ids = analysis.filters["filter_id"].tolist()
    found = {
        key(row): (row.action, row.kind, row.grade, None if pd.isna(row.filter_row) else ids[row.filter_row])
        for row in analysis.events.itertuples()
        if row.action != "permit"
    }
    assert found == {n: (row["action"], row["kind"], row["grade"], row["filter"]) for n, row in expected.items()}


def test_attempts_are_counted_as_they_were_made(case):
    _, expected, analysis = case
    for verdict in analysis.verdicts:
        if verdict.action != "permit" and len(verdict.record_ids) == verdict.count:
            made = {expected[number]["attempt"] for number in verdict.record_ids}
            assert verdict.attempts == len(made), verdict
    for row in analysis.answer.kinds:
        told = [item for item in expected.values() if (item["kind"], item["action"]) == (row.kind, row.action)]
        assert (row.count, row.attempts) == (len(told), len({item["attempt"] for item in told}))


def test_services_are_judged_as_expected(case):
    """The best that any finding says of a service, with all its permits that fit."""
    expected, _, analysis = case
    found = {}
    for service in (item for finding in analysis.findings for item in finding.services or ()):
        outcome, permits = found.get(service.name, ("not-this", set()))
        found[service.name] = (min(outcome, service.outcome, key=OUTCOMES.index), permits | set(service.permits))
    assert found == {item["name"]: (item["outcome"], set(item["permits"])) for item in expected["services"]}


def test_a_ticket_holds_nothing_that_the_analyzer_does_not_read(case):
    lost = [p for p in case[2].problems if p.severity != "note" and "log was cleared" not in p.what]
    assert lost == []


def test_a_state_that_is_not_the_logs_is_told(root):
    analysis = analyze([root / "samples" / "ticket-j-two-hosts"])
    [told] = [problem for problem in analysis.problems if problem.input.endswith("WS-DEMO-20/wfpstate.xml")]
    assert "21 days before the log begins, and Windows started again since" in told.what


def test_a_localized_ticket_is_judged_as_in_english(tmp_path, root):
    """Same events, kinds, grades, filters, findings and confidences, whatever language Windows speaks."""
    folder = tmp_path / "english"
    folder.mkdir()
    for name, data in french.tell(french.ENGLISH, "english").contents().items():
        (folder / name).write_bytes(data)
    english, localized = analyze([folder]), analyze([root / "samples" / "ticket-i-french"])
    columns = ["record_id", "event_id", "action", "direction", "kind", "grade", "layer", "filter_rtid", "services"]
    assert english.events[columns].astype("str").equals(localized.events[columns].astype("str"))
    said = [
        [(item.id, item.severity, item.confidence, item.count) for item in a.findings] for a in (english, localized)
    ]
    assert said[0] == said[1]
    assert english.answer.sentence == localized.answer.sentence
    assert "Trafic sortant par défaut" in set(localized.filters["name"])
