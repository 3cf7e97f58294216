"""Commands inside the program's own sentences (“what to collect next”): found by their names, shown as code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from reports import show

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT: Final = 32  # characters of a command that stays in one line
LONGEST: Final = 8000  # characters of a sentence that are looked through

# Command words of Windows and their options; REFERENCE 7.2, 7.3 and the remedies use no others.
_COMMAND: Final = re.compile(
    r"netsh wfp \w{1,20} \w{1,20}(?: file=[\w.\\-]{1,80})?"
    r"|auditpol(?: /[\w:{},-]{1,200})+"
    r"|tasklist(?: /\w{1,20})+(?: csv)?"
    r"|reg export(?: HK[\w\\]{1,200})?"
    r"|sc qsidtype NAME"
    r"|Get-[A-Z][A-Za-z]{1,40}(?: Win32_\w{1,40})?(?: -[A-Z][A-Za-z]{1,40}(?: [A-Z][A-Za-z]{1,40})?){0,9}"
    r"(?: \| [A-Z][a-z]{1,20}-[A-Z][A-Za-z]{1,40}(?: [\w-]{1,60}\.\w{1,8})?)?"
)


def parts(sentence: str) -> Iterator[tuple[bool, str]]:
    """Part a sentence into (is a command, text)."""
    at = 0
    for match in _COMMAND.finditer(sentence):
        end = match.end() - (match[0][-1] in ",-")
        if match.start() > at:
            yield False, sentence[at : match.start()]
        yield True, sentence[match.start() : end]
        at = end
    if at < len(sentence):
        yield False, sentence[at:]


def withcode(sentence: str) -> Markup:
    """Show a sentence with its commands as code that is not broken inside an option."""
    if len(sentence) > LONGEST:
        return show.prose(sentence)
    return Markup("").join(
        Markup('<code class="run{}">{}</code>').format(" nb" if len(part) <= SHORT else "", show.command(part))
        if command
        else show.prose(part)
        for command, part in parts(sentence)
    )
