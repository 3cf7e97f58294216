"""The whole proposal on one page: flows chosen, rules drafted, put into the state, proved, told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from analyzer import applied, cells
from analyzer.diagnose.commands import system_volume
from analyzer.proposalmodel import NoRule, Proposal, ProposedRule
from analyzer.propose import command, ending, plumb, proof, rules, wanted
from analyzer.review import sides
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from analyzer.applied import Case
    from analyzer.model import InputFile, Problem
    from analyzer.proposalmodel import RuleSpec
    from analyzer.propose.rules import Draft
    from analyzer.propose.wanted import Ground
    from analyzer.readers.wfpstate import WfpState
    from analyzer.review.sides import Snapshot
    from analyzer.reviewmodel import Review

MOST_RULES: Final = 200
MOST_EXAMPLES: Final = 10
MOST_NEARLY: Final = 5
NO_STATE: Final = "no state that may belong to {} was handed in: what the rules would do was not worked out"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. ``merge`` are words of ``rules.MERGES``; ``given`` are rules to try instead of own ones."""

    merge: frozenset[str] = frozenset()
    given: tuple[RuleSpec, ...] | None = None
    source: str | None = None  # the file that they are from


@dataclass(frozen=True, slots=True)
class Told:
    """What the result says beside the rules."""

    tool: Mapping[str, str]
    command: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    problems: tuple[Problem, ...]


def propose(
    asked: Wanted | None, ground: Ground, case: Case, states: Sequence[tuple[str, WfpState]], told: Told
) -> Proposal | None:
    """Propose rules for the blocked flows of ``ground``, or try the given ones; None where nothing is asked.

    Parameters
    ----------
    case : of the same events: it tells which state may speak for which computer.
    states : all that were read, by name.

    Raises
    ------
    analyzer.rule_error.RuleError
        Given rules can't be tried.
    """
    if asked is None:
        return None
    usable = _states(ground.events, case, states)
    limits = [NO_STATE.format(name or "the events") for name, side in usable.items() if side is None]
    live = {name: tuple(sorted(side.defaults.in_force)) for name, side in usable.items() if side is not None}
    chosen = wanted.choose(ground, live)
    if chosen.left_out:
        limits.append(f"{chosen.left_out:,} more blocked flows were not looked at: choose fewer, or some of them")
    if asked.given is not None:
        proposed, reviews, said = _tried(asked.given, ground, case, usable)
    else:
        drafts = [d for who, flows in chosen.wanted.items() for d in rules.drafts(who, flows, asked.merge)]
        drafts.sort(key=lambda draft: (-wanted.records(draft.flows), draft.rule.name))
        drafts = rules.distinct_names(drafts)
        if len(drafts) > MOST_RULES:
            limits.append(f"{len(drafts) - MOST_RULES:,} more rules would be needed: choose fewer flows, or merge")
        proposed, reviews, said = _proposed(drafts[:MOST_RULES], ground, case, usable)
    no_rule = tuple(
        NoRule(why, len(flows), wanted.records(flows), tuple(flow.words for flow in flows[:MOST_EXAMPLES]))
        for why, flows in sorted(chosen.refused.items(), key=lambda item: -len(item[1]))
    )
    return Proposal(
        tool=told.tool,
        command=told.command,
        summary=_summary(asked, proposed, chosen),
        inputs=told.inputs,
        problems=told.problems,
        rules=proposed,
        no_rule=no_rule if asked.given is None else (),
        limits=(*limits, *dict.fromkeys(said)),
        reviews=reviews,
        what_if=asked.source,
    )


def _states(
    events: pd.DataFrame, case: Case, states: Sequence[tuple[str, WfpState]]
) -> dict[str | None, Snapshot | None]:
    """Return for each computer the state that may speak for it: the one that is used for most of its events."""
    by_name = dict(states)
    count: dict[str | None, dict[str, int]] = {}
    for on in applied.apply(case):
        count.setdefault(on.computer, {})[on.snapshot.name] = len(on.rows)
    names = [None if value is None else str(value) for value in map(cells.text, events["computer"].unique())]
    out: dict[str | None, Snapshot | None] = {}
    for name in names:
        found = count.get(name)
        out[name] = sides.snapshot(best := max(found, key=lambda n: found[n]), by_name[best]) if found else None
    return out


