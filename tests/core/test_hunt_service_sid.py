"""The service-SID diagnosis never says more than its evidence carries: what weakens it, and what silences it."""

from __future__ import annotations

import dataclasses

import pytest
from core_build import (
    HOST,
    SVCHOST,
    app,
    eq,
    filter_changes,
    flt,
    host_events,
    judge,
    processes,
    rule_changes,
    service,
    state,
    wfp,
)

from analyzer import diagnose
from analyzer.model import Problem
from analyzer.wfp import services as wfp_services

USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
OWN = {"users": [(USER, rf"{HOST}\someone")]}
BITS = wfp_services.service_sid("BITS")
DEFAULT = flt(70001)
NETWORK = (eq("IP_PROTOCOL", 6), eq("IP_REMOTE_PORT", 443))
SYSTEM32 = r"C:\Windows\System32\svchost.exe"


def permit(*sids, number=70100, **more):
    """An allow filter for svchost on TCP 443, for these accounts only where some are named."""
    user = (service(*sids),) if sids else ()
    return flt(number, "permit", **{"tests": (app(SVCHOST), *user, *NETWORK), **more})


FOR_BITS = permit(BITS)


def hosting(name="BITS", path=SYSTEM32, seconds=-10):
    return {"process_id": 4242, "process_name": path, "command_line": f"{path} -k netsvcs -p -s {name}", "s": seconds}


def told(*filters, row=None, started=None, dump=None, **tables):
    """Return the judged events and the service-SID findings of one blocked svchost connection."""
    events = wfp({"application": SVCHOST, "event_origin": "Default Outbound", **(row or {})})
    start = hosting() if started is None else started
    tables["process"] = processes(start)
    made = judge(events, dump or state("state.xml", DEFAULT, *filters, **OWN), **tables)
    context = diagnose.Context(made.events, made.book, made.fits, made.marks, made.changes, made.watch)
    found = [item.finding for item in diagnose.run(context).found]
    return made, [finding for finding in found if finding.id.startswith("service-sid")]


def word(*filters, **more):
    """Return id and confidence of the one service-SID finding."""
    _, found = told(*filters, **more)
    assert len(found) == 1
    return found[0].id, found[0].confidence


def text_of(finding):
    return "\n".join((finding.summary, *finding.rationale, *(e.text for e in finding.evidence)))


POSSIBLE = ("service-sid", "possible")
UNCHECKED = ("service-sid-unchecked", "possible")


def test_nothing_in_the_way_is_likely():
    assert word(FOR_BITS) == ("service-sid", "likely")


# Between the block and the state

LATER = {
    "a rule was added": {"rule_change": rule_changes({"event_id": 4946, "s": 15})},
    "the very allow filter was added": {"filter_change": filter_changes({"filter_rtid": 70100, "s": 15})},
    "Windows started": {"host": host_events({"event_id": 4608, "s": 15})},
}


@pytest.mark.parametrize("case", LATER)
def test_an_allow_filter_that_may_be_newer_than_the_block_is_possible_at_most(case):
    assert word(FOR_BITS, **LATER[case]) in {POSSIBLE, UNCHECKED}


def test_a_missing_allow_filter_says_nothing_when_rules_changed_since_the_block():
    assert word(rule_change=rule_changes({"event_id": 4948, "s": 15})) == UNCHECKED


def test_a_block_by_a_filter_that_the_state_lacks_is_possible_at_most():
    assert word(FOR_BITS, row={"filter_rtid": 131072}) in {POSSIBLE, UNCHECKED}
    assert word(row={"filter_rtid": 131072}) == UNCHECKED


# Other allow filters that should have let it pass

RIVALS = {
    "for everybody": permit(number=70200),
    "for users and service accounts": permit("IU", "SY", "LS", "NS", number=70200),
    "for the service and everybody at once": permit(BITS, "WD", number=70200),
}


@pytest.mark.parametrize("case", RIVALS)
def test_another_allow_filter_that_fits_weakens_and_is_named(case):
    _, (finding,) = told(FOR_BITS, RIVALS[case])
    assert (finding.id, finding.confidence) == POSSIBLE
    assert any(e.filter_id == 70200 and "speaks against" in e.text for e in finding.evidence)
    assert "let such a connection pass" in text_of(finding)


def test_an_allow_filter_for_the_service_and_everybody_is_no_near_miss_of_its_own():
    assert word(permit(BITS, "WD")) == POSSIBLE


