"""Every real log alone and with every real state: it ends, loses nothing, and never takes one machine for another."""

from __future__ import annotations

import functools
import signal

import pytest

from analyzer import pipeline
from analyzer.readers import wfpstate
from analyzer.readers.evtx import read_evtx
from analyzer.readers.wfpstate import read_state

LOGS = (
    "evtx/security-short-5152-5157.evtx",
    "evtx/rdp-tunnel-5156-5158-4688.evtx",
    "evtx/domain-admins-5156-5158.evtx",
    "evtx/firewall-disabled-5447-4950.evtx",
)
CORPUS = 23
STATES = (
    "win11-22621-wfpstate.xml",
    "win-2023-wfpstate.xml",
    "win11-22621-french-filters.xml",
    "win11-26100-french-filters.xml",
)
SECONDS = 120  # a bound against endless loops, no measurement


@pytest.fixture(autouse=True)
def _bounded():
    def stop(*_):
        raise TimeoutError("the analysis did not end")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@functools.cache
def _state(path, name):
    return read_state(path, name)


@pytest.fixture
def analyze(monkeypatch):
    """The pipeline, with each state read once for all tests."""
    monkeypatch.setattr(wfpstate, "read_state", _state)
    return pipeline.analyze


def grades(made):
    return set(made.events["grade"].astype("object"))


def lost(made):
    return [problem for problem in made.problems if problem.severity == "lost"]


# Alone


@pytest.mark.parametrize(
    ("log", "counts"),
    [
        (LOGS[0], {"5152": 2, "5157": 1}),
        (LOGS[1], {"5156": 63, "5158": 9}),
        (LOGS[2], {"5156": 28, "5158": 5}),
        (LOGS[3], {}),
    ],
)
def test_events_of_each_log(shared, analyze, log, counts):
    made = analyze([shared / log])
    assert made.coverage.by_event_id == counts
    assert sum(v.count for v in made.verdicts) == sum(counts.values()) == len(made.events)
    assert lost(made) == []
    assert grades(made) <= {"none"}


def test_filter_changes_of_switching_the_firewall_off(shared):
    tables = read_evtx(shared / LOGS[3], "log.evtx").tables
    assert (tables["filter_change"]["event_id"] == 5447).sum() == 984
    assert (tables["rule_change"]["event_id"] == 4950).sum() == 6


def test_process_starts_of_the_tunnel_log(shared):
    assert (read_evtx(shared / LOGS[1], "log.evtx").tables["process"]["event_id"] == 4688).sum() == 17


def test_blocks_and_drops_without_a_state_stay_unresolved(shared, analyze):
    made = analyze([shared / LOGS[0]])
    assert made.events["kind"].tolist() == ["unresolved"] * 3
    assert made.events["action"].tolist() == ["drop", "drop", "block"]


@pytest.mark.parametrize(
    ("name", "filters", "blocks", "origins"),
    [(STATES[0], 1254, 73, 184), (STATES[1], 572, 57, 0), (STATES[2], 794, 61, 0), (STATES[3], 286, 32, 0)],
)
def test_each_state_alone(shared, analyze, name, filters, blocks, origins):
    made = analyze([shared / "xml" / name])
    assert len(made.filters) == filters
    assert (made.filters["action"] == "block").sum() == blocks
    assert made.filters["origin"].notna().sum() == origins
    assert len(made.events) == 0
    assert made.verdicts == ()
    assert lost(made) == []


def corpus(shared):
    return sorted((shared / "evtx-corpus").glob("*.evtx"))


def test_every_log_of_the_corpus_alone(shared, analyze):
    paths = corpus(shared)
    assert len(paths) == CORPUS
    for path in paths:
        made = analyze([path])
        assert made.inputs[0].records is not None, path.name
        assert grades(made) <= {"none"}, path.name


@pytest.mark.parametrize("name", ["one-byte-hang-a.evtx", "one-byte-hang-b.evtx"])
def test_damaged_logs_end_and_say_that_they_are(shared, analyze, name):
    made = analyze([shared / "damaged" / name])
    assert made.inputs[0].records is not None
    assert {"lost", "doubtful"} & {problem.severity for problem in made.problems}


# In pairs: no log and state here are of one machine


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("name", STATES)
def test_a_log_and_a_foreign_state_give_no_snapshot(shared, analyze, log, name):
    made = analyze([shared / log, shared / "xml" / name])
    assert grades(made) <= {"none", "contradicted", "id-only"}
    assert made.coverage.state_fits != "yes"
    assert all(pairing.fits != "yes" for pairing in made.coverage.pairings)
    assert len(made.filters) == len(_state(shared / "xml" / name, made.filters["input"].iloc[0]).filters)


@pytest.mark.parametrize("log", LOGS)
def test_a_log_and_all_foreign_states_at_once_give_no_snapshot(shared, analyze, log):
    made = analyze([shared / log, *(shared / "xml" / name for name in STATES)])
    assert grades(made) <= {"none", "contradicted", "id-only"}
    assert len(made.filters) == 1254 + 572 + 794 + 286


def test_all_logs_and_all_states_at_once_give_no_snapshot(shared, analyze):
    made = analyze([*(shared / log for log in LOGS), *(shared / "xml" / name for name in STATES)])
    assert len(made.events) == 3 + 72 + 33
    assert grades(made) <= {"none", "contradicted", "id-only"}


@pytest.mark.parametrize("name", STATES)
def test_every_log_of_the_corpus_and_a_foreign_state(shared, analyze, name):
    for path in corpus(shared):
        made = analyze([path, shared / "xml" / name])
        assert "snapshot" not in grades(made), path.name


@pytest.mark.parametrize("name", STATES)
def test_no_contradicted_match_is_shown_as_the_cause(shared, analyze, name):
    made = analyze([*(shared / log for log in LOGS), shared / "xml" / name])
    refuted = made.events[made.events["grade"].astype("object") == "contradicted"]
    assert refuted["filter_row"].isna().all()
    assert set(refuted["kind"].dropna()) <= {"unresolved"}


def test_logs_of_two_windows_versions_at_once(root, analyze):
    older, newer = (root / "samples" / name / "security.evtx" for name in ("ticket-b-win10", "ticket-a-win11"))
    made = analyze([older, newer])
    assert made.events["event_origin"].isna().any()
    assert made.events["event_origin"].notna().any()
    assert len({i.computer for i in made.inputs}) == 2


@pytest.mark.parametrize("folder", ["evtx", "xml"])
def test_a_folder_is_read_like_its_files(shared, analyze, folder):
    made = analyze([shared / folder])
    assert len([i for i in made.inputs if i.kind in {"evtx", "wfpstate", "filters"}]) == 4
