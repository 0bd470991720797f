"""What reconcile finds: what nobody knows, what nobody foresaw, and another worker beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.domain.purchases import Failure
from portal.gateways.fake_payments import Fault
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PaymentAttemptRow
from portal.services.charging import NeedsCheckout, Unpaid
from tests.services.test_late_money import second_checkout
from tests.services.test_meanwhile import ASKS, ONBOARDING, Slow


@pytest.mark.parametrize("card", [None, ASKS], ids=["page", "payment"])
def test_what_the_processor_does_not_know_any_more_is_let_go(world, till, card):
    actor = world.account(card=card)
    outcome = world.buy(actor, ONBOARDING)
    till.gateway._books.pages.clear()
    till.gateway._books.payments.clear()
    world.pass_time(minutes=34)
    till.reconcile()
    assert till.row(outcome.purchase_id).status == "reserved", "it may be an error of a minute"
    assert till.attempts(outcome.purchase_id)[0].finished_at is None
    world.pass_time(minutes=1)
    assert till.reconcile().still_open == 0
    assert till.row(outcome.purchase_id).failure == Failure.LAPSED
    assert isinstance(world.buy(actor, ONBOARDING), NeedsCheckout | Unpaid)


def test_what_nobody_foresaw_does_not_hold_up_what_comes_behind_it(world, till, buyer):
    outcome = world.buy(buyer, ONBOARDING)
    page = till.page(outcome.purchase_id)
    till.gateway.fail_next("read_card", Fault.OUTAGE)
    till.hear("payment_method.attached", "payment_method", "pm_card_visa.cus_1.x")
    till.gateway.pay_page(page)
    world.pass_time(minutes=2)
    till.world.gateway = Broken(till.gateway, "read_card", unforeseen)
    assert till.reconcile().still_open == 1
    assert till.holds(buyer) == [ONBOARDING]


def unforeseen(*_: object) -> None:
    raise KeyError("card")


class Broken(Slow):
    """As Slow, each time."""

    def __getattr__(self, name: str) -> Any:
        return self._meanwhile if name == self._method else getattr(self._real, name)


def test_two_workers_beside_returns_and_events_do_nothing_twice(world, till):
    late, kept = [], []
    for number in range(6):
        actor = world.account(card=None)
        outcome = world.buy(actor, "messages_10k" if number % 2 else ONBOARDING)
        page = till.page(outcome.purchase_id)
        newer = second_checkout(world, till, outcome.purchase_id, f"second-{number}")
        till.gateway.pay_page(page)
        if number < 2:
            till.gateway.pay_page(newer)
            late.append((actor, outcome.purchase_id))
        kept.append((actor, outcome.purchase_id, page))
    world.pass_time(minutes=2)

    def work(number: int) -> None:
        actor, purchase_id, page = kept[number % len(kept)]
        if number % 4 < 2:
            till.reconcile()
        elif number % 4 == 2:
            till.finish(actor, purchase_id)
        else:
            till.hear("checkout.session.completed", "checkout.session", page)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(32)))
    assert world.rows(InvoiceRow) == len(kept)
    assert [reason for _, reason, _ in till.refunds()] == ["paid_twice"] * len(late)
    assert len(till.gateway.refunds) == len(late)
    assert world.rows(PaymentAttemptRow, status="open") == 0
    assert all(len(till.holds(actor)) == 1 for actor, *_ in kept)
    assert till.reconcile().still_open == 0
    assert till.books_agree()


def test_what_was_paid_is_not_given_up_because_something_of_ours_is_missing(world, till, buyer):
    outcome = world.buy(buyer, ONBOARDING)
    page = till.page(outcome.purchase_id)
    till.gateway.pay_page(page)
    stranger = world.account(card=None)
    reference = till.gateway.read_page(page).card.reference
    with world.session() as session:
        session.add(
            PaymentMethodRow(
                environment_id=stranger.environment_id,
                account_id=stranger.account_id,
                stripe_payment_method_id=reference,
                brand="visa",
                last4="4242",
                exp_month=1,
                exp_year=2040,
                fingerprint="",
                is_default=False,
                created_at=world.now,
            )
        )
        session.commit()
    world.pass_time(minutes=40)
    till.reconcile()
    assert [a.status for a in till.attempts(outcome.purchase_id)] == ["open"]
    assert till.row(outcome.purchase_id).status == "reserved"


@pytest.mark.parametrize(
    ("card", "first", "last"),
    [("pendingRefund", "pending", "succeeded"), ("visa", "succeeded", "succeeded")],
)
def test_a_refund_is_followed_without_its_events(world, till, buyer, card, first, last):
    outcome = world.buy(buyer, "salesforce")
    world.now = datetime(2026, 5, 2, tzinfo=UTC)
    till.gateway.pay_page(till.page(outcome.purchase_id), card)
    till.finish(buyer, outcome.purchase_id)
    assert till.refunds() == [(3333, "period_over", first)]
    till.gateway.end_refunds()
    assert till.reconcile().still_open == 0
    assert till.refunds() == [(3333, "period_over", last)]
    assert till.books_agree()
