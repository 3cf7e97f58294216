"""Text for people: hostile characters made visible, numbers and times made readable.

Every string of the evidence is hostile. ``neutral`` is the only way from a string to a page or a terminal; it never
drops a character, it shows it: U+202E becomes ``⟨U+202E⟩``.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

# Categories that show nothing, move the text or cannot be encoded: controls, formats (bidi, zero width), surrogates,
# private use, line and paragraph separators. Source: Unicode, General_Category.
HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})

# Letters and marks that draw nothing: grapheme joiner, Hangul fillers, Braille blank, Mongolian variation selectors.
BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")

# PowerShell reads these as quotation marks, so a name that holds one could end a quoted argument.
# Source: about_Quoting_Rules; the PowerShell tokenizer's IsSingleQuote and IsDoubleQuote.
POWERSHELL_QUOTES: Final = frozenset("\u2018\u2019\u201a\u201b\u201c\u201d\u201e")

MARKS_IN_A_ROW: Final = 3  # no living script stacks more combining marks on one letter

_ESCAPED: Final = re.compile(r"⟨U\+[0-9A-F]{4,6}⟩")
_HALF_HEAD: Final = re.compile(r"⟨U?\+?[0-9A-F]{0,6}$")  # an escape that a cut has torn
_HALF_TAIL: Final = re.compile(r"^U?\+?[0-9A-F]{0,6}⟩")


def escape_of(char: str) -> str:
    """Return the visible escape of one character."""
    return f"⟨U+{ord(char):04X}⟩"


def _is_hidden(char: str) -> bool:
    code = ord(char)
    return (
        unicodedata.category(char) in HIDDEN_CATEGORIES
        or char in BLANK_LETTERS
        or 0xFE00 <= code <= 0xFE0F  # variation selectors
        or 0xE0100 <= code <= 0xE01EF
        or code & 0xFFFE == 0xFFFE  # noncharacters
        or 0xFDD0 <= code <= 0xFDEF
    )


def neutral(text: str, also: frozenset[str] = frozenset()) -> str:
    """Return the text with every hidden character, and those in ``also``, as a visible escape."""
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        out.append(escape_of(char) if marks > MARKS_IN_A_ROW or char in also or _is_hidden(char) else char)
    return "".join(out)


def neutral_command(command: str) -> str:
    """Return a command that is safe to show and to copy: one line, no quote that only a shell would see."""
    return neutral(command, POWERSHELL_QUOTES)


def escapes(text: str) -> list[tuple[str, bool]]:
    """Split neutral text into (piece, is an escape), so that a page can style the escapes."""
    out: list[tuple[str, bool]] = []
    at = 0
    for match in _ESCAPED.finditer(text):
        if match.start() > at:
            out.append((text[at : match.start()], False))
        out.append((match.group(), True))
        at = match.end()
    if at < len(text):
        out.append((text[at:], False))
    return out


def middle(text: str, limit: int) -> str:
    """Shorten a text in its middle to about ``limit`` characters; its two ends tell most."""
    if len(text) <= limit + 3:  # the mark takes as much
        return text
    tail = limit // 2
    head, end = _HALF_HEAD.sub("", text[: limit - tail]), _HALF_TAIL.sub("", text[-tail:])
    return f"{head.rstrip(' ')} … {end.lstrip(' ')}"


def begin(text: str, limit: int) -> str:
    """Shorten a sentence at its end, behind a whole word where there is one: its middle would join what is apart."""
    if len(text) <= limit + 2:  # the mark takes as much
        return text
    head = _HALF_HEAD.sub("", text[: limit + 1])
    at = head.rfind(" ")
    return f"{(head[:at] if at > limit // 2 else head[:limit]).rstrip(' ,;:(')} …"


def clip(text: str, limit: int) -> str:
    """Cut a text at ``limit`` characters and say how many are left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} … ({number(len(text) - limit)} more characters)"


def split_path(path: str) -> tuple[str, str]:
    r"""Return (folder, file name) of a path with ``\`` or ``/``; the folder keeps its last separator."""
    at = max(path.rfind("\\"), path.rfind("/")) + 1
    return (path[:at], path[at:]) if at < len(path) else ("", path)


def slug(text: str) -> str:
    """Return letters, digits and hyphens only, for use in an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "x"


# ------------------------------------------------------------------------------------------------------ numbers


def number(value: int) -> str:
    """Return a whole number with commas: ``12,345``."""
    return f"{value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """Return ``1 flow``, ``2 flows``, ``1,234 flows``."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def size(value: int) -> str:
    """Return a size in bytes as people read it: ``3.2 MB`` (1 MB = 1,000,000 bytes)."""
    if value < 1000:
        return counted(value, "byte")
    amount = float(value)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5:
            return f"{amount:.3g} {unit}"
    return f"{amount / 1000:.3g} TB"


# -------------------------------------------------------------------------------------------------------- times


def instant(text: str | None) -> datetime | None:
    """Read the RFC 3339 text of the result document; None where it is none."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def when(text: str) -> str:
    """Return a time to the second: ``2026-03-04 10:15:22``; text that is no time is returned as it is."""
    parsed = instant(text)
    return text if parsed is None else parsed.strftime("%Y-%m-%d %H:%M:%S")


def clock(text: str) -> str:
    """Return the time of day only, to the second."""
    parsed = instant(text)
    return text if parsed is None else parsed.strftime("%H:%M:%S")


def exact(text: str) -> str:
    """Return a time with all its decimals, readable: ``2026-03-04 10:15:22.1234567 UTC``."""
    return f"{text[:10]} {text[11:-1]} UTC" if instant(text) is not None and text.endswith("Z") else text


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: ``46 min``, ``2 h 5 min``, ``3 days 4 h``."""
    whole = int(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest and minutes < 10 else "")
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    days, hours = divmod(hours, 24)
    return counted(days, "day") + (f" {hours} h" if hours else "")


def span(first: str | None, last: str | None) -> str:
    """Return a time range in one line: ``2026-03-04 10:15:22 to 11:02:07 UTC (46 min)``."""
    if first is None and last is None:
        return "no time recorded"
    if first is None or last is None or first == last:
        return f"{when(first or last or '')} UTC"
    begin, end = instant(first), instant(last)
    if begin is None or end is None:
        return f"{first} to {last}"
    short = clock(last) if begin.date() == end.date() else when(last)
    if when(first) == when(last):
        return f"{when(first)} UTC ({duration(0)})"
    return f"{when(first)} to {short} UTC ({duration((end - begin).total_seconds())})"


# --------------------------------------------------------------------------------------------------- terminals

# For terminals that cannot show Unicode.
_ASCII: Final = str.maketrans(
    {"·": "-", "–": "-", "—": "-", "→": "->", "■": "#", "⟨": "<", "⟩": ">", "…": "...", "“": '"', "”": '"', "’": "'"}
)


def terminal(shown: str, encoding: str) -> str:
    """Return neutral text in a form that a terminal of this encoding can show."""
    if encoding.lower().replace("-", "").startswith("utf"):
        return shown
    return shown.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
