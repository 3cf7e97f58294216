"""The engine's answers against the records: what agrees, what nobody can tell, what disagrees and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from core_build import (
    ACCEPT,
    HOST,
    PROGRAM,
    SVCHOST,
    app,
    eq,
    flt,
    inbound,
    judge,
    service,
    stamp,
    state,
    wfp,
)

from analyzer import agreement, applied
from analyzer.engine import arbitrate
from analyzer.pipeline import analyze
from analyzer.readers.netevents import read_netevents_blocks
from samples.neteventswriter import NetEvent, write_netevents

if TYPE_CHECKING:
    from analyzer.agreement import Compared
    from analyzer.model.engine import Agreement

SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"
TICKETS = sorted(path.name for path in SAMPLES.glob("ticket-*"))
DEFAULT = flt(70001)
USERS = [("S-1-5-21-1-2-3-1001", rf"{HOST}\somebody")]


def compare(events, *filters, **more) -> Compared:
    result = judge(events, state("state.xml", *filters, users=USERS, **more))
    case = applied.Case(result.events, result.book, result.fits, result.marks, result.watch, result.known)
    return agreement.compare(case)


def agreed(events, *filters, **more) -> Agreement:
    found = compare(events, *filters, **more).agreement
    assert found is not None
    assert found.total == found.same_filter + found.same_decision + found.cannot_tell + found.disagrees
    return found


def counts(found: Agreement) -> tuple[int, int, int, int]:
    return found.same_filter, found.same_decision, found.cannot_tell, found.disagrees


# ------------------------------------------------------------------------------------------------ agreeing


def test_a_block_by_the_recorded_filter_is_the_same_filter():
    found = agreed(wfp({}, {"s": 1}), DEFAULT)
    assert counts(found) == (2, 0, 0, 0)
    assert found.disagreements == ()


def test_a_block_by_a_filter_that_is_not_in_the_state_is_the_same_decision():
    assert counts(agreed(wfp({"filter_rtid": 69999}), DEFAULT)) == (0, 1, 0, 0)


def test_a_block_that_several_filters_may_have_made_is_the_same_decision():
    private = flt(70002, tests=(eq("CURRENT_PROFILE_ID", 2),), weight=("UINT8", 4))
    assert counts(agreed(wfp({}), DEFAULT, private)) == (0, 1, 0, 0)


def test_a_permit_by_one_of_several_sublayers_is_the_same_filter():
    own = flt(70002, "permit", tests=(app(PROGRAM),))
    other = flt(70003, "permit", sublayer="UNIVERSAL", sublayer_weight=32768)
    events = wfp({"event_id": 5156, "filter_rtid": 70002})
    assert counts(agreed(events, DEFAULT, own, other)) == (1, 0, 0, 0)


# ------------------------------------------------------------------------------------------------ cannot tell


def test_an_unknown_token_is_no_disagreement():
    own = flt(70002, "permit", tests=(service("S-1-5-80-1-2-3-4-5"),))
    blocked = wfp({"application": SVCHOST}, {"event_id": 5156, "application": SVCHOST, "filter_rtid": 70002, "s": 1})
    found = agreed(blocked, DEFAULT, own)
    assert counts(found) == (0, 0, 2, 0)


def test_a_callout_of_another_sublayer_is_no_disagreement():
    driver = flt(70002, "callout-terminating", sublayer="UNIVERSAL", sublayer_weight=32768, callout_key="{c}")
    found = agreed(wfp({"event_id": 5156, "filter_rtid": 0}, {"s": 1, "filter_rtid": 69000}), driver)
    assert counts(found) == (0, 0, 2, 0)


def test_a_callout_that_the_record_names_decided_as_the_record_says():
    driver = flt(70002, "callout-terminating", sublayer="UNIVERSAL", sublayer_weight=32768, callout_key="{c}")
    found = agreed(wfp({"filter_rtid": 70002}), driver)
    assert (found.same_filter + found.same_decision, found.cannot_tell, found.disagrees) == (1, 0, 0)


def test_a_block_without_a_filter_does_not_contradict_a_state_that_lets_pass():
    assert counts(agreed(wfp({"filter_rtid": 0}), flt(70002, "permit"))) == (0, 0, 1, 0)


def test_what_could_be_told_of_the_recorded_filter_is_counted_apart():
    hardening = flt(70003, sublayer="MPSSVC_WSH", sublayer_weight=3, tests=(service("S-1-5-80-1-2-3-4-5"),))
    permit = wfp({"event_id": 5156, "filter_rtid": 70002})
    found = agreed(permit, flt(70002, "permit"), hardening)
    assert counts(found) == (0, 0, 1, 0)
    assert found.states[0].filter_fits == 1


# ------------------------------------------------------------------------------------------------ disagreeing


def test_the_condition_of_the_recorded_filter_that_does_not_hold_is_named():
    found = agreed(wfp({}), flt(70001, tests=(eq("IP_REMOTE_PORT", 80),)), flt(70009, sublayer="UNIVERSAL"))
    assert counts(found) == (0, 0, 0, 1)
    line = found.disagreements[0]
    assert (line.filter_id, line.field, line.condition, line.recorded) == (
        70001,
        "IP_REMOTE_PORT",
        "remote port 80",
        "443",
    )
    assert "asks for remote port 80; the record says 443" in line.cause
    assert line.record_ids == (1,)
    assert line.count == 1


def test_the_filter_that_decides_otherwise_is_named():
    found = agreed(wfp({"filter_rtid": 69999}), DEFAULT, flt(70002, "permit", tests=(app(PROGRAM),)))
    line = found.disagreements[0]
    assert (line.action, line.decision, line.filter_id) == ("block", "permit", 70002)
    assert "filter 70002 “a filter” permits this for sure: program " in line.cause


def test_a_filter_that_comes_too_late_is_no_blocker():
    first = flt(70002, tests=(eq("IP_REMOTE_PORT", 443),), weight=("UINT8", 10))
    line = agreed(wfp({}), DEFAULT, first).disagreements[0]
    assert (line.decision, line.filter_id) == ("block", 70002)
    assert "comes too late: filter 70002" in line.cause


def test_a_filter_of_another_layer_that_is_disabled_or_of_the_wrong_action_cannot_be_meant():
    layer = agreed(wfp({}), flt(70001, layer="ALE_AUTH_LISTEN_V4")).disagreements[0]
    assert "stands at another layer: listen" in layer.cause
    disabled = agreed(wfp({}), flt(70001, flags=("DISABLED",))).disagreements[0]
    assert "is not in force: it is disabled" in disabled.cause
    action = agreed(wfp({}), flt(70001, "permit")).disagreements[0]
    assert "which the record names as the blocker, permits" in action.cause


def test_equal_disagreements_are_one_line_with_their_count():
    repeated = wfp(*({"s": s, "filter_rtid": 69999, "source_port": 50000 + s} for s in range(30)))
    found = agreed(repeated, flt(70002, "permit"))
    assert [(line.count, len(line.record_ids)) for line in found.disagreements] == [(30, 10)]


def test_lines_are_bounded_and_the_rest_is_counted():
    many = wfp(*({"s": s, "filter_rtid": 69999, "dest_port": 1000 + s} for s in range(80)))
    found = agreed(many, flt(70002, "permit"))
    assert (len(found.disagreements), found.left_out, found.disagrees) == (50, 30, 80)


# ------------------------------------------------------------------------------------------------ trust


def test_a_state_that_disagrees_with_many_flows_is_trusted_less():
    many = wfp(*({"s": s, "dest_port": 1000 + s} for s in range(8)))
    result = judge(many, state("state.xml", flt(70001, "permit"), DEFAULT | {"filter_id": 70005}, users=USERS))
    case = applied.Case(result.events, result.book, result.fits, result.marks, result.watch, result.known)
    compared = agreement.compare(case)
    assert list(compared.doubts) == [(HOST, "state.xml")]
    assert "8 of 8 flows" in compared.doubts[HOST, "state.xml"]
    fits = agreement.doubtful_fits(result.fits, compared.doubts)
    assert [fit.pairing.fits for fit in fits] == [
        "unknown" if f.pairing.fits == "yes" else f.pairing.fits for f in result.fits
    ]
    assert fits[0].pairing.against[0] == compared.doubts[HOST, "state.xml"]
    assert [problem.severity for problem in agreement.problems(compared.doubts)] == ["doubtful"]


def test_what_rests_on_a_doubted_state_is_graded_lower_and_says_why():
    own = wfp({})
    result = judge(own, state("state.xml", DEFAULT, users=USERS))
    assert result.verdict()[1] == "snapshot"
    lowered = agreement.lower(result.events, ["state.xml"], {(HOST, "state.xml"): "it differs"})
    assert list(lowered["grade"]) == ["id-only"]
    assert "state.xml: it differs" in lowered["reasons"].iloc[0]
    assert list(result.events["grade"]) == ["snapshot"]


def test_one_new_filter_does_not_make_a_state_doubtful():
    # each flow passed first, and was blocked by a filter that came later
    before = [{"event_id": 5156, "s": s, "filter_rtid": 70002, "dest_port": 1000 + s} for s in range(6)]
    after = [{"s": 20 + s, "filter_rtid": 70003, "dest_port": 1000 + s} for s in range(6)]
    new = flt(70003, sublayer="UNIVERSAL", sublayer_weight=32768)
    compared = compare(wfp(*before, *after), flt(70002, "permit"), new, seconds=30)
    assert compared.agreement is not None
    assert counts(compared.agreement) == (6, 0, 0, 6)
    assert compared.doubts == {}


def test_a_state_of_another_machine_is_not_used():
    foreign = [("S-1-5-21-9-9-9-1001", r"OTHER-PC\somebody")]
    result = judge(wfp({}), state("state.xml", DEFAULT, users=foreign))
    case = applied.Case(result.events, result.book, result.fits, result.marks, result.watch, result.known)
    assert [fit.pairing.fits for fit in result.fits] == ["no"]
    assert agreement.compare(case).agreement is None


def test_inbound_flows_are_compared_at_their_own_layer():
    events = wfp(inbound(5157, "203.0.113.9", "192.0.2.10", dest_port=80, layer_rtid=ACCEPT))
    own = flt(70001, layer="ALE_AUTH_RECV_ACCEPT_V4", tests=(eq("IP_LOCAL_PORT", 80),))
    found = agreed(events, own)
    assert found.disagrees == 0


# ------------------------------------------------------------------------------------------------ real and shipped


@pytest.mark.parametrize("ticket", TICKETS)
def test_no_shipped_state_is_doubted(ticket: str):
    found = analyze([SAMPLES / ticket]).agreement
    assert found is not None
    assert found.total == found.same_filter + found.same_decision + found.cannot_tell + found.disagrees
    assert not any(item.doubted for item in found.states)


def test_the_sampler_ticket_shows_the_filters_that_came_and_went():
    found = analyze([SAMPLES / "ticket-d-sampler"]).agreement
    assert found is not None
    assert {line.action for line in found.disagreements} == {"permit"}
    assert all("Sampler: BASIC_ACTION_BLOCK" in line.cause for line in found.disagreements)


def test_sublayers_of_net_events_are_compared():
    found = analyze([SAMPLES / "ticket-g-services"]).agreement
    assert found is not None
    sublayers = found.states[0].sublayers
    assert sublayers is not None
    assert sublayers.same + sublayers.possible == 16
    assert sublayers.differs == sublayers.not_in_state == 0


def listing(*entries: tuple[int, str, str]) -> Agreement:
    """A blocked connection whose net event lists these terminating filters."""
    time = stamp(0).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    made = NetEvent(time, application=PROGRAM, terminating=entries)
    nets = [("net.xml", read_netevents_blocks([write_netevents([made])], "net.xml"))]
    other = flt(70002, "permit", tests=(app(SVCHOST),), sublayer="MPSSVC_WSH", sublayer_weight=9)
    result = judge(wfp({"s": 0.2}), state("state.xml", DEFAULT, other, users=USERS), nets=nets)
    case = applied.Case(result.events, result.book, result.fits, result.marks, result.watch, result.known)
    found = agreement.compare(case).agreement
    assert found is not None
    return found


def test_a_terminating_filter_that_the_state_rules_out_is_listed_with_its_condition():
    sublayers = listing((70001, "MPSSVC_WF", "BLOCK"), (70002, "MPSSVC_WSH", "PERMIT")).states[0].sublayers
    assert sublayers is not None
    assert (sublayers.same, sublayers.differs) == (1, 1)
    (line,) = sublayers.differences
    assert (line.sublayer, line.filter_id, line.action, line.field) == ("MPSSVC_WSH", 70002, "permit", "ALE_APP_ID")
    assert (line.count, line.record_ids) == (1, (1,))
    assert PROGRAM in (line.recorded or "")


def test_a_terminating_filter_that_did_what_the_states_cannot_do_is_a_difference():
    sublayers = listing((70001, "MPSSVC_WF", "PERMIT")).states[0].sublayers
    assert sublayers is not None
    assert [line.cause for line in sublayers.differences] == [
        "filter 70001 “a filter”, which the record names for a permit, blocks"
    ]


def test_what_is_beyond_the_bound_is_told_and_no_disagreement(monkeypatch):
    monkeypatch.setattr(arbitrate, "MAX_WORK", 1)
    found = agreed(wfp({}, {"dest_port": 80, "s": 1}), DEFAULT, flt(70002, tests=(app(SVCHOST),)))
    assert counts(found) == (0, 0, 2, 0)
    assert found.states[0].left_out == 2


def test_real_events_and_a_state_of_another_machine_do_not_agree_by_chance(shared: Path):
    result = analyze([shared / "json" / "otrf_wfp_events.jsonl.gz", shared / "xml" / "win11-22621-wfpstate.xml"])
    found = result.agreement
    if found is not None:
        assert found.total == found.same_filter + found.same_decision + found.cannot_tell + found.disagrees
        assert len(found.disagreements) <= 50
    assert not any(pairing.fits == "yes" for pairing in result.coverage.pairings)
