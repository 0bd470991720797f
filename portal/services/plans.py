"""Changing the plan: paid for now, or agreed for the end of the term."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.money import Money
from portal.domain.payments import PaymentGateway
from portal.domain.periods import BillingNow, WallNow, whole_second
from portal.domain.plan_changes import PlanQuote, PlanRequest, Subscribed, quote_plan_change
from portal.domain.plan_moves import PlanReason, Timing
from portal.domain.purchases import time_for_checkout
from portal.domain.quotes import QUOTE_LIFETIME
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import PlanChangeRow, SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.agreed import plain_moves
from portal.queries.plans import PlanRefusal, get_plan, refusal, subscribed
from portal.services.attempts import CheckoutWay, Way
from portal.services.charging import PaymentOutcome, conclude
from portal.services.purchases import (
    Earlier,
    QuoteChanged,
    ask_first,
    find_by_nonce,
    lock_subscription,
)
from portal.services.recording import record
from portal.services.reserving import reserve_change, start_paying
from portal.services.switching import promise_of, withdraw_agreed
from portal.services.telling import plan_changed
from portal.services.till import Till, till_of
from portal.services.waiting import NoTimeForCheckout, stop_waiting
from portal.services.ways import Paying, customer_of, way_of


@dataclass(frozen=True, slots=True)
class PlanAcceptance:
    """What a signed token says was shown; as `purchases.Acceptance`."""

    request: PlanRequest
    at: BillingNow
    digest: str
    nonce: str
    issued_at: WallNow
    shown_due: Money


@dataclass(frozen=True, slots=True)
class Agreed:
    """Nothing was charged: the plan changes at `effective_at`."""

    effective_at: datetime


@dataclass(frozen=True, slots=True)
class CannotChange:
    """Nothing was charged: the plan cannot be changed so now."""

    refusal: PlanRefusal


PlanOutcome = PaymentOutcome | QuoteChanged | CannotChange | Agreed | NoTimeForCheckout


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What the present state says at the token's instant."""

    state: AccountState
    by: Subscribed
    quote: PlanQuote


def offer(session: Session, actor: Actor, state: AccountState, request: PlanRequest) -> PlanQuote:
    """The quote of `request` now. Raises NotFound without such a plan or a subscription."""
    by, at = subscribed(session, actor.scope, state), BillingNow(whole_second(state.now))
    return quote_plan_change(by, get_plan(state, request.plan), request, at)


def change(
    actor: Actor,
    accepted: PlanAcceptance,
    paying: Paying,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> PlanOutcome:
    """Charge what was accepted, once per nonce, and change the plan; or agree on it for later.

    Reserves, charges and settles as `purchases.confirm`, and raises what that raises. An earlier
    change that still waits for this member is called off first; can it not be, it is the answer.
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)
    earlier = find_by_nonce(session, actor, accepted.nonce)
    if earlier is not None:
        return conclude(till, earlier.id)
    if still_open := stop_waiting(till, actor, None):
        return still_open
    way = way_of(session, actor, paying.choice)
    typed = isinstance(way, CheckoutWay) and bool(accepted.shown_due)
    customer = customer_of(till, actor) if typed else ""
    reserved = _reserve(till, actor, accepted, way, customer, paying)
    if isinstance(reserved, Earlier):
        return conclude(till, reserved.purchase_id)
    if not isinstance(reserved, PurchaseRow):
        return reserved
    return ask_first(till, reserved.id)


def withdraw(actor: Actor, *, session: Session, gateway: PaymentGateway, wall: WallNow) -> bool:
    """Take back the change agreed for the end of the term; False when there is none any more, and
    once that end has come, whether or not the renewal has run.

    Raises Forbidden, NotFound without a subscription.
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)
    row = _locked(till, actor)
    state = account_state(session, actor.scope, actor.account_id, wall)
    waits = state.agreed is not None and state.now < state.agreed.effective_at
    taken = waits and withdraw_agreed(till, row, state.now)
    session.commit()
    return taken


