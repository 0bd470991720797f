"""The preview that a customer sees and then accepts, unchanged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from portal.domain.capacity import Capacity, Cycle, brought_by, ends_at
from portal.domain.catalog import AddOn, Price, price_for
from portal.domain.lines import (
    LineKind,
    Means,
    QuoteLine,
    charge_line,
    completed,
    due_for,
    sum_of,
    with_tax,
)
from portal.domain.money import Money, total
from portal.domain.periods import BillingNow, Interval, Period
from portal.domain.proration import charge
from portal.domain.taxes import Tax, tax_on

QUOTE_LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Request:
    """What the customer asks for. auto_renew matters only to a recurring price."""

    add_on: str
    quantity: int
    auto_renew: bool


@dataclass(frozen=True, slots=True)
class Buyer:
    """The account's state that a quote depends on, and nothing else.

    balance: credit money that may be applied. carried: earlier amounts below the minimum charge.
    """

    account_id: int
    subscription_id: int
    plan_key: str
    cycle: Cycle
    currency: str
    tax: Tax
    balance: Money
    carried: Money

    @property
    def means(self) -> Means:
        return Means(self.currency, self.tax, self.balance, self.carried)


@dataclass(frozen=True, slots=True)
class GoingForward:
    """The price of each later period before tax, the tax on it, and when it is first due."""

    amount: Money
    tax: Money
    interval: Interval
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """Everything a confirm page says about money and dates.

    due = what is owed for this purchase; it is either charged now or, when below the currency's
    minimum charge, carried to the next bill. cancel_at: set when auto-renew is off.
    """

    request: Request
    account_id: int
    plan_key: str
    price: Price
    at: datetime
    expires_at: datetime
    lines: tuple[QuoteLine, ...]
    charged: Money
    carried_out: Money
    capacity: tuple[Capacity, ...]
    ends_at: datetime | None
    cancel_at: datetime | None
    going_forward: GoingForward | None

    @property
    def due(self) -> Money:
        return self.charged + self.carried_out

    def sum_of(self, kind: LineKind) -> Money:
        """The sum of the displayed lines of one kind."""
        return sum_of(self.lines, kind, self.price.currency)

    @property
    def over_at(self) -> datetime | None:
        """When the period that is paid for, or what is bought, ends; None for never."""
        ends = [line.period.end for line in self.lines if line.period]
        ends += [end for end in (self.ends_at, self.cancel_at) if end]
        return min(ends, default=None)

    @property
    def tax_included(self) -> Money:
        return total([line.amount for line in self.lines if line.included], self.price.currency)

    @property
    def digest(self) -> str:
        return digest_of(self)


def digest_of(promise: Any) -> str:
    """Equal for two quotes exactly when they promise the same money, capacity and dates.

    promise: a dataclass that holds all of them.
    """
    said = json.dumps(asdict(promise), sort_keys=True, default=_plain)
    return hashlib.sha256(said.encode()).hexdigest()


def expiry_of_quote(at: datetime, *boundaries: datetime) -> datetime:
    """15 minutes on, but never past a boundary that would change the figures or the units."""
    return min(at + QUOTE_LIFETIME, *boundaries)


def quote(buyer: Buyer, add_on: AddOn, request: Request, at: BillingNow) -> Quote:
    """Price `request` at the whole second `at`.

    Raises ValueError when the add-on has no price for this buyer or the quantity is below one;
    ask `eligibility.refusal` first. Source: seed 1, step 3; product.md §4 (quote).
    """
    price = price_for(add_on.prices, buyer.currency, buyer.cycle.interval)
    if price is None or request.quantity < 1:
        raise ValueError("nothing to quote")
    period = buyer.cycle.period_of(price, at)
    bought = charge_line(add_on.name, price, request.quantity, period, at)
    lines = completed(with_tax(bought, buyer.tax), buyer.means)
    due = due_for(lines, buyer.currency)
    renews = price.is_recurring and request.auto_renew
    cancel_at = period.end if period and not renews else None
    capacity = brought_by(add_on, price, request.quantity, buyer.cycle, at, cancel_at)
    return Quote(
        request=request,
        account_id=buyer.account_id,
        plan_key=buyer.plan_key,
        price=price,
        at=at,
        expires_at=_expires_at(buyer.cycle, period, capacity, at),
        lines=lines,
        charged=due.charged,
        carried_out=due.carried_out,
        capacity=capacity,
        ends_at=ends_at(price, buyer.cycle, at),
        cancel_at=cancel_at,
        going_forward=_going_forward(buyer, price, request, period) if renews else None,
    )


def _expires_at(
    cycle: Cycle, period: Period | None, capacity: tuple[Capacity, ...], at: datetime
) -> datetime:
    ends = [cycle.quota_window(at).end, cycle.billing_period(at).end]
    ends += [brought.until for brought in capacity if brought.until]
    return expiry_of_quote(at, *ends, *([period.end] if period else []))


def _going_forward(
    buyer: Buyer, price: Price, request: Request, period: Period | None
) -> GoingForward | None:
    if period is None or price.interval is None:
        return None
    amount = charge(price, Decimal(request.quantity), None, period.end)
    return GoingForward(amount, tax_on(buyer.tax, amount), price.interval, period.end)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
