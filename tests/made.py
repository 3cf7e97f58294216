"""A small result document made by hand, with every part filled in, for tests of what reads it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analyzer import model

APP = r"\device\harddiskvolume3\windows\system32\svchost.exe"
TIME = "2026-03-04T10:15:22.1234567Z"


def filter_frame() -> pd.DataFrame:
    """Three filters: a default block, a permit with conditions, a callout with the highest weight."""
    conditions = (
        {
            "field": "ALE_APP_ID",
            "match": "EQUAL",
            "value": r"\device\harddiskvolume3\a.exe",
            "raw": "5c00",
            "words": "x",
        },
        {"field": "IP_REMOTE_PORT", "match": "EQUAL", "value": "443", "raw": None},
    )
    text = {
        "filter_key": ["{11111111-2222-3333-4444-555555555555}", "{a}", None],
        "name": ["Default Outbound", "Allow a", ""],
        "provider": ["MPSSVC_WF", "MPSSVC_WF", None],
        "sublayer": ["MPSSVC_WF", "MPSSVC_WF", "UNIVERSAL"],
        "layer": ["ALE_AUTH_CONNECT_V4"] * 3,
        "action": ["block", "permit", "callout-terminating"],
        "origin": ["Default Outbound", None, None],
        "rule_id": [None, None, None],
        "input": ["wfpstate.xml"] * 3,
        "kind": ["default-outbound", None, "callout"],
        "kind_evidence": ["origin", None, "shape"],
    }
    frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in text.items()})
    frame["filter_id"] = pd.Series([70001, 70002, 70003], dtype="UInt64")
    frame["weight"] = pd.Series([0x3000000000000000, None, 2**64 - 1], dtype="UInt64")
    frame["flags"] = pd.Series([("HAS_PROVIDER_CONTEXT",), (), None], dtype=object)
    frame["conditions"] = pd.Series([(), conditions, None], dtype=object)
    return frame


def event_frame(rows: int) -> pd.DataFrame:
    """As many 5157 of svchost as asked for."""
    at = np.arange(rows)
    texts: dict[str, list[str | None]] = {
        "computer": ["HOST-A"],
        "input": ["security.evtx"],
        "source": ["audit"],
        "action": ["block"],
        "direction": ["outbound"],
        "application": [APP],
        "local_address": ["192.0.2.10"],
        "remote_address": [f"198.51.100.{n}" for n in range(200)],
        "source_mac": [None],
        "destination_mac": [None],
        "endpoint_order": ["certain"],
        "layer": ["ALE_AUTH_CONNECT_V4"],
        "event_origin": ["Default Outbound"],
        "kind": ["default-outbound"],
        "grade": ["origin"],
        "services_source": [None],
        "user_sid": [None],
        "user_source": [None],
    }
    numbers = {
        "event_id": 5157,
        "version": 2,
        "process_id": 1234,
        "protocol": 6,
        "remote_port": 443,
        "icmp_type": None,
        "icmp_code": None,
        "ether_type": None,
        "layer_id": 48,
        "filter_rtid": 70001,
    }
    frame = pd.DataFrame(index=pd.RangeIndex(rows))
    for name, values in texts.items():
        frame[name] = pd.Series(
            [values[n % len(values)] for n in at], dtype="object" if name == "application" else "category"
        )
    for name, value in numbers.items():
        frame[name] = pd.Series([value] * rows, dtype="UInt64")
    frame["record_id"] = pd.Series(at + 100, dtype="UInt64")
    frame["local_port"] = pd.Series(49152 + at % 16000, dtype="UInt64")
    frame["time"] = pd.Series(pd.to_datetime(at * 1_000_000 + 1_772_619_322_123_456_700, unit="ns", utc=True))
    frame["reasons"] = pd.Series([("the event carries the platform's filter origin",)] * rows, dtype=object)
    frame["services"] = pd.Series([None] * rows, dtype=object)
    frame["filter_row"] = pd.Series([0] * rows, dtype="Int64")
    return frame


def analysis() -> model.Analysis:
    """One flow, one finding, one problem, two inputs."""
    cause = model.FilterRef(
        70001,
        "{11111111-2222-3333-4444-555555555555}",
        "Default Outbound",
        "MPSSVC_WF",
        "MPSSVC_WF",
        "ALE_AUTH_CONNECT_V4",
        "block",
        "Default Outbound",
        None,
        0x3000000000000000,
    )
    verdict = model.Verdict(
        kind="default-outbound",
        grade="origin",
        action="block",
        computer="HOST-A",
        application=APP,
        services=None,
        direction="outbound",
        protocol=6,
        local_address="192.0.2.10",
        remote_address="198.51.100.1",
        service_port=443,
        layer="ALE_AUTH_CONNECT_V4",
        filter=cause,
        count=3,
        attempts=1,
        first=TIME,
        last=TIME,
        record_ids=(100, 101, 102),
    )
    finding = model.Finding(
        id="service-sid",
        title="Services in svchost were refused although rules allow them",
        severity="high",
        confidence="likely",
        count=3,
        summary="A rule for the service exists and can't match.",
        evidence=(model.Evidence("event 5157", "security.evtx", 100, 70001),),
        remedy=model.Remedy("Allow svchost for the accounts", ("New-NetFirewallRule -DisplayName x",), "opens more"),
        collect_next=("netsh wfp show netevents",),
        services=(model.ServiceOutcome("BITS", "S-1-5-80-1", "likely", (70002,)),),
    )
    sha = "0" * 64
    return model.Analysis(
        tool={"name": "wfp-analyzer", "version": "0.1.0"},
        command=("report", "ticket"),
        inputs=(
            model.InputFile("security.evtx", "evtx", 69632, sha, TIME, "HOST-A", TIME, TIME, 10, 3),
            model.InputFile("wfpstate.xml", "wfpstate", 1000, sha, TIME, first=TIME, last=TIME),
        ),
        problems=(model.Problem("security.evtx", None, "note", "a note"),),
        coverage=model.Coverage(first=TIME, last=TIME, by_event_id={"5157": 3}, state_time=TIME),
        verdicts=(verdict,),
        findings=(finding,),
        answer=model.Answer("3 connections were blocked.", "", 3, 0, 0, 1, ()),
        timeline=model.Timeline(None, None, 60, (), ()),
        programs=(),
        cited=(),
        events=event_frame(3),
        filters=filter_frame(),
    )
