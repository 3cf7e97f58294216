"""What each kind and each finding means, for people: the one text that the page and the documentation show.

An entry answers what a reader asks in this order: what is it, how is it told, what to look at, what it does not mean.
In its texts, what stands between two backticks is to be typed or read letter by letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports.handbook.entry import Entry, pieces
from reports.handbook.findings import FINDINGS
from reports.handbook.kinds import KINDS

if TYPE_CHECKING:
    from analyzer.model import Analysis

__all__ = ["FINDINGS", "KINDS", "Entry", "for_analysis", "pieces"]

_ALL: Final = {**KINDS, **FINDINGS}


def for_analysis(analysis: Analysis) -> tuple[Entry, ...]:
    """Return the entries for what a result holds, each once: its findings in their order, then its other kinds."""
    ids = [finding.id for finding in analysis.findings]
    ids += [verdict.kind for verdict in analysis.verdicts if verdict.kind is not None]
    return tuple(_ALL[key] for key in dict.fromkeys(ids) if key in _ALL)
