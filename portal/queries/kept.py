"""What goes on, and for how much, when what is being cancelled is kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from portal.domain.instances import Phase
from portal.domain.proration import charge
from portal.domain.quotes import GoingForward
from portal.domain.renewal_notices import Renewing
from portal.domain.taxes import tax_on
from portal.queries.accounts import AccountState
from portal.queries.active import row_of
from portal.queries.billing import billing_state
from portal.queries.cancelling import Ending
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


def instance_renewing(state: AccountState, instance: Instance) -> Renewing | None:
    """What an add-on that is cancelled, or is about to be, renews for once it is kept."""
    ahead, name = kept_instance(state, instance), instance.add_on.name
    return _renewing(state, name, ahead, instance.id)


def plan_renewing(state: AccountState, ending: Ending) -> Renewing | None:
    """The same of the plan; a change that the end has withdrawn does not come with it."""
    if state.subscription is None:
        return None
    ends = replace(state.subscription, cancel_at=ending.cancel_at)
    agreed = state.agreed if ending.withdrawn is None else None
    ahead = kept_plan(replace(state, subscription=ends, agreed=agreed))
    return _renewing(state, state.subscription.plan.name, ahead)


def _renewing(
    state: AccountState, name: str, ahead: GoingForward | None, instance_id: int | None = None
) -> Renewing | None:
    if ahead is None:
        return None
    gross = ahead.amount if state.account.tax.inclusive else ahead.amount + ahead.tax
    return Renewing(name, ahead.next_at, gross, ahead.interval, instance_id)