# Allow filters that cannot be judged in full


def test_a_condition_on_the_interface_cannot_be_told_from_the_event():
    tests = (*FOR_BITS["tests"], eq("IP_LOCAL_INTERFACE", 1689399649632256))
    assert word(permit(tests=tests)) == POSSIBLE


def test_an_allow_filter_of_unknown_weight_is_possible():
    assert word(permit(BITS, effective_weight=None)) == POSSIBLE


@pytest.mark.parametrize("condition", ["(Exists WIN://SYSAPPID)", "(@User.a == 1)"])
def test_a_conditional_entry_of_the_descriptor_is_possible(condition):
    open_ended = eq("ALE_USER_ID", f"O:SYG:SYD:(XA;;CC;;;{BITS};{condition})")
    assert word(permit(tests=(app(SVCHOST), open_ended, *NETWORK))) == POSSIBLE


def test_an_allow_filter_for_all_services_is_likely_and_named():
    _, (finding,) = told(permit(wfp_services.ALL_SERVICES_SID))
    assert finding.confidence == "likely"
    assert 70100 in {e.filter_id for e in finding.evidence}
    assert [(s.name, s.permits) for s in finding.services] == [("BITS", (70100,))]


# States that cannot say "not this"

UNTIED = state("state.xml", DEFAULT, seconds=86400 * 5)
BY_NUMBER = state("state.xml", DEFAULT)


def test_no_allow_filter_in_an_untied_state_is_unchecked():
    assert word(dump=UNTIED) == UNCHECKED


def test_no_allow_filter_for_a_block_known_by_number_alone_is_unchecked():
    assert word(dump=BY_NUMBER, row={"event_origin": None}) == UNCHECKED


@pytest.mark.parametrize(("severity", "expected"), [("lost", UNCHECKED), ("doubtful", ("service-sid", "not-this"))])
def test_no_allow_filter_in_a_damaged_state_is_unchecked(severity, expected):
    name, dump = state("state.xml", DEFAULT, **OWN)
    damaged = dataclasses.replace(dump, problems=(Problem(name, "line 7", severity, "a filter has no id"),))
    assert word(dump=(name, damaged)) == expected


def test_an_allow_filter_in_a_damaged_state_is_possible():
    name, dump = state("state.xml", DEFAULT, FOR_BITS, **OWN)
    damaged = dataclasses.replace(dump, problems=(Problem(name, None, "lost", "cut off"),))
    assert word(dump=(name, damaged)) == POSSIBLE


# Services that connect as themselves


@pytest.mark.parametrize("name", ["W32Time", "CDPUserSvc", "WpnUserService_1a2b3"])
def test_services_that_own_their_token_or_run_as_a_user_are_possible(name):
    near = permit(wfp_services.service_sid(name))
    assert word(near, started=hosting(name)) == POSSIBLE


# Which service it was


BREAKS = {
    "Windows started": {"event_id": 4608, "s": -5},
    "the log was cleared": {"event_id": 1102, "s": -5},
    "auditing was changed": {"event_id": 4719, "s": -5},
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_process_start_does_not_count_past_what_could_hide_its_end(case):
    made, (finding,) = told(FOR_BITS, host=host_events(BREAKS[case]))
    assert made.one()["services"] is None
    assert (finding.id, finding.confidence) == POSSIBLE


@pytest.mark.parametrize("case", BREAKS)
def test_what_came_before_the_process_started_does_not_matter(case):
    made, _ = told(FOR_BITS, host=host_events({**BREAKS[case], "s": -20}))
    assert made.one()["services"] == ("BITS",)


@pytest.mark.parametrize("folder", [r"\temp", r"\users\x\windows\system32"])
def test_a_svchost_outside_the_windows_folder_hosts_no_service(folder):
    row = {"application": rf"\device\harddiskvolume3{folder}\svchost.exe"}
    made, found = told(permit(tests=(service(BITS),)), row=row, started=hosting(path=rf"C:{folder}\svchost.exe"))
    assert made.one()["services"] is None
    assert found == []


def test_a_false_svchost_does_not_name_the_service_of_the_true_one():
    made, (finding,) = told(FOR_BITS, started=hosting(path=r"C:\temp\svchost.exe"))
    assert made.one()["services"] is None
    assert finding.confidence == "possible"
