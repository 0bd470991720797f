"""What an agreed change of plan means from its instant on, whether or not its renewal has run.

Renewal only bills: what may be used, and what its excess costs, moves by the clock.
Source: product.md §4a.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.domain.arrears import Held, counted_since, price_for_use
from portal.domain.catalog import Feature, Plan, Price
from portal.domain.instances import InstanceStatus, SubscriptionStatus
from portal.domain.periods import Period
from portal.domain.plan_moves import Fate
from portal.domain.price_changes import price_at
from portal.queries.accounts import AccountState
from portal.queries.agreed import AgreedChange
from portal.queries.subscriptions import Instance

_BOUGHT = (InstanceStatus.ACTIVE, InstanceStatus.SCHEDULED, InstanceStatus.ENDED)


def agreed_by(state: AccountState, at: datetime) -> AgreedChange | None:
    """The change that has come by `at`, though the row may not say so yet."""
    agreed = state.agreed
    return agreed if agreed is not None and agreed.effective_at <= at else None


def plan_at(state: AccountState, at: datetime) -> Plan | None:
    """The plan that grants what is used at `at`."""
    if state.subscription is None:
        return None
    agreed = agreed_by(state, at)
    return agreed.plan if agreed else state.subscription.plan


def plans_by(state: AccountState, at: datetime) -> tuple[tuple[Plan, Price, datetime], ...]:
    """The plan of the row, and the agreed one once it has come: each with its price, and since
    when it is paid for."""
    row, agreed = state.subscription, agreed_by(state, at)
    if row is None:
        return ()
    own = row.plan, row.price, row.plan_paid_from
    if agreed is None:
        return (own,)
    since = agreed.effective_at if agreed.plan.id != row.plan.id else row.plan_paid_from
    return own, (agreed.plan, agreed.price, since)


def plan_spans(state: AccountState) -> tuple[tuple[Plan, datetime, datetime | None], ...]:
    """Each plan from when to when it grants."""
    subscription, agreed = state.subscription, state.agreed
    if subscription is None:
        return ()
    since, ends_at = subscription.started_at, subscription.ends_at
    if agreed is None:
        return ((subscription.plan, since, ends_at),)
    changes_at = agreed.effective_at
    return (subscription.plan, since, changes_at), (agreed.plan, changes_at, ends_at)


def stops_granting(state: AccountState, instance: Instance) -> datetime | None:
    """When an instance stops: with the change of plan too, where that cannot have it."""
    ends = [instance.span.stops_at]
    if state.agreed is not None:
        mine = (move for move in state.agreed.moves if move.instance_id == instance.id)
        ends += [move.ends_at for move in mine if move.fate is Fate.ENDS]
    return min((end for end in ends if end is not None), default=None)


def usage_price(state: AccountState, feature: Feature, window: Period) -> Price | None:
    """What is charged for use of `feature` beyond the allowance of `window` that is not settled;
    None where nothing is. Source: ADR 0023."""
    subscription = state.subscription
    if subscription is None:
        return None
    return usage_price_at(state, feature, counted_since(window, subscription.use_apart_until))


def usage_price_at(state: AccountState, feature: Feature, at: datetime) -> Price | None:
    """What is charged for what is used of `feature` at `at`, as far as is known now; None where
    nothing is, as in a trial.

    An add-on's price takes the place of the plan's while it is held. A new one that was announced
    is for what is counted from its boundary on.
    """
    subscription = state.subscription
    if subscription is None or subscription.status is SubscriptionStatus.TRIALING:
        return None
    for instance, held in charging(state):
        price = price_for_use(instance.add_on, instance.usage_prices, feature)
        if price is not None and held.charges(at):
            return price_at(state.price_changes, instance.id, price, at)
    plan, prices, changes = subscription.plan, subscription.usage_prices, state.price_changes
    if agreed := agreed_by(state, at):
        plan, prices = agreed.plan, agreed.usage_prices
        changes = tuple(each for each in changes if each.effective_at > agreed.effective_at)
    price = price_for_use(plan, prices, feature)
    return price and price_at(changes, None, price, at)


def charging(state: AccountState) -> Iterator[tuple[Instance, Held]]:
    """The add-ons that charge for use, or did, and from when to when; the latest first."""
    found = [i for i in state.instances if i.usage_prices and i.status in _BOUGHT]
    for each in sorted(found, key=lambda i: (i.span.starts_at, i.id), reverse=True):
        yield each, Held(each.span.starts_at, stops_granting(state, each))


def use_turns(state: AccountState) -> bool:
    """Whether a price for use has changed since use was set apart: no more is counted before that
    is done again."""
    subscription = state.subscription
    if subscription is None:
        return False
    return any(subscription.use_apart_until < edge <= state.now for edge in use_edges(state))


def use_edges(state: AccountState) -> Iterator[datetime]:
    """When prices for use change, or did: with an add-on's start or end, another plan or price."""
    for each in state.price_changes:
        if each.feature is not None:
            yield each.effective_at
    if state.agreed is not None:
        yield state.agreed.effective_at
    for _, held in charging(state):
        yield from held.edges
