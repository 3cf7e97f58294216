"""The comparison in a few plain sentences, for the person who signs: what breaks, what opens, what nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.wording import listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.reviewmodel import Exposed, Replay, Review


def headline(review: Review) -> str:
    """Return it; nothing is said that was not compared."""
    return " ".join(_sentences(review))


def _sentences(review: Review) -> Iterator[str]:
    named = {side.computer for side in review.sides if side.computer}
    if len(named) > 1:
        yield "The sides are of different computers."
    if any(item.what == "plumbing" for item in review.changes):
        yield "The network profile or a default in force differs, so the states alone do not tell which rules changed."
    for item in review.defaults:
        if item.in_force:
            yield f"The {item.direction} default of the {item.profile} profile, in force, turns to {item.after}."
    if any(side.state is None for side in review.sides):
        yield _of_rules(review)
        return
    if review.replay is not None and review.replay.flows:
        yield _of_traffic(review.replay)
    if review.exposure:
        yield from _of_exposure(review.exposure)
    elif review.changes:
        number = sum(item.what != "plumbing" for item in review.changes)
        found = f"{plural(number, 'change')} found, but no" if number else "No"
        yield f"{found} packet is decided otherwise, as far as was compared."
    else:
        yield "Nothing changes: both sides decide every packet alike, as far as was compared."
    if review.risks:
        yield f"{plural(len(review.risks), 'mark')} of risk."


def _of_rules(review: Review) -> str:
    number = len(review.changes)
    found = plural(number, "change") if number else "No change"
    return f"{found} in the rules. What is in force was not compared: what the change opens and blocks is not known."


def _of_traffic(replay: Replay) -> str:
    parts = [
        f"{number:,} would be newly {word}"
        for number, word in ((replay.newly_blocked, "blocked"), (replay.newly_allowed, "allowed"))
        if number
    ]
    flows = plural(replay.flows, "recorded flow")
    said = f"Of {flows} {listed(parts)}" if parts else f"None of {flows} is decided otherwise"
    if not replay.cannot_tell:
        return f"{said}."
    if not parts:
        said = f"Of {flows} none is known to be decided otherwise"
    return f"{said}; of {replay.cannot_tell:,} the files can't tell."


def _of_exposure(found: tuple[Exposed, ...]) -> Iterator[str]:
    opened, closed, unclear = (
        sum(item.what == what for item in found) for what in ("newly-allowed", "newly-blocked", "cannot-tell")
    )
    parts = [
        f"{word} {plural(number, 'kind')} of packets"
        for number, word in ((opened, "newly allows"), (closed, "newly blocks"))
        if number
    ]
    if parts:
        yield f"The change {listed(parts)}."
    if unclear:
        yield f"Of {plural(unclear, 'kind')} of packets the files can't tell."