def _proposed(
    drafts: Sequence[Draft], ground: Ground, case: Case, usable: Mapping[str | None, Snapshot | None]
) -> tuple[tuple[ProposedRule, ...], tuple[Review, ...], list[str]]:
    """Prove the drafts, computer by computer."""
    out: list[ProposedRule] = []
    reviews: list[Review] = []
    said: list[str] = []
    for computer, side in usable.items():
        mine = [draft for draft in drafts if draft.who.computer == computer]
        if not mine:
            continue
        events = ground.events[_of(ground.events, computer)]
        volume = system_volume(ground.everything[_of(ground.everything, computer)])
        if side is None:
            out += [_rule(draft, volume) for draft in mine]
            continue
        tried = proof.Tried(side, plumb.with_rules(side, [draft.rule for draft in mine]))
        events = ending.with_endings(events, side, case, computer)
        flows = [frozenset(flow.number for flow in draft.flows) for draft in mine]
        shown = proof.proofs(tried, events, case.known, flows)
        for draft, proved in zip(mine, shown, strict=True):
            made = replace(_rule(draft, volume), state=side.name, proof=proved)
            out.append(proof.exposed(made, side, len(out)))
        blocked = frozenset().union(*flows)
        review, limits = proof.review(tried, events[events["flow"].isin(blocked)], case.known, computer)
        reviews.append(review)
        said += limits
    return tuple(out), tuple(reviews), said


def _of(events: pd.DataFrame, computer: str | None) -> pd.Series:
    names = events["computer"].astype("object")
    return names.isna() if computer is None else names == computer


def _rule(draft: Draft, volume: str | None) -> ProposedRule:
    text, why = _command(draft.rule, volume)
    return ProposedRule(
        rule=draft.rule,
        computer=draft.who.computer,
        state=None,
        command=text,
        no_command=why,
        flows=len(draft.flows),
        records=wanted.records(draft.flows),
        examples=tuple(flow.words for flow in draft.flows[:MOST_EXAMPLES]),
        also_allows=(),
        newly_blocks=(),
        unclear=(),
        nearly=tuple(wanted.nearly(draft.flows))[:MOST_NEARLY],
        notes=draft.who.notes,
        proof=None,
    )


def _command(rule: RuleSpec, volume: str | None) -> tuple[str | None, str | None]:
    try:
        return command.command(rule, volume), None
    except command.UnsafeError as error:
        return None, str(error)


def _tried(
    given: Sequence[RuleSpec], ground: Ground, case: Case, usable: Mapping[str | None, Snapshot | None]
) -> tuple[tuple[ProposedRule, ...], tuple[Review, ...], list[str]]:
    """Try given rules on every computer that has a state, and on all its flows."""
    out: list[ProposedRule] = []
    reviews: list[Review] = []
    said: list[str] = []
    for computer, side in usable.items():
        if side is None:
            continue
        events = ground.events[_of(ground.events, computer)]
        volume = system_volume(ground.everything[_of(ground.everything, computer)])
        own = [replace(rule, program=_device(rule.program, side, events, volume)) for rule in given]
        tried = proof.Tried(side, plumb.with_rules(side, own))
        events = ending.with_endings(events, side, case, computer)
        review, limits = proof.review(tried, events, case.known, computer)
        reviews.append(review)
        said += limits
        for rule in own:
            text, why = _command(rule, volume)
            made = ProposedRule(rule, computer, side.name, text, why, 0, 0, (), (), (), (), (), (), None)
            out.append(proof.exposed(made, side, len(out)))
    return tuple(out), tuple(reviews), said


def _device(program: str | None, side: Snapshot, events: pd.DataFrame, volume: str | None) -> str | None:
    """Return a program as filters name it: the device path that records or filters know, else on Windows' volume."""
    if program is None or program.lower().startswith("\\device\\") or program.casefold() == "system":
        return program
    ending = command.below_drive(program)
    known = {str(path).lower() for path in events["application"].dropna().unique()}
    known |= {str(c.value) for item in side.dump.items for c in item.conditions if c.field == "ALE_APP_ID"}
    found = sorted(path for path in known if path.endswith(ending))
    if len(found) == 1:
        return found[0]
    return f"\\device\\harddiskvolume{volume or '?'}{ending}"


def _summary(asked: Wanted, proposed: Sequence[ProposedRule], chosen: wanted.Chosen) -> str:
    if asked.given is not None:
        return f"{plural(len(asked.given), 'rule')} of {asked.source} tried."
    flows = sum(len(found) for found in chosen.wanted.values())
    others = sum(len(found) for found in chosen.refused.values())
    if not flows and not others:
        return "No blocked flow fits what was asked for: there is nothing to propose."
    parts = [f"{plural(len(proposed), 'rule')} for {plural(flows, 'blocked flow')}"] if flows else []
    proved = sum(item.proof.passes for item in proposed if item.proof is not None)
    if flows:
        parts.append(f"with them {proved:,} of {flows:,} would pass for sure")
    if others:
        parts.append(f"for {plural(others, 'blocked flow')} no allow rule helps or can be proposed")
    return f"{'; '.join(parts)[:1].upper()}{'; '.join(parts)[1:]}."
