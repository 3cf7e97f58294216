"""The join as of the event's time: the log's own filter history beside one, several or no states."""

from __future__ import annotations

import pytest
from core_build import HOST, PROGRAM, app, eq, filter_changes, flt, host_events, inbound, rule_changes, state, wfp
from history_build import (
    ACCEPT_V4,
    APP_ID,
    PROFILE,
    REMOTE_PORT,
    added,
    condition,
    deleted,
    judge,
    key_of,
    permit,
    present,
)

USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
OWN = {"users": [(USER, rf"{HOST}\someone")]}
WSH = "{4b153735-1049-4480-aab4-d1b9bdc03710}"
FOREIGN = "{0b000000-0000-4000-8000-000000000001}"
DUMP = "\n    00000000  5c 00 61 00 2e 00 65 00-78 00 65 00 00 00        \\.a...e.x.e...\n"


def lead(events, *dumps, changes=(), host=(), rules=(), end=1000, **more):
    """Judge with a log that begins long before the first event."""
    before = {"s": -1000, "filter_rtid": None, "record_id": 10**6}
    return judge(
        *dumps,
        end=end,
        wfp=wfp(*events, before),
        filter_change=filter_changes(*changes),
        host=host_events(*host),
        rule_change=rule_changes(*rules),
        **more,
    )[0]


def tied(*filters, name="state.xml", **more):
    return state(name, *(filters or (flt(70001),)), **{**OWN, **more})


def untied(*filters, name="state.xml", **more):
    return state(name, *(filters or (flt(70001),)), **more)


# history alone


def test_history_without_a_state_tells_the_filter():
    made = lead([{"s": 50}], changes=[added(70001, 10)])
    assert made.verdict() == ("default-outbound", "history", 70001)
    assert "5447" in made.reasons()
    row = made.book.filters.iloc[int(made.one()["filter_row"])]
    assert (row["input"], row["filter_key"], row["place"]) == ("log.evtx", key_of(70001), "record 1")


def test_what_the_record_does_not_tell_stays_missing():
    made = lead([{"s": 50}], changes=[added(70001, 10)])
    row = made.book.filters.iloc[int(made.one()["filter_row"])]
    assert row[["sublayer", "origin", "weight_type", "weight", "rule_id"]].isna().all()
    assert row["effective_weight"] == 3 << 60


def test_without_the_history_nothing_changes():
    made = judge(wfp=wfp({"s": 50}), filter_change=filter_changes(added(70001, 10)), remembered=False)[0]
    assert made.verdict() == ("unresolved", "none", None)


def test_only_filters_that_events_name_are_listed():
    made = lead([{"s": 50}], changes=[added(70001, 10), added(70002, 10)])
    assert list(made.book.filters["filter_id"]) == [70001]


def test_filters_that_a_state_holds_are_listed_once():
    made = lead([{"s": 50}], tied(seconds=60), changes=[added(70001, 10)])
    assert list(made.book.filters["input"]) == ["state.xml"]
    assert set(made.book.conditions["filter_row"]) == set()


def test_rows_of_several_filters_of_the_history():
    port = condition(REMOTE_PORT, "Equal to", "0x01bb")
    rules = [permit(70010 + n, 10, conditions=port, filter_name=f"rule {n}") for n in range(5)]
    events = [{"s": 50 + n, "event_id": 5156, "filter_rtid": 70010 + n} for n in range(1, 5)]
    made = lead([{"s": 40}, *events], tied(seconds=60), changes=[added(70001, 10), *rules])
    assert [made.filter_of(n) for n in range(1, 6)] == [70001, 70011, 70012, 70013, 70014]
    assert made.book.filters["name"].tolist()[1:] == ["rule 1", "rule 2", "rule 3", "rule 4"]
    rows = [int(made.one(n)["filter_row"]) for n in range(2, 6)]
    assert all(made.book.tests[row][0].value == 443 for row in rows)


def test_a_filter_added_after_the_event_is_not_the_cause():
    made = lead([{"s": 50}], changes=[added(70001, 100)])
    assert made.verdict() == ("unresolved", "contradicted", None)
    assert "only after the event" in made.reasons()


def test_a_filter_deleted_before_the_event_is_not_the_cause():
    made = lead([{"s": 50}], changes=[added(70001, 10), deleted(70001, 20)])
    assert made.verdict() == ("unresolved", "contradicted", None)
    assert "deleted before the event" in made.reasons()


