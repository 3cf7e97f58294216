"""Frames made by hand for tests of the core: events, process starts, filters, states, and the way through all of it."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzer import (
    addressing,
    attribution,
    flows,
    frames,
    markers,
    netjoin,
    resolve,
    services,
    states,
    watch,
)
from analyzer import processes as process_lives
from analyzer.epochs import Bounds
from analyzer.hosts import hosts_by_session
from analyzer.readers.evtx import EvtxLog
from analyzer.readers.wfpstate import WfpState
from analyzer.wfp import events as wfp_events
from analyzer.wfp import layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from analyzer.pairing import Fit
    from analyzer.readers.netevents import NetEvents
    from analyzer.states import Book

HOST = "PC-ONE"
SVCHOST = r"\device\harddiskvolume3\windows\system32\svchost.exe"
PROGRAM = r"\device\harddiskvolume3\program files\example\program.exe"
START = 1_767_261_600_000_000_000  # 2026-01-01T10:00:00Z in ns
IN, OUT, FORWARD = "%%14592", "%%14593", "%%14594"
CONNECT, ACCEPT, LISTEN, BIND = 48, 44, 40, 36


def at(seconds: float) -> int:
    """Nanoseconds since 1970, counted from the tests' start."""
    return START + round(seconds * 10_000_000) * 100


def stamp(seconds: float) -> pd.Timestamp:
    return pd.Timestamp(at(seconds), unit="ns", tz="UTC")


def _table(table: str, rows: Sequence[dict[str, Any]], defaults: dict[str, Any]) -> pd.DataFrame:
    schema = frames.EVENT_SCHEMAS[table]
    filled = [{"record_id": n + 1, "offset": n * 512, **defaults, **row} for n, row in enumerate(rows)]
    for row in filled:
        unknown = row.keys() - schema.keys() - {"s"}
        assert not unknown, unknown
        seconds = row.pop("s")
        row["time"] = None if seconds is None else at(seconds)
    if not filled:
        return frames.empty(schema)
    return frames.build({name: [row.get(name) for row in filled] for name in schema}, schema)


SYSTEM = {
    "input": "log.evtx",
    "version": 0,
    "computer": HOST,
    "channel": "Security",
    "provider": wfp_events.SECURITY_AUDITING,
    "s": 0,
}
CONNECTION = {
    "event_id": 5157,
    "application": PROGRAM,
    "process_id": 4242,
    "direction_code": OUT,
    "source_address": "192.0.2.10",
    "source_port": 50001,
    "dest_address": "198.51.100.7",
    "dest_port": 443,
    "protocol": 6,
    "filter_rtid": 70001,
    "layer_rtid": CONNECT,
}
PORT_FIELDS = ("direction_code", "dest_address", "dest_port")


def wfp(*rows: dict[str, Any]) -> pd.DataFrame:
    """A ``wfp`` frame; each row overrides an outbound 5157, ``s`` is its time in seconds."""
    made = []
    for row in rows:
        full = {**CONNECTION, **row}
        if full["event_id"] in addressing.PORT_EVENTS:
            full.update({name: row.get(name) for name in PORT_FIELDS})
            full["layer_rtid"] = row.get("layer_rtid", BIND if full["event_id"] in (5158, 5159) else LISTEN)
        if full["event_id"] == 5031:
            full = {"event_id": 5031, "application": full["application"], **row}
        made.append(full)
    return _table("wfp", made, SYSTEM)


def bind(address: str, **more: Any) -> dict[str, Any]:
    return {"event_id": 5158, "source_address": address, "source_port": 50001, **more}


def inbound(event_id: int, source: str, dest: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "direction_code": IN,
        "layer_rtid": ACCEPT,
        "source_address": source,
        "dest_address": dest,
        **more,
    }


def processes(*rows: dict[str, Any]) -> pd.DataFrame:
    """4688 and 4689 rows; a creation with a command line is an svchost unless it says otherwise."""
    name = r"C:\Windows\System32\svchost.exe"
    return _table("process", [{"event_id": 4688, "process_name": name, **row} for row in rows], SYSTEM)


def kept_always(*processes: pd.DataFrame) -> process_lives.Kept:
    """Logs of processes that cover all time, of the computers of these frames."""
    names = {"" if pd.isna(name) else str(name) for frame in processes for name in frame["computer"].unique()}
    none, low, high = (np.array(times, np.int64) for times in ([], [-(2**62)], [2**62]))
    bounds = Bounds(none, none, low, high, ())
    return {source: dict.fromkeys(names, bounds) for source in process_lives.SOURCES}


