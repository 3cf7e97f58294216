"""Exported rule stores: registry exports and PowerShell's lists, whole and damaged."""

from __future__ import annotations

import base64
import json
import time
import tracemalloc

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_build import (
    BITS,
    BITS_ID,
    FULL,
    GROUP_KEY,
    POLICY_KEY,
    PROMPT_ID,
    PS_ADDRESSES,
    PS_PORTS,
    PS_PROGRAMS,
    PS_RULES,
    PS_SERVICES,
    SVCHOST,
    key,
    local,
    registry,
    rule,
)

from analyzer import frames
from analyzer.identify import identify
from analyzer.readers.rules import read_rules, read_rules_bytes
from analyzer.readers.rules.grammar import read_rule
from analyzer.wfp import rules as vocabulary


def read(text, encoding="utf-16"):
    return read_rules_bytes(text.replace("\n", "\r\n").encode(encoding), "rules.reg")


def one(text):
    said = []
    return read_rule(text, said.append), said


def said(result):
    return [(p.severity, p.place, p.what) for p in result.problems]


# --- the text of one rule ---------------------------------------------------------------------------------------


def test_a_rule_in_full():
    found, doubts = one(BITS)
    assert doubts == []
    assert found["version"] == "2.31"
    assert (found["action"], found["direction"], found["active"]) == ("allow", "outbound", True)
    assert found["profiles"] == ("domain", "private")
    assert found["protocol"] == 6
    assert found["remote_ports"] == ("80", "443")
    assert found["local_ports"] == ()
    assert (found["program"], found["service"], found["name"]) == (SVCHOST, "BITS", "BITS out")
    assert found["edge"] == "block"
    assert found["extra"] is None
    assert found["raw"] == BITS


def test_what_is_missing_means_what_the_grammar_says():
    found, doubts = one("v2.10|Action=Block|Dir=In|")
    assert found["profiles"] == ("domain", "private", "public")
    assert found["protocol"] is None
    assert found["active"] is False
    assert doubts == []


def test_several_keys_fill_one_column():
    found, _ = one(
        "v2.31|Action=Allow|Active=TRUE|Dir=In|LPort=80|LPort2_10=5000-5010|LPort2_20=mDNS|RA4=LocalSubnet|RA6=fe80::/64|RA42=IntrAnet|"
    )
    assert found["local_ports"] == ("80", "5000-5010", "mDNS")
    assert found["remote_addresses"] == ("LocalSubnet", "fe80::/64", "IntrAnet")


def test_users_of_a_rule():
    sddl = "D:(A;;CC;;;S-1-5-21-1-2-3-1001)"
    found, _ = one(f"v2.31|Action=Allow|Active=TRUE|Dir=Out|LUAuth={sddl}|LUOwn=S-1-5-21-1|RUAuth=D:x|RMauth=D:y|")
    assert (found["local_user"], found["owner"]) == (sddl, "S-1-5-21-1")
    assert (found["remote_user"], found["remote_machine"]) == ("D:x", "D:y")
    encoded = base64.b64encode(sddl.encode("utf-16-le")).decode()
    assert one(f"v2.31|Action=Allow|Dir=Out|LUAuth2_24={encoded}|")[0]["local_user"] == sddl


def test_unknown_keys_are_kept_and_a_pipe_in_a_name_too():
    found, _ = one("v2.99|Action=Allow|Active=TRUE|Dir=Out|Name=a|b|NewKey=1|NewKey=2|Platform=2:6:1|")
    assert found["name"] == "a|b"
    assert found["extra"] == {"newkey": "1|2", "platform": "2:6:1"}


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("BlockX|Action=Block|Active=TRUE|Dir=Out|", "version"),
        ("v2.31|Action=Perhaps|Active=TRUE|Dir=Out|", "action=Perhaps"),
        ("v2.31|Action=Allow|Active=maybe|Dir=Out|", "Active=maybe"),
        ("v2.31|Action=Allow|Active=TRUE|Dir=Out|Protocol=tcp|", "Protocol=tcp"),
        ("v2.31|Action=Allow|Active=TRUE|Dir=Out|Profile=Work|", "Profile=work"),
        ("v2.31|Action=Allow|Active=TRUE|", "no dir"),
    ],
)
def test_doubts_are_told(text, doubt):
    found, doubts = one(text)
    assert found is not None
    assert any(doubt in what for what in doubts)


@pytest.mark.parametrize("text", ["", "hello", "v2.31|", "v2.31|Name=x|", "x" * 300_000])
def test_what_is_no_rule(text):
    assert one(text)[0] is None


