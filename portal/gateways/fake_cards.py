"""The test cards of the fake processor. Source: reference/stripe.md §5."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum, auto

from portal.domain.declines import may_retry, reason_for
from portal.domain.payments import ChargeOutcome, Declined, NeedsAuthentication, Paid
from portal.domain.refunds import RefundStatus


class Asks(Enum):
    """When the bank wants to see the customer; all but NEVER do when the customer is there."""

    NEVER = auto()
    UNLESS_SEEN = auto()  # not any more once it was saved on a page
    ONLY_THERE = auto()
    ALWAYS = auto()


Codes = tuple[str, str | None, str | None]
FAILED_CHALLENGE: Codes = ("payment_intent_authentication_failure", None, None)
FAILED_CHALLENGE_OF_ENTRY: Codes = ("setup_intent_authentication_failure", None, None)


@dataclass(frozen=True, slots=True)
class FakeCard:
    """A test card. codes: its decline's code, decline code and advice code.

    refunds: how a refund to it begins, and how it ends.
    """

    last4: str
    codes: Codes | None = None
    saves: bool = True
    asks: Asks = Asks.NEVER
    brand: str = "visa"
    disputed: bool = False
    refunds: tuple[RefundStatus, RefundStatus] = (RefundStatus.SUCCEEDED, RefundStatus.SUCCEEDED)

    @property
    def asks_when_saved(self) -> bool:
        return self.asks in (Asks.UNLESS_SEEN, Asks.ALWAYS)

    @property
    def fingerprint(self) -> str:
        return digest(self.last4)

    def off_session(self, reference: str, seen: bool) -> ChargeOutcome:
        """What a charge comes to while the customer is away; `seen`: it was saved on a page."""
        if self.asks is Asks.ALWAYS or (self.asks is Asks.UNLESS_SEEN and not seen):
            return NeedsAuthentication(reference)
        return self.settled(reference)

    def on_session(self, reference: str) -> ChargeOutcome:
        """What it comes to with the customer there."""
        if self.asks is not Asks.NEVER:
            return NeedsAuthentication(reference, bank_page(reference))
        return self.settled(reference)

    def settled(self, reference: str) -> ChargeOutcome:
        """What it comes to when there is nothing left to ask."""
        return refusal(self.codes, reference) if self.codes else Paid(reference)


def refusal(codes: Codes, reference: str | None) -> Declined:
    code, decline_code, advice = codes
    again = may_retry(advice, decline_code)
    reason = reason_for(code, decline_code)
    return Declined(reason, again, reference, code, decline_code, advice)


def bank_page(reference: str) -> str:
    return f"https://bank.test/{reference}"


def card_behind(card_ref: str) -> FakeCard | None:
    """The card that a token or a saved card's reference names.

    A saved one is `pm_card_<name>.<customer>.<unique>`, so that every fake knows it;
    what is unique begins with "page" for those that were saved on a page.
    """
    return CARDS.get(card_ref.partition(".")[0].removeprefix("pm_card_"))


def reference_of(name: str, customer_ref: str, unique: str) -> str:
    return f"pm_card_{name}.{customer_ref}.{unique}"


def owner_of(card_ref: str) -> str:
    """The customer a card was saved for; empty for a token."""
    return card_ref.partition(".")[2].rpartition(".")[0]


def was_seen(card_ref: str) -> bool:
    return card_ref.rpartition(".")[2].startswith("page")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _declining(
    last4: str,
    decline_code: str,
    advice: str = "try_again_later",
    saves: bool = False,
    asks: Asks = Asks.NEVER,
) -> FakeCard:
    return FakeCard(last4, ("card_declined", decline_code, advice), saves, asks)


def _faulty(last4: str, code: str, advice: str = "confirm_card_data") -> FakeCard:
    return FakeCard(last4, (code, None, advice), saves=False)


_GENERIC = _declining("0002", "generic_decline")
_NEVER_AGAIN = "do_not_try_again"
# By the names that Stripe's tokens have after "pm_card_"
CARDS: dict[str, FakeCard] = {
    "visa": FakeCard("4242"),
    "mastercard": FakeCard("4444", brand="mastercard"),
    "chargeDeclined": _GENERIC,
    "visa_chargeDeclined": _GENERIC,
    "visa_chargeDeclinedInsufficientFunds": _declining("9995", "insufficient_funds"),
    "visa_chargeDeclinedLostCard": _declining("9987", "lost_card", _NEVER_AGAIN),
    "visa_chargeDeclinedStolenCard": _declining("9979", "stolen_card", _NEVER_AGAIN),
    "visa_chargeDeclinedVelocityLimitExceeded": _declining("6975", "card_velocity_exceeded"),
    "chargeDeclinedExpiredCard": _faulty("0069", "expired_card"),
    "chargeDeclinedIncorrectCvc": _faulty("0127", "incorrect_cvc"),
    "chargeDeclinedProcessingError": _faulty("0119", "processing_error", "try_again_later"),
    "chargeCustomerFail": _declining("0341", "generic_decline", saves=True),
    "radarBlock": _declining("0019", "fraudulent", _NEVER_AGAIN, saves=True),
    "authenticationRequired": FakeCard("3184", asks=Asks.ALWAYS),
    "authenticationRequiredOnSetup": FakeCard("3155", asks=Asks.UNLESS_SEEN),
    "authenticationRequiredSetupForOffSession": FakeCard("0446", asks=Asks.ONLY_THERE),
    "authenticationRequiredChargeDeclinedInsufficientFunds": _declining(
        "3178", "insufficient_funds", saves=True, asks=Asks.UNLESS_SEEN
    ),
    "threeDSecure2Required": FakeCard("3220", asks=Asks.UNLESS_SEEN),
    "threeDSecureRequiredChargeDeclined": _declining(
        "1629", "generic_decline", saves=True, asks=Asks.ALWAYS
    ),
    "createDispute": FakeCard("0259", disputed=True),
    "createDisputeProductNotReceived": FakeCard("2685", disputed=True),
    "createDisputeInquiry": FakeCard("1976"),
    "pendingRefund": FakeCard("7726", refunds=(RefundStatus.PENDING, RefundStatus.SUCCEEDED)),
    "refundFail": FakeCard("5126", refunds=(RefundStatus.SUCCEEDED, RefundStatus.FAILED)),
}
