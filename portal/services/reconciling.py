"""Picking up what was left half-done: open purchases and waiting events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.declines import DeclineReason
from portal.domain.errors import PortalError
from portal.domain.payments import Charge, ChargeOutcome, Declined, PaymentGateway, Unknown
from portal.domain.periods import WallNow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow
from portal.services.charging import conclude, last_attempt, read_purchase, write_answer
from portal.services.inbox import process, waiting
from portal.services.recording import Doer
from portal.services.reserving import charge_of

log = structlog.get_logger()
PATIENCE = timedelta(minutes=1)
KEY_LIFE = timedelta(hours=23)
DOER = "reconcile"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many purchases and events were looked at, and how many still wait."""

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
    """Settle or let go every purchase open for longer than `patience`, and every waiting event.

    Safe beside running requests and other reconciles. Source: reference/stripe.md §4.6-4.7.
    """
    events = waiting(session, scope)
    session.commit()
    for event_id in events:
        process(session, scope, event_id, gateway=gateway, wall=wall)
    open_ids = _open_purchases(session, scope, wall, patience)
    session.commit()
    for purchase_id in open_ids:
        try:
            _bring_to_end(session, scope, purchase_id, gateway, wall)
        except PortalError:  # PaymentsUnavailable proves nothing about what went before
            session.rollback()
            log.exception("purchase_stays_open", purchase_id=purchase_id)
    left = len(_open_purchases(session, scope, wall, patience)) + len(waiting(session, scope))
    session.commit()
    return Reconciled(len(open_ids), len(events), left)


def _open_purchases(
    session: Session, scope: Scope, wall: WallNow, patience: timedelta
) -> list[int]:
    statement = select(PurchaseRow.id).where(
        PurchaseRow.environment_id == scope.environment_id,
        PurchaseRow.status == "reserved",
        PurchaseRow.created_at <= wall - patience,
    )
    return list(session.scalars(statement.order_by(PurchaseRow.id)))


def _bring_to_end(
    session: Session, scope: Scope, purchase_id: int, gateway: PaymentGateway, wall: WallNow
) -> None:
    purchase = read_purchase(session, scope, purchase_id)
    doer = Doer(DOER, purchase.account_id)
    attempt = last_attempt(session, purchase)
    if attempt is None:
        conclude(purchase_id, doer, scope, session=session, gateway=gateway, wall=wall)
        return
    charge, age = (
        charge_of(attempt),
        datetime.fromtimestamp(wall.timestamp(), UTC) - attempt.created_at,
    )
    session.commit()
    answer = _answer(gateway, charge, attempt, age)
    write_answer(purchase_id, answer, doer, scope, session=session, wall=wall)


def _answer(
    gateway: PaymentGateway, charge: Charge, attempt: PaymentAttemptRow, age: timedelta
) -> ChargeOutcome:
    """Ask again with the same key while the processor still knows it; else look the charge up."""
    knows_key = age < KEY_LIFE
    answer: ChargeOutcome = gateway.charge(charge) if knows_key else Unknown("key expired")
    if not isinstance(answer, Unknown):
        return answer
    found = gateway.find_payment(charge, int(age.total_seconds()) + 3600)
    if found is not None:
        return found.outcome
    if knows_key:
        return answer
    return Declined(DeclineReason.PROCESSING_ERROR, may_retry=True)
