"""What a filter *is*, apart from the numbers that every policy load gives anew (REFERENCE 3.4, 12).

Run-time id, filter key, the key of a provider context and the number in the provider data are no identity. A block that
a rule made carries the rule's id as its origin; a permit carries none and is known by its name and its conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from analyzer import cells
from analyzer.review.conditions import Condition, asked, by_filter, fields_of
from analyzer.shapes import BLOCK_RULE_WEIGHT, DEFAULT_WEIGHTS, PROFILE_FIELDS
from analyzer.wfp import layers, origins, providers, sublayers

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from analyzer.readers.wfpstate import WfpState
    from analyzer.states import Book

# rule: the firewall's rules; windows-rule: rules that Windows ships (hardening, app packages); default: the firewall's
# own filters; windows: other parts of Windows; third-party: a known product; other: maker not known.
Part: TypeAlias = Literal["rule", "windows-rule", "default", "windows", "third-party", "other"]

BUILT_IN_DATA: Final = "f" * 16  # provider data of the firewall's own filters (measured in four dumps)
RULE_WEIGHTS: Final = frozenset({4, 9, BLOCK_RULE_WEIGHT})  # REFERENCE 3.4, weight classes
RULE_SUBLAYERS: Final = frozenset({"MPSSVC_WF", "TEREDO"})  # TEREDO: the same rules for edge traversal
# Flags that the engine or the dump sets by itself: they say nothing of what the filter does.
TECHNICAL_FLAGS: Final = frozenset(
    {"INDEXED", "HAS_PROVIDER_CONTEXT", "HAS_FILTER_ORIGIN", "HAS_SECURITY_REALM_PROVIDER_CONTEXT"}
)
# Numbers of the moment, not policy: an interface is let out of quarantine anew with each network (REFERENCE 3.3).
VOLATILE_FIELDS: Final = frozenset({"INTERFACE_QUARANTINE_EPOCH"})


@dataclass(frozen=True, slots=True)
class Item:
    """One filter of one side. ``row`` is its position in that side's book; texts are "" where the dump has none."""

    row: int
    filter_id: int
    name: str
    provider: str
    sublayer: str
    sublayer_weight: int | None
    layer: str
    action: str
    callout: str
    flags: frozenset[str]
    origin: str
    rule_id: str
    data: str
    weight: tuple[str, int | None]
    effective: int | None
    conditions: tuple[Condition, ...]
    kind: str
    kind_evidence: str
    product: str

    @property
    def stem(self) -> str:
        """Return the layer without address family."""
        return layers.stem(self.layer)

    @property
    def fields(self) -> frozenset[str]:
        """Return the fields of its conditions."""
        return fields_of(self.conditions)

    @property
    def boot_or_fixed(self) -> bool:
        """Tell boot-time and persistent filters."""
        return bool(self.flags & {"BOOTTIME", "PERSISTENT"})

    @property
    def default_shape(self) -> bool:
        """Tell a filter of the firewall's in- or outbound default, by origin or shape, never by name."""
        if self.kind in ("default-inbound", "default-outbound") and self.kind_evidence in ("origin", "shape"):
            return True
        return (
            self.provider in providers.FIREWALL_KEYS
            and self.sublayer == "MPSSVC_WF"
            and self.weight[0] == "UINT8"
            and self.weight[1] in DEFAULT_WEIGHTS
            and self.action in ("permit", "block")
            and not self.boot_or_fixed
            and self.fields <= PROFILE_FIELDS
            and self.data != BUILT_IN_DATA
            and layers.direction(self.layer) in ("inbound", "outbound")
        )

    @property
    def volatile(self) -> bool:
        """Tell a filter whose conditions hold a number of the moment."""
        return bool(self.fields & VOLATILE_FIELDS)

    def content(self) -> Hashable:
        """Return what it does and to what, without name, weight and rule."""
        return (
            self.provider,
            self.sublayer,
            self.layer,
            self.action,
            self.callout,
            self.flags,
            asked(self.conditions),
        )


def items(state: WfpState, book: Book) -> list[Item]:
    """Return the filters of one state; ``book`` is bound from this state alone."""
    frame = book.filters
    services = {
        cells.text(key) or "": cells.text(name)
        for key, name in zip(state.providers["provider"], state.providers["service_name"], strict=True)
    }
    conditions = by_filter(state.conditions)
    columns = {name: frame[name].tolist() for name in _COLUMNS}
    out = []
    for row in range(len(frame)):
        cell: dict[str, Any] = {name: values[row] for name, values in columns.items()}
        provider = cells.text(cell["provider"]) or ""
        origin = origins.clean(cells.text(cell["origin"]) or "")
        out.append(
            Item(
                row=row,
                filter_id=int(cell["filter_id"]),
                name=(cells.text(cell["name"]) or "").strip(),
                provider=provider,
                sublayer=cells.text(cell["sublayer"]) or "",
                sublayer_weight=_sublayer_weight(cell),
                layer=cells.text(cell["layer"]) or "",
                action=cells.text(cell["action"]) or "",
                callout=cells.text(cell["callout_key"]) or "",
                flags=frozenset(cell["flags"] or ()) - TECHNICAL_FLAGS,
                origin=origin,
                rule_id=cells.text(cell["rule_id"]) or "",
                data=(cells.text(cell["provider_data"]) or "").lower(),
                weight=(cells.text(cell["weight_type"]) or "", cells.number(cell["weight"])),
                effective=cells.number(cell["effective_weight"]),
                conditions=conditions.get(row, ()),
                kind=cells.text(cell["kind"]) or "",
                kind_evidence=cells.text(cell["kind_evidence"]) or "",
                product=providers.third_party(provider, services.get(provider)) or "",
            )
        )
    return out


_COLUMNS: Final = (
    *("filter_id", "name", "provider", "provider_data", "sublayer", "sublayer_weight", "layer", "action"),
    *("callout_key", "flags", "origin", "rule_id", "weight_type", "weight", "effective_weight"),
    *("kind", "kind_evidence"),
)


def _sublayer_weight(cell: Mapping[str, Any]) -> int | None:
    found = cells.number(cell["sublayer_weight"])
    return found if found is not None else sublayers.known_weight(cells.text(cell["sublayer"]) or "")


def part_of(group: Iterable[Item]) -> Part:
    """Tell what the filters of one group are a part of."""
    members = list(group)
    if any(item.default_shape for item in members):
        return "default"
    return _part(members[0], has_rule_id=any(item.rule_id for item in members))


def _part(item: Item, *, has_rule_id: bool) -> Part:
    if item.provider in providers.FIREWALL_KEYS:
        numbered = bool(item.data) and item.data != BUILT_IN_DATA
        if item.provider == "MPSSVC_WF" and item.sublayer in RULE_SUBLAYERS:
            by_weight = not item.data and item.weight[0] == "UINT8" and item.weight[1] in RULE_WEIGHTS
            return "rule" if has_rule_id or numbered or by_weight else "default"
        return "windows-rule" if has_rule_id or numbered else "default"
    if item.product:
        return "third-party"
    if item.provider in providers.WINDOWS_KEYS or item.kind in ("windows-component", "ipsec"):
        return "windows"
    if item.sublayer in sublayers.WINDOWS_COMPONENT_KEYS or item.sublayer in sublayers.IPSEC_KEYS:
        return "windows"
    return "other"
