"""What we send to Stripe, word for word."""

from __future__ import annotations

import stripe

from portal.gateways.stripe_payments import stripe_client
from tests.gateways.canned import (
    CHARGE,
    CHECKOUT,
    ENTRY,
    INTENT,
    REFUND,
    SESSION,
    gateway,
)


def test_only_what_a_charge_needs_is_sent() -> None:
    payments, network = gateway((200, INTENT))
    payments.charge(CHARGE)
    method, url, headers, body = network.sent[0]
    assert (method, url) == ("post", "https://api.stripe.com/v1/payment_intents")
    assert headers["Idempotency-Key"] == "attempt-1"
    assert body == {
        "amount": ["4900"],
        "currency": ["usd"],
        "customer": ["cus_1"],
        "payment_method": ["pm_1"],
        "off_session": ["true"],
        "confirm": ["true"],
        "automatic_payment_methods[enabled]": ["true"],
        "automatic_payment_methods[allow_redirects]": ["never"],
        "description": ["Advanced analytics"],
        "metadata[attempt_id]": ["attempt-1"],
    }


def test_the_client_reports_nothing_home() -> None:
    stripe.enable_telemetry = True
    client = stripe_client("sk_test_x", "http://127.0.0.1:1/")
    assert stripe.enable_telemetry is False
    assert client._requestor._options.base_addresses["api"] == "http://127.0.0.1:1"


def test_only_what_a_checkout_needs_is_sent() -> None:
    payments, network = gateway((200, SESSION))
    payments.open_checkout(CHECKOUT)
    method, url, headers, body = network.sent[0]
    assert (method, url) == ("post", "https://api.stripe.com/v1/checkout/sessions")
    assert headers["Idempotency-Key"] == "attempt-2"
    assert body == {
        "mode": ["payment"],
        "customer": ["cus_1"],
        "client_reference_id": ["7"],
        "allowed_payment_method_types[0]": ["card"],
        "line_items[0][quantity]": ["1"],
        "line_items[0][price_data][currency]": ["jpy"],
        "line_items[0][price_data][unit_amount]": ["980"],
        "line_items[0][price_data][product_data][name]": ["Seats"],
        "payment_intent_data[setup_future_usage]": ["off_session"],
        "payment_intent_data[description]": ["Seats"],
        "payment_intent_data[metadata][attempt_id]": ["attempt-2"],
        "payment_intent_data[metadata][account_id]": ["7"],
        "metadata[attempt_id]": ["attempt-2"],
        "metadata[account_id]": ["7"],
        "expires_at": ["1793536200"],
        "success_url": ["https://portal.test/return?session_id={CHECKOUT_SESSION_ID}"],
        "cancel_url": ["https://portal.test/add-ons"],
    }


def test_only_what_a_card_entry_needs_is_sent() -> None:
    payments, network = gateway((200, SESSION | {"amount_total": None, "currency": None}))
    assert payments.open_card_entry(ENTRY).amount is None
    _, _, headers, body = network.sent[0]
    assert headers["Idempotency-Key"] == "entry-1"
    assert body == {
        "mode": ["setup"],
        "customer": ["cus_1"],
        "allowed_payment_method_types[0]": ["card"],
        "setup_intent_data[metadata][purpose]": ["save_card"],
        "metadata[purpose]": ["save_card"],
        "expires_at": ["1793536200"],
        "success_url": ["https://portal.test/return?session_id={CHECKOUT_SESSION_ID}"],
        "cancel_url": ["https://portal.test/cards"],
    }


def test_only_what_an_authentication_needs_is_sent() -> None:
    payments, network = gateway((200, INTENT))
    payments.authenticate("pi_1", "pm_1", "https://portal.test/back", "auth-1")
    method, url, headers, body = network.sent[0]
    assert (method, url) == ("post", "https://api.stripe.com/v1/payment_intents/pi_1/confirm")
    assert headers["Idempotency-Key"] == "auth-1"
    assert body == {"payment_method": ["pm_1"], "return_url": ["https://portal.test/back"]}


def test_only_what_a_refund_needs_is_sent() -> None:
    payments, network = gateway((200, {"id": "re_1", "object": "refund", "status": "succeeded"}))
    payments.refund(REFUND)
    method, url, headers, body = network.sent[0]
    assert (method, url) == ("post", "https://api.stripe.com/v1/refunds")
    assert headers["Idempotency-Key"] == "refund-1"
    assert body == {
        "payment_intent": ["pi_1"],
        "amount": ["1000"],
        "reason": ["requested_by_customer"],
        "metadata[purchase_id]": ["7"],
    }


def test_why_a_payment_is_called_off_is_sent() -> None:
    payments, network = gateway((200, INTENT | {"status": "canceled"}))
    payments.cancel_payment("pi_1")
    assert network.sent[0][1] == "https://api.stripe.com/v1/payment_intents/pi_1/cancel"
    assert network.sent[0][3] == {"cancellation_reason": ["abandoned"]}
