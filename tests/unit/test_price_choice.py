"""Which of an add-on's prices a subscription pays (product.md §4, anchors; seed 2)."""

from __future__ import annotations

import pytest

from portal.domain.catalog import Price, PriceType, price_for
from portal.domain.periods import BillingPeriod, Interval
from tests.unit.samples import ANNUAL, DAILY, MONTHLY, QUARTERLY, WEEKLY, once, recurring

DAY, WEEK, MONTH = (recurring("1", each) for each in (DAILY, WEEKLY, MONTHLY))
QUARTER, YEAR = recurring("140", QUARTERLY), recurring("470", ANNUAL)
TWO_MONTHS = recurring("95", Interval(BillingPeriod.MONTHLY, 2))
PACK = once("49")
HALF_YEAR = recurring("250", Interval(BillingPeriod.HALF_YEARLY))
ALL = (DAY, WEEK, MONTH, TWO_MONTHS, QUARTER, HALF_YEAR, YEAR)


@pytest.mark.parametrize(
    ("plan", "prices", "chosen"),
    [
        (MONTHLY, ALL, MONTH),
        (QUARTERLY, ALL, QUARTER),
        (ANNUAL, ALL, YEAR),
        (ANNUAL, (MONTH, QUARTER), QUARTER),
        (ANNUAL, (QUARTER, MONTH, HALF_YEAR), HALF_YEAR),
        (QUARTERLY, (MONTH, TWO_MONTHS, YEAR), MONTH),
        (MONTHLY, (QUARTER, YEAR), None),
        (MONTHLY, (WEEK, DAY), None),
        (WEEKLY, (DAY, WEEK, MONTH), WEEK),
        (WEEKLY, (DAY,), None),
        (MONTHLY, (PACK,), PACK),
        (ANNUAL, (PACK, YEAR), PACK),
        (MONTHLY, (), None),
    ],
)
def test_a_one_time_price_else_the_plans_interval_else_the_longest_that_divides_it(
    plan: Interval, prices: tuple[Price, ...], chosen: Price | None
) -> None:
    assert price_for(prices, "usd", plan) == chosen
    assert price_for(prices[::-1], "usd", plan) == chosen


def test_only_fixed_prices_of_the_currency_are_offered() -> None:
    euros = recurring("45", currency="eur")
    metered = recurring("0.02", ANNUAL, type=PriceType.USAGE)
    assert price_for((euros, metered, MONTH), "usd", ANNUAL) == MONTH
    assert price_for((euros, metered), "usd", ANNUAL) is None
    assert price_for((euros, metered, MONTH), "eur", ANNUAL) == euros


def test_one_interval_divides_another() -> None:
    seven_days = Interval(BillingPeriod.DAILY, 7)
    assert seven_days.divides(WEEKLY)
    assert Interval(BillingPeriod.MONTHLY, 12).divides(ANNUAL)
    assert not ANNUAL.divides(MONTHLY)
    assert not Interval(BillingPeriod.DAILY, 30).divides(MONTHLY)