def test_a_filter_known_by_its_deletion_lived_until_then():
    made = lead([{"s": 50}], changes=[deleted(70001, 100)])
    assert made.verdict() == ("default-outbound", "history", 70001)
    assert "until then" in made.reasons()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"layer_key": ACCEPT_V4, "layer_rtid": 44}, "another layer"),
        ({"action_code": "%%16390"}, "action is permit"),
        ({"conditions": condition(REMOTE_PORT, "Equal to", "0x0050")}, "conditions do not match"),
    ],
)
def test_a_filter_of_the_history_that_cannot_be_meant_is_never_the_cause(change, said):
    made = lead([{"s": 50}], changes=[added(70001, 10, **change)])
    assert made.verdict() == ("unresolved", "contradicted", None)
    assert said in made.reasons()


def test_the_events_origin_outranks_the_history():
    made = lead([{"s": 50, "event_origin": "Default Outbound"}], changes=[added(70001, 10)])
    assert made.verdict() == ("default-outbound", "origin", 70001)
    made = lead([{"s": 50, "event_origin": "Stealth"}], changes=[added(70001, 10)])
    assert made.verdict() == ("stealth", "origin", None)


def test_a_permit_gets_its_filter():
    rule = permit(70001, 10, conditions=condition(REMOTE_PORT, "Equal to", "0x01bb"))
    made = lead([{"s": 50, "event_id": 5156}], changes=[rule])
    assert made.verdict() == (None, "history", 70001)


# the same rules for kinds


@pytest.mark.parametrize(
    ("change", "kind", "grade"),
    [
        ({"weight": 8 << 60, "conditions": condition(PROFILE, "Equal to", "0x00000001")}, "default-outbound",
         "history"),
        ({"weight": (10 << 60) + 5, "conditions": condition(REMOTE_PORT, "Equal to", "0x01bb")}, "explicit-rule",
         "history"),
        ({"provider_key": WSH, "weight": 5,
          "conditions": condition("{af043a0a-b34d-4f86-979c-c90371af6e66}", "Equal to",
                                  "\nD:(A;NP;CC;;;S-1-5-80-1-2-3-4-5)\n")}, "service-hardening", "history"),
        ({"provider_key": WSH, "weight": 5,
          "conditions": condition("{71bc78fa-f17c-4997-a602-6abb261f351c}", "Not equal to", "-")}, "app-isolation",
         "history"),
        ({"provider_key": FOREIGN, "provider_name": "Some maker"}, "other-wfp", "history"),
        ({"action_code": "%%16391", "provider_key": FOREIGN, "callout_key": FOREIGN}, "callout", "history"),
        ({"weight": 7 << 60, "filter_name": "Default Outbound"}, "default-outbound", "id-only"),
        ({"weight": 7 << 60}, "unresolved", "none"),
    ],
)  # fmt: skip
def test_kinds(change, kind, grade):
    made = lead([{"s": 50}], changes=[added(70001, 10, **change)])
    assert made.verdict() == (kind, grade, 70001)


def test_fixed_keys_tell_the_kind():
    boot = added(70001, 10, filter_key="{a47525e2-725b-4888-8af1-ba5a60c04f4d}", layer_key=ACCEPT_V4, layer_rtid=44)
    made = lead([inbound(5157, "198.51.100.7", "192.0.2.10", s=50, filter_rtid=70001)], changes=[boot])
    assert made.verdict()[:2] == ("boot-time", "history")


def test_inbound_default():
    block = added(70001, 10, layer_key=ACCEPT_V4, layer_rtid=44)
    made = lead([inbound(5157, "198.51.100.7", "192.0.2.10", s=50, filter_rtid=70001)], changes=[block])
    assert made.verdict() == ("default-inbound", "history", 70001)


def test_lost_conditions_do_not_make_a_default():
    made = lead([{"s": 50}], changes=[added(70001, 10, conditions="cut off")])
    assert made.verdict()[0] == "unresolved"
    cut = added(70001, 10, weight=None)
    assert lead([{"s": 50}], changes=[cut]).verdict()[0] == "unresolved"


# reuse


