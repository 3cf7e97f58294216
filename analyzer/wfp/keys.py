"""One spelling for the platform's keys: symbol or GUID, any case, as dumps and events print them.

A dump prints a symbol where the Windows that made it knows one, and the raw GUID elsewhere (REFERENCE 9); 5447
prints GUIDs only. A canonical key is the symbol without its ``FWPM_…_`` prefix, or the lower-case GUID in braces.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_GUID: Final = re.compile(r"\{?([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})\}?")
NULL_GUID: Final = "{00000000-0000-0000-0000-000000000000}"
CALLOUT_PREFIX: Final = "FWPM_CALLOUT_"


def guid(text: str) -> str | None:
    """Return the lower-case GUID in braces, or None when the text is not a GUID (with or without braces)."""
    found = _GUID.fullmatch(text.strip())
    return "{" + found[1].lower() + "}" if found else None


def is_guid(key: str) -> bool:
    """Tell whether a key is a GUID, as opposed to a symbol."""
    return _GUID.fullmatch(key) is not None


def canonical(key: str, prefix: str, by_guid: Mapping[str, str]) -> str:
    """Return the symbol without ``prefix`` where one is known, else the lower-case GUID in braces.

    A symbol that no table knows is kept (upper case, without its prefix): a newer Windows may print it.
    """
    as_guid = guid(key)
    if as_guid is not None:
        return by_guid.get(as_guid, as_guid)
    symbol = key.strip().upper()
    return symbol.removeprefix(prefix)


def canonical_callout(key: str) -> str:
    """Return a callout's symbol without ``FWPM_CALLOUT_``, or its GUID; no table maps one to the other."""
    return canonical(key, CALLOUT_PREFIX, {})
