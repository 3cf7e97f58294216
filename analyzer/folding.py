"""Folding rows that belong together: one pass over columns for all groups, and no loop over rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

_LIMIT: Final = 1 << 62


def codes_of(column: pd.Series) -> tuple[Ints, int]:
    """Return a code per value, shape (rows,), and a bound on the codes; all missing values share one code."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64) + 1, len(column.cat.categories) + 1
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub" and len(column):
        values = column.to_numpy()
        low, high = int(values.min()), int(values.max())
        if high - low < len(values):
            return values.astype(np.int64) - low, high - low + 1
    codes, distinct = pd.factorize(column)
    return codes.astype(np.int64) + 1, len(distinct) + 1


def number(columns: Sequence[tuple[Ints, int]], rows: int) -> Ints:
    """Return a number per distinct combination of codes, by first appearance from 0 on, shape (rows,).

    ``columns`` are (codes, bound on the codes).
    """
    total, bound = np.zeros(rows, dtype=np.int64), 1
    for codes, count in columns:
        if bound * count >= _LIMIT:  # renumbered before the product overflows
            total, distinct = pd.factorize(total)
            bound = len(distinct)
        total = total * count + codes
        bound *= count
    return pd.factorize(total)[0].astype(np.int64)


class Groups:
    """Rows by group. ``numbers``, shape (rows,), says which group a row belongs to: 0 to ``size`` - 1, all in use.

    Everything that it returns for groups has the shape (size,), in order of their numbers.
    """

    def __init__(self, numbers: Ints) -> None:
        self.numbers = numbers
        self.size = int(numbers.max()) + 1 if len(numbers) else 0
        self.counts: Ints = np.bincount(numbers, minlength=self.size)
        self._order = np.argsort(numbers, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(self.counts)[:-1]]) if self.size else np.zeros(0, dtype=np.int64)
        self.first: Ints = self._order[self._starts]  # each group's first row

    def rows(self, group: int) -> Ints:
        """Return the rows of one group, in order."""
        start = self._starts[group]
        return self._order[start : start + self.counts[group]]

    def least(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the least value of each group."""
        return np.minimum.reduceat(values[self._order], self._starts) if self.size else values[:0]

    def most(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the greatest value of each group."""
        return np.maximum.reduceat(values[self._order], self._starts) if self.size else values[:0]

    def count(self, flags: NDArray[np.bool_]) -> Ints:
        """Count the rows with the flag."""
        return np.bincount(self.numbers[flags], minlength=self.size)

    def distinct(self, column: pd.Series, only: NDArray[np.bool_] | None = None) -> Ints:
        """Count the distinct values, without missing ones, among the rows that ``only`` flags."""
        groups, codes, bound = self._there(column, only)
        pairs = pd.unique(groups * bound + codes)
        return np.bincount(pairs // bound, minlength=self.size)

    def leading(self, column: pd.Series, most: int) -> list[tuple[int, ...]]:
        """Return the first ``most`` numbers of each group in order of rows, without missing ones."""
        there = column.notna().to_numpy(dtype=bool)[self._order]
        rows = self._order[there]
        return self._cut(self.numbers[rows], lambda kept: _plain(column.iloc[rows[kept]]), most)

    def smallest(self, column: pd.Series, most: int) -> list[tuple[int, ...]]:
        """Return the ``most`` smallest distinct numbers of each group in order, without missing ones."""
        groups, codes, bound = self._there(column, None)
        values = pd.Series(_plain(column[column.notna()]), dtype=object).to_numpy()
        distinct = np.unique(codes, return_index=True)
        by_value = sorted(range(len(distinct[0])), key=lambda place: values[distinct[1][place]])
        rank = np.zeros(bound, dtype=np.int64)
        rank[distinct[0][by_value]] = np.arange(len(by_value))
        ranked = np.array([values[distinct[1][place]] for place in by_value], dtype=object)
        pairs = np.sort(pd.unique(groups * bound + rank[codes]))
        return self._cut(pairs // bound, lambda kept: ranked[pairs[kept] % bound].tolist(), most)

    def _there(self, column: pd.Series, only: NDArray[np.bool_] | None) -> tuple[Ints, Ints, int]:
        """Return the groups and codes of the values that are there, and a bound on the codes."""
        codes, bound = codes_of(column)
        there = column.notna().to_numpy(dtype=bool)
        if only is not None:
            there = there & only
        return self.numbers[there], codes[there], bound

    def _cut(self, groups: Ints, values: Any, most: int) -> list[tuple[int, ...]]:
        """Return the first ``most`` values of each group; ``groups`` is in order, ``values`` gives those of places."""
        counts = np.bincount(groups, minlength=self.size)
        begin = np.cumsum(counts) - counts
        kept = np.flatnonzero(np.arange(len(groups)) - begin[groups] < most)
        found = values(kept)
        ends = np.cumsum(np.minimum(counts, most)).tolist()
        return [tuple(found[start:stop]) for start, stop in zip([0, *ends], ends, strict=False)]


def _plain(column: pd.Series) -> list[int]:
    """Return numbers without missing ones as Python ints, exact up to 2**64-1."""
    dtype = str(column.dtype).lower()
    return column.to_numpy(dtype=dtype if dtype in ("uint64", "int64") else None).tolist()
