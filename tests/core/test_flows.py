"""Flows, attempts and verdicts: what is folded together, and that nothing is lost or counted twice."""

from __future__ import annotations

import pytest
from core_build import HOST, PROGRAM, SVCHOST, at, bind, flt, inbound, judge, processes, state, wfp

from analyzer import cells, summary, verdicts

BLOCKED_IN = inbound(5152, "198.51.100.7", "192.0.2.10", source_port=41000, dest_port=80, layer_rtid=13)


def flows_of(*rows):
    return judge(wfp(*rows)).events["flow"].tolist()


def attempts_of(*rows):
    numbers = judge(wfp(*rows)).events.set_index("record_id")["attempt"]
    return [int(numbers[n + 1]) for n in range(len(rows))]


def attempt_count(*rows):
    return len(set(attempts_of(*rows)))


# Flows


def test_client_ports_of_outbound_connections_do_not_split_a_flow():
    assert len(set(flows_of({"source_port": 50001}, {"source_port": 50002}))) == 1


def test_client_ports_of_inbound_packets_do_not_split_a_flow():
    assert len(set(flows_of(BLOCKED_IN, {**BLOCKED_IN, "source_port": 41001}))) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"dest_port": 80},
        {"dest_address": "198.51.100.8"},
        {"source_address": "192.0.2.11"},
        {"application": SVCHOST},
        {"computer": "PC-TWO"},
        {"protocol": 17},
        {"layer_rtid": 50},
    ],
)
def test_whatever_else_differs_is_another_flow(change):
    assert len(set(flows_of({}, change))) == 2


def test_two_serving_ports_of_inbound_packets_are_two_flows():
    assert len(set(flows_of(BLOCKED_IN, {**BLOCKED_IN, "dest_port": 81}))) == 2


def test_two_icmp_types_are_two_flows():
    echo = {"protocol": 1, "source_port": 8, "dest_port": 0}
    assert len(set(flows_of(echo, {**echo, "source_port": 3}))) == 2


@pytest.mark.parametrize(
    "field", ["application", "protocol", "dest_address", "source_address", "layer_rtid", "computer"]
)
def test_missing_values_group_together(field):
    first, second, other = flows_of({field: None}, {field: None, "source_port": 50002}, {})
    assert first == second != other


def test_service_port_of_each_direction():
    made = judge(wfp({}, BLOCKED_IN, bind("192.0.2.10", event_id=5159, source_port=8080))).events
    assert made.sort_values("record_id")["service_port"].tolist() == [443, 80, 8080]


# Attempts


@pytest.mark.parametrize("count", [1, 4, 5])
def test_equal_records_of_one_refused_attempt(count):
    assert attempt_count(*({"s": 0.5 * n} for n in range(count))) == 1


@pytest.mark.parametrize(("gap", "count"), [(20.9, 1), (21, 1), (21.0000001, 2), (60, 2)])
def test_a_pause_of_more_than_21_seconds_is_a_new_attempt(gap, count):
    assert attempt_count({"s": 0}, {"s": gap}) == count


def test_the_pause_counts_from_record_to_record():
    assert attempt_count(*({"s": 15 * n} for n in range(5))) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"source_port": 50002},
        {"dest_port": 80},
        {"dest_address": "198.51.100.8"},
        {"process_id": 4243},
        {"application": SVCHOST},
        {"computer": "PC-TWO"},
        {"event_id": 5152},
    ],
)
def test_records_that_differ_are_attempts_of_their_own(change):
    assert attempt_count({}, change) == 2


def test_a_pair_of_stealth_drops_of_two_filters_is_one_attempt():
    assert attempt_count(BLOCKED_IN | {"filter_rtid": 70001}, BLOCKED_IN | {"filter_rtid": 70003, "s": 0.001}) == 1


ANSWER = {
    "event_id": 5152,
    "layer_rtid": 32,
    "protocol": 1,
    "source_address": "192.0.2.10",
    "dest_address": "198.51.100.7",
    "source_port": 3,
    "dest_port": 3,
    "filter_rtid": 70003,
}


def test_the_icmp_error_that_a_packet_would_have_got_belongs_to_its_attempt():
    assert attempt_count(BLOCKED_IN, ANSWER) == 1


@pytest.mark.parametrize("change", [{"s": 1}, {"dest_address": "198.51.100.8"}, {"computer": "PC-TWO"}])
def test_an_icmp_error_of_another_moment_or_host_is_its_own_attempt(change):
    assert attempt_count(BLOCKED_IN, {**ANSWER, **change}) == 2


def test_records_out_of_order_are_folded_by_time():
    assert attempts_of({"s": 30}, {"s": 0}, {"s": 31}, {"s": 1}) == [1, 0, 1, 0]


