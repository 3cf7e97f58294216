"""Compare the origin that an event carries with the filter that a state holds under the same id.

Origins are English on every Windows (REFERENCE 2.3), so their texts compare directly; where the state's filter has
none, its kind is compared instead. Disagreement for one id is proof that the id was used again (REFERENCE 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer import cells
from analyzer.wfp import origins, providers

if TYPE_CHECKING:
    import pandas as pd


def disagrees(origin: str, item: pd.Series, *, state_has_origins: bool) -> bool:
    """Tell whether the event's origin and the filter (a row of the book's filters) exclude each other."""
    own = item["origin"]
    # Measured: permits of Windows' own filters are recorded with the origin "Unknown" (REFERENCE 12).
    if not origins.clean(origin) or (item["action"] == "permit" and origins.origin_kind(origin) is None):
        return False
    if isinstance(own, str):
        return origins.clean(own).casefold() != origins.clean(origin).casefold()
    if origins.origin_kind(origin) is None:
        return False
    if item["action"] == "permit":
        # Rule permits carry no origin in a state (REFERENCE 12), so nothing can be compared.
        return False
    if state_has_origins and item["provider"] in providers.FIREWALL_KEYS and item["action"] == "block":
        # Every blocking firewall filter of a state with origins has one (REFERENCE 2.3: 253 of 253).
        return True
    said = origins.origin_kind(origin, cells.text(item["sublayer"]))
    return (
        said is not None and isinstance(item["kind"], str) and item["kind_evidence"] != "name" and said != item["kind"]
    )
