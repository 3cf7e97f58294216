"""The end of a process by Sysmon's own log, and the user of a process by 4688: what each tells, and what not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analyzer import netjoin
from analyzer.attribution import attribute
from analyzer.readers.eventjson import read_event_json
from analyzer.wfp import events as wfp_events
from tests.core import core_build as build
from tests.core.test_service_proven import Case, started
from tests.core.test_who import PID, audit, end, marks, sysmon, who

USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
NETWORK = "S-1-5-20"


def gone(s: float, **more: Any) -> dict[str, Any]:
    """Sysmon 5."""
    return {"event_id": 5, "provider": wfp_events.SYSMON, "process_id": PID, "s": s, **more}


# The end


def test_sysmon_5_is_a_row_of_the_table_of_events():
    spec = wfp_events.find(wfp_events.SYSMON, 5)
    assert spec is not None
    assert spec.table == "process"
    assert wfp_events.find(wfp_events.SECURITY_AUDITING, 5) is None


@pytest.mark.parametrize("begun", [sysmon(), audit()], ids=["sysmon", "4688"])
def test_a_process_that_ended_by_sysmon_is_not_attributed(begun):
    assert who(begun)[0] == ("BITS",)
    assert who(begun, gone(50))[:2] == (None, None)


def test_an_end_after_the_event_does_not_matter():
    assert who(sysmon(), gone(150))[:2] == (("BITS",), "sysmon")


def test_an_end_of_another_process_id_does_not_matter():
    assert who(sysmon(), gone(50, process_id=7))[:2] == (("BITS",), "sysmon")


def test_the_process_id_may_begin_again():
    assert who(sysmon(), gone(50), sysmon(s=60))[:2] == (("BITS",), "sysmon")


def test_sysmons_own_time_of_the_end_counts():
    """The record of an end may come after that of the next creation with this process id."""
    late = gone(60.5, extra={"UtcTime": build.stamp(50).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]})
    assert who(sysmon(), late, sysmon(s=60))[:2] == (("BITS",), "sysmon")
    assert who(sysmon(), gone(60.5), sysmon(s=60))[:2] == (None, None)


def test_event_5_of_another_log_is_no_end():
    other = {"event_id": 5, "provider": wfp_events.SECURITY_AUDITING, "process_id": PID, "s": 50}
    assert who(sysmon(), other)[:2] == (("BITS",), "sysmon")


def test_sysmon_5_is_read_from_an_export(tmp_path):
    line = {
        "@timestamp": "2026-01-01T10:00:00.000Z",
        "winlog": {
            "channel": "Microsoft-Windows-Sysmon/Operational",
            "computer_name": build.HOST,
            "event_id": "5",
            "provider_name": "Microsoft-Windows-Sysmon",
            "record_id": "7",
            "version": 3,
            "event_data": {
                "UtcTime": "2026-01-01 09:59:59.999",
                "ProcessGuid": "{00000000-0000-0000-0000-000000000001}",
                "ProcessId": str(PID),
                "Image": "C:\\Windows\\System32\\svchost.exe",
            },
        },
    }
    path = tmp_path / "sysmon.json"
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    table = read_event_json(path, "sysmon.json").tables["process"]
    assert table["event_id"].tolist() == [5]
    assert table["process_id"].tolist() == [PID]
    assert table["process_name"].tolist() == ["C:\\Windows\\System32\\svchost.exe"]


# The user


def user(*begun: dict[str, Any], host: tuple[dict[str, Any], ...] = (), **event: Any) -> tuple[Any, Any]:
    """The user and its source, of one svchost event at second 100."""
    events = build.wfp({"application": build.SVCHOST, "process_id": PID, "s": 100, **event})
    joined = netjoin.join(events.assign(endpoint_order="certain"), ()).events
    started = build.processes(*begun)
    out = attribute(joined, started, marks(*host), build.kept_always(started))
    out = out.astype({"user_sid": object, "user_source": object})
    row = out.iloc[0]
    return tuple(value if isinstance(value, str) else None for value in (row["user_sid"], row["user_source"]))


def created(sid: str | None = USER, s: float = 0, **more: Any) -> dict[str, Any]:
    return audit(None, s, **{"version": 2, "target_user_sid": sid, "subject_user_sid": "S-1-5-18", **more})


def test_4688_tells_the_user_of_the_process():
    assert user(created()) == (USER, "4688")


def test_it_needs_no_command_line_and_no_service_host():
    program = r"C:\Program Files\Example\program.exe"
    assert user(created(process_name=program), application=build.PROGRAM) == (USER, "4688")


NOT_TOLD: dict[str, tuple[dict[str, Any], ...]] = {
    "no creation": (),
    "an older version of the event": (created(version=1),),
    "the null SID: the creator's own token": (created("S-1-0-0"),),
    "no SID": (created(None),),
    "a text that is no SID": (created("someone"),),
    "another program with this process id": (created(process_name=r"C:\temp\other.exe"),),
    "a process that ended": (created(), end(50)),
    "a process that ended by Sysmon": (created(), gone(50)),
    "a later process of which only Sysmon tells": (created(), sysmon(s=50)),
    "a creation after the event": (created(s=150),),
    "Sysmon, which names no SID": (sysmon(subject_user_name=r"NT AUTHORITY\SYSTEM"),),
}


@pytest.mark.parametrize("case", NOT_TOLD)
def test_when_the_user_is_not_told(case):
    assert user(*NOT_TOLD[case]) == (None, None)


@pytest.mark.parametrize("number", [4608, 1102, 4719])
def test_not_past_what_could_hide_the_end_of_the_process(number):
    assert user(created(), host=({"event_id": number, "s": 50},)) == (None, None)


def test_the_last_creation_counts():
    assert user(created(), created(NETWORK, 50)) == (NETWORK, "4688")
    assert user(created(), created("S-1-0-0", 50)) == (None, None)


def test_a_net_event_of_the_connection_comes_first():
    """It shows the token of this connection; 4688 that of the process, which may act for somebody else."""
    own = started(version=2, target_user_sid=NETWORK)
    row = Case(process=(own,)).judge().one()
    assert (row["user_sid"], row["user_source"]) == (Case().judge().one()["user_sid"], "netevent")
    alone = Case(process=(own,), nets=()).judge().one()
    assert (alone["user_sid"], alone["user_source"]) == (NETWORK, "4688")


def test_4688_is_no_token_of_the_connection_and_proves_nothing():
    own = started(version=2, target_user_sid=USER)
    (finding,) = Case(process=(own,), nets=()).findings()
    assert finding.confidence == "likely"
    assert not any("token of S-1" in item.text for item in finding.evidence)


def test_blocks_of_one_outcome_stay_one_finding_whatever_4688_says():
    rows = ({}, {"source_port": 50002, "s": 5})
    own = (started(version=2, target_user_sid=USER),)
    assert [item.count for item in Case(events=rows, nets=(), process=own).findings()] == [2]
