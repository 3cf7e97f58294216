"""Which state may speak for which log: machines that look alike, time that nobody watched, and pairs that must fit."""

from __future__ import annotations

import datetime as dt

import pytest
from core_build import (
    PROGRAM,
    SVCHOST,
    app,
    bind,
    eq,
    flt,
    host_events,
    inbound,
    judge,
    processes,
    state,
    wfp,
)

from analyzer.pipeline import analyze
from samples.evtxwriter import write_log
from samples.machine import Draft, Machine
from samples.state import Session
from samples.statewriter import write_state
from samples.story import Story
from samples.told import Cause, Event, Flow, Say

USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
PERSON = "S-1-5-21-9-9-9-1105"
DEFAULT = flt(70001)
ONE, SHORT = "PC-ONE.corp.example", "PC-ONE"


def end(local, local_port, remote, remote_port):
    return {
        "local_address": local,
        "local_port": local_port,
        "remote_address": remote,
        "remote_port": remote_port,
    }


def dump(*filters, name="state.xml", **more):
    return state(name, *(filters or (DEFAULT,)), **more)


def grades(made):
    return set(made.events["grade"])


def fits(made):
    return [fit.pairing.fits for fit in made.fits]


# Two machines


def clones(computer, address="192.168.1.5", count=8):
    """Events and filters as on two machines of one image: many ids, all fit, telling conditions, one volume."""
    blocks, rows = [], []
    for n in range(count):
        tests = [app(SVCHOST), eq("IP_REMOTE_PORT", 400 + n)]
        blocks.append(flt(70000 + n, weight=("UINT8", 10), tests=tests))
        row = {"filter_rtid": 70000 + n, "dest_port": 400 + n, "s": n, "application": SVCHOST}
        rows.append({**row, "source_address": address, "computer": computer})
    return rows, blocks


def administrator(computer):
    return processes({"subject_user_sid": PERSON, "subject_domain_name": "CORP", "computer": computer})


def test_an_administrator_of_both_machines_does_not_make_them_one():
    rows, blocks = clones(ONE)
    users = [(USER, r"PC-TWO\someone"), (PERSON, r"CORP\admin")]
    ends = [end("192.168.1.5", 50001, "192.0.2.9", 443)]
    made = judge(wfp(*rows), dump(*blocks, users=users, endpoints=ends), process=administrator(ONE))
    assert "snapshot" not in grades(made)


@pytest.mark.parametrize("address", ["192.168.1.5", "10.0.0.5"])
def test_an_administrator_and_a_private_address_do_not_tie(address):
    rows, blocks = clones(ONE, address=address, count=1)
    ends = [end("192.168.1.5", 50001, "192.0.2.9", 443)]
    made = judge(wfp(*rows), dump(*blocks, users=[(PERSON, r"CORP\admin")], endpoints=ends), process=administrator(ONE))
    assert "snapshot" not in grades(made)


@pytest.mark.parametrize("computer", [SHORT, ONE])
def test_sessions_that_name_another_host(computer):
    rows, blocks = clones(computer)
    made = judge(wfp(*rows), dump(*blocks, users=[(USER, r"PC-TWO\someone")]))
    assert "snapshot" not in grades(made)


def test_host_names_that_are_equal_only_as_far_as_netbios_goes():
    made = judge(wfp({"computer": "WORKSTATION-ACCOUNTING-01"}), dump(users=[(USER, r"WORKSTATION-ACC\someone")]))
    assert "snapshot" not in grades(made)


FIXED = {
    "time": ("192.168.1.5", 123, "192.0.2.1", 123),
    "address lease": ("192.168.1.5", 68, "192.168.1.1", 67),
    "names": ("192.168.1.5", 137, "192.168.1.255", 137),
}


@pytest.mark.parametrize("case", FIXED)
def test_connections_between_fixed_ports_are_on_every_machine(case):
    local, local_port, remote, remote_port = FIXED[case]
    more = {"event_id": 5156, "filter_rtid": 0, "protocol": 17, "application": SVCHOST}
    permitted = {**more, "source_address": local, "source_port": local_port}
    permitted |= {"dest_address": remote, "dest_port": remote_port}
    made = judge(wfp({"source_address": local}, permitted), dump(endpoints=[end(*FIXED[case])]))
    assert "snapshot" not in grades(made)


