"""Payments at Stripe: made with a saved card, authenticated, called off, read and found again."""

from __future__ import annotations

import stripe
from stripe.params import PaymentIntentCreateParams, PaymentIntentListParams

from portal.domain.declines import DeclineReason
from portal.domain.money import Money
from portal.domain.payments import Charge, ChargeOutcome, Declined, Paid, PaymentNews, Unknown
from portal.gateways.stripe_answers import (
    kept,
    labels_of,
    outcome_of,
    outcome_of_error,
    refusals,
    trace,
    translated,
    unavailable,
)
from portal.gateways.stripe_connection import StripeConnection

CLOCK_SKEW_S = 300  # how far our clock and Stripe's may differ when a charge is looked up
OTHER_STATE = "payment_intent_unexpected_state"
ENDED = ("succeeded", "canceled")


class StripeCharges(StripeConnection):
    """Stripe's payment intents."""

    def charge(self, charge: Charge) -> ChargeOutcome:
        """Source: reference/stripe.md §4.3 to §4.6."""
        try:
            intent = self._stripe.payment_intents.create(
                _off_session(charge), {"idempotency_key": charge.key}
            )
        except stripe.InvalidRequestError as error:
            if self._card_is_gone(error, charge):
                return Declined(DeclineReason.REFUSED, may_retry=False, code=error.code)
            raise unavailable(error) from error
        except stripe.StripeError as error:
            return outcome_of_error(error)
        return outcome_of(intent)

    def authenticate(
        self, reference: str, card_ref: str, return_url: str, key: str
    ) -> ChargeOutcome:
        """Source: reference/stripe.md §4.4 (b)."""
        try:
            intent = self._stripe.payment_intents.confirm(
                reference,
                {"payment_method": card_ref, "return_url": return_url},
                {"idempotency_key": key},
            )
        except stripe.InvalidRequestError as error:
            if error.code == OTHER_STATE:
                return self.read_payment(reference).outcome
            if error.param == "payment_method":
                return Declined(DeclineReason.REFUSED, False, reference, code=error.code)
            raise translated(error) from error
        except stripe.StripeError as error:
            return outcome_of_error(error)
        return outcome_of(intent)

    def cancel_payment(self, reference: str) -> ChargeOutcome:
        """No key of ours: twice is once here, and an error kept for a key would last a day."""
        try:
            intent = self._stripe.payment_intents.cancel(
                reference, {"cancellation_reason": "abandoned"}
            )
        except stripe.InvalidRequestError as error:
            return self._not_cancelled(error, reference)
        except stripe.StripeError as error:
            return outcome_of_error(error)
        return outcome_of(intent)

    def find_payment(self, charge: Charge, since_s: int) -> PaymentNews | None:
        if not charge.labels:
            raise ValueError("a charge without labels cannot be told from another")
        wanted: PaymentIntentListParams = {
            "customer": charge.customer_ref,
            "created": {"gte": int(self._wall_now()) - since_s - CLOCK_SKEW_S},
            "expand": ["data.latest_charge", "data.payment_method"],
            "limit": 100,
        }
        with refusals():
            intents = self._stripe.payment_intents.list(wanted).auto_paging_iter()
            news = [_news(intent) for intent in intents if _carries(intent, charge.labels)]
        return next((n for n in news if isinstance(n.outcome, Paid)), news[0] if news else None)

    def read_payment(self, reference: str) -> PaymentNews:
        return _news(self._intent(reference))

    def _intent(self, reference: str) -> stripe.PaymentIntent:
        with refusals():
            return self._stripe.payment_intents.retrieve(
                reference, {"expand": ["latest_charge", "payment_method"]}
            )

    def _not_cancelled(self, error: stripe.InvalidRequestError, reference: str) -> ChargeOutcome:
        """Too late, called off already, or it can still take money and must not seem ended."""
        if error.code != OTHER_STATE:
            raise translated(error) from error
        intent = self._intent(reference)
        return outcome_of(intent) if intent.status in ENDED else Unknown(trace(error))

    def _card_is_gone(self, error: stripe.InvalidRequestError, charge: Charge) -> bool:
        """Whether Stripe refused the card itself, detached or deleted elsewhere.

        The customer must be there: with the key of another account nothing of ours is.
        """
        if error.param != "payment_method":
            return False
        try:
            customer = self._stripe.customers.retrieve(charge.customer_ref)
        except stripe.StripeError:
            return False
        return not getattr(customer, "deleted", False)


def _off_session(charge: Charge) -> PaymentIntentCreateParams:
    return {
        "amount": charge.amount.minor,
        "currency": charge.amount.currency,
        "customer": charge.customer_ref,
        "payment_method": charge.card_ref,  # always named: Stripe applies no default
        "off_session": True,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "description": charge.description,
        "metadata": charge.labels,
    }


def _news(intent: stripe.PaymentIntent) -> PaymentNews:
    outcome = outcome_of(intent)
    card = kept(getattr(intent, "payment_method", None)) if isinstance(outcome, Paid) else None
    return PaymentNews(outcome, Money(intent.amount, intent.currency), labels_of(intent), card)


def _carries(intent: stripe.PaymentIntent, labels: dict[str, str]) -> bool:
    return labels.items() <= labels_of(intent).items()
