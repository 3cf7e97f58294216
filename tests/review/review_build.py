"""Filters and policies made by hand for the tests of the review."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any

from analyzer.review.conditions import DESCRIPTOR, Condition
from analyzer.review.identity import Item

_NUMBERS = itertools.count(1)
CONNECT, ACCEPT = "ALE_AUTH_CONNECT_V4", "ALE_AUTH_RECV_ACCEPT_V4"


def kind_of(value: Any, field: str = "") -> str:
    if isinstance(value, tuple):
        return "RANGE_TYPE"
    if isinstance(value, ipaddress.IPv4Address):
        return "UINT32"
    if isinstance(value, str):
        return DESCRIPTOR if field == "ALE_USER_ID" else "BYTE_BLOB_TYPE"
    return "UINT16"


def condition(field: str, value: Any, match: str | None = None) -> Condition:
    """EQUAL, or RANGE for a pair, unless said otherwise."""
    text = "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
    found = match or ("RANGE" if isinstance(value, tuple) else "EQUAL")
    return Condition(field, found, kind_of(value, field), value, text, text)


def lost(field: str = "(lost)") -> Condition:
    return Condition(field, None, "", None, "", "")


def item(action: str, *conditions: Condition, weight: int | None = 9, **more: Any) -> Item:
    """A filter of the firewall at connect; ``weight`` is the effective one."""
    number = next(_NUMBERS)
    class_ = more.pop("class_", None)
    given: dict[str, Any] = {
        "row": number,
        "filter_id": number,
        "name": f"filter {number}",
        "provider": "MPSSVC_WF",
        "sublayer": "MPSSVC_WF",
        "sublayer_weight": 2,
        "layer": CONNECT,
        "callout": "{c}" if action.startswith("callout") else "",
        "flags": frozenset(),
        "origin": "",
        "rule_id": "",
        "data": "01",
        "weight": ("UINT64", weight) if class_ is None else ("UINT8", class_),
        "kind": "",
        "kind_evidence": "",
        "product": "",
    }
    return Item(action=action, effective=weight, conditions=tuple(conditions), **(given | more))
