"""A payment processor in memory, for tests: keeps idempotency keys as strictly as Stripe does."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import (
    CardNews,
    CardRefused,
    Charge,
    ChargeOutcome,
    Checkout,
    Declined,
    NeedsAuthentication,
    Paid,
    PaymentNews,
    RefundOutcome,
    SavedCard,
    Unknown,
)
from portal.domain.refunds import Refund, Refunded, RefundNews, RefundStatus
from portal.gateways.fake_books import (
    NO_CARD,
    Fault,
    Payment,
    check_amount,
    check_customer,
    refund_news,
    unavailable,
)
from portal.gateways.fake_cards import (
    card_behind,
    digest,
    owner_of,
    reference_of,
    refusal,
    was_seen,
)
from portal.gateways.fake_pages import FakePages

__all__ = ["FakePayments", "Fault"]


class FakePayments(FakePages):
    """PaymentGateway without a network; safe to call from several threads.

    Cards behave by the name in their reference, so one saved through another instance works.
    answers: what the next charges with a fresh key come to instead; first in, first out. A
    scripted Unknown is a payment that Stripe would call "processing".
    calls: every request to charge, repeats included. wall_now: epoch seconds; without it pages
    never run out by themselves.
    """

    def __init__(
        self, *answers: ChargeOutcome | Fault, wall_now: Callable[[], float] | None = None
    ) -> None:
        super().__init__(wall_now or time.time, timed=wall_now is not None)
        self.answers = deque(answers)
        self.calls: list[Charge] = []

    @property
    def taken(self) -> list[Charge | Checkout]:
        """What moved money, oldest first."""
        with self._lock:
            payments = self._books.payments.values()
            return [p.asked for p in payments if isinstance(p.outcome, Paid)]

    @property
    def refunds(self) -> list[Refund]:
        """Money that went back, or is about to, oldest first."""
        with self._lock:
            made = self._books.refunds.values()
            return [asked for asked, news in made if news.status is not RefundStatus.FAILED]

    def create_customer(self, key: str, name: str, email: str, labels: dict[str, str]) -> str:
        request = ("customer", name, email, tuple(sorted(labels.items())))
        return self._asked_once(
            "create_customer", key, request, lambda: f"cus_{digest(key)}", unavailable
        )

    def save_card(self, customer_ref: str, card_token: str, key: str) -> SavedCard:
        request = ("card", customer_ref, card_token)
        return self._asked_once(
            "save_card",
            key,
            request,
            lambda: self._attach(customer_ref, card_token, key),
            unavailable,
        )

    def read_card(self, reference: str) -> CardNews:
        def read() -> CardNews:
            gone = reference in self._books.removed
            return CardNews(self._card(reference), None if gone else owner_of(reference) or None)

        return self._asked("read_card", read, unavailable)

    def make_default(self, customer_ref: str, card_ref: str) -> None:
        def make() -> None:
            check_customer(customer_ref)
            if owner_of(card_ref) != customer_ref or self._kept_card(card_ref) is None:
                raise PaymentsUnavailable(f"{customer_ref} has no card {card_ref}")
            self._books.defaults[customer_ref] = card_ref

        return self._asked("make_default", make, unavailable)

    def remove_card(self, reference: str) -> None:
        def remove() -> None:
            self._books.removed.add(reference)
            if self._books.defaults.get(owner_of(reference)) == reference:
                del self._books.defaults[owner_of(reference)]

        return self._asked("remove_card", remove, unavailable)

    def change(self, reference: str, outcome: ChargeOutcome) -> None:
        """What became of a payment later: authenticated, refused or called off."""
        with self._lock:
            self._books.payments[reference] = replace(self._payment(reference), outcome=outcome)

    def charge(self, charge: Charge) -> ChargeOutcome:
        with self._lock:
            self.calls.append(charge)
            scripted = None
            if self.answers and charge.key not in self._books.kept:
                answer = self.answers.popleft()
                if isinstance(answer, Fault):
                    self.fail_next("charge", answer)
                else:
                    scripted = answer
            return self._asked_once(
                "charge", charge.key, charge, lambda: self._take(charge, scripted), Unknown
            )

    def authenticate(
        self, reference: str, card_ref: str, return_url: str, key: str
    ) -> ChargeOutcome:
        request = ("authenticate", reference, card_ref, return_url)
        return self._asked_once(
            "authenticate", key, request, lambda: self._confirm(reference, card_ref), Unknown
        )

    def cancel_payment(self, reference: str) -> ChargeOutcome:
        def cancel() -> ChargeOutcome:
            payment = self._payment(reference)
            if isinstance(payment.outcome, Paid) or payment.called_off:
                return payment.outcome
            if payment.page or isinstance(payment.outcome, Unknown):
                return Unknown(f"{reference} cannot be called off")
            return self._called_off(reference)

        return self._asked("cancel_payment", cancel, Unknown)

    def find_payment(self, charge: Charge, since_s: int) -> PaymentNews | None:
        if not charge.labels:
            raise ValueError("a charge without labels cannot be told from another")

        def find() -> PaymentNews | None:
            oldest = self._wall_now() - since_s
            news = [
                self._news(payment)
                for payment in reversed(self._books.payments.values())
                if payment.asked.customer_ref == charge.customer_ref
                and payment.made_at >= oldest
                and charge.labels.items() <= payment.asked.labels.items()
            ]
            return next((n for n in news if isinstance(n.outcome, Paid)), news[0] if news else None)

        return self._asked("find_payment", find, unavailable)

    def read_payment(self, reference: str) -> PaymentNews:
        return self._asked(
            "read_payment", lambda: self._news(self._payment(reference)), unavailable
        )

    def refund(self, refund: Refund) -> RefundOutcome:
        return self._asked_once(
            "refund", refund.key, refund, lambda: self._give_back(refund), Unknown
        )

    def read_refund(self, reference: str) -> RefundNews:
        def read() -> RefundNews:
            if reference not in self._books.refunds:
                raise NotFound(f"No such refund: {reference!r}")
            return refund_news(*self._books.refunds[reference])

        return self._asked("read_refund", read, unavailable)

    def refunds_of(self, payment_ref: str) -> tuple[RefundNews, ...]:
        def read() -> tuple[RefundNews, ...]:
            made = self._books.refunds.values()
            return tuple(refund_news(*each) for each in made if each[0].payment_ref == payment_ref)

        return self._asked("refunds_of", read, unavailable)

    def refund_there(self, payment_ref: str, amount: Money) -> str:
        """Somebody refunds a payment at the processor itself; the refund's reference."""
        with self._lock:
            key = f"there-{len(self._books.refunds)}"
            made = self._give_back(Refund(key, payment_ref, amount, {}))
            if not isinstance(made, Refunded) or made.reference is None:
                raise ValueError(f"{payment_ref} cannot be refunded")
            return made.reference

    def end_refunds(self) -> None:
        """Let the banks' days pass: every refund ends as its card's refunds do."""
        with self._lock:
            for reference, (asked, _) in list(self._books.refunds.items()):
                card = card_behind(self._payment(asked.payment_ref).card_ref)
                if card is not None:
                    self._books.refunds[reference] = (asked, _refunded(reference, card.refunds[1]))

    def _attach(self, customer_ref: str, card_token: str, key: str) -> SavedCard:
        check_customer(customer_ref)
        card = card_behind(card_token)
        if card is None:
            raise NotFound(f"No such PaymentMethod: {card_token!r}")
        if card.codes and not card.saves:
            raise CardRefused(refusal(card.codes, None))
        reference = reference_of(card_token.removeprefix("pm_card_"), customer_ref, digest(key))
        self._books.defaults[customer_ref] = reference
        return self._card(reference)

    def _take(self, charge: Charge, scripted: ChargeOutcome | None) -> ChargeOutcome:
        """Make the payment and give what its key will always be told."""
        check_customer(charge.customer_ref)
        check_amount(charge.amount)
        card = card_behind(charge.card_ref)
        if card is None or not self._usable(charge.card_ref, charge.customer_ref):
            return NO_CARD
        reference = f"pi_{digest(charge.key)}"
        outcome = scripted or card.off_session(reference, was_seen(charge.card_ref))
        made = Payment(charge, outcome, self._wall_now(), charge.card_ref)
        self._books.payments[getattr(outcome, "reference", None) or reference] = made
        return outcome

    def _confirm(self, reference: str, card_ref: str) -> ChargeOutcome:
        """The customer is there; a payment that has ended, or is a page's, stays as it is."""
        payment = self._payment(reference)
        waits = isinstance(payment.outcome, Declined | NeedsAuthentication)
        if not waits or payment.called_off or payment.page:
            return payment.outcome
        card = card_behind(card_ref)
        if card is None or not self._usable(card_ref, payment.asked.customer_ref):
            return replace(NO_CARD, reference=reference)
        outcome = card.on_session(reference)
        tried = replace(payment, outcome=outcome, card_ref=card_ref)
        self._books.payments[reference] = tried
        return outcome

    def _give_back(self, refund: Refund) -> RefundOutcome:
        payment = self._books.payments.get(refund.payment_ref)
        if payment is None or not isinstance(payment.outcome, Paid):
            raise PaymentsUnavailable(f"{refund.payment_ref} took nothing")
        if refund.amount.currency != payment.asked.amount.currency:
            raise ValueError(f"{refund.payment_ref} is not in {refund.amount.currency}")
        if refund.amount.minor < 1:
            raise PaymentsUnavailable("parameter_invalid_integer: at least 1")
        card = card_behind(payment.card_ref)
        left = payment.asked.amount.minor - self._given_back(refund.payment_ref)
        if left == 0:
            return Refunded(None, RefundStatus.SUCCEEDED)
        if card is None or card.disputed:
            return Refunded(None, RefundStatus.FAILED, "charge_disputed")
        if refund.amount.minor > left:
            return Refunded(None, RefundStatus.FAILED, "amount_too_large")
        made = Refunded(f"re_{digest(refund.key)}", card.refunds[0])
        self._books.refunds[f"re_{digest(refund.key)}"] = (refund, made)
        return made


def _refunded(reference: str, status: RefundStatus) -> Refunded:
    return Refunded(reference, status, "unknown" if status is RefundStatus.FAILED else "")
