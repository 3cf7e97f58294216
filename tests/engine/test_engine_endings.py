"""What a record tells of filters that it does not name: what stood before the named one did not match."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from engine_build import CONNECT, SERVICE, USER, WF, WSH, Filter, Flow, arrays, eq, open_test, policy, service
from engine_strategies import PACKAGE
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analyzer.engine import folding
from analyzer.engine.arbitrate import BLOCK, CANNOT_TELL, PERMIT, decide
from analyzer.engine.endings import Ending, Endings, coded, ending
from analyzer.engine.tokens import Token
from analyzer.engine.trace import trace

CALLOUT = "callout-terminating"


def told(flow, *said):
    """The same flow once for each thing that is told of it."""
    return dataclasses.replace(arrays(*[flow] * len(said)), endings=coded(said))


def decision(filters, flow, named, action=BLOCK, *, more=()):
    """The decision of the filters and some more, where a record names one of the former."""
    said = ending(policy(*filters), named, action)
    return int(decide(policy(*filters, *more), told(flow, said)).decision[0])


DEFAULT = Filter("block", 1)
RULE = Filter("permit", 9)
UNSURE = Filter("block", 12, (open_test(),))


def test_open_filters_before_the_blocker_did_not_match():
    before = Filter("block", 8, (open_test(),))
    assert decide(policy(before, DEFAULT, RULE), arrays(Flow())).decision[0] == PERMIT
    assert decide(policy(UNSURE, DEFAULT, RULE), arrays(Flow())).decision[0] == CANNOT_TELL
    assert decision([UNSURE, DEFAULT], Flow(), 1, more=[RULE]) == PERMIT


def test_open_permits_before_the_blocker_did_not_match_either():
    filters = [Filter("permit", 12, (open_test(),)), DEFAULT]
    assert decide(policy(*filters), arrays(Flow())).decision[0] == CANNOT_TELL
    assert decision(filters, Flow(), 1) == BLOCK


def test_a_filter_of_equal_weight_stays_open():
    filters = [Filter("permit", 5, (open_test(),)), Filter("block", 5, ())]
    assert ending(policy(*filters), 1, BLOCK).passed == frozenset()
    assert decision(filters, Flow(), 1) == CANNOT_TELL


def test_a_filter_without_a_weight_stays_open_and_names_none():
    filters = [Filter("permit", None, (open_test(),)), DEFAULT, Filter("block", 9, (open_test(1),))]
    assert ending(policy(*filters), 1, BLOCK).passed == {2}
    assert ending(policy(*filters), 0, PERMIT).passed == {1, 2}  # a permit tells that no filter blocked


def test_a_rule_that_may_not_match_leaves_it_open():
    rule = Filter("permit", 9, (service(SERVICE),))
    assert decision([UNSURE, DEFAULT], Flow(), 1, more=[rule]) == CANNOT_TELL


def test_a_rule_below_the_blocker_does_not_help():
    assert decision([UNSURE, Filter("block", 11, (open_test(1),))], Flow(), 1, more=[RULE]) == BLOCK


def test_no_higher_sublayer_has_blocked():
    """A record names the blocker of the highest blocking sublayer; an open block there can't have matched."""
    higher = Filter("block", 9, (open_test(),), sublayer=WSH, sublayer_weight=3)
    assert decision([higher, DEFAULT], Flow(), 1, more=[RULE]) == PERMIT
    # what may have permitted there is no matter
    permit = Filter("permit", 12, (open_test(1),), sublayer=WSH, sublayer_weight=3)
    assert decision([permit, higher, DEFAULT], Flow(), 2, more=[RULE]) == PERMIT


@pytest.mark.parametrize("weight", [1, None, 2])
def test_of_a_lower_sublayer_or_one_of_unknown_place_nothing_is_told(weight):
    lower = Filter("block", 9, (open_test(),), sublayer="TEREDO", sublayer_weight=weight)
    assert decision([lower, DEFAULT], Flow(), 1, more=[RULE]) == CANNOT_TELL


