"""A card that becomes the default is charged what is overdue, at once and once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.gateways.fake_books import Fault
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import SubscriptionRow
from portal.services.invoice_payments import AtCheckout
from portal.services.overdue import charge_new_cards
from portal.services.reconciling import reconcile
from tests.services.leaving import save_card
from tests.services.test_cards_never_again import weekly
from tests.services.test_dunning import FAILS, LOST, MAY_1, pay, settle_card, status, tries
from tests.services.time_passing import collections, run_at

DAY = timedelta(days=1)


def charge(world) -> int:
    with world.session() as session:
        return charge_new_cards(session, world.scope, gateway=world.gateway, wall=world.wall)


def attempts(world, actor) -> list[PaymentAttemptRow]:
    mine = select(PaymentAttemptRow).filter_by(account_id=actor.account_id)
    with world.session() as session:
        return list(session.scalars(mine.order_by(PaymentAttemptRow.id)))


def unpaid(world, actor) -> int:
    return [each.status for each in collections(world, actor)].count("open")


@pytest.fixture
def actor(world):
    """Past due since 1 May."""
    actor = world.account(card=FAILS)
    run_at(world, MAY_1)
    assert (status(world, actor), tries(world, actor)) == ("past_due", 1)
    return actor


@pytest.mark.parametrize("days", [3, 9], ids=["between retries", "after the last"])
def test_it_pays_and_restores_at_once(world, actor, days):
    run_at(world, MAY_1 + days * DAY)
    before = tries(world, actor)
    settle_card(world, actor)
    charge(world)
    assert (unpaid(world, actor), status(world, actor)) == (0, "active")
    assert tries(world, actor) == before + 1
    assert charge(world) == 0


def test_what_was_suspended_goes_on_once_all_is_paid(world, actor):
    run_at(world, MAY_1 + 25 * DAY)
    assert status(world, actor) == "suspended"
    settle_card(world, actor)
    charge(world)
    assert (unpaid(world, actor), status(world, actor)) == (0, "active")


def test_every_overdue_invoice_is_charged_the_oldest_first(world):
    weekly(world)
    actor = world.account(card=FAILS)
    run_at(world, world.now + timedelta(days=12))
    open_before = unpaid(world, actor)
    assert open_before > 1
    settle_card(world, actor)
    assert charge(world) == open_before
    assert (unpaid(world, actor), status(world, actor)) == (0, "active")
    paid = [a for a in attempts(world, actor) if a.status == "succeeded"]
    assert [a.invoice_id for a in paid] == sorted(a.invoice_id for a in paid)


def test_one_that_declines_too_was_tried_once(world, actor):
    settle_card(world, actor, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")
    assert charge(world) == 1
    assert (tries(world, actor), status(world, actor)) == (2, "past_due")
    assert charge(world) == 0
    run_at(world, MAY_1 + DAY)
    assert tries(world, actor) == 3, "and with the others' retries from then on"


def test_the_same_number_saved_again_is_no_new_card(world, actor):
    save_card(world, actor, FAILS)
    assert charge(world) == 0
    assert tries(world, actor) == 1


def test_one_that_its_bank_forbids_is_not_tried(world, actor):
    other = world.account(card=LOST)
    run_at(world, MAY_1 + DAY)
    settle_card(world, actor, LOST)
    world.change(update(PaymentMethodRow).values(refused_at=world.now))
    before = tries(world, actor), tries(world, other)
    assert charge(world) == 0
    assert (tries(world, actor), tries(world, other)) == before


def test_a_bill_that_failed_without_a_card_is_paid_by_the_first(world):
    actor = world.account(card=None)
    run_at(world, MAY_1)
    assert (status(world, actor), tries(world, actor), charge(world)) == ("past_due", 0, 0)
    settle_card(world, actor)
    assert (charge(world), status(world, actor)) == (1, "active")


def test_workers_side_by_side_charge_it_once(world, actor):
    settle_card(world, actor)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _n: charge(world), range(4)))
    assert (tries(world, actor), unpaid(world, actor)) == (2, 0)


def test_without_an_answer_there_is_no_second_charge(world, actor):
    settle_card(world, actor)
    world.gateway.fail_next("charge", Fault.ANSWER_LOST)
    charge(world)
    assert (tries(world, actor), charge(world)) == (2, 0)
    world.now += timedelta(minutes=2)
    with world.session() as session:
        reconcile(session, world.scope, gateway=world.gateway, wall=world.wall)
    assert (tries(world, actor), status(world, actor)) == (2, "active")


def test_a_page_that_was_left_open_is_closed_first(world, actor):
    assert isinstance(pay(world, actor, card="new"), AtCheckout)
    settle_card(world, actor)
    charge(world)
    assert (unpaid(world, actor), status(world, actor)) == (0, "active")


def test_what_an_ended_plan_left_open_is_paid_by_hand(world, actor):
    world.change(update(SubscriptionRow).values(status="cancelled", ended_at=world.now))
    settle_card(world, actor)
    assert charge(world) == 0
    assert tries(world, actor) == 1
