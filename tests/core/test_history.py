"""Lifetimes and epochs of filters from 5441 and 5447, and what they say of an id at a time."""

from __future__ import annotations

import pandas as pd
import pytest
from core_build import filter_changes, host_events, rule_changes, stamp, wfp
from history_build import added, deleted, key_of, log_of, present, whole

from analyzer import history, watch
from analyzer.history import Status


def recall(*changes, events=(), rules=(), traffic=(), gaps=(), end=1000, begin=-1000, selective=False):
    tables = whole(
        {
            "filter_change": filter_changes(*changes),
            "host": host_events(*events),
            "rule_change": rule_changes(*rules),
            # The first and last record of the log.
            "wfp": wfp({"s": begin, "filter_rtid": 1, "record_id": 10**6}, *traffic),
        }
    )
    log = log_of(tables, gaps=gaps, end=end, selective=selective)
    return history.recall(tables, watch.watched([log]), [log])


def ask(past, *moments, number=70001, computer="PC-ONE"):
    frame = wfp(*({"s": s, "filter_rtid": number, "record_id": 10**7} for s in moments))
    got = past.as_of(computer, frame)
    return [(Status(s).name, bool(sure)) for s, sure in zip(got.status, got.sure, strict=True)]


def ends(past):
    rows = past.lifetimes
    return [
        tuple(None if pd.isna(t) else (t - stamp(0)).total_seconds() for t in pair)
        for pair in zip(rows["from"], rows["to"], strict=True)
    ]


def test_a_log_without_such_records_has_no_history():
    tables = whole({"wfp": wfp({}), "host": host_events({"event_id": 4608})})
    assert history.recall(tables, {}) is None


def test_added_and_deleted():
    past = recall(added(70001, 10), deleted(70001, 100))
    assert ends(past) == [(10, 100)]
    row = past.lifetimes.iloc[0]
    assert (row["filter_id"], row["filter_key"], row["layer"], row["action"], row["provider"]) == (
        70001, key_of(70001), "ALE_AUTH_CONNECT_V4", "block", "MPSSVC_WF"
    )  # fmt: skip
    assert (row["from_record_id"], row["to_record_id"], row["from_event_id"]) == (1, 2, 5447)
    assert ask(past, 0, 50, 200) == [("LATER", True), ("ALIVE", True), ("GONE", True)]


def test_ends_that_were_not_logged_stay_open():
    past = recall(added(70001, 10), deleted(70002, 100))
    assert ends(past) == [(10, None), (None, 100)]
    assert ask(past, 500) == [("ALIVE", True)]
    assert ask(past, 50, 200, number=70002) == [("ALIVE", True), ("GONE", True)]


def test_an_id_that_was_given_again_after_a_policy_reload():
    past = recall(added(70001, 10, key=1), deleted(70001, 100, key=1), added(70001, 200, key=2))
    frame = wfp(*({"s": s, "filter_rtid": 70001} for s in (50, 150, 300)))
    got = past.as_of("PC-ONE", frame)
    assert list(got.life) == [0, 0, 1]
    assert [Status(s).name for s in got.status] == ["ALIVE", "GONE", "ALIVE"]


def test_a_beginning_that_must_be_missing_makes_it_doubtful():
    past = recall(added(70001, 10, key=1), deleted(70001, 100, key=2))
    assert list(past.lifetimes["doubtful"]) == [True, True]
    assert ask(past, 50) == [("ALIVE", False)]


def test_an_end_that_must_be_missing_makes_it_doubtful():
    past = recall(added(70001, 10, key=1), added(70001, 100, key=2))
    assert ask(past, 50, 150) == [("ALIVE", False), ("ALIVE", True)]


def test_the_same_record_in_two_exports_counts_once():
    past = recall(added(70001, 10, record_id=7), added(70001, 10, record_id=7, input="again.evtx"),
                  deleted(70001, 100, record_id=8), deleted(70001, 100, record_id=8, input="again.evtx"))  # fmt: skip
    assert ends(past) == [(10, 100)]
    assert list(past.epochs["changes"]) == [2]


def test_records_of_one_moment_go_by_their_numbers():
    past = recall(deleted(70001, 10, record_id=5, key=1), added(70001, 10, record_id=6, key=2))
    assert ends(past) == [(None, 10), (10, None)]
    assert not past.lifetimes["doubtful"].any()


def test_traffic_of_the_same_change_is_the_new_filters():
    past = recall(added(70001, 10))
    assert ask(past, 8, 3) == [("ALIVE", True), ("LATER", True)]


def test_traffic_that_was_logged_late_is_the_old_filters():
    past = recall(deleted(70001, 10))
    assert ask(past, 12, 20) == [("ALIVE", True), ("GONE", True)]


def test_late_or_early_cannot_be_told_between_two_filters_of_one_id():
    past = recall(deleted(70001, 10, key=1), added(70001, 12, key=2))
    assert ask(past, 11) == [("ALIVE", False)]


