"""The worked figures P1-P30 and T1-T12 of the systems the seeds describe (product.md §11).

P5-P10 are in test_credits, P16-P24 as whole quotes in test_plan_changes, P25 in test_plan_moves.
Left to the services, which own those rules: P4 (retried attach) and the refusal half of P11. P12
is not ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from portal.domain.capacity import CapacityKind
from portal.domain.catalog import Entitlement, Price, PriceType, TierMode, price_for
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.pricing import exact_minor
from portal.domain.proration import charge, credit_for, unused
from portal.domain.quotes import LineKind
from tests.unit.samples import (
    ANNUAL,
    APRIL,
    MESSAGES,
    MONTHLY,
    STORAGE,
    add_on,
    buyer,
    cycle,
    instant,
    money,
    once,
    package,
    quoted,
    recurring,
    span,
    tiered,
)

MARCH = span("2024-03-01", "2024-04-01")
QUARTER = span("2026-01-01", "2026-04-01")
YEAR = span("2026-01-01", "2027-01-01")


@pytest.mark.parametrize(
    ("case", "price", "period", "at", "expected"),
    [
        ("P1 first day", recurring("20"), APRIL, "2026-04-01", "20.00"),
        ("P1 after ten days", recurring("20"), APRIL, "2026-04-11", "13.33"),
        ("P1 after twenty days", recurring("20"), APRIL, "2026-04-21", "6.67"),
        ("P1 last day", recurring("20"), APRIL, "2026-04-30", "0.67"),
        ("P2 last second", recurring("20"), APRIL, "2026-04-30T23:59:59", "0.00"),
        ("P3 the one", recurring("20"), APRIL, "2026-04-11", "13.33"),
        ("P3 the other", recurring("35"), APRIL, "2026-04-11", "23.33"),
        ("P14 at the start", recurring("30"), APRIL, "2026-04-01", "30.00"),
        ("P15 17 of 31 days", recurring("25"), MARCH, "2024-03-15", "13.71"),
        ("P26 Salesforce", recurring("50"), APRIL, "2026-04-11", "33.33"),
        ("P28 one-time pack", once("30"), APRIL, "2026-04-21", "30.00"),
        ("P29 yen", recurring("500", currency="jpy"), APRIL, "2026-04-11", "333"),
    ],
)
def test_charges(case: str, price: Price, period: Period, at: str, expected: str) -> None:
    assert charge(price, Decimal(1), period, instant(at)) == money(expected, price.currency), case


@dataclass(frozen=True, slots=True)
class Change:
    """old and new: quantity and unit price; new None = removed. Figures in USD."""

    period: Period
    at: str
    old: tuple[int, str]
    new: tuple[int, str] | None
    credit: str
    charge: str
    net: str


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("P16", Change(MARCH, "2024-03-15", (1, "10"), (1, "20"), "5.48", "10.97", "5.49")),
        ("P17", Change(MARCH, "2024-03-15", (2, "50"), (1, "30"), "54.84", "16.45", "-38.39")),
        ("P18", Change(MARCH, "2024-03-15", (5, "10"), (10, "10"), "27.42", "54.84", "27.42")),
        ("P19", Change(MARCH, "2024-03-15", (1, "40"), None, "21.94", "0", "-21.94")),
        ("P21", Change(APRIL, "2026-04-11", (1, "50"), (1, "100"), "33.33", "66.67", "33.34")),
        ("P22", Change(QUARTER, "2026-02-15", (1, "300"), (1, "150"), "150", "75", "-75")),
        ("P23", Change(YEAR, "2026-04-11", (1, "600"), (1, "1200"), "435.62", "871.23", "435.61")),
        ("P24", Change(APRIL, "2026-04-11", (1, "20"), (1, "50"), "13.33", "33.33", "20.00")),
    ],
)
def test_changes_are_an_unused_old_and_a_remaining_new_line(case: str, change: Change) -> None:
    at = instant(change.at)
    billed = charge(recurring(change.old[1]), Decimal(change.old[0]), None, at)
    back = unused(billed, change.period, at)
    count, amount = change.new or (0, "0")
    due = charge(recurring(amount), Decimal(count), change.period, at)
    assert (back, due, due - back) == (
        money(change.credit),
        money(change.charge),
        money(change.net),
    ), case


def test_p27_monthly_to_annual_credits_the_month_and_charges_the_year() -> None:
    at = instant("2026-04-11")
    back = unused(money("50"), APRIL, at)
    restarted = cycle("2026-04-11", ANNUAL).billing_period(at)
    due = charge(recurring("480", ANNUAL), Decimal(1), restarted, at)
    assert (back, due, due - back) == (money("33.33"), money("480"), money("446.67"))
    assert restarted == span("2026-04-11", "2027-04-11")


@pytest.mark.parametrize(
    ("case", "potential", "paid", "credited", "expected"),
    [
        ("P5 billed in full", "13.33", "20", "0", "13.33"),
        ("P6 billed at a discount", "13.33", "5", "0", "5.00"),
        ("P7 part was credited before", "13.33", "20", "8", "12.00"),
        ("P20", "100", "200", "50", "100"),
        ("P20", "300", "200", "50", "150"),
        ("P20", "100", "200", "180", "20"),
        ("P20", "100", "200", "200", "0"),
        ("P20", "100", "200", "250", "0"),
    ],
)
def test_credits_are_capped(
    case: str, potential: str, paid: str, credited: str, expected: str
) -> None:
    zero = Money.zero("usd")
    given = credit_for(money(potential), money(paid), money(credited), zero)
    assert given == money(expected), case


def test_p11_a_one_time_line_has_nothing_left_to_credit() -> None:
    [line] = quoted(add_on(once("30")), "2026-04-16").lines
    assert line.period is None


def test_p13_a_usage_price_charges_nothing_now() -> None:
    metered = recurring("0.02", type=PriceType.USAGE)
    assert price_for((metered,), "usd", MONTHLY) is None
    sold = add_on(metered, recurring("20"))
    assert quoted(sold, "2026-04-01").charged == money("20")


def test_p28_a_pack_ends_with_the_window() -> None:
    sold = add_on(once("30"), entitlements=(Entitlement(MESSAGES, 100_000),))
    made = quoted(sold, "2026-04-21")
    assert made.charged == money("30")
    assert made.ends_at == made.capacity[0].until == instant("2026-05-01")


def test_p30_a_monthly_add_on_on_an_annual_plan_pays_for_its_month() -> None:
    yearly = buyer(cycle=cycle("2026-01-01", ANNUAL))
    made = quoted(add_on(recurring("10")), "2026-04-16", by=yearly)
    assert made.sum_of(LineKind.CHARGE) == money("5.00")
    assert made.going_forward is not None
    assert made.going_forward.amount == money("10")
    assert made.going_forward.next_at == instant("2026-05-01")


UP, DOWN = package("1", 100), package("1", 100, "down")
VOLUME = tiered(TierMode.VOLUME, (10, "50"), (20, "40"), (None, "30"))
SLAB = tiered(TierMode.SLAB, (10, "50"), (20, "40"), (None, "30"))
FREE_START = tiered(TierMode.SLAB, (5, "0"), (10, "2"), (None, "3"))
FLATS = tiered(TierMode.SLAB, (5, "0", "1"), (10, "1", "2"), (None, "2"))
SMALL = tiered(TierMode.SLAB, (1, "10"), (2, "20"), (None, "30"))
BULK = tiered(
    TierMode.VOLUME, (10_000, ".0010"), (50_000, ".0008"), (100_000, ".0006"), (None, ".0004")
)


@pytest.mark.parametrize(
    ("case", "price", "expected"),
    [
        ("T1", recurring("100"), {"5": "500"}),
        ("T2", package("50", 10), {"25": "150"}),
        (
            "T3",
            UP,
            {"0": "0", "2": "1", "99": "1", "100": "1", "101": "2", "150": "2", "300": "3"},
        ),
        ("T4 up", UP, {"50": "1", "250": "3"}),
        ("T4 down", DOWN, {"50": "0", "250": "2"}),
        ("T5", VOLUME, {"5": "250", "15": "600", "25": "750"}),
        ("T6", SLAB, {"5": "250", "15": "700", "25": "1050"}),
        ("T7", FREE_START, {"3": "0", "5": "0", "7": "4", "10": "10", "11": "13", "15": "25"}),
        ("T8", FLATS, {"3": "1", "7": "5", "12": "12"}),
        ("T9", SMALL, {"0": "0", "1": "10", "2": "30", "2.5": "45", "3": "60"}),
        ("T10", BULK, {"65000": "39.00"}),
        ("T11", recurring("20"), {"25": "500.00"}),
        ("T12 storage", recurring("10"), {"3": "30.00"}),
        ("T12 analytics", recurring("49"), {"1": "49"}),
        ("T12 onboarding", once("499"), {"1": "499"}),
        ("T12 SMS", once("100"), {"1": "100"}),
    ],
)
def test_price_models(case: str, price: Price, expected: dict[str, str]) -> None:
    found = {count: exact_minor(price, Decimal(count)) / 100 for count in expected}
    assert found == {count: Decimal(total) for count, total in expected.items()}, case


def test_t12_three_storage_packs_are_300_gb() -> None:
    sold = add_on(recurring("10"), entitlements=(Entitlement(STORAGE, 100),))
    [brought] = quoted(sold, "2026-04-21", quantity=3).capacity
    assert (brought.kind, brought.units) == (CapacityKind.LEVEL, Decimal(300))


def test_p3_two_lines_are_rounded_each_and_then_summed() -> None:
    at = instant("2026-04-11")
    lines = [charge(recurring(amount), Decimal(1), APRIL, at) for amount in ("20", "35")]
    assert lines[0] + lines[1] == money("36.66")


def test_a_year_is_priced_by_its_own_days() -> None:
    leap = span("2024-01-01", "2025-01-01")
    half = charge(recurring("366", ANNUAL), Decimal(1), leap, instant("2024-07-02"))
    assert half == money("183")
