"""Worked examples of the quote of a plan change: P16-P27, net credits, dates, digest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from portal.domain.bills import bills_due, next_due
from portal.domain.catalog import Plan
from portal.domain.lines import charge_line, completed, due_for
from portal.domain.periods import Anchor, BillingPeriod, Interval, Period
from portal.domain.plan_changes import changed, exchange
from portal.domain.plan_limits import Level
from portal.domain.plan_moves import Timing
from portal.domain.taxes import NO_TAX, Tax
from tests.unit.billing_samples import (
    BUSINESS,
    GROWTH,
    STARTER,
    asks,
    holds,
    means,
    shown,
    stored,
    subscribed,
)
from tests.unit.samples import (
    ANNUAL,
    APRIL,
    MONTHLY,
    QUARTERLY,
    STORAGE,
    for_use,
    instant,
    money,
    recurring,
    span,
)

MARCH = span("2024-03-01", "2024-04-01")
QUARTER = span("2026-01-01", "2026-04-01")
YEAR = span("2026-01-01", "2027-01-01")
APRIL_11 = "2026-04-11"
PAID = stored("50")


@dataclass(frozen=True, slots=True)
class Case:
    """old: what is billed; new: quantity and unit price, None = removed. net < 0 is credited."""

    period: Period
    at: str
    old: str
    new: tuple[int, str] | None
    credit: str
    charge: str
    net: str


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("P16", Case(MARCH, "2024-03-15", "10", (1, "20"), "5.48", "10.97", "5.49")),
        ("P17", Case(MARCH, "2024-03-15", "100", (1, "30"), "54.84", "16.45", "-38.39")),
        ("P18", Case(MARCH, "2024-03-15", "50", (10, "10"), "27.42", "54.84", "27.42")),
        ("P19", Case(MARCH, "2024-03-15", "40", None, "21.94", "0", "-21.94")),
        ("P21", Case(APRIL, APRIL_11, "50", (1, "100"), "33.33", "66.67", "33.34")),
        ("P22", Case(QUARTER, "2026-02-15", "300", (1, "150"), "150", "75", "-75")),
        ("P23", Case(YEAR, APRIL_11, "600", (1, "1200"), "435.62", "871.23", "435.61")),
        ("P24", Case(APRIL, APRIL_11, "20", (1, "50"), "13.33", "33.33", "20.00")),
    ],
)
def test_unused_old_against_remaining_new(name: str, case: Case) -> None:
    at = instant(case.at)
    new = [
        charge_line("New", recurring(price), count, case.period, at)
        for count, price in ([case.new] if case.new else [])
    ]
    lines = exchange([stored(case.old, case.period)], new, at, NO_TAX)
    due = due_for(completed(lines, means()), "usd")
    amounts = [line.amount for line in lines]
    expected = [-money(case.credit)] + ([money(case.charge)] if case.new else [])
    assert (amounts, due.charged - due.credited) == (expected, money(case.net)), name
    assert not (due.charged and due.credited)


def test_an_upgrade_now_is_two_lines_and_one_charge() -> None:
    made = asks(subscribed(GROWTH, stored=(PAID,)), BUSINESS, APRIL_11)
    assert made.timing is Timing.NOW
    assert shown(made) == [("credit", "Growth", "-33.33"), ("charge", "Business", "66.67")]
    assert (made.due.charged, made.effective_at) == (money("33.34"), made.at)
    assert made.lines[1].period == span(APRIL_11, "2026-05-01")
    assert made.going_forward.amount == money("100")
    assert made.going_forward.next_at == instant("2026-05-01")


def test_an_upgrade_keeps_the_boundary_and_bills_the_new_plan_there() -> None:
    by = subscribed(GROWTH, stored=(PAID,))
    then = changed(by, asks(by, BUSINESS, APRIL_11), "Business")
    [next_bill] = bills_due(then, instant("2026-05-01"))
    assert shown(next_bill) == [("charge", "Business", "100.00")]


def test_nothing_stored_nothing_given() -> None:
    made = asks(subscribed(GROWTH), BUSINESS, APRIL_11)
    assert shown(made) == [("charge", "Business", "66.67")]


def test_tax_goes_back_and_comes_anew_and_the_balance_pays() -> None:
    vat = Tax(Decimal(20), label="VAT")
    by = subscribed(GROWTH, stored=(replace(PAID, tax=vat),), means=means("10", "0.32", vat))
    made = asks(by, BUSINESS, APRIL_11)
    assert shown(made) == [
        ("credit", "Growth", "-33.33"),
        ("tax", "VAT", "-6.67"),
        ("charge", "Business", "66.67"),
        ("tax", "VAT", "13.33"),
        ("carried", "", "0.32"),
        ("balance", "", "-10.00"),
    ]
    assert made.due.charged == money("30.32")


def test_a_net_credit_goes_to_the_balance_and_charges_nothing() -> None:
    dear = stored("400")
    by = subscribed(GROWTH, stored=(dear,), means=means("1", "0.32"))
    made = asks(by, BUSINESS, APRIL_11)
    assert shown(made) == [("credit", "Growth", "-266.67"), ("charge", "Business", "66.67")]
    assert (made.due.charged, made.due.credited) == (money("0"), money("200"))
    then = changed(by, made, "Business").means
    assert (then.balance, then.carried) == (money("201"), money("0.32"))


def test_a_downgrade_waits_for_the_end_of_the_cycle_and_costs_nothing_now() -> None:
    by = subscribed(GROWTH, stored=(PAID,))
    made = asks(by, STARTER, APRIL_11)
    assert (made.timing, made.lines) == (Timing.AT_TERM_END, ())
    assert made.effective_at == made.going_forward.next_at == instant("2026-05-01")
    assert not made.due.charged
    [next_bill] = bills_due(changed(by, made, "Starter"), instant("2026-05-01"))
    assert shown(next_bill) == [("charge", "Starter", "20.00")]


def test_p27_monthly_to_annual_now_restarts_the_period() -> None:
    by = subscribed(GROWTH, stored=(PAID,))
    made = asks(by, GROWTH, APRIL_11, ANNUAL)
    assert made.timing is Timing.NOW
    assert shown(made) == [("credit", "Growth", "-33.33"), ("charge", "Growth", "480.00")]
    assert made.due.charged == money("446.67")
    assert made.lines[1].period == span(APRIL_11, "2027-04-11")
    assert made.going_forward.next_at == instant("2027-04-11")
    then = changed(by, made, "Growth")
    assert then.plan.anchor.at == made.at
    assert then.plan.due_at == instant("2027-04-11")


def test_no_price_cannot_be_quoted() -> None:
    with pytest.raises(ValueError, match="no price"):
        asks(subscribed(GROWTH), BUSINESS, APRIL_11, QUARTERLY)


@pytest.mark.parametrize(
    ("to", "interval"), [(BUSINESS, MONTHLY), (GROWTH, ANNUAL), (STARTER, MONTHLY)]
)
def test_what_is_due_is_billed_first(to: Plan, interval: Interval) -> None:
    with pytest.raises(ValueError, match="billed first"):
        asks(subscribed(GROWTH), to, "2026-05-01", interval)


def test_the_quote_lives_15_minutes_but_never_past_a_boundary() -> None:
    by = subscribed(GROWTH, stored=(PAID,))
    assert asks(by, BUSINESS, APRIL_11).expires_at == instant("2026-04-11T00:15")
    assert asks(by, BUSINESS, "2026-04-30T23:50").expires_at == instant("2026-05-01")
    weekly = Interval(BillingPeriod.WEEKLY)
    own = holds(recurring("1", weekly), until="2026-04-15", anchor="2026-04-15")
    assert asks(subscribed(GROWTH, own), BUSINESS, "2026-04-14T23:50").expires_at == instant(
        "2026-04-15"
    )


def test_the_quote_does_not_outlive_the_quota_window() -> None:
    yearly = subscribed(GROWTH, interval=ANNUAL, until="2027-04-01")
    made = asks(yearly, BUSINESS, "2026-04-30T23:55", ANNUAL)
    assert made.expires_at == instant("2026-05-01")


def test_a_year_begun_on_the_anchors_own_day_is_billed_as_it_was_quoted() -> None:
    leap = Anchor(instant("2024-02-29"))
    by = subscribed(GROWTH, until="2027-03-29")
    billing = replace(by.billing, plan=replace(by.billing.plan, anchor=leap))
    by = replace(by, billing=billing)
    made = asks(by, GROWTH, "2027-02-28", ANNUAL)
    assert made.lines[-1].period == span("2027-02-28", "2028-02-28")
    assert next_due(changed(by, made, "Growth")) == instant("2028-02-28")


def test_any_difference_changes_the_digest() -> None:
    by = subscribed(GROWTH, holds(recurring("5")), stored=(PAID,))
    base = asks(by, BUSINESS, APRIL_11)
    again = asks(subscribed(GROWTH, holds(recurring("5")), stored=(PAID,)), BUSINESS, APRIL_11)
    assert base.digest == again.digest
    others = [
        asks(subscribed(GROWTH, stored=(PAID,)), BUSINESS, APRIL_11),
        asks(replace(by, stored=(replace(PAID, credited=money("49")),)), BUSINESS, APRIL_11),
        asks(replace(by, account_id=2), BUSINESS, APRIL_11),
        asks(by, replace(BUSINESS, prices=(recurring("101"),)), APRIL_11),
        asks(by, replace(BUSINESS, prices=(*BUSINESS.prices, for_use("0.001"))), APRIL_11),
        asks(by, BUSINESS, "2026-04-11T00:00:01"),
        asks(replace(by, levels=(Level(STORAGE, Decimal(1)),)), BUSINESS, APRIL_11),
    ]
    assert base.digest not in {one.digest for one in others}
