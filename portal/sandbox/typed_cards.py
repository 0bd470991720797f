"""Reads what a customer types into the hosted page, and the test cards it offers instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.sandbox import cards
from portal.sandbox.cards import Card, Decline
from portal.sandbox.errors import CardError

FIELDS = ("number", "exp", "cvc")
_EXPIRY = re.compile(r"^(\d{1,2})\s*[/\-. ]?\s*(\d{2}|\d{4})$")
_NO_NUMBER = Decline("incomplete_number", "Your card number is incomplete.", param="number")
_NO_EXPIRY = Decline(
    "incomplete_expiry", "Your card's expiration date is incomplete.", param="exp_month"
)
_NO_CVC = Decline("incomplete_cvc", "Your card's security code is incomplete.", param="cvc")
OFFERED = {
    "Succeeds": {
        "visa": "Visa",
        "visa_debit": "Visa debit",
        "mastercard": "Mastercard",
        "amex": "American Express",
    },
    "Asks for 3-D Secure": {
        "authenticationRequiredOnSetup": "Until it is saved",
        "authenticationRequired": "Every time",
        "authenticationRequiredSetupForOffSession": "Only while you are here",
        "authenticationRequiredChargeDeclinedInsufficientFunds": "Then insufficient funds",
        "threeDSecure2Required": "3-D Secure 2",
        "threeDSecureRequiredChargeDeclined": "Then declined",
    },
    "Declined": {
        "chargeDeclined": "Declined",
        "visa_chargeDeclinedInsufficientFunds": "Insufficient funds",
        "visa_chargeDeclinedLostCard": "Lost card",
        "visa_chargeDeclinedStolenCard": "Stolen card",
        "chargeDeclinedExpiredCard": "Expired card",
        "chargeDeclinedIncorrectCvc": "Incorrect security code",
        "chargeDeclinedProcessingError": "Processing error",
        "visa_chargeDeclinedVelocityLimitExceeded": "Used too often",
        "chargeCustomerFail": "Can be saved, never charged",
        "radarBlock": "Blocked as fraud",
    },
    "Trouble afterwards": {
        "createDispute": "Disputed as fraud",
        "createDisputeProductNotReceived": "Disputed as not received",
        "createDisputeInquiry": "Bank inquires",
        "pendingRefund": "Refund stays pending",
        "refundFail": "Refund fails",
    },
}
"""Group -> name of a test card -> what its button says."""


@dataclass(slots=True)
class Typed:
    """A card as it was typed; `problems` has words for each field that will not do."""

    shown: dict[str, str]
    problems: dict[str, str] = field(default_factory=dict)
    card: Card | None = None
    month: int = 0
    year: int = 0


def read(form: Mapping[str, str], now: int) -> Typed:
    """`now` is in epoch seconds."""
    typed = Typed({name: form.get(name, "").strip() for name in FIELDS})
    typed.card = _try(typed, "number", _card)
    typed.month, typed.year = _try(typed, "exp", lambda text: _expiry(text, now)) or (0, 0)
    _try(typed, "cvc", lambda text: _check_cvc(text, typed.card))
    return typed


def filled(name: str) -> dict[str, str]:
    """What the fields hold for one of the offered cards; empty for any other name."""
    card = cards.named(name)
    if card is None:
        return dict.fromkeys(FIELDS, "")
    groups = re.findall(".{1,4}", card.number)
    cvc = "1234" if card.brand == "amex" else "123"
    return {"number": " ".join(groups), "exp": "12 / 40", "cvc": cvc}


def _try(typed: Typed, name: str, reading: Callable[[str], Any]) -> Any:
    try:
        return reading(typed.shown[name])
    except CardError as error:
        typed.problems[name] = str(error)
        return None


def _card(text: str) -> Card:
    if not text:
        raise _NO_NUMBER.error()
    return cards.numbered(text)


def _expiry(text: str, now: int) -> tuple[int, int]:
    found = _EXPIRY.match(text)
    if found is None:
        raise _NO_EXPIRY.error()
    month = int(found[1])
    return month, cards.full_year(month, int(found[2]), now)


def _check_cvc(text: str, card: Card | None) -> None:
    if not text:
        raise _NO_CVC.error()
    length = 4 if card is not None and card.brand == "amex" else 3
    if not text.isdigit() or len(text) != length:
        raise cards.INVALID_CVC.error()
