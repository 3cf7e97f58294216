"""The history of filters over public records: what it finds, and that it never contradicts what was logged."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest
from history_build import judge, otrf_tables

from analyzer import conditions_text, frames, history_filters, states
from analyzer.classify import CAN_BLOCK
from analyzer.readers.eventjson import read_event_json
from analyzer.readers.evtx import read_evtx
from analyzer.readers.wfpstate import read_state

WHOLE_STATES = ("win11-22621-wfpstate.xml", "win-2023-wfpstate.xml")
STATES = (*WHOLE_STATES, "win11-22621-french-filters.xml", "win11-26100-french-filters.xml")


@cache
def _judged(shared, *, remembered):
    tables, logs = otrf_tables(shared)
    return judge(logs=list(logs), remembered=remembered, **tables)


def _named(shared, *, remembered):
    """(permits, blocks and drops) that have a filter."""
    events = _judged(shared, remembered=remembered)[0].events
    has = events["filter_row"] >= 0
    permit = events["action"] == "permit"
    return int((has & permit).sum()), int((has & ~permit).sum())


def test_filters_of_the_public_events_without_and_with_the_history(shared):
    assert _named(shared, remembered=False) == (0, 0)
    assert _named(shared, remembered=True) == (3018, 0)


def test_grades_of_the_public_permits(shared):
    events = _judged(shared, remembered=True)[0].events
    grades = events.loc[events["filter_row"] >= 0, "grade"].astype(str).value_counts()
    assert grades.to_dict() == {"history": 2985, "id-only": 33}


def test_many_recordings_in_one_file_are_no_watched_span(shared):
    """Weeks lie between the recordings of one host: an id of the first says nothing sure of the next one's."""
    name = "otrf_wfp_events.jsonl.gz"
    log = read_event_json(shared / "json" / name, name)
    events = judge(logs=[log], **log.tables)[0].events
    grades = events.loc[events["action"] == "permit", "grade"].astype(str).value_counts()
    assert (grades["history"], grades["id-only"]) == (2985, 33)
    assert "contradicted" not in grades


def test_what_the_history_is_sure_of_never_contradicts_an_event(shared):
    """Layer, action and conditions of every filter that a record names agree with the traffic."""
    events = _judged(shared, remembered=True)[0].events
    assert not (events["grade"] == "contradicted").any()


def test_conditions_say_yes_where_they_can(shared):
    """Not only "cannot tell": nearly every matched filter has a telling condition that holds."""
    made = _judged(shared, remembered=True)[0]
    rows = made.events.loc[made.events["grade"] == "history", "filter_row"].unique()
    fields = [{test.field for test in made.book.tests.get(int(row), ())} for row in rows]
    telling = [bool(found & {"ALE_APP_ID", "IP_LOCAL_PORT", "IP_REMOTE_PORT"}) for found in fields]
    assert sum(telling) > 0.7 * len(telling)


def test_every_public_condition_text_is_read(shared):
    tables, _ = otrf_tables(shared)
    log = read_evtx(shared / "evtx" / "firewall-disabled-5447-4950.evtx", "x")
    texts = {str(t) for f in (tables, log.tables) for t in f["filter_change"]["conditions"].dropna().unique()}
    assert len(texts) > 600
    assert {text: read.problems for text in texts if (read := conditions_text.read(text)).problems} == {}
    assert all(conditions_text.read(text).whole for text in texts)
    assert all(len(conditions_text.read(t).conditions) == t.count("Condition ID") for t in texts)


def test_condition_values_have_the_types_of_a_states(shared):
    """Field by field, the history's values are of the types that the states' values are."""
    known: dict[str, set[type]] = {}
    for name in WHOLE_STATES:
        part = read_state(shared / "xml" / name, name).conditions
        for field, value in zip(part["field"], part["value"], strict=True):
            known.setdefault(field, set()).add(_shape(value))
    tables, _ = otrf_tables(shared)
    strange = set()
    for text in tables["filter_change"]["conditions"].dropna().unique():
        for item in conditions_text.read(str(text)).conditions:
            if item.told and item.field in known and _shape(item.value.value) not in known[item.field]:
                strange.add((item.field, _shape(item.value.value)))
    # The states here have no filter on one whole network of addresses.
    assert {field for field, _ in strange} <= {"IP_REMOTE_ADDRESS"}


def _shape(value):
    return tuple(type(part) for part in value) if isinstance(value, tuple) else type(value)


def test_switching_the_firewall_off(shared):
    """984 changes: each filter that goes and each that comes, none in doubt."""
    log = read_evtx(shared / "evtx" / "firewall-disabled-5447-4950.evtx", "off.evtx")
    made, past = judge(logs=[log], **log.tables)
    assert made.events.empty
    lives = past.lifetimes
    assert (int(lives["from"].notna().sum()), int(lives["to"].notna().sum())) == (492, 492)
    assert not lives["doubtful"].any()
    assert list(past.epochs["changes"]) == [984]
    assert list(past.epochs["reloads"]) == [6]


@pytest.mark.parametrize("name", STATES)
def test_the_history_gives_a_states_filters_the_same_kind(shared, name):
    """A state's filters, cut down to what 5447 tells of them, keep their kind or get none."""
    state = read_state(shared / "xml" / name, name)
    book = states.bind([(name, state)])
    cut = book.filters[list(frames.FILTERS)].copy()
    for lost in ("sublayer", "weight_type", "weight", "origin", "description", "provider_data", "sublayer_weight"):
        cut[lost] = pd.Series([None] * len(cut), dtype=frames.FILTERS[lost])
    cut["flags"] = [tuple(f for f in flags or () if f in ("BOOTTIME", "PERSISTENT")) for flags in cut["flags"]]
    cut["action"] = cut["action"].where(~cut["action"].str.startswith("callout", na=False), "callout-unknown")
    cut["name"] = pd.Series([None] * len(cut), dtype="str")
    names = pd.Series([None] * len(cut), dtype="str")
    kinds = history_filters.classified(cut, book.conditions, names)
    can_block = book.filters["action"].isin(list(CAN_BLOCK)).to_numpy()
    pairs = pd.DataFrame({"full": book.filters["kind"][can_block], "cut": kinds["kind"][can_block]})
    wrong = pairs[(pairs["full"] != pairs["cut"]) & ~pairs["cut"].isin(["unresolved", "other-wfp", "callout"])]
    assert wrong.value_counts().to_dict() == {}
    same = (pairs["full"] == pairs["cut"]).sum()
    assert same > 0.8 * len(pairs)
