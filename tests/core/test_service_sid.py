"""The svchost service-SID diagnosis: its rule as a table, which allow filters count, what it says, the samples."""

from __future__ import annotations

import re
from ipaddress import IPv4Network

import pytest
from core_build import (
    ACCEPT,
    HOST,
    PROGRAM,
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
from analyzer.diagnose import service_outcome
from analyzer.diagnose.service_outcome import FlowEvidence, Token, rule
from analyzer.pipeline import analyze
from analyzer.wfp import services as wfp_services

USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
OWN = {"users": [(USER, rf"{HOST}\someone")]}
BITS, CRYPT, UPDATE = (wfp_services.service_sid(name) for name in ("BITS", "CryptSvc", "wuauserv"))
SYSTEM, NETWORK = "S-1-5-18", "S-1-5-20"

# The rule as a table


def evidence(**more):
    sure = {
        "permits": {BITS: (1,)},
        "services": ("BITS",),
        "grade": "origin",
        "state_fits": "yes",
        "token": Token(USER, one_to_one=True),
        "account": SYSTEM,
    }
    return FlowEvidence(**{**sure, **more})


RULE = {
    "everything there": ({}, "proven"),
    "the state tells the kind": ({"grade": "snapshot"}, "proven"),
    "a net event tells the kind": ({"grade": "netevent"}, "proven"),
    "no token": ({"token": None}, "likely"),
    "token joined to several events": ({"token": Token(USER, one_to_one=False)}, "likely"),
    "token of the service's own account": ({"token": Token(SYSTEM, one_to_one=True)}, "not-this"),
    "account not known": ({"account": None}, "likely"),
    "kind by number only": ({"grade": "id-only"}, "possible"),
    "kind not known": ({"grade": "none"}, "possible"),
    "kind contradicted": ({"grade": "contradicted"}, "possible"),
    "state of another time": ({"state_fits": "no"}, "possible"),
    "state not tied": ({"state_fits": "unknown"}, "possible"),
    "two services in the process": ({"services": ("BITS", "CryptSvc")}, "possible"),
    "no service known": ({"services": None}, "possible"),
    "empty list of services": ({"services": ()}, "possible"),
    "no allow filter": ({"permits": {}}, "not-this"),
    "allow filters of other services": ({"permits": {CRYPT: (1,), UPDATE: (2,)}}, "not-this"),
    "name in other case": ({"services": ("bits",)}, "proven"),
    "allow filter for all services": ({"permits": {wfp_services.ALL_SERVICES_SID: (1,)}}, "proven"),
}


@pytest.mark.parametrize("case", RULE)
def test_rule(case):
    change, expected = RULE[case]
    assert rule(evidence(**change)).confidence == expected


@pytest.mark.parametrize("name", ["WpnUserService_1a2b3", "CDPUserSvc_5f3c2"])
def test_per_user_services_are_never_proven(name):
    permits = {wfp_services.service_sid(name): (1,)}
    assert rule(evidence(services=(name,), permits=permits)).confidence != "proven"


def test_a_permit_for_the_template_is_none_for_the_instance():
    permits = {wfp_services.service_sid("WpnUserService"): (1,)}
    assert rule(evidence(services=("WpnUserService_1a2b3",), permits=permits)).confidence == "not-this"


def test_services_that_run_as_a_user_are_never_proven():
    assert rule(evidence(runs_as_user=True)).confidence != "proven"


@pytest.mark.parametrize("shared", [("BITS", "wuauserv"), ("BITS", "BITS2", "CryptSvc")])
@pytest.mark.parametrize("token", [None, Token(USER, one_to_one=True)])
def test_a_shared_svchost_is_never_more_than_possible(shared, token):
    permits = {BITS: (1,), CRYPT: (2,), UPDATE: (3,)}
    assert rule(evidence(services=shared, permits=permits, token=token)).confidence == "possible"


def test_an_audit_event_alone_never_proves():
    for grade in ("event", "origin", "netevent", "snapshot", "history", "id-only", "contradicted", "none"):
        assert rule(evidence(grade=grade, token=None)).confidence != "proven"


def test_history_is_no_sure_grade():
    assert "history" not in service_outcome.SURE_GRADES


# Which allow filters count

DEFAULT = flt(70001)
ALLOW = (app(SVCHOST), service(BITS), eq("IP_PROTOCOL", 6), eq("IP_REMOTE_PORT", 443))
STARTED = {"process_id": 4242, "command_line": r"C:\Windows\System32\svchost.exe -k netsvcs -p -s BITS", "s": -10}


def permit(number=70100, **more):
    return flt(number, "permit", **{"tests": ALLOW, **more})


def findings(*filters, rows=({},), started=True, dumps=None, **tables):
    """Diagnose blocked svchost events against a state of the same host; default block first."""
    events = wfp(*({"application": SVCHOST, "event_origin": "Default Outbound", **row} for row in rows))
    given = [state("state.xml", DEFAULT, *filters, **OWN)] if dumps is None else dumps
    if started:
        tables["process"] = processes(STARTED)
    made = judge(events, *given, **tables)
    context = diagnose.Context(made.events, made.book, made.fits, made.marks, made.changes, made.watch)
    every = [item.finding for item in diagnose.run(context).found]
    return [finding for finding in every if finding.id.startswith("service-sid")]


def the_finding(*filters, **more):
    found = findings(*filters, **more)
    assert len(found) == 1
    return found[0]


def test_one_service_whose_permit_fails_in_the_user_alone_is_likely():
    finding = the_finding(permit())
    assert (finding.id, finding.confidence, finding.count) == ("service-sid", "likely", 1)
    assert [(s.name, s.service_sid, s.outcome, s.permits) for s in finding.services] == [
        ("BITS", BITS, "likely", (70100,))
    ]


def test_a_process_of_unknown_service_is_possible_for_every_permit_that_fits():
    other = permit(70101, tests=(app(SVCHOST), service(CRYPT), eq("IP_REMOTE_PORT", 443)))
    finding = the_finding(permit(), other, started=False)
    assert finding.confidence == "possible"
    assert [s.name for s in finding.services] == ["BITS", "CryptSvc"]


NO_NEAR_MISS = {
    "weight below the default block": {"effective_weight": 2 << 60},
    "weight equal to the default block": {"effective_weight": 3 << 60},
    "another sublayer": {"sublayer": "MPSSVC_WSH"},
    "another layer": {"layer": "ALE_AUTH_RECV_ACCEPT_V4"},
    "the other address family": {"layer": "ALE_AUTH_CONNECT_V6"},
    "another port": {"tests": (app(SVCHOST), service(BITS), eq("IP_REMOTE_PORT", 80))},
    "another protocol": {"tests": (app(SVCHOST), service(BITS), eq("IP_PROTOCOL", 17))},
    "another program": {"tests": (app(PROGRAM), service(BITS))},
    "limited to a user": {"tests": (app(SVCHOST), service(USER))},
    "limited to a package": {"tests": (app(SVCHOST), service("S-1-15-2-1"))},
    "no user condition": {"tests": (app(SVCHOST), eq("IP_REMOTE_PORT", 443))},
    "disabled": {"flags": ("DISABLED",)},
    "boot-time": {"flags": ("BOOTTIME",)},
    "a block": {"action": "block", "weight": ("UINT8", 10)},
    "a callout": {"action": "callout-unknown"},
}


@pytest.mark.parametrize("case", NO_NEAR_MISS)
def test_filters_that_are_no_near_miss(case):
    change = dict(NO_NEAR_MISS[case])
    action = change.pop("action", "permit")
    assert the_finding(flt(70100, action, **{"tests": ALLOW, **change})).confidence == "not-this"


def test_a_permit_for_another_address_is_no_near_miss():
    near = permit(tests=(app(SVCHOST), service(BITS), eq("IP_REMOTE_ADDRESS", IPv4Network("203.0.113.0/24"))))
    assert the_finding(near).confidence == "not-this"


def test_a_permit_for_the_right_address_is_a_near_miss():
    near = permit(tests=(app(SVCHOST), service(BITS), eq("IP_REMOTE_ADDRESS", IPv4Network("198.51.100.0/24"))))
    assert the_finding(near).confidence == "likely"


def test_a_condition_that_cannot_be_checked_leaves_a_possible_near_miss():
    near = permit(tests=(*ALLOW, eq("IP_LOCAL_INTERFACE", 1234)))
    assert the_finding(near).confidence == "possible"


def test_a_profile_that_the_event_does_not_tell_is_no_doubt():
    near = permit(tests=(*ALLOW, eq("ORIGINAL_PROFILE_ID", 2)))
    assert the_finding(near).confidence == "likely"


def test_the_blockers_own_weight_counts_not_the_catch_alls():
    per_profile = flt(70002, weight=("UINT8", 8), tests=[eq("ORIGINAL_PROFILE_ID", 2), eq("CURRENT_PROFILE_ID", 2)])
    weak = permit(effective_weight=4 << 60)
    assert the_finding(per_profile, weak, rows=[{"filter_rtid": 70002}]).confidence == "not-this"
    assert the_finding(per_profile, weak, rows=[{"filter_rtid": 70001}]).confidence == "likely"


def test_a_permit_for_all_services_counts_for_any_service():
    finding = the_finding(permit(tests=(app(SVCHOST), service(wfp_services.ALL_SERVICES_SID))))
    assert finding.confidence == "likely"


def test_a_rule_for_a_service_without_a_program_counts():
    assert the_finding(permit(tests=(service(BITS), eq("ORIGINAL_PROFILE_ID", 2)))).confidence == "likely"


def test_an_unknown_service_sid_is_named_by_its_sid():
    finding = the_finding(permit(tests=(app(SVCHOST), service("S-1-5-80-1-2-3-4-5"))), started=False)
    assert [(s.name, s.service_sid) for s in finding.services] == [(None, "S-1-5-80-1-2-3-4-5")]


def test_a_third_party_service_is_named_by_the_process_that_held_it():
    name = "ExampleAgentSvc"
    own = {**STARTED, "command_line": rf"C:\Windows\System32\svchost.exe -k example -s {name}"}
    near = permit(tests=(app(SVCHOST), service(wfp_services.service_sid(name))))
    finding = the_finding(near, started=False, process=processes(own))
    assert finding.confidence == "likely"
    assert [s.name for s in finding.services] == [name]


def test_flows_of_different_outcomes_are_findings_of_their_own():
    found = findings(permit(), rows=[{}, {"dest_port": 8530, "s": 1}])
    assert [f.confidence for f in found] == ["likely", "not-this"]


# When the diagnosis does not apply


def test_other_programs_are_no_case_of_it():
    assert findings(permit(), rows=[{"application": PROGRAM}]) == []


@pytest.mark.parametrize(
    "application",
    [r"\device\harddiskvolume3\temp\svchost.exe", r"c:\users\someone\windows-system32-svchost.exe", "svchost.exe"],
)
def test_a_program_that_only_calls_itself_svchost_is_none(application):
    assert findings(permit(), rows=[{"application": application}]) == []


@pytest.mark.parametrize(
    "row",
    [
        {"event_origin": "WSH Default"},
        {"event_origin": "Query User Default", "direction_code": "%%14592", "layer_rtid": ACCEPT},
        {"event_id": 5156, "event_origin": None},
        {"event_id": 5152},
    ],
)
def test_other_kinds_and_actions_are_no_case_of_it(row):
    assert findings(permit(), rows=[row]) == []


def test_without_a_state_it_says_that_it_cannot_tell():
    finding = the_finding(dumps=[])
    assert (finding.id, finding.confidence) == ("service-sid-unchecked", "possible")
    assert not finding.services


def test_a_state_of_another_host_is_not_used():
    other = state("state.xml", DEFAULT, permit(), users=[(USER, r"PC-TWO\someone")])
    assert the_finding(dumps=[other]).id == "service-sid-unchecked"


def test_a_state_that_permits_by_default_is_not_used():
    other = state("state.xml", flt(70001, "permit", name="Default Outbound", weight=("UINT8", 3)), permit(), **OWN)
    assert the_finding(dumps=[other]).id == "service-sid-unchecked"


BETWEEN = {
    "a start of Windows": {"host": host_events({"event_id": 4608, "s": 15})},
    "a rule that was added": {"rule_change": rule_changes({"event_id": 4946, "s": 15})},
    "another profile": {"rule_change": rule_changes({"event_id": 4956, "s": 15})},
    "the very allow filter": {"filter_change": filter_changes({"filter_rtid": 70100, "s": 15})},
}


@pytest.mark.parametrize("case", BETWEEN)
def test_what_came_between_block_and_state_leaves_no_more_than_possible(case):
    assert the_finding(permit(), **BETWEEN[case]).confidence in {"possible", "not-this"}


def test_a_state_without_ties_is_no_more_than_possible():
    assert the_finding(dumps=[state("state.xml", DEFAULT, permit())]).confidence == "possible"


# What it says


def text_of(finding):
    remedy = finding.remedy
    parts = [finding.title, finding.summary, *finding.rationale, *finding.lookalikes, *finding.collect_next]
    parts += [e.text for e in finding.evidence]
    if remedy is not None:
        parts += [remedy.text, remedy.cost or "", *remedy.commands]
    return "\n".join(parts)


def test_remedy_allows_svchost_for_the_accounts_of_the_service_on_the_blocked_port():
    command = the_finding(permit()).remedy.commands
    assert len(command) == 1
    assert "New-NetFirewallRule" in command[0]
    assert "-Direction Outbound -Action Allow" in command[0]
    assert r"-Program '%SystemRoot%\System32\svchost.exe'" in command[0]
    assert "-Protocol TCP -RemotePort 443 " in command[0]
    assert "-LocalUser 'D:(A;;CC;;;IU)(A;;CC;;;SY)'" in command[0]
    assert "-Service" not in command[0]


@pytest.mark.parametrize(
    ("name", "aliases"),
    [("wuauserv", {"IU"}), ("CryptSvc", {"SY"}), ("wlidsvc", {"LS", "NS"}), ("BITS", {"IU", "SY"}), ("DoSvc", {"IU"}),
     ("ExampleAgentSvc", {"IU", "SY", "LS", "NS"})],
)  # fmt: skip
def test_accounts_of_the_remedy_by_service(name, aliases):
    own = {**STARTED, "command_line": rf"svchost.exe -k netsvcs -s {name}"}
    near = permit(tests=(app(SVCHOST), service(wfp_services.service_sid(name))))
    finding = the_finding(near, started=False, process=processes(own))
    assert set(re.findall(r"A;;CC;;;(\w\w)", finding.remedy.commands[0])) == aliases


def test_remedy_names_exactly_the_blocked_ports_by_protocol():
    near = permit(tests=(app(SVCHOST), service(BITS)))
    rows = [{"dest_port": 443}, {"dest_port": 80, "s": 1}, {"dest_port": 3702, "protocol": 17, "s": 2}]
    commands = the_finding(near, rows=rows).remedy.commands
    assert [re.search(r"-Protocol (\w+) -RemotePort ([\d,]+)", c).groups() for c in commands] == [
        ("TCP", "80,443"),
        ("UDP", "3702"),
    ]


def test_remedy_says_what_it_weakens():
    assert "weakens" in the_finding(permit()).remedy.cost


def test_look_alikes_are_told():
    told = "\n".join(the_finding(permit()).lookalikes).lower()
    assert all(word in told for word in ("hardening", "type none", "profile", "layer"))


# "No … rule exists", in the ways that one could say it. "No allow rule matched" is what the platform itself says.
NO_RULE = re.compile(
    r"\bno (?:\w+ )*?rules? (?:exists?|is there|for (?:this|the) service)|rules? (?:does|do) not exist"
    r"|there is no (?:\w+ )*?rule\b|rule is missing|missing rule|lacks an? (?:\w+ )*?rule",
    re.IGNORECASE,
)


@pytest.mark.parametrize("filters", [(), (permit(),), (permit(tests=(app(SVCHOST), service(CRYPT))),)])
@pytest.mark.parametrize("started", [True, False])
def test_a_missing_filter_is_never_worded_as_a_missing_rule(filters, started):
    assert NO_RULE.search(text_of(the_finding(*filters, started=started))) is None


def test_a_missing_filter_is_worded_as_not_in_force_at_capture_time():
    finding = the_finding()
    assert finding.confidence == "not-this"
    assert "in force at capture time" in text_of(finding)
    assert "a rule may exist and be disabled" in text_of(finding)


def test_not_proven_says_what_would_prove_it():
    assert "netevents" in "\n".join(the_finding(permit()).collect_next)


# The samples: outcomes and permits are compared with the stories in tests/samples


@pytest.mark.parametrize("name", ["ticket-a-win11", "ticket-b-win10", "ticket-c-tour"])
def test_nothing_that_a_sample_shows_is_proven(root, name):
    folder = root / "samples" / name
    found = analyze([folder / "security.evtx", folder / "wfpstate.xml"]).findings
    outcomes = {finding.confidence for finding in found if finding.id == "service-sid"}
    assert "likely" in outcomes
    assert "proven" not in outcomes


def test_a_service_that_answers_to_the_ports_of_its_clients_makes_no_groups_without_end():
    filters = [
        flt(80000 + n, "permit", tests=(app(SVCHOST), eq("IP_PROTOCOL", 17), eq("IP_REMOTE_PORT", n), service(BITS)))
        for n in range(60)
    ]
    rows = [{"protocol": 17, "dest_port": 1024 + n, "s": n / 100} for n in range(3000)]
    found = the_finding(*filters, rows=rows, started=False)
    assert (found.confidence, found.count) == ("not-this", 3000)
    assert found.summary.count("UDP") <= 65
