"""Ending the plan: with its term and its add-ons, late as on time, and kept until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.domain.errors import Conflict, Forbidden, NotFound
from portal.domain.instances import Phase, SubscriptionStatus
from portal.domain.money import Money
from portal.models.events import EventRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries import active
from portal.services.instances import next_boundary
from portal.services.purchases import Refused
from tests.services.changing import ANNUAL, Office
from tests.services.leaving import (
    cancel_add_on,
    cancel_plan,
    carry,
    instance_rows,
    keep_add_on,
    keep_plan,
    monthly_only,
    told,
)
from tests.services.time_passing import lines, renewals, run_at, subscription

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
A_MOMENT = timedelta(seconds=1)


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


def test_the_plan_and_its_add_ons_work_to_the_end_and_not_a_second_longer(world, till):
    actor = world.account()
    for add_on in ("salesforce", "messages_100k", "sms_10k"):
        world.buy(actor, add_on)
    assert cancel_plan(world, actor, "  moving on  ") == MAY_1
    assert subscription(world, actor).cancel_reason == "moving on"
    taken = till.taken()
    world.now = MAY_1 - A_MOMENT
    assert len(world.state(actor).held) == 3
    assert world.state(actor).subscription.status is SubscriptionStatus.ACTIVE
    world.now = MAY_1
    over = world.state(actor)
    assert (over.subscription, over.held) == (None, ()), "also before the renewal has run"
    assert (over.former.name, over.former.ended_at) == ("Growth", MAY_1)
    run_at(world, MAY_1)
    row = subscription(world, actor)
    assert (row.status, row.ended_at) == ("cancelled", MAY_1)
    assert {each.phase for each in world.state(actor).instances} == {Phase.ENDED}
    assert (over.former.is_closed, world.state(actor).former.is_closed) == (False, True)
    assert world.state(actor).former == replace(over.former, is_closed=True)
    assert till.taken() == taken, "nothing due, nothing asked"
    assert renewals(world, actor) == []
    assert till.books_agree()


def test_keep_until_the_boundary_charges_nothing_and_goes_on_as_ever(world, till):
    actor = world.account()
    world.buy(actor, "salesforce")
    cancel_plan(world, actor)
    taken = till.taken()
    world.now = MAY_1 - A_MOMENT
    assert keep_plan(world, actor) == MAY_1
    assert till.taken() == taken
    assert world.state(actor).held[0].renews
    run_at(world, MAY_1)
    [invoice] = renewals(world, actor)
    assert lines(world, invoice) == [("charge", 1, 9900), ("charge", 1, 5000)]


@pytest.mark.parametrize("ran", [True, False])
def test_at_the_boundary_it_is_too_late_to_keep(ran, world):
    actor = world.account()
    cancel_plan(world, actor)
    world.now = MAY_1
    if ran:
        run_at(world, MAY_1)
        with pytest.raises(NotFound):
            keep_plan(world, actor)
    else:
        assert keep_plan(world, actor) is None
    assert world.state(actor).held == ()


def test_repeated_both_are_done_once(world):
    actor = world.account()
    first = cancel_plan(world, actor, "one")
    world.pass_time(days=2)
    assert cancel_plan(world, actor, "two") == first
    assert subscription(world, actor).cancel_reason == "one"
    assert keep_plan(world, actor) == keep_plan(world, actor) == first
    names = ("subscription:cancelled", "subscription:kept")
    assert [world.rows(EventRow, name=name) for name in names] == [1, 1]
    assert len(told(world, actor, "plan_cancelled")) == 1


def test_only_those_who_may_and_only_their_own(world):
    actor = world.account()
    reader = world.member(actor.account_id, "reader@account1.test", Role.MEMBER)
    for act in (cancel_plan, keep_plan):
        with pytest.raises(Forbidden):
            act(world, reader)
    other = world.account()
    cancel_plan(world, other)
    assert world.state(actor).subscription.cancel_at is None


def test_an_add_on_in_another_rhythm_is_billed_up_to_the_end_only(office, world, till):
    monthly_only(world, "members_5")
    actor = office.account()
    world.buy(actor, "members_5")
    office.change(actor, "growth", ANNUAL)
    world.now = datetime(2027, 4, 1, tzinfo=UTC) - timedelta(days=3)
    office.run_due()
    assert cancel_plan(world, actor) == datetime(2027, 4, 11, tzinfo=UTC)
    office.run_due()
    run_at(world, datetime(2027, 4, 12, tzinfo=UTC))
    last = renewals(world, actor)[-1]
    assert last.due_at == datetime(2027, 4, 1, tzinfo=UTC)
    assert lines(world, last) == [("charge", 1, 1500)], "10 of 30 days of 45 dollars"
    assert subscription(world, actor).ended_at == datetime(2027, 4, 11, tzinfo=UTC)


def test_kept_after_such_a_bill_the_rest_of_the_period_is_billed(office, world, till):
    monthly_only(world, "members_5")
    actor = office.account()
    world.buy(actor, "members_5")
    office.change(actor, "growth", ANNUAL)
    run_at(world, datetime(2027, 3, 20, tzinfo=UTC))
    cancel_plan(world, actor)
    run_at(world, datetime(2027, 4, 5, tzinfo=UTC))
    keep_plan(world, actor)
    april_11 = datetime(2027, 4, 11, tzinfo=UTC)
    held = world.state(actor).held[0]
    assert active.row_of(world.state(actor), held).next_charge == Money(3000, "usd")
    assert next_boundary(world.state(actor), held) == april_11
    run_at(world, datetime(2027, 5, 1, tzinfo=UTC))
    bills = [(i.due_at, lines(world, i)) for i in renewals(world, actor)[-2:]]
    assert bills == [
        (april_11, [("charge", 1, 95000), ("charge", 1, 3000)]),
        (datetime(2027, 5, 1, tzinfo=UTC), [("charge", 1, 4500)]),
    ]


def test_what_is_paid_for_longer_is_not_cut_short(office, world, till):
    monthly_only(world, "members_5")
    actor = office.account()
    world.buy(actor, "members_5")
    office.change(actor, "growth", ANNUAL)
    run_at(world, datetime(2027, 4, 2, tzinfo=UTC))
    taken = till.taken()
    assert cancel_plan(world, actor) == datetime(2027, 5, 1, tzinfo=UTC)
    run_at(world, datetime(2027, 4, 11, tzinfo=UTC))
    assert till.taken() == taken, "the plan is not renewed for the days between"
    assert till.holds(actor) == ["members_5"]
    card = world.state(actor).standing(actor)
    assert card.term_is_over
    assert keep_plan(world, actor) is None
    assert isinstance(world.buy(actor, "messages_10k"), Refused)
    run_at(world, datetime(2027, 5, 1, tzinfo=UTC))
    assert till.holds(actor) == []
    assert till.taken() == taken


def test_an_add_on_ends_before_its_plan_or_with_it_and_can_be_kept_to_the_end(world, till):
    monthly_only(world, "members_5")
    actor = world.account(price="growth_annual_usd")
    world.buy(actor, "members_5")
    cancel_plan(world, actor)
    [row] = instance_rows(world, actor)
    cancel_add_on(world, actor, row.id)
    assert world.state(actor).held[0].span.stops_at == MAY_1
    keep_add_on(world, actor, row.id)
    assert world.state(actor).held[0].renews
    run_at(world, datetime(2027, 3, 2, tzinfo=UTC))
    assert world.state(actor).held[0].ends_with_plan
    with pytest.raises(Conflict):
        cancel_add_on(world, actor, row.id)
    run_at(world, datetime(2027, 4, 1, tzinfo=UTC))
    assert till.holds(actor) == []
    assert len(renewals(world, actor)) == 11


@pytest.mark.parametrize(("cents", "billed"), [(80, [80]), (32, [])])
def test_carried_cents_are_on_a_last_invoice_where_a_card_can_be_charged(
    cents, billed, world, till
):
    actor = world.account()
    carry(world, actor, cents)
    cancel_plan(world, actor)
    run_at(world, MAY_1 - A_MOMENT)
    assert till.taken() == []
    run_at(world, MAY_1 + timedelta(days=40))
    assert till.taken() == billed
    assert [i.due_at for i in renewals(world, actor)] == [MAY_1] * len(billed)
    assert subscription(world, actor).ended_at == MAY_1
    assert till.books_agree()


def test_late_is_the_same_as_on_time(world):
    monthly_only(world, "members_5")
    actors = [world.account(price="growth_annual_usd") for _ in range(2)]
    for actor in actors:
        world.buy(actor, "members_5")
        world.buy(actor, "messages_10k")
        cancel_plan(world, actor)
    late, usual = actors
    hide = update(SubscriptionRow).where(SubscriptionRow.account_id == late.account_id)
    world.change(hide.values(next_due_at=datetime(9000, 1, 1, tzinfo=UTC)))
    for month in range(5, 16):
        run_at(world, datetime(2026 + (month > 12), (month - 1) % 12 + 1, 1, tzinfo=UTC))
    world.change(hide.values(next_due_at=MAY_1))
    run_at(world, datetime(2027, 9, 9, tzinfo=UTC))

    def story(actor):
        row = subscription(world, actor)
        bills = [(i.due_at, i.total_minor, lines(world, i)) for i in renewals(world, actor)]
        ends = [(each.starts_at, each.ends_at) for each in instance_rows(world, actor)]
        return row.status, row.ended_at, bills, ends

    assert story(late) == story(usual)
    assert story(usual)[:2] == ("cancelled", datetime(2027, 4, 1, tzinfo=UTC))
