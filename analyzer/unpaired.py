"""States that no log goes with: with several hosts or states this is easily overlooked, so it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.model import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Pairing
    from analyzer.pairing import Fit


def notes(fits: Sequence[Fit]) -> list[Problem]:
    """Name each state that fits none of the computers that were seen, and why."""
    by_state: dict[str, list[Pairing]] = {}
    for fit in fits:
        by_state.setdefault(fit.pairing.state, []).append(fit.pairing)
    several = len(fits) > 1  # with one of each, coverage and findings say it all
    return [
        Problem(state, None, "note", _said(pairings))
        for state, pairings in by_state.items()
        if several and all(pairing.fits != "yes" for pairing in pairings)
    ]


def _said(pairings: Sequence[Pairing]) -> str:
    sure = all(pairing.fits == "no" for pairing in pairings)
    whose = "; ".join(
        f"{pairing.computer or 'events that name no computer'}: {pairing.against[0]}"
        for pairing in pairings
        if pairing.against
    )
    what = "belongs to none of the computers" if sure else "can't be tied to any of the computers"
    return f"this state {what} whose events were handed in{f' ({whose})' if whose else ''}"
