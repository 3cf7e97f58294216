"""Whether blocks were being recorded: what a silent log means."""

from __future__ import annotations

import pytest
from core_build import HOST, host_events, inbound, stamp, state, wfp
from history_build import log_of, whole

from analyzer import auditsettings, frames, recording, states, watch
from analyzer.diagnose import Context, auditing
from analyzer.markers import find
from analyzer.netevents import NO_EVENT_ID
from analyzer.readers.auditpol import read_audit_policy_bytes
from analyzer.wfp.auditpolicy import CONNECTION, OTHER_POLICY_CHANGE, PACKET_DROP

HEADER = "Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting,Setting Value"
PERMIT = {"event_id": 5156, "s": 10}
TURN_ON = f"auditpol /set /subcategory:{CONNECTION} /failure:enable"


def policy(connection=None, drop=0, *, host=HOST, value=True):
    rows = [f"{host},System,a,{CONNECTION},x,,{connection}", f"{host},System,b,{PACKET_DROP},x,,{drop}"]
    header = HEADER if value else HEADER.removesuffix(",Setting Value")
    return read_audit_policy_bytes("\n".join((header, *rows)).encode(), "audit.csv").policy


def switched(seconds, code, guid=CONNECTION):
    return {"event_id": 4719, "subcategory_guid": guid.lower(), "audit_policy_changes": code, "s": seconds}


def told(*events, policies=(), host=(), gaps=(), dumps=(), selective=False, channel="Security"):
    tables = whole({"wfp": wfp(*events), "host": host_events(*host)})
    log = log_of(tables, gaps=gaps, end=100)
    log = log.__class__(
        log.tables, (), 1, stamp(0), stamp(100), (HOST,), {channel: 1}, selective=selective, id_gaps=log.id_gaps
    )
    logs = [("log.evtx", log)]
    every = tables["wfp"].assign(action=["permit" if e.get("event_id") == 5156 else "block" for e in events])
    hosts = recording.computers(logs, every)
    given = recording.Given(logs, tables, every, watch.watched([log]), states.bind(dumps))
    (out,) = recording.assess(given, auditsettings.policies(policies, hosts))
    return out


def test_a_policy_that_is_off_says_that_nothing_could_be_recorded():
    found = told(PERMIT, policies=[policy(1)])
    assert (found.blocks, found.drops) == ("no", "no")
    assert found.why[0] == (
        "Blocked connections were not being recorded: failure auditing of Filtering Platform Connection was off "
        "(audit.csv, line 2)."
    )
    assert TURN_ON in found.commands


def test_a_policy_that_is_on_says_that_nothing_was_blocked():
    found = told(PERMIT, policies=[policy(3)])
    assert (found.blocks, found.drops) == ("yes", "no")
    assert TURN_ON not in found.commands


def test_without_a_policy_silence_says_nothing():
    found = told(PERMIT)
    assert (found.blocks, found.drops) == ("unknown", "unknown")
    assert found.commands[0] == TURN_ON


def test_a_block_that_is_there_outweighs_a_policy_saved_before_the_capture():
    assert told({"s": 1}, policies=[policy(0)]).blocks == "yes"
    assert told(inbound(5152, "192.0.2.1", "192.0.2.2", s=1), policies=[policy(0)]).drops == "yes"


@pytest.mark.parametrize(("code", "word"), [("%%8451", "on"), ("%%8448, %%8450", "off")])
def test_what_was_switched_in_the_time_of_the_log_counts_for_part_of_it(code, word):
    found = told(PERMIT, policies=[policy(3)], host=[switched(50, code)])
    assert found.blocks == "unknown"
    assert found.partly
    assert f"switched {word} at 2026-01-01 10:00:50 UTC" in found.why[0]


def test_switching_another_subcategory_or_success_changes_nothing():
    for change in (switched(50, "%%8451", OTHER_POLICY_CHANGE), switched(50, "%%8449")):
        assert told(PERMIT, policies=[policy(3)], host=[change]).blocks == "yes"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"gaps": ((1, 9),)}, "records are missing"),
        ({"selective": True}, "exported by a query"),
        ({"host": [{"event_id": 1104, "s": 5}]}, "the log was full"),
        ({"channel": "System"}, "no Security log"),
    ],
)
def test_what_may_be_missing_keeps_silence_from_counting(more, said):
    found = told(PERMIT, policies=[policy(3)], **more)
    assert found.blocks == "unknown"
    assert said in found.why[0]


