"""Asking the processor for what is owed, and writing down what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import structlog

from portal.domain.declines import DeclineReason
from portal.domain.errors import Conflict, PaymentsUnavailable
from portal.domain.events import EventName
from portal.domain.payments import (
    ChargeOutcome,
    Declined,
    HostedPage,
    NeedsAuthentication,
    PageStatus,
    Paid,
    SavedCard,
    Unknown,
)
from portal.models.purchases import MAY_STILL_TAKE, PaymentAttemptRow
from portal.services import recharge_news, refunding, telling
from portal.services.attempts import (
    Debt,
    amount_of,
    charge_of,
    checkout_of,
    debt_behind,
    debt_of,
    knows_key,
    last_attempt,
    lock_attempt,
    open_attempts,
    read_purchase,
)
from portal.services.cards import mirror
from portal.services.collecting import collect, note_refusal
from portal.services.marking import mark_refused
from portal.services.recording import record
from portal.services.settlement import settle
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

    first: nobody has asked before, so a refused request proves that nothing was taken.
    Raises NotFound for another scope's.
    """
    purchase = read_purchase(till.session, till.scope, purchase_id)
    attempt = last_attempt(till.session, debt_of(purchase))
    if purchase.status != "reserved" or (attempt and attempt.finished_at):
        return outcome_of(till, purchase_id)
    if attempt is None:
        settle(till, purchase_id)
    else:
        ask(till, attempt, first=first)
    return outcome_of(till, purchase_id)


def ask(till: Till, attempt: PaymentAttemptRow, *, first: bool = False) -> None:
    """Ask the processor what an open attempt stands at, and write it; safe to repeat and race.

    A charge is sent again under its one key, a Checkout is looked at. For a customer who is
    there: a card that needs authentication gets the bank's page.
    """
    if attempt.kind == "checkout":
        look_at_page(till, attempt)
    elif attempt.status == "needs_authentication":
        _look_at_payment(till, attempt)
    else:
        _charge(till, attempt, first=first)


def write_answer(
    till: Till, attempt_id: int, answer: ChargeOutcome, card: SavedCard | None = None
) -> None:
    """Settle, or note why not, by what the processor says now; what cannot be given goes back."""
    match answer:
        case Paid():
            _settle(till, attempt_id, answer, card)
        case Declined() | NeedsAuthentication():
            refuse(till, attempt_id, answer)
        case Unknown():
            till.session.rollback()
        case _:
            assert_never(answer)


def _settle(till: Till, attempt_id: int, paid: Paid, card: SavedCard | None) -> None:
    attempt = till.session.get_one(PaymentAttemptRow, (till.environment_id, attempt_id))
    debt = debt_behind(attempt)
    if debt.purchase_id is not None:
        refund_id = settle(till, debt.purchase_id, attempt_id, paid, card)
    else:
        refund_id = collect(till, debt, attempt_id, paid, card)
    if refund_id is not None:
        refunding.send(till, refund_id)
    if card is not None:
        mirror(till, debt.account_id)
    close_others(till, debt)


def refuse(till: Till, attempt_id: int, answer: Declined | NeedsAuthentication) -> None:
    """Record that an attempt took nothing; what it was to pay waits for another. Then commit."""
    attempt = lock_attempt(till.session, till.scope, attempt_id)
    if attempt.status not in MAY_STILL_TAKE:
        till.session.rollback()
        return
    mark_refused(till, attempt, answer)
    if attempt.invoice_id is not None:
        note_refusal(till, attempt)
        till.session.commit()
        return
    if isinstance(answer, Declined):
        subject, at = f"purchase:{attempt.purchase_id}", till.account_now(attempt.account_id)
        record(till.session, till.scope, till.doer, EventName.PURCHASE_DECLINED, subject, at)
        telling.declined(till, attempt)
    recharge_news.refused(till, attempt, answer)
    till.session.commit()


def look_at_page(till: Till, attempt: PaymentAttemptRow) -> None:
    """Open the attempt's Checkout, or read what it stands at, and write that.

    Raises PaymentsUnavailable; an attempt whose page could not be opened is over then.
    """
    attempt_id, page_ref, asked = attempt.id, attempt.page_ref, checkout_of(attempt)
    till.session.commit()
    if page_ref is not None:
        write_page(till, attempt_id, till.gateway.read_page(page_ref))
        return
    try:
        page = till.gateway.open_checkout(asked)
    except PaymentsUnavailable:
        _mark_cancelled(till, attempt_id)  # nobody was shown its address, so nobody can pay there
        raise
    write_page(till, attempt_id, page)


