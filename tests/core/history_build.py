"""Public JSON events as event tables, and the way of the pipeline with the history of filters."""

from __future__ import annotations

import functools
import gzip
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
from core_build import Result, stamp

from analyzer import addressing, attribution, flows, frames, history, markers, netjoin, resolve, states, watch
from analyzer.hosts import hosts_by_session
from analyzer.readers.evtx import EvtxLog
from analyzer.wfp import events as wfp_events

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.history import History


def log_of(tables: dict[str, pd.DataFrame], *, gaps=(), end: float | None = None, selective: bool = False) -> EvtxLog:
    """A log of these tables."""
    times = pd.concat([table["time"] for table in tables.values()]).dropna()
    names = sorted({str(n) for table in tables.values() for n in table["computer"].dropna().unique()})
    last = times.max() if end is None else stamp(end)
    return EvtxLog(tables, (), 0, times.min(), last, tuple(names), {}, selective=selective, id_gaps=tuple(gaps))


def whole(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {t: tables.get(t, frames.empty(frames.EVENT_SCHEMAS[t])) for t in wfp_events.TABLES}


def judge(
    *dumps: Any, gaps=(), end: float | None = None, remembered: bool = True, logs=None, **tables: pd.DataFrame
) -> tuple[Result, History | None]:
    """Lead tables through the core as the pipeline does, with the history or without it."""
    every = whole(tables)
    logs = [log_of(every, gaps=gaps, end=end)] if logs is None else logs
    book = states.bind(dumps)
    marks = markers.find(every)
    ordered = every["wfp"].sort_values(["time", "input", "offset"], kind="stable", ignore_index=True)
    seen = watch.watched(logs)
    own = hosts_by_session(book, ordered, seen)
    oriented = addressing.orient(ordered, own_addresses=own, layer_names=book.layer_names())
    attributed = attribution.attribute(netjoin.join(oriented, ()).events, every["process"], marks)
    past = history.recall(every, seen, logs) if remembered else None
    joined = resolve.resolve(attributed, every, book, marks, seen, past)
    result = Result(flows.add(joined.events), joined.book, joined.fits, marks, joined.changes, seen)
    return result, past


_TEXT = {"-": None, "": None}


@functools.cache
def otrf_tables(shared: Path) -> tuple[dict[str, pd.DataFrame], tuple[EvtxLog, ...]]:
    """The public JSON events as event tables, one log per source archive."""
    specs = {
        spec.event_id: spec for spec in wfp_events.EVENTS.values() if spec.provider == wfp_events.SECURITY_AUDITING
    }
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    with gzip.open(shared / "json" / "otrf_wfp_events.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            raw = json.loads(line)
            given = raw.get("event_data") or raw
            spec = specs.get(raw.get("EventID", raw.get("event_id")) or 0)
            computer = raw.get("Hostname") or raw.get("Computer") or raw.get("computer_name")
            if spec is None or computer is None:
                continue
            by_name = {key.lower(): value for key, value in given.items() if isinstance(value, str | int)}
            row: dict[str, Any] = {}
            for item in spec.fields:
                value = _TEXT.get(by_name.get(item.name.lower()), by_name.get(item.name.lower()))
                if value is not None and item.type != "text":
                    value = int(str(value), 16 if item.type == "hex" else 10)
                row[item.column] = value
            time = raw.get("EventTime") or raw.get("TimeCreated") or raw.get("@timestamp")
            row |= {
                "input": raw["_src"],
                "offset": number,
                "event_id": spec.event_id,
                "version": 0,
                "record_id": raw.get("RecordNumber") or raw.get("record_number") or raw.get("record_id"),
                "time": None if time is None else pd.to_datetime(time, utc=True).value,
                "computer": computer,
                "channel": "Security",
                "provider": spec.provider,
            }
            rows.setdefault(raw["_src"], {}).setdefault(spec.table, []).append(row)
    logs = []
    for tables in rows.values():
        made = {}
        for table in wfp_events.TABLES:
            schema = frames.EVENT_SCHEMAS[table]
            part = tables.get(table, [])
            made[table] = frames.build({name: [row.get(name) for row in part] for name in schema}, schema)
        logs.append(log_of(made))
    together = {t: frames.concat([log.tables[t] for log in logs], frames.EVENT_SCHEMAS[t]) for t in wfp_events.TABLES}
    return together, tuple(logs)


ZERO = "{00000000-0000-0000-0000-000000000000}"
WF = "{decc16ca-3f33-4346-be1e-8fb4ae0f3d62}"
CONNECT_V4 = "{c38d57d1-05a7-4c33-904f-7fbceee60e82}"
ACCEPT_V4 = "{e1cd9fe7-f4b5-4273-96c0-592e487b8650}"
APP_ID = "{d78e1e87-8644-4ea5-9437-d809ecefc971}"
REMOTE_PORT = "{c35a604d-d22b-4e1a-91b4-68f674ee674b}"
PROTOCOL = "{3971ef2b-623e-4f9a-8cb1-6e79b806b9a7}"
PROFILE = "{46ea1551-2255-492b-8019-aabeee349f40}"


def condition(field: str, words: str, value: str) -> str:
    return f"\n\tCondition ID:\t{field}\n\tMatch value:\t{words}\n\tCondition value:\t{value}\n"


def key_of(number: int) -> str:
    """The filter key that `core_build.flt` gives to this number."""
    return f"{{0a000000-0000-4000-8000-{number:012x}}}"


def added(number: int, s: float, **more: Any) -> dict[str, Any]:
    """A 5447 that adds the outbound default block of IPv4; ``key`` is the number that makes its key."""
    return {
        "event_id": 5447,
        "change_code": "%%16384",
        "s": s,
        "filter_rtid": number,
        "filter_key": key_of(more.pop("key", number)),
        "filter_name": "a filter",
        "filter_type_code": "%%16388",
        "provider_key": WF,
        "provider_name": "Microsoft Corporation",
        "layer_key": CONNECT_V4,
        "layer_rtid": 48,
        "weight": 3 << 60,
        "action_code": "%%16389",
        "callout_key": ZERO,
        "channel": "Security",
        **more,
    }


def deleted(number: int, s: float, **more: Any) -> dict[str, Any]:
    return added(number, s, **{"change_code": "%%16385", **more})


def present(number: int, s: float, **more: Any) -> dict[str, Any]:
    return added(number, s, **{"event_id": 5441, "change_code": None, "filter_type_code": "%%16387", **more})


def permit(number: int, s: float, **more: Any) -> dict[str, Any]:
    return added(number, s, **{"action_code": "%%16390", "weight": 9 << 60, **more})
