"""The way of one flow through its layer, for people: which filters were tried, and which condition decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from analyzer import missing
from analyzer.engine import outcomes
from analyzer.engine.answers import CANNOT_TELL, NO, YES
from analyzer.model.engine import Answer, ExplainedCondition, ExplainedFilter, ExplainedSublayer
from analyzer.verdicts import filter_ref
from analyzer.wfp import sublayers as wfp_sublayers
from analyzer.wording import plural

if TYPE_CHECKING:
    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Policy
    from analyzer.engine.trace import Trace, TriedCondition, TriedFilter, TriedSublayer
    from analyzer.missing import Names
    from analyzer.states import Book

MOST_NEAR: Final = 3  # filters of a sublayer that fail in one field and are shown
MOST_CANDIDATES: Final = 12
ANSWERS: Final[dict[int, Answer]] = {int(YES): "yes", int(CANNOT_TELL): "cannot-tell", int(NO): "no"}
_SAYS: Final = (
    (outcomes.SOFT_PERMIT, "permits"),
    (outcomes.HARD_PERMIT, "permits for good"),
    (outcomes.HARD_BLOCK, "blocks"),
    (outcomes.SOFT_BLOCK | outcomes.CALLOUT_BLOCK, "blocks (a callout)"),
    (outcomes.NONE, "says nothing"),
)
# A filter that fails in one of these is for other traffic, however little else is missing.
_OTHER_TRAFFIC: Final = frozenset({missing.APPLICATION, missing.PROTOCOL, "ALE_PACKAGE_ID", "FLAGS"})

Part = Literal["ends", "may-end", "not-reached", "no-match"]


def says(bits: int) -> str:
    """Say what a sublayer may say: ``blocks``, ``permits or says nothing``."""
    if bits & outcomes.CALLOUT == outcomes.CALLOUT:
        rest = [words for outcome, words in _SAYS if outcome in (outcomes.HARD_BLOCK, outcomes.NONE) and bits & outcome]
        return " or ".join(["decides by a callout", *rest])
    found = [words for outcome, words in _SAYS if bits & outcome]
    return " or ".join(found) or "says nothing"


def sublayers(
    trace: Trace, policy: Policy, book: Book, flow: FlowArrays, recorded: int, names: Names
) -> tuple[ExplainedSublayer, ...]:
    """Explain every sublayer of a trace, from the greatest weight down.

    Parameters
    ----------
    flow : the traced flow alone.
    recorded : row of the filter that the record names, -1 for none.
    """
    return tuple(_sublayer(item, policy, book, flow, recorded, names) for item in trace.sublayers)


def _sublayer(
    tried: TriedSublayer, policy: Policy, book: Book, flow: FlowArrays, recorded: int, names: Names
) -> ExplainedSublayer:
    candidates = [item for item in tried.filters if item.candidate]
    near = [item for item in tried.filters if item.reached and item.answer == NO and _near(item)]
    ending = next((item.row for item in candidates if item.answer == YES and _ends(policy, item.row)), -1)
    shown = {item.row for item in candidates[:MOST_CANDIDATES]} | {item.row for item in near[:MOST_NEAR]}
    shown |= {row for row in (recorded, ending) if row >= 0}
    filters = []
    for item in tried.filters:
        if item.row in shown:
            alone = item.candidate and len(candidates) == 1
            part: Part = "no-match" if item.answer == NO else "not-reached"
            if item.candidate:
                part = "ends" if item.row == ending or (alone and _ends(policy, item.row)) else "may-end"
                part = "may-end" if item.answer != YES else part
            filters.append(_filter(item, part, book, flow, item.row == recorded, names))
    hidden = [item for item in tried.filters if item.row not in shown]
    key = tried.key
    return ExplainedSublayer(
        sublayer=key,
        owner=None if key is None else wfp_sublayers.owner(key),
        weight=tried.weight,
        says=says(tried.outcome),
        filters=tuple(filters),
        plain=sum(item.reached and item.answer == NO for item in hidden),
        behind=sum(not item.reached for item in hidden),
        undecided=sum(item.candidate for item in hidden),
    )


def _ends(policy: Policy, row: int) -> bool:
    place = policy.places[row]
    return policy.layers[place.layer].sublayers[place.sublayer].effects[place.filter].ends


def fields_of(item: TriedFilter) -> dict[str, list[TriedCondition]]:
    """Group a filter's conditions by field."""
    out: dict[str, list[TriedCondition]] = {}
    for condition in item.conditions:
        out.setdefault(condition.test.field, []).append(condition)
    return out


