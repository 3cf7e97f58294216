"""Arbitration: the documented rules one by one, random states against all possible worlds, and what must hold."""

from __future__ import annotations

import dataclasses

import naive
import numpy as np
import pytest
from engine_build import ACCEPT, CONNECT, WF, WSH, Filter, Flow, arrays, eq, no_test, open_test, policy, yes_test
from engine_strategies import filters, flows, states
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from analyzer.engine import arbitrate, sublayers
from analyzer.engine.arbitrate import BLOCK, CANNOT_TELL, PERMIT, Told, decide, standing
from analyzer.engine.evaluate import Evaluator
from analyzer.engine.trace import trace

SLOW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
TOP = 2**64 - 1


def decision(*items, flow=None):
    return int(decide(policy(*items), arrays(flow or Flow())).decision[0])


def deciding(*items):
    return int(decide(policy(*items), arrays(Flow())).deciding[0])


# Inside a sublayer


def test_nothing_that_blocks_permits():
    assert decision(Filter("block", tests=(no_test(),))) == PERMIT


def test_a_layer_without_filters_permits_where_the_state_is_whole():
    assert decide(policy(Filter("block", layer="IPFORWARD_V4")), arrays(Flow())).decision.tolist() == [PERMIT]


def test_a_list_that_may_leave_out_layers_tells_nothing_of_an_absent_one():
    result = decide(policy(Filter("block", layer="IPFORWARD_V4"), complete=False), arrays(Flow()))
    assert (result.decision.tolist(), result.known.tolist()) == ([CANNOT_TELL], [False])


def test_a_flow_without_a_layer_cannot_be_told():
    result = decide(policy(Filter("block")), arrays(Flow(layer=None), Flow()))
    assert (result.decision.tolist(), result.known.tolist()) == ([CANNOT_TELL, BLOCK], [False, True])


def test_the_greater_weight_decides_up_to_the_last_bit():
    assert decision(Filter("block", TOP - 1), Filter("permit", TOP)) == PERMIT
    assert decision(Filter("block", TOP), Filter("permit", TOP - 1)) == BLOCK
    assert deciding(Filter("block", TOP), Filter("block", TOP - 1)) == 0


def test_a_filter_that_cannot_be_told_stays_possible_beside_the_one_below():
    items = Filter("permit", 2, (open_test(),)), Filter("block", 1)
    assert decision(*items) == CANNOT_TELL
    named = standing(policy(*items), arrays(Flow(), Flow()), np.array([0, 1]))
    assert named.candidate.tolist() == [True, True]
    assert named.only.tolist() == [False, False]
    assert named.answer.tolist() == [0, 1]


def test_what_stands_below_a_sure_match_is_out():
    items = Filter("block", 2), Filter("permit", 1)
    named = standing(policy(*items), arrays(Flow(), Flow()), np.array([0, 1]))
    assert named.candidate.tolist() == [True, False]
    assert named.only.tolist() == [True, False]
    assert named.may_decide.tolist() == [True, False]


def test_filters_of_equal_weight_have_no_order():
    assert decision(Filter("permit", 5), Filter("block", 5)) == CANNOT_TELL
    assert decision(Filter("permit", 5), Filter("permit", 5), Filter("block", 4)) == PERMIT
    assert deciding(Filter("block", 5), Filter("block", 5)) == -1


def test_a_filter_of_unknown_weight_may_stand_anywhere():
    assert decision(Filter("permit", None), Filter("block", 5)) == CANNOT_TELL
    assert decision(Filter("permit", None), Filter("permit", 5)) == PERMIT
    assert decision(Filter("block", None)) == BLOCK


@pytest.mark.parametrize("flag", ["DISABLED", "BOOTTIME"])
def test_a_filter_that_is_not_in_force_counts_for_nothing_and_says_why(flag):
    made = policy(Filter("block", flags=(flag,)), Filter("permit", 0))
    assert decide(made, arrays(Flow())).decision.tolist() == [PERMIT]
    assert "disabled" in made.left_out[0] or "boot-time" in made.left_out[0]
    assert standing(made, arrays(Flow()), np.array([0])).in_force.tolist() == [False]


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("callout-inspection", "its callout only inspects: it never decides"),
        ("FWP_ACTION_CONTINUE", "it never decides"),
        ("FWP_ACTION_NONE", "it never decides"),
        ("FWP_ACTION_NONE_NO_MATCH", "it never decides"),
    ],
)
def test_what_only_looks_never_decides(action, why):
    assert decision(Filter(action, 9), Filter("block", 1)) == BLOCK
    assert policy(Filter(action, 9), Filter("block", 1)).left_out == {0: why}


