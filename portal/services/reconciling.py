"""Picking up what was left half-done: open attempts, held purchases, refunds, waiting events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.declines import DeclineReason
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.payments import ChargeOutcome, Declined, PaymentGateway, Unknown
from portal.domain.periods import WallNow
from portal.domain.purchases import Failure
from portal.models.invoices import CollectionRow
from portal.models.purchases import MAY_STILL_TAKE, PaymentAttemptRow, PurchaseRow
from portal.services import refunding
from portal.services.attempts import (
    Debt,
    charge_of,
    debt_behind,
    debt_of,
    knows_key,
    last_attempt,
    lock_attempt,
    open_attempts,
    read_purchase,
)
from portal.services.charging import ask, close, look_at_page, write_answer
from portal.services.demanding import demand_anew
from portal.services.inbox import process, waiting
from portal.services.recording import Doer
from portal.services.settlement import let_go, settle
from portal.services.till import Till

T = TypeVar("T")

log = structlog.get_logger()
PATIENCE = timedelta(minutes=1)
DOER = "reconcile"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many attempts and events were looked at, and how many still wait for the processor."""

    attempts: int
    events: int
    still_open: int


def reconcile(
    session: Session,
    scope: Scope,
    *,
    gateway: PaymentGateway,
    wall: WallNow,
    patience: timedelta = PATIENCE,
) -> Reconciled:
    """Bring on all that is open for longer than `patience`, every refund, every waiting event.

    Safe beside running requests and other reconciles. Source: reference/stripe.md §4.6-4.7.
    """
    till = Till(session, gateway, scope, wall, Doer(DOER))
    events = waiting(session, scope)
    session.commit()
    for event_id in events:
        _try(till, _process, event_id)
    before = wall - patience
    attempts = _open_attempts(till, before)
    session.commit()
    for attempt_id in attempts:
        _try(till, _bring_on, attempt_id)
    purchases = _reserved(till, before)
    session.commit()
    for purchase_id in purchases:
        _try(till, _end_what_waits, purchase_id)
    refunds = refunding.unfinished(till)
    session.commit()
    for refund_id in refunds:
        _try(till, refunding.follow_up, refund_id)
    left = len(refunding.unfinished(till)) + len(waiting(session, scope))
    left += _unanswered(till, before)
    session.commit()
    return Reconciled(len(attempts), len(events), left)


def _try(till: Till, act: Callable[[Till, T], None], row_id: T) -> None:
    """Whatever goes wrong with one is told, and does not hold up those behind it."""
    try:
        act(till, row_id)
    except Exception:  # PaymentsUnavailable proves nothing about what went before
        till.session.rollback()
        log.exception("stays_open", step=act.__name__, row_id=row_id)


def _process(till: Till, event_id: str) -> None:
    process(till.session, till.scope, event_id, gateway=till.gateway, wall=till.wall)


def _open_attempts(till: Till, before: datetime) -> list[int]:
    """Attempts that may still bring money, for purchases and for invoices."""
    statement = select(PaymentAttemptRow.id).where(
        PaymentAttemptRow.environment_id == till.environment_id,
        PaymentAttemptRow.created_at <= before,
        PaymentAttemptRow.status.in_(MAY_STILL_TAKE),
    )
    return list(till.session.scalars(statement.order_by(PaymentAttemptRow.id)))


def _reserved(till: Till, before: datetime) -> list[int]:
    statement = select(PurchaseRow.id).where(
        PurchaseRow.environment_id == till.environment_id,
        PurchaseRow.created_at <= before,
        PurchaseRow.status == "reserved",
    )
    return list(till.session.scalars(statement.order_by(PurchaseRow.id)))


def _unanswered(till: Till, before: datetime) -> int:
    """Attempts whose answer is still missing; those that wait for a customer are none."""
    statement = select(func.count()).where(
        PaymentAttemptRow.environment_id == till.environment_id,
        PaymentAttemptRow.status == "started",
        PaymentAttemptRow.created_at <= before,
    )
    return till.session.scalar(statement) or 0


def _bring_on(till: Till, attempt_id: int) -> None:
    """Ask what an attempt stands at; call it off where nothing waits for its money any more.

    What nobody waits for and the processor does not know can take nothing: it is given up.
    """
    key = (till.environment_id, attempt_id)
    attempt = till.session.get_one(PaymentAttemptRow, key, populate_existing=True)
    till, debt = till.about(attempt.account_id), debt_behind(attempt)
    if attempt.status in MAY_STILL_TAKE:
        if not _is_held(till, debt) and _is_unknown(till, attempt):
            _give_up(till, attempt_id)
        else:
            _ask_about(till, attempt)
    if not _is_waited_for(till, debt):
        close(till, debt)
    till.session.commit()


