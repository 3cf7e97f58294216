"""Every real state with random flows against the plain second engine, and what the engine says of real records."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import naive
import numpy as np
import pandas as pd
import pytest
from engine_build import SVCHOST, Filter, Flow, arrays
from engine_strategies import PACKAGE

from analyzer import addressing, attribution, history, markers, netjoin, processes, recall, states, watch
from analyzer.engine import recorded
from analyzer.engine.arbitrate import BLOCK, CANNOT_TELL, PERMIT, decide, standing
from analyzer.engine.conditions import by_field
from analyzer.engine.evaluate import Evaluator
from analyzer.engine.tokens import UNKNOWN_TOKEN, Token
from analyzer.hosts import hosts_by_session
from analyzer.readers.eventjson import read_event_json
from analyzer.readers.wfpstate import read_state

STATES = (
    "win11-22621-wfpstate.xml",
    "win-2023-wfpstate.xml",
    "win11-22621-french-filters.xml",
    "win11-26100-french-filters.xml",
)
NONE = "S-1-0-0"
TOKENS = (
    UNKNOWN_TOKEN,
    Token(user="S-1-5-21-1-2-3-1001", package=NONE, own=-1),
    Token(user="S-1-5-20", package=NONE),
    Token(user="S-1-5-18", package=NONE),
    Token(user="S-1-5-21-1-2-3-1001", package=PACKAGE, capabilities=frozenset({"S-1-15-3-1"})),
)
PER_LAYER = 25


@cache
def _state(shared, name):
    state = read_state(shared / "xml" / name, name)
    book = states.bind([(name, state)])
    return book, states.policy_of(book, book.snapshots[0])


@pytest.fixture(params=STATES)
def state(request, shared):
    return _state(shared, request.param)


def _flows(book, policy, layer, count, seed):
    """Random flows of a layer, half of them made to fit conditions of its filters."""
    rng = random.Random(seed)
    tests = [t for row, place in policy.places.items() if place.layer == layer for t in book.tests.get(row, ())]

    def some(field, *more):
        fitting = [
            t.value[rng.randint(0, 1)] if isinstance(t.value, tuple) else t.value for t in tests if t.field == field
        ]
        return rng.choice(fitting) if fitting and rng.random() < 0.6 else rng.choice(more)

    six = "V6" in layer
    inbound = "RECV" in layer or layer.startswith("IN")
    addresses = ("fe80::1", "ff02::1:3", "2001:db8::5") if six else ("192.0.2.10", "10.0.0.255", "224.0.0.252")
    return [
        Flow(
            layer=layer,
            application=some("ALE_APP_ID", SVCHOST, None, r"\device\harddiskvolume3\x.exe"),
            protocol=some("IP_PROTOCOL", 6, 17, None),
            direction="inbound" if inbound else "outbound" if "CONNECT" in layer or layer.startswith("OUT") else None,
            local=rng.choice([*addresses, None]),
            remote=_text(some("IP_REMOTE_ADDRESS", *addresses, None), six=six),
            local_port=some("IP_LOCAL_PORT", 0, 445, 50001, None),
            remote_port=some("IP_REMOTE_PORT", 0, 443, 50001, None),
            certain=rng.random() < 0.9,
            loopback=rng.choice([True, False, False, None]),
            wildcard=rng.choice([None, True, False]),
            original_profile=rng.choice([None, 1, 2, 3]),
            current_profile=rng.choice([None, 1, 2, 3]),
            interface_luid=some("IP_ARRIVAL_INTERFACE", None, 6 << 48, 131 << 48),
            token=rng.choice(TOKENS),
        )
        for _ in range(count)
    ]


def _text(address, *, six):
    text = None if address is None else str(address)
    return None if text is not None and (":" in text) != six else text


def _plain(book, row):
    """A filter of a state in plain form; its callout's registration is as the state lists it."""
    item = book.filters.iloc[row]
    callouts = book.snapshots[0].callouts
    listed = dict(zip(callouts["callout"], callouts["flags"], strict=True))
    key = item["callout_key"]
    registered = None if not isinstance(key, str) or key not in listed else "REGISTERED" in listed[key]
    return Filter(
        action=item["action"],
        weight=int(item["effective_weight"]),
        tests=book.tests.get(row, ()),
        sublayer=item["sublayer"],
        layer=item["layer"],
        flags=tuple(item["flags"] or ()),
        registered=registered,
    )


def test_every_filter_of_every_state_answers_as_the_plain_engine(state):
    book, policy = state
    for seed, layer in enumerate(policy.layers):
        flows = _flows(book, policy, layer, PER_LAYER, seed)
        evaluator = Evaluator(policy.program, arrays(*flows))
        for row, place in policy.places.items():
            if place.layer != layer:
                continue
            tests = book.tests.get(row, ())
            answer = evaluator.answer(row)
            expected = [naive.answer(flow, tests) for flow in flows]
            assert answer.tolist() == expected, row


