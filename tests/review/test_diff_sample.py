"""The shipped change review: a good change, a bad one, and none."""

from __future__ import annotations

import pytest
from test_diff_real import compared

from tests.places import ROOT

TICKET = ROOT / "samples" / "ticket-k-review"
BEFORE = TICKET / "wfpstate.xml"


def boxes(after: str) -> list[tuple[str, str]]:
    return [(item.what, item.words) for item in compared(BEFORE, TICKET / after).exposure]


def test_the_good_change_opens_what_was_asked_for_and_nothing_else() -> None:
    (change,) = compared(BEFORE, TICKET / "after-good.xml").changes
    assert (change.what, change.rule) == ("added", "Example Notes")
    assert boxes("after-good.xml") == [
        ("newly-allowed", "outbound IPv4 TCP 8443 to 198.51.100.0/24, any profile, program notesync.exe")
    ]


def test_the_bad_change_opens_more_and_breaks_the_browser() -> None:
    review = compared(BEFORE, TICKET / "after-bad.xml")
    assert [(change.what, change.rule) for change in review.changes] == [
        ("changed", "Example Browser"),
        ("added", "Notes (temporary)"),
        ("added", "Remote Desktop (temporary)"),
    ]
    assert boxes("after-bad.xml") == [
        ("newly-allowed", "inbound TCP 3389 from any address, any profile, any program"),
        ("newly-allowed", "outbound TCP 8443 to any address, any profile, any program"),
        ("newly-blocked", "outbound TCP 443 to any address, any profile, program browser.exe"),
    ]


@pytest.mark.parametrize("after", ["after-same.xml", "wfpstate.xml"])
def test_another_load_of_the_policy_is_no_change(after: str) -> None:
    review = compared(BEFORE, TICKET / after)
    assert (review.changes, review.defaults, review.exposure) == ((), (), ())
