"""Changing the plan: paid for now, or agreed for the end of the term; or beginning one again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.catalog import Plan
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.legal import Words
from portal.domain.payments import PaymentGateway
from portal.domain.periods import BillingNow, WallNow, whole_second
from portal.domain.plan_beginnings import quote_beginning
from portal.domain.plan_changes import PlanQuote, PlanRequest, quote_plan_change
from portal.domain.plan_moves import PlanReason, Timing
from portal.domain.spending import PassesCeiling
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import PlanChangeRow, SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.agreed import plain_moves
from portal.queries.plan_beginnings import returning
from portal.queries.plans import PlanRefusal, get_plan, refusal, subscribed
from portal.services.accepting import (
    Acceptance,
    Payment,
    QuoteChanged,
    accept,
    ask_to_pay,
    changed_since,
    lock_subscription,
    too_late_for,
)
from portal.services.charging import PaymentOutcome
from portal.services.coming_back import promise_to_begin
from portal.services.consents import keep_consent
from portal.services.recording import record
from portal.services.reserving import Promise, reserve_change
from portal.services.switching import promise_of, withdraw_agreed
from portal.services.telling import plan_changed
from portal.services.till import Till, till_of
from portal.services.waiting import NoTimeForCheckout
from portal.services.ways import Paying


@dataclass(frozen=True, slots=True)
class Agreed:
    """Nothing was charged: the plan changes at `effective_at`."""

    effective_at: datetime


@dataclass(frozen=True, slots=True)
class CannotChange:
    """Nothing was charged: the plan cannot be changed so now."""

    refusal: PlanRefusal


NotChanged = QuoteChanged | CannotChange | Agreed | NoTimeForCheckout
PlanOutcome = PaymentOutcome | NotChanged | PassesCeiling


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What the present state says at the token's instant."""

    state: AccountState
    quote: PlanQuote


def offer(session: Session, actor: Actor, state: AccountState, request: PlanRequest) -> PlanQuote:
    """The quote of `request` now: a change, or a beginning once a plan has ended.

    Raises NotFound without such a plan, and for an account that never had one.
    """
    return _quote(session, actor, state, request, BillingNow(whole_second(state.now)))


def change(
    actor: Actor,
    accepted: Acceptance[PlanRequest],
    paying: Paying,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> PlanOutcome:
    """Charge what was accepted, once per nonce, and change or begin the plan; or agree for later.

    Raises as `purchases.confirm`.
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)

    def hold(payment: Payment) -> PurchaseRow | NotChanged:
        fresh = _fresh(till, actor, accepted)
        if not isinstance(fresh, _Fresh):
            return fresh
        if fresh.quote.timing is Timing.AT_TERM_END:
            return _agree(till, actor, fresh, accepted.agreed)
        return _hold(till, actor, fresh, accepted.nonce, payment)

    return accept(till, actor, accepted, paying, None, hold)


def withdraw(actor: Actor, *, session: Session, gateway: PaymentGateway, wall: WallNow) -> bool:
    """Take back the change agreed for the end of the term; False when there is none any more, and
    once that end has come, whether or not the renewal has run.

    Raises Forbidden, NotFound without a subscription.
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)
    row = locked(till, actor)
    state = account_state(session, actor.scope, actor.account_id, wall)
    waits = state.agreed is not None and state.now < state.agreed.effective_at
    taken = waits and withdraw_agreed(till, row, state.now)
    session.commit()
    return taken


def _fresh(
    till: Till, actor: Actor, accepted: Acceptance[PlanRequest]
) -> _Fresh | CannotChange | QuoteChanged | Agreed:
    request = accepted.request
    state = account_state(till.session, actor.scope, actor.account_id, till.wall)
    target = get_plan(state, request.plan)
    found = refusal(state, actor, target, request.interval)
    if found and found.reason is PlanReason.AGREED and state.agreed:
        return Agreed(state.agreed.effective_at)
    if found:
        return CannotChange(found)
    quote = _quote(till.session, actor, state, request, accepted.at)
    return changed_since(accepted, quote, state.now, till.wall) or _Fresh(state, quote)


def _quote(
    session: Session, actor: Actor, state: AccountState, request: PlanRequest, at: BillingNow
) -> PlanQuote:
    target = get_plan(state, request.plan)
    if state.subscription is None:
        return quote_beginning(returning(session, actor.scope, state), target, request, at)
    return quote_plan_change(subscribed(session, actor.scope, state), target, request, at)


def _hold(
    till: Till, actor: Actor, fresh: _Fresh, nonce: str, payment: Payment
) -> PurchaseRow | NoTimeForCheckout:
    state, quote = fresh.state, fresh.quote
    target = get_plan(state, quote.request.plan)
    promise = _promise(till, fresh, target)
    over_at = datetime.fromisoformat(promise["over_at"])
    if too_late := too_late_for(payment, quote.due.charged, over_at, state.now):
        return too_late
    purchase = reserve_change(till, actor, state, quote, nonce, promise)
    ask_to_pay(till, state, purchase, target.name, quote.due.charged, payment)
    return purchase


def _promise(till: Till, fresh: _Fresh, target: Plan) -> Promise:
    if fresh.quote.begins:
        return promise_to_begin(till.session, fresh.quote, target)
    return promise_of(subscribed(till.session, till.scope, fresh.state), fresh.quote, target)


def _agree(till: Till, actor: Actor, fresh: _Fresh, words: Words | None) -> Agreed:
    """Keep the change for the end of the term, in place of another one; commit."""
    quote, row = fresh.quote, locked(till, actor)
    target = get_plan(fresh.state, quote.request.plan)
    withdraw_agreed(till, row, fresh.state.now)
    agreed = PlanChangeRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        subscription_id=row.id,
        plan_id=target.id,
        price_id=quote.price.id,
        usage_price_ids=[each.id for each in quote.usage_prices],
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
    reference = f"plan_change:{agreed.id}"
    keep_consent(till.session, actor, reference, words, till.wall)
    before, at = get_plan(fresh.state, quote.from_plan).name, quote.effective_at
    plan_changed(till, row.account_id, reference, before, target.name, at, scheduled=True)
    till.session.commit()
    return Agreed(quote.effective_at)


def locked(till: Till, actor: Actor) -> SubscriptionRow:
    """The account's live subscription under its lock. Raises NotFound without one."""
    row = lock_subscription(till.session, actor)
    if row is None:
        till.session.rollback()
        raise NotFound("subscription")
    return row
