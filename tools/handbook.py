"""The pages on kinds, findings and certainty as Markdown, from the texts that the report shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reports import glossary, words
from reports.handbook import FINDINGS, KINDS, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.handbook import Entry
    from reports.words import Word

_MADE: Final = "This page is made from the texts of the program by `make docs`; the report shows the same ones."
_NUMBER: Final = re.compile(r"REFERENCE ([0-9., -]+)")


def kinds() -> str:
    """Return the page on kinds of blocks."""
    parts = [
        "# Kinds of blocks\n",
        f"A *kind* says what blocked. {_MADE} Numbers behind *Source* are sections of [the sources](sources.md).\n",
    ]
    for group, title in words.GROUPS.items():
        parts.append(f"## {title}\n")
        for kind, word in words.KINDS.items():
            if word.group == group:
                parts += _entry(KINDS[kind], "###", f"`{kind}`")
    return "\n".join(parts)


def findings() -> str:
    """Return the page on findings."""
    parts = [
        "# Findings\n",
        (
            f"A *finding* is a diagnosis over many blocks: why, on which evidence, what to do. {_MADE} Each "
            "kind of block that is there makes a finding, too: those are explained under [kinds](kinds.md).\n"
        ),
    ]
    for key, entry in FINDINGS.items():
        parts += _entry(entry, "##", f"`{key}`")
    return "\n".join(parts)


def certainty() -> str:
    """Return the page on what is sure, and what no report can know."""
    parts = [
        "# How sure it is\n",
        f"{_MADE} How the evidence is put together: [how the diagnosis works](diagnosis.md).\n",
        "## Grades: what the kind of a block rests on\n",
        "The best one first. A grade speaks of one block, a confidence of a finding over many.\n",
        _table("grade", ((f"`{grade}`", word.means) for grade, word in words.GRADES.items())),
        "## Confidence of a finding\n",
        _table("confidence", ((f"`{key}`", word.means) for key, word in words.CONFIDENCE.items())),
        "## Does the state belong to the log?\n",
        _table("answer", ((f"`{key}`", word.means) for key, word in words.STATE_FITS.items())),
        "## What could not be read\n",
        _table("problem", ((f"`{key}`", word.means) for key, word in words.PROBLEM_SEVERITY.items())),
        "## What no report from these files can know\n",
        *(_limit(word) for word in glossary.LIMITS),
    ]
    return "\n".join(parts)


def _entry(entry: Entry, level: str, key: str) -> Iterator[str]:
    yield f"{level} {_text(entry.title)}\n"
    yield f"{key}. {_text(entry.means)}\n"
    yield f"**How it is told.** {_text(entry.told)}\n"
    for title, items in (("What to look at", entry.check), ("Beware", entry.beware)):
        yield f"**{title}**\n"
        yield "\n".join(f"- {_text(item)}" for item in items) + "\n"
    yield f"*Source: {entry.source}.*\n"


def _limit(word: Word) -> str:
    numbers = _NUMBER.search(word.source)
    source = f" *Source: {numbers[1].strip(' ,')}.*" if numbers else ""
    return f"- **{_text(word.title)}.** {_text(word.means)}{source}"


def _table(head: str, rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join([f"| {head} | meaning |", "|---|---|", *(f"| {key} | {_text(text)} |" for key, text in rows), ""])


def _text(text: str) -> str:
    """Return a text as Markdown; what stands between backticks stays as it is."""
    return "".join(f"`{part}`" if code else re.sub(r"([\\*_<>|\[\]])", r"\\\1", part) for code, part in pieces(text))