def _give_up(till: Till, attempt_id: int) -> None:
    log.warning("attempt_unknown_to_processor", attempt_id=attempt_id)
    unknown = lock_attempt(till.session, till.scope, attempt_id)
    if unknown.status in MAY_STILL_TAKE:
        unknown.status, unknown.finished_at = "expired", till.wall
    till.session.commit()


def _ask_about(till: Till, attempt: PaymentAttemptRow) -> None:
    if attempt.kind == "checkout":
        _look_at_page(till, attempt)
        return
    attempt_id, reference = attempt.id, attempt.reference or ""
    if attempt.status == "needs_authentication":
        till.session.commit()
        answer = till.gateway.read_payment(reference).outcome
    elif (asked := _answer(till, attempt)) is not None:
        answer = asked
    else:
        _ask_anew(till, attempt)
        return
    write_answer(till, attempt_id, answer)


def _ask_anew(till: Till, attempt: PaymentAttemptRow) -> None:
    log.error("charge_never_reached_processor", attempt_id=attempt.id)
    charge = demand_anew(till, attempt)
    till.session.commit()
    if charge is not None:
        key = (till.environment_id, charge.attempt_id)
        ask(till, till.session.get_one(PaymentAttemptRow, key))


def _is_waited_for(till: Till, debt: Debt) -> bool:
    """Whether a payment is still wanted; a Checkout that was opened stays open to its own end."""
    if debt.purchase_id is None or _is_held(till, debt):
        return _is_held(till, debt)
    purchase = read_purchase(till.session, till.scope, debt.purchase_id)
    on_page = any(a.kind == "checkout" for a in open_attempts(till.session, debt))
    return purchase.status == "reserved" and on_page


def _is_held(till: Till, debt: Debt) -> bool:
    """Whether a purchase is held for its customer, or an invoice open."""
    if debt.purchase_id is not None:
        purchase = read_purchase(till.session, till.scope, debt.purchase_id)
        return purchase.status == "reserved" and till.wall < purchase.held_until.astimezone(UTC)
    collection = till.session.get(
        CollectionRow, (till.environment_id, debt.invoice_id), populate_existing=True
    )
    return collection is not None and collection.status == "open"


def _end_what_waits(till: Till, purchase_id: int) -> None:
    """Give what was reserved without anything to charge; let go of what nobody pays."""
    purchase = read_purchase(till.session, till.scope, purchase_id)
    till, held_until = till.about(purchase.account_id), purchase.held_until.astimezone(UTC)
    if last_attempt(till.session, debt_of(purchase)) is None:
        settle(till, purchase_id)
    elif till.wall >= held_until:
        let_go(till, purchase_id, Failure.LAPSED)
    till.session.commit()


def _is_unknown(till: Till, attempt: PaymentAttemptRow) -> bool:
    """Whether there is no such page, or payment, so that it can take nothing."""
    page_ref, reference = attempt.page_ref, attempt.reference
    till.session.commit()
    try:
        if page_ref is not None:
            till.gateway.read_page(page_ref)
        elif reference is not None:
            till.gateway.read_payment(reference)
    except NotFound:
        return True
    return False


def _look_at_page(till: Till, attempt: PaymentAttemptRow) -> None:
    """A page that cannot be opened any more was shown to nobody: its attempt is over."""
    try:
        look_at_page(till, attempt)
    except PaymentsUnavailable:
        if attempt.page_ref is not None:
            raise
        log.warning("checkout_not_opened", attempt_id=attempt.id)


def _answer(till: Till, attempt: PaymentAttemptRow) -> ChargeOutcome | None:
    """Ask again with the same key while the processor still knows it; else look the charge up.

    None for an invoice's charge, made by itself, that never reached the processor.
    """
    charge, age = charge_of(attempt), till.wall - WallNow(attempt.created_at)
    known, by_itself = knows_key(attempt, till.wall), not attempt.params["return_url"]
    till.session.commit()
    answer: ChargeOutcome = till.gateway.charge(charge) if known else Unknown("key expired")
    if not isinstance(answer, Unknown):
        return answer
    found = till.gateway.find_payment(charge, int(age.total_seconds()) + 3600)
    if found is not None:
        return found.outcome
    if known:
        return answer
    if by_itself and attempt.invoice_id is not None:
        return None
    return Declined(DeclineReason.PROCESSING_ERROR, may_retry=True)
