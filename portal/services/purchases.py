"""Buying an add-on: reserve, charge, settle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Scope
from portal.domain.declines import DeclineReason, may_retry
from portal.domain.eligibility import Refusal, refusal, units_left
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import (
    Charge,
    ChargeOutcome,
    Declined,
    NeedsAuthentication,
    Paid,
    PaymentGateway,
    Unknown,
)
from portal.domain.periods import BillingNow, WallNow, whole_second
from portal.domain.quotes import QUOTE_LIFETIME, Quote, Request, quote
from portal.models.purchases import PaymentAttemptRow, PurchaseRow, QuoteRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.services.recording import Doer
from portal.services.reserving import NoCard, charge_of, reserve
from portal.services.settlement import fail, settle

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a signed token says was shown: the request, priced at `at`, promising `digest`.

    nonce: makes the purchase happen once. issued_at: when the page was made, by the wall clock.
    shown_due: the amount the button named.
    """

    request: Request
    at: BillingNow
    digest: str
    nonce: str
    issued_at: WallNow
    shown_due: Money


@dataclass(frozen=True, slots=True)
class Settled:
    """Bought; a repeat of the same acceptance gives the same purchase."""

    purchase_id: int


@dataclass(frozen=True, slots=True)
class QuoteChanged:
    """Nothing was charged: what was shown no longer holds. `expired`: only the time ran out."""

    expired: bool
    shown_due: Money


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was charged: the add-on cannot be bought now, or not so many of it."""

    refusal: Refusal | None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """No clear answer from the bank yet; it is asked again until there is one."""

    purchase_id: int


PurchaseOutcome = (
    Settled | QuoteChanged | Refused | NoCard | Declined | NeedsAuthentication | Pending
)


def offer(state: AccountState, request: Request) -> Quote:
    """The quote of `request` now. Raises NotFound when there is no such add-on for this buyer."""
    add_on = state.find_add_on(request.add_on)
    if add_on is None:
        raise NotFound("add-on")
    return quote(state.buyer(), add_on, request, BillingNow(whole_second(state.now)))


def confirm(
    actor: Actor,
    accepted: Acceptance,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> PurchaseOutcome:
    """Charge what was accepted, once per nonce, and unlock what was bought.

    Two commits with the charge between them: whoever dies there leaves a reserved purchase that
    the webhook, the repeated form or `finish` settles. Raises Forbidden without billing.update.
    """
    actor.require(Permission.BILLING_UPDATE)
    earlier = _find_by_nonce(session, actor, accepted.nonce)
    if earlier is not None:
        return finish(actor, earlier.id, session=session, gateway=gateway, wall=wall)
    reserved = _reserve(actor, accepted, session, wall)
    if not isinstance(reserved, PurchaseRow):
        return reserved
    doer = Doer(f"person:{actor.person_id}", actor.account_id, actor.person_id)
    return conclude(
        reserved.id, doer, actor.scope, session=session, gateway=gateway, wall=wall, first=True
    )


def finish(
    actor: Actor, purchase_id: int, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> PurchaseOutcome:
    """Bring a member's reserved purchase to its end, or say how it ended; safe to repeat."""
    purchase = session.get(PurchaseRow, (actor.environment_id, purchase_id))
    if purchase is None or purchase.account_id != actor.account_id:
        raise NotFound("purchase")
    doer = Doer(f"person:{actor.person_id}", actor.account_id, actor.person_id)
    return conclude(purchase_id, doer, actor.scope, session=session, gateway=gateway, wall=wall)


def conclude(
    purchase_id: int,
    doer: Doer,
    scope: Scope,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
    first: bool = False,
) -> PurchaseOutcome:
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
) -> PurchaseOutcome:
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


def _how_it_failed(attempt: PaymentAttemptRow | None) -> PurchaseOutcome:
    if attempt is not None and attempt.status == "needs_authentication":
        return NeedsAuthentication(attempt.reference or "")
    if attempt is None or attempt.reason is None:
        return Declined(DeclineReason.REFUSED, may_retry=True)
    again = may_retry(attempt.advice_code, attempt.decline_code)
    return Declined(DeclineReason(attempt.reason), again)


def _find_by_nonce(session: Session, actor: Actor, nonce: str) -> PurchaseRow | None:
    """The purchase this acceptance already made. Raises NotFound when it is another account's."""
    found = session.scalar(
        select(PurchaseRow)
        .join(QuoteRow, QuoteRow.id == PurchaseRow.quote_id)
        .where(
            PurchaseRow.environment_id == actor.environment_id,
            QuoteRow.environment_id == actor.environment_id,
            QuoteRow.nonce == nonce,
        )
    )
    if found is not None and found.account_id != actor.account_id:
        raise NotFound("purchase")
    return found


def _reserve(
    actor: Actor, accepted: Acceptance, session: Session, wall: WallNow
) -> PurchaseRow | PurchaseOutcome:
    """Hold what was accepted, if it still holds; then commit.

    The subscription's row lock puts everything that changes a quote in line.
    """
    _lock_subscription(session, actor)
    state = account_state(session, actor.scope, actor.account_id, wall)
    earlier = _find_by_nonce(session, actor, accepted.nonce)
    problem = None if earlier else _why_not(actor, state, accepted, wall)
    if earlier or problem:
        session.rollback()
        return earlier or problem  # type: ignore[return-value]
    fresh = _quote_at(state, accepted)
    if fresh is None or fresh.digest != accepted.digest:
        session.rollback()
        return QuoteChanged(expired=False, shown_due=accepted.shown_due)
    purchase = reserve(session, actor, state, fresh, accepted.nonce, wall)
    if isinstance(purchase, NoCard):
        session.rollback()
        return purchase
    try:
        session.commit()
    except IntegrityError:  # the same nonce from another account's subscription, or a rule kept
        session.rollback()
        return QuoteChanged(expired=False, shown_due=accepted.shown_due)
    return purchase


def _lock_subscription(session: Session, actor: Actor) -> None:
    session.execute(
        select(SubscriptionRow.id)
        .where(
            SubscriptionRow.environment_id == actor.environment_id,
            SubscriptionRow.account_id == actor.account_id,
            SubscriptionRow.ended_at.is_(None),
        )
        .with_for_update()
    )


def _why_not(
    actor: Actor, state: AccountState, accepted: Acceptance, wall: WallNow
) -> QuoteChanged | Refused | None:
    """The first thing that stands in the way, before any figure is compared."""
    request = accepted.request
    add_on = state.find_add_on(request.add_on)
    if add_on is None or state.subscription is None:
        raise NotFound("add-on")
    holding = state.holding(add_on)
    if found := refusal(add_on, state.standing(actor), holding):
        return Refused(found)
    left = units_left(add_on, holding)
    if left is not None and request.quantity > left:
        return Refused(None, left)
    too_old = wall >= accepted.issued_at + QUOTE_LIFETIME
    if too_old or state.now < accepted.at or state.now >= _expiry(state, accepted):
        return QuoteChanged(expired=True, shown_due=accepted.shown_due)
    return None


def _expiry(state: AccountState, accepted: Acceptance) -> datetime:
    fresh = _quote_at(state, accepted)
    return fresh.expires_at if fresh else state.now


def _quote_at(state: AccountState, accepted: Acceptance) -> Quote | None:
    """What `accepted` asks for, priced at its own instant from the present state."""
    add_on = state.find_add_on(accepted.request.add_on)
    return quote(state.buyer(), add_on, accepted.request, accepted.at) if add_on else None