def test_an_action_that_is_not_known_may_do_anything_but_where_the_record_tells():
    made = policy(Filter("SOMETHING_ELSE", 9), Filter("block", 1))
    told = Told(np.array([0]), np.array([PERMIT], dtype=np.int8))
    assert decide(made, arrays(Flow())).decision.tolist() == [CANNOT_TELL]
    assert decide(made, arrays(Flow()), told).decision.tolist() == [PERMIT]


def test_persistent_and_indexed_filters_are_like_others():
    assert decision(Filter("block", flags=("PERSISTENT", "INDEXED", "HAS_PROVIDER_CONTEXT"))) == BLOCK


def test_a_filter_of_special_systems_alone_cannot_be_told():
    assert decision(Filter("block", flags=("GAMEOS_ONLY",))) == CANNOT_TELL


def test_a_filter_without_a_layer_is_left_out_and_named():
    made = policy(Filter("block", layer=None))
    assert made.left_out == {0: "its layer is not known"}


# Across sublayers

HIGH, LOW = {"sublayer": WSH, "sublayer_weight": 3}, {"sublayer": WF, "sublayer_weight": 2}


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [
        (Filter("permit", **HIGH), Filter("block", **LOW), BLOCK),
        (Filter("block", **HIGH), Filter("permit", **LOW), BLOCK),
        (Filter("permit", **HIGH), Filter("permit", **LOW), PERMIT),
        (Filter("permit", flags=("CLEAR_ACTION_RIGHT",), **HIGH), Filter("block", **LOW), PERMIT),
        (Filter("permit", **HIGH), Filter("block", flags=("CLEAR_ACTION_RIGHT",), **LOW), BLOCK),
        (Filter("block", **HIGH), Filter("permit", flags=("CLEAR_ACTION_RIGHT",), **LOW), BLOCK),
        (Filter("permit", tests=(open_test(),), **HIGH), Filter("block", **LOW), BLOCK),
        (Filter("block", tests=(open_test(),), **HIGH), Filter("block", **LOW), BLOCK),
        (Filter("block", tests=(open_test(),), **HIGH), Filter("permit", **LOW), CANNOT_TELL),
        (Filter("callout-terminating", **HIGH), Filter("block", **LOW), CANNOT_TELL),  # it may permit for good
        (Filter("callout-terminating", registered=False, **HIGH), Filter("permit", **LOW), BLOCK),
        (
            Filter("callout-terminating", registered=False, flags=("PERMIT_IF_CALLOUT_UNREGISTERED",), **HIGH),
            Filter("permit", **LOW),
            PERMIT,
        ),
        (Filter("permit", flags=("CLEAR_ACTION_RIGHT",), **HIGH), Filter("callout-terminating", **LOW), CANNOT_TELL),
        (Filter("block", **HIGH), Filter("callout-terminating", **LOW), BLOCK),
    ],
)
def test_block_beats_permit_but_for_a_hard_permit(high, low, expected):
    assert decision(high, low) == expected
    assert decision(low, high) == expected


def test_sublayers_without_a_weight_cannot_be_ordered():
    hard = Filter("permit", flags=("CLEAR_ACTION_RIGHT",), sublayer="A", sublayer_weight=None)
    assert decision(hard, Filter("block", sublayer="B", sublayer_weight=5)) == CANNOT_TELL
    assert decision(dataclasses.replace(hard, flags=()), Filter("block", sublayer="B", sublayer_weight=5)) == BLOCK
    assert decision(hard, Filter("permit", sublayer="B", sublayer_weight=None)) == PERMIT


def test_a_hard_block_above_stands_whatever_the_order_beneath():
    beneath = [Filter("callout-terminating", sublayer=name, sublayer_weight=1) for name in "AB"]
    assert decision(Filter("block", sublayer="C", sublayer_weight=2), *beneath) == BLOCK


def test_the_one_blocker_is_named_even_where_sublayers_have_no_order():
    open_ends = {"sublayer_weight": None}
    items = Filter("permit", sublayer="A", **open_ends), Filter("block", sublayer="B", **open_ends)
    assert deciding(*items) == 1
    assert deciding(*items, Filter("block", sublayer="C", **open_ends)) == -1


