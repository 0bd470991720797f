"""What Stripe's objects and errors mean in the portal's own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from portal.domain.declines import DeclineReason, may_retry, reason_for
from portal.domain.errors import NotFound, PaymentsUnavailable, PortalError
from portal.domain.payments import (
    CardRefused,
    ChargeOutcome,
    Declined,
    NeedsAuthentication,
    Paid,
    SavedCard,
    Unknown,
)

NO_ANSWER = (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError)
AUTHENTICATE = "authentication_required"
MISSING = "resource_missing"


def outcome_of(intent: stripe.PaymentIntent) -> ChargeOutcome:
    """What a payment's status means to us; a status we do not know is Unknown."""
    match intent.status:
        case "succeeded":
            return Paid(intent.id)
        case "requires_action" | "requires_confirmation":
            return NeedsAuthentication(intent.id, _bank_page(intent))
        case "requires_payment_method" if intent.last_payment_error is not None:
            return refused(intent.last_payment_error, intent.id, _bank_advice(intent))
        case "canceled":  # somebody called it off: not ours to try again
            return Declined(DeclineReason.REFUSED, may_retry=False, reference=intent.id)
        case _:
            return Unknown(f"{intent.id} is {intent.status}")


def outcome_of_error(error: stripe.StripeError) -> ChargeOutcome:
    """What an error says about the payment that was asked for.

    Raises PaymentsUnavailable when the request itself was refused.
    """
    if isinstance(error, stripe.CardError):
        return refused(error.error, text(getattr(error.error, "payment_intent", None), "id"))
    if isinstance(error, NO_ANSWER):
        return Unknown(trace(error))
    raise unavailable(error) from error


def refused(
    error: stripe.StripeObject | None, reference: str | None, advice: str | None = None
) -> Declined | NeedsAuthentication:
    """A refused payment, from the error that tells of it; `advice` when the error has none."""
    told = declined(error, reference, advice)
    if reference and AUTHENTICATE in (told.code, told.decline_code):
        return NeedsAuthentication(reference)
    return told


def declined(
    error: stripe.StripeObject | None, reference: str | None = None, advice: str | None = None
) -> Declined:
    code, decline_code = text(error, "code"), text(error, "decline_code")
    advice_code = text(error, "advice_code") or advice
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
    return text(getattr(intent.latest_charge, "outcome", None), "advice_code")


def _bank_page(intent: stripe.PaymentIntent) -> str | None:
    """Where the bank asks; None where only Stripe's own JavaScript could go."""
    action = getattr(intent, "next_action", None)
    return text(getattr(action, "redirect_to_url", None), "url")


def saved(method: stripe.PaymentMethod) -> SavedCard:
    """Raises PaymentsUnavailable for anything but a card."""
    card = card_in(method)
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


def kept(method: object) -> SavedCard | None:
    """An expanded payment method, if it is a card that a customer still has."""
    if not isinstance(method, stripe.PaymentMethod) or card_in(method) is None:
        return None
    return saved(method) if method.customer else None


def card_in(method: stripe.PaymentMethod) -> stripe.PaymentMethod.Card | None:
    """None for anything else: Stripe leaves the key out then."""
    card: stripe.PaymentMethod.Card | None = getattr(method, "card", None)
    return card


def text(thing: Any, name: str) -> str | None:
    """A text of Stripe's, None where the object or the key is absent."""
    value = getattr(thing, name, None)
    return value if isinstance(value, str) else None


def id_of(thing: object) -> str | None:
    """The id of what Stripe names by its id or, expanded, by itself."""
    return thing if isinstance(thing, str) else text(thing, "id")


def labels_of(thing: Any) -> dict[str, str]:
    metadata: stripe.StripeObject | None = thing.metadata
    return metadata.to_dict() if metadata is not None else {}


@contextmanager
def refusals() -> Iterator[None]:
    """Stripe's errors as ours, for requests that move no money."""
    try:
        yield
    except stripe.StripeError as error:
        raise translated(error) from error


def translated(error: stripe.StripeError) -> PortalError:
    if isinstance(error, stripe.CardError):
        return CardRefused(declined(error.error))
    if text(error.error, "code") == MISSING and error.http_status == 404:
        return NotFound(error.user_message)
    return unavailable(error)


def unavailable(error: stripe.StripeError) -> PaymentsUnavailable:
    told = f": {error.user_message}" if error.error else ""  # else it would quote a whole body
    return PaymentsUnavailable(trace(error) + told)


def trace(error: stripe.StripeError) -> str:
    """What an operator needs to find the request at Stripe, and nothing of its body."""
    parts = (type(error).__name__, error.http_status, text(error.error, "code"), error.request_id)
    return " ".join(str(part) for part in parts if part)
