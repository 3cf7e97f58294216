"""The svchost service-SID diagnosis: why a rule that allows a *service* did not match.

A rule that names a service becomes a filter that only a token with that service's SID passes. Some services open
their connections with the token of the logged-on user, so the filter does not match and the default blocks
(first seed; REFERENCE 5.3 and 5.4). A state holds what is plumbed and not the rules, so a missing allow filter means
"no such rule was in force at capture time" and never "no such rule exists" (REFERENCE 12).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer import cells, checks
from analyzer.diagnose import (
    disabled,
    near_miss,
    service_answers,
    service_evidence,
    service_near,
    service_remedy,
    service_text,
)
from analyzer.diagnose.advice import left_to_collect
from analyzer.diagnose.context import Context, Diagnosis, Found
from analyzer.diagnose.rules import rule_answer
from analyzer.diagnose.service_outcome import FlowEvidence, Outcome, Token, fitting, rule
from analyzer.diagnose.service_remedy import Elsewhere
from analyzer.diagnose.service_scope import Said, Tried
from analyzer.diagnose.svchost import is_svchost
from analyzer.folding import Groups, codes_of, number
from analyzer.markers import any_between, nanoseconds
from analyzer.model import Finding, ServiceOutcome
from analyzer.processes import SOURCES
from analyzer.services import ORDER as LISTS
from analyzer.wfp import services as wfp_services
from analyzer.wfp.services import ALL_SERVICES_SID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analyzer.diagnose.near_miss import Candidate
    from analyzer.model import Confidence, ServiceAnswer
    from analyzer.pairing import Fit
    from analyzer.services import Account
    from analyzer.states import Book, Snapshot

SAME: Final = ("service_key", "services_source")
TOKEN: Final = ("source", "event_id", "user_sid", "user_source")
# A remedy for exact ports ends here; a service that answers to the ports of its clients would make groups without end.
MOST_PORTS: Final = 64
ANSWERED: Final = 5  # services of one finding that are looked up in an exported rule store
ORDER: Final[tuple[Confidence, ...]] = ("proven", "likely", "possible", "not-this")


@dataclass(frozen=True, slots=True)
class Group:
    """Blocked svchost events of one computer that have service, protocol, port and near misses in common."""

    events: pd.DataFrame
    services: tuple[str, ...] | None
    protocol: int | None
    port: int | None
    permits: dict[str, tuple[int, ...]]
    outcome: Outcome
    token: Token | None
    also_full: tuple[int, ...]
    failing: tuple[str, ...]


def suspects(events: pd.DataFrame) -> pd.DataFrame:
    """Return svchost's outbound connections that the default blocked."""
    svchost = (
        events["application"]
        .map(is_svchost, na_action="ignore")
        .astype("object")
        .fillna(value=False)
        .to_numpy(dtype=bool)
    )
    chosen = svchost & (events["kind"] == "default-outbound").to_numpy() & (events["action"] == "block").to_numpy()
    return events[chosen]


def diagnose(context: Context) -> Diagnosis:
    """Diagnose every computer's blocked svchost flows."""
    found: list[Found] = []
    cited: set[int] = set()
    answers: list[ServiceAnswer] = []
    claimed: set[int] = set()
    blocked = suspects(context.events)
    for computer, part in blocked.groupby(blocked["computer"].astype("object"), dropna=False, sort=True):
        name = cells.text(computer)
        chosen = context.best_snapshot(name, part)
        if chosen is None:
            found.append(_unchecked(context, name, part, service_text.NO_STATE))
            claimed.update(part.index.tolist())
            tried: tuple[Tried, ...] = (Tried(part, None),)
            answers.extend(service_answers.rows(context, Said(name, None, None, tried, {})))
            continue
        snapshot, fit = chosen
        groups, tried = _groups(part, context, snapshot, fit)
        idle = pd.concat([part.iloc[:0], *(item.events for item in tried if item.found is None)])
        outcomes: dict[str, Confidence] = {}
        if len(idle):
            why = service_text.PERMITTING_STATE.format(snapshot.name)
            found.append(_unchecked(context, name, idle, why))
            claimed.update(idle.index.tolist())
        for why in dict.fromkeys(g.outcome.why for g in groups if g.outcome.confidence is None):
            mute = pd.concat([g.events for g in groups if g.outcome.confidence is None and g.outcome.why == why])
            found.append(_unchecked(context, name, mute, why))
            claimed.update(mute.index.tolist())
        for confidence in ORDER:
            same = [g for g in groups if g.outcome.confidence == confidence]
            if not same:
                continue
            finding = _finding(confidence, same, context, snapshot, Elsewhere(name, context.known, part))
            for service in finding.services or ():
                outcomes.setdefault(service.service_sid, confidence)
            finding = dataclasses.replace(finding, rationale=(*finding.rationale, *_exported(context, name, finding)))
            if confidence == "not-this" and finding.remedy is not None:
                remedy, ids = disabled.before(finding.remedy, context, name, pd.concat([g.events for g in same]))
                finding = dataclasses.replace(finding, remedy=remedy, rule_ids=(*finding.rule_ids, *ids))
            rows = pd.concat([g.events for g in same])
            found.append(Found.over(context.titled(name, finding), rows))
            if confidence != "not-this":
                claimed.update(rows.index.tolist())
            cited.update(row for g in same for rows in g.permits.values() for row in rows)
            cited.update(row for g in same for row in g.also_full)
        answers.extend(service_answers.rows(context, Said(name, snapshot, fit, tried, outcomes)))
    return Diagnosis(tuple(found), frozenset(cited), tuple(answers), frozenset(claimed))


