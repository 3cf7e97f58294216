"""The exported rules of a case, per computer: which rule an id means, and whether a state has filters of it.

An export names no computer. With one computer in the case it is of that one; with several it is of the computer whose
log or state lies in the same folder. Where that does not tell, the export is used for none, and said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from analyzer import cells, frames, ruleplumbing, rulestore
from analyzer.hosts import first_label
from analyzer.model import Problem
from analyzer.wfp import rules as vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from analyzer.readers.evtx import EvtxLog
    from analyzer.readers.rules import RuleExport
    from analyzer.ruleplumbing import Situation
    from analyzer.states import Book, Snapshot
    from analyzer.wfp.events import Table

PROFILE_NUMBERS: Final[dict[int, str]] = {1: "public", 2: "private", 3: "domain"}  # REFERENCE 1.2
PROFILE_TEXTS: Final = frozenset(str(number) for number in PROFILE_NUMBERS)
PROFILE_FIELDS: Final = ("ORIGINAL_PROFILE_ID", "CURRENT_PROFILE_ID")
# Filters of the defaults stand for every profile, those of rules for the profiles in force alone (REFERENCE 12).
RULE_LIKE: Final = ("ALE_APP_ID", "ALE_USER_ID", "IP_REMOTE_PORT", "IP_LOCAL_PORT")
RULE_SUBLAYERS: Final = frozenset({"MPSSVC_WF", "MPSSVC_WSH", "MPSSVC_APP_ISOLATION"})
DEFAULT_LAYERS: Final = {"outbound": "ALE_AUTH_CONNECT_V4", "inbound": "ALE_AUTH_RECV_ACCEPT_V4"}
NOT_APPLIED: Final = (4957, 4958)
UNTOLD: Final = "{} is of a computer that cannot be told: put it into the folder of that computer's log"


@dataclass(frozen=True, slots=True)
class Store:
    """The rules and profiles of one computer, united and with their parts."""

    rules: pd.DataFrame
    profiles: pd.DataFrame
    not_applied: Mapping[str, str | None] = field(default_factory=dict)
    profile: str | None = None  # the one network profile that all events of the log name


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Host (first label of the computer's name) -> its store."""

    stores: Mapping[str, Store] = field(default_factory=dict)

    def of(self, computer: str | None) -> Store | None:
        """Return the store of a computer, or None."""
        return self.stores.get(first_label(computer))


def bind(
    exports: Sequence[RuleExport],
    logs: Sequence[tuple[str, EvtxLog]],
    tables: Mapping[Table, pd.DataFrame],
    computers: Sequence[str | None],
) -> tuple[Rulebook, tuple[Problem, ...]]:
    """Give each export to its computer and unite the exports of each."""
    problems: list[Problem] = []
    labels = sorted({first_label(name) for name in computers}) or [""]
    by_host: dict[str, list[RuleExport]] = {}
    for export in exports:
        name = _name(export)
        host = labels[0] if len(labels) == 1 else _neighbour(name, logs)
        if host is None:
            problems.append(Problem(name, None, "note", UNTOLD.format("this rule store")))
        else:
            by_host.setdefault(host, []).append(export)
    stores = {}
    for host, own in by_host.items():
        rules, lost = rulestore.join(
            frames.concat([item.rules for item in own], frames.RULES),
            frames.concat([item.parts for item in own], frames.RULE_PARTS),
        )
        problems.extend(lost)
        profiles = frames.concat([item.profiles for item in own], frames.FIREWALL_PROFILES)
        not_applied = _not_applied(tables["rule_change"], host)
        stores[host] = Store(rules.reset_index(drop=True), profiles, not_applied, _one_profile(tables["wfp"], host))
    return Rulebook(stores), tuple(problems)


def _name(export: RuleExport) -> str:
    parts = (export.rules, export.profiles, export.parts)
    return next((str(frame["input"].iloc[0]) for frame in parts if len(frame)), "")