def test_a_drop_of_a_name_broadcast_does_not_tie():
    drop = inbound(5152, "203.0.113.9", "203.0.113.255", source_port=137, dest_port=137, protocol=17, layer_rtid=13)
    ends = [end("203.0.113.255", 137, "203.0.113.9", 137)]
    assert "snapshot" not in grades(judge(wfp({}, drop), dump(endpoints=ends)))


@pytest.mark.parametrize(
    "address",
    ["fd00::10", "fe80::1", "fe80::5efe:c0a8:10a", "::ffff:192.168.1.10", "192.168.1.10", "10.0.0.1", "100.64.0.1"],
)
def test_addresses_that_many_machines_have(address):
    layer = ("ALE_AUTH_CONNECT_V6", 50) if ":" in address else ("ALE_AUTH_CONNECT_V4", 48)
    remote = "2001:db8::7" if ":" in address else "198.51.100.7"
    row = {"source_address": address, "dest_address": remote, "layer_rtid": layer[1]}
    made = judge(
        wfp(row, bind(address, filter_rtid=0)), dump(flt(70001, layer=layer[0]), endpoints=[end(address, 1, remote, 2)])
    )
    assert "snapshot" not in grades(made)


# Time that nobody watched

DAY = 86400
BEGIN = dt.datetime(2026, 3, 10, 8, 0, tzinfo=dt.UTC)


