"""Worked examples of the confirm page: tax, balance, carried amounts, nothing due, expiry."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from portal.domain.catalog import Entitlement
from portal.domain.periods import BillingPeriod
from portal.domain.quotes import LineKind, Quote
from portal.domain.taxes import Tax
from tests.unit.samples import MESSAGES, add_on, buyer, instant, money, quoted, recurring

FIFTY = add_on(recurring("50"))
VAT = Tax(Decimal(20), label="VAT")
VAT_INSIDE = Tax(Decimal(20), inclusive=True, label="VAT")


def shown(made: Quote) -> list[tuple[str, str]]:
    return [(line.kind.value, str(line.amount.major())) for line in made.lines]


def test_tax_is_a_line_of_its_own_on_the_rounded_charge() -> None:
    made = quoted(FIFTY, "2026-04-11", by=buyer(tax=VAT))
    assert shown(made) == [("charge", "33.33"), ("tax", "6.67")]
    assert made.charged == money("40.00")
    assert made.going_forward is not None
    assert made.going_forward.tax == money("10")


def test_tax_inside_the_price_is_shown_and_adds_nothing() -> None:
    made = quoted(FIFTY, "2026-04-01", by=buyer(tax=VAT_INSIDE))
    assert shown(made) == [("charge", "50.00"), ("tax", "8.33")]
    assert (made.charged, made.tax_included) == (money("50"), money("8.33"))


def test_the_balance_is_applied_after_tax() -> None:
    made = quoted(FIFTY, "2026-04-01", by=buyer(tax=VAT, balance=money("25")))
    assert shown(made) == [("charge", "50.00"), ("tax", "10.00"), ("balance", "-25.00")]
    assert made.charged == money("35")


def test_a_larger_balance_leaves_nothing_to_charge() -> None:
    made = quoted(FIFTY, "2026-04-01", by=buyer(balance=money("80")))
    assert shown(made)[-1] == ("balance", "-50.00")
    assert not made.due


def test_nothing_is_due_in_the_last_second_and_carried_cents_wait() -> None:
    made = quoted(FIFTY, "2026-04-30T23:59:59", by=buyer(carried=money("0.32")))
    assert shown(made) == [("charge", "0.00")]
    assert not made.due


@pytest.mark.parametrize(
    ("amount", "charged", "carried"),
    [("0.49", "0", "0.49"), ("0.50", "0.50", "0"), ("0.51", "0.51", "0")],
)
def test_below_the_minimum_charge_is_carried(amount: str, charged: str, carried: str) -> None:
    made = quoted(add_on(recurring(amount)), "2026-04-01")
    assert (made.charged, made.carried_out) == (money(charged), money(carried))


def test_carried_cents_join_the_next_due_untaxed() -> None:
    by = buyer(tax=VAT, carried=money("0.32"))
    made = quoted(add_on(recurring("10")), "2026-04-01", by=by)
    assert shown(made) == [("charge", "10.00"), ("tax", "2.00"), ("carried", "0.32")]
    assert made.charged == money("12.32")


def test_carried_cents_may_lift_a_small_amount_over_the_minimum() -> None:
    made = quoted(add_on(recurring("0.40")), "2026-04-01", by=buyer(carried=money("0.32")))
    assert (made.charged, made.carried_out) == (money("0.72"), money("0"))


def test_the_final_due_is_tested_after_the_balance() -> None:
    made = quoted(FIFTY, "2026-04-01", by=buyer(balance=money("49.80")))
    assert (made.charged, made.carried_out) == (money("0"), money("0.20"))


def test_a_three_decimal_currency_is_charged_in_tens() -> None:
    made = quoted(
        add_on(recurring("5.120", currency="kwd")), "2026-04-11", by=buyer("kwd", replace(VAT))
    )
    assert [line.amount.minor for line in made.lines] == [3_410, 680]
    assert made.charged.minor == 4_090


def test_a_yen_price_has_no_decimals() -> None:
    made = quoted(add_on(recurring("333", currency="jpy")), "2026-04-16", by=buyer("jpy"))
    assert made.charged.minor == 167, "166.5 goes away from zero"


def test_a_line_covers_the_rest_of_its_period() -> None:
    [line] = quoted(FIFTY, "2026-04-11").lines
    assert line.period is not None
    assert (line.period.start, line.period.end) == (instant("2026-04-11"), instant("2026-05-01"))


def test_a_quote_lives_15_minutes() -> None:
    assert quoted(FIFTY, "2026-04-11").expires_at == instant("2026-04-11T00:15")
    assert quoted(FIFTY, "2026-04-30T23:50").expires_at == instant("2026-05-01")


def test_a_quote_does_not_outlive_the_window_whose_units_it_promises() -> None:
    weekly = Entitlement(MESSAGES, 700, usage_reset_period=BillingPeriod.WEEKLY)
    made = quoted(add_on(recurring("50"), entitlements=(weekly,)), "2026-04-07T23:55")
    assert made.capacity[0].until == instant("2026-04-08")
    assert made.expires_at == instant("2026-04-08")


def test_lines_of_a_kind_are_summed() -> None:
    made = quoted(FIFTY, "2026-04-01", by=buyer(tax=VAT))
    assert made.sum_of(LineKind.TAX) == money("10")
    assert made.sum_of(LineKind.CARRIED) == money("0")
