"""What we send to Stripe, and what we make of answers that no test card can cause."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
import stripe

from portal.domain.errors import PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import Charge, ChargeOutcome, Declined, NeedsAuthentication, Unknown
from portal.gateways.stripe_payments import StripePayments, stripe_client

CHARGE = Charge(
    key="attempt-1",
    customer_ref="cus_1",
    card_ref="pm_1",
    amount=Money(4900, "usd"),
    description="Advanced analytics",
    labels={"attempt_id": "attempt-1"},
)
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


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (409, refusal(type="idempotency_error", code="idempotency_key_in_use")),
        (429, refusal(code="rate_limit")),
        (500, refusal(type="api_error")),
        (503, "<html>no server is available</html>"),
        (200, "not json"),
    ],
)
def test_no_clear_answer_is_unknown(status: int, body: Any) -> None:
    outcome = gateway((status, body))[0].charge(CHARGE)
    assert isinstance(outcome, Unknown)
    assert "html" not in outcome.detail
    assert "json" not in outcome.detail


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, refusal(code="amount_too_small", param="amount")),
        (400, refusal(type="idempotency_error")),
        (401, refusal()),
        (403, refusal()),
        (404, refusal(code="resource_missing", param="customer")),
    ],
)
def test_a_refused_request_is_not_a_decline(status: int, body: Any) -> None:
    with pytest.raises(PaymentsUnavailable, match=f"{status}.*req_1: said by Stripe"):
        gateway((status, body), (200, {"id": "cus_1", "object": "customer"}))[0].charge(CHARGE)


def test_a_strange_answer_is_not_quoted() -> None:
    with pytest.raises(PaymentsUnavailable) as unavailable:
        gateway((503, "<html>no server is available</html>"))[0].read_payment("pi_1")
    assert str(unavailable.value) == "APIError 503"


def test_a_missing_card_of_a_customer_we_know_is_declined() -> None:
    gone = refusal(code="resource_missing", param="payment_method")
    customer = {"id": "cus_1", "object": "customer"}
    outcome = gateway((400, gone), (200, customer))[0].charge(CHARGE)
    assert isinstance(outcome, Declined)
    assert (outcome.may_retry, outcome.code) == (False, "resource_missing")


@pytest.mark.parametrize(
    "customer",
    [
        (404, refusal(code="resource_missing", param="id")),
        (200, {"id": "cus_1", "object": "customer", "deleted": True}),
        (401, refusal()),
    ],
)
def test_a_missing_card_without_its_customer_is_our_mistake(customer: tuple[int, Any]) -> None:
    gone = refusal(code="resource_missing", param="payment_method")
    with pytest.raises(PaymentsUnavailable):
        gateway((400, gone), customer)[0].charge(CHARGE)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"status": "processing"}, Unknown("pi_1 is processing")),
        ({"status": "requires_capture"}, Unknown("pi_1 is requires_capture")),
        ({"status": "invented_later"}, Unknown("pi_1 is invented_later")),
        ({"status": "requires_payment_method"}, Unknown("pi_1 is requires_payment_method")),
        ({"status": "requires_action"}, NeedsAuthentication("pi_1")),
        ({"status": "requires_confirmation"}, NeedsAuthentication("pi_1")),
        (
            {
                "status": "requires_payment_method",
                "last_payment_error": {"code": "authentication_required"},
            },
            NeedsAuthentication("pi_1"),
        ),
    ],
)
def test_what_a_status_means(changes: dict[str, Any], outcome: ChargeOutcome) -> None:
    payments, _ = gateway((200, INTENT | changes))
    assert payments.charge(CHARGE) == outcome
    assert payments.read_payment("pi_1").outcome == outcome


def test_advice_is_taken_from_the_charge_when_the_error_has_none() -> None:
    declined = INTENT | {
        "status": "requires_payment_method",
        "last_payment_error": {"code": "card_declined", "decline_code": "pickup_card"},
        "latest_charge": {
            "id": "ch_1",
            "object": "charge",
            "outcome": {"advice_code": "do_not_try_again"},
        },
    }
    payments, network = gateway((200, declined))
    outcome = payments.read_payment("pi_1").outcome
    assert isinstance(outcome, Declined)
    assert network.sent[0][1].endswith("?expand[0]=latest_charge")
    assert (outcome.advice_code, outcome.may_retry) == ("do_not_try_again", False)


def test_a_card_error_of_few_words() -> None:
    outcome = gateway((402, {"error": {"type": "card_error"}}))[0].charge(CHARGE)
    assert isinstance(outcome, Declined)
    assert (outcome.reference, outcome.code, outcome.may_retry) == (None, None, True)
