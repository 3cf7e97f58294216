"""Random flows, conditions, filters and states for the engine's tests."""

from __future__ import annotations

import dataclasses
import ipaddress

from engine_build import (
    ACCEPT,
    CONNECT,
    PROGRAM,
    SERVICE,
    SVCHOST,
    USER,
    Filter,
    Flow,
    cond,
    no_test,
    open_test,
    yes_test,
)
from hypothesis import strategies as st

from analyzer.engine.predicates import FIELDS
from analyzer.engine.tokens import Token
from analyzer.wfp import values

V4_TEXTS = ("192.0.2.10", "192.0.2.11", "192.0.2.255", "198.51.100.7", "224.0.0.252", "255.255.255.255", "0.0.0.0")
V6_TEXTS = ("2001:db8::1", "2001:db8::ff", "fe80::1", "ff02::1:3", "::", "::1")
PORTS = (0, 8, 53, 80, 443, 1023, 1024, 50001, 65535)
PACKAGE = "S-1-15-2-1-2-3-4-5-6-7"
SIDS = (
    "S-1-1-0",
    "S-1-5-7",
    "S-1-5-11",
    "S-1-5-18",
    "S-1-5-19",
    "S-1-5-20",
    "S-1-5-32-544",
    "S-1-5-32-545",
    "S-1-5-80-0",
    SERVICE,
    "S-1-5-80-5-4-3-2-1",
    USER,
    "S-1-5-21-1-2-3-1002",
    "S-1-5-21-1-2-3-501",
    "S-1-15-2-1",
    PACKAGE,
    "S-1-15-2-7-6-5-4-3-2-1",
    "S-1-15-3-1",
    "S-1-15-3-3",
    "S-1-0-0",
)
USERS = (None, USER, "S-1-5-18", "S-1-5-20", "S-1-5-7", "S-1-5-21-1-2-3-501", SERVICE)


@st.composite
def tokens(draw):
    user = draw(st.sampled_from(USERS))
    return Token(
        user=user,
        anonymous=None if user else draw(st.sampled_from([None, None, True, False])),
        package=draw(st.sampled_from([None, "S-1-0-0", PACKAGE])),
        capabilities=draw(st.sampled_from([None, frozenset(), frozenset({"S-1-15-3-1"})])),
        services=draw(st.sampled_from([None, frozenset({SERVICE}), frozenset({SERVICE, "S-1-5-80-5-4-3-2-1"})])),
        own=draw(st.sampled_from([0, 0, 1, -1])),
        accounts=draw(st.sampled_from([frozenset(), frozenset({"S-1-5-21-1-2-3-1002"})])),
    )


@st.composite
def flows(draw, layers=(CONNECT, ACCEPT, "ALE_AUTH_CONNECT_V6", "IPFORWARD_V4", None)):
    pool = st.one_of(st.none(), st.sampled_from(draw(st.sampled_from([V4_TEXTS, V6_TEXTS]))))
    port = st.one_of(st.none(), st.sampled_from(PORTS))
    profile = st.sampled_from([None, 0, 1, 2, 3])
    return Flow(
        layer=draw(st.sampled_from(layers)),
        application=draw(st.sampled_from([None, PROGRAM, PROGRAM.upper(), SVCHOST, "system"])),
        protocol=draw(st.sampled_from([None, 1, 6, 17, 58])),
        direction=draw(st.sampled_from(["outbound", "inbound", "forward", None])),
        local=draw(pool),
        remote=draw(pool),
        local_port=draw(port),
        remote_port=draw(port),
        certain=draw(st.sampled_from([True, True, False])),
        loopback=draw(st.sampled_from([True, False, None])),
        wildcard=draw(st.sampled_from([None, True, False])),
        original_profile=draw(profile),
        current_profile=draw(profile),
        interface_index=draw(st.sampled_from([None, 1, 12])),
        interface_luid=draw(st.sampled_from([None, 6 << 48, (131 << 48) | (1 << 24), (24 << 48) | 5, 7, 2**64 - 1])),
        token=draw(tokens()),
        ether_type=draw(st.sampled_from([None, 0x800, 0x86DD])),
        source_mac=draw(st.sampled_from([None, 0, 0x0A0B0C0D0E0F])),
        destination_mac=draw(st.sampled_from([None, 0x0A0B0C0D0E0F])),
    )


@st.composite
def descriptors(draw):
    """Descriptors with each SID at most once, so that entries say independent things."""
    some = draw(st.lists(st.sampled_from(SIDS), unique=True, max_size=5))
    aces = []
    for sid in some:
        kind = draw(st.sampled_from(["A", "A", "A", "D", "XA", "XD", "OA"]))
        rights = draw(st.sampled_from(["CC", "CCRC", "RC", "GA", "GR", "0x1", "0x20000"]))
        flags = draw(st.sampled_from(["", "", "NP", "IO"]))
        end = ";(@User.a == 1)" if kind.startswith("X") else ""
        aces.append(f"({kind};{flags};{rights};;;{sid}{end})")
    start = draw(st.sampled_from(["O:SYG:SYD:", "D:", "O:LSD:P", "D:AI"]))
    return start + "".join(aces) + draw(st.sampled_from(["", "S:NO_ACCESS_CONTROL"]))


