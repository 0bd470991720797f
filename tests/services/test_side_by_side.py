"""Several purchases, subscriptions and tabs of one account: each keeps to itself."""

from __future__ import annotations

from typing import Any

from portal.domain.payments import Paid
from portal.gateways.fake_payments import Fault
from portal.models.ledger import AccountBalanceRow
from portal.services import accounts, waiting
from portal.services.charging import Pending, Settled
from tests.services.test_late_money import end_subscription, let_go_unheard
from tests.services.test_other_ways import authenticating
from tests.support.world import APRIL_11

CONNECTOR, PACK = "salesforce", "messages_100k"


def test_a_form_for_another_add_on_calls_nothing_off(world, till, buyer):
    first, second = world.buy(buyer, PACK), world.buy(buyer, CONNECTOR)
    for outcome in (first, second):
        till.gateway.pay_page(till.page(outcome.purchase_id))
        assert till.finish(buyer, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert till.taken() == [4900, 3333]


def test_a_newer_form_leaves_a_charge_without_an_answer_alone(world, till):
    actor = world.account()
    till.gateway.fail_next("charge", Fault.OUTAGE)
    first = world.buy(actor, PACK)
    assert first == Pending(first.purchase_id)
    second = world.buy(actor, PACK, quantity=2)
    assert second == Settled(second.purchase_id)
    assert till.taken() == [9800]
    assert till.finish(actor, first.purchase_id) == Settled(first.purchase_id)


def test_what_is_paid_between_two_steps_is_not_tried_again(world, till, monkeypatch):
    actor, outcome, attempt = authenticating(world, till)
    really = waiting._is_too_late

    def meanwhile(*args: Any) -> bool:
        till.gateway.change(attempt.reference, Paid(attempt.reference))
        till.hear("payment_intent.succeeded", "payment_intent", attempt.reference)
        return really(*args)

    monkeypatch.setattr(waiting, "_is_too_late", meanwhile)
    assert till.pay(actor, outcome.purchase_id, "new") == Settled(outcome.purchase_id)
    assert [a.status for a in till.attempts(outcome.purchase_id)] == ["succeeded"]


def test_late_money_takes_the_credit_that_it_counted_with(world, till, buyer):
    figures = ("carried_minor", "balance_reserved_minor", "carried_reserved_minor")
    account = {"environment_id": buyer.environment_id, "account_id": buyer.account_id}
    row = AccountBalanceRow(
        currency="usd", balance_minor=1000, **account, **dict.fromkeys(figures, 0)
    )
    with world.session() as session:
        session.add(row)
        session.commit()
    outcome = world.buy(buyer, CONNECTOR)
    page = let_go_unheard(till, buyer, outcome.purchase_id)
    assert world.state(buyer).balance.minor == 1000
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    assert (till.holds(buyer), world.state(buyer).balance.minor) == ([CONNECTOR], 0)


def test_money_for_an_earlier_subscription_buys_nothing_on_the_next(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    end_subscription(world, buyer)
    plan = next(p for p in world.catalog().plans if p.lookup_key == "growth")
    price = next(p for p in plan.prices if p.lookup_key == "growth_monthly_usd")
    with world.session() as session:
        accounts.subscribe(session, world.scope, buyer.account_id, plan, price, APRIL_11)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    till.finish(buyer, outcome.purchase_id)
    assert till.refunds() == [(3333, "subscription_ended", "succeeded")]
    assert till.holds(buyer) == []
