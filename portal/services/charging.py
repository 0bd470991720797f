"""Asking the processor for a reserved purchase's money, and writing down what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.declines import DeclineReason, may_retry
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.payments import (
    Charge,
    ChargeOutcome,
    Declined,
    NeedsAuthentication,
    Paid,
    PaymentGateway,
    Unknown,
)
from portal.domain.periods import WallNow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow
from portal.services.recording import Doer
from portal.services.reserving import charge_of
from portal.services.settlement import fail, settle

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Settled:
    """Bought; a repeat of the same acceptance gives the same purchase."""

    purchase_id: int


@dataclass(frozen=True, slots=True)
class Pending:
    """No clear answer from the bank yet; it is asked again until there is one."""

    purchase_id: int


PaymentOutcome = Settled | Declined | NeedsAuthentication | Pending


def conclude(
    purchase_id: int,
    doer: Doer,
    scope: Scope,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
    first: bool = False,
) -> PaymentOutcome:
    """Charge what is reserved under its one key and write the answer; safe to repeat and to race.

    first: nobody has asked before, so a refused request proves that nothing was taken.
    Raises NotFound for a purchase of another scope.
    """
    purchase = read_purchase(session, scope, purchase_id)
    attempt = last_attempt(session, purchase)
    if purchase.status == "settled":
        return Settled(purchase_id)
    if purchase.status == "failed":
        return _how_it_failed(attempt)
    if attempt is None:
        settle(session, scope, purchase_id, None, doer, wall)
        return Settled(purchase_id)
    charge = charge_of(attempt)
    session.commit()
    answer = _ask(gateway, charge, first=first)
    return write_answer(purchase_id, answer, doer, scope, session=session, wall=wall)


def write_answer(
    purchase_id: int,
    answer: ChargeOutcome,
    doer: Doer,
    scope: Scope,
    *,
    session: Session,
    wall: WallNow,
) -> PaymentOutcome:
    """Settle or let go, by what the processor says now."""
    match answer:
        case Paid():
            settle(session, scope, purchase_id, answer, doer, wall)
            return Settled(purchase_id)
        case Declined() | NeedsAuthentication():
            fail(session, scope, purchase_id, answer, doer, wall)
            return answer
        case Unknown():
            settled = read_purchase(session, scope, purchase_id).status == "settled"
            return Settled(purchase_id) if settled else Pending(purchase_id)
        case _:
            assert_never(answer)


def read_purchase(session: Session, scope: Scope, purchase_id: int) -> PurchaseRow:
    """The purchase as it stands in the database now. Raises NotFound."""
    key = (scope.environment_id, purchase_id)
    purchase = session.get(PurchaseRow, key, populate_existing=True)
    if purchase is None:
        raise NotFound("purchase")
    return purchase


def last_attempt(session: Session, purchase: PurchaseRow) -> PaymentAttemptRow | None:
    """The latest attempt to charge; None when there was nothing to charge."""
    return session.scalar(
        select(PaymentAttemptRow)
        .where(
            PaymentAttemptRow.environment_id == purchase.environment_id,
            PaymentAttemptRow.purchase_id == purchase.id,
        )
        .order_by(PaymentAttemptRow.number.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _ask(gateway: PaymentGateway, charge: Charge, *, first: bool) -> ChargeOutcome:
    """The processor's answer. A first request that it refused took nothing; a later one proves
    nothing about those before it."""
    try:
        return gateway.charge(charge)
    except PaymentsUnavailable as error:
        log.error("payment_refused_by_processor", key=charge.key, exc_info=True)
        if first:
            return Declined(DeclineReason.PROCESSING_ERROR, may_retry=True)
        return Unknown(str(error))


def _how_it_failed(attempt: PaymentAttemptRow | None) -> PaymentOutcome:
    if attempt is not None and attempt.status == "needs_authentication":
        return NeedsAuthentication(attempt.reference or "")
    if attempt is None or attempt.reason is None:
        return Declined(DeclineReason.REFUSED, may_retry=True)
    again = may_retry(attempt.advice_code, attempt.decline_code)
    return Declined(DeclineReason(attempt.reason), again)
