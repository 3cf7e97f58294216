r"""Texts inside texts: hexadecimal digits that hold UTF-16LE, UTF-8 or SIDs, and text with a dot behind each letter.

States print blobs as hexadecimal digits (an application's path is UTF-16LE in them), and beside that as text in which
the zero bytes became dots: ``\.u.s.e.r.s.\.``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Rewrite = Callable[[str], str]
    RewriteBytes = Callable[[bytes], bytes]

_HEX: Final = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?(?P<digits>[0-9A-Fa-f]{16,})(?![0-9A-Za-z])")
_DOTTED: Final = re.compile(r"(?:[^\x00-\x1f]\.){6,}")


def rewrite(text: str, inner: Rewrite, data: RewriteBytes) -> str:
    """Return the text with ``inner`` applied to the texts in its blobs, and ``data`` to their bytes."""

    def blob(match: re.Match[str]) -> str:
        digits = match.group("digits")
        even = digits[: len(digits) // 2 * 2]
        old = bytes.fromhex(even)
        new = _bytes(old, inner, data)
        if new == old:
            return match.group()
        shown = new.hex().upper() if digits.isupper() else new.hex()
        return match.group()[: -len(digits)] + shown + digits[len(even) :]

    def dotted(match: re.Match[str]) -> str:
        old = match.group()[::2]
        new = inner(old)
        return match.group() if new == old else "".join(f"{char}." for char in new)

    return _DOTTED.sub(dotted, _HEX.sub(blob, text))


def _bytes(data: bytes, inner: Rewrite, also: RewriteBytes) -> bytes:
    out = also(data)
    for start in (0, 1):
        end = start + (len(out) - start) // 2 * 2
        body = out[start:end].decode("utf-16-le", "surrogatepass")
        new = inner(body)
        if new != body:
            out = out[:start] + new.encode("utf-16-le", "surrogatepass") + out[end:]
    narrow = out.decode("utf-8", "surrogateescape")
    new = inner(narrow)
    return out if new == narrow else new.encode("utf-8", "surrogateescape")
