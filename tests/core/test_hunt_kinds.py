"""Kinds that only look like others: foreign names, foreign states, odd origins."""

from __future__ import annotations

import pytest
from core_build import HOST, PROGRAM, app, flt, inbound, judge, state, wfp

USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
OWN = {"users": [(USER, rf"{HOST}\someone")]}
RULE = "{0f000000-0000-4000-8000-000000000001}"
STRANGER = "{11111111-2222-3333-4444-555555555555}"
WSH = {"sublayer": "MPSSVC_WSH", "provider": "MPSSVC_WSH", "weight": ("UINT8", 0)}


def of_state(*filters, row=None, **more):
    return judge(wfp(row or {}), state("state.xml", *filters, **{**OWN, **more}))


def test_an_untied_state_does_not_turn_a_rule_into_hardening():
    hardening = flt(70001, tests=[app(PROGRAM)], **WSH)
    made = of_state(hardening, row={"event_origin": RULE}, users=(), seconds=86400 * 4)
    assert made.verdict()[:2] == ("explicit-rule", "origin")


@pytest.mark.parametrize("provider", [None, STRANGER])
@pytest.mark.parametrize(
    ("name", "layer", "row"),
    [
        ("Default Outbound", "ALE_AUTH_CONNECT_V4", {}),
        ("Query User block for kids", "ALE_AUTH_RECV_ACCEPT_V4", inbound(5157, "198.51.100.7", "192.0.2.10")),
        ("Quarantine Default", "ALE_AUTH_CONNECT_V4", {}),
        ("Port Scanning Prevention Filter", "ALE_AUTH_CONNECT_V4", {}),
    ],
)
def test_a_foreign_filter_may_have_any_name(provider, name, layer, row):
    foreign = flt(70001, name=name, provider=provider, sublayer="UNIVERSAL", layer=layer, weight=("UINT64", 5))
    kind, _, shown = of_state(foreign, row=row).verdict()
    assert (kind, shown) == ("other-wfp", 70001)


@pytest.mark.parametrize("provider", [None, "", "MPSS\ufffdVC_WF"])
@pytest.mark.parametrize("sublayer", ["MPSSVC_WF", "MPSSVC_WSH", "MPSSVC_QUARANTINE", "MPSSVC_APP_ISOLATION"])
def test_a_filter_in_a_sublayer_of_the_firewall_is_never_called_anothers(provider, sublayer):
    orphan = flt(70001, name="Default Outbound", provider=provider, sublayer=sublayer)
    made = of_state(orphan)
    assert made.verdict()[0] not in {"other-wfp", "third-party"}
    assert "not the firewall's" not in made.reasons()


@pytest.mark.parametrize("origin", ["(null)", "%%14593", "0", "NULL", "N/A", "-", " ", "unknown", "UNKNOWN "])
def test_what_stands_for_no_origin_names_no_kind(origin):
    assert judge(wfp({"event_origin": origin})).verdict()[:2] == ("unresolved", "none")


@pytest.mark.parametrize(
    "origin",
    ["DHCP-1", "BFE-7", "Default Outbound Rule by Admin", "Stealth Default", "Unbekannt"],
)
def test_a_rules_name_that_begins_like_a_group_is_a_rule(origin):
    assert judge(wfp({"event_origin": origin})).verdict()[:2] == ("explicit-rule", "origin")


def test_what_begins_like_the_default_of_app_containers_is_their_isolation():
    """REFERENCE 10: an origin that starts so names the missing capability, whatever follows."""
    made = judge(wfp({"event_origin": "UWP Default deny by admin"}))
    assert made.verdict()[:2] == ("app-isolation", "origin")


@pytest.mark.parametrize("origin", ["Default Outbound\0junk", "DEFAULT OUTBOUND\0", "  Default Outbound "])
def test_an_origin_ends_at_its_first_nul_and_has_no_case(origin):
    assert judge(wfp({"event_origin": origin})).verdict()[:2] == ("default-outbound", "origin")


def test_what_stands_for_no_origin_does_not_contradict_the_state():
    made = of_state(flt(70001, origin="Default Outbound"), row={"event_origin": "(null)"})
    assert made.verdict() == ("default-outbound", "snapshot", 70001)
