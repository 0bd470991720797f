"""Money given back through Stripe."""

from __future__ import annotations

import stripe

from portal.domain.money import Money
from portal.domain.payments import RefundOutcome, Unknown
from portal.domain.refunds import DISPUTED, Refund, Refunded, RefundNews, RefundStatus
from portal.gateways.stripe_answers import (
    NO_ANSWER,
    id_of,
    labels_of,
    refusals,
    text,
    trace,
    unavailable,
)
from portal.gateways.stripe_connection import StripeConnection

BEFORE = "charge_already_refunded"
NOT_REFUNDABLE = "charge_not_refundable"
TOO_MUCH = "amount_too_large"
_STATUSES = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,  # the money stays with us
}
"""Any other, also one that is invented later, is on its way."""


class StripeRefunds(StripeConnection):
    """Stripe's refunds."""

    def refund(self, refund: Refund) -> RefundOutcome:
        """Source: reference/stripe.md §4.10."""
        try:
            made = self._stripe.refunds.create(
                {
                    "payment_intent": refund.payment_ref,
                    "amount": refund.amount.minor,
                    "reason": "requested_by_customer",
                    "metadata": refund.labels,
                },
                {"idempotency_key": refund.key},
            )
        except NO_ANSWER as error:
            return Unknown(trace(error))
        except stripe.InvalidRequestError as error:
            return _not_refunded(error)
        except stripe.StripeError as error:
            raise unavailable(error) from error
        return _refunded(made)

    def read_refund(self, reference: str) -> RefundNews:
        with refusals():
            return _news(self._stripe.refunds.retrieve(reference))

    def refunds_of(self, payment_ref: str) -> tuple[RefundNews, ...]:
        with refusals():
            listed = self._stripe.refunds.list({"payment_intent": payment_ref, "limit": 100})
            newest_first = [_news(refund) for refund in listed.auto_paging_iter()]
        return tuple(reversed(newest_first))


def _news(refund: stripe.Refund) -> RefundNews:
    return RefundNews(
        stands=_refunded(refund),
        amount=Money(refund.amount, refund.currency),
        payment_ref=id_of(refund.payment_intent),
        labels=labels_of(refund),
    )


def _refunded(refund: stripe.Refund) -> Refunded:
    said = text(refund, "status") or ""
    status = _STATUSES.get(said, RefundStatus.PENDING)
    failed = status is RefundStatus.FAILED
    return Refunded(refund.id, status, (text(refund, "failure_reason") or said) if failed else "")


def _not_refunded(error: stripe.InvalidRequestError) -> Refunded:
    """What a refused refund means. Raises PaymentsUnavailable when the request was wrong.

    More than is left has no code at Stripe, only the parameter that it is about.
    """
    if error.code == BEFORE:
        return Refunded(None, RefundStatus.SUCCEEDED)
    if error.code in (*DISPUTED, NOT_REFUNDABLE):
        return Refunded(None, RefundStatus.FAILED, error.code)
    if error.param == "amount" and error.code in (None, TOO_MUCH):
        return Refunded(None, RefundStatus.FAILED, TOO_MUCH)
    raise unavailable(error) from error
