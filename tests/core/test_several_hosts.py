"""Several computers in one case: each is judged by its own state, and what is said of one is not said of all."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analyzer import coverage
from analyzer.pipeline import analyze
from reports import terminal
from reports.document import report_json
from reports.html import render_html
from tests.core import core_build as build

USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
OTHER = "PC-TWO"
DAY = 86400
DEFAULT = build.flt(70001)
ELSEWHERE = build.flt(70001, layer="ALE_AUTH_RECV_ACCEPT_V4")
TICKET = Path(__file__).resolve().parents[2] / "samples" / "ticket-j-two-hosts"


def named(name: str, computer: str, *filters: dict[str, Any], **more: Any) -> Any:
    """A state in which a session of a user names its computer."""
    return build.state(name, *(filters or (DEFAULT,)), users=[(USER, rf"{computer}\someone")], **more)


def two() -> Any:
    return build.wfp({}, {"computer": OTHER})


# Reasons


def test_a_reason_speaks_of_the_hosts_own_state_although_anothers_is_nearer_in_time():
    own = named("two.xml", OTHER, ELSEWHERE, seconds=-20 * DAY)
    made = build.judge(two(), named("one.xml", build.HOST), own)
    assert made.verdict(1) == ("default-outbound", "snapshot", 70001)
    assert made.verdict(2) == ("unresolved", "contradicted", None)
    assert "two.xml holds the id 70001" in made.reasons(2)
    assert "another layer" in made.reasons(2)
    assert "one.xml" not in made.reasons(2)
    assert build.HOST not in made.reasons(2)


def test_where_every_state_is_anothers_that_is_said():
    made = build.judge(two(), named("one.xml", build.HOST))
    assert made.verdict(2) == ("unresolved", "none", None)
    assert "every state that was handed in is of another computer" in made.reasons(2)
    assert "one.xml" not in made.reasons(2)


def test_the_order_of_the_states_does_not_matter():
    states = [named("one.xml", build.HOST), named("two.xml", OTHER, ELSEWHERE, seconds=-20 * DAY)]
    there, back = build.judge(two(), *states), build.judge(two(), *reversed(states))
    assert there.events["reasons"].tolist() == back.events["reasons"].tolist()


def test_of_two_states_that_cannot_speak_the_hosts_own_is_cited():
    """A state of a host whose log is not here says less than the own one that is of another time."""
    own = named("own.xml", build.HOST, ELSEWHERE, seconds=-20 * DAY)
    made = build.judge(build.wfp({}), named("stranger.xml", "PC-NINE"), own)
    assert "own.xml holds the id 70001" in made.reasons()
    assert "stranger.xml" not in made.reasons()


def test_one_host_with_a_strangers_state_is_told_whose_it_is():
    made = build.judge(build.wfp({}), named("stranger.xml", "PC-NINE"))
    assert made.verdict() == ("unresolved", "contradicted", None)
    assert "PC-NINE" in made.reasons()


# Coverage and the header


@pytest.fixture(scope="module")
def ticket() -> Any:
    return analyze([TICKET])


def test_coverage_says_for_each_host_whether_a_state_fits(ticket):
    hosts = json.loads(report_json(ticket))["coverage"]["hosts"]
    assert [(item["computer"], item["state_fits"], (item["state"] or "").split("/")[-2]) for item in hosts] == [
        ("WS-DEMO-19.corp.example", "yes", "WS-DEMO-19"),
        ("WS-DEMO-20.corp.example", "unknown", "WS-DEMO-20"),
    ]
    assert all(item["state_time"] and item["why"] for item in hosts)
    why = ticket.coverage.why
    assert "WS-DEMO-19.corp.example" in why
    assert "WS-DEMO-20.corp.example" in why


def test_a_host_whose_states_are_all_anothers_has_none():
    hosts = build_coverage(build.judge(two(), named("one.xml", build.HOST)))
    assert [(item.computer, item.state_fits, item.state) for item in hosts] == [
        (build.HOST, "yes", "one.xml"),
        (OTHER, "no", None),
    ]
    assert "of another computer" in hosts[1].why


def build_coverage(made: build.Result) -> Any:
    return coverage.cover(made.events, (), made.book, made.fits, made.marks).hosts


def summary(analysis: Any) -> str:
    out = io.StringIO()
    terminal.print_summary(analysis, Console(file=out, width=100, force_terminal=False))
    return " ".join(out.getvalue().split())


def test_the_header_names_the_hosts_for_which_a_state_fits_and_the_others(ticket):
    shown = summary(ticket)
    assert "State fits (WS-DEMO-19.corp.example)." in shown
    assert "State: not known (WS-DEMO-20.corp.example)." in shown
    page = render_html(ticket)
    head = page[page.index('class="trust') : page.index('class="tallies"')]
    assert head.count('class="fit fit-yes"') == 1
    assert head.count('class="fit fit-unknown"') == 1
    assert head.index("fit-yes") < head.index("WS-DEMO-19") < head.index("fit-unknown") < head.index("WS-DEMO-20")


def test_the_trust_is_put_host_by_host(ticket):
    assert "the events of WS-DEMO-20.corp.example" in ticket.answer.trust
    assert "the events of WS-DEMO-19" not in ticket.answer.trust


def test_hosts_that_are_alike_are_told_in_one(ticket):
    alike = tuple(dataclasses.replace(item, state_fits="yes") for item in ticket.coverage.hosts)
    cover = dataclasses.replace(ticket.coverage, hosts=alike, state_fits="yes")
    shown = summary(dataclasses.replace(ticket, coverage=cover))
    assert "State fits. What" in shown


def test_the_log_of_one_host_is_not_set_against_the_state_of_another(ticket):
    said = {item.computer: " ".join(item.why) for item in ticket.coverage.recording}
    assert "wfpstate.xml" not in said["WS-DEMO-19.corp.example"]
    assert "21 days after" in said["WS-DEMO-20.corp.example"]


def test_the_shipped_tickets_reasons_cite_the_own_state(ticket):
    for verdict in ticket.verdicts:
        other = "WS-DEMO-20" if verdict.computer == "WS-DEMO-19.corp.example" else "WS-DEMO-19"
        assert not any(other in reason for reason in verdict.reasons), verdict.reasons
