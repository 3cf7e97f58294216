"""What the first screen says: the answer, the timeline, the programs, the selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.model.words import Action, Kind


@dataclass(frozen=True, slots=True)
class KindCount:
    """How much of one kind was seen."""

    kind: Kind
    action: Action
    count: int
    attempts: int
    flows: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The first screen: one sentence, and the counts that it rests on."""

    sentence: str
    trust: str
    blocks: int
    drops: int
    permits: int
    block_attempts: int
    kinds: tuple[KindCount, ...]


@dataclass(frozen=True, slots=True)
class TimelineSeries:
    """One line of the timeline."""

    kind: Kind
    action: Action
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Blocks and drops per bin and kind; ``series[i].counts`` has ``len(bins)`` entries."""

    first: str | None
    last: str | None
    step_seconds: int
    bins: tuple[str, ...]
    series: tuple[TimelineSeries, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """One program on one computer, all its flows together."""

    computer: str | None
    application: str | None
    blocks: int
    attempts: int
    drops: int
    permits: int
    flows: int
    kinds: tuple[tuple[Kind, int], ...]
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Selected:
    """What was asked for, in words, and how many of all events fit. ``sentence`` says it, and what is left out."""

    words: str
    shown: int
    total: int
    sentence: str
