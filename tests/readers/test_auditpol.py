"""Audit policies in their three forms and any language: by position and GUID, numbers before words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import frames
from analyzer.auditpolicy import audit_state
from analyzer.identify import identify
from analyzer.readers.auditpol import read_audit_policy, read_audit_policy_bytes
from analyzer.wfp import auditpolicy
from analyzer.wfp.auditpolicy import CONNECTION, PACKET_DROP, POLICY_CHANGE, Required

HEADER = "Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting"
# auditpol /get /category:* /r begins with a blank line
EFFECTIVE = f"""
{HEADER}
HOST1,System,Filtering Platform Connection,{CONNECTION},Success and Failure,
HOST1,System,Filtering Platform Packet Drop,{PACKET_DROP},No Auditing,
HOST1,System,Filtering Platform Policy Change,{POLICY_CHANGE},Success,
HOST1,System,Process Creation,{{0CCE922B-69AE-11D9-BED3-505054503030}},Failure,
"""
GERMAN = f"""
Computername,Richtlinienziel,Unterkategorie,Unterkategorie-GUID,Aufnahmeeinstellung,Ausschlusseinstellung
HOST1,System,Filterplattformverbindung,{CONNECTION},Erfolg und Fehler,
HOST1,System,Filterplattform: Verworfene Pakete,{PACKET_DROP},Keine Überwachung,
HOST1,System,Filterplattform-Richtlinienänderung,{POLICY_CHANGE},Erfolg,
HOST1,System,Prozesserstellung,{{0CCE922B-69AE-11D9-BED3-505054503030}},Fehler,
"""
FRENCH = f"""
Nom de l'ordinateur,Cible de la stratégie,Sous-catégorie,GUID,Paramètre d'inclusion,Paramètre d'exclusion
HOST1,Système,Connexion de la plateforme de filtrage,{CONNECTION},Succès et échec,
HOST1,Système,Rejet de paquet par la plateforme de filtrage,{PACKET_DROP},Pas d'audit,
HOST1,Système,Modification de la stratégie de plateforme de filtrage,{POLICY_CHANGE},Succès,
HOST1,Système,Création du processus,{{0CCE922B-69AE-11D9-BED3-505054503030}},Échec,
"""
BACKUP = f"""{HEADER},Setting Value
HOST1,System,Filtering Platform Connection,{CONNECTION},xx,,3
HOST1,System,Filtering Platform Packet Drop,{PACKET_DROP},xx,,0
HOST1,System,Filtering Platform Policy Change,{POLICY_CHANGE},xx,,1
HOST1,S-1-5-21-1-2-3-1001,Filtering Platform Connection,{CONNECTION},xx,xx,9
HOST1,,Option:CrashOnAuditFail,,Disabled,,0
HOST1,,RegistryGlobalSacl,,,,
"""
GROUP_POLICY = f"""{HEADER},Setting Value
,System,Audit Filtering Platform Connection,{CONNECTION.lower()},Failure,,2
,System,Audit Filtering Platform Packet Drop,{PACKET_DROP.lower()},No Auditing,,0
,System,Audit Filtering Platform Policy Change,{POLICY_CHANGE.lower()},No Auditing,,4
"""


def read(text, encoding="utf-8"):
    return read_audit_policy_bytes(text.encode(encoding), "audit.csv")


def found(result):
    frame = result.policy
    return {
        (key, success, failure)
        for key, success, failure in zip(frame["subcategory_guid"], frame["success"], frame["failure"], strict=True)
    }


def said(result):
    return [(p.severity, p.place, p.what) for p in result.problems]


@pytest.mark.parametrize("text", [EFFECTIVE, GERMAN, FRENCH], ids=["english", "german", "french"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp850", "cp437", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_the_policy_in_force_in_any_language(text, encoding, separator):
    result = read(text.replace(",", separator).replace("É", "É" if encoding != "cp437" else "E"), encoding)
    assert result.source == "effective"
    assert found(result) == {
        (CONNECTION, True, True),
        (PACKET_DROP, False, False),
        (POLICY_CHANGE, True, False),
        ("{0CCE922B-69AE-11D9-BED3-505054503030}", False, True),
    }
    assert set(result.policy["computer"]) == {"HOST1"}
    assert [p for p in result.problems if p.severity != "note"] == []


def test_an_unknown_language_is_unknown_and_never_off():
    result = read(EFFECTIVE.replace("No Auditing", "Ei valvontaa"))
    assert (PACKET_DROP, None, None) in found(result)
    assert said(result)[0][:2] == ("doubtful", "line 4")
    assert "Ei valvontaa" in said(result)[0][2]


def test_the_number_is_preferred_to_the_word():
    result = read(EFFECTIVE.replace("Setting\n", "Setting,Setting Value\n").replace("No Auditing,", "Ei valvontaa,,3"))
    assert (PACKET_DROP, True, True) in found(result)
    assert said(result) == []


def test_a_backup():
    result = read(BACKUP)
    assert result.source == "backup"
    assert result.options == {"CrashOnAuditFail": "0"}
    assert found(result) == {
        (CONNECTION, True, True),
        (PACKET_DROP, False, False),
        (POLICY_CHANGE, True, False),
        (CONNECTION, None, None),  # a user's row
    }
    assert result.policy["per_user"].tolist() == [False, False, False, True]
    assert said(result) == []


def test_group_policy_leaves_settings_as_they_are():
    result = read(GROUP_POLICY, "utf-8-sig")
    assert result.source == "group-policy"
    assert found(result) == {
        (CONNECTION, False, True),
        (PACKET_DROP, None, None),  # 0: unchanged
        (POLICY_CHANGE, False, False),  # 4: none
    }
    assert said(result) == []


def test_selected_columns_are_enough():
    text = f'"Subcategory","Subcategory GUID","Inclusion Setting"\n"x","{CONNECTION}","Failure"\n'
    result = read(text)
    assert found(result) == {(CONNECTION, False, True)}
    assert result.source == "effective"


def test_a_bad_row_costs_one_row():
    result = read(EFFECTIVE.replace(PACKET_DROP, "{0CCE9225-69AE"))
    assert len(result.policy) == 3
    assert said(result) == [("lost", "line 4", "a row names no subcategory by its GUID: left out")]


def test_a_number_that_is_no_setting_is_unknown():
    result = read(BACKUP.replace("xx,,3", "xx,,17"))
    assert (CONNECTION, None, None) in found(result)
    assert any(severity == "doubtful" for severity, _, _ in said(result))


@pytest.mark.parametrize("text", ["", "hello", "a,b,c\n1,2,3\n", "Error 0x00000522 occurred:\nA required privilege\n"])
def test_what_is_no_policy(text):
    result = read(text)
    assert result.source == "unknown"
    assert len(result.policy) == 0
    assert any(severity == "lost" for severity, _, _ in said(result))


def test_files(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(BACKUP.encode("utf-16"))
    assert read_audit_policy(path, "a.csv").source == "backup"
    with pytest.raises(OSError, match="none"):
        read_audit_policy(tmp_path / "none", "none")


@pytest.mark.parametrize("text", [EFFECTIVE, GERMAN, FRENCH, BACKUP, GROUP_POLICY, EFFECTIVE.replace(",", ";")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp850"])
def test_they_are_told_by_their_content(text, encoding):
    assert identify(text.encode(encoding)).kind == "audit-policy"


@given(
    st.sampled_from([EFFECTIVE, GERMAN, FRENCH, BACKUP, GROUP_POLICY]),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=12),
    st.integers(0, 1500),
)
@settings(max_examples=100, deadline=None)
def test_damage_never_raises(base, changes, cut):
    data = bytearray(base.encode())
    for at, byte in changes:
        if at < len(data):
            data[at] = byte
    result = read_audit_policy_bytes(bytes(data[:cut]), "x")
    assert list(result.policy.columns) == list(frames.AUDIT_POLICY)
    audit_state(result.policy)


# --- was auditing on? -------------------------------------------------------------------------------------------

BOTH = (Required(CONNECTION, success=True, failure=True), Required(PACKET_DROP, success=False, failure=True))


def test_on_and_off_and_the_command_for_what_is_missing():
    connection, drop = audit_state(read(EFFECTIVE).policy, BOTH)
    assert (connection.success, connection.failure, connection.command) == ("on", "on", None)
    assert (drop.success, drop.failure) == ("off", "off")
    assert drop.command == f"auditpol /set /subcategory:{PACKET_DROP} /failure:enable"
    assert (drop.source, drop.input, drop.line) == ("effective", "audit.csv", 4)


def test_only_what_is_missing_is_turned_on():
    (state,) = audit_state(read(EFFECTIVE.replace("Success and Failure", "Failure")).policy, BOTH[:1])
    assert (state.success, state.failure) == ("off", "on")
    assert state.command == f"auditpol /set /subcategory:{CONNECTION} /success:enable"


def test_a_comma_in_a_name_moves_neither_computer_nor_target():
    """auditpol quotes nothing: the name of a subcategory may hold the separator."""
    row = read(f"a,b,c,d,e,f\nPC,System,Filtering, and more,{CONNECTION},Failure,\n").policy.iloc[0]
    assert (row["computer"], row["target"], row["failure"]) == ("PC", "System", True)


def test_without_a_policy_nothing_is_known():
    for state in audit_state(frames.empty(frames.AUDIT_POLICY)):
        assert (state.success, state.failure, state.source) == ("unknown", "unknown", None)
        assert state.command


def test_what_is_in_force_outranks_what_policy_sets():
    policies = frames.concat([read(GROUP_POLICY).policy, read(EFFECTIVE).policy], frames.AUDIT_POLICY)
    connection, _ = audit_state(policies, BOTH)
    assert (connection.success, connection.source) == ("on", "effective")
    only, drop = audit_state(read(GROUP_POLICY).policy, BOTH)
    assert (only.failure, only.source) == ("on", "group-policy")
    assert drop.failure == "unknown"


def test_policies_that_disagree_are_unknown():
    other = read(EFFECTIVE.replace("Success and Failure", "Failure")).policy
    connection, _ = audit_state(frames.concat([read(EFFECTIVE).policy, other], frames.AUDIT_POLICY), BOTH)
    assert (connection.success, connection.failure) == ("unknown", "on")
    assert connection.command == f"auditpol /set /subcategory:{CONNECTION} /success:enable"


def test_another_hosts_policy_says_nothing():
    connection, _ = audit_state(read(EFFECTIVE).policy, BOTH, "other.example")
    assert connection.failure == "unknown"
    connection, _ = audit_state(read(EFFECTIVE).policy, BOTH, "host1.example")
    assert connection.failure == "on"


def test_the_table_names_each_event_once_per_setting():
    events = [n for s in auditpolicy.SUBCATEGORIES.values() for n in (*s.success, *s.failure)]
    assert len(events) == len(set(events))
    assert {5157, 5152, 5031, 5447, 4688, 4957, 4719} <= set(events)
