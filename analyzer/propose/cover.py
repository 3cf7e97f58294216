"""Pairs of address and port as few products of lists that hold these pairs and no others."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

A = TypeVar("A")
B = TypeVar("B")

MOST_SETS: Final = 60  # distinct sets of which each two are tried together


def products(pairs: Iterable[tuple[A, B]]) -> list[tuple[frozenset[A], frozenset[B]]]:
    """Return products whose union is exactly the pairs; they may overlap.

    The smallest such set is hard to find (it is a cover by bicliques); the largest product first comes close, and is
    never worse than one product for each address or for each port.
    """
    wanted = set(pairs)
    found = [_greedy(wanted), _grouped(wanted), [(a, b) for b, a in _grouped({(b, a) for a, b in wanted})]]
    return min(found, key=len)


def _right(pairs: Iterable[tuple[A, B]]) -> dict[A, frozenset[B]]:
    out: dict[A, set[B]] = {}
    for one, two in pairs:
        out.setdefault(one, set()).add(two)
    return {one: frozenset(both) for one, both in out.items()}


def _grouped(pairs: set[tuple[A, B]]) -> list[tuple[frozenset[A], frozenset[B]]]:
    """Put those of equal partners together."""
    out: dict[frozenset[B], set[A]] = {}
    for one, partners in _right(pairs).items():
        out.setdefault(partners, set()).add(one)
    return [(frozenset(ones), partners) for partners, ones in out.items()]


def _greedy(pairs: set[tuple[A, B]]) -> list[tuple[frozenset[A], frozenset[B]]]:
    """Take the product that adds most, until nothing is left."""
    right = _right(pairs)
    candidates = _candidates(right)
    left, out = set(pairs), []
    while left:
        best = max(candidates, key=lambda item: sum((one, two) in left for one in item[0] for two in item[1]))
        out.append(best)
        left -= {(one, two) for one in best[0] for two in best[1]}
    return out


def _candidates(right: Mapping[A, frozenset[B]]) -> list[tuple[frozenset[A], frozenset[B]]]:
    sets = list(dict.fromkeys(right.values()))
    if len(sets) <= MOST_SETS:
        sets += [both for one, two in combinations(sets, 2) if (both := one & two)]
    return [
        (frozenset(one for one, partners in right.items() if partners >= wanted), wanted)
        for wanted in dict.fromkeys(sets)
    ]
