"""The dtypes of the frames' columns."""

from __future__ import annotations

from typing import Final

TEXT: Final = "category"
NUMBER: Final = "UInt64"
TIME: Final = "datetime64[ns, UTC]"
OBJECT: Final = "object"