# epochs


BOOT = [{"event_id": 12, "s": 100}, {"event_id": 4608, "s": 103}, {"event_id": 5033, "s": 160}]


def test_the_signs_of_one_start_are_one_start():
    past = recall(added(70001, 110), present(1, 104), present(2, 104), events=BOOT)
    assert len(past.epochs) == 2
    assert past.epochs["from"].iloc[1] == stamp(100)
    assert list(past.epochs["present"]) == [0, 2]
    # What was added between the signs belongs to the new epoch.
    assert ask(past, 300) == [("ALIVE", True)]


def test_callouts_and_providers_that_were_present_are_signs_of_the_same_start():
    others = [added(1, s) | {"event_id": e, "change_code": None, "filter_rtid": None}
              for e, s in ((5440, 100), (5440, 101), (5442, 101), (5444, 102), (5448, 300))]  # fmt: skip
    past = recall(*others, present(7, 103), added(5, 140))
    assert len(past.epochs) == 2
    assert list(past.epochs["others"]) == [0, 5]


def test_a_repeated_sign_is_another_start():
    past = recall(present(1, 100), present(2, 100), present(1, 130), present(2, 130), added(5, 140))
    assert len(past.epochs) == 3


def test_a_stop_ends_an_epoch():
    past = recall(added(70001, 10), events=[{"event_id": 6006, "s": 90}, {"event_id": 13, "s": 91}, *BOOT])
    assert list(past.epochs["event_id"].fillna(0)) == [0, 6006, 12]
    assert ask(past, 50, 95, 300) == [("ALIVE", True), ("UNKNOWN", False), ("UNKNOWN", False)]


def test_an_id_of_another_epoch_says_nothing():
    past = recall(added(70001, 10, key=1), added(70001, 300, key=2), events=BOOT)
    frame = wfp(*({"s": s, "filter_rtid": 70001} for s in (50, 200, 400)))
    got = past.as_of("PC-ONE", frame)
    assert [Status(s).name for s in got.status] == ["ALIVE", "LATER", "ALIVE"]
    assert list(got.life) == [0, 1, 1]


def test_a_filter_known_only_by_its_end_did_not_live_before_the_start():
    past = recall(deleted(70001, 300), events=BOOT)
    assert ask(past, 50, 200) == [("UNKNOWN", False), ("ALIVE", True)]


def test_present_at_start_alone_is_not_sure_where_changes_are_not_audited():
    past = recall(present(70001, 110), events=BOOT)
    assert ask(past, 200) == [("ALIVE", False)]
    past = recall(present(70001, 110), added(5, 120), events=BOOT)
    assert ask(past, 200) == [("ALIVE", True)]


def test_present_and_then_added_is_one_lifetime():
    past = recall(present(70001, 110), added(70001, 120), deleted(70001, 200), events=BOOT)
    assert ends(past) == [(110, 200)]


def test_policy_changes_are_counted_per_epoch():
    past = recall(added(1, 10), rules=[{"event_id": 4950, "s": 20}, {"event_id": 2004, "s": 200}], events=BOOT)
    assert list(past.epochs["reloads"]) == [1, 1]


# what may be missing


@pytest.mark.parametrize("event_id", [1100, 1102, 1104])
def test_a_log_that_was_cleared_between_is_not_sure(event_id):
    past = recall(added(70001, 10), events=[{"event_id": event_id, "s": 100}])
    assert ask(past, 50, 200) == [("ALIVE", True), ("ALIVE", False)]


def test_a_log_that_was_archived_goes_on():
    past = recall(added(70001, 10), events=[{"event_id": 1105, "s": 100}])
    assert ask(past, 200) == [("ALIVE", True)]


@pytest.mark.parametrize(
    ("guid", "sure"),
    [
        ("{0CCE9233-69AE-11D9-BED3-505054503030}", False),
        ("{0cce9234-69ae-11d9-bed3-505054503030}", False),
        ("{0CCE9226-69AE-11D9-BED3-505054503030}", True),
        (None, False),
    ],
)
def test_an_audit_change_of_these_records_between_is_not_sure(guid, sure):
    past = recall(added(70001, 10), events=[{"event_id": 4719, "subcategory_guid": guid, "s": 100}])
    assert ask(past, 200) == [("ALIVE", sure)]


def test_a_gap_of_record_ids_between_is_not_sure():
    changes = [added(70001, 10, record_id=50), added(2, 90, record_id=60), added(3, 150, record_id=80)]
    past = recall(*changes, gaps=[(60, 80)], begin=5)
    assert ask(past, 80, 200) == [("ALIVE", True), ("ALIVE", False)]
    assert ask(past, 200, number=3) == [("ALIVE", True)]


def test_time_outside_the_logs_is_not_sure():
    past = recall(added(70001, 10), end=300)
    assert ask(past, 200, 5000) == [("ALIVE", True), ("ALIVE", False)]


