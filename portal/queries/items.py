"""The plan and the add-ons as bills see them, with the change of plan that is agreed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from portal.domain.instances import InstanceStatus, Phase
from portal.domain.periods import Anchor
from portal.domain.plan_moves import Change, Fate, Held, Move, Timing, move
from portal.domain.price_changes import PriceChange
from portal.domain.recurring import Recurring, Terms
from portal.queries.agreed import AgreedChange
from portal.queries.subscriptions import Instance, Subscription

BILLED = (InstanceStatus.ACTIVE, InstanceStatus.SCHEDULED)


@dataclass(frozen=True, slots=True)
class Items:
    """All that is billed each period."""

    plan: Recurring
    instances: tuple[Recurring, ...]


def items_of(
    subscription: Subscription,
    instances: Iterable[Instance],
    price_changes: Iterable[PriceChange],
    agreed: AgreedChange | None,
    now: datetime,
) -> Items:
    """Each with what it was billed for already, the prices that are announced, and what is agreed
    for the end of the term."""
    announced, mine = tuple(price_changes), tuple(instances)
    plan = _plan(subscription, _announced(announced, None))
    items = Items(
        plan,
        tuple(
            _with_plan(_item(each, subscription, _announced(announced, each.id)), plan)
            for each in mine
            if each.status in BILLED and each.billed_until is not None
        ),
    )
    return _with_change(items, subscription, mine, agreed, now) if agreed else items


def over_by_change(
    instances: tuple[Instance, ...], items: Items, now: datetime
) -> tuple[Instance, ...]:
    """The same, over where the change of plan ends them by `now`, whoever has renewed.

    items: with that change.
    """
    ends = {item.instance_id: item.stops_at for item in items.instances}
    return tuple(_over(each, ends.get(each.id), now) for each in instances)


def _over(instance: Instance, ends_at: datetime | None, now: datetime) -> Instance:
    if ends_at is None or ends_at > now or instance.phase is Phase.ENDED:
        return instance
    span = replace(instance.span, cancel_at=max(ends_at, instance.span.starts_at))
    return replace(instance, span=span, phase=Phase.ENDED)


def _plan(subscription: Subscription, announced: tuple[Terms, ...]) -> Recurring:
    return Recurring(
        name=subscription.plan.name,
        price=subscription.price,
        anchor=subscription.cycle.billing_anchor,
        billed_until=subscription.billed_until,
        stops_at=subscription.cancel_at,
        agreed=announced,
    )


def _item(
    instance: Instance, subscription: Subscription, announced: tuple[Terms, ...]
) -> Recurring:
    anchor = subscription.cycle.billing_anchor
    if instance.anchor_at is not None:
        anchor = Anchor(instance.anchor_at, anchor.zone)
    fewer = (
        (Terms(instance.next_quantity_at, quantity=instance.next_quantity),)
        if instance.next_quantity_at is not None
        else ()
    )
    return Recurring(
        name=instance.add_on.name,
        price=instance.price,
        anchor=anchor,
        billed_until=instance.billed_until or instance.span.starts_at,
        quantity=instance.billed_quantity,
        instance_id=instance.id,
        stops_at=instance.span.stops_at,
        agreed=(*announced, *fewer),
    )


def _with_plan(item: Recurring, plan: Recurring) -> Recurring:
    """Marked, where what was billed of it stops with the plan and at no boundary of its own.

    Not where the plan's is none either: then the account's zone has changed.
    """
    at = item.billed_until
    cut = at == plan.billed_until == plan.period_at(at).start != item.period_at(at).start
    return replace(item, cut=cut)


def _announced(changes: Iterable[PriceChange], instance_id: int | None) -> tuple[Terms, ...]:
    """Of the price itself, not of one for use."""
    mine = (each for each in changes if each.instance_id == instance_id)
    return tuple(each.terms for each in mine if each.feature is None)


def _with_change(
    items: Items,
    subscription: Subscription,
    instances: Iterable[Instance],
    agreed: AgreedChange,
    now: datetime,
) -> Items:
    terms = Terms(agreed.effective_at, agreed.plan.name, agreed.price)
    change = Change(
        sold=subscription.price,
        period=items.plan.period_at(agreed.effective_at),
        target=agreed.plan,
        price=agreed.price,
        timing=Timing.AT_TERM_END,
        at=now,
        effective_at=agreed.effective_at,
    )
    said = {each.instance_id: each for each in agreed.moves if each.fate is not Fate.CANCELLING}
    held = {each.id: each for each in instances}
    before = (each for each in items.plan.agreed if each.since < terms.since)
    return Items(
        plan=replace(items.plan, agreed=(*before, terms)),
        instances=tuple(
            _moved(item, said.get(instance_id) or _new_move(held[instance_id], item, change), terms)
            for item in items.instances
            if (instance_id := item.instance_id) is not None
        ),
    )


def _new_move(instance: Instance, item: Recurring, change: Change) -> Move:
    """What becomes of an instance that was bought, or kept, since the change was agreed."""
    return move(Held(instance.id, instance.add_on, instance.span.starts_at), item, change)


def _moved(item: Recurring, fate: Move, terms: Terms) -> Recurring:
    if fate.fate is Fate.ENDS:
        return item.until(fate.ends_at)
    if fate.fate is not Fate.SWITCHES or fate.price is None:
        return item
    return replace(item, agreed=(*item.agreed, Terms(terms.since, price=fate.price)))
