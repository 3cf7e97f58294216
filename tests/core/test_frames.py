"""Frames: numbers up to 2**64-1 stay exact, whatever stands beside them."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer import frames

TOP = 2**64 - 1


@pytest.mark.parametrize(
    "numbers",
    [
        [2**63, 2**63 - 1],
        [2**63 + 1, 2**62 + 1, 5],
        [TOP, TOP - 1, 0],
        [TOP, None, 2**53 + 1],
        [None, None],
        [],
        [1, 2, 3],
    ],
)
def test_numbers_are_exact(numbers):
    made = frames.build({"weight": numbers}, {"weight": frames.NUMBER})["weight"]
    assert str(made.dtype) == "UInt64"
    assert [None if pd.isna(number) else int(number) for number in made] == numbers


@pytest.mark.parametrize("numbers", [[-1], [2**64], [1.5, "x"]])
def test_what_is_no_such_number_is_not_taken(numbers):
    with pytest.raises((OverflowError, TypeError, ValueError)):
        frames.build({"weight": numbers}, {"weight": frames.NUMBER})
