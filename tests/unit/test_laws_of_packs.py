"""The cheapest mix of packs, against trying every mix there is."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.packs import UNLIMITED, Choice, Pack, Pick, cheapest


@st.composite
def packs(draw: st.DrawFn) -> list[Pack]:
    """Up to three add-ons; more of one may cost less, as in a price by volume."""
    sold = []
    for number in range(draw(st.integers(0, 3))):
        most = draw(st.integers(0, 4))
        given_ = [(draw(st.integers(0, 9)), draw(st.integers(0, 6))) for _ in range(most)]
        choices = (Choice(n, Decimal(u), c) for n, (u, c) in enumerate(given_, 1))
        sold.append(Pack(f"pack{number}", tuple(choices)))
    return sold


def rank(mix: tuple[Pick, ...]) -> tuple[int, int, int]:
    cost = sum(pick.choice.cost_minor for pick in mix)
    return cost, sum(pick.choice.quantity for pick in mix), len(mix)


def units(mix: tuple[Pick, ...]) -> Decimal:
    return sum((pick.choice.units for pick in mix), Decimal(0))


def every_mix(sold: list[Pack]) -> list[tuple[Pick, ...]]:
    ways = [[None, *(Pick(pack.add_on, choice) for choice in pack.choices)] for pack in sold]
    return [tuple(pick for pick in mix if pick) for mix in product(*ways)]


@given(packs(), st.integers(0, 30).map(Decimal))
def test_no_mix_is_better(sold: list[Pack], needed: Decimal) -> None:
    found = cheapest(sold, needed)
    enough = [rank(mix) for mix in every_mix(sold) if units(mix) >= needed]
    if found is None:
        assert not enough
    else:
        assert units(found) >= needed
        assert rank(found) == min(enough)
        assert found in every_mix(sold)


@given(packs(), st.integers(0, 30).map(Decimal), st.integers(0, 4))
def test_no_mix_with_the_rest_charged_for_is_better(
    sold: list[Pack], needed: Decimal, each: int
) -> None:
    def rest_cost(rest: Decimal) -> int:
        return int(rest * each)

    def cost(mix: tuple[Pick, ...]) -> int:
        return rank(mix)[0] + rest_cost(max(needed - units(mix), Decimal(0)))

    found = cheapest(sold, needed, rest_cost)
    assert found is not None
    assert cost(found) == min(cost(mix) for mix in every_mix(sold))


@given(packs(), st.integers(0, 30), st.permutations(range(3)))
def test_the_order_of_the_catalog_changes_no_price(
    sold: list[Pack], needed: int, order: list[int]
) -> None:
    shuffled = [sold[n] for n in order if n < len(sold)]
    found, again = cheapest(sold, Decimal(needed)), cheapest(shuffled, Decimal(needed))
    assert (found is None) is (again is None)
    if found is not None and again is not None:
        assert rank(found) == rank(again)


def linear(add_on: str, each: int, cost: int, most: int) -> Pack:
    return Pack(add_on, tuple(Choice(n, Decimal(n * each), n * cost) for n in range(1, most + 1)))


TEN = linear("10k", 10_000, 700, 100)
FIFTY = linear("50k", 50_000, 2_900, 100)
HUNDRED = linear("100k", 100_000, 4_900, 100)


def picked(needed: int, *sold: Pack) -> dict[str, int] | None:
    found = cheapest(sold, Decimal(needed))
    return None if found is None else {pick.add_on: pick.choice.quantity for pick in found}


def test_the_demo_packs() -> None:
    sold = (TEN, FIFTY, HUNDRED)
    assert picked(0, *sold) == {}
    assert picked(1, *sold) == {"10k": 1}
    assert picked(40_001, *sold) == {"50k": 1}
    assert picked(60_000, *sold) == {"10k": 1, "50k": 1}
    assert picked(70_001, *sold) == {"100k": 1}
    assert picked(120_000, *sold) == {"10k": 2, "100k": 1}
    assert picked(1, linear("never", 5, 100, 0)) is None
    assert picked(1_001, linear("few", 100, 100, 10)) is None


def test_of_equally_cheap_mixes_the_one_with_fewer_packs_and_then_purchases() -> None:
    assert picked(2, linear("one", 1, 100, 9), linear("two", 2, 200, 9)) == {"two": 1}
    one, other = linear("one", 1, 100, 2), linear("other", 1, 100, 2)
    assert picked(2, one, other) in ({"one": 2}, {"other": 2})


def test_what_has_no_limit_is_enough_whatever_is_needed() -> None:
    unlimited = Pack("all", (Choice(1, UNLIMITED, 9_900),))
    assert picked(100_000, HUNDRED, unlimited) == {"100k": 1}
    assert picked(10**9, HUNDRED, unlimited) == {"all": 1}
