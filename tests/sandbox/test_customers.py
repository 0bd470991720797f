"""Customers, their cards, and the money objects behind a payment."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.conftest import charge_params


def test_create_update_retrieve(api):
    made = api.customers.create(
        {
            "email": "ada@example.com",
            "metadata": {"org_id": "7", "old": "x"},
            "address": {"city": "Paris", "country": "FR"},
        }
    )
    changed = api.customers.update(made.id, {"name": "Ada", "metadata": {"old": "", "new": "y"}})
    assert api.customers.retrieve(made.id).to_dict() == changed.to_dict()
    assert changed.metadata.to_dict() == {"org_id": "7", "new": "y"}
    assert (changed.address.city, changed.address.line1) == ("Paris", None)
    assert api.customers.update(made.id, {"metadata": ""}).metadata.to_dict() == {}
    assert api.customers.update(made.id, {"address": ""}).address is None


def test_deleted_customer_leaves_a_stub(api, wrong_api, customer, saved_card):
    assert api.customers.delete(customer.id).deleted is True
    assert api.customers.retrieve(customer.id).deleted is True
    assert api.customers.list({}).data == []
    assert api.payment_methods.retrieve(saved_card.id).customer is None
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        wrong_api.customers.update(customer.id, {"name": "x"})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        wrong_api.payment_intents.create(charge_params(customer, "pm_card_visa"))
    assert (caught.value.http_status, caught.value.param) == (400, "customer")


def test_default_payment_method_must_be_the_customers(api, customer, saved_card):
    settings = {"invoice_settings": {"default_payment_method": saved_card.id}}
    changed = api.customers.update(
        customer.id, {**settings, "expand": ["invoice_settings.default_payment_method"]}
    )
    assert changed.invoice_settings.default_payment_method.card.last4 == "4242"
    stranger = api.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        api.customers.update(stranger.id, settings)


def test_detach_is_for_good(api, customer, saved_card):
    api.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": saved_card.id}}
    )
    assert api.payment_methods.detach(saved_card.id).customer is None
    assert api.customers.retrieve(customer.id).invoice_settings.default_payment_method is None
    assert api.customers.payment_methods.list(customer.id).data == []
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        api.payment_methods.attach(saved_card.id, {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.payment_intents.create(charge_params(customer, saved_card.id))
    assert caught.value.code == "payment_intent_invalid_parameter"
    with pytest.raises(stripe.InvalidRequestError, match="not attached"):
        api.payment_methods.detach(saved_card.id)


def test_a_card_belongs_to_one_customer(api, customer, saved_card):
    other = api.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        api.payment_methods.attach(saved_card.id, {"customer": other.id})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        api.payment_intents.create(charge_params(other, saved_card.id))
    without = charge_params(customer, saved_card.id)
    del without["customer"], without["off_session"]
    with pytest.raises(stripe.InvalidRequestError, match="belongs to the Customer"):
        api.payment_intents.create(without)


def test_lists_of_cards(api, customer, saved_card):
    second = api.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    ids = [second.id, saved_card.id]
    listed = api.customers.payment_methods.list(customer.id, {"type": "card"})
    assert [m.id for m in listed.data] == ids
    assert [m.id for m in api.payment_methods.list({"customer": customer.id}).data] == ids
    one = api.customers.payment_methods.retrieve(customer.id, saved_card.id)
    assert one.id == saved_card.id


def test_updating_a_card(api, saved_card):
    changed = api.payment_methods.update(
        saved_card.id,
        {"card": {"exp_year": 2041}, "billing_details": {"address": {"postal_code": "75001"}}},
    )
    assert (changed.card.exp_year, changed.card.exp_month) == (2041, saved_card.card.exp_month)
    assert changed.billing_details.address.postal_code == "75001"


def test_a_customer_can_start_with_a_card(api):
    customer = api.customers.create({"payment_method": "pm_card_visa"})
    assert len(api.customers.payment_methods.list(customer.id).data) == 1
    assert customer.invoice_settings.default_payment_method is None


def test_charge_and_its_balance_transaction(api, customer, saved_card):
    intent = api.payment_intents.create(
        charge_params(customer, saved_card.id, 10_000, statement_descriptor_suffix="PACK")
    )
    charge = api.charges.list({"payment_intent": intent.id}).data[0]
    assert (charge.status, charge.customer, charge.amount) == ("succeeded", customer.id, 10_000)
    assert charge.calculated_statement_descriptor.endswith("PACK")
    entry = api.balance_transactions.retrieve(charge.balance_transaction)
    assert (entry.amount, entry.fee, entry.net) == (10_000, 320, 9_680)
    assert [t.id for t in api.balance_transactions.list({"source": charge.id}).data] == [entry.id]


def test_no_such_thing(api):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.customers.retrieve("cus_none")
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (
        404,
        "resource_missing",
        "id",
    )
    assert "No such customer: 'cus_none'" in str(caught.value)
    assert caught.value.request_id
