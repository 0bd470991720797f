"""What an add-on that charges for use would come to, before it is bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.arrears import due_after
from portal.domain.catalog import Feature, Price
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.proration import charge
from portal.domain.quotes import Quote
from portal.domain.taxes import taxed
from portal.queries.accounts import AccountState
from portal.queries.by_the_clock import usage_price
from portal.queries.usage import meter_of, quota_windows
from portal.queries.usage_page import trends


@dataclass(frozen=True, slots=True)
class UsePace:
    """due_at: of the first bill for use. instead_of: what is charged for it now.

    more: units that the allowance does not cover by the end of the quota window, at the pace of the
    last seven days; cost: of them, with tax. None before there is a pace, and where it begins
    later. until: the window's end.
    """

    price: Price
    feature: Feature
    due_at: datetime
    instead_of: Price | None
    until: datetime
    more: Decimal | None
    cost: Money | None


def use_paces(
    session: Session, scope: Scope, state: AccountState, quote: Quote
) -> tuple[UsePace, ...]:
    """One for each price for use of the quote; the lots of the present windows are open."""
    prices = [(price, price.feature) for price in quote.usage_prices if price.feature]
    return tuple(_pace(session, scope, state, quote, *each) for each in prices)


def _pace(
    session: Session,
    scope: Scope,
    state: AccountState,
    quote: Quote,
    price: Price,
    feature: Feature,
) -> UsePace:
    anchor, interval = quota_windows(state, feature)
    window = anchor.period_at(quote.starts_at, interval)
    more = None if quote.waits else _missing(session, scope, state, feature)
    due_at = _due_at(state, price, window)
    cost = None if more is None else taxed(state.account.tax, charge(price, more, None, due_at))
    return UsePace(
        price=price,
        feature=feature,
        due_at=due_at,
        instead_of=usage_price(state, feature, window),
        until=window.end,
        more=more,
        cost=cost,
    )


def _missing(
    session: Session, scope: Scope, state: AccountState, feature: Feature
) -> Decimal | None:
    [trend] = trends(session, scope, state, [meter_of(session, scope, state, feature)])
    return trend.forecast.short if trend.forecast else None


def _due_at(state: AccountState, price: Price, window: Period) -> datetime:
    subscription = state.subscription
    if subscription is None:
        raise ValueError("what is quoted is for a subscription")
    anchor, billed_until = subscription.cycle.billing_anchor, subscription.use_billed_until
    due_at = due_after(price, anchor, window, billed_until)
    return min(due_at, subscription.ends_at or due_at)