def test_a_record_without_a_time_is_no_repeat_of_one_with_a_time():
    assert attempt_count({"s": 0}, {"s": None}) == 2
    assert attempt_count({"s": None}, {"s": None}) == 1


def test_no_events_no_attempts():
    assert judge(wfp()).events["attempt"].tolist() == []


# Verdicts

MIXED = (
    {},
    {"s": 1},
    {"s": 2, "source_port": 50002},
    {"s": 3, "application": None},
    {"s": 4, "event_id": 5156, "filter_rtid": 70002},
    {**BLOCKED_IN, "s": 5},
    {"s": 6, "event_id": 5031},
    bind("192.0.2.10", s=7, event_id=5159),
    {"s": 8, "event_origin": "Default Outbound"},
    {"s": 9, "filter_rtid": 0},
    {"s": 10, "computer": None},
    {"s": None},
)


@pytest.fixture(scope="module")
def mixed():
    return judge(wfp(*MIXED), state("state.xml", flt(70001), flt(70002, "permit")))


def verdicts_of(made):
    return verdicts.verdicts(made.events, made.book, {})


def test_verdict_counts_add_up_to_the_events(mixed):
    found = verdicts_of(mixed)
    assert sum(v.count for v in found) == len(MIXED)
    for action in ("block", "drop", "permit"):
        assert sum(v.count for v in found if v.action == action) == (mixed.events["action"] == action).sum()


def test_every_record_is_in_one_verdict(mixed):
    ids = [number for verdict in verdicts_of(mixed) for number in verdict.record_ids]
    assert sorted(ids) == list(range(1, len(MIXED) + 1))


def test_blocks_drops_and_permits_stand_apart(mixed):
    assert [v.action for v in verdicts_of(mixed)] == sorted(v.action for v in verdicts_of(mixed))
    assert all(v.kind is None for v in verdicts_of(mixed) if v.action == "permit")


def test_a_verdict_has_one_kind_grade_and_filter(mixed):
    grouped = mixed.events.groupby("verdict")[["kind", "grade", "filter_row"]].nunique(dropna=False)
    assert (grouped == 1).all(axis=None)


def test_verdicts_of_other_service_are_apart():
    started = processes(
        {"process_id": 1, "command_line": "svchost.exe -k a -s BITS", "s": -9},
        {"process_id": 2, "command_line": "svchost.exe -k a -s CryptSvc", "s": -9},
    )
    made = judge(wfp(*({"application": SVCHOST, "process_id": n} for n in (1, 2))), process=started)
    assert sorted(v.services for v in verdicts_of(made)) == [("BITS",), ("CryptSvc",)]


def test_a_verdict_shows_at_most_ten_record_ids_and_counts_all():
    made = judge(wfp(*({"s": n, "source_port": 50000 + n} for n in range(25))))
    (verdict,) = verdicts_of(made)
    assert (verdict.count, verdict.attempts, verdict.client_ports) == (25, 25, 25)
    assert verdict.record_ids == tuple(range(1, 11))


def test_attempts_of_a_verdict_are_counted_apart_from_records():
    (verdict,) = verdicts_of(judge(wfp({"s": 0}, {"s": 1}, {"s": 100})))
    assert (verdict.count, verdict.attempts) == (3, 2)


def test_times_keep_their_100_nanoseconds():
    made = judge(wfp({"s": 0.0000001}, {"s": 0.9999999}))
    (verdict,) = verdicts_of(made)
    assert verdict.first == "2026-01-01T10:00:00.0000001Z"
    assert verdict.last == "2026-01-01T10:00:00.9999999Z"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "2026-01-01T10:00:00.0000000Z"), (-0.0000001, "2026-01-01T09:59:59.9999999Z")]
)
def test_time_is_written_with_seven_decimals(seconds, text):
    assert cells.rfc3339(at(seconds)) == text


def test_a_verdict_without_any_time_says_none():
    (verdict,) = [v for v in verdicts_of(judge(wfp({"s": None}, {"computer": "PC-TWO"}))) if v.computer == HOST]
    assert (verdict.first, verdict.last) == (None, None)


def test_uncertain_order_of_one_record_makes_the_verdict_uncertain():
    made = judge(wfp(inbound(5157, "198.51.100.7", "192.0.2.10")))
    assert verdicts_of(made)[0].endpoint_order == "uncertain"


def test_programs_add_up_too(mixed):
    found = summary.programs(mixed.events)
    assert sum(p.blocks + p.drops + p.permits for p in found) == len(MIXED)
    assert {p.application for p in found} == {PROGRAM, None}


def test_the_timeline_holds_every_block_and_drop_with_a_time(mixed):
    timeline = summary.timeline(mixed.events)
    judged = mixed.events[mixed.events["kind"].notna() & mixed.events["time"].notna()]
    assert sum(sum(series.counts) for series in timeline.series) == len(judged)
