"""What exported rules answer: which rule an id means, what the profiles are set to, and which rules name a service.

Only a rule store shows the rules: a state shows what is in force (REFERENCE 12). A store is of the moment when it was
exported, as a state is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from analyzer import cells, frames
from analyzer.model import Problem
from analyzer.wfp import origins
from analyzer.wfp import rules as vocabulary
from analyzer.wfp import services as wfp_services

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PART_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "port": ("protocol", "local_ports", "remote_ports", "icmp"),
    "address": ("local_addresses", "remote_addresses"),
    "application": ("program", "package"),
    "service": ("service",),
    "interface": ("interfaces",),
    "interface-type": ("interface_types",),
    "security": ("local_user", "remote_user", "remote_machine"),
}


def join(rules: pd.DataFrame, parts: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """Put what PowerShell's filter objects tell onto their rules, by id; the rules' frame stays otherwise as it is.

    Filters of equal id that tell different things (lists of several hosts or stores) are put onto no rule.
    """
    if parts.empty or rules.empty:
        return rules, _strays(parts) if rules.empty else ()
    told: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in parts.to_dict("records"):
        for part in row["known"] or ():
            said = {column: row[column] for column in _PART_COLUMNS[part]}
            told.setdefault((str(row["rule_id"]).casefold(), part), []).append(said)
    columns: dict[str, list[Any]] = {column: rules[column].tolist() for column in frames.RULE_PARTS}
    unclear = 0
    for at, (rule_id, known) in enumerate(zip(columns["rule_id"], columns["known"], strict=True)):
        found = []
        for part in vocabulary.PARTS:
            values = told.get((str(rule_id).casefold(), part))
            if values is None or part in (known or ()):
                continue
            if any(repr(other) != repr(values[0]) for other in values):
                unclear += 1
                continue
            found.append(part)
            for column, value in values[0].items():
                columns[column][at] = value
        columns["known"][at] = tuple(part for part in vocabulary.PARTS if part in (known or ()) or part in found)
    out = rules.copy()
    for column, dtype in frames.RULE_PARTS.items():
        data = [None if dtype != frames.OBJECT and pd.isna(v) else v for v in columns[column]]
        out[column] = pd.Series(data, dtype=dtype, index=out.index)
    listed = set(rules["rule_id"].str.casefold())
    problems = list(_strays(parts[~parts["rule_id"].str.casefold().isin(listed)]))
    if unclear:
        what = f"{unclear:,} times the filters of one rule id tell different things: left unknown"
        problems.append(Problem(None, None, "doubtful", what))
    return out, tuple(problems)


def _strays(parts: pd.DataFrame) -> tuple[Problem, ...]:
    return tuple(
        Problem(str(name), None, "note", f"{count:,} filter objects belong to rules that no file here lists")
        for name, count in Counter(parts["input"]).items()
    )


# --------------------------------------------------------------------------------------------------------------
# Profiles


@dataclass(frozen=True, slots=True)
class Settings:
    """A profile's settings as far as the files tell; None: not known.

    ``source`` is the store that each of them is from; ``default`` where the local store leaves it to Windows.
    """

    profile: str
    firewall: bool | None
    inbound: str | None
    outbound: str | None
    shielded: bool | None
    local_merge: bool | None
    source: Mapping[str, str]


# What holds where neither policy nor the local store sets it (netfw.h: INetFwPolicy2, default actions).
_DEFAULTS: Final[dict[str, Any]] = {"firewall": True, "inbound": "block", "outbound": "allow", "shielded": False}
_POLICIES: Final = ("group-policy", "mdm")


def effective_settings(profiles: pd.DataFrame) -> dict[str, Settings]:
    """Return profile -> its settings: policies before the local store; policies that disagree leave it unknown."""
    return {name: _settings(name, profiles[profiles["profile"] == name]) for name in vocabulary.PROFILES}


def _settings(name: str, rows: pd.DataFrame) -> Settings:
    values: dict[str, Any] = {}
    source: dict[str, str] = {}
    has_local = bool((rows["store"] == "local").any())
    has_policy = bool(rows["store"].isin(_POLICIES).any())
    for column in (*_DEFAULTS, "local_merge"):
        by_policy = [(v, s) for v, s in zip(rows[column], rows["store"], strict=True) if s in _POLICIES and _set(v)]
        others = [(v, s) for v, s in zip(rows[column], rows["store"], strict=True) if s not in _POLICIES and _set(v)]
        found = by_policy or (others if column != "local_merge" or not has_policy else [])
        if len({value for value, _ in found}) == 1:
            values[column], store = found[0]
            source[column] = cells.text(store) or "unknown store"
        elif not found and has_local and column in _DEFAULTS:
            values[column], source[column] = _DEFAULTS[column], "default"
        elif not found and has_policy and column == "local_merge":
            values[column], source[column] = True, "default"
    return Settings(
        name,
        values.get("firewall"),
        values.get("inbound"),
        values.get("outbound"),
        values.get("shielded"),
        values.get("local_merge"),
        source,
    )


def _set(value: object) -> bool:
    return isinstance(value, (bool, str))


# --------------------------------------------------------------------------------------------------------------
# Which rule?


@dataclass(frozen=True, slots=True)
class Resolution:
    """The rules that an id means, as rows (positions) of the rules' frame; empty where no file lists it."""

    rows: tuple[int, ...]
    why: str


