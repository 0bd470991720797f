"""A card that its bank forbids to try again: no later invoice is charged to it by itself."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

from sqlalchemy import select, update

from portal.models.accounts import PaymentMethodRow
from portal.models.catalog import PriceRow
from portal.models.purchases import PaymentAttemptRow
from portal.services.invoice_payments import InvoicePaid, StillOpen
from tests.services.leaving import save_card
from tests.services.test_dunning import FAILS, LOST, MAY_1, pay, settle_card, status, tries
from tests.services.time_passing import collections, renewals, run_at


def refused(world, actor) -> list[bool]:
    """Of each card, oldest first, whether it must not be tried again."""
    mine = select(PaymentMethodRow).filter_by(account_id=actor.account_id)
    with world.session() as session:
        rows = session.scalars(mine.order_by(PaymentMethodRow.id))
        return [row.refused_at is not None for row in rows]


def weekly(world) -> None:
    growth = PriceRow.lookup_key == "growth_monthly_usd"
    world.change(update(PriceRow).where(growth).values(billing_period="WEEKLY"))


def test_no_later_invoice_is_charged_to_it(world):
    weekly(world)
    actor = world.account(card=LOST)
    run_at(world, world.now + timedelta(days=18))
    assert len(renewals(world, actor)) == 3
    assert (tries(world, actor), status(world, actor)) == (1, "past_due")
    assert all(each.failed_at is not None for each in collections(world, actor))
    assert refused(world, actor) == [True]


def test_nor_once_it_is_saved_again(world):
    actor = world.account(card=LOST)
    run_at(world, MAY_1)
    save_card(world, actor, LOST)
    assert all(refused(world, actor))
    run_at(world, MAY_1 + timedelta(days=20))
    assert tries(world, actor) == 1


def test_a_person_may_try_it_and_a_card_that_pays_is_a_good_one(world, till):
    actor = world.account(card=LOST)
    run_at(world, MAY_1)
    assert pay(world, actor) == StillOpen()
    settle_card(world, actor)
    world.change(update(PaymentMethodRow).values(refused_at=world.now))
    assert pay(world, actor) == InvoicePaid()
    assert refused(world, actor) == [True, False]


def test_pressed_four_times_at_once_it_is_charged_once(world):
    actor = world.account(card=FAILS)
    run_at(world, MAY_1)
    first = tries(world, actor)
    presses = [Thread(target=pay, args=(world, actor), kwargs={"seen": 1}) for _ in range(4)]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    assert tries(world, actor) == first + 1
    pay(world, actor, seen=1)
    assert world.rows(PaymentAttemptRow, account_id=actor.account_id) == first + 1, "an old page"
    pay(world, actor, seen=2)
    assert tries(world, actor) == first + 2, "the page of now"
