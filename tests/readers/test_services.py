"""Lists of services in the forms and languages that Windows prints; what they say and what they do not."""

from __future__ import annotations

import json
import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import frames, services
from analyzer.identify import identify
from analyzer.readers.services import program_name, read_services, read_services_bytes
from analyzer.wfp.services import service_sid

SC = """
SERVICE_NAME: BITS
DISPLAY_NAME: Background Intelligent Transfer Service
        TYPE               : 30  WIN32
        STATE              : 4  RUNNING
                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_PRESHUTDOWN)
        WIN32_EXIT_CODE    : 0  (0x0)
        SERVICE_EXIT_CODE  : 0  (0x0)
        CHECKPOINT         : 0x0
        WAIT_HINT          : 0x0
        PID                : 4120
        FLAGS              :

SERVICE_NAME: AJRouter
DISPLAY_NAME: AllJoyn: Router Service
        TYPE               : 20  WIN32_SHARE_PROCESS
        STATE              : 1  STOPPED
        WIN32_EXIT_CODE    : 1077  (0x435)
        SERVICE_EXIT_CODE  : 0  (0x0)
        CHECKPOINT         : 0x0
        WAIT_HINT          : 0x0
        PID                : 0
        FLAGS              :

SERVICE_NAME: Tcpip
DISPLAY_NAME: TCP/IP Protocol Driver
        TYPE               : 1  KERNEL_DRIVER
        STATE              : 4  RUNNING
        WIN32_EXIT_CODE    : 0  (0x0)
        SERVICE_EXIT_CODE  : 0  (0x0)
        CHECKPOINT         : 0x0
        WAIT_HINT          : 0x0
        PID                : 0
        FLAGS              :
"""
# Labels as a localized sc may print them: nothing rests on their words.
SC_GERMAN = (
    SC.replace("SERVICE_NAME", "DIENSTNAME")
    .replace("DISPLAY_NAME", "ANZEIGENAME")
    .replace("TYPE ", "TYP  ")
    .replace("STATE ", "STATUS")
    .replace("Background Intelligent Transfer Service", "Intelligenter Hintergrundübertragungsdienst")
)
SC_FRENCH = (
    SC.replace("SERVICE_NAME:", "NOM_SERVICE\u00a0:")
    .replace("DISPLAY_NAME:", "NOM COMPLET\u00a0:")
    .replace("STATE   ", "ÉTAT    ")
    .replace("PID   ", "ID PROC")
)
TASKLIST = '"Image Name","PID","Services"\r\n"System Idle Process","0","N/A"\r\n"System","4","N/A"\r\n'
TASKLIST += (
    '"svchost.exe","912","DcomLaunch,PlugPlay,Power"\r\n"svchost.exe","4120","BITS"\r\n"chrome.exe","77","N/A"\r\n'
)
TASKLIST_GERMAN = (
    TASKLIST.replace("Image Name", "Abbildname")
    .replace("Services", "Dienste")
    .replace("N/A", "Nicht zutreffend")
    .replace("System Idle Process", "Leerlaufprozess")
)
TASKLIST_FRENCH = (
    TASKLIST.replace("Image Name", "Nom de l’image")
    .replace("N/A", "Sans objet")
    .replace("System Idle Process", "Processus inactif du système")
)
TABLE = """
Image Name                     PID Services
========================= ======== ============================================
System Idle Process              0 N/A
System                           4 N/A
svchost.exe                    912 BrokerInfrastructure, DcomLaunch, PlugPlay,
                                   Power, SystemEventsBroker
svchost.exe                   4120 BITS
chrome.exe                      77 N/A
"""
WMI = [
    {
        "Name": "BITS",
        "DisplayName": "Background Intelligent Transfer Service",
        "ProcessId": 4120,
        "PathName": "C:\\Windows\\System32\\svchost.exe -k netsvcs -p -s BITS",
        "StartName": "LocalSystem",
        "State": "Running",
        "ServiceType": "Share Process",
        "SystemName": "HOST1",
    },
    {
        "Name": "WinDefend",
        "ProcessId": 2000,
        "PathName": '"C:\\ProgramData\\Microsoft\\Windows Defender\\MsMpEng.exe"',
        "StartName": "LocalSystem",
        "State": "Running",
        "ServiceType": "Own Process",
    },
    {
        "Name": "AJRouter",
        "ProcessId": 0,
        "PathName": None,
        "StartName": "NT AUTHORITY\\LocalService",
        "State": "Stopped",
    },
]
CSV = (
    "#TYPE Selected.Microsoft.Management.Infrastructure.CimInstance\r\n"
    '"Name","ProcessId","PathName","StartName","State"\r\n'
    '"BITS","4120","C:\\Windows\\System32\\svchost.exe -k netsvcs -p -s BITS","LocalSystem","Running"\r\n'
    '"AJRouter","0","C:\\Windows\\system32\\svchost.exe -k LocalService -p","NT AUTHORITY\\LocalService","Stopped"\r\n'
)
WMIC = "\r\r\nNode,Name,PathName,ProcessId,StartName,State\r\r\n"
WMIC += "HOST1,BITS,C:\\Windows\\svchost.exe -k netsvcs,4120,LocalSystem,Running\r\r\n"


