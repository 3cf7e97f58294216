"""What must hold when conditions get wider or narrower, and what one flow's trace shows."""

from __future__ import annotations

import ipaddress

import numpy as np
from engine_build import CONNECT, WF, WSH, Filter, Flow, arrays, cond, eq, no_test, open_test, policy, service
from engine_strategies import conditions, flows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.engine import conditions as engine
from analyzer.engine import outcomes
from analyzer.engine.arbitrate import BLOCK, PERMIT, Told
from analyzer.engine.outcomes import orders_of
from analyzer.engine.trace import trace

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def answers(rows, tests):
    return engine.all_fields(arrays(*rows), tests)


def never_worse(rows, before, after):
    """A yes stays a yes, and what could not be told becomes no no."""
    assert (answers(rows, after) >= answers(rows, before)).all()


@SLOW
@given(st.lists(flows(), min_size=1, max_size=5), st.lists(conditions(), min_size=1, max_size=5), st.data())
def test_a_filter_with_one_field_less_is_wider(rows, tests, data):
    field = data.draw(st.sampled_from([test.field for test in tests]))
    never_worse(rows, tests, [test for test in tests if test.field != field])


@SLOW
@given(st.lists(flows(), min_size=1, max_size=5), st.lists(conditions(), min_size=1, max_size=5), conditions())
def test_one_more_alternative_is_wider_and_one_more_field_narrower(rows, tests, more):
    if more.field in {test.field for test in tests}:
        never_worse(rows, tests, [*tests, more])
    else:
        never_worse(rows, [*tests, more], tests)


@SLOW
@given(st.lists(flows(), min_size=1, max_size=5), st.sampled_from(["IP_LOCAL_PORT", "IP_PROTOCOL"]), st.data())
def test_a_range_of_numbers_gets_wider(rows, field, data):
    low, a, b, high = sorted(data.draw(st.tuples(*[st.integers(0, 65535)] * 4)))
    never_worse(rows, [cond(field, "RANGE", (a, b))], [cond(field, "RANGE", (low, high))])
    never_worse(rows, [eq(field, a)], [cond(field, "RANGE", (low, high))])
    never_worse(rows, [cond(field, "GREATER", a)], [cond(field, "GREATER_OR_EQUAL", low)])
    never_worse(rows, [cond(field, "FLAGS_ALL_SET", a | b)], [cond(field, "FLAGS_ALL_SET", a)])
    never_worse(rows, [cond(field, "FLAGS_ANY_SET", a)], [cond(field, "FLAGS_ANY_SET", a | b)])
    never_worse(rows, [cond(field, "FLAGS_NONE_SET", a | b)], [cond(field, "FLAGS_NONE_SET", a)])


@SLOW
@given(st.lists(flows(), min_size=1, max_size=5), st.sampled_from(["192.0.2.10", "fe80::1", "10.0.0.1"]), st.data())
def test_a_network_gets_wider(rows, text, data):
    address = ipaddress.ip_address(text)
    few, many = sorted(data.draw(st.tuples(*[st.integers(0, address.max_prefixlen)] * 2)))
    wide, narrow = (ipaddress.ip_network(f"{text}/{bits}", strict=False) for bits in (few, many))
    for field in ("IP_LOCAL_ADDRESS", "IP_REMOTE_ADDRESS"):
        never_worse(rows, [eq(field, narrow)], [eq(field, wide)])
        never_worse(rows, [eq(field, address)], [eq(field, narrow)])
        never_worse(rows, [cond(field, "NOT_EQUAL", wide)], [cond(field, "NOT_EQUAL", narrow)])
        ends = (wide.network_address, wide.broadcast_address)
        assert answers(rows, [eq(field, wide)]).tolist() == answers(rows, [cond(field, "RANGE", ends)]).tolist()


@SLOW
@given(st.lists(flows(), min_size=1, max_size=5), conditions())
def test_equal_and_not_equal_are_opposites(rows, test):
    if test.match != "EQUAL" or test.field == "ALE_USER_ID":
        return
    other = cond(test.field, "NOT_EQUAL", test.value)
    assert answers(rows, [test]).tolist() == (-answers(rows, [other])).tolist()