def clock(s, old, new):
    return {"event_id": 4616, "s": s, "previous_time": stamp(old).isoformat(), "new_time": stamp(new).isoformat()}


def test_a_clock_that_was_set_back_does_not_order_what_lies_in_the_time_it_ran_twice():
    past = recall(added(70001, 150), added(70002, 10), events=[clock(100, 200, 100)])
    assert ask(past, 160, 140, 300) == [("ALIVE", False), ("LATER", False), ("ALIVE", True)]
    assert ask(past, 150, number=70002) == [("ALIVE", True)]


def test_a_clock_that_was_set_forward_keeps_the_order():
    past = recall(added(70001, 10), events=[clock(200, 100, 200)])
    assert ask(past, 300) == [("ALIVE", True)]


def test_a_clock_change_that_cannot_be_read_is_not_sure():
    past = recall(added(70001, 10), events=[{"event_id": 4616, "s": 100, "previous_time": "yesterday"}])
    assert ask(past, 50, 200) == [("ALIVE", True), ("ALIVE", False)]


# hosts


def test_hosts_with_equal_ids_are_kept_apart():
    past = recall(added(70001, 10, key=1), added(70001, 500, key=2, computer="PC-TWO"), traffic=[
        {"s": s, "computer": computer, "filter_rtid": 1} for s in (-900, 990) for computer in ("PC-ONE", "PC-TWO")
    ])  # fmt: skip
    assert ask(past, 100) == [("ALIVE", True)]
    assert ask(past, 100, computer="PC-TWO")[0][0] == "LATER"
    assert ask(past, 100, computer="PC-THREE") == [("UNKNOWN", False)]


def test_the_short_name_of_a_starting_computer_is_the_same_host():
    past = recall(added(70001, 10, computer="PC-ONE"), deleted(70001, 100, computer="pc-one.example.test"))
    assert ends(past) == [(10, 100)]


def test_two_full_names_of_one_label_are_two_hosts():
    one, two = {"computer": "web.a.test"}, {"computer": "web.b.test"}
    past = recall(added(70001, 10, key=1, **one), deleted(70001, 100, key=1, **two))
    assert sorted(set(past.lifetimes["computer"])) == ["WEB.A.TEST", "WEB.B.TEST"]


# damage


@pytest.mark.parametrize("lost", ["filter_rtid", "s", "change_code"])
def test_records_without_id_time_or_change_are_left_out(lost):
    past = recall(added(70001, 10) | {lost: None}, added(70002, 20))
    assert list(past.lifetimes["filter_id"]) == [70002]


def test_records_without_further_fields():
    bare = dict.fromkeys(
        ("filter_key", "filter_name", "layer_key", "layer_rtid", "provider_key", "weight", "action_code", "callout_key")
    )
    past = recall(added(70001, 10, **bare), added(70002, 20, filter_key="rubbish", action_code="%%1"))
    row = past.lifetimes.iloc[0]
    assert row[["filter_key", "layer", "provider", "action", "weight", "conditions"]].isna().all()
    assert past.lifetimes["filter_key"].iloc[1] == "rubbish"


def test_ids_and_record_numbers_at_the_limits():
    top = 2**64 - 1
    past = recall(added(top, 10, record_id=top), added(0, 20))
    assert ask(past, 50, number=top) == [("ALIVE", True)]
    assert ask(past, 50, number=0) == [("UNKNOWN", False)]


def test_events_without_a_time_or_an_id():
    past = recall(added(70001, 10))
    got = past.as_of("PC-ONE", wfp({"s": None}, {"filter_rtid": None}))
    assert list(got.life) == [-1, -1]


DAY = 86_400


def test_a_pause_between_two_recordings_of_one_export_is_not_sure():
    """Several recordings of one host may lie in one export by query; the id of the first says nothing sure later."""
    later = {"s": 20 * DAY, "filter_rtid": 70001, "record_id": 10**6 + 1}
    boot = {"s": -10, "event_id": 4608}
    export = {"traffic": [later], "events": [boot], "end": 20 * DAY, "begin": -5}
    assert ask(recall(added(70001, 10), **export), 20 * DAY) == [("ALIVE", True)]
    past = recall(added(70001, 10), **export, selective=True)
    assert ask(past, 600, 20 * DAY) == [("ALIVE", True), ("ALIVE", False)]


def test_an_export_without_any_start_is_sure_for_an_hour():
    """The query may have left the starts out."""
    steps = [{"s": s, "filter_rtid": 1, "record_id": 10**6 + s} for s in range(1800, 9000, 1800)]
    past = recall(added(70001, 10), traffic=steps, end=9000, begin=5, selective=True)
    assert ask(past, 3000, 8000) == [("ALIVE", True), ("ALIVE", False)]
    past = recall(added(70001, 10), traffic=steps, events=[{"s": 6, "event_id": 4608}], end=9000, selective=True)
    assert ask(past, 3000, 8000) == [("ALIVE", True), ("ALIVE", True)]
