"""Explanations: the platform's decision on one flow, sublayer by sublayer, and how it compares with the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer import agreement, cells, disagreement, explain_layers, missing, nearest
from analyzer.engine.arbitrate import BLOCK, PERMIT
from analyzer.engine.trace import trace
from analyzer.explain_flows import MOST_NAMED, ways
from analyzer.model.engine import Explanation, Nearest
from analyzer.verdicts import filter_ref
from analyzer.wfp import fields, layers, protocols
from analyzer.wording import listed

if TYPE_CHECKING:
    from analyzer.applied import Applied, Case
    from analyzer.engine.policy import Policy
    from analyzer.engine.trace import Trace
    from analyzer.explain_flows import Way
    from analyzer.question import Question


def explain(question: Question, case: Case) -> tuple[Explanation, ...]:
    """Answer a question about the joined events and states of a case.

    Raises
    ------
    analyzer.question.QuestionError
        It has no answer in what was handed in; the message says what is there instead.
    """
    return tuple(_explain(way, case) for way in ways(question, case))


def _explain(way: Way, case: Case) -> Explanation:
    told = None if way.recorded is None else way.recorded.told
    found = trace(way.policy, way.flow, 0, told)
    names = missing.Names(case.known.names, protocols.is_icmp(int(way.flow.protocol[0])))
    row = -1 if told is None else int(told.row[0])
    agrees, why = _agreement(way.recorded, case)
    return Explanation(
        title=way.title,
        flow=way.facts,
        notes=way.notes,
        layer=found.layer,
        ordered=found.ordered,
        state=way.snapshot.name,
        state_time=cells.when(way.snapshot.time),
        state_fits=None if way.fit is None else way.fit.pairing.fits,
        decision=disagreement.DECISIONS[found.decision],
        certainty=_certainty(found, way.policy, case),
        deciding=filter_ref(case.book, found.deciding),
        recorded=way.words,
        recorded_filter=None if row < 0 else cells.number(case.book.filters["filter_id"].iloc[row]),
        agreement=agrees,
        agreement_words=why,
        sublayers=explain_layers.sublayers(found, way.policy, case.book, way.flow, row, names),
        nearest=_nearest(way, found, case),
    )


def _nearest(way: Way, found: Trace, case: Case) -> tuple[Nearest, ...]:
    """Return the nearest allow rules where the record or the state's filters say that it is blocked."""
    told = None if way.recorded is None else way.recorded.told
    blocker = found.deciding if found.decision == BLOCK else -1
    if told is not None:
        named = int(told.row[0])
        named = named if nearest.can_block(way.policy, named) else blocker
        blocker = -1 if told.action[0] != BLOCK else named
    place = way.policy.places.get(blocker)
    if place is None or place.layer != found.layer:
        return ()
    return nearest.of_flows(way.policy, way.flow, blocker, case, way.snapshot)[0]


def _certainty(found: Trace, policy: Policy, case: Case) -> str:
    """Say what the decision rests on, and if it cannot be told what it depends on."""
    if not found.known:
        where = "no layer is recorded" if found.layer is None else f"the state does not list {_layer(found)}"
        return f"It cannot be told: {where}."
    if found.decision == PERMIT:
        if found.deciding >= 0:
            return f"{_called(case, found.deciding)} permits it, and nothing that the state holds blocks it."
        return "Nothing that the state holds blocks it, whatever is not recorded."
    if found.decision == BLOCK:
        if found.deciding >= 0:
            return f"{_called(case, found.deciding)} blocks it, and nothing that is not recorded could change that."
        return "It is blocked whatever is not recorded; which of several filters does it is open."
    open_fields = [fields.field_words(field) for field in explain_layers.open_fields(found)]
    parts = open_fields[:MOST_NAMED] + (["more"] if len(open_fields) > MOST_NAMED else [])
    if explain_layers.asks_callout(found, policy):
        parts.append("what a callout driver decides")
    return f"It depends on what is not recorded: {listed(parts) or 'the order of filters'}."


def _called(case: Case, row: int) -> str:
    text = disagreement.called(case.book, row)
    return text[0].upper() + text[1:]


def _layer(found: Trace) -> str:
    return layers.layer_words(found.layer or "")


def _agreement(on: Applied | None, case: Case) -> tuple[Any, str]:
    """Compare with the record."""
    if on is None:
        return None, "There is no record to compare with."
    judged = agreement.judge(on)
    if judged.disagrees[0]:
        return "disagrees", f"The record does not agree: {disagreement.find(on, judged.answers, 0, case).text}."
    if judged.same_filter[0]:
        return "same_filter", "The record agrees: the same decision by the same filter."
    if judged.same_decision[0]:
        return "same_decision", "The record agrees: the same decision."
    stands = judged.answers.standing
    which = "is the only one that can have ended" if stands.only[0] else "may have ended"
    named = f"The filter that the record names {which} its sublayer."
    return "cannot_tell", named if stands.candidate[0] else "Nothing here contradicts the record."
