"""Stripe as the portal's payment gateway; nothing of Stripe's library leaves this module."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe
from stripe.params import PaymentIntentCreateParams, PaymentIntentListParams

from portal.domain.declines import DeclineReason, may_retry, reason_for
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import (
    CardRefused,
    Charge,
    ChargeOutcome,
    Declined,
    NeedsAuthentication,
    Paid,
    PaymentNews,
    SavedCard,
    Unknown,
)

TIMEOUT_S = (3.05, 20.0)  # to connect, to answer; the library's 80 s would hang a page for minutes
NETWORK_RETRIES = 2
CLOCK_SKEW_S = 300  # how far our clock and Stripe's may differ when a charge is looked up
AUTHENTICATE = "authentication_required"
MISSING = "resource_missing"


def stripe_client(secret_key: str, api_base: str | None = None) -> stripe.StripeClient:
    """A client of Stripe, or of the server at `api_base` that speaks its API."""
    stripe.enable_telemetry = False  # it writes to the home folder and sends timings
    return stripe.StripeClient(
        secret_key,
        max_network_retries=NETWORK_RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_S),
        base_addresses={"api": api_base.rstrip("/")} if api_base else None,
    )


class StripePayments:
    """PaymentGateway over Stripe. `wall_now`: epoch seconds, never an account's own clock."""

    def __init__(
        self, client: stripe.StripeClient, wall_now: Callable[[], float] = time.time
    ) -> None:
        self._stripe = client.v1
        self._wall_now = wall_now

    def create_customer(self, key: str, name: str, email: str, labels: dict[str, str]) -> str:
        with _refusals():
            customer = self._stripe.customers.create(
                {"name": name, "email": email, "metadata": labels}, {"idempotency_key": key}
            )
        return customer.id

    def save_card(self, customer_ref: str, card_token: str, key: str) -> SavedCard:
        with _refusals():
            method = self._stripe.payment_methods.attach(
                card_token, {"customer": customer_ref}, {"idempotency_key": key}
            )
            self._stripe.customers.update(
                customer_ref,
                {"invoice_settings": {"default_payment_method": method.id}},
                {"idempotency_key": f"{key}:default"},
            )
        return _saved(method)

    def charge(self, charge: Charge) -> ChargeOutcome:
        """Source: reference/stripe.md §4.3 to §4.6."""
        try:
            intent = self._stripe.payment_intents.create(
                _off_session(charge), {"idempotency_key": charge.key}
            )
        except stripe.CardError as error:
            return _refused(error.error, _intent_id(error))
        except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError) as error:
            return Unknown(_trace(error))
        except stripe.InvalidRequestError as error:
            if self._card_is_gone(error, charge):
                return Declined(DeclineReason.REFUSED, may_retry=False, code=error.code)
            raise _unavailable(error) from error
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        return _outcome(intent)

    def find_payment(self, charge: Charge, since_s: int) -> PaymentNews | None:
        if not charge.labels:
            raise ValueError("a charge without labels cannot be told from another")
        wanted: PaymentIntentListParams = {
            "customer": charge.customer_ref,
            "created": {"gte": int(self._wall_now()) - since_s - CLOCK_SKEW_S},
            "expand": ["data.latest_charge"],
            "limit": 100,
        }
        with _refusals():
            intents = self._stripe.payment_intents.list(wanted).auto_paging_iter()
            news = [_news(intent) for intent in intents if _carries(intent, charge.labels)]
        return next((n for n in news if isinstance(n.outcome, Paid)), news[0] if news else None)

    def read_payment(self, reference: str) -> PaymentNews:
        with _refusals():
            intent = self._stripe.payment_intents.retrieve(reference, {"expand": ["latest_charge"]})
        return _news(intent)

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


def _outcome(intent: stripe.PaymentIntent) -> ChargeOutcome:
    """What a payment's status means to us; a status we do not know is Unknown."""
    match intent.status:
        case "succeeded":
            return Paid(intent.id)
        case "requires_action" | "requires_confirmation":
            return NeedsAuthentication(intent.id)
        case "requires_payment_method" if intent.last_payment_error is not None:
            return _refused(intent.last_payment_error, intent.id, _bank_advice(intent))
        case "canceled":  # somebody called it off: not ours to try again
            return Declined(DeclineReason.REFUSED, may_retry=False, reference=intent.id)
        case _:
            return Unknown(f"{intent.id} is {intent.status}")


def _refused(
    error: stripe.StripeObject | None, reference: str | None, advice: str | None = None
) -> Declined | NeedsAuthentication:
    """A refused payment, from the error that tells of it; `advice` when the error has none."""
    declined = _declined(error, reference, advice)
    if reference and AUTHENTICATE in (declined.code, declined.decline_code):
        return NeedsAuthentication(reference)
    return declined


def _declined(
    error: stripe.StripeObject | None, reference: str | None = None, advice: str | None = None
) -> Declined:
    code, decline_code = _text(error, "code"), _text(error, "decline_code")
    advice_code = _text(error, "advice_code") or advice
    return Declined(
        reason=reason_for(code, decline_code),
        may_retry=may_retry(advice_code, decline_code),
        reference=reference,
        code=code,
        decline_code=decline_code,
        advice_code=advice_code,
    )


def _bank_advice(intent: stripe.PaymentIntent) -> str | None:
    """The advice kept with the charge, when it was asked for with the payment."""
    return _text(getattr(intent.latest_charge, "outcome", None), "advice_code")


def _intent_id(error: stripe.CardError) -> str | None:
    return _text(getattr(error.error, "payment_intent", None), "id")


def _text(thing: Any, name: str) -> str | None:
    """A text of Stripe's, None where the object or the key is absent."""
    value = getattr(thing, name, None)
    return value if isinstance(value, str) else None


def _news(intent: stripe.PaymentIntent) -> PaymentNews:
    amount = Money(intent.amount, intent.currency)
    return PaymentNews(_outcome(intent), amount, intent.metadata.to_dict())


def _carries(intent: stripe.PaymentIntent, labels: dict[str, str]) -> bool:
    return labels.items() <= intent.metadata.to_dict().items()


def _saved(method: stripe.PaymentMethod) -> SavedCard:
    card = method.card
    if card is None:
        raise PaymentsUnavailable(f"{method.id} is a {method.type}, not a card")
    return SavedCard(
        reference=method.id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=card.fingerprint or "",
    )


@contextmanager
def _refusals() -> Iterator[None]:
    """Stripe's errors as ours, for requests that move no money."""
    try:
        yield
    except stripe.CardError as error:
        raise CardRefused(_declined(error.error)) from error
    except stripe.StripeError as error:
        if _text(error.error, "code") == MISSING and error.http_status == 404:
            raise NotFound(error.user_message) from error
        raise _unavailable(error) from error


def _unavailable(error: stripe.StripeError) -> PaymentsUnavailable:
    told = f": {error.user_message}" if error.error else ""  # else it would quote a whole body
    return PaymentsUnavailable(_trace(error) + told)


def _trace(error: stripe.StripeError) -> str:
    """What an operator needs to find the request at Stripe, and nothing of its body."""
    parts = (type(error).__name__, error.http_status, _text(error.error, "code"), error.request_id)
    return " ".join(str(part) for part in parts if part)