def test_too_many_orders_are_not_tried():
    items = [Filter("permit", sublayer=str(n), sublayer_weight=None) for n in range(9)]
    assert decision(*items) == PERMIT  # soft permits alone: no order makes a difference
    assert decision(*items, Filter("block", sublayer="block", sublayer_weight=None)) == BLOCK
    assert decision(*items, Filter("callout-terminating", sublayer="callout", sublayer_weight=None)) == CANNOT_TELL


def test_filters_of_no_known_sublayer_are_not_taken_for_one():
    assert decision(Filter("permit", 9, sublayer=None), Filter("block", 1, sublayer=None)) == BLOCK


def test_the_record_names_the_blocker_of_the_highest_blocking_sublayer():
    assert deciding(Filter("block", **HIGH), Filter("block", **LOW)) == 0
    assert deciding(Filter("block", **LOW), Filter("block", **HIGH)) == 1
    assert deciding(Filter("permit", **HIGH), Filter("block", **LOW)) == 1


def test_the_blocker_is_not_named_where_a_higher_one_may_block():
    items = Filter("block", tests=(open_test(),), **HIGH), Filter("block", **LOW)
    assert deciding(*items) == -1
    named = standing(policy(*items), arrays(Flow(), Flow()), np.array([0, 1]))
    assert named.may_decide.tolist() == [True, True]


def test_a_lower_blocker_beneath_a_sure_one_cannot_be_named():
    items = Filter("block", **HIGH), Filter("block", **LOW)
    named = standing(policy(*items), arrays(Flow(), Flow()), np.array([0, 1]))
    assert named.candidate.tolist() == [True, True]
    assert named.may_decide.tolist() == [True, False]


def test_a_permit_is_named_only_where_one_sublayer_permits():
    assert deciding(Filter("permit", **HIGH), Filter("permit", tests=(no_test(),), **LOW)) == 0
    assert deciding(Filter("permit", **HIGH), Filter("permit", **LOW)) == -1


# Callouts and the record


@pytest.mark.parametrize("action", ["callout-terminating", "callout-unknown"])
@pytest.mark.parametrize("said", [PERMIT, BLOCK])
def test_a_callout_is_known_where_the_record_names_it(action, said):
    made = policy(Filter(action, 9), Filter("permit" if said == BLOCK else "block", 1))
    told = Told(np.array([0]), np.array([said], dtype=np.int8))
    assert decide(made, arrays(Flow())).decision.tolist() == [CANNOT_TELL]
    assert decide(made, arrays(Flow()), told).decision.tolist() == [said]


def test_a_record_of_another_filter_says_nothing_of_a_callout():
    made = policy(Filter("callout-terminating", 9), Filter("permit", 1))
    told = Told(np.array([1]), np.array([BLOCK], dtype=np.int8))
    assert decide(made, arrays(Flow()), told).decision.tolist() == [CANNOT_TELL]


@pytest.mark.parametrize(("row", "action"), [(1, PERMIT), (-1, PERMIT), (0, CANNOT_TELL)])
def test_a_callout_that_may_go_on_is_not_ended_by_a_record_that_does_not_say_so(row, action):
    made = policy(Filter("callout-unknown", 9), Filter("permit", 1))
    told = Told(np.array([row]), np.array([action], dtype=np.int8))
    assert standing(made, arrays(Flow()), np.array([1]), told).candidate.tolist() == [True]
    ended = Told(np.array([0]), np.array([PERMIT], dtype=np.int8))
    assert standing(made, arrays(Flow()), np.array([1]), ended).candidate.tolist() == [False]


def test_a_record_does_not_bring_an_unregistered_callout_to_life():
    made = policy(Filter("callout-unknown", 9, registered=False), Filter("permit", 1))
    told = Told(np.array([0]), np.array([PERMIT], dtype=np.int8))
    assert decide(made, arrays(Flow()), told).decision.tolist() == [BLOCK]


def test_a_record_cannot_make_a_callout_match_that_does_not():
    made = policy(Filter("callout-terminating", 9, (no_test(),)), Filter("permit", 1))
    told = Told(np.array([0]), np.array([BLOCK], dtype=np.int8))
    assert decide(made, arrays(Flow()), told).decision.tolist() == [PERMIT]


