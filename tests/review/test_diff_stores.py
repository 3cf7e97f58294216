"""Rule stores on both sides: rules by id and store, what is in force from the states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from made_sides import ALLOW_ID, BLOCK_ID, PRIVATE, PROGRAM, rule, state, store
from test_diff_real import compared

from samples.background import outbound_permit, rule_block
from samples.machine import application, protocol

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.reviewmodel import Change, Review
    from samples.machine import Machine

APP = "%ProgramFiles%\\Example Notes\\notesync.exe"


def by_what(review: Review) -> dict[str, list[Change]]:
    out: dict[str, list[Change]] = {}
    for change in review.changes:
        out.setdefault(change.what, []).append(change)
    return out


def ticket(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_rules_are_compared_by_id_and_store(tmp_path: Path) -> None:
    before = store(
        tmp_path / "before.reg",
        {
            ALLOW_ID: rule(RPort="443", App=APP),
            BLOCK_ID: rule(Action="Block", Name="No telemetry"),
            "Gone-1": rule(Name="Gone", Dir="In"),
        },
    )
    after = store(
        tmp_path / "after.reg",
        {
            ALLOW_ID: rule(RPort=("443", "8443"), App=APP),
            BLOCK_ID: rule(Action="Block", Name="No telemetry", Active="FALSE"),
            "New-1": rule(Name="Remote control", Dir="In", LPort="3389", Profile="Public"),
        },
    )
    review = compared(before, after)
    found = by_what(review)
    assert {what: len(changes) for what, changes in found.items()} == {"added": 1, "removed": 1, "changed": 2}
    ports, switched = sorted(found["changed"], key=lambda change: change.rule)
    assert [(d.field, d.before, d.after) for d in ports.differences] == [("remote_ports", ("443",), ("443", "8443"))]
    assert (ports.rule_id, ports.source, ports.part) == (ALLOW_ID, "store", "rule")
    assert [(d.field, d.before, d.after) for d in switched.differences] == [("active", ("yes",), ("no",))]
    assert found["added"][0].words == (
        "rule “Remote control” added: allow inbound, profiles public, protocol TCP, local port 3389"
    )
    assert (found["removed"][0].before.store, found["removed"][0].after) == ("local", None)
    assert "no side holds a state" in " ".join(review.limits)
    assert review.exposure == ()


def test_the_same_store_is_empty(tmp_path: Path) -> None:
    rules = {ALLOW_ID: rule(RPort=("443", "80"), App=APP), BLOCK_ID: rule(Action="Block")}
    one = store(tmp_path / "one.reg", rules)
    two = store(tmp_path / "two.reg", {BLOCK_ID: rules[BLOCK_ID], ALLOW_ID: rule(RPort=("80", "443"), App=APP.lower())})
    assert compared(one, two).changes == ()


def test_defaults_of_the_stores(tmp_path: Path) -> None:
    review = compared(store(tmp_path / "one.reg", {}, outbound=0), store(tmp_path / "two.reg", {}, outbound=1))
    assert {(d.direction, d.before, d.after, d.source) for d in review.defaults} == {
        ("outbound", "allow", "block", "store")
    }
    assert {d.profile for d in review.defaults} == {"domain", "private", "public"}
    assert {change.what for change in review.changes} == {"default"}
    off = compared(tmp_path / "two.reg", store(tmp_path / "off.reg", {}, firewall=0))
    assert [change.words for change in off.changes] == [
        f"firewall, {profile} profile: on → off" for profile in ("domain", "private", "public")
    ]


def allow(*ports: int):
    def edit(machine: Machine) -> None:
        outbound_permit(machine, "Example Notes", PROGRAM, 6, ports)

    return edit


def test_a_changed_rule_is_told_once_with_what_is_in_force(tmp_path: Path) -> None:
    """The store tells the rule, the states what Windows made of it; the filters are no change of their own."""
    before, after = ticket(tmp_path / "before"), ticket(tmp_path / "after")
    state(before / "wfpstate.xml", allow(443))
    store(before / "firewall.reg", {ALLOW_ID: rule(RPort="443", App=APP)})
    state(after / "wfpstate.xml", allow(443, 8443), seed="two", time="2026-05-05T11:00:00.000Z")
    store(after / "firewall.reg", {ALLOW_ID: rule(RPort=("443", "8443"), App=APP)})
    review = compared(before, after)
    (change,) = review.changes
    assert (change.source, change.what) == ("store", "changed")
    assert change.before.in_force == "it is in force"
    assert change.after.in_force == "it is in force"
    assert (change.before.filters, change.after.filters) == (2, 4)
    assert [item.what for item in review.exposure] == ["newly-allowed"]
    assert review.exposure[0].words == "outbound TCP 8443 to any address, any profile, program notesync.exe"
    assert review.exposure[0].whole


def test_across_a_switch_of_profile_the_rules_are_compared_by_their_stores(tmp_path: Path) -> None:
    """The network changed: other filters, the same rules."""
    before, after = ticket(tmp_path / "before"), ticket(tmp_path / "after")
    rules = {ALLOW_ID: rule(RPort="443", App=APP, Profile="Public")}
    state(before / "wfpstate.xml", allow(443))
    state(after / "wfpstate.xml", seed="two", profile=PRIVATE)
    for folder in (before, after):
        store(folder / "firewall.reg", rules)
    review = compared(before, after)
    (change,) = review.changes
    assert change.what == "plumbing"
    assert "the rules are compared by their stores" in change.words
    assert (change.before, change.after) == ("public", "private")


def test_a_rule_that_came_into_force_did_not_change(tmp_path: Path) -> None:
    """Both stores have it, one state has no filter of it: no change of rules, and said."""
    before, after = ticket(tmp_path / "before"), ticket(tmp_path / "after")
    state(before / "wfpstate.xml")
    state(after / "wfpstate.xml", allow(443), seed="two")
    for folder in (before, after):
        store(folder / "firewall.reg", {ALLOW_ID: rule(RPort="443", App=APP)})
    review = compared(before, after)
    assert review.changes == ()
    assert any("1 rule came into force or went out of force" in said for said in review.limits)
    assert [item.what for item in review.exposure] == ["newly-allowed"]


def test_a_store_on_one_side_alone_is_said(tmp_path: Path) -> None:
    before, after = ticket(tmp_path / "before"), ticket(tmp_path / "after")
    state(before / "wfpstate.xml")
    state(after / "wfpstate.xml", allow(443), seed="two")
    store(after / "firewall.reg", {ALLOW_ID: rule(RPort="443", App=APP)})
    review = compared(before, after)
    assert [(change.what, change.source) for change in review.changes] == [("added", "state")]
    assert any("BEFORE holds no exported rules" in said for said in review.limits)


def test_defaults_that_state_and_store_tell_are_told_once(tmp_path: Path) -> None:
    before, after = ticket(tmp_path / "before"), ticket(tmp_path / "after")
    state(before / "wfpstate.xml", blocking=False)
    store(before / "firewall.reg", {}, outbound=0)
    state(after / "wfpstate.xml", seed="two")
    store(after / "firewall.reg", {}, outbound=1)
    review = compared(before, after)
    assert {(d.profile, d.source, d.before, d.after) for d in review.defaults} == {
        (profile, "both", "allow", "block") for profile in ("domain", "private", "public")
    }
    assert [d.profile for d in review.defaults if d.in_force] == ["public"]


def test_a_block_rule_is_told_by_its_id(tmp_path: Path) -> None:
    def edit(machine: Machine, number: int) -> None:
        rule_block(machine, "No telemetry", "ALE_AUTH_CONNECT_V4", [application(PROGRAM), protocol(number)], BLOCK_ID)

    review = compared(
        state(tmp_path / "one.xml", lambda machine: edit(machine, 6)),
        state(tmp_path / "two.xml", lambda machine: edit(machine, 17), seed="two"),
    )
    (change,) = review.changes
    assert (change.what, change.rule_id, change.ambiguous) == ("changed", BLOCK_ID, False)
    assert change.words == "rule “No telemetry”: protocol TCP → UDP"
