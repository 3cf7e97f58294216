"""The text of one rule in the registry: ``v2.31|Action=Allow|Active=TRUE|Dir=Out|...|Svc=BITS|Name=...|``.

Source: [MS-GPFAS] 2.2.2.19. A missing ``Profile`` means all, a missing ``Protocol`` any, a missing ``Active`` no. A
key that may stand once and stands twice keeps its first value. Keys that are not known are kept.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from analyzer.readers.tables import number_of
from analyzer.wfp import rules as vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH: Final = 200_000  # characters of one rule
_MAX_PIECES: Final = 20_000
_VERSION: Final = re.compile(r"v(\d{1,3}\.\d{1,3})", re.IGNORECASE)

# Key in lower case -> column of `frames.RULES`, for values that are taken as they stand.
_LISTS: Final[dict[str, str]] = {
    "lport": "local_ports",
    "lport2_10": "local_ports",
    "lport2_20": "local_ports",
    "rport": "remote_ports",
    "rport2_10": "remote_ports",
    "la4": "local_addresses",
    "la6": "local_addresses",
    "ra4": "remote_addresses",
    "ra6": "remote_addresses",
    "ra42": "remote_addresses",
    "ra62": "remote_addresses",
    "icmp4": "icmp",
    "icmp6": "icmp",
    "if": "interfaces",
    "iftype": "interface_types",
}
_TEXTS: Final[dict[str, str]] = {
    "app": "program",
    "svc": "service",
    "name": "name",
    "embedctxt": "group",
    "apppkgid": "package",
    "pfn": "package",
    "luauth": "local_user",
    "luown": "owner",
    "ruauth": "remote_user",
    "rmauth": "remote_machine",
}
LIST_COLUMNS: Final = tuple(dict.fromkeys(_LISTS.values()))


def read_rule(text: str, say: Callable[[str], None]) -> dict[str, object] | None:
    """Return the columns of one rule, or None where the text is no rule. ``say`` takes what is doubtful about it."""
    if len(text) > MAX_LENGTH:
        return None
    pieces = text.split("|")
    version = _VERSION.fullmatch(pieces[0].strip())
    keys, extra = _keys(pieces[1:] if version is not None or "=" not in pieces[0] else pieces)
    if "action" not in keys and "dir" not in keys:
        return None
    if version is None:
        say("it does not begin with the version of its grammar")
    out: dict[str, object] = {
        "version": version[1] if version is not None else None,
        "raw": text,
        "known": vocabulary.PARTS,
    }
    for column in LIST_COLUMNS:
        found = [value for key, name in _LISTS.items() if name == column for value in keys.pop(key, ())]
        out[column] = tuple(dict.fromkeys(found))
    for key, column in _TEXTS.items():
        out[column] = out.get(column) or _first(keys, key, extra)
    out["action"] = _word(keys, "action", vocabulary.ACTIONS, extra, say)
    out["direction"] = _word(keys, "dir", vocabulary.DIRECTIONS, extra, say)
    active = _first(keys, "active", extra)
    out["active"] = (active or "false").lower() == "true"
    if active is not None and active.lower() not in ("true", "false"):
        say(f"Active={active[:40]} is neither TRUE nor FALSE: taken as not active")
    out["protocol"] = _protocol(keys, extra, say)
    out["profiles"] = _profiles(keys, say)
    out["edge"] = _edge(keys, extra)
    if out["local_user"] is None:
        out["local_user"] = _encoded(_first(keys, "luauth2_24", extra))
    for key, values in keys.items():
        extra[key] = "|".join(values)
    out["extra"] = extra or None
    return out


def _keys(pieces: list[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return key in lower case -> values; a piece without ``=`` belongs to the text before it (a ``|`` in a name)."""
    keys: dict[str, list[str]] = {}
    extra: dict[str, str] = {}
    last: list[str] | None = None
    for piece in pieces[:_MAX_PIECES]:
        key, equals, value = piece.partition("=")
        if equals:
            last = keys.setdefault(key.strip().lower()[:60], [])
            last.append(value)
        elif piece.strip() and last is not None:
            last[-1] = f"{last[-1]}|{piece}"
        elif piece.strip():
            extra["text"] = piece[:200]
    return keys, extra


def _first(keys: dict[str, list[str]], key: str, extra: dict[str, str]) -> str | None:
    values = keys.pop(key, None)
    if not values:
        return None
    if len(values) > 1:
        extra[key] = "|".join(values[1:])
    return values[0].strip() or None


def _word(
    keys: dict[str, list[str]], key: str, words: dict[str, str], extra: dict[str, str], say: Callable[[str], None]
) -> str | None:
    value = _first(keys, key, extra)
    found = words.get(value.lower()) if value is not None and not value.isdecimal() else None
    if found is None:
        say(f"{key}={(value or '')[:40]} is not known" if value else f"it has no {key}")
        if value:
            extra[key] = value
    return found


def _protocol(keys: dict[str, list[str]], extra: dict[str, str], say: Callable[[str], None]) -> int | None:
    value = _first(keys, "protocol", extra)
    number = number_of(value)
    if value is not None and (number is None or number > 256):
        say(f"Protocol={value[:40]} is no protocol number")
        extra["protocol"] = value
        return None
    return None if number == 256 else number


def _profiles(keys: dict[str, list[str]], say: Callable[[str], None]) -> tuple[str, ...]:
    values = keys.pop("profile", None)
    if values is None:
        return vocabulary.PROFILES
    words = {value.strip().lower() for value in values}
    unknown = words - set(vocabulary.PROFILES)
    if unknown:
        say(f"Profile={min(unknown)[:40]} is not known")
    return tuple(name for name in vocabulary.PROFILES if name in words)


def _edge(keys: dict[str, list[str]], extra: dict[str, str]) -> str:
    edge, defer = _first(keys, "edge", extra), _first(keys, "defer", extra)
    if defer is not None:
        return f"defer-{defer.lower()[:10]}"
    return "allow" if edge is not None and edge.lower() == "true" else "block"


def _encoded(value: str | None) -> str | None:
    """Return the SDDL of ``LUAuth2_24``, which is Base64 of UTF-16; what is not stays as it is."""
    if value is None:
        return None
    try:
        text = base64.b64decode(value, validate=True).decode("utf-16-le").rstrip("\0")
    except (binascii.Error, ValueError):
        return value
    return text if text.isascii() and text else value
