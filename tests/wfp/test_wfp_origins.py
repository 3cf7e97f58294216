"""Origin texts: which kind they name, and whose rule an id is."""

import pytest

from analyzer.wfp import origins

RULE = "{0a1b2c3d-0000-4000-8000-00000000000a}"
PROMPT = r"TCP Query User{0A1B2C3D-0000-4000-8000-00000000000A}C:\program files\example\server.exe"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Default Outbound", "default-outbound"),
        ("DEFAULT OUTBOUND\x00", "default-outbound"),
        ("Query User Default", "default-inbound"),
        ("Query user default", "default-inbound"),
        ("Default Inbound", "default-inbound"),
        ("Shielded Main Rule", "default-inbound"),
        ("Stealth", "stealth"),
        ("Boottime default", "boot-time"),
        ("Quarantine Default", "quarantine"),
        ("WSH Default", "service-hardening"),
        ("AppContainer Loopback", "appcontainer-loopback"),
        ("UWP default", "app-isolation"),
        ("UWP Default Outbound Block Rule", "app-isolation"),
        ("UWP Default Something New", "app-isolation"),
        ("DeviceManagement-11", "service-hardening"),
        ("SearchFilterHost-1", "service-hardening"),
        ("SearchProtocolHost-1", "service-hardening"),
        ("vmicrdv-block-out", "explicit-rule"),
        ("BFE-2", "explicit-rule"),
        (RULE, "explicit-rule"),
        (PROMPT, "explicit-rule"),
        ("CoreNet-DNS-Out-UDP", "explicit-rule"),
        ("RemoteDesktop-UserMode-In-TCP", "explicit-rule"),
        ("Unknown", None),
        ("WSC Deny All Inbound", None),
        ("", None),
        ("-", None),
        (None, None),
    ],
)
def test_kind_of_an_origin(text, kind):
    assert origins.origin_kind(text) == kind


@pytest.mark.parametrize(
    ("text", "maker"),
    [
        (RULE, "user or admin rule"),
        (PROMPT, "answered prompt"),
        (PROMPT.replace("TCP", "UDP"), "answered prompt"),
        ("DeviceManagement-4", "built-in hardening rule"),
        ("CoreNet-DNS-Out-UDP", "named rule"),
        ("Stealth", None),
        ("Unknown", None),
        ("UWP Default Something New", None),
        (None, None),
    ],
)
def test_maker_of_a_rule(text, maker):
    assert origins.rule_maker(text) == maker
    assert (origins.rule_id(text) is None) == (maker is None)


def test_a_rule_of_the_hardening_sublayer_is_built_in_whatever_its_id():
    origin = origins.read_origin("Example-7", "MPSSVC_WSH")
    assert origin is not None
    assert (origin.kind, origin.maker, origin.rule_id) == ("service-hardening", origins.BUILT_IN, "Example-7")


def test_a_rule_id_keeps_its_spelling():
    assert origins.rule_id(PROMPT + "\x00\x00") == PROMPT
