"""The rules that verdicts, findings and cited filters name, and what stores and states say of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analyzer import cells, rulebook, rulematch, rulestore
from analyzer.hosts import first_label
from analyzer.model import CitedRule, Rule, RuleInState
from analyzer.wfp import rules as vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from analyzer.model import CitedFilter, Finding, Verdict
    from analyzer.pairing import Fit
    from analyzer.rulebook import Rulebook, Store
    from analyzer.states import Book, Snapshot

    _Named = dict[str, list[tuple[int, dict[str, Any]]]]  # name -> row and rule


@dataclass(frozen=True, slots=True)
class Case:
    """What citing needs."""

    rulebook: Rulebook
    book: Book
    fits: tuple[Fit, ...]
    changes: pd.DataFrame  # of the table `rule_change`

    def snapshots(self, computer: str | None) -> list[Snapshot]:
        """Return the states that may speak for a computer."""
        label = first_label(computer)
        out = {
            fit.pairing.state for fit in self.fits if first_label(fit.pairing.computer) == label and not fit.excluded
        }
        return [item for item in self.book.snapshots if item.name in out]


def cite(case: Case, wanted: Iterable[tuple[str | None, str, str | None]]) -> tuple[CitedRule, ...]:
    """Resolve rule ids.

    Parameters
    ----------
    wanted : computer, rule id, and the store that the id must be of where the filter's sublayer tells it.

    Returns
    -------
    One entry per computer and id, in the order given; nothing where no store of that computer was handed in.
    """
    out: dict[tuple[str, str], CitedRule] = {}
    found: dict[str, dict[tuple[str, str], rulestore.Resolution]] = {}
    for computer, rule_id, hint in wanted:
        store, host = case.rulebook.of(computer), first_label(computer)
        key = (host, rule_id.casefold())
        if store is None or key in out:
            continue
        answer = rulestore.resolve(store.rules, rule_id, hint)
        found.setdefault(host, {})[key] = answer
        out[key] = CitedRule(rule_id, computer, len(answer.rows) > 1, answer.why, ())
    for host, answers in found.items():
        store = case.rulebook.stores[host]
        rows = sorted({row for answer in answers.values() for row in answer.rows})
        computer = next(item.computer for key, item in out.items() if key[0] == host)
        described = dict(zip(rows, describe(case, store, rows, computer), strict=True))
        for key, answer in answers.items():
            out[key] = dataclasses.replace(out[key], rules=tuple(described[row] for row in answer.rows))
    return tuple(out.values())


def describe(case: Case, store: Store, rows: Sequence[int], computer: str | None) -> list[Rule]:
    """Return these rules, each with what every state of the computer makes of it."""
    states: list[list[RuleInState]] = [[] for _ in rows]
    for snapshot in case.snapshots(computer) if rows else ():
        now = rulebook.situation(store, case.book, snapshot, case.changes, first_label(computer))
        made = rulebook.in_state(store, rows, case.book, snapshot, now)
        for at, (ids, reason, why) in enumerate(zip(made["filter_ids"], made["reason"], made["why"], strict=True)):
            states[at].append(RuleInState(snapshot.name, str(reason), str(why), tuple(ids)))
    return [_rule(store.rules.iloc[row], computer, tuple(said)) for row, said in zip(rows, states, strict=True)]


_TEXTS: Final = ("name", "store", "store_name", "group", "action", "direction", "program", "package", "service")
_TUPLES: Final = ("profiles", "local_ports", "remote_ports", "local_addresses", "remote_addresses")


def _rule(item: pd.Series, computer: str | None, states: tuple[RuleInState, ...]) -> Rule:
    said: dict[str, Any] = {name: cells.text(item[name]) for name in _TEXTS}
    said |= {name: tuple(item[name]) if isinstance(item[name], tuple | list) else None for name in _TUPLES}
    return Rule(
        rule_id=str(item["rule_id"]),
        computer=computer,
        store_words=vocabulary.STORES.get(said["store"] or "", "a rule of an unknown store"),
        enabled=item["active"] if isinstance(item["active"], bool) else None,
        protocol=cells.number(item["protocol"]),
        local_user=cells.text(item["local_user"]),
        known=tuple(item["known"] or ()),
        input=str(item["input"]),
        line=cells.number(item["line"]),
        states=states,
        **said,
    )


def onto_filters(case: Case, cited: Sequence[CitedFilter]) -> tuple[CitedFilter, ...]:
    """Put onto each cited filter the ids of the rules that it was made from: permits carry none themselves."""
    if not case.rulebook.stores:
        return tuple(cited)
    by_state = {fit.pairing.state: fit.pairing.computer for fit in case.fits if not fit.excluded}
    several = {s for s in by_state if len({f.pairing.computer for f in case.fits if f.pairing.state == s}) > 1}
    named = {host: _by_name(store) for host, store in case.rulebook.stores.items()}
    out = []
    for item in cited:
        host = first_label(by_state.get(item.input))
        ids = _made_from(named[host], case.book, item) if host in named and item.input not in several else ()
        out.append(dataclasses.replace(item, rule_ids=ids) if ids else item)
    return tuple(out)


def _by_name(store: Store) -> _Named:
    """Return name -> rules that may be in force; those whose name only Windows can look up stand under an empty one."""
    out: _Named = {}
    for row, record in enumerate(store.rules.to_dict("records")):
        if record["active"] is not False:
            name = (cells.text(record["name"]) or "").strip()
            out.setdefault("" if name.startswith("@") else name, []).append(
                (row, {str(k): v for k, v in record.items()})
            )
    return out


def _made_from(rules: _Named, book: Book, item: CitedFilter) -> tuple[str, ...]:
    if item.filter.rule_id is not None:
        return (item.filter.rule_id,)
    same = (book.filters["input"] == item.input) & (book.filters["filter_id"] == item.filter.filter_id)
    filters = book.filters[same].iloc[:1]
    if filters.empty:
        return ()
    conditions = book.conditions[book.conditions["filter_row"] == filters.index[0]]
    made = rulematch.candidates(filters, conditions)
    names = dict.fromkeys(("", *(one.name for found in made.values() for one in found)))
    near = [item for name in names for item in rules.get(name, ()) if made and rulematch.matching(item[1], made)]
    return tuple(dict.fromkeys(str(rule["rule_id"]) for _, rule in sorted(near, key=lambda item: item[0])))


@dataclass(frozen=True, slots=True)
class Cited:
    """Filters and findings with the ids of their rules, and every rule that anything names."""

    filters: tuple[CitedFilter, ...]
    findings: tuple[Finding, ...]
    rules: tuple[CitedRule, ...]


def cited(
    case: Case, verdicts: Sequence[Verdict], filters: Sequence[CitedFilter], findings: Sequence[Finding]
) -> Cited:
    """Put the ids of rules onto filters and findings, and describe the rules."""
    told = _onto_findings(verdicts, findings)
    if not case.rulebook.stores:
        return Cited(tuple(filters), told, ())
    named = onto_filters(case, filters)
    wanted: dict[tuple[str | None, str, str | None], None] = {}
    for verdict in verdicts:
        if verdict.rule_id is not None:
            hint = "static-hardening" if verdict.filter and verdict.filter.sublayer == "MPSSVC_WSH" else None
            wanted[verdict.computer, verdict.rule_id, hint] = None
    for computer in _computers(case, verdicts):
        for rule_id in (*(i for item in told for i in item.rule_ids), *(i for item in named for i in item.rule_ids)):
            wanted[computer, rule_id, None] = None
    return Cited(named, told, tuple(item for item in cite(case, wanted) if item.rules or _own(item, verdicts)))


def _onto_findings(verdicts: Sequence[Verdict], findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Put onto each finding the rules that its verdicts name."""
    ids: dict[str, dict[str, None]] = {}
    for verdict in verdicts:
        for key in verdict.findings if verdict.rule_id is not None else ():
            ids.setdefault(key, {})[verdict.rule_id or ""] = None
    return tuple(
        dataclasses.replace(item, rule_ids=tuple(dict.fromkeys((*item.rule_ids, *ids[item.key]))))
        if item.key in ids
        else item
        for item in findings
    )


def _computers(case: Case, verdicts: Sequence[Verdict]) -> tuple[str | None, ...]:
    """Return one name per store's host."""
    names = {first_label(v.computer): v.computer for v in verdicts}
    return tuple(names.get(host, host or None) for host in case.rulebook.stores)


def _own(item: CitedRule, verdicts: Sequence[Verdict]) -> bool:
    """Tell an id that no store lists, but an event of that computer names: only then is it worth a row."""
    return any(v.rule_id == item.rule_id and v.computer == item.computer for v in verdicts)
