"""What ending the plan comes to: when, what ends with it, and what is billed until then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from portal.domain.bills import Bill, BillingState, next_bills, term_end
from portal.domain.dunning import bills_on
from portal.domain.errors import NotFound
from portal.domain.instances import HELD_PHASES
from portal.domain.money import Money
from portal.queries.accounts import AccountState
from portal.queries.billing import AHEAD, billing_state
from portal.queries.subscriptions import Instance, ending


@dataclass(frozen=True, slots=True)
class EndingAddOn:
    """ends_at: with the plan, or on its own before. billed_next_at: when it is billed again until
    then; else_at: when it would be, were it not for the end. None for what is not."""

    instance: Instance
    ends_at: datetime
    billed_next_at: datetime | None
    else_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of the plan, agreed already or only looked at.

    cancel_at: end of the term. ends_at: of everything; later where an add-on is paid for longer.
    withdrawn: the plan that was agreed for the end of the term, and does not come then. carried:
    cents that wait for the next bill. bills: the next with the end; unchanged: without it.
    """

    is_agreed: bool
    plan: str
    cancel_at: datetime
    ends_at: datetime
    add_ons: tuple[EndingAddOn, ...]
    withdrawn: str | None
    carried: Money
    bills: tuple[Bill, ...]
    unchanged: tuple[Bill, ...]


def get_ending(state: AccountState) -> Ending:
    """The end as it is agreed, or as it would be now. Raises NotFound without a subscription."""
    subscription = state.subscription
    if subscription is None:
        raise NotFound("subscription")
    before = billing_state(replace(state, subscription=replace(subscription, cancel_at=None)))
    cancel_at = subscription.cancel_at or _term_end(state, before)
    ended, instances = ending(subscription, state.instances, cancel_at, state.now)
    waits = state.agreed if state.agreed and state.now < state.agreed.effective_at else None
    agreed = None if waits else state.agreed
    then = replace(state, subscription=ended, instances=instances, agreed=agreed)
    goes_on = bills_on(subscription.status)
    return Ending(
        is_agreed=subscription.cancel_at is not None,
        plan=subscription.plan.name,
        cancel_at=cancel_at,
        ends_at=ended.ends_at or cancel_at,
        add_ons=tuple(_add_on(each) for each in instances if each.phase in HELD_PHASES),
        withdrawn=waits.plan.name if waits else None,
        carried=state.carried,
        bills=next_bills(billing_state(then), state.now, AHEAD).ahead if goes_on else (),
        unchanged=next_bills(before, state.now, AHEAD).ahead if goes_on else (),
    )


def _term_end(state: AccountState, billing: BillingState) -> datetime:
    """A suspended plan is not billed any more: its term is what it was billed for."""
    if state.subscription is None or not bills_on(state.subscription.status):
        return max(billing.plan.billed_until, state.now)
    return term_end(billing, state.now)


def _add_on(instance: Instance) -> EndingAddOn:
    stops_at = instance.span.stops_at or instance.span.starts_at
    recurs = instance.price.is_recurring and instance.span.cancel_at is None
    due_at = instance.billed_until if recurs else None
    billed_next_at = due_at if instance.renews else None
    return EndingAddOn(instance, stops_at, billed_next_at, due_at)