def test_every_layer_of_every_state_decides_as_the_plain_engine(state):
    book, policy = state
    total = Counter()
    for seed, (layer, compiled) in enumerate(policy.layers.items()):
        flows = _flows(book, policy, layer, PER_LAYER, seed + 100)
        result = decide(policy, arrays(*flows))
        order = [item.weight for item in compiled.sublayers]
        members = [[(row, _plain(book, row)) for row in item.rows.tolist()] for item in compiled.sublayers]
        every_row = np.array([row for some in members for row, _ in some])
        for at, flow in enumerate(flows):
            ending, candidates = [], set()
            for some in members:
                found = naive.sublayer_plainly([f for _, f in some], [naive.answer(flow, f.tests) for _, f in some])
                candidates |= {some[place][0] for place, _ in found if place is not None}
                ending.append(found)
            every = _decisions(ending, order)
            expected = {"permit": PERMIT, "block": BLOCK}[every.pop()] if len(every) == 1 else CANNOT_TELL
            assert int(result.decision[at]) == expected
            total[expected] += 1
            one = arrays(flow).take(np.zeros(len(every_row), dtype=np.intp))
            named = standing(policy, one, every_row)
            assert set(every_row[named.candidate].tolist()) == candidates
    assert min(total[PERMIT], total[BLOCK], total[CANNOT_TELL]) > 0


def test_sublayers_have_the_weights_of_the_list_of_the_state(state):
    book, policy = state
    for layer in policy.layers.values():
        for sublayer in layer.sublayers:
            listed = book.filters["sublayer_weight"].iloc[int(sublayer.rows[0])]
            assert sublayer.weight == (None if pd.isna(listed) else int(listed))


def _decisions(ending, order):
    """All decisions; a state that does not tell the order is not tried in thousands of them where none matters."""
    results = [{result for _, result in found} for found in ending]
    matters = any(result and (result[2] or result == naive.HARD_PERMIT) for found in results for result in found)
    if None in order and len(order) > 5:
        if matters:
            return {"permit", "block"}
        order = list(range(len(order), 0, -1))
    return naive.decisions(ending, order)


def test_no_filter_is_lost(state):
    """Every filter has its place, or a reason why it has none."""
    book, policy = state
    assert set(policy.places) | set(policy.left_out) == set(range(len(book.filters)))
    assert not set(policy.places) & set(policy.left_out)
    why = Counter(policy.left_out.values())
    boot = sum("BOOTTIME" in (flags or ()) for flags in book.filters["flags"])
    assert sum(count for reason, count in why.items() if "boot-time" in reason) == boot


def test_filters_stand_in_the_order_of_their_exact_weights(state):
    book, policy = state
    for layer in policy.layers.values():
        for sublayer in layer.sublayers:
            weights = [int(book.filters["effective_weight"].iloc[row]) for row in sublayer.rows]
            assert weights == sorted(weights, reverse=True)
            assert len(set(weights)) == len(set(sublayer.rank.tolist()))


def test_whole_states_tell_the_order_of_sublayers_and_lists_of_filters_do_not(shared):
    for name in STATES:
        _, policy = _state(shared, name)
        whole = name.endswith("wfpstate.xml")
        assert policy.complete == whole
        several = [layer for layer in policy.layers.values() if len(layer.sublayers) > 1]
        assert several
        assert all(layer.ordered == whole for layer in several)


# Real records: the filters that 5441 and 5447 tell of, and the permits that name them

# Run-time id -> why the filter that the history tells of does not fit the events that name it.
EXCEPTIONS = {
    73165: "added 48 days before, in another recording; nothing was recorded in between: the id was given out anew",
}
KNOWN = 3022


@cache
def _history(shared):
    """Events whose filter the history tells, alive at their time and of their layer; flows; rows; the book."""
    name = "otrf_wfp_events.jsonl.gz"
    log = read_event_json(shared / "json" / name, name)
    tables, empty = log.tables, states.bind([])
    seen = watch.watched([log])
    ordered = tables["wfp"].sort_values(["time", "input", "offset"], kind="stable", ignore_index=True)
    oriented = addressing.orient(ordered, own_addresses=hosts_by_session(empty, ordered, seen))
    joined = netjoin.join(oriented, ()).events
    events = attribution.attribute(joined, tables["process"], markers.find(tables), processes.kept([log]))
    word, book = recall.recalled(events, empty, history.recall(tables, seen, [log]))
    rows = np.flatnonzero((word.row >= 0) & (word.status == history.Status.ALIVE))
    layers = book.filters["layer"].to_numpy(dtype=object)[word.row[rows]]
    same = layers == events["layer"].astype(object).to_numpy()[rows]
    events = events.iloc[rows[same]].reset_index(drop=True)
    return events, recorded.from_events(events), word.row[rows[same]], book


def test_the_recorded_filter_is_hardly_ever_refuted(shared):
    """At most 0.5 % of the permits have a filter whose conditions say no, and each of them is explained."""
    events, flows, rows, book = _history(shared)
    assert len(events) == KNOWN
    assert set(events["action"]) == {"permit"}
    refuted = Counter()
    for row in np.unique(rows):
        at = np.flatnonzero(rows == row)
        answers = by_field(flows.take(at), book.tests.get(int(row), ()))
        wrong = np.minimum.reduce([*answers.values(), np.ones(len(at), dtype=np.int8)]) < 0
        for number in events["filter_rtid"].iloc[at[wrong]]:
            refuted[int(number)] += 1
    assert refuted.total() <= 0.005 * KNOWN
    assert dict(refuted) == {73165: 4}
    assert set(refuted) <= set(EXCEPTIONS)
