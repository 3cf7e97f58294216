"""Counts and tables over resolved events: programs, timeline, cited filters, the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from analyzer import cells, wording
from analyzer.addressing import ICMP
from analyzer.engine.conditions import LOST
from analyzer.flows import group_numbers
from analyzer.folding import Groups
from analyzer.markers import NO_TIME, nanoseconds
from analyzer.model import (
    Action,
    Answer,
    CitedFilter,
    Condition,
    Kind,
    KindCount,
    Program,
    ServiceUse,
    Timeline,
    TimelineSeries,
)
from analyzer.verdicts import ACTION_ORDER, filter_ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from analyzer.model import Selected
    from analyzer.states import Book

BINS: Final = 60
FAR: Final = np.iinfo(np.int64).max  # stands for no time where the least is looked for
STEPS: Final = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 7 * 86400, 30 * 86400)


def programs(events: pd.DataFrame) -> tuple[Program, ...]:
    """Fold events by computer and application, most blocks first."""
    if events.empty:
        return ()
    columns = _use(events, Groups(group_numbers(events, ("computer", "application"))))
    out = [Program(*row) for row in zip(*(columns[name] for name in Program.__dataclass_fields__), strict=True)]
    return tuple(sorted(out, key=lambda p: (-p.blocks, -p.drops, -p.permits, p.application or "", p.computer or "")))


def services(events: pd.DataFrame) -> tuple[ServiceUse, ...]:
    """Fold the events of which the services are known by computer, services and application, most blocks first."""
    part = events[events["services"].notna().to_numpy(dtype=bool)]
    if part.empty:
        return ()
    columns = _use(part, Groups(group_numbers(part, ("computer", "services", "application"))))
    out = [ServiceUse(*row) for row in zip(*(columns[name] for name in ServiceUse.__dataclass_fields__), strict=True)]
    return tuple(sorted(out, key=lambda s: (-s.blocks, -s.drops, -s.permits, s.services, s.computer or "")))


def _use(events: pd.DataFrame, groups: Groups) -> dict[str, list[Any]]:
    """Return what each group of events names, counts of its events, and its times."""
    heads = events.iloc[groups.first]
    blocked = _is(events, "block")
    times = nanoseconds(events["time"])
    return {
        "computer": cells.texts(heads["computer"]),
        "application": cells.texts(heads["application"]),
        "services": heads["services"].tolist(),
        "blocks": groups.count(blocked).tolist(),
        "attempts": groups.distinct(events["attempt"], blocked).tolist(),
        "drops": groups.count(_is(events, "drop")).tolist(),
        "permits": groups.count(_is(events, "permit")).tolist(),
        "flows": groups.distinct(events["flow"]).tolist(),
        "kinds": _kinds(events, groups),
        "first": cells.rfc3339_all(groups.least(np.where(times == NO_TIME, FAR, times))),
        "last": cells.rfc3339_all(groups.most(times)),
    }


def _is(events: pd.DataFrame, action: str) -> NDArray[np.bool_]:
    out: NDArray[np.bool_] = (events["action"] == action).to_numpy(dtype=bool)
    return out


def _kinds(events: pd.DataFrame, groups: Groups) -> list[tuple[tuple[Kind, int], ...]]:
    """Return the kinds of each group with their counts, most first."""
    names = events["kind"].cat.categories.tolist()
    codes = events["kind"].cat.codes.to_numpy()
    counts = [groups.count(codes == code).tolist() for code in range(len(names))]
    out = []
    for own in zip(*counts, strict=True) if names else ([()] * groups.size):
        found = [(cast("Kind", name), count) for name, count in zip(names, own, strict=True) if count]
        out.append(tuple(sorted(found, key=lambda item: (-item[1], item[0]))))
    return out


def timeline(events: pd.DataFrame) -> Timeline:
    """Count blocks and drops per bin and kind; the bin width is a round number that gives at most ``BINS`` bins."""
    known = (events["kind"].notna() & events["time"].notna()).to_numpy()
    part = events.loc[known, ["time", "action", "kind"]]
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
    groups = Groups(group_numbers(part, ("action", "kind")))
    heads = part.iloc[groups.first]
    names = zip(cells.texts(heads["action"]), cells.texts(heads["kind"]), strict=True)
    table = np.bincount(groups.numbers * count + number, minlength=groups.size * count).reshape(groups.size, count)
    series = [
        TimelineSeries(cast("Kind", kind), cast("Action", action), tuple(counts.tolist()))
        for (action, kind), counts in sorted(zip(names, table, strict=True), key=lambda item: item[0])
    ]
    return Timeline(cells.rfc3339(first), cells.rfc3339(last), step, bins, tuple(series))


def kind_counts(events: pd.DataFrame) -> tuple[KindCount, ...]:
    """Count blocks and drops by action and kind, most first."""
    part = events.loc[events["kind"].notna().to_numpy(), ["action", "kind", "attempt", "flow"]]
    groups = Groups(group_numbers(part, ("action", "kind")))
    heads = part.iloc[groups.first]
    columns = (
        cells.texts(heads["kind"]),
        cells.texts(heads["action"]),
        groups.counts.tolist(),
        groups.distinct(part["attempt"]).tolist(),
        groups.distinct(part["flow"]).tolist(),
    )
    out = [
        KindCount(cast("Kind", kind), cast("Action", action), count, attempts, flows)
        for kind, action, count, attempts, flows in zip(*columns, strict=True)
    ]
    return tuple(sorted(out, key=lambda k: (ACTION_ORDER[k.action], -k.count, k.kind)))


def answer(events: pd.DataFrame, trust: str, selected: Selected | None = None, beside: str = "") -> Answer:
    """Make the first screen's sentence and counts. ``selected`` tells that ``events`` are only those asked for.

    ``beside`` is what the logs hold besides, in words (:func:`analyzer.wording.others`).
    """
    blocked = _is(events, "block")
    kinds = kind_counts(events)
    attempts = len(pd.unique(events["attempt"].to_numpy()[blocked]))
    return Answer(
        sentence=wording.answer(kinds, attempts, len(events), selected, beside),
        trust=trust,
        blocks=int(blocked.sum()),
        drops=int(_is(events, "drop").sum()),
        permits=int(_is(events, "permit").sum()),
        block_attempts=attempts,
        kinds=kinds,
    )


def _about_icmp(book: Book, row: int) -> bool:
    """Tell a filter whose port conditions mean ICMP type and code."""
    layer = cells.text(book.filters["layer"].iloc[row]) or ""
    tests = book.tests.get(row, ())
    return "ICMP_ERROR" in layer or any(t.field == "IP_PROTOCOL" and t.value in ICMP for t in tests)


def conditions_of(
    book: Book, rows: Iterable[int], services: Mapping[str, str] | None = None
) -> dict[int, tuple[Condition, ...]]:
    """Return the conditions of these filters, with words for people. ``services`` are more names of services by SID."""
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
                wording.condition(name, how, value, shown, icmp=int(row) in icmp, services=services),
            )
        )
    return {row: tuple(items) for row, items in out.items()}


def _named_counts(table: pd.DataFrame, row: int) -> dict[str, int]:
    """Return one row of a count table as plain numbers by column."""
    return {str(name): int(table[name].to_numpy()[table.index.get_loc(row)]) for name in table.columns}


def cited(
    events: pd.DataFrame, book: Book, also: Iterable[int], services: Mapping[str, str] | None = None
) -> tuple[CitedFilter, ...]:
    """Describe every filter that a verdict or a finding names, most blocks first."""
    shown = events.loc[(events["filter_row"] >= 0).to_numpy(), ["filter_row", "action"]]
    by_row = pd.crosstab(shown["filter_row"], shown["action"].astype("object")) if len(shown) else pd.DataFrame()
    rows = sorted({*map(int, by_row.index), *also})
    conditions = conditions_of(book, rows, services)
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
                callout=book.callout(row),
            )
        )
    return tuple(sorted(out, key=lambda c: (-c.blocks, -c.drops, -c.permits, c.filter.filter_id)))
