"""Which computers are named, whether a state was handed in at all, and what is said of gaps and commands."""

from __future__ import annotations

import dataclasses
import io

import case
import pytest
from rich.console import Console

from analyzer.model import HostState, Pairing, Selected
from reports import commandtext, gaprows, hosts, text, view
from reports.html import render_html
from reports.terminal import print_summary

MANY = tuple(f"ws-{i:02}.example.test" for i in range(1, 24))


def many(**more):
    base = case.tiny()
    inputs = (dataclasses.replace(base.inputs[0], computer=hosts.BETWEEN.join(MANY)), *base.inputs[1:])
    return dataclasses.replace(base, inputs=inputs, **more)


def printed(analysis) -> str:
    out = io.StringIO()
    print_summary(analysis, Console(file=out, width=80))
    return out.getvalue()


def test_a_file_with_many_computers_is_many_computers() -> None:
    assert hosts.computers(many())[:2] == MANY[:2]
    assert "and 20 more computers" in render_html(many())
    assert "and 20 more" in printed(many())
    assert "…" not in printed(many()).split("\n\n")[0], "no name is cut"


def test_of_a_selection_only_the_computers_asked_for_are_named() -> None:
    asked = Selected("kind stealth, computer WS-02", 1, 9, "selected")
    assert hosts.computers(many(selection=asked)) == ("ws-02.example.test",)
    assert hosts.computers(many(selection=dataclasses.replace(asked, words="kind stealth"))) == MANY
    coverage = dataclasses.replace(
        case.tiny().coverage,
        state_fits="unknown",
        hosts=tuple(
            HostState(name, fits, "state.xml", None, "")
            for name, fits in (("ws-01.example.test", "yes"), ("ws-02.example.test", "no"))
        ),
    )
    assert [row.word for row in view.fits(many(coverage=coverage))] == ["yes", "no"]
    assert [row.word for row in view.fits(many(coverage=coverage, selection=asked))] == ["no"]


def test_that_no_state_was_handed_in_is_said_with_the_way_to_take_one() -> None:
    base = case.tiny()
    coverage = dataclasses.replace(base.coverage, pairings=(), hosts=(), state_fits="unknown", state_time=None)
    logs = tuple(item for item in base.inputs if item.kind == "evtx")
    without = dataclasses.replace(base, inputs=logs, coverage=coverage)
    assert [row.word for row in view.fits(without)] == ["no-state"]
    for shown in (render_html(without), printed(without)):
        assert "No state handed in" in shown
        assert "netsh wfp show state" in shown
        assert "State: not known" not in shown
    state = dataclasses.replace(logs[0], kind="wfpstate", name="wfpstate.xml", computer=None)
    assert [row.word for row in view.fits(dataclasses.replace(without, inputs=(*logs, state)))] == ["unknown"]


def test_the_best_state_of_each_computer_stands_before_the_other_pairs() -> None:
    pairs = tuple(Pairing(c, s, None, "no", (), ()) for c in ("a", "b") for s in ("one.xml", "two.xml"))
    best = (HostState("a", "no", "two.xml", None, ""), HostState("b", "no", "one.xml", None, ""))
    parted = view.pairings(dataclasses.replace(case.tiny().coverage, pairings=pairs, hosts=best))
    assert [(p.computer, p.state) for p in parted.best] == [("a", "two.xml"), ("b", "one.xml")]
    assert parted.others.total == 2


@pytest.mark.parametrize(
    ("count", "where", "gaps"),
    [
        (1, "between record 10 and record 15", "1 gap, 4 records"),
        (17, "the first after record 10, the last before record 15", "17 gaps in total"),
    ],
)
def test_a_gap_is_told_in_words(count: int, where: str, gaps: str) -> None:
    row = gaprows.gap_row(
        {"input": "a.evtx", "after_record_id": 10, "before_record_id": 15, "count": count, "why": "-"}
    )
    assert (row.where, row.gaps) == (where, gaps)


def test_commands_in_a_sentence_are_code() -> None:
    said = "the rules: Get-NetFirewallRule -PolicyStore ActiveStore -Direction Outbound, taken as administrator"
    assert [part for command, part in commandtext.parts(said) if command] == [
        "Get-NetFirewallRule -PolicyStore ActiveStore -Direction Outbound"
    ]
    assert "".join(part for _, part in commandtext.parts(said)) == said
    shown = str(commandtext.withcode("see netsh wfp show state <script>"))
    assert '<code class="run nb">' in shown
    assert "<script>" not in shown


def test_a_sentence_is_cut_at_its_end_and_never_in_the_middle() -> None:
    said = text.begin("this state cannot be tied to any of the computers whose events were handed in", 40)
    assert said == "this state cannot be tied to any of the …"
    assert text.begin("short", 40) == "short"
    assert "  " not in text.middle("one two three four five six seven", 14)
