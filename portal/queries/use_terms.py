"""The prices for use that an account holds, each as something with periods and terms of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from portal.domain.arrears import price_for_use
from portal.domain.catalog import Feature, Price
from portal.domain.instances import InstanceStatus
from portal.domain.price_changes import in_order
from portal.domain.recurring import Recurring, Terms
from portal.queries.accounts import AccountState
from portal.queries.by_the_clock import charging
from portal.queries.subscriptions import Subscription

_HELD = (InstanceStatus.ACTIVE, InstanceStatus.SCHEDULED)


def use_items(state: AccountState) -> Iterator[Recurring]:
    """What is announced and agreed of each; name: of the plan or add-on that it belongs to."""
    subscription = state.subscription
    if subscription is None:
        return
    for price in subscription.usage_prices:
        if price.feature and price_for_use(subscription.plan, (price,), price.feature):
            item = _item(subscription, subscription.plan.name, price)
            yield _with_agreed(state, item, price.feature)
    for instance, held in charging(state):
        for price in instance.usage_prices if instance.status in _HELD else ():
            if price.feature and price_for_use(instance.add_on, (price,), price.feature):
                item = _item(subscription, instance.add_on.name, price, instance.id)
                terms = _announced(state, price.feature, instance.id)
                yield replace(item, agreed=in_order(terms)).until(held.stops_at)


def _item(
    subscription: Subscription, name: str, price: Price, instance_id: int | None = None
) -> Recurring:
    return Recurring(
        name=name,
        price=price,
        anchor=subscription.cycle.billing_anchor,
        billed_until=subscription.use_billed_until,
        instance_id=instance_id,
        stops_at=subscription.ends_at,
    )


def _with_agreed(state: AccountState, item: Recurring, feature: Feature) -> Recurring:
    """The plan's, up to and after the change of plan that is agreed."""
    terms, agreed = _announced(state, feature, None), state.agreed
    if agreed is None:
        return replace(item, agreed=in_order(terms))
    then = price_for_use(agreed.plan, agreed.usage_prices, feature)
    if then is None:
        return replace(item, agreed=in_order(terms)).until(agreed.effective_at)
    own = Terms(agreed.effective_at, agreed.plan.name, then)
    return replace(item, agreed=in_order((*terms, own)))


def _announced(state: AccountState, feature: Feature, instance_id: int | None) -> tuple[Terms, ...]:
    return tuple(
        each.terms
        for each in state.price_changes
        if each.feature == feature and each.instance_id == instance_id
    )
