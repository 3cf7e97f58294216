"""Every filter that can block, of every real state, against a table made by looking at the filters.

A row names run-time ids (only filters that can block count), how many that are, sublayer and layer as a check that the
row means what it says, the kind, what shows it, and why. Nothing may be left over.
"""

from __future__ import annotations

import itertools
import random
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import pytest

from analyzer import states
from analyzer.classify import CAN_BLOCK, classify
from analyzer.engine import conditions as engine
from analyzer.readers.wfpstate import read_state
from analyzer.wfp import layers

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.states import Book

WF, WSH, QUARANTINE = "MPSSVC_WF", "MPSSVC_WSH", "MPSSVC_QUARANTINE"
APPS, TEREDO = "MPSSVC_APP_ISOLATION", "TEREDO"
TEREDO_OPT_OUT, DEFENDER = "{7b6b11f6-cbb5-433c-ae06-6a4f0076e49e}", "{3c1cd879-1b8c-4ab4-8f83-5ed129176ef3}"


class Row(NamedTuple):
    ids: str
    count: int
    sublayer: str | None  # None: several raw GUIDs
    layer: str  # stems, "+" between
    kind: str
    evidence: str
    why: str


EDGE = "edge-traversal companion of an allow rule: provider of the firewall, but sublayer TEREDO"
PROMPT = "callout that watches for listeners without a rule: default weight 3 or 8, UDP or no conditions"
BY_USER_SIDS = "descriptor of many S-1-5-80- SIDs: only hardened services"
BY_PROGRAM = "one program of Windows itself in the hardening sublayer: no user's rule"
NOT_NULL_PACKAGE = "any package but S-1-0-0: app container without a capability"
LOOPBACK = "flag loopback, descriptor names AC and capabilities"
ICMP = "ICMP errors outbound (unreachable), 64-bit weight: hides closed ports"
FORWARD = "blocks routing until the firewall runs"
FIXED_BOOT = "boot-time or persistent flag, key the same on every machine"
FIXED_TEREDO = "boot-time protection of tunnels: fixed key, though the sublayer is TEREDO"
HELD = "fixed key, quarantine sublayer; the older English name says “un-quarantine”"
CATCH_ALL = "weight 3 without conditions or 8 with the profile alone"
OPT_OUT = "Teredo's own sublayer; the provider's GUID differs per machine"
INSPECT = "protocol inspection: a callout that is not a verdict of the firewall"
MAKER_UNKNOWN = "raw GUIDs, no provider: nobody known"

