"""Counts and tables over resolved events: verdicts, programs, timeline, cited filters, the answer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from analyzer import cells, wording
from analyzer.addressing import ICMP
from analyzer.contract import ACTIONS
from analyzer.engine.conditions import LOST
from analyzer.flows import group_numbers
from analyzer.markers import NO_TIME, nanoseconds
from analyzer.model import (
    Action,
    Answer,
    CitedFilter,
    Condition,
    FilterRef,
    Kind,
    KindCount,
    Program,
    Timeline,
    TimelineSeries,
    Verdict,
)
from analyzer.wfp import origins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from analyzer.states import Book

RECORD_IDS: Final = 10
BINS: Final = 60
STEPS: Final = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 7 * 86400, 30 * 86400)
ACTION_ORDER: Final = {"block": 0, "drop": 1, "permit": 2}


def filter_ref(book: Book, row: int) -> FilterRef | None:
    """Return the contract's filter object of one row, or None for -1."""
    if row < 0:
        return None
    item = book.filters.iloc[row]
    action = cells.text(item["action"])
    return FilterRef(
        filter_id=cells.number(item["filter_id"]) or 0,
        filter_key=cells.text(item["filter_key"]),
        name=cells.text(item["name"]),
        provider=cells.text(item["provider"]),
        sublayer=cells.text(item["sublayer"]),
        layer=cells.text(item["layer"]),
        action=action if action in ACTIONS else None,
        origin=cells.text(item["origin"]),
        rule_id=cells.text(item["rule_id"]),
        weight=cells.number(item["effective_weight"]),
    )


