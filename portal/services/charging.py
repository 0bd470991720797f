"""Asking the processor for a purchase's money, and writing down what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import structlog

from portal.domain.declines import DeclineReason
from portal.domain.errors import Conflict, PaymentsUnavailable
from portal.domain.payments import (
    Charge,
    ChargeOutcome,
    Declined,
    HostedPage,
    NeedsAuthentication,
    PageStatus,
    Paid,
    SavedCard,
    Unknown,
)
from portal.models.purchases import PaymentAttemptRow
from portal.services import refunding
from portal.services.attempts import (
    amount_of,
    charge_of,
    checkout_of,
    last_attempt,
    open_attempts,
    read_purchase,
)
from portal.services.cards import mirror
from portal.services.settlement import refuse, settle
from portal.services.till import Till

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Settled:
    """Bought; a repeat of the same acceptance gives the same purchase."""

    purchase_id: int


@dataclass(frozen=True, slots=True)
class Pending:
    """No clear answer from the bank yet; it is asked again until there is one."""

    purchase_id: int


@dataclass(frozen=True, slots=True)
class NeedsCheckout:
    """The customer pays at `url`, a page of the processor's."""

    purchase_id: int
    url: str


@dataclass(frozen=True, slots=True)
class Unpaid:
    """Nothing was taken; the purchase waits for the customer: another card, the bank's page."""

    purchase_id: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The purchase came to nothing, and whatever it had taken goes back."""

    purchase_id: int


PaymentOutcome = Settled | Pending | NeedsCheckout | Unpaid | Ended


def conclude(till: Till, purchase_id: int, *, first: bool = False) -> PaymentOutcome:
    """Ask for what the purchase's last attempt stands at, and write it; safe to repeat and race.

    A charge is sent again under its one key, a Checkout is looked at. For a customer who is
    there: a card that needs authentication gets the bank's page. first: nobody has asked before,
    so a refused request proves that nothing was taken. Raises NotFound for another scope's.
    """
    purchase = read_purchase(till.session, till.scope, purchase_id)
    attempt = last_attempt(till.session, purchase)
    if purchase.status != "reserved" or (attempt and attempt.finished_at):
        return outcome_of(till, purchase_id)
    if attempt is None:
        settle(till, purchase_id)
    elif attempt.kind == "checkout":
        look_at_page(till, attempt)
    elif attempt.status == "needs_authentication":
        _look_at_payment(till, attempt)
    else:
        _charge(till, attempt, first=first)
    return outcome_of(till, purchase_id)


def write_answer(
    till: Till, purchase_id: int, attempt_id: int, answer: ChargeOutcome,
    card: SavedCard | None = None,
) -> None:  # fmt: skip
    """Settle, or note why not, by what the processor says now; what cannot be given goes back."""
    match answer:
        case Paid():
            refund_id = settle(till, purchase_id, attempt_id, answer, card)
            if refund_id is not None:
                refunding.send(till, refund_id)
            if card is not None:
                mirror(till, read_purchase(till.session, till.scope, purchase_id).account_id)
            close_others(till, purchase_id)
        case Declined() | NeedsAuthentication():
            refuse(till, attempt_id, answer)
        case Unknown():
            till.session.rollback()
        case _:
            assert_never(answer)


def look_at_page(till: Till, attempt: PaymentAttemptRow) -> None:
    """Open the attempt's Checkout, or read what it stands at, and write that.

    Raises PaymentsUnavailable; an attempt whose page could not be opened is over then.
    """
    page_ref, asked = attempt.page_ref, checkout_of(attempt)
    till.session.commit()
    if page_ref is not None:
        write_page(till, attempt.id, till.gateway.read_page(page_ref))
        return
    try:
        page = till.gateway.open_checkout(asked)
    except PaymentsUnavailable:
        _mark_cancelled(till, attempt.id)  # nobody was shown its address, so nobody can pay there
        raise
    write_page(till, attempt.id, page)


def write_page(till: Till, attempt_id: int, page: HostedPage) -> None:
    """Write what a Checkout stands at. Raises Conflict for a page of another amount."""
    key = (till.environment_id, attempt_id)
    attempt = till.session.get_one(PaymentAttemptRow, key, with_for_update=True)
    if page.amount != amount_of(attempt):
        till.session.rollback()
        raise Conflict(f"attempt {attempt_id} asked for another amount")
    if page.paid is not None:
        till.session.commit()
        write_answer(till, attempt.purchase_id, attempt_id, page.paid, page.card)
        return
    if attempt.status in ("started", "open"):
        attempt.page_ref, attempt.page_url = page.reference, page.url
        attempt.status = "expired" if page.status is PageStatus.EXPIRED else "open"
        attempt.finished_at = till.wall if page.status is PageStatus.EXPIRED else None
    till.session.commit()


def close(till: Till, purchase_id: int) -> bool:
    """Call off every open attempt at the processor; False when one may still bring money.

    Whatever turns out to be paid is settled. Raises PaymentsUnavailable.
    """
    for attempt in open_attempts(
        till.session, read_purchase(till.session, till.scope, purchase_id)
    ):
        _close(till, attempt)
    purchase = read_purchase(till.session, till.scope, purchase_id)
    return not open_attempts(till.session, purchase)


def close_others(till: Till, purchase_id: int) -> None:
    """Once paid, nothing else may take money for it; reconcile repeats what fails here."""
    try:
        close(till, purchase_id)
    except PaymentsUnavailable:
        till.session.rollback()
        log.exception("attempt_stays_open", purchase_id=purchase_id)


def outcome_of(till: Till, purchase_id: int) -> PaymentOutcome:
    """What the purchase stands at in the database now."""
    purchase = read_purchase(till.session, till.scope, purchase_id)
    if purchase.status == "settled":
        return Settled(purchase_id)
    if purchase.status == "failed":
        return Ended(purchase_id)
    attempt = last_attempt(till.session, purchase)
    if attempt is not None and attempt.status == "open" and attempt.page_url:
        return NeedsCheckout(purchase_id, attempt.page_url)
    waits_for_bank = attempt is None or attempt.status in ("started", "open")
    return Pending(purchase_id) if waits_for_bank else Unpaid(purchase_id)


def _close(till: Till, attempt: PaymentAttemptRow) -> None:
    status, page_ref, reference = attempt.status, attempt.page_ref, attempt.reference
    till.session.commit()
    if status == "open" and page_ref:
        write_page(till, attempt.id, till.gateway.close_page(page_ref))
    elif status == "needs_authentication" and reference:
        answer = till.gateway.cancel_payment(reference)
        if isinstance(answer, Paid):
            write_answer(till, attempt.purchase_id, attempt.id, answer)
        elif not isinstance(answer, Unknown):
            _mark_cancelled(till, attempt.id)
    elif attempt.kind == "checkout":
        _mark_cancelled(till, attempt.id)  # nobody was shown its address
    else:
        answer = _ask(till, charge_of(attempt), first=False)
        write_answer(till, attempt.purchase_id, attempt.id, answer)


def _mark_cancelled(till: Till, attempt_id: int) -> None:
    key = (till.environment_id, attempt_id)
    attempt = till.session.get_one(PaymentAttemptRow, key, with_for_update=True)
    if attempt.status in ("started", "needs_authentication"):
        attempt.status, attempt.finished_at = "cancelled", till.wall
    till.session.commit()


def _charge(till: Till, attempt: PaymentAttemptRow, *, first: bool) -> None:
    asked = charge_of(attempt)
    till.session.commit()
    answer = _ask(till, asked, first=first)
    write_answer(till, attempt.purchase_id, attempt.id, answer)
    _send_to_bank(till, attempt, answer)


def _look_at_payment(till: Till, attempt: PaymentAttemptRow) -> None:
    reference = attempt.reference or ""
    till.session.commit()
    answer = till.gateway.read_payment(reference).outcome
    write_answer(till, attempt.purchase_id, attempt.id, answer)
    _send_to_bank(till, attempt, answer)


def _send_to_bank(till: Till, attempt: PaymentAttemptRow, answer: ChargeOutcome) -> None:
    """Where the bank wants to see the customer and has no page for that yet, open it."""
    if not isinstance(answer, NeedsAuthentication) or answer.url:
        return
    asked, return_url = charge_of(attempt), attempt.params["return_url"]
    till.session.commit()
    key = f"{asked.key}:authenticate"
    opened = till.gateway.authenticate(answer.reference, asked.card_ref, return_url, key)
    write_answer(till, attempt.purchase_id, attempt.id, opened)


def _ask(till: Till, charge: Charge, *, first: bool) -> ChargeOutcome:
    """The processor's answer. A first request that it refused took nothing; a later one proves
    nothing about those before it."""
    try:
        return till.gateway.charge(charge)
    except PaymentsUnavailable as error:
        log.error("payment_refused_by_processor", key=charge.key, exc_info=True)
        if first:
            return Declined(DeclineReason.PROCESSING_ERROR, may_retry=True)
        return Unknown(str(error))