# Orders of sublayers


def test_orders_of_sublayers():
    assert orders_of([3, 2, 1]) == ((0, 1, 2),)
    assert orders_of([]) == ((),)
    assert set(orders_of([2, 2])) == {(0, 1), (1, 0)}
    assert set(orders_of([2, 1, None])) == {(0, 1, 2), (0, 2, 1), (2, 0, 1)}
    assert len(orders_of([None] * 5)) == 120
    assert orders_of([None] * 6) == ()
    assert len(orders_of([*range(30, 0, -1), None])) == 31
    assert orders_of([*range(50, 0, -1), None]) == ()
    assert orders_of(list(range(20_000))) == (tuple(range(19_999, -1, -1)),)


# The trace of one flow


def one_flow():
    return (
        Filter("permit", 9, (service("S-1-5-80-1-1-1-1-1"), eq("IP_PROTOCOL", 6))),
        Filter("permit", 8, (eq("IP_REMOTE_PORT", 80), open_test())),
        Filter("block", 3),
        Filter("permit", 1),
        Filter("permit", 5, sublayer=WSH, sublayer_weight=3),
        Filter("block", 99, flags=("DISABLED",)),
    )


def test_a_trace_shows_each_filter_and_why():
    told = trace(policy(*one_flow()), arrays(Flow()), 0)
    # Whether the service's own token came is not known: it would have been let through.
    assert (told.layer, told.known, told.ordered, told.decision, told.deciding) == (CONNECT, True, True, 0, -1)
    assert [(item.key, item.weight) for item in told.sublayers] == [(WSH, 3), (WF, 2)]
    first, second, block, last = told.sublayers[1].filters
    assert [item.row for item in told.sublayers[1].filters] == [0, 1, 2, 3]
    assert [item.answer for item in (first, second, block, last)] == [0, -1, 1, 1]
    assert [item.reached for item in (first, second, block, last)] == [True, True, True, False]
    assert [item.candidate for item in (first, second, block, last)] == [True, False, True, False]
    assert [(c.test.field, c.answer, c.recorded) for c in first.conditions] == [
        ("ALE_USER_ID", 0, None),
        ("IP_PROTOCOL", 1, "6"),
    ]
    assert [(c.test.field, c.answer, c.recorded) for c in second.conditions] == [
        ("IP_REMOTE_PORT", -1, "443"),
        ("SOMETHING_NEW_0", 0, None),
    ]
    assert told.sublayers[0].outcome == outcomes.SOFT_PERMIT
    assert told.sublayers[1].outcome == outcomes.SOFT_PERMIT | outcomes.HARD_BLOCK


def test_a_trace_of_one_flow_among_many():
    every = arrays(Flow(), Flow(remote_port=80), Flow(layer=None))
    told = trace(policy(*one_flow()), every, 1)
    assert told.sublayers[1].filters[1].conditions[0].recorded == "80"
    nothing = trace(policy(*one_flow()), every, 2)
    assert (nothing.layer, nothing.known, nothing.sublayers) == (None, False, ())


def test_a_trace_of_a_layer_without_filters():
    told = trace(policy(Filter("block", layer="IPFORWARD_V4")), arrays(Flow()), 0)
    assert (told.known, told.decision, told.sublayers) == (True, PERMIT, ())


def test_a_trace_uses_what_the_record_tells_of_a_callout():
    items = Filter("callout-unknown", 9), Filter("permit", 1), Filter("block", 0, (no_test(),))
    told = Told(np.array([-1, 0]), np.array([0, BLOCK], dtype=np.int8))
    assert trace(policy(*items), arrays(Flow(), Flow()), 0, told).decision == 0
    found = trace(policy(*items), arrays(Flow(), Flow()), 1, told)
    assert (found.decision, found.sublayers[0].filters[1].reached) == (BLOCK, False)
