"""User conditions: which SIDs a partly known token holds, and what an access check of a descriptor says of it."""

from __future__ import annotations

import dataclasses
import time

import naive
import pytest
from engine_build import SERVICE, USER, Flow, arrays, eq
from engine_strategies import PACKAGE, SIDS, descriptors, tokens
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.engine import conditions as engine
from analyzer.engine.access import access, plain_sid
from analyzer.engine.tokens import UNKNOWN_TOKEN, Token, member
from analyzer.readers.wfpstate import read_state
from analyzer.wfp import sddl

YES, OPEN, NO = 1, 0, -1
SLOW = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
NONE = "S-1-0-0"
SYSTEM, LOCAL, NETWORK = "S-1-5-18", "S-1-5-19", "S-1-5-20"
STATES = (
    "win11-22621-wfpstate.xml",
    "win-2023-wfpstate.xml",
    "win11-22621-french-filters.xml",
    "win11-26100-french-filters.xml",
)
SERVICE_RULE = f"O:SYG:SYD:(A;;CCRC;;;{SERVICE})"


def user(sid, **more):
    return Token(user=sid, package=NONE, **more)


# Membership


@pytest.mark.parametrize(
    ("token", "sid", "expected"),
    [
        (user(USER), USER, YES),
        (user(USER), "S-1-1-0", YES),
        (user(USER), "S-1-5-11", YES),
        (user(USER), "S-1-5-7", NO),
        (user(USER), SYSTEM, NO),
        (user(USER), "S-1-5-32-544", OPEN),  # the group may be there for denying alone
        (user(USER), "S-1-5-32-545", OPEN),
        (user(USER), "S-1-5-4", OPEN),
        (user(USER), "S-1-5-21-1-2-3-1002", OPEN),  # perhaps a group
        (user(USER, accounts=frozenset({"S-1-5-21-1-2-3-1002"})), "S-1-5-21-1-2-3-1002", NO),
        (user("S-1-5-21-1-2-3-501"), "S-1-5-11", OPEN),
        (user(SYSTEM), "S-1-5-32-544", YES),
        (user(SYSTEM), "S-1-5-11", YES),
        (user(SERVICE), "S-1-5-11", OPEN),
        (user(SYSTEM), NETWORK, NO),
        (user(NETWORK), NETWORK, YES),
        (user("S-1-5-7"), "S-1-1-0", OPEN),  # a setting of the machine
        (user("S-1-5-7"), "S-1-5-11", NO),
        (UNKNOWN_TOKEN, "S-1-1-0", OPEN),
        (UNKNOWN_TOKEN, USER, OPEN),
        (UNKNOWN_TOKEN, NONE, NO),
        (user(USER), SERVICE, OPEN),  # a service may run as this user
        (user(USER, own=-1), SERVICE, NO),
        (user(USER, own=-1), "S-1-5-80-0", NO),
        (user(NETWORK, services=frozenset({SERVICE})), SERVICE, OPEN),  # its SID type may be "none"
        (user(NETWORK, services=frozenset({SERVICE}), own=1), SERVICE, YES),
        (user(NETWORK, services=frozenset({SERVICE}), own=1), "S-1-5-80-9", NO),
        (user(NETWORK, services=frozenset({SERVICE, "S-1-5-80-9"}), own=1), SERVICE, OPEN),
        (user(SERVICE), SERVICE, YES),  # a virtual account
        (user(USER), "S-1-15-2-1", NO),
        (user(USER), "S-1-15-3-1", NO),
        (Token(user=USER), "S-1-15-2-1", OPEN),
        (Token(user=USER, package=PACKAGE), PACKAGE, YES),
        (Token(user=USER, package=PACKAGE), "S-1-15-2-7-6-5-4-3-2-1", NO),
        (Token(user=USER, package=PACKAGE), "S-1-15-2-1", OPEN),
        (Token(user=USER, package=PACKAGE), "S-1-15-2-2", OPEN),
        (Token(user=USER, package=PACKAGE), "S-1-15-3-1", OPEN),
        (Token(user=USER, package=PACKAGE, capabilities=frozenset({"S-1-15-3-1"})), "S-1-15-3-1", YES),
        (Token(user=USER, package=PACKAGE, capabilities=frozenset({"S-1-15-3-1"})), "S-1-15-3-3", NO),
    ],
)
def test_which_sids_a_token_holds(token, sid, expected):
    assert member(token, sid) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SY", SYSTEM),
        ("sy", SYSTEM),
        ("s-1-5-18", SYSTEM),
        ("S-1-05-018", SYSTEM),
        ("S-1-0x5-18", SYSTEM),
        ("S-1-0X000000000005-18", SYSTEM),
        ("no sid", "NO SID"),
        ("S-1-5-" + "9" * 5000, "S-1-5-" + "9" * 5000),
    ],
)
def test_one_spelling_of_a_sid(text, expected):
    assert plain_sid(text) == expected


# The check