def read(text, encoding="utf-8"):
    return read_services_bytes(text.encode(encoding), "list.txt")


def pids(result):
    frame = result.services
    return {
        (None if pd.isna(name) else name, None if pd.isna(pid) else int(pid))
        for name, pid in zip(frame["service"], frame["process_id"], strict=True)
    }


def said(result):
    return [(p.severity, p.place, p.what) for p in result.problems]


# --- sc queryex -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SC, SC_GERMAN, SC_FRENCH], ids=["english", "german", "french"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp850", "cp1252"])
def test_sc_in_any_language_and_encoding(text, encoding):
    result = read(text, encoding)
    assert result.kind == "sc"
    assert pids(result) == {("BITS", 4120), ("AJRouter", None)}
    row = result.services.iloc[0]
    assert (row["shared"], row["state"], row["source"]) == (True, "running", "service-list")
    assert result.services["display_name"].iloc[1] == "AllJoyn: Router Service"
    assert [p for p in result.problems if p.severity != "note"] == []


def test_sc_query_has_no_process_ids_and_that_is_told():
    text = "\n".join(line for line in SC.split("\n") if " PID " not in line and "FLAGS" not in line)
    result = read(text)
    assert pids(result) == {("BITS", None), ("AJRouter", None)}
    assert "sc queryex" in said(result)[0][2]


def test_a_cut_block_costs_one_block():
    cut = SC.index("WIN32_EXIT_CODE    : 1077")
    result = read(SC[:cut])
    assert pids(result) == {("BITS", 4120)}
    assert said(result) == [("lost", "line 14", "a block of sc has no name, type or state, or is cut off: left out")]


def test_blocks_without_the_blank_line_between():
    result = read(SC.strip().replace("\n\n", "\n"))
    assert pids(result) == {("BITS", 4120), ("AJRouter", None)}


def test_a_process_id_that_is_no_number_stays_unknown():
    result = read(SC.replace(": 4120", ": many"))
    assert ("BITS", None) in pids(result)
    assert said(result)[0][0] == "doubtful"


# --- tasklist ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [TASKLIST, TASKLIST_GERMAN, TASKLIST_FRENCH], ids=["english", "german", "french"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp850"])
def test_tasklist_csv_in_any_language(text, encoding):
    result = read(text.replace("’", "'"), encoding)
    assert result.kind == "tasklist"
    expected = {("DcomLaunch", 912), ("PlugPlay", 912), ("Power", 912), ("BITS", 4120), (None, 4), (None, 77)}
    assert pids(result) == expected
    assert [p for p in result.problems if p.severity != "note"] == []


def test_tasklist_with_semicolons_and_without_a_header():
    text = "\n".join(TASKLIST.replace('","', '";"').split("\r\n")[1:])
    assert ("BITS", 4120) in pids(read(text))


def test_tasklist_table():
    result = read(TABLE)
    assert result.kind == "tasklist"
    found = pids(result)
    assert ("SystemEventsBroker", 912) in found
    assert ("BITS", 4120) in found
    assert (None, 77) in found
    assert result.services["image"].iloc[1] == "svchost.exe"


def test_a_bad_row_of_tasklist_costs_one_row():
    result = read(TASKLIST.replace('"svchost.exe","912",', '"svchost.exe","9x2",'))
    assert ("BITS", 4120) in pids(result)
    assert [(s, place) for s, place, _ in said(result)] == [("lost", "line 4")]


def test_tasklist_without_svc_is_something_else():
    text = '"Image Name","PID","Session Name","Session#","Mem Usage"\n"System","4","Services","0","1 K"\n'
    assert read(text).kind == "unknown"


# --- Win32_Service ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(WMI),
        json.dumps(WMI, indent=4),
        json.dumps({"value": WMI, "Count": 3}),
        "\n".join(json.dumps(item) for item in WMI),
    ],
)
def test_win32_service_as_json(text):
    result = read(text, "utf-16")
    assert result.kind == "win32-service"
    assert pids(result) == {("BITS", 4120), ("WinDefend", 2000), ("AJRouter", None)}
    rows = result.services.set_index("service")
    assert rows["shared"].to_dict() == {"BITS": True, "WinDefend": False, "AJRouter": None}
    assert rows.loc["BITS", "image"] == "svchost.exe"
    assert rows.loc["BITS", "computer"] == "HOST1"
    assert rows.loc["WinDefend", "image"] == "MsMpEng.exe"
    assert rows.loc["AJRouter", "account"] == "NT AUTHORITY\\LocalService"
    assert result.time is None
    assert said(result) == []


