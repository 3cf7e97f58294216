"""How much of a large result the page shows: a page that is too heavy is of no use, and the exports have all."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, cast

from reports import text

if TYPE_CHECKING:
    from analyzer.model import Analysis

MOST_BYTES: Final = 2_000_000  # of the page: it opens at once, and goes through a mail


@dataclass(frozen=True, slots=True)
class Limits:
    """The most rows of each table; ``xml`` is in characters, of all filters together."""

    flows: int = 500
    filters: int = 200
    programs: int = 200
    services: int = 200
    problems: int = 200
    rules: int = 200
    xml: int = 300_000

    def scaled(self, factor: float) -> Limits:
        """Return smaller limits, none of them nothing."""
        return Limits(**{item.name: max(1, int(getattr(self, item.name) * factor)) for item in fields(self)})


@dataclass(frozen=True, slots=True)
class Fit:
    """One way to make a page smaller: fewer rows, and where ``longest`` is given shorter texts."""

    factor: float
    longest: int | None = None

    def limits(self) -> Limits:
        """Return the limits of the tables."""
        return Limits().scaled(self.factor)

    def texts(self, analysis: Analysis) -> Analysis:
        """Return the result with no text longer than wanted; each says how much of it is left out."""
        return analysis if self.longest is None else cast("Analysis", _shorter(analysis, self.longest))


# Tried in turn until the page is small enough. Only texts that somebody made endless need the last ones.
FITS: Final = (Fit(1.0), Fit(0.7), Fit(0.4), Fit(0.2), Fit(0.2, 240), Fit(0.03, 100), Fit(0.03, 60))
_HEAVY: Final = 6  # times too large: fewer rows alone won't do


def next_fit(tried: int, size: int) -> int | None:
    """Return what to try after a page of so many bytes; None where it is small enough, or was the last."""
    if size <= MOST_BYTES or tried + 1 >= len(FITS):
        return None
    return max(tried + 1, 4) if size > _HEAVY * MOST_BYTES else tried + 1


def _shorter(value: Any, longest: int, name: str = "") -> Any:
    if isinstance(value, str):
        return value if len(value) <= longest else _cut(value, longest, name)
    if isinstance(value, (tuple, list)):
        return type(value)(_shorter(item, longest, name) for item in value)
    if isinstance(value, Mapping):
        return {key: _shorter(item, longest) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value, **{item.name: _shorter(getattr(value, item.name), longest, item.name) for item in fields(value)}
        )
    return value


def _cut(value: str, longest: int, name: str) -> str | None:
    if name == "xml":
        return None
    if name == "commands":  # half of a command is another command
        return f"# a command of {text.number(len(value))} characters is left out; the JSON result has it"
    return text.clip(value, longest)