@pytest.mark.parametrize(
    ("descriptor", "token", "expected"),
    [
        (SERVICE_RULE, UNKNOWN_TOKEN, OPEN),
        (SERVICE_RULE, user(USER), OPEN),
        (SERVICE_RULE, user(USER, own=-1), NO),
        (SERVICE_RULE, user(NETWORK, own=1, services=frozenset({SERVICE})), YES),
        ("D:(A;;CC;;;WD)(A;;CC;;;AN)", Token(package=NONE), YES),  # nobody is neither
        ("D:(A;;CC;;;WD)(A;;CC;;;AN)", UNKNOWN_TOKEN, OPEN),  # but the package has to be let in, too
        ("D:(A;;CC;;;WD)", UNKNOWN_TOKEN, OPEN),
        ("D:(A;;CC;;;AN)", UNKNOWN_TOKEN, OPEN),
        ("D:(A;;CC;;;WD)", user(USER), YES),
        ("D:(D;;CC;;;WD)(A;;CC;;;WD)", user(USER), NO),
        ("D:(A;;CC;;;WD)(D;;CC;;;WD)", user(USER), YES),  # the first entry decides
        ("D:(D;;CC;;;SY)(A;;CC;;;WD)", user(USER), YES),
        ("D:(D;;CC;;;SY)(A;;CC;;;WD)", user(SYSTEM), NO),
        ("D:(D;;CC;;;BU)(A;;CC;;;WD)", user(USER), OPEN),
        ("D:(D;;RC;;;WD)(A;;CC;;;WD)", user(USER), YES),  # another right
        ("D:(A;;RC;;;WD)", user(USER), NO),
        ("D:(A;;0x1;;;WD)", user(USER), YES),
        ("D:(A;;0x20001;;;WD)", user(USER), YES),
        ("D:(A;;1;;;WD)", user(USER), YES),
        ("D:(A;;GA;;;WD)", user(USER), YES),
        ("D:(A;;GR;;;WD)", user(USER), OPEN),  # what a generic right means to the engine is not known
        ("D:(A;IO;CC;;;WD)", user(USER), NO),  # for children alone
        ("D:(A;NP;CC;;;WD)", user(USER), YES),
        ("D:", user(USER), NO),
        ("D:NO_ACCESS_CONTROL", user(USER), YES),
        ("O:SYG:SY", user(USER), YES),  # no list refuses nobody
        ("", user(USER), OPEN),
        ("D:(XA;;CC;;;WD;(@User.a == 1))", user(USER), OPEN),
        ('D:(XA;;CC;;;WD;(WIN://SYSAPPID Contains "an (odd) name"))', user(USER), OPEN),
        ("D:(XA;;CC;;;SY;(@User.a == 1))", user(USER), NO),
        ("D:(XD;;CC;;;WD;(@User.a == 1))(A;;CC;;;WD)", user(USER), OPEN),
        ("D:(OA;;CC;00000000-0000-0000-0000-000000000001;;WD)", user(USER), OPEN),
        ("D:(OA;;CC;;;WD)", user(USER), OPEN),
        ("D:(OA;;CC;;;WD)(A;;CC;;;WD)", user(USER), YES),
        ("D:(ZA;;CC;;;WD;(@User.a == 1))", user(USER), OPEN),
        ("D:(ZA;;CC;;;SY;(@User.a == 1))(A;;CC;;;WD)", user(USER), YES),
        ("D:(OD;;CC;;;WD)(A;;CC;;;WD)", user(USER), OPEN),
        ("D:(OD;;CC;;;WD)", user(USER), NO),
        ("D:(XD;;CC;;;WD;(@User.a == 1))", user(USER), NO),
        ("D:(A;;CC;;;LA)", user(USER), OPEN),  # an alias of some machine or domain
        ("D:(A;;CC;;;??)", user(USER), OPEN),
        ("D:(A;;CC", user(USER), OPEN),
        ("D:(ZZ;;CC;;;WD)", user(USER), OPEN),
        ("D:(A;;CC;;;WD)S:(ML;;NW;;;HI)", user(USER), OPEN),
        ("O:LSD:(A;;CC;;;S-1-15-3-1)(A;;CC;;;WD)(A;;CC;;;AN)", user(USER), YES),
        ("O:LSD:(A;;CC;;;S-1-15-3-1)(A;;CC;;;WD)(A;;CC;;;AN)", Token(user=USER), OPEN),
        ("O:LSD:(A;;CC;;;S-1-15-3-1)(A;;CC;;;WD)(A;;CC;;;AN)", Token(user=USER, package=PACKAGE), OPEN),
        (
            "O:LSD:(A;;CC;;;S-1-15-3-1)(A;;CC;;;WD)(A;;CC;;;AN)",
            Token(user=USER, package=PACKAGE, capabilities=frozenset()),
            NO,
        ),
        (
            "O:LSD:(A;;CC;;;S-1-15-3-1)(A;;CC;;;WD)(A;;CC;;;AN)",
            Token(user=USER, package=PACKAGE, capabilities=frozenset({"S-1-15-3-1"})),
            YES,
        ),
        ("D:(A;;CC;;;WD)", Token(user=USER, package=PACKAGE), NO),  # the package itself has to be let in, too
        (f"D:(A;;CC;;;{PACKAGE})", Token(user=USER, package=PACKAGE), NO),  # and the user
        (f"D:(A;;CC;;;{USER})(A;;CC;;;{PACKAGE})", Token(user=USER, package=PACKAGE), YES),
    ],
)
def test_access_check(descriptor, token, expected):
    assert access(descriptor, token) == expected