def resolve(rules: pd.DataFrame, rule_id: str | None, store: str | None = None) -> Resolution:
    """Find the rules of an id from an origin or a 494x event.

    Parameters
    ----------
    rules
        ``frames.RULES`` of one host.
    rule_id
        the id as it is written there; compared without case.
    store
        a store where one is known (``static-hardening`` for filters of the hardening sublayer): rules of others
        count only where this one has none of that id.
    """
    value = origins.clean(rule_id or "").casefold()
    if not value:
        return Resolution((), "no rule is named")
    ids = rules["rule_id"].astype("str").str.casefold().to_numpy()
    rows = tuple(int(at) for at in (ids == value).nonzero()[0])
    if not rows:
        return Resolution((), "no exported rule store lists this id")
    wanted = tuple(at for at in rows if rules["store"].iloc[at] == store) if store is not None else ()
    chosen = wanted or rows
    stores = sorted({cells.text(rules["store"].iloc[at]) or "an unknown store" for at in chosen})
    if len(chosen) == 1:
        return Resolution(chosen, vocabulary.STORES.get(stores[0], "a rule of an unknown store"))
    return Resolution(chosen, f"{len(chosen)} rules have this id ({', '.join(stores)})")


# --------------------------------------------------------------------------------------------------------------
# Is there a rule for this service?


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """One rule that names a service. ``by`` says how: its service field, or its user condition."""

    row: int
    rule_id: str
    name: str | None
    store: str | None
    action: str | None
    direction: str | None
    active: bool | None
    profiles: tuple[str, ...] | None
    by: str


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """The answer for one service.

    ``rules`` name it; ``any_service`` are rows of active rules for all services (``*``); ``misnamed`` are rows of
    rules whose service field holds its display name, which matches nothing; ``known`` is False where some rules of
    the store come without their service field, so that an empty answer proves nothing.
    """

    service: str
    rules: tuple[ServiceRule, ...]
    any_service: tuple[int, ...]
    misnamed: tuple[int, ...]
    known: bool
    answer: str


def rules_for_service(rules: pd.DataFrame, name: str, display_name: str | None = None) -> ServiceRules:
    """Say which rules name a service, by its short name; an instance of a per-user service also by its template's."""
    wanted = {name.lower(), wfp_services.template_name(name).lower()}
    sid = wfp_services.service_sid(name)
    found: list[ServiceRule] = []
    any_service: list[int] = []
    misnamed: list[int] = []
    known = True
    columns = rules[["service", "local_user", "active", "known"]]
    for row, (service, user, active, parts) in enumerate(columns.itertuples(index=False, name=None)):
        known = known and "service" in (parts or ())
        text = service.strip().lower() if isinstance(service, str) else ""
        if text in wanted:
            found.append(_service_rule(rules, row, "service"))
        elif isinstance(user, str) and sid in user.upper():
            found.append(_service_rule(rules, row, "local user"))
        elif text == "*" and active is True:
            any_service.append(row)
        elif text and display_name is not None and text == display_name.strip().lower():
            misnamed.append(row)
    return ServiceRules(
        name, tuple(found), tuple(any_service), tuple(misnamed), known, _answer(name, found, misnamed, known=known)
    )


def _service_rule(rules: pd.DataFrame, row: int, by: str) -> ServiceRule:
    item = rules.iloc[row]
    return ServiceRule(
        row,
        str(item["rule_id"]),
        cells.text(item["name"]),
        cells.text(item["store"]),
        cells.text(item["action"]),
        cells.text(item["direction"]),
        item["active"] if isinstance(item["active"], bool) else None,
        item["profiles"],
        by,
    )


def _answer(name: str, found: Sequence[ServiceRule], misnamed: Sequence[int], *, known: bool) -> str:
    """Say it in one or two sentences."""
    if not found:
        if not known:
            return f"No rule that tells its service names {name}; other rules were exported without it."
        wrong = " A rule names its display name instead of its short name, which matches nothing." if misnamed else ""
        return f"No exported rule names {name}.{wrong}"
    counted = Counter(_words(rule) for rule in found)
    listed = "; ".join(f"{count} {words}" if count > 1 else words for words, count in counted.items())
    noun = "rule names" if len(found) == 1 else "rules name"
    return f"{len(found)} exported {noun} {name}: {listed}."


def _words(rule: ServiceRule) -> str:
    state = {True: "enabled", False: "disabled"}.get(rule.active, "of unknown state") if rule.active is not None else ""
    scope = ""
    if rule.profiles is not None and len(rule.profiles) < len(vocabulary.PROFILES):
        scope = f", profiles {', '.join(rule.profiles) or 'none'}"
    where = f" ({rule.store})" if rule.store is not None else ""
    return f"{rule.action or 'unknown action'} {rule.direction or ''}".strip() + (
        f", {state or 'of unknown state'}{scope}{where}"
    )