# --- registry exports -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig", "cp1252"])
def test_every_store_is_told_apart(encoding):
    result = read(FULL, encoding)
    stores = dict(zip(result.rules["rule_id"], result.rules["store"], strict=True))
    assert stores == {
        BITS_ID: "local",
        PROMPT_ID: "local",
        "CoreNet-DNS": "local",
        "mdm-1": "mdm",
        "{app}": "app-isolation",
        "conf-1": "configurable-hardening",
        "Dhcp-1": "static-hardening",
        "gp-1": "group-policy",
    }
    assert set(stores.values()) <= set(vocabulary.STORES)
    assert said(result) == []
    assert result.kind == "registry"


def test_lines_are_told():
    result = read(FULL)
    line = int(result.rules.loc[result.rules["rule_id"] == BITS_ID, "line"].iloc[0])
    assert FULL.split("\n")[line - 1].startswith(f'"{BITS_ID}"')


def test_settings_of_profiles():
    frame = read(FULL).profiles
    rows = {(r["store"], r["profile"]): r for r in frame.to_dict("records")}
    assert rows["local", "domain"]["firewall"] is True
    assert rows["local", "domain"]["notifications"] is True
    assert rows["local", "private"]["firewall"] is False
    assert rows["local", "public"]["outbound"] == "block"
    assert rows["group-policy", "domain"]["local_merge"] is False
    assert rows["group-policy", "domain"]["outbound"] == "block"
    assert rows["mdm", "private"]["local_merge"] is True
    assert rows["mdm", "private"]["firewall"] is None


def test_the_older_form_and_binary_strings():
    data = BITS.encode("cp1252") + b"\0"
    hexed = ",".join(f"{byte:02x}" for byte in data)
    lines = [hexed[i : i + 60] for i in range(0, len(hexed), 60)]
    text = (
        f'REGEDIT4\n\n[{POLICY_KEY}\\FirewallRules]\n"a"=hex(2):' + "\\\n  ".join(lines) + "\n" + rule("b", BITS) + "\n"
    )
    result = read(text, "cp1252")
    assert result.rules["rule_id"].tolist() == ["a", "b"]
    assert result.rules["service"].tolist() == ["BITS", "BITS"]
    wide = ",".join(f"{byte:02x}" for byte in (BITS + "\0").encode("utf-16-le"))
    result = read(registry(key(f"{POLICY_KEY}\\FirewallRules", f'"a"=hex(1):{wide}')))
    assert result.rules["raw"].tolist() == [BITS]


def test_a_string_over_several_lines():
    result = read(local((BITS_ID, BITS.replace("BITS out", "two\nlines"))))
    assert result.rules["name"].tolist() == ["two\nlines"]
    assert said(result) == []


def test_defaults_are_not_in_force():
    text = FULL.replace("SharedAccess\\Parameters", "SharedAccess\\Defaults")
    result = read(text)
    assert result.rules["store"].tolist() == ["group-policy"]
    assert any("Defaults" in what and severity == "note" for severity, _, what in said(result))


def test_of_several_control_sets_the_one_in_use_is_taken():
    first = key(POLICY_KEY.replace("CurrentControlSet", "ControlSet001") + "\\FirewallRules", rule("one", BITS))
    second = key(POLICY_KEY.replace("CurrentControlSet", "ControlSet002") + "\\FirewallRules", rule("two", BITS))
    select = key("HKEY_LOCAL_MACHINE\\SYSTEM\\Select", '"Current"=dword:00000002')
    assert read(registry(first, second, select)).rules["rule_id"].tolist() == ["two"]
    unsure = read(registry(first, second))
    assert unsure.rules["rule_id"].tolist() == ["one"]
    assert said(unsure)[0][0] == "doubtful"


def test_a_mounted_hive_has_another_root():
    text = local((BITS_ID, BITS)).replace("HKEY_LOCAL_MACHINE\\SYSTEM", "HKEY_LOCAL_MACHINE\\offline")
    assert len(read(text).rules) == 1


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        ('"x"="v2.31|Action=Allow', "the data of a value is damaged"),
        ('"x"=hex(2):zz,01', "the data of a value is damaged"),
        ('"x"=nothing', "the data of a value is damaged"),
        ("no value at all", "a line is no value"),
        ('"x"=dword:00000001', "is no firewall rule"),
        ('"x"="hello"', "is no firewall rule"),
    ],
)
def test_a_damaged_value_costs_one_value(bad, what):
    text = registry(key(f"{POLICY_KEY}\\FirewallRules", rule("a", BITS), bad, rule("b", BITS)))
    result = read(text)
    assert result.rules["rule_id"].tolist() == ["a", "b"]
    ((severity, place, told),) = said(result)
    assert severity == "lost"
    assert place == "line 5"
    assert what in told