def test_a_callout_of_a_higher_sublayer_stays_open():
    higher = Filter(CALLOUT, 9, (), sublayer=WSH, sublayer_weight=3)
    assert decision([higher, DEFAULT], Flow(), 1, more=[RULE]) == CANNOT_TELL


def test_a_callouts_veto_does_not_tell_what_a_filter_above_it_did():
    """After a hard permit a filter's block does not count, and so it is not named."""
    filters = [
        Filter("permit", 1, (), sublayer="TOP", sublayer_weight=9, flags=("CLEAR_ACTION_RIGHT",)),
        Filter("block", 1, (open_test(),), sublayer=WSH, sublayer_weight=3),
        Filter(CALLOUT, 1),
    ]
    assert ending(policy(*filters), 2, BLOCK) == Ending(frozenset(), frozenset())


def test_a_callout_is_not_said_to_decide_the_same_again():
    assert decision([UNSURE, Filter(CALLOUT, 1)], Flow(), 1) == CANNOT_TELL


def test_a_permit_tells_that_no_filter_of_any_sublayer_blocked():
    lower = Filter("block", 9, (open_test(),), sublayer="TEREDO", sublayer_weight=1)
    assert decision([Filter("permit", 1), lower], Flow(), 0, PERMIT) == PERMIT
    hard = Filter("permit", 1, flags=("CLEAR_ACTION_RIGHT",))
    assert ending(policy(hard, lower), 0, PERMIT).passed == frozenset()


def test_a_filter_that_can_not_have_done_it_tells_nothing():
    filters = [UNSURE, DEFAULT, Filter("block", 1, flags=("DISABLED",))]
    assert ending(policy(*filters), 1, PERMIT) is None
    assert ending(policy(*filters), 2, BLOCK) is None
    assert ending(policy(*filters), -1, BLOCK) is None


def test_what_is_told_of_one_flow_is_not_told_of_another():
    filters = [UNSURE, DEFAULT]
    one = ending(policy(*filters), 1, BLOCK)
    flows = told(Flow(), one, None, one)
    distinct, where = folding.distinct(flows)
    assert len(distinct) == 2
    assert where.tolist() == [0, 1, 0]
    assert decide(policy(*filters, RULE), flows).decision.tolist() == [PERMIT, CANNOT_TELL, PERMIT]
    assert decide(policy(*filters, RULE), distinct).decision.tolist() == [PERMIT, CANNOT_TELL]
    assert [item.candidate for item in trace(policy(*filters, RULE), flows, 0).sublayers[0].filters] == [0, 1, 0]


def test_what_the_record_itself_refutes_is_not_made_true():
    """The named filter's own answer stays *no* where the record says so."""
    said = Endings(np.zeros(1, dtype=np.int32), (Ending(frozenset({0}), frozenset()),))
    flows = dataclasses.replace(arrays(Flow(remote_port=80)), endings=said)
    assert decide(policy(Filter("block", 1, (eq("IP_REMOTE_PORT", 443),))), flows).decision[0] == PERMIT


# ------------------------------------------------------------------------------------------- against full knowledge

SYSTEM = "S-1-5-18"
CONDITIONS = (
    eq("ALE_PACKAGE_ID", "S-1-0-0"),
    eq("ALE_PACKAGE_ID", PACKAGE),
    dataclasses.replace(eq("ALE_PACKAGE_ID", "S-1-0-0"), match="NOT_EQUAL"),
    service(USER),
    service(SYSTEM),
    service(USER, SYSTEM),
    eq("ORIGINAL_PROFILE_ID", 1),
    eq("IP_REMOTE_PORT", 443),
    eq("IP_REMOTE_PORT", 80),
)
SUBLAYERS = (WSH, WF, "TEREDO")


