"""The result of reading one event log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.model import Problem
    from analyzer.wfp.events import Table


@dataclass(frozen=True, slots=True)
class EvtxLog:
    """One event log, read.

    Attributes
    ----------
    tables
        All event tables, each a frame of its schema in ``frames.EVENT_SCHEMAS``, rows in file order.
    problems
        What was lost or is doubtful, in file order.
    records
        Number of records found, of any provider, also those whose content could not be read.
    first, last
        Earliest and latest ``TimeCreated`` over all records (UTC), None without any.
    computers
        Distinct computer names, in order of appearance.
    channels
        Records per channel.
    selective
        True when the numbers in the record headers run on where ``EventRecordID`` jumps: the log was exported
        by a query, and its gaps are selection, not loss.
    id_gaps
        ``(after_id, before_id)`` for each jump of ``EventRecordID``, in file order.
    """

    tables: dict[Table, pd.DataFrame]
    problems: tuple[Problem, ...]
    records: int
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    computers: tuple[str, ...]
    channels: dict[str, int]
    selective: bool
    id_gaps: tuple[tuple[int, int], ...]
