"""Rules of a store: which one an id means, why one has no filter, and whether there is one for a service."""

from __future__ import annotations

import ipaddress
import json

import pandas as pd
import pytest

from analyzer import frames, rulematch, rulestore
from analyzer.readers.rules import read_rules_bytes
from analyzer.readers.wfpstate import read_state
from analyzer.ruleplumbing import Situation, plumbing
from analyzer.wfp import services as wfp_services
from analyzer.wfp.rules import enforcement_reason

SVCHOST = "%SystemRoot%\\system32\\svchost.exe"
DEVICE = "\\device\\harddiskvolume3\\windows\\system32\\svchost.exe"
KEYS = {
    "local": "SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules",
    "group-policy": "SOFTWARE\\Policies\\Microsoft\\WindowsFirewall\\FirewallRules",
    "static-hardening": (
        "SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\RestrictedServices\\Static\\System"
    ),
}


def text(**fields):
    """The registry's text of a rule: BITS may reach 80 and 443, unless told otherwise."""
    given = {"Action": "Allow", "Active": "TRUE", "Dir": "Out", "Protocol": "6", "RPort": ("80", "443")}
    given |= {"App": SVCHOST, "Svc": "BITS", "Name": "BITS out", **fields}
    pairs = ((key, v) for key, value in given.items() if value for v in ((value,) if isinstance(value, str) else value))
    return "v2.31|" + "".join(f"{key}={value}|" for key, value in pairs)


def rules(*items):
    """A frame of rules: (id, text) or (id, text, store)."""
    lines = ["Windows Registry Editor Version 5.00", ""]
    for rule_id, raw, *store in items:
        lines.append(f"[HKEY_LOCAL_MACHINE\\{KEYS[store[0] if store else 'local']}]")
        lines.append('"{}"="{}"'.format(rule_id.replace("\\", "\\\\"), raw.replace("\\", "\\\\")))
    result = read_rules_bytes("\n".join(lines).encode("utf-16"), "rules.reg")
    assert not result.problems
    return result.rules


def state(*items):
    """Frames of filters and conditions: dicts with FILTERS columns and ``tests`` of (field, match, value)."""
    default = {
        "input": "state.xml",
        "layer": "ALE_AUTH_CONNECT_V4",
        "sublayer": "MPSSVC_WF",
        "provider": "MPSSVC_WF",
        "action": "permit",
        "name": "BITS out",
    }
    filters = [{"filter_id": 70000 + n, **default, **item} for n, item in enumerate(items)]
    tests = [
        {"input": "state.xml", "filter_row": n, "index": i, "field": name, "match": match, "value": value}
        for n, item in enumerate(items)
        for i, (name, match, value) in enumerate(item.get("tests", BITS_TESTS))
    ]
    built = frames.build({c: [f.get(c) for f in filters] for c in frames.FILTERS}, frames.FILTERS)
    if not tests:
        return built, frames.empty(frames.CONDITIONS)
    return built, frames.build({c: [t.get(c) for t in tests] for c in frames.CONDITIONS}, frames.CONDITIONS)


def user(service):
    return "ALE_USER_ID", "EQUAL", f"O:SYG:SYD:(A;;CCRC;;;{wfp_services.service_sid(service)})"


BITS_TESTS = (
    ("ALE_APP_ID", "EQUAL", DEVICE),
    ("IP_PROTOCOL", "EQUAL", 6),
    ("IP_REMOTE_PORT", "EQUAL", 443),
    user("bits"),
)


def states_of(frame, *items, **situation):
    out = plumbing(frame, *state(*items), Situation(**situation))
    assert list(out.columns) == list(frames.RULE_STATES)
    return list(zip(out["reason"], out["filter_ids"], strict=True))


def reason(frame, *items, **situation):
    return states_of(frame, *items, **situation)[0][0]


# --- which rule? ------------------------------------------------------------------------------------------------


def test_an_id_means_its_rule_in_any_case():
    frame = rules(("{AA}", text()), ("b", text()))
    assert rulestore.resolve(frame, "{aa}\x00").rows == (0,)
    assert rulestore.resolve(frame, "{aa}").why == "a rule of this computer"
    assert rulestore.resolve(frame, "c").rows == ()
    for nothing in (None, "", "-"):
        assert rulestore.resolve(frame, nothing).rows == ()


def test_an_id_of_several_stores():
    frame = rules(("x-1", text()), ("x-1", text(), "static-hardening"))
    assert rulestore.resolve(frame, "x-1").rows == (0, 1)
    assert rulestore.resolve(frame, "x-1", "static-hardening").rows == (1,)
    assert rulestore.resolve(frame, "x-1", "mdm").rows == (0, 1)


# --- in force ---------------------------------------------------------------------------------------------------


