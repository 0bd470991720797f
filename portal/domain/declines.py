"""What a refused card means, in reasons a customer can act on."""

from __future__ import annotations

from enum import StrEnum


class DeclineReason(StrEnum):
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    INCORRECT_DETAILS = "incorrect_details"
    PROCESSING_ERROR = "processing_error"
    NOT_SUPPORTED = "not_supported"
    AUTHENTICATION_FAILED = "authentication_failed"
    REFUSED = "refused"


_BY_CODE: dict[str, DeclineReason] = {
    "insufficient_funds": DeclineReason.INSUFFICIENT_FUNDS,
    "withdrawal_count_limit_exceeded": DeclineReason.INSUFFICIENT_FUNDS,
    "card_velocity_exceeded": DeclineReason.INSUFFICIENT_FUNDS,
    "expired_card": DeclineReason.EXPIRED_CARD,
    "incorrect_cvc": DeclineReason.INCORRECT_DETAILS,
    "incorrect_number": DeclineReason.INCORRECT_DETAILS,
    "invalid_expiry_month": DeclineReason.INCORRECT_DETAILS,
    "invalid_expiry_year": DeclineReason.INCORRECT_DETAILS,
    "processing_error": DeclineReason.PROCESSING_ERROR,
    "issuer_not_available": DeclineReason.PROCESSING_ERROR,
    "try_again_later": DeclineReason.PROCESSING_ERROR,
    "card_not_supported": DeclineReason.NOT_SUPPORTED,
    "currency_not_supported": DeclineReason.NOT_SUPPORTED,
    "payment_intent_authentication_failure": DeclineReason.AUTHENTICATION_FAILED,
    "setup_intent_authentication_failure": DeclineReason.AUTHENTICATION_FAILED,
    "authentication_failure": DeclineReason.AUTHENTICATION_FAILED,
}


def reason_for(code: str | None, decline_code: str | None) -> DeclineReason:
    """The customer's reason for a processor's codes.

    Lost, stolen and suspected cards are all REFUSED, so that nobody learns which it was.
    Source: reference/stripe.md §4.5.
    """
    for given in (decline_code, code):
        if given in _BY_CODE:
            return _BY_CODE[given]
    return DeclineReason.REFUSED


_NEVER_AGAIN = frozenset({"lost_card", "stolen_card", "pickup_card", "fraudulent"})


def may_retry(advice_code: str | None, decline_code: str | None = None) -> bool:
    """False when another attempt with this card is forbidden. Source: stripe.md §4.5."""
    return advice_code != "do_not_try_again" and decline_code not in _NEVER_AGAIN
