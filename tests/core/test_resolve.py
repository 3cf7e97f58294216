"""The join: which grade a verdict gets, which filter may be shown, and what the reasons say."""

from __future__ import annotations

import functools
import itertools

import pytest
from core_build import (
    HOST,
    PROGRAM,
    SVCHOST,
    app,
    eq,
    filter_changes,
    flt,
    host_events,
    inbound,
    judge,
    processes,
    rule_changes,
    state,
    wfp,
)

from analyzer.pipeline import analyze

USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
OWN = {"users": [(USER, rf"{HOST}\someone")]}
DEFAULT = flt(70001)
GRADES = {"event", "origin", "snapshot", "id-only", "contradicted", "none"}


def tied(*filters, name="state.xml", **more):
    """A state whose session runs as an account of the log's computer."""
    return state(name, *(filters or (DEFAULT,)), **{**OWN, **more})


# event


@pytest.mark.parametrize("dumps", [(), (tied(),)])
def test_5031_says_it_itself(dumps):
    made = judge(wfp({"event_id": 5031}), *dumps)
    assert made.verdict() == ("default-inbound", "event", None)


# origin


@pytest.mark.parametrize(
    ("origin", "kind"),
    [
        ("Default Outbound", "default-outbound"),
        ("default outbound", "default-outbound"),
        ("Query User Default", "default-inbound"),
        ("Stealth", "stealth"),
        ("Boottime Default", "boot-time"),
        ("Quarantine Default", "quarantine"),
        ("WSH Default", "service-hardening"),
        ("AppContainer Loopback", "appcontainer-loopback"),
        ("UWP Default Outbound Block Rule", "app-isolation"),
        ("{0f000000-0000-4000-8000-000000000001}", "explicit-rule"),
        ("RemoteDesktop-In-TCP-Deny", "explicit-rule"),
        (r"TCP Query User{0F000000-0000-4000-8000-000000000001}C:\a.exe", "explicit-rule"),
        ("SearchFilterHost-1", "service-hardening"),
    ],
)
def test_the_events_own_origin_names_the_kind(origin, kind):
    made = judge(wfp({"event_origin": origin}))
    assert made.verdict() == (kind, "origin", None)
    assert origin in made.reasons()


def test_origin_with_an_agreeing_filter_shows_the_filter():
    block = flt(70001, origin="Default Outbound")
    assert judge(wfp({"event_origin": "Default Outbound"}), tied(block)).verdict() == (
        "default-outbound",
        "origin",
        70001,
    )


def test_origin_against_the_states_filter_keeps_the_kind_and_hides_the_filter():
    block = flt(70001, layer="ALE_AUTH_CONNECT_V4", origin="WSH Default", sublayer="MPSSVC_WSH")
    made = judge(wfp({"event_origin": "Default Outbound"}), tied(block))
    assert made.verdict() == ("default-outbound", "origin", None)
    assert "cannot be the filter that was meant" in made.reasons()
    assert "“WSH Default”" in made.reasons()


def test_rule_id_of_a_hardening_filter_is_service_hardening():
    block = flt(70001, origin="{0f000000-0000-4000-8000-000000000001}", sublayer="MPSSVC_WSH", provider="MPSSVC_WSH",
                weight=("UINT8", 0), tests=[app(PROGRAM)])  # fmt: skip
    made = judge(wfp({"event_origin": "{0F000000-0000-4000-8000-000000000001}"}), tied(block))
    assert made.verdict() == ("service-hardening", "origin", 70001)


def test_origin_unknown_proves_no_third_party():
    made = judge(wfp({"event_origin": "Unknown"}))
    assert made.verdict() == ("unresolved", "none", None)
    assert "proves no third party" in made.reasons()


def test_origin_unknown_leaves_the_word_to_the_states_filter():
    block = flt(70001, provider="{0b000000-0000-4000-8000-000000000001}", sublayer="UNIVERSAL")
    assert judge(wfp({"event_origin": "Unknown"}), tied(block)).verdict() == ("other-wfp", "snapshot", 70001)


