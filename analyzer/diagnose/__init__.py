"""Diagnoses: one module per finding; each reads the same context and knows nothing of pages."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Final

from analyzer.diagnose import auditing, evidence_gaps, kinds, nearest, rules, service_sid
from analyzer.diagnose.context import COLUMNS, Context, Diagnosis, Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.model import Finding

__all__ = ["Context", "Diagnosis", "by_verdict", "run"]

_SEVERITY: Final = {"high": 0, "medium": 1, "low": 2, "info": 3}
_CONFIDENCE: Final = {"proven": 0, "likely": 1, "possible": 2, "not-this": 3}


def run(context: Context) -> Diagnosis:
    """Run every diagnosis; findings come worst first, each with a key of its own."""
    parts = [auditing.diagnose(context)]  # speaks where there is no event at all
    slim = context
    if not context.events.empty:
        slim = dataclasses.replace(context, events=context.events[list(COLUMNS)])
        tokens = service_sid.diagnose(slim)
        parts += [tokens, kinds.diagnose(slim, tokens.claimed), rules.diagnose(slim)]
    parts.append(evidence_gaps.diagnose(slim))
    every = (nearest.named(item, context) for part in parts for item in part.found)
    found = list(_once(sorted(every, key=lambda item: _order(item.finding))))
    keyed = tuple(
        dataclasses.replace(item, finding=finding) for item, finding in zip(found, _keyed(found), strict=True)
    )
    services = tuple(answer for part in parts for answer in part.services)
    return Diagnosis(keyed, frozenset().union(*(part.cited for part in parts)), services)


def _order(finding: Finding) -> tuple[int, int, int, str]:
    return _SEVERITY[finding.severity], _CONFIDENCE[finding.confidence], -finding.count, finding.id


def _once(found: Sequence[Found]) -> Iterator[Found]:
    """Give no command twice for the same blocks: a later finding refers to the one that has it."""
    earlier: list[Found] = []
    for item in found:
        remedy = item.finding.remedy
        given = remedy.commands if remedy is not None else ()
        first = next((e for e in earlier if e.verdicts & item.verdicts and _commands(e) & set(given)), None)
        if remedy is not None and first is not None:
            left = tuple(command for command in given if command not in _commands(first))
            text = f"{remedy.text} “{first.finding.title}” has the command{'' if len(given) == 1 else 's'}."
            remedy = dataclasses.replace(remedy, text=text, commands=left, cost=remedy.cost if left else None)
            yield dataclasses.replace(item, finding=dataclasses.replace(item.finding, remedy=remedy))
        else:
            yield item
        earlier.append(item)


def _commands(found: Found) -> frozenset[str]:
    return frozenset(() if found.finding.remedy is None else found.finding.remedy.commands)


def _keyed(found: Sequence[Found]) -> Iterator[Finding]:
    """Give each finding a key of its own: its id, and where that repeats its confidence, and then a number."""
    ids = Counter(item.finding.id for item in found)
    taken: Counter[str] = Counter()
    for item in found:
        finding = item.finding
        key = finding.id if ids[finding.id] == 1 else f"{finding.id}-{finding.confidence}"
        taken[key] += 1
        yield dataclasses.replace(finding, key=key if taken[key] == 1 else f"{key}-{taken[key]}")


def by_verdict(diagnosis: Diagnosis) -> dict[int, tuple[str, ...]]:
    """Return verdict number -> keys of the findings that rest on it, in the order of the findings."""
    out: dict[int, list[str]] = {}
    for item in diagnosis.found:
        for number in item.verdicts:
            out.setdefault(number, []).append(item.finding.key)
    return {number: tuple(keys) for number, keys in out.items()}
