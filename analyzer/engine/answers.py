"""The three answers, as int8 so that arrays of them combine: "or" is the maximum, "and" the minimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Answers = NDArray[np.int8]

YES: Final = np.int8(1)
CANNOT_TELL: Final = np.int8(0)
NO: Final = np.int8(-1)


def where_known(holds: NDArray[np.bool_], known: NDArray[np.bool_]) -> Answers:
    """Return yes or no where it is known, else cannot tell; all shapes (n,)."""
    out: Answers = holds.astype(np.int8)
    out += out
    out -= np.int8(1)  # holds: 1, else -1; arithmetic on bytes is several times faster than two selections
    out *= known
    return out


def nobody_knows(size: int) -> Answers:
    """Return cannot tell, ``size`` times."""
    return np.zeros(size, dtype=np.int8)
