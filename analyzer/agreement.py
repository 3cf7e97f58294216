"""The engine's answers against what Windows recorded: a state of another machine or time shows itself here.

Compared are the distinct flows of all events for which a state is used; every number counts *records*. A block without
a filter (run-time id 0) does not tell that a filter blocked, so that a state which lets it pass does not disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import applied, cells, disagreement, terminating
from analyzer.checks import Check
from analyzer.engine.answers import NO, YES
from analyzer.engine.arbitrate import BLOCK, CANNOT_TELL, PERMIT, decide_and_stand
from analyzer.markers import nanoseconds
from analyzer.model import Problem
from analyzer.model.engine import Agreement, StateAgreement
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analyzer.applied import Applied, Case
    from analyzer.disagreement import Answers
    from analyzer.pairing import Fit

    Flags = NDArray[np.bool_]

MOST_LISTED: Final = 50  # disagreements in the result
# A state is doubted when so many different flows disagree, and so large a share of those that can be told; and still so
# among the half of the events that are nearest to it: filters that were added or deleted since touch the older ones,
# another machine's state disagrees throughout. A flow that the state decides by the recorded filter at another time
# shows that filters came and went, and speaks for the state. Judgement, not measured.
DOUBTFUL_FLOWS: Final = 5
DOUBTFUL_NEAR: Final = 3
DOUBTFUL_SHARE: Final = 0.2
CHANGED: Final = Check.BOOT | Check.RELOAD | Check.CLOCK | Check.NO_EVENT_TIME


@dataclass(frozen=True, slots=True)
class Compared:
    """The agreement for the result, and the states that are doubted for it: (computer, state) -> why."""

    agreement: Agreement | None
    doubts: dict[tuple[str | None, str], str]


@dataclass(frozen=True, slots=True)
class Judged:
    """One applied state with the engine's answers; what they are per flow, shape (m,)."""

    on: Applied
    answers: Answers
    same_filter: Flags
    same_decision: Flags
    cannot_tell: Flags
    disagrees: Flags


def compare(case: Case) -> Compared:
    """Compare each event with the state that is used for it; ``agreement`` is None where none is."""
    judged = [judge(on) for on in applied.apply(case)]
    if not judged:
        return Compared(None, {})
    states = [_state(item, case) for item in judged]
    doubts = {(item.computer, item.state): item.why for item in states if item.doubted}
    found = [line for item in judged for line in disagreement.folded(item.on, item.answers, item.disagrees, case)]
    found.sort(key=lambda line: (line.between is not None, -line.count))
    agreement = Agreement(
        same_filter=sum(item.same_filter for item in states),
        same_decision=sum(item.same_decision for item in states),
        cannot_tell=sum(item.cannot_tell for item in states),
        disagrees=sum(item.disagrees for item in states),
        total=sum(item.total for item in states),
        states=tuple(states),
        disagreements=tuple(disagreement.explain(line, case) for line in found[:MOST_LISTED]),
        left_out=max(0, len(found) - MOST_LISTED),
    )
    return Compared(agreement, doubts)


def judge(on: Applied) -> Judged:
    """Compare the engine's answers on one state with the records."""
    decided, stands = decide_and_stand(on.policy, on.flows, on.told.row, on.told)
    here = on.told.row >= 0
    recorded = on.told.action
    wrong_layer = here & disagreement.other_layer(on)
    # Of flows that were left out, no more is known than what their filter's conditions say.
    last = ~decided.left_out & ~stands.may_decide
    impossible = here & (wrong_layer | ~stands.in_force | (stands.answer == NO) | last)
    told = decided.known & (decided.decision != CANNOT_TELL)
    opposite = told & (decided.decision != recorded) & ~((recorded == BLOCK) & ~on.named)
    disagrees = impossible | opposite
    cannot = ~disagrees & (~told | (decided.decision != recorded))
    same = ~disagrees & ~cannot
    sole = here & stands.only & (stands.answer == YES)
    exact = np.where(recorded == PERMIT, sole, decided.deciding == on.told.row) & here
    answers = disagreement.Answers(decided, stands, wrong_layer, impossible)
    return Judged(on, answers, same & exact, same & ~exact, cannot, disagrees)


