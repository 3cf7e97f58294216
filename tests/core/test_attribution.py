"""Which service a process was: lives of process ids, command lines, and what stays open."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from core_build import PROGRAM, SVCHOST, kept_always, processes, stamp, wfp
from history_build import log_of, whole

from analyzer import frames, markers
from analyzer.attribution import attribute
from analyzer.processes import kept, service_of
from analyzer.wfp import events as wfp_events

LINE = r"C:\Windows\System32\svchost.exe -k netsvcs -p -s BITS"

NO_MARKS = markers.find({table: frames.empty(frames.EVENT_SCHEMAS[table]) for table in markers.TABLES})


def made(event, *started):
    begun = processes(*started)
    events = wfp({"application": SVCHOST, "process_id": 4242, "s": 100, **event})
    out = attribute(events, begun, NO_MARKS, kept_always(begun))
    return out["services"].iloc[0], out["services_source"].iloc[0]


def start(seconds=0, line=LINE, **more):
    return {"process_id": 4242, "command_line": line, "s": seconds, **more}


def end(seconds, **more):
    return {"event_id": 4689, "process_id": 4242, "s": seconds, **more}


# Command lines


@pytest.mark.parametrize(
    ("line", "service"),
    [
        (LINE, "BITS"),
        (r"svchost.exe -k LocalService -s nsi", "nsi"),
        (r"C:\WINDOWS\system32\SVCHOST.EXE -K netsvcs -S wuauserv", "wuauserv"),
        (r'"C:\Windows\System32\svchost.exe" -k netsvcs -p -s BITS', "BITS"),
        (r'C:\Windows\System32\svchost.exe -k netsvcs -p -s "BITS"', "BITS"),
        (r"C:\Windows\System32\svchost.exe -s BITS -k netsvcs", "BITS"),
        (r"\??\C:\Windows\System32\svchost.exe -k UnistackSvcGroup -s WpnUserService_1a2b3", "WpnUserService_1a2b3"),
        (r"C:\Windows\System32\svchost.exe -k netsvcs -p  -s  BITS ", "BITS"),
        (r"C:\Windows\System32\svchost.exe -k netsvcs -p", None),
        (r"C:\Windows\System32\svchost.exe -k DcomLaunch", None),
        (r"C:\Windows\System32\svchost.exe -k netsvcs -p -s", None),
        (r"C:\Windows\System32\svchost.exe -k group-s Name", None),
        (r"C:\Windows\System32\notsvchost.exe -k netsvcs -s BITS", None),
        (r"C:\Tools\client.exe -s server", None),
        ("", None),
        (None, None),
    ],
)
def test_service_of_a_command_line(line, service):
    assert service_of(line) == service


# Lives of process ids


def test_the_process_that_was_seen_to_start():
    assert made({}, start()) == (("BITS",), "4688")


def test_at_the_very_moment_of_the_start():
    assert made({"s": 0}, start(0)) == (("BITS",), "4688")


def test_an_event_before_the_start_is_not_attributed():
    assert made({"s": -1}, start(0)) == (None, None)


def test_an_ended_process_is_not_attributed():
    assert made({}, start(0), end(50)) == (None, None)


def test_a_process_that_ends_later_is_attributed():
    assert made({}, start(0), end(150)) == (("BITS",), "4688")


def test_a_reused_process_id_has_its_new_service():
    other = start(60, LINE.replace("BITS", "wuauserv"))
    assert made({}, start(0), end(50), other) == (("wuauserv",), "4688")


def test_a_reused_process_id_without_a_recorded_end():
    assert made({}, start(0), start(60, LINE.replace("BITS", "wuauserv"))) == (("wuauserv",), "4688")


def test_an_earlier_event_keeps_the_earlier_service():
    assert made({"s": 30}, start(0), start(60, LINE.replace("BITS", "wuauserv"))) == (("BITS",), "4688")


def test_a_process_id_reused_by_another_program_is_not_attributed():
    other = start(60, r"C:\Tools\client.exe -s server", process_name=r"C:\Tools\client.exe")
    assert made({}, start(0), other) == (None, None)


def test_a_process_id_reused_by_a_shared_host_is_not_attributed():
    assert made({}, start(0), start(60, r"C:\Windows\System32\svchost.exe -k netsvcs -p")) == (None, None)


def test_a_start_without_a_command_line_hides_the_earlier_service():
    assert made({}, start(0), start(60, None)) == (None, None)


def test_the_same_process_id_on_another_computer_says_nothing():
    assert made({}, start(computer="PC-TWO")) == (None, None)


def test_the_end_of_the_same_process_id_on_another_computer_ends_nothing():
    assert made({}, start(0), end(50, computer="PC-TWO")) == (("BITS",), "4688")


def test_the_end_of_another_process_ends_nothing():
    assert made({}, start(0), end(50, process_id=4243)) == (("BITS",), "4688")


def test_events_of_other_programs_are_not_attributed():
    assert made({"application": PROGRAM}, start()) == (None, None)


@pytest.mark.parametrize("event", [{"process_id": None}, {"process_id": 0}, {"application": None}])
def test_events_without_process_or_program_are_not_attributed(event):
    assert made(event, start()) == (None, None)


def test_an_event_without_a_time_is_not_attributed():
    assert made({"s": None}, start()) == (None, None)


def test_without_process_records_nothing_is_attributed():
    assert made({}) == (None, None)


def test_order_of_records_does_not_matter():
    assert made({}, start(60, LINE.replace("BITS", "wuauserv")), end(50), start(0)) == (("wuauserv",), "4688")


def test_two_computers_keep_their_own_services():
    events = wfp(*({"application": SVCHOST, "process_id": 4242, "s": 5, "computer": name} for name in ("A", "B")))
    started = processes(start(computer="A"), start(computer="B", line=LINE.replace("BITS", "DoSvc")))
    assert attribute(events, started, NO_MARKS, kept_always(started))["services"].tolist() == [("BITS",), ("DoSvc",)]


def test_rows_keep_their_order():
    events = wfp(*({"application": SVCHOST, "process_id": 4242, "s": s} for s in (70, 5, 90)))
    started = processes(start(0), start(60, LINE.replace("BITS", "DoSvc")))
    out = attribute(events, started, NO_MARKS, kept_always(started))
    assert out["record_id"].tolist() == [1, 2, 3]
    assert out["services"].tolist() == [("DoSvc",), ("BITS",), ("DoSvc",)]


DAY = 86400


def over(event, *logs):
    """The services of one event, where these logs are all that is at hand."""
    tables = [log.tables for log in logs]
    begun = pd.concat([table["process"] for table in tables], ignore_index=True)
    return attribute(wfp({"application": SVCHOST, "process_id": 4242, **event}), begun, NO_MARKS, kept(logs))[
        "services"
    ].iloc[0]


def log(*started, begin, end, channel="Security", gaps=()):
    made = log_of(whole({"process": processes(*started)} if started else {"wfp": wfp({"s": begin})}), gaps=gaps)
    return dataclasses.replace(made, first=stamp(begin), last=stamp(end), channels={channel: 1})


def test_no_process_is_followed_through_a_time_that_no_log_covers():
    first = log(start(0), begin=0, end=600)
    assert over({"s": 500}, first) == ("BITS",)
    assert over({"s": 5 * DAY}, first, log(begin=5 * DAY - 60, end=5 * DAY + 60)) is None
    assert over({"s": 700}, first, log(begin=650, end=900)) == ("BITS",)


def test_a_log_of_another_channel_does_not_keep_the_process_log_going():
    other = log(start(0, "x.exe", process_id=7), begin=0, end=6 * DAY, channel="System")
    assert over({"s": 5 * DAY}, log(start(0), begin=0, end=600), other) is None


def test_sysmon_is_followed_in_its_own_log():
    sysmon = {"event_id": 1, "provider": wfp_events.SYSMON}
    named = log(start(0, **sysmon), begin=0, end=600, channel="Microsoft-Windows-Sysmon/Operational")
    assert over({"s": 500}, named, log(begin=0, end=5 * DAY)) == ("BITS",)
    assert over({"s": 5 * DAY - 1}, named, log(begin=0, end=5 * DAY)) is None


def test_a_missing_record_ends_what_is_known_of_a_process():
    begun = (start(0, record_id=1), start(300, "x.exe", process_id=7, record_id=900))
    assert over({"s": 500}, log(*begun, begin=0, end=600, gaps=((2, 900),))) is None
    assert over({"s": 200}, log(*begun, begin=0, end=600, gaps=((2, 900),))) == ("BITS",)
