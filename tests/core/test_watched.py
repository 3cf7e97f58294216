"""Which log watches a computer: only the one that shows a start or a change, as far as it goes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from core_build import HOST, filter_changes, flt, host_events, processes, stamp, state, wfp
from history_build import added, judge, log_of, whole

from analyzer import recording, states, watch
from analyzer.wfp import events as wfp_events

if TYPE_CHECKING:
    from analyzer.readers.evtx import EvtxLog

DAY = 86400
SYSMON = "Microsoft-Windows-Sysmon/Operational"
OWN = [("S-1-5-21-1-2-3-1001", f"{HOST}\\user")]


def log(begin: float, end: float, channel: str = "Security", *, selective: bool = False, **tables) -> EvtxLog:
    made = log_of(whole(tables), selective=selective)
    return dataclasses.replace(made, first=stamp(begin), last=stamp(end), channels={channel: 2})


def sysmon(*seconds: float):
    row = {"event_id": 1, "provider": wfp_events.SYSMON, "channel": SYSMON, "process_id": 9}
    return processes(*({**row, "s": s} for s in seconds))


def grade(state_at: float, *logs: EvtxLog, **tables) -> str:
    dump = state("s.xml", flt(70001), seconds=state_at, users=OWN)
    return judge(dump, logs=list(logs), **tables)[0].verdict()[1]


def test_a_log_of_another_channel_does_not_tie_a_state_to_blocks_days_before():
    blocked, begun = wfp({"s": 0}, {"s": 600}), sysmon(0, 5 * DAY)
    security, other = log(0, 600, wfp=blocked), log(0, 5 * DAY, SYSMON, process=begun)
    assert grade(650, security, other, wfp=blocked, process=begun) == "snapshot"
    assert grade(5 * DAY - 60, security, other, wfp=blocked, process=begun) == "id-only"


def test_in_one_file_of_several_channels_each_watches_for_itself():
    blocked, begun = wfp({"s": 0}, {"s": 600}), sysmon(0, 5 * DAY)
    mixed = dataclasses.replace(
        log(0, 5 * DAY, wfp=blocked, process=begun), channels={"Security": 2, SYSMON: 2}, computers=(HOST,)
    )
    assert grade(650, mixed, wfp=blocked, process=begun) == "snapshot"
    assert grade(5 * DAY - 60, mixed, wfp=blocked, process=begun) == "id-only"


def test_the_history_of_filters_does_not_go_on_in_a_log_of_another_channel():
    change, blocked, begun = filter_changes(added(70001, 0)), wfp({"s": 5 * DAY}), sysmon(0, 5 * DAY)
    logs = [log(0, 600, filter_change=change), log(5 * DAY - 60, 5 * DAY + 60, wfp=blocked)]
    tables = {"wfp": blocked, "filter_change": change, "process": begun}
    logs.append(log(0, 5 * DAY, SYSMON, process=begun))
    assert judge(logs=logs, **tables)[0].verdict()[1] == "id-only"


def test_a_log_of_the_system_shows_the_starts_that_a_query_left_out():
    blocked = wfp({"s": 0}, {"s": 3 * 3600})
    starts = host_events(*({"event_id": 6005, "channel": "System", "provider": "EventLog", "s": s} for s in (-9, -8)))
    part = log(0, 3 * 3600, selective=True, wfp=blocked)
    assert grade(3 * 3600 + 60, part, wfp=blocked) == "id-only"
    whole_time = log(-DAY, DAY, "System", host=starts)
    assert grade(3 * 3600 + 60, part, whole_time, wfp=blocked, host=starts) == "snapshot"
    short = log(-DAY, 60, "System", host=starts)
    assert grade(3 * 3600 + 60, part, short, wfp=blocked, host=starts) == "id-only"


def test_what_was_recorded_is_said_of_the_time_of_the_security_log_alone():
    permitted, begun = wfp({"event_id": 5156, "s": 10}), sysmon(0, 5 * DAY)
    logs = [("a", log(0, 600, wfp=permitted)), ("b", log(0, 5 * DAY, SYSMON, process=begun))]
    tables = whole({"wfp": permitted, "process": begun})
    seen = watch.watched([item for _, item in logs])
    given = recording.Given(logs, tables, permitted.assign(action="permit"), seen, states.bind(()))
    (found,) = recording.assess(given, ())
    assert found.last == "2026-01-01T10:10:00.0000000Z"
