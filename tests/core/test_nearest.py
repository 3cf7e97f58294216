"""The nearest allow rules: which there are, in which order, what each lacks, and what nobody can tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from core_build import HOST, PROGRAM, SVCHOST, Condition, app, eq, flt, judge, service, state, wfp

from analyzer import applied, nearest
from analyzer.pipeline import analyze
from analyzer.wfp.services import service_sid

if TYPE_CHECKING:
    from analyzer.model.engine import Nearest

SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"
DEFAULT = flt(70001)
USERS = [("S-1-5-21-1-2-3-1001", rf"{HOST}\somebody")]


def near(event, *filters) -> tuple[Nearest, ...]:
    result = judge(wfp(event), state("state.xml", DEFAULT, *filters, users=USERS))
    case = applied.Case(result.events, result.book, result.fits, result.marks, result.watch, result.known)
    found = nearest.of_verdicts(case)
    return next(iter(found.values()), ())


def permit(number, *tests, **more):
    return flt(number, "permit", tests=tests, name=f"rule {number}", **more)


def tcp():
    return eq("IP_PROTOCOL", 6)


def ids(lines: tuple[Nearest, ...]) -> list[tuple[int, ...]]:
    return [line.filter_ids for line in lines]


# ------------------------------------------------------------------------------------------------ what is missing


def test_a_rule_for_another_port_says_so():
    (line,) = near({"dest_port": 80}, permit(70010, app(PROGRAM), tcp(), eq("IP_REMOTE_PORT", 443)))
    assert line.words == "remote port 443 only; this was 80"
    assert [(item.field, item.recorded) for item in line.missing] == [("IP_REMOTE_PORT", "80")]
    assert line.undecided == ()
    assert (line.name, line.source, line.state) == ("rule 70010", "state", "state.xml")


def test_several_ports_are_alternatives():
    ports = [eq("IP_REMOTE_PORT", 443), Condition("IP_REMOTE_PORT", "RANGE", (8000, 8100))]
    (line,) = near({"dest_port": 80}, permit(70010, app(PROGRAM), *ports))
    assert line.words == "remote port 443 or 8000 to 8100 only; this was 80"


def test_a_rule_for_a_service_is_undecided_without_the_token():
    sid = service_sid("wuauserv")
    (line,) = near({"application": SVCHOST}, permit(70010, app(SVCHOST), service(sid)))
    assert line.missing == ()
    assert line.words == (
        "it cannot be told whether it matched: it allows the service wuauserv, "
        "and which token the connection came with is not recorded"
    )


def test_what_is_missing_is_never_said_to_be_all_where_something_is_open():
    sid = service_sid("wuauserv")
    rule = permit(70010, app(SVCHOST), service(sid), eq("IP_REMOTE_PORT", 8530))
    (line,) = near({"application": SVCHOST}, rule)
    assert line.words.startswith(
        "remote port 8530 only; this was 443; besides, it cannot be told whether the rest holds"
    )


def test_a_program_of_the_same_name_elsewhere_is_near_and_others_are_not():
    moved = r"\device\harddiskvolume3\other\program.exe"
    lines = near({}, permit(70010, app(moved)), permit(70011, app(r"\device\harddiskvolume3\other\else.exe")))
    assert ids(lines) == [(70010,)]
    assert lines[0].words == f"program {moved} only; this was {PROGRAM}"


def test_another_protocol_and_address_are_said_in_words():
    rule = permit(70010, app(PROGRAM), eq("IP_PROTOCOL", 17))
    assert near({}, rule)[0].words == "protocol UDP only; this was TCP"


# -------------------------------------------------------------------------------- which, and in which order


def test_the_rule_that_lacks_least_comes_first():
    far = permit(70010, app(PROGRAM), eq("IP_PROTOCOL", 17), eq("IP_REMOTE_PORT", 53), weight=("UINT8", 12))
    close = permit(70011, app(PROGRAM), tcp(), eq("IP_REMOTE_PORT", 80))
    assert ids(near({}, far, close))[0] == (70011,)


def test_a_weaker_permit_and_one_of_another_sublayer_or_layer_would_not_have_helped():
    weaker = permit(70010, app(PROGRAM), eq("IP_REMOTE_PORT", 80), weight=("UINT8", 1))
    elsewhere = permit(70011, app(PROGRAM), eq("IP_REMOTE_PORT", 80), sublayer="UNIVERSAL", sublayer_weight=32768)
    listen = permit(70012, app(PROGRAM), eq("IP_REMOTE_PORT", 80), layer="ALE_AUTH_LISTEN_V4")
    disabled = permit(70013, app(PROGRAM), eq("IP_REMOTE_PORT", 80), flags=("DISABLED",))
    assert near({}, weaker, elsewhere, listen, disabled) == ()


def test_a_hard_permit_above_would_have_helped():
    hard = permit(
        70011, app(PROGRAM), eq("IP_REMOTE_PORT", 80), sublayer="UNIVERSAL", sublayer_weight=32768,
        flags=("CLEAR_ACTION_RIGHT",),
    )  # fmt: skip
    assert ids(near({}, DEFAULT | {"filter_id": 70005, "sublayer_weight": 2}, hard)) == [(70011,)]


def test_a_rule_that_fails_in_three_fields_is_not_near():
    rule = permit(
        70010, app(PROGRAM), eq("IP_PROTOCOL", 17), eq("IP_REMOTE_PORT", 53), eq("IP_LOCAL_PORT", 5353)
    )  # fmt: skip
    assert near({}, rule) == ()


def test_filters_of_one_rule_are_one_line():
    data = {"provider_data": "aabbcc"}
    one = permit(70010, app(PROGRAM), eq("IP_REMOTE_PORT", 80), **data)
    two = permit(70011, app(PROGRAM), eq("IP_REMOTE_PORT", 8080), **data) | {"name": "rule 70010"}
    other = permit(70012, app(PROGRAM), eq("IP_REMOTE_PORT", 8081))
    assert sorted(ids(near({}, one, two, other)), key=len) == [(70012,), (70010, 70011)]


def test_at_most_three_rules():
    rules = [permit(70010 + n, app(PROGRAM), eq("IP_REMOTE_PORT", 1000 + n)) for n in range(9)]
    assert len(near({}, *rules)) == 3


def test_permits_and_blocks_without_a_known_blocker_have_none():
    rule = permit(70010, app(PROGRAM), eq("IP_REMOTE_PORT", 80))
    assert near({"event_id": 5156, "filter_rtid": 70001}, rule) == ()
    assert near({"filter_rtid": 0}, flt(70002, "callout-unknown", callout_key="{c}"), rule) == ()


# ------------------------------------------------------------------------------------------------ shipped and real


@pytest.fixture(scope="module")
def services():
    return analyze([SAMPLES / "ticket-g-services"])


def test_the_token_of_a_user_is_what_the_rule_of_the_service_lacks(services):
    lines = [line for verdict in services.verdicts for line in verdict.nearest if verdict.services == ("BITS",)]
    assert lines
    assert {line.name for line in lines} == {"Background Intelligent Transfer Service"}
    assert all(
        "this rule allows the service BITS; the connection came with the token of account" in x.words for x in lines
    )
    assert all(len(line.filter_ids) == 2 for line in lines)


def test_a_rule_store_tells_of_profiles_and_of_disabled_rules():
    result = analyze([SAMPLES / "ticket-h-rule-store"])
    words = [line.words for verdict in result.verdicts for line in verdict.nearest if line.source == "rules"]
    assert any("it is for domain, private; in force was public" in text for text in words)
    assert any("it is disabled" in text for text in words)


def test_permits_of_a_result_have_no_nearest_rules(services):
    assert not any(verdict.nearest for verdict in services.verdicts if verdict.action == "permit")


def test_real_states_and_logs_hold_the_invariants(shared: Path):
    result = analyze([shared / "evtx" / "security-short-5152-5157.evtx", shared / "xml" / "win11-22621-wfpstate.xml"])
    for verdict in result.verdicts:
        assert len(verdict.nearest) <= 5
        for line in verdict.nearest:
            assert line.words
            assert len(line.missing) <= 3
