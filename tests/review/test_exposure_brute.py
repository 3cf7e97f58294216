"""Differences of two policies against brute force: every packet of a small space, judged by the plain rules."""

from __future__ import annotations

import functools
import itertools
import zlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_build import condition, item, lost

from analyzer.review import boxes, diagram, policy
from analyzer.review.conditions import DESCRIPTOR, Condition, descriptor_key, span_of
from analyzer.review.order import Rival

USERS = ("D:(A;;CC;;;S-1-5-80-1)", "D:(A;;CC;;;S-1-5-80-2)")
APPS = (r"\a.exe", r"\b.exe")
PACKETS = {
    "IP_PROTOCOL": (6, 17),
    "IP_LOCAL_PORT": (1, 2, 3, 4),
    "ALE_APP_ID": (*APPS, r"\other.exe"),
    "PROFILE": (1, 2),
    "FLAGS": (0, 1, 2, 3),
    USERS[0]: (False, True),
    USERS[1]: (False, True),
}


def holds(one: Condition, packet: dict[str, Any]) -> bool | None:
    """The plain meaning of a condition; None where the file does not tell."""
    if one.lost or one.match == "PREFIX":
        return None
    field = one.value if one.type == DESCRIPTOR else "PROFILE" if one.field.endswith("PROFILE_ID") else one.field
    return meaning(one, packet[field])


@functools.cache
def meaning(one: Condition, value: Any) -> bool:
    if one.type == DESCRIPTOR:
        return value == (one.match == "EQUAL")
    match one.match:
        case "EQUAL":
            return value == one.value
        case "NOT_EQUAL":
            return value != one.value
        case "RANGE":
            return one.value[0] <= value <= one.value[1]
        case "GREATER":
            return value > one.value
        case "LESS_OR_EQUAL":
            return value <= one.value
        case "FLAGS_ALL_SET":
            return value & one.value == one.value
        case "FLAGS_ANY_SET":
            return value & one.value != 0
        case "FLAGS_NONE_SET":
            return value & one.value == 0
    raise AssertionError(one.match)


