"""Laws of withdrawing from a contract: its time, and what goes back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.contract_withdrawals import Contract, Once, part_of, withdrawal_end
from portal.domain.credit_notes import credit_in
from portal.domain.credits import StoredLine
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.taxes import Tax, tax_on

APRIL_1 = datetime(2026, 4, 1, tzinfo=UTC)
APRIL = Period(APRIL_1, datetime(2026, 5, 1, tzinfo=UTC))
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
