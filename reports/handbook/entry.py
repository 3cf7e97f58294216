"""One entry of the handbook."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What people ask about one kind or finding.

    ``key`` is the word of the result; ``told`` says by what the program tells it, ``check`` what to look at or do,
    ``beware`` what it does not mean. ``source`` names the sections of `docs/sources.md`.
    """

    key: str
    title: str
    means: str
    told: str
    check: tuple[str, ...]
    beware: tuple[str, ...]
    source: str


def pieces(text: str) -> tuple[tuple[bool, str], ...]:
    """Split a text at its backticks: (is it to be read letter by letter, the piece)."""
    return tuple((bool(number % 2), part) for number, part in enumerate(text.split("`")) if part)
