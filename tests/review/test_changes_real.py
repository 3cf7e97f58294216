"""Single changes made to a real state, each told as what it is and nothing else."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from dumps import Dump, clone, condition, layer, name, port, set_action, set_conditions, set_weight
from test_diff_real import compared

from tests.places import SHARED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from lxml import etree

    from analyzer.reviewmodel import Change, Review

STATE = "win11-22621-wfpstate.xml"
SMB = "Delivery Optimization (TCP-In)"
pytestmark = pytest.mark.usefixtures("shared")


@functools.cache
def original() -> Dump:
    return Dump.read(SHARED / "xml" / STATE)


def changed(edit: Callable[[Dump], object], tmp_path: Path) -> Review:
    """The state against the edited state, which was loaded anew as well."""
    after = original().copy()
    edit(after)
    return compared(SHARED / "xml" / STATE, after.shuffled(11).write(tmp_path / "after.xml"))


def of_rule(dump: Dump, title: str) -> list[etree._Element]:
    found = dump.find(lambda item: name(item) == title)
    assert found
    return found


def accepts(items: Iterable[etree._Element]) -> list[etree._Element]:
    return [item for item in items if "RECV_ACCEPT" in layer(item)]


def only(review: Review) -> Change:
    assert len(review.changes) == 1, [change.words for change in review.changes]
    return review.changes[0]


def test_an_added_rule_is_folded_and_its_packets_are_told(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in accepts(of_rule(dump, SMB)):
            if item.findtext("subLayerKey") == "FWPM_SUBLAYER_MPSSVC_WF":
                new = clone(item, "Remote control", "ab12000000000000")
                profile = condition("ORIGINAL_PROFILE_ID", "EQUAL", "UINT32", "uint32", 1)
                set_conditions(new, condition("IP_PROTOCOL", "EQUAL", "UINT8", "uint8", 6), port(3389), profile)

    review = changed(edit, tmp_path)
    change = only(review)
    assert (change.what, change.part, change.rule, change.before) == ("added", "rule", "Remote control", None)
    assert change.after.filters == 2
    assert [(limit.field, limit.values) for limit in change.after.conditions] == [
        ("IP_PROTOCOL", ("TCP",)),
        ("IP_LOCAL_PORT", ("3389",)),
        ("ORIGINAL_PROFILE_ID", ("public",)),
    ]
    assert [item.what for item in review.exposure] == ["newly-allowed"]
    box = review.exposure[0]
    assert box.words.startswith("inbound TCP 3389 from any address, profile public, any program")
    assert box.layers == ("ALE_AUTH_RECV_ACCEPT_V4", "ALE_AUTH_RECV_ACCEPT_V6")
    assert box.rules == ("Remote control",)
    assert "WSH Default Inbound Block" in box.others


def test_a_removed_rule_takes_its_packets_with_it(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in of_rule(dump, SMB):
            item.getparent().remove(item)

    review = changed(edit, tmp_path)
    change = only(review)
    assert (change.what, change.rule, change.after) == ("removed", SMB, None)
    boxes = [item for item in review.exposure if item.what == "newly-blocked"]
    assert boxes
    assert any("TCP 7680" in box.words and "program svchost.exe" in box.words for box in boxes)
    assert not [item for item in review.exposure if item.what == "newly-allowed"]


def test_a_changed_port_is_told_condition_by_condition(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in of_rule(dump, SMB):
            for held in item.iter("uint16"):
                if held.text == "7680":
                    held.text = "7681"

    change = only(review := changed(edit, tmp_path))
    assert (change.what, change.ambiguous) == ("changed", False)
    assert [(d.field, d.before, d.after) for d in change.differences] == [("IP_LOCAL_PORT", ("7680",), ("7681",))]
    assert "local port 7680 → 7681" in change.words
    assert {item.what for item in review.exposure} == {"newly-blocked", "newly-allowed"}
    assert all("768" in item.words for item in review.exposure)


def test_a_further_port_is_a_change_of_the_list(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in of_rule(dump, SMB):
            new = clone(item, SMB, item.findtext("providerData/data"))
            for held in new.iter("uint16"):
                held.text = held.text.replace("7680", "7690")

    change = only(changed(edit, tmp_path))
    assert [(d.field, d.before, d.after) for d in change.differences] == [
        ("IP_LOCAL_PORT", ("7680",), ("7680", "7690")),
    ]


def test_a_limit_that_was_taken_away_is_any(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in of_rule(dump, SMB):
            holder = item.find("filterCondition")
            kept = [c for c in holder if c.findtext("fieldKey") != "FWPM_CONDITION_ALE_USER_ID"]
            set_conditions(item, *kept)

    change = only(changed(edit, tmp_path))
    assert [(d.field, d.after) for d in change.differences] == [("ALE_USER_ID", ("any",))]
    assert change.differences[0].before == ("service DoSvc",)


def test_another_weight_is_reweighted(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in of_rule(dump, SMB):
            if item.find("weight/uint8") is not None:
                set_weight(item, 4)

    change = only(changed(edit, tmp_path))
    assert change.what == "reweighted"
    assert [(d.field, d.before, d.after) for d in change.differences] == [("weight", ("class 9",), ("class 4",))]


def test_weights_that_the_engine_numbers_anew_are_no_change(tmp_path: Path) -> None:
    """The low bits depend on what else is in a layer: other numbers, the same order."""

    def edit(dump: Dump) -> None:
        for item in dump.filters():
            held = item.find("effectiveWeight/uint64")
            number = int(held.text)
            if "ALE_AUTH" in layer(item) and item.find("weight/uint8") is not None:
                held.text = str(number >> 60 << 60 | (number & (1 << 60) - 1) >> 1)

    review = changed(edit, tmp_path)
    assert (review.changes, review.exposure) == ((), ())


def test_one_weight_in_force_that_moved_is_told(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in accepts(of_rule(dump, SMB)):
            if item.find("weight/uint8") is not None:
                held = item.find("effectiveWeight/uint64")
                held.text = str(int(held.text) + 1)

    change = only(changed(edit, tmp_path))
    assert change.what == "reweighted"
    assert change.differences[0].before[0].endswith("in force")


def test_allow_turned_into_block(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in accepts(of_rule(dump, SMB)):
            set_action(item, "BLOCK")

    review = changed(edit, tmp_path)
    change = only(review)
    assert ("action", ("permit",), ("block",)) in [(d.field, d.before, d.after) for d in change.differences]
    assert {item.what for item in review.exposure} == {"newly-blocked"}


def test_a_renamed_rule_is_no_other_rule(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in of_rule(dump, SMB):
            item.find("displayData/name").text = "Peer updates"

    review = changed(edit, tmp_path)
    change = only(review)
    assert [(d.field, d.before, d.after) for d in change.differences] == [("name", (SMB,), ("Peer updates",))]
    assert review.exposure == ()


def test_a_block_is_known_by_its_rule_id(tmp_path: Path) -> None:
    """The prompt's block rule keeps its id: another program path is a change of the same rule, whatever its name."""

    def edit(dump: Dump) -> None:
        for item in dump.find(lambda item: item.findtext("weight/uint8") == "10"):
            item.find("displayData/name").text = "blocked program"
            set_conditions(item, *[c for c in item.find("filterCondition") if "APP_ID" in c.findtext("fieldKey")])

    review = changed(edit, tmp_path)
    assert {change.what for change in review.changes} == {"changed"}
    assert len(review.changes) == 2
    for change in review.changes:
        assert "Query User{" in change.rule_id
        assert {d.field for d in change.differences} >= {"name", "IP_PROTOCOL"}


