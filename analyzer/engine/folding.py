"""Equal flows once: an audit log repeats the same few flows, and equal flows get equal answers."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzer.engine.addresses import Addresses
from analyzer.engine.endings import Endings
from analyzer.engine.flows import FlowArrays, Texts
from analyzer.folding import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def distinct(flows: FlowArrays) -> tuple[FlowArrays, NDArray[np.intp]]:
    """Return the distinct flows in order of their first row, and for each of the n rows its place among them."""
    count = len(flows)
    if not count:
        return flows, np.zeros(0, dtype=np.intp)
    numbers = number([_coded(column) for column in _columns(flows)], count)
    _, first = np.unique(numbers, return_index=True)
    return flows.take(first), numbers.astype(np.intp)


def _columns(flows: FlowArrays) -> Iterator[NDArray[Any]]:
    for item in fields(flows):
        value = getattr(flows, item.name)
        if isinstance(value, Texts):
            yield value.codes
        elif isinstance(value, Addresses):
            yield from (value.family, value.high, value.low)
        elif isinstance(value, Endings):
            if len(value.codes):
                yield value.codes
        elif not isinstance(value, tuple):
            yield value


def _coded(column: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Return codes and a bound on them."""
    if column.dtype.kind in "bi" and column.dtype.itemsize <= 4:
        low, high = int(column.min()), int(column.max())
        if high - low <= len(column):
            return column.astype(np.int64) - low, high - low + 1
    codes, names = pd.factorize(column)
    return codes.astype(np.int64), len(names)