def write_page(till: Till, attempt_id: int, page: HostedPage) -> None:
    """Write what a Checkout stands at. Raises Conflict for a page of another amount."""
    attempt = lock_attempt(till.session, till.scope, attempt_id)
    if page.amount != amount_of(attempt):
        till.session.rollback()
        raise Conflict(f"attempt {attempt_id} asked for another amount")
    if page.paid is not None:
        till.session.commit()
        write_answer(till, attempt_id, page.paid, page.card)
        return
    if attempt.status in ("started", "open"):
        attempt.page_ref, attempt.page_url = page.reference, page.url
        attempt.status = "expired" if page.status is PageStatus.EXPIRED else "open"
        attempt.finished_at = till.wall if page.status is PageStatus.EXPIRED else None
    till.session.commit()


def close(till: Till, debt: Debt) -> bool:
    """Call off every open attempt at the processor; False when one may still bring money.

    Whatever turns out to be paid is settled. Raises PaymentsUnavailable.
    """
    for attempt in open_attempts(till.session, debt):
        _close(till, attempt)
    return not open_attempts(till.session, debt)


def close_others(till: Till, debt: Debt) -> None:
    """Once paid, nothing else may take money for it; reconcile repeats what fails here."""
    try:
        close(till, debt)
    except PaymentsUnavailable:
        till.session.rollback()
        log.exception("attempt_stays_open", debt=debt.labels)


def outcome_of(till: Till, purchase_id: int) -> PaymentOutcome:
    """What the purchase stands at in the database now."""
    purchase = read_purchase(till.session, till.scope, purchase_id)
    if purchase.status == "settled":
        return Settled(purchase_id)
    if purchase.status == "failed":
        return Ended(purchase_id)
    attempt = last_attempt(till.session, debt_of(purchase))
    if attempt is not None and attempt.status == "open" and attempt.page_url:
        return NeedsCheckout(purchase_id, attempt.page_url)
    waits_for_bank = attempt is None or attempt.status in ("started", "open")
    return Pending(purchase_id) if waits_for_bank else Unpaid(purchase_id)


def _close(till: Till, attempt: PaymentAttemptRow) -> None:
    attempt_id, status, typed = attempt.id, attempt.status, attempt.kind == "checkout"
    page_ref, reference = attempt.page_ref, attempt.reference
    till.session.commit()
    if status == "open" and page_ref:
        write_page(till, attempt_id, till.gateway.close_page(page_ref))
    elif status == "needs_authentication" and reference:
        answer = till.gateway.cancel_payment(reference)
        if isinstance(answer, Paid):
            write_answer(till, attempt_id, answer)
        elif not isinstance(answer, Unknown):
            _mark_cancelled(till, attempt_id)
    elif typed:
        _mark_cancelled(till, attempt_id)  # nobody was shown its address
    else:
        write_answer(till, attempt_id, _ask(till, attempt, first=False))


def _mark_cancelled(till: Till, attempt_id: int) -> None:
    attempt = lock_attempt(till.session, till.scope, attempt_id)
    if attempt.status in ("started", "needs_authentication"):
        attempt.status, attempt.finished_at = "cancelled", till.wall
    till.session.commit()


def _charge(till: Till, attempt: PaymentAttemptRow, *, first: bool) -> None:
    attempt_id, answer = attempt.id, _ask(till, attempt, first=first)
    write_answer(till, attempt_id, answer)
    _send_to_bank(till, attempt, answer)


def _look_at_payment(till: Till, attempt: PaymentAttemptRow) -> None:
    attempt_id, reference = attempt.id, attempt.reference or ""
    till.session.commit()
    answer = till.gateway.read_payment(reference).outcome
    write_answer(till, attempt_id, answer)
    _send_to_bank(till, attempt, answer)


def _send_to_bank(till: Till, attempt: PaymentAttemptRow, answer: ChargeOutcome) -> None:
    """Where the bank wants to see the customer and has no page for that yet, open it."""
    return_url = attempt.params.get("return_url")
    if not isinstance(answer, NeedsAuthentication) or answer.url or not return_url:
        return
    attempt_id, asked = attempt.id, charge_of(attempt)
    till.session.commit()
    key = f"{asked.key}:authenticate"
    opened = till.gateway.authenticate(answer.reference, asked.card_ref, return_url, key)
    write_answer(till, attempt_id, opened)


def _ask(till: Till, attempt: PaymentAttemptRow, *, first: bool) -> ChargeOutcome:
    """The processor's answer. A first request that it refused took nothing; a later one proves
    nothing about those before it. Once the key may be forgotten, only reconcile looks it up."""
    charge, known = charge_of(attempt), knows_key(attempt, till.wall)
    till.session.commit()
    if not known:
        return Unknown("key expired")
    try:
        return till.gateway.charge(charge)
    except PaymentsUnavailable as error:
        log.error("payment_refused_by_processor", key=charge.key, exc_info=True)
        if first:
            return Declined(DeclineReason.PROCESSING_ERROR, may_retry=True)
        return Unknown(str(error))