def _columns(events: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Return the columns that verdicts read, as plain arrays: cheap to index many times."""
    text = ("computer", "application", "direction", "local_address", "remote_address", "layer", "kind", "grade")
    more = ("action", "event_origin", "services", "reasons", "endpoint_order")
    numeric = ("protocol", "service_port", "icmp_type", "icmp_code", "filter_rtid", "record_id", "process_id")
    ports = ("local_port", "remote_port")
    out: dict[str, NDArray[Any]] = {name: events[name].astype("object").to_numpy() for name in (*text, *more)}
    out.update({name: cells.objects(events[name]) for name in (*numeric, *ports)})
    out.update({name: events[name].to_numpy() for name in ("event_id", "attempt", "filter_row", "state")})
    out["time"] = nanoseconds(events["time"])
    return out


def _known(values: NDArray[Any]) -> list[int]:
    """Return the numbers among values that may be None, in order."""
    return [int(v) for v in values if v is not None]


def verdicts(events: pd.DataFrame, book: Book, findings: Mapping[int, tuple[str, ...]]) -> tuple[Verdict, ...]:
    """Fold events into verdicts: blocks first, then drops, then permits, each by count.

    ``findings`` maps verdict numbers to the keys of the findings that rest on them.
    """
    if events.empty:
        return ()
    columns = _columns(events)
    numbers = events["verdict"].to_numpy()
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.r_[True, numbers[order][1:] != numbers[order][:-1]])
    refs: dict[int, FilterRef | None] = {}
    out = []
    for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
        rows = order[start:stop]
        verdict = _verdict(columns, rows, book, refs)
        verdict = dataclasses.replace(verdict, findings=findings.get(int(numbers[rows[0]]), ()))
        out.append(((ACTION_ORDER[verdict.action], -verdict.count, verdict.first or "", int(rows[0])), verdict))
    return tuple(verdict for _, verdict in sorted(out, key=lambda pair: pair[0]))


def _verdict(
    columns: dict[str, NDArray[Any]], rows: NDArray[np.intp], book: Book, refs: dict[int, FilterRef | None]
) -> Verdict:
    """Fold the events at ``rows``, which share all verdict keys."""
    head = {name: values[rows[0]] for name, values in columns.items()}
    row = int(head["filter_row"])
    if row not in refs:
        refs[row] = filter_ref(book, row)
    times = columns["time"][rows]
    times = times[times != NO_TIME]
    own = head["direction"] == "outbound" or head["service_port"] is None
    client = columns["local_port" if own else "remote_port"][rows]
    ref, origin = refs[row], cells.text(head["event_origin"])
    sublayer = ref.sublayer if ref is not None else None
    in_state = cells.text(book.filters["rule_maker"].iloc[row]) if row >= 0 else None
    return Verdict(
        kind=cast("Kind | None", cells.text(head["kind"])),
        grade=head["grade"],
        action=head["action"],
        computer=cells.text(head["computer"]),
        application=cells.text(head["application"]),
        services=head["services"],
        direction=cells.text(head["direction"]),
        protocol=head["protocol"],
        local_address=cells.text(head["local_address"]),
        remote_address=cells.text(head["remote_address"]),
        service_port=head["service_port"],
        layer=cells.text(head["layer"]),
        filter=ref,
        count=len(rows),
        attempts=len(np.unique(columns["attempt"][rows])),
        first=cells.rfc3339(int(times.min())) if len(times) else None,
        last=cells.rfc3339(int(times.max())) if len(times) else None,
        record_ids=tuple(_known(columns["record_id"][rows])[:RECORD_IDS]),
        reasons=head["reasons"],
        event_ids=tuple(int(i) for i in np.unique(columns["event_id"][rows])),
        event_origin=origin,
        filter_rtid=head["filter_rtid"],
        endpoint_order="certain" if (columns["endpoint_order"][rows] == "certain").all() else "uncertain",
        icmp_type=head["icmp_type"],
        icmp_code=head["icmp_code"],
        client_ports=len(set(_known(client))),
        process_ids=tuple(sorted(set(_known(columns["process_id"][rows])))[:RECORD_IDS]),
        rule_maker=origins.rule_maker(origin, sublayer) or in_state,
        state=book.snapshots[int(head["state"])].name if head["state"] >= 0 and row >= 0 else None,
    )


def programs(events: pd.DataFrame) -> tuple[Program, ...]:
    """Fold events by computer and application, most blocks first."""
    if events.empty:
        return ()
    numbers = group_numbers(events, ("computer", "application"))
    out = []
    for rows in pd.Series(np.arange(len(events))).groupby(numbers).groups.values():
        part = events.iloc[np.asarray(rows)]
        blocked = part[part["action"] == "block"]
        kinds = part["kind"].dropna().astype("object").value_counts()
        out.append(
            Program(
                computer=cells.text(part["computer"].iloc[0]),
                application=cells.text(part["application"].iloc[0]),
                blocks=len(blocked),
                attempts=int(blocked["attempt"].nunique()),
                drops=int((part["action"] == "drop").sum()),
                permits=int((part["action"] == "permit").sum()),
                flows=int(part["flow"].nunique()),
                kinds=tuple((cast("Kind", str(k)), int(n)) for k, n in kinds.items()),
                first=cells.when(part["time"].min()),
                last=cells.when(part["time"].max()),
            )
        )
    return tuple(sorted(out, key=lambda p: (-p.blocks, -p.drops, -p.permits, p.application or "", p.computer or "")))


def timeline(events: pd.DataFrame) -> Timeline:
    """Count blocks and drops per bin and kind; the bin width is a round number that gives at most ``BINS`` bins."""
    part = events[events["kind"].notna() & events["time"].notna()]
    if part.empty:
        return Timeline(None, None, 0, (), ())
    times = nanoseconds(part["time"])
    first, last = int(times.min()), int(times.max())
    span = max(1, -(-(last - first) // 1_000_000_000))
    step = next((s for s in STEPS if span / s < BINS), -(-span // BINS))
    width = step * 1_000_000_000
    start = first // width * width
    number = (times - start) // width
    count = int(number.max()) + 1
    if count > 20 * BINS:  # cannot happen by construction; a guard against absurd times
        return Timeline(None, None, 0, (), ())
    bins = tuple(cells.rfc3339(start + i * width) for i in range(count))
    series = []
    keyed = pd.DataFrame(
        {"action": part["action"].astype("object"), "kind": part["kind"].astype("object"), "bin": number}
    )
    for (action, kind), rows in keyed.groupby(["action", "kind"], sort=True):
        counts = np.bincount(rows["bin"], minlength=count)
        series.append(TimelineSeries(cast("Kind", str(kind)), cast("Action", str(action)), tuple(map(int, counts))))
    return Timeline(cells.rfc3339(first), cells.rfc3339(last), step, bins, tuple(series))


def kind_counts(events: pd.DataFrame) -> tuple[KindCount, ...]:
    """Count blocks and drops by action and kind, most first."""
    part = events[events["kind"].notna()]
    out = []
    keyed = part.assign(kind=part["kind"].astype("object"), action=part["action"].astype("object"))
    for (action, kind), rows in keyed.groupby(["action", "kind"], sort=True):
        out.append(
            KindCount(
                kind=cast("Kind", str(kind)),
                action=cast("Action", str(action)),
                count=len(rows),
                attempts=int(rows["attempt"].nunique()),
                flows=int(rows["flow"].nunique()),
            )
        )
    return tuple(sorted(out, key=lambda k: (ACTION_ORDER[k.action], -k.count, k.kind)))


def answer(events: pd.DataFrame, trust: str) -> Answer:
    """Make the first screen's sentence and counts."""
    blocked = events[events["action"] == "block"]
    kinds = kind_counts(events)
    attempts = int(blocked["attempt"].nunique())
    return Answer(
        sentence=wording.answer(kinds, attempts, len(events)),
        trust=trust,
        blocks=len(blocked),
        drops=int((events["action"] == "drop").sum()),
        permits=int((events["action"] == "permit").sum()),
        block_attempts=attempts,
        kinds=kinds,
    )


def _about_icmp(book: Book, row: int) -> bool:
    """Tell a filter whose port conditions mean ICMP type and code."""
    layer = cells.text(book.filters["layer"].iloc[row]) or ""
    tests = book.tests.get(row, ())
    return "ICMP_ERROR" in layer or any(t.field == "IP_PROTOCOL" and t.value in ICMP for t in tests)


def conditions_of(book: Book, rows: Iterable[int]) -> dict[int, tuple[Condition, ...]]:
    """Return the conditions of these filters, with words for people."""
    wanted = set(rows)
    out: dict[int, list[Condition]] = {row: [] for row in wanted}
    icmp = {row for row in wanted if _about_icmp(book, row)}
    part = book.conditions[book.conditions["filter_row"].isin(wanted)]
    columns = (part[name] for name in ("filter_row", "field", "match", "value", "text", "raw"))
    for row, field, match, value, text, raw in zip(*columns, strict=True):
        shown, name, how = cells.text(text) or "", cells.text(field) or LOST, cells.text(match) or LOST
        out[int(row)].append(
            Condition(
                name,
                how,
                shown,
                cells.text(raw) or "",
                wording.condition(name, how, value, shown, icmp=int(row) in icmp),
            )
        )
    return {row: tuple(items) for row, items in out.items()}


def _named_counts(table: pd.DataFrame, row: int) -> dict[str, int]:
    """Return one row of a count table as plain numbers by column."""
    return {str(name): int(table[name].to_numpy()[table.index.get_loc(row)]) for name in table.columns}


def cited(events: pd.DataFrame, book: Book, also: Iterable[int]) -> tuple[CitedFilter, ...]:
    """Describe every filter that a verdict or a finding names, most blocks first."""
    shown = events[events["filter_row"] >= 0]
    by_row = pd.crosstab(shown["filter_row"], shown["action"].astype("object")) if len(shown) else pd.DataFrame()
    rows = sorted({*map(int, by_row.index), *also})
    conditions = conditions_of(book, rows)
    out = []
    for row in rows:
        item, ref = book.filters.iloc[row], filter_ref(book, row)
        if ref is None:
            continue
        counts: dict[str, int] = _named_counts(by_row, row) if row in by_row.index else {}
        out.append(
            CitedFilter(
                filter=ref,
                input=str(item["input"]),
                flags=tuple(item["flags"] or ()),
                conditions=conditions[row],
                kind=cast("Kind | None", cells.text(item["kind"])),
                kind_evidence=cast("Any", cells.text(item["kind_evidence"])),
                why=cells.text(item["why"]) or "",
                blocks=counts.get("block", 0),
                drops=counts.get("drop", 0),
                permits=counts.get("permit", 0),
            )
        )
    return tuple(sorted(out, key=lambda c: (-c.blocks, -c.drops, -c.permits, c.filter.filter_id)))
