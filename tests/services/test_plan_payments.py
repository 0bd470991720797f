"""A change of plan on its way to be paid: another card, Checkout, late money, called off."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.domain.plan_moves import PlanReason
from portal.domain.purchases import Failure
from portal.gateways.fake_payments import Fault
from portal.models.catalog import PriceRow
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.purchases import Step
from portal.services import instances
from portal.services.charging import Ended, NeedsCheckout, Pending, Settled, Unpaid
from portal.services.plans import CannotChange
from portal.services.waiting import NoTimeForCheckout
from tests.services.changing import ANNUAL, Office

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
GOOD = "pm_card_visa"


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


@pytest.fixture
def paid(office):
    """On Growth, whose April was paid with the saved card."""
    return office.account()


def typed(office, actor, plan="business", **how):
    """A change that is to be paid with a new card."""
    return office.confirm(actor, office.accept(office.quote(actor, plan, **how)), "new")


def refuse_next(till) -> None:
    from portal.domain.declines import DeclineReason
    from portal.domain.payments import Declined

    till.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=True))


def test_a_decline_changes_nothing_and_another_card_pays(paid, office, till):
    refuse_next(till)
    outcome = office.change(paid, "business")
    assert outcome == Unpaid(outcome.purchase_id)
    assert office.plan(paid)[0] == "growth"
    assert till.shown(paid, outcome.purchase_id).step is Step.TO_PAY
    opened = till.pay(paid, outcome.purchase_id, "new")
    assert isinstance(opened, NeedsCheckout)
    till.gateway.pay_page(till.page(outcome.purchase_id), "mastercard")
    assert till.finish(paid, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert office.plan(paid)[0] == "business"
    assert till.taken() == [9900, 13333]
    assert till.books_agree()


def test_the_processor_is_told_the_plan_not_what_is_credited(paid, office, till):
    outcome = typed(office, paid)
    [attempt] = till.attempts(outcome.purchase_id)
    assert attempt.params["description"] == "Business"
    till.gateway.expire_page(till.page(outcome.purchase_id))
    till.finish(paid, outcome.purchase_id)
    till.pay(paid, outcome.purchase_id, "default")
    assert till.attempts(outcome.purchase_id)[-1].params["description"] == "Business"
    assert office.plan(paid)[0] == "business"


def test_an_open_change_is_named_and_blocks_another_members(paid, office, world, till):
    outcome = typed(office, paid)
    assert world.state(paid).plan_purchase_id == outcome.purchase_id
    other = world.member(paid.account_id, "other@account1.test", Role.BILLING)
    blocked = office.confirm(other, office.accept(office.quote(other, "enterprise")))
    assert isinstance(blocked, CannotChange)
    assert blocked.refusal.reason is PlanReason.PAYMENT_PENDING
    assert blocked.refusal.purchase_id == outcome.purchase_id
    assert till.stop(paid, outcome.purchase_id) == Ended(outcome.purchase_id)
    assert world.state(paid).plan_purchase_id is None
    assert isinstance(office.change(other, "enterprise"), Settled)


def test_a_newer_form_of_the_same_member_calls_the_older_page_off(paid, office, till, world):
    form = office.accept(office.quote(paid, "enterprise"))
    first = typed(office, paid)
    page = till.page(first.purchase_id)
    assert isinstance(office.confirm(paid, form), Settled)
    assert till.row(first.purchase_id).failure == Failure.STOPPED
    assert till.gateway.read_page(page).paid is None
    assert world.rows(InvoiceRow) == 2


def test_no_answer_is_settled_once_by_asking_again(paid, office, till, world):
    till.gateway.answers.append(Fault.ANSWER_LOST)
    outcome = office.change(paid, "business")
    assert isinstance(outcome, Pending)
    assert office.plan(paid)[0] == "growth"
    world.pass_time(minutes=2)
    till.reconcile()
    assert till.finish(paid, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert office.plan(paid)[0] == "business"
    assert till.taken() == [9900, 13333]


def test_return_webhook_and_reconcile_settle_once(paid, office, till, world):
    outcome = typed(office, paid)
    page = till.page(outcome.purchase_id)
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    till.finish(paid, outcome.purchase_id)
    world.pass_time(minutes=2)
    till.reconcile()
    assert world.rows(InvoiceRow) == 2
    assert till.taken() == [9900, 13333]
    assert till.books_agree()


def test_half_an_hour_late_the_money_still_counts_from_the_quote(paid, office, till, world):
    outcome = typed(office, paid, plan="growth", interval=ANNUAL)
    world.pass_time(minutes=30)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert till.finish(paid, outcome.purchase_id) == Settled(outcome.purchase_id)
    row = office.subscription(paid)
    assert row.billing_anchor_at == datetime(2026, 4, 11, tzinfo=UTC)
    assert row.billed_until_at == datetime(2027, 4, 11, tzinfo=UTC)


def late(office, till, paid) -> int:
    """A change whose page is paid after what the test does in between."""
    outcome = typed(office, paid)
    assert isinstance(outcome, NeedsCheckout)
    return outcome.purchase_id


def came_too_late(office, till, paid, purchase_id: int, why: str) -> None:
    before = office.plan(paid)
    till.gateway.pay_page(till.page(purchase_id))
    assert till.finish(paid, purchase_id) == Ended(purchase_id)
    assert till.refunds() == [(13333, why, "succeeded")]
    assert office.plan(paid) == before
    assert till.row(purchase_id).failure == Failure.UNDELIVERABLE
    assert till.books_agree()


def test_money_after_the_renewal_goes_back(paid, office, till, world):
    purchase_id = late(office, till, paid)
    world.now = MAY_1
    office.run_due()
    came_too_late(office, till, paid, purchase_id, "period_over")


def test_money_after_another_change_goes_back(paid, office, till, world):
    purchase_id = late(office, till, paid)
    dearer = PriceRow.lookup_key == "growth_annual_usd"
    with world.session() as session:
        price = session.query(PriceRow).where(dearer).one().id
    world.change(update(SubscriptionRow).values(price_id=price))
    came_too_late(office, till, paid, purchase_id, "moved_on")


def test_money_after_the_subscription_ended_goes_back(paid, office, till, world):
    purchase_id = late(office, till, paid)
    world.change(update(SubscriptionRow).values(ended_at=world.now, status="cancelled"))
    till.gateway.pay_page(till.page(purchase_id))
    assert till.finish(paid, purchase_id) == Ended(purchase_id)
    assert till.refunds() == [(13333, "subscription_ended", "succeeded")]


def test_money_after_an_add_on_that_would_switch_was_cancelled_goes_back(paid, office, till, world):
    world.buy(paid, "salesforce")
    outcome = typed(office, paid, plan="growth", interval=ANNUAL)
    with world.session() as session:
        number = office.instance(paid).id
        instances.cancel(paid, number, "", session=session, wall=world.wall)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert till.finish(paid, outcome.purchase_id) == Ended(outcome.purchase_id)
    assert [reason for _, reason, _ in till.refunds()] == ["moved_on"]
    assert world.rows(InstanceRow, billed_until_at=MAY_1) == 1


def test_an_add_on_bought_while_it_waits_keeps_its_own_bills(paid, office, till, world):
    outcome = typed(office, paid, plan="growth", interval=ANNUAL)
    world.buy(paid, "salesforce")
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert till.finish(paid, outcome.purchase_id) == Settled(outcome.purchase_id)
    world.now = MAY_1
    office.run_due()
    assert office.bill(paid) == [("charge", "Salesforce connector", 5000)]


def test_what_nobody_pays_is_let_go_and_the_credit_stays(paid, office, till, world):
    outcome = typed(office, paid)
    till.gateway.expire_page(till.page(outcome.purchase_id))
    world.pass_time(minutes=36)
    till.reconcile()
    assert till.shown(paid, outcome.purchase_id).failure is Failure.LAPSED
    assert world.state(paid).plan_purchase_id is None
    assert isinstance(office.change(paid, "business"), Settled)


def test_in_the_last_35_minutes_no_page_is_opened(paid, office, world):
    world.now = datetime(2026, 4, 30, 23, 30, tzinfo=UTC)
    assert typed(office, paid, plan="enterprise") == NoTimeForCheckout(MAY_1)
    assert typed(office, paid, plan="growth", interval=ANNUAL) == NoTimeForCheckout(MAY_1)
    assert world.rows(PurchaseRow) == 0


def test_below_the_least_charge_it_is_carried_to_the_next_bill(paid, office, world, till):
    world.now = datetime(2026, 4, 30, 23, 55, tzinfo=UTC)
    office.change(paid, "business")
    assert office.plan(paid)[0] == "business"
    assert till.taken() == [9900]
    assert world.state(paid).carried.minor == 2
    world.now = MAY_1
    office.run_due()
    assert till.taken() == [9900, 29902]
    assert till.books_agree()
