"""What the fake processor remembers, and the faults that tests ask of it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, NoReturn, TypeVar

from portal.domain.declines import DeclineReason
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.money import Money, currency
from portal.domain.payments import (
    CardEntry,
    Charge,
    ChargeOutcome,
    Checkout,
    Declined,
    PageStatus,
    Paid,
    PaymentNews,
    SavedCard,
)
from portal.domain.refunds import Refund, Refunded, RefundNews, RefundStatus
from portal.gateways.fake_cards import card_behind, owner_of

T = TypeVar("T")


class Fault(Enum):
    """What goes wrong with one request, instead of what would be answered.

    Where no Unknown can be told, PaymentsUnavailable is raised in its place.
    """

    ANSWER_LOST = auto()  # done, but Unknown is told; asked again, the key gets the answer
    ERROR_KEPT = auto()  # done, but the key is told Unknown for ever: only a look finds it
    OUTAGE = auto()  # nothing is done or kept: Unknown
    REQUEST_REFUSED = auto()  # nothing is done or kept: PaymentsUnavailable


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. page: the Checkout that made it. called_off: it can take nothing any more."""

    asked: Charge | Checkout
    outcome: ChargeOutcome
    made_at: float
    card_ref: str
    page: str = ""
    called_off: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One hosted page. card_ref: saved by completing it. trying: the card the bank asks about."""

    asked: Checkout | CardEntry
    status: PageStatus = PageStatus.OPEN
    paid: Paid | None = None
    card_ref: str = ""
    trying: str = ""


@dataclass(slots=True)
class Books:
    """The fake's records by their references. kept: what each key asked and was answered."""

    kept: dict[str, tuple[object, Any]] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    refunds: dict[str, tuple[Refund, Refunded]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    defaults: dict[str, str] = field(default_factory=dict)


class _KeptError:
    """Stands for an answer that a key will never be told."""


class FakeDesk:
    """Takes requests one at a time, each key's once, and fails those it was told to.

    wall_now: epoch seconds. timed: pages are held to it.
    defaults: the card the processor would charge by itself, by customer.
    """

    def __init__(self, wall_now: Callable[[], float], *, timed: bool) -> None:
        self._books = Books()
        self._wall_now, self._timed = wall_now, timed
        self._lock = threading.RLock()
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)

    @property
    def defaults(self) -> dict[str, str]:
        return dict(self._books.defaults)

    def fail_next(self, method: str, fault: Fault) -> None:
        """Let the next new request of this method meet a fault; several are met in order."""
        if method.startswith("_") or not callable(getattr(self, method, None)):
            raise ValueError(f"there is no {method} to fail")
        self._faults[method].append(fault)

    def _asked(self, method: str, act: Callable[[], T], lost: Callable[[str], T]) -> T:
        """Do what needs no key, or meet a fault; `lost` is what is told without an answer."""
        with self._lock:
            fault = self._next_fault(method)
            if fault in (Fault.OUTAGE, Fault.REQUEST_REFUSED):
                return _nothing_done(fault, lost)
            answer = act()
            return answer if fault is None else lost("the answer was lost")

    def _asked_once(
        self,
        method: str,
        key: str,
        request: object,
        act: Callable[[], T],
        lost: Callable[[str], T],
    ) -> T:
        """As `_asked`, once per key; what raises is not kept."""
        with self._lock:
            if key in self._books.kept:
                return self._replayed(key, request, lost)
            fault = self._next_fault(method)
            if fault in (Fault.OUTAGE, Fault.REQUEST_REFUSED):
                return _nothing_done(fault, lost)
            answer: object = act()
            self._books.kept[key] = (
                request,
                _KeptError() if fault is Fault.ERROR_KEPT else answer,
            )
            if fault is Fault.ANSWER_LOST:
                return lost("the answer was lost")
            return self._replayed(key, request, lost)

    def _next_fault(self, method: str) -> Fault | None:
        waiting = self._faults[method]
        return waiting.popleft() if waiting else None

    def _replayed(self, key: str, request: object, lost: Callable[[str], T]) -> T:
        asked, answer = self._books.kept[key]
        if asked != request:
            raise PaymentsUnavailable(f"the key {key} was used with other parameters")
        if isinstance(answer, _KeptError):
            return lost("an error was kept")
        told: T = answer
        return told

    def _payment(self, reference: str) -> Payment:
        if reference not in self._books.payments:
            raise NotFound(f"No such payment_intent: {reference!r}")
        return self._books.payments[reference]

    def _called_off(self, reference: str) -> ChargeOutcome:
        outcome = Declined(DeclineReason.REFUSED, may_retry=False, reference=reference)
        payment = replace(self._payment(reference), outcome=outcome, called_off=True)
        self._books.payments[reference] = payment
        return outcome

    def _news(self, payment: Payment) -> PaymentNews:
        paid = isinstance(payment.outcome, Paid)
        card = self._kept_card(payment.card_ref) if paid else None
        return PaymentNews(payment.outcome, payment.asked.amount, dict(payment.asked.labels), card)

    def _kept_card(self, card_ref: str) -> SavedCard | None:
        """The card, if it was saved for a customer and is still there."""
        if not owner_of(card_ref) or card_ref in self._books.removed:
            return None
        return self._card(card_ref)

    def _card(self, card_ref: str) -> SavedCard:
        card = card_behind(card_ref)
        if card is None:
            raise NotFound(f"No such PaymentMethod: {card_ref!r}")
        year = time.gmtime(self._wall_now()).tm_year + 3
        return SavedCard(card_ref, card.brand, card.last4, 12, year, card.fingerprint)

    def _usable(self, card_ref: str, customer_ref: str) -> bool:
        known = card_behind(card_ref) is not None and card_ref not in self._books.removed
        return known and owner_of(card_ref) in ("", customer_ref)

    def _given_back(self, payment_ref: str) -> int:
        """Minor units of a payment that went back, or are about to."""
        return sum(
            refund.amount.minor
            for refund, stands in self._books.refunds.values()
            if refund.payment_ref == payment_ref and stands.status is not RefundStatus.FAILED
        )


def refund_news(asked: Refund, stands: Refunded) -> RefundNews:
    return RefundNews(stands, asked.amount, asked.payment_ref, dict(asked.labels))


def unavailable(detail: str) -> NoReturn:
    raise PaymentsUnavailable(detail)


def check_customer(reference: str) -> None:
    if not reference.startswith("cus_"):
        raise PaymentsUnavailable(f"No such customer: {reference!r}")


def check_amount(amount: Money) -> None:
    least = currency(amount.currency).minimum_minor
    if amount.minor < least:
        raise PaymentsUnavailable(f"amount_too_small: at least {least}")


def _nothing_done(fault: Fault, lost: Callable[[str], T]) -> T:
    if fault is Fault.REQUEST_REFUSED:
        raise PaymentsUnavailable("the request was refused, as scripted")
    return lost("no connection")


NO_CARD = Declined(DeclineReason.REFUSED, may_retry=False, code="resource_missing")
