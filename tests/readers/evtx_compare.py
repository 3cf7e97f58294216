"""Compares two logs field by field; the order of categories may differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from analyzer.readers.evtx import EvtxLog


def same_log(one: EvtxLog, two: EvtxLog) -> None:
    """Assert that two logs are equal in everything."""
    assert (one.records, one.first, one.last) == (two.records, two.first, two.last)
    assert one.computers == two.computers
    assert one.channels == two.channels
    assert one.selective == two.selective
    assert one.id_gaps == two.id_gaps
    assert tuple(one.tables) == tuple(two.tables)
    for table, frame in one.tables.items():
        same_frame(frame, two.tables[table])
    assert one.problems == two.problems


def same_frame(one: pd.DataFrame, two: pd.DataFrame) -> None:
    """Assert that two tables are equal."""
    assert list(one.columns) == list(two.columns)
    assert len(one) == len(two)
    assert isinstance(one.index, pd.RangeIndex)
    assert isinstance(two.index, pd.RangeIndex)
    for column in one.columns:
        left, right = one[column], two[column]
        assert str(left.dtype) == str(right.dtype), column
        if str(left.dtype) == "category":
            assert left.cat.categories.dtype == right.cat.categories.dtype, column
            assert left.cat.categories.is_unique, column
            left, right = left.astype("object"), right.astype("object")
        missing = left.isna()
        assert missing.equals(right.isna()), column
        assert left[~missing].tolist() == right[~missing].tolist(), column
