"""Laws of withdrawing from a contract: its time, and what goes back."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalog import Entitlement
from portal.domain.contract_withdrawals import Contract, Once, part_of, withdrawal_end
from portal.domain.credit_notes import credit_in
from portal.domain.credits import StoredLine
from portal.domain.money import Money
from portal.domain.periods import BillingPeriod, Interval, Period
from portal.domain.supply import Supply, most_used, units_of_windows
from portal.domain.taxes import NO_TAX, Tax, tax_on
from tests.unit.samples import MESSAGES, STORAGE, cycle

APRIL_1 = datetime(2026, 4, 1, tzinfo=UTC)
APRIL = Period(APRIL_1, datetime(2026, 5, 1, tzinfo=UTC))
SECOND = timedelta(seconds=1)
MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), APRIL_1)
instants = st.integers(-12, 50).flatmap(
    lambda days: st.integers(0, 86_399).map(lambda s: APRIL_1 + timedelta(days=days, seconds=s))
)
shares = st.fractions(0, 1)
taxes = st.builds(
    Tax, st.sampled_from([Decimal(0), Decimal(19), Decimal("8.1")]), st.booleans(), st.just("VAT")
)


@st.composite
def lines(draw, *periods: Period | None) -> StoredLine:
    billed = Money(draw(st.integers(0, 100_000)), "usd")
    credited = Money(draw(st.integers(0, billed.minor)), "usd")
    refunded = Money(draw(st.integers(0, billed.minor - credited.minor)), "usd")
    tax = draw(taxes)
    kept = tax_on(tax, billed - credited - refunded)
    return StoredLine(
        1,
        "A",
        1,
        billed,
        draw(st.sampled_from(periods)),
        tax,
        credited,
        refunded,
        instance_id=1,
        tax_kept=kept,
    )


def contract(asked: bool = True) -> Contract:
    return Contract(APRIL_1, asked, APRIL_1 + timedelta(days=15))


def back(line: StoredLine, at: datetime, *, asked: bool = True, once: Once | None = None) -> Money:
    """What withdrawing at `at` gives back, tax included."""
    part = part_of(line, contract(asked), once or Once(), at)
    return credit_in(part.given, "usd").total


@given(lines(APRIL, None), instants, shares, st.booleans())
def test_never_more_than_is_kept_and_never_less_than_nothing(line, at, share, asked):
    given_back = back(line, at, asked=asked, once=Once(share))
    assert 0 <= given_back.minor <= line.worth.minor


@given(lines(APRIL, None), instants, shares)
def test_who_asked_for_no_start_gets_all_that_is_kept(line, at, share):
    assert back(line, at, asked=False, once=Once(share)) == line.worth


@given(lines(MARCH), instants, st.booleans())
def test_a_period_that_was_over_before_the_contract_gives_nothing(line, at, asked):
    assert not back(line, max(at, APRIL_1), asked=asked)


@given(lines(APRIL, None), instants, instants, shares, shares)
def test_later_and_with_more_used_it_is_never_more(line, first, second, one, other):
    early, late = sorted((first, second))
    more, fewer = sorted((one, other), reverse=True)
    after, before = back(line, late, once=Once(fewer)), back(line, early, once=Once(more))
    assert after.minor <= before.minor


@given(lines(APRIL), instants)
def test_the_share_of_a_period_is_of_its_time(line, at):
    share = part_of(line, contract(), Once(Fraction(0)), at).share
    assert share == APRIL.fraction_left(at)


@given(lines(None), shares)
def test_of_a_pack_what_is_not_used_goes_back_to_the_nearest_cent(line, share):
    part = part_of(line, contract(), Once(share, APRIL), APRIL.end)
    wanted = line.billed.scaled(share).at_most(line.kept)
    assert -sum(each.amount.minor for each in part.given[:1]) == max(wanted.minor, 0)


def test_what_has_no_units_goes_by_its_span_and_what_has_neither_was_not_used():
    middle = datetime(2026, 4, 16, tzinfo=UTC)
    assert Once(None, APRIL).share(middle) == Fraction(1, 2)
    assert Once().share(middle) == 1


def test_what_a_change_of_plan_closed_gives_nothing():
    zero = Money.zero("usd")
    tax = Tax(Decimal(0), False, "")
    line = StoredLine(1, "A", 1, Money(900, "usd"), APRIL, tax, zero, zero, closed_at=APRIL_1)
    assert back(line, APRIL_1) == back(line, APRIL_1, asked=False) == zero


@pytest.mark.parametrize(
    ("agreed", "last"),
    [
        (date(2026, 4, 1), date(2026, 4, 15)),  # a Wednesday
        (date(2026, 4, 10), date(2026, 4, 24)),  # a Friday
        (date(2026, 4, 11), date(2026, 4, 27)),  # a Saturday goes on to the Monday
        (date(2026, 4, 12), date(2026, 4, 27)),  # and so does a Sunday
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_14_days_after_the_day_itself_to_the_end_of_the_last(agreed, last, zone):
    there = ZoneInfo(zone)
    for hour in (0, 23):
        at = datetime(agreed.year, agreed.month, agreed.day, hour, 59, tzinfo=there)
        end = withdrawal_end(at.astimezone(UTC), 14, zone)
        after = last + timedelta(days=1)
        assert end == datetime(after.year, after.month, after.day, tzinfo=there)
        assert end.tzinfo is UTC


@given(instants, st.sampled_from(["UTC", "Pacific/Auckland", "America/Los_Angeles"]))
def test_never_fewer_than_14_whole_days(at, zone):
    end = withdrawal_end(at, 14, zone)
    assert timedelta(days=14) - timedelta(hours=1) <= end - at <= timedelta(days=17, hours=1)


supplies = st.none() | st.integers(1, 10**9).flatmap(
    lambda brought: st.integers(0, brought).map(
        lambda used: Supply(MESSAGES, Decimal(brought), Decimal(used))
    )
)


def with_units(line: StoredLine, at: datetime, supply: Supply | None) -> Money:
    part = part_of(line, contract(), Once(), at, supply)
    return credit_in(part.given, "usd").total


@given(lines(APRIL), instants, supplies)
def test_of_a_period_with_units_never_less_than_nothing_nor_more_than_by_time(line, at, supply):
    assert 0 <= with_units(line, at, supply).minor <= back(line, at).minor <= line.worth.minor


@given(lines(APRIL), instants, instants, supplies.filter(bool), shares)
def test_more_used_and_later_it_is_never_more(line, first, second, supply, part):
    early, late = sorted((first, second))
    fewer = replace(supply, used=Decimal(math.floor(Fraction(supply.used) * part)))
    assert with_units(line, late, supply).minor <= with_units(line, early, fewer).minor


@given(lines(APRIL), instants, st.integers(1, 10**9))
def test_with_nothing_used_it_is_as_by_time(line, at, brought):
    unused = Supply(MESSAGES, Decimal(brought), Decimal(0))
    by_time = part_of(line, contract(), Once(), at)
    assert replace(part_of(line, contract(), Once(), at, unused), supply=None) == by_time


@given(lines(APRIL), instants, supplies.filter(bool))
def test_what_is_kept_is_at_least_what_was_supplied_to_the_nearest_cent(line, at, supply):
    part = part_of(line, contract(), Once(), at, supply)
    left = min(APRIL.fraction_left(at), supply.left if at in APRIL else Fraction(1))
    assert part.share == left
    amount = -sum(each.amount.minor for each in part.given[:1])
    assert amount == max(line.billed.scaled(left).at_most(line.kept).minor, 0)


@given(instants, supplies, st.booleans())
def test_units_say_nothing_of_what_was_not_asked_for_or_is_over(at, supply, asked):
    zero = Money.zero("usd")
    line = StoredLine(1, "A", 1, Money(900, "usd"), MARCH, NO_TAX, zero, zero)
    assert part_of(line, contract(asked), Once(), max(at, APRIL_1), supply).supply is None


quotas = st.sampled_from([BillingPeriod.DAILY, BillingPeriod.WEEKLY, BillingPeriod.MONTHLY])


@given(st.integers(1, 10**6), st.integers(1, 9), quotas, instants, st.integers(1, 500))
def test_windows_bring_what_their_time_is_worth_and_less_than_a_unit_more_each(
    limit, quantity, resets, start, days
):
    paid = Period(start, start + timedelta(days=days))
    windows = cycle("2026-03-01")
    [(_, units)] = units_of_windows([brings(limit, resets)], quantity, windows, paid)
    interval, exact, parts, at = Interval(resets), Fraction(0), 0, start
    while at < paid.end:
        window = windows.quota_window(at, interval)
        inside = min(window.end, paid.end) - at
        exact += limit * quantity * Fraction(inside // SECOND, window.length)
        parts, at = parts + (inside // SECOND != window.length), window.end
    assert exact <= units < exact + max(parts, 1)


def test_a_year_brings_twelve_months_of_units_and_what_is_held_none():
    year = Period(APRIL_1, datetime(2027, 4, 1, tzinfo=UTC))
    own = [brings(100), replace(brings(5), feature=STORAGE), brings(None), brings(0)]
    own.append(replace(brings(70), is_enabled=False))
    assert list(units_of_windows(own, 2, cycle(), year)) == [(MESSAGES, Decimal(2400))]


@given(st.dictionaries(st.sampled_from([0, 1, 2]), st.integers(-5, 500)))
def test_the_feature_most_used_is_the_one_with_the_smallest_share_left(used):
    brought = {replace(MESSAGES, id=n): Decimal(10**n) for n in range(3)}
    most = most_used(brought, {key: Decimal(units) for key, units in used.items()})
    left = [1 - Fraction(min(units, 10**key), 10**key) for key, units in used.items() if units > 0]
    assert (None if most is None else most.left) == min(left, default=None)


def brings(limit: int | None, resets: BillingPeriod = BillingPeriod.MONTHLY) -> Entitlement:
    return Entitlement(MESSAGES, limit, usage_reset_period=resets)