# snapshot


def test_state_of_the_same_host_and_time_is_a_snapshot():
    assert judge(wfp({}), tied()).verdict() == ("default-outbound", "snapshot", 70001)


def test_state_inside_the_logs_time_is_a_snapshot_for_events_after_it_too():
    made = judge(wfp({}, {"s": 300}), tied(seconds=100))
    assert made.verdict(1)[1] == made.verdict(2)[1] == "snapshot"


def test_several_distinct_ids_that_fit_tie_the_two():
    remotes = [443, 80, 8443]
    blocks = [
        flt(70000 + n, weight=("UINT8", 10), tests=[app(PROGRAM), eq("IP_REMOTE_PORT", port)])
        for n, port in enumerate(remotes)
    ]
    events = wfp(*({"filter_rtid": 70000 + n, "dest_port": port} for n, port in enumerate(remotes)))
    assert judge(events, state("state.xml", *blocks)).verdict() == ("explicit-rule", "snapshot", 70000)


def test_ids_that_fit_without_telling_conditions_do_not_tie():
    blocks = [flt(70000 + n) for n in range(5)]
    made = judge(wfp(*({"filter_rtid": 70000 + n} for n in range(5))), state("state.xml", *blocks))
    assert made.verdict()[1] == "id-only"


def test_one_open_connection_of_the_log_ties_the_two():
    ends = [{"local_address": "192.0.2.10", "local_port": 50001, "remote_address": "198.51.100.7", "remote_port": 443}]
    assert judge(wfp({}), state("state.xml", DEFAULT, endpoints=ends)).verdict()[1] == "snapshot"


def test_machine_sid_ties_the_two_where_the_host_name_is_long():
    name = "WORKSTATION-NUMBER-7"
    started = processes({"subject_user_sid": USER, "subject_domain_name": name[:15], "computer": name})
    block = flt(70001, weight=("UINT8", 10), tests=[eq("ALE_USER_ID", f"D:(A;;CC;;;{USER})")])
    assert judge(wfp({"computer": name}), state("state.xml", block), process=started).verdict()[1] == "snapshot"


def test_machine_sid_ties_the_two():
    started = processes({"subject_user_sid": USER, "subject_domain_name": HOST})
    block = flt(70001, weight=("UINT8", 10), tests=[eq("ALE_USER_ID", f"D:(A;;CC;;;{USER})")])
    assert judge(wfp({}), state("state.xml", block), process=started).verdict()[1] == "snapshot"


# id-only


def lone(**more):
    return judge(wfp({}), state("state.xml", DEFAULT), **more)


def test_without_ties_the_match_is_by_number_only():
    made = lone()
    assert made.verdict() == ("default-outbound", "id-only", 70001)
    assert "number only" in made.reasons()


def test_private_address_and_volume_alone_are_no_tie():
    ends = [{"local_address": "192.168.1.5", "local_port": 1, "remote_address": "192.168.1.1", "remote_port": 2}]
    block = flt(70001, weight=("UINT8", 10), tests=[app(SVCHOST)])
    events = wfp({"source_address": "192.168.1.5", "application": SVCHOST})
    assert judge(events, state("state.xml", block, endpoints=ends)).verdict()[1] == "id-only"


@pytest.mark.parametrize("seconds", [30, 90], ids=["inside", "after the log"])
def test_a_start_of_windows_in_between_makes_it_id_only(seconds):
    made = judge(wfp({}, {"s": 60}), tied(seconds=seconds), host=host_events({"event_id": 4608, "s": 15}))
    assert made.verdict(1) == ("default-outbound", "id-only", 70001)
    assert "started in between" in made.reasons(1)