def host_events(*rows: dict[str, Any]) -> pd.DataFrame:
    return _table("host", rows, SYSTEM)


def rule_changes(*rows: dict[str, Any]) -> pd.DataFrame:
    return _table("rule_change", rows, SYSTEM)


def filter_changes(*rows: dict[str, Any]) -> pd.DataFrame:
    return _table("filter_change", [{"event_id": 5447, "change_code": "%%16384", **row} for row in rows], SYSTEM)


@dataclass
class Condition:
    field: str
    match: str
    value: Any


def eq(field: str, value: Any) -> Condition:
    return Condition(field, "EQUAL", value)


def app(path: str) -> Condition:
    return eq("ALE_APP_ID", path)


def service(*sids: str) -> Condition:
    return eq("ALE_USER_ID", "O:SYG:SYD:" + "".join(f"(A;;CCRC;;;{sid})" for sid in sids))


def flt(number: int, action: str = "block", **more: Any) -> dict[str, Any]:
    """A filter of the firewall at the connect layer; a block without more is the outbound default."""
    layer = more.pop("layer", "ALE_AUTH_CONNECT_V4")
    kind, weight = more.pop("weight", ("UINT8", 3 if action == "block" else 9))
    more.setdefault("effective_weight", weight << 60 if kind == "UINT8" else weight)
    return {
        "filter_id": number,
        "filter_key": f"{{0a000000-0000-4000-8000-{number:012x}}}",
        "name": "a filter",
        "action": action,
        "provider": "MPSSVC_WF",
        "sublayer": "MPSSVC_WF",
        "layer": layer,
        "layer_id": layers.ID_BY_SYMBOL.get(layer),
        "weight_type": kind,
        "weight": weight,
        "flags": (),
        "tests": (),
        **more,
    }


def state(name: str, *filters: dict[str, Any], seconds: float | None = 60, **lists: Any) -> tuple[str, WfpState]:
    """A state of these filters; ``users`` are (sid, name) of sessions, ``endpoints`` rows of the ENDPOINTS frame."""
    columns = {key: [item.get(key) for item in filters] for key in frames.FILTERS}
    columns["input"] = [name] * len(filters)
    conditions: dict[str, list[Any]] = {key: [] for key in frames.CONDITIONS}
    for row, item in enumerate(filters):
        for index, test in enumerate(item["tests"]):
            made = {
                "input": name,
                "filter_row": row,
                "filter_id": item["filter_id"],
                "index": index,
                "field": test.field,
                "match": test.match,
                "value": test.value,
                "text": str(test.value),
                "raw": str(test.value),
            }
            for key, values in conditions.items():
                values.append(made.get(key))
    users = lists.get("users", ())
    sessions = {"input": [name] * len(users), "sid": [u[0] for u in users], "user_name": [u[1] for u in users]}
    ends = lists.get("endpoints", ())
    made_ends = {key: [end.get(key) for end in ends] for key in frames.ENDPOINTS}
    made_ends["input"] = [name] * len(ends)
    other = {key: frames.empty(frames.STATE_SCHEMAS[key]) for key in ("layers", "providers", "contexts", "callouts")}
    sublayers = lists.get("sublayers", ())
    owned = {"sublayer": [s[0] for s in sublayers], "provider": [s[1] for s in sublayers]}
    owned["input"] = [name] * len(sublayers)
    makers = lists.get("providers", ())
    if makers:
        made = {"provider": [p[0] for p in makers], "service_name": [p[1] for p in makers]}
        made["input"] = [name] * len(makers)
        other["providers"] = frames.build(made, frames.PROVIDERS)
    return name, WfpState(
        kind="wfpstate",
        time=None if seconds is None else stamp(seconds),
        filters=frames.build(columns, frames.FILTERS),
        conditions=frames.build(conditions, frames.CONDITIONS),
        sublayers=frames.build(owned, frames.SUBLAYERS),
        endpoints=frames.build(made_ends, frames.ENDPOINTS),
        sessions=frames.build(sessions, frames.SESSIONS),
        problems=(),
        **other,
    )