def turn_outbound_to_block(dump: Dump) -> None:
    for item in dump.find(lambda item: name(item) == "Default Outbound"):
        set_action(item, "BLOCK")


def test_outbound_default_turned_to_block_comes_first(tmp_path: Path) -> None:
    """With it come outbound permits that were rules all along: they are not told as added."""

    def edit(dump: Dump) -> None:
        turn_outbound_to_block(dump)
        template = next(
            item
            for item in accepts(of_rule(dump, SMB))
            if layer(item).endswith("V4") and item.findtext("subLayerKey") == "FWPM_SUBLAYER_MPSSVC_WF"
        )
        connect = dump.find(lambda item: layer(item) == "FWPM_LAYER_ALE_AUTH_CONNECT_V4")[0]
        for number in range(5):
            new = clone(template, f"Outbound rule {number}", f"{number:04x}aa0000000000")
            new.find("layerKey").text = "FWPM_LAYER_ALE_AUTH_CONNECT_V4"
            connect.addnext(new)

    review = changed(edit, tmp_path)
    assert [change.what for change in review.changes[:3]] == ["default"] * 3
    assert {(item.direction, item.before, item.after) for item in review.defaults} == {("outbound", "allow", "block")}
    assert {item.profile for item in review.defaults if item.in_force} == {"public"}
    plumbing = [change for change in review.changes if change.what == "plumbing"]
    assert len(plumbing) == 1
    assert "plumbing changed, rules not comparable from states alone" in plumbing[0].words
    assert "5 rules with filters in AFTER alone" in plumbing[0].words
    assert {change.what for change in review.changes} == {"default", "plumbing"}
    largest = review.exposure[0]
    assert (largest.what, largest.direction) == ("newly-blocked", "outbound")
    assert largest.words.startswith("outbound any protocol to any address, any profile, any program but")
    assert not [item for item in review.exposure if item.what == "newly-allowed"]


