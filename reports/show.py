"""How single values are shown in the page: evidence, sentences, paths, commands, times, XML.

Every function takes a plain value and returns markup that is neutral (``reports.text``) and escaped.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from markupsafe import Markup, escape

from reports import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.zone import Zone

LONGEST_CELL: Final = 110  # characters of one piece of evidence before its middle is folded away
LONGEST_SHOWN: Final = 8000  # characters of one piece of evidence in the page at all
LONGEST_PROSE: Final = 2500
LONGEST_NAME: Final = 120
LONGEST_LABEL: Final = 300
_BREAK: Final = Markup("\\<wbr>")  # a path may be broken behind each separator
LONGEST_WORD: Final = 56  # a longer part of a command may be broken
_kept: Final = lru_cache(maxsize=1024)  # most rows show what others show: programs, addresses, reasons, times


def _pieces(shown: str) -> Markup:
    """Escape neutral text for HTML; its visible escapes get a style of their own."""
    return Markup("").join(
        Markup('<span class="esc">{}</span>').format(piece) if escaped else escape(piece).replace("\\", _BREAK)
        for piece, escaped in text.escapes(shown)
    )


@_kept
def prose(value: str) -> Markup:
    """Show a sentence; it may hold evidence, so it is neutral and not endless."""
    return _pieces(text.clip(text.neutral(value[: LONGEST_PROSE * 4]), LONGEST_PROSE))


@_kept
def evidence(value: str | None, limit: int = LONGEST_CELL) -> Markup:
    """Show a piece of evidence, isolated from the direction of the text around it; long ones fold."""
    if value is None:
        return Markup('<span class="nil">—</span>')
    shown = text.neutral(value[:LONGEST_SHOWN])
    if len(shown) <= limit:
        return Markup('<bdi class="ev">{}</bdi>').format(_pieces(shown))
    full = shown if len(value) <= LONGEST_SHOWN else shown + f" … ({text.number(len(value) - LONGEST_SHOWN)} more)"
    return Markup(
        '<details class="long"><summary><bdi class="ev">{}</bdi></summary><bdi class="ev">{}</bdi></details>'
    ).format(_pieces(text.middle(shown, limit)), _pieces(full))


@_kept
def brief(value: str, limit: int) -> Markup:
    """Show a piece of evidence inside a sentence or a heading, where nothing can fold: long ones lose their middle."""
    return Markup('<bdi class="ev">{}</bdi>').format(_pieces(text.middle(text.neutral(value[:LONGEST_SHOWN]), limit)))


@_kept
def path(value: str | None) -> Markup:
    """Show a program: its file name first, its folder below."""
    if value is None:
        return Markup('<span class="nil">not recorded</span>')
    folder, name = text.split_path(value)
    shown = Markup('<div class="file">{}</div>').format(evidence(name))
    return shown + Markup('<div class="folder">{}</div>').format(evidence(folder)) if folder else shown


def command(value: str) -> Markup:
    """Show a command to copy: neutral, one line, broken only between a parameter with its value and the next."""
    parts: list[str] = []
    for word in text.neutral_command(value).split(" "):
        if (
            parts
            and not word.startswith("-")
            and parts[-1].startswith("-")
            and len(parts[-1]) + len(word) < LONGEST_WORD
        ):
            parts[-1] += " " + word
        else:
            parts.append(word)
    return Markup(" ").join(
        Markup('<span class="tok">{}</span>').format(_pieces(part)) if len(part) <= LONGEST_WORD else _pieces(part)
        for part in parts
    )


def xml(value: str) -> Markup:
    """Show XML line by line; it is a text as any other, hidden characters are shown."""
    return Markup("\n").join(_pieces(text.neutral(line)) for line in value.split("\n"))


def filename(value: str | None) -> str:
    """Return the last part of a program's path."""
    return "" if value is None else text.neutral(text.split_path(value[:LONGEST_SHOWN])[1][:LONGEST_NAME])


def query(asked: Mapping[str, str]) -> str:
    """Return what is asked of a table as the page's script reads it from the address."""
    return urlencode({key: label(value) for key, value in asked.items()})


def label(value: str) -> str:
    """Return a value by which rows are chosen."""
    return text.neutral(value[:LONGEST_LABEL])


@_kept
def time(value: str | None, zone: Zone | None = None, behind: str = "") -> Markup:
    """Show a time to the second, with the full time for machines beside it, and what a clock in ``zone`` showed."""
    if value is None:
        return Markup('<span class="nil">—</span>')
    if text.instant(value) is None:
        return evidence(value)
    shown = Markup('<time datetime="{}">{}</time>{}').format(text.neutral(value), text.when(value), behind)
    return shown + _local(None if zone is None else zone.beside(value))


def span(first: str | None, last: str | None, zone: Zone | None = None) -> Markup:
    """Show a range of time in one line."""
    shown = escape(text.neutral(text.span(first, last)))
    local = None if zone is None else zone.span(first, last)
    return shown if zone is None or local is None else shown + _local(f"· {zone.name} {local}")


def exact(value: str, zone: Zone | None = None) -> Markup:
    """Show a time with all its decimals."""
    return escape(text.neutral(text.exact(value))) + _local(None if zone is None else zone.beside(value))


def _local(shown: str | None) -> Markup:
    return Markup("") if shown is None else Markup(' <span class="local">{}</span>').format(shown)


def moments(mapping: Mapping[str, object]) -> list[tuple[str, str | None]]:
    """Return the entries of a mapping as (words, text); its keys are the program's own."""
    return [(key.replace("_", " "), None if item is None else str(item)) for key, item in mapping.items()]
