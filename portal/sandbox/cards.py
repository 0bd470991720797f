"""Stripe's published test cards and what each of them does. Source: docs.stripe.com/testing."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from enum import Enum, auto

from portal.sandbox.errors import CardError


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a charge, or the saving of a card, is refused."""

    code: str
    message: str
    decline_code: str | None = None
    advice_code: str | None = None
    param: str | None = None
    blocked: bool = False  # by Radar: the bank was never asked

    def error(self) -> CardError:
        return CardError(
            self.message,
            code=self.code,
            decline_code=self.decline_code,
            advice_code=self.advice_code,
            param=self.param,
        )


class Authentication(Enum):
    """When a card asks for 3-D Secure. All but NEVER challenge every on-session payment."""

    NEVER = auto()
    UNLESS_SET_UP = auto()  # off-session works once it was saved for off-session use
    SET_UP_ALREADY = auto()  # off-session always works
    ALWAYS = auto()


class Refunding(Enum):
    """What becomes of a refund to a card."""

    AT_ONCE = auto()
    PENDING = auto()  # succeeds a while later
    FAILS = auto()  # seems to succeed, fails a while later


class Disputing(Enum):
    """How the cardholder disputes a charge; the value is Stripe's reason."""

    FRAUDULENT = "fraudulent"
    NOT_RECEIVED = "product_not_received"
    INQUIRY = "general"  # only a question of the bank: no money is taken


def _refused(decline_code: str, advice_code: str, blocked: bool = False) -> Decline:
    message = "Your card was declined."
    return Decline("card_declined", message, decline_code, advice_code, blocked=blocked)


GENERIC = _refused("generic_decline", "try_again_later")
INSUFFICIENT_FUNDS = Decline(
    "card_declined", "Your card has insufficient funds.", "insufficient_funds", "try_again_later"
)
LOST = _refused("lost_card", "do_not_try_again")
STOLEN = _refused("stolen_card", "do_not_try_again")
FRAUDULENT = _refused("fraudulent", "do_not_try_again", blocked=True)
VELOCITY = Decline(
    "card_declined",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount "
    "limit.",
    "card_velocity_exceeded",
    "try_again_later",
)
EXPIRED = Decline(
    "expired_card", "Your card has expired.", None, "confirm_card_data", param="exp_month"
)
INCORRECT_CVC = Decline(
    "incorrect_cvc",
    "Your card's security code is incorrect.",
    None,
    "confirm_card_data",
    param="cvc",
)
INVALID_CVC = Decline("invalid_cvc", "Your card's security code is invalid.", param="cvc")
PROCESSING_ERROR = Decline(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    None,
    "try_again_later",
)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again.",
)
SETUP_AUTHENTICATION_FAILED = Decline(
    "setup_intent_authentication_failure",
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again.",
)
INCORRECT_NUMBER = Decline("incorrect_number", "Your card number is incorrect.", param="number")
INVALID_MONTH = Decline(
    "invalid_expiry_month", "Your card's expiration month is invalid.", param="exp_month"
)
INVALID_YEAR = Decline(
    "invalid_expiry_year", "Your card's expiration year is invalid.", param="exp_year"
)
REAL_CARD = Decline(
    "card_declined",
    "Your card was declined. Your request was in test mode, but used a non test card. "
    "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
    "test_mode_live_card",
)


@dataclass(frozen=True, slots=True)
class Card:
    """One test card: `names` follow `pm_card_` and `tok_`; `refusal` meets every charge."""

    number: str
    names: tuple[str, ...]
    refusal: Decline | None = None
    saves: bool = True
    authentication: Authentication = Authentication.NEVER
    brand: str = "visa"
    funding: str = "credit"
    dispute: Disputing | None = None
    refund: Refunding = Refunding.AT_ONCE

    @property
    def fingerprint(self) -> str:
        """The same for every payment method made of this number."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]

    @property
    def last4(self) -> str:
        return self.number[-4:]

    def asks(self, off_session: bool, set_up: bool) -> bool:
        """Whether this payment needs the cardholder's authentication."""
        if self.authentication is Authentication.NEVER:
            return False
        if not off_session or self.authentication is Authentication.ALWAYS:
            return True
        return self.authentication is Authentication.UNLESS_SET_UP and not set_up

    @property
    def asks_on_setup(self) -> bool:
        """Whether saving it for later needs the cardholder's authentication."""
        return self.authentication in (Authentication.UNLESS_SET_UP, Authentication.ALWAYS)