def test_another_profile_in_force_is_plumbing(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in dump.filters():
            for held in item.iter("item"):
                field = held.findtext("fieldKey") or ""
                if field.endswith("_PROFILE_ID") and item.findtext("weight/uint8") == "8":
                    number = held.find("conditionValue/uint32")
                    number.text = {"1": "3", "3": "1"}.get(number.text, number.text)
        for item in of_rule(dump, SMB):
            item.getparent().remove(item)

    review = changed(edit, tmp_path)
    assert {change.what for change in review.changes} == {"plumbing"}
    assert "the profile in force was public, and is domain" in review.changes[0].words
    assert (review.changes[0].before, review.changes[0].after) == ("public", "domain")
    assert "1 rule with filters in BEFORE alone" in review.changes[0].words
    assert review.defaults == ()


def test_a_product_s_filter_has_its_own_part(tmp_path: Path) -> None:
    def edit(dump: Dump) -> None:
        for item in dump.find(lambda item: name(item).startswith("Teredo socket option")):
            new = clone(item, "web shield", "01")
            new.find("providerKey").text = "{63dd0fa6-1111-4222-8333-444444444444}"
            set_conditions(new, condition("IP_PROTOCOL", "EQUAL", "UINT8", "uint8", 17))

    change = only(review := changed(edit, tmp_path))
    assert (change.what, change.part, change.rule) == ("added", "third-party", "web shield")
    assert {item.what for item in review.exposure} == {"newly-blocked"}
    assert review.exposure[0].words.startswith("inbound IPv6 UDP from any address")


def test_equally_alike_rules_are_ambiguous(tmp_path: Path) -> None:
    """Two rules of one name, one of them changed and one gone: nobody can tell which is which."""

    def twins(dump: Dump, *ports: int) -> Dump:
        for item in accepts(of_rule(dump, SMB)):
            for number in ports:
                new = clone(item, "twin", f"{number:04x}bb0000000000")
                set_conditions(new, port(number))
        return dump

    before = twins(original().copy(), 1001, 1002).write(tmp_path / "before.xml")
    after = twins(original().copy(), 1003).shuffled(5).write(tmp_path / "after.xml")
    review = compared(before, after)
    whats = sorted((change.what, change.ambiguous) for change in review.changes)
    assert whats == [("changed", True), ("removed", False)]
    assert "equally alike" in next(change.why for change in review.changes if change.ambiguous)
