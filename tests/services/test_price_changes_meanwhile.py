"""What happens between the notice of a new price and its day: the newest agreement wins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.domain.quotes import Start
from portal.models.catalog import PlanRow, PriceRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.services import instances
from portal.services.charging import Settled
from portal.services.plans import Agreed
from tests.services.changing import ANNUAL, APRIL_1, Office
from tests.services.leaving import cancel_plan
from tests.services.repricing import GROWTH, SALESFORCE
from tests.services.test_clock import advance
from tests.services.test_dunning import pay, settle_card, status
from tests.services.time_passing import run_at

MAY_1, JUNE_1 = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
JULY_1, YEAR_ON = datetime(2026, 7, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
ANNOUNCED, APPLIED, WITHDRAWN = "scheduled", "applied", "withdrawn"


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


@pytest.fixture
def actor(office):
    return office.account()


@pytest.fixture
def connected(actor, world, operator):
    """Salesforce costs 50 now and 60 from 1 June on."""
    world.buy(actor, "salesforce")
    operator.sell(salesforce_monthly_usd="60.00")
    operator.announce(SALESFORCE)
    return actor


@pytest.fixture
def dearer(actor, operator):
    """The plan costs 99 now and 119 from 1 June on."""
    operator.sell(growth_monthly_usd="119.00")
    operator.announce()
    return actor


def switch(world, actor, act) -> None:
    [held] = world.state(actor).held
    with world.session() as session:
        if act is instances.cancel:
            act(actor, held.id, "", session=session, wall=world.wall)
        else:
            act(actor, held.id, session=session, wall=world.wall)


def test_what_is_cancelled_before_then_never_costs_more(connected, operator, office, world):
    switch(world, connected, instances.cancel)
    assert operator.ahead(connected) == []
    for at in (MAY_1, JUNE_1):
        run_at(world, at)
    assert office.bill(connected) == [("charge", "Growth", 9900)]
    assert operator.changes(connected) == [(WITHDRAWN, JUNE_1)]


def test_what_is_kept_again_moves_as_announced(connected, operator, office, world):
    switch(world, connected, instances.cancel)
    switch(world, connected, instances.keep)
    assert operator.ahead(connected) == [(6000, JUNE_1)]
    run_at(world, JUNE_1)
    assert [amount for _, _, amount in office.bill(connected)] == [9900, 6000]
    assert office.instance(connected).billed_until_at == JULY_1
    assert operator.changes(connected) == [(APPLIED, JUNE_1)]


def test_another_plan_bought_now_is_billed_at_its_own_price(dearer, operator, office, world):
    assert isinstance(office.change(dearer, "business"), Settled)
    assert operator.ahead(dearer) == []
    assert operator.bills(dearer) == [29900, 29900]
    run_at(world, JUNE_1)
    assert office.bill(dearer) == [("charge", "Business", 29900)]
    assert operator.changes(dearer) == [(WITHDRAWN, JUNE_1)]


def test_a_plan_agreed_on_for_the_end_of_the_term_wins(dearer, operator, office, world):
    assert office.change(dearer, "starter") == Agreed(MAY_1)
    assert (operator.ahead(dearer), operator.bills(dearer)) == ([], [2900, 2900])
    run_at(world, MAY_1)
    assert (office.plan(dearer)[0], office.agreed(dearer)) == ("starter", [(APPLIED, MAY_1)])
    run_at(world, JUNE_1)
    assert office.plan(dearer)[:2] == ("starter", "starter_monthly_usd")
    assert [office.bill(dearer, back) for back in (1, 2)] == [[("charge", "Starter", 2900)]] * 2
    assert operator.changes(dearer) == [(WITHDRAWN, JUNE_1)]


def test_it_wins_at_the_very_same_boundary(actor, operator, office, world):
    operator.sell(growth_monthly_usd="119.00")
    operator.announce(days=20)
    office.change(actor, "starter")
    assert operator.ahead(actor) == []
    run_at(world, MAY_1)
    assert office.bill(actor) == [("charge", "Starter", 2900)]
    assert (office.agreed(actor), operator.changes(actor)) == (
        [(APPLIED, MAY_1)],
        [(WITHDRAWN, MAY_1)],
    )


def test_taken_back_the_announced_price_comes_after_all(dearer, operator, office, world):
    office.change(dearer, "starter")
    assert office.withdraw(dearer)
    assert operator.ahead(dearer) == [(11900, JUNE_1)]
    run_at(world, JUNE_1)
    assert office.bill(dearer) == [("charge", "Growth", 11900)]


def test_who_has_agreed_to_leave_is_not_announced_anything(actor, operator, office):
    office.change(actor, "starter")
    operator.sell(growth_monthly_usd="119.00")
    assert operator.announce().moved == ()


def test_a_year_bought_now_is_not_touched(connected, operator, office, world):
    operator.sell(growth_monthly_usd="119.00")
    operator.announce()
    assert len(operator.ahead(connected)) == 2
    assert isinstance(office.change(connected, "growth", ANNUAL), Settled)
    assert operator.ahead(connected) == []
    run_at(world, JULY_1)
    assert [s for s, _ in operator.changes(connected)] == [ANNOUNCED, ANNOUNCED], "nothing billed"
    assert office.plan(connected)[1] == "growth_annual_usd"
    run_at(world, datetime(2027, 4, 12, tzinfo=UTC))
    assert [amount for _, _, amount in office.bill(connected)] == [95000, 48000]
    assert [s for s, _ in operator.changes(connected)] == [WITHDRAWN, WITHDRAWN]


def test_fewer_units_agreed_for_later_and_the_new_price_both_come(actor, operator, office, world):
    world.buy(actor, "members_5", 3)
    row = InstanceRow
    fewer = {"next_quantity": 2, "next_quantity_at": MAY_1}
    world.change(update(row).where(row.account_id == actor.account_id).values(**fewer))
    operator.sell(members_5_monthly_usd="50.00")
    [holder] = operator.announce("members_5_monthly_usd").moved
    assert (holder.ahead.quantity, holder.ahead.after.minor) == (2, 10000)
    assert operator.bills(actor) == [9900 + 9000, 9900 + 10000]
    run_at(world, JUNE_1)
    assert [amount for _, _, amount in office.bill(actor, 2)] == [9900, 9000]
    assert [amount for _, _, amount in office.bill(actor)] == [9900, 10000]
    assert office.instance(actor).next_quantity is None


def test_suspended_it_comes_with_the_first_bill_after_its_day(operator, world, till):
    actor = world.account(card="pm_card_chargeCustomerFail")
    operator.sell(growth_monthly_usd="119.00")
    operator.announce()
    for day in (1, 2, 5, 8, 22):
        run_at(world, datetime(2026, 5, day, tzinfo=UTC))
    assert status(world, actor) == "suspended"
    run_at(world, datetime(2026, 6, 16, tzinfo=UTC))
    assert operator.changes(actor) == [(ANNOUNCED, JUNE_1)]
    settle_card(world, actor)
    pay(world, actor)
    run_at(world, datetime(2026, 6, 16, tzinfo=UTC))
    assert till.taken() == [9900, 5950], "the old price for May, half of the new one for June"
    assert operator.changes(actor) == [(APPLIED, JUNE_1)]


def test_changed_twice_in_a_row_each_price_has_its_own_time(dearer, operator, office, world):
    operator.sell(growth_monthly_usd="129.00")
    operator.announce(days=60)
    assert operator.ahead(dearer) == [(11900, JUNE_1), (12900, JULY_1)]
    run_at(world, JULY_1)
    assert office.till.taken() == [9900, 9900, 11900, 12900]
    assert operator.changes(dearer) == [(APPLIED, JUNE_1), (APPLIED, JULY_1)]


def test_who_only_will_pay_a_price_is_moved_from_it_too(actor, operator, world):
    row = PriceRow
    world.change(update(row).where(row.lookup_key == GROWTH).values(lookup_key="first_price"))
    operator.sell(growth_monthly_usd="119.00")
    operator.announce("first_price", GROWTH)
    operator.sell(growth_monthly_usd="129.00")
    operator.announce(days=60)
    assert operator.ahead(actor) == [(11900, JUNE_1), (12900, JULY_1)]


def test_of_two_for_one_boundary_the_newer_is_paid(dearer, operator, office, world):
    operator.sell(growth_monthly_usd="109.00")
    [holder] = operator.announce().moved
    assert (holder.ahead.before.minor, holder.ahead.after.minor) == (9900, 10900)
    assert operator.changes(dearer) == [(WITHDRAWN, JUNE_1), (ANNOUNCED, JUNE_1)]
    run_at(world, JUNE_1)
    assert office.bill(dearer) == [("charge", "Growth", 10900)]


def test_back_at_the_old_amount_who_never_left_it_is_left_alone(dearer, operator):
    operator.call_off()
    operator.sell(growth_monthly_usd="99.00")
    assert operator.announce().problems == ("the two prices are the same",)


def test_the_first_period_of_what_waits_for_its_start_costs_what_was_quoted(
    actor, operator, office, world
):
    world.buy(actor, "salesforce", start=Start.NEXT_CYCLE)
    operator.sell(salesforce_monthly_usd="60.00")
    operator.announce(SALESFORCE, days=14)
    assert operator.ahead(actor) == [(6000, JUNE_1)]
    run_at(world, JUNE_1)
    bills = [[amount for *_, amount in office.bill(actor, back)] for back in (2, 1)]
    assert bills == [[9900, 5000], [9900, 6000]]


def test_the_first_period_after_a_trial_costs_what_it_said(operator, world, office):
    actor = world.account()
    row = SubscriptionRow
    world.change(update(row).where(row.account_id == actor.account_id).values(status="trialing"))
    operator.sell(growth_monthly_usd="119.00")
    operator.announce(days=14)
    assert operator.bills(actor) == [9900, 11900]


def test_a_test_clock_takes_it_on_the_way(dearer, operator, world, office):
    advance(world, dearer.account_id, datetime(2026, 7, 2, tzinfo=UTC))
    assert office.till.taken() == [9900, 9900, 11900, 11900]
    assert operator.changes(dearer) == [(APPLIED, JUNE_1)]


def test_holders_of_an_archived_plan_move_between_prices_that_are_both_in_force(
    actor, operator, office, world
):
    row = PriceRow
    other = update(row).where(row.lookup_key == "growth_annual_usd")
    again = {"lookup_key": "growth_2027", "billing_period": "MONTHLY"}
    world.change(other.values(**again))
    why = "growth_monthly_usd is still sold: end it in the catalog first"
    assert operator.announce(new="growth_2027").problems == (why,)
    world.change(update(PlanRow).where(PlanRow.lookup_key == "growth").values(status="archived"))
    assert operator.announce(new="growth_2027").problems == ()
    assert operator.ahead(actor) == [(95000, JUNE_1)]
    assert APRIL_1 < office.subscription(actor).next_due_at < JUNE_1


def test_a_plan_that_ends_before_then_takes_its_announcements_along(
    connected, operator, office, world
):
    cancel_plan(world, connected)
    assert operator.ahead(connected) == []
    run_at(world, JUNE_1)
    assert operator.changes(connected) == [(WITHDRAWN, JUNE_1)]
    assert world.state(connected).subscription is None
