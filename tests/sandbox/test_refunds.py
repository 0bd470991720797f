"""Refunds: in full, in parts, refused, and those that settle or fail later."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.conftest import charge_params


@pytest.fixture
def paid(api, customer, saved_card):
    return api.payment_intents.create(charge_params(customer, saved_card.id))


def paid_by(api, customer, name):
    card = api.payment_methods.attach(f"pm_card_{name}", {"customer": customer.id})
    return api.payment_intents.create(charge_params(customer, card.id))


def newest(api, count):
    return [event.type for event in api.events.list({"limit": count}).data]


def test_in_full(api, paid):
    refund = api.refunds.create(
        {
            "payment_intent": paid.id,
            "reason": "requested_by_customer",
            "metadata": {"order_id": "7"},
        },
        {"idempotency_key": "refund-7"},
    )
    assert (refund.status, refund.amount, refund.currency) == ("succeeded", 1500, "usd")
    assert (refund.charge, refund.payment_intent) == (paid.latest_charge, paid.id)
    assert refund.metadata.to_dict() == {"order_id": "7"}
    charge = api.charges.retrieve(paid.latest_charge, {"expand": ["refunds"]})
    assert (charge.refunded, charge.amount_refunded) == (True, 1500)
    assert [r.id for r in charge.refunds.data] == [refund.id]
    entry = api.balance_transactions.retrieve(refund.balance_transaction)
    assert (entry.type, entry.amount, entry.fee, entry.net) == ("refund", -1500, 0, -1500)
    assert newest(api, 2) == ["charge.refunded", "refund.created"]


def test_in_parts_until_nothing_is_left(api, paid):
    first = api.refunds.create({"charge": paid.latest_charge, "amount": 1000})
    charge = api.charges.retrieve(paid.latest_charge)
    assert (charge.refunded, charge.amount_refunded) == (False, 1000)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as caught:
        api.refunds.create({"payment_intent": paid.id, "amount": 501})
    assert (caught.value.http_status, caught.value.param) == (400, "amount")
    rest = api.refunds.create({"payment_intent": paid.id})
    assert rest.amount == 500
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.refunds.create({"payment_intent": paid.id, "amount": 1})
    assert caught.value.code == "charge_already_refunded"
    listed = api.refunds.list({"payment_intent": paid.id}).data
    assert [r.id for r in listed] == [rest.id, first.id]
    assert api.refunds.list({"charge": "ch_none"}).data == []


def test_the_same_key_refunds_once(api, paid):
    same = [
        api.refunds.create({"payment_intent": paid.id, "amount": 400}, {"idempotency_key": "r"})
        for _ in range(2)
    ]
    assert same[0].id == same[1].id
    assert api.charges.retrieve(paid.latest_charge).amount_refunded == 400


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({}, "parameter_missing", None),
        ({"payment_intent": "{pi}", "charge": "{ch}"}, "parameters_exclusive", "charge"),
        ({"payment_intent": "pi_none"}, "resource_missing", "payment_intent"),
        ({"payment_intent": "{pi}", "amount": 0}, "parameter_invalid_integer", "amount"),
        ({"payment_intent": "{pi}", "reverse_transfer": True}, None, "reverse_transfer"),
    ],
)
def test_refused(api, paid, params, code, param):
    names = {"{pi}": paid.id, "{ch}": paid.latest_charge}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.refunds.create({k: names.get(v, v) for k, v in params.items()})
    assert (caught.value.http_status, caught.value.code) == (400, code)
    assert caught.value.param == param


def test_an_unpaid_intent_has_nothing_to_give_back(api, customer):
    intent = api.payment_intents.create({"amount": 500, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="successful charge to refund"):
        api.refunds.create({"payment_intent": intent.id})


def test_metadata_can_change(api, paid):
    refund = api.refunds.create({"payment_intent": paid.id, "metadata": {"a": "1"}})
    changed = api.refunds.update(refund.id, {"metadata": {"b": "2"}})
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    assert api.refunds.retrieve(refund.id).metadata.to_dict() == {"a": "1", "b": "2"}
    assert newest(api, 2) == ["refund.updated", "charge.refund.updated"]


def test_pending_then_succeeded(running, api, customer):
    intent = paid_by(api, customer, "pendingRefund")
    refund = api.refunds.create({"payment_intent": intent.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    running.clock.ahead = 60
    assert api.refunds.retrieve(refund.id).status == "succeeded"
    event = api.events.list({"limit": 1}).data[0]
    assert event.type == "refund.updated"
    assert event.data.previous_attributes.status == "pending"


def test_failed_later_and_the_money_is_ours_again(running, api, customer):
    intent = paid_by(api, customer, "refundFail")
    refund = api.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    running.clock.ahead = 60
    failed = api.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "unknown")
    back = failed.failure_balance_transaction
    assert (back.type, back.amount) == ("refund_failure", 1500)
    charge = api.charges.retrieve(intent.latest_charge)
    assert (charge.refunded, charge.amount_refunded) == (False, 0)
    assert newest(api, 3) == ["charge.updated", "refund.failed", "refund.updated"]
