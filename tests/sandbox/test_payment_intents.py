"""Payment intents: their states, and what Stripe refuses about them."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.conftest import charge_params

NEVER = {"enabled": True, "allow_redirects": "never"}
CARD = {"currency": "usd", "amount": 500, "automatic_payment_methods": NEVER}


def test_create_update_confirm(api, customer, saved_card):
    intent = api.payment_intents.create({**CARD, "customer": customer.id, "metadata": {"a": "1"}})
    assert (intent.status, intent.latest_charge) == ("requires_payment_method", None)
    intent = api.payment_intents.update(
        intent.id, {"payment_method": saved_card.id, "amount": 700, "metadata": {"b": "2"}}
    )
    assert (intent.status, intent.amount) == ("requires_confirmation", 700)
    intent = api.payment_intents.confirm(intent.id)
    assert (intent.status, intent.amount_received) == ("succeeded", 700)
    assert intent.metadata.to_dict() == {"a": "1", "b": "2"}
    assert intent.client_secret.startswith(f"{intent.id}_secret_")


def test_a_finished_intent_is_closed(api, customer, saved_card):
    intent = api.payment_intents.create(charge_params(customer, saved_card.id))
    for action in (
        lambda: api.payment_intents.confirm(intent.id),
        lambda: api.payment_intents.cancel(intent.id),
        lambda: api.payment_intents.update(intent.id, {"amount": 900}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            action()
        assert caught.value.code == "payment_intent_unexpected_state"
        assert caught.value.error.payment_intent.status == "succeeded"
    changed = api.payment_intents.update(intent.id, {"description": "late"})
    assert (changed.description, changed.status) == ("late", "succeeded")


def test_cancel(api, customer):
    intent = api.payment_intents.create({**CARD, "customer": customer.id})
    gone = api.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    assert gone.canceled_at >= gone.created
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})


def test_another_card_after_a_decline(api, customer, saved_card):
    bad = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as caught:
        api.payment_intents.create(charge_params(customer, bad.id))
    failed = caught.value.error.payment_intent
    intent = api.payment_intents.confirm(
        failed.id, {"payment_method": saved_card.id, "off_session": True}
    )
    assert (intent.status, intent.last_payment_error) == ("succeeded", None)
    assert intent.latest_charge != failed.latest_charge
    assert len(api.charges.list({"payment_intent": intent.id}).data) == 2


def test_authentication_required_then_on_session(api, customer):
    saved = api.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as caught:
        api.payment_intents.create(charge_params(customer, saved.id))
    failed = caught.value.error.payment_intent
    assert failed.last_payment_error.payment_method.id == saved.id
    intent = api.payment_intents.confirm(
        failed.id, {"payment_method": saved.id, "return_url": "http://127.0.0.1/back"}
    )
    assert intent.status == "requires_action"
    assert api.payment_intents.cancel(intent.id).next_action is None


def test_error_on_requires_action_fails_at_once(api, customer):
    params = charge_params(customer, "pm_card_threeDSecure2Required", error_on_requires_action=True)
    del params["off_session"]
    with pytest.raises(stripe.CardError) as caught:
        api.payment_intents.create(params)
    assert caught.value.code == "authentication_required"


def test_without_a_return_url_the_browser_library_would_take_over(api, customer):
    params = charge_params(customer, "pm_card_threeDSecure2Required")
    del params["off_session"]
    assert api.payment_intents.create(params).next_action.type == "use_stripe_sdk"


def test_a_card_can_be_saved_by_paying(api, customer):
    params = charge_params(customer, "pm_card_visa", setup_future_usage="off_session")
    del params["off_session"]
    first = api.payment_intents.create(params)
    assert api.payment_methods.retrieve(first.payment_method).customer == customer.id
    again = api.payment_intents.create(charge_params(customer, first.payment_method))
    assert again.status == "succeeded"


def test_a_card_nobody_owns_pays_once(api, customer):
    intent = api.payment_intents.create(charge_params(customer, "pm_card_visa"))
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        api.payment_intents.create(charge_params(customer, intent.payment_method))


@pytest.mark.parametrize(
    ("currency", "minimum"), [("usd", 50), ("eur", 50), ("jpy", 50), ("gbp", 30)]
)
def test_smallest_amount(api, currency, minimum):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.payment_intents.create({"amount": minimum - 1, "currency": currency})
    assert (caught.value.code, caught.value.param) == ("amount_too_small", "amount")
    made = api.payment_intents.create({"amount": minimum, "currency": currency.upper()})
    assert (made.amount, made.currency) == (minimum, currency)


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"currency": "xxx"}, None, "currency"),
        ({"statement_descriptor": "SHOP"}, "payment_intent_invalid_parameter", None),
        ({"statement_descriptor_suffix": "1234"}, None, "statement_descriptor_suffix"),
        ({"statement_descriptor_suffix": "<b>"}, None, "statement_descriptor_suffix"),
        ({"allowed_payment_method_types": ["card"]}, "parameters_exclusive", None),
        ({"off_session": True}, None, "off_session"),
        ({"confirm": True}, "payment_intent_unexpected_state", None),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"capture_method": "manual"}, None, "capture_method"),
        ({"transfer_data": {"destination": "acct_1"}}, None, "transfer_data"),
    ],
)
def test_refused(api, params, code, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.payment_intents.create({**CARD, **params})
    assert (caught.value.http_status, caught.value.code) == (400, code)
    if param:
        assert caught.value.param == param


def test_methods_that_may_redirect_need_a_way_back(api, customer):
    params = charge_params(customer, "pm_card_visa")
    del params["automatic_payment_methods"]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.payment_intents.create(params)
    assert caught.value.param == "return_url"
    assert api.payment_intents.list({}).data == []
    with_url = {**params, "return_url": "http://127.0.0.1/back"}
    assert api.payment_intents.create(with_url).status == "succeeded"
    cards_only = {**params, "allowed_payment_method_types": ["card"]}
    assert api.payment_intents.create(cards_only).status == "succeeded"