def test_a_block_is_found_by_its_id():
    frame = rules(("{aa}", text(Action="Block")))
    block = {"action": "block", "origin": "{AA}", "name": "another name"}
    assert states_of(frame, block) == [("plumbed", (70000,))]


def test_a_permit_is_found_by_name_and_conditions():
    assert states_of(rules(("a", text())), {}) == [("plumbed", (70000,))]


@pytest.mark.parametrize(
    "other",
    [
        {"name": "other"},
        {"layer": "ALE_AUTH_RECV_ACCEPT_V4"},
        {"action": "block"},
        {"sublayer": "MPSSVC_WSH"},
        {"tests": (*BITS_TESTS[:3], user("wuauserv"))},
        {"tests": (BITS_TESTS[0], ("IP_PROTOCOL", "EQUAL", 17), *BITS_TESTS[2:])},
        {"tests": (*BITS_TESTS[:2], ("IP_REMOTE_PORT", "EQUAL", 22), BITS_TESTS[3])},
        {"tests": (("ALE_APP_ID", "EQUAL", "\\device\\harddiskvolume3\\x.exe"), *BITS_TESTS[1:])},
        {"tests": BITS_TESTS[1:]},
        {"origin": "Stealth"},
    ],
)
def test_another_filter_is_not_this_rules(other):
    assert reason(rules(("a", text())), other) == "unresolved"


def test_a_name_that_windows_looks_up_is_not_compared():
    frame = rules(("a", text(Name="@FirewallAPI.dll,-1")), ("b", text(Name="@x,-2", Svc=None, App=None, RPort=None)))
    assert states_of(frame, {"name": "Lokalisierter Name"}) == [("plumbed", (70000,)), ("unresolved", ())]


def test_ranges_of_ports_are_compared_whole():
    frame = rules(("a", text(RPort=None, RPort2_10="5000-5010")))
    tests = (*BITS_TESTS[:2], ("IP_REMOTE_PORT", "RANGE", (5000, 5010)), BITS_TESTS[3])
    assert reason(frame, {"tests": tests}) == "plumbed"
    tests = (*BITS_TESTS[:2], ("IP_REMOTE_PORT", "RANGE", (5000, 5011)), BITS_TESTS[3])
    assert reason(frame, {"tests": tests}) == "unresolved"


def test_keywords_for_ports_contradict_nothing():
    assert reason(rules(("a", text(RPort=("443", "Teredo")))), {}) == "plumbed"


def test_values_of_other_types_do_no_harm():
    tests = (("IP_REMOTE_PORT", "EQUAL", ipaddress.IPv4Address("0.0.0.1")), ("ALE_APP_ID", "EQUAL", None))
    assert reason(rules(("a", text())), {"tests": tests}) == "unresolved"


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        ("%SystemRoot%\\System32\\svchost.exe", "\\windows\\system32\\svchost.exe"),
        ("%ProgramFiles(x86)%\\a\\b.exe", "\\program files (x86)\\a\\b.exe"),
        ("C:\\A\\b.exe", "\\a\\b.exe"),
        ("System", "system"),
        ("%LocalAppData%\\x.exe", None),
    ],
)
def test_endings_of_programs(program, ending):
    assert rulematch.program_ending(program) == ending


# --- why not? ---------------------------------------------------------------------------------------------------

DOMAIN = frozenset({"domain"})


def profile(**values):
    row = {"input": "x", "line": 1, "store": "local", "profile": "domain", **values}
    return {c: row.get(c) for c in frames.FIREWALL_PROFILES}


def settings(*rows):
    columns = {c: [row[c] for row in rows] for c in frames.FIREWALL_PROFILES}
    return rulestore.effective_settings(frames.build(columns, frames.FIREWALL_PROFILES))


def test_a_disabled_rule():
    assert reason(rules(("a", text(Active="FALSE"))), {}) == "disabled"


def test_a_rule_that_4957_named():
    frame = rules(("{AA}", text()))
    out = plumbing(frame, *state(), Situation(not_applied={"{aa}": "Local Port"}))
    assert out["reason"].tolist() == ["not-applied"]
    assert "Local Port" in out["why"].iloc[0]


def test_a_rule_of_another_profile():
    frame = rules(("a", text(Profile="Public")))
    assert reason(frame, profiles=DOMAIN) == "other-profile"
    assert reason(frame) == "unresolved"
    assert reason(frame, profiles=frozenset({"public"})) == "unresolved"


def test_an_outbound_allow_rule_under_a_permitting_default():
    frame = rules(("a", text()), ("b", text(Action="Block")))
    expected = [("permitting-default", ()), ("unresolved", ())]
    assert states_of(frame, defaults={"outbound": "allow"}) == expected
    by_settings = settings(profile(outbound="allow"))
    assert states_of(frame, profiles=DOMAIN, settings=by_settings) == expected
    # what the state shows outranks what is set
    assert reason(frame, profiles=DOMAIN, settings=by_settings, defaults={"outbound": "block"}) == "unresolved"