def test_an_id_reused_after_a_policy_reload_means_the_filter_of_that_time():
    port = condition(REMOTE_PORT, "Equal to", "0x01bb")
    changes = [
        added(70001, 10, key=1), deleted(70001, 100, key=1),
        added(70001, 200, key=2, weight=10 << 60, conditions=port),
    ]  # fmt: skip
    made = lead([{"s": 50}, {"s": 300}], changes=changes, rules=[{"event_id": 4950, "s": 150}])
    assert made.verdict(1) == ("default-outbound", "history", 70001)
    assert made.verdict(2) == ("explicit-rule", "history", 70001)
    assert made.one(1)["filter_row"] != made.one(2)["filter_row"]


BOOT = [{"event_id": 4608, "s": 100}, {"event_id": 5033, "s": 110}]


def test_an_id_reused_after_a_start_means_the_filter_of_its_epoch():
    changes = [added(70001, 10, key=1), added(70001, 120, key=2, weight=10 << 60,
               conditions=condition(APP_ID, "Equal to", DUMP))]  # fmt: skip
    made = lead([{"s": 50}, {"s": 300, "application": r"\a.exe"}], changes=changes, host=BOOT)
    assert made.verdict(1) == ("default-outbound", "history", 70001)
    assert made.verdict(2) == ("explicit-rule", "history", 70001)


def test_an_id_of_another_epoch_alone_tells_nothing():
    made = lead([{"s": 300}], changes=[added(70001, 10)], host=BOOT)
    assert made.verdict() == ("unresolved", "none", None)


# one state and the history


def test_a_fitting_state_is_better_than_the_history_and_the_two_agree():
    made = lead([{"s": 50}], tied(seconds=60), changes=[added(70001, 10)])
    assert made.verdict() == ("default-outbound", "snapshot", 70001)
    assert made.book.filters["input"].iloc[int(made.one()["filter_row"])] == "state.xml"
    assert "5447" in made.reasons()


def test_history_contradicts_a_state_that_holds_another_filter_under_the_id():
    other = flt(70001, weight=("UINT8", 10), tests=[app(PROGRAM)], filter_key=key_of(9))
    made = lead([{"s": 50}], tied(other, seconds=60), changes=[added(70001, 10)])
    assert made.verdict() == ("default-outbound", "history", 70001)
    assert "state.xml holds another filter" in made.reasons()


def test_an_untied_state_with_the_same_key_shows_its_fuller_filter():
    full = flt(70001, origin="Default Outbound")
    made = lead([{"s": 50}], untied(full, seconds=60), changes=[added(70001, 10)])
    assert made.verdict() == ("default-outbound", "history", 70001)
    assert made.book.filters["sublayer"].iloc[int(made.one()["filter_row"])] == "MPSSVC_WF"
    assert "the same key" in made.reasons()


def test_a_state_from_before_a_start_proves_nothing():
    made = lead([{"s": 300}], tied(seconds=50), changes=[added(5, 120)], host=BOOT)
    assert made.verdict() == ("default-outbound", "id-only", 70001)
    assert "started in between" in made.reasons()


def test_a_state_from_before_a_start_is_wrong_where_the_new_epoch_tells_another_filter():
    changes = [added(70001, 120, key=2, weight=10 << 60, conditions=condition(REMOTE_PORT, "Equal to", "0x01bb"))]
    made = lead([{"s": 300}], tied(seconds=50), changes=changes, host=BOOT)
    assert made.verdict() == ("explicit-rule", "history", 70001)
    assert "another filter" in made.reasons()


def test_a_filter_that_keeps_its_key_and_id_over_a_start_is_the_states():
    changes = [present(70001, 105), added(5, 120)]
    made = lead([{"s": 300}], tied(seconds=50), changes=changes, host=BOOT)
    assert made.verdict() == ("default-outbound", "history", 70001)
    assert made.book.filters["input"].iloc[int(made.one()["filter_row"])] == "state.xml"


def test_a_state_without_time_stamp_cannot_revive_a_deleted_filter():
    made = lead([{"s": 300}], tied(seconds=None), changes=[added(70001, 10), deleted(70001, 20)])
    assert made.verdict() == ("unresolved", "contradicted", None)


