"""The filters of a state and their conditions. Format: REFERENCE 9."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer import frames
from analyzer.readers import statelists, statevalues
from analyzer.wfp import fields, flags, keys, layers, providers, sublayers, values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from analyzer.readers.statelists import Columns
    from analyzer.readers.stateproblems import Problems

MAX_CONDITIONS: Final = 100_000  # per filter


class Lookups(NamedTuple):
    """What the other lists of the same dump say, by canonical key."""

    layer_ids: dict[str, int]
    sublayer_weights: dict[str, int]
    origins: dict[str, str]  # provider context key -> decoded origin
    has_contexts: bool  # `show filters` lists no contexts: an origin that is missing there is no surprise


class FilterColumns(NamedTuple):
    """Columns for ``frames.build``."""

    filters: Columns
    conditions: Columns


def _weight(element: etree._Element, name: str, problems: Problems, what: str) -> tuple[str | None, int | None]:
    """Return type and number of ``weight`` or ``effectiveWeight``."""
    holder = statelists.child(element, name)
    if holder is None:
        return None, None
    value = statevalues.decode("", holder)
    if value.error is not None:
        problems.add("doubtful", statelists.place(element), f"{what}: <{name}>: {value.error}", group="weights")
    return value.type, value.value if isinstance(value.value, int) else None


def _action(element: etree._Element, problems: Problems, what: str) -> tuple[str | None, str | None]:
    """Return the contract's word for the action, and the callout's key where the action is a callout.

    Newer dumps print the callout under ``filterType``, those of the 2016 era under ``calloutKey``.
    """
    printed = statelists.text_of(element, "action", "type")
    if printed is None:
        problems.add("doubtful", statelists.place(element), f"{what}: has no action", group="actions")
        return None, None
    action = values.canonical_action(printed)
    if action not in values.CALLOUTS:
        if action == printed:
            what = f"{what}: unknown action {printed[:60]!r}"
            problems.add("note", statelists.place(element), what, group="unknown actions")
        return action, None
    key = statelists.text_of(element, "action", "filterType") or statelists.text_of(element, "action", "calloutKey")
    return action, keys.canonical_callout(key) if key else None


class _Reader:
    """Fills the columns filter by filter."""

    def __init__(self, lookups: Lookups, problems: Problems) -> None:
        self.lookups = lookups
        self.problems = problems
        self.filters: Columns = {name: [] for name in frames.FILTERS if name != "input"}
        self.conditions: Columns = {name: [] for name in frames.CONDITIONS if name != "input"}
        self.first_place: dict[int, str] = {}

    def take(self, item: etree._Element) -> None:
        """Read one filter; without a run-time id of its own it is left out."""
        where = statelists.place(item)
        printed = statelists.text_of(item, "filterId")
        filter_id = statevalues.number(printed)
        if filter_id is None:
            said = f"its run-time id is no number ({printed[:60]!r})" if printed else "it has no run-time id"
            self.problems.add("lost", where, f"a filter is left out: {said}", group="filters without an id")
            return
        if filter_id in self.first_place:
            what = f"filter {filter_id} is listed again: only the one at {self.first_place[filter_id]} was read"
            self.problems.add("doubtful", where, what, group="repeated filter ids")
            return
        self.first_place[filter_id] = where
        what = f"filter {filter_id}"
        row = self._row(item, what)
        row["filter_id"], row["place"] = filter_id, where
        for name, column in self.filters.items():
            column.append(row.get(name))
        self._conditions(item, filter_id, what)

    def _row(self, item: etree._Element, what: str) -> dict[str, object]:
        layer = self._layer(item, what)
        sublayer = statelists.key_of(item, "subLayerKey", sublayers.canonical_sublayer)
        key = statelists.text_of(item, "filterKey")
        flag_names = statelists.flag_list(item, flags.FILTER_PREFIX, flags.FILTER_FLAGS)
        context = statelists.key_of(item, "providerContextKey", statelists.canonical_context)
        weight_type, weight = _weight(item, "weight", self.problems, what)
        action, callout = _action(item, self.problems, what)
        return {
            "filter_key": (keys.guid(key) or key) if key else None,
            "name": statelists.text_of(item, "displayData", "name"),
            "description": statelists.text_of(item, "displayData", "description"),
            "flags": flag_names,
            "provider": statelists.key_of(item, "providerKey", providers.canonical_provider),
            "provider_data": statelists.text_of(item, "providerData", "data"),
            "layer": layer,
            "layer_id": self._layer_id(layer),
            "sublayer": sublayer,
            "sublayer_weight": self.lookups.sublayer_weights.get(sublayer) if sublayer else None,
            "weight_type": weight_type,
            "weight": weight,
            "effective_weight": _weight(item, "effectiveWeight", self.problems, what)[1],
            "action": action,
            "callout_key": callout,
            "provider_context_key": context,
            "origin": self._origin(item, what, flag_names, context),
        }

    def _layer(self, item: etree._Element, what: str) -> str | None:
        """Return the filter's layer: its own key, else the one of the layer that lists it."""
        layer = statelists.key_of(item, "layerKey", layers.canonical_layer)
        if layer is None:
            holder = item.getparent()
            parent = holder.getparent() if holder is not None else None
            if parent is not None:
                key = statelists.text_of(parent, "layer", "layerKey")
                layer = layers.canonical_layer(key) if key else None
            self.problems.add("doubtful", statelists.place(item), f"{what}: has no layer key", group="layer keys")
        return layer

    def _layer_id(self, layer: str | None) -> int | None:
        if layer is None:
            return None
        own = self.lookups.layer_ids.get(layer)
        return own if own is not None else layers.ID_BY_SYMBOL.get(layer)

    def _origin(self, item: etree._Element, what: str, flag_names: tuple[str, ...], context: str | None) -> str | None:
        """Return the filter's origin, only where its flag says that its context stores one (REFERENCE 2.3)."""
        if flags.HAS_FILTER_ORIGIN not in flag_names:
            return None
        origin = self.lookups.origins.get(context) if context is not None else None
        if origin is None and self.lookups.has_contexts:
            said = f"provider context {context} is not in the dump, or stores no text" if context else "it names none"
            what = f"{what}: is flagged to have an origin, but {said}"
            self.problems.add("doubtful", statelists.place(item), what, group="origins")
        return origin

    def _conditions(self, item: etree._Element, filter_id: int, what: str) -> None:
        holder = statelists.child(item, "filterCondition")
        if holder is None:
            return
        row = len(self.filters["filter_id"]) - 1
        found = 0
        for condition in holder:
            if condition.tag != "item":
                continue
            if found >= MAX_CONDITIONS:
                self.problems.add("lost", statelists.place(item), f"{what}: more than {MAX_CONDITIONS:,} conditions")
                break
            self._condition(condition, (row, filter_id, found), what)
            found += 1
        said = statevalues.number(holder.get("numItems"))
        if said is not None and said > found:
            problem = f"{what}: says that it has {said:,} conditions, {found:,} could be read"
            self.problems.add("lost", statelists.place(item), problem, group="lost conditions")
            # One condition without a field stands for the lost ones: the filter must not look wider than it is.
            self._append((row, filter_id, found), None, None, None)

    def _condition(self, condition: etree._Element, at: tuple[int, int, int], what: str) -> None:
        key = statelists.text_of(condition, "fieldKey")
        field = fields.canonical_field(key) if key else None
        match = (statelists.text_of(condition, "matchType") or "").upper().removeprefix(values.MATCH_PREFIX) or None
        holder = statelists.child(condition, "conditionValue")
        value = statevalues.decode(field or "", holder) if holder is not None else None
        error = value.error if value is not None else "it has no value"
        if field is None or match is None:
            error = "it has no field" if field is None else "it has no match type"
        if error is not None:
            said = f"{what}: condition {at[2] + 1} on {field or 'an unnamed field'}: {error}"
            self.problems.add("doubtful", statelists.place(condition), said, group="conditions")
        self._append(at, field, match, value)

    def _append(
        self, at: tuple[int, int, int], field: str | None, match: str | None, value: statevalues.Value | None
    ) -> None:
        row, filter_id, index = at
        kind, decoded, text, raw = value[:4] if value is not None else (None, None, None, None)
        cells = (row, filter_id, index, field, match, kind, decoded, text, raw)
        for column, cell in zip(self.conditions.values(), cells, strict=True):
            column.append(cell)


def _strays(root: etree._Element, problems: Problems) -> Iterator[etree._Element]:
    """Yield filters of a damaged file that stand outside the lists of filters: their list's tag was hit."""
    for element in root.iter("filterId"):
        parent = element.getparent()
        if parent is None or statelists.child(parent, "filterKey") is None:
            continue
        if parent.tag != "item":
            problems.add("lost", statelists.place(element), "a filter is left out: its <item> is damaged")
            continue
        holder = parent.getparent()
        if holder is None or holder.tag != "filters":
            yield parent


def read_filters(root: etree._Element, lookups: Lookups, problems: Problems, *, repaired: bool) -> FilterColumns:
    """Read every filter below ``root``: under its layer (``show state``) or listed directly (``show filters``).

    In a file that had to be ``repaired``, filters are also looked for outside the lists.
    """
    reader = _Reader(lookups, problems)
    for item in statelists.items(root, "filters", problems):
        reader.take(item)
    if repaired:
        for item in _strays(root, problems):
            reader.take(item)
    return FilterColumns(reader.filters, reader.conditions)
