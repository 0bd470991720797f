"""A payment processor in memory, for tests: keeps idempotency keys as strictly as Stripe does."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, TypeVar

from portal.domain.declines import DeclineReason, may_retry, reason_for
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.money import currency
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

T = TypeVar("T")


class Fault(Enum):
    """What goes wrong with one request to charge, instead of what the card would do."""

    ANSWER_LOST = auto()  # charged, but Unknown is told; asked again, the key gets the answer
    ERROR_KEPT = auto()  # charged, but the key is told Unknown for ever: only a look finds it
    OUTAGE = auto()  # nothing is charged or kept: Unknown
    REQUEST_REFUSED = auto()  # nothing is charged or kept: PaymentsUnavailable


@dataclass(frozen=True, slots=True)
class FakeCard:
    """A test card: `codes` are its decline's code, decline code and advice code."""

    last4: str
    codes: tuple[str, str | None, str | None] | None = None
    saves: bool = True
    authenticates: bool = False
    brand: str = "visa"

    def decide(self, reference: str) -> ChargeOutcome:
        """What an off-session charge of it comes to."""
        if self.authenticates:
            return NeedsAuthentication(reference)
        return self.declined(reference) if self.codes else Paid(reference)

    def declined(self, reference: str | None) -> Declined:
        code, decline_code, advice = self.codes or ("card_declined", None, None)
        again = may_retry(advice, decline_code)
        reason = reason_for(code, decline_code)
        return Declined(reason, again, reference, code, decline_code, advice)


def _declining(last4: str, decline_code: str, advice: str, saves: bool = False) -> FakeCard:
    return FakeCard(last4, ("card_declined", decline_code, advice), saves)


# By the names that Stripe's tokens have after "pm_card_". Source: reference/stripe.md §5
CARDS: dict[str, FakeCard] = {
    "visa": FakeCard("4242"),
    "mastercard": FakeCard("4444", brand="mastercard"),
    "chargeDeclined": _declining("0002", "generic_decline", "try_again_later"),
    "visa_chargeDeclined": _declining("0002", "generic_decline", "try_again_later"),
    "visa_chargeDeclinedInsufficientFunds": _declining(
        "9995", "insufficient_funds", "try_again_later"
    ),
    "visa_chargeDeclinedLostCard": _declining("9987", "lost_card", "do_not_try_again"),
    "visa_chargeDeclinedStolenCard": _declining("9979", "stolen_card", "do_not_try_again"),
    "visa_chargeDeclinedVelocityLimitExceeded": _declining(
        "6975", "card_velocity_exceeded", "try_again_later"
    ),
    "chargeDeclinedExpiredCard": FakeCard(
        "0069", ("expired_card", None, "confirm_card_data"), saves=False
    ),
    "chargeDeclinedIncorrectCvc": FakeCard(
        "0127", ("incorrect_cvc", None, "confirm_card_data"), saves=False
    ),
    "chargeDeclinedProcessingError": FakeCard(
        "0119", ("processing_error", None, "try_again_later"), saves=False
    ),
    "chargeCustomerFail": _declining("0341", "generic_decline", "try_again_later", saves=True),
    "radarBlock": _declining("0019", "fraudulent", "do_not_try_again", saves=True),
    "authenticationRequired": FakeCard("3184", authenticates=True),
    "authenticationRequiredOnSetup": FakeCard("3155", authenticates=True),
    "authenticationRequiredSetupForOffSession": FakeCard("0446"),
}


@dataclass(frozen=True, slots=True)
class _Payment:
    charge: Charge
    outcome: ChargeOutcome
    made_at: float

    @property
    def news(self) -> PaymentNews:
        return PaymentNews(self.outcome, self.charge.amount, dict(self.charge.labels))