def test_where_records_may_be_missing_the_history_is_id_only():
    made = lead([{"s": 300}], changes=[added(70001, 10)], host=[{"event_id": 1102, "s": 100}])
    assert made.verdict() == ("default-outbound", "id-only", 70001)
    assert "records may be missing" in made.reasons()


def test_where_records_may_be_missing_a_check_that_fails_leaves_nothing():
    changes = [added(70001, 10, layer_key=ACCEPT_V4, layer_rtid=44)]
    made = lead([{"s": 300}], changes=changes, host=[{"event_id": 1102, "s": 100}])
    assert made.verdict() == ("unresolved", "none", None)


def test_a_fitting_state_stands_against_an_incomplete_history_and_this_is_said():
    other = added(70001, 10, key=9, layer_key=ACCEPT_V4, layer_rtid=44)
    made = lead([{"s": 300}], tied(seconds=310), changes=[other], host=[{"event_id": 1102, "s": 100}])
    assert made.verdict() == ("default-outbound", "snapshot", 70001)
    assert "had this id" in made.reasons() or "under this id" in made.reasons()


def test_a_clock_that_was_set_back_between_keeps_the_grade_low():
    step = {"event_id": 4616, "s": 100, "previous_time": "2026-01-01T10:03:20Z", "new_time": "2026-01-01T10:01:40Z"}
    made = lead([{"s": 160}], changes=[added(70001, 150)], host=[step])
    assert made.verdict() == ("default-outbound", "id-only", 70001)


def test_traffic_logged_before_its_filters_addition_does_not_contradict_the_state():
    made = lead([{"s": 9}], tied(seconds=60), changes=[added(70001, 10)])
    assert made.verdict() == ("default-outbound", "snapshot", 70001)


def test_a_record_that_tells_hardly_anything():
    fields = ("filter_key", "filter_name", "filter_type_code", "provider_key", "provider_name", "layer_key",
              "layer_rtid", "weight", "action_code", "callout_key")  # fmt: skip
    made = lead([{"s": 50}], changes=[added(70001, 10) | dict.fromkeys(fields)])
    assert made.verdict() == ("unresolved", "none", None)


# several states


def before_and_after(first, second, **more):
    return lead(
        [{"s": 50}], tied(first, name="before.xml", seconds=20), tied(second, name="after.xml", seconds=80), **more
    )


RULE = flt(70001, weight=("UINT8", 10), tests=[eq("IP_REMOTE_PORT", 443)], filter_key=key_of(9))


def test_states_around_the_event_that_agree():
    made = before_and_after(flt(70001), flt(70001), changes=[added(5, 0)])
    assert made.verdict() == ("default-outbound", "snapshot", 70001)


def test_states_around_the_event_that_disagree():
    made = before_and_after(flt(70001), RULE, changes=[added(5, 0)])
    assert made.verdict()[1] == "id-only"
    assert "another state" in made.reasons()


def test_the_history_decides_between_states_that_disagree():
    changes = [added(70001, 10), deleted(70001, 60), added(70001, 61, key=9)]
    made = before_and_after(flt(70001), RULE, changes=changes)
    assert made.verdict() == ("default-outbound", "snapshot", 70001)
    assert made.book.filters["input"].iloc[int(made.one()["filter_row"])] == "before.xml"


# hosts


def test_two_hosts_with_equal_ids():
    changes = [added(70001, 10), added(70001, 10, key=9, computer="PC-TWO", record_id=99, weight=10 << 60,
               conditions=condition(REMOTE_PORT, "Equal to", "0x01bb"))]  # fmt: skip
    events = [{"s": 50}, {"s": 50, "computer": "PC-TWO"}, {"s": 60}, {"s": 60, "computer": "PC-TWO"}]
    made = lead(events, changes=changes)
    assert [made.verdict(n) for n in (1, 2)] == [
        ("default-outbound", "history", 70001),
        ("explicit-rule", "history", 70001),
    ]


def test_an_event_that_names_no_filter_stays_so():
    made = lead([{"s": 50, "filter_rtid": 0}], changes=[added(70001, 10)])
    assert made.verdict() == ("no-filter", "none", None)


def test_a_state_that_holds_none_of_the_ids_beside_a_history_of_changes():
    made = lead([{"s": 50, "filter_rtid": 69999}], tied(flt(70001)), changes=[added(69998, 60)])
    assert made.verdict()[1:] == ("none", None)