class Ticket:
    """A machine with one default block, its log and its state as real files; its sessions name the machine."""

    def __init__(self, folder):
        self.folder = folder
        self.machine = Machine("hunt", windows11=False, first_id=70001)
        self.block = self.machine.add(
            Draft("Default Outbound", "ALE_AUTH_CONNECT_V4", "BLOCK", [], weight=("UINT8", 3))
        )
        self.machine.sessions.append(Session(self.machine.guid(), 99, USER, r"PC-ONE\someone", kernel=False))

    def log(self, name, *seconds, skipped=0, events=()):
        """Write a log of blocks at these seconds; ``skipped`` records are missing before the second one."""
        story = Story(ONE, name, BEGIN, 1000, windows11=False)
        for n, second in enumerate(seconds):
            flow = Flow(PROGRAM, 4242, "192.168.1.5", 50000 + n, "198.51.100.7", 443, 6)
            story.blocked(second, flow, Cause(self.block, Say("x", "x"), None))
        for second, event in events:
            story.tell(second, event)
        write_log(self.folder / f"{name}.evtx", story.records({0: skipped} if skipped else {}))

    def judged(self, second):
        """Take the state at this second; return the grades in the order of time."""
        taken = (BEGIN + dt.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        (self.folder / "wfpstate.xml").write_bytes(write_state(self.machine.state(taken)))
        return list(analyze([self.folder]).events["grade"])


def test_a_plain_ticket_fits(tmp_path):
    ticket = Ticket(tmp_path)
    ticket.log("security", 100, 200)
    assert ticket.judged(600) == ["snapshot", "snapshot"]


def test_a_state_in_a_gap_between_two_logs(tmp_path):
    ticket = Ticket(tmp_path)
    ticket.log("first", 100)
    ticket.log("second", 30 * DAY)
    assert "snapshot" not in ticket.judged(15 * DAY)


def test_an_event_before_a_gap_between_two_logs(tmp_path):
    ticket = Ticket(tmp_path)
    ticket.log("first", 100)
    ticket.log("second", 30 * DAY)
    assert ticket.judged(30 * DAY + 60) == ["id-only", "snapshot"]


def test_an_export_by_query_hides_what_came_between(tmp_path):
    ticket = Ticket(tmp_path)
    ticket.log("security", 100, 2 * DAY, skipped=5000)
    assert ticket.judged(2 * DAY + 60)[0] != "snapshot"


def test_an_export_by_query_that_holds_host_events_shows_what_came_between(tmp_path):
    ticket = Ticket(tmp_path)
    ticket.log("security", 100, 2 * DAY, skipped=5000, events=[(50, Event(4608, 0, {}))])
    assert ticket.judged(2 * DAY + 60) == ["snapshot", "snapshot"]


@pytest.mark.parametrize("name", [SHORT, "pc-one", ONE])
def test_a_start_of_windows_counts_under_any_form_of_the_name(name):
    made = judge(
        wfp({"computer": ONE}, {"computer": ONE, "s": 30}),
        dump(users=[(USER, r"PC-ONE\someone")]),
        host=host_events({"event_id": 4608, "computer": name, "s": 15}),
    )
    assert [made.verdict(1)[1], made.verdict(2)[1]] == ["id-only", "snapshot"]


# Pairs that must fit


def test_a_session_of_the_host_outweighs_a_changed_lease():
    ends = [end("10.0.0.5", 50001, "192.0.2.9", 443)]
    made = judge(
        wfp({"source_address": "192.168.1.5"}, bind("192.168.1.5", filter_rtid=0)),
        dump(users=[(USER, r"PC-ONE\someone")], endpoints=ends),
    )
    assert (made.verdict()[1], fits(made)) == ("snapshot", ["yes"])


@pytest.mark.parametrize("computer", ["PC-ONE.ad.contoso.com", "PC-ONE.x.ad.contoso.com", "PC-ONE.contoso.com"])
def test_a_user_of_the_domain_with_ids_and_a_unique_address(computer):
    rows, blocks = clones(computer, address="203.0.113.5")
    ends = [end("203.0.113.5", 50001, "192.0.2.9", 443)]
    made = judge(wfp(*rows), dump(*blocks, users=[(PERSON, r"CONTOSO\joe")], endpoints=ends))
    assert grades(made) == {"snapshot"}


def test_a_user_whose_domain_is_named_otherwise_with_an_open_connection_of_the_log():
    rows, blocks = clones("PC-ONE.ad.example.com", address="192.168.1.5")
    ends = [end("192.168.1.5", 50001, "198.51.100.7", 400)]
    made = judge(wfp(*rows), dump(*blocks, users=[(PERSON, r"FABRIKAM\joe")], endpoints=ends))
    assert grades(made) == {"snapshot"}


def test_a_state_inside_the_log_speaks_for_both_sides():
    made = judge(wfp({}, {"s": 3000}), dump(users=[(USER, r"PC-ONE\someone")], seconds=600))
    assert [made.verdict(1)[1], made.verdict(2)[1]] == ["snapshot", "snapshot"]


def test_a_state_of_the_second_boot_speaks_for_the_second_boot():
    made = judge(
        wfp({}, {"s": 100}, {"s": 300}),
        dump(users=[(USER, r"PC-ONE\someone")], seconds=200),
        host=host_events({"event_id": 4608, "s": 50}),
    )
    assert [made.verdict(n)[1] for n in (1, 2, 3)] == ["id-only", "snapshot", "snapshot"]


# Two states


def test_two_states_that_disagree_on_the_kind_of_an_id():
    own = {"users": [(USER, r"PC-ONE\someone")]}
    rule = flt(70001, weight=("UINT8", 10), tests=[app(PROGRAM)])
    for dumps in (
        (dump(**own), dump(rule, name="other.xml", **own)),
        (dump(rule, **own), dump(name="other.xml", **own)),
    ):
        made = judge(wfp({}), *dumps)
        assert made.verdict()[1] == "id-only"
        assert "another state" in made.reasons().lower()


def test_two_states_that_agree_stay_sure():
    own = {"users": [(USER, r"PC-ONE\someone")]}
    made = judge(wfp({}), dump(**own), dump(name="other.xml", seconds=90, **own))
    assert made.verdict() == ("default-outbound", "snapshot", 70001)


def test_a_third_state_does_not_outvote_two_that_disagree():
    own = {"users": [(USER, r"PC-ONE\someone")]}
    rule = flt(70001, weight=("UINT8", 10), tests=[app(PROGRAM)])
    first, second = dump(**own), dump(rule, name="other.xml", **own)
    made = judge(wfp({}), first, second, dump(name="third.xml", seconds=30, **own))
    assert made.verdict()[1] == "id-only"


def test_two_states_that_hold_the_same_permit_dispute_nothing():
    own = {"users": [(USER, r"PC-ONE\someone")]}
    allow = flt(70001, "permit", tests=[app(PROGRAM)])
    row = {"event_id": 5156}
    made = judge(wfp(row), dump(allow, **own), dump(allow, name="other.xml", seconds=90, **own))
    assert made.verdict() == (None, "snapshot", 70001)