def test_a_policy_saved_before_the_capture_proves_nothing_of_a_log_without_its_changes():
    found = told(PERMIT, policies=[policy(0)], selective=True)
    assert found.blocks == "unknown"
    assert "may have left out that it was switched on" in found.why[0]


def test_net_events_of_dropped_packets_are_not_said_to_be_of_blocked_connections():
    tables = whole({"wfp": wfp({"event_id": NO_EVENT_ID, "s": 0, "computer": None})})
    events = tables["wfp"].assign(action="drop")
    (found,) = recording.assess(recording.Given([], tables, events, {}, states.bind(())), ())
    assert (found.blocks, found.drops) == ("yes", "yes")
    assert "none of the net events here shows one" in found.why[0]
    assert "net events of them are here" in found.why[1]


def test_what_group_policy_would_set_is_not_what_was_in_force():
    frame = policy(3).assign(source="group-policy")
    assert told(PERMIT, policies=[frame]).blocks == "unknown"


def test_a_policy_of_another_computer_does_not_count():
    tables = whole({"wfp": wfp(PERMIT)})
    log = log_of(tables)
    every = tables["wfp"].assign(action="permit")
    hosts = recording.computers([("a", log)], every)
    settings = auditsettings.policies([policy(0, host="OTHER")], hosts)
    given = recording.Given([("a", log)], tables, every, watch.watched([log]), states.bind(()))
    assert [(r.computer, r.blocks) for r in recording.assess(given, settings)] == [(HOST, "unknown"), ("OTHER", "no")]


def test_breaks_and_the_time_of_the_state_are_said():
    dumps = [state("late.xml", seconds=100 + 3 * 3600), state("early.xml", seconds=-120)]
    said = " ".join(told(PERMIT, host=[{"event_id": 1102, "s": 2}], dumps=dumps).why)
    assert "The log was cleared at 2026-01-01 10:00:02 UTC" in said
    assert "The log ends 3 hours before late.xml was saved" in said
    assert "The log begins 2 minutes after early.xml was saved" in said


def test_the_subcategories_of_interest_are_all_listed():
    (found,) = auditsettings.policies([policy(2)], [HOST])
    by_guid = {item.guid: item for item in found.settings}
    assert len(by_guid) == 10
    assert (by_guid[CONNECTION].failure, by_guid[CONNECTION].command) == ("on", None)
    assert (by_guid[PACKET_DROP].failure, by_guid[PACKET_DROP].line) == ("off", 3)
    assert by_guid[OTHER_POLICY_CHANGE].success == "unknown"
    assert by_guid[OTHER_POLICY_CHANGE].command == f"auditpol /set /subcategory:{OTHER_POLICY_CHANGE} /success:enable"
    assert auditsettings.policies([], [HOST]) == ()


def findings(*recordings):
    empty = frames.empty(frames.EVENT_SCHEMAS["wfp"])
    marks = find(whole({}))
    context = Context(empty, states.bind(()), (), marks, {}, {}, recording=recordings)
    return [item.finding for item in auditing.diagnose(context).found]


def test_auditing_that_was_off_is_a_finding_with_its_commands():
    (found,) = findings(told(PERMIT, policies=[policy(1)]))
    assert (found.id, found.severity, found.confidence) == ("auditing-off", "high", "proven")
    assert TURN_ON in found.remedy.commands
    assert found.evidence[0].input == "audit.csv"
    (partly,) = findings(told(PERMIT, host=[switched(50, "%%8451")]))
    assert (partly.id, partly.severity) == ("auditing-partly-off", "low")
    assert partly.evidence[0].record_id == 1
    assert findings(told({"s": 1}, policies=[policy(0)]), told(PERMIT), told(PERMIT, policies=[policy(3)])) == []


def test_the_worst_computer_is_told():
    on, off = told(PERMIT, policies=[policy(3)]), told(PERMIT, policies=[policy(1)])
    assert recording.fold((on, off))[0] == "no"
    assert recording.fold((on, off))[1].startswith(f"{HOST}: Blocked connections were not")
    assert recording.fold(()) == ("unknown", "no log was handed in")
