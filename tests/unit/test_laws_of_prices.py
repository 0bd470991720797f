"""Laws of price models: I17 and I18 of billing-conventions.md §4."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalog import Price, Tier, TierMode, TransformQuantity
from portal.domain.pricing import blocks_of, exact_minor, parts
from tests.unit.samples import package, recurring, tiered
from tests.unit.strategies import tiers

A_LITTLE = Decimal("0.001")
counts = st.one_of(st.sampled_from([0, 1]), st.integers(0, 80))


def slab(rows: tuple[Tier, ...]) -> Price:
    return replace(tiered(TierMode.SLAB), tiers=rows)


def volume(rows: tuple[Tier, ...]) -> Price:
    return replace(tiered(TierMode.VOLUME), tiers=rows)


def holder(rows: tuple[Tier, ...], unit: int) -> Tier:
    """The tier that the `unit`-th unit falls in."""
    return next(row for row in rows if row.up_to is None or unit <= row.up_to)


@given(tiers(), counts)
def test_i17_graduated_is_unit_by_unit_plus_the_flats_entered(
    rows: tuple[Tier, ...], count: int
) -> None:
    units = [holder(rows, unit) for unit in range(1, count + 1)]
    entered = {row.up_to: row.flat_amount for row in units}
    dollars = sum(row.unit_amount for row in units) + sum(entered.values())
    assert exact_minor(slab(rows), Decimal(count)) == Fraction(dollars) * 100


@given(tiers(), counts, counts)
def test_i17_graduated_is_not_negative_and_monotone(
    rows: tuple[Tier, ...], some: int, more: int
) -> None:
    low, high = sorted((Decimal(some), Decimal(more)))
    assert 0 <= exact_minor(slab(rows), low) <= exact_minor(slab(rows), high)


@given(tiers(), st.data())
def test_i17_graduated_jumps_at_a_bound_by_the_declared_flat_only(
    rows: tuple[Tier, ...], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    bound = Decimal(rows[place - 1].up_to or 0) if place else Decimal(0)
    entered = rows[place]
    jump = exact_minor(slab(rows), bound + A_LITTLE) - exact_minor(slab(rows), bound)
    assert jump == 100 * Fraction(entered.flat_amount + entered.unit_amount * A_LITTLE)


@given(st.integers(1, 40), counts, counts)
def test_i17_packages_are_monotone_and_bought_once(size: int, some: int, more: int) -> None:
    price = package("7", size)
    left_in_the_open_package = -some % size
    further = blocks_of(TransformQuantity(size), Decimal(max(more - left_in_the_open_package, 0)))
    first = exact_minor(price, Decimal(some))
    assert exact_minor(price, Decimal(some + more)) == first + 700 * further


@given(tiers(), counts)
def test_i18_volume_is_the_quantity_at_its_tier_plus_flat(
    rows: tuple[Tier, ...], count: int
) -> None:
    row = holder(rows, count)
    formula = Fraction(row.unit_amount * count + row.flat_amount) * 100 if count else Fraction(0)
    assert exact_minor(volume(rows), Decimal(count)) == formula


def test_i18_volume_need_not_be_monotone() -> None:
    falling = tiered(TierMode.VOLUME, (100, "2", "10"), (None, "1"))
    assert [exact_minor(falling, Decimal(n)) for n in (100, 101)] == [21_000, 10_100]


@pytest.mark.parametrize(
    "price", [recurring("5"), package("5", 10), tiered(TierMode.SLAB, (None, "1", "9"))]
)
def test_zero_units_cost_nothing(price: Price) -> None:
    assert parts(price, Decimal(0)) == ()
    assert exact_minor(price, Decimal(0)) == 0


def test_a_price_refuses_what_it_cannot_count() -> None:
    with pytest.raises(ValueError, match="not negative"):
        parts(recurring("5"), Decimal(-1))
    for mode in TierMode:
        with pytest.raises(ValueError, match="must be open"):
            parts(tiered(mode, (10, "1")), Decimal(11))
