"""Changes of filters as changes of rules: added, removed, changed condition by condition, re-weighted; all in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.review import folding, matching, values
from analyzer.review.groups import RULES, Group
from analyzer.reviewmodel import Change, Difference, Limit, RuleSide
from analyzer.wfp import layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.review.identity import Item, Part
    from analyzer.review.matching import Matched, Pair

MOST_IDS: Final = 20
LONGEST_NAME: Final = 80
NOUNS: Final[dict[Part, str]] = {
    "rule": "rule",
    "windows-rule": "rule that Windows ships",
    "default": "firewall's own filter",
    "windows": "filter of another part of Windows",
    "third-party": "product's filter",
    "other": "filter of unknown make",
}
_ACTION: Final[dict[str, str]] = {"permit": "allow"}
_MOST_COMBINATIONS: Final = 3


def side_of(items: Sequence[Item], name: str, rule_id: str) -> RuleSide:
    """Fold the filters of one rule on one side."""
    stage, first = next(iter(folding.stages(items).items()))
    conditions = folding.folded(first)
    actions = list(dict.fromkeys(item.action for item in first if item.action)) or [items[0].action]
    direction = layers.direction(first[0].layer) if first[0].layer else None
    action = " and ".join(actions)
    words = f"{' and '.join(_ACTION.get(word, word) for word in actions)} {place_words(stage, direction)}"
    told = folding.described(conditions)
    return RuleSide(
        name=name or None,
        rule_id=rule_id or None,
        store=None,
        enabled=None,
        action=action or None,
        direction=direction,
        provider=first[0].provider or None,
        sublayer=first[0].sublayer or None,
        layers=tuple(sorted({item.layer for item in items if item.layer})),
        weight=weight_words(first[0].weight),
        conditions=tuple(
            Limit(name, folding.field_words(name), found.words, len(found.words)) for name, found in conditions.items()
        ),
        filters=len(items),
        filter_ids=tuple(sorted(item.filter_id for item in items))[:MOST_IDS],
        words=f"{words}, {told}" if told else f"{words}, no conditions",
    )


def place_words(stem: str, direction: str | None) -> str:
    """Return where filters of one stage decide: ``inbound``, ``outbound``, or the layer's name."""
    if stem in ("ALE_AUTH_CONNECT", "ALE_AUTH_RECV_ACCEPT") and direction is not None:
        return direction
    return f"at {layers.layer_words(stem)}" if stem else "at an unknown layer"


def weight_words(weight: tuple[str, int | None]) -> str:
    """Return a weight as given: its class, its number, or that the engine chooses."""
    kind, number = weight
    if kind == "EMPTY" or number is None:
        return "chosen by the engine"
    return f"class {number}" if kind == "UINT8" else str(number)


def title(group: Group) -> str:
    """Return what a rule is called."""
    name = group.name if group.name != "-" else ""
    return name or group.rule_id or f"filter {group.items[0].filter_id}"


def _named(part: Part, name: str) -> str:
    """Return a rule's name in a sentence, a very long one cut."""
    return f"{NOUNS[part]} “{name if len(name) <= LONGEST_NAME else f'{name[:LONGEST_NAME]}…'}”"


# ---------------------------------------------------------------------------------------------------------- rules


def of_pair(pair: Pair, places: frozenset[tuple[str, str]]) -> Change | None:
    """Return the change of one pair of rules, None where both do the same.

    ``places`` are layers and sublayers where weights were numbered anew in the same order.
    """
    if pair.before is None or pair.after is None:
        return _one_sided(pair.group, added=pair.before is None)
    found = matching.match_items(pair.before.items, pair.after.items)
    differences = _differences(pair.before, pair.after, found, places)
    if not differences:
        return None
    only_weight = all(item.field == "weight" for item in differences)
    name = title(pair.after)
    return Change(
        what="reweighted" if only_weight else "changed",
        part=pair.after.part,
        source="state",
        rule=name,
        rule_id=pair.after.rule_id or pair.before.rule_id or None,
        before=side_of(pair.before.items, pair.before.name, pair.before.rule_id),
        after=side_of(pair.after.items, pair.after.name, pair.after.rule_id),
        differences=differences,
        words=f"{_named(pair.after.part, name)}: {'; '.join(sentence(item) for item in differences)}",
        ambiguous=bool(pair.doubt),
        why=pair.doubt or None,
    )


def _one_sided(group: Group, *, added: bool) -> Change:
    made = side_of(group.items, group.name, group.rule_id)
    name = title(group)
    return Change(
        what="added" if added else "removed",
        part=group.part,
        source="state",
        rule=name,
        rule_id=group.rule_id or None,
        before=None if added else made,
        after=made if added else None,
        differences=(),
        words=f"{_named(group.part, name)} {'added' if added else 'removed'}: {made.words}",
    )


def _differences(
    before: Group, after: Group, found: Matched, places: frozenset[tuple[str, str]]
) -> tuple[Difference, ...]:
    out: list[Difference] = []
    if before.name != after.name and before.part in RULES and after.part in RULES:
        out.append(_plain("name", "name", before.name, after.name))
    if found.removed or found.added:
        told = _attributes(before.items, after.items)
        told += [
            Difference(item.name, folding.field_words(item.name), item.before, item.after)
            for item in folding.contrasts(before.items, after.items)
        ]
        out += told or [_combinations(found)]
    out += moved(found, places)
    return tuple(out)


