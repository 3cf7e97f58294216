"""Security descriptors as SDDL text: what user conditions of filters hold.

A filter's user condition is an access check of the connecting token for the right to match the filter (0x1, written
``CC``; REFERENCE 4.2 and 5.3). Format source: Microsoft's "Security Descriptor String Format" and "ACE Strings". The
reader is tolerant: what it does not know is left out and ``complete`` is False.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from analyzer.wfp import sids

if TYPE_CHECKING:
    from collections.abc import Mapping

MATCH_FILTER: Final = 0x1
GENERIC_ALL: Final = 0x10000000

RIGHTS: Final[dict[str, int]] = {
    "GA": 0x10000000,
    "GX": 0x20000000,
    "GW": 0x40000000,
    "GR": 0x80000000,
    "RC": 0x00020000,
    "SD": 0x00010000,
    "WD": 0x00040000,
    "WO": 0x00080000,
    "CC": 0x1,
    "DC": 0x2,
    "LC": 0x4,
    "SW": 0x8,
    "RP": 0x10,
    "WP": 0x20,
    "DT": 0x40,
    "LO": 0x80,
    "CR": 0x100,
    "FA": 0x1F01FF,
    "FR": 0x120089,
    "FW": 0x120116,
    "FX": 0x1200A0,
    "KA": 0xF003F,
    "KR": 0x20019,
    "KW": 0x20006,
    "KX": 0x20019,
    "NR": 0x2,
    "NW": 0x1,
    "NX": 0x4,
}
# NR, NW, NX are rights of integrity labels; they never occur in a DACL.
_LABEL_RIGHTS: Final = frozenset({"NR", "NW", "NX"})
_ALLOW: Final = frozenset({"A", "OA", "XA", "ZA"})
_DENY: Final = frozenset({"D", "OD", "XD"})
_KNOWN_TYPES: Final = _ALLOW | _DENY | {"AU", "AL", "OU", "OL", "XU", "ML", "RA", "SP", "TL", "FL"}
_INHERIT_ONLY: Final = "IO"
_NULL_ACL: Final = "NO_ACCESS_CONTROL"
_ACL_FLAGS: Final = re.compile(rf"(?:{_NULL_ACL}|AR|AI|P)*")
_MAX_ACES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ace:
    """One entry of a list. ``rights`` is None where its text could not be read; ``sid`` is the full SID."""

    type: str
    flags: tuple[str, ...]
    rights: int | None
    rights_text: str
    object_guid: str | None
    inherit_guid: str | None
    sid: str
    condition: str | None = None  # the expression of a conditional entry, as text

    @property
    def grants_match(self) -> bool:
        """Whether the rights include the one to match a filter."""
        return self.rights is not None and bool(self.rights & (MATCH_FILTER | GENERIC_ALL))


@dataclass(frozen=True, slots=True)
class SecurityDescriptor:
    """What was read of one descriptor. ``dacl`` is None where there is none (or a null one: everybody matches)."""

    owner: str | None = None
    group: str | None = None
    dacl: tuple[Ace, ...] | None = None
    dacl_flags: str = ""
    sacl: tuple[Ace, ...] | None = None
    sacl_flags: str = ""
    complete: bool = True


def _end_of_ace(text: str, start: int) -> int:
    """Return the position after the ``)`` that closes the ``(`` at ``start``, or -1; quotes hide brackets."""
    depth = 0
    quoted = False
    for index in range(start, len(text)):
        char = text[index]
        if char == '"':
            quoted = not quoted
        elif not quoted and char == "(":
            depth += 1
        elif not quoted and char == ")":
            depth -= 1
            if depth == 0:
                return index + 1
    return -1


def _rights(text: str) -> int | None:
    """Return the access mask of a rights field, or None where a part is not known."""
    value = text.strip().upper()
    if not value:
        return 0
    if value[0].isdigit():
        try:
            return int(value, 16) if value.startswith("0X") else int(value, 8 if value.startswith("0") else 10)
        except ValueError:
            return None
    mask = 0
    for index in range(0, len(value), 2):
        bit = RIGHTS.get(value[index : index + 2])
        if bit is None:
            return None
        mask |= bit
    return mask


def _ace(body: str) -> tuple[Ace | None, bool]:
    """Read the inside of one ACE's brackets; the flag tells whether all of it was understood."""
    head = body.split(";", 6)
    if len(head) < 6:
        return None, False
    kind, flags, rights_text, object_guid, inherit_guid, sid = (part.strip() for part in head[:6])
    rights = _rights(rights_text)
    full_sid = sids.canonical_sid(sid)
    known_sid = sids.is_sid(full_sid) or full_sid in sids.RELATIVE_ALIASES
    ace = Ace(
        kind.upper(),
        tuple(flags[i : i + 2].upper() for i in range(0, len(flags), 2)),
        rights,
        rights_text,
        object_guid or None,
        inherit_guid or None,
        full_sid,
        head[6].strip() if len(head) > 6 else None,
    )
    return ace, rights is not None and known_sid and ace.type in _KNOWN_TYPES and len(flags) % 2 == 0


def _acl(text: str, position: int) -> tuple[str, tuple[Ace, ...], int, bool]:
    """Read flags and ACEs of a list; return flags, ACEs, the position after it, and whether all was understood."""
    found = _ACL_FLAGS.match(text, position)
    flags = found[0] if found else ""
    position += len(flags)
    aces: list[Ace] = []
    complete = True
    while position < len(text) and text[position] == "(":
        end = _end_of_ace(text, position)
        if end < 0 or len(aces) >= _MAX_ACES:
            return flags, tuple(aces), len(text), False
        ace, good = _ace(text[position + 1 : end - 1])
        complete = complete and good
        if ace is not None:
            aces.append(ace)
        position = end
    return flags, tuple(aces), position, complete


_OWNER: Final = re.compile(rf"{sids.SID_TEXT.pattern}|[A-Z]{{2}}", re.IGNORECASE)
_NEXT_PART: Final = re.compile(r"[OGDS]:", re.IGNORECASE)


@lru_cache(maxsize=4096)
def read_sddl(text: str) -> SecurityDescriptor:
    """Read a descriptor's text. Never raises: what is not understood makes ``complete`` False."""
    owner: str | None = None
    group: str | None = None
    lists: dict[str, tuple[str, tuple[Ace, ...]]] = {}
    complete = True
    value = text.strip()
    position = 0
    while position < len(value):
        part = value[position : position + 2].upper()
        position += 2
        if part in ("O:", "G:"):
            # "O:SYG:SYD:" has no separators: an alias is two letters, a SID ends before the next letter.
            found = _OWNER.match(value, position)
            if found is None:
                complete = False
                continue
            sid = sids.canonical_sid(found[0])
            owner, group = (sid, group) if part == "O:" else (owner, sid)
            position = found.end()
        elif part in ("D:", "S:"):
            flags, aces, position, good = _acl(value, position)
            lists[part] = (flags, aces)
            complete = complete and good
        else:
            complete = False
            following = _NEXT_PART.search(value, position)
            if following is None:
                break
            position = following.start()
    dacl_flags, dacl = lists.get("D:", ("", None))
    sacl_flags, sacl = lists.get("S:", ("", None))
    if _NULL_ACL in dacl_flags:
        dacl = None
    return SecurityDescriptor(owner, group, dacl, dacl_flags, sacl, sacl_flags, complete)


def _sids(descriptor: SecurityDescriptor | str, types: frozenset[str], *, conditional: bool) -> tuple[str, ...]:
    parsed = read_sddl(descriptor) if isinstance(descriptor, str) else descriptor
    out: dict[str, None] = {}
    for ace in parsed.dacl or ():
        wanted = ace.type in types and ace.grants_match and _INHERIT_ONLY not in ace.flags
        if wanted and (conditional or ace.condition is None):
            out[ace.sid] = None
    return tuple(out)


def allowed_sids(descriptor: SecurityDescriptor | str, *, conditional: bool = False) -> tuple[str, ...]:
    """Return the SIDs whose allow entries grant the match, in order, without repeats.

    Conditional entries (``XA``) count only with ``conditional=True``: their expression is not evaluated.
    """
    return _sids(descriptor, _ALLOW, conditional=conditional)


def denied_sids(descriptor: SecurityDescriptor | str) -> tuple[str, ...]:
    """Return the SIDs whose deny entries take the match away."""
    return _sids(descriptor, _DENY, conditional=True)


def service_sids(descriptor: SecurityDescriptor | str) -> tuple[str, ...]:
    """Return the service SIDs among the allowed ones."""
    return tuple(sid for sid in allowed_sids(descriptor) if sids.is_service_sid(sid))


def sd_words(descriptor: SecurityDescriptor | str, services: Mapping[str, str] | None = None) -> str:
    """Return words for who matches: ``service BITS``, ``account S-1-5-21-…, all app packages``.

    ``services`` are further names of services by SID.
    """
    parsed = read_sddl(descriptor) if isinstance(descriptor, str) else descriptor
    if parsed.dacl is None:
        return "everybody" if _NULL_ACL in parsed.dacl_flags else "a descriptor without an access list"
    names = [sids.sid_words(sid, services) for sid in allowed_sids(parsed)]
    names += [
        f"{sids.sid_words(ace.sid, services)} if {ace.condition}" for ace in parsed.dacl if ace.condition is not None
    ]
    return ", ".join(names) if names else "nobody"
