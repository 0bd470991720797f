"""Changes of plan at the end of the term: agreed, shown, withdrawn, and made by the renewal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.declines import DeclineReason
from portal.domain.payments import Declined
from portal.domain.periods import BillingPeriod
from portal.domain.plan_moves import PlanReason
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.billing import billing_state
from portal.services import instances
from portal.services.charging import Settled
from portal.services.plans import Agreed, CannotChange
from tests.services.changing import ANNUAL, APRIL_1, MONTHLY, Office
from tests.services.test_plans import messages

MAY_1, JUNE_1 = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
YEAR_ON = datetime(2027, 4, 1, tzinfo=UTC)


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


@pytest.fixture
def business(office):
    return office.account(plan="business", price="business_monthly_usd")


def test_a_downgrade_costs_nothing_and_waits(business, office, world):
    quote = office.quote(business, "growth")
    assert (quote.lines, quote.effective_at) == ((), MAY_1)
    assert office.confirm(business, office.accept(quote)) == Agreed(MAY_1)
    assert office.plan(business)[0] == "business"
    assert office.agreed(business) == [("scheduled", MAY_1)]
    assert office.till.taken() == [29900]
    [terms] = billing_state(world.state(business)).plan.agreed
    assert (terms.since, terms.name) == (MAY_1, "Growth")


def test_the_renewal_makes_it_and_bills_the_new_plan(business, office, world):
    office.change(business, "growth")
    world.now = MAY_1
    office.run_due()
    assert office.bill(business) == [("charge", "Growth", 9900)]
    assert office.plan(business) == ("growth", "growth_monthly_usd", JUNE_1)
    assert office.agreed(business) == [("applied", MAY_1)]
    assert messages(world, business) == 100_000
    assert world.state(business).agreed is None
    world.now = JUNE_1
    office.run_due()
    assert office.bill(business) == [("charge", "Growth", 9900)]
    assert office.till.taken() == [29900, 9900, 9900]
    with world.session() as session:
        names = session.scalars(select(EventRow.name).filter_by(account_id=business.account_id))
        told = list(names)
    assert told.count("plan:changed") == told.count("plan_change:agreed") == 1
    assert office.till.books_agree()


def test_running_weeks_late_gives_the_rows_of_running_on_time(business, office, world):
    office.change(business, "growth")
    world.now = datetime(2026, 6, 20, tzinfo=UTC)
    office.run_due()
    assert [office.bill(business, back) for back in (1, 2)] == [[("charge", "Growth", 9900)]] * 2
    assert office.plan(business)[2] == datetime(2026, 7, 1, tzinfo=UTC)
    assert office.till.books_agree()


def test_an_add_on_that_the_target_does_not_allow_ends_at_its_boundary(business, office, world):
    world.buy(business, "advanced_webhooks")
    world.buy(business, "salesforce")
    quote = office.quote(business, "growth")
    assert [(move.name, str(move.fate), move.ends_at) for move in quote.moves] == [
        ("Advanced webhooks", "ends", MAY_1), ("Salesforce connector", "carries_on", None),
    ]  # fmt: skip
    office.confirm(business, office.accept(quote))
    assert office.instance(business).cancel_at is None
    world.now = MAY_1
    office.run_due()
    assert office.instance(business).cancel_at == MAY_1
    assert office.till.holds(business) == ["salesforce"]
    assert office.bill(business) == [
        ("charge", "Growth", 9900), ("charge", "Salesforce connector", 5000),
    ]  # fmt: skip


def test_an_add_on_bought_since_then_meets_the_same_fate(business, office, world):
    office.change(business, "growth")
    world.buy(business, "advanced_webhooks")
    world.now = MAY_1
    office.run_due()
    assert office.till.holds(business) == []
    assert office.bill(business) == [("charge", "Growth", 9900)]


def test_an_add_on_kept_since_then_carries_on(business, office, world):
    world.buy(business, "salesforce", renew=False)
    office.change(business, "growth")
    with world.session() as session:
        number = office.instance(business).id
        instances.keep(business, number, session=session, wall=world.wall)
    world.now = MAY_1
    office.run_due()
    assert office.till.holds(business) == ["salesforce"]


def test_year_to_month_waits_for_the_year_and_switches_the_add_ons(office, world):
    actor = office.account(price="growth_annual_usd")
    world.buy(actor, "salesforce")
    assert office.change(actor, "growth", MONTHLY) == Agreed(YEAR_ON)
    world.now = YEAR_ON
    office.run_due()
    assert office.bill(actor) == [
        ("charge", "Growth", 9900), ("charge", "Salesforce connector", 5000),
    ]  # fmt: skip
    row = office.subscription(actor)
    assert (row.billing_anchor_at, row.billed_until_at) == (
        APRIL_1,
        datetime(2027, 5, 1, tzinfo=UTC),
    )
    assert office.instance(actor).billed_until_at == row.billed_until_at
    assert world.state(actor).held[0].price.interval.period is BillingPeriod.MONTHLY
    world.now = datetime(2027, 5, 1, tzinfo=UTC)
    office.run_due()
    assert sum(amount for _, _, amount in office.bill(actor)) == 14900
    assert office.till.books_agree()


def test_it_can_be_taken_back_until_then(business, office, world):
    office.change(business, "growth")
    assert office.withdraw(business)
    assert not office.withdraw(business)
    assert office.agreed(business) == [("withdrawn", MAY_1)]
    world.now = MAY_1
    office.run_due()
    assert office.bill(business) == [("charge", "Business", 29900)]


def test_it_cannot_be_taken_back_once_its_time_has_come(business, office, world):
    office.change(business, "growth")
    world.now = MAY_1
    assert not office.withdraw(business)
    office.run_due()
    assert office.plan(business)[0] == "growth"


def test_the_members_are_told_when_it_is_agreed_and_when_it_is_made(business, office, world):
    office.change(business, "growth")
    world.now = MAY_1
    office.run_due()
    with world.session() as session:
        kinds = session.scalars(
            select(MailRow.kind).filter_by(account_id=business.account_id).order_by(MailRow.id)
        )
        assert list(kinds).count("plan_changed") == 2


def test_another_one_takes_its_place(business, office):
    office.change(business, "growth")
    assert office.change(business, "starter") == Agreed(MAY_1)
    assert office.agreed(business) == [("withdrawn", MAY_1), ("scheduled", MAY_1)]
    assert office.world.state(business).agreed.plan.lookup_key == "starter"


def test_the_same_form_twice_agrees_once(business, office):
    accepted = office.accept(office.quote(business, "growth"))
    assert office.confirm(business, accepted) == office.confirm(business, accepted)
    assert office.agreed(business) == [("scheduled", MAY_1)]


def test_a_change_now_withdraws_it(business, office, world):
    office.change(business, "growth")
    assert isinstance(office.change(business, "enterprise"), Settled)
    assert office.agreed(business) == [("withdrawn", MAY_1)]
    world.now = MAY_1
    office.run_due()
    assert office.bill(business) == [("charge", "Enterprise", 99900)]


def test_up_and_down_again_in_one_month(office, world):
    actor = office.account()
    office.change(actor, "business")
    assert office.change(actor, "growth") == Agreed(MAY_1)
    assert messages(world, actor) == 366_667
    world.now = MAY_1
    office.run_due()
    assert messages(world, actor) == 100_000
    assert office.till.taken() == [9900, 13333, 9900]
    assert office.till.books_agree()


def test_month_to_year_to_month_with_an_add_on_that_keeps_its_month(office, world):
    from portal.models.catalog import PriceRow

    actor = office.account()
    row = PriceRow
    yearly = row.lookup_key == "zendesk_annual_usd"
    world.change(update(row).where(yearly).values(currency="chf"))
    world.buy(actor, "zendesk")
    office.change(actor, "growth", ANNUAL)
    assert office.change(actor, "growth", MONTHLY) == Agreed(datetime(2027, 4, 11, tzinfo=UTC))
    world.now = datetime(2027, 4, 11, tzinfo=UTC)
    office.run_due()
    assert office.bill(actor) == [("charge", "Growth", 9900)]
    assert office.bill(actor, 2) == [("charge", "Zendesk connector", 3500)]
    own = office.instance(actor)
    assert (own.billing_anchor_at, own.billed_until_at) == (
        APRIL_1, datetime(2027, 5, 1, tzinfo=UTC),
    )  # fmt: skip
    with world.session() as session:
        ends = instances.cancel(actor, own.id, "", session=session, wall=world.wall).span.stops_at
    assert ends == datetime(2027, 5, 1, tzinfo=UTC)


def test_a_decline_at_the_boundary_does_not_undo_it(business, office, world, till):
    office.change(business, "growth")
    till.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=True))
    world.now = MAY_1
    office.run_due()
    assert office.plan(business)[0] == "growth"
    outcome = office.confirm(business, office.accept(office.quote(business, "business")))
    assert isinstance(outcome, CannotChange)
    assert outcome.refusal.reason is PlanReason.PAST_DUE


def test_a_colleague_sees_what_was_agreed_and_may_take_it_back(business, office, world):
    office.change(business, "growth")
    other = world.member(business.account_id, "other@account1.test", Role.BILLING)
    assert world.state(other).agreed.effective_at == MAY_1
    assert office.withdraw(other)


def test_after_a_suspension_the_rest_of_the_period_is_billed_on_the_new_plan(
    business, office, world
):
    office.change(business, "growth")
    world.now = datetime(2026, 5, 20, tzinfo=UTC)
    back = {"resumed_at": world.now, "next_due_at": world.now}
    world.change(update(SubscriptionRow).values(**back))
    office.run_due()
    assert office.bill(business) == [("charge", "Growth", 3832)]
    assert office.plan(business) == ("growth", "growth_monthly_usd", JUNE_1)
    assert office.agreed(business) == [("applied", MAY_1)]
    assert office.till.books_agree()
