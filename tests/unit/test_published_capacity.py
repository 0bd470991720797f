"""The worked figures C1-C7, E1-E9 and W1-W10 of the systems the seeds describe (product.md §11).

W8, W9, W11 and A1-A3 are in test_packs. Left to the work on auto-recharge, which owns the rule:
W12. E5, W4-W7 and W13 are not ours; E8 is a refusal of eligibility.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from portal.domain.capacity import brought_by, grant_period
from portal.domain.catalog import (
    BillingCadence,
    CapacityEnds,
    CreditGrant,
    Entitlement,
    ExpirationType,
    Feature,
    FeatureType,
    FeatureUse,
    PriceType,
)
from portal.domain.entitlements import Source, SourceKind, resolve
from portal.domain.grants import Lot, available, credit_units, draw
from portal.domain.periods import BillingPeriod
from portal.domain.pricing import exact_minor
from tests.unit.samples import (
    ANNUAL,
    STORAGE,
    add_on,
    cycle,
    instant,
    once,
    quoted,
    recurring,
    span,
)

SMS = Feature("sms", "SMS", FeatureType.METERED, FeatureUse.CONSUMED, "credit", "credits")
JANUARY = span("2025-01-01", "2025-02-01")
NOW = instant("2026-04-15")


@pytest.mark.parametrize(
    ("case", "credits", "at", "expected"),
    [
        ("C1", "100", "2025-01-20", "38.70967742"),
        ("C2 middle", "100", "2025-01-16T12:00", "50"),
        ("C2 start", "100", "2025-01-01", "100"),
        ("C2 end", "100", "2025-02-01", "0"),
        ("C2 after the end", "100", "2025-02-03", "0"),
        ("C3", "1", "2025-01-31T23:59:30", "0.0000112"),
    ],
)
def test_recurring_credits(case: str, credits: str, at: str, expected: str) -> None:
    share = JANUARY.fraction_left(instant(at))
    assert credit_units(Decimal(credits), 1, share) == Decimal(expected), case


def test_c1_the_coefficient_is_exact() -> None:
    assert JANUARY.fraction_left(instant("2025-01-20")) == Fraction(12, 31)


def grant(
    credits: str,
    cadence: BillingCadence = BillingCadence.ONETIME,
    expires: ExpirationType = ExpirationType.NEVER,
) -> CreditGrant:
    return CreditGrant("SMS", SMS, Decimal(credits), cadence, expires)


def test_c4_a_one_time_grant_is_whole_in_mid_period() -> None:
    sold = add_on(recurring("10"), credit_grants=(grant("100"),))
    [brought] = quoted(sold, "2026-04-20").capacity
    assert (brought.units, brought.then_units, brought.until) == (Decimal(100), None, None)


def test_c5_a_monthly_grant_on_an_annual_price_is_whole_and_counts_from_the_purchase() -> None:
    monthly = replace(grant("100", BillingCadence.RECURRING), period=BillingPeriod.MONTHLY)
    yearly, price = cycle("2025-03-10", ANNUAL), recurring("600", ANNUAL)
    bought = instant("2026-01-20")
    sold = add_on(price, credit_grants=(monthly,))
    [brought] = brought_by(sold, price, 1, yearly, bought, None)
    assert (brought.units, brought.then_units) == (Decimal(100), Decimal(100))
    later = grant_period(monthly, price, yearly, bought, instant("2026-02-25"))
    assert later == span("2026-02-20", "2026-03-20")


def test_a_grant_with_the_prices_own_period_follows_the_price() -> None:
    monthly = replace(grant("100", BillingCadence.RECURRING), period=BillingPeriod.MONTHLY)
    [brought] = quoted(add_on(recurring("10"), credit_grants=(monthly,)), "2026-04-16").capacity
    assert (brought.units, brought.then_units) == (Decimal(50), Decimal(100))


def test_c6_an_annual_grant_ends_its_first_period_with_the_subscription() -> None:
    yearly = cycle("2025-03-10", ANNUAL)
    period = yearly.period_of(recurring("600", ANNUAL), instant("2026-01-05"))
    assert period is not None
    assert period.end == instant("2026-03-10")


def test_c7_a_billing_cycle_grant_ends_with_the_cycle() -> None:
    ending = grant("150", BillingCadence.RECURRING, ExpirationType.BILLING_CYCLE)
    [brought] = quoted(add_on(recurring("10"), credit_grants=(ending,)), "2026-04-01").capacity
    assert (brought.units, brought.until) == (Decimal(150), instant("2026-05-01"))


def source(limit: int | None, quantity: int = 1, enabled: bool = True) -> Source:
    granted = Entitlement(STORAGE, limit, enabled)
    return Source(SourceKind.ADD_ON, "Storage", granted, quantity, NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("case", "sources", "limit"),
    [
        ("E1", [source(100), source(250)], 350),
        ("E2", [source(100), source(None)], None),
        ("E3", [source(100, enabled=False), source(50)], 50),
        ("E4", [source(10), source(100, quantity=2)], 210),
    ],
)
def test_held_limits(case: str, sources: list[Source], limit: int | None) -> None:
    assert resolve(STORAGE, sources, NOW).limit == limit, case


def lot(number: int, units: int | str, expires: str | None = None, priority: int = 50) -> Lot:
    end = instant(expires) if expires else None
    then = instant("2026-04-01")
    return Lot(number, Decimal(units), Decimal(units), then, then, end, priority)


def left_after(lots: list[Lot], units: int) -> dict[int, Decimal]:
    taken = {one.lot_id: one.units for one in draw(lots, Decimal(units), NOW).draws}
    return {one.id: one.remaining - taken.get(one.id, Decimal(0)) for one in lots}


def test_e6_what_no_lot_covers_is_priced_per_unit() -> None:
    drawing = draw([lot(1, 100)], Decimal(500), NOW)
    assert (drawing.draws[0].units, drawing.excess) == (Decimal(100), Decimal(400))
    per_event = recurring("0.02", type=PriceType.USAGE)
    assert exact_minor(per_event, drawing.excess) == 800


def test_e7_overage_of_a_daily_limit_is_summed_day_by_day() -> None:
    by_day = [Decimal(40), Decimal(160), Decimal(130)]
    over = [draw([lot(day, 100)], used, NOW).excess for day, used in enumerate(by_day)]
    assert sum(over) == 90 != sum(by_day) - 300


def test_e9_two_packs_on_top_of_the_plan() -> None:
    lots = [lot(1, 100_000, "2026-05-01"), lot(2, 100_000, "2026-05-01"), lot(3, 100_000)]
    assert sum(left_after(lots, 250_000).values()) == 50_000


def test_w1_soonest_expiry_burns_first() -> None:
    lots = [
        lot(1, 50),
        lot(2, 30, "2036-01-01"),
        lot(3, 20, "2036-02-01"),
        lot(4, 100, "2036-03-01"),
    ]
    assert left_after(lots, 70) == {1: 50, 2: 0, 3: 0, 4: 80}


def test_w2_priority_beats_expiry() -> None:
    lots = [
        lot(1, 50),
        lot(2, 30, priority=3),
        lot(3, 40, priority=1),
        lot(4, 20, priority=2),
        lot(5, 60, "2036-03-01", priority=1),
    ]
    assert left_after(lots, 90) == {1: 50, 2: 30, 3: 10, 4: 20, 5: 0}


def test_w3_a_debit_above_the_balance_says_what_is_missing() -> None:
    lots = [lot(1, 50)]
    assert draw(lots, Decimal(51), NOW).excess == 1
    assert available(lots, NOW) == 50, "asking takes nothing"


def test_w10_an_sms_pack_is_10_000_credits_that_never_expire() -> None:
    pack = add_on(once("100", CapacityEnds.NEVER), credit_grants=(grant("10000"),))
    price = pack.prices[0]
    [brought] = brought_by(pack, price, 1, cycle(), NOW, None)
    assert (brought.units, brought.until) == (Decimal(10_000), None)
    assert brought.units is not None
    assert price.amount / brought.units == Decimal("0.01")
