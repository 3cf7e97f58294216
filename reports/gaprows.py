"""Gaps in the record ids of a log, in words: which ids, and how many gaps they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports import text

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class GapRow:
    """One row of the table of gaps."""

    input: str
    where: str
    gaps: str
    why: str


def gap_row(gap: Mapping[str, Any]) -> GapRow:
    """Say one entry of ``coverage.gaps``; several gaps of a log may be one entry (``analyzer.coverage.gaps``)."""
    after, before, count = gap.get("after_record_id"), gap.get("before_record_id"), int(gap.get("count") or 1)
    numbered = isinstance(after, int) and isinstance(before, int)
    if count > 1:
        where = f"the first after record {after}, the last before record {before}" if numbered else "—"
        gaps = f"{text.number(count)} gaps in total"
    else:
        where = f"between record {after} and record {before}" if numbered else "—"
        lacking = before - after - 1 if isinstance(after, int) and isinstance(before, int) else 0
        gaps = f"1 gap, {text.counted(lacking, 'record')}" if lacking > 0 else "1 gap"
    return GapRow(str(gap.get("input") or "—"), where, gaps, str(gap.get("why") or "—"))
