"""What no changed filter meets is decided alike: against the engine, on small random policies."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from review_build import CONNECT, condition, item

from analyzer.engine.addresses import Addresses
from analyzer.engine.arbitrate import decide
from analyzer.engine.flows import OUTBOUND, UNKNOWN, FlowArrays, texts
from analyzer.engine.policy import Policy, compile_policy
from analyzer.engine.tokens import UNKNOWN_TOKEN
from analyzer.propose.plumb import _row, _test
from analyzer.review.leftout import Comparable
from analyzer.review.untouched import untouched

if TYPE_CHECKING:
    from analyzer.review.identity import Item

PORTS = (80, 443, 8443)
PROTOCOLS = (6, 17)


def flows() -> FlowArrays:
    """Every protocol and port of the little world, as recorded outbound flows."""
    pairs = [(protocol, port) for protocol in PROTOCOLS for port in PORTS]
    count = len(pairs)
    unknown = np.full(count, UNKNOWN, dtype=np.int64)
    nowhere = Addresses(np.zeros(count, np.int8), np.zeros(count, np.uint64), np.zeros(count, np.uint64))
    return FlowArrays(
        layer=texts([CONNECT] * count),
        application=texts([None] * count),
        protocol=np.array([protocol for protocol, _ in pairs]),
        direction=np.full(count, OUTBOUND, dtype=np.int8),
        local=nowhere,
        remote=nowhere,
        local_port=unknown,
        remote_port=np.array([port for _, port in pairs]),
        order_certain=np.ones(count, dtype=bool),
        flags_set=np.zeros(count, np.uint32),
        flags_clear=np.zeros(count, np.uint32),
        original_profile=unknown,
        current_profile=unknown,
        interface_index=unknown,
        interface_luid=np.zeros(count, np.uint64),
        package=texts([None] * count),
        token=np.zeros(count, np.int32),
        tokens=(UNKNOWN_TOKEN,),
        ether_type=unknown,
        source_mac=unknown,
        destination_mac=unknown,
    )


@st.composite
def filters(draw: st.DrawFn) -> Item:
    conditions = [
        condition(field, value)
        for field, values in (("IP_PROTOCOL", PROTOCOLS), ("IP_REMOTE_PORT", PORTS))
        for value in draw(st.sets(st.sampled_from(values), max_size=2))
    ]
    sublayer = draw(st.sampled_from([("MPSSVC_WF", 2), ("MPSSVC_WSH", 3)]))
    return item(
        draw(st.sampled_from(["permit", "block", "callout-terminating"])),
        *conditions,
        weight=draw(st.integers(0, 5)),
        sublayer=sublayer[0],
        sublayer_weight=sublayer[1],
        flags=frozenset({"CLEAR_ACTION_RIGHT"}) if draw(st.booleans()) else frozenset(),
    )


def side(items: list[Item]) -> tuple[tuple[Item, ...], Policy]:
    placed = tuple(dataclasses.replace(found, row=at) for at, found in enumerate(items))
    frame = pd.DataFrame([_row(found) | {"flags": tuple(found.flags)} for found in placed]).astype(object)
    tests = {found.row: tuple(_test(c) for c in found.conditions) for found in placed}
    return placed, compile_policy(frame, tests)


@settings(max_examples=300, deadline=None)
@given(st.lists(filters(), min_size=1, max_size=5), st.lists(filters(), max_size=2), st.data())
def test_untouched_flows_are_decided_alike(common: list[Item], new: list[Item], data: st.DataObject) -> None:
    kept = [
        dataclasses.replace(
            found, effective=data.draw(st.integers(0, 5)) if data.draw(st.booleans()) else found.effective
        )
        for found in common
        if data.draw(st.integers(0, 3))
    ]
    after = [*kept, *new] or [common[0]]
    (one, before_policy), (two, after_policy) = side(common), side(after)
    world = flows()
    free = untouched(Comparable(one, two, frozenset({CONNECT}), ()), (before_policy, after_policy), world)
    before, later = (decide(policy, world) for policy in (before_policy, after_policy))
    assert (before.decision[free] == later.decision[free]).all()


def test_a_change_that_is_about_other_ports_touches_nothing_else() -> None:
    old = [item("permit", condition("IP_REMOTE_PORT", 443)), item("block", weight=1)]
    new = item("permit", condition("IP_REMOTE_PORT", 80))
    (one, before), (two, after) = side(old), side([*old, new])
    free = untouched(Comparable(one, two, frozenset({CONNECT}), ()), (before, after), flows())
    assert free.tolist() == [False, True, True, False, True, True]