# Random states against all possible worlds


def worlds(items, flow):
    """Per sublayer (highest first) its weight, the rows of its filters, and what may end it."""
    by_key = {}
    for row, item in enumerate(items):
        if naive.in_force(item) and item.layer == flow.layer:
            by_key.setdefault(item.sublayer, []).append(row)
    out = []
    for rows in by_key.values():
        members = [items[row] for row in rows]
        answers = [naive.answer(flow, item.tests) for item in members]
        ending = naive.sublayer_worlds(members, answers)
        out.append((members[0].sublayer_weight, rows, ending))
    return out


@settings(SLOW, max_examples=250)
@given(states())
def test_the_decision_is_that_of_all_worlds(items):
    flow = Flow()
    found = worlds(items, flow)
    every = naive.decisions([ending for _, _, ending in found], [weight for weight, _, _ in found])
    expected = {"permit": PERMIT, "block": BLOCK}[every.pop()] if len(every) == 1 else CANNOT_TELL
    assert decision(*items, flow=flow) == expected


@settings(SLOW, max_examples=250)
@given(states())
def test_the_candidates_are_those_of_all_worlds(items):
    flow = Flow()
    expected = {rows[place] for _, rows, ending in worlds(items, flow) for place, _ in ending if place is not None}
    rows = np.arange(len(items))
    named = standing(policy(*items), arrays(*[flow] * len(items)), rows)
    assert set(np.flatnonzero(named.candidate).tolist()) == expected
    only = {
        rows_[next(iter(ending))[0]]
        for _, rows_, ending in worlds(items, flow)
        if len({place for place, _ in ending}) == 1 and next(iter(ending))[0] is not None
    }
    assert set(np.flatnonzero(named.only).tolist()) == only


@SLOW
@given(states(most=6), st.lists(flows(), min_size=1, max_size=5))
def test_the_deciding_filter_may_decide_and_is_the_only_candidate(items, some):
    made = policy(*items)
    result = decide(made, arrays(*some))
    named = standing(made, arrays(*some), result.deciding)
    has = result.deciding >= 0
    assert named.candidate[has].all()
    assert named.only[has].all()
    assert named.may_decide[has].all()
    assert (result.decision[has] != CANNOT_TELL).all()


@SLOW
@given(states(most=6), st.lists(flows(), min_size=1, max_size=4))
def test_the_trace_of_a_flow_tells_the_same(items, some):
    made, every = policy(*items), arrays(*some)
    result = decide(made, every)
    for at in range(len(some)):
        told = trace(made, every, at)
        assert (told.decision, told.deciding) == (int(result.decision[at]), int(result.deciding[at]))
        rows = [tried.row for sublayer in told.sublayers for tried in sublayer.filters]
        named = standing(made, every.take(np.full(len(rows), at)), np.array(rows, dtype=np.int64))
        tried = [one for sublayer in told.sublayers for one in sublayer.filters]
        assert [one.candidate for one in tried] == named.candidate.tolist()


@SLOW
@given(states(most=6), st.lists(flows(), min_size=2, max_size=6))
def test_small_blocks_and_chunks_change_nothing(items, some):
    made, every = policy(*items), arrays(*some)
    whole = decide(made, every)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arbitrate, "CHUNK", 2)
        patch.setattr(sublayers, "MAX_CELLS", 2)
        parts = decide(made, every)
    assert parts.decision.tolist() == whole.decision.tolist()
    assert parts.deciding.tolist() == whole.deciding.tolist()


def test_work_beyond_the_bound_is_left_out_and_counted(monkeypatch):
    made = policy(Filter("block", tests=(yes_test(),)))
    monkeypatch.setattr(arbitrate, "MAX_WORK", 6)
    result = decide(made, arrays(*[Flow()] * 5))
    assert result.decision.tolist() == [BLOCK] * 3 + [CANNOT_TELL] * 2
    assert result.left_out.tolist() == [False] * 3 + [True] * 2


def test_the_bound_is_for_all_layers_together(monkeypatch):
    made = policy(Filter("block", tests=(yes_test(),)), Filter("block", layer=ACCEPT, tests=(yes_test(),)))
    monkeypatch.setattr(arbitrate, "MAX_WORK", 6)
    result = decide(made, arrays(*[Flow()] * 2, *[Flow(layer=ACCEPT)] * 3, Flow(layer="IPFORWARD_V4")))
    assert result.decision.tolist() == [BLOCK, BLOCK, BLOCK, CANNOT_TELL, CANNOT_TELL, PERMIT]
    assert result.left_out.tolist() == [False] * 3 + [True] * 2 + [False]


