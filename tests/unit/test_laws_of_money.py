"""Laws of amounts: I1-I3, I6-I8, I13, I14, I16, I25 and I26 of billing-conventions.md §4."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalog import Price
from portal.domain.money import CURRENCIES, Money, allocate, currency, round_half_away, total
from portal.domain.periods import Period
from portal.domain.proration import charge, credit_for, split, unused, used
from portal.domain.taxes import Tax, tax_on
from tests.unit.samples import money, once, recurring, span
from tests.unit.strategies import (
    CODES,
    Moment,
    amounts,
    codes,
    flat_prices,
    instants_of,
    moments,
    periods,
    quantities,
)

ratios = st.fractions(-(10**9), 10**9, max_denominator=10**6)
halves = st.integers(-(10**9), 10**9).map(lambda n: Fraction(2 * n + 1, 2))
percents = st.integers(0, 3_000).map(lambda n: Decimal(n) / 100)


@given(amounts(), moments())
def test_i01_what_was_used_and_what_is_left_make_the_line(billed: Money, moment: Moment) -> None:
    parts = split(billed, moment.period, [moment.at])
    assert parts == [
        used(billed, moment.period, moment.at),
        unused(billed, moment.period, moment.at),
    ]
    assert total(parts, billed.currency) == billed


@given(amounts(), periods(), st.data())
def test_i01_any_number_of_splits_sums_to_the_line(
    billed: Money, period: Period, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(instants_of(period), max_size=6)))
    parts = split(billed, period, cuts)
    assert len(parts) == len(cuts) + 1
    assert all(part.minor >= 0 for part in parts)
    assert total(parts, billed.currency) == billed


def test_i01_a_cent_cut_in_half_stays_one_cent() -> None:
    june = span("2025-06-01", "2025-07-01")
    middle = june.start + (june.end - june.start) / 2
    assert [part.minor for part in split(money("0.01"), june, [middle])] == [0, 1]


@given(amounts(), moments())
def test_i02_used_plus_credited_is_billed(billed: Money, moment: Moment) -> None:
    zero = Money.zero(billed.currency)
    back = credit_for(unused(billed, moment.period, moment.at), billed, zero, zero)
    assert used(billed, moment.period, moment.at) + back == billed


@given(flat_prices(), quantities, moments())
def test_i03_buying_and_cancelling_at_one_instant_nets_zero(
    price: Price, quantity: Decimal, moment: Moment
) -> None:
    billed = charge(price, quantity, moment.period, moment.at)
    if moment.at < moment.period.end:
        assert unused(billed, Period(moment.at, moment.period.end), moment.at) == billed


@given(codes, moments(), quantities, st.data())
def test_i03_there_and_back_at_one_instant_nets_zero(
    code: str, moment: Moment, quantity: Decimal, data: st.DataObject
) -> None:
    old, new = data.draw(flat_prices(code)), data.draw(flat_prices(code))
    period, at = moment.period, moment.at
    paid = charge(old, quantity, period, period.start)
    there = charge(new, quantity, period, at) - unused(paid, period, at)
    back = charge(old, quantity, period, at) - charge(new, quantity, period, at)
    assert there + back == Money.zero(code)


@given(flat_prices(), quantities, moments())
def test_i06_no_line_exceeds_its_price(price: Price, quantity: Decimal, moment: Moment) -> None:
    whole = charge(price, quantity, None, moment.at)
    period = moment.period
    assert 0 <= charge(price, quantity, period, moment.at).minor <= whole.minor
    assert charge(price, quantity, period, period.start) == whole
    assert charge(price, quantity, period, period.end).minor == 0


@given(amounts(), moments())
def test_i06_a_one_time_price_is_never_prorated(amount: Money, moment: Moment) -> None:
    price = once(str(amount.major()), currency=amount.currency)
    assert charge(price, Decimal(1), moment.period, moment.at) == amount


@given(flat_prices(), quantities, periods(), st.data())
def test_i07_waiting_never_costs_or_credits_more(
    price: Price, quantity: Decimal, period: Period, data: st.DataObject
) -> None:
    early, late = sorted(data.draw(st.tuples(instants_of(period), instants_of(period))))
    whole = charge(price, quantity, None, early)
    assert (
        charge(price, quantity, period, late).minor <= charge(price, quantity, period, early).minor
    )
    assert unused(whole, period, late).minor <= unused(whole, period, early).minor


@given(codes, st.data())
def test_i08_credits_never_exceed_what_was_paid(code: str, data: st.DataObject) -> None:
    paid = data.draw(amounts(code, most=1_000))
    credited = refunded = Money.zero(code)
    for is_credit in data.draw(st.lists(st.booleans(), max_size=8)):
        asked = data.draw(amounts(code, most=1_000))
        if is_credit:
            given_back = credit_for(asked, paid, credited, refunded)
            assert given_back.minor >= 0
            credited += given_back
        elif (refunded + credited + asked).minor <= paid.minor:
            refunded += asked
    assert (credited + refunded).minor <= paid.minor


@given(amounts("usd"), amounts("usd"), amounts("usd"), amounts("usd"))
def test_i08_a_credit_is_never_negative(a: Money, b: Money, c: Money, d: Money) -> None:
    assert 0 <= credit_for(a, b, c, d).minor <= a.minor
    assert credit_for(-a, b, c, d).minor == 0


@given(st.one_of(ratios, halves))
def test_i13_rounding_is_odd_and_idempotent(value: Fraction) -> None:
    rounded = round_half_away(value)
    assert round_half_away(-value) == -rounded
    assert round_half_away(Fraction(rounded)) == rounded
    assert abs(rounded - value) <= Fraction(1, 2)


@given(halves)
def test_i13_a_tie_moves_away_from_zero(tie: Fraction) -> None:
    assert abs(round_half_away(tie)) == abs(tie) + Fraction(1, 2)


@given(codes, st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.data())
def test_i14_allocation(code: str, lines: list[int], data: st.DataObject) -> None:
    step = currency(code).step
    whole = sum(lines)
    share = Money(data.draw(st.integers(0, whole)) * step, code)
    parts = allocate(share, lines)
    assert total(parts, code) == share
    for part, line in zip(parts, lines, strict=True):
        exact = Fraction(share.minor * line, whole) if whole else Fraction(0)
        assert abs(part.minor - exact) < step
        assert 0 <= part.minor <= line * step
    assert allocate(-share, lines) == [-part for part in parts]


@given(st.integers(0, 50), st.integers(1, 8))
def test_i14_equal_lines_differ_by_position_only(cents: int, count: int) -> None:
    parts = [part.minor for part in allocate(Money(cents, "usd"), [1] * count)]
    assert parts == sorted(parts, reverse=True)
    assert max(parts) - min(parts) <= 1


@given(amounts(), percents, st.booleans(), moments())
def test_i16_tax_kept_is_the_tax_on_what_is_kept(
    billed: Money, rate: Decimal, inclusive: bool, moment: Moment
) -> None:
    tax = Tax(rate, inclusive)
    kept = used(billed, moment.period, moment.at)
    credited = tax_on(tax, billed) - tax_on(tax, kept)
    assert 0 <= credited.minor <= tax_on(tax, billed).minor
    assert tax_on(tax, billed) - credited == tax_on(tax, kept)


@given(amounts())
def test_i25_major_and_minor_units_are_inverse(amount: Money) -> None:
    major = amount.major()
    assert Money.from_major(major, amount.currency) == amount
    assert -int(major.as_tuple().exponent) == currency(amount.currency).exponent


@pytest.mark.parametrize(("code", "finest"), [("jpy", "1"), ("usd", "0.01"), ("kwd", "0.001")])
def test_i25_nothing_finer_than_the_minor_unit(code: str, finest: str) -> None:
    assert Money.from_major(Decimal(finest), code).minor == 1
    with pytest.raises(ValueError, match="not a whole number"):
        Money.from_major(Decimal(finest) / 10, code)


@given(st.sampled_from(sorted(CURRENCIES)), ratios)
def test_i25_rounded_amounts_are_whole_steps(code: str, exact: Fraction) -> None:
    rounded, step = Money.rounded(exact, code), currency(code).step
    assert rounded.minor % step == 0
    assert abs(rounded.minor - exact) <= Fraction(step, 2)


@pytest.mark.parametrize("code", CODES)
def test_i26_the_last_second_costs_nothing_or_its_exact_second(code: str) -> None:
    month = span("2026-04-01", "2026-05-01")
    last_second = month.end.replace(day=30, month=4, hour=23, minute=59, second=59)
    price = recurring("25920", currency=code)
    exact = Fraction(25_920 * 10 ** currency(code).exponent, month.length)
    assert charge(price, Decimal(1), month, last_second) == Money.rounded(exact, code)


def test_two_currencies_never_mix() -> None:
    with pytest.raises(ValueError, match="cannot mix"):
        money("1") + money("1", "eur")
    with pytest.raises(ValueError, match="unknown currency"):
        money("1", "xxx")
