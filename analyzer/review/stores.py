"""Rules of exported stores, compared by rule id and store: what was changed, whatever is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analyzer import cells, rulestore
from analyzer.review import values
from analyzer.reviewmodel import Change, Difference, Limit, RuleSide
from analyzer.wfp import protocols
from analyzer.wfp.rules import HARDENING, PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from analyzer.review.sides import Store

_SHIPPED: Final = HARDENING | {"app-isolation", "hardcoded"}
# Column, the part of an export that tells it (None: every export does), and words.
COLUMNS: Final[tuple[tuple[str, str | None, str], ...]] = (
    ("name", None, "name"),
    ("active", None, "enabled"),
    ("action", None, "action"),
    ("direction", None, "direction"),
    ("profiles", None, "profiles"),
    ("program", "application", "program"),
    ("package", "application", "app package"),
    ("service", "service", "service"),
    ("protocol", "port", "protocol"),
    ("local_ports", "port", "local port"),
    ("remote_ports", "port", "remote port"),
    ("icmp", "port", "ICMP type"),
    ("local_addresses", "address", "local address"),
    ("remote_addresses", "address", "remote address"),
    ("interfaces", "interface", "interfaces"),
    ("interface_types", "interface-type", "interface types"),
    ("local_user", "security", "local user"),
    ("remote_user", "security", "remote user"),
    ("remote_machine", "security", "remote machine"),
    ("owner", None, "owner"),
    ("edge", None, "edge traversal"),
    ("group", None, "group"),
)
_CONDITIONS: Final = frozenset(name for name, part, _ in COLUMNS if part is not None) | {"profiles"}
# A setting of a profile beside its two defaults.
SETTINGS: Final[tuple[tuple[str, str, tuple[str, str]], ...]] = (
    ("firewall", "firewall", ("off", "on")),
    ("shielded", "block all incoming connections", ("off", "on")),
    ("local_merge", "rules of this computer apply", ("no", "yes")),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Changes of rules, with the row of each rule on both sides (-1: none), and sentences about what was left out."""

    changes: tuple[tuple[Change, int, int], ...]
    said: tuple[str, ...]


def compared(before: Store, after: Store) -> Compared:
    """Compare the rules of two stores."""
    one, two = (store.rules.to_dict("records") for store in (before, after))
    held = [{cells.text(row["store"]) for row in rows} - {None} for rows in (one, two)]
    said = [
        f"{role} holds no rules of the store “{name}”, which the other side holds: they were not compared"
        for role, own, other in (("BEFORE", held[0], held[1]), ("AFTER", held[1], held[0]))
        for name in sorted(str(store) for store in other - own)
        if own
    ]
    shared = held[0] & held[1] if held[0] and held[1] else held[0] | held[1]
    changes = []
    for first, second, doubt in _pairs(one, two, shared):
        change = _change(one[first] if first >= 0 else None, two[second] if second >= 0 else None, doubt)
        if change is not None:
            changes.append((change, first, second))
    return Compared(tuple(changes), tuple(said))


def _pairs(
    one: Sequence[Mapping[Any, Any]], two: Sequence[Mapping[Any, Any]], shared: set[str | None]
) -> list[tuple[int, int, str]]:
    """Return rows of one id, and of one store where both tell it; -1 where a side has none."""
    by_id: dict[str, tuple[list[int], list[int]]] = {}
    for side, rows in enumerate((one, two)):
        for at, row in enumerate(rows):
            store = cells.text(row["store"])
            if store is None or store in shared:
                by_id.setdefault(str(row["rule_id"]).casefold(), ([], []))[side].append(at)
    out: list[tuple[int, int, str]] = []
    for ours, theirs in by_id.values():
        left = list(theirs)
        several = len(ours) > 1 and len(theirs) > 1
        for at in ours:
            found = [n for n in left if _one_store(one[at], two[n])]
            found.sort(
                key=lambda n: (one[at]["store_name"] != two[n]["store_name"], _change(one[at], two[n], "") is not None)
            )
            if not found:
                out.append((at, -1, ""))
                continue
            left.remove(found[0])
            same = several and len([n for n in found if one[at]["store_name"] == two[n]["store_name"]]) > 1
            out.append((at, found[0], "several rules of one store have this id" if same else ""))
        out.extend((-1, n, "") for n in left)
    return out


def _one_store(one: Mapping[Any, Any], two: Mapping[Any, Any]) -> bool:
    first, second = cells.text(one["store"]), cells.text(two["store"])
    return first is None or second is None or first == second


