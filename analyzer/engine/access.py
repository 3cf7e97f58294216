"""The access check that a user condition stands for: whether a descriptor lets a token match the filter.

The condition holds where the check of the connecting token grants ``FWP_ACTRL_MATCH_FILTER`` (REFERENCE 4.2 and 5.3).
Entries count in their order, and the first that names a SID of the token and the right decides ([MS-DTYP] 2.5.3.2); a
right that no entry grants is refused. An app container's token has to pass twice: by its user and groups, and by its
package and capabilities. The text is read by :mod:`analyzer.wfp.sddl`, which names the source of its aliases.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from analyzer.engine.answers import CANNOT_TELL, NO, YES
from analyzer.engine.tokens import CAPABILITIES, PACKAGES, hypotheses, member
from analyzer.wfp import sddl, sids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.engine.tokens import Token
    from analyzer.wfp.sddl import Ace, SecurityDescriptor

MAX_CHECKS: Final = 200_000  # entries times tokens of one condition; beyond, nobody can tell
_ALLOW: Final = frozenset({"A", "OA", "XA", "ZA"})
_DENY: Final = frozenset({"D", "OD", "XD"})
_PLAIN: Final = frozenset({"A", "D"})
_INHERIT_ONLY: Final = "IO"
_LABEL: Final = "ML"  # an integrity label may refuse what the list grants
# What the filter engine maps generic rights to is not known, but that "all" contains each.
_UNSURE_RIGHTS: Final = 0xE0000000
_CONTAINED: Final = (PACKAGES, CAPABILITIES)
_PARTS: Final = re.compile(r"S-1-([0-9A-FX]+)((?:-\d{1,10})*)")
_YES, _OPEN, _NO = int(YES), int(CANNOT_TELL), int(NO)


@lru_cache(maxsize=1 << 14)
def plain_sid(text: str) -> str:
    """Return a SID in the one way in which SIDs are compared: upper case, decimal, no leading zeros."""
    sid = sids.canonical_sid(text)
    found = _PARTS.fullmatch(sid)
    if found is None:
        return sid
    try:
        authority = int(found[1], 16 if found[1].startswith("0X") else 10)
    except ValueError:
        return sid
    rest = [str(int(part)) for part in found[2].split("-")[1:]]
    return "-".join(["S", "1", str(authority), *rest])


def _applies(ace: Ace, token: Token, mask: int) -> int:
    """Tell whether an entry names the token and all of the right."""
    if ace.rights is None:
        right = _OPEN
    elif ace.rights & (mask | sddl.GENERIC_ALL):
        right = _YES
    else:
        right = _OPEN if ace.rights & _UNSURE_RIGHTS else _NO
    if right == _NO:
        return _NO
    held = _OPEN if ace.sid in sids.RELATIVE_ALIASES else member(token, plain_sid(ace.sid))
    unsure = ace.type not in _PLAIN or ace.condition is not None or ace.object_guid is not None
    return min(held, right, _OPEN) if unsure else min(held, right)


def _walk(aces: Iterable[Ace], token: Token, mask: int) -> int:
    """Walk a list in order; all that may come out is kept."""
    found: set[int] = set()
    for ace in aces:
        if _INHERIT_ONLY in ace.flags:
            continue
        said = _applies(ace, token, mask)
        if said == _NO:
            continue
        found |= {_YES} if ace.type in _ALLOW else {_NO} if ace.type in _DENY else {_YES, _NO}
        if said == _YES:
            break
    else:
        found.add(_NO)
    return found.pop() if len(found) == 1 else _OPEN


def _of_container(ace: Ace) -> bool:
    return plain_sid(ace.sid).startswith(_CONTAINED)


def _check(descriptor: SecurityDescriptor, token: Token, mask: int) -> int:
    """Check a token whose user is known, or known to be anonymous or not."""
    if descriptor.dacl is None:
        return _YES  # no list at all refuses nobody
    own = _walk((ace for ace in descriptor.dacl if not _of_container(ace)), token, mask)
    if own == _NO or token.package == sids.NULL_SID:
        return own
    contained = _walk((ace for ace in descriptor.dacl if _of_container(ace)), token, mask)
    if token.package is None:  # the second check may be due or not
        return own if contained == _YES else min(own, _OPEN)
    return min(own, contained)


def access(descriptor: SecurityDescriptor | str, token: Token, mask: int = sddl.MATCH_FILTER) -> int:
    """Return 1 where the check grants ``mask`` (one right) to the token, -1 where it refuses it, 0 where it depends.

    A descriptor that was not understood whole, one with an integrity label, and one of no part at all cannot be told.
    """
    read = sddl.read_sddl(descriptor) if isinstance(descriptor, str) else descriptor
    labelled = any(ace.type == _LABEL for ace in read.sacl or ())
    if not read.complete or labelled or read == _EMPTY:
        return _OPEN
    answers = {_check(read, case, mask) for case in hypotheses(token)}
    return answers.pop() if len(answers) == 1 else _OPEN


_EMPTY: Final = sddl.SecurityDescriptor()
