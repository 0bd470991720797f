"""Every card of the table, charged off-session, saved, and authenticated on-session."""

from __future__ import annotations

import pytest
import stripe

from portal.sandbox.cards import CARDS, Authentication, Card
from tests.sandbox.conftest import charge_params

# Written down a second time on purpose. Source: docs.stripe.com/testing.
# number -> (code, decline_code) of an off-session charge of a card that was never set up
OFF_SESSION = {
    "4242424242424242": None,
    "4000056655665556": None,
    "5555555555554444": None,
    "378282246310005": None,
    "4000003800000446": None,
    "4000000000000259": None,
    "4000000000002685": None,
    "4000000000001976": None,
    "4000000000007726": None,
    "4000000000005126": None,
    "4000000000000002": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"),
    "4000000000009987": ("card_declined", "lost_card"),
    "4000000000009979": ("card_declined", "stolen_card"),
    "4000000000006975": ("card_declined", "card_velocity_exceeded"),
    "4000000000000069": ("expired_card", None),
    "4000000000000127": ("incorrect_cvc", None),
    "4000000000000119": ("processing_error", None),
    "4000000000000341": ("card_declined", "generic_decline"),
    "4100000000000019": ("card_declined", "fraudulent"),
    "4000002500003155": ("authentication_required", "authentication_required"),
    "4000002760003184": ("authentication_required", "authentication_required"),
    "4000008260003178": ("authentication_required", "authentication_required"),
    "4000000000003220": ("authentication_required", "authentication_required"),
    "4000008400001629": ("authentication_required", "authentication_required"),
}
NOT_SAVED = {"0002", "9995", "9987", "9979", "6975", "0069", "0127", "0119"}


def test_the_table_and_the_expectations_name_the_same_cards():
    assert {card.number for card in CARDS} == set(OFF_SESSION)


def each_card(card: Card) -> str:
    return card.names[0]


@pytest.mark.parametrize("card", CARDS, ids=each_card)
def test_off_session_charge(api, card):
    customer = api.customers.create({})
    method = f"pm_card_{card.names[0]}"
    if card.saves:
        method = api.payment_methods.attach(method, {"customer": customer.id}).id
    expected = OFF_SESSION[card.number]
    if expected is None:
        intent = api.payment_intents.create(charge_params(customer, method))
        assert (intent.status, intent.amount_received) == ("succeeded", 1500)
        return
    with pytest.raises(stripe.CardError) as caught:
        api.payment_intents.create(charge_params(customer, method))
    error = caught.value.error
    assert (caught.value.code, error.decline_code) == expected
    assert caught.value.http_status == 402
    assert error.payment_intent.status == "requires_payment_method"
    assert error.payment_intent.payment_method is None
    assert error.payment_intent.last_payment_error.code == expected[0]
    assert error.payment_intent.last_payment_error.payment_method.card.last4 == card.last4
    charge = api.charges.retrieve(error.charge)
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, expected[0])
    assert error.payment_intent.latest_charge == charge.id
    assert charge.outcome.advice_code == error.advice_code


@pytest.mark.parametrize("card", CARDS, ids=each_card)
def test_saving(api, card):
    customer = api.customers.create({})
    method = f"pm_card_{card.names[0]}"
    if card.last4 in NOT_SAVED:
        with pytest.raises(stripe.CardError) as caught:
            api.payment_methods.attach(method, {"customer": customer.id})
        assert caught.value.code == OFF_SESSION[card.number][0]
        assert api.customers.payment_methods.list(customer.id).data == []
    else:
        saved = api.payment_methods.attach(method, {"customer": customer.id})
        assert saved.customer == customer.id
        assert saved.card.last4 == card.number[-4:]


@pytest.mark.parametrize(
    "card", [c for c in CARDS if c.authentication is not Authentication.NEVER], ids=each_card
)
def test_on_session_waits_for_the_customer(api, customer, card):
    saved = api.payment_methods.attach(f"pm_card_{card.names[0]}", {"customer": customer.id})
    params = charge_params(customer, saved.id)
    del params["off_session"]
    intent = api.payment_intents.create({**params, "return_url": "http://127.0.0.1/back"})
    assert intent.status == "requires_action"
    assert intent.next_action.redirect_to_url.return_url == "http://127.0.0.1/back"
    assert intent.payment_method == saved.id
    assert intent.latest_charge is None


NAMES = [(name, card) for card in CARDS for name in card.names]


@pytest.mark.parametrize(("name", "card"), NAMES, ids=[name for name, _ in NAMES])
def test_every_name_is_a_method_and_a_token(api, name, card):
    token = api.payment_methods.create({"type": "card", "card": {"token": f"tok_{name}"}})
    params = {"payment_method": f"pm_card_{name}", "allowed_payment_method_types": ["card"]}
    intent = api.setup_intents.create({**params, "expand": ["payment_method"]})
    assert token.card.last4 == intent.payment_method.card.last4 == card.last4
    assert token.card.fingerprint == intent.payment_method.card.fingerprint


def test_advice_tells_retry_from_stop(api, customer):
    advice = {}
    for name in ("visa_chargeDeclinedInsufficientFunds", "visa_chargeDeclinedLostCard"):
        with pytest.raises(stripe.CardError) as caught:
            api.payment_intents.create(charge_params(customer, f"pm_card_{name}"))
        advice[caught.value.error.decline_code] = caught.value.error.advice_code
    assert advice == {"insufficient_funds": "try_again_later", "lost_card": "do_not_try_again"}


def test_a_blocked_payment_never_reaches_the_bank(api, customer):
    saved = api.payment_methods.attach("pm_card_radarBlock", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as caught:
        api.payment_intents.create(charge_params(customer, saved.id))
    outcome = api.charges.retrieve(caught.value.error.charge).outcome
    assert (outcome.type, outcome.network_status) == ("blocked", "not_sent_to_network")


def test_same_number_same_fingerprint(api, customer):
    first = api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    second = api.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    other = api.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})
    assert first.id != second.id
    assert first.card.fingerprint == second.card.fingerprint != other.card.fingerprint
    assert other.card.brand == "mastercard"


@pytest.mark.parametrize(
    ("number", "code"),
    [("4242424242424241", "incorrect_number"), ("4111111111111111", "card_declined")],
)
def test_numbers_that_are_no_test_card(api, number, code):
    with pytest.raises(stripe.CardError) as caught:
        api.payment_methods.create(
            {"type": "card", "card": {"number": number, "exp_month": 1, "exp_year": 2040}}
        )
    assert caught.value.code == code


def test_a_card_typed_in_past_its_date(api):
    with pytest.raises(stripe.CardError) as caught:
        api.payment_methods.create(
            {
                "type": "card",
                "card": {"number": "4242 4242 4242 4242", "exp_month": 1, "exp_year": 2020},
            }
        )
    assert caught.value.code == "invalid_expiry_year"