def _change(one: Mapping[Any, Any] | None, two: Mapping[Any, Any] | None, doubt: str) -> Change | None:
    row = two if two is not None else one
    if row is None:
        return None
    differences = _differences(one, two) if one is not None and two is not None else ()
    if one is not None and two is not None and not differences:
        return None
    before, after = (None if side is None else side_of(side) for side in (one, two))
    name = cells.text(row["name"]) or ""
    name = str(row["rule_id"]) if name in ("", "-") else name
    if before is not None and after is not None:
        said = "; ".join(f"{d.words} {values.listed(d.before)} → {values.listed(d.after)}" for d in differences)
        what, words = "changed", f"rule “{name}”: {said}"
    else:
        what = "added" if before is None else "removed"
        words = f"rule “{name}” {what}: {(after or before).words}"  # type: ignore[union-attr]
    return Change(
        what=what,  # type: ignore[arg-type]
        part="windows-rule" if row["store"] in _SHIPPED else "rule",
        source="store",
        rule=name,
        rule_id=str(row["rule_id"]),
        before=before,
        after=after,
        differences=differences,
        words=words,
        ambiguous=bool(doubt),
        why=doubt or None,
    )


def _differences(one: Mapping[Any, Any], two: Mapping[Any, Any]) -> tuple[Difference, ...]:
    out = []
    for column, part, words in COLUMNS:
        if part is not None and not (part in (one["known"] or ()) and part in (two["known"] or ())):
            continue
        first, second = _plain(one[column]), _plain(two[column])
        if part is None and (first is None or second is None):
            continue  # one of the exports does not tell
        if column == "name" and (str(first).startswith("@") != str(second).startswith("@")):
            continue  # one export looked the name up
        if _compared(column, first) != _compared(column, second):
            out.append(Difference(column, words, _words(column, first), _words(column, second)))
    return tuple(out)


def _plain(value: Any) -> Any:
    """Return a cell as a plain value, missing as None."""
    if isinstance(value, (tuple, list)):
        return tuple(str(item) for item in value)
    if isinstance(value, (bool, str)) or value is None:
        return value
    return cells.number(value)


def _compared(column: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return frozenset(item.casefold() for item in value)
    return value.casefold() if isinstance(value, str) and column != "name" else value


def _words(column: str, value: Any) -> tuple[str, ...]:
    if value is None or value == ():
        return ("any",)
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    if column == "profiles" and set(value) == set(PROFILES):
        return ("any",)
    if column == "protocol":
        return (protocols.protocol_name(value) or str(value),)
    return tuple(value) if isinstance(value, tuple) else (str(value),)


def side_of(row: Mapping[Any, Any]) -> RuleSide:
    """Describe one rule of a store."""
    conditions = []
    for column, part, words in COLUMNS:
        known = part is None or part in (row["known"] or ())
        value = _plain(row[column])
        if column in _CONDITIONS and known and value not in (None, ()):
            shown = _words(column, value)
            if shown != ("any",):
                conditions.append(Limit(column, words, shown, len(shown)))
    action, direction = cells.text(row["action"]), cells.text(row["direction"])
    told = [f"{limit.words} {values.listed(limit.values)}" for limit in conditions]
    state = {True: "", False: "disabled"}.get(row["active"], "") if isinstance(row["active"], bool) else ""
    head = " ".join(word for word in (action, direction) if word) or "a rule"
    return RuleSide(
        name=cells.text(row["name"]),
        rule_id=str(row["rule_id"]),
        store=cells.text(row["store"]),
        enabled=row["active"] if isinstance(row["active"], bool) else None,
        action=action,
        direction=direction,
        provider=None,
        sublayer=None,
        layers=(),
        weight=None,
        conditions=tuple(conditions),
        filters=0,
        filter_ids=(),
        words=", ".join([part for part in (head, state) if part] + told),
    )


# ------------------------------------------------------------------------------------------------------- settings


def turned(before: Store, after: Store) -> list[tuple[str, str, str, str]]:
    """Return direction, profile, and the defaults of both sides where stores tell both and they differ."""
    one, two = (rulestore.effective_settings(store.profiles) for store in (before, after))
    out = []
    for direction in ("inbound", "outbound"):
        for profile in PROFILES:
            first, second = getattr(one[profile], direction), getattr(two[profile], direction)
            if first is not None and second is not None and first != second:
                out.append((direction, profile, first, second))
    return out


def settings(before: Store, after: Store) -> Iterable[Change]:
    """Yield changes of a profile's other settings."""
    one, two = (rulestore.effective_settings(store.profiles) for store in (before, after))
    for column, words, names in SETTINGS:
        for profile in PROFILES:
            first, second = getattr(one[profile], column), getattr(two[profile], column)
            if first is None or second is None or first == second:
                continue
            title = f"{words}, {profile} profile"
            yield Change(
                what="default",
                part="default",
                source="store",
                rule=title,
                rule_id=None,
                before=names[first],
                after=names[second],
                differences=(),
                words=f"{title}: {names[first]} → {names[second]}",
            )


def rows_named(rules: pd.DataFrame, name: str, rule_id: str | None) -> list[int]:
    """Return the rows of rules that have this id or this name."""
    wanted = (rule_id or "").casefold()
    pairs = zip(rules["rule_id"].tolist(), rules["name"].tolist(), strict=True)
    return [
        at
        for at, (one, two) in enumerate(pairs)
        if (wanted and str(one).casefold() == wanted) or (name and two == name)
    ]
