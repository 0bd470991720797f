"""Worked examples of other quantities: more is one delta line now, fewer waits for the boundary."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from portal.domain.bills import bills_due
from portal.domain.catalog import (
    AddOnType,
    BillingCadence,
    CreditGrant,
    Entitlement,
    ExpirationType,
    Price,
    Status,
    TierMode,
)
from portal.domain.eligibility import Holding
from portal.domain.instances import Phase, SubscriptionStatus
from portal.domain.quantity_changes import (
    Asked,
    QuantityQuote,
    QuantityReason,
    QuantityRequest,
    quantity_refusal,
    quote_quantity,
    with_quantity,
)
from portal.domain.recurring import Recurring, Terms
from portal.domain.taxes import Tax
from portal.domain.working import Phrases, in_words
from tests.unit.billing_samples import extra, item, means, shown, state
from tests.unit.samples import (
    MESSAGES,
    add_on,
    cycle,
    instant,
    money,
    now,
    once,
    package,
    recurring,
    span,
    tiered,
)

ENGLISH = Phrases(
    money=lambda amount: f"${amount.major():,}",
    unit=lambda amount, _: f"${amount:,.2f}",
    number=lambda count: f"{count:,}",
)
SOLD = add_on(recurring("10"), entitlements=(Entitlement(MESSAGES, 1_000),))


def asks(held: Recurring, quantity: int, at: str, tax: Tax | None = None) -> QuantityQuote:
    paying = means(tax=tax) if tax else means()
    asked = Asked(1, SOLD, held, cycle(), paying)
    return quote_quantity(asked, QuantityRequest(1, quantity), now(at))


def holding(quantity: int, price: Price | None = None, until: str = "2026-05-01") -> Recurring:
    return extra(price or recurring("10"), until=until, quantity=quantity)


def test_p18_five_to_ten_is_one_prorated_delta_line() -> None:
    march = holding(5, until="2024-04-01")
    made = asks(march, 10, "2024-03-15")
    assert shown(made.lines) == [("charge", "Storage", "27.42")]
    [line] = made.lines
    assert (line.quantity, line.instance_id) == (5, 1)
    assert line.period == span("2024-03-15", "2024-04-01")
    assert (made.due.charged, made.effective_at) == (money("27.42"), made.at)
    assert made.going_forward.amount == money("100")


def test_one_delta_is_rounded_once() -> None:
    made = asks(holding(1, recurring("1")), 3, "2026-04-21")
    assert made.due.charged == money("0.67"), "not 0.66, the difference of two rounded lines"


def test_the_line_says_how_it_came_about() -> None:
    def said(price: Price, old: int, new: int) -> str:
        return in_words(asks(holding(old, price), new, "2026-04-16").lines[0].working, ENGLISH)

    share = "15 of 30 days (1,296,000 of 2,592,000 s)"
    assert said(recurring("10"), 5, 8) == f"$10.00 × 3 × {share} = $15.00"
    slab = tiered(TierMode.SLAB, (5, "10"), (None, "6"))
    assert said(slab, 4, 7) == f"($10.00 × 5 + $6.00 × 2 − ($10.00 × 4)) × {share} = $11.00"
    assert said(package("4", 10), 10, 11) == f"($4.00 × 2 − ($4.00)) × {share} = $2.00"


@pytest.mark.parametrize(("plan_ends", "due"), [("2026-04-11", "1.67"), ("2026-04-26", "6.67")])
def test_of_a_period_that_ends_with_the_plan_only_what_is_left_is_charged(plan_ends, due) -> None:
    """5 and 20 of the 30 days that the price is for, whether little or much of them was billed."""
    made = asks(holding(1, until=plan_ends), 2, "2026-04-06")
    [line] = made.lines
    assert (made.due.charged, line.period) == (money(due), span("2026-04-06", plan_ends))
    days = 5 if plan_ends == "2026-04-11" else 20
    assert (line.working.left_s, line.working.whole_s) == (days * 86_400, 30 * 86_400)


def test_tiers_charge_the_difference_of_the_totals() -> None:
    slab = tiered(TierMode.SLAB, (10, "50"), (20, "40"), (None, "30"))
    assert asks(holding(5, slab), 15, "2026-04-01").due.charged == money("450")
    within_a_block = package("50", 10)
    assert not asks(holding(11, within_a_block), 20, "2026-04-01").due.charged


def test_more_units_that_cost_less_in_all_are_free_and_give_nothing_back() -> None:
    volume = tiered(TierMode.VOLUME, (10, "10"), (None, "1"))
    made = asks(holding(10, volume), 11, "2026-04-11")
    assert shown(made.lines) == [("charge", "Storage", "0.00")]
    assert not made.due.credited
    assert in_words(made.lines[0].working, ENGLISH) == "$0.00, charged in full"
    assert made.going_forward.amount == money("11")


def test_tax_is_a_line_on_the_delta() -> None:
    made = asks(holding(1), 2, "2026-04-11", Tax(Decimal(20), label="VAT"))
    assert shown(made.lines) == [("charge", "Storage", "6.67"), ("tax", "VAT", "1.33")]


def test_more_units_bring_their_share_of_the_window() -> None:
    [brought] = asks(holding(1), 3, "2026-04-21").capacity
    assert (brought.units, brought.until) == (Decimal(667), instant("2026-05-01"))
    assert brought.then_units == 2_000


def test_recurring_credits_come_in_the_rhythm_of_the_own_anchor() -> None:
    recurs, never = BillingCadence.RECURRING, ExpirationType.NEVER
    sold = replace(SOLD, credit_grants=(CreditGrant("SMS", MESSAGES, Decimal(90), recurs, never),))
    own = extra(recurring("10"), until="2026-05-16", anchor="2026-04-16")
    asked = Asked(1, sold, own, cycle(), means())
    made = quote_quantity(asked, QuantityRequest(1, 2), now("2026-04-26"))
    assert [brought.units for brought in made.capacity] == [Decimal(167), Decimal(60)]


def test_fewer_waits_for_the_own_boundary_and_gives_nothing_back() -> None:
    own = extra(recurring("10"), until="2026-05-15", anchor="2026-04-15", quantity=5)
    made = asks(own, 2, "2026-04-20")
    assert (made.lines, made.capacity) == ((), ())
    assert made.effective_at == made.going_forward.next_at == instant("2026-05-15")
    assert made.going_forward.amount == money("20")
    then = with_quantity(own, made)
    assert (then.quantity, then.next_quantity) == (5, 2)
    plan = item(recurring("0"))
    assert shown(bills_due(state(plan, then), instant("2026-05-15"))[-1]) == [
        ("charge", "Storage", "20.00")
    ]


def test_down_and_up_again_in_one_period_pays_only_above_what_is_paid_for() -> None:
    ten = holding(10)
    five = with_quantity(ten, asks(ten, 5, "2026-04-05"))
    made = asks(five, 15, "2026-04-16")
    assert made.due.charged == money("25.00"), "5 units, not 10"
    fifteen = with_quantity(five, made)
    assert (fifteen.quantity, fifteen.next_quantity) == (15, 15)


def test_the_quantity_it_has_withdraws_fewer() -> None:
    ten = holding(10)
    five = with_quantity(ten, asks(ten, 5, "2026-04-05"))
    made = asks(five, 10, "2026-04-06")
    assert (made.lines, made.effective_at) == ((), made.at)
    assert with_quantity(five, made) == ten


def test_another_agreed_change_stays() -> None:
    cheaper = Terms(instant("2026-05-01"), price=recurring("8"))
    held = replace(holding(2), agreed=(cheaper,))
    made = asks(held, 1, "2026-04-11")
    assert made.going_forward.amount == money("8")
    assert with_quantity(held, made).as_agreed(instant("2026-05-01")).price.amount == 8
    more = with_quantity(held, asks(held, 3, "2026-04-11"))
    assert more.as_agreed(instant("2026-05-01")).quantity == 3


def test_the_quote_expires_as_a_purchase_does() -> None:
    assert asks(holding(1), 2, "2026-04-11").expires_at == instant("2026-04-11T00:15")
    assert asks(holding(1), 2, "2026-04-30T23:55").expires_at == instant("2026-05-01")
    own = extra(recurring("10"), until="2026-04-15", anchor="2026-03-15")
    assert asks(own, 2, "2026-04-14T23:55").expires_at == instant("2026-04-15")
    assert asks(holding(1), 2, "2026-04-11").digest != asks(holding(1), 3, "2026-04-11").digest
    assert asks(holding(1), 2, "2026-04-11").digest != asks(holding(2), 2, "2026-04-11").digest


def test_what_is_due_is_billed_first() -> None:
    with pytest.raises(ValueError, match="billed first"):
        asks(holding(1), 2, "2026-05-01")


@pytest.mark.parametrize(
    ("zone", "at", "charged"),
    [
        ("America/New_York", "2026-11-30T23:59:59", "0"),
        ("Europe/Berlin", "2026-06-30T23:30:00", "0.01"),
        ("Europe/Berlin", "2026-06-16T00:00:00", "4.99"),
    ],
)
def test_a_period_is_paid_until_where_it_was_billed_whatever_the_zone_is_now(
    zone: str, at: str, charged: str
) -> None:
    until, anchor = ("2026-12-01", "2026-04-01") if "York" in zone else ("2026-07-01", "2026-01-01")
    held = extra(recurring("10"), until=until, anchor=anchor, zone=zone)
    made = asks(held, 2, at)
    assert made.lines[0].amount == money(charged)
    assert made.going_forward.next_at == instant(until)
    fewer = with_quantity(replace(held, quantity=3), asks(replace(held, quantity=3), 1, at))
    assert fewer.as_agreed(instant(until)).quantity == 1


MANY = add_on(recurring("10"), max_instances=10)
ON, PAST_DUE = SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE
REASON = QuantityReason


@pytest.mark.parametrize(
    ("quantity", "phase", "status", "reason"),
    [
        (6, Phase.ACTIVE, ON, None),
        (1, Phase.ACTIVE, PAST_DUE, None),
        (6, Phase.ACTIVE, PAST_DUE, REASON.NOT_NOW),
        (7, Phase.ACTIVE, ON, REASON.MOST_HELD),
        (4, Phase.ACTIVE, ON, REASON.SAME),
        (0, Phase.ACTIVE, ON, REASON.TOO_FEW),
        (2, Phase.CANCELLING, ON, REASON.CANCELLING),
        (2, Phase.SCHEDULED, ON, REASON.NOT_ACTIVE),
        (2, Phase.ENDED, ON, REASON.NOT_ACTIVE),
    ],
)
def test_refusals(
    quantity: int, phase: Phase, status: SubscriptionStatus, reason: QuantityReason | None
) -> None:
    mine = Holding(units=7, pending_units=1)
    assert quantity_refusal(MANY, holding(4), phase, mine, status, quantity) is reason


def test_more_of_what_is_no_longer_sold_is_refused_and_fewer_is_not() -> None:
    archived = replace(MANY, status=Status.ARCHIVED)
    mine = Holding(units=4)
    four = holding(4)
    assert quantity_refusal(archived, four, Phase.ACTIVE, mine, ON, 5) is REASON.NOT_SOLD
    assert quantity_refusal(archived, four, Phase.ACTIVE, mine, ON, 3) is None


def test_what_is_held_once_and_what_was_bought_once_have_no_other_quantity() -> None:
    single = add_on(recurring("10"), type=AddOnType.ONETIME)
    mine = Holding(units=1)
    assert quantity_refusal(single, holding(1), Phase.ACTIVE, mine, ON, 2) is REASON.MOST_HELD
    bought = extra(once("49"))
    assert quantity_refusal(MANY, bought, Phase.ACTIVE, mine, ON, 2) is REASON.NOT_RECURRING


def test_the_quantity_it_has_can_be_asked_for_while_fewer_is_agreed() -> None:
    five = with_quantity(holding(10), asks(holding(10), 5, "2026-04-05"))
    mine = Holding(units=10)
    for status in (ON, PAST_DUE):
        assert quantity_refusal(MANY, five, Phase.ACTIVE, mine, status, 10) is None
    assert quantity_refusal(MANY, five, Phase.ACTIVE, mine, ON, 5) is REASON.SAME