def addresses():
    return st.sampled_from([ipaddress.ip_address(text) for text in (*V4_TEXTS, *V6_TEXTS)])


@st.composite
def networks(draw):
    base = draw(addresses())
    bits = draw(st.sampled_from([0, 1, 8, 24, 28, 31, 32] + ([64, 127, 128] if base.version == 6 else [])))
    return ipaddress.ip_network(f"{base}/{bits}", strict=False)


SMALL = (0, 1, 2, 3, 6, 8, 9, 12, 17, 53, 58, 80, 131, 443, 1024, 0x800, 65535)
GREAT = (0x400000, 0xC00001, 2**32 - 1, 6 << 48, 2**63, 2**64 - 1)
EVERY_FIELD = (*sorted(FIELDS), "ALE_REMOTE_USER_ID", "INTERFACE_QUARANTINE_EPOCH", "(lost)")
ACTIONS = (
    *("permit", "permit", "permit", "block", "block", "callout-terminating", "callout-unknown"),
    *("callout-inspection", "FWP_ACTION_CONTINUE", "SOMETHING_ELSE"),
)
FLAGS = (
    *((), (), (), ("CLEAR_ACTION_RIGHT",), ("DISABLED",), ("BOOTTIME",), ("PERSISTENT", "INDEXED")),
    *(("PERMIT_IF_CALLOUT_UNREGISTERED",), ("GAMEOS_ONLY",), ("CLEAR_ACTION_RIGHT", "INDEXED")),
)
NUMBERS = st.sampled_from((*SMALL, *GREAT))
ODD = st.sampled_from([None, True, -1, 2**64, 1.5, "443", b"\x00", (1,), (1, 2, 3), (None, 5), ("a", "b"), [1]])


def some_values(name):
    """Values of the field's own type mostly, and of all others."""
    every = [
        NUMBERS,
        st.tuples(NUMBERS, NUMBERS),
        addresses(),
        st.tuples(addresses(), addresses()),
        networks(),
        st.sampled_from([PROGRAM, PROGRAM.upper(), SVCHOST, r"\program.exe", "", "system"]),
        st.sampled_from(["S-1-0-0", PACKAGE, "s-1-0-0", "no sid"]),
        st.sampled_from([bytes(6), bytes.fromhex("0a0b0c0d0e0f"), bytes(5)]),
        descriptors(),
        ODD,
    ]
    own = {
        "ALE_APP_ID": [every[5]],
        "ALE_USER_ID": [every[8]],
        "ALE_PACKAGE_ID": [every[6]],
    }.get(name)
    if own is None:
        own = every[2:5] if name.endswith(("ADDRESS", "_V4", "_V6")) else [every[7]] if "MAC" in name else every[:2]
        own = [every[7]] if name.startswith("MAC") else own
    return st.one_of(*own, *own, *own, *every)


@st.composite
def conditions(draw):
    name = draw(st.sampled_from(EVERY_FIELD))
    match = draw(st.sampled_from([*values.MATCH_TYPES, "EQUAL", "EQUAL", "EQUAL", "RANGE", "NEW"]))
    return cond(name, match, draw(some_values(name)))


@st.composite
def filters(draw, sublayers=2):
    """A filter whose conditions say yes, no or nothing; weights and flags in all mixes."""
    action = draw(st.sampled_from(ACTIONS))
    said = draw(st.sampled_from(["yes", "yes", "no", "open", "open"]))
    tests = {"yes": (yes_test(),), "no": (no_test(),), "open": (open_test(),)}[said]
    number = draw(st.integers(0, sublayers - 1))
    return Filter(
        action=action,
        weight=draw(st.sampled_from([None, 0, 1, 2, 2**63, 2**64 - 1, 2**64 - 2])),
        tests=draw(st.sampled_from([tests, tests, (*tests, yes_test())])),
        sublayer=f"SUB{number}",
        layer=CONNECT,
        flags=draw(st.sampled_from(FLAGS)),
        registered=draw(st.sampled_from([True, True, False, None])),
    )


@st.composite
def states(draw, most=5, sublayers=3):
    """A few filters of one layer in a few sublayers, whose weights may be equal or missing."""
    weights = [draw(st.sampled_from([None, 1, 1, 2, 3])) for _ in range(sublayers)]
    made = draw(st.lists(filters(sublayers), min_size=1, max_size=most))
    return [dataclasses.replace(item, sublayer_weight=weights[int(item.sublayer[-1])]) for item in made]
