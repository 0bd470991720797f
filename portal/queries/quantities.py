"""What a change of an instance's quantity depends on, and why there can be none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from portal.domain.access import Actor, Permission
from portal.domain.bills import Bill, BillingState, next_bills
from portal.domain.eligibility import units_left
from portal.domain.errors import NotFound
from portal.domain.lines import means_after
from portal.domain.quantity_changes import (
    Asked,
    QuantityQuote,
    QuantityReason,
    quantity_refusal,
    with_quantity,
)
from portal.domain.recurring import Recurring
from portal.queries.accounts import AccountState
from portal.queries.billing import AHEAD, billing_state
from portal.queries.subscriptions import Instance


@dataclass(frozen=True, slots=True)
class QuantityRefusal:
    """purchase_id: of more units whose payment has no end yet."""

    reason: QuantityReason
    purchase_id: int | None = None


def refusal(
    state: AccountState, actor: Actor, instance: Instance, quantity: int
) -> QuantityRefusal | None:
    """Why `instance` cannot have `quantity` units now; None when it can."""
    item = _find_item(state, instance)
    if state.subscription is None or item is None:
        once = not instance.price.is_recurring
        reason = QuantityReason.NOT_RECURRING if once else QuantityReason.NOT_ACTIVE
        return QuantityRefusal(reason)
    holding = state.holding(instance.add_on)
    status = state.subscription.status
    if reason_ := quantity_refusal(
        instance.add_on, item, instance.phase, holding, status, quantity
    ):
        return QuantityRefusal(reason_)
    if instance.ends_with_plan:
        return QuantityRefusal(QuantityReason.CANCELLING)
    if instance.raise_purchase_id is not None:
        return QuantityRefusal(QuantityReason.PAYMENT_PENDING, instance.raise_purchase_id)
    if item.billed_until <= state.now or (state.owes and quantity > item.quantity):
        return QuantityRefusal(QuantityReason.RENEWING)
    may = actor.holds(Permission.BILLING_UPDATE)
    return None if may else QuantityRefusal(QuantityReason.PERMISSION)


def asked(state: AccountState, instance: Instance) -> Asked:
    """What a quote is made of. Raises NotFound for what is not billed each period."""
    item = _find_item(state, instance)
    if state.subscription is None or item is None:
        raise NotFound("instance")
    means = state.buyer().means
    return Asked(state.account.id, instance.add_on, item, state.subscription.cycle, means)


def most_units(state: AccountState, instance: Instance) -> int | None:
    """The most that the instance can have; None = any number."""
    left = units_left(instance.add_on, state.holding(instance.add_on))
    return None if left is None else instance.quantity + left


def bills_ahead(state: AccountState, instance: Instance, quote: QuantityQuote) -> tuple[Bill, ...]:
    """The next bills once the quoted change is accepted, as the renewal will compute them."""
    billing = billing_state(state)
    changed = replace(
        billing,
        means=means_after(billing.means, quote.lines, quote.due),
        instances=tuple(
            with_quantity(item, quote) if item.instance_id == instance.id else item
            for item in billing.instances
        ),
    )
    return _ahead(changed, state)


def bills_unchanged(state: AccountState) -> tuple[Bill, ...]:
    """The next bills as things are."""
    return _ahead(billing_state(state), state)


def _ahead(billing: BillingState, state: AccountState) -> tuple[Bill, ...]:
    return next_bills(billing, state.now, AHEAD).ahead


def _find_item(state: AccountState, instance: Instance) -> Recurring | None:
    if state.subscription is None:
        return None
    found = billing_state(state).instances
    return next((each for each in found if each.instance_id == instance.id), None)
