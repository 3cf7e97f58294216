"""One finding per kind of block or drop that was seen, from the table of kinds."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, cast

import pandas as pd

from analyzer import cells
from analyzer.diagnose import advice, gone
from analyzer.diagnose.context import Context, Diagnosis, Found
from analyzer.diagnose.kind_table import TEXTS
from analyzer.model import Evidence, Finding, Remedy
from analyzer.wfp import origins
from analyzer.wording import listed, plural, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import Confidence, Kind
    from analyzer.states import Book

# The kind is as sure as the weakest grade it rests on.
CONFIDENCE: Final[dict[str, Confidence]] = {
    "event": "proven",
    "origin": "proven",
    "netevent": "proven",
    "snapshot": "likely",
    "history": "likely",
    "id-only": "possible",
    "contradicted": "possible",
    "none": "possible",
}
RANK: Final[dict[Confidence, int]] = {"proven": 0, "likely": 1, "possible": 2, "not-this": 3}
GRADE_WORDS: Final[dict[str, str]] = {
    "event": "the event itself",
    "origin": "the filter origin in the event",
    "netevent": "a net event",
    "snapshot": "the state, which fits",
    "history": "the log's filter history",
    "id-only": "a run-time id alone",
    "contradicted": "an id that cannot be the state's filter",
    "none": "nothing that was handed in",
}
EVIDENCE: Final = 6


def diagnose(context: Context, claimed: frozenset[int] = frozenset()) -> Diagnosis:
    """Write one finding per kind; what of it is deleted meanwhile gets one of its own.

    ``claimed`` are the indexes of events of which the service-SID diagnosis tells the cause: it has the remedy, too.
    """
    events = with_rule_ids(context.events, context.book)
    seen = events[events["kind"].notna()]
    seen = seen[~seen.index.isin(list(claimed))] if claimed else seen
    ends = gone.ended(context, seen)
    found = []
    for kind, part in seen.groupby(seen["kind"].astype("object"), sort=True):
        over = gone.places(part, ends) if ends else pd.Series(False, index=part.index)
        for rows, is_over in ((part[~over], False), (part[over], True)):
            if rows.empty:
                continue
            finding = _finding(context, cast("Kind", str(kind)), rows)
            found.append(Found.over(_over(finding, rows, ends) if is_over else finding, rows))
    return Diagnosis(tuple(found))


def _over(finding: Finding, part: pd.DataFrame, ends: Mapping[tuple[str | None, int], gone.Ended]) -> Finding:
    """Say of a finding that its filters are deleted: it ranks behind what still blocks."""
    pairs = zip(cells.texts(part["computer"]), part["filter_row"].tolist(), strict=True)
    own = [ends[pair] for pair in dict.fromkeys((computer, int(row)) for computer, row in pairs)]
    return dataclasses.replace(
        finding,
        title=f"{finding.title} (deleted meanwhile)",
        severity="info" if finding.severity == "info" else "low",
        summary=f"{finding.summary} {gone.said(own)}",
        evidence=(*gone.evidence(own), *finding.evidence),
        remedy=Remedy(f"Nothing to do unless it comes back. Then: {_lower(finding.remedy)}"),
        collect_next=(),
    )


def _lower(remedy: Remedy | None) -> str:
    text = "" if remedy is None else remedy.text
    return f"{text[:1].lower()}{text[1:]}"


def with_rule_ids(events: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Add ``rule_id`` (object): the rule that the event's origin or its filter names."""
    out = events.copy(deep=False)
    by_event = events["event_origin"].map(origins.rule_id, na_action="ignore").astype("object")
    table = {row: cells.text(book.filters["rule_id"].iloc[row]) for row in events["filter_row"].unique() if row >= 0}
    by_filter = events["filter_row"].map(table).astype("object")
    out["rule_id"] = by_event.where(by_event.notna(), by_filter)
    return out


