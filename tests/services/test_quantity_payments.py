"""Paying for more units: once, another way, too late, or for what is something else by now."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor, Role
from portal.domain.errors import Forbidden, NotFound
from portal.domain.quantity_changes import QuantityReason
from portal.gateways.fake_payments import Fault
from portal.models.catalog import AddOnRow
from portal.models.invoices import InvoiceRow
from portal.models.subscriptions import SubscriptionRow
from portal.services.accepting import QuoteChanged
from portal.services.charging import Ended, NeedsCheckout, Pending, Settled, Unpaid
from portal.services.purchases import Refused
from tests.services.changing import ANNUAL, Office
from tests.services.counting import Counter, cancel, reason
from tests.services.paying import Till
from tests.services.time_passing import lines, renewals, run, run_at
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
SEATS, MESSAGES = "members_5", "messages_100k_recurring"
FAILS = "pm_card_chargeCustomerFail"


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11
    return shop


@pytest.fixture
def till(world: World) -> Till:
    return Till(world)


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


def test_the_same_form_twenty_times_at_once_raises_once(world, till, counter):
    actor = world.account()
    seats = counter.held(actor, SEATS, 1)
    charges = len(world.gateway.taken)
    accepted = counter.accept(counter.quote(actor, seats, 2))
    with ThreadPoolExecutor(20) as pool:
        outcomes = set(pool.map(lambda _: counter.confirm(actor, accepted), range(20)))
    settled = [each for each in outcomes if isinstance(each, Settled)]
    assert len(settled) == 1
    assert all(isinstance(each, Settled | Pending) for each in outcomes)
    assert (counter.row(seats).quantity, len(world.gateway.taken) - charges) == (2, 1)
    assert till.books_agree()


def test_two_tabs_raise_once_and_the_other_sees_the_new_price(world, counter):
    actor = world.account()
    seats = counter.held(actor, SEATS, 1)
    first, second = (counter.accept(counter.quote(actor, seats, n)) for n in (2, 3))
    assert isinstance(counter.confirm(actor, first), Settled)
    assert counter.confirm(actor, second) == QuoteChanged(False, second.shown_due)


def test_a_declined_card_raises_nothing_and_another_one_does(world, till, counter):
    actor = world.account()
    seats = counter.held(actor, SEATS, 1)
    other = world.member(actor.account_id, f"admin{actor.account_id}@x.test", Role.ADMIN)
    refuse(world, actor)
    outcome = counter.change(actor, seats, 2)
    assert isinstance(outcome, Unpaid)
    assert counter.allowance(actor, "members") == 15
    assert reason(counter.change(other, seats, 2)) is QuantityReason.PAYMENT_PENDING
    opened = till.pay(actor, outcome.purchase_id, "new")
    assert isinstance(opened, NeedsCheckout)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert isinstance(till.finish(actor, outcome.purchase_id), Settled)
    assert (counter.row(seats).quantity, counter.allowance(actor, "members")) == (2, 20)
    assert till.books_agree()


def refuse(world: World, actor: Actor) -> None:
    """From now on the account's card is declined."""
    from portal.services import accounts

    with world.session() as session:
        accounts.save_card(session, world.scope, actor.account_id, FAILS, world.gateway, world.wall)


def test_called_off_the_instance_stays_as_it_was(world, till, counter):
    actor = world.account()
    seats = counter.held(actor, SEATS, 1)
    refuse(world, actor)
    outcome = counter.change(actor, seats, 2)
    assert isinstance(outcome, Unpaid)
    assert isinstance(till.stop(actor, outcome.purchase_id), Ended)
    assert (counter.row(seats).quantity, counter.row(seats).status) == (1, "active")
    assert counter.allowance(actor, "members") == 15


@pytest.mark.parametrize("meanwhile", ["cancelled", "renewed", "year"])
def test_money_for_what_is_something_else_by_now_goes_back(world, till, counter, meanwhile):
    office = Office(world, till)
    actor = office.account()
    seats = counter.held(actor, SEATS, 1)
    world.gateway.fail_next("charge", Fault.ANSWER_LOST)
    outcome = counter.change(actor, seats, 3)
    assert isinstance(outcome, Pending)
    if meanwhile == "cancelled":
        cancel(world, actor, seats)
    elif meanwhile == "renewed":
        run_at(world, MAY_1)
    else:
        office.change(actor, "growth", ANNUAL)
    world.pass_time(minutes=2)
    till.reconcile()
    assert till.row(outcome.purchase_id).status == "failed"
    why = "period_over" if meanwhile == "renewed" else "moved_on"
    assert till.refunds()[-1] == (6000, why, "succeeded")
    assert counter.row(seats).quantity == 1
    assert till.books_agree()


