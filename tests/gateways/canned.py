"""A network that gives prepared answers of Stripe's, and samples of what it would say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import stripe

from portal.domain.money import Money
from portal.domain.payments import CardEntry, Charge, Checkout
from portal.domain.refunds import Refund
from portal.gateways.stripe_payments import StripePayments

CHARGE = Charge(
    key="attempt-1",
    customer_ref="cus_1",
    card_ref="pm_1",
    amount=Money(4900, "usd"),
    description="Advanced analytics",
    labels={"attempt_id": "attempt-1"},
)
CHECKOUT = Checkout(
    key="attempt-2",
    customer_ref="cus_1",
    amount=Money(980, "jpy"),
    description="Seats",
    labels={"attempt_id": "attempt-2", "account_id": "7"},
    return_url="https://portal.test/return?session_id={CHECKOUT_SESSION_ID}",
    back_url="https://portal.test/add-ons",
    expires_at=datetime(2026, 11, 1, 12, 30, 0, 900_000, UTC),
)
ENTRY = CardEntry(
    key="entry-1",
    customer_ref="cus_1",
    labels={"purpose": "save_card"},
    return_url="https://portal.test/return?session_id={CHECKOUT_SESSION_ID}",
    back_url="https://portal.test/cards",
    expires_at=datetime(2026, 11, 1, 12, 30, tzinfo=UTC),
)
REFUND = Refund("refund-1", "pi_1", Money(1000, "usd"), {"purchase_id": "7"})
METHOD: dict[str, Any] = {
    "id": "pm_1",
    "object": "payment_method",
    "type": "card",
    "customer": "cus_1",
    "card": {
        "brand": "visa",
        "last4": "4242",
        "exp_month": 12,
        "exp_year": 2040,
        "fingerprint": None,
    },
}
SESSION: dict[str, Any] = {
    "id": "cs_1",
    "object": "checkout.session",
    "status": "open",
    "payment_status": "unpaid",
    "url": "https://checkout.stripe.com/c/pay/cs_1",
    "payment_intent": None,
    "setup_intent": None,
    "amount_total": 980,
    "currency": "jpy",
    "customer": "cus_1",
    "metadata": {"attempt_id": "attempt-2"},
}
INTENT: dict[str, Any] = {
    "id": "pi_1",
    "object": "payment_intent",
    "status": "succeeded",
    "amount": 4900,
    "currency": "usd",
    "metadata": {"attempt_id": "attempt-1"},
    "last_payment_error": None,
    "latest_charge": None,
}


class Canned(stripe.HTTPClient):
    """A network that gives prepared answers, the last one for ever, and keeps what was sent."""

    name = "canned"

    def __init__(self, *answers: tuple[int, Any]) -> None:
        super().__init__()
        self._answers = list(answers)
        self.sent: list[tuple[str, str, dict[str, str], dict[str, list[str]]]] = []

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        self.sent.append((method, url, dict(headers or {}), parse_qs(post_data or "")))
        status, body = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        text = body if isinstance(body, str) else json.dumps(body)
        return text, status, {"request-id": "req_1"}


def gateway(*answers: tuple[int, Any]) -> tuple[StripePayments, Canned]:
    network = Canned(*answers)
    client = stripe.StripeClient("sk_test_canned", http_client=network, max_network_retries=0)
    return StripePayments(client), network


def refusal(**error: Any) -> dict[str, Any]:
    return {"error": {"message": "said by Stripe", "type": "invalid_request_error", **error}}


REFUSED = [
    (400, refusal(code="amount_too_small", param="amount")),
    (400, refusal(type="idempotency_error")),
    (401, refusal()),
    (404, refusal(code="resource_missing", param="customer")),
    (402, {"error": {"type": "card_error"}}),
]
NO_ANSWER = [
    (409, refusal(type="idempotency_error", code="idempotency_key_in_use")),
    (429, refusal(code="rate_limit")),
    (500, refusal(type="api_error")),
    (503, "<html>no server is available</html>"),
    (200, "not json"),
]
