"""Rules for pairs of address and port: all of them, no other, and few."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.propose.cover import products

PAIRS = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1)


@given(PAIRS)
def test_products_hold_the_pairs_and_no_others(pairs: set[tuple[int, int]]) -> None:
    made = products(pairs)
    assert {(a, b) for ones, twos in made for a in ones for b in twos} == pairs


@given(PAIRS)
def test_there_are_never_more_than_addresses_or_ports(pairs: set[tuple[int, int]]) -> None:
    assert len(products(pairs)) <= min(len({a for a, _ in pairs}), len({b for _, b in pairs}))


def test_a_full_grid_is_one_rule_and_an_odd_pair_another() -> None:
    grid = {(a, p) for a in "abc" for p in (80, 443)}
    assert products(grid) == [(frozenset("abc"), frozenset({80, 443}))]
    assert len(products(grid | {("d", 22)})) == 2