def test_paid_in_the_next_window_the_units_are_those_of_that_window(world, till, counter):
    """A quota window that ends while the bank is silent, within the period that is paid."""
    actor = world.account()
    moved = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(moved.values(quota_anchor_at=datetime(2026, 3, 11, 12, tzinfo=UTC)))
    pack = counter.held(actor, MESSAGES, 1)
    world.gateway.fail_next("charge", Fault.ANSWER_LOST)
    outcome = counter.change(actor, pack, 2)
    assert isinstance(outcome, Pending)
    world.now = datetime(2026, 4, 11, 13, tzinfo=UTC)
    assert counter.allowance(actor, "messages") == 200_000
    assert isinstance(till.finish(actor, outcome.purchase_id), Settled)
    assert counter.allowance(actor, "messages") == 300_000


def test_the_most_that_may_be_held_counts_what_is_not_paid_yet(world, counter):
    actor = world.account()
    world.change(update(AddOnRow).where(AddOnRow.lookup_key == SEATS).values(max_instances=4))
    seats = counter.held(actor, SEATS, 2)
    assert reason(counter.change(actor, seats, 5)) is QuantityReason.MOST_HELD
    world.gateway.fail_next("charge", Fault.ANSWER_LOST)
    assert isinstance(counter.change(actor, seats, 4), Pending)
    held = world.state(actor).holding(world.state(actor).held[0].add_on)
    assert (held.units, held.pending_units) == (2, 2)
    assert isinstance(world.buy(actor, SEATS), Refused)
    world.change(update(AddOnRow).where(AddOnRow.lookup_key == SEATS).values(max_instances=None))


def test_who_may_not_and_what_is_not_theirs(world, counter):
    actor, stranger = world.account(), world.account()
    seats = counter.held(actor, SEATS, 1)
    accepted = counter.accept(counter.quote(actor, seats, 2))
    reader = world.member(actor.account_id, f"reader{actor.account_id}@x.test", Role.MEMBER)
    with pytest.raises(Forbidden):
        counter.confirm(reader, accepted)
    with pytest.raises(NotFound):
        counter.confirm(stranger, accepted)


def test_why_it_cannot_have_that_quantity(world, counter):
    actor = world.account()
    seats = counter.held(actor, SEATS, 2)
    assert reason(counter.change(actor, seats, 2)) is QuantityReason.SAME
    accepted = counter.accept(counter.quote(actor, seats, 3))
    cancel(world, actor, seats)
    assert reason(counter.confirm(actor, accepted)) is QuantityReason.CANCELLING
    late = world.account()
    other = counter.held(late, SEATS, 1)
    accepted = counter.accept(counter.quote(late, other, 2))
    world.now = MAY_1
    assert reason(counter.confirm(late, accepted)) is QuantityReason.RENEWING
    run(world)
    assert counter.confirm(late, accepted) == QuoteChanged(True, accepted.shown_due)


def test_the_account_s_lock_puts_it_in_line_with_the_renewal(world, till, counter):
    """Accepted in the last hours, run late: the bill has the new quantity, nothing is lost."""
    actor = world.account()
    seats = counter.held(actor, SEATS, 1)
    world.now = MAY_1 - timedelta(hours=2)
    outcome = counter.change(actor, seats, 2)
    assert isinstance(outcome, Settled), "below the smallest charge: carried"
    run_at(world, MAY_1)
    bill = lines(world, renewals(world, actor)[-1])
    assert ("charge", 2, 9000) in bill
    assert till.books_agree()
    with world.session() as session:
        mine = select(InvoiceRow).filter_by(account_id=actor.account_id)
        statuses = [row.status for row in session.scalars(mine.order_by(InvoiceRow.id))]
    assert statuses[1] == "carried"
