"""The profile in force, told by the filters of rules alone."""

from __future__ import annotations

import pytest

from analyzer import rulebook, states
from analyzer.readers.wfpstate import read_state


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("win-2023-wfpstate.xml", "private"),
        ("win11-22621-wfpstate.xml", "public"),
        ("win11-22621-french-filters.xml", "public"),
        ("win11-26100-french-filters.xml", "public"),
    ],
)
def test_real_states_have_one_profile_in_force(shared, name, profile):
    """The filters that Windows makes for all pairs of profiles do not count."""
    book = states.bind([(name, read_state(shared / "xml" / name, name))])
    assert rulebook._profiles(book, book.snapshots[0]) == {profile}
