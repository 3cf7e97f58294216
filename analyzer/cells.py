"""Single cells of frames as plain Python values: missing is ``None``, whatever pandas calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NO_TIMES: Final = (np.iinfo(np.int64).min, np.iinfo(np.int64).max)  # NaT, and the least of no times


def number(value: object) -> int | None:
    """Return a number cell as int, exact up to 2**64-1."""
    return None if value is None or pd.isna(cast("Any", value)) else int(cast("Any", value))


def text(value: object) -> str | None:
    """Return a text cell as str."""
    return value if isinstance(value, str) else None


def moment(value: object) -> int | None:
    """Return a time as nanoseconds since 1970 in UTC."""
    return int(value.as_unit("ns").value) if isinstance(value, pd.Timestamp) else None


def rfc3339(nanoseconds: int) -> str:
    """Write a time as the contract wants it: UTC, seven decimals, ``Z``."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{pd.Timestamp(seconds, unit='s').strftime('%Y-%m-%dT%H:%M:%S')}.{rest // 100:07d}Z"


def rfc3339_all(nanoseconds: NDArray[np.int64]) -> list[str | None]:
    """Write many times as the contract wants them; None for NaT and for the greatest int64."""
    texts = np.datetime_as_string(nanoseconds.view("datetime64[ns]"), unit="ns").tolist()
    gone = np.isin(nanoseconds, _NO_TIMES).tolist()
    return [None if no else f"{text[:27]}Z" for text, no in zip(texts, gone, strict=True)]


def when(value: object) -> str | None:
    """Write a time cell as the contract wants it, or None."""
    found = moment(value)
    return None if found is None else rfc3339(found)


def texts(column: pd.Series) -> list[str | None]:
    """Return a text column as str and None."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = [*column.cat.categories.tolist(), None]  # code -1, a missing value, is the last one
        return [known[code] for code in column.cat.codes.tolist()]
    return [text(value) for value in column.tolist()]


def objects(column: pd.Series) -> NDArray[np.object_]:
    """Return a nullable number column as Python ints and None."""
    out: NDArray[np.object_] = column.to_numpy(dtype=object)
    out[column.isna().to_numpy()] = None
    return out
