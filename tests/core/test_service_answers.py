"""What became of each service's allow rule, what the remedy opens, and what is narrower than it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from test_service_proven import BITS, NETWORK, USER, Case, listed, permit, started

from analyzer import diagnose
from analyzer.wfp import services as wfp_services
from tests.core import core_build as build

if TYPE_CHECKING:
    from analyzer.model import Finding, ServiceAnswer

CRYPT = wfp_services.service_sid("CryptSvc")


def run(case: Case) -> diagnose.Diagnosis:
    made = case.judge()
    context = diagnose.Context(
        made.events, made.book, made.fits, made.marks, made.changes, made.watch, known=made.known
    )
    return diagnose.run(context)


def answers(case: Case) -> dict[str | None, ServiceAnswer]:
    return {answer.name: answer for answer in run(case).services}


def finding(case: Case) -> Finding:
    return next(item.finding for item in run(case).found if item.finding.id == "service-sid")


# What became of the rule


def test_all_but_the_token_fits_and_a_net_event_shows_whose_it_was():
    answer = answers(Case())["BITS"]
    assert (answer.result, answer.confidence, answer.token, answer.tied) == ("near-miss-token", "proven", "no", True)
    assert (answer.users, answer.account, answer.process_ids) == ((USER,), "S-1-5-18", (4242,))
    assert (answer.permits, answer.ports, answer.blocks) == ((70100,), ("TCP 443",), 1)
    assert USER in answer.words


def test_where_nothing_else_is_left_the_token_lacked_the_sid_without_any_net_event():
    answer = answers(Case(nets=()))["BITS"]
    assert (answer.result, answer.confidence, answer.token) == ("near-miss-token", "likely", "no")
    assert "the token lacked" in answer.words


def test_in_a_state_that_is_not_tied_the_token_stays_open():
    answer = answers(Case(nets=(), lasting={}))["BITS"]
    assert (answer.result, answer.token) == ("near-miss-token", "cannot-tell")
    assert "lacked" not in answer.words


def test_the_services_own_account_points_to_its_sid_type():
    answer = answers(Case(nets=({"user": "S-1-5-18"},)))["BITS"]
    assert (answer.confidence, answer.token) == ("not-this", "cannot-tell")
    assert "sc qsidtype BITS" in answer.words


def test_another_port_is_a_near_miss_by_something_else():
    answer = answers(Case(filters=(permit(BITS, build.eq("IP_PROTOCOL", 17)),)))["BITS"]
    assert (answer.result, answer.token) == ("near-miss-other", None)
    assert [item.field for item in answer.missing] == ["IP_PROTOCOL"]
    assert "UDP only; this was TCP" in answer.words


def test_a_permit_that_the_block_outweighs_is_a_near_miss_by_something_else():
    answer = answers(Case(filters=(dict(permit(), effective_weight=2 << 60),)))["BITS"]
    assert answer.result == "near-miss-other"
    assert "outweighs" in answer.words


def test_a_rule_whose_process_was_not_refused_is_not_seen():
    assert answers(Case(filters=(permit(), permit(CRYPT, number=70101))))["CryptSvc"].result == "not-seen"


def test_the_services_of_the_first_seed_have_a_row_without_any_rule():
    rows = answers(Case())
    assert {name for name, row in rows.items() if row.seed} == {"CryptSvc", "wlidsvc", "wuauserv", "BITS"}
    assert {rows[name].result for name in ("CryptSvc", "wlidsvc", "wuauserv")} == {"no-rule"}


def test_that_there_is_no_rule_cannot_be_told_by_a_state_of_unknown_origin():
    assert answers(Case(lasting={}))["wuauserv"].result == "cannot-tell"


def test_blocks_of_unknown_services_may_be_those_of_each_service_that_fits():
    case = Case(process=(), lists=(), nets=(), filters=(permit(), permit(CRYPT, number=70101)))
    rows = answers(case)
    assert [(rows[name].result, rows[name].tied, rows[name].process_ids) for name in ("BITS", "CryptSvc")] == [
        ("near-miss-token", False, ())
    ] * 2
    assert "unknown" in rows["BITS"].words


def test_what_the_filter_of_a_service_let_pass_is_counted():
    passed = {"event_id": 5156, "filter_rtid": 70101, "event_origin": None, "s": 1.0}
    case = Case(events=({}, passed), filters=(permit(), permit(CRYPT, number=70101)))
    row = answers(case)["CryptSvc"]
    assert (row.result, row.matched) == ("matched", 1)


def test_a_shared_process_says_so():
    line = r"C:\Windows\System32\svchost.exe -k NetworkService"
    case = Case(
        process=(started(line),),
        lists=(listed("LocalSystem", "BITS", "CryptSvc", pid=4242),),
        nets=(),
    )
    row = answers(case)["BITS"]
    assert row.result == "near-miss-token"
    assert "hosts other services" in row.words


def test_without_a_state_nothing_can_be_told():
    made = build.judge(build.wfp({"application": build.SVCHOST, "event_origin": "Default Outbound"}))
    context = diagnose.Context(made.events, made.book, made.fits, made.marks, made.changes, made.watch)
    assert {row.result for row in diagnose.run(context).services} == {"cannot-tell"}


# What else an allow filter is for


@pytest.mark.parametrize(("account", "confidence"), [("S-1-5-19", "proven"), (USER, "possible")])
def test_an_allow_filter_for_an_account_speaks_against_the_token_only_where_the_token_may_be_its(account, confidence):
    own = build.flt(70102, "permit", tests=(build.app(build.SVCHOST), build.service(account)))
    assert finding(Case(filters=(permit(), own))).confidence == confidence


# The remedy


def test_the_remedy_names_the_services_that_would_pass_by_the_list():
    rows = listed("LocalSystem", "BITS", "wuauserv", "Schedule")
    rows["path"] = r"C:\Windows\system32\svchost.exe -k netsvcs -p"
    other = listed("LocalSystem", "Spooler")
    other["path"] = r"C:\Windows\System32\spoolsv.exe"
    opens = finding(Case(lists=(rows, other))).remedy.opens
    assert "2 other services run in svchost.exe under these accounts and would pass: Schedule and wuauserv." in opens[0]


def test_without_a_list_the_breadth_is_said_to_be_unknown():
    assert "is not told" in finding(Case(lists=(), nets=())).remedy.opens[0]


def test_narrower_remedies_are_for_the_user_and_the_addresses_that_were_seen():
    events = ({}, {"dest_address": "198.51.100.77", "dest_port": 80, "s": 2.2})
    filters = (permit(), build.flt(70103, "permit", tests=(build.app(build.SVCHOST), build.service(BITS))))
    nets = ({}, {"remote": "198.51.100.77", "remote_port": 80, "s": 2.0})
    remedy = finding(Case(events=events, filters=filters, nets=nets)).remedy
    by_user, exact = remedy.narrower
    assert all(f"'D:(A;;CC;;;{USER})'" in command for command in (*by_user.commands, *exact.commands))
    # No port opens to an address that it was not seen with.
    assert [("-RemotePort 80 " in c, "-RemoteAddress 198.51.100.77 " in c) for c in exact.commands] == [
        (True, True),
        (False, False),
    ]


def test_other_refused_connections_that_would_pass_are_counted_unless_their_token_is_known_to_be_anothers():
    other = {"process_id": 5353, "source_port": 50999, "s": 3.2}
    case = Case(events=({}, other))
    assert any("1 other refused connection" in text for text in finding(case).remedy.opens)
    shown = replace(case, nets=({}, {"local_port": 50999, "s": 3.0, "user": NETWORK}))
    assert not any("other refused" in text for text in finding(shown).remedy.opens)
