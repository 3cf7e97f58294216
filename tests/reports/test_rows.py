"""What stands beside the rows of the page: lines to copy, places that counts and record ids lead to, its size."""

from __future__ import annotations

import csv
import dataclasses
import io
import re

import pytest

from reports import limits, rowtext, view
from reports.html import render_html
from reports.limits import MOST_BYTES
from tests.reports import case

EVIL = "\n'@\r\n\u2019@ ; =cmd|'/C calc'!A0"


def lines(result) -> dict[str, tuple[tuple[str, ...], list[str]]]:
    made = view.build(result)
    return {
        "flows": (rowtext.FLOW_KEYS, [row.csv for row in made.flows.rows]),
        "filters": (rowtext.FILTER_KEYS, [row.csv for row in made.filters.rows]),
        "programs": (rowtext.PROGRAM_KEYS, [row.csv for row in made.programs.rows]),
        "services": (rowtext.SERVICE_KEYS, [row.csv for row in made.services.rows]),
    }


@pytest.mark.parametrize("table", ["flows", "filters", "programs", "services"])
def test_copied_rows_have_a_cell_per_column_and_no_formula(table: str) -> None:
    keys, rows = lines(case.poisoned(EVIL))[table]
    assert rows
    read = list(csv.reader(io.StringIO("\n".join([rowtext.header(keys), *rows]))))
    assert {len(row) for row in read} == {len(keys)}
    assert not [cell for row in read for cell in row if re.match(r"[\s\"]*[=+@-]", cell)]


@pytest.mark.parametrize("table", ["flows", "filters", "programs", "services"])
def test_no_copied_row_can_end_the_powershell_text_that_it_is_put_into(table: str) -> None:
    _, rows = lines(case.poisoned(EVIL))[table]
    assert all(re.match(r"\d+,", row) for row in rows)
    assert not any("\n" in row or "\r" in row for row in rows)


def test_exact_numbers_stay_exact_in_copied_rows() -> None:
    _, rows = lines(case.rich())["filters"]
    assert "9223372036854777840" in rows[0]


def test_a_record_leads_to_its_flow_only_where_it_can_mean_one() -> None:
    one = case.verdict(record_ids=(7, 8))
    other = case.verdict(record_ids=(8, 9), service_port=80)
    base = case.tiny()
    refs = view.build(dataclasses.replace(base, verdicts=(one, other))).refs
    assert refs.record(7) == "flow-1"
    assert refs.record(8) is None
    assert refs.record(None) is None
    twice = (*base.inputs, dataclasses.replace(base.inputs[0], name="other.evtx"))
    assert view.build(dataclasses.replace(base, verdicts=(one,), inputs=twice)).refs.record(7) is None


def test_a_service_names_the_findings_that_its_own_flows_rest_on() -> None:
    base = case.rich()
    key = base.findings[0].key
    served = case.verdict(services=("BITS",), findings=(key,))
    use = dataclasses.replace(
        base.services[0], services=("BITS",), computer=served.computer, application=served.application
    )
    elsewhere = dataclasses.replace(use, computer="another.example.test")
    rows = view.build(dataclasses.replace(base, verdicts=(served,), services=(use, elsewhere))).services.rows
    assert [len(row.findings) for row in rows] == [1, 0]
    assert [row.flow_anchor for row in rows] == ["flow-1", None]


# ---------------------------------------------------------------------------------------------------- the size


@pytest.mark.parametrize("poison", ["x" * 70_000, "\u200d" * 9_000, "\\" * 20_000], ids=["long", "escaped", "broken"])
def test_endless_texts_do_not_make_an_endless_page(poison: str) -> None:
    html = render_html(case.poisoned(poison))
    assert len(html.encode("utf-8")) <= MOST_BYTES
    assert "more characters" in html or "more)" in html


def test_a_command_that_is_too_long_is_left_out_and_never_cut() -> None:
    base = case.rich()
    finding = base.findings[0]
    assert finding.remedy is not None
    remedy = dataclasses.replace(finding.remedy, commands=("New-NetFirewallRule " + "x" * 900,))
    changed = dataclasses.replace(base, findings=(dataclasses.replace(finding, remedy=remedy),))
    shown = limits.FITS[-1].texts(changed).findings[0].remedy
    assert shown is not None
    assert shown.commands == ("# a command of 920 characters is left out; the JSON result has it",)


def test_xml_is_shown_as_long_as_there_is_room_and_said_where_not() -> None:
    base = case.rich()
    heavy = "<item>" + "a" * 200_000 + "</item>"
    cited = tuple(dataclasses.replace(item, xml=heavy) for item in base.cited[:3])
    made = view.build(dataclasses.replace(base, cited=cited))
    assert [row.xml is not None for row in made.filters.rows] == [True, False, False]
    assert "The XML is left out to keep this page readable" in render_html(dataclasses.replace(base, cited=cited))
