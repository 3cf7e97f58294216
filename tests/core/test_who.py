"""Which service a process was, by every source: which one wins, what each may say, and when nothing may be said."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from analyzer import cells, contract, frames, markers, services
from analyzer.attribution import attribute
from analyzer.pipeline import analyze
from analyzer.wfp import events as wfp_events
from analyzer.wfp import services as wfp_services
from reports import export
from samples.neteventswriter import NetEvent, write_netevents
from tests.core import core_build as build

LINE = r"C:\Windows\System32\svchost.exe -k netsvcs -p -s BITS"
SHARED = r"C:\Windows\System32\svchost.exe -k netsvcs -p"
PID = 4242


def sysmon(line: str | None = LINE, s: float = 0, **more: Any) -> dict[str, Any]:
    return {"event_id": 1, "provider": wfp_events.SYSMON, "process_id": PID, "command_line": line, "s": s, **more}


def audit(line: str | None = LINE, s: float = 0, **more: Any) -> dict[str, Any]:
    return {"process_id": PID, "command_line": line, "s": s, **more}


def end(s: float, **more: Any) -> dict[str, Any]:
    return {"event_id": 4689, "process_id": PID, "s": s, **more}


def listed(*names: str | None, pid: int = PID, source: str = "tasklist", **more: Any) -> pd.DataFrame:
    """One list: services of one process; ``None`` is a process without any."""
    image = None if source == "sc" else "svchost.exe"
    row = {"input": f"{source}.csv", "source": "tasklist" if source == "tasklist" else "service-list", "image": image}
    rows = [{**row, "process_id": pid, "service": name, **more} for name in names]
    columns = {key: [item.get(key) for item in rows] for key in frames.SERVICES}
    return frames.build(columns, frames.SERVICES)


def marks(*rows: dict[str, Any]) -> markers.Markers:
    tables = {table: frames.empty(frames.EVENT_SCHEMAS[table]) for table in markers.TABLES}
    return markers.find({**tables, "host": build.host_events(*rows)})


def who(
    *started: dict[str, Any],
    lists: tuple[pd.DataFrame, ...] = (),
    host: tuple[dict[str, Any], ...] = (),
    **event: Any,
) -> tuple[tuple[str, ...] | None, str | None, str | None]:
    """Services, source and remark of one svchost event at second 100."""
    events = build.wfp({"application": build.SVCHOST, "process_id": PID, "s": 100, **event})
    known = services.known(lists, list(events["computer"].cat.categories))
    begun = build.processes(*started)
    out = attribute(events, begun, marks(*host), build.kept_always(begun), known)
    said = out["who"].iloc[0]
    return out["services"].iloc[0], out["services_source"].iloc[0], said if isinstance(said, str) else None


# Sysmon


def test_sysmon_tells_the_service():
    assert who(sysmon())[:2] == (("BITS",), "sysmon")


def test_sysmon_gives_the_command_line_that_4688_lacks():
    assert who(audit(None), sysmon(s=0.02))[:2] == (("BITS",), "sysmon")


def test_4688_comes_before_sysmon():
    assert who(audit(), sysmon(s=0.02))[:2] == (("BITS",), "4688")


def test_a_later_process_that_only_sysmon_saw_hides_the_one_of_4688():
    assert who(audit(), sysmon(LINE.replace("BITS", "DoSvc"), 50))[:2] == (("DoSvc",), "sysmon")


def test_a_later_process_that_only_4688_saw_hides_the_one_of_sysmon():
    assert who(sysmon(), audit(SHARED, 50))[:2] == (None, None)


def test_a_process_of_sysmon_that_ended_is_not_attributed():
    assert who(sysmon(), end(50))[:2] == (None, None)


def test_sysmon_before_a_start_of_windows_says_nothing():
    assert who(sysmon(), host=({"event_id": 4608, "s": 50},))[:2] == (None, None)


def test_sysmons_own_time_of_the_creation_counts():
    late = sysmon(s=100.5, extra={"UtcTime": build.stamp(99.9).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]})
    assert who(late)[:2] == (("BITS",), "sysmon")
    assert who(sysmon(s=100.5))[:2] == (None, None)


@pytest.mark.parametrize("text", ["", "soon", "2026-01-01 00:00:00.000", "2027-01-01 00:00:00.000", None])
def test_an_odd_time_of_sysmon_is_not_used(text):
    assert who(sysmon(s=100.5, extra={"UtcTime": text}))[:2] == (None, None)


def test_a_sysmon_event_of_another_number_is_no_creation():
    assert who(sysmon(event_id=5))[:2] == (None, None)


# Net events


def sids(*names: str) -> str:
    return ", ".join(wfp_services.service_sid(name) for name in names)


def by_netevent(text: str | None, *lists: pd.DataFrame) -> tuple[Any, Any]:
    events = build.wfp({"application": build.SVCHOST, "process_id": PID, "s": 100})
    events["service_sids"] = pd.Categorical([text])
    known = services.known(lists, [build.HOST])
    out = attribute(events, build.processes(), marks(), {}, known)
    return out["services"].iloc[0], out["services_source"].iloc[0]


def test_service_sids_of_a_net_event_tell_the_services():
    assert by_netevent(sids("BITS")) == (("BITS",), "netevent")
    assert by_netevent(sids("wuauserv", "BITS")) == (("BITS", "wuauserv"), "netevent")


def test_a_service_sid_without_a_name_leaves_all_open():
    assert by_netevent(sids("BITS", "ExampleAgentSvc")) == (None, None)
    assert by_netevent("nothing that is a SID") == (None, None)
    assert by_netevent(None) == (None, None)


def test_a_list_of_services_names_the_sids_of_a_net_event():
    assert by_netevent(sids("ExampleAgentSvc"), listed("ExampleAgentSvc", pid=7)) == (("ExampleAgentSvc",), "netevent")


# Lists


@pytest.mark.parametrize("source", ["tasklist", "service-list", "sc"])
def test_a_list_tells_the_service_and_that_it_held_at_capture_time(source):
    held, by, said = who(lists=(listed("BITS", source=source),))
    assert (held, by) == (("BITS",), "tasklist" if source == "tasklist" else "service-list")
    assert said == (f"process 4242 hosted BITS when {source}.csv was taken; whether it did so before is not told")


def test_a_shared_host_has_several_services():
    assert who(lists=(listed("wuauserv", "BITS"),))[:2] == (("BITS", "wuauserv"), "tasklist")
    assert who(audit(SHARED), lists=(listed("wuauserv", "BITS"),))[:2] == (("BITS", "wuauserv"), "tasklist")


def test_tasklist_comes_before_other_lists_that_agree():
    lists = (listed("BITS", source="service-list"), listed("BITS"))
    assert who(lists=lists)[:2] == (("BITS",), "tasklist")


def test_lists_that_differ_say_nothing_and_it_is_told():
    lists = (listed("BITS", source="service-list"), listed("DoSvc"))
    assert who(lists=lists) == (None, None, None)
    told = services.known(lists, [build.HOST]).problems
    assert {problem.input for problem in told} == {"service-list.csv", "tasklist.csv"}
    assert all("1 process:" in problem.what for problem in told)


LATER: dict[str, dict[str, Any]] = {
    "the process ended": {"row": end(150)},
    "another process began": {"row": audit(None, 150, process_name=r"C:\Tools\client.exe")},
    "another process began, by Sysmon": {"row": sysmon(SHARED, 150)},
    "Windows started": {"host": {"event_id": 4608, "s": 150}},
}


@pytest.mark.parametrize("case", LATER)
def test_a_list_says_nothing_where_the_process_id_changed_hands_after_the_event(case):
    what = LATER[case]
    rows = (what["row"],) if "row" in what else ()
    host = (what["host"],) if "host" in what else ()
    assert who(*rows, lists=(listed("BITS"),), host=host) == (None, None, None)


def test_what_happened_before_the_event_or_to_others_does_not_matter():
    before = (audit(SHARED, 10), end(150, process_id=4243), end(150, computer="PC-TWO"))
    assert who(*before, lists=(listed("BITS"),), host=({"event_id": 4608, "s": 5},))[0] == ("BITS",)


@pytest.mark.parametrize(
    ("what", "event"),
    [
        ("another program", {"application": build.PROGRAM}),
        ("another process", {"process_id": 4243}),
        ("no process", {"process_id": None}),
        ("no time", {"s": None}),
    ],
)
def test_a_list_is_only_for_its_own_process(what, event):
    assert who(lists=(listed("BITS"),), **event) == (None, None, None)


def test_a_process_without_services_has_none():
    assert who(lists=(listed(None),)) == (None, None, None)


def test_a_program_of_its_own_may_be_a_service():
    own = listed("ExampleSvc", image="Program.EXE")
    assert who(lists=(own,), application=build.PROGRAM)[:2] == (("ExampleSvc",), "tasklist")


# Disagreement


def test_the_log_of_processes_wins_over_a_list_and_says_so():
    held, by, said = who(audit(), lists=(listed("DoSvc"),))
    assert (held, by) == (("BITS",), "4688")
    assert said is not None
    assert "hosted BITS at the event's time (4688)" in said
    assert "tasklist.csv shows DoSvc" in said


def test_a_list_that_agrees_adds_nothing():
    assert who(audit(), lists=(listed("bits"),)) == (("BITS",), "4688", None)


def test_a_list_of_a_later_process_is_no_disagreement():
    assert who(audit(), end(150), lists=(listed("DoSvc"),)) == (("BITS",), "4688", None)


def test_the_disagreement_is_among_the_reasons():
    events = build.wfp({"application": build.SVCHOST}, {"application": build.PROGRAM, "s": 1})
    made = build.judge(events, lists=[listed("DoSvc")], process=build.processes(audit(s=-5)))
    assert "tasklist.csv shows DoSvc" in made.reasons(1)
    assert "tasklist" not in made.reasons(2)


# Hosts


def test_a_list_that_names_another_computer_is_not_used_and_it_is_told():
    other = listed("BITS", computer="PC-TWO")
    assert who(lists=(other,)) == (None, None, None)
    (problem,) = services.known([other], [build.HOST]).problems
    assert problem.input == "tasklist.csv"
    assert "not tied" in problem.what


def test_a_list_that_names_the_computer_is_used():
    assert who(lists=(listed("BITS", computer="pc-one.example.com"),))[0] == ("BITS",)


def test_with_several_hosts_a_list_has_to_name_its_own():
    events = build.wfp(*({"application": build.SVCHOST, "computer": name} for name in ("PC-ONE", "PC-TWO")))
    hosts = ["PC-ONE", "PC-TWO"]
    unnamed = attribute(events, build.processes(), marks(), {}, services.known([listed("BITS")], hosts))
    assert unnamed["services"].tolist() == [None, None]
    named = services.known([listed("BITS", computer="PC-TWO")], hosts)
    assert attribute(events, build.processes(), marks(), {}, named)["services"].tolist() == [None, ("BITS",)]


def test_lists_name_the_sids_of_services_wherever_they_are_from():
    sid = wfp_services.service_sid("ExampleAgentSvc")
    known = services.known([listed("ExampleAgentSvc", computer="PC-TWO")], [build.HOST])
    assert known.names[sid] == "ExampleAgentSvc"


# Accounts


@pytest.mark.parametrize(
    ("text", "sid", "user"),
    [
        ("LocalSystem", "S-1-5-18", False),
        (r".\LocalSystem", "S-1-5-18", False),
        (r"NT AUTHORITY\LocalService", "S-1-5-19", False),
        (r"nt authority\local service", "S-1-5-19", False),
        (r"NT AUTHORITY\NetworkService", "S-1-5-20", False),
        (r"NT AUTHORITY\SYSTEM", "S-1-5-18", False),
        (r"NT-AUTORITÄT\Lokaler Dienst", None, False),
        (r"EXAMPLE\agent", None, False),
        (r".\agent", None, True),
        ("agent@example.com", None, True),
        ("S-1-5-20", "S-1-5-20", False),
        ("S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1001", True),
        (r"NT SERVICE\BITS", wfp_services.service_sid("BITS"), False),
    ],
)
def test_account_of_a_service(text, sid, user):
    known = services.known([listed("BITS", source="service-list", account=text)], [build.HOST])
    found = known.account(build.HOST, "bits")
    if sid is None and not user:
        assert found == services.Account(None, user=False)
    else:
        assert found == services.Account(sid, user)


def test_lists_that_name_different_accounts_tell_none():
    one, two = (listed("BITS", source=s, account=a) for s, a in (("service-list", "LocalSystem"), ("sc", r".\agent")))
    assert services.known([one, two], [build.HOST]).account(build.HOST, "BITS") is None
    assert services.known([one], [build.HOST]).account("PC-TWO", "BITS") is None


# What comes out


def test_the_exported_events_carry_who_it_was():
    events = build.wfp({"application": build.SVCHOST}, {"application": build.PROGRAM, "process_id": 7, "s": 1})
    made = build.judge(events, lists=[listed("wuauserv", "BITS")])
    out = contract.event_frame(made.events)
    columns = ["services", "services_source", "user_sid", "user_source"]
    assert set(columns) <= set(out.columns)
    assert out["services"].tolist() == [("BITS", "wuauserv"), None]
    assert cells.texts(out["services_source"]) == ["tasklist", None]
    assert out["user_sid"].isna().all()


def test_json_lines_of_a_ticket_without_a_log_carry_who_it_was(tmp_path):
    user = "S-1-5-21-1-2-3-1001"
    event = NetEvent("2026-01-01T10:00:00.000Z", user=user, process_id=PID, origin="Default Outbound")
    (tmp_path / "netevents.xml").write_bytes(write_netevents([event]))
    csv = '"Name","DisplayName","ProcessId","PathName","StartName","State","SystemName"\n'
    path = LINE.replace(" -s BITS", "")
    csv += "".join(f'"{name}","x","{PID}","{path}","LocalSystem","Running","PC-ONE"\n' for name in ("wuauserv", "BITS"))
    (tmp_path / "services.csv").write_text(csv, encoding="utf-8")
    (line,) = export.event_lines(analyze([tmp_path]))
    told = json.loads(line)
    assert (told["services"], told["services_source"]) == (["BITS", "wuauserv"], "service-list")
    assert (told["user_sid"], told["user_source"], told["source"]) == (user, "netevent", "netevent")
    assert any("services.csv was taken" in reason for reason in told["reasons"])


def test_an_account_of_a_list_is_not_the_user_of_the_token():
    events = build.wfp({"application": build.SVCHOST})
    made = build.judge(events, lists=[listed("BITS", source="service-list", account="LocalSystem")])
    assert made.one()["services"] == ("BITS",)
    assert made.events["user_sid"].isna().all()
