"""What makes JSON text safe to show and exact to read: for all machine-readable outputs."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

# Columns that hold a symbol without its prefix or a GUID. What damage made of one is no name for anything.
SYMBOLS: Final = frozenset({"provider", "sublayer", "layer"})
_SYMBOL: Final = re.compile(
    r"\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}|(?!FWPM_)[A-Za-z][A-Za-z0-9_]*"
)
# C0 is escaped by the JSON writers themselves. The rest: DEL and C1 (U+0085 ends a line for many readers), the line
# and paragraph separators, and what moves or hides text in a terminal. Source: Unicode Bidi_Control, UAX 14.
_UNSAFE: Final = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def symbol(value: object) -> str | None:
    """Return a symbol or GUID as it is, and None for what is neither."""
    return value if isinstance(value, str) and _SYMBOL.fullmatch(value) else None


def is_missing(value: object) -> bool:
    """Tell a value that pandas or numpy use for "missing"."""
    return value is pd.NA or value is pd.NaT or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def scalar(value: object) -> object:
    """Give JSON a plain value for a numpy scalar or a missing one.

    Raises
    ------
    TypeError
        For anything else: a mistake of this program.
    """
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in a result document")


def whole(text: str) -> str:
    """Return a text in which a half of a surrogate pair is U+FFFD."""
    if _SURROGATE.search(text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def safe(text: str) -> str:
    """Escape what is unsafe in JSON text; a half of a surrogate pair becomes U+FFFD.

    Such characters can stand only inside JSON strings, so the whole text may be treated at once.
    """
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", whole(text))
