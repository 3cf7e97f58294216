"""What kind of block a filter makes: by its origin, then by fixed key, then by shape, its English name last.

Display names are localized and may be edited, so a name decides only where nothing else does, and then as a hint
(``kind_evidence`` = ``name``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pandas as pd

from analyzer import cells
from analyzer.shapes import NAMES, SHAPES, Shape
from analyzer.wfp import fixed_filters, origins, providers, sddl, sublayers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.engine.conditions import Test
    from analyzer.model import Kind, KindEvidence

UNKNOWN_MAKER: Final = frozenset({"other-wfp", "callout"})
CAN_BLOCK: Final = frozenset({"block", "callout-terminating", "callout-unknown"})


class Classified(NamedTuple):
    """Kind, what it rests on, and why in one sentence."""

    kind: Kind
    evidence: KindEvidence
    why: str


def classify_one(shape: Shape, origin: str | None) -> Classified:
    """Classify one filter that can block: the first of origin, key, shape and name that tells."""
    return _by_origin(shape, origin) or _by_key(shape) or _by_shape(shape) or _by_name(shape) or _unknown(shape)


def _by_origin(shape: Shape, origin: str | None) -> Classified | None:
    kind = origins.origin_kind(origin, shape.sublayer)
    return Classified(kind, "origin", f"its filter origin is “{origin}”") if kind is not None else None


def _by_key(shape: Shape) -> Classified | None:
    fixed = fixed_filters.fixed_filter(shape.key)
    kind = origins.origin_kind(fixed.origin, fixed.sublayer) if fixed is not None else None
    why = "its filter key is the same on every machine: a boot-time or quarantine filter"
    return Classified(kind, "key", why) if kind is not None else None


def _by_shape(shape: Shape) -> Classified | None:
    rule = next((rule for rule in SHAPES if rule.test(shape)), None)
    return Classified(rule.kind, "shape", rule.why) if rule is not None else None


def _by_name(shape: Shape) -> Classified | None:
    lowered = shape.name.lower()
    hints = (hint for hint in NAMES if lowered.startswith(hint.start))
    kind = next((hint.kind for hint in hints if shape.firewall or not (hint.firewall or shape.provider)), None)
    why = f"only its display name “{shape.name}” says so; names can be edited and are localized"
    return Classified(kind, "name", why) if kind is not None else None


def _unknown(shape: Shape) -> Classified:
    if shape.is_callout:
        return Classified("callout", "shape", "a callout decides, and nothing says whose it is")
    if shape.firewall or shape.sublayer in sublayers.FIREWALL_KEYS:
        return Classified("unresolved", "shape", "the firewall's provider or sublayer, but a shape that is not known")
    return Classified("other-wfp", "shape", "not the firewall's filter, and its maker is not known")


def shape_of(row: Any, tests: Sequence[Test], product: str | None) -> Shape:
    """Gather what the rules look at from one row of the FILTERS frame (as a named tuple)."""
    user_sids: set[str] = set()
    package_not_null = loopback = False
    for test in tests:
        if test.field == "ALE_USER_ID" and isinstance(test.value, str):
            user_sids.update(ace.sid for ace in (sddl.read_sddl(test.value).dacl or ()))
        elif test.field == "ALE_PACKAGE_ID" and test.match == "NOT_EQUAL":
            package_not_null = True
        elif test.field == "FLAGS" and test.match == "FLAGS_ALL_SET" and isinstance(test.value, int):
            loopback = bool(test.value & 1)
    return Shape(
        key=text(row, "filter_key"),
        name=text(row, "name"),
        provider=text(row, "provider"),
        sublayer=text(row, "sublayer"),
        layer=text(row, "layer"),
        action=text(row, "action"),
        flags=frozenset(getattr(row, "flags", None) or ()),
        weight_type=text(row, "weight_type"),
        weight=cells.number(row.weight),
        fields=frozenset(test.field for test in tests),
        user_sids=frozenset(user_sids),
        package_not_null=package_not_null,
        loopback=loopback,
        product=product,
        callout=text(row, "callout_key"),
    )


def _claim(provider: Any) -> str:
    """Return what a provider says of itself, marked as its own claim, or an empty text."""
    name, service = text(provider, "name"), text(provider, "service_name")
    said = f"“{name}”" if name else ""
    said += f"{', ' if said else ''}service {service}" if service else ""
    return f"; its provider calls itself {said}, which is no proof" if said else ""


def text(row: Any, name: str) -> str:
    """Return a text cell, missing as an empty string."""
    return cells.text(getattr(row, name)) or ""


def classify(
    filters: pd.DataFrame,
    tests: dict[int, tuple[Test, ...]],
    provider_frame: pd.DataFrame,
    sublayer_frame: pd.DataFrame,
) -> pd.DataFrame:
    """Classify the filters of one or more states.

    Returns
    -------
    A frame aligned with ``filters``: ``kind``, ``kind_evidence``, ``why`` (str, missing where the filter cannot
    block), ``rule_id`` and ``rule_maker`` (str, missing where the origin is not a rule's).
    """
    services = {(p.input, p.provider): text(p, "service_name") for p in provider_frame.itertuples(index=False)}
    claims = {(p.input, p.provider): _claim(p) for p in provider_frame.itertuples(index=False)}
    owners = {(s.input, s.sublayer): text(s, "provider") for s in sublayer_frame.itertuples(index=False)}
    kinds: list[str | None] = []
    evidence: list[str | None] = []
    whys: list[str | None] = []
    for position, row in enumerate(filters.itertuples(index=False)):
        if text(row, "action") not in CAN_BLOCK:
            kinds.append(None)
            evidence.append(None)
            whys.append(None)
            continue
        provider, owner = text(row, "provider"), owners.get((row.input, row.sublayer), "")
        product = providers.third_party(provider, services.get((row.input, provider)))
        if product is None and not provider and owner:
            product = providers.third_party(owner, services.get((row.input, owner)))
        done = classify_one(shape_of(row, tests.get(position, ()), product), text(row, "origin") or None)
        kinds.append(done.kind)
        evidence.append(done.evidence)
        whys.append(f"{done.why}: {product}" if done.kind == "third-party" else done.why)
        if done.kind in UNKNOWN_MAKER:
            whys[-1] = f"{done.why}{claims.get((row.input, provider or owner), '')}"
    pairs = [(cells.text(o), cells.text(s)) for o, s in zip(filters["origin"], filters["sublayer"], strict=True)]
    found = [origins.rule_id(origin) for origin, _ in pairs]
    makers = [origins.rule_maker(origin, sublayer) for origin, sublayer in pairs]
    columns = {"kind": kinds, "kind_evidence": evidence, "why": whys, "rule_id": found, "rule_maker": makers}
    return pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})
