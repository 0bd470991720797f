"""Answers that seldom come: old news, a card that is gone, pages and refunds of somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from portal.domain.payments import NeedsAuthentication
from portal.domain.purchases import Failure
from portal.domain.refunds import Refunded, RefundStatus
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import RefundRow
from portal.services import card_choices, cards
from portal.services.attempts import checkout_of
from portal.services.charging import Settled
from portal.services.inbox import waiting
from tests.services.test_late_money import let_go_unheard
from tests.support.cards import add, begin, choose, reference
from tests.support.cards import till as desk

CONNECTOR = "salesforce"
LATE = datetime(2026, 5, 2, tzinfo=UTC)


def test_news_without_the_banks_page_leaves_the_one_that_was_opened(world, till):
    actor = world.account(card="pm_card_authenticationRequired")
    outcome = world.buy(actor, CONNECTOR)
    [opened] = till.attempts(outcome.purchase_id)
    assert (opened.status, bool(opened.page_url)) == ("needs_authentication", True)
    till.gateway.change(opened.reference, NeedsAuthentication(opened.reference))
    till.hear("payment_intent.requires_action", "payment_intent", opened.reference)
    [still] = till.attempts(outcome.purchase_id)
    assert (still.status, still.page_url) == ("needs_authentication", opened.page_url)


def test_a_card_that_was_taken_away_meanwhile_pays_and_is_not_preferred(world, till):
    actor = world.account(card="pm_card_chargeCustomerFail")
    declined = world.buy(actor, CONNECTOR)
    till.pay(actor, declined.purchase_id, "new")
    page = till.page(declined.purchase_id)
    till.gateway.pay_page(page)
    card = till.gateway.read_page(page).card
    with desk(world) as theirs:
        cards.keep(theirs, actor.account_id, card)
        theirs.session.commit()
    mine = PaymentMethodRow.stripe_payment_method_id == card.reference
    world.change(update(PaymentMethodRow).where(mine).values(detached_at=world.now))
    assert till.finish(actor, declined.purchase_id) == Settled(declined.purchase_id)
    assert till.cards(actor) == [("0341", True)]
    with world.session() as session:
        gone = session.scalars(select(PaymentMethodRow).where(mine)).one()
    assert (gone.is_default, gone.detached_at) == (False, world.now)


def test_money_too_late_for_a_purchase_let_go_says_so(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    page = let_go_unheard(till, buyer, outcome.purchase_id)
    assert till.row(outcome.purchase_id).failure == Failure.STOPPED
    world.now = LATE
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    assert till.row(outcome.purchase_id).failure == Failure.UNDELIVERABLE
    assert till.refunds() == [(3333, "period_over", "succeeded")]


def refunded(world, till, buyer, card: str) -> str:
    """Money that came too late and goes back to `card`; the refund's reference."""
    outcome = world.buy(buyer, CONNECTOR)
    world.now = LATE
    till.gateway.pay_page(till.page(outcome.purchase_id), card)
    till.finish(buyer, outcome.purchase_id)
    with world.session() as session:
        return session.scalars(select(RefundRow.reference)).one()


def says(monkeypatch, till, answer: Refunded) -> None:
    """What the processor has of the only refund."""
    read = till.gateway.read_refund
    monkeypatch.setattr(
        till.gateway, "read_refund", lambda reference: replace(read(reference), stands=answer)
    )


def test_older_news_of_a_refund_that_has_ended_changes_nothing(world, till, buyer, monkeypatch):
    ref = refunded(world, till, buyer, "visa")
    says(monkeypatch, till, Refunded(ref, RefundStatus.PENDING))
    till.hear("refund.created", "refund", ref)
    assert till.refunds() == [(3333, "period_over", "succeeded")]
    assert till.books_agree()
    assert till.reconcile().still_open == 0


def test_an_answer_without_a_reference_leaves_the_refunds_own(world, till, buyer, monkeypatch):
    ref = refunded(world, till, buyer, "pendingRefund")
    says(monkeypatch, till, Refunded(None, RefundStatus.SUCCEEDED))
    till.hear("refund.updated", "refund", ref)
    assert till.refunds() == [(3333, "period_over", "succeeded")]
    with world.session() as session:
        assert session.scalars(select(RefundRow.reference)).one() == ref


@pytest.mark.parametrize("environment", [None, "999999"])
def test_a_page_of_another_installation_is_none_of_ours(world, till, buyer, environment):
    outcome = world.buy(buyer, CONNECTOR)
    [attempt] = till.attempts(outcome.purchase_id)
    labels = attempt.params["labels"] | {"environment_id": environment}
    said = {name: text for name, text in labels.items() if text}
    page = till.gateway.open_checkout(replace(checkout_of(attempt), key="theirs", labels=said))
    till.gateway.pay_page(page.reference)
    till.hear("checkout.session.completed", "checkout.session", page.reference)
    assert nothing_waits(world)
    assert till.holds(buyer) == []


def test_a_card_typed_for_a_customer_that_was_deleted_is_done_with(world, till):
    actor = world.account()
    page = begin(world, actor)
    till.gateway.save_on_page(page, "mastercard")
    with desk(world) as theirs:
        cards.forget_customer(theirs, world.customer(actor.account_id))
    till.hear("checkout.session.completed", "checkout.session", page)
    assert nothing_waits(world)
    assert till.cards(actor) == []


def nothing_waits(world) -> bool:
    with world.session() as session:
        return waiting(session, world.scope) == []


def test_of_cards_without_a_number_one_goes_and_the_others_stay(world, till):
    actor = world.account()
    numbers = [add(world, actor, name) for name in ("mastercard", "chargeCustomerFail")]
    world.change(update(PaymentMethodRow).values(fingerprint=""))
    choose(world, actor, card_choices.remove, numbers[1])
    kept, gone = (till.gateway.read_card(reference(world, number)) for number in numbers)
    assert (kept.customer_ref, gone.customer_ref) == (world.customer(actor.account_id), None)
