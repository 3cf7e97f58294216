"""Which computers a page and the summary name: one file may hold many, and a selection may leave few of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reports import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Analysis, HostState
    from analyzer.reviewmodel import Review

BETWEEN: Final = ", "  # an input with many computers names them so
MOST_NAMED: Final = 3
# A selection says its terms by name, in order: `analyzer.selection`; the computers come last.
_ASKED: Final = re.compile(r"(?:^|, )computer (.+)$", re.DOTALL)


def computers(analysis: Analysis | Review) -> tuple[str, ...]:
    """Return the computers that the inputs name, in the order of the inputs; of a selection only those asked for."""
    names = dict.fromkeys(name for item in analysis.inputs for name in (item.computer or "").split(BETWEEN) if name)
    asked = _asked(analysis)
    return tuple(name for name in names if not asked or _meant(name, asked)) or asked


def named(names: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Return the computers that a line names, and how many it only counts; one alone is never only counted."""
    most = MOST_NAMED + 1 if len(names) == MOST_NAMED + 1 else MOST_NAMED
    return tuple(names[:most]), max(0, len(names) - most)


def judged(analysis: Analysis) -> tuple[HostState, ...]:
    """Return what is said of the computers' states; of a selection only those asked for."""
    asked = _asked(analysis)
    hosts = analysis.coverage.hosts
    return tuple(host for host in hosts if host.computer and _meant(host.computer, asked)) if asked else hosts


def shown(name: str | None, longest: int = 40) -> str:
    """Return a computer's name for a line of plain text."""
    return "events that name no computer" if name is None else text.middle(text.neutral(name[:200]), longest)


def _asked(analysis: Analysis | Review) -> tuple[str, ...]:
    selection = getattr(analysis, "selection", None)
    found = None if selection is None else _ASKED.search(selection.words)
    return () if found is None else tuple(found[1].split(" or "))


def _meant(name: str, asked: Sequence[str]) -> bool:
    """Tell whether a computer is asked for; without a domain the first labels are compared."""
    for item in asked:
        whole = "." in item and "." in name
        one, other = (name, item) if whole else (name.partition(".")[0], item.partition(".")[0])
        if one.casefold() == other.casefold():
            return True
    return False