@settings(SLOW, max_examples=500)
@given(descriptors(), tokens())
def test_the_plain_check_agrees(descriptor, token):
    assert access(descriptor, token) == naive.access(descriptor, token)


@SLOW
@given(st.sampled_from(SIDS), tokens())
def test_the_plain_membership_agrees(sid, token):
    if token.user is None and token.anonymous is None:
        token = dataclasses.replace(token, anonymous=False)
    assert member(token, sid) == naive.three(naive.holds(token, sid))


@SLOW
@given(
    descriptors(), tokens(), st.lists(st.sampled_from(["user", "package", "capabilities", "services"])), st.booleans()
)
def test_knowing_more_of_a_token_never_turns_an_answer_round(descriptor, token, unknown, own):
    less = dataclasses.replace(token, **dict.fromkeys(unknown), **({} if own else {"own": 0}))
    if less.user is None:
        less = dataclasses.replace(less, own=0, anonymous=None if token.user else token.anonymous)
    if less.services is None and less.own > 0:
        less = dataclasses.replace(less, own=0)
    assert access(descriptor, less) in (OPEN, access(descriptor, token))


@SLOW
@given(descriptors(), tokens(), st.sampled_from(SIDS))
def test_letting_one_more_in_at_the_end_never_turns_a_yes_into_a_no(descriptor, token, sid):
    wider = descriptor.removesuffix("S:NO_ACCESS_CONTROL") + f"(A;;CC;;;{sid})"
    assert access(wider, token) >= access(descriptor, token)


# Real descriptors


@pytest.fixture(scope="module")
def real(shared):
    found = set()
    for name in STATES:
        rows = read_state(shared / "xml" / name, name).conditions
        found |= set(rows.loc[rows["type"] == "SECURITY_DESCRIPTOR_TYPE", "value"].dropna())
    return sorted(found)


TOKENS = (
    UNKNOWN_TOKEN,
    user(USER),
    user(USER, own=-1),
    user(SYSTEM),
    user(LOCAL, own=1, services=frozenset({SERVICE})),
    Token(user=USER, package=PACKAGE),
    Token(user=USER, package=PACKAGE, capabilities=frozenset({"S-1-15-3-1"})),
    Token(package=NONE),
)


def test_every_real_descriptor_is_read_whole(real):
    assert len(real) > 50
    assert [text for text in real if not sddl.read_sddl(text).complete] == []


def test_every_real_descriptor_against_tokens_as_the_plain_check(real):
    for text in real:
        for token in TOKENS:
            assert access(text, token) == naive.access(text, token), (text, token)


def test_what_real_descriptors_say_of_the_token_of_a_user(real):
    """A user's token in the hands of a service passes no descriptor that names services alone."""
    borrowed = user(USER, own=-1)
    for text in real:
        entries = sddl.read_sddl(text).dacl or ()
        if entries and all(ace.sid.startswith("S-1-5-80-") for ace in entries):
            assert access(text, borrowed) == NO
            assert access(text, UNKNOWN_TOKEN) == OPEN
        if any(ace.condition for ace in entries):
            assert access(text, user(USER)) == OPEN


@pytest.mark.parametrize(
    "text",
    [
        "D:" + "(" * 100_000,
        "D:" + "(A;;CC;;;WD)" * 50_000,
        "D:" + "(XA;;CC;;;WD;" + "(" * 50_000 + ")" * 50_000 + ")",
        "O:" + "S-1-5-" + "1" * 100_000 + "D:(A;;CC;;;WD)",
        "D:(A;;" + "CC" * 100_000 + ";;;WD)",
        "D:(A;;" + "9" * 5000 + ";;;WD)",
        "X:" * 100_000,
        "D:(A;;CC;;;S-1-5" + "-1" * 100_000 + ")",
        '"' * 100_000,
        "\x00" * 1000,
    ],
)
def test_a_hostile_descriptor_costs_little_and_ends(text):
    begun = time.perf_counter()
    assert access(text, user(USER)) in (YES, OPEN, NO)
    assert engine.one(arrays(Flow()), eq("ALE_USER_ID", text)).tolist()[0] in (YES, OPEN, NO)
    assert time.perf_counter() - begun < 5


def test_many_entries_for_many_tokens_are_not_checked():
    text = "D:" + "".join(f"(A;;CC;;;S-1-5-80-{n}-1-1-1-1)" for n in range(9_000))
    rows = arrays(*(Flow(token=user(f"S-1-5-21-1-2-3-{n}", own=-1)) for n in range(30)))
    begun = time.perf_counter()
    assert engine.one(rows, eq("ALE_USER_ID", text)).tolist() == [OPEN] * 30
    assert time.perf_counter() - begun < 5