@pytest.mark.parametrize("text", [CSV, CSV.replace('","', '";"'), CSV.replace('"', "")])
def test_win32_service_as_csv(text):
    result = read(text)
    assert pids(result) == {("BITS", 4120), ("AJRouter", None)}
    assert result.services["path"].iloc[0].endswith("-s BITS")
    assert said(result) == []


def test_wmic_csv():
    result = read(WMIC, "utf-16")
    assert pids(result) == {("BITS", 4120)}
    assert result.services["computer"].iloc[0] == "HOST1"


def test_win32_process_is_no_service_list():
    assert read(json.dumps([{"Name": "svchost.exe", "ProcessId": 4, "CommandLine": "x"}])).kind == "unknown"


def test_a_record_without_a_name_costs_one_record():
    result = read(json.dumps([{"ProcessId": 4, "PathName": "x", "Name": ""}, *WMI]))
    assert len(result.services) == 3
    assert said(result)[0][:2] == ("lost", "line 1")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("C:\\Windows\\system32\\svchost.exe -k netsvcs -p", "svchost.exe"),
        ('"C:\\Program Files\\A B\\x.exe" --run', "x.exe"),
        ("C:\\Program Files\\A B\\x.exe --run", "x.exe"),
        ("x", "x"),
        (None, None),
        ("", None),
    ],
)
def test_program_names(line, name):
    assert program_name(line) == name


# --- what nobody meant ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"  ", b"hello", b"[]", b"{}", bytes(range(256)), b"a,b,c\n1,2,3\n"])
def test_what_is_no_list(data):
    result = read_services_bytes(data, "x")
    assert len(result.services) == 0
    assert any(p.severity == "lost" for p in result.problems)


def test_the_frame_has_its_dtypes():
    for text in (SC, TASKLIST, json.dumps(WMI), "x"):
        frame = read(text).services
        assert list(frame.columns) == list(frames.SERVICES)
        assert str(frame["process_id"].dtype) == "UInt64"
        assert frame["input"].eq("list.txt").all()


def test_files_are_read_and_missing_ones_raise(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(TASKLIST.encode())
    assert read_services(path, "t.csv").kind == "tasklist"
    with pytest.raises(OSError, match="none"):
        read_services(tmp_path / "none.csv", "none.csv")


@pytest.mark.parametrize(
    "text", [SC, SC_GERMAN, SC_FRENCH, TASKLIST, TASKLIST_GERMAN, TABLE, CSV, WMIC, json.dumps(WMI)]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp850"])
def test_they_are_told_by_their_content(text, encoding):
    data = text.replace("’", "'").encode(encoding)
    assert identify(data[:65536]).kind == "services"


BASES = [text.encode() for text in (SC, TASKLIST, TABLE, CSV, json.dumps(WMI, indent=2))]


@given(
    st.sampled_from(BASES),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=12),
    st.integers(0, 3000),
)
@settings(max_examples=100, deadline=None)
def test_damage_never_raises(base, changes, cut):
    data = bytearray(base)
    for at, byte in changes:
        if at < len(data):
            data[at] = byte
    result = read_services_bytes(bytes(data[:cut]) if cut < 2500 else bytes(data), "x")
    assert list(result.services.columns) == list(frames.SERVICES)


def test_lines_of_blanks_end_soon():
    text = SC + ("   a" + " " * 999_000 + "\n") * 25
    start = time.process_time()
    found = read(text)
    assert time.process_time() - start < 15
    assert found.services["service"].tolist() == ["BITS", "AJRouter"]


def test_a_large_list_is_bounded():
    start = time.monotonic()
    read("A: b\n" + "  x : 20 Y\n" * 300_000 + SC)
    read(TABLE + " " * 40 + "x, " * 100_000)
    assert time.monotonic() - start < 30


# --- what lists answer ------------------------------------------------------------------------------------------


def test_names_extend_the_service_sids():
    found = services.names(read(SC.replace("AJRouter", "AcmeAgent")).services)
    assert found[service_sid("acmeagent")] == "AcmeAgent"


def test_hosted_services_by_process_id():
    both = pd.concat(
        [read(TASKLIST).services, read(json.dumps(WMI)).services.assign(input="w.json")], ignore_index=True
    )
    found = services.hosted(both)
    assert found[912].services == ("DcomLaunch", "PlugPlay", "Power")
    assert found[77].services == ()
    assert found[4120].agreed
    assert found[4120].source == "tasklist"
    assert found[4120].image == "svchost.exe"
    assert 0 not in found


def test_lists_that_disagree_say_so():
    other = [dict(WMI[0], Name="wuauserv")]
    both = pd.concat([read(TASKLIST).services, read(json.dumps(other)).services.assign(input="w.json")])
    found = services.hosted(both)[4120]
    assert found.services == ("BITS", "wuauserv")
    assert not found.agreed


def test_accounts_of_services():
    assert services.accounts(read(json.dumps(WMI)).services)["ajrouter"] == "NT AUTHORITY\\LocalService"
