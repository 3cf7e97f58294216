"""Recorded traffic decided anew: what breaks, what opens, what stays, and what nobody can tell."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from dumps import Dump
from made_sides import rule, state, store
from test_diff_command import Tool
from test_diff_real import schema

from analyzer.review import compare, leftout, replay, sides
from analyzer.review import traffic as traffic_of
from samples.background import SVCHOST, outbound_permit
from samples.machine import Draft, Machine, application, local_port, protocol, remote_port
from tests.places import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.reviewmodel import Replay, Review

TICKET = ROOT / "samples" / "ticket-k-review"
BEFORE, LOG = TICKET / "wfpstate.xml", TICKET / "security.evtx"


@functools.cache
def reviewed(after: str, log: Path = LOG, before: str = "wfpstate.xml") -> Review:
    review, _ = compare.compare(TICKET / before, TICKET / after, traffic=[log])
    return review


def counts(found: Replay | None) -> tuple[int, int, int, int, int]:
    assert found is not None
    return (
        found.stays_allowed,
        found.stays_blocked,
        found.newly_blocked,
        found.newly_allowed,
        found.cannot_tell,
    )


@pytest.fixture
def tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tool:
    return Tool(tmp_path, capsys)


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        ("after-good.xml", (6, 1, 0, 1, 0)),
        ("after-bad.xml", (3, 0, 3, 2, 0)),
        ("after-same.xml", (6, 2, 0, 0, 0)),
        ("wfpstate.xml", (6, 2, 0, 0, 0)),
    ],
)
def test_each_distinct_flow_of_the_shipped_review_is_counted_once(after: str, wanted: tuple[int, ...]) -> None:
    found = reviewed(after).replay
    assert counts(found) == wanted
    assert found is not None
    assert found.flows == sum(wanted) == sum(group.flows for group in found.groups)
    assert found.records == sum(group.records for group in found.groups) == 16
    assert (found.check.agrees, found.check.disagrees) == (7, 0)


def test_groups_name_program_and_the_deciding_filter_on_each_side() -> None:
    found = reviewed("after-bad.xml").replay
    assert found is not None
    first = found.groups[0]
    assert (first.what, first.flows) == ("newly-blocked", 3)
    assert first.application is not None
    assert first.application.endswith("browser.exe")
    assert (first.before.decision, first.before.filters) == ("permit", ("Example Browser",))
    assert (first.after.decision, first.after.filters) == ("block", ("Default Outbound",))
    assert "outbound TCP 443 to 192.0.2.21" in first.examples


def test_a_flow_that_no_changed_filter_meets_stays_as_recorded() -> None:
    """Which token asked for names is not recorded, so the filters alone leave it open; the change is about others."""
    found = reviewed("after-bad.xml").replay
    assert found is not None
    (names,) = [group for group in found.groups if any("UDP 53" in words for words in group.examples)]
    assert names.what == "stays-allowed"
    assert names.before.why == "as recorded: the filters alone do not tell"
    assert names.after.why == "as recorded: no changed filter meets it"


def test_a_state_that_contradicts_the_record_cannot_tell() -> None:
    """The log is of the time before: by the bad state the recorded browser flows were blocked."""
    found = reviewed("wfpstate.xml", before="after-bad.xml").replay
    assert found is not None
    assert found.check.disagrees == 5
    assert found.cannot_tell == 5
    assert found.newly_allowed == 0
    assert any(g.before.why == "it was recorded as allowed: BEFORE may be of another time" for g in found.groups)


def test_what_was_assumed_is_said() -> None:
    assert "7 records tell no network profile: they are taken for private, in force in BEFORE" in (
        reviewed("after-good.xml").limits
    )


def test_events_of_another_computer_are_left_out_and_counted() -> None:
    other = ROOT / "samples" / "ticket-a-win11" / "security.evtx"
    found = reviewed("after-good.xml", other).replay
    assert found is not None
    assert found.flows == 0
    assert sum(found.left_out.values()) > 0
    assert traffic_of.OTHER_COMPUTER in found.left_out


def test_traffic_without_states_is_told_not_guessed(tool: Tool) -> None:
    one, two = (store(tool.folder / f"{n}.reg", {"a": rule(RPort=port)}) for n, port in (("1", "443"), ("2", "444")))
    document = tool.document(one, two, "--traffic", LOG)
    assert document["replay"] is None
    assert "the traffic was not replayed: this takes a state on both sides" in document["limits"]


def test_the_headline_says_what_breaks_and_what_opens() -> None:
    assert reviewed("after-bad.xml").headline == (
        "Of 8 recorded flows 3 would be newly blocked and 2 would be newly allowed. The change newly allows 2 kinds of "
        "packets and newly blocks 1 kind of packets. 2 marks of risk."
    )
    assert reviewed("after-same.xml").headline == (
        "None of 8 recorded flows is decided otherwise. Nothing changes: both sides decide every packet alike, as far "
        "as was compared."
    )


# ------------------------------------------------------------------------------------------------- the command


@pytest.mark.parametrize(
    ("after", "words", "code"),
    [
        ("after-bad.xml", ("newly-blocked",), 10),
        ("after-bad.xml", ("newly-allowed",), 10),
        ("after-bad.xml", ("exposure",), 10),
        ("after-bad.xml", ("cannot-tell",), 0),
        ("after-good.xml", ("newly-blocked",), 0),
        ("after-good.xml", ("newly-blocked", "newly-allowed"), 10),
        ("after-same.xml", ("newly-blocked", "newly-allowed", "exposure", "cannot-tell"), 0),
    ],
)
@pytest.mark.parametrize("traffic", [True, False])
def test_fail_on_ends_with_10_where_it_holds(
    tool: Tool, after: str, words: tuple[str, ...], code: int, *, traffic: bool
) -> None:
    """Without traffic the same questions are asked of the exposure."""
    options = [part for word in words for part in ("--fail-on", word)]
    log = ["--traffic", LOG] if traffic else []
    document = tool.document(BEFORE, TICKET / after, *log, *options, code=code)
    assert (document["replay"] is not None) == traffic
    assert ("--fail-on" in tool.err) == bool(code)


def test_fail_on_without_a_state_stops_the_pipeline(tool: Tool) -> None:
    one, two = (store(tool.folder / f"{n}.reg", {"a": rule(RPort=port)}) for n, port in (("1", "443"), ("2", "444")))
    assert tool.run(one, two, "--fail-on", "newly-allowed") == 10
    assert "not known without a state on both sides" in tool.err


def test_several_logs_follow_the_option(tool: Tool) -> None:
    assert tool.run(BEFORE, TICKET / "after-bad.xml", "--traffic", LOG, LOG) == 0
    assert tool.run(BEFORE, TICKET / "after-bad.xml", LOG) == 2
    assert "name logs behind --traffic" in tool.err


def test_the_document_fits_the_schema(tool: Tool) -> None:
    document = tool.document(BEFORE, TICKET / "after-bad.xml", "--traffic", LOG)
    assert not schema().is_valid({**document, "replay": {**document["replay"], "newly_blocked": -1}})
    assert [item["kind"] for item in document["risks"]] == ["open-to-anybody", "public-opened"]
    assert {item["expect"] for item in document["to_test"]} == {"refused", "connects", "look"}
    assert document["inputs"][-1]["name"] == "traffic/security.evtx"


# ------------------------------------------------------------------------------------------------- risk


def opened(tool: Tool, edit: object, **more: object) -> set[str]:
    before = state(tool.folder / "before.xml")
    after = state(tool.folder / "after.xml", edit, seed="two", **more)  # type: ignore[arg-type]
    return {item["kind"] for item in tool.document(before, after)["risks"]}


def _permit(machine: Machine, layer: str, conditions: list[object], **more: object) -> None:
    machine.add(Draft("Risky", layer, "PERMIT", conditions, weight=("UINT8", 9), data=machine.rule_data(), **more))  # type: ignore[arg-type]


def test_inbound_from_anywhere_to_anything_is_marked(tool: Tool) -> None:
    kinds = opened(tool, lambda m: _permit(m, "ALE_AUTH_RECV_ACCEPT_V4", [protocol(6), local_port(445)]))
    assert kinds == {"open-to-anybody", "public-opened"}


def test_svchost_alone_is_marked_and_with_a_service_is_not(tool: Tool) -> None:
    wide = [application(SVCHOST), protocol(6), remote_port(443)]
    assert opened(tool, lambda m: _permit(m, "ALE_AUTH_CONNECT_V4", wide)) == {"svchost-wide"}
    assert opened(tool, lambda m: outbound_permit(m, "Names", SVCHOST, 17, (53,), service="Dnscache")) == set()


def test_an_opened_default_is_marked(tool: Tool) -> None:
    assert "default-opened" in opened(tool, lambda m: None, blocking=False)


# ------------------------------------------------------------------------------------------------- speed


def test_a_hundred_thousand_flows_are_replayed_in_ten_seconds(shared: Path, tmp_path: Path) -> None:
    """Two loads of one real policy: nothing may be decided otherwise."""
    real = shared / "xml" / "win11-22621-wfpstate.xml"
    folder = ROOT
    later = Dump.read(real).shuffled(7).write(tmp_path / "after.xml")
    one, two = sides.read("before", real, folder), sides.read("after", later, folder)
    read = traffic_of.read([LOG], None, folder)
    size = 100_000
    events = read.events.iloc[np.arange(size) % len(read.events)].reset_index(drop=True)
    numbers = np.arange(size)
    events["remote_address"] = pd.Series([f"203.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in numbers]).astype(
        "category"
    )
    events["flow"] = numbers
    made = traffic_of.Traffic(events, read.known, {}, (), (), ())
    assert one.snapshot is not None
    assert two.snapshot is not None
    filters = leftout.comparable(one.snapshot.dump, two.snapshot.dump)
    begin = time.process_time()  # the machine may be busy
    found = replay.replay(made, one.snapshot, two.snapshot, filters).replay
    assert time.process_time() - begin < 10
    assert found.flows == size
    assert found.newly_allowed == found.newly_blocked == 0
