"""Message codes against the rendered texts of public events: every line that has both a code and its text."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest
from core_build import otrf

from analyzer.wfp import codes

# Field that holds the code -> where the rendered message says it.
RENDERED = {
    "direction": r"^\s*Direction:\s*(.+?)\s*$",
    "layername": r"^\s*Layer Name:\s*(.+?)\s*$",
    "changetype": r"^\s*Change Type:\s*(.+?)\s*$",
    "filtertype": r"^\s*Type:\s*(.+?)\s*$",
    "action": r"^\s*(?:Filter )?Action:\s*(.+?)\s*$",
}


@cache
def _pairs(shared):
    """Field -> Counter of (code, text)."""
    out = {field: Counter() for field in RENDERED}
    for line in otrf(shared):
        for field, pattern in RENDERED.items():
            code = line["fields"].get(field)
            if not isinstance(code, str) or not code.startswith("%%"):
                continue
            found = re.search(pattern, line["message"], re.MULTILINE)
            if found:
                out[field][code, found[1]] += 1
    return out


@pytest.fixture(scope="module")
def pairs(shared):
    return _pairs(shared)


# Field -> lines that have both: so that a change of the helper above cannot thin the test out unseen.
CHECKED = {"direction": 11367, "layername": 24790, "changetype": 6401, "filtertype": 6410, "action": 6410}


@pytest.mark.parametrize("field", CHECKED)
def test_number_of_checked_lines(pairs, field):
    assert pairs[field].total() == CHECKED[field]


@pytest.mark.parametrize("field", RENDERED)
def test_every_code_reads_as_windows_rendered_it(pairs, field):
    wrong = {}
    for (code, text), count in pairs[field].items():
        known = codes.TEXTS.get(codes.code_number(code))
        if known is None or known.casefold() != text.casefold():
            wrong[code, text] = (known, count)
    assert wrong == {}


def test_direction_words(pairs):
    assert {codes.event_direction(code) for code, _ in pairs["direction"]} == {"inbound", "outbound"}
    assert all(codes.event_direction(code) == text.lower() for code, text in pairs["direction"])


def test_layer_names(pairs):
    assert all(codes.layer_text(code) == text for code, text in pairs["layername"])


def test_changes_are_additions_and_deletions(pairs):
    assert all(codes.change(code) == text.lower() for code, text in pairs["changetype"])
    assert {codes.change(code) for code, _ in pairs["changetype"]} == {"add", "delete"}


def test_actions(pairs):
    assert all(codes.action(code) == text.lower() for code, text in pairs["action"])


def test_a_rendered_word_reads_like_its_code(pairs):
    assert all(codes.event_direction(code) == codes.event_direction(text) for code, text in pairs["direction"])


@pytest.mark.parametrize("text", [None, "", "-", "%%", "%%x", "%%99999", "14592", "Eingehend"])
def test_what_is_no_known_code_has_no_direction(text):
    assert codes.event_direction(text) is None
