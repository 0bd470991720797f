"""Picking up what was left half-done: open attempts, held purchases, refunds, waiting events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.declines import DeclineReason
from portal.domain.errors import PaymentsUnavailable, PortalError
from portal.domain.payments import ChargeOutcome, Declined, PaymentGateway, Unknown
from portal.domain.periods import WallNow
from portal.domain.purchases import Failure
from portal.models.purchases import MAY_STILL_TAKE, PaymentAttemptRow, PurchaseRow
from portal.services import refunding
from portal.services.attempts import charge_of, open_attempts, read_purchase
from portal.services.charging import close, look_at_page, write_answer
from portal.services.inbox import process, waiting
from portal.services.recording import Doer
from portal.services.settlement import let_go, settle
from portal.services.till import Till

log = structlog.get_logger()
PATIENCE = timedelta(minutes=1)
KEY_LIFE = timedelta(hours=23)
DOER = "reconcile"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many purchases and events were looked at, and how many still wait for the processor."""

    purchases: int
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
    """Bring on every purchase open for longer than `patience`, every refund, every waiting event.

    Safe beside running requests and other reconciles. Source: reference/stripe.md §4.6-4.7.
    """
    till = Till(session, gateway, scope, wall, Doer(DOER))
    events = waiting(session, scope)
    session.commit()
    for event_id in events:
        process(session, scope, event_id, gateway=gateway, wall=wall)
    before = wall - patience
    purchases = _unfinished(till, before)
    session.commit()
    for purchase_id in purchases:
        _try(till, _bring_on, purchase_id)
    refunds = refunding.unfinished(till)
    session.commit()
    for refund_id in refunds:
        _try(till, refunding.follow_up, refund_id)
    left = len(refunding.unfinished(till)) + len(waiting(session, scope))
    left += _unanswered(till, before)
    session.commit()
    return Reconciled(len(purchases), len(events), left)


def _try(till: Till, act: Callable[[Till, int], None], row_id: int) -> None:
    try:
        act(till, row_id)
    except PortalError:  # PaymentsUnavailable proves nothing about what went before
        till.session.rollback()
        log.exception("stays_open", step=act.__name__, row_id=row_id)


def _unfinished(till: Till, before: datetime) -> list[int]:
    """Purchases that nobody has brought to an end, or that may still bring money."""
    statement = select(PurchaseRow.id).where(
        PurchaseRow.environment_id == till.environment_id,
        PurchaseRow.created_at <= before,
        or_(PurchaseRow.status == "reserved", _has_open_attempt()),
    )
    return list(till.session.scalars(statement.order_by(PurchaseRow.id)))


def _has_open_attempt() -> ColumnElement[bool]:
    return exists().where(
        PaymentAttemptRow.environment_id == PurchaseRow.environment_id,
        PaymentAttemptRow.purchase_id == PurchaseRow.id,
        PaymentAttemptRow.status.in_(MAY_STILL_TAKE),
    )


def _unanswered(till: Till, before: datetime) -> int:
    """Attempts whose answer is still missing; those that wait for a customer are none."""
    statement = select(func.count()).where(
        PaymentAttemptRow.environment_id == till.environment_id,
        PaymentAttemptRow.status == "started",
        PaymentAttemptRow.created_at <= before,
    )
    return till.session.scalar(statement) or 0


def _bring_on(till: Till, purchase_id: int) -> None:
    purchase = read_purchase(till.session, till.scope, purchase_id)
    till, held_until = till.about(purchase.account_id), purchase.held_until.astimezone(UTC)
    attempts = open_attempts(till.session, purchase)
    for attempt in attempts:
        _ask_about(till, attempt)
    if not attempts and purchase.status == "reserved":
        settle_what_costs_nothing(till, purchase_id)
    purchase = read_purchase(till.session, till.scope, purchase_id)
    over = till.wall >= held_until
    late = [a for a in open_attempts(till.session, purchase) if a.status == "needs_authentication"]
    if purchase.status != "reserved" or (over and late):
        close(till, purchase_id)
    if over:
        let_go(till, purchase_id, Failure.LAPSED)
    till.session.commit()


def settle_what_costs_nothing(till: Till, purchase_id: int) -> None:
    """Give what was reserved without anything to charge; others are left alone."""
    purchase = read_purchase(till.session, till.scope, purchase_id)
    asked = select(exists().where(
        PaymentAttemptRow.environment_id == till.environment_id,
        PaymentAttemptRow.purchase_id == purchase.id,
    ))  # fmt: skip
    if not till.session.scalar(asked):
        settle(till, purchase_id)


def _ask_about(till: Till, attempt: PaymentAttemptRow) -> None:
    if attempt.kind == "checkout":
        _look_at_page(till, attempt)
        return
    purchase_id, attempt_id = attempt.purchase_id, attempt.id
    if attempt.status == "needs_authentication":
        reference = attempt.reference or ""
        till.session.commit()
        answer = till.gateway.read_payment(reference).outcome
    else:
        answer = _answer(till, attempt)
    write_answer(till, purchase_id, attempt_id, answer)


def _look_at_page(till: Till, attempt: PaymentAttemptRow) -> None:
    """A page that cannot be opened any more was shown to nobody: its attempt is over."""
    try:
        look_at_page(till, attempt)
    except PaymentsUnavailable:
        if attempt.page_ref is not None:
            raise
        log.warning("checkout_not_opened", attempt_id=attempt.id)


def _answer(till: Till, attempt: PaymentAttemptRow) -> ChargeOutcome:
    """Ask again with the same key while the processor still knows it; else look the charge up."""
    charge, age = charge_of(attempt), till.wall - WallNow(attempt.created_at)
    till.session.commit()
    knows_key = age < KEY_LIFE
    answer: ChargeOutcome = till.gateway.charge(charge) if knows_key else Unknown("key expired")
    if not isinstance(answer, Unknown):
        return answer
    found = till.gateway.find_payment(charge, int(age.total_seconds()) + 3600)
    if found is not None:
        return found.outcome
    if knows_key:
        return answer
    return Declined(DeclineReason.PROCESSING_ERROR, may_retry=True)