def _finding(context: Context, kind: Kind, part: pd.DataFrame) -> Finding:
    text = TEXTS[kind]
    grades = part["grade"].astype("object").value_counts()
    confidence = max((CONFIDENCE[str(g)] for g in grades.index), key=RANK.__getitem__)
    remedy, offer = advice.advise(context, kind, text, part)
    hosts = context.computers(part)
    whose = f"{hosts[0]}: " if context.several and len(hosts) == 1 and hosts[0] else ""
    return Finding(
        id=kind,
        title=f"{whose}{text.title}",
        severity=text.severity,
        confidence=confidence,
        count=len(part),
        summary=_summary(context, part, grades),
        evidence=(*_evidence(context, kind, part), *(offer.evidence if offer is not None else ())),
        remedy=remedy,
        collect_next=advice.left_to_collect(context, part, text.collect, new=kind == "unresolved"),
        kind=kind,
        rule_ids=offer.rule_ids if offer is not None else (),
        rationale=text.why,
    )


def _summary(context: Context, part: pd.DataFrame, grades: pd.Series) -> str:
    said = []
    for action, one in (("block", "block"), ("drop", "dropped packet")):
        rows = part[part["action"] == action]
        if len(rows):
            said.append(f"{plural(len(rows), one)} in {plural(int(rows['attempt'].nunique()), 'attempt')}")
    programs = int(part["application"].nunique())
    where = f", {plural(programs, 'program')}{_on(context, part)}" if programs else ""
    sure = listed([GRADE_WORDS[str(g)] + (f" ({n:,})" if len(grades) > 1 else "") for g, n in grades.items()])
    return f"{' and '.join(said)}{where}. Known from: {sure}."


def _on(context: Context, part: pd.DataFrame) -> str:
    """Say on which computers; net events alone name none."""
    counts = part["computer"].value_counts()
    counts = counts[counts > 0]
    if counts.empty or not context.several:
        return f" on {plural(len(counts), 'computer')}" if len(counts) else ""
    each = [f"{name} ({count:,})" if len(counts) > 1 else str(name) for name, count in counts.items()]
    return f" on {shortened(each)}"


# Kinds whose filter somebody else made: its name and its callout are leads.
LEADS: Final = frozenset({"explicit-rule", "third-party", "other-wfp", "windows-component", "callout", "ipsec"})


def _filter_words(context: Context, row: int) -> str:
    """Name a filter, and the callout that it hands the decision to."""
    if row < 0:
        return ""
    item, callout = context.book.filters.iloc[row], context.book.callout(row)
    name = cells.text(item["name"])
    said = f"; the filter is called “{name}”" if name else ""
    if callout is not None:
        said += f"; its callout is {callout.key}" + (f" “{callout.name}”" if callout.name else ", of no known name")
    return said


def _evidence(context: Context, kind: Kind, part: pd.DataFrame) -> tuple[Evidence, ...]:
    """Cite the first record of the flows with most records."""
    top = part["flow"].value_counts(sort=True).head(EVIDENCE)
    out = []
    for flow, count in top.items():
        rows = part[part["flow"] == flow].sort_values("time", kind="stable")
        first = rows.iloc[0]
        program = cells.text(first["application"]) or "no program named"
        remote = cells.text(first["remote_address"])
        port = cells.number(first["service_port"])
        to = f" {'to' if first['direction'] == 'outbound' else 'with'} {remote}" if remote else ""
        at = f", port {port}" if port is not None else ""
        reason = f": {first['reasons'][0]}" if first["reasons"] else ""
        reason += _filter_words(context, int(first["filter_row"])) if kind in LEADS else ""
        out.append(
            Evidence(
                text=f"{plural(int(count), 'record')} of {program}{to}{at}{reason}",
                input=cells.text(first["input"]),
                record_id=cells.number(first["record_id"]),
                filter_id=cells.number(first["filter_rtid"]) or None,
            )
        )
    return tuple(out)
