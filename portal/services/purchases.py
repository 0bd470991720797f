"""Buying an add-on: reserve, charge, settle."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.catalog import AddOn
from portal.domain.eligibility import Reason, Refusal, refusal, units_left
from portal.domain.errors import NotFound
from portal.domain.payments import PaymentGateway
from portal.domain.periods import BillingNow, WallNow, whole_second
from portal.domain.quotes import Quote, Request, Start, quote
from portal.domain.spending import PassesCeiling
from portal.models.purchases import PurchaseRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.addons import may_wait
from portal.services.accepting import (
    Acceptance,
    Payment,
    QuoteChanged,
    accept,
    ask_to_pay,
    changed_since,
    too_late_for,
)
from portal.services.charging import PaymentOutcome, conclude
from portal.services.proposing import take_up
from portal.services.reserving import described, reserve
from portal.services.till import Till, till_of
from portal.services.waiting import NoTimeForCheckout
from portal.services.ways import Paying


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was charged: the add-on cannot be bought now, or not so many of it."""

    refusal: Refusal | None
    most: int | None = None


NotBought = QuoteChanged | Refused | NoTimeForCheckout
PurchaseOutcome = PaymentOutcome | NotBought | PassesCeiling


def offer(state: AccountState, request: Request) -> Quote:
    """The quote of `request` now. Raises NotFound when there is no such add-on for this buyer."""
    add_on = _add_on(state, request)
    return quote(state.buyer(), add_on, request, BillingNow(whole_second(state.now)))


def confirm(
    actor: Actor,
    accepted: Acceptance[Request],
    paying: Paying,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> PurchaseOutcome:
    """Charge what was accepted, once per nonce, and unlock what was bought.

    Raises Forbidden without billing.update, and what `accept` raises.
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)

    def hold(payment: Payment) -> PurchaseRow | NotBought:
        return _hold(till, actor, accepted, payment)

    return accept(till, actor, accepted, paying, accepted.request.add_on, hold)


def finish(
    actor: Actor, purchase_id: int, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> PaymentOutcome:
    """Bring a purchase of the member's account on, or say how it stands; safe to repeat.

    Raises NotFound for another account's.
    """
    purchase = session.get(PurchaseRow, (actor.environment_id, purchase_id))
    if purchase is None or purchase.account_id != actor.account_id:
        raise NotFound("purchase")
    return conclude(till_of(actor, session, gateway, wall), purchase_id)


def _hold(
    till: Till, actor: Actor, accepted: Acceptance[Request], payment: Payment
) -> PurchaseRow | NotBought:
    """Write down what was accepted, if it still holds."""
    state = account_state(till.session, actor.scope, actor.account_id, till.wall)
    if refused := _refused(actor, state, accepted.request):
        return refused
    fresh = quote(state.buyer(), _add_on(state, accepted.request), accepted.request, accepted.at)
    if changed := changed_since(accepted, fresh, state.now, till.wall):
        return changed
    if too_late := too_late_for(payment, fresh.charged, fresh.over_at, state.now):
        return too_late
    purchase = reserve(till, actor, state, fresh, accepted.nonce)
    take_up(till, actor, accepted.request, purchase)
    what = described(_add_on(state, fresh.request).name, fresh.request.quantity)
    ask_to_pay(till, state, purchase, what, fresh.charged, payment)
    return purchase


def _refused(actor: Actor, state: AccountState, request: Request) -> Refused | None:
    """Why it cannot be bought now, or not so many of it, before any figure is compared."""
    add_on = _add_on(state, request)
    holding = state.holding(add_on)
    if found := refusal(add_on, state.standing(actor), holding):
        return Refused(found)
    if request.start is Start.NEXT_CYCLE and not may_wait(state, actor, add_on):
        return Refused(Refusal(Reason.PLAN))
    left = units_left(add_on, holding)
    return Refused(None, left) if left is not None and request.quantity > left else None


def _add_on(state: AccountState, request: Request) -> AddOn:
    """Raises NotFound for a lookup key that is not in the catalog."""
    add_on = state.find_add_on(request.add_on)
    if add_on is None:
        raise NotFound("add-on")
    return add_on
