"""Findings about the defaults name the allow rules that came nearest to letting the traffic pass."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analyzer.diagnose.context import Context, Found
    from analyzer.model.engine import Nearest

MOST: Final = 3  # rules of one finding
DEFAULTS: Final = frozenset({"default-outbound", "default-inbound"})  # where an allow rule is what is missing
SERVICE_SID: Final = "service-sid"


def named(found: Found, context: Context) -> Found:
    """Return the finding with the rules that are nearest to most of its flows.

    The service-SID diagnosis cites the allow filters itself, unless it says that there are none.
    """
    finding = found.finding
    if finding.kind not in DEFAULTS or (finding.id == SERVICE_SID and finding.confidence != "not-this"):
        return found
    seen: Counter[tuple[object, ...]] = Counter()
    first: dict[tuple[object, ...], Nearest] = {}
    for verdict in sorted(found.verdicts):
        for place, item in enumerate(context.nearest.get(verdict, ())):
            key = (item.source, item.state, item.rule_id, item.name, item.words)
            first.setdefault(key, item)
            seen[key] += MOST - min(place, MOST - 1)
    if not seen:
        return found
    chosen = tuple(first[key] for key, _ in seen.most_common(MOST))
    return dataclasses.replace(found, finding=dataclasses.replace(finding, nearest=chosen))
