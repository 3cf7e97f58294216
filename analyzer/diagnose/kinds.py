"""One finding per kind of block or drop that was seen, from the table of kinds."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, cast

from analyzer import cells
from analyzer.diagnose import disabled
from analyzer.diagnose.commands import BUILDERS
from analyzer.diagnose.context import Context, Diagnosis, Found
from analyzer.diagnose.kind_table import TEXTS, KindText
from analyzer.diagnose.service_sid import suspects
from analyzer.model import Evidence, Finding, Remedy
from analyzer.wfp import origins
from analyzer.wording import listed, plural

if TYPE_CHECKING:
    import pandas as pd

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


def diagnose(context: Context) -> Diagnosis:
    """Write one finding per kind; svchost's default blocks are left to the service-SID diagnosis."""
    events = with_rule_ids(context.events, context.book)
    seen = events[events["kind"].notna()]
    seen = seen[~seen.index.isin(suspects(seen).index)]
    found = []
    for kind, part in seen.groupby(seen["kind"].astype("object"), sort=True):
        finding = _finding(cast("Kind", str(kind)), part, events)
        found.append(Found.over(_with_rules(finding, disabled.offer(context, str(kind), part)), part))
    return Diagnosis(tuple(found))


def _with_rules(finding: Finding, offer: disabled.Offer | None) -> Finding:
    """Put disabled rules that allow this before the new ones that the remedy offers."""
    remedy = finding.remedy
    if offer is None or remedy is None:
        return finding
    # Who copies all commands must not get the alternative as well.
    new = () if offer.whole and offer.commands else remedy.commands
    alternative = f"{remedy.text[0].lower()}{remedy.text[1:]}"
    return dataclasses.replace(
        finding,
        remedy=Remedy(
            f"{offer.text}{alternative}",
            (*offer.commands, *new),
            " ".join(text for text in (disabled.COST, remedy.cost) if text),
        ),
        rule_ids=(*finding.rule_ids, *offer.rule_ids),
        evidence=(*finding.evidence, *offer.evidence),
    )


def with_rule_ids(events: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Add ``rule_id`` (object): the rule that the event's origin or its filter names."""
    out = events.copy(deep=False)
    by_event = events["event_origin"].map(origins.rule_id, na_action="ignore").astype("object")
    table = {row: cells.text(book.filters["rule_id"].iloc[row]) for row in events["filter_row"].unique() if row >= 0}
    by_filter = events["filter_row"].map(table).astype("object")
    out["rule_id"] = by_event.where(by_event.notna(), by_filter)
    return out


def _finding(kind: Kind, part: pd.DataFrame, everything: pd.DataFrame) -> Finding:
    text = TEXTS[kind]
    grades = part["grade"].astype("object").value_counts()
    confidence = max((CONFIDENCE[str(g)] for g in grades.index), key=RANK.__getitem__)
    commands = BUILDERS[text.command](part, everything) if text.command else ()
    return Finding(
        id=kind,
        title=text.title,
        severity=text.severity,
        confidence=confidence,
        count=len(part),
        summary=_summary(part, grades),
        evidence=_evidence(part),
        remedy=Remedy(_do(text, part, len(commands)), commands, text.cost),
        collect_next=text.collect,
        kind=kind,
        rationale=text.why,
    )


# What each command of a builder is for.
SUBJECTS: Final = {"allow_program": "application", "show_rules": "rule_id"}


def _do(text: KindText, part: pd.DataFrame, commands: int) -> str:
    """Return what to do, and say where no ready command could be made."""
    column = SUBJECTS.get(text.command)
    subjects = int(part[column].nunique()) if column else 0
    if column is None or commands >= subjects:
        return text.do
    why = "no port to name, a drive that is not known, or characters that do not belong into a command"
    return f"{text.do} Ready commands are given where that is safe; the others have {why}."


def _summary(part: pd.DataFrame, grades: pd.Series) -> str:
    said = []
    for action, one in (("block", "block"), ("drop", "dropped packet")):
        rows = part[part["action"] == action]
        if len(rows):
            said.append(f"{plural(len(rows), one)} in {plural(int(rows['attempt'].nunique()), 'attempt')}")
    programs = int(part["application"].nunique())
    hosts = int(part["computer"].nunique())
    on = f" on {plural(hosts, 'computer')}" if hosts else ""  # net events alone name none
    where = f", {plural(programs, 'program')}{on}" if programs else ""
    sure = listed([GRADE_WORDS[str(g)] + (f" ({n:,})" if len(grades) > 1 else "") for g, n in grades.items()])
    return f"{' and '.join(said)}{where}. Known from: {sure}."


def _evidence(part: pd.DataFrame) -> tuple[Evidence, ...]:
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
        out.append(
            Evidence(
                text=f"{plural(int(count), 'record')} of {program}{to}{at}{reason}",
                input=cells.text(first["input"]),
                record_id=cells.number(first["record_id"]),
                filter_id=cells.number(first["filter_rtid"]) or None,
            )
        )
    return tuple(out)
