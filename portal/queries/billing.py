"""What an account is billed from now on, and the bills that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from portal.domain import bills
from portal.domain.arrears import MOMENT, Owed, boundary, due_after, summed
from portal.domain.bills import Bill, BillingState, resumed
from portal.domain.dunning import bills_on
from portal.domain.errors import NotFound
from portal.domain.lines import LineKind, Means, sum_of
from portal.domain.money import Money
from portal.domain.price_changes import PriceAhead, ahead
from portal.domain.proration import charge
from portal.domain.recurring import Recurring
from portal.queries.accounts import AccountState
from portal.queries.by_the_clock import charging, usage_price
from portal.queries.items import BILLED, items_of
from portal.queries.subscriptions import Instance, Subscription
from portal.queries.usage import quota_windows
from portal.queries.use_terms import use_items

AHEAD = 2
"""Bills to come that pages show."""


@dataclass(frozen=True, slots=True)
class Without:
    """The bills to come if one add-on did not renew."""

    name: str
    bills: tuple[Bill, ...]


@dataclass(frozen=True, slots=True)
class NextBills:
    """today: what is due by now. ahead: the next bills. without: the same with one thing off."""

    today: tuple[Bill, ...]
    ahead: tuple[Bill, ...]
    without: tuple[Without, ...]
    currency: str

    @property
    def today_sum(self) -> Money:
        """What is due by now: zero but for the minute in which a renewal is under way."""
        return sum((each.due.charged for each in self.today), Money.zero(self.currency))


def billing_state(state: AccountState) -> BillingState:
    """The plan and the recurring instances, each with what it was billed for already, the prices
    that are announced, and what is agreed for the end of the term.

    Raises NotFound without a subscription.
    """
    subscription = state.subscription
    if subscription is None:
        raise NotFound("subscription")
    account = state.account
    items = items_of(subscription, state.instances, state.price_changes, state.agreed, state.now)
    found = BillingState(
        means=Means(account.currency, account.tax, state.balance, state.carried),
        plan=items.plan,
        instances=items.instances,
        arrears=summed(_owed(state, subscription)),
        ends_at=subscription.ends_at,
        use_due_at=_use_due_at(state, subscription),
    )
    return found if subscription.resumed_at is None else resumed(found, subscription.resumed_at)


def _owed(state: AccountState, subscription: Subscription) -> Iterator[Owed]:
    """What was used beyond the allowance, at the price that held when it was used."""
    billing = subscription.cycle.billing_anchor
    for each in state.beyond:
        anchor, interval = quota_windows(state, each.feature)
        window = anchor.period_at(each.window_start_at, interval)
        price = each.price or usage_price(state, each.feature, window)
        due_at = each.due_at
        if price is not None:
            due_at = due_at or due_after(price, billing, window, subscription.use_billed_until)
            ends_at = subscription.ends_at or due_at
            yield Owed(each, window, price, min(due_at, ends_at))


def _use_due_at(state: AccountState, subscription: Subscription) -> datetime | None:
    """The next boundary of any of its prices for use."""
    later = subscription.use_billed_until + MOMENT
    anchor = subscription.cycle.billing_anchor
    prices = [*subscription.usage_prices]
    for instance, held in charging(state):
        if held.stops_at is None or held.stops_at > subscription.use_billed_until:
            prices += instance.usage_prices
    return min((boundary(price, anchor, later) for price in prices), default=None)


def next_bills(state: AccountState) -> NextBills | None:
    """What is due today, next and after that, as the renewal will compute it; None without a plan.

    Nothing is ahead of a subscription whose billing has stopped.
    """
    subscription = state.subscription
    if subscription is None or not bills_on(subscription.status):
        return None
    found = billing_state(state)
    outlook = bills.next_bills(found, state.now, AHEAD)
    renewing = [i for i in state.instances if i.renews and i.status in BILLED]
    return NextBills(
        today=outlook.today,
        ahead=outlook.ahead,
        without=tuple(
            Without(i.add_on.name, bills.next_bills(off, state.now, AHEAD).ahead)
            for i in renewing
            for off in (bills.without_renewal(found, i.id, max(state.now, i.span.starts_at)),)
        ),
        currency=state.account.currency,
    )


def next_charge(state: AccountState, instance: Instance) -> Money:
    """What an instance that renews costs next, before tax: less for a part of a period."""
    found = billing_state(state)
    [item] = [each for each in found.billed if each.instance_id == instance.id]
    whole = found.ends_at is None and not item.is_due_within
    if whole or item.due_at is None:
        due_at = item.due_at or state.now
        then = item.as_agreed(due_at)
        return charge(then.price, Decimal(then.quantity), None, due_at)
    alone = replace(found, plan=found.plan.until(found.plan.billed_until), instances=(item,))
    made = bills.bill(alone, item.billed_until)
    return sum_of(made.lines, LineKind.CHARGE, state.account.currency)


def prices_ahead(state: AccountState) -> tuple[PriceAhead, ...]:
    """The announced prices that will come about as things are, in order."""
    if state.subscription is None or not state.price_changes:
        return ()
    items = {(i.instance_id, i.price.feature): i for i in priced_items(state)}
    return tuple(
        found
        for change in state.price_changes
        if (item := items.get((change.instance_id, change.feature)))
        and (found := ahead(item, change))
    )


def priced_items(state: AccountState) -> tuple[Recurring, ...]:
    """All that has a price of its own: plan, instances, and use beyond the allowance of either.

    Raises NotFound without a subscription.
    """
    return (*billing_state(state).billed, *use_items(state))
