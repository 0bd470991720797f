"""What goes on, and for how much, when what is being cancelled is kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from portal.domain.instances import Phase
from portal.domain.proration import charge
from portal.domain.quotes import GoingForward
from portal.domain.taxes import tax_on
from portal.queries.accounts import AccountState
from portal.queries.active import row_of
from portal.queries.billing import billing_state
from portal.queries.subscriptions import Instance


def kept_instance(state: AccountState, instance: Instance) -> GoingForward | None:
    """None where nothing more is charged for it: it ends with the plan."""
    phase = Phase.SCHEDULED if instance.phase is Phase.SCHEDULED else Phase.ACTIVE
    kept = replace(instance, phase=phase, span=replace(instance.span, cancel_at=None))
    others = tuple(kept if each.id == kept.id else each for each in state.instances)
    row = row_of(replace(state, instances=others), kept)
    if row.next_at is None or row.next_charge is None or kept.price.interval is None:
        return None
    tax = tax_on(state.account.tax, row.next_charge)
    return GoingForward(row.next_charge, tax, kept.price.interval, row.next_at)


def kept_plan(state: AccountState) -> GoingForward | None:
    """Of the plan alone. None where it is not being cancelled, or cannot be kept any more."""
    subscription = state.subscription
    if subscription is None or subscription.cancel_at is None:
        return None
    at = subscription.cancel_at
    if at <= state.now:
        return None
    going_on = replace(state, subscription=replace(subscription, cancel_at=None))
    plan = billing_state(going_on).plan.as_agreed(at)
    if plan.price.interval is None:
        return None
    amount = charge(plan.price, Decimal(1), None, at)
    return GoingForward(amount, tax_on(state.account.tax, amount), plan.price.interval, at)
