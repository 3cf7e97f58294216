"""Single cells of frames as plain Python values: missing is ``None``, whatever pandas calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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


def when(value: object) -> str | None:
    """Write a time cell as the contract wants it, or None."""
    found = moment(value)
    return None if found is None else rfc3339(found)


def objects(column: pd.Series) -> NDArray[np.object_]:
    """Return a nullable number column as Python ints and None."""
    out: NDArray[np.object_] = column.to_numpy(dtype=object)
    out[column.isna().to_numpy()] = None
    return out