def test_a_local_rule_that_policy_ignores():
    frame = rules(("a", text()), ("b", text(), "group-policy"))
    merged = settings(profile(), profile(store="group-policy", local_merge=False, outbound="block"))
    found = [word for word, _ in states_of(frame, profiles=DOMAIN, settings=merged)]
    assert found == ["not-merged", "unresolved"]


def test_a_firewall_that_is_off():
    assert reason(rules(("a", text())), profiles=DOMAIN, settings=settings(profile(firewall=False))) == "firewall-off"


def test_what_powershell_says_of_enforcement():
    base = {"Name": "a", "Enabled": 1, "Direction": 2, "Action": 2, "Profile": 0, "DisplayName": "x"}
    for state_word, expected in ((16, "not-merged"), ("ProfileInactive", "other-profile"), (6, "not-applied")):
        data = json.dumps([{**base, "EnforcementStatus": [state_word]}]).encode()
        assert reason(read_rules_bytes(data, "r.json").rules) == expected
    data = json.dumps([{**base, "EnforcementStatus": ["ProfileInactive", "Enforced"]}]).encode()
    assert reason(read_rules_bytes(data, "r.json").rules, defaults={"outbound": "allow"}) == "permitting-default"


@pytest.mark.parametrize("word", ["NotApplicable", "None", "Invalid", "OptimizedOut", "whatever"])
def test_states_that_give_no_reason(word):
    assert enforcement_reason(word) is None


def test_no_rules_and_no_filters():
    assert plumbing(frames.empty(frames.RULES), *state({}), Situation()).empty
    assert reason(rules(("a", text()))) == "unresolved"


# --- settings ---------------------------------------------------------------------------------------------------


def test_policy_outranks_the_local_store_and_windows_fills_in():
    found = settings(profile(outbound="allow", firewall=True), profile(store="group-policy", outbound="block"))[
        "domain"
    ]
    assert (found.outbound, found.source["outbound"]) == ("block", "group-policy")
    assert (found.inbound, found.source["inbound"]) == ("block", "default")
    assert (found.local_merge, found.source["local_merge"]) == (True, "default")


def test_nothing_is_known_of_a_profile_that_no_file_sets():
    found = settings(profile())["public"]
    assert (found.firewall, found.inbound, found.outbound, found.local_merge) == (None, None, None, None)


def test_policies_that_disagree():
    rows = (profile(store="group-policy", outbound="block"), profile(store="mdm", outbound="allow"))
    assert settings(*rows)["domain"].outbound is None


def test_without_policy_keys_local_merge_is_not_known():
    assert settings(profile())["domain"].local_merge is None


# --- joining ----------------------------------------------------------------------------------------------------

RULE = {"InstanceID": "a", "Enabled": 1, "Direction": 2, "Action": 2, "Profile": 0, "DisplayName": "BITS out"}
PORT = {"InstanceID": "A", "Protocol": "TCP", "LocalPort": "Any", "RemotePort": ["80", "443"]}
SERVICE = {"InstanceID": "a", "Service": "BITS"}


def listed(*objects):
    return read_rules_bytes(json.dumps(objects).encode(), "r.json")


def test_filters_come_to_their_rules():
    joined, problems = rulestore.join(listed(RULE).rules, listed(PORT, SERVICE).parts)
    (row,) = joined.to_dict("records")
    assert row["known"] == ("port", "service")
    assert (row["protocol"], row["remote_ports"], row["local_ports"]) == (6, ("80", "443"), ())
    assert row["service"] == "BITS"
    assert row["remote_addresses"] is None
    assert problems == ()
    assert {c: str(t) for c, t in joined.dtypes.items()} == {c: str(t) for c, t in listed(RULE).rules.dtypes.items()}


def test_filters_that_disagree_come_to_none():
    joined, problems = rulestore.join(listed(RULE).rules, listed(SERVICE, {**SERVICE, "Service": "wuauserv"}).parts)
    assert joined["service"].isna().all()
    assert joined["known"].tolist() == [()]
    assert [p.severity for p in problems] == ["doubtful"]


def test_filters_without_rules_are_told():
    joined, problems = rulestore.join(listed(RULE).rules, listed({**SERVICE, "InstanceID": "z"}).parts)
    assert joined["service"].isna().all()
    assert [(p.severity, p.input) for p in problems] == [("note", "r.json")]
    assert rulestore.join(frames.empty(frames.RULES), listed(SERVICE).parts)[1]
    assert rulestore.join(listed(RULE).rules, frames.empty(frames.RULE_PARTS))[1] == ()


# --- is there a rule for this service? --------------------------------------------------------------------------