def _unsaved(number: str, name: str, refusal: Decline, *more: str) -> Card:
    return Card(number, (name, *more), refusal, saves=False)


CARDS = (
    Card("4242424242424242", ("visa",)),
    Card("4000056655665556", ("visa_debit",), funding="debit"),
    Card("5555555555554444", ("mastercard",), brand="mastercard"),
    Card("378282246310005", ("amex",), brand="amex"),
    _unsaved("4000000000000002", "chargeDeclined", GENERIC, "visa_chargeDeclined"),
    _unsaved(
        "4000000000009995",
        "visa_chargeDeclinedInsufficientFunds",
        INSUFFICIENT_FUNDS,
        "chargeDeclinedInsufficientFunds",
    ),
    _unsaved("4000000000009987", "visa_chargeDeclinedLostCard", LOST),
    _unsaved("4000000000009979", "visa_chargeDeclinedStolenCard", STOLEN),
    _unsaved("4000000000000069", "chargeDeclinedExpiredCard", EXPIRED),
    _unsaved("4000000000000127", "chargeDeclinedIncorrectCvc", INCORRECT_CVC),
    _unsaved("4000000000000119", "chargeDeclinedProcessingError", PROCESSING_ERROR),
    _unsaved("4000000000006975", "visa_chargeDeclinedVelocityLimitExceeded", VELOCITY),
    Card("4000000000000341", ("chargeCustomerFail",), GENERIC),
    Card("4100000000000019", ("radarBlock",), FRAUDULENT),
    Card(
        "4000002500003155",
        ("authenticationRequiredOnSetup",),
        authentication=Authentication.UNLESS_SET_UP,
    ),
    Card(
        "4000002760003184",
        ("authenticationRequired",),
        authentication=Authentication.ALWAYS,
    ),
    Card(
        "4000003800000446",
        ("authenticationRequiredSetupForOffSession",),
        authentication=Authentication.SET_UP_ALREADY,
    ),
    Card(
        "4000008260003178",
        ("authenticationRequiredChargeDeclinedInsufficientFunds",),
        INSUFFICIENT_FUNDS,
        authentication=Authentication.UNLESS_SET_UP,
    ),
    Card(
        "4000000000003220",
        ("threeDSecure2Required",),
        authentication=Authentication.UNLESS_SET_UP,
    ),
    Card(
        "4000008400001629",
        ("threeDSecureRequiredChargeDeclined",),
        GENERIC,
        authentication=Authentication.ALWAYS,
    ),
    Card("4000000000000259", ("createDispute",), dispute=Disputing.FRAUDULENT),
    Card(
        "4000000000002685",
        ("createDisputeProductNotReceived",),
        dispute=Disputing.NOT_RECEIVED,
    ),
    Card("4000000000001976", ("createDisputeInquiry",), dispute=Disputing.INQUIRY),
    Card("4000000000007726", ("pendingRefund",), refund=Refunding.PENDING),
    Card("4000000000005126", ("refundFail",), refund=Refunding.FAILS),
)
_BY_NAME = {name: card for card in CARDS for name in card.names}
_BY_NUMBER = {card.number: card for card in CARDS}


def named(name: str) -> Card | None:
    """The card behind `pm_card_<name>` or `tok_<name>`."""
    return _BY_NAME.get(name)


def numbered(number: str) -> Card:
    """The card with this number; spaces are allowed. Raises CardError for any other card."""
    digits = number.replace(" ", "").replace("-", "")
    if card := _BY_NUMBER.get(digits):
        return card
    raise (REAL_CARD if _luhn(digits) else INCORRECT_NUMBER).error()


def full_year(month: int, year: int, now: int) -> int:
    """The year of an expiry date, given in two digits or four. Raises CardError once it passed."""
    today = time.gmtime(now)
    year += 2000 if year < 100 else 0
    if not 1 <= month <= 12:
        raise INVALID_MONTH.error()
    if (year, month) < (today.tm_year, today.tm_mon):
        raise INVALID_YEAR.error()
    return year


def _luhn(digits: str) -> bool:
    if not digits.isdigit() or not 12 <= len(digits) <= 19:
        return False
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