def test_a_start_before_the_event_does_not_matter():
    made = judge(wfp({"s": 20}), tied(), host=host_events({"event_id": 4608, "s": 1}))
    assert made.verdict()[1] == "snapshot"


def test_a_start_of_another_computer_does_not_matter():
    made = judge(wfp({}), tied(), host=host_events({"event_id": 4608, "s": 15, "computer": "PC-TWO"}))
    assert made.verdict()[1] == "snapshot"


@pytest.mark.parametrize("event_id", [4946, 4947, 4948, 4949, 4950, 4954, 4956])
def test_a_policy_change_in_between_makes_it_id_only(event_id):
    made = judge(wfp({}), tied(), rule_change=rule_changes({"event_id": event_id, "s": 15}))
    assert made.verdict() == ("default-outbound", "id-only", 70001)
    assert "policy changed" in made.reasons()


def test_a_filter_present_at_engine_start_marks_a_start():
    made = judge(wfp({}), tied(), filter_change=filter_changes({"event_id": 5441, "change_code": None, "s": 15}))
    assert made.verdict()[1] == "id-only"


def test_a_clock_change_in_between_makes_it_id_only():
    made = judge(wfp({}), tied(), host=host_events({"event_id": 4616, "s": 15}))
    assert made.verdict()[1] == "id-only"


def test_a_state_without_a_time_stamp_gives_no_snapshot():
    made = judge(wfp({}), tied(seconds=None))
    assert made.verdict() == ("default-outbound", "id-only", 70001)
    assert "time stamp" in made.reasons()


@pytest.mark.parametrize("seconds", [-3600, 3700, 86400 * 30])
def test_a_state_of_another_time_gives_no_snapshot(seconds):
    assert judge(wfp({}, {"s": 10}), tied(seconds=seconds)).verdict()[1] != "snapshot"


def test_an_event_without_layer_id_is_not_contradicted_by_the_layer():
    made = judge(wfp({"layer_rtid": None}), tied())
    assert made.verdict() == ("default-outbound", "id-only", 70001)


def test_a_filter_without_layer_id_gives_no_snapshot():
    made = judge(wfp({}), tied(flt(70001, layer_id=None)))
    assert made.verdict()[1] == "id-only"


def test_an_event_without_a_time_gives_no_snapshot():
    made = judge(wfp({"s": None}, {"s": 1}), tied())
    assert made.verdict(1) == ("default-outbound", "id-only", 70001)


# contradicted