def test_rules_of_a_service():
    frame = rules(
        ("a", text(Profile="Domain")),
        ("b", text(Active="FALSE", Svc="bits")),
        ("c", text(Svc="wuauserv")),
        ("d", text(Svc="*")),
        ("e", text(Svc=None, LUAuth=f"D:(A;;CC;;;{wfp_services.service_sid('BITS')})")),
    )
    found = rulestore.rules_for_service(frame, "BITS")
    assert [(r.rule_id, r.active, r.by) for r in found.rules] == [
        ("a", True, "service"),
        ("b", False, "service"),
        ("e", True, "local user"),
    ]
    assert found.any_service == (3,)
    assert found.known
    assert found.answer == (
        "3 exported rules name BITS: allow outbound, enabled, profiles domain (local); "
        "allow outbound, disabled (local); allow outbound, enabled (local)."
    )


def test_no_rule_of_a_service():
    found = rulestore.rules_for_service(rules(("a", text())), "wuauserv")
    assert found.rules == ()
    assert found.answer == "No exported rule names wuauserv."


def test_a_rule_that_names_the_display_name():
    found = rulestore.rules_for_service(rules(("a", text(Svc="Windows Update"))), "wuauserv", "Windows Update")
    assert found.misnamed == (0,)
    assert "display name" in found.answer


def test_an_export_without_services_proves_nothing():
    found = rulestore.rules_for_service(listed(RULE).rules, "BITS")
    assert not found.known
    assert "exported without it" in found.answer


def test_an_instance_of_a_per_user_service():
    frame = rules(("a", text(Svc="WpnUserService")))
    assert len(rulestore.rules_for_service(frame, "WpnUserService_1a2b3").rules) == 1


# --- a real state -----------------------------------------------------------------------------------------------


def test_rules_made_from_a_real_state_are_found_in_it(shared):
    found = read_state(shared / "xml" / "win11-22621-wfpstate.xml", "state")
    tests = found.conditions.groupby("filter_row")
    wanted = found.filters[
        (found.filters["sublayer"] == "MPSSVC_WF")
        & (found.filters["action"] == "permit")
        & found.filters["origin"].isna()
        & (found.filters["layer"] == "ALE_AUTH_RECV_ACCEPT_V4")
    ]
    made, expected = [], []
    for row, item in wanted.iterrows():
        if row not in tests.groups or "|" in item["name"]:
            continue
        by_field = {f: v for f, m, v in tests.get_group(row)[["field", "match", "value"]].itertuples(index=False)}
        service = next(
            (
                n
                for n in wfp_services.service_names()
                if wfp_services.service_sid(n) in str(by_field.get("ALE_USER_ID"))
            ),
            None,
        )
        ports = [v for f, v in tests.get_group(row)[["field", "value"]].itertuples(index=False) if f == "IP_LOCAL_PORT"]
        if service is None or not all(isinstance(p, int) for p in ports) or "IP_REMOTE_PORT" in by_field:
            continue
        program = str(by_field.get("ALE_APP_ID", "")).removeprefix("\\device\\harddiskvolume3")
        fields = {"Protocol": str(by_field.get("IP_PROTOCOL", "")), "LPort": tuple(map(str, ports)), "RPort": None}
        made.append((f"r{row}", text(Dir="In", App=program, Svc=service, Name=item["name"], **fields)))
        expected.append(int(item["filter_id"]))
    assert len(made) > 5
    out = plumbing(rules(*made), found.filters, found.conditions, Situation())
    for ids, number in zip(out["filter_ids"], expected, strict=True):
        assert number in ids
    # outbound allow rules make no filters while the outbound default allows (REFERENCE 12)
    outbound = rules(("o", text()))
    told = plumbing(outbound, found.filters, found.conditions, Situation(defaults={"outbound": "allow"}))
    assert told["reason"].tolist() == ["permitting-default"]
    assert isinstance(told, pd.DataFrame)


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ((("ORIGINAL_ICMP_TYPE", "EQUAL", 3), ("IP_REMOTE_PORT", "EQUAL", 4)), "plumbed"),
        ((("IP_LOCAL_PORT", "EQUAL", 3),), "plumbed"),
        ((("ORIGINAL_ICMP_TYPE", "EQUAL", 8),), "unresolved"),
    ],
)
@pytest.mark.parametrize("name", ["Unreachable", "@FirewallAPI.dll,-25110"])
def test_an_icmp_rule_with_a_code_is_found_where_the_port_fields_hold_type_and_code(tests, expected, name):
    frame = rules(("{aa}", f"v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=1|ICMP4=3:4|App=System|Name={name}|"))
    item = {"name": "Unreachable", "layer": "ALE_AUTH_RECV_ACCEPT_V4"}
    always = (("IP_PROTOCOL", "EQUAL", 1), ("ALE_APP_ID", "EQUAL", "System"))
    assert reason(frame, {**item, "tests": (*always, *tests)}) == expected
