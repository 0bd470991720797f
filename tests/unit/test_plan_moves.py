"""What a change of plan means: up or down, what becomes of each add-on, what will not fit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from portal.domain.bills import bills_due
from portal.domain.catalog import Entitlement, Plan, Status
from portal.domain.entitlements import Source, SourceKind
from portal.domain.instances import SubscriptionStatus
from portal.domain.periods import BillingPeriod, Interval
from portal.domain.plan_changes import changed
from portal.domain.plan_limits import Level
from portal.domain.plan_moves import Fate, PlanReason, Timing, plan_refusal
from portal.domain.recurring import Terms
from tests.unit.billing_samples import (
    BUSINESS,
    GROWTH,
    STARTER,
    asks,
    holds,
    plan,
    shown,
    stored,
    subscribed,
)
from tests.unit.samples import (
    ANNUAL,
    MEMBERS,
    MESSAGES,
    MONTHLY,
    QUARTERLY,
    STORAGE,
    WEEKLY,
    instant,
    once,
    recurring,
)

APRIL_11 = "2026-04-11"
WEEKLY_PLAN = Plan("weekly", "Weekly", Status.PUBLISHED, prices=(recurring("12", WEEKLY),))
"""52.14 a month: more than Growth, less than Business."""
PAID = stored("50")


def test_p25_a_change_at_the_same_interval_does_not_touch_add_ons() -> None:
    by = subscribed(
        GROWTH, holds(recurring("5"), instance_id=1), holds(recurring("10"), instance_id=2)
    )
    made = asks(by, BUSINESS, "2026-04-16")
    assert [line.instance_id for line in made.lines] == [None]
    assert {each.fate for each in made.moves} == {Fate.CARRIES_ON}
    assert changed(by, made, "Business").instances == by.billing.instances


def test_a_downgrade_ends_the_add_ons_that_the_plan_does_not_allow() -> None:
    by = subscribed(
        GROWTH,
        holds(recurring("5"), instance_id=1, allowed_plans=("growth", "business")),
        holds(recurring("10"), instance_id=2, allowed_plans=("starter",)),
        holds(recurring("7"), instance_id=3, stops_at=instant("2026-05-01")),
    )
    made = asks(by, STARTER, APRIL_11)
    assert [each.fate for each in made.moves] == [Fate.ENDS, Fate.CARRIES_ON, Fate.CANCELLING]
    assert [each.ends_at for each in made.moves] == [
        instant("2026-05-01"),
        None,
        instant("2026-05-01"),
    ]
    [next_bill] = bills_due(changed(by, made, "Starter"), instant("2026-05-01"))
    assert [line.instance_id for line in next_bill.lines] == [None, 2]


def test_an_add_on_with_its_own_anchor_ends_when_its_paid_period_does() -> None:
    own = holds(recurring("5"), allowed_plans=("growth",), until="2026-05-15", anchor="2026-04-15")
    made = asks(subscribed(GROWTH, own), STARTER, "2026-04-20")
    assert made.moves[0].ends_at == instant("2026-05-15")


def test_what_will_not_fit_after_a_downgrade() -> None:
    starter = replace(STARTER, entitlements=(Entitlement(MEMBERS, 3), Entitlement(STORAGE, 2)))
    seats = holds(
        recurring("5"),
        entitlements=(Entitlement(MEMBERS, 1),),
        quantity=4,
        allowed_plans=("starter",),
    )
    ended = holds(
        recurring("5"),
        instance_id=2,
        entitlements=(Entitlement(STORAGE, 100),),
        allowed_plans=("growth",),
    )
    at = instant("2026-04-01")
    bought = Source(SourceKind.ADD_ON, "Pack", Entitlement(STORAGE, 50), 1, at)
    levels = (Level(MEMBERS, Decimal(7)), Level(STORAGE, Decimal(53)), Level(MESSAGES, Decimal(0)))
    by = subscribed(GROWTH, seats, ended, others=(bought,), levels=levels)
    [storage] = asks(by, starter, APRIL_11).misfits
    assert (storage.feature, storage.level, storage.limit) == (STORAGE, Decimal(53), 52)
    more = replace(by, levels=(Level(MEMBERS, Decimal("7.5")),))
    assert [each.limit for each in asks(more, starter, APRIL_11).misfits] == [7]


def test_a_feature_that_nothing_grants_any_more_does_not_fit() -> None:
    by = subscribed(GROWTH, levels=(Level(STORAGE, Decimal(1)),))
    assert [each.limit for each in asks(by, STARTER, APRIL_11).misfits] == [0]


def test_an_upgrade_brings_the_difference_for_the_rest_of_the_window() -> None:
    grants = [Entitlement(MESSAGES, count) for count in (100_000, 500_000)]
    low, high = (
        replace(p, entitlements=(e,)) for p, e in zip((GROWTH, BUSINESS), grants, strict=True)
    )
    [brought] = asks(subscribed(low), high, "2026-04-21").raised
    assert (brought.units, brought.until) == (Decimal(133_334), instant("2026-05-01"))
    assert brought.then_units == 500_000
    assert asks(subscribed(high), low, "2026-04-21").raised == ()
    assert asks(subscribed(low), low, "2026-04-21", ANNUAL).raised == ()
    endless = replace(high, entitlements=(Entitlement(MESSAGES, None),))
    [unlimited] = asks(subscribed(low), endless, "2026-04-21").raised
    assert unlimited.units is None
    dearer = plan("more", "500", entitlements=(grants[0],))
    assert asks(subscribed(endless), dearer, "2026-04-21").raised == ()
    assert asks(subscribed(high), dearer, "2026-04-21").raised == (), "nothing is taken away"
    cheaper = plan("less", "5", entitlements=(grants[1],))
    assert asks(subscribed(low), cheaper, "2026-04-21").raised == (), "it comes with the plan"


def test_add_ons_move_to_annual_keep_their_month_or_are_left_alone() -> None:
    by = subscribed(
        GROWTH,
        holds(recurring("10"), recurring("96", ANNUAL), instance_id=1, quantity=2,
              stored=(stored("20", id=5, name="Storage", instance_id=1),)),
        holds(recurring("5"), instance_id=2),
        holds(recurring("7"), recurring("70", ANNUAL), instance_id=3,
              stops_at=instant("2026-05-01")),
        holds(recurring("8"), recurring("80", ANNUAL), instance_id=4, starts="2026-05-01"),
        stored=(PAID,),
    )  # fmt: skip
    made = asks(by, GROWTH, APRIL_11, ANNUAL)
    assert [each.fate for each in made.moves] == [
        Fate.SWITCHES,
        Fate.KEEPS_PERIOD,
        Fate.CANCELLING,
        Fate.STARTS_SWITCHED,
    ]
    assert shown(made)[2:] == [("credit", "Storage", "-13.33"), ("charge", "Storage", "192.00")]
    assert [line.instance_id for line in made.lines] == [None, None, 1, 1]
    then = changed(by, made, "Growth")
    assert [each.due_at for each in then.instances] == [
        instant("2027-04-11"),
        instant("2026-05-01"),
        None,
        instant("2026-05-01"),
    ]
    assert then.instances[1] == by.billing.instances[1], "its own monthly anchor"
    first = bills_due(then, instant("2026-05-01"))[-1].lines[-1]
    assert (first.amount.minor, first.period.end) == (8000, instant("2027-05-01"))


def test_fewer_units_agreed_for_the_next_period_are_those_of_the_year() -> None:
    held, item = holds(recurring("10"), recurring("96", ANNUAL), quantity=5)
    fewer = replace(item, agreed=(Terms(instant("2026-05-01"), quantity=3),))
    by = subscribed(GROWTH, (held, fewer))
    made = asks(by, GROWTH, APRIL_11, ANNUAL)
    assert shown(made)[-1] == ("charge", "Storage", "288.00")
    [moved] = changed(by, made, "Growth").instances
    assert (moved.quantity, moved.agreed) == (3, ())


def test_annual_to_monthly_waits_for_the_end_of_the_term() -> None:
    by = subscribed(
        GROWTH,
        holds(recurring("96", ANNUAL), recurring("10"), instance_id=1, until="2027-04-01"),
        holds(recurring("60", ANNUAL), instance_id=2, until="2027-04-01"),
        holds(recurring("5"), instance_id=3),
        interval=ANNUAL,
        until="2027-04-01",
    )
    made = asks(by, GROWTH, APRIL_11, MONTHLY)
    assert (made.timing, made.lines) == (Timing.AT_TERM_END, ())
    assert [each.fate for each in made.moves] == [Fate.SWITCHES, Fate.ENDS, Fate.CARRIES_ON]
    assert made.moves[1].ends_at == made.effective_at == instant("2027-04-01")
    last = bills_due(changed(by, made, "Growth"), instant("2027-04-01"))[-1]
    assert shown(last) == [
        ("charge", "Growth", "50.00"),
        ("charge", "Storage", "10.00"),
        ("charge", "Storage", "5.00"),
    ]


def test_an_upgrade_carries_over_what_it_would_not_sell_and_every_rhythm() -> None:
    by = subscribed(
        GROWTH,
        holds(recurring("5"), instance_id=1, allowed_plans=("growth",)),
        holds(recurring("10"), recurring("96", ANNUAL), instance_id=2),
        interval=ANNUAL,
        until="2027-04-01",
    )
    made = asks(by, BUSINESS, APRIL_11, ANNUAL)
    assert [each.fate for each in made.moves] == [Fate.CARRIES_ON, Fate.CARRIES_ON]


def test_an_add_on_whose_period_does_not_fit_the_longer_one_keeps_it() -> None:
    two_months = Interval(BillingPeriod.MONTHLY, 2)
    prices = (recurring("100", two_months), recurring("140", QUARTERLY))
    by = subscribed(
        replace(GROWTH, prices=prices),
        holds(recurring("9", two_months), until="2026-06-01"),
        interval=two_months,
        until="2026-06-01",
    )
    made = asks(by, by.plan, APRIL_11, QUARTERLY)
    assert (made.timing, made.moves[0].fate) == (Timing.NOW, Fate.KEEPS_PERIOD)


def test_a_monthly_add_on_keeps_its_month_when_a_year_becomes_quarters() -> None:
    prices = (recurring("480", ANNUAL), recurring("140", QUARTERLY))
    by = subscribed(
        replace(GROWTH, prices=prices), holds(recurring("5")), interval=ANNUAL, until="2027-04-01"
    )
    made = asks(by, by.plan, APRIL_11, QUARTERLY)
    assert (made.timing, made.moves[0].fate) == (Timing.AT_TERM_END, Fate.KEEPS_PERIOD)
    assert changed(by, made, "Growth").instances == by.billing.instances


def test_fewer_units_and_another_interval_can_both_be_agreed() -> None:
    held, item = holds(recurring("96", ANNUAL), recurring("10"), until="2027-04-01", quantity=5)
    fewer = replace(item, agreed=(Terms(instant("2027-04-01"), quantity=3),))
    by = subscribed(GROWTH, (held, fewer), interval=ANNUAL, until="2027-04-01")
    then = changed(by, asks(by, GROWTH, APRIL_11, MONTHLY), "Growth")
    [renewed] = bills_due(then, instant("2027-04-01"))
    assert shown(renewed)[-1] == ("charge", "Storage", "30.00")


def test_an_annual_add_on_with_only_a_one_time_price_besides_ends_with_the_term() -> None:
    by = subscribed(
        GROWTH, holds(recurring("96", ANNUAL), once("9"), until="2027-04-01"), interval=ANNUAL,
        until="2027-04-01",
    )  # fmt: skip
    assert asks(by, GROWTH, APRIL_11, MONTHLY).moves[0].fate is Fate.ENDS


@pytest.mark.parametrize(
    ("now", "interval", "to", "wanted", "timing"),
    [
        (GROWTH, MONTHLY, BUSINESS, MONTHLY, Timing.NOW),
        (GROWTH, MONTHLY, BUSINESS, ANNUAL, Timing.NOW),
        (GROWTH, MONTHLY, GROWTH, ANNUAL, Timing.NOW),
        (GROWTH, MONTHLY, STARTER, MONTHLY, Timing.AT_TERM_END),
        (GROWTH, MONTHLY, STARTER, ANNUAL, Timing.AT_TERM_END),
        (GROWTH, ANNUAL, GROWTH, MONTHLY, Timing.AT_TERM_END),
        (GROWTH, ANNUAL, BUSINESS, MONTHLY, Timing.AT_TERM_END),
        (GROWTH, ANNUAL, BUSINESS, ANNUAL, Timing.NOW),
        (GROWTH, MONTHLY, plan("twin", "50", sort=19), MONTHLY, Timing.AT_TERM_END),
        (GROWTH, MONTHLY, plan("twin", "50", sort=21), MONTHLY, Timing.NOW),
        (GROWTH, MONTHLY, plan("yearly", "1", "500"), ANNUAL, Timing.NOW),
        (GROWTH, MONTHLY, WEEKLY_PLAN, WEEKLY, Timing.AT_TERM_END),
        (WEEKLY_PLAN, WEEKLY, GROWTH, MONTHLY, Timing.AT_TERM_END),
        (WEEKLY_PLAN, WEEKLY, BUSINESS, MONTHLY, Timing.NOW),
        (plan("only", "50"), MONTHLY, plan("yearly", "1", "590"), ANNUAL, Timing.AT_TERM_END),
        (plan("only", "50"), MONTHLY, plan("yearly", "1", "610"), ANNUAL, Timing.NOW),
    ],
)
def test_up_or_down(
    now: Plan, interval: Interval, to: Plan, wanted: Interval, timing: Timing
) -> None:
    made = asks(subscribed(now, interval=interval), to, APRIL_11, wanted)
    assert made.timing is timing


def test_a_plan_bought_at_an_older_price_is_compared_at_what_it_costs() -> None:
    older = replace(GROWTH, prices=(recurring("30"),))
    by = replace(subscribed(older), plan=GROWTH)
    assert asks(by, plan("middle", "40"), APRIL_11).timing is Timing.NOW
    assert asks(by, plan("small", "29"), APRIL_11).timing is Timing.AT_TERM_END


@pytest.mark.parametrize(
    ("to", "interval", "status", "reason"),
    [
        (BUSINESS, MONTHLY, SubscriptionStatus.ACTIVE, None),
        (GROWTH, ANNUAL, SubscriptionStatus.ACTIVE, None),
        (GROWTH, MONTHLY, SubscriptionStatus.ACTIVE, PlanReason.SAME),
        (BUSINESS, QUARTERLY, SubscriptionStatus.ACTIVE, PlanReason.NO_PRICE),
        (BUSINESS, MONTHLY, SubscriptionStatus.TRIALING, PlanReason.TRIALING),
        (BUSINESS, MONTHLY, SubscriptionStatus.PAST_DUE, PlanReason.PAST_DUE),
        (BUSINESS, MONTHLY, SubscriptionStatus.SUSPENDED, PlanReason.SUSPENDED),
        (BUSINESS, MONTHLY, SubscriptionStatus.CANCELLED, PlanReason.NO_SUBSCRIPTION),
        (replace(BUSINESS, status=Status.ARCHIVED), MONTHLY, SubscriptionStatus.ACTIVE,
         PlanReason.NOT_SOLD),
    ],
)  # fmt: skip
def test_refusals(
    to: Plan, interval: Interval, status: SubscriptionStatus, reason: PlanReason | None
) -> None:
    assert plan_refusal(GROWTH, GROWTH.prices[0], to, interval, status) is reason