def _unchecked(context: Context, computer: str | None, events: pd.DataFrame, why: str) -> Found:
    return Found.over(context.titled(computer, service_text.unchecked(computer, events, why)), events)


def _groups(
    events: pd.DataFrame, context: Context, snapshot: Snapshot, fit: Fit
) -> tuple[list[Group], tuple[Tried, ...]]:
    """Evaluate the allow filters layer by layer; return groups, and what was tried."""
    groups: list[Group] = []
    tried = []
    for layer, part in events.groupby(events["layer"].astype("object"), dropna=False, sort=True):
        name = cells.text(layer)
        if name is None or near_miss.default_blocks(context.book, snapshot, name).empty:
            tried.append(Tried(part, None))
            continue
        found = near_miss.candidates(part, context.book, snapshot, name, context.known.process_account)
        tried.append(Tried(part, tuple(found)))
        steady = _steady(part, found, context, snapshot, fit)
        groups.extend(_split(part, found, context, snapshot, fit, steady))
    return groups, tuple(tried)


def _steady(
    events: pd.DataFrame, found: list[Candidate], context: Context, snapshot: Snapshot, fit: Fit
) -> NDArray[np.bool_]:
    """Tell for each event whether nothing in the log shows other filters then than in the state."""
    taken, times, computer = snapshot.taken, nanoseconds(events["time"]), fit.pairing.computer
    if taken is None:
        return np.zeros(len(events), dtype=bool)
    between = checks.since_state(times, snapshot, context.markers, computer, context.watch.get(computer))
    steady: NDArray[np.bool_] = between == 0
    changes = context.changes.get(computer, {})
    for candidate in found:
        marks = changes.get(cells.number(context.book.filters["filter_id"].iloc[candidate.row]) or 0)
        if candidate.services and marks is not None:
            steady &= ~(candidate.near & any_between(marks, times, taken))
    return steady


def _split(
    events: pd.DataFrame,
    found: list[Candidate],
    context: Context,
    snapshot: Snapshot,
    fit: Fit,
    steady: NDArray[np.bool_],
) -> list[Group]:
    """Group events by service, protocol, port, token, the filters that nearly match, and how sure these are."""
    near = [c.near for c in found if c.services]
    blocker = events["filter_row"].isin(snapshot.rows).to_numpy()
    ports = _ports(events["remote_port"])
    keys = [codes_of(column) for column in (*(events[name] for name in (*SAME, "protocol", "grade", *TOKEN)), ports)]
    keys += [(flags.astype(np.int64), 2) for flags in (steady, blocker, *near)]
    split = Groups(number(keys, len(events)))
    accounts: dict[tuple[str, ...] | None, Account] = {}
    groups = []
    for each, said in enumerate(service_near.by_group(found, split, context.book)):
        at = split.rows(each)
        first, part = int(at[0]), events.iloc[at]
        head = part.iloc[0]
        services, token = head["services"], service_evidence.token(head)
        if services not in accounts:
            accounts[services] = service_evidence.account(context.known, fit.pairing.computer, services)
        evidence = FlowEvidence(
            permits=said.permits,
            services=services,
            grade=head["grade"],
            state_fits=fit.pairing.fits,
            steady=bool(steady[first]),
            blocker_known=bool(blocker[first]),
            state_whole=snapshot.whole,
            unchecked=said.unchecked,
            rivals=said.rivals,
            held_then=head["services_source"] in SOURCES,
            from_list=head["services_source"] in LISTS,
            token=token,
            account=accounts[services].sid,
            runs_as_user=accounts[services].user,
        )
        groups.append(
            Group(
                events=part,
                services=services,
                protocol=cells.number(head["protocol"]),
                port=cells.number(ports.iloc[first]),
                permits=fitting(evidence),
                outcome=rule(evidence),
                token=token,
                also_full=evidence.rivals,
                failing=said.failing,
            )
        )
    return groups


