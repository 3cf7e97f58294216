"""Cells of tables for people's tools: one text per value, hidden characters shown, no formula.

A spreadsheet takes a cell for a formula that begins with ``=``, ``+``, ``-`` or ``@`` (also in full width), a tab or a
line end (OWASP, "CSV Injection"); where it parts columns at semicolons, the middle of a cell may become a beginning. So
an apostrophe is put before such a beginning, at the start of a cell and behind each semicolon, and hidden characters
(tabs and line ends among them) are shown as ``⟨U+0009⟩``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from reports import text
from reports.columns import is_blank
from reports.jsontext import whole
from reports.table import CONDITION_KEYS

BETWEEN: Final = " | "  # between the items of a list
# ASCII, full width (U+FF..), small forms (U+FE..).
_FORMULA: Final = re.compile("(^|;)(?=[\\s\"']*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b])")


def shown(value: object) -> str | None:
    """Return a value as text with hidden characters shown; None for what says nothing."""
    if is_blank(value):
        return None
    if isinstance(value, Mapping):
        parts = (shown(value.get(key)) for key in CONDITION_KEYS[:-1])
        return " ".join(part for part in parts if part is not None)
    if isinstance(value, (tuple, list)):
        return BETWEEN.join(part for part in map(shown, value) if part is not None) or None
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return text.neutral(whole(str(value)))


def harmless(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1'", value)


def quoted(value: str) -> str:
    """Return a field of a CSV file (RFC 4180)."""
    if any(char in value for char in '",\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def field(value: object) -> str:
    """Return a value as a field of a CSV file: empty for what says nothing."""
    found = shown(value)
    return "" if found is None else quoted(harmless(found))
