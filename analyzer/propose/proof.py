"""The proof: flows decided by the state as it is, and by the same state with the rules in place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from analyzer.proposalmodel import Proof
from analyzer.propose import plumb
from analyzer.review import compare, exposure, leftout, replay, sides
from analyzer.review.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analyzer.proposalmodel import ProposedRule
    from analyzer.review.sides import Snapshot
    from analyzer.reviewmodel import Replay, Review
    from analyzer.services import Known

MOST_EXPOSED: Final = 12  # rules of which it is worked out what each alone would allow
MOST_BOXES: Final = 6
MOST_WHY: Final = 3


@dataclass(frozen=True, slots=True)
class Tried:
    """A state, and the same with rules."""

    before: Snapshot
    after: Snapshot


def proofs(tried: Tried, events: pd.DataFrame, known: Known, flows: Sequence[frozenset[int]]) -> list[Proof]:
    """Decide the flows of each rule with all rules in place."""
    filters = leftout.comparable(tried.before.dump, tried.after.dump)
    out = []
    for numbers in flows:
        mine = events[events["flow"].isin(numbers) & (events["action"] != "permit")].reset_index(drop=True)
        out.append(_proof(replay.replay(_traffic(mine, known), tried.before, tried.after, filters).replay))
    return out


def _proof(found: Replay) -> Proof:
    """Count; a flow whose record BEFORE contradicts may still be decided for sure by the rules."""
    why = dict.fromkeys(
        f"still blocked by {', '.join(group.after.filters) or 'a filter that can not be told'}"
        if group.what == "stays-blocked"
        else group.before.why or group.after.why or "it can't be told"
        for group in found.groups
        if group.what in ("stays-blocked", "newly-blocked", "cannot-tell")
    )
    return Proof(
        passes=found.newly_allowed + found.stays_allowed,
        still_blocked=found.stays_blocked + found.newly_blocked,
        cannot_tell=found.cannot_tell,
        why=tuple(why)[:MOST_WHY],
    )


def _traffic(events: pd.DataFrame, known: Known) -> Traffic:
    return Traffic(events, known, {}, (), (), ())


def exposed(made: ProposedRule, side: Snapshot, place: int) -> ProposedRule:
    """Say what the rule alone would newly allow or block; of the first rules only, since each takes a moment."""
    if place >= MOST_EXPOSED:
        return made
    after = plumb.with_rules(side, [made.rule])
    filters = leftout.comparable(side.dump, after.dump)
    found = exposure.exposure(filters.before, filters.after, filters.layers).found
    opened, closed, unclear = (
        _listed([item.words for item in found if item.what == what])
        for what in ("newly-allowed", "newly-blocked", "cannot-tell")
    )
    return replace(made, also_allows=opened, newly_blocks=closed, unclear=unclear)


def _listed(words: Sequence[str]) -> tuple[str, ...]:
    more = [f"and {len(words) - MOST_BOXES} more"] if len(words) > MOST_BOXES else []
    return (*words[:MOST_BOXES], *more)


def review(tried: Tried, events: pd.DataFrame, known: Known, computer: str | None) -> tuple[Review, list[str]]:
    """Compare the state with itself and the rules, as any change is reviewed."""
    one = sides.Given("before", (), (), tried.before, None, computer)
    two = sides.Given("after", (), (), tried.after, None, computer)
    traffic = _traffic(events[events["layer"].notna().to_numpy()].reset_index(drop=True), known)
    found, _ = compare.compared(one, two, traffic)
    return found, list(found.limits)