def _state(item: Judged, case: Case) -> StateAgreement:
    """Count records, and doubt the state where many flows disagree although nothing lies between."""
    on = item.on
    counts = np.bincount(on.place, minlength=len(on.flows))
    flows = case.events["flow"].to_numpy()[on.rows]
    pairing = on.fit.pairing
    # Where a state is not known to fit, that a log does not reach it is no excuse.
    excuses = CHANGED | (Check.UNWATCHED if pairing.fits == "yes" else Check(0))
    steady = (on.between & int(excuses)) == 0
    told = steady & ~item.cannot_tell[on.place]
    wrong = item.disagrees[on.place] & ~np.isin(flows, flows[item.same_filter[on.place]])
    bad, every = _flows(flows, wrong, told)
    near_bad, near = _flows(flows, wrong, told & _nearer(on, case, told))
    doubted = bad >= DOUBTFUL_FLOWS and bad >= DOUBTFUL_SHARE * every
    doubted &= near_bad >= DOUBTFUL_NEAR and near_bad >= DOUBTFUL_SHARE * near
    why = (
        f"its filters decide {bad:,} of {plural(every, 'flow')} otherwise than Windows recorded: it may be of another "
        "machine or time"
    )
    fits = item.cannot_tell & item.answers.standing.only & (item.answers.standing.answer == YES)
    return StateAgreement(
        computer=on.computer,
        state=on.snapshot.name,
        same_filter=int(counts[item.same_filter].sum()),
        same_decision=int(counts[item.same_decision].sum()),
        cannot_tell=int(counts[item.cannot_tell].sum()),
        disagrees=int(counts[item.disagrees].sum()),
        total=len(on.rows),
        flows=len(np.unique(flows)),
        filter_fits=int(counts[fits].sum()),
        left_out=int(counts[item.cannot_tell & item.answers.decided.left_out].sum()),
        sublayers=terminating.compare(on, case),
        doubted=doubted,
        why=why if doubted else "",
    )


def _flows(flows: NDArray[np.int64], bad: Flags, among: Flags) -> tuple[int, int]:
    """Count the distinct flows with a disagreement, and all."""
    return len(np.unique(flows[among & bad])), len(np.unique(flows[among]))


def _nearer(on: Applied, case: Case, among: Flags) -> Flags:
    """Tell which events are of the half that is nearest in time to the state; all where the state has no time."""
    taken = cells.moment(on.snapshot.time)
    if taken is None or not among.any():
        return np.ones(len(on.rows), dtype=bool)
    away = np.abs(nanoseconds(case.events["time"])[on.rows] - taken)
    out: Flags = away <= np.median(away[among])
    return out


# --------------------------------------------------------------------------------------------------------------
# Less trust


def doubtful_fits(fits: Sequence[Fit], doubts: dict[tuple[str | None, str], str]) -> tuple[Fit, ...]:
    """Return how the states relate to the computers, with a doubted state no longer taken for one that fits."""
    out = []
    for fit in fits:
        why = doubts.get((fit.pairing.computer, fit.pairing.state))
        if why is None:
            out.append(fit)
            continue
        fits_now = "unknown" if fit.pairing.fits == "yes" else fit.pairing.fits
        pairing = replace(fit.pairing, fits=fits_now, against=(why, *fit.pairing.against))
        out.append(replace(fit, pairing=pairing))
    return tuple(out)


def lower(events: pd.DataFrame, names: Sequence[str], doubts: dict[tuple[str | None, str], str]) -> pd.DataFrame:
    """Return the events with the grade ``snapshot`` lowered to ``id-only`` where the state is doubted, and the reason.

    ``names`` are the states that the column ``state`` numbers.
    """
    if not doubts:
        return events
    out = events.copy(deep=False)
    grades = out["grade"].astype("object").to_numpy(copy=True)
    reasons = out["reasons"].to_numpy(copy=True)
    state, hosts = out["state"].to_numpy(), out["computer"].astype("object").to_numpy()
    made: dict[tuple[str, ...], tuple[str, ...]] = {}
    for (computer, name), why in doubts.items():
        own = np.array([cells.text(host) == computer for host in hosts], dtype=bool)
        at = np.flatnonzero(own & (state == list(names).index(name)) & (grades == "snapshot"))
        grades[at] = "id-only"
        for row in at.tolist():
            said = (*reasons[row][:1], f"{name}: {why}", *reasons[row][1:])
            reasons[row] = made.setdefault(said, said)
    out["grade"] = grades
    out["grade"] = out["grade"].astype("category")
    out["reasons"] = reasons
    return out


def problems(doubts: dict[tuple[str | None, str], str]) -> list[Problem]:
    """Say which states are trusted less."""
    return [
        Problem(state, None, "doubtful", f"for {computer or 'events that name no computer'}, {why}")
        for (computer, state), why in doubts.items()
    ]