def _folder(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[0]


def _neighbour(name: str, logs: Sequence[tuple[str, EvtxLog]]) -> str | None:
    """Return the one host of the logs in the same folder, or None."""
    found = {first_label(host) for log, read in logs if _folder(log) == _folder(name) for host in read.computers}
    return found.pop() if len(found) == 1 else None


def _not_applied(changes: pd.DataFrame, host: str) -> dict[str, str | None]:
    """Return the rule ids that 4957 and 4958 name, each with the event's reason."""
    part = changes[changes["event_id"].isin(list(NOT_APPLIED))]
    columns = (cells.texts(part[name]) for name in ("computer", "rule_id", "rule_attr"))
    return {
        rule_id: detail
        for computer, rule_id, detail in zip(*columns, strict=True)
        if rule_id and first_label(computer) == host
    }


def _one_profile(events: pd.DataFrame, host: str) -> str | None:
    """Return the profile that the host's events name, where it is one and its text is known (REFERENCE 1.2)."""
    own = [name for name in events["computer"].cat.categories if first_label(name) == host]
    said = events.loc[events["computer"].isin(own), "current_profile"].dropna().unique()
    texts = {str(text).strip().lower() for text in said}
    found = {PROFILE_NUMBERS.get(int(text), "") if text in PROFILE_TEXTS else text for text in texts}
    return found.pop() if len(found) == 1 and found <= set(vocabulary.PROFILES) else None


# --------------------------------------------------------------------------------------------------------------
# In force?


def situation(store: Store, book: Book, snapshot: Snapshot | None, changes: pd.DataFrame, host: str) -> Situation:
    """Gather what is known of the moment of a state; without one, what the store alone tells."""
    settings = rulestore.effective_settings(store.profiles)
    if snapshot is None:
        return ruleplumbing.Situation(None, {}, settings, store.not_applied)
    of_log = None if store.profile is None else frozenset({store.profile})
    profiles = _profiles(book, snapshot) or _last_profile(changes, host, snapshot) or of_log
    return ruleplumbing.Situation(profiles, _defaults(book, snapshot), settings, store.not_applied)


def _profiles(book: Book, snapshot: Snapshot) -> frozenset[str] | None:
    """Return the profiles that filters made from rules name.

    The firewall's own filters for pairs of profiles are there whatever profile is in force; they carry -1 where others
    carry the number of their rule (measured in four states).
    """
    found: set[str] = set()
    numbers = book.filters["provider_data"]
    for row in snapshot.rows:
        if not (cells.text(numbers.iloc[row]) or "").lower().strip("f"):
            continue
        tests = book.tests.get(row, ())
        about = [t.value for t in tests if t.field in PROFILE_FIELDS and t.match == "EQUAL"]
        if not about or book.filters["sublayer"].iloc[row] not in RULE_SUBLAYERS:
            continue
        if any(t.field in RULE_LIKE for t in tests):
            found.update(PROFILE_NUMBERS[v] for v in about if isinstance(v, int) and v in PROFILE_NUMBERS)
    return frozenset(found) or None


def _last_profile(changes: pd.DataFrame, host: str, snapshot: Snapshot) -> frozenset[str] | None:
    """Return the profile that the last 4956 before the state names, where its text is one of the three."""
    if snapshot.time is None:
        return None
    part = changes[(changes["event_id"] == 4956) & (changes["time"] <= snapshot.time)]
    part = part[part["computer"].map(first_label, na_action="ignore").astype("object") == host].sort_values("time")
    text = cells.text(part["active_profile"].iloc[-1]) if len(part) else None
    name = (text or "").strip().lower()
    return frozenset({name}) if name in vocabulary.PROFILES else None


def _defaults(book: Book, snapshot: Snapshot) -> dict[str, str]:
    """Return direction -> block or allow, as the state's default filters show it; only a whole state shows "allow"."""
    part = book.filters.iloc[snapshot.rows.start : snapshot.rows.stop]
    out = {}
    for direction, layer in DEFAULT_LAYERS.items():
        here = part[(part["layer"] == layer) & (part["sublayer"] == "MPSSVC_WF")]
        blocks = bool((here["kind"].eq(f"default-{direction}") & here["action"].eq("block")).any())
        if blocks:
            out[direction] = "block"
        elif len(here) and snapshot.whole and snapshot.kind == "wfpstate":
            out[direction] = "allow"
    return out


def in_state(store: Store, rows: Sequence[int], book: Book, snapshot: Snapshot | None, now: Situation) -> pd.DataFrame:
    """Return ``ruleplumbing.plumbing`` of some rules in one state; without a state, of none of its filters."""
    rules = store.rules.iloc[list(rows)].reset_index(drop=True)
    if snapshot is None:
        return ruleplumbing.plumbing(rules, frames.empty(frames.FILTERS), frames.empty(frames.CONDITIONS), now)
    span = snapshot.rows
    filters = book.filters.iloc[span.start : span.stop]
    own = (book.conditions["filter_row"] >= span.start) & (book.conditions["filter_row"] < span.stop)
    return ruleplumbing.plumbing(rules, filters, book.conditions[own], now)
