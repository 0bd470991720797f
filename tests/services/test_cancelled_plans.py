"""A cancelled plan: what can still be bought on it, and what becomes of changes of plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from portal.domain.plan_moves import PlanReason
from portal.domain.quotes import Start
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.queries import plans as plan_queries
from portal.queries.addons import get_card
from portal.queries.cancelling import get_ending
from portal.services.accepting import QuoteChanged
from portal.services.charging import Settled
from portal.services.plans import Agreed, CannotChange
from portal.services.purchases import Refused
from tests.services.changing import ANNUAL, MONTHLY, Office
from tests.services.leaving import (
    cancel_plan,
    instance_rows,
    keep_plan,
    monthly_only,
    renewal,
    told,
)
from tests.services.time_passing import run_at, subscription

MAY_1, JUNE_1 = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


def test_an_agreed_change_of_plan_is_withdrawn_and_not_brought_back(office, world):
    actor = office.account()
    assert isinstance(office.change(actor, "starter"), Agreed)
    cancel_plan(world, actor)
    assert [status for status, _ in office.agreed(actor)] == ["withdrawn"]
    [notice] = told(world, actor, "plan_cancelled")
    assert notice["withdrawn"] == "Starter"
    assert renewal(notice) == ("Growth", 9900, MAY_1), "what it goes on as if it is kept"
    keep_plan(world, actor)
    run_at(world, MAY_1)
    assert office.plan(actor)[0] == "growth"


def test_a_change_whose_time_has_come_is_not_withdrawn(office, world):
    late, usual = office.account(), office.account()
    for actor in (late, usual):
        office.change(actor, "starter")
    world.now = MAY_1 + timedelta(hours=5)
    assert cancel_plan(world, late) == JUNE_1
    [notice] = told(world, late, "plan_cancelled")
    assert notice["renewing"]["amount"]["minor"] == 2900, "of the plan that has come"
    office.run_due()
    assert cancel_plan(world, usual) == JUNE_1
    assert office.plan(late) == office.plan(usual)
    assert office.plan(late)[0] == "starter"


def test_a_cancelled_plan_cannot_be_changed(office, world):
    actor = office.account()
    accepted = office.accept(office.quote(actor, "business"))
    cancel_plan(world, actor)
    state = world.state(actor)
    refused = plan_queries.refusal(state, actor, plan_queries.get_plan(state, "business"), MONTHLY)
    assert refused is not None
    assert refused.reason is PlanReason.CANCELLING
    outcome = office.confirm(actor, accepted)
    assert isinstance(outcome, CannotChange)


def test_a_change_paid_after_the_cancellation_is_refunded(office, world, till):
    actor = office.account()
    world.change(update(PaymentMethodRow).values(is_default=False))
    purchase = office.change(actor, "business").purchase_id
    cancel_plan(world, actor)
    till.gateway.pay_page(till.page(purchase))
    till.finish(actor, purchase)
    assert office.plan(actor)[0] == "growth"
    assert [reason for _, reason, _ in till.refunds()] == ["moved_on"]


def test_buying_within_the_term_says_that_it_ends_with_the_plan(world, till):
    monthly_only(world, "members_5")
    actor = world.account(price="growth_annual_usd")
    april = datetime(2027, 4, 1, tzinfo=UTC)
    assert cancel_plan(world, actor) == april
    monthly = world.quote(actor, "members_5")
    assert (monthly.works_until, monthly.going_forward.next_at) == (april, MAY_1)
    credits = world.quote(actor, "sms_10k")
    assert credits.works_until == credits.plan_ends_at == april
    yearly = world.quote(actor, "advanced_analytics")
    assert (yearly.works_until, yearly.going_forward) == (april, None)
    assert isinstance(world.buy(actor, "members_5"), Settled)
    assert isinstance(world.buy(actor, "advanced_analytics"), Settled)
    members, analytics = instance_rows(world, actor)
    assert members.ends_at is analytics.ends_at is None, "kept, they go on"
    mails = told(world, actor, "purchased")
    assert mails[0]["renews_at"] == "2026-05-01T00:00:00Z"
    assert (mails[1]["renews_at"], mails[1]["ends_at"]) == (None, "2027-04-01T00:00:00Z")
    keep_plan(world, actor)
    assert all(each.renews for each in world.state(actor).held)


def test_a_quote_from_before_is_asked_again(world):
    actor = world.account()
    accepted = world.accept(world.quote(actor, "salesforce"))
    cancel_plan(world, actor)
    assert world.confirm(actor, accepted) == QuoteChanged(False, accepted.shown_due)


def test_what_would_begin_after_the_end_never_does_and_is_no_longer_sold(world, till):
    actor = world.account()
    for add_on in ("messages_10k", "salesforce"):
        bought = world.buy(actor, add_on, start=Start.NEXT_CYCLE)
        assert isinstance(bought, Settled)
    taken = till.taken()
    cancel_plan(world, actor)
    said = {
        each.instance.add_on.lookup_key: each for each in get_ending(world.state(actor)).add_ons
    }
    assert {each.billed_next_at for each in said.values()} == {None}
    assert not get_card(world.state(actor), actor, "zendesk").may_wait
    assert isinstance(world.buy(actor, "zendesk", start=Start.NEXT_CYCLE), Refused)
    run_at(world, JUNE_1)
    assert till.taken() == taken
    assert till.holds(actor) == []
    assert {row.status for row in instance_rows(world, actor)} == {"ended"}
    assert subscription(world, actor).ended_at == MAY_1


def test_what_begins_within_the_term_does(world, till):
    monthly_only(world, "members_5")
    actor = world.account(price="growth_annual_usd")
    cancel_plan(world, actor)
    assert isinstance(world.buy(actor, "members_5", start=Start.NEXT_CYCLE), Settled)
    run_at(world, MAY_1)
    assert till.holds(actor) == ["members_5"]
    assert till.taken() == [4500]


@pytest.mark.parametrize("day", [2, 11, 30], ids=["a day after", "far away", "a day before"])
def test_kept_at_the_last_moment_an_add_ons_periods_tile(office, world, day):
    """The year ends on `day` of April; the add-on has months of its own, from the 1st."""
    begin = datetime(2026, 4, 1, tzinfo=UTC)
    world.now = begin
    actor = office.account(since=begin)
    monthly_only(world, "storage_100gb")
    world.buy(actor, "storage_100gb")
    year = datetime(2026, 4, day, tzinfo=UTC) if day < 30 else MAY_1 - timedelta(days=1)
    run_at(world, year)
    office.change(actor, "growth", ANNUAL)
    ends = year.replace(year=2027)
    run_at(world, ends - timedelta(days=35))
    cancel_plan(world, actor)
    run_at(world, ends - timedelta(hours=12))
    keep_plan(world, actor)
    run_at(world, ends + timedelta(days=70))
    of_storage = [line for line in charged(world, actor) if line[0] >= MAY_1]
    for (_, end, _), (start, _, _) in pairwise(of_storage):
        assert start == end
    april = [line for line in of_storage if line[0].month == 4 and line[0].year == 2027]
    assert (len(april), april[-1][1].month) == (2, 5)
    assert sum(amount for _, _, amount in april) == 1000


def charged(world, actor) -> list[tuple[datetime, datetime, int]]:
    """Period and amount of each line of the add-on, in order."""
    mine = select(InvoiceLineRow).join(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id)
    with world.session() as session:
        rows = session.scalars(
            mine.where(
                InvoiceRow.account_id == actor.account_id, InvoiceLineRow.instance_id.is_not(None)
            )
        ).all()
    found = [
        (r.period_start_at, r.period_end_at, r.amount_minor) for r in rows if r.kind == "charge"
    ]
    return sorted(found)
