"""What findings tell to do: nothing that is done or at hand already, nothing twice, and whose it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from core_build import (
    HOST,
    PROGRAM,
    SVCHOST,
    Result,
    app,
    filter_changes,
    flt,
    host_events,
    judge,
    processes,
    state,
    wfp,
)
from history_build import added, deleted, key_of, present
from history_build import judge as judge_with_history

from analyzer import diagnose, frames, summary, wording
from analyzer.diagnose import commands
from analyzer.model import Callout
from analyzer.pipeline import analyze
from analyzer.wfp import events as wfp_events

if TYPE_CHECKING:
    from analyzer.model import Analysis, Finding

ROOT = Path(__file__).resolve().parents[2]
USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
STRANGER = "{11111111-2222-3333-4444-555555555555}"
FOREIGN = {"provider": STRANGER, "sublayer": "UNIVERSAL", "weight": ("UINT64", 5)}


def findings(made: Result, **more) -> list[Finding]:
    context = diagnose.Context(made.events, made.book, made.fits, made.marks, made.changes, made.watch, **more)
    return [item.finding for item in diagnose.run(context).found]


def one(found: list[Finding], finding_id: str) -> Finding:
    (item,) = [item for item in found if item.id == finding_id]
    return item


@pytest.fixture(scope="module")
def ticket():
    known: dict[str, Analysis] = {}

    def of(letter: str) -> Analysis:
        if letter not in known:
            known[letter] = analyze([next((ROOT / "samples").glob(f"ticket-{letter}-*"))])
        return known[letter]

    return of


# svchost.exe among the programs


@pytest.mark.parametrize(("letter", "count"), [("f", 9), ("h", 12)])
def test_the_default_counts_what_svchost_was_refused_without_a_service_sid_as_the_cause(ticket, letter, count):
    found = list(ticket(letter).findings)
    default = one(found, "default-outbound")
    assert default.count == count
    assert "svchost.exe (8 blocks" in default.remedy.text
    assert any("svchost.exe" in item.text for item in default.evidence)
    explained = one(found, "service-sid")
    assert (explained.confidence, explained.severity) == ("not-this", "info")


def test_what_the_service_sid_diagnosis_explains_is_not_counted_again(ticket):
    """Ticket i: the svchost blocks have a remedy of their own."""
    assert one(list(ticket("i").findings), "default-outbound").count == 4


OWN = {"users": [(USER, rf"{HOST}\someone")]}


def test_an_unknown_service_is_to_be_found_first():
    found = one(findings(judge(wfp({"application": SVCHOST}), state("s.xml", flt(70001), **OWN))), "default-outbound")
    assert "find out which service of process 4242 it was" in found.remedy.text
    assert found.remedy.commands == ()


def of_service(name: str) -> Finding:
    started = processes({"s": -5, "process_id": 4242, "command_line": f"svchost.exe -k netsvcs -p -s {name}"})
    made = judge(wfp({"application": SVCHOST}), state("s.xml", flt(70001), **OWN), process=started)
    return one(findings(made), "default-outbound")


def test_a_known_service_gets_a_rule_of_its_own():
    (command,) = of_service("W32Time").remedy.commands
    assert "-Service 'W32Time' -Protocol TCP -RemotePort 443" in command


def test_a_service_that_is_known_to_connect_without_its_sid_gets_no_rule_that_may_not_match():
    found = of_service("wuauserv")
    assert found.remedy.commands == ()
    assert "known to connect without its service SID" in found.remedy.text


# Filters that are gone


def gone(*changes, dumps=(), rows=({"s": 50},), **tables):
    made, past = judge_with_history(*dumps, end=400, wfp=wfp(*rows), filter_change=filter_changes(*changes), **tables)
    return findings(made, past=past)


THEIRS = {"provider_key": STRANGER, "provider_name": "Shield", "filter_name": "web control", "weight": 5 << 56}


def test_a_filter_that_was_deleted_is_no_longer_the_first_thing_to_look_at():
    found = gone(
        added(70001, 10, **THEIRS),
        deleted(70001, 100, **THEIRS),
        added(70002, 5),
        rows=({"s": 50}, {"s": 60, "filter_rtid": 70002}),
    )
    assert [item.id for item in found][:2] == ["default-outbound", "other-wfp"]
    theirs = one(found, "other-wfp")
    assert theirs.severity == "low"
    assert "was deleted at 2026-01-01 10:01:40 UTC: no longer in force" in theirs.summary
    assert theirs.remedy.text.startswith("Nothing to do unless it comes back.")


def test_a_filter_that_came_back_is_not_called_gone():
    found = gone(
        added(70001, 10, **THEIRS),
        deleted(70001, 100, **THEIRS),
        added(70009, 200, **{**THEIRS, "filter_key": key_of(70001)}),
    )
    theirs = one(found, "other-wfp")
    assert theirs.severity == "medium"
    assert "deleted" not in theirs.summary


def test_a_filter_that_came_back_under_another_key_is_not_called_gone():
    found = gone(added(70001, 10, **THEIRS), deleted(70001, 100, **THEIRS), added(70009, 200, **THEIRS))
    assert one(found, "other-wfp").severity == "medium"


def test_a_filter_that_is_there_after_the_next_start_is_not_called_gone():
    changes = [
        added(70001, 10, **THEIRS),
        deleted(70001, 100, **THEIRS),
        present(90001, 300, **{**THEIRS, "filter_key": key_of(70001)}),
    ]
    assert one(gone(*changes), "other-wfp").severity == "medium"


def test_a_default_of_the_firewall_is_replaced_and_never_gone():
    assert one(gone(added(70001, 10), deleted(70001, 100)), "default-outbound").severity == "medium"


def test_the_shipped_ticket_ranks_the_deleted_product_below_what_still_blocks(ticket):
    assert [(item.id, item.severity) for item in ticket("e").findings] == [
        ("default-outbound", "medium"),
        ("other-wfp", "low"),
    ]


# Callouts


def with_callout() -> Result:
    asks = flt(70001, "callout-terminating", callout_key=STRANGER, **FOREIGN)
    name, dump = state("s.xml", asks, **OWN)
    listed = frames.build({"input": [name], "callout": [STRANGER], "name": ["Shield inspect"]}, frames.CALLOUTS)
    return judge(wfp({}), (name, dataclasses.replace(dump, callouts=listed)))


def test_the_callout_is_named_where_the_remedy_points_to_it():
    made = with_callout()
    found = one(findings(made), "callout")
    assert f"its callout is {STRANGER} “Shield inspect”" in found.evidence[0].text
    (cited,) = summary.cited(made.events, made.book, ())
    assert cited.callout == Callout(STRANGER, "Shield inspect")


# A log without blocks


def test_a_log_of_changes_alone_is_told_as_such(shared):
    found = analyze([shared / "evtx" / "firewall-disabled-5447-4950.evtx"])
    said = "No event 5031 or 5150 to 5159 (block, drop, permit) was found; the log holds 984 filter changes"
    assert found.answer.sentence.startswith(said)
    assert "log-cleared" in {item.id for item in found.findings}


def test_where_nothing_at_all_was_found_that_is_said():
    tables = {table: frames.empty(frames.EVENT_SCHEMAS[table]) for table in wfp_events.TABLES}
    assert wording.others(tables) == ""
    assert wording.answer((), 0, 0) == "No Windows Filtering Platform event was found in what was handed in."


# Why there is no command


def rows(*changes):
    return judge(wfp(*changes)).events.assign(rule_id=None)


NO_COMMAND = {
    "drive": ({}, None, "do not tell the drive letter of \\device\\harddiskvolume3"),
    "character": ({"application": PROGRAM.replace("program.exe", "a’b.exe")}, "3", "characters that do not belong"),
    "no path": ({"application": "System"}, "3", "no path on a volume"),
    "no program": ({"application": None}, "3", "no program is named"),
    "protocol": ({"protocol": 1}, "3", "needs TCP or UDP, and this was ICMP"),
    "no port": ({"dest_port": None}, "3", "no remote port is recorded"),
}


@pytest.mark.parametrize("case", NO_COMMAND)
def test_the_one_reason_for_no_command_is_named(case):
    change, volume, why = NO_COMMAND[case]
    built = commands.allow_program(rows(change), lambda _: volume)
    assert built.commands == ()
    (said,) = built.left
    assert why in said


def test_a_list_that_was_cut_says_so():
    many = [{"application": PROGRAM.replace("program", f"p{n}"), "s": n} for n in range(8)]
    built = commands.allow_program(rows(*many), lambda _: "3")
    assert len(built.commands) == commands.MOST
    assert built.left == ("No ready command for p6.exe and p7.exe: commands are given for the first 6 only.",)


def test_where_every_program_has_its_command_nothing_is_added():
    assert commands.allow_program(rows({}), lambda _: "3").left == ()


def test_a_state_that_fits_tells_the_volume_of_windows():
    other = flt(70002, "permit", tests=[app(SVCHOST)])
    ends = [{"protocol": 6, "local_address": "192.0.2.10", "local_port": 50001, "remote_address": "198.51.100.7",
             "remote_port": 443}]  # fmt: skip
    found = one(findings(judge(wfp({}), state("s.xml", flt(70001), other, endpoints=ends, **OWN))), "default-outbound")
    assert "-Program '%ProgramFiles%\\example\\program.exe'" in found.remedy.commands[0]


# What was handed in already


def test_what_is_at_hand_is_not_asked_for(ticket):
    """Ticket h has the rules and a state that fits."""
    asked = [text for item in ticket("h").findings for text in item.collect_next]
    assert not [text for text in asked if "reg export" in text or "show state" in text or "NetFirewallRule" in text]
    said = " ".join(item.remedy.text for item in ticket("h").findings)
    assert "whether a rule for BITS exists" not in said
    assert "by its id" not in said
    assert "the block rule “No telemetry for Example Notes”" in said


def test_a_rule_without_an_id_is_looked_up_by_the_name_of_its_filter(ticket):
    found = one(list(ticket("i").findings), "explicit-rule")
    assert "by its id" not in found.remedy.text
    assert "“Pas de télémétrie pour Example Notes”" in found.remedy.text
    assert "“Pas de télémétrie pour Example Notes”" in found.evidence[0].text


def test_no_command_stands_twice(ticket):
    every = [command for item in ticket("h").findings for command in item.remedy.commands]
    assert len(every) == len(set(every))


# Several computers


def test_each_finding_says_whose_it_is(ticket):
    for item in ticket("j").findings:
        assert "WS-DEMO-19" in item.title + item.summary or "WS-DEMO-20" in item.title + item.summary


def test_several_computers_of_one_finding_are_named_with_their_counts():
    default = {"event_origin": "Default Outbound"}
    found = one(findings(judge(wfp(default, {**default, "computer": "PC-TWO"}))), "default-outbound")
    assert f"on {HOST} (1) and PC-TWO (1)" in found.summary


def test_states_that_fit_nobody_are_one_finding():
    hosts = [f"PC-{n}" for n in range(8)]
    made = judge(wfp(*({"computer": name} for name in hosts)), state("s.xml", flt(70001), users=[(USER, r"PC-NINE\a")]))
    found = one(findings(made), "state-does-not-fit")
    assert found.count == 8
    assert "8 computers" in found.title
    assert all(f"{name} (1)" in found.summary for name in hosts)


# A state of another time


def test_a_state_from_before_a_restart_is_said_to_be_too_old(ticket):
    found = one(list(ticket("j").findings), "state-does-not-fit")
    assert "saved 21 days before the log begins, and Windows started again since: take a new one" in found.summary
    (host,) = [item for item in ticket("j").coverage.hosts if item.computer == "WS-DEMO-20.corp.example"]
    assert host.why.startswith("the state was taken 21 days before the log begins, and Windows started again since")


def test_a_state_of_the_logs_own_time_is_not_called_old():
    made = judge(wfp({}), state("s.xml", flt(70001)))
    assert not [item for item in findings(made) if item.id == "state-does-not-fit"]


# Language


def test_counts_and_times_are_put_as_people_write_them():
    made = judge(
        wfp({}), state("s.xml", flt(70001), users=[(USER, r"PC-NINE\a")]), host=host_events({"event_id": 1102, "s": 2})
    )
    found = findings(made)
    assert f"1 block or drop of {HOST} names a filter" in one(found, "state-does-not-fit").summary
    cleared = one(found, "log-cleared")
    assert "once in the time that the logs cover" in cleared.summary
    assert cleared.evidence[0].text == "at 2026-01-01 10:00:02 UTC"
    assert not any("(s)" in text for fit in made.fits for text in fit.pairing.ties)