ENGLISH = (
    Row("66929", 1, TEREDO_OPT_OUT, "ALE_AUTH_RECV_ACCEPT", "windows-component", "shape", OPT_OUT),
    Row("67096-67101", 6, APPS, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "appcontainer-loopback", "origin", LOOPBACK),
    Row("113564-113571", 8, WF, "INBOUND_ICMP_ERROR+ALE_AUTH_RECV_ACCEPT", "boot-time", "origin", FIXED_BOOT),
    Row("113572-113577", 6, TEREDO, "ALE_AUTH_RECV_ACCEPT", "boot-time", "origin", FIXED_TEREDO),
    Row("113578-113579", 2, WF, "IPFORWARD", "boot-time", "origin", FORWARD),
    Row("113580-113581", 2, QUARANTINE, "ALE_AUTH_RECV_ACCEPT", "quarantine", "origin", HELD),
    Row("116012-116013 116016-116017 116020-116021 116024-116025", 8, WF, "INBOUND_ICMP_ERROR+ALE_AUTH_RECV_ACCEPT",
        "default-inbound", "origin", CATCH_ALL),
    Row("116010-116011 116014-116015 116018-116019 116022-116023", 8, WF, "ALE_AUTH_LISTEN+ALE_RESOURCE_ASSIGNMENT",
        "default-inbound", "origin", PROMPT),
    Row("116040-116043", 4, APPS, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "app-isolation", "origin", NOT_NULL_PACKAGE),
    Row("116850-116856", 4, WF, "ALE_AUTH_RECV_ACCEPT", "explicit-rule", "origin", "weight 10, origin is a rule's id"),
    Row("116931-116946 116999-117006", 18, WSH, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "service-hardening", "origin",
        BY_PROGRAM),
    Row("117065-117068", 4, WSH, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "service-hardening", "origin", BY_USER_SIDS),
    Row("117101-117110", 10, WF, "OUTBOUND_ICMP_ERROR", "stealth", "origin", ICMP),
    Row("117087-117090", 4, WF, "INBOUND_TRANSPORT", "stealth", "origin", "silent drop where nobody listens"),
    Row("69615-69622", 4, DEFENDER, "STREAM+DATAGRAM_DATA", "windows-component", "shape", "Defender's sublayer"),
    Row("117069-117074", 6, WF, "STREAM+ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "callout", "shape", INSPECT),
    Row("116047-116085 116155-116161 116265-116271 116281-116287 116557-116563", 20, TEREDO,
        "ALE_AUTH_LISTEN+ALE_RESOURCE_ASSIGNMENT", "windows-component", "shape", EDGE),
)  # fmt: skip
SERVER = (
    Row("15-22", 8, WF, "INBOUND_ICMP_ERROR+ALE_AUTH_RECV_ACCEPT", "boot-time", "key", FIXED_BOOT),
    Row("23-28", 6, TEREDO, "ALE_AUTH_RECV_ACCEPT", "boot-time", "key", FIXED_TEREDO),
    Row("29-30", 2, WF, "IPFORWARD", "boot-time", "key", FORWARD),
    Row("65784-65785", 2, QUARANTINE, "ALE_AUTH_RECV_ACCEPT", "quarantine", "key", HELD),
    Row("66431-66438", 6, WSH, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "appcontainer-loopback", "shape", LOOPBACK),
    Row("66671-66672 66675-66676 66679-66680 66683-66684", 8, WF, "INBOUND_ICMP_ERROR+ALE_AUTH_RECV_ACCEPT",
        "default-inbound", "shape", CATCH_ALL),
    Row("66669-66670 66673-66674 66677-66678 66681-66682", 8, WF, "ALE_AUTH_LISTEN+ALE_RESOURCE_ASSIGNMENT",
        "default-inbound", "shape", PROMPT),
    Row("66716-66719", 4, WSH, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "app-isolation", "shape", NOT_NULL_PACKAGE),
    Row("67160", 1, TEREDO_OPT_OUT, "ALE_AUTH_RECV_ACCEPT", "windows-component", "shape", OPT_OUT),
    Row("67603-67604", 2, WSH, "ALE_AUTH_RECV_ACCEPT", "service-hardening", "shape", BY_PROGRAM),
    Row("67625-67628", 4, WSH, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "service-hardening", "shape", BY_PROGRAM),
    Row("67663-67666", 4, WSH, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "service-hardening", "shape", BY_USER_SIDS),
    Row("67097-67101 67107-67111", 10, WF, "OUTBOUND_ICMP_ERROR", "stealth", "shape", ICMP),
    Row("67086-67091", 4, WF, "INBOUND_TRANSPORT", "stealth", "shape", "silent drop where nobody listens"),
    Row("67667-67668", 2, DEFENDER, "STREAM", "windows-component", "shape", "Defender's sublayer"),
    Row("66741-66745 66922-66928", 6, TEREDO, "ALE_AUTH_LISTEN+ALE_RESOURCE_ASSIGNMENT", "windows-component", "shape",
        EDGE),
)  # fmt: skip
FRENCH = (
    Row("66232-66237", 6, TEREDO, "ALE_AUTH_RECV_ACCEPT", "boot-time", "key", FIXED_TEREDO),
    Row("66238-66239", 2, WF, "IPFORWARD", "boot-time", "key", FORWARD),
    Row("66240-66241", 2, QUARANTINE, "ALE_AUTH_RECV_ACCEPT", "quarantine", "key", HELD),
    Row("66629", 1, TEREDO_OPT_OUT, "ALE_AUTH_RECV_ACCEPT", "windows-component", "shape", OPT_OUT),
    Row("66806-66811", 6, APPS, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "appcontainer-loopback", "shape", LOOPBACK),
    Row("69560-69561 69564-69565 69568-69569 69572-69573", 8, WF, "INBOUND_ICMP_ERROR+ALE_AUTH_RECV_ACCEPT",
        "default-inbound", "shape", CATCH_ALL),
    Row("69558-69559 69562-69563 69566-69567 69570-69571", 8, WF, "ALE_AUTH_LISTEN+ALE_RESOURCE_ASSIGNMENT",
        "default-inbound", "shape", PROMPT),
    Row("69588-69591", 4, APPS, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "app-isolation", "shape", NOT_NULL_PACKAGE),
    Row("70063-70078 70131-70138", 18, WSH, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "service-hardening", "shape",
        BY_PROGRAM),
    Row("70217-70220", 4, WSH, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "service-hardening", "shape", BY_USER_SIDS),
    Row("70249-70258", 10, WF, "OUTBOUND_ICMP_ERROR", "stealth", "shape", ICMP),
    Row("70223-70226", 4, WF, "ALE_AUTH_CONNECT+ALE_AUTH_RECV_ACCEPT", "callout", "shape", INSPECT),
    Row("69595-69633 69703-69709 69822-69939 70021-70027", 20, TEREDO, "ALE_AUTH_LISTEN+ALE_RESOURCE_ASSIGNMENT",
        "windows-component", "shape", EDGE),
)  # fmt: skip
FRENCH_OUTBOUND = (
    Row("66238-66239", 2, WF, "IPFORWARD", "boot-time", "key", FORWARD),
    Row("67143-67150", 4, APPS, "ALE_AUTH_CONNECT", "appcontainer-loopback", "shape", LOOPBACK),
    Row("132072 132076 132080 132084", 4, WF, "INBOUND_ICMP_ERROR", "default-inbound", "shape", CATCH_ALL),
    Row("132071 132075 132079 132083", 4, WF, "ALE_RESOURCE_ASSIGNMENT", "default-inbound", "shape", PROMPT),
    Row("132102-132103", 2, APPS, "ALE_AUTH_CONNECT", "app-isolation", "shape", NOT_NULL_PACKAGE),
    Row("132553-132564 132603-132604", 8, WSH, "ALE_AUTH_CONNECT", "service-hardening", "shape", BY_PROGRAM),
    Row("132691-132692", 2, WSH, "ALE_AUTH_CONNECT", "service-hardening", "shape", BY_USER_SIDS),
    Row("132721-132730", 10, WF, "OUTBOUND_ICMP_ERROR", "stealth", "shape", ICMP),
    Row("132697-132698", 2, WF, "ALE_AUTH_CONNECT", "callout", "shape", INSPECT),
    Row("132107-132487", 14, TEREDO, "ALE_RESOURCE_ASSIGNMENT", "windows-component", "shape", EDGE),
    Row("66922-66955", 24, None, "ALE_AUTH_CONNECT+ALE_BIND_REDIRECT+ALE_CONNECT_REDIRECT+ALE_ENDPOINT_CLOSURE"
        "+ALE_FLOW_ESTABLISHED+INBOUND_IPPACKET+INBOUND_TRANSPORT+OUTBOUND_IPPACKET+OUTBOUND_TRANSPORT",
        "callout", "shape", MAKER_UNKNOWN),
)  # fmt: skip

# file -> table, filters, blocks, callouts that can block
STATES = {
    "win11-22621-wfpstate.xml": (ENGLISH, 1254, 73, 42),
    "win-2023-wfpstate.xml": (SERVER, 572, 57, 20),
    "win11-22621-french-filters.xml": (FRENCH, 794, 61, 32),
    "win11-26100-french-filters.xml": (FRENCH_OUTBOUND, 286, 32, 44),
}


@cache
def _read(path: Path):
    return read_state(path, "state.xml")


def book_of(shared: Path, name: str) -> Book:
    return states.bind([("state.xml", _read(shared / "xml" / name))])


def blocking(book: Book) -> pd.DataFrame:
    return book.filters[book.filters["action"].isin(list(CAN_BLOCK))].set_index("filter_id", drop=False)


def numbers(text: str) -> set[int]:
    spans = (part.partition("-") for part in text.split())
    return set(itertools.chain.from_iterable(range(int(low), int(high or low) + 1) for low, _, high in spans))


@pytest.mark.parametrize("name", STATES)
def test_every_filter_that_can_block_is_in_the_table_once(shared, name):
    table, filters, blocks, callouts = STATES[name]
    book = book_of(shared, name)
    able = blocking(book)
    assert len(book.filters) == filters
    assert (able["action"] == "block").sum() == blocks
    assert (able["action"] != "block").sum() == callouts
    named = [number for row in table for number in able.index if number in numbers(row.ids)]
    assert len(named) == len(set(named)) == blocks + callouts
    assert sum(row.count for row in table) == blocks + callouts


EVERY_ROW = [pytest.param(name, row, id=f"{name}-{row.ids}") for name, given in STATES.items() for row in given[0]]


@pytest.mark.parametrize(("name", "row"), EVERY_ROW)
def test_kind_and_evidence_of_each_row(shared, name, row):
    able = blocking(book_of(shared, name))
    part = able[able.index.isin(numbers(row.ids))]
    assert len(part) == row.count
    if row.sublayer is not None:
        assert set(part["sublayer"]) == {row.sublayer}
    assert set(part["layer"].map(layers.stem)) == set(row.layer.split("+"))
    assert set(part["kind"]) == {row.kind}
    assert set(part["kind_evidence"]) == {row.evidence}


@pytest.mark.parametrize("name", STATES)
def test_only_filters_that_can_block_have_a_kind(shared, name):
    book = book_of(shared, name)
    without = book.filters[~book.filters["action"].isin(list(CAN_BLOCK))]
    assert without["kind"].isna().all()
    assert without["kind_evidence"].isna().all()


def test_default_outbound_of_these_states_permits_and_has_no_kind(shared):
    filters = book_of(shared, "win11-22621-wfpstate.xml").filters
    named = filters[filters["name"] == "Default Outbound"]
    assert len(named) > 0
    assert set(named["action"]) == {"permit"}
    assert named["kind"].isna().all()
    assert not (filters["kind"] == "default-outbound").any()


def reclassify(shared: Path, file: str, **columns) -> pd.DataFrame:
    """Classify again with other columns."""
    state = _read(shared / "xml" / file)
    filters = state.filters.copy()
    for column, values in columns.items():
        given = values if isinstance(values, list) else [values] * len(filters)
        filters[column] = pd.Series(given, dtype="str")
    return classify(filters, engine.tests_by_filter(state.conditions), state.providers, state.sublayers)


def test_shape_alone_gives_the_kind_that_the_origin_gives(shared):
    filters = book_of(shared, "win11-22621-wfpstate.xml").filters
    made = reclassify(shared, "win11-22621-wfpstate.xml", origin=None, filter_key=None, name="")
    chosen = filters["action"] == "block"
    assert (made.loc[chosen, "kind_evidence"] == "shape").all()
    different = filters.loc[chosen, "kind"] != made.loc[chosen, "kind"]
    assert not different.any()


def test_callouts_with_an_origin_get_the_same_kind_from_shape(shared):
    filters = book_of(shared, "win11-22621-wfpstate.xml").filters
    made = reclassify(shared, "win11-22621-wfpstate.xml", origin=None, filter_key=None, name="")
    chosen = filters["action"].isin(list(CAN_BLOCK)) & (filters["action"] != "block")
    assert (filters.loc[chosen, "kind"] == made.loc[chosen, "kind"]).all()


def renamed(filters: pd.DataFrame, names: str) -> list[str]:
    texts = list(filters["name"])
    if names == "shuffled":
        random.Random(7).shuffle(texts)
        return texts
    return [names] * len(texts)


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("names", ["shuffled", "Default Outbound", "Query User", "默认出站", ""])
def test_display_names_change_no_block(shared, name, names):
    filters = book_of(shared, name).filters
    made = reclassify(shared, name, name=renamed(filters, names))
    blocks = filters["action"] == "block"
    assert made.loc[blocks, ["kind", "kind_evidence"]].equals(filters.loc[blocks, ["kind", "kind_evidence"]])


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("names", ["默认出站", ""])
def test_names_of_another_language_change_nothing(shared, name, names):
    filters = book_of(shared, name).filters
    made = reclassify(shared, name, name=renamed(filters, names))
    assert made[["kind", "kind_evidence"]].equals(filters[["kind", "kind_evidence"]])


@pytest.mark.parametrize("name", STATES)
def test_where_an_english_name_changes_a_kind_it_is_marked_as_a_hint(shared, name):
    filters = book_of(shared, name).filters
    made = reclassify(shared, name, name=renamed(filters, "Query User"))
    changed = made[(made["kind"] != filters["kind"]) & filters["kind"].notna()]
    assert set(changed["kind_evidence"]) <= {"name"}


def shapes(book: Book) -> dict[tuple, set[str]]:
    """What a filter is, without ids, names and languages -> kinds."""
    out: dict[tuple, set[str]] = {}
    for position, row in enumerate(book.filters.itertuples(index=False)):
        if row.action not in CAN_BLOCK:
            continue
        tests = book.tests.get(position, ())
        programs = tuple(t.value.rpartition("\\")[2] for t in tests if t.field == "ALE_APP_ID")
        flags = tuple(sorted({"BOOTTIME", "PERSISTENT"} & set(row.flags or ())))
        fields = tuple((t.field, t.match) for t in tests)
        key = (row.sublayer, row.layer, row.action, row.weight_type, str(row.weight), flags, fields, programs)
        out.setdefault(key, set()).add(row.kind)
    return out


@pytest.mark.parametrize(
    ("french", "least"), [("win11-22621-french-filters.xml", 50), ("win11-26100-french-filters.xml", 25)]
)
def test_french_states_give_the_kinds_of_the_english_one(shared, french, least):
    english = shapes(book_of(shared, "win11-22621-wfpstate.xml"))
    other = shapes(book_of(shared, french))
    common = english.keys() & other.keys()
    assert len(common) >= least
    assert [key for key in common if english[key] != other[key]] == []


def test_the_server_without_origins_is_classified_without_names(shared):
    filters = book_of(shared, "win-2023-wfpstate.xml").filters
    assert filters["origin"].isna().all()
    able = filters[filters["action"].isin(list(CAN_BLOCK))]
    assert set(able["kind_evidence"]) == {"key", "shape"}
    assert not able["kind"].isin(["unresolved", "other-wfp"]).any()
