"""Numbers of frames are exact up to 2**64-1, whatever other numbers stand beside them."""

from __future__ import annotations

import pytest

from analyzer import frames

BIG = 2**63 + 4  # no double holds it


@pytest.mark.parametrize(
    "numbers",
    [
        [BIG, 0x3000000000000000, 0x9003802000000000, 5],  # pandas would make doubles of these four
        [5, BIG],
        [BIG, None, 5],
        [None, BIG],
        [2**64 - 1, BIG, 0],
        [None, None],
        [],
    ],
)
def test_large_numbers_keep_every_digit(numbers: list[int | None]) -> None:
    frame = frames.build({"filter_id": numbers}, {"filter_id": frames.NUMBER})
    column = frame["filter_id"]
    assert str(column.dtype) == frames.NUMBER
    assert [None if gone else int(value) for value, gone in zip(column.tolist(), column.isna(), strict=True)] == numbers
