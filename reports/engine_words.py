"""What the words of the filter engine's answers mean, for people: agreement, decisions, explanations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import text
from reports.words import Word

if TYPE_CHECKING:
    from analyzer.model import ServiceResult
    from analyzer.model.engine import Agreement, Answer, Decision, ExplainedSublayer

MOST_DISAGREEMENTS: Final = 12  # lines on a page
MOST_SERVICES: Final = 40
# What became of a service's allow rule.
SERVICE_RESULTS: Final[dict[ServiceResult, str]] = {
    "near-miss-token": "misses by the token",
    "near-miss-other": "misses by something else",
    "matched": "matched",
    "cannot-tell": "cannot tell",
    "no-rule": "no rule",
    "not-seen": "not seen at work",
}
AGREEMENT: Final[dict[str, Word]] = {
    "same_filter": Word("Same filter", "Decided as recorded, and by the very filter that the record names.", "README"),
    "same_decision": Word(
        "Same decision", "Decided as recorded; which filter did it, is open or not in the state.", "README"
    ),
    "cannot_tell": Word(
        "Cannot tell", "It depends on what no record says: the token, a callout driver, an interface.", "README"
    ),
    "disagrees": Word("Disagrees", "The state's filters decide otherwise, or the named filter cannot be it.", "README"),
}

ANSWERS: Final[dict[Answer, str]] = {"yes": "yes", "no": "no", "cannot-tell": "cannot tell"}
# What a filter has to do with the end of its sublayer.
PARTS: Final[dict[str, str]] = {
    "ends": "ends the sublayer",
    "may-end": "may end the sublayer",
    "not-reached": "not reached: another ends the sublayer before",
    "no-match": "",
}


def folded(item: ExplainedSublayer) -> str:
    """Say what is not shown of a sublayer; empty for nothing."""
    parts = [
        (item.undecided, "filter that may end it", "filters that may end it"),
        (item.plain, "filter that plainly does not match", "filters that plainly do not match"),
        (item.behind, "filter behind the one that ends it", "filters behind the one that ends it"),
    ]
    said = [text.counted(count, one, many) for count, one, many in parts if count]
    return f"not shown: {', '.join(said)}" if said else ""


def agreement_words(agreement: Agreement) -> str:
    """Say in one sentence how the filters of the states, evaluated anew, agree with the records."""
    same = agreement.same_filter + agreement.same_decision
    told = same + agreement.disagrees
    if not told:
        return f"Evaluated anew, the state's filters leave all {text.counted(agreement.total, 'record')} undecided."
    parts = [f"{text.number(same)} of {text.counted(told, 'record')} as recorded"]
    if agreement.disagrees:
        parts.append(f"{text.number(agreement.disagrees)} otherwise")
    said = f"Evaluated anew, the state's filters decide {', '.join(parts)}"
    return f"{said}; {text.number(agreement.cannot_tell)} cannot be told." if agreement.cannot_tell else f"{said}."


DECISIONS: Final[dict[Decision, str]] = {"permit": "permit", "block": "block", "cannot-tell": "cannot tell"}