def _reserve(
    till: Till, actor: Actor, accepted: PlanAcceptance, way: Way, customer: str, paying: Paying
) -> PurchaseRow | PlanOutcome | Earlier:
    """Hold what was accepted, or agree on it, if it still holds; then commit.

    The subscription's row lock puts everything that changes a quote in line.
    """
    lock_subscription(till.session, actor)
    if earlier := find_by_nonce(till.session, actor, accepted.nonce):  # posted twice at once
        found = Earlier(earlier.id)
        till.session.rollback()
        return found
    fresh = _fresh(till, actor, accepted)
    outcome: PurchaseRow | PlanOutcome
    if not isinstance(fresh, _Fresh):
        outcome = fresh
    elif fresh.quote.timing is Timing.AT_TERM_END:
        outcome = _agree(till, actor, fresh)
    else:
        outcome = _hold(till, actor, fresh, accepted.nonce, way, customer, paying)
    if isinstance(outcome, PurchaseRow | Agreed):
        till.session.commit()
    else:
        till.session.rollback()
    return outcome


def _fresh(
    till: Till, actor: Actor, accepted: PlanAcceptance
) -> _Fresh | CannotChange | QuoteChanged | Agreed:
    request = accepted.request
    state = account_state(till.session, actor.scope, actor.account_id, till.wall)
    target = get_plan(state, request.plan)
    found = refusal(state, actor, target, request.interval)
    if found and found.reason is PlanReason.AGREED and state.agreed:
        return Agreed(state.agreed.effective_at)
    if found:
        return CannotChange(found)
    by = subscribed(till.session, actor.scope, state)
    quote = quote_plan_change(by, target, request, accepted.at)
    too_old = till.wall >= accepted.issued_at + QUOTE_LIFETIME
    if too_old or not accepted.at <= state.now < quote.expires_at:
        return QuoteChanged(expired=True, shown_due=accepted.shown_due)
    if quote.digest != accepted.digest:
        return QuoteChanged(expired=False, shown_due=accepted.shown_due)
    return _Fresh(state, by, quote)


def _hold(
    till: Till, actor: Actor, fresh: _Fresh, nonce: str, way: Way, customer: str, paying: Paying
) -> PurchaseRow | NoTimeForCheckout:
    state, quote = fresh.state, fresh.quote
    target = get_plan(state, quote.request.plan)
    promise = promise_of(fresh.by, quote, target)
    over_at = datetime.fromisoformat(promise["over_at"])
    typed = isinstance(way, CheckoutWay)
    if quote.due.charged and typed and not time_for_checkout(over_at, state.now):
        return NoTimeForCheckout(over_at)
    purchase = reserve_change(till, actor, state, quote, nonce, promise)
    if quote.due.charged:
        customer = customer or state.account.stripe_customer_id or ""
        shown_at, amount = paying.shown_at(purchase.id), quote.due.charged
        start_paying(till, purchase, target.name, amount, way, customer, shown_at)
    return purchase


def _agree(till: Till, actor: Actor, fresh: _Fresh) -> Agreed:
    """Keep the change for the end of the term, in place of another one."""
    quote, row = fresh.quote, _locked(till, actor)
    target = get_plan(fresh.state, quote.request.plan)
    withdraw_agreed(till, row, fresh.state.now)
    agreed = PlanChangeRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        subscription_id=row.id,
        plan_id=target.id,
        price_id=quote.price.id,
        person_id=actor.person_id,
        effective_at=quote.effective_at,
        moves=plain_moves(quote.moves),
        status="scheduled",
    )
    till.session.add(agreed)
    till.session.flush()
    told, subject = EventName.PLAN_CHANGE_AGREED, f"subscription:{row.id}"
    plan = {"plan": quote.request.plan, "effective_at": quote.effective_at.isoformat()}
    record(till.session, till.scope, till.doer, told, subject, fresh.state.now, **plan)
    reference, before, at = f"plan_change:{agreed.id}", fresh.by.plan.name, quote.effective_at
    plan_changed(till, row.account_id, reference, before, target.name, at, scheduled=True)
    return Agreed(quote.effective_at)


def _locked(till: Till, actor: Actor) -> SubscriptionRow:
    row = till.session.scalar(
        select(SubscriptionRow)
        .where(
            SubscriptionRow.environment_id == actor.environment_id,
            SubscriptionRow.account_id == actor.account_id,
            SubscriptionRow.ended_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        till.session.rollback()
        raise NotFound("subscription")
    return row