@SLOW
@given(states(most=6), st.lists(flows(), min_size=1, max_size=6), st.data())
def test_deciding_and_standing_in_one_pass_is_the_same(items, some, data):
    made, every = policy(*items), arrays(*some)
    rows = np.array([data.draw(st.integers(-1, len(items) - 1)) for _ in some], dtype=np.int64)
    decided, stands = arbitrate.decide_and_stand(made, every, rows)
    alone, named = decide(made, every), standing(made, every, rows)
    for both, one in ((decided, alone), (stands, named)):
        for field in dataclasses.fields(one):
            assert getattr(both, field.name).tolist() == getattr(one, field.name).tolist()


# What must hold when a state changes


@SLOW
@given(states(most=4), flows(layers=(CONNECT,)), filters())
def test_a_filter_below_the_one_that_ends_the_sublayer_changes_nothing(items, flow, extra):
    made = policy(*items)
    evaluator = Evaluator(made.program, arrays(flow))
    for sublayer in made.layers[CONNECT].sublayers if CONNECT in made.layers else ():
        said = sublayers.hear(evaluator, sublayer)
        if said.ended[0] == sublayers.NEVER:
            continue
        lowest = min(items[row].weight for row in sublayer.rows.tolist() if items[row].weight is not None)
        assume(lowest > 0)
        below = dataclasses.replace(extra, weight=lowest - 1, sublayer=sublayer.key, sublayer_weight=sublayer.weight)
        assert decision(*items, below, flow=flow) == decision(*items, flow=flow)


@SLOW
@given(st.lists(st.tuples(st.sampled_from(["permit", "block"]), st.booleans()), min_size=1, max_size=6))
def test_removing_the_filter_that_decides_promotes_the_next(rows):
    """In one sublayer of filters whose conditions can be told, each removal brings up the next that matches."""
    items = [
        Filter(action, 100 - place, (yes_test() if matches else no_test(),))
        for place, (action, matches) in enumerate(rows)
    ]
    made = policy(*items)
    expected = [place for place, (_, matches) in enumerate(rows) if matches]
    for place in expected:
        assert int(decide(made, arrays(Flow())).deciding[0]) == place
        items[place] = dataclasses.replace(items[place], flags=("DISABLED",))
        made = policy(*items)
    assert int(decide(made, arrays(Flow())).deciding[0]) == -1
    assert int(decide(made, arrays(Flow())).decision[0]) == PERMIT


@SLOW
@given(states(most=5), flows(layers=(CONNECT,)), st.data())
def test_knowing_more_of_a_filter_never_turns_the_decision_round(items, flow, data):
    """A condition that could not be told becomes a yes or a no."""
    open_rows = [row for row, item in enumerate(items) if open_test() in item.tests]
    assume(open_rows)
    row = data.draw(st.sampled_from(open_rows))
    learned = data.draw(st.sampled_from([yes_test(), no_test()]))
    tests = tuple(learned if test == open_test() else test for test in items[row].tests)
    changed = [dataclasses.replace(item, tests=tests) if n == row else item for n, item in enumerate(items)]
    before, after = decision(*items, flow=flow), decision(*changed, flow=flow)
    assert before in (CANNOT_TELL, after)


@SLOW
@given(flows(), st.lists(st.sampled_from(["application", "protocol", "remote", "local_port"]), max_size=3))
def test_knowing_more_of_a_flow_never_turns_an_answer_round(flow, fields):
    tests = (eq("ALE_APP_ID", flow.application), eq("IP_PROTOCOL", 6), eq("IP_LOCAL_PORT", 443))
    known = dataclasses.replace(flow, certain=True)
    less = dataclasses.replace(known, **dict.fromkeys(fields))
    assert naive.answer(less, tests) in (0, naive.answer(known, tests))
    items = [Filter("block", 9, tests, layer=flow.layer), Filter("permit", 1, layer=flow.layer)]
    before, after = decision(*items, flow=less), decision(*items, flow=known)
    assert before in (CANNOT_TELL, after)
