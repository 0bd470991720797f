"""What we make of Stripe's answers about money that no test card can cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.domain.declines import DeclineReason
from portal.domain.errors import PaymentsUnavailable
from portal.domain.payments import ChargeOutcome, Declined, NeedsAuthentication, Paid, Unknown
from portal.domain.refunds import Refunded, RefundStatus
from portal.gateways.stripe_payments import StripePayments
from tests.gateways.canned import (
    CHARGE,
    INTENT,
    METHOD,
    NO_ANSWER,
    REFUND,
    gateway,
    refusal,
)


@pytest.mark.parametrize(("status", "body"), NO_ANSWER)
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
    assert network.sent[0][1].endswith("?expand[0]=latest_charge&expand[1]=payment_method")
    assert (outcome.advice_code, outcome.may_retry) == ("do_not_try_again", False)


def test_a_card_error_of_few_words() -> None:
    outcome = gateway((402, {"error": {"type": "card_error"}}))[0].charge(CHARGE)
    assert isinstance(outcome, Declined)
    assert (outcome.reference, outcome.code, outcome.may_retry) == (None, None, True)


@pytest.mark.parametrize(
    ("action", "url"),
    [
        ({"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank"}}, "https://bank"),
        ({"type": "redirect_to_url", "redirect_to_url": {"url": None}}, None),
        ({"type": "redirect_to_url", "redirect_to_url": None}, None),
        ({"type": "use_stripe_sdk", "use_stripe_sdk": {}}, None),
        ({"type": "invented_later"}, None),
        (None, None),
    ],
)
def test_where_the_bank_asks(action: Any, url: str | None) -> None:
    waiting = INTENT | {"status": "requires_action", "next_action": action}
    payments, _ = gateway((200, waiting))
    assert payments.read_payment("pi_1").outcome == NeedsAuthentication("pi_1", url)
    told = payments.authenticate("pi_1", "pm_1", "https://portal.test/back", "auth-1")
    assert told == NeedsAuthentication("pi_1", url)


OTHER_STATE = refusal(code="payment_intent_unexpected_state")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("succeeded", Paid("pi_1")),
        ("canceled", Declined(DeclineReason.REFUSED, may_retry=False, reference="pi_1")),
        ("processing", None),
        ("requires_action", None),
        ("requires_payment_method", None),
        ("invented_later", None),
    ],
)
def test_what_cannot_be_called_off_has_ended_or_is_unknown(
    status: str, outcome: ChargeOutcome | None
) -> None:
    error = {"code": "card_declined", "decline_code": "generic_decline"}
    now = INTENT | {"status": status, "last_payment_error": error}
    told = gateway((400, OTHER_STATE), (200, now))[0].cancel_payment("pi_1")
    assert told == (
        outcome or Unknown(f"InvalidRequestError 400 {OTHER_STATE['error']['code']} req_1")
    )


@pytest.mark.parametrize(
    "ask",
    [
        lambda payments: payments.cancel_payment("pi_1"),
        lambda payments: payments.refund(REFUND),
        lambda payments: payments.authenticate(
            "pi_1", "pm_1", "https://portal.test/back", "auth-1"
        ),
    ],
)
@pytest.mark.parametrize(("status", "body"), NO_ANSWER)
def test_no_clear_answer_about_money_is_unknown(
    ask: Callable[[StripePayments], Any], status: int, body: Any
) -> None:
    assert isinstance(ask(gateway((status, body))[0]), Unknown)


@pytest.mark.parametrize(
    "ask",
    [
        lambda payments: payments.cancel_payment("pi_1"),
        lambda payments: payments.refund(REFUND),
        lambda payments: payments.authenticate(
            "pi_1", "pm_1", "https://portal.test/back", "auth-1"
        ),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_request_about_money_is_our_mistake(
    ask: Callable[[StripePayments], Any], status: int
) -> None:
    with pytest.raises(PaymentsUnavailable, match=f"{status}.*req_1: said by Stripe"):
        ask(gateway((status, refusal(code="parameter_unknown", param="x")))[0])


def test_a_payment_that_ended_meanwhile_needs_no_authentication() -> None:
    payments, _ = gateway((400, OTHER_STATE), (200, INTENT))
    told = payments.authenticate("pi_1", "pm_1", "https://portal.test/back", "auth-1")
    assert told == Paid("pi_1")


@pytest.mark.parametrize(
    ("changes", "status", "failure"),
    [
        ({"status": "succeeded"}, RefundStatus.SUCCEEDED, ""),
        ({"status": "succeeded", "failure_reason": "unknown"}, RefundStatus.SUCCEEDED, ""),
        ({"status": "pending"}, RefundStatus.PENDING, ""),
        ({"status": "requires_action"}, RefundStatus.PENDING, ""),
        ({"status": "invented_later"}, RefundStatus.PENDING, ""),
        ({"status": None}, RefundStatus.PENDING, ""),
        (
            {"status": "failed", "failure_reason": "lost_or_stolen_card"},
            RefundStatus.FAILED,
            "lost_or_stolen_card",
        ),
        ({"status": "failed"}, RefundStatus.FAILED, "failed"),
        ({"status": "canceled"}, RefundStatus.FAILED, "canceled"),
    ],
)
def test_what_a_refund_means(changes: dict[str, Any], status: RefundStatus, failure: str) -> None:
    of = {"amount": 100, "currency": "usd", "payment_intent": "pi_1", "metadata": {}}
    payments, _ = gateway((200, {"id": "re_1", "object": "refund"} | of | changes))
    refunded = Refunded("re_1", status, failure)
    assert payments.refund(REFUND) == refunded
    assert payments.read_refund("re_1").stands == refunded


@pytest.mark.parametrize(
    ("error", "refunded"),
    [
        ({"code": "charge_already_refunded"}, Refunded(None, RefundStatus.SUCCEEDED)),
        ({"code": "charge_disputed"}, Refunded(None, RefundStatus.FAILED, "charge_disputed")),
        (
            {"code": "refund_disputed_payment"},
            Refunded(None, RefundStatus.FAILED, "refund_disputed_payment"),
        ),
        (
            {"code": "charge_not_refundable"},
            Refunded(None, RefundStatus.FAILED, "charge_not_refundable"),
        ),
        ({"param": "amount"}, Refunded(None, RefundStatus.FAILED, "amount_too_large")),
        (
            {"param": "amount", "code": "amount_too_large"},
            Refunded(None, RefundStatus.FAILED, "amount_too_large"),
        ),
    ],
)
def test_money_that_does_not_go_back(error: dict[str, Any], refunded: Refunded) -> None:
    assert gateway((400, refusal(**error)))[0].refund(REFUND) == refunded


@pytest.mark.parametrize(
    "error",
    [
        {"param": "amount", "code": "parameter_invalid_integer"},
        {"param": "payment_intent"},
        {"param": "payment_intent", "code": "resource_missing"},
        {"code": "balance_insufficient"},
    ],
)
def test_a_refund_that_may_be_asked_for_again(error: dict[str, Any]) -> None:
    with pytest.raises(PaymentsUnavailable):
        gateway((400, refusal(**error)))[0].refund(REFUND)


def test_a_look_up_tells_as_much_as_reading() -> None:
    found = INTENT | {"payment_method": METHOD}
    listed = {"object": "list", "data": [found], "has_more": False, "url": "/v1/payment_intents"}
    payments, network = gateway((200, listed))
    news = payments.find_payment(CHARGE, 60)
    assert news is not None
    assert news.card is not None
    assert "expand[0]=data.latest_charge&expand[1]=data.payment_method" in network.sent[0][1]


def test_a_card_that_only_tried_has_not_paid() -> None:
    waiting = INTENT | {"status": "requires_action", "payment_method": METHOD}
    assert gateway((200, waiting))[0].read_payment("pi_1").card is None