class World:
    """One answer to everything that nobody can tell: conditions, callouts, filters of one weight."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def says(self, question: object, answers: int) -> int:
        return zlib.crc32(f"{self.seed}/{question}/{self.seed}".encode()) // 7 % answers


def matches(rival: Rival, one: Any, packet: dict[str, Any], world: World, number: int) -> bool:
    by_field: dict[str, list[bool | None]] = {}
    for test in one.conditions:
        by_field.setdefault(test.field, []).append(holds(test, packet))
    for field, answers in by_field.items():
        if None in answers:
            asked = [c for c in one.conditions if c.field == field]
            told = any(c.lost for c in asked)
            question = ("lost", number, field) if told else ("asked", field, sorted(c.text for c in asked))
            if not world.says(question, 2):
                return False
        elif not any(answers):
            return False
    return True


def decide(rivals: list[Rival], side: int, packet: dict[str, Any], world: World) -> bool:
    """Whether one side lets a packet through (REFERENCE 4.1)."""
    hard = False
    for name in ("HIGH", "LOW"):
        for number, rival, one in in_order(rivals, side, name, world):
            if not matches(rival, one, packet, world, number):
                continue
            if one.action == "block":
                if not hard:
                    return False
                break
            if one.action == "permit":
                hard = hard or "CLEAR_ACTION_RIGHT" in one.flags
                break
            outcome = world.says(("callout", one.callout), 3)
            if outcome == 0:
                return False
            if outcome == 1:
                break
    return True


def in_order(rivals: list[Rival], side: int, name: str, world: World) -> list[Any]:
    """The filters of one sublayer, the first to match first; a tie is broken for blocks or for permits."""
    own = [(number, r, r.on(side)) for number, r in enumerate(rivals) if r.on(side) and r.item.sublayer == name]
    return sorted(
        own,
        key=lambda entry: (
            -entry[2].effective,
            (entry[2].action == "permit") ^ bool(world.says(("tie", name, entry[2].effective), 2)),
        ),
    )


conditions = st.one_of(
    st.sampled_from(
        [condition("IP_PROTOCOL", 6), condition("IP_PROTOCOL", 17), condition("IP_PROTOCOL", 6, "NOT_EQUAL")]
    ),
    st.sampled_from([condition("IP_LOCAL_PORT", 2), condition("IP_LOCAL_PORT", (2, 3)), condition("IP_LOCAL_PORT", 4)]),
    st.sampled_from([condition("IP_LOCAL_PORT", 2, "GREATER"), condition("IP_LOCAL_PORT", 3, "LESS_OR_EQUAL")]),
    st.sampled_from([condition("ALE_APP_ID", APPS[0]), condition("ALE_APP_ID", APPS[1], "NOT_EQUAL")]),
    st.sampled_from([condition("ORIGINAL_PROFILE_ID", 1), condition("CURRENT_PROFILE_ID", 2)]),
    st.sampled_from([condition("FLAGS", 1, "FLAGS_NONE_SET"), condition("FLAGS", 3, "FLAGS_ALL_SET")]),
    st.sampled_from([condition("FLAGS", 3, "FLAGS_ANY_SET"), condition("FLAGS", 2, "FLAGS_ALL_SET")]),
    st.sampled_from([condition("ALE_USER_ID", USERS[0]), condition("ALE_USER_ID", USERS[1], "NOT_EQUAL")]),
)
unclear = st.sampled_from([lost(), condition("ALE_APP_ID", APPS[0], "PREFIX")])


@st.composite
def rivals(draw: Any, *, doubts: bool) -> list[Rival]:
    kinds = ["block", "permit", "permit", "hard"] + (["callout-terminating"] if doubts else [])
    out: list[Rival] = []
    count = draw(st.integers(1, 7))
    weights = draw(st.lists(st.integers(1, 5 if doubts else 60), min_size=count, max_size=count, unique=not doubts))
    for weight in weights:
        kind = draw(st.sampled_from(kinds))
        asked = draw(st.lists(st.one_of(conditions, unclear) if doubts else conditions, max_size=3))
        name = draw(st.sampled_from(["HIGH", "LOW"]))
        one = item(
            "permit" if kind == "hard" else kind,
            *asked,
            weight=weight,
            sublayer=name,
            sublayer_weight={"HIGH": 9, "LOW": 2}[name],
            callout=f"{{callout {len(out)}}}" if kind.startswith("callout") else "",
            flags=frozenset({"CLEAR_ACTION_RIGHT"} if kind == "hard" else ()),
        )
        where = draw(st.sampled_from(["both", "both", "before", "after"]))
        out.append(Rival(one if where != "after" else None, one if where != "before" else None))
    return out


def packets() -> Any:
    for values in itertools.product(*PACKETS.values()):
        yield dict(zip(PACKETS, values, strict=True))


def located(space: Any, packet: dict[str, Any]) -> dict[int, int]:
    """The atom of each axis that a packet lies in."""
    out = {}
    for at, axis in enumerate(space.axes):
        if axis.kind == "oracle":
            continue
        if axis.kind == "switch" and isinstance(axis.detail, Condition):
            yes = next(packet[user] for user in USERS if descriptor_key(user) == descriptor_key(axis.detail.value))
            out[at] = int(yes)
        elif axis.kind == "switch":
            rest = packet["FLAGS"] & ~sum(1 << bit for bit in space.flag_bits["FLAGS"] if bit >= 0)
            out[at] = int(bool(rest)) if axis.detail < 0 else packet["FLAGS"] >> axis.detail & 1
        elif axis.kind == "spans":
            out[at] = next(n for n, (low, high) in enumerate(axis.atoms) if low <= packet[axis.field] <= high)
        else:
            named = [c.value if c is not None else None for c in axis.atoms]
            out[at] = named.index(packet[axis.field]) if packet[axis.field] in named else len(named) - 1
    return out


def outcome(found: list[boxes.Region], place: dict[int, int]) -> int:
    inside = [r for r in found if all(at not in place or r.box[at] >> place[at] & 1 for at in r.box)]
    assert len(inside) <= 1, "boxes overlap"
    return inside[0].leaf.outcomes if inside else diagram.SAME


def solved(case: list[Rival]) -> tuple[policy.Policy, list[boxes.Region]]:
    made = policy.policy(case, 4)
    found, left = boxes.regions(diagram.differences(made), made.space)
    assert not left
    return made, found


def plain(case: list[Rival], packet: dict[str, Any], world: World) -> int:
    one, two = (decide(case, side, packet, world) for side in (0, 1))
    return diagram.SAME if one == two else diagram.ALLOWED if two else diagram.BLOCKED


@settings(max_examples=60, deadline=None)
@given(rivals(doubts=False))
def test_every_packet_is_judged_as_by_hand(case: list[Rival]) -> None:
    made, found = solved(case)
    for packet in packets():
        assert outcome(found, located(made.space, packet)) == plain(case, packet, World(0)), packet


@settings(max_examples=60, deadline=None)
@given(rivals(doubts=False))
def test_what_people_are_told_is_exact_in_the_main_fields(case: list[Rival]) -> None:
    """A box holds a packet of its outcome for each choice of the main fields; a whole box holds nothing else."""
    made = policy.policy(case, 4)
    tree = diagram.differences(made)
    judged = [(located(made.space, packet), plain(case, packet, World(0))) for packet in packets()]
    detail = made.space.first_detail
    for wanted in (diagram.BLOCKED, diagram.ALLOWED):
        told, left = boxes.entries(tree, made.space, wanted)
        assert not left
        met: dict[tuple[int, ...], bool] = {}
        for place, said in judged:
            inside = [r for r in told if all(at not in place or r.box[at] >> place[at] & 1 for at in r.box)]
            if said == wanted:
                assert inside, place
            assert all(said == wanted for r in inside if r.whole), place
            main = tuple(place.get(at, 0) for at in range(detail))
            met[main] = met.get(main, False) or said == wanted
        for main, some in met.items():
            covering = [r for r in told if all(r.box[at] >> main[at] & 1 for at in r.box if at < detail)]
            assert bool(covering) == some, main


@settings(max_examples=60, deadline=None)
@given(rivals(doubts=True))
def test_what_nobody_can_tell_covers_every_answer(case: list[Rival]) -> None:
    made, found = solved(case)
    for packet in packets():
        place = located(made.space, packet)
        said = outcome(found, place)
        for seed in range(6):
            assert plain(case, packet, World(seed)) & said, (packet, seed)


@settings(max_examples=40, deadline=None)
@given(rivals(doubts=True))
def test_against_itself_nothing_differs(case: list[Rival]) -> None:
    same = [Rival(r.item, r.item) for r in case]
    assert solved(same)[1] == []


def test_a_doubt_that_can_turn_out_only_one_way_is_none() -> None:
    """Whatever the callout says, a block of another sublayer is new: newly blocked or blocked before."""
    callout = item("callout-terminating", weight=5)
    block = item("block", condition("IP_PROTOCOL", 6), weight=9, sublayer="OTHER", sublayer_weight=9)
    made, found = solved([Rival(callout, callout), Rival(None, block)])
    assert [region.leaf.outcomes for region in found] == [diagram.SAME | diagram.BLOCKED]
    reasons = [made.space.axes[at].detail for at in found[0].leaf.oracles]
    assert len(reasons) == 1
    assert "callout {c}" in reasons[0]


def test_a_hard_permit_stands_against_lower_sublayers() -> None:
    hard = item("permit", sublayer="HIGH", sublayer_weight=9, flags=frozenset({"CLEAR_ACTION_RIGHT"}))
    block = item("block", condition("IP_LOCAL_PORT", 2))
    made, found = solved([Rival(block, block), Rival(None, hard)])
    assert [(r.leaf.outcomes, span_of(2)) for r in found] == [(diagram.ALLOWED, (0, (2, 2)))]
    assert located(made.space, dict.fromkeys(PACKETS, 2) | dict.fromkeys(USERS, False))


def test_a_moved_weight_is_a_change() -> None:
    permit = item("permit", condition("IP_LOCAL_PORT", 2), weight=9)
    block = item("block", weight=5)
    _made, found = solved([Rival(permit, replace(permit, effective=3)), Rival(block, block)])
    assert [r.leaf.outcomes for r in found] == [diagram.BLOCKED]


def test_too_complex_is_said() -> None:
    case = [
        Rival(None, item("block", condition("IP_LOCAL_PORT", n), condition("ALE_APP_ID", f"{n}.exe")))
        for n in range(50)
    ]
    with pytest.raises(diagram.TooComplexError):
        diagram.differences(policy.policy(case, 4), most=20)


def test_equal_weights_in_force_are_told_apart_by_their_class() -> None:
    """A dump that gives one number for all of them still says which class is which."""
    block = item("block", weight=2**63, class_=3)
    permit = item("permit", condition("IP_LOCAL_PORT", 2), weight=2**63, class_=9)
    _made, found = solved([Rival(block, block), Rival(None, permit)])
    assert [r.leaf.outcomes for r in found] == [diagram.ALLOWED]


def test_without_weights_in_force_the_class_orders_and_inside_it_nobody_knows() -> None:
    default = item("block", weight=None, class_=3)
    permit = item("permit", condition("IP_LOCAL_PORT", 2), weight=None, class_=9)
    block = item("block", condition("IP_PROTOCOL", 6), weight=None, class_=9)
    made, found = solved([Rival(default, default), Rival(None, permit), Rival(block, block)])
    assert sorted(r.leaf.outcomes for r in found) == [diagram.ALLOWED, diagram.SAME | diagram.ALLOWED]
    unclear = next(r for r in found if r.leaf.oracles)
    assert "comes first" in made.space.axes[min(unclear.leaf.oracles)].detail
    unplaced = item("permit", condition("IP_LOCAL_PORT", 2), weight=None)
    _made, found = solved([Rival(default, default), Rival(None, unplaced)])
    assert [r.leaf.outcomes for r in found] == [diagram.SAME | diagram.ALLOWED]


def test_details_of_one_box_are_widened_to_all_of_it() -> None:
    """One kind of interface for one user, another for all others: both kinds, and not all of it."""
    ethernet, wifi = (condition("ARRIVAL_INTERFACE_TYPE", number) for number in (6, 71))
    mine, others = condition("ALE_USER_ID", USERS[0]), condition("ALE_USER_ID", USERS[0], "NOT_EQUAL")
    case = [Rival(None, item("block", ethernet, mine)), Rival(None, item("block", wifi, others))]
    made = policy.policy(case, 4)
    told, _ = boxes.entries(diagram.differences(made), made.space, diagram.BLOCKED)
    (region,) = told
    assert not region.whole
    ((at, atoms),) = region.box.items()
    axis = made.space.axes[at]
    assert [span for n, span in enumerate(axis.atoms) if atoms >> n & 1] == [(6, 6), (71, 71)]


def test_flags_compared_as_a_whole_leave_no_room_for_other_bits() -> None:
    """EQUAL 2 beside bits: bit 0 off, bit 1 on, and no bit that nobody names; NOT_EQUAL is the rest."""
    field = "ALE_SIO_FIREWALL_SYSTEM_PORT"
    exact, rest = (
        item("block", condition(field, 2), weight=9),
        item("block", condition(field, 2, "NOT_EQUAL"), weight=8),
    )
    bits = item("permit", condition(field, 1, "FLAGS_ALL_SET"), weight=1)
    made, found = solved([Rival(None, exact), Rival(bits, bits)])
    (region,) = found
    assert {made.space.axes[at].detail: atoms for at, atoms in region.box.items()} == {0: 0b01, 1: 0b10, -1: 0b01}
    _made, both = solved([Rival(None, exact), Rival(None, rest), Rival(bits, bits)])
    assert [region.box for region in both] == [{}]  # together they are everything
