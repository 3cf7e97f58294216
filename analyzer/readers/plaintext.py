"""The text of a file that Windows' own tools wrote, whatever its encoding.

Consoles write the OEM code page, ``>`` of Windows PowerShell writes UTF-16 with a byte order mark, ``wmic`` ends its
lines with CR CR LF. Nothing here raises on content.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from analyzer.readers.xmltext import detect_encoding

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.readers.stateproblems import Problems

MAX_BYTES: Final = 64 * 1024 * 1024

# What the 8-bit encodings of Western Windows are told apart by: how many letters of its languages come out.
_PAGES: Final = ("cp1252", "cp850", "cp437")
_COMMON: Final = frozenset("äöüßéèêëàâçîïôùûñáíóúÄÖÜÉÈ\u00a0\u2019")
# All but tab, line ends, form feed and the end mark of DOS.
_CONTROL: Final = re.compile(r"[\x01-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")
_RARER: Final = frozenset("ãõåøæÅØÆÁÍÓÚÀÂÊÇÑ")


def read(path: Path) -> bytes:
    """Return a file's bytes, or the first of one that is too large for `decode`.

    Raises
    ------
    OSError
        when the file cannot be opened or read.
    """
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def decode(data: bytes, problems: Problems) -> str | None:
    """Return a file's text with line feeds as its only line ends, or None when it is too large or empty."""
    if len(data) > MAX_BYTES:
        problems.add("lost", None, f"is {len(data):,} bytes long, more than {MAX_BYTES:,}: nothing of it was read")
        return None
    text, guessed = _decoded(data)
    if guessed:
        what = f"its text is neither UTF-8 nor UTF-16: read as {guessed}, letters beyond ASCII may be wrong"
        problems.add("note", None, what)
    if "\0" in text:
        what = "holds NUL characters (text of several encodings?): they were left out"
        problems.add("doubtful", _line(text, text.index("\0")), what)
        text = text.replace("\0", "")
    if "\ufffd" in text:
        what = "holds bytes that are no text in its encoding: shown as U+FFFD"
        problems.add("doubtful", _line(text, text.index("\ufffd")), what)
    if (control := _CONTROL.search(text)) is not None:
        what = "holds control characters, which no tool prints: damaged there, or made so"
        problems.add("doubtful", _line(text, control.start()), what)
    if not text.strip():
        problems.add("lost", None, "is empty")
        return None
    return _lines_ended(text)


def _line(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}"


def head_text(head: bytes) -> str:
    """Return the text of a file's first bytes, for a look at what it is."""
    return _lines_ended(_decoded(head)[0].replace("\0", ""))


def _lines_ended(text: str) -> str:
    return text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes) -> tuple[str, str]:
    """Return the text, and the code page if it had to be guessed."""
    encoding, skip = detect_encoding(data)
    body = data[skip:]
    if skip or encoding.startswith("utf-16"):
        return body.decode(encoding, "replace"), ""
    try:
        return body.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        if error.end >= len(body) and error.reason == "unexpected end of data":  # a head that was cut in a character
            return body.decode("utf-8", "replace"), ""
        page = _code_page(body)
        return body.decode(page, "replace"), page


def _code_page(data: bytes) -> str:
    high = Counter(byte for byte in data if byte > 0x7F)

    def letters(page: str) -> int:
        shown = ((bytes([byte]).decode(page, "replace"), count) for byte, count in high.items())
        return sum(count * (2 * (text in _COMMON) + (text in _RARER)) for text, count in shown)

    return max(_PAGES, key=letters)