@st.composite
def machines(draw):
    """Filters as they stand (order, callouts' decisions), the same as a state shows them, and a rule to add."""
    places = draw(st.permutations([1, 2, 3]))
    told_weights = [draw(st.sampled_from([place, place, place, None])) for place in places]
    hard = draw(st.booleans())
    real, shown = [], []

    def one(*, rule):
        at = SUBLAYERS.index(WF) if rule else draw(st.integers(0, 2))
        weight = draw(st.integers(1, 4))
        action = draw(st.sampled_from(["permit", "block"]))
        tests = tuple(draw(st.lists(st.sampled_from(CONDITIONS), max_size=2, unique=True)))
        clears = action == "permit" and hard and not rule and draw(st.booleans())
        flags = ("CLEAR_ACTION_RIGHT",) if clears else ()
        # Of equal weights one comes first, and no state tells which.
        own = weight * 100 + len(real)
        item = Filter(action, own, tests, SUBLAYERS[at], places[at], flags=flags)
        kind = "plain" if rule else draw(st.sampled_from(["plain", "plain", "plain", "callout", "silent"]))
        seen = dataclasses.replace(item, weight=weight, sublayer_weight=told_weights[at])
        if kind == "callout" and not hard:
            seen = dataclasses.replace(seen, action=CALLOUT)
        elif kind == "silent":
            item = dataclasses.replace(item, action="FWP_ACTION_CONTINUE")
            seen = dataclasses.replace(seen, action="callout-unknown")
        real.append(item)
        shown.append(seen)

    for _ in range(draw(st.integers(1, 7))):
        one(rule=False)
    count = len(real)
    one(rule=True)
    return real, shown, count


@st.composite
def packets(draw):
    """A flow with all that a filter may ask for, and the same as it is recorded."""
    users = frozenset({USER, SYSTEM})
    token = Token(
        user=draw(st.sampled_from([USER, SYSTEM])),
        package=draw(st.sampled_from(["S-1-0-0", "S-1-0-0", PACKAGE])),
        capabilities=frozenset(),
        accounts=users,
    )
    whole = Flow(
        token=token, original_profile=draw(st.sampled_from([1, 2])), remote_port=draw(st.sampled_from([80, 443]))
    )
    user, package, profile = (draw(st.booleans()) for _ in range(3))
    hidden = dataclasses.replace(
        token,
        user=token.user if user else None,
        package=token.package if package else None,
        capabilities=frozenset() if package else None,
    )
    return whole, dataclasses.replace(whole, token=hidden, original_profile=whole.original_profile if profile else None)


def named(filters, flow, decided, number):
    """The row that a record of this decision names: of a block the highest blocker, of a permit any that permitted."""
    if decided == BLOCK:
        return int(decide(policy(*filters), arrays(flow)).deciding[0])
    ended = [
        item.row
        for sublayer in trace(policy(*filters), arrays(flow), 0).sublayers
        for item in sublayer.filters
        if item.candidate and filters[item.row].action == "permit"
    ]
    return ended[number % len(ended)] if ended else -1


@settings(deadline=None)
@given(machines(), packets(), st.integers(0, 3))
def test_what_is_inferred_never_contradicts_full_knowledge(machine, packet, number):
    real, shown, count = machine
    whole, recorded = packet
    before = int(decide(policy(*real[:count]), arrays(whole)).decision[0])
    after = int(decide(policy(*real), arrays(whole)).decision[0])
    assume(CANNOT_TELL not in (before, after))
    row = named(real[:count], whole, before, number)
    assume(row >= 0)
    said = ending(policy(*shown[:count]), row, before)
    assert said is not None
    for filters, true in ((shown[:count], before), (shown, after)):
        plain = int(decide(policy(*filters), arrays(recorded)).decision[0])
        known = int(decide(policy(*filters), told(recorded, said)).decision[0])
        assert known in (CANNOT_TELL, true)
        assert plain in (CANNOT_TELL, known)  # nothing is known less for it
    assert CONNECT in policy(*shown).layers
