"""A consumer withdraws from what renews after its units were used: those are paid for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from portal.domain.catalog import (
    BillingCadence,
    CreditGrant,
    Entitlement,
    ExpirationType,
)
from portal.domain.periods import BillingPeriod
from tests.services.changing import ANNUAL
from tests.services.consuming import START, Consumer, consumer_of, sent_back, use
from tests.services.counting import Counter
from tests.services.figures.stall import Stall
from tests.services.test_withdrawing_contracts import change
from tests.services.time_passing import run_at
from tests.services.using import correction, report, used
from tests.support.world import World
from tests.unit.samples import recurring

MESSAGES = "messages_100k_recurring"
ALLOWANCE = 100_000
"""Messages that Growth brings each month."""
BROUGHT = 66_667
"""Those of the add-on for the 20 days that are left of April."""


@pytest.fixture
def consumer(world: World) -> Consumer:
    """On Growth since 1 April; today is the 11th."""
    return consumer_of(world)


@pytest.fixture
def stall(world: World) -> Stall:
    return Stall(world)


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


def left_of(consumer: Consumer, instance_id: int | None) -> list[Fraction]:
    """The share of each line that goes back."""
    return [part.share for part in consumer.foresee(instance_id).parts]


def credits(stall: Stall, units: int, cadence: BillingCadence) -> CreditGrant:
    each_month = BillingPeriod.MONTHLY if cadence is BillingCadence.RECURRING else None
    lasts = ExpirationType.NEVER
    return CreditGrant(
        "SMS", stall.feature("sms"), Decimal(units), cadence, lasts, None, each_month
    )


def test_a_year_of_messages_of_which_a_month_is_used_at_once_again_and_again(world, till):
    """Reported: bought, used up and withdrawn from as often as wanted, for nothing."""
    world.now = datetime(2026, 3, 31, 10, tzinfo=UTC)
    sold = {"plan": "starter", "price": "starter_annual_jpy", "currency": "jpy"}
    consumer = consumer_of(world, zone="Pacific/Kiritimati", since=world.now, **sold)
    use(world, consumer, 10_000)
    for turn in (1, 2):
        instance = consumer.buy(MESSAGES)
        use(world, consumer, ALLOWANCE + 30_000)
        consumer.withdraw(instance)
        assert till.taken() == [55_700] * turn
        assert sent_back(till) == [(51_058, "succeeded")] * turn, "eleven of twelve months"
        world.pass_time(minutes=1)
    assert till.books_agree()


def test_of_a_month_that_is_used_up_nothing_goes_back_though_it_can_be_withdrawn_from(
    world, till, consumer
):
    instance = consumer.buy(MESSAGES)
    use(world, consumer, ALLOWANCE + BROUGHT + 50_000)
    assert consumer.open() == [instance]
    made = consumer.withdraw(instance)
    assert made is not None
    assert not made.credited
    assert (sent_back(till), till.holds(consumer.actor)) == ([], [])
    assert till.books_agree()


def test_the_larger_of_both_shares_counts(world, till, consumer):
    instance = consumer.buy(MESSAGES)
    assert left_of(consumer, instance) == [1]
    use(world, consumer, ALLOWANCE + 40_000)
    assert left_of(consumer, instance) == [Fraction(26_667, BROUGHT)]
    world.now = at(4, 22)
    assert left_of(consumer, instance) == [Fraction(26_667, BROUGHT)], "less than 9 of 20 days"
    world.now = at(4, 25)
    assert left_of(consumer, instance) == [Fraction(6, 20)]
    world.now = at(4, 22)
    consumer.withdraw(instance)
    assert (till.taken(), sent_back(till)) == ([2600], [(1040, "succeeded")])


def test_what_was_counted_in_error_goes_back_too(world, consumer):
    instance = consumer.buy(MESSAGES)
    use(world, consumer, ALLOWANCE + 40_000)
    report(world, consumer.actor, correction("messages", 30_000, world.now))
    assert left_of(consumer, instance) == [Fraction(56_667, BROUGHT)]


def test_more_units_share_what_is_used_with_those_before(world, consumer):
    world.now = at(4, 1)
    instance, counter = consumer.buy(MESSAGES, 2), Counter(world)
    world.now = at(4, 16)
    accepted = counter.accept(counter.quote(consumer.actor, instance, 3))
    counter.confirm(consumer.actor, replace(accepted, agreed=START))
    use(world, consumer, ALLOWANCE + 225_000)
    assert left_of(consumer, instance) == [Fraction(1, 10)] * 2, "of 200,000 and 50,000"


def test_what_an_earlier_period_paid_for_is_not_counted_again(world, till, consumer):
    world.now = at(4, 20)
    instance = consumer.buy(MESSAGES)
    use(world, consumer, ALLOWANCE + 36_667)
    run_at(world, at(5, 1))
    world.now = at(5, 2)
    assert left_of(consumer, instance) == [Fraction(0), Fraction(30, 31)]
    use(world, consumer, ALLOWANCE + 50_000)
    assert left_of(consumer, instance) == [Fraction(0), Fraction(1, 2)]


def test_of_a_plan_what_was_used_since_it_came(world, till, consumer):
    world.now = at(4, 10)
    use(world, consumer, 30_000)
    world.now = at(4, 11)
    change(world, till, consumer, "business")
    assert left_of(consumer, None) == [1]
    use(world, consumer, 100_000)
    [part] = consumer.foresee(None).parts
    assert part.share == 1 - Fraction(100_000, 333_334), "of 500,000 for 20 of 30 days"
    assert part.credited.minor == 13953
    use(world, consumer, 900_000)
    assert left_of(consumer, None) == [0]


def test_of_a_plan_for_a_year_twelve_months_of_units(world, till, consumer):
    world.now = at(4, 1)
    change(world, till, consumer, "growth", START, ANNUAL)
    use(world, consumer, ALLOWANCE)
    assert left_of(consumer, None) == [Fraction(11, 12)]


def test_levels_and_what_has_no_limit_go_by_time(world, stall, consumer):
    brings = (Entitlement(stall.feature("sms"), None), Entitlement(stall.feature("members"), 5))
    bundle = consumer.buy(stall.sell(recurring("30.00"), entitlements=brings))
    report(world, consumer.actor, used("sms", 9_000, world.now), used("members", 15, world.now))
    assert left_of(consumer, bundle) == [1]
    world.now = at(4, 16)
    assert left_of(consumer, bundle) == [Fraction(15, 20)]


def test_of_several_features_the_one_most_used(world, stall, consumer):
    brings = [Entitlement(stall.feature(name), 3_000) for name in ("messages", "sms")]
    bundle = consumer.buy(stall.sell(recurring("30.00"), entitlements=tuple(brings)))
    report(world, consumer.actor, used("sms", 500, world.now))
    use(world, consumer, ALLOWANCE + 1_500)
    [part] = consumer.foresee(bundle).parts
    assert part.supply is not None
    assert (part.supply.feature.lookup_key, part.share) == ("messages", Fraction(1, 4))


def test_credits_that_come_once_are_all_that_comes(world, stall, consumer):
    grants = (credits(stall, 1_000, BillingCadence.ONETIME),)
    bundle = consumer.buy(stall.sell(recurring("30.00"), credit_grants=grants))
    report(world, consumer.actor, used("sms", 900, world.now))
    assert left_of(consumer, bundle) == [Fraction(1, 10)]


def test_credits_that_come_each_month_of_a_year_that_is_paid_for(world, stall):
    world.now = at(4, 1)
    consumer = consumer_of(world, price="growth_annual_usd")
    grants = (credits(stall, 1_000, BillingCadence.RECURRING),)
    bundle = consumer.buy(stall.sell(recurring("300.00", ANNUAL), credit_grants=grants))
    report(world, consumer.actor, used("sms", 1_000, world.now))
    assert left_of(consumer, bundle) == [Fraction(11, 12)]


def test_who_asked_for_no_start_gets_all_of_it(world, till, consumer):
    instance = consumer.buy(MESSAGES, words=replace(START, request=""))
    use(world, consumer, ALLOWANCE + BROUGHT)
    consumer.withdraw(instance)
    assert sent_back(till) == [(2600, "succeeded")]