class FakePayments:
    """PaymentGateway without a network; safe to call from several threads.

    Cards behave by the name in their reference, so one saved through another instance works.
    answers: what the next charges with a fresh key come to instead; first in, first out. A
    scripted Unknown is a payment that Stripe would call "processing".
    calls: every request to charge, repeats included.
    """

    def __init__(self, *answers: ChargeOutcome | Fault, wall_now: Callable[[], float] = time.time):
        self.answers = deque(answers)
        self.calls: list[Charge] = []
        self._wall_now = wall_now
        self._lock = threading.RLock()
        self._kept: dict[str, tuple[object, Any]] = {}
        self._payments: dict[str, _Payment] = {}
        self._owners: dict[str, str | None] = {}

    @property
    def taken(self) -> list[Charge]:
        """The charges that moved money, oldest first."""
        with self._lock:
            return [p.charge for p in self._payments.values() if isinstance(p.outcome, Paid)]

    def create_customer(self, key: str, name: str, email: str, labels: dict[str, str]) -> str:
        request = ("customer", name, email, tuple(sorted(labels.items())))
        with self._lock:
            return self._once(key, request, lambda: f"cus_{_digest(key)}")

    def save_card(self, customer_ref: str, card_token: str, key: str) -> SavedCard:
        with self._lock:
            request = ("card", customer_ref, card_token)
            return self._once(key, request, lambda: self._attach(customer_ref, card_token, key))

    def remove_card(self, card_ref: str) -> None:
        """Take a card away for good, as somebody may in the processor's own pages."""
        with self._lock:
            self._owners[card_ref] = None

    def change(self, reference: str, outcome: ChargeOutcome) -> None:
        """What became of a payment later: authenticated, refused or called off."""
        with self._lock:
            self._payments[reference] = replace(self._get(reference), outcome=outcome)

    def charge(self, charge: Charge) -> ChargeOutcome:
        with self._lock:
            self.calls.append(charge)
            if charge.key in self._kept:
                kept: ChargeOutcome = self._replay(charge.key, charge)
                return kept
            answer = self.answers.popleft() if self.answers else None
            if answer is Fault.OUTAGE:
                return Unknown("no connection")
            if answer is Fault.REQUEST_REFUSED:
                raise PaymentsUnavailable("the request was refused, as scripted")
            outcome = self._once(charge.key, charge, lambda: self._take(charge, answer))
            return Unknown("the answer was lost") if answer is Fault.ANSWER_LOST else outcome

    def find_payment(self, charge: Charge, since_s: int) -> PaymentNews | None:
        if not charge.labels:
            raise ValueError("a charge without labels cannot be told from another")
        oldest = self._wall_now() - since_s
        with self._lock:
            news = [
                payment.news
                for payment in reversed(self._payments.values())
                if payment.charge.customer_ref == charge.customer_ref
                and payment.made_at >= oldest
                and charge.labels.items() <= payment.charge.labels.items()
            ]
        return next((n for n in news if isinstance(n.outcome, Paid)), news[0] if news else None)

    def read_payment(self, reference: str) -> PaymentNews:
        with self._lock:
            return self._get(reference).news

    def _get(self, reference: str) -> _Payment:
        if reference not in self._payments:
            raise NotFound(f"No such payment_intent: {reference!r}")
        return self._payments[reference]

    def _once(self, key: str, request: object, act: Callable[[], T]) -> T:
        """What `key` was answered before, else what `act` answers; errors are not kept."""
        if key not in self._kept:
            self._kept[key] = (request, act())
        answer: T = self._replay(key, request)
        return answer

    def _replay(self, key: str, request: object) -> Any:
        asked, answer = self._kept[key]
        if asked != request:
            raise PaymentsUnavailable(f"the key {key} was used with other parameters")
        return answer

    def _attach(self, customer_ref: str, card_token: str, key: str) -> SavedCard:
        self._check_customer(customer_ref)
        card = CARDS.get(_name(card_token))
        if card is None:
            raise NotFound(f"No such PaymentMethod: {card_token!r}")
        if not card.saves:
            raise CardRefused(card.declined(None))
        reference = f"{card_token}.{_digest(key)}"
        self._owners[reference] = customer_ref
        year = time.gmtime(self._wall_now()).tm_year + 3
        return SavedCard(reference, card.brand, card.last4, 12, year, _digest(card.last4))

    def _take(self, charge: Charge, scripted: ChargeOutcome | Fault | None) -> ChargeOutcome:
        """Make the payment and give what its key will always be told."""
        self._check_customer(charge.customer_ref)
        least = currency(charge.amount.currency).minimum_minor
        if charge.amount.minor < least:
            raise PaymentsUnavailable(f"amount_too_small: at least {least}")
        card = CARDS.get(_name(charge.card_ref))
        if card is None or self._owners.get(charge.card_ref, "") not in ("", charge.customer_ref):
            return Declined(DeclineReason.REFUSED, may_retry=False, code="resource_missing")
        reference = f"pi_{_digest(charge.key)}"
        outcome = card.decide(reference) if isinstance(scripted, Fault | None) else scripted
        made = _Payment(charge, outcome, self._wall_now())
        self._payments[getattr(outcome, "reference", None) or reference] = made
        return Unknown("an error was kept") if scripted is Fault.ERROR_KEPT else outcome

    def _check_customer(self, reference: str) -> None:
        if not reference.startswith("cus_"):
            raise PaymentsUnavailable(f"No such customer: {reference!r}")


def _name(card_ref: str) -> str:
    """ "visa" of the token "pm_card_visa" and of a card saved from it."""
    return card_ref.partition(".")[0].removeprefix("pm_card_")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
