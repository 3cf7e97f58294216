"""What every diagnosis reads, and what it gives back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from analyzer import cells, frames
from analyzer.hosts import first_label
from analyzer.rulebook import Rulebook
from analyzer.services import Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analyzer.checks import Changes
    from analyzer.history import History
    from analyzer.markers import Markers
    from analyzer.model import Finding, Recording, ServiceAnswer
    from analyzer.model.engine import Agreement, Nearest
    from analyzer.pairing import Fit
    from analyzer.states import Book, Snapshot
    from analyzer.watch import Watched


# What diagnoses read of the events. Rows are taken again and again, and each column more costs as much again.
COLUMNS: Final = (
    *("input", "event_id", "record_id", "time", "computer", "application", "process_id", "protocol", "filter_rtid"),
    *("event_origin", "is_loopback", "original_profile", "current_profile", "action", "layer", "direction"),
    *("local_address", "remote_address", "local_raw_port", "remote_raw_port", "remote_port", "service_port"),
    *(
        "endpoint_order",
        "kind",
        "grade",
        "reasons",
        "filter_row",
        "services",
        "services_source",
        "service_key",
        "source",
        "user_sid",
        "user_source",
        "net_input",
        "net_entry",
        "flow",
        "attempt",
        "verdict",
    ),
)


@dataclass(frozen=True, slots=True)
class Context:
    """Resolved events with flows and attempts, the states, how they fit, and what changed meanwhile."""

    events: pd.DataFrame
    book: Book
    fits: tuple[Fit, ...]
    markers: Markers
    changes: Mapping[str | None, Changes]
    watch: Mapping[str | None, Watched]
    known: Known = field(default_factory=Known)  # lists of services
    rules: Rulebook = field(default_factory=Rulebook)  # exported rule stores
    rule_changes: pd.DataFrame = field(default_factory=lambda: frames.empty(frames.EVENT_SCHEMAS["rule_change"]))
    recording: tuple[Recording, ...] = ()  # per computer: whether blocks could be recorded
    agreement: Agreement | None = None  # the engine's answers against the records
    nearest: Mapping[int, tuple[Nearest, ...]] = field(default_factory=dict)  # verdict -> nearest allow rules
    past: History | None = None  # the log's own filter history

    @property
    def several(self) -> bool:
        """Whether there is more than one computer, so that each finding has to say whose it is."""
        told = {first_label(item.computer) for item in self.recording}
        return len((told | {first_label(name) for name in self.computers(self.events)}) - {""}) > 1

    @staticmethod
    def computers(events: pd.DataFrame) -> tuple[str | None, ...]:
        """Return the computers of these events, each once, in the order of their names."""
        names = {cells.text(name) for name in events["computer"].unique()}
        return tuple(sorted(names, key=lambda name: (name is None, name or "")))

    def titled(self, computer: str | None, finding: Finding) -> Finding:
        """Put the computer before a finding's title where there are several."""
        if not self.several or not computer:
            return finding
        return dataclasses.replace(finding, title=f"{computer}: {finding.title}")

    def state_at_hand(self, events: pd.DataFrame) -> bool:
        """Tell whether every computer of these events has a state that fits."""
        fitting = {fit.pairing.computer for fit in self.fits if fit.pairing.fits == "yes"}
        return fitting.issuperset(self.computers(events))

    def rules_at_hand(self, events: pd.DataFrame) -> bool:
        """Tell whether every computer of these events has an exported rule store."""
        stores = (self.rules.of(name) for name in self.computers(events))
        return all(store is not None and not store.rules.empty for store in stores)

    def fit_of(self, computer: str | None, state: str) -> Fit | None:
        """Return how one state relates to one computer."""
        same = (f for f in self.fits if f.pairing.computer == computer and f.pairing.state == state)
        return next(same, None)

    def best_snapshot(self, computer: str | None, events: pd.DataFrame) -> tuple[Snapshot, Fit] | None:
        """Return the state that says most about this computer: a fitting one first, then the nearest in time."""
        middle = cells.moment(events["time"].median()) if events["time"].notna().any() else None
        candidates = []
        for snapshot in self.book.snapshots:
            fit = self.fit_of(computer, snapshot.name)
            if fit is None or fit.excluded:
                continue
            taken = snapshot.taken
            away = abs(taken - middle) if taken is not None and middle is not None else 2**63
            candidates.append(((fit.pairing.fits != "yes", away), snapshot, fit))
        if not candidates:
            return None
        _, snapshot, fit = min(candidates, key=lambda item: item[0])
        return snapshot, fit


@dataclass(frozen=True, slots=True)
class Found:
    """One finding, and the verdicts (numbers of the events' column ``verdict``) that it rests on."""

    finding: Finding
    verdicts: frozenset[int] = frozenset()

    @classmethod
    def over(cls, finding: Finding, events: pd.DataFrame) -> Found:
        """Tie a finding to the verdicts of these events."""
        return cls(finding, frozenset(int(number) for number in events["verdict"].unique()))


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one diagnosis found, the rows of filters that it cites beyond the verdicts' own, and services' rules."""

    found: tuple[Found, ...]
    cited: frozenset[int] = frozenset()
    services: tuple[ServiceAnswer, ...] = ()
    claimed: frozenset[int] = frozenset()  # index of the events whose cause it tells, so that no other need to
