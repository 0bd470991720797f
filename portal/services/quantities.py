"""Another quantity of what renews: more paid for now, fewer agreed for its boundary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.events import EventName
from portal.domain.payments import PaymentGateway
from portal.domain.periods import BillingNow, WallNow, whole_second
from portal.domain.quantity_changes import QuantityQuote, QuantityRequest, quote_quantity
from portal.domain.spending import PassesCeiling
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import InstanceRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.quantities import QuantityRefusal, asked, refusal
from portal.queries.subscriptions import Instance
from portal.services.accepting import (
    Acceptance,
    Payment,
    QuoteChanged,
    accept,
    ask_to_pay,
    changed_since,
    too_late_for,
)
from portal.services.charging import PaymentOutcome
from portal.services.consents import keep_consent
from portal.services.instances import find_instance
from portal.services.raising import promise_of
from portal.services.recording import record
from portal.services.reserving import described, reserve_more
from portal.services.till import Till, till_of
from portal.services.waiting import NoTimeForCheckout
from portal.services.ways import Paying


@dataclass(frozen=True, slots=True)
class QuantityAgreed:
    """Nothing was charged: it has `quantity` units from effective_at on."""

    quantity: int
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class QuantityRefused:
    """Nothing was charged: it cannot have that quantity now."""

    refusal: QuantityRefusal


NotRaised = QuoteChanged | QuantityRefused | QuantityAgreed | NoTimeForCheckout
QuantityOutcome = PaymentOutcome | NotRaised | PassesCeiling


def offer(state: AccountState, request: QuantityRequest) -> QuantityQuote:
    """The quote of `request` now; ask `queries.quantities.refusal` first. Raises NotFound."""
    instance = find_instance(state, request.instance_id)
    return quote_quantity(asked(state, instance), request, BillingNow(whole_second(state.now)))


def change(
    actor: Actor,
    accepted: Acceptance[QuantityRequest],
    paying: Paying,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> QuantityOutcome:
    """Charge what more units cost until the boundary and add them; or agree on fewer for then.

    Raises as `purchases.confirm`, and NotFound for another account's instance.
    Source: product.md §6 (change quantity).
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)
    state = account_state(session, actor.scope, actor.account_id, wall)
    add_on = find_instance(state, accepted.request.instance_id).add_on.lookup_key

    def hold(payment: Payment) -> PurchaseRow | NotRaised:
        return _hold(till, actor, accepted, payment)

    return accept(till, actor, accepted, paying, add_on, hold)


def _hold(
    till: Till, actor: Actor, accepted: Acceptance[QuantityRequest], payment: Payment
) -> PurchaseRow | NotRaised:
    """Write down what was accepted, if it still holds."""
    request = accepted.request
    state = account_state(till.session, actor.scope, actor.account_id, till.wall)
    instance = find_instance(state, request.instance_id)
    if refused := refusal(state, actor, instance, request.quantity):
        return QuantityRefused(refused)
    item = asked(state, instance)
    fresh = quote_quantity(item, request, accepted.at)
    if changed := changed_since(accepted, fresh, state.now, till.wall):
        return changed
    if not fresh.lines:
        subject = f"instance:{instance.id}"
        keep_consent(till.session, actor, subject, accepted.agreed, till.wall)
        return _agree(till, state, instance, fresh)
    over_at = min(line.period.end for line in fresh.lines if line.period)
    if too_late := too_late_for(payment, fresh.due.charged, over_at, state.now):
        return too_late
    promise = promise_of(item.item, fresh)
    purchase = reserve_more(till, actor, state, fresh, accepted.nonce, promise)
    what = described(instance.add_on.name, request.quantity - fresh.quantity_now)
    ask_to_pay(till, state, purchase, what, fresh.due.charged, payment)
    return purchase


def _agree(
    till: Till, state: AccountState, instance: Instance, quote: QuantityQuote
) -> QuantityAgreed:
    """Keep fewer units for the boundary, or take that back; commit."""
    key = (till.environment_id, instance.id)
    row = till.session.get_one(InstanceRow, key, with_for_update=True, populate_existing=True)
    quantity, at = quote.request.quantity, quote.effective_at
    fewer = quantity < row.quantity
    row.next_quantity, row.next_quantity_at = (quantity, at) if fewer else (None, None)
    told, subject = EventName.QUANTITY_AGREED, f"instance:{row.id}"
    detail = {"quantity": str(quantity), "effective_at": at.isoformat()}
    record(till.session, till.scope, till.doer, told, subject, state.now, **detail)
    till.session.commit()
    return QuantityAgreed(quantity, at)
