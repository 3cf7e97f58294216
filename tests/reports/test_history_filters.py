"""A filter that only the log's own history tells of: its number may be another filter's in the state."""

from __future__ import annotations

import dataclasses

import case

from reports import view
from reports.html import render_html

STATE, LOG = "wfpstate.xml", "security.evtx"


def reused():
    """Return a result where one number is two filters: one of the log's history, one of the state."""
    base = case.tiny()
    now = case.ref(68225, "Default Outbound", filter_key="{00000000-0000-4000-8000-000000000001}")
    then = case.ref(68225, "Example Shield", filter_key="{00000000-0000-4000-8000-000000000002}")
    cited = case._cited()[0]
    return dataclasses.replace(
        base,
        inputs=tuple(
            dataclasses.replace(base.inputs[0], kind=k, name=n) for k, n in (("evtx", LOG), ("wfpstate", STATE))
        ),
        cited=tuple(
            dataclasses.replace(cited, filter=used, input=place, xml=None)
            for used, place in ((now, STATE), (then, LOG))
        ),
        verdicts=(
            case.verdict(filter=then, state=None, grade="history"),
            case.verdict(filter=now, state=STATE, grade="snapshot"),
        ),
    )


def test_each_flow_leads_to_its_own_filter() -> None:
    shown = view.build(reused())
    assert [row.filter_anchor for row in shown.flows.rows] == ["filter-68225-2", "filter-68225"]
    assert [[link.anchor for link in row.flows.rows] for row in shown.filters.rows] == [["flow-2"], ["flow-1"]]


def test_what_came_from_the_log_is_not_said_to_be_of_a_state() -> None:
    assert [row.from_log for row in view.build(reused()).filters.rows] == [False, True]
    sheets = render_html(reused()).split('<aside class="sheets"')[1].split('<section class="sheet"')
    assert "As in the state" in sheets[1]
    assert "As in the state" not in sheets[2]
    assert "<dt>Source</dt>" in sheets[2]
    assert "As recorded" in sheets[2]