@dataclass
class Result:
    """What came out: resolved events with flows, the book of states, how they fit, the markers."""

    events: pd.DataFrame
    book: Book
    fits: tuple[Fit, ...]
    marks: markers.Markers
    changes: dict[str | None, Any]
    watch: dict[str | None, Any]
    known: services.Known = field(default_factory=services.Known)

    def one(self, record_id: int = 1) -> pd.Series:
        rows = self.events[self.events["record_id"] == record_id]
        assert len(rows) == 1
        return rows.iloc[0]

    def filter_of(self, record_id: int = 1) -> int | None:
        row = int(self.one(record_id)["filter_row"])
        return None if row < 0 else int(self.book.filters["filter_id"].iloc[row])

    def verdict(self, record_id: int = 1) -> tuple[str | None, str, int | None]:
        event = self.one(record_id)
        kind = event["kind"] if isinstance(event["kind"], str) else None
        return kind, str(event["grade"]), self.filter_of(record_id)

    def reasons(self, record_id: int = 1) -> str:
        return " | ".join(self.one(record_id)["reasons"])


def judge(
    events: pd.DataFrame,
    *dumps: tuple[str, WfpState],
    end: float | None = None,
    nets: Sequence[tuple[str, NetEvents]] = (),
    lists: Sequence[pd.DataFrame] = (),
    **tables: pd.DataFrame,
) -> Result:
    """Lead events through the core as the pipeline does; ``end`` is the last second of the log.

    ``nets`` are files of net events, ``lists`` lists of services.
    """
    every = {table: tables.get(table, frames.empty(frames.EVENT_SCHEMAS[table])) for table in wfp_events.TABLES}
    every["wfp"] = events
    times = pd.concat([table["time"] for table in every.values()]).dropna()
    last = times.max() if end is None else stamp(end)
    names = tuple(str(name) for name in events["computer"].cat.categories)
    log = EvtxLog(
        every, (), len(events), times.min(), last, names, {"Security": len(events)}, selective=False, id_gaps=()
    )
    book = states.bind(dumps)
    marks = markers.find(every)
    ordered = events.sort_values(["time", "input", "offset"], kind="stable", ignore_index=True)
    seen = watch.watched([log])
    own = hosts_by_session(book, ordered, seen)
    oriented = addressing.orient(ordered, own_addresses=own, layer_names=book.layer_names())
    both = netjoin.join(oriented, nets, book.layer_names())
    seen = watch.with_rings(seen, both.spans)
    known = services.known(lists, [str(name) for name in both.events["computer"].cat.categories])
    attributed = attribution.attribute(both.events, every["process"], marks, kept_always(every["process"]), known)
    joined = resolve.resolve(attributed, every, book, marks, seen, None, known.process_account)
    judged = flows.add(attribution.remark(joined.events))
    return Result(judged, book, joined.fits, marks, joined.changes, seen, known)


def otrf(shared: Path) -> Iterator[dict[str, Any]]:
    """The lines of the public JSON events, both shapes brought to one."""
    with gzip.open(shared / "json" / "otrf_wfp_events.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            raw = json.loads(line)
            inner = raw.get("event_data")
            given = raw if inner is None else inner
            fields = {key.lower(): value for key, value in given.items() if isinstance(value, str | int)}
            yield {
                "line": number,
                "event_id": raw.get("EventID", raw.get("event_id")),
                "computer": raw.get("Hostname") or raw.get("Computer") or raw.get("computer_name"),
                "message": raw.get("Message") or raw.get("message") or "",
                "fields": fields,
            }


WFP_IDS = frozenset({5031, 5152, 5154, 5156, 5157, 5158})
_COLUMNS = {
    "processid": "process_id",
    "application": "application",
    "direction": "direction_code",
    "sourceaddress": "source_address",
    "sourceport": "source_port",
    "destaddress": "dest_address",
    "destport": "dest_port",
    "protocol": "protocol",
    "interfaceindex": "interface_index",
    "filterorigin": "event_origin",
    "filterrtid": "filter_rtid",
    "layername": "layer_code",
    "layerrtid": "layer_rtid",
    "profiles": "profiles",
}


def otrf_frame(shared: Path) -> pd.DataFrame:
    """The public JSON events 5031-5158 as one ``wfp`` frame; lines whose fields are not split out are left out."""
    schema = frames.EVENT_SCHEMAS["wfp"]
    rows = []
    for line in otrf(shared):
        fields = line["fields"]
        if line["event_id"] not in WFP_IDS or "application" not in fields or line["computer"] is None:
            continue
        row = {column: fields.get(name) for name, column in _COLUMNS.items()}
        for column, value in row.items():
            if value in ("-", ""):
                row[column] = None
            elif value is not None:
                row[column] = int(value) if schema[column] == frames.NUMBER else str(value)
        rows.append({**row, "event_id": line["event_id"], "computer": line["computer"], "s": line["line"]})
    return _table("wfp", rows, SYSTEM)
