"""Money that somebody gives back at the processor itself: booked once, by a credit note."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest
from sqlalchemy import select

from portal.domain.money import Money
from portal.domain.taxes import Tax
from portal.models.events import StripeEventRow
from portal.models.purchases import RefundRow
from tests.services.crediting import CARD

CONNECTOR, VAT = "salesforce", Tax(Decimal(20), False, "VAT")


def usd(minor: int) -> Money:
    return Money(minor, "usd")


@pytest.fixture
def actor(world):
    actor = world.account(tax=VAT)
    world.buy(actor, CONNECTOR)
    return actor


def failures(world) -> list[str]:
    with world.session() as session:
        events = session.scalars(select(StripeEventRow).order_by(StripeEventRow.received_at))
        return [event.failure for event in events]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_it_is_booked_once_whatever_is_heard_and_in_whatever_order(actor, desk, till, order):
    payment = desk.payment(actor)
    first, second = (till.gateway.refund_there(payment, usd(minor)) for minor in (1000, 3000))
    told = [
        lambda: till.hear("refund.created", "refund", first),
        lambda: hear_of_charge(till, payment),
        lambda: till.hear("refund.updated", "refund", second),
    ]
    for index in (*order, *order):
        told[index]()
    notes = desk.notes(actor)
    assert sorted((n.cause, n.card_minor) for n in notes) == [
        ("at_processor", 1000), ("at_processor", 3000),
    ]  # fmt: skip
    assert sorted(till.refunds()) == [
        (1000, "at_processor", "succeeded"), (3000, "at_processor", "succeeded"),
    ]  # fmt: skip
    assert (desk.balance(actor), desk.on("revenue"), desk.on("tax")) == ((0, 0), 0, 0)
    assert (desk.on("clearing"), desk.on("owed_back"), desk.agrees()) == (0, 0, True)


def hear_of_charge(till, payment: str) -> None:
    """Stripe's `charge.refunded`, which names the payment and no refund."""
    till.hear("charge.refunded", "charge", "ch_1", payment_intent=payment)


def test_a_part_is_an_amount_and_its_tax_to_the_cent(actor, desk, till):
    till.gateway.refund_there(desk.payment(actor), usd(1001))
    hear_of_charge(till, desk.payment(actor))
    assert desk.lines(1) == [("credit", -834), ("tax", -167)]
    desk.credit(1)
    assert desk.lines(2) == [("credit", -2499), ("tax", -500)]
    assert (desk.on("revenue"), desk.on("tax"), desk.agrees()) == (0, 0, True)


def test_one_of_ours_is_not_booked_again(actor, desk, till):
    desk.credit(1, to=CARD)
    hear_of_charge(till, desk.payment(actor))
    assert len(desk.notes(actor)) == len(till.refunds()) == 1


def test_all_had_gone_back_there_before_we_asked(actor, world, desk, till):
    made = till.gateway.refund_there(desk.payment(actor), usd(4000))
    desk.credit(1, to=CARD)
    assert till.refunds() == [(4000, "credited", "succeeded")]
    till.hear("refund.created", "refund", made)
    assert len(desk.notes(actor)) == 1
    with world.session() as session:
        assert session.scalars(select(RefundRow.reference)).one() == made
    assert (desk.on("clearing"), desk.agrees()) == (0, True)


def test_more_than_is_left_waits_with_its_reason(actor, world, desk, till):
    desk.credit(1, "20")
    made = till.gateway.refund_there(desk.payment(actor), usd(3000))
    till.hear("refund.created", "refund", made)
    assert failures(world) == [f"Conflict: {made} refunds more than is left of invoice 000001"]
    assert len(desk.notes(actor)) == 1
    assert till.reconcile().still_open == 1


def test_one_on_its_way_is_booked_when_it_has_arrived(world, desk, till):
    actor = world.account(card="pm_card_pendingRefund")
    world.buy(actor, CONNECTOR)
    made = till.gateway.refund_there(desk.payment(actor), usd(500))
    till.hear("refund.created", "refund", made)
    assert desk.notes(actor) == []
    till.gateway.end_refunds()
    till.hear("refund.updated", "refund", made)
    assert [note.total_minor for note in desk.notes(actor)] == [500]


def test_one_that_failed_after_all_is_on_the_balance(world, desk, till):
    actor = world.account(card="pm_card_refundFail")
    world.buy(actor, CONNECTOR)
    made = till.gateway.refund_there(desk.payment(actor), usd(500))
    till.hear("refund.created", "refund", made)
    till.gateway.end_refunds()
    till.hear("refund.failed", "refund", made)
    assert (till.refunds(), desk.balance(actor)) == ([(500, "at_processor", "failed")], (500, 0))
    assert desk.agrees()


def test_a_payment_of_nobody_here_is_left_alone(actor, world, desk, till):
    till.gateway._books.payments["pi_other"] = till.gateway._books.payments[desk.payment(actor)]
    made = till.gateway.refund_there("pi_other", usd(100))
    till.hear("refund.created", "refund", made)
    hear_of_charge(till, "pi_other")
    assert (desk.notes(actor), failures(world)) == ([], ["", ""])


def test_late_money_that_the_bank_refused_and_that_was_returned_by_hand(world, desk, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    world.now = datetime(2026, 5, 2, tzinfo=UTC)
    till.gateway.pay_page(till.page(outcome.purchase_id), "refundFail")
    till.finish(buyer, outcome.purchase_id)
    till.gateway.end_refunds()
    with world.session() as session:
        ours = session.scalars(select(RefundRow.reference)).one()
    till.hear("refund.failed", "refund", ours)
    assert desk.on("owed_back") == 3333
    made = till.gateway.refund_there(desk.payment(buyer), usd(3333))
    for _ in range(2):
        till.hear("refund.created", "refund", made)
    assert (desk.on("owed_back"), desk.on("clearing"), desk.notes(buyer)) == (0, 0, [])
    assert till.refunds()[1:] == [(3333, "at_processor", "succeeded")]