def moved(found: Matched, places: frozenset[tuple[str, str]]) -> list[Difference]:
    """Return the weights that differ; those that the engine merely numbered anew are left out."""
    given: dict[tuple[str, str], None] = {}
    for one, two in found.moved:
        if one.weight == two.weight and (one.layer, one.sublayer) in places:
            continue
        if one.weight != two.weight:
            given[weight_words(one.weight), weight_words(two.weight)] = None
        else:
            given[_effective(one), _effective(two)] = None
    if not given:
        return []
    pairs = list(given)[: values.MOST_LISTED]
    return [Difference("weight", "weight", tuple(one for one, _ in pairs), tuple(two for _, two in pairs))]


def _effective(item: Item) -> str:
    return "unknown" if item.effective is None else f"{item.effective:#018x} in force"


def _plain(field: str, words: str, before: str, after: str) -> Difference:
    return Difference(field, words, (before or "none",), (after or "none",))


def _attributes(before: Sequence[Item], after: Sequence[Item]) -> list[Difference]:
    """Return differences in what is no condition: action, place, sublayer, callout, flags."""
    out = []
    first, second = folding.stages(before), folding.stages(after)
    for stem in (stem for stem in first if stem in second):
        one, two = (tuple(sorted({item.action for item in side[stem]})) for side in (first, second))
        if one != two:
            out.append(Difference("action", "action", one, two))
    out = out[:1]  # what a helper at another stage does follows from it
    for field, words, pick in _ATTRIBUTES:
        one, two = (tuple(sorted({word for item in items for word in pick(item)})) for items in (before, after))
        if one != two:
            out.append(Difference(field, words, one or ("none",), two or ("none",)))
    return out


def _place(item: Item) -> tuple[str, ...]:
    return (layers.layer_words(item.layer),) if item.layer else ()


_ATTRIBUTES: Final = (
    ("layers", "layers", _place),
    ("sublayer", "sublayer", lambda item: (item.sublayer,)),
    ("provider", "provider", lambda item: (item.provider,) if item.provider else ()),
    ("callout", "callout", lambda item: (item.callout,) if item.callout else ()),
    ("flags", "flags", lambda item: tuple(item.flags)),
)


def _combinations(found: Matched) -> Difference:
    """Tell filters one by one, where the rule's lists are the same and only their combinations differ."""
    return Difference("combinations", "combinations of conditions", _spelled(found.removed), _spelled(found.added))


def _spelled(items: Sequence[Item]) -> tuple[str, ...]:
    words = [side_of([item], item.name, "").words for item in items[:_MOST_COMBINATIONS]]
    more = len(items) - len(words)
    return (*words, f"and {more:,} more filters") if more else tuple(words) or ("none",)


def sentence(item: Difference) -> str:
    """Return one difference in words: ``remote port 443 → 443, 8443``."""
    return f"{item.words} {values.listed(item.before)} → {values.listed(item.after)}"


# --------------------------------------------------------------------------------------------- filters of no rule


def of_items(found: Matched, places: frozenset[tuple[str, str]], parts: dict[int, Group]) -> list[Change]:
    """Return the changes of filters that no rule made, folded by maker and name.

    ``parts`` maps ``id(item)`` to the group that the filter is of.
    """
    sides: dict[tuple[Part, str, str, str], tuple[list[Item], list[Item]]] = {}
    for side, items in enumerate((found.removed, found.added)):
        for item in items:
            group = parts[id(item)]
            key = (group.part, item.provider, item.sublayer, item.name)
            sides.setdefault(key, ([], []))[side].append(item)
    out = []
    for (part, _, _, name), (gone, come) in sides.items():
        one, two = (Group(part, name, "", tuple(items)) if items else None for items in (gone, come))
        change = of_pair(matching.Pair(one, two, near=True), places)
        if change is not None:
            out.append(change)
    return out + _moved_changes(found, places, parts)


def _moved_changes(found: Matched, places: frozenset[tuple[str, str]], parts: dict[int, Group]) -> list[Change]:
    by_name: dict[tuple[Part, str], list[matching.Moved]] = {}
    for pair in found.moved:
        by_name.setdefault((parts[id(pair.after)].part, pair.after.name), []).append(pair)
    out = []
    for (part, name), pairs in by_name.items():
        kept = [
            p for p in pairs if p.before.weight != p.after.weight or (p.after.layer, p.after.sublayer) not in places
        ]
        if not kept:
            continue
        one, two = (Group(part, name, "", tuple(pair[side] for pair in kept)) for side in (0, 1))
        change = of_pair(matching.Pair(one, two), places)
        if change is not None:
            out.append(change)
    return out


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return defaults and plumbing first, then rules, then the rest; by name."""
    whats = ("default", "plumbing", "removed", "added", "changed", "reweighted")
    parts = ("rule", "windows-rule", "third-party", "other", "windows", "default")
    return tuple(
        sorted(
            changes,
            key=lambda change: (
                min(whats.index(change.what), 2),
                parts.index(change.part),
                change.rule.casefold(),
                whats.index(change.what),
                change.words,
            ),
        )
    )