def test_a_setting_that_is_neither_0_nor_1_is_unknown():
    result = read(registry(key(f"{GROUP_KEY}\\PublicProfile", '"EnableFirewall"=dword:00000007')))
    assert len(result.profiles) == 0
    assert said(result)[0][:2] == ("doubtful", "line 4")


def test_deleted_keys_and_values_are_none():
    text = registry(key(f"-{POLICY_KEY}\\FirewallRules", rule("a", BITS)), key(f"{POLICY_KEY}\\FirewallRules", '"b"=-'))
    assert len(read(text).rules) == 0


def test_connection_security_is_told():
    result = read(registry(key(f"{GROUP_KEY}\\ConSecRules", rule("a", "v2.31|Action=SecureServer|")), FULL))
    assert any("IPsec" in what for _, _, what in said(result))


def test_rules_under_unknown_keys_are_told():
    result = read(registry(key(f"{POLICY_KEY}\\Unheard\\Of", rule("a", BITS))))
    assert [severity for severity, _, _ in said(result)] == ["lost", "note"]


def test_a_cut_export_keeps_what_is_whole():
    text = local((BITS_ID, BITS), ("b", BITS))
    result = read(text[:-60])
    assert result.rules["rule_id"].tolist() == [BITS_ID]
    assert said(result)[0][0] == "lost"


def test_another_registry_export():
    result = read(registry(key("HKEY_CURRENT_USER\\Software\\X", '"a"="b"')))
    assert len(result.rules) == 0
    assert said(result) == [("note", None, said(result)[0][2])]


# --- PowerShell -------------------------------------------------------------------------------------------------


def test_rules_with_numbers_and_with_names():
    result = read(json.dumps(PS_RULES, indent=4))
    assert result.kind == "powershell"
    first, second = result.rules.to_dict("records")
    assert (first["action"], first["active"], first["direction"]) == ("allow", True, "outbound")
    assert first["profiles"] == ("domain", "private")
    assert first["store"] == "local"
    assert first["enforcement"] == ("InactiveProfile",)
    assert first["known"] == ()
    assert first["remote_ports"] is None
    assert (second["action"], second["active"], second["direction"]) == ("block", False, "inbound")
    assert (second["store"], second["store_name"]) == ("group-policy", "example.test\\policy")
    assert second["enforcement"] == ("LocalFirewallRulesDisallowed",)
    assert said(result) == []


@pytest.mark.parametrize(
    ("value", "profiles"),
    [
        ("Any", vocabulary.PROFILES),
        (0, vocabulary.PROFILES),
        (2147483647, vocabulary.PROFILES),
        ("Public", ("public",)),
        ("Private, Public", ("private", "public")),
        (6, ("private", "public")),
        ("Work", None),
    ],
)
def test_profiles(value, profiles):
    assert vocabulary.profiles(str(value)) == profiles


def test_filters_are_parts_of_rules():
    result = read(json.dumps(PS_PORTS + PS_SERVICES + PS_PROGRAMS + PS_ADDRESSES))
    assert len(result.rules) == 0
    parts = result.parts.to_dict("records")
    assert parts[0]["known"] == ("port",)
    assert parts[0]["remote_ports"] == ("80", "443")
    assert parts[0]["local_ports"] == ()
    assert parts[1]["local_ports"] == ("5000-5010",)
    assert parts[2]["service"] == "BITS"
    assert pd.isna(parts[3]["service"])
    assert parts[4]["program"] == SVCHOST
    assert parts[6]["remote_addresses"] == ("LocalSubnet",)
    assert said(result) == []


def test_a_rule_that_somebody_joined_already_as_csv():
    text = (
        "Name;DisplayName;Enabled;Direction;Action;Profile;Protocol;RemotePort;Program;Service;InterfaceAlias;Extra\n"
        f'{BITS_ID};"BITS; out";True;Outbound;Allow;Any;TCP;"80,443";{SVCHOST};BITS;Wi-Fi 2;more\n'
    )
    result = read(text, "cp1252")
    (row,) = result.rules.to_dict("records")
    assert row["known"] == ("port", "application", "service", "interface")
    assert row["remote_ports"] == ("80", "443")
    assert row["interfaces"] == ("Wi-Fi 2",)
    assert row["name"] == "BITS; out"
    assert row["extra"] == {"extra": "more"}
    assert row["store"] is None or pd.isna(row["store"])


def test_export_csv_of_lists_is_told():
    text = f"InstanceID,Protocol,LocalPort,RemotePort\n{BITS_ID},TCP,Any,System.String[]\n"
    result = read(text)
    assert result.parts["remote_ports"].iloc[0] is None
    assert result.parts["local_ports"].iloc[0] == ()
    assert said(result)[0][0] == "doubtful"


