"""Setup intents: every card saved, refused or authenticated; and what may follow."""

from __future__ import annotations

import pytest
import stripe

from portal.sandbox.cards import CARDS
from tests.sandbox.conftest import charge_params
from tests.sandbox.test_three_d_secure import BACK, look, press

CARD = {"allowed_payment_method_types": ["card"]}
# Written down a second time on purpose: last digits -> what saving the card for later meets.
AUTHENTICATED = {"3155", "3184", "3178", "3220", "1629"}
REFUSED = {
    "0002": "card_declined",
    "9995": "card_declined",
    "9987": "card_declined",
    "9979": "card_declined",
    "6975": "card_declined",
    "0069": "expired_card",
    "0127": "incorrect_cvc",
    "0119": "processing_error",
}
OFF_SESSION_AFTERWARDS = {  # last digits -> code of a charge after it was set up
    "3155": None,
    "3220": None,
    "0446": None,
    "3184": "authentication_required",
    "1629": "authentication_required",
    "3178": "card_declined",
    "0341": "card_declined",
    "0019": "card_declined",
}


def set_up(api, customer, name, **more):
    return api.setup_intents.create(
        {
            **CARD,
            "customer": customer.id,
            "payment_method": f"pm_card_{name}",
            "confirm": True,
            "return_url": BACK,
            **more,
        }
    )


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.names[0])
def test_every_card(api, customer, card):
    if card.last4 in REFUSED:
        with pytest.raises(stripe.CardError) as caught:
            set_up(api, customer, card.names[0])
        failed = caught.value.error.setup_intent
        assert caught.value.code == REFUSED[card.last4] == failed.last_setup_error.code
        assert (failed.status, failed.payment_method) == ("requires_payment_method", None)
        assert api.customers.payment_methods.list(customer.id).data == []
        return
    intent = set_up(api, customer, card.names[0])
    if card.last4 in AUTHENTICATED:
        assert intent.status == "requires_action"
        press(intent.next_action.redirect_to_url.url, "ok")
        intent = api.setup_intents.retrieve(intent.id)
    assert (intent.status, intent.next_action) == ("succeeded", None)
    charge = charge_params(customer, intent.payment_method)
    code = OFF_SESSION_AFTERWARDS.get(card.last4)
    if code is None:
        assert api.payment_intents.create(charge).status == "succeeded"
    else:
        with pytest.raises(stripe.CardError) as caught:
            api.payment_intents.create(charge)
        assert caught.value.code == code


def test_create_then_confirm(api, customer):
    intent = api.setup_intents.create(
        {"customer": customer.id, "metadata": {"a": "1"}, "description": "Card for renewals"}
    )
    assert (intent.status, intent.usage) == ("requires_payment_method", "off_session")
    assert intent.automatic_payment_methods.enabled is True
    intent = api.setup_intents.update(intent.id, {"metadata": {"b": "2"}})
    done = api.setup_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "return_url": BACK}
    )
    assert done.metadata.to_dict() == {"a": "1", "b": "2"}
    method = api.payment_methods.retrieve(done.payment_method)
    assert (method.customer, method.card.last4) == (customer.id, "4242")
    assert [e.type for e in reversed(api.events.list({"limit": 3}).data)] == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]
    listed = api.setup_intents.list({"customer": customer.id}).data
    assert [i.id for i in listed] == [intent.id]


def test_a_failed_challenge_saves_nothing(api, customer):
    intent = set_up(api, customer, "authenticationRequired")
    url = intent.next_action.redirect_to_url.url
    assert "saving the card ending in 3184" in look(url)
    back = press(url, "fail")
    assert f"setup_intent={intent.id}" in back.query
    assert "redirect_status=failed" in back.query
    failed = api.setup_intents.retrieve(intent.id)
    assert failed.last_setup_error.code == "setup_intent_authentication_failure"
    assert api.customers.payment_methods.list(customer.id).data == []
    assert [e.type for e in api.events.list({"limit": 2}).data] == [
        "setup_intent.setup_failed",
        "setup_intent.requires_action",
    ]


def test_cancel(api, customer):
    intent = api.setup_intents.create({**CARD, "customer": customer.id})
    gone = api.setup_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert caught.value.code == "setup_intent_unexpected_state"
    assert caught.value.error.setup_intent.status == "canceled"


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"confirm": True}, "parameter_missing", "payment_method"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"return_url": BACK}, None, "return_url"),
        ({"automatic_payment_methods": {"enabled": True}}, "parameters_exclusive", None),
        ({"single_use": {"amount": 5, "currency": "usd"}}, None, "single_use"),
    ],
)
def test_refused(api, params, code, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.setup_intents.create({**CARD, **params})
    assert (caught.value.http_status, caught.value.code) == (400, code)
    if param:
        assert caught.value.param == param
