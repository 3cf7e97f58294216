"""Small rooms of the review: what compares equal, how rules fold, which layers decide."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_build import ACCEPT, condition, item, lost

from analyzer.review import defaults, exposure, folding, groups, identity, leftout, matching, values
from analyzer.review.conditions import DESCRIPTOR, Condition, asked
from analyzer.review.leftout import Dump

PORT = "IP_LOCAL_PORT"
spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(spans, spans)
def test_port_lists_are_equal_where_they_mean_the_same_ports(one: list, two: list) -> None:
    keys, ports = [], []
    for found in (one, two):
        conditions = tuple(condition(PORT, (low, low + more) if more else low) for low, more in found)
        keys.append(asked(conditions))
        ports.append({n for low, more in found for n in range(low, low + more + 1)})
    assert (keys[0] == keys[1]) == (ports[0] == ports[1])


def test_addresses_are_equal_however_they_are_written() -> None:
    network = condition("IP_REMOTE_ADDRESS", ipaddress.ip_network("10.0.0.0/8"))
    ends = (ipaddress.IPv4Address("10.0.0.0"), ipaddress.IPv4Address("10.255.255.255"))
    assert asked((network,)) == asked((condition("IP_REMOTE_ADDRESS", ends),))
    assert values.words(condition("IP_REMOTE_ADDRESS", ends)) == "10.0.0.0/8"
    other = condition("IP_REMOTE_ADDRESS", ipaddress.ip_network("2001:db8::/32"))
    assert asked((network,)) != asked((other,))


def test_descriptors_that_only_allow_are_equal_in_any_order() -> None:
    def user(sddl: str) -> Condition:
        return Condition("ALE_USER_ID", "EQUAL", DESCRIPTOR, sddl, sddl, sddl)

    one, two = "D:(A;;CC;;;S-1-5-80-1)(A;;CC;;;SY)", "D:(A;;CC;;;S-1-5-18)(A;;CC;;;S-1-5-80-1)"
    assert asked((user(one),)) == asked((user(two),))
    deny = "D:(D;;CC;;;SY)(A;;CC;;;WD)"
    assert asked((user(deny),)) != asked((user("D:(A;;CC;;;WD)(D;;CC;;;SY)"),))


def test_a_lost_condition_is_not_no_condition() -> None:
    assert asked((lost(),)) != asked(())
    assert item("permit", lost()).content() != item("permit").content()


def test_programs_compare_without_case_and_ids_not_at_all() -> None:
    one = item("permit", condition("ALE_APP_ID", r"\a\B.exe"), data="01")
    two = item("permit", condition("ALE_APP_ID", r"\a\b.exe"), data="02")
    assert one.content() == two.content()
    assert one.filter_id != two.filter_id


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"data": "2c01"}, "rule"),
        ({"data": "f" * 16}, "default"),
        ({"data": "f" * 16, "rule_id": "RemoteDesktop-1"}, "rule"),
        ({"data": "", "class_": 9}, "rule"),
        ({"data": "", "class_": 12}, "default"),
        ({"data": "2c01", "class_": 3}, "default"),  # the shape of a default
        ({"provider": "MPSSVC_WSH", "sublayer": "MPSSVC_WSH", "data": "2c01"}, "windows-rule"),
        ({"provider": "MPSSVC_WSH", "sublayer": "MPSSVC_WSH", "data": ""}, "default"),
        ({"provider": "", "sublayer": "{3c1cd879-1b8c-4ab4-8f83-5ed129176ef3}"}, "windows"),
        ({"provider": "IKEEXT", "sublayer": "UNIVERSAL"}, "windows"),
        ({"provider": "{12345678-0000-4000-8000-000000000000}", "product": "Npcap"}, "third-party"),
        ({"provider": "{12345678-0000-4000-8000-000000000000}"}, "other"),
        ({"provider": ""}, "other"),
    ],
)
def test_filters_have_their_parts(more: dict, part: str) -> None:
    assert identity.part_of([item("permit", **more)]) == part


def test_provider_data_groups_inside_one_state() -> None:
    one = [item("permit", condition(PORT, n), name="web", data="2c01") for n in (80, 443)]
    other = item("permit", condition(PORT, 22), name="ssh", data="2c02")
    found = groups.grouped([*one, other], by_origin=True)
    assert sorted((group.name, len(group.items)) for group in found) == [("ssh", 1), ("web", 2)]
    again = [replace(i, data={"2c01": "0007", "2c02": "0008"}[i.data]) for i in (*one, other)]
    pairs = matching.match_groups(found, groups.grouped(again, by_origin=True))
    assert all(pair.before and pair.after and not pair.near for pair in pairs)


def test_a_rule_id_binds_the_permits_of_its_rule() -> None:
    """An answered prompt makes blocks with an origin and, under the same number, filters without."""
    block = item("block", origin="id", rule_id="A-1", data="2c01")
    permit = item("permit", data="2c01", layer="ALE_AUTH_LISTEN_V4")
    (group,) = groups.grouped([permit, block], by_origin=True)
    assert group.rule_id == "A-1"
    assert groups.grouped([permit, block], by_origin=False)[0].rule_id == ""


def test_rules_of_two_ids_are_never_one() -> None:
    one = groups.grouped([item("block", name="x", rule_id="A-1")], by_origin=True)
    two = groups.grouped([item("block", name="x", rule_id="B-1")], by_origin=True)
    assert sorted(bool(pair.before) for pair in matching.match_groups(one, two)) == [False, True]


def test_a_rule_folds_to_its_lists() -> None:
    filters = [
        item("permit", condition("IP_PROTOCOL", 6), condition(PORT, port), layer=f"ALE_AUTH_RECV_ACCEPT_V{family}")
        for port in (443, 80)
        for family in (4, 6)
    ]
    told = folding.folded(filters)
    assert folding.described(told) == "protocol TCP, local port 80, 443"
    assert "IP_PROTOCOL" not in folding.folded([*filters, item("permit", condition(PORT, 1), layer=ACCEPT)])


# ------------------------------------------------------------------------------------------------------- defaults


def default(action: str, number: int | None, layer: str = "ALE_AUTH_CONNECT_V4", **more: object) -> identity.Item:
    fields = ("ORIGINAL_PROFILE_ID", "CURRENT_PROFILE_ID") if "CONNECT" in layer else ("ORIGINAL_PROFILE_ID",)
    asked_for = [condition(field, number) for field in fields] if number else []
    return item(action, *asked_for, weight=(8 if number else 3) << 60, class_=8 if number else 3, layer=layer, **more)


def test_defaults_are_found_by_shape_whatever_they_are_called() -> None:
    both = [
        default(action, number, f"ALE_AUTH_CONNECT_V{family}", name="Sortant par défaut")
        for action, number in (("block", 1), ("permit", None))
        for family in (4, 6)
    ]
    decoy = item("block", condition(PORT, 1), name="Default Outbound", class_=9)
    found = defaults.found([*both, decoy], frozenset({"ALE_AUTH_CONNECT_V4", "ALE_AUTH_CONNECT_V6"}))
    assert found.by_profile == {
        ("outbound", "public"): "block",
        ("outbound", "private"): "allow",
        ("outbound", "domain"): "allow",
    }
    assert found.in_force == {"public"}


def test_families_that_differ_are_mixed_and_none_is_off() -> None:
    listed = frozenset({"ALE_AUTH_CONNECT_V4", "ALE_AUTH_CONNECT_V6"})
    found = defaults.found([default("block", None), default("permit", None, "ALE_AUTH_CONNECT_V6")], listed)
    assert set(found.by_profile.values()) == {"mixed"}
    off = defaults.found([item("permit", condition(PORT, 1))], listed)
    assert set(off.by_profile.values()) == {"none"}


# -------------------------------------------------------------------------------------------------------- left out


def test_hidden_filters_are_left_out_where_one_side_is_show_filters() -> None:
    top = default("block", None, ACCEPT)
    below = item("permit", condition(PORT, 1), layer=ACCEPT, weight=1 << 60, class_=1)
    watching = item("callout-inspection", layer=ACCEPT)
    whole = Dump((top, below, watching), frozenset({ACCEPT}), partial=False)
    less = Dump((replace(top, row=0),), frozenset({ACCEPT}), partial=True)
    found = leftout.comparable(whole, less)
    assert (len(found.before), len(found.after)) == (1, 1)
    assert len(leftout.comparable(whole, whole).before) == 3


# -------------------------------------------------------------------------------------------------------- exposure


def exposed(before: list[identity.Item], after: list[identity.Item]) -> list[tuple[str, str]]:
    held = frozenset(i.layer for i in (*before, *after))
    return [(found.what, found.words) for found in exposure.exposure(before, after, held).found]


def test_transport_layers_and_products_count() -> None:
    product = {
        "provider": "{12345678-0000-4000-8000-000000000000}",
        "sublayer": "{abcdef00-0000-4000-8000-000000000000}",
    }
    block = item(
        "block", condition("IP_REMOTE_PORT", 25), layer="OUTBOUND_TRANSPORT_V4", sublayer_weight=None, **product
    )
    keep = item("permit", layer="OUTBOUND_TRANSPORT_V4")
    assert exposed([keep], [keep, block]) == [
        (
            "newly-blocked",
            "outbound IPv4 any protocol port 25 to any address, any profile, any program (transport, outbound)",
        )
    ]


def test_a_callout_of_a_product_is_nothing_that_files_can_tell() -> None:
    callout = item("callout-terminating", condition("IP_PROTOCOL", 6), provider="", sublayer="X", name="web shield")
    found = exposure.exposure([], [callout], frozenset({callout.layer})).found
    assert [(f.what, f.maybe) for f in found] == [("cannot-tell", ("newly blocked", "as before"))]
    assert "web shield" in found[0].why[0]


def test_what_is_not_in_force_opens_nothing() -> None:
    off = item("block", flags=frozenset({"DISABLED"}))
    boot = item("block", flags=frozenset({"BOOTTIME"}))
    quarantine = item("block", sublayer="MPSSVC_QUARANTINE")
    helper = item("callout-unknown")
    assert exposed([], [off, boot, quarantine, helper]) == []


def test_the_largest_box_comes_first_and_what_cannot_be_told_last() -> None:
    everything = item("block", condition("IP_PROTOCOL", 17), weight=5)
    little = item("block", condition("IP_PROTOCOL", 6), condition("IP_REMOTE_PORT", 443), weight=9)
    callout = item("callout-terminating", condition("IP_PROTOCOL", 1), provider="", weight=20)
    found = exposed([], [little, callout, everything])
    assert [what for what, _ in found] == ["newly-blocked", "newly-blocked", "cannot-tell"]
    assert "UDP" in found[0][1]
    assert "TCP 443" in found[1][1]