BY_CONDITION = flt(70001, weight=("UINT8", 10), tests=[eq("IP_REMOTE_PORT", 80)])
CONTRADICTIONS = {
    "layer": (flt(70001, layer="ALE_AUTH_RECV_ACCEPT_V4"), "another layer"),
    "permit": (flt(70001, "permit"), "action is permit"),
    "inspection": (flt(70001, "callout-inspection"), "action is callout-inspection"),
    "condition": (BY_CONDITION, "conditions do not match"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_filter_that_cannot_be_meant_is_never_the_cause(case):
    block, said = CONTRADICTIONS[case]
    made = judge(wfp({}), tied(block))
    assert made.verdict() == ("unresolved", "contradicted", None)
    assert said in made.reasons()


def test_an_origin_unlike_the_filters_own_contradicts():
    made = judge(wfp({"event_origin": "Stealth"}), tied(flt(70001, origin="Default Outbound")))
    assert made.verdict() == ("stealth", "origin", None)
    assert "origin" in made.reasons()


@pytest.mark.parametrize("change", ["%%16384", "%%16385"])
def test_a_filter_change_of_this_id_in_between_contradicts(change):
    changed = filter_changes({"filter_rtid": 70001, "change_code": change, "s": 15})
    made = judge(wfp({}), tied(), filter_change=changed)
    assert made.verdict() == ("unresolved", "contradicted", None)
    assert "5447" in made.reasons()


@pytest.mark.parametrize("changed", [{"filter_rtid": 70002, "s": 15}, {"filter_rtid": 70001, "s": -5}])
def test_filter_changes_of_other_ids_and_times_do_not_contradict(changed):
    assert judge(wfp({}), tied(), filter_change=filter_changes(changed)).verdict()[1] == "snapshot"


def test_a_filter_change_of_another_computer_does_not_contradict():
    changed = filter_changes({"filter_rtid": 70001, "s": 15, "computer": "PC-TWO"})
    assert judge(wfp({}), tied(), filter_change=changed).verdict()[1] == "snapshot"


def test_a_state_that_names_another_host_is_never_the_cause():
    made = judge(wfp({}), state("state.xml", DEFAULT, users=[(USER, r"PC-TWO\someone")]))
    assert made.verdict() == ("unresolved", "contradicted", None)
    assert "PC-TWO" in made.reasons()


def test_a_permit_event_contradicts_a_blocking_filter():
    made = judge(wfp({"event_id": 5156}), tied())
    assert made.verdict() == (None, "contradicted", None)


# none


def test_without_a_state_nothing_is_guessed():
    made = judge(wfp({}))
    assert made.verdict() == ("unresolved", "none", None)
    assert "no state was handed in" in made.reasons()


def test_an_id_that_no_state_holds():
    made = judge(wfp({"filter_rtid": 70999}), tied())
    assert made.verdict() == ("unresolved", "none", None)
    assert "none of the states holds" in made.reasons()


def test_an_event_without_an_id():
    made = judge(wfp({"filter_rtid": None}), tied())
    assert made.verdict() == ("unresolved", "none", None)


# no filter


@pytest.mark.parametrize("event_id", [5152, 5157, 5159])
def test_id_zero_is_no_filter(event_id):
    made = judge(wfp({"event_id": event_id, "filter_rtid": 0}), tied(flt(0)))
    assert made.verdict()[0] == "no-filter"
    assert made.filter_of() is None
    assert "its run-time id is 0" in made.reasons()


def test_origin_outranks_id_zero():
    assert judge(wfp({"filter_rtid": 0, "event_origin": "Stealth"})).verdict() == ("stealth", "origin", None)


# permits


def test_a_permit_gets_its_filter_and_no_kind():
    made = judge(wfp({"event_id": 5156}), tied(flt(70001, "permit")))
    assert made.verdict() == (None, "snapshot", 70001)


def test_a_permit_with_id_zero_has_no_kind():
    assert judge(wfp({"event_id": 5156, "filter_rtid": 0}), tied()).verdict()[0] is None


def test_a_callout_can_stand_behind_a_permit():
    made = judge(wfp({"event_id": 5156}), tied(flt(70001, "callout-unknown")))
    assert made.verdict() == (None, "snapshot", 70001)


def test_a_permit_named_default_outbound_never_makes_default_outbound():
    permit = flt(70001, "permit", name="Default Outbound", weight=("UINT8", 3))
    for event_id, expected in ((5157, "unresolved"), (5156, None)):
        assert judge(wfp({"event_id": event_id}), tied(permit)).verdict()[0] == expected


def test_a_permit_named_default_outbound_with_an_origin_makes_no_default_outbound():
    permit = flt(70001, "permit", name="Default Outbound", origin="Default Outbound", weight=("UINT8", 3))
    assert judge(wfp({}), tied(permit)).verdict() == ("unresolved", "contradicted", None)


def test_origin_unknown_on_a_permit_of_windows_own_filter_is_no_contradiction():
    permit = flt(70001, "permit", sublayer="MPSSVC_QUARANTINE", origin="Quarantine Default", weight=("UINT8", 0))
    made = judge(wfp({"event_id": 5156, "event_origin": "Unknown"}), tied(permit))
    assert made.verdict() == (None, "snapshot", 70001)


def test_a_block_of_another_maker_named_default_outbound_is_not_the_firewalls_default():
    other = flt(70001, name="Default Outbound", provider="{0b000000-0000-4000-8000-000000000001}", sublayer="UNIVERSAL")
    assert judge(wfp({}), tied(other)).verdict() == ("other-wfp", "snapshot", 70001)


# several states


def test_the_best_match_wins_whatever_the_order():
    good, poor = (
        tied(name="good.xml"),
        state("poor.xml", flt(70001, weight=("UINT8", 10), tests=[app(PROGRAM)]), seconds=5),
    )
    wrong = tied(BY_CONDITION, name="wrong.xml")
    for dumps in itertools.permutations((good, poor, wrong)):
        made = judge(wfp({}), *dumps)
        assert made.verdict() == ("default-outbound", "snapshot", 70001)
        assert made.book.filters["input"].iloc[made.one()["filter_row"]] == "good.xml"


def test_of_equal_matches_the_nearer_in_time_wins():
    early, late = tied(name="early.xml", seconds=1), tied(name="late.xml", seconds=50)
    made = judge(wfp({}, {"s": 60}), late, early)
    inputs = [made.book.filters["input"].iloc[made.one(n)["filter_row"]] for n in (1, 2)]
    assert inputs == ["early.xml", "late.xml"]


def test_a_state_that_holds_the_id_wins_over_one_that_does_not():
    made = judge(wfp({}), tied(flt(70999), name="other.xml"), state("holds.xml", DEFAULT))
    assert made.verdict() == ("default-outbound", "id-only", 70001)


def test_a_state_counts_for_its_own_computer_alone():
    made = judge(wfp({}, {"computer": "PC-TWO"}), tied())
    assert made.verdict(1)[1] == "snapshot"
    assert made.verdict(2) == ("unresolved", "none", None)


# Grades of real ids


def test_a_condition_on_the_other_side_of_an_uncertain_order_does_not_contradict():
    block = flt(70001, layer="ALE_AUTH_RECV_ACCEPT_V4", weight=("UINT8", 10), tests=[eq("IP_LOCAL_PORT", 80)])
    event = inbound(5157, "198.51.100.7", "192.0.2.10", source_port=41000, dest_port=80)
    assert judge(wfp(event), tied(block)).verdict() == ("explicit-rule", "snapshot", 70001)


# Two machines


def twins(host, users, **more):
    """Many ids that fit, as on machines made from one image: telling conditions, same volume, same addresses."""
    blocks = [
        flt(70000 + n, weight=("UINT8", 10), tests=[app(SVCHOST), eq("IP_REMOTE_PORT", 400 + n)]) for n in range(8)
    ]
    ends = [{"local_address": "192.168.1.5", "local_port": 1, "remote_address": "192.168.1.1", "remote_port": 2}]
    rows = [
        {
            "filter_rtid": 70000 + n,
            "dest_port": 400 + n,
            "s": n,
            "application": SVCHOST,
            "source_address": more.pop("address", "192.168.1.5"),
            "computer": host,
        }
        for n in range(8)
    ]
    return judge(wfp(*rows), state("state.xml", *blocks, users=users, endpoints=more.pop("endpoints", ends)), **more)


def test_twins_of_one_image_with_the_right_host_name_are_one_machine():
    made = twins("PC-ONE", [(USER, r"PC-ONE\someone")])
    assert set(made.events["grade"]) == {"snapshot"}


@pytest.mark.parametrize("host", ["PC-ONE", "pc-one.corp.example", "PC-ONE.corp.example"])
def test_twins_of_one_image_with_other_host_names_give_no_snapshot(host):
    made = twins(host, [(USER, r"PC-TWO\someone")])
    assert "snapshot" not in set(made.events["grade"])
    assert (made.events["filter_row"] == -1).all() or set(made.events["grade"]) <= {"id-only"}


def test_twins_in_a_domain_with_one_link_local_address_give_no_snapshot():
    address = "fe80::1"
    ends = [{"local_address": address, "local_port": 1, "remote_address": "2001:db8::1", "remote_port": 2}]
    rows, blocks = [], []
    for n in range(8):
        rows.append({"filter_rtid": 70000 + n, "dest_port": 400 + n, "application": SVCHOST, "layer_rtid": 50})
        rows[n] |= {"source_address": address, "dest_address": "2001:db8::9", "computer": "PC-ONE.corp.example"}
        tests = [app(SVCHOST), eq("IP_REMOTE_PORT", 400 + n)]
        blocks.append(flt(70000 + n, layer="ALE_AUTH_CONNECT_V6", weight=("UINT8", 10), tests=tests))
    made = judge(wfp(*rows), state("state.xml", *blocks, users=[(USER, r"PC-TWO\someone")], endpoints=ends))
    assert "snapshot" not in set(made.events["grade"])


def test_a_domain_account_on_two_machines_is_no_tie():
    """Log of one machine, state of another: the same person worked on both, Windows lies on the same volume number."""
    person = "S-1-5-21-9-9-9-1105"
    started = processes({"subject_user_sid": person, "subject_domain_name": "CORP", "computer": "PC-ONE.corp.example"})
    block = flt(70001, weight=("UINT8", 10), tests=[app(SVCHOST), eq("ALE_USER_ID", f"D:(A;;CC;;;{person})")])
    events = wfp({"application": SVCHOST, "computer": "PC-ONE.corp.example"})
    assert judge(events, state("state.xml", block), process=started).verdict()[1] != "snapshot"


def test_one_administrator_who_captured_on_two_machines_is_no_tie():
    person = "S-1-5-21-9-9-9-1105"
    name = "PC-ONE.corp.example"
    started = processes({"subject_user_sid": person, "subject_domain_name": "CORP", "computer": name})
    block = flt(70001, weight=("UINT8", 10), tests=[app(SVCHOST)])
    foreign = state("state.xml", block, users=[(person, r"CORP\admin")])
    assert judge(wfp({"application": SVCHOST, "computer": name}), foreign, process=started).verdict()[1] != "snapshot"


@functools.cache
def _ticket(root, log, dump):
    return analyze([root / "samples" / log / "security.evtx", root / "samples" / dump / "wfpstate.xml"])


SAMPLES = ("ticket-a-win11", "ticket-b-win10", "ticket-c-tour")


@pytest.mark.parametrize(("log", "dump"), list(itertools.permutations(SAMPLES, 2)))
def test_log_and_state_of_two_samples_give_no_snapshot(root, log, dump):
    made = _ticket(root, log, dump)
    assert len(made.events) > 0
    assert "snapshot" not in set(made.events["grade"])
    assert made.coverage.state_fits != "yes"


@pytest.mark.parametrize(("log", "dump"), list(itertools.permutations(SAMPLES, 2)))
def test_log_and_state_of_two_samples_give_no_snapshot_with_near_dates(root, tmp_path, log, dump):
    own = (root / "samples" / log / "wfpstate.xml").read_text(encoding="utf-8-sig")
    other = (root / "samples" / dump / "wfpstate.xml").read_text(encoding="utf-8-sig")
    taken = own.partition("<timeStamp>")[2].partition("</timeStamp>")[0]
    theirs = other.partition("<timeStamp>")[2].partition("</timeStamp>")[0]
    moved = tmp_path / "wfpstate.xml"
    moved.write_text(other.replace(theirs, taken, 1), encoding="utf-8")
    made = analyze([root / "samples" / log / "security.evtx", moved])
    assert made.coverage.state_time is not None
    assert made.coverage.state_time[:19] == taken[:19]
    assert "snapshot" not in set(made.events["grade"])
    assert made.coverage.state_fits != "yes"


@pytest.mark.parametrize("name", SAMPLES)
def test_log_and_state_of_one_sample_fit(root, name):
    assert _ticket(root, name, name).coverage.state_fits == "yes"