def test_profiles_of_powershell():
    rows = [
        {
            "Name": "Domain",
            "Enabled": 1,
            "DefaultInboundAction": 4,
            "DefaultOutboundAction": 0,
            "AllowLocalFirewallRules": 2,
        },
        {"Name": "Public", "Enabled": "False", "DefaultInboundAction": "Block", "DefaultOutboundAction": "Allow"},
        {"Name": "Öffentlich", "Enabled": "True", "DefaultInboundAction": "Block", "DefaultOutboundAction": "Allow"},
    ]
    result = read(json.dumps(rows))
    first, second = result.profiles.to_dict("records")
    assert (first["firewall"], first["inbound"]) == (True, "block")
    assert pd.isna(first["outbound"])
    assert first["local_merge"] is None
    assert (second["firewall"], second["outbound"]) == (False, "allow")
    assert said(result)[0][0] == "lost"


def test_unknown_words_are_told():
    result = read(json.dumps([dict(PS_RULES[0], Action="Erlauben")]))
    assert pd.isna(result.rules["action"].iloc[0])
    assert said(result)[0][0] == "doubtful"


def test_objects_of_other_kinds_cost_themselves():
    result = read(json.dumps([*PS_RULES, {"a": 1}, {"Direction": 1, "Action": 2}]))
    assert len(result.rules) == 2
    assert [severity for severity, _, _ in said(result)] == ["lost", "lost"]


# --- what nobody meant ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"", b"  ", b"hello", b"[]", bytes(range(256)), b"Windows Registry Editor Version 5.00"]
)
def test_what_holds_no_rule(data):
    result = read_rules_bytes(data, "x")
    assert len(result.rules) == 0
    assert len(result.problems) >= 1
    assert list(result.rules.columns) == list(frames.RULES)
    assert list(result.parts.columns) == list(frames.RULE_PARTS)


def test_files(tmp_path):
    path = tmp_path / "r.reg"
    path.write_bytes(FULL.encode("utf-16"))
    assert len(read_rules(path, "r.reg").rules) == 8
    with pytest.raises(OSError, match="none"):
        read_rules(tmp_path / "none", "none")


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        json.dumps(PS_RULES),
        json.dumps(PS_PORTS),
        FULL.replace("Windows Registry Editor Version 5.00", "REGEDIT4"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp850"])
def test_they_are_told_by_their_content(text, encoding):
    assert identify(text.encode(encoding)).kind == "rules"


BASES = [FULL.encode("utf-16"), FULL.encode(), json.dumps(PS_RULES + PS_PORTS, indent=2).encode()]


@given(
    st.sampled_from(BASES),
    st.lists(st.tuples(st.integers(0, 8000), st.integers(0, 255)), max_size=12),
    st.integers(0, 9000),
)
@settings(max_examples=100, deadline=None)
def test_damage_never_raises(base, changes, cut):
    data = bytearray(base)
    for at, byte in changes:
        if at < len(data):
            data[at] = byte
    result = read_rules_bytes(bytes(data[:cut]), "x")
    assert list(result.rules.columns) == list(frames.RULES)


@given(st.text(alphabet='v2.31|Action=AllowDirInPortfTRUE, \\"', max_size=120))
@settings(max_examples=100, deadline=None)
def test_any_rule_text_is_taken(text):
    one(text)


def test_hostile_exports_are_bounded():
    start = time.monotonic()
    head = f"Windows Registry Editor Version 5.00\n\n[{POLICY_KEY}\\FirewallRules]\n"
    read(head + '"a"="\n' * 100_000)
    read(head + '"a"=hex(2):' + "00,\\\n" * 200_000)
    read(head + '"a"="' + "x\n" * 200_000)
    read(head + '"a"=hex:zz,\\\n' * 100_000)
    read(head + '"a"=zz,\\\n' * 100_000)
    read(head + rule("a", "v2.31|Action=Allow|Dir=In|" + "LPort=1|" * 200_000))
    assert time.monotonic() - start < 40


def test_strings_that_never_close_take_neither_time_nor_memory():
    head = f"Windows Registry Editor Version 5.00\n\n[{POLICY_KEY}\\FirewallRules]\n"
    text = head + '"a"="\\"' + ("b" * 100_000 + "\n") * 50 + '"' + "c" * 900_000 + "\n" + rule("d", BITS)
    tracemalloc.start()
    start = time.process_time()
    found = read(text, "utf-8")
    took, (_, most) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 15
    assert most < 40 * len(text)
    assert found.rules["rule_id"].tolist() == ["d"]
    assert {problem.severity for problem in found.problems} == {"lost"}