def _ports(ports: pd.Series) -> pd.Series:
    """Return the ports, missing where they are not among the ``MOST_PORTS`` that most events have."""
    counts = ports.value_counts()
    return ports if len(counts) <= MOST_PORTS else ports.where(ports.isin(counts.index[:MOST_PORTS]))


def _services(
    groups: list[Group], book: Book, confidence: Confidence, more: Mapping[str, str]
) -> tuple[ServiceOutcome, ...]:
    """List the services of these groups: those that the process held, as far as the finding is about them."""
    rows: dict[str, set[int]] = {}
    whys: dict[str, str] = {}
    for group in groups:
        wanted = set(group.permits)
        if group.services:
            held = set(map(wfp_services.service_sid, group.services))
            every = confidence == "not-this" or ALL_SERVICES_SID in group.permits
            wanted = held if every else held & wanted
        for sid in wanted:
            rows.setdefault(sid, set()).update(group.permits.get(sid, ()), group.permits.get(ALL_SERVICES_SID, ()))
            whys.setdefault(sid, group.outcome.why)
    names = {wfp_services.service_sid(n): n for g in groups for n in g.services or ()}
    out = []
    for sid, found in rows.items():
        permits = sorted(cells.number(book.filters["filter_id"].iloc[row]) or 0 for row in found)
        name = wfp_services.service_name(sid, more) or names.get(sid)
        out.append(ServiceOutcome(name, sid, confidence, tuple(permits), whys[sid]))
    return tuple(sorted(out, key=lambda s: (s.name is None, (s.name or "").lower(), s.service_sid)))


def _exported(context: Context, computer: str | None, finding: Finding) -> tuple[str, ...]:
    """Say what an exported rule store says of the finding's services: it shows rules that have no filter, too."""
    named = [item.name for item in finding.services or () if item.name is not None][:ANSWERED]
    answers = (rule_answer(context, service, computer) for service in named)
    return tuple(answer for answer in answers if answer is not None)


def _finding(
    confidence: Confidence, groups: list[Group], context: Context, snapshot: Snapshot, elsewhere: Elsewhere
) -> Finding:
    """Write one finding for all groups of one outcome."""
    computer, book, names = elsewhere.computer, context.book, context.known.names
    services = _services(groups, book, confidence, names)
    count = sum(len(g.events) for g in groups)
    attempts = int(pd.concat([g.events["attempt"] for g in groups]).nunique())
    if confidence == "not-this":
        remedy = service_remedy.no_rule_remedy(groups, context.rules.of(computer))
    else:
        remedy = service_remedy.remedy(groups, services, elsewhere)
    return Finding(
        id="service-sid",
        title=service_text.title(confidence, services),
        severity=service_text.SEVERITY[confidence],
        confidence=confidence,
        count=count,
        summary=service_text.summary(computer, confidence, groups, services, count, attempts),
        evidence=(
            *service_evidence.of_flows(groups),
            *service_evidence.of_tokens(groups),
            *service_evidence.of_permits(groups, services, book, snapshot, names),
        ),
        remedy=remedy,
        collect_next=left_to_collect(context, pd.concat([g.events for g in groups]), service_text.COLLECT[confidence]),
        services=services,
        kind="default-outbound",
        rationale=(*service_text.RATIONALE[confidence], *service_text.notes(groups, services)),
        lookalikes=service_text.LOOKALIKES,
    )