def _answer(group: list[TriedCondition]) -> int:
    return max(condition.answer for condition in group)


def _near(item: TriedFilter) -> bool:
    """Tell a filter that fails in one field alone, and not since it is for other traffic."""
    failing = [field for field, group in fields_of(item).items() if _answer(group) == NO]
    return len(failing) == 1 and failing[0] not in _OTHER_TRAFFIC


def _filter(
    item: TriedFilter, part: Part, book: Book, flow: FlowArrays, recorded: bool, names: Names
) -> ExplainedFilter:
    groups = fields_of(item)
    conditions = []
    for field, group in groups.items():
        tests = [condition.test for condition in group]
        conditions.append(
            ExplainedCondition(
                field=field,
                words=missing.asked(tests, names),
                answer=ANSWERS[_answer(group)],
                recorded=missing.said(flow, 0, field),
            )
        )
    ref = filter_ref(book, item.row)
    if ref is None:
        raise ValueError("a traced filter is always one of the book")
    callout = (ref.action or "callout").startswith("callout") and part == "may-end"
    words = _words(item, flow, names, callout=callout)
    return ExplainedFilter(ref, ANSWERS[item.answer], part, recorded, tuple(conditions), words)


def _words(item: TriedFilter, flow: FlowArrays, names: Names, *, callout: bool) -> str:
    """Say which condition decided about one filter."""
    groups = fields_of(item)
    said = {answer: [group for group in groups.values() if _answer(group) == answer] for answer in (NO, CANNOT_TELL)}
    if item.answer == NO:
        shown = [_lacks(group, flow, names) for group in said[NO][:2]]
        more = len(said[NO]) - len(shown)
        return "; ".join(shown) + (f"; and {plural(more, 'more field')} of it do not fit" if more else "")
    if said[CANNOT_TELL]:
        shown = [_open(group, flow, names) for group in said[CANNOT_TELL][:2]]
        more = len(said[CANNOT_TELL]) - len(shown)
        return "; ".join(shown) + (f"; and {plural(more, 'more field')} cannot be told" if more else "")
    holds = "every condition holds" if groups else "it has no conditions: it always matches"
    return f"{holds}; what its callout driver decides is not known" if callout else holds


def _lacks(group: list[TriedCondition], flow: FlowArrays, names: Names) -> str:
    field = group[0].test.field
    return missing.lacks([item.test for item in group], missing.said(flow, 0, field), names, who="it is for")


def _open(group: list[TriedCondition], flow: FlowArrays, names: Names) -> str:
    field = group[0].test.field
    return missing.open_question([item.test for item in group], missing.said(flow, 0, field), names, who="it is for")


def open_fields(trace: Trace) -> list[str]:
    """Return the fields on which the decision depends and that nobody can tell, in order of appearance."""
    found: dict[str, None] = {}
    for sublayer in trace.sublayers:
        for item in sublayer.filters:
            if item.candidate and item.answer == CANNOT_TELL:
                groups = fields_of(item)
                found.update({field: None for field, group in groups.items() if _answer(group) == CANNOT_TELL})
    return list(found)


def asks_callout(trace: Trace, policy: Policy) -> bool:
    """Tell whether a callout may decide."""
    for sublayer in trace.sublayers:
        for item in sublayer.filters:
            place = policy.places[item.row]
            own = policy.layers[place.layer].sublayers[place.sublayer].effects[place.filter]
            if item.candidate and own.callout:
                return True
    return False
