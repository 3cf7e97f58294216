"""Every output of every shipped ticket, and of a result made by hand, against the JSON Schemas of the contract."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import jsonschema
import pytest

from analyzer import attribution, model, netevents, netjoin
from analyzer.pipeline import analyze
from reports import export
from reports.document import REPORT_KEYS, report_json
from tests.made import analysis

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "reports" / "schemas"
TICKETS = sorted(path.name for path in (ROOT / "samples").glob("ticket-*"))


@functools.cache
def result(ticket: str) -> model.Analysis:
    return analyze([ROOT / "samples" / ticket], command=("report", ticket))


@functools.cache
def schema(name: str) -> jsonschema.Draft202012Validator:
    document = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def hold(name: str, documents: Iterable[Any]) -> int:
    """Hold documents against a schema and return their number; name the first few that do not fit."""
    count, wrong = 0, []
    for count, document in enumerate(documents, start=1):
        errors = schema(name).iter_errors(document)
        wrong.extend(f"{name} {count}, {error.json_path}: {error.message[:300]}" for error in errors)
        assert len(wrong) < 5, "\n".join(wrong)
    assert not wrong, "\n".join(wrong)
    return count


# ------------------------------------------------------------------------------------------------ shipped tickets


def test_there_are_tickets() -> None:
    assert "ticket-a-win11" in TICKETS


@pytest.mark.parametrize("ticket", TICKETS)
def test_events_of_a_ticket(ticket: str) -> None:
    lines = [json.loads(line) for line in export.event_lines(result(ticket))]
    assert hold("events", lines) > 0
    assert lines == sorted(lines, key=lambda event: event["time"])
    names = {item.name for item in result(ticket).inputs}
    assert {event["input"] for event in lines} <= names
    both = sum(event["source"] == "audit" and event["user_source"] == "netevent" for event in lines)  # counted once
    assert len(lines) + both == sum(item.events or 0 for item in result(ticket).inputs)


@pytest.mark.parametrize("ticket", TICKETS)
def test_filters_of_a_ticket(ticket: str) -> None:
    lines = [json.loads(line) for line in export.filter_lines(result(ticket))]
    assert hold("filters", lines) > 0
    assert {row["input"] for row in lines} <= {item.name for item in result(ticket).inputs}


@pytest.mark.parametrize("ticket", TICKETS)
def test_the_result_document_of_a_ticket(ticket: str) -> None:
    document = json.loads(report_json(result(ticket)))
    hold("report", [document])
    assert tuple(document)[: len(REPORT_KEYS)] == REPORT_KEYS
    assert document["inputs"]


@pytest.mark.parametrize("ticket", TICKETS)
def test_verdicts_are_the_events_folded(ticket: str) -> None:
    events = [json.loads(line) for line in export.event_lines(result(ticket))]
    verdicts = json.loads(report_json(result(ticket)))["verdicts"]
    assert sum(verdict["count"] for verdict in verdicts) == len(events)
    for action in get_args(model.Action):
        of_events = sum(event["action"] == action for event in events)
        assert sum(verdict["count"] for verdict in verdicts if verdict["action"] == action) == of_events
    assert all(verdict["attempts"] <= verdict["count"] for verdict in verdicts)
    assert {(v["kind"], v["grade"]) for v in verdicts} == {(e["kind"], e["grade"]) for e in events}


@pytest.mark.parametrize("ticket", TICKETS)
def test_findings_cite_records_and_filters_that_exist(ticket: str) -> None:
    document = json.loads(report_json(result(ticket)))
    events = [json.loads(line) for line in export.event_lines(result(ticket))]
    filters = {json.loads(line)["filter_id"] for line in export.filter_lines(result(ticket))}
    known = filters | {event["filter_rtid"] for event in events}
    last = max(event["record_id"] or 0 for event in events)  # net events have none
    names = {item["name"] for item in document["inputs"]}
    for finding in document["findings"]:
        assert finding["evidence"]
        for evidence in finding["evidence"]:
            assert evidence["input"] is None or evidence["input"] in names
            assert evidence["filter_id"] is None or evidence["filter_id"] in known
            assert evidence["record_id"] is None or 0 < evidence["record_id"] <= last
        for service in finding["services"] or ():
            assert set(service["permits"]) <= filters


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ("security-short-5152-5157.evtx", "win11-22621-wfpstate.xml"),
        ("rdp-tunnel-5156-5158-4688.evtx", "win-2023-wfpstate.xml"),
        ("domain-admins-5156-5158.evtx", "win11-22621-french-filters.xml"),
    ],
)
def test_outputs_of_real_inputs(shared: Path, log: str, state: str) -> None:
    real = analyze([shared / "evtx" / log, shared / "xml" / state])
    assert hold("events", map(json.loads, export.event_lines(real))) > 0
    assert hold("filters", map(json.loads, export.filter_lines(real))) > 0
    assert hold("report", [json.loads(report_json(real))]) == 1


# ------------------------------------------------------------------------------------------------ by hand


def test_a_result_made_by_hand() -> None:
    assert hold("events", map(json.loads, export.event_lines(analysis()))) == 3
    assert hold("filters", map(json.loads, export.filter_lines(analysis()))) == 3
    assert hold("report", [json.loads(report_json(analysis()))]) == 1


def enum_of(name: str, path: str) -> set[str]:
    """Return the values of an enum in a schema, by a path of keys."""
    node = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    for key in path.split("/"):
        node = node[key]
    return {value for value in node["enum"] if value is not None}


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        ("events", "$defs/kind", model.Kind),
        ("filters", "$defs/kind", model.Kind),
        ("report", "$defs/kind", model.Kind),
        ("events", "$defs/grade", model.Grade),
        ("report", "$defs/grade", model.Grade),
        ("events", "$defs/action", model.Action),
        ("report", "$defs/action", model.Action),
        ("filters", "properties/kind_evidence", model.KindEvidence),
        ("report", "properties/problems/items/properties/severity", model.ProblemSeverity),
        ("report", "properties/findings/items/properties/severity", model.Severity),
        ("report", "properties/findings/items/properties/confidence", model.Confidence),
        ("report", "properties/coverage/properties/state_fits", model.StateFits),
        ("report", "properties/coverage/properties/recorded", model.Recorded),
    ],
)
def test_the_words_of_the_schemas_are_those_of_the_program(name: str, path: str, words: Any) -> None:
    assert enum_of(name, path) == set(get_args(words))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("services_source", attribution.SOURCES),
        ("user_source", attribution.USER_SOURCES),
        ("source", (netjoin.AUDIT, netevents.SOURCE)),
    ],
)
def test_the_sources_of_the_schema_are_those_of_the_programs_tables(key: str, words: tuple[str, ...]) -> None:
    assert enum_of("events", f"properties/{key}") == set(words)
    event = json.loads(next(export.event_lines(analysis())))
    assert not schema("events").is_valid({**event, key: "guessed"})


@pytest.mark.parametrize("name", ["events", "filters", "report"])
def test_a_schema_is_strict_about_names_and_open_for_more(name: str) -> None:
    one = {
        "events": lambda: json.loads(next(export.event_lines(analysis()))),
        "filters": lambda: json.loads(next(export.filter_lines(analysis()))),
        "report": lambda: json.loads(report_json(analysis())),
    }[name]()
    assert schema(name).is_valid({**one, "a_later_key": 1})
    required = schema(name).schema["required"]
    assert len(required) >= 8
    for key in required:
        less = copy.deepcopy(one)
        del less[key]
        assert not schema(name).is_valid(less), key


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("application", "-"),
        ("application", ""),
        ("process_id", "1234"),
        ("record_id", -1),
        ("filter_rtid", 2**64),
        ("time", "2026-03-04T10:15:22Z"),
        ("time", "2026-03-04T10:15:22.1234567+00:00"),
        ("kind", "default_outbound"),
        ("kind", None),
        ("grade", "proven"),
        ("action", "permit"),
        ("action", "drop"),
        ("layer", "FWPM_LAYER_ALE_AUTH_CONNECT_V4"),
        ("event_id", 5447),
        ("endpoint_order", None),
        ("icmp_type", 8),
        ("reasons", None),
        ("services", "BITS"),
    ],
)
def test_a_wrong_value_of_an_event_is_refused(key: str, value: object) -> None:
    event = json.loads(next(export.event_lines(analysis())))
    assert schema("events").is_valid(event)
    assert not schema("events").is_valid({**event, key: value})


def test_a_contradicted_filter_is_never_the_cause() -> None:
    event = json.loads(next(export.event_lines(analysis())))
    assert not schema("events").is_valid({**event, "grade": "contradicted", "kind": "unresolved"})
    assert not schema("events").is_valid({**event, "grade": "contradicted", "filter": None})
    assert schema("events").is_valid({**event, "grade": "contradicted", "kind": "unresolved", "filter": None})


def test_a_contradicted_permit_has_no_kind() -> None:
    event = json.loads(next(export.event_lines(analysis())))
    permit = {**event, "event_id": 5156, "action": "permit", "grade": "contradicted", "filter": None}
    assert schema("events").is_valid({**permit, "kind": None})
    assert not schema("events").is_valid({**permit, "kind": "unresolved"})
    assert not schema("events").is_valid({**event, "grade": "contradicted", "kind": None, "filter": None})
    document = json.loads(report_json(analysis()))
    verdict = document["verdicts"][0] | {"grade": "contradicted", "filter": None}
    fits = {("permit", None), ("block", "unresolved"), ("drop", "unresolved")}
    for action in get_args(model.Action):
        for kind in (None, "unresolved", "explicit-rule"):
            valid = schema("report").is_valid({**document, "verdicts": [verdict | {"action": action, "kind": kind}]})
            assert valid == ((action, kind) in fits), (action, kind)


@pytest.mark.parametrize(("number", "valid"), [(0, True), (300, True), (2**32 - 1, True), (-1, False), ("6", False)])
def test_a_protocol_is_any_number_that_a_record_holds(number: object, valid: bool) -> None:
    event = json.loads(next(export.event_lines(analysis())))
    assert schema("events").is_valid({**event, "protocol": number}) == valid
    document = json.loads(report_json(analysis()))
    verdict = document["verdicts"][0] | {"protocol": number}
    assert schema("report").is_valid({**document, "verdicts": [verdict]}) == valid


def test_flags_and_conditions_stand_without_their_prefix_and_damaged_ones_as_they_are() -> None:
    row = next(row for row in map(json.loads, export.filter_lines(analysis())) if row["conditions"])
    condition = row["conditions"][0]
    for key, prefix in (("field", "FWPM_CONDITION_"), ("match", "FWP_MATCH_")):
        assert not schema("filters").is_valid({**row, "conditions": [{**condition, key: f"{prefix}X"}]})
        assert schema("filters").is_valid({**row, "conditions": [{**condition, key: f"FWP\ufffd{prefix}X"}]})
    assert not schema("filters").is_valid({**row, "flags": ["FWPM_FILTER_FLAG_INDEXED"]})
    assert schema("filters").is_valid({**row, "flags": ["INDEXED", "FWPM_FILTE\ufffd_FLAG_INDEXED"]})
