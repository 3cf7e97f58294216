"""Single cells of frames as plain Python values: missing is ``None``, whatever pandas calls it."""

from __future__ import annotations

import pandas as pd


def number(value: object) -> int | None:
    """Return a number cell as int, exact up to 2**64-1."""
    return None if value is None or value is pd.NA or pd.isna(value) else int(value)  # type: ignore[call-overload, no-any-return]


def text(value: object) -> str | None:
    """Return a text cell as str."""
    return value if isinstance(value, str) else None


def moment(value: pd.Timestamp | None) -> int | None:
    """Return a time as nanoseconds since 1970 in UTC."""
    return None if value is None or pd.isna(value) else int(value.as_unit("ns").value)


def rfc3339(nanoseconds: int) -> str:
    """Write a time as the contract wants it: UTC, seven decimals, ``Z``."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{pd.Timestamp(seconds, unit='s').strftime('%Y-%m-%dT%H:%M:%S')}.{rest // 100:07d}Z"


def when(value: pd.Timestamp | None) -> str | None:
    """Write a time cell as the contract wants it, or None."""
    found = moment(value)
    return None if found is None else rfc3339(found)
